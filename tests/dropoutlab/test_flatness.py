import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dropoutlab.flatness import weight_noise
from dropoutlab.layers import Dropout
from dropoutlab.models import linear, mlp


@pytest.fixture
def setting(seeded):
    g = seeded(5)
    net = mlp((6, 8, 3), p=0.4, init=g, masks=g)
    return net, torch.randn(40, 6, generator=g, dtype=torch.float64), torch.randint(0, 3, (40,), generator=g)


def test_noise_is_drawn_for_each_unit_in_proportion_to_its_weights(setting, seeded):
    net, x, y = setting
    found = weight_noise(net, x, y, scale=0.3, generator=seeded(6), draws=2)
    g, rises = seeded(6), []
    with torch.no_grad():
        before = cross_entropy(net.eval()(x), y)
        for _ in range(2):
            weights = []
            for layer in (net[0], net[3]):
                noise = torch.randn(layer.weight.shape, generator=g, dtype=torch.float64)
                rows = layer.weight.norm(dim=1, keepdim=True) / math.sqrt(layer.in_features)
                weights.append(layer.weight + 0.3 * rows * noise)
            hidden = (x @ weights[0].T + net[0].bias).relu()
            rises.append((cross_entropy(hidden @ weights[1].T + net[3].bias, y) - before).item())
    assert found == pytest.approx(sum(rises) / 2, abs=1e-12)


def test_scaling_that_leaves_the_function_alone_leaves_the_flatness_alone(setting, seeded):
    net, x, y = setting
    first = weight_noise(net, x, y, scale=0.5, generator=seeded(7))
    with torch.no_grad():
        net[0].weight *= 8
        net[0].bias *= 8
        net[3].weight /= 8
    assert weight_noise(net, x, y, scale=0.5, generator=seeded(7)) == pytest.approx(first, abs=1e-12)


def test_the_network_stays_as_it_was(setting, seeded):
    net, x, y = setting
    net.train()
    weights = [weight.clone() for weight in net.parameters()]
    state = net[2].generator.get_state()
    weight_noise(net, x, y, scale=0.5, generator=seeded(7))
    assert net.training
    assert all(torch.equal(a, b) for a, b in zip(weights, net.parameters(), strict=True))
    assert torch.equal(net[2].generator.get_state(), state)  # no mask was drawn


def test_kernels_of_a_convolution_are_units_too(seeded):
    conv = nn.Conv2d(1, 2, 3)
    with torch.no_grad():
        conv.weight.normal_(generator=seeded(8))
    net = nn.Sequential(nn.Unflatten(1, (1, 3, 3)), conv, nn.Flatten(), Dropout(0.2))
    x, y = torch.randn(10, 9, generator=seeded(9)), torch.arange(10) % 2
    flat = linear(9, 2, generator=seeded(1), dtype=torch.float32)
    with torch.no_grad():
        flat.weight.copy_(conv.weight.flatten(1))
        flat.bias.copy_(conv.bias)
    rises = [weight_noise(each, x, y, scale=0.4, generator=seeded(2)) for each in (net, flat)]
    assert rises[0] == pytest.approx(rises[1], abs=1e-6)
    assert rises[0] != 0


def test_no_noise_costs_nothing(setting, seeded):
    assert weight_noise(*setting, scale=0.0, generator=seeded(1)) == 0


@pytest.mark.parametrize("scale", [-0.1, math.nan, math.inf])
def test_a_scale_is_a_size(setting, seeded, scale):
    with pytest.raises(ValueError, match="non-negative and finite"):
        weight_noise(*setting, scale=scale, generator=seeded(1))


def test_one_draw_is_the_least(setting, seeded):
    with pytest.raises(ValueError, match="at least 1 draw, got 0"):
        weight_noise(*setting, scale=0.1, generator=seeded(1), draws=0)
