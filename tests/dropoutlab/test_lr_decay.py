from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from dropoutlab import training
from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.training import Recipe, fit, fit_many


def examples(generator, n=40, features=6, classes=3):
    x = torch.randn(n, features, generator=generator, dtype=torch.float64)
    return Split(x, torch.randint(classes, (n,), generator=generator))


RECIPE = Recipe(6, batch_size=16, lr=0.5)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_the_rate_falls_by_a_constant_factor_after_every_epoch(optimiser, seeded):
    """One example, whose gradient hardly changes at such rates: a step is as long as its rate."""
    recipe = Recipe(4, lr=1e-7, momentum=0.0, optimiser=optimiser, lr_decay=0.6)
    split = Split(torch.tensor([[1.0, 2.0, -1.0]], dtype=torch.float64), torch.tensor([1]))
    net = mlp((3, 2), init=seeded(1))
    places = [net[0].weight.detach().clone()]
    fit(
        net, split, recipe, order=seeded(2), on_epoch=lambda *_: places.append(net[0].weight.detach().clone())
    )
    steps = [(after - before).abs().max().item() for before, after in pairwise(places)]
    # From step to step the gradient changes by some 1e-7 of itself; steps of 1e-8 are known to 1e-16.
    assert [later / earlier for earlier, later in pairwise(steps)] == pytest.approx([0.6] * 3, rel=1e-5)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize(
    "rates", [(0.05, 0.05), (0.02, 0.08)]
)  # equal ones are PyTorch's, others our own rule
def test_in_a_stack_every_rate_falls_as_it_would_alone(optimiser, rates, seeded, monkeypatch):
    split = examples(seeded(1))
    recipes = [replace(RECIPE, optimiser=optimiser, lr=lr, lr_decay=0.5) for lr in rates]
    alone, together = ([mlp((6, 8, 3), init=seeded(k)) for k in range(2)] for _ in range(2))
    for k, net in enumerate(alone):
        fit(net, split, recipes[k], order=seeded(20 + k))
    monkeypatch.setattr(training, "Single", None)  # one by one would fail
    fit_many(together, split, recipes, orders=[seeded(20 + k) for k in range(2)])
    for one, other in zip(alone, together, strict=True):
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            # The same sums in another order, in 18 steps that each amplify a difference a little.
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_a_factor_of_one_keeps_the_rate(seeded):
    split = examples(seeded(1))
    runs = [
        fit(mlp((6, 8, 3), init=seeded(2)), split, recipe, order=seeded(3), evaluate={"train": split})
        for recipe in (RECIPE, replace(RECIPE, lr_decay=1.0), replace(RECIPE, lr_decay=0.9))
    ]
    assert runs[0] == runs[1] != runs[2]
    assert runs[0].loss["train"][0] == runs[2].loss["train"][0]  # the first epoch has the full rate


@pytest.mark.parametrize("value", [0, -0.5, 1.01, float("nan")])
def test_the_factor_must_be_a_fraction(value):
    with pytest.raises(ValueError, match=rf"^lr_decay must lie in \(0, 1\], got {value}$"):
        Recipe(1, lr_decay=value)
