"""How the studies on convolutional and deep networks train: the learning rate falls once, near the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.protocol import Job, Row
from dropoutlab.studies.tasks import task
from dropoutlab.studies.trials import Trained, Trial, read
from dropoutlab.training import Augment, History, OnEpoch, fit

_LAST_PART = 4  # the last quarter of the epochs
_FACTOR = 10

MakeAugment = Callable[[Streams], Augment]


def train_annealed(
    dataset: str,
    profile: Mapping[str, Any],
    trial: Trial,
    *,
    augment: MakeAugment | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Train a network on its own draw from a dataset, the last quarter of the epochs at a tenth of the rate.

    At a constant rate the error after the last epoch swings from epoch to epoch, by more than most arms
    differ. The optimiser starts afresh for the last quarter.

    Args:
        dataset: name of an image dataset.
        profile: sizes, as for `dropoutlab.studies.tasks.task`.
        trial: seed, network and recipe; the recipe has at least 2 epochs.
        augment: makes the augmentation of the training batches from the streams.
        on_epoch: called with the epoch and the number of epochs of either part.

    Returns:
        The network after the last epoch and its splits; no curves.

    Raises:
        ValueError: the recipe has fewer than 2 epochs.

    Example:
        >>> from dropoutlab.studies.trials import perceptron
        >>> from dropoutlab.training import Recipe
        >>> small = {"data": "stand-in", "train": 100}
        >>> trained = train_annealed("mnist", small, Trial(7, perceptron((16,)), Recipe(4)))
        >>> trained.net.training, len(trained.splits["train"])
        (False, 100)
    """
    recipe = trial.recipe
    if recipe.epochs < 2:
        raise ValueError(f"annealing needs at least 2 epochs, got {recipe.epochs}")
    s = streams(trial.seed)
    splits = task(dataset, profile, s)
    net = trial.build(s)
    last = -(-recipe.epochs // _LAST_PART)
    changes = augment(s) if augment else None
    for epochs, lr in ((recipe.epochs - last, recipe.lr), (last, recipe.lr / _FACTOR)):
        part = replace(recipe, epochs=epochs, lr=lr, evaluate_every=epochs)
        fit(net, splits["train"], part, order=s.order, augment=changes, on_epoch=on_epoch)
    return Trained(net, History(), splits)


def run_annealed(
    job: Job,
    dataset: str | None,
    trial: Callable[[int, Mapping[str, Any]], Trial],
    *,
    augment: Callable[[Mapping[str, Any]], MakeAugment | None] = lambda _: None,
    more: Callable[[Trained], Mapping[str, float]] = lambda _: {},
) -> list[Row]:
    """Train every arm of a job as `train_annealed` does, and read it after the last epoch.

    Args:
        job: the job.
        dataset: name of the image dataset; ``None`` takes it from the arm's setting ``data``.
        trial: makes the trial of a seed from the settings of an arm.
        augment: finds the augmentation of an arm from its settings.
        more: further readings; it may change the network.

    Returns:
        One row for each arm and seed of the job: `dropoutlab.studies.trials.READINGS`, and ``more``.
    """
    rows: list[Row] = []
    for arm in job.arms:
        settings = job.settings[arm]
        for seed in job.seeds:
            trained = train_annealed(
                dataset or settings["data"], job.profile, trial(seed, settings), augment=augment(settings)
            )
            rows.append({"arm": arm, "seed": seed, **read(trained), **more(trained)})
    return rows


def choose_annealed(candidates: Sequence[Trained]) -> int:
    """Return the position of the candidate with the lowest validation error.

    Of equal errors the lower negative log-likelihood decides, of equal both the first candidate.
    """
    results = []
    for one in candidates:
        result = scores(predict(one.net, one.splits["validation"].x), one.splits["validation"].y)
        results.append((result.error, result.nll))
    return min(range(len(results)), key=results.__getitem__)
