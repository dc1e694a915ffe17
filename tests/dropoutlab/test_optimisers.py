from dataclasses import replace

import pytest
import torch

from dropoutlab.optimisers import PerReplica, optimiser
from dropoutlab.training import Recipe

SGD = Recipe(1, lr=0.1, momentum=0.9)
ADAM = Recipe(1, lr=0.01, optimiser="adam")
RULES = [SGD, replace(SGD, momentum=0.0), replace(SGD, momentum=0.5), ADAM]

# float64: the same operations in another order differ in the last digits. float32: the same, of 24 bits.
PRECISIONS = [(torch.float64, 1e-12), (torch.float32, 1e-5)]

SHAPES = {"weights": [(3, 4, 5), (3, 5, 2)], "biases": [(3, 1, 5), (3, 1, 2)]}


def stacked(generator, dtype=torch.float64):
    """Weights and biases of two layers of three replicas."""
    return {
        kind: [
            torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
            for shape in shapes
        ]
        for kind, shapes in SHAPES.items()
    }


def slices(parameters, k):
    """Copy what belongs to one replica."""
    return {
        kind: [tensor[k].detach().clone().requires_grad_() for tensor in tensors]
        for kind, tensors in parameters.items()
    }


def flat(parameters):
    return [*parameters["weights"], *parameters["biases"]]


def torch_rule(parameters, recipe):
    """PyTorch's own optimiser, neither fused nor batched over tensors."""
    groups = [
        {"params": parameters["weights"], "weight_decay": recipe.weight_decay},
        {"params": parameters["biases"]},
    ]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, lr=recipe.lr, foreach=False)
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, foreach=False)


def assert_equal_steps(parameters, rule, recipes, tolerance, generator, steps=30):
    """Step once with random gradients, compare, and step again."""
    alone = [slices(parameters, k) for k in range(3)]
    rules = [torch_rule(mine, recipe) for mine, recipe in zip(alone, recipes, strict=True)]
    for _ in range(steps):
        rule.zero_grad(set_to_none=True)
        for tensor in flat(parameters):
            assert tensor.grad is None
            tensor.grad = torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.dtype)
        for k, mine in enumerate(alone):
            for tensor, own in zip(flat(parameters), flat(mine), strict=True):
                own.grad = tensor.grad[k].clone()
        rule.step()
        for k, (mine, theirs) in enumerate(zip(alone, rules, strict=True)):
            theirs.step()
            for tensor, own in zip(flat(parameters), flat(mine), strict=True):
                torch.testing.assert_close(tensor[k], own, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("base", RULES)
@pytest.mark.parametrize("decays", [(0.0, 0.0, 0.0), (0.0, 0.02, 0.3)])
def test_every_replica_steps_as_with_an_optimiser_of_its_own(dtype, tolerance, base, decays, seeded):
    rates = (1.0, 0.1, 3.0)
    recipes = [
        replace(base, lr=base.lr * rate, weight_decay=decay)
        for rate, decay in zip(rates, decays, strict=True)
    ]
    parameters = stacked(seeded(1), dtype)
    rule = optimiser(**parameters, recipes=recipes)
    assert isinstance(rule, PerReplica)
    assert_equal_steps(parameters, rule, recipes, tolerance, seeded(2))


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("base", RULES)
@pytest.mark.parametrize("count", [1, 3])
def test_equal_recipes_take_the_steps_of_one_optimiser_for_all(dtype, tolerance, base, count, seeded):
    recipe = replace(base, weight_decay=0.02)
    parameters = stacked(seeded(1), dtype)
    rule = optimiser(**parameters, recipes=[recipe] * count)
    assert isinstance(rule, torch.optim.Optimizer)
    assert_equal_steps(parameters, rule, [recipe] * 3, tolerance, seeded(2))


@pytest.mark.parametrize("base", [SGD, ADAM])
@pytest.mark.parametrize("change", [{"lr": 0.05}, {"weight_decay": 0.1}])
def test_one_differing_recipe_is_enough_to_step_apart(base, change, seeded):
    recipes = [base, base, replace(base, **change)]
    assert isinstance(optimiser(**stacked(seeded(1)), recipes=recipes), PerReplica)


@pytest.mark.parametrize("base", [SGD, ADAM])
@pytest.mark.parametrize("per_replica", [False, True])
def test_without_a_gradient_weights_shrink_and_biases_stay(base, per_replica, seeded):
    recipes = [replace(base, weight_decay=0.1)] * 3
    parameters = stacked(seeded(1))
    before = [tensor.detach().clone() for tensor in flat(parameters)]
    rule = (PerReplica if per_replica else optimiser)(**parameters, recipes=recipes)
    for tensor in flat(parameters):
        tensor.grad = torch.zeros_like(tensor)
    rule.step()
    weights, biases = (flat(parameters)[:2], flat(parameters)[2:])
    assert all((now.abs() < old.abs()).all() for now, old in zip(weights, before[:2], strict=True))
    assert all(torch.equal(now, old) for now, old in zip(biases, before[2:], strict=True))


@pytest.mark.parametrize("base", [SGD, ADAM])
def test_a_replica_that_diverges_leaves_the_others_alone(base, seeded):
    recipes = [base, replace(base, lr=1e300, weight_decay=1e300), base]
    parameters = stacked(seeded(1))
    rule = PerReplica(**parameters, recipes=recipes)
    for _ in range(5):
        for tensor in flat(parameters):
            tensor.grad = torch.ones_like(tensor)
        rule.step()
    finite = torch.stack([tensor.isfinite().flatten(1).all(dim=1) for tensor in flat(parameters)])
    assert finite.all(dim=0).tolist() == [True, False, True]


@pytest.mark.parametrize("base", [SGD, ADAM])
def test_steps_leave_no_trace_in_the_graph(base, seeded):
    parameters = stacked(seeded(1))
    rule = PerReplica(**parameters, recipes=[base, base, replace(base, lr=0.5)])
    for tensor in flat(parameters):
        tensor.grad = torch.ones_like(tensor)
    rule.step()
    assert all(tensor.is_leaf and tensor.requires_grad for tensor in flat(parameters))
