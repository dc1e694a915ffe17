"""Arms that choose among candidates by the validation split."""

import pytest

from dropoutlab.studies import tuning
from dropoutlab.studies.protocol import Job
from dropoutlab.studies.trials import Trial, perceptron, train
from dropoutlab.studies.tuning import TUNED_READINGS, best_reading, run_tuned
from dropoutlab.training import History, Recipe

PROFILE = {"data": "stand-in", "train": 90, "validation": 40, "test": 60, "every": 2}


def history(*points):
    """Make curves from (validation error, validation loss, test error) at epochs 1, 2, ..."""
    errors, losses, tests = zip(*points, strict=True)
    return History(
        epochs=list(range(1, len(points) + 1)),
        error={"validation": list(errors), "test": list(tests), "train": [e / 2 for e in tests]},
        loss={"validation": list(losses), "test": [e * 2 for e in tests], "train": [e * 3 for e in tests]},
    )


def test_the_lowest_validation_error_after_the_last_epoch_chooses():
    grid = [history((0.1, 1.0, 0.30), (0.3, 1.0, 0.10)), history((0.4, 1.0, 0.2), (0.2, 1.0, 0.25))]
    assert best_reading(grid, early=False) == {
        "error": 0.25,
        "nll": 0.5,
        "train_error": 0.125,
        "train_nll": 0.75,
        "choice": 1,
        "epoch": 2,
    }


def test_early_stopping_chooses_the_epoch_as_well():
    grid = [history((0.1, 1.0, 0.30), (0.3, 1.0, 0.10)), history((0.4, 1.0, 0.2), (0.2, 1.0, 0.25))]
    reading = best_reading(grid, early=True)
    assert (reading["choice"], reading["epoch"], reading["error"]) == (0, 1, 0.30)


@pytest.mark.parametrize(
    ("grid", "choice", "epoch"),
    [
        ([history((0.2, 1.0, 0.3)), history((0.2, 0.9, 0.4))], 1, 1),  # the lower loss
        (
            [history((0.3, 1.0, 0.3), (0.2, 0.9, 0.3)), history((0.2, 0.9, 0.4), (0.3, 1.0, 0.3))],
            1,
            1,
        ),  # earlier
        ([history((0.2, 1.0, 0.3)), history((0.2, 1.0, 0.1))], 0, 1),  # the first of the grid
    ],
)
def test_ties_are_broken_without_looking_at_the_test_set(grid, choice, epoch):
    reading = best_reading(grid, early=True)
    assert (reading["choice"], reading["epoch"]) == (choice, epoch)


def job(arms, seeds=(7, 8)):
    return Job(tuple(arms), seeds, arms, PROFILE)


def trial(seed, candidate):
    return Trial(seed, perceptron((16,), p=candidate["p"]), Recipe(5, lr=candidate["lr"]))


ARMS = {
    "none": {"grid": [{"p": 0.0, "lr": 0.1}]},
    "tuned": {"grid": [{"p": 0.0, "lr": 0.001}, {"p": 0.0, "lr": 0.1}, {"p": 0.3, "lr": 0.1}]},
    "early": {"grid": [{"lr": 0.1, "p": 0.0}], "early": True},
}


def test_each_candidate_is_trained_once_and_read_as_every_arm_asks(monkeypatch):
    trained = []

    def spy(dataset, profile, trials, **options):
        trained.extend(trials)
        return train(dataset, profile, trials, **options)

    monkeypatch.setattr(tuning, "train", spy)
    rows = run_tuned(job(ARMS), trial, dataset="mnist")
    assert [(row["arm"], row["seed"]) for row in rows] == [(arm, seed) for seed in (7, 8) for arm in ARMS]
    assert all(set(row) == {"arm", "seed", *TUNED_READINGS} for row in rows)
    assert len(trained) == 2 * 3  # two seeds, three different candidates
    # Only what early stopping reads is evaluated on the way: every second epoch, and the last.
    assert [one.recipe.evaluate_every for one in trained] == [2, 5, 5] * 2
    for none, tuned, early in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        assert none["epoch"] == tuned["epoch"] == 5
        assert early["epoch"] in (2, 4, 5)
        if tuned["choice"] == 1:
            assert tuned["error"] == none["error"]


def test_the_reading_is_that_of_the_chosen_candidate():
    rows = run_tuned(job(ARMS, seeds=(7,)), trial, dataset="mnist")
    grid = ARMS["tuned"]["grid"]
    histories = [
        one.history
        for one in train(
            "mnist", PROFILE, [trial(7, candidate) for candidate in grid], evaluate=tuning.SPLITS
        )
    ]
    last = [h.error["validation"][-1] for h in histories]
    assert last[rows[1]["choice"]] == min(last)
    assert rows[1]["error"] == pytest.approx(histories[rows[1]["choice"]].error["test"][-1], abs=1e-9)
    # The rate of 0.001 hardly trains in five epochs: a choice that ignored validation would show.
    assert rows[1]["choice"] != 0
