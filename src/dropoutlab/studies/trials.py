"""The training runs of a job: each from streams of its own, side by side where that is faster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import float32, nn

from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.protocol import Job, Metric, Row
from dropoutlab.studies.tasks import task
from dropoutlab.training import History, Recipe, fit_many

Build = Callable[[Streams], nn.Module]

# What `read` returns, for the declaration of a study.
READINGS = {
    "error": Metric("test error of the full network", "fraction"),
    "nll": Metric("negative log-likelihood of the test labels, full network", "nats"),
    "ece": Metric("expected calibration error on the test set, 15 bins", "fraction"),
    "train_error": Metric("training error of the full network", "fraction"),
    "train_nll": Metric("negative log-likelihood of the training labels, full network", "nats"),
}


@dataclass(frozen=True)
class Trial:
    """A training run that is to be made.

    Attributes:
        seed: seed of all its streams; trials of one seed share examples, initial weights and order.
        build: makes the network from the streams; draws weights from ``init`` and masks from ``masks``.
        recipe: how it is trained.
        examples: seed that draws the examples, if not ``seed``.
    """

    seed: int
    build: Build
    recipe: Recipe
    examples: int | None = None


@dataclass(frozen=True)
class Trained:
    """What came of a trial.

    Attributes:
        net: the network after the last epoch.
        history: the curves that were asked for.
        splits: its ``train``, ``validation`` and ``test`` examples.
    """

    net: nn.Module
    history: History
    splits: Mapping[str, Split]


def perceptron(
    hidden: Sequence[int], *, p: float = 0.0, input_p: float = 0.0
) -> Callable[[Streams], nn.Sequential]:
    """Return the builder of a ReLU network for images of 28 × 28 pixels and ten classes.

    Args:
        hidden: units per hidden layer.
        p: drop probability of the hidden units.
        input_p: drop probability of the pixels.

    Example:
        >>> from dropoutlab.seeds import streams
        >>> [type(layer).__name__ for layer in perceptron((16,), p=0.2)(streams(7))]
        ['Linear', 'ReLU', 'Dropout', 'Linear']
    """

    def build(s: Streams) -> nn.Sequential:
        return mlp((784, *hidden, 10), p=p, input_p=input_p, init=s.init, masks=s.masks, dtype=float32)

    return build


def train(
    dataset: str, profile: Mapping[str, Any], trials: Sequence[Trial], *, evaluate: Sequence[str] = ()
) -> list[Trained]:
    """Train all trials of a job on their own draws from a dataset.

    Networks of one architecture are trained side by side (see `dropoutlab.training.fit_many`).

    Args:
        dataset: name of an image dataset.
        profile: sizes, as for `dropoutlab.studies.tasks.task`.
        trials: what is to be trained.
        evaluate: splits whose curves are recorded; a curve on the test split is read at one epoch only,
            the one that the validation split chose.

    Returns:
        One result for each trial, in their order.

    Example:
        >>> trial = Trial(7, perceptron((16,), p=0.2), Recipe(2))
        >>> small = {"data": "stand-in", "train": 100, "validation": 50}
        >>> train("mnist", small, [trial], evaluate=["validation"])[0].history.epochs
        [1, 2]
    """
    drawn_by = [trial.seed if trial.examples is None else trial.examples for trial in trials]
    draws = {seed: task(dataset, profile, streams(seed)) for seed in dict.fromkeys(drawn_by)}
    # All seeds have the same test examples: a common object is evaluated without a copy for each replica.
    test = next(iter(draws.values()))["test"] if draws else None
    own = [streams(trial.seed) for trial in trials]
    nets = [trial.build(s) for trial, s in zip(trials, own, strict=True)]
    histories: dict[int, History] = {}
    for members in _alike(nets, trials):
        splits = [draws[drawn_by[i]] for i in members]
        curves = {name: test if name == "test" else [part[name] for part in splits] for name in evaluate}
        found = fit_many(
            [nets[i] for i in members],
            [part["train"] for part in splits],
            [trials[i].recipe for i in members],
            orders=[own[i].order for i in members],
            evaluate={name: split for name, split in curves.items() if split is not None},
        )
        histories.update(zip(members, found, strict=True))
    return [Trained(net, histories[i], draws[drawn_by[i]]) for i, net in enumerate(nets)]


def read(trained: Trained) -> dict[str, float]:
    """Read the full network after the last epoch on test and training examples: the columns of `READINGS`."""
    values: dict[str, float] = {}
    for name, prefix in (("test", ""), ("train", "train_")):
        split = trained.splits[name]
        result = scores(predict(trained.net, split.x), split.y)
        values |= {f"{prefix}error": result.error, f"{prefix}nll": result.nll, f"{prefix}ece": result.ece}
    del values["train_ece"]
    return values


def run_arms(
    job: Job, trial: Callable[[int, Mapping[str, Any]], Trial], *, dataset: str | None = None
) -> list[Row]:
    """Train every arm of a job with a recipe of its own, and read the `READINGS` after the last epoch.

    Args:
        job: the job.
        trial: makes the trial of a seed from the settings of an arm.
        dataset: name of the image dataset; ``None`` takes it from the arm's setting ``data``.

    Returns:
        One row for each arm and seed of the job.
    """
    rows: list[Row] = []
    for arm in job.arms:
        settings = job.settings[arm]
        trials = [trial(seed, settings) for seed in job.seeds]
        results = train(dataset or settings["data"], job.profile, trials)
        rows += [
            {"arm": arm, "seed": seed, **read(result)}
            for seed, result in zip(job.seeds, results, strict=True)
        ]
    return rows


def adam(epochs: int, **changes: Any) -> Recipe:
    """Return the recipe that most studies of the rate share: Adam, learning rate 0.001, batches of 64.

    Only the last epoch is evaluated, unless ``changes`` say something else.
    """
    settings: dict[str, Any] = {"batch_size": 64, "lr": 1e-3, "optimiser": "adam", "evaluate_every": epochs}
    return Recipe(epochs, **(settings | changes))


def _alike(nets: Sequence[nn.Module], trials: Sequence[Trial]) -> list[list[int]]:
    """Group the positions of networks that can be trained side by side."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, (net, trial) in enumerate(zip(nets, trials, strict=True)):
        layers = [(type(m), *(tuple(w.shape) for w in m.parameters(recurse=False))) for m in net.modules()]
        key = (*layers, replace(trial.recipe, lr=1.0, weight_decay=0.0))
        groups.setdefault(key, []).append(i)
    return list(groups.values())
