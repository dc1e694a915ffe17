import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dropoutlab.functional import (
    classic_dropout,
    drop_connect_linear,
    drop_path,
    dropout,
    gaussian_dropout,
    spatial_dropout,
)
from dropoutlab.masks import keep_mask

RATES = [0.1, 0.3, 0.7, 0.9]
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def identity_connect(x, p, **options):
    """`drop_connect_linear` with a fixed weight, called like the others."""
    weight = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device) + 1
    return drop_connect_linear(x, weight, None, p, **options)


INVERTED = [dropout, spatial_dropout, gaussian_dropout, drop_path]
ALL = [*INVERTED, classic_dropout, identity_connect]


def torch_dropout_and_mask(x, p):
    """Return PyTorch's dropout of ``x`` and the mask it drew."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        y = F.dropout(x, p, training=True)
        torch.manual_seed(11)
        mask = F.dropout(torch.ones_like(x), p, training=True) != 0
    return y, mask


def normal(*shape, seeded, dtype=torch.float64, seed=1):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


# --- side by side with PyTorch


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", RATES)
def test_same_mask_same_output_and_gradient_as_pytorch(p, dtype, seeded):
    x = normal(20, 30, seeded=seeded, dtype=dtype).requires_grad_()
    theirs, mask = torch_dropout_and_mask(x, p)
    ours = dropout(x, p, training=True, mask=mask)
    assert ours.dtype == dtype
    assert torch.equal(ours, theirs)
    upstream = normal(20, 30, seeded=seeded, dtype=dtype, seed=2)
    (our_gradient,) = torch.autograd.grad(ours, x, upstream)
    (their_gradient,) = torch.autograd.grad(theirs, x, upstream)
    assert torch.equal(our_gradient, their_gradient)


@pytest.mark.parametrize("p", [0.3, 1.0])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_infinities_and_nan_come_out_as_from_pytorch(value, p):
    x = torch.full((50,), value, requires_grad=True)
    theirs, mask = torch_dropout_and_mask(x, p)
    ours = dropout(x, p, training=True, mask=mask)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)
    assert ours[~mask].isnan().all()  # 0 times infinity
    (our_gradient,) = torch.autograd.grad(ours.sum(), x)
    (their_gradient,) = torch.autograd.grad(theirs.sum(), x)
    assert torch.equal(our_gradient, their_gradient)


def test_kept_infinities_stay_infinite():
    x = torch.tensor([math.inf, -math.inf, math.nan, 1.0])
    y = dropout(x, 0.5, training=True, mask=torch.ones(4, dtype=torch.bool))
    assert y[:2].tolist() == [math.inf, -math.inf]
    assert y[2].isnan()
    assert y[3] == 2


def test_integers_are_refused_where_pytorch_refuses_them():
    x = torch.arange(6)
    with pytest.raises(RuntimeError, match="can't be cast"):
        F.dropout(x, 0.3, training=True)
    with pytest.raises(
        TypeError, match=r"floating-point tensor, got torch\.int64; convert it with x\.float\(\)"
    ):
        dropout(x, 0.3, training=True)
    # Where nothing is computed, both hand the integers back.
    for p, training in [(0.0, True), (0.3, False)]:
        assert F.dropout(x, p, training=training) is x
        assert dropout(x, p, training=training) is x


@pytest.mark.parametrize("function", ALL)
def test_no_function_computes_with_integers(function):
    with pytest.raises(TypeError, match="needs a floating-point tensor"):
        function(torch.ones(2, 3, 4, dtype=torch.int64), 0.3, training=True)


def test_classic_evaluation_does_not_compute_with_integers_either():
    with pytest.raises(TypeError, match="needs a floating-point tensor"):
        classic_dropout(torch.ones(2, dtype=torch.int64), 0.3, training=False)


# --- what every function promises


@pytest.mark.parametrize("function", ALL)
def test_training_has_no_default(function):
    with pytest.raises(TypeError, match="training"):
        function(torch.ones(2, 3, 4), 0.3)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("p", [-0.1, 1.3, math.nan])
def test_an_impossible_probability_is_refused_in_both_modes(function, training, p):
    with pytest.raises(ValueError, match=rf"must lie in \[0, 1\], got {p}"):
        function(torch.ones(2, 3, 4), p, training=training)


@pytest.mark.parametrize("function", INVERTED)
def test_evaluation_returns_the_input_itself(function):
    x = torch.ones(2, 3, 4)
    assert function(x, 0.3, training=False) is x


@pytest.mark.parametrize("function", [*INVERTED, classic_dropout])
@pytest.mark.parametrize("training", [True, False])
def test_probability_zero_returns_the_input_itself(function, training):
    x = torch.ones(2, 3, 4)
    assert function(x, 0.0, training=training) is x


@pytest.mark.parametrize("function", [dropout, classic_dropout, spatial_dropout, drop_path, identity_connect])
def test_probability_one_gives_zeros_with_a_zero_gradient(function):
    x = torch.ones(2, 3, 4, requires_grad=True)
    y = function(x, 1.0, training=True)
    assert torch.equal(y, torch.zeros_like(y))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, torch.zeros_like(x))


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize(("p", "training"), [(0.0, True), (0.3, False)])
def test_nothing_is_drawn_where_nothing_is_random(function, p, training, seeded):
    generator = seeded(1)
    before = generator.get_state()
    function(torch.ones(2, 3, 4), p, training=training, generator=generator)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("function", ALL)
def test_outputs_follow_the_seed(function, seeded):
    x = torch.ones(50, 3, 4)
    first, same, other = (function(x, 0.3, training=True, generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("training", [True, False])
def test_type_shape_and_input_are_kept(function, dtype, training, seeded):
    x = normal(5, 3, 4, seeded=seeded, dtype=dtype)
    before = x.clone()
    y = function(x, 0.3, training=training, generator=seeded(1))
    assert (y.dtype, y.shape, y.device) == (x.dtype, x.shape, x.device)
    assert torch.equal(x, before)


@pytest.mark.parametrize("function", ALL)
def test_the_device_is_kept(function):
    x = torch.ones(5, 3, 4, device="meta")
    assert function(x, 0.3, training=True).device.type == "meta"


def test_a_mask_follows_the_input_to_its_device():
    mask = torch.ones(3, dtype=torch.bool)
    assert dropout(torch.ones(3, device="meta"), 0.3, training=True, mask=mask).device.type == "meta"


def test_a_generator_of_another_device_is_refused(seeded):
    with pytest.raises(ValueError, match="generator lives on cpu but the mask is needed on meta"):
        dropout(torch.ones(3, device="meta"), 0.3, training=True, generator=seeded(1))


@pytest.mark.parametrize(
    ("function", "mask_shape"),
    [
        (dropout, (2, 3, 4)),
        (classic_dropout, (2, 3, 4)),
        (spatial_dropout, (2, 3, 1)),
        (drop_path, (2, 1, 1)),
        (identity_connect, (2, 3, 4, 4)),
        (partial(identity_connect, per_example=False), (4, 4)),
    ],
)
def test_gradients_are_right_under_a_frozen_mask(function, mask_shape, seeded):
    mask = keep_mask(mask_shape, 0.3, generator=seeded(3))
    x = normal(2, 3, 4, seeded=seeded).requires_grad_()
    assert torch.autograd.gradcheck(partial(function, p=0.3, training=True, mask=mask), (x,))


MASKED = [
    (dropout, lambda m: m),
    (classic_dropout, lambda m: m),
    (spatial_dropout, lambda m: m[:, :, :1]),
    (drop_path, lambda m: m[:, :1, :1]),
    (partial(identity_connect, per_example=False), lambda m: m[0, :3]),
]


@pytest.mark.parametrize(("function", "part"), MASKED)
@pytest.mark.parametrize("p", [0.3, 1.0])
def test_a_given_mask_is_read_whatever_its_strides_and_never_changed(function, part, p, seeded):
    x = normal(3, 4, 3, seeded=seeded)
    whole = keep_mask((6, 3, 4), 0.5, generator=seeded(3))
    strided = part(whole[::2].transpose(1, 2))
    before = strided.clone(memory_format=torch.contiguous_format)
    y = function(x, p, training=True, mask=strided)
    assert torch.equal(y, function(x, p, training=True, mask=before))
    assert torch.equal(strided, before)
    shared = keep_mask((3,), 0.5, generator=seeded(4)).expand(3, 4, 3)  # one memory cell, many elements
    assert torch.equal(
        dropout(x, p, training=True, mask=shared), dropout(x, p, training=True, mask=shared.clone())
    )


def test_given_noise_is_never_changed(seeded):
    noise = normal(3, 4, seeded=seeded)
    before = noise.clone()
    y = gaussian_dropout(torch.ones(3, 4, dtype=torch.float32), 0.3, training=True, mask=noise)
    assert torch.equal(noise, before)
    assert torch.equal(y, noise.float())


def test_gradients_are_right_under_frozen_noise(seeded):
    noise = normal(2, 3, seeded=seeded, seed=4)
    x = normal(2, 3, seeded=seeded).requires_grad_()
    assert torch.autograd.gradcheck(partial(gaussian_dropout, p=0.3, training=True, mask=noise), (x,))


@pytest.mark.parametrize("function", [dropout, classic_dropout, spatial_dropout, drop_path, identity_connect])
def test_masks_of_another_shape_or_type_are_refused(function):
    x = torch.ones(2, 3, 4)
    with pytest.raises(
        ValueError, match=r"input of shape \(2, 3, 4\) needs a mask of shape \(.*\), got \(5,\)"
    ):
        function(x, 0.3, training=True, mask=torch.ones(5, dtype=torch.bool))
    with pytest.raises(TypeError, match=r"must be boolean, True where kept, got torch\.float32"):
        function(x, 0.3, training=True, mask=torch.ones(2, 3, 4))


def test_gaussian_factors_of_another_shape_or_type_are_refused():
    with pytest.raises(ValueError, match=r"needs a mask of shape \(2, 3\), got \(5,\)"):
        gaussian_dropout(torch.ones(2, 3), 0.3, training=True, mask=torch.ones(5))
    with pytest.raises(TypeError, match=r"floating-point factors, got torch\.bool"):
        gaussian_dropout(torch.ones(2), 0.3, training=True, mask=torch.ones(2, dtype=torch.bool))


def test_an_explicit_mask_acts_even_where_none_would_be_drawn():
    x, mask = torch.tensor([1.0, 2.0]), torch.tensor([True, False])
    assert dropout(x, 0.0, training=True, mask=mask).tolist() == [1.0, 0.0]
    assert classic_dropout(x, 0.0, training=True, mask=mask).tolist() == [1.0, 0.0]
    assert dropout(x, 1.0, training=True, mask=mask).tolist() == [0.0, 0.0]
    assert dropout(x, 0.5, training=False, mask=mask) is x


# --- inverted dropout


@given(
    shape=st.lists(st.integers(0, 5), max_size=4),
    p=st.floats(0, 1, exclude_max=True),
    seed=st.integers(0, 2**32 - 1),
)
def test_support_is_zero_and_x_over_q(shape, p, seed, seeded):
    x = torch.rand(shape, generator=seeded(seed), dtype=torch.float64) + 1
    y = dropout(x, p, training=True, generator=seeded(seed + 1))
    factor = 1 / (1 - p)
    assert ((y == 0) | (y == x * factor)).all()
    assert torch.allclose(
        y[y != 0], (x / (1 - p))[y != 0], rtol=4e-16, atol=0
    )  # one rounding more than x / q
    assert torch.equal(y != 0, keep_mask(shape, p, generator=seeded(seed + 1)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [1e-4, *RATES, 1 - 1e-4])
def test_outputs_are_zero_or_x_times_the_rounded_factor(p, dtype, seeded):
    x = normal(40, 50, seeded=seeded, dtype=dtype)
    kept = keep_mask(x.shape, p, generator=seeded(1))
    factor = torch.tensor(1 / (1 - p), dtype=torch.float64).to(dtype)
    y = dropout(x, p, training=True, generator=seeded(1))
    assert torch.equal(y, torch.where(kept, x * factor, torch.zeros_like(x)))


@pytest.mark.parametrize("p", RATES)
def test_mean_is_the_input_and_variance_its_square_times_p_over_q(p, seeded):
    n, x, q = 400_000, 1.7, 1 - p
    y = dropout(torch.full((n,), x, dtype=torch.float64), p, training=True, generator=seeded(12))
    variance = x**2 * p / q
    assert abs(y.mean().item() - x) <= 5 * math.sqrt(variance / n)
    # Squared deviations take two values: x² with probability p, (x/q - x)² with q. Their variance follows.
    fourth = p * x**4 + q * (x / q - x) ** 4
    deviations = ((y - x) ** 2).mean().item()
    assert abs(deviations - variance) <= 5 * math.sqrt((fourth - variance**2) / n)


@pytest.mark.parametrize("p", RATES)
def test_examples_of_a_batch_have_their_own_masks(p, seeded):
    n = 100_000
    y = dropout(torch.ones(2, n), p, training=True, generator=seeded(13))
    agreement = (y[0] == y[1]).double().mean().item()
    chance = p**2 + (1 - p) ** 2  # both dropped or both kept; 1 if the batch shared a mask
    assert abs(agreement - chance) <= 5 * math.sqrt(chance * (1 - chance) / n)


@pytest.mark.parametrize("make", [lambda x: x.t(), lambda x: x[:, ::2], lambda x: x[0, 0], lambda x: x[:0]])
def test_views_scalars_and_empty_inputs_work(make, seeded):
    x = make(normal(6, 8, seeded=seeded))
    y = dropout(x, 0.3, training=True, generator=seeded(1))
    assert y.shape == x.shape
    assert ((y == 0) | torch.isclose(y, x / 0.7)).all()


@pytest.mark.parametrize("p", [0.1, 0.3, 0.7])
def test_relu_commutes_with_the_mask_and_sigmoid_does_not(p, seeded):
    x = normal(50, 40, seeded=seeded, dtype=torch.float32)
    drop = partial(dropout, p=p, training=True, mask=keep_mask(x.shape, p, generator=seeded(2)))
    assert torch.equal(torch.relu(drop(x)), drop(torch.relu(x)))
    # A dropped unit is 0 after the sigmoid in one order, and sigmoid(0) = 1/2 in the other.
    difference = (torch.sigmoid(drop(x)) - drop(torch.sigmoid(x))).abs()
    assert difference.max() >= 0.5


def test_gradient_is_zero_exactly_where_a_unit_is_dropped_for_an_example(seeded):
    p, batch, units = 0.3, 8, 20
    x = normal(batch, 5, seeded=seeded)
    hidden = normal(5, units, seeded=seeded, seed=2).requires_grad_()
    output = normal(units, 3, seeded=seeded, seed=3).requires_grad_()
    mask = keep_mask((batch, units), p, generator=seeded(4))
    for example, kept in zip(x, mask, strict=True):
        y = dropout(torch.tanh(example @ hidden), p, training=True, mask=kept) @ output
        incoming, outgoing = torch.autograd.grad((y**2).sum(), (hidden, output))
        assert torch.equal((incoming != 0).any(dim=0), kept)
        assert torch.equal((outgoing != 0).any(dim=1), kept)


@pytest.mark.parametrize(("p", "batch"), [(0.3, 1), (0.3, 3), (0.7, 4), (0.9, 8)])
def test_a_unit_goes_without_gradient_with_probability_p_to_the_batch_size(p, batch, seeded):
    units = 100_000
    x = torch.ones(batch, units, requires_grad=True)
    (gradient,) = torch.autograd.grad(dropout(x, p, training=True, generator=seeded(5)).sum(), x)
    silent = (gradient == 0).all(dim=0).double().mean().item()
    chance = p**batch
    assert abs(silent - chance) <= 5 * math.sqrt(chance * (1 - chance) / units)


# --- classic dropout


@pytest.mark.parametrize("p", RATES)
def test_classic_keeps_values_in_training_and_scales_in_evaluation(p, seeded):
    x = normal(200, seeded=seeded)
    mask = keep_mask(x.shape, p, generator=seeded(6))
    assert torch.equal(classic_dropout(x, p, training=True, generator=seeded(6)), x * mask)
    assert torch.equal(classic_dropout(x, p, training=False), x * (1 - p))


def test_classic_evaluation_of_probability_one_is_zero():
    assert torch.equal(classic_dropout(torch.ones(3), 1.0, training=False), torch.zeros(3))


@pytest.mark.parametrize("p", RATES)
def test_classic_is_inverted_times_q_under_one_mask(p, seeded):
    x, mask = normal(200, seeded=seeded), keep_mask((200,), p, generator=seeded(7))
    scaled = (1 - p) * dropout(x, p, training=True, mask=mask)
    assert torch.allclose(classic_dropout(x, p, training=True, mask=mask), scaled, rtol=4e-16, atol=0)


def test_leaving_out_the_evaluation_scale_is_a_temperature_of_q(seeded):
    p, q = 0.3, 0.7
    hidden, weight = normal(300, 16, seeded=seeded).relu(), normal(10, 16, seeded=seeded, seed=2)
    unscaled = hidden @ weight.T
    scaled = classic_dropout(hidden, p, training=False) @ weight.T
    assert torch.equal(unscaled.argmax(dim=1), scaled.argmax(dim=1))
    sharpened = (scaled / q).softmax(dim=1)  # the scaled network at temperature q < 1
    assert torch.allclose(unscaled.softmax(dim=1), sharpened, rtol=0, atol=1e-12)
    assert (unscaled.softmax(dim=1).amax(dim=1) >= scaled.softmax(dim=1).amax(dim=1)).all()
    # An output bias is not scaled along with the rest, so there the decision can change.
    bias = 5 * normal(10, seeded=seeded, seed=3)
    assert ((unscaled + bias).argmax(dim=1) != (scaled + bias).argmax(dim=1)).any()


# --- channels, paths, connections, Gaussian noise


@pytest.mark.parametrize("p", RATES)
def test_spatial_dropout_keeps_or_drops_whole_maps(p, seeded):
    n, channels = 60, 50
    x = normal(n, channels, 3, 4, seeded=seeded)
    y = spatial_dropout(x, p, training=True, generator=seeded(8))
    kept = (y != 0).flatten(start_dim=2)
    assert torch.equal(kept.all(dim=2), kept.any(dim=2))
    kept = kept.all(dim=2)
    assert torch.allclose(y[kept], x[kept] / (1 - p), rtol=4e-16, atol=0)
    tolerance = 5 * math.sqrt(p * (1 - p) / (n * channels))
    assert abs(kept.double().mean().item() - (1 - p)) <= tolerance
    assert kept.double().std(dim=0).max() > 0  # not one mask for the batch
    assert kept.double().std(dim=1).max() > 0  # not one coin per example


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
@pytest.mark.parametrize("mask", [None, torch.ones(2, 3, dtype=torch.bool)])
def test_spatial_dropout_needs_spatial_dimensions(shape, mask):
    with pytest.raises(ValueError, match=r"\(N, C, \*spatial\)"):
        spatial_dropout(torch.ones(shape), 0.3, training=True, mask=mask)


@pytest.mark.parametrize("p", RATES)
def test_drop_path_keeps_or_drops_whole_examples(p, seeded):
    n = 4000
    x = normal(n, 3, 2, seeded=seeded)
    y = drop_path(x, p, training=True, generator=seeded(9))
    kept = (y != 0).flatten(start_dim=1)
    assert torch.equal(kept.all(dim=1), kept.any(dim=1))
    kept = kept.all(dim=1)
    assert torch.allclose(y[kept], x[kept] / (1 - p), rtol=4e-16, atol=0)
    assert abs(kept.double().mean().item() - (1 - p)) <= 5 * math.sqrt(p * (1 - p) / n)


def test_drop_path_needs_a_batch():
    with pytest.raises(ValueError, match="got a scalar"):
        drop_path(torch.tensor(1.0), 0.3, training=True)


@pytest.mark.parametrize("per_example", [True, False])
def test_drop_connect_masks_each_weight_and_no_bias(per_example, seeded):
    p, shape = 0.3, (5, 2, 4)
    x, weight, bias = (normal(*s, seeded=seeded, seed=i) for i, s in enumerate([shape, (3, 4), (3,)]))
    mask = keep_mask((5, 2, 3, 4) if per_example else (3, 4), p, generator=seeded(10))
    y = drop_connect_linear(x, weight, bias, p, training=True, per_example=per_example, generator=seeded(10))
    each = mask.expand(5, 2, 3, 4)
    for i in range(5):
        for j in range(2):
            thinned = weight * each[i, j] / (1 - p)
            assert torch.allclose(y[i, j], thinned @ x[i, j] + bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_drop_connect_evaluates_the_plain_linear_map(bias, seeded):
    x, weight = normal(5, 4, seeded=seeded), normal(3, 4, seeded=seeded, seed=2)
    offset = normal(3, seeded=seeded, seed=3) if bias else None
    expected = F.linear(x, weight, offset)
    assert torch.equal(drop_connect_linear(x, weight, offset, 0.3, training=False), expected)
    assert torch.equal(drop_connect_linear(x, weight, offset, 0.0, training=True), expected)


def test_drop_connect_needs_a_fitting_input():
    with pytest.raises(ValueError, match=r"weight of shape \(3, 4\) needs an input of shape \(\*, 4\)"):
        drop_connect_linear(torch.ones(2, 5), torch.ones(3, 4), None, 0.3, training=True)


@pytest.mark.parametrize("p", RATES)
def test_gaussian_dropout_has_the_moments_of_dropout_and_no_zeros(p, seeded):
    n, x = 200_000, 1.7
    y = gaussian_dropout(torch.full((n,), x, dtype=torch.float64), p, training=True, generator=seeded(14))
    variance = x**2 * p / (1 - p)
    assert abs(y.mean().item() - x) <= 5 * math.sqrt(variance / n)
    assert abs(y.var().item() - variance) <= 5 * variance * math.sqrt(2 / (n - 1))  # of a normal's variance
    assert (y != 0).all()


def test_gaussian_dropout_of_probability_one_is_refused():
    with pytest.raises(ValueError, match=r"needs p < 1, got 1\.0"):
        gaussian_dropout(torch.ones(2), 1.0, training=True)
