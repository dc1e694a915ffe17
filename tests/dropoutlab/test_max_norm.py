from dataclasses import replace

import pytest
import torch
from torch import nn

from dropoutlab import training
from dropoutlab.data import Split
from dropoutlab.models import linear, mlp
from dropoutlab.replicas import Single, Stack
from dropoutlab.training import Recipe, fit, fit_many


def examples(generator, n=40, features=6, classes=3):
    x = torch.randn(n, features, generator=generator, dtype=torch.float64)
    return Split(x, torch.randint(classes, (n,), generator=generator))


def norms(net):
    """The norm of every unit's incoming weights, layer by layer."""
    return torch.cat(
        [layer.weight.detach().flatten(1).norm(dim=1) for layer in net if hasattr(layer, "weight")]
    )


RECIPE = Recipe(6, batch_size=16, lr=0.5)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_after_training_no_unit_exceeds_the_bound(optimiser, seeded):
    recipe = replace(RECIPE, optimiser=optimiser, lr=0.1 if optimiser == "adam" else 0.5)
    bound = 0.7
    free, bounded = (mlp((6, 12, 3), init=seeded(2), p=0.3, masks=seeded(3)) for _ in range(2))
    fit(free, examples(seeded(1)), recipe, order=seeded(4))
    fit(bounded, examples(seeded(1)), replace(recipe, max_norm=bound), order=seeded(4))
    assert norms(free).max() > 2 * bound  # the bound has work to do
    # A quotient, a product and a norm of at most 12 numbers: some units of the last of 53 digits.
    assert norms(bounded).max() <= bound * (1 + 1e-14)


def test_units_above_the_bound_keep_their_direction_and_others_their_weights(seeded):
    net = nn.Sequential(linear(4, 3, generator=seeded(1)))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[3.0, 0, 4, 0], [0.1, -0.2, 0.2, 0], [0, 0, 0, 0]]))
    bias = net[0].bias.detach().clone()
    Single(net).bound(2.0)
    expected = torch.tensor([[1.2, 0, 1.6, 0], [0.1, -0.2, 0.2, 0], [0, 0, 0, 0]], dtype=torch.float32)
    torch.testing.assert_close(net[0].weight.detach().float(), expected)
    assert torch.equal(net[0].bias, bias)


def test_a_kernel_counts_as_one_unit(seeded):
    net = nn.Sequential(nn.Conv2d(2, 3, 5, dtype=torch.float64, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(torch.ones(3, 2, 5, 5))
    Single(net).bound(1.0)
    torch.testing.assert_close(norms(net), torch.ones(3, dtype=torch.float64))


def test_weights_that_are_not_trained_are_not_bounded_either():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with torch.no_grad():
        for layer in net:
            layer.weight.fill_(5.0)
    net[0].weight.requires_grad_(False)
    Single(net).bound(1.0)
    assert net[0].weight.unique().tolist() == [5.0]
    torch.testing.assert_close(net[1].weight.norm(dim=1), torch.ones(2))


def test_in_a_stack_every_replica_is_bounded_as_it_would_be_alone(seeded, monkeypatch):
    recipe = replace(RECIPE, max_norm=0.8)
    split = examples(seeded(1))

    def nets():
        return [mlp((6, 8, 3), init=seeded(k), p=0.3, masks=seeded(10 + k)) for k in range(3)]

    alone, together = nets(), nets()
    for k, net in enumerate(alone):
        fit(net, split, recipe, order=seeded(20 + k))
    monkeypatch.setattr(training, "Single", None)  # one by one would fail
    fit_many(together, split, recipe, orders=[seeded(20 + k) for k in range(3)])
    for one, other in zip(alone, together, strict=True):
        assert norms(other).max() == pytest.approx(0.8, rel=1e-14)
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            # The same sums in another order, in 18 steps that each amplify a difference a little.
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_a_stack_bounds_incoming_and_not_outgoing_weights(seeded):
    nets = [mlp((5, 4, 3), init=seeded(k)) for k in range(2)]
    with torch.no_grad():
        nets[0][0].weight[:, 0] = 9.0  # every unit of one replica has one large incoming weight
    before = [net[0].weight.detach().clone() for net in nets]
    stack = Stack(nets)
    stack.bound(1.5)
    stack.finish()
    torch.testing.assert_close(norms(nets[0])[:4], torch.full((4,), 1.5, dtype=torch.float64))
    assert torch.equal(nets[1][0].weight, before[1])


def test_recipes_of_different_bounds_are_trained_one_by_one(seeded, monkeypatch):
    monkeypatch.setattr(training, "Stack", None)
    nets = [mlp((6, 8, 3), init=seeded(k)) for k in range(2)]
    recipes = [replace(RECIPE, max_norm=0.5), RECIPE]
    fit_many(nets, examples(seeded(1)), recipes, orders=[seeded(2), seeded(3)])
    assert norms(nets[0]).max() == pytest.approx(0.5, rel=1e-14)
    assert norms(nets[1]).max() > 1


def test_a_bound_that_is_never_reached_changes_nothing(seeded):
    runs = [
        fit(
            mlp((6, 8, 3), init=seeded(1)),
            examples(seeded(2)),
            replace(RECIPE, max_norm=max_norm),
            order=seeded(3),
            evaluate={"train": examples(seeded(2))},
        )
        for max_norm in (None, 1e6)
    ]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_a_bound_must_be_positive_and_finite(value):
    with pytest.raises(ValueError, match=rf"^max_norm must be positive and finite, or None, got {value}$"):
        Recipe(1, max_norm=value)
