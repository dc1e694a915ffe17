import math
from functools import partial

import pytest
import torch
from torch import nn

from dropoutlab import training
from dropoutlab.augmentation import random_shift
from dropoutlab.data import Split
from dropoutlab.layers import ClassicDropout, Dropout
from dropoutlab.models import linear, mlp
from dropoutlab.replicas import Stack, stackable
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


def test_a_single_replica_is_stacked_too(only_stacked):
    (history,) = fit_many([net(1, 0.3)], examples(1), Recipe(2), orders=[order(1)])
    assert history.epochs == [1, 2]


def test_progress_is_told_once_for_all_replicas(only_stacked):
    calls = []
    models, orders = [net(k, 0.3) for k in range(3)], [order(k) for k in range(3)]
    fit_many(models, examples(1), Recipe(2), orders=orders, on_epoch=lambda *call: calls.append(call))
    assert calls == [(1, 2), (2, 2)]


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
        (2, {"train": [examples(1)]}, "train must be one split or one for each of the 2 models, got 1"),
        (
            2,
            {"evaluate": {"test": [examples(1)] * 3}},
            r"evaluate\['test'\] must be one split or one for each of the 2 models, got 3",
        ),
    ],
)
def test_lists_of_another_length_than_the_models_are_refused(models, changes, message):
    arguments = {"train": examples(1), "orders": [order(1), order(2)], **changes}
    with pytest.raises(ValueError, match=message):
        fit_many([net(k, 0.3) for k in range(models)], recipe=Recipe(1), **arguments)
