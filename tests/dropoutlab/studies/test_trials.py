"""Training runs of a job: paired streams, training side by side, and what is read at the end."""

import pytest
import torch
from torch import nn

from dropoutlab.layers import GaussianDropout
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import streams
from dropoutlab.studies.protocol import Job
from dropoutlab.studies.tasks import task
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron, read, run_arms, train
from dropoutlab.training import Recipe, fit

PROFILE = {"data": "stand-in", "train": 90, "validation": 40, "test": 60}


def alone(trial):
    """Train a trial by itself: what `train` must agree with."""
    s = streams(trial.seed)
    parts = task("mnist", PROFILE, streams(trial.seed if trial.examples is None else trial.examples))
    net = trial.build(s)
    history = fit(net, parts["train"], trial.recipe, order=s.order, evaluate={"test": parts["test"]})
    return net, history, parts


def gaussian(s):
    return perceptron((16,))(s).insert(2, GaussianDropout(0.3, generator=s.masks))


TRIALS = [
    Trial(7, perceptron((16,), p=0.3), Recipe(3, lr=0.05)),
    Trial(8, perceptron((16,)), Recipe(3, lr=0.05)),
    Trial(8, perceptron((16,), p=0.2), Recipe(3, lr=0.1, weight_decay=0.01)),
    Trial(7, gaussian, Recipe(3, lr=0.05)),
    Trial(7, perceptron((24,), p=0.3), Recipe(2, lr=0.05, max_norm=1.0)),
    Trial(9, perceptron((16,), p=0.3, input_p=0.1), Recipe(3), examples=7),
]


def test_trials_of_any_kind_are_trained_as_each_would_be_alone():
    for trial, trained in zip(TRIALS, train("mnist", PROFILE, TRIALS, evaluate=["test"]), strict=True):
        net, history, parts = alone(trial)
        assert trained.history.error == {"test": pytest.approx(history.error["test"], abs=1e-9)}
        for a, b in zip(trained.net.parameters(), net.parameters(), strict=True):
            # float32, two orders of summation: 1e-4 is far above rounding and far below a step.
            assert torch.allclose(a, b, atol=1e-4)
        for name, split in parts.items():
            assert torch.equal(trained.splits[name].x, split.x)


def test_trials_of_one_seed_share_examples_and_weights():
    untrained = Recipe(1, lr=1e-12)
    a, b = train("mnist", PROFILE, [Trial(7, perceptron((16,), p=p), untrained) for p in (0.2, 0.5)])
    assert torch.equal(a.splits["train"].x, b.splits["train"].x)
    assert torch.allclose(a.net[0].weight, b.net[0].weight, atol=1e-6)


def test_another_seed_can_draw_the_examples():
    a, b = train("mnist", PROFILE, [Trial(seed, perceptron((16,)), Recipe(1), examples=5) for seed in (7, 8)])
    assert torch.equal(a.splits["train"].x, b.splits["train"].x)
    assert not torch.allclose(a.net[0].weight, b.net[0].weight, atol=1e-3)


def test_no_trials_give_no_results():
    assert train("mnist", PROFILE, [], evaluate=["test"]) == []


def test_the_readings_are_those_of_the_full_network():
    (trained,) = train("mnist", PROFILE, [Trial(7, perceptron((16,), p=0.5), Recipe(3))])
    values = read(trained)
    assert set(values) == set(READINGS)
    for name, prefix in (("test", ""), ("train", "train_")):
        split = trained.splits[name]
        expected = scores(predict(trained.net, split.x), split.y)
        assert values[f"{prefix}error"] == expected.error
        assert values[f"{prefix}nll"] == expected.nll
    test = trained.splits["test"]
    assert values["ece"] == scores(predict(trained.net, test.x), test.y).ece


@pytest.mark.parametrize("dataset", ["mnist", None])
def test_every_arm_and_seed_of_a_job_gets_a_row(dataset):
    settings = {"a": {"p": 0.0, "data": "mnist"}, "b": {"p": 0.5, "data": "digits"}}
    if dataset is None:
        settings = {arm: {**values, "data": "mnist"} for arm, values in settings.items()}
    job = Job(("a", "b"), (7, 8), settings, PROFILE)
    rows = run_arms(
        job, lambda seed, arm: Trial(seed, perceptron((16,), p=arm["p"]), Recipe(2)), dataset=dataset
    )
    assert [(row["arm"], row["seed"]) for row in rows] == [("a", 7), ("a", 8), ("b", 7), ("b", 8)]
    (b,) = train("mnist", PROFILE, [Trial(8, perceptron((16,), p=0.5), Recipe(2))])
    assert {name: rows[3][name] for name in READINGS} == pytest.approx(read(b), abs=1e-5)


def test_the_shared_recipe_can_be_changed():
    assert adam(7) == Recipe(7, batch_size=64, lr=0.001, optimiser="adam", evaluate_every=7)
    assert adam(7, lr=0.01, evaluate_every=2).lr == 0.01
    assert adam(7, lr=0.01, evaluate_every=2).evaluate_every == 2


def test_the_network_drops_what_it_is_told_to():
    net = perceptron((16, 8), p=0.2, input_p=0.1)(streams(7))
    assert [layer.p for layer in net if not isinstance(layer, nn.Linear | nn.ReLU)] == [0.1, 0.2, 0.2]
    assert [tuple(layer.weight.shape) for layer in net if isinstance(layer, nn.Linear)] == [
        (16, 784),
        (8, 16),
        (10, 8),
    ]
    assert net[1].weight.dtype == torch.float32
