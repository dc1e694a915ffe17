"""Arms that choose: each has a grid of candidates, and the validation split says which of them is read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dropoutlab.studies.protocol import Job, Metric, Row
from dropoutlab.studies.trials import READINGS, Trial, train
from dropoutlab.training import History

# What `run_tuned` returns, for the declaration of a study.
TUNED_READINGS = {name: READINGS[name] for name in ("error", "nll", "train_error", "train_nll")} | {
    "choice": Metric("position of the chosen candidate in the arm's grid, from 0", "1"),
    "epoch": Metric("epoch after which the network was read", "epochs"),
}

SPLITS = ("train", "validation", "test")


def run_tuned(job: Job, trial: Callable[[int, Mapping[str, Any]], Trial], *, dataset: str) -> list[Row]:
    """Train the candidates of all arms of a job, and read for each arm the one that does best on validation.

    The settings of an arm hold ``"grid"``, a list of candidates, each a dictionary that JSON can hold, and
    may hold ``"early": True``. Then the epoch is chosen too, among every ``profile["every"]``-th one.
    A candidate that several arms share is trained once. The lowest validation error wins; of equal ones the
    lower validation cross-entropy, then the earlier epoch and the candidate that the grid names first.

    Args:
        job: the job; of the study's profile ``"every"`` is read here, the rest by `train`.
        trial: makes the trial of a seed from a candidate; how often it is evaluated is set here.
        dataset: name of an image dataset.

    Returns:
        One row for each arm and seed, with the `TUNED_READINGS`.
    """
    candidates: dict[str, Mapping[str, Any]] = {}
    curves = set()
    for settings in job.settings.values():
        for candidate in settings["grid"]:
            candidates[_key(candidate)] = candidate
            if settings.get("early"):
                curves.add(_key(candidate))
    trials = {}
    for seed in job.seeds:
        for key, candidate in candidates.items():
            planned = trial(seed, candidate)
            every = job.profile["every"] if key in curves else planned.recipe.epochs
            trials[key, seed] = replace(planned, recipe=replace(planned.recipe, evaluate_every=every))
    results = train(dataset, job.profile, list(trials.values()), evaluate=SPLITS)
    found = dict(zip(trials, results, strict=True))
    rows: list[Row] = []
    for seed in job.seeds:
        for arm in job.arms:
            settings = job.settings[arm]
            grid = [found[_key(candidate), seed].history for candidate in settings["grid"]]
            rows.append({"arm": arm, "seed": seed, **best_reading(grid, early=settings.get("early", False))})
    return rows


def best_reading(grid: Sequence[History], *, early: bool) -> dict[str, float | int]:
    """Read the candidate, and if ``early`` the epoch, that is best on validation.

    Args:
        grid: curves of the candidates on the splits train, validation and test.
        early: whether the epoch is chosen too; if not, the last one is read.

    Returns:
        The values of `TUNED_READINGS`.
    """
    places = []
    for choice, history in enumerate(grid):
        last = len(history.epochs) - 1
        for at in range(last + 1) if early else [last]:
            places.append((history.error["validation"][at], history.loss["validation"][at], at, choice))
    *_, at, choice = min(places)
    history = grid[choice]
    return {
        "error": history.error["test"][at],
        "nll": history.loss["test"][at],
        "train_error": history.error["train"][at],
        "train_nll": history.loss["train"][at],
        "choice": choice,
        "epoch": history.epochs[at],
    }


def _key(candidate: Mapping[str, Any]) -> str:
    return json.dumps(dict(candidate), sort_keys=True)
