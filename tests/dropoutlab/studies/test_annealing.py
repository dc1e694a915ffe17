import math

import pytest
import torch
from torch import nn

from dropoutlab.models import mlp
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import streams
from dropoutlab.studies import annealing
from dropoutlab.studies.annealing import choose_annealed, run_annealed, train_annealed
from dropoutlab.studies.protocol import Job
from dropoutlab.studies.tasks import task
from dropoutlab.studies.trials import READINGS, Trained, Trial, perceptron
from dropoutlab.training import History, Recipe, fit

SMALL = {"data": "stand-in", "train": 96, "validation": 40, "test": 50}


def trial(seed=7, epochs=8, **changes):
    return Trial(seed, perceptron((12,), p=0.2), Recipe(epochs, lr=0.05, batch_size=32, **changes))


def weights(net):
    return nn.utils.parameters_to_vector(net.parameters())


@pytest.mark.parametrize(("epochs", "parts"), [(8, [6, 2]), (32, [24, 8]), (5, [3, 2]), (2, [1, 1])])
def test_the_last_quarter_runs_at_a_tenth_of_the_rate(epochs, parts, monkeypatch):
    seen = []

    def recorded(net, train, recipe, **options):
        seen.append((recipe.epochs, recipe.lr))
        return fit(net, train, recipe, **options)

    monkeypatch.setattr(annealing, "fit", recorded)
    train_annealed("mnist", SMALL, trial(epochs=epochs))
    assert [count for count, _ in seen] == parts
    assert [rate for _, rate in seen] == pytest.approx([0.05, 0.005])


def test_it_is_two_trainings_from_one_set_of_streams():
    s = streams(7)
    train = task("mnist", SMALL, s)["train"]
    net = perceptron((12,), p=0.2)(s)
    fit(net, train, Recipe(6, lr=0.05), order=s.order)
    fit(net, train, Recipe(2, lr=0.005), order=s.order)
    trained = train_annealed("mnist", SMALL, trial())
    assert torch.equal(weights(trained.net), weights(net))
    assert torch.equal(trained.splits["train"].x, train.x)
    assert not trained.net.training


def test_each_training_batch_is_augmented_with_the_streams_of_the_trial():
    seen = []

    def make(s):
        def augment(x):
            seen.append(torch.rand((), generator=s.augment).item())
            return torch.zeros_like(x)

        return augment

    trained = train_annealed("mnist", SMALL, trial(epochs=2), augment=make)
    expected = streams(7).augment
    assert seen == [torch.rand((), generator=expected).item() for _ in range(6)]  # 3 batches, 2 epochs
    # All inputs were zero: no gradient reached the first layer.
    fresh = perceptron((12,), p=0.2)(streams(7))
    assert torch.equal(trained.net[0].weight, fresh[0].weight)


def test_every_epoch_of_both_parts_is_reported():
    seen = []
    train_annealed("mnist", SMALL, trial(), on_epoch=lambda *epoch: seen.append(epoch))
    assert seen == [(epoch, 6) for epoch in range(1, 7)] + [(1, 2), (2, 2)]


def test_a_single_epoch_has_no_last_quarter():
    with pytest.raises(ValueError, match="at least 2 epochs, got 1"):
        train_annealed("mnist", SMALL, trial(epochs=1))


def job(settings, seeds=(7, 8)):
    return Job(tuple(settings), seeds, settings, SMALL)


def test_rows_hold_the_readings_of_every_arm_and_seed():
    settings = {"short": {"epochs": 2}, "long": {"epochs": 4}}
    rows = run_annealed(
        job(settings),
        "mnist",
        lambda seed, s: trial(seed, s["epochs"]),
        more=lambda one: {"n": len(one.splits)},
    )
    assert [(row["arm"], row["seed"]) for row in rows] == [(a, s) for a in settings for s in (7, 8)]
    assert all(set(row) == {"arm", "seed", "n", *READINGS} for row in rows)
    alone = train_annealed("mnist", SMALL, trial(8, 4))
    test = alone.splits["test"]
    assert rows[-1]["error"] == scores(predict(alone.net, test.x), test.y).error


def test_data_and_augmentation_may_depend_on_the_arm():
    pixels = {"mnist": 784, "digits": 64}
    settings = {"a": {"data": "mnist", "blank": True}, "b": {"data": "digits", "blank": False}}
    asked = []

    def trial_of(seed, settings):
        def build(s):
            return mlp((pixels[settings["data"]], 10), init=s.init, dtype=torch.float32)

        return Trial(seed, build, Recipe(2))

    def augment(settings):
        asked.append(settings["data"])
        return (lambda _: torch.zeros_like) if settings["blank"] else None

    nets = []
    run_annealed(
        job(settings, (7,)), None, trial_of, augment=augment, more=lambda one: nets.append(one.net) or {}
    )
    assert asked == ["mnist", "digits"]
    unchanged = [
        torch.equal(net[0].weight, trial_of(7, s).build(streams(7))[0].weight)
        for net, s in zip(nets, settings.values(), strict=True)
    ]
    assert unchanged == [True, False]  # from blank images no weight learns anything


class Constant(nn.Module):
    """Gives the same logits to everybody."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, x):
        return self.logits.expand(len(x), -1)


def test_the_lowest_validation_error_is_chosen_then_the_likelihood_then_the_first():
    split = task("digits", {"train": 10, "validation": 30}, streams(1))["validation"]
    zeros = type(split)(split.x, torch.zeros(30, dtype=torch.int64))

    def candidate(*logits):
        return Trained(Constant(*logits), History(), {"validation": zeros})

    wrong, unsure, sure = (
        candidate(0.0, math.log(2)),
        candidate(math.log(2), 0.0),
        candidate(math.log(9), 0.0),
    )
    assert choose_annealed([wrong, unsure, sure]) == 2
    assert choose_annealed([sure, unsure]) == 0
    assert choose_annealed([wrong, unsure]) == 1
    assert choose_annealed([sure, candidate(math.log(9), 0.0)]) == 0
