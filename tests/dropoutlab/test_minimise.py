"""A training loop for any loss: the steps of `fit`, the least-squares solution, and what it refuses."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from dropoutlab.data import Split
from dropoutlab.layers import Dropout
from dropoutlab.minimise import minimise
from dropoutlab.models import linear, mlp
from dropoutlab.training import Recipe, fit


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def examples(n=40, d=5, seed=3):
    x = torch.randn(n, d, generator=seeded(seed), dtype=torch.float64)
    return x, (x[:, 0] > 0.2).long()


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(4, batch_size=16, lr=0.05),
        Recipe(3, batch_size=7, lr=0.01, optimiser="adam", weight_decay=0.1),
        Recipe(3, batch_size=16, lr=0.5, max_norm=0.4),
    ],
)
def test_with_cross_entropy_it_takes_the_steps_of_fit(recipe):
    x, y = examples()
    nets = [mlp((5, 8, 2), p=0.3, init=seeded(1), masks=seeded(2)) for _ in range(2)]
    fit(nets[0], Split(x, y), recipe, order=seeded(4))
    minimise(nets[1], x, y, cross_entropy, recipe, order=seeded(4))
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(a, b)


def test_squared_error_leads_to_the_least_squares_solution():
    x, _ = examples()
    target = x @ torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0], dtype=torch.float64)[:, None] + 0.7
    target += 0.1 * torch.randn(target.shape, generator=seeded(5), dtype=torch.float64)
    net = linear(5, 1, generator=seeded(1))
    # Full batches: plain gradient descent on a quadratic converges to its only minimum.
    minimise(net, x, target, mse_loss, Recipe(800, batch_size=40, lr=0.1), order=seeded(4))
    exact = torch.linalg.lstsq(torch.cat([x, torch.ones_like(x[:, :1])], 1), target).solution
    assert torch.allclose(torch.cat([net.weight[0], net.bias]), exact[:, 0], atol=1e-9)


def test_it_trains_in_training_mode_and_reports_in_evaluation_mode():
    x, y = examples()
    net = nn.Sequential(linear(5, 2, generator=seeded(1)), Dropout(0.5, generator=seeded(2)))
    seen = []
    minimise(
        net,
        x,
        y,
        cross_entropy,
        Recipe(3),
        order=seeded(4),
        after_epoch=lambda epoch: seen.append((epoch, net.training)),
    )
    assert seen == [(1, False), (2, False), (3, False)]
    assert not net.training
    assert net[1].mask is not None  # masks were drawn, so the steps were taken in training mode


@pytest.mark.parametrize(("n", "m"), [(0, 0), (3, 2)])
def test_every_example_needs_a_target(n, m):
    net = linear(5, 1, generator=seeded(1))
    with pytest.raises(ValueError, match=f"got {n} and {m}"):
        minimise(net, torch.zeros(n, 5), torch.zeros(m, 1), mse_loss, Recipe(1), order=seeded(1))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_reported(value):
    x, _ = examples()
    net = linear(5, 1, generator=seeded(1))
    with pytest.raises(FloatingPointError, match=r"after epoch 1; lower lr=0\.1"):
        minimise(net, x, x[:, :1] * value, mse_loss, Recipe(2), order=seeded(1))
