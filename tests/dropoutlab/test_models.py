import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from dropoutlab.layers import Dropout
from dropoutlab.models import linear, mlp

WIDTHS = (20, 16, 12, 3)


def kinds(net):
    return [type(layer).__name__ for layer in net]


def parameters(net):
    return [parameter.detach() for parameter in net.parameters()]


# --- one layer


@pytest.mark.parametrize("n_in", [3, 50])
@pytest.mark.parametrize("part", ["weight", "bias"])
def test_initial_values_are_uniform_up_to_one_over_root_inputs(n_in, part, seeded):
    layer = linear(n_in, 40_000, generator=seeded(11))
    values = getattr(layer, part).detach().flatten().numpy()
    bound, n = 1 / math.sqrt(n_in), len(values)
    assert abs(values).max() <= bound
    # The largest of n falls short of the bound by bound·20/n with probability e^-10, on each side.
    assert values.max() >= bound * (1 - 20 / n)
    assert values.min() <= -bound * (1 - 20 / n)
    variance = bound**2 / 3
    assert abs(values.mean()) <= 5 * math.sqrt(variance / n)
    # Var(x²) of this uniform is b⁴/5 - b⁴/9 = 4b⁴/45.
    assert abs((values**2).mean() - variance) <= 5 * math.sqrt(4 / 45 * bound**4 / n)
    assert stats.kstest(values, stats.uniform(-bound, 2 * bound).cdf).pvalue >= 1e-6


def test_initial_values_are_independent_of_each_other(seeded):
    n = 200
    layer = linear(1000, n, generator=seeded(12))
    correlation = np.corrcoef(layer.weight.detach().numpy())[np.triu_indices(n, 1)]
    # SD 1/√1000 each; 6.5 sigma for 19,900 pairs: chance 2e-6.
    assert abs(correlation).max() <= 6.5 / math.sqrt(1000)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_layer_is_an_ordinary_trainable_linear_of_the_dtype_asked_for(dtype, seeded):
    layer = linear(4, 3, generator=seeded(1), dtype=dtype)
    assert type(layer) is nn.Linear
    assert (layer.in_features, layer.out_features) == (4, 3)
    assert {(p.dtype, p.device.type, p.requires_grad) for p in layer.parameters()} == {(dtype, "cpu", True)}
    x = torch.ones(2, 4, dtype=dtype)
    torch.testing.assert_close(layer(x), layer.weight.sum(1).expand(2, 3) + layer.bias)


@pytest.mark.parametrize(("n_in", "n_out"), [(0, 3), (3, 0), (-1, 3)])
def test_widths_below_one_are_refused(n_in, n_out, seeded):
    with pytest.raises(ValueError, match=f"at least 1, got {n_in} inputs and {n_out} outputs"):
        linear(n_in, n_out, generator=seeded(1))


# --- the network


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "Linear ReLU Linear ReLU Linear"),
        ({"p": 0.3}, "Linear ReLU Dropout Linear ReLU Dropout Linear"),
        ({"p": [0.0, 0.7]}, "Linear ReLU Linear ReLU Dropout Linear"),
        ({"p": [0.7, 0]}, "Linear ReLU Dropout Linear ReLU Linear"),
        ({"input_p": 0.2}, "Dropout Linear ReLU Linear ReLU Linear"),
        ({"input_p": 0.2, "p": 0.3}, "Dropout Linear ReLU Dropout Linear ReLU Dropout Linear"),
        ({"p": 1, "activation": nn.Tanh}, "Linear Tanh Dropout Linear Tanh Dropout Linear"),
    ],
)
def test_layers_come_in_order_and_rates_of_zero_leave_none(options, expected, seeded):
    assert kinds(mlp(WIDTHS, init=seeded(1), **options)) == expected.split()


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.3, [0.2, 0.3, 0.3]),
        ((0.3, 0.7), [0.2, 0.3, 0.7]),
        (np.array([0.3, 0.7]), [0.2, 0.3, 0.7]),
        (np.float32(0.25), [0.2, 0.25, 0.25]),
        (1, [0.2, 1.0, 1.0]),
    ],
)
def test_each_rate_sits_at_its_layer_and_draws_from_the_masks_stream(p, expected, seeded):
    masks = seeded(2)
    drops = [
        layer
        for layer in mlp(WIDTHS, init=seeded(1), p=p, input_p=0.2, masks=masks)
        if isinstance(layer, Dropout)
    ]
    assert [drop.p for drop in drops] == expected
    assert all(drop.generator is masks for drop in drops)


@pytest.mark.parametrize("options", [{"p": 0.3}, {"p": [0, 0.9]}, {"input_p": 0.2}, {"activation": nn.Tanh}])
def test_networks_that_differ_in_p_alone_start_from_the_same_weights(options, seeded):
    plain, other = mlp(WIDTHS, init=seeded(5)), mlp(WIDTHS, init=seeded(5), masks=seeded(6), **options)
    assert all(torch.equal(a, b) for a, b in zip(parameters(plain), parameters(other), strict=True))
    different = mlp(WIDTHS, init=seeded(7))
    assert not any(torch.equal(a, b) for a, b in zip(parameters(plain), parameters(different), strict=True))


def test_weights_are_drawn_layer_by_layer_from_one_stream(seeded):
    stream = seeded(5)
    layers = [linear(n_in, n_out, generator=stream) for n_in, n_out in ((20, 16), (16, 12), (12, 3))]
    expected = [parameter.detach() for layer in layers for parameter in layer.parameters()]
    net = mlp(WIDTHS, init=seeded(5), p=0.4)
    assert all(torch.equal(a, b) for a, b in zip(parameters(net), expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_have_one_row_per_example_and_one_column_per_class(dtype, seeded):
    logits = mlp(WIDTHS, init=seeded(1), p=0.3, masks=seeded(2), dtype=dtype)(torch.ones(7, 20, dtype=dtype))
    assert (logits.shape, logits.dtype) == ((7, 3), dtype)


def test_the_smallest_network_is_a_single_linear_layer(seeded):
    assert kinds(mlp((4, 3), init=seeded(1), p=0.5)) == ["Linear"]
    assert kinds(mlp((4, 3), init=seeded(1), p=[])) == ["Linear"]


@pytest.mark.parametrize(
    ("widths", "options", "message"),
    [
        ((), {}, r"at least an input and an output width, got \(\)"),
        ((4,), {}, r"at least an input and an output width, got \(4,\)"),
        ((4, 0, 3), {}, "at least 1, got 4 inputs and 0 outputs"),
        (WIDTHS, {"p": [0.5]}, "each of the 2 hidden layers, got 1"),
        (WIDTHS, {"p": [0.1, 0.2, 0.3]}, "each of the 2 hidden layers, got 3"),
        ((4, 3), {"p": [0.5]}, "each of the 0 hidden layers, got 1"),
        (WIDTHS, {"p": 1.3}, r"drop probability must lie in \[0, 1\], got 1.3"),
        (WIDTHS, {"p": [0.1, -0.1]}, r"drop probability must lie in \[0, 1\], got -0.1"),
        (WIDTHS, {"p": math.nan}, r"drop probability must lie in \[0, 1\], got nan"),
        (WIDTHS, {"input_p": math.nan}, r"drop probability must lie in \[0, 1\], got nan"),
        (WIDTHS, {"input_p": -0.5}, r"drop probability must lie in \[0, 1\], got -0.5"),
    ],
)
def test_impossible_networks_are_refused(widths, options, message, seeded):
    with pytest.raises(ValueError, match=message):
        mlp(widths, init=seeded(1), **options)


def test_building_leaves_the_global_generator_alone(seeded):
    before = torch.get_rng_state()
    linear(4, 3, generator=seeded(1))
    mlp(WIDTHS, init=seeded(1), p=0.5, input_p=0.2)
    assert torch.equal(torch.get_rng_state(), before)
