import math
from functools import partial

import pytest
import torch
from torch import nn

from dropoutlab import replicas, training
from dropoutlab.augmentation import random_shift
from dropoutlab.data import Split
from dropoutlab.layers import ClassicDropout, Dropout
from dropoutlab.models import linear, mlp
from dropoutlab.replicas import Single, Stack, group_size, stackable
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit, fit_many

RATES = (1e-3, 0.3, 0.8)
STACKABLE = [nn.Identity, nn.ReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Tanh, nn.Sigmoid, partial(nn.LeakyReLU, 0.2)]


def examples(seed, n=20, dtype=torch.float64):
    """Draw 3 × 3 images with labels at random: the loss stays far from 0, as a relative error needs it."""
    data = streams(seed).data
    x = torch.rand(n, 9, generator=data, dtype=torch.float64).to(dtype)
    return Split(x, torch.randint(4, (n,), generator=data))


def net(seed, p, dtype=torch.float64):
    s = streams(seed)
    return mlp((9, 16, 12, 4), p=p, input_p=p / 2, init=s.init, masks=s.masks, dtype=dtype)


def order(seed):
    return streams(seed).order


def shifter(seed):
    return partial(random_shift, image_shape=(3, 3), pixels=1, generator=streams(seed).augment)


@pytest.fixture
def only_stacked(monkeypatch):
    """Make training one by one fail."""
    monkeypatch.setattr(training, "Single", None)


@pytest.fixture
def only_one_by_one(monkeypatch):
    """Make stacking fail."""
    monkeypatch.setattr(training, "Stack", None)


def assert_same_curves(many, alone, rel):
    for together, single in zip(many, alone, strict=True):
        assert together.epochs == single.epochs
        assert together.loss.keys() == single.loss.keys()
        for name in single.loss:
            assert together.loss[name] == pytest.approx(single.loss[name], rel=rel)


# --- a stack computes what each network computes alone


@pytest.mark.parametrize(("dtype", "rel"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.02},
        {"lr": 0.005, "optimiser": "adam", "weight_decay": 0.02},
        {"lr": 0.1, "max_norm": 0.5},
    ],
)
@pytest.mark.parametrize(("shared", "augmented"), [(True, False), (False, True)])
def test_replicas_follow_the_curves_they_would_follow_alone(dtype, rel, settings, shared, augmented, request):
    seeds = [1000, 1001, 1002]
    trains = [examples(1000 if shared else seed, dtype=dtype) for seed in seeds]
    test = examples(2000, n=7, dtype=dtype)
    recipe = Recipe(34, batch_size=8, **settings)  # 3 steps an epoch, the last of half the size: 102 steps
    alone = [
        fit(
            net(seed, p, dtype),
            train,
            recipe,
            order=order(seed),
            evaluate={"train": train, "test": test},
            augment=shifter(seed) if augmented else None,
        )
        for seed, p, train in zip(seeds, RATES, trains, strict=True)
    ]
    request.getfixturevalue("only_stacked")
    train = trains[0] if shared else trains
    many = fit_many(
        [net(seed, p, dtype) for seed, p in zip(seeds, RATES, strict=True)],
        train,
        recipe,
        orders=[order(seed) for seed in seeds],
        evaluate={"train": train, "test": test},
        augments=[shifter(seed) for seed in seeds] if augmented else None,
    )
    # Rounding differs in the last digit of each product (1e-16 or 6e-8) and is amplified by 102 steps.
    assert_same_curves(many, alone, rel)
    if dtype == torch.float64:  # in float32 a prediction may lie within rounding of a tie
        assert [history.error for history in many] == [history.error for history in alone]


def test_the_comparison_above_would_see_a_foreign_order_mask_or_shift():
    def losses(order_seed, mask_seed, shift_seed):
        s = streams(1)
        model = mlp((9, 16, 4), p=0.3, init=s.init, masks=streams(mask_seed).masks)
        run = fit(
            model,
            examples(1),
            Recipe(5, 8),
            order=order(order_seed),
            evaluate={"t": examples(1)},
            augment=shifter(shift_seed),
        )
        return torch.tensor(run.loss["t"])

    reference = losses(1, 1, 1)
    for other in ((2, 1, 1), (1, 2, 1), (1, 1, 2)):
        assert ((losses(*other) - reference) / reference).abs().max() > 1e-3


def test_trained_weights_are_written_back(only_stacked):
    seeds, train = [1000, 1001, 1002], examples(7)
    models = [net(seed, p) for seed, p in zip(seeds, RATES, strict=True)]
    initial = [parameter.detach().clone() for model in models for parameter in model.parameters()]
    identity = [id(parameter) for model in models for parameter in model.parameters()]
    histories = fit_many(
        models, train, Recipe(5, 8), orders=[order(seed) for seed in seeds], evaluate={"t": train}
    )
    trained = [parameter for model in models for parameter in model.parameters()]
    assert [id(parameter) for parameter in trained] == identity
    assert all(parameter.requires_grad for parameter in trained)
    assert not any(torch.equal(a, b) for a, b in zip(initial, trained, strict=True))
    for model, history in zip(models, histories, strict=True):
        assert not any(module.training for module in model.modules())
        logits = model(train.x)
        loss = nn.functional.cross_entropy(logits, train.y).item()
        assert history.loss["t"][-1] == pytest.approx(loss, rel=1e-12)
        assert history.error["t"][-1] == (logits.argmax(1) != train.y).double().mean().item()


@pytest.mark.parametrize("activation", STACKABLE)
def test_every_elementwise_layer_has_a_stacked_form(activation):
    models = [
        mlp((9, 6, 4), p=p, init=streams(k).init, masks=streams(k).masks, activation=activation)
        for k, p in enumerate(RATES)
    ]
    twins = [
        mlp((9, 6, 4), p=p, init=streams(k).init, masks=streams(k).masks, activation=activation)
        for k, p in enumerate(RATES)
    ]
    assert stackable(models)
    x = torch.randn(3, 5, 9, generator=streams(1).data, dtype=torch.float64)
    stack = Stack(models)
    for mode in (True, False, True):
        expected = torch.stack([twin.train(mode)(part) for twin, part in zip(twins, x, strict=True)])
        torch.testing.assert_close(stack.forward(x, training=mode), expected, rtol=1e-13, atol=1e-13)


def test_a_layer_that_drops_everything_gives_zeros_and_a_finite_gradient(only_stacked):
    models = [net(1, 1.0), net(2, 0.5)]
    before = models[0][1].weight.detach().clone()
    train = examples(1)
    histories = fit_many(models, train, Recipe(3), orders=[order(1), order(2)], evaluate={"t": train})
    assert all(math.isfinite(loss) for history in histories for loss in history.loss["t"])
    assert torch.equal(models[0][1].weight, before)  # no signal reached it


def test_max_norm_bounds_every_unit_of_every_replica(only_stacked):
    models, orders = [net(k, 0.3) for k in range(3)], [order(k) for k in range(3)]
    fit_many(models, examples(1), Recipe(5, 8, max_norm=0.5), orders=orders)
    for model in models:
        norms = torch.cat([layer.weight.norm(dim=1) for layer in model if isinstance(layer, nn.Linear)])
        assert (norms <= 0.5 * (1 + 1e-12)).all()
        assert torch.isclose(norms, torch.tensor(0.5, dtype=torch.float64)).any()


def test_a_single_replica_is_trained_as_by_fit(only_one_by_one):
    recipe, train = Recipe(2), examples(1)
    many = fit_many([net(1, 0.3)], train, recipe, orders=[order(1)], evaluate={"t": train})
    assert many == [fit(net(1, 0.3), train, recipe, order=order(1), evaluate={"t": train})]


# --- masks


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    "rates",
    [(0.0, 0.3, 1.0, 1e-3), (0.3, 0.3, 0.8, 1e-3), (0.0, 1.0, 1.0, 0.0), (1.0, 1.0, 1.0, 0.5), (0.0,) * 4],
)
def test_a_stack_drops_bit_for_bit_what_single_layers_drop(rates, dtype, seeded):
    x = torch.randn(4, 50, 30, generator=seeded(1), dtype=torch.float64).to(dtype).requires_grad_()
    upstream = torch.randn(4, 50, 30, generator=seeded(2), dtype=torch.float64).to(dtype)
    stacked, alone = (
        [Dropout(p, generator=seeded(k)) for k, p in enumerate(rates, start=3)] for _ in range(2)
    )
    stack = Stack([nn.Sequential(drop) for drop in stacked])
    for _ in range(2):  # the second draw continues the stream of the first
        y = stack.forward(x, training=True)
        expected = torch.stack([drop(part) for drop, part in zip(alone, x, strict=True)])
        assert y.dtype == dtype
        assert torch.equal(y, expected)
        (ours,), (theirs,) = (torch.autograd.grad(out, x, upstream) for out in (y, expected))
        assert torch.equal(ours, theirs)
    for mine, other in zip(stacked, alone, strict=True):
        assert torch.equal(mine.generator.get_state(), other.generator.get_state())
    assert stack.forward(x, training=False) is x


def test_a_stack_on_another_device_draws_there():
    stack = Stack([nn.Sequential(Dropout(p)) for p in (0.3, 0.0, 0.8)])
    assert stack.forward(torch.ones(3, 5, 4, device="meta"), training=True).device.type == "meta"


def test_training_together_draws_the_masks_of_training_alone(monkeypatch, seeded):
    rates, train, recipe = (0.3, 0.0, 1.0, 1e-3, 0.8), examples(1, n=21), Recipe(3, batch_size=8)

    def models():
        nets = []
        for k, p in enumerate(rates):
            s = streams(k)
            layers = [Dropout(p / 2, generator=s.masks), linear(9, 6, generator=s.init)]
            layers += [Dropout(p, generator=s.masks), linear(6, 4, generator=s.init)]
            nets.append(nn.Sequential(*layers))
        return nets

    alone, together = [[] for _ in rates], [[] for _ in rates]
    for k, model in enumerate(models()):
        for layer in model:
            if isinstance(layer, Dropout) and 0 < layer.p < 1:
                layer.register_forward_hook(
                    lambda drop, _x, _y, k=k: alone[k].append(drop.mask.flatten()) if drop.training else None
                )
        fit(model, train, recipe, order=order(k))

    def spy(count, row_rates, generators, **device):
        rows = toss_rows(count, row_rates, generators, **device)
        for generator, row in zip(generators, rows, strict=True):
            together[owner[id(generator)]].append(row)
        return rows

    toss_rows = replicas.toss_rows
    monkeypatch.setattr(replicas, "toss_rows", spy)
    nets = models()
    owner = {id(net[0].generator): k for k, net in enumerate(nets)}
    fit_many(nets, train, recipe, orders=[order(k) for k in range(len(rates))])
    for p, mine, other in zip(rates, together, alone, strict=True):
        random_layers = sum(0 < rate < 1 for rate in (p / 2, p))
        assert (
            len(mine) == len(other) == 3 * 3 * random_layers
        )  # 3 epochs of 3 batches, the last of 5 examples
        assert all(torch.equal(a, b) for a, b in zip(mine, other, strict=True))


def test_rates_may_change_between_epochs_as_in_annealed_dropout():
    train, recipe, seeds = examples(1), Recipe(4, 8), range(3)

    def annealing(nets):
        def anneal(epoch, epochs):
            for net in nets:
                net[2].p *= 1 - epoch / epochs

        return anneal

    def build(seed):
        return mlp((9, 6, 4), p=0.8 / (seed + 1), init=streams(seed).init, masks=streams(seed).masks)

    def train_together(nets, on_epoch=None):
        orders = [order(seed) for seed in seeds]
        return fit_many(nets, train, recipe, orders=orders, evaluate={"t": train}, on_epoch=on_epoch)

    alone = []
    for seed in seeds:
        twin = build(seed)
        alone.append(
            fit(twin, train, recipe, order=order(seed), evaluate={"t": train}, on_epoch=annealing([twin]))
        )
    nets = [build(seed) for seed in seeds]
    assert_same_curves(train_together(nets, annealing(nets)), alone, rel=1e-9)
    constant = train_together([build(seed) for seed in seeds])
    assert all(a.loss["t"][1:] != b.loss["t"][1:] for a, b in zip(constant, alone, strict=True))


# --- a recipe for each replica


@pytest.mark.parametrize(("dtype", "rel"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, (0.1, 0.02, 0.2)),
        ({"momentum": 0.0}, (0.1, 0.02, 0.2)),
        ({"optimiser": "adam"}, (5e-3, 1e-3, 1e-2)),
    ],
)
@pytest.mark.parametrize("decays", [(0.0, 0.02, 0.1), (0.02, 0.02, 0.02)])
def test_each_replica_follows_its_own_recipe(dtype, rel, settings, rates, decays, request):
    seeds, train, test = [1000, 1001, 1002], examples(3, dtype=dtype), examples(4, n=7, dtype=dtype)
    recipes = [
        Recipe(34, batch_size=8, lr=lr, weight_decay=decay, **settings)  # 102 steps
        for lr, decay in zip(rates, decays, strict=True)
    ]
    alone = [
        fit(net(seed, p, dtype), train, recipe, order=order(seed), evaluate={"train": train, "test": test})
        for seed, p, recipe in zip(seeds, RATES, recipes, strict=True)
    ]
    request.getfixturevalue("only_stacked")
    many = fit_many(
        [net(seed, p, dtype) for seed, p in zip(seeds, RATES, strict=True)],
        train,
        recipes,
        orders=[order(seed) for seed in seeds],
        evaluate={"train": train, "test": test},
    )
    # As above: rounding of the last digit, amplified by 102 steps.
    assert_same_curves(many, alone, rel)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize("change", [{"lr": 0.02}, {"weight_decay": 0.01}])
def test_the_comparison_above_would_see_a_foreign_recipe(optimiser, change):
    def losses(**settings):
        recipe = Recipe(5, 8, **{"optimiser": optimiser, "lr": 0.01, "weight_decay": 0.1, **settings})
        run = fit(net(1, 0.3), examples(1), recipe, order=order(1), evaluate={"t": examples(1)})
        return torch.tensor(run.loss["t"])

    assert ((losses(**change) - losses()) / losses()).abs().max() > 1e-3


def test_equal_recipes_may_be_given_one_by_one():
    def losses(recipe):
        orders = [order(seed) for seed in range(3)]
        nets = [net(seed, 0.3) for seed in range(3)]
        histories = fit_many(nets, examples(1), recipe, orders=orders, evaluate={"t": examples(1)})
        return [history.loss for history in histories]

    assert losses([Recipe(3, 8)] * 3) == losses(Recipe(3, 8))


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 3},
        {"batch_size": 7},
        {"momentum": 0.5},
        {"optimiser": "adam"},
        {"evaluate_every": 2},
        {"max_norm": 0.5},
    ],
)
def test_recipes_that_differ_in_more_are_followed_one_by_one(change, only_one_by_one):
    recipes = [Recipe(4, 8, lr=0.01), Recipe(**{"epochs": 4, "batch_size": 8, "lr": 0.02, **change})]
    recipes.append(recipes[0])
    train = examples(1)
    many = fit_many(
        [net(k, 0.3) for k in range(3)],
        train,
        recipes,
        orders=[order(k) for k in range(3)],
        evaluate={"t": train},
    )
    alone = [
        fit(net(k, 0.3), train, recipe, order=order(k), evaluate={"t": train})
        for k, recipe in enumerate(recipes)
    ]
    assert many == alone


# --- groups


@pytest.fixture
def group_sizes(monkeypatch):
    """Note how many replicas are trained together, group by group."""
    sizes = []

    class NotedStack(Stack):
        def __init__(self, models):
            sizes.append(len(models))
            super().__init__(models)

    class NotedSingle(Single):
        def __init__(self, model):
            sizes.append(1)
            super().__init__(model)

    monkeypatch.setattr(training, "Stack", NotedStack)
    monkeypatch.setattr(training, "Single", NotedSingle)
    return sizes


def hold(monkeypatch, replicas_per_group, batch_size=8):
    """Make groups of the networks of this file as large as this, by their own arithmetic."""
    model = net(0, 0.3)
    numbers = sum(parameter.numel() for parameter in model.parameters()) + batch_size * (9 + 16 + 12 + 4)
    monkeypatch.setattr(replicas, "_GROUP_BYTES", 8 * numbers * replicas_per_group)


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [
        (5, 9, [5]),
        (5, 5, [5]),
        (5, 4, [2, 3]),
        (5, 3, [2, 3]),
        (5, 2, [1, 2, 2]),
        (4, 2, [2, 2]),
        (3, 2, [1, 2]),
        (7, 3, [2, 2, 3]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_groups_are_as_equal_as_possible_and_change_nothing(count, most, expected, group_sizes, monkeypatch):
    seeds = range(count)
    trains, tests = [examples(seed) for seed in seeds], [examples(50 + seed, n=7) for seed in seeds]
    recipes = [Recipe(4, 8, lr=0.05 * (1 + seed), weight_decay=0.01 * seed) for seed in seeds]
    hold(monkeypatch, most)
    calls = []
    models = [net(seed, 0.1 * (1 + seed)) for seed in seeds]
    many = fit_many(
        models,
        trains,
        recipes,
        orders=[order(seed) for seed in seeds],
        evaluate={"test": tests},
        augments=[shifter(seed) for seed in seeds],
        on_epoch=lambda *call: calls.append(call),
    )
    assert group_sizes == expected
    assert calls == [(epoch, 4) for epoch in range(1, 5)] * len(expected)
    twins = [net(seed, 0.1 * (1 + seed)) for seed in seeds]
    alone = [
        fit(
            twins[seed],
            trains[seed],
            recipes[seed],
            order=order(seed),
            evaluate={"test": tests[seed]},
            augment=shifter(seed),
        )
        for seed in seeds
    ]
    assert_same_curves(many, alone, rel=1e-9)  # each in its place: all replicas differ
    for model, twin in zip(models, twins, strict=True):
        for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("batch_size", [1, 50])
def test_a_group_holds_weights_and_activations_of_all_its_replicas(dtype, batch_size, monkeypatch):
    model = mlp((9, 16, 4), p=0.3, input_p=0.1, init=streams(1).init, dtype=dtype)
    weights, activations = 9 * 16 + 16 + 16 * 4 + 4, batch_size * (9 + 16 + 4)
    one = (weights + activations) * (8 if dtype == torch.float64 else 4)
    for memory, expected in [(3 * one, 3), (3 * one - 1, 2), (one, 1), (one - 1, 1), (1, 1)]:
        monkeypatch.setattr(replicas, "_GROUP_BYTES", memory)
        assert group_size(model, batch_size) == expected


def test_large_networks_are_trained_one_by_one_and_small_ones_together():
    init = streams(1).init
    assert group_size(mlp((784, 800, 800, 10), init=init, dtype=torch.float32), 100) == 1
    assert group_size(mlp((64, 64, 64, 10), init=init), 32) > 10


def test_only_the_batch_that_a_step_sees_counts(group_sizes, monkeypatch):
    hold(monkeypatch, 2, batch_size=12)  # a training set of 12, whatever the recipe allows
    models, orders = [net(k, 0.3) for k in range(4)], [order(k) for k in range(4)]
    fit_many(models, examples(1, n=12), Recipe(1, batch_size=10_000), orders=orders)
    assert group_sizes == [2, 2]


# --- progress and divergence


def test_progress_is_told_once_for_all_replicas(only_stacked):
    calls = []
    models, orders = [net(k, 0.3) for k in range(3)], [order(k) for k in range(3)]
    fit_many(models, examples(1), Recipe(2), orders=orders, on_epoch=lambda *call: calls.append(call))
    assert calls == [(1, 2), (2, 2)]


def test_divergence_names_the_largest_of_the_learning_rates(only_stacked):
    recipes = [Recipe(3, 8, lr=lr) for lr in (0.1, 1e200, 0.2)]
    models, orders = [net(k, 0.3) for k in range(3)], [order(k) for k in range(3)]
    with pytest.raises(FloatingPointError, match=r"after epoch 1; lower lr=1e\+200"):
        fit_many(models, examples(1), recipes, orders=orders)


def test_divergence_of_one_replica_stops_all(only_stacked):
    trains = [examples(1), examples(2)]
    trains[1].x[3, 3] = math.nan
    with pytest.raises(FloatingPointError, match="training diverged"):
        fit_many([net(1, 0.3), net(2, 0.3)], trains, Recipe(2), orders=[order(1), order(2)])


# --- what has no stacked form is trained one by one


def sequential(seed, *between, widths=(9, 6, 4), bias=True):
    init = streams(seed).init
    first = linear(widths[0], widths[1], generator=init)
    last = linear(widths[1], widths[2], generator=init)
    if not bias:
        first.bias = None
    return nn.Sequential(first, *between, last)


class Wider(nn.Linear):
    """A linear layer with a rule of its own."""

    def forward(self, x):
        return 2 * super().forward(x)


def with_own_rule(seed):
    model = sequential(seed, nn.ReLU())
    model[2].__class__ = Wider
    return model


def with_frozen_mask(seed):
    return sequential(seed, Dropout(0.4, generator=streams(seed).masks).freeze())


def with_fixed(seed, name):
    model = sequential(seed, nn.ReLU())
    model[0].get_parameter(name).requires_grad_(False)
    return model


def with_tied_layers(seed):
    layer = linear(9, 9, generator=streams(seed).init)
    return nn.Sequential(layer, nn.ReLU(), layer)


class Plain(nn.Module):
    """No `Sequential`, although it computes the same."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)


NOT_STACKABLE = {
    "batch norm": lambda seed: sequential(seed, nn.BatchNorm1d(6, dtype=torch.float64), nn.ReLU()),
    "classic dropout": lambda seed: sequential(seed, ClassicDropout(0.4, generator=streams(seed).masks)),
    "frozen mask": with_frozen_mask,
    "no bias": lambda seed: sequential(seed, nn.ReLU(), bias=False),
    "fixed weight": partial(with_fixed, name="weight"),
    "fixed bias": partial(with_fixed, name="bias"),
    "tied layers": with_tied_layers,
    "a layer's own rule": with_own_rule,
    "nested": lambda seed: sequential(seed, nn.Sequential(nn.ReLU())),
    "a module of another kind": lambda seed: Plain(sequential(seed, nn.ReLU())),
    "different widths": lambda seed: sequential(seed, nn.ReLU(), widths=(9, 6 + seed, 4)),
    "different layers": lambda seed: sequential(seed, nn.Tanh() if seed else nn.ReLU()),
    "different options": lambda seed: sequential(seed, nn.LeakyReLU(0.1 * (1 + seed))),
    "p = 0 in one replica": lambda seed: mlp(
        (9, 6, 4), p=0.3 * seed, init=streams(seed).init, masks=streams(seed).masks
    ),
}


@pytest.mark.parametrize("make", NOT_STACKABLE.values(), ids=NOT_STACKABLE)
def test_networks_without_a_stacked_form_are_trained_one_by_one(make, only_one_by_one):
    seeds, train = range(3), examples(1, n=16)
    models, twins = [make(seed) for seed in seeds], [make(seed) for seed in seeds]
    assert not stackable(models)
    recipe = Recipe(4, batch_size=8, weight_decay=0.01)
    calls = []
    many = fit_many(
        models,
        train,
        recipe,
        orders=[order(seed) for seed in seeds],
        evaluate={"t": train},
        augments=[shifter(seed) for seed in seeds],
        on_epoch=lambda *call: calls.append(call),
    )
    alone = [
        fit(twin, train, recipe, order=order(seed), evaluate={"t": train}, augment=shifter(seed))
        for seed, twin in enumerate(twins)
    ]
    assert many == alone
    for model, twin in zip(models, twins, strict=True):
        state, same = model.state_dict(), twin.state_dict()
        assert all(torch.equal(state[name], same[name]) for name in same)
    assert calls == [(epoch, 4) for epoch in range(1, 5)] * 3


@pytest.mark.parametrize("name", ["fixed weight", "fixed bias"])
def test_what_is_not_to_be_trained_stays_as_it_was(name):
    models = [NOT_STACKABLE[name](seed) for seed in range(2)]
    part = name.split()[1]
    before = [model[0].get_parameter(part).clone() for model in models]
    fit_many(models, examples(1), Recipe(2, weight_decay=0.1), orders=[order(0), order(1)])
    after = [model[0].get_parameter(part) for model in models]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_classic_dropout_is_not_taken_for_inverted_dropout():
    def run(layer):
        models = [sequential(k, nn.ReLU(), layer(0.4, generator=streams(k).masks)) for k in range(2)]
        histories = fit_many(
            models, examples(1), Recipe(3), orders=[order(0), order(1)], evaluate={"t": examples(1)}
        )
        return [history.loss["t"] for history in histories]

    assert run(ClassicDropout) != run(Dropout)


@pytest.mark.parametrize("sizes", [(20, 20, 12), (20, 13, 20)])
@pytest.mark.parametrize("differing", ["train", "evaluate"])
def test_splits_of_different_sizes_are_trained_one_by_one(sizes, differing, only_one_by_one):
    seeds = range(3)
    different = [examples(seed, n=n) for seed, n in zip(seeds, sizes, strict=True)]
    same = [examples(seed) for seed in seeds]
    trains, tests = (different, same) if differing == "train" else (same, different)
    models = [net(seed, 0.3) for seed in seeds]
    assert stackable(models)
    many = fit_many(
        models, trains, Recipe(3, 8), orders=[order(seed) for seed in seeds], evaluate={"t": tests}
    )
    alone = [
        fit(net(seed, 0.3), trains[seed], Recipe(3, 8), order=order(seed), evaluate={"t": tests[seed]})
        for seed in seeds
    ]
    assert many == alone


def test_a_weight_shared_by_two_replicas_stays_shared(only_one_by_one):
    shared = net(1, 0.3)
    assert stackable([net(1, 0.3), net(2, 0.3)])
    assert not stackable([shared, shared])
    other = nn.Sequential(*net(2, 0.3)[:-1], shared[-1])
    fit_many([shared, other], examples(1), Recipe(1), orders=[order(1), order(2)])
    assert other[-1] is shared[-1]


def test_different_rates_share_a_stack_and_different_types_do_not():
    assert stackable([net(1, 0.1), net(2, 1.0)])
    assert not stackable([net(1, 0.1), net(1, 0.1, torch.float32)])


# --- arguments that do not fit together


@pytest.mark.parametrize(
    ("models", "changes", "message"),
    [
        (0, {}, "at least one model, got none"),
        (2, {"orders": [1]}, "orders must hold one item for each of the 2 models, got 1"),
        (2, {"orders": [1, 2, 3]}, "orders must hold one item for each of the 2 models, got 3"),
        (2, {"augments": []}, "augments must hold one item for each of the 2 models, got 0"),
        (2, {"recipe": []}, "recipe must hold one item for each of the 2 models, got 0"),
        (2, {"recipe": [Recipe(1)]}, "recipe must hold one item for each of the 2 models, got 1"),
        (2, {"recipe": (Recipe(1),) * 3}, "recipe must hold one item for each of the 2 models, got 3"),
        (2, {"train": [examples(1)]}, "train must be one split or one for each of the 2 models, got 1"),
        (
            2,
            {"evaluate": {"test": [examples(1)] * 3}},
            r"evaluate\['test'\] must be one split or one for each of the 2 models, got 3",
        ),
    ],
)
def test_lists_of_another_length_than_the_models_are_refused(models, changes, message):
    arguments = {"train": examples(1), "recipe": Recipe(1), "orders": [order(1), order(2)], **changes}
    with pytest.raises(ValueError, match=message):
        fit_many([net(k, 0.3) for k in range(models)], **arguments)
