import math

import pytest
import torch
from torch import nn

from dropoutlab.convnets import channels_last, conv, convnet
from dropoutlab.layers import Dropout, SpatialDropout


def images(n, seeded, side=28):
    return torch.rand(n, side * side, generator=seeded(5))


# --- one convolution


@pytest.mark.parametrize(("kernel", "stride", "side"), [(1, 1, 9), (3, 1, 9), (3, 2, 5), (5, 2, 5)])
def test_the_border_is_padded_so_that_only_the_stride_shrinks_maps(kernel, stride, side, seeded):
    layer = conv(2, 4, kernel, stride=stride, generator=seeded(1))
    assert layer(torch.zeros(3, 2, 9, 9)).shape == (3, 4, side, side)


def test_weights_and_biases_follow_the_law_of_pytorchs_own_initialisation(seeded):
    n_in, n_out, kernel = 8, 512, 3
    layer = conv(n_in, n_out, kernel, generator=seeded(1))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        theirs = nn.Conv2d(n_in, n_out, kernel)
    bound = 1 / math.sqrt(n_in * kernel**2)
    for ours, reference in ((layer.weight, theirs.weight), (layer.bias, theirs.bias)):
        assert ours.abs().max() <= bound
        assert reference.abs().max() <= bound
        # A uniform number on ±b has variance b²/3, and its square has variance 4b⁴/45.
        tolerance = 5 * math.sqrt(4 / 45) * bound**2 / math.sqrt(ours.numel())
        assert abs(ours.square().mean().item() - bound**2 / 3) <= tolerance


def test_the_generator_alone_decides_the_weights(seeded):
    state = torch.get_rng_state()
    one, same, other = (conv(2, 3, 3, generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.weight, same.weight)
    assert torch.equal(one.bias, same.bias)
    assert not torch.equal(one.weight, other.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_convolution_can_do_without_bias_and_in_double_precision(seeded):
    layer = conv(2, 3, 3, bias=False, dtype=torch.float64, generator=seeded(1))
    assert layer.bias is None
    assert layer.weight.dtype == torch.float64


@pytest.mark.parametrize(("n_in", "n_out"), [(0, 3), (3, 0)])
def test_no_channels_are_refused(n_in, n_out, seeded):
    with pytest.raises(ValueError, match=f"at least 1, got {n_in} in and {n_out} out"):
        conv(n_in, n_out, 3, generator=seeded(1))


@pytest.mark.parametrize("kernel", [0, 2, -1])
def test_kernels_without_a_middle_are_refused(kernel, seeded):
    with pytest.raises(ValueError, match=f"odd, so that its padding is symmetric, got {kernel}"):
        conv(1, 1, kernel, generator=seeded(1))


def test_the_layout_changes_where_kernels_lie_and_not_what_they_are(seeded):
    net = nn.Sequential(conv(3, 4, 3, generator=seeded(1)), nn.Flatten(), nn.Linear(4 * 25, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x = torch.rand(6, 3, 5, 5, generator=seeded(2))
    expected = net(x)
    assert channels_last(net) is net
    assert net[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert not net[0].weight.is_contiguous()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    torch.testing.assert_close(net(x), expected)


# --- the network


@pytest.mark.parametrize("side", [8, 28, 9])
def test_flat_images_become_logits(side, seeded):
    net = convnet(init=seeded(1), image_shape=(side, side), channels=(2, 3, 4), hidden=7, classes=5)
    assert net(images(6, seeded, side)).shape == (6, 5)


def test_images_need_not_be_square(seeded):
    net = convnet(init=seeded(1), image_shape=(8, 12), channels=(2, 3, 4), hidden=7)
    assert net(torch.zeros(2, 96)).shape == (2, 10)


def test_dropout_stands_after_pooling_and_after_the_hidden_layer(seeded):
    net = convnet(init=seeded(1), conv_p=0.1, fc_p=0.3)
    names = " ".join(type(layer).__name__ for layer in net)
    assert names == (
        "Unflatten Conv2d ReLU Dropout Conv2d ReLU MaxPool2d Dropout Conv2d ReLU MaxPool2d Dropout "
        "Flatten Linear ReLU Dropout Linear"
    )
    assert [layer.p for layer in net if isinstance(layer, Dropout)] == [0.1, 0.1, 0.1, 0.3]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, []),
        ({"fc_p": 0.5}, [Dropout]),
        ({"conv_p": 0.2}, [Dropout] * 3),
        ({"conv_p": 0.2, "kind": "map"}, [SpatialDropout] * 3),
        ({"conv_p": 0.2, "fc_p": 0.5, "kind": "map"}, [SpatialDropout] * 3 + [Dropout]),
    ],
)
def test_places_without_dropout_are_left_out(options, kinds, seeded):
    net = convnet(init=seeded(1), **options)
    assert [type(layer) for layer in net if isinstance(layer, Dropout | SpatialDropout)] == kinds


def test_nets_that_differ_in_dropout_start_from_the_same_weights(seeded):
    plain, dropped = (
        convnet(init=seeded(1), masks=seeded(2), conv_p=p, fc_p=p, kind="map") for p in (0, 0.3)
    )
    x = images(4, seeded)
    assert torch.equal(plain.eval()(x), dropped.eval()(x))
    assert not torch.equal(plain.train()(x), dropped.train()(x))


def test_masks_come_from_the_given_generator_and_nothing_from_the_global_one(seeded):
    x, state = images(4, seeded), torch.get_rng_state()
    one, same, other = (
        convnet(init=seeded(1), masks=seeded(seed), conv_p=0.2, fc_p=0.4)(x) for seed in (2, 2, 3)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("place", ["conv_p", "fc_p"])
def test_rates_outside_the_unit_interval_are_refused(place, seeded):
    with pytest.raises(ValueError, match=r"\[0, 1\], got 1.2"):
        convnet(init=seeded(1), **{place: 1.2})


def test_an_unknown_kind_is_refused(seeded):
    with pytest.raises(ValueError, match="'element' or 'map', got 'channel'"):
        convnet(init=seeded(1), kind="channel")
