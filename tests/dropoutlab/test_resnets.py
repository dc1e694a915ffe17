from typing import get_args

import pytest
import torch
from torch import nn

from dropoutlab.layers import Dropout
from dropoutlab.resnets import Place, ResidualBlock, resnet

PLACES = get_args(Place)
SMALL = {"channels": (2, 3), "image_shape": (8, 8)}


def build(seeded, **options):
    return resnet(init=seeded(1), masks=seeded(2), **{**SMALL, **options})


def around(net, place):
    """What comes directly before and after each dropout layer: in its branch, or in the trunk."""
    found = []
    for parent in (net, *(block.branch for block in net if isinstance(block, ResidualBlock))):
        layers = list(parent)
        for i, layer in enumerate(layers):
            if isinstance(layer, Dropout):
                following = layers[i + 1] if i + 1 < len(layers) else None
                found.append((type(layers[i - 1]).__name__, type(following).__name__, i))
    return found


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("nowhere", []),
        ("branch start", [("ReLU", "Conv2d", 2)] * 2),
        ("before last layer", [("ReLU", "Conv2d", 5)] * 2),
        ("branch end", [("Conv2d", "NoneType", 6)] * 2),
        ("before pooling", [("ReLU", "AdaptiveAvgPool2d", 6)]),
        ("before head", [("Flatten", "Linear", 8)]),
    ],
)
def test_dropout_stands_where_its_place_says(place, expected, seeded):
    assert around(build(seeded, p=0.3, place=place), place) == expected


@pytest.mark.parametrize("place", PLACES)
def test_no_place_changes_the_initial_network(place, seeded):
    x = torch.rand(5, 64, generator=seeded(3))
    plain, dropped = build(seeded), build(seeded, p=0.4, place=place)
    assert torch.equal(plain.eval()(x), dropped.eval()(x))
    assert torch.equal(plain.train()(x), dropped.train()(x)) == (place == "nowhere")


@pytest.mark.parametrize("place", PLACES)
def test_a_rate_of_zero_leaves_dropout_out(place, seeded):
    assert not any(isinstance(layer, Dropout) for layer in build(seeded, place=place).modules())


def test_a_block_adds_its_branch_to_its_input(seeded):
    block = ResidualBlock(3, 3, 1, dropped=lambda _: [], init=seeded(1)).eval()
    x = torch.rand(2, 3, 4, 4, generator=seeded(2))
    assert isinstance(block.shortcut, nn.Identity)
    torch.testing.assert_close(block(x) - x, block.branch(x))
    with torch.no_grad():
        block.branch[-1].weight.zero_()
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(("n_in", "n_out", "stride", "side"), [(3, 5, 1, 5), (3, 3, 2, 3), (3, 5, 2, 3)])
def test_a_shortcut_is_fitted_where_shapes_change(n_in, n_out, stride, side, seeded):
    block = ResidualBlock(n_in, n_out, stride, dropped=lambda _: [], init=seeded(1))
    assert isinstance(block.shortcut, nn.Conv2d)
    assert block(torch.zeros(2, n_in, 5, 5)).shape == (2, n_out, side, side)


def test_every_block_but_the_first_halves_the_maps(seeded):
    net = resnet(init=seeded(1), channels=(2, 3, 4))
    sizes = []
    hooks = [
        layer.register_forward_hook(lambda _m, _i, y: sizes.append(tuple(y.shape[1:])))
        for layer in net
        if isinstance(layer, ResidualBlock)
    ]
    assert net(torch.zeros(2, 784)).shape == (2, 10)
    assert len(hooks) == 3
    assert sizes == [(2, 14, 14), (3, 7, 7), (4, 4, 4)]


def test_weights_and_masks_come_from_the_given_generators(seeded):
    x, state = torch.rand(4, 64, generator=seeded(3)), torch.get_rng_state()
    one, same = (build(seeded, p=0.3, place="branch end")(x) for _ in range(2))
    other = resnet(init=seeded(1), masks=seeded(9), p=0.3, place="branch end", **SMALL)(x)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_number_type_holds_for_all_parameters(seeded):
    assert {w.dtype for w in build(seeded, dtype=torch.float64).parameters()} == {torch.float64}


def test_an_unknown_place_is_refused_and_the_known_ones_named(seeded):
    with pytest.raises(ValueError, match=r"'branch start', .*'before head', got 'everywhere'"):
        build(seeded, place="everywhere")


@pytest.mark.parametrize("place", PLACES)
def test_a_bad_rate_is_refused_wherever_it_would_go(place, seeded):
    with pytest.raises(ValueError, match=r"\[0, 1\], got -0.1"):
        build(seeded, p=-0.1, place=place)


def test_a_network_without_blocks_is_refused(seeded):
    with pytest.raises(ValueError, match="at least one block, got none"):
        build(seeded, channels=())
