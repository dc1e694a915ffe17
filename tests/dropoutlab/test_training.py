import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dropoutlab import training
from dropoutlab.data import Split, load
from dropoutlab.models import mlp
from dropoutlab.replicas import Single
from dropoutlab.seeds import streams
from dropoutlab.stats import equivalent, paired_difference
from dropoutlab.training import History, Recipe, fit, fit_many


def task(generator, n=30, features=5, classes=3, dtype=torch.float64):
    """Draw examples whose label is the largest of their first inputs, and two labels in ten at random."""
    x = torch.randn(n, features, generator=generator, dtype=torch.float64).to(dtype)
    y = x[:, :classes].argmax(1)
    noisy = torch.rand(n, generator=generator) < 0.2
    return Split(x, torch.where(noisy, torch.randint(classes, (n,), generator=generator), y))


class Spy(nn.Module):
    """Passes its input on and notes what it saw and in which mode."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append((self.training, torch.is_grad_enabled(), x.detach().clone()))
        return x

    def batches(self, mode):
        return [x for is_training, _, x in self.seen if is_training == mode]


def softmax(logits):
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def mean_loss(model, split):
    with torch.no_grad():
        return cross_entropy(model(split.x), split.y).item()


# --- the arithmetic of a step


def train_by_hand(weight, bias, split, recipe, order):
    """Train a softmax regression in NumPy: gradients, momentum, Adam, decay and bound written out."""
    parameters = {"weight": weight.copy(), "bias": bias.copy()}
    memory = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in parameters.items()}
    x, y, step = split.x.numpy(), split.y.numpy(), 0
    losses = []
    for _ in range(recipe.epochs):
        permutation = torch.randperm(len(split), generator=order).numpy()
        for start in range(0, len(split), recipe.batch_size):
            step += 1
            index = permutation[start : start + recipe.batch_size]
            error = softmax(x[index] @ parameters["weight"].T + parameters["bias"])
            error[np.arange(len(index)), y[index]] -= 1
            gradients = {
                "weight": error.T @ x[index] / len(index) + recipe.weight_decay * parameters["weight"],
                "bias": error.mean(0),
            }
            for name, gradient in gradients.items():
                first, second = memory[name]
                if recipe.optimiser == "sgd":
                    first = recipe.momentum * first + gradient
                    change = first
                else:
                    first = 0.9 * first + 0.1 * gradient
                    second = 0.999 * second + 0.001 * gradient**2
                    change = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
                memory[name] = first, second
                parameters[name] -= recipe.lr * change
            for row in parameters["weight"]:  # a class's incoming weights
                if recipe.max_norm is not None and np.sqrt(row @ row) > recipe.max_norm:
                    row *= recipe.max_norm / np.sqrt(row @ row)
        predicted = softmax(x @ parameters["weight"].T + parameters["bias"])
        losses.append(-np.log(predicted[np.arange(len(y)), y]).mean())
    return parameters, losses


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(6, batch_size=8, lr=0.2, momentum=0.0),
        Recipe(6, batch_size=8, lr=0.2, momentum=0.8, weight_decay=0.07),
        Recipe(6, batch_size=64, lr=0.5, weight_decay=0.3),
        Recipe(6, batch_size=7, lr=0.02, optimiser="adam"),
        Recipe(6, batch_size=7, lr=0.02, optimiser="adam", weight_decay=0.1, momentum=0.3),
        Recipe(6, batch_size=8, lr=0.2, momentum=0.8, max_norm=0.7),
    ],
)
def test_steps_equal_those_written_out_in_numpy(recipe, seeded):
    split = task(seeded(1))
    model = mlp((5, 3), init=seeded(2))
    (layer,) = model
    expected, losses = train_by_hand(
        layer.weight.detach().numpy(), layer.bias.detach().numpy(), split, recipe, seeded(3)
    )
    history = fit(model, split, recipe, order=seeded(3), evaluate={"train": split})
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(layer, name).detach().numpy(), value, rtol=0, atol=1e-12)
    np.testing.assert_allclose(history.loss["train"], losses, rtol=0, atol=1e-12)


def test_adam_is_that_of_torch_on_a_deep_network(seeded):
    split, recipe = task(seeded(1)), Recipe(5, batch_size=8, lr=0.01, optimiser="adam", weight_decay=0.02)
    ours, theirs = (mlp((5, 16, 3), init=seeded(2), p=0.3, masks=seeded(3)) for _ in range(2))
    fit(ours, split, recipe, order=seeded(4))
    optimiser = torch.optim.Adam(
        [
            {"params": [theirs[0].weight, theirs[3].weight], "weight_decay": 0.02},
            {"params": [theirs[0].bias, theirs[3].bias]},
        ],
        lr=0.01,
    )
    order = seeded(4)
    for _ in range(5):
        for index in torch.randperm(len(split), generator=order).split(8):
            optimiser.zero_grad()
            cross_entropy(theirs(split.x[index]), split.y[index]).backward()
            optimiser.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_matrices_decay_and_biases_and_gains_do_not():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    network = Single(model)
    assert [id(w) for w in network.weights] == [id(model[0].weight), id(model[2].weight)]
    expected = [model[0].bias, model[1].weight, model[1].bias, model[2].bias]
    assert [id(b) for b in network.biases] == [id(b) for b in expected]


def test_max_norm_bounds_every_unit_and_kernel_and_no_bias(seeded):
    split = Split(task(seeded(1), features=8).x.relu() + 1, task(seeded(1)).y)  # positive: biases grow
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = nn.Sequential(
            nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(10, 3)
        ).double()
    with torch.no_grad():
        model[4].weight[1] = 0
        model[4].bias += 2
    fit(model, split, Recipe(5, 8, lr=0.1, max_norm=0.25), order=seeded(3))
    for layer in (model[1], model[4]):
        norms = layer.weight.detach().flatten(1).norm(dim=1)
        assert (norms <= 0.25 * (1 + 1e-12)).all()
        assert torch.isclose(norms, torch.tensor(0.25, dtype=torch.float64)).any()
    assert model[4].bias.detach().norm() > 1


def test_max_norm_leaves_units_below_it_and_those_without_weights_alone(seeded):
    model = mlp((5, 4, 3), init=seeded(1))
    with torch.no_grad():
        model[0].weight[1] = 0
    before = model[0].weight.detach().clone()
    Single(model).bound(norm=before.norm(dim=1).max().item())
    assert torch.equal(model[0].weight, before)
    Single(model).bound(norm=0.1)
    scaled = 0.1 * nn.functional.normalize(before, dim=1)
    torch.testing.assert_close(model[0].weight.detach(), scaled, rtol=1e-12, atol=0)


def test_max_norm_leaves_alone_what_is_not_trained(seeded):
    model = mlp((5, 4, 3), init=seeded(1))
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    Single(model).bound(norm=0.01)
    assert torch.equal(model[0].weight, before)
    assert torch.allclose(model[2].weight.norm(dim=1), torch.tensor(0.01, dtype=torch.float64))


@pytest.mark.parametrize("recipe", [Recipe(80, lr=0.1), Recipe(80, lr=0.01, optimiser="adam")])
def test_training_lowers_the_loss(recipe, seeded):
    split = task(seeded(1))
    model = mlp((5, 32, 3), init=seeded(2))
    before = mean_loss(model, split)
    history = fit(model, split, recipe, order=seeded(3), evaluate={"train": split})
    assert history.loss["train"][-1] < history.loss["train"][0] < before
    assert history.loss["train"][-1] < before / 4


# --- what is seen, when and in which mode


@pytest.mark.parametrize("size", [1, 4, 5, 10, 99])
def test_every_epoch_visits_each_example_once_in_a_fresh_order(size, seeded):
    n, epochs = 10, 4
    split = Split(torch.arange(10.0, dtype=torch.float64)[:, None], torch.arange(n) % 2)
    spy = Spy()
    fit(
        nn.Sequential(spy, nn.Linear(1, 2, dtype=torch.float64)),
        split,
        Recipe(epochs, size, lr=1e-6),
        order=seeded(3),
    )
    batches = [batch.flatten().long().tolist() for batch in spy.batches(mode=True)]
    lengths = [min(size, n - start) for start in range(0, n, size)]
    assert [len(batch) for batch in batches] == lengths * epochs
    visits = np.concatenate(batches).reshape(epochs, n).tolist()
    assert all(sorted(epoch) == list(range(n)) for epoch in visits)
    assert len({tuple(epoch) for epoch in visits}) == epochs
    order = seeded(3)
    assert visits == [torch.randperm(n, generator=order).tolist() for _ in range(epochs)]


def test_labels_stay_with_their_examples(seeded):
    # One input per example and its own label: whatever the order, only matched pairs can be learnt.
    split = Split(torch.eye(12, dtype=torch.float64), torch.arange(12))
    history = fit(
        mlp((12, 12), init=seeded(1)), split, Recipe(20, 5, lr=1.0), order=seeded(2), evaluate={"t": split}
    )
    assert history.error["t"][-1] == 0


def test_runs_from_equal_states_are_the_same_bit_for_bit(seeded):
    split = task(seeded(1))

    def run(order):
        model = mlp((5, 16, 3), init=seeded(2), p=0.4, masks=seeded(3))
        history = fit(model, split, Recipe(5, 8), order=seeded(order), evaluate={"train": split})
        return history, [parameter.detach() for parameter in model.parameters()]

    (first, weights), (second, same), (other, _) = run(4), run(4), run(5)
    assert first == second
    assert all(torch.equal(a, b) for a, b in zip(weights, same, strict=True))
    assert first.loss != other.loss


def test_the_global_generator_and_the_data_stay_as_they_were(seeded):
    split = task(seeded(1))
    x, y = split.x.clone(), split.y.clone()
    state = torch.get_rng_state()
    models = [mlp((5, 8, 3), init=seeded(2), p=0.4, masks=seeded(k)) for k in range(3)]
    fit(models[0], split, Recipe(2), order=seeded(3), evaluate={"train": split})
    fit_many(models[1:], split, Recipe(2), orders=[seeded(3), seeded(4)], evaluate={"train": split})
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(split.x, x)
    assert torch.equal(split.y, y)


def test_training_is_in_training_mode_and_evaluation_without_masks_or_gradients(seeded):
    split, test = task(seeded(1)), task(seeded(2), n=11)
    spy = Spy()
    model = nn.Sequential(spy, *mlp((5, 16, 3), init=seeded(3), p=0.6, input_p=0.3, masks=seeded(4)))
    history = fit(model, split, Recipe(3, 8), order=seeded(5), evaluate={"train": split, "test": test})
    assert {(is_training, gradients) for is_training, gradients, _ in spy.seen} == {
        (True, True),
        (False, False),
    }
    modes = [is_training for is_training, _, _ in spy.seen]
    assert modes == [True, True, True, True, False, False] * 3
    assert not any(module.training for module in model.modules())
    for name, part in (("train", split), ("test", test)):
        wrong = (model(part.x).argmax(1) != part.y).double().mean().item()
        assert history.loss[name][-1] == pytest.approx(mean_loss(model, part), rel=1e-12)
        assert history.error[name][-1] == wrong


def test_the_model_is_left_in_evaluation_mode_even_if_never_evaluated(seeded):
    model = mlp((5, 16, 3), init=seeded(1), p=0.3, masks=seeded(2))
    fit(model, task(seeded(3)), Recipe(1), order=seeded(4))
    assert not any(module.training for module in model.modules())


def test_masks_are_drawn_in_training(seeded):
    split = task(seeded(1))
    runs = [
        fit(
            mlp((5, 16, 3), init=seeded(2), p=p, masks=seeded(mask)),
            split,
            Recipe(2),
            order=seeded(4),
            evaluate={"train": split},
        ).loss["train"]
        for p, mask in ((0.4, 3), (0.4, 5), (0.0, 3))
    ]
    assert len({tuple(losses) for losses in runs}) == 3


def test_augmentation_changes_training_batches_only(seeded):
    split = task(seeded(1))
    spy, sizes = Spy(), []

    def add_ten(batch):
        sizes.append(tuple(batch.shape))
        return batch + 10

    fit(
        nn.Sequential(spy, *mlp((5, 3), init=seeded(2))),
        split,
        Recipe(2, 16, lr=1e-3),
        order=seeded(3),
        evaluate={"train": split},
        augment=add_ten,
    )
    assert sizes == [(16, 5), (14, 5)] * 2
    moved = torch.cat(spy.batches(mode=True)[:2])
    torch.testing.assert_close(moved.sum(0), split.x.sum(0) + 300)
    assert all(torch.equal(batch, split.x) for batch in spy.batches(mode=False))


@pytest.mark.parametrize(
    ("epochs", "every", "expected"),
    [(5, 1, [1, 2, 3, 4, 5]), (5, 2, [2, 4, 5]), (6, 3, [3, 6]), (2, 7, [2])],
)
def test_the_last_epoch_is_always_evaluated(epochs, every, expected, seeded):
    split = task(seeded(1))
    recipe = Recipe(epochs, evaluate_every=every)
    history = fit(
        mlp((5, 3), init=seeded(2)), split, recipe, order=seeded(3), evaluate={"a": split, "b": split}
    )
    assert history.epochs == expected
    assert {len(history.error[s]) for s in "ab"} == {len(history.loss[s]) for s in "ab"} == {len(expected)}
    full = fit(mlp((5, 3), init=seeded(2)), split, Recipe(epochs), order=seeded(3), evaluate={"a": split})
    assert history.loss["a"] == [full.loss["a"][epoch - 1] for epoch in expected]


@pytest.mark.parametrize("rows", [1, 7, 29])
def test_evaluating_in_pieces_changes_nothing(rows, seeded, monkeypatch):
    split = task(seeded(1))

    def run():
        models = [mlp((5, 8, 3), init=seeded(k)) for k in (2, 3)]
        return fit_many(models, split, Recipe(2), orders=[seeded(4), seeded(5)], evaluate={"t": split})

    whole = run()
    monkeypatch.setattr(training, "_EVALUATION_ROWS", rows)
    for pieces, history in zip(run(), whole, strict=True):
        assert pieces.error == history.error
        assert pieces.loss["t"] == pytest.approx(history.loss["t"], rel=1e-12)


def test_without_splits_to_evaluate_only_the_epochs_are_recorded(seeded):
    history = fit(mlp((5, 3), init=seeded(1)), task(seeded(2)), Recipe(2), order=seeded(3))
    assert history == History([1, 2], {}, {})
    assert history.frame().columns.tolist() == ["epoch", "split", "error", "loss"]
    assert history.frame().empty


def test_progress_is_told_after_every_epoch(seeded):
    calls = []
    fit(
        mlp((5, 3), init=seeded(1)),
        task(seeded(2)),
        Recipe(3, evaluate_every=2),
        order=seeded(3),
        on_epoch=lambda *call: calls.append(call),
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]


# --- the masks of the lab against those of PyTorch: indistinguishable in what they teach

# Error and cross-entropy on 500 test digits after training on 300, mean of the last five evaluations. Paired
# differences from PyTorch over the 20 seeds below, with 95 % t-intervals, as measured:
#                              error, percentage points     cross-entropy, nats
#     the lab's masks              −0.08 [−0.29, 0.14]      −0.0005 [−0.0070, 0.0060]
#     no masks                      0.61 [ 0.23, 0.99]       0.0447 [ 0.0309, 0.0585]
#     p and q exchanged             3.27 [ 2.64, 3.91]       0.2248 [ 0.2093, 0.2404]
# The margins are no wider than what leaving dropout out costs. If PyTorch draws another stream of masks on
# another platform, half-widths of 0.21 and 0.0065 leave a true difference of 0 room to stray by 3.8 and 4.3
# standard errors (0.10 and 0.0031): two false alarms in ten thousand such streams.
MARGINS = {"error": 0.006, "loss": 0.02}
SEEDS = range(1000, 1020)
LESSON = Recipe(50, batch_size=32, lr=0.02, evaluate_every=2)


def outcome(history):
    return {
        "error": np.mean(history.error["test"][-5:]),
        "loss": np.mean(history.loss["test"][-5:]),
    }


@pytest.fixture(scope="module")
def lessons():
    digits = load("digits")
    draws = [torch.randperm(len(digits.train), generator=streams(seed).data)[:300] for seed in SEEDS]
    return [digits.train.take(draw).to(torch.float64) for draw in draws], digits.test.to(torch.float64)


@pytest.fixture(scope="module")
def taught_by_pytorch(lessons):
    """Train with ``nn.Dropout(0.3)``, on the same data from the same weights in the same order."""
    outcomes = []
    for seed, split in zip(SEEDS, lessons[0], strict=True):
        model = mlp((64, 64, 64, 10), p=0.3, init=streams(seed).init)
        model[2], model[5] = nn.Dropout(0.3), nn.Dropout(0.3)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            history = fit(model, split, LESSON, order=streams(seed).order, evaluate={"test": lessons[1]})
        outcomes.append(outcome(history))
    return outcomes


def verdicts(p, lessons, taught_by_pytorch):
    """Compare the lab's dropout of rate p with PyTorch's of rate 0.3."""
    histories = fit_many(
        [mlp((64, 64, 64, 10), p=p, init=streams(seed).init, masks=streams(seed).masks) for seed in SEEDS],
        lessons[0],
        LESSON,
        orders=[streams(seed).order for seed in SEEDS],
        evaluate={"test": lessons[1]},
    )
    ours = [outcome(history) for history in histories]
    return {
        name: equivalent(
            paired_difference([mine[name] for mine in ours], [other[name] for other in taught_by_pytorch]),
            margin,
        )
        for name, margin in MARGINS.items()
    }


def test_the_labs_masks_teach_what_pytorchs_teach(lessons, taught_by_pytorch):
    assert verdicts(0.3, lessons, taught_by_pytorch) == {"error": "supported", "loss": "supported"}


def test_exchanging_p_and_q_would_be_noticed(lessons, taught_by_pytorch):
    assert verdicts(0.7, lessons, taught_by_pytorch) == {"error": "contradicted", "loss": "contradicted"}


def test_leaving_dropout_out_would_be_noticed(lessons, taught_by_pytorch):
    found = verdicts(0.0, lessons, taught_by_pytorch)
    assert found["error"] != "supported"
    assert found["loss"] == "contradicted"


# --- what cannot be trained


def test_divergence_is_an_error_that_names_epoch_and_rate(seeded):
    model = mlp((5, 16, 3), init=seeded(1))
    with pytest.raises(FloatingPointError, match=r"after epoch 1; lower lr=1e\+200"):
        fit(model, task(seeded(2)), Recipe(3, 8, lr=1e200), order=seeded(3))


def test_weights_broken_by_the_very_last_step_are_noticed(seeded):
    # One step only: its loss is that of the initial weights, and finite.
    model = mlp((5, 3), init=seeded(1), dtype=torch.float32)
    split = Split(task(seeded(2)).x.float() * 1e10, task(seeded(2)).y)
    with pytest.raises(FloatingPointError, match=r"after epoch 1; lower lr=1e\+37"):
        fit(model, split, Recipe(1, 64, lr=1e37), order=seeded(3))


def test_an_infinite_loss_is_noticed_although_every_weight_is_finite(seeded):
    model = mlp((5, 2), init=seeded(1), dtype=torch.float32)
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([3e38, -3e38]))  # their difference overflows, the gradient does not
    split = Split(torch.zeros(1, 5), torch.tensor([1]))
    with pytest.raises(FloatingPointError, match=r"after epoch 1; lower lr=0\.001"):
        fit(model, split, Recipe(1, lr=0.001), order=seeded(3))
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_examples_that_are_not_finite_do_not_pass_for_training(bad, seeded):
    split = task(seeded(2))
    split.x[4, 1] = bad
    with pytest.raises(FloatingPointError, match="make sure that all examples are finite"):
        fit(mlp((5, 16, 3), init=seeded(1)), split, Recipe(2), order=seeded(3))


def test_an_empty_split_is_refused_by_name(seeded):
    whole = task(seeded(2))
    empty = whole.take([])
    model = mlp((5, 3), init=seeded(1))
    with pytest.raises(ValueError, match="the train split is empty; draw at least one example"):
        fit(model, empty, Recipe(1), order=seeded(3))
    with pytest.raises(ValueError, match="the validation split is empty; draw at least one example"):
        fit(model, whole, Recipe(1), order=seeded(3), evaluate={"train": whole, "validation": empty})
    with pytest.raises(ValueError, match="the train split is empty"):
        fit_many([model], [empty], Recipe(1), orders=[seeded(3)], evaluate={"train": whole})


def test_examples_of_another_precision_are_refused_with_the_remedy(seeded):
    single = task(seeded(2), dtype=torch.float32)
    message = r"the train split holds torch.float32, the network torch.float64; convert .* with .to\(dtype\)"
    with pytest.raises(ValueError, match=message):
        fit(mlp((5, 3), init=seeded(1)), single, Recipe(1), order=seeded(3))
    with pytest.raises(ValueError, match=r"the test split holds torch\.float32"):
        fit(
            mlp((5, 3), init=seeded(1)),
            single.to(torch.float64),
            Recipe(1),
            order=seeded(3),
            evaluate={"test": single},
        )


# --- recipe and history


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("epochs", 0, "epochs must be a whole number and at least 1, got 0"),
        ("epochs", 2.5, "epochs must be a whole number and at least 1, got 2.5"),
        ("epochs", math.nan, "epochs must be a whole number and at least 1, got nan"),
        ("batch_size", -4, "batch_size must be a whole number and at least 1, got -4"),
        ("batch_size", 32.0, "batch_size must be a whole number and at least 1, got 32.0"),
        ("evaluate_every", 0, "evaluate_every must be a whole number and at least 1, got 0"),
        ("lr", 0, "lr must be positive and finite, got 0"),
        ("lr", -0.1, "lr must be positive and finite, got -0.1"),
        ("lr", math.nan, "lr must be positive and finite, got nan"),
        ("lr", math.inf, "lr must be positive and finite, got inf"),
        ("momentum", 1, r"momentum must lie in \[0, 1\), got 1"),
        ("momentum", -0.1, r"momentum must lie in \[0, 1\), got -0.1"),
        ("momentum", math.nan, r"momentum must lie in \[0, 1\), got nan"),
        ("weight_decay", -1e-9, "weight_decay must be non-negative and finite, got -1e-09"),
        ("weight_decay", math.nan, "weight_decay must be non-negative and finite, got nan"),
        ("weight_decay", math.inf, "weight_decay must be non-negative and finite, got inf"),
        ("max_norm", 0, "max_norm must be positive and finite, or None, got 0"),
        ("max_norm", math.nan, "max_norm must be positive and finite, or None, got nan"),
        ("max_norm", math.inf, "max_norm must be positive and finite, or None, got inf"),
        ("optimiser", "adamw", 'optimiser must be "sgd" or "adam", got \'adamw\''),
    ],
)
def test_recipes_refuse_values_outside_their_range(setting, value, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Recipe(**{"epochs": 1, setting: value})


def test_recipes_take_values_at_the_edge_and_numpy_numbers():
    Recipe(
        np.int64(1),
        batch_size=1,
        momentum=0,
        weight_decay=0,
        evaluate_every=np.int32(1),
        lr=np.float64(1e-300),
    )


CURVES = History(
    [2, 4, 6, 8],
    {"train": [0.5, 0.4, 0.3, 0.2], "validation": [0.4, 0.2, 0.2, 0.3]},
    {"train": [2.0, 1.5, 1.0, 0.5], "validation": [1.0, 0.9, 1.2, 0.9]},
)


def test_the_table_has_one_row_for_each_split_and_evaluated_epoch():
    frame = CURVES.frame()
    assert frame.columns.tolist() == ["epoch", "split", "error", "loss"]
    assert frame.values.tolist()[3:6] == [
        [8, "train", 0.2, 0.5],
        [2, "validation", 0.4, 1.0],
        [4, "validation", 0.2, 0.9],
    ]
    assert len(frame) == 8


def test_the_best_position_is_the_first_of_equals():
    assert CURVES.best("validation") == 1
    assert CURVES.best("validation", by="error") == 1
    assert CURVES.best("train") == CURVES.best("train", by="error") == 3
    crossed = History([1, 2], {"v": [0.1, 0.2]}, {"v": [3.0, 1.0]})
    assert (crossed.best("v"), crossed.best("v", by="error")) == (1, 0)


@pytest.mark.parametrize(
    ("split", "by", "named"), [("test", "loss", "test"), ("train", "accuracy", "accuracy")]
)
def test_an_unknown_split_or_measure_has_no_best(split, by, named):
    with pytest.raises(KeyError, match=named):
        CURVES.best(split, by=by)
