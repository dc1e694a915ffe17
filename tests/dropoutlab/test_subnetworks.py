import math

import pytest
import torch
from torch import nn

from dropoutlab.ensemble import exact_average
from dropoutlab.layers import Dropout
from dropoutlab.masks import keep_mask
from dropoutlab.models import mlp
from dropoutlab.subnetworks import distinct_outputs, final_layer, member_predictions, visited_share


@pytest.fixture
def layer(seeded):
    g = seeded(1)
    hidden = torch.randn(4, 6, generator=g, dtype=torch.float64).relu()
    weight = torch.randn(3, 6, generator=g, dtype=torch.float64)
    return hidden, weight, torch.randn(3, generator=g, dtype=torch.float64)


def test_the_final_layer_continues_the_network(seeded):
    net = mlp((5, 7, 3), p=0.3, init=seeded(1), masks=seeded(2)).eval()
    x = torch.randn(4, 5, generator=seeded(3), dtype=torch.float64)
    hidden, weight, bias = final_layer(net, x)
    assert not weight.requires_grad
    torch.testing.assert_close(hidden @ weight.T + bias, net(x).detach())


def test_a_final_layer_without_bias_gets_zeros(seeded):
    net = nn.Sequential(Dropout(0.3), nn.Linear(4, 3, bias=False))
    _, _, bias = final_layer(net, torch.ones(1, 4))
    assert bias.tolist() == [0, 0, 0]


@pytest.mark.parametrize("p", [(0.3, 0.3), (0.3, 0.0)])
def test_a_network_that_drops_elsewhere_is_refused(seeded, p):
    net = mlp((5, 7, 6, 3), p=p, init=seeded(1), masks=seeded(2))
    with pytest.raises(ValueError, match=r"right before the final Linear, got Linear → ReLU → "):
        final_layer(net, torch.ones(1, 5).double())


def test_members_average_to_the_exact_means(layer):
    hidden, weight, bias = layer
    for example in hidden:
        members, law = member_predictions(example, weight, bias, 0.3)
        assert members.shape == (64, 3)
        mean = exact_average(example, weight, bias, 0.3)
        torch.testing.assert_close(law @ members, mean, rtol=0, atol=1e-12)
        geometric = exact_average(example, weight, bias, 0.3, kind="geometric")
        torch.testing.assert_close((law @ members.log()).softmax(0), geometric, rtol=0, atol=1e-12)


def test_members_come_in_the_order_of_the_masks():
    members, law = member_predictions(torch.tensor([1.0, 2.0]), torch.eye(2), None, [0.5, 0.2])
    expected = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.5], [2.0, 2.5]]).double().softmax(1)
    torch.testing.assert_close(members, expected)
    torch.testing.assert_close(law, torch.tensor([0.1, 0.1, 0.4, 0.4]).double())


def test_members_want_one_example_and_a_rate_below_one(layer):
    hidden, weight, bias = layer
    with pytest.raises(ValueError, match=r"one example \(n,\), got \(4, 6\)"):
        member_predictions(hidden, weight, bias, 0.3)
    with pytest.raises(ValueError, match=r"\[0, 1\) here"):
        member_predictions(hidden[0], weight, bias, 1.0)


def test_only_active_units_make_a_difference(layer):
    hidden, weight, bias = layer
    active = (hidden > 0).sum(dim=1)
    assert len(active.unique()) > 1  # otherwise the test would see one case only
    assert distinct_outputs(hidden, weight, bias, 0.3).tolist() == (2**active).tolist()


def test_equal_contributions_are_one_answer():
    # 0.1 + 0.2 is not 0.3 in floating point, yet the networks are the same.
    hidden, weight = torch.tensor([[0.1, 0.2, 0.3]], dtype=torch.float64), torch.ones(1, 3)
    assert distinct_outputs(hidden, weight, None, 0.3).tolist() == [7]


def test_outputs_that_differ_in_one_class_only_are_counted():
    hidden, weight = torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 0.0], [1.0, 3.0]])
    assert distinct_outputs(hidden, weight, None, 0.3).tolist() == [4]


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_the_visited_share_is_that_of_drawn_masks(seeded, p):
    n, draws, repeats = 6, 40, 400
    masks = keep_mask((repeats, draws, n), p, generator=seeded(5))
    codes = (masks.long() << torch.arange(n)).sum(dim=-1)
    met = torch.tensor([len(each.unique()) / 2**n for each in codes], dtype=torch.float64)
    tolerance = 5 * met.std().item() / math.sqrt(repeats)  # 5 standard errors of the mean
    assert abs(met.mean().item() - visited_share(n, p, draws)) <= tolerance


def test_extreme_shares():
    assert visited_share(10, 0.3, 0) == 0
    assert visited_share(0, 0.3, 1) == 1
    assert visited_share(3, 0.0, 5) == pytest.approx(1 / 8, abs=1e-15)  # only the full network is ever drawn
    # Nearly all masks are met once at most, so the share is nearly draws/2^n.
    assert visited_share(128, 0.5, 30_000) == pytest.approx(30_000 / 2**128, rel=1e-9)
    with pytest.raises(ValueError, match="must not be negative, got n = -1"):
        visited_share(-1, 0.3, 5)
    with pytest.raises(ValueError, match="drop probability"):
        visited_share(3, 1.3, 5)
