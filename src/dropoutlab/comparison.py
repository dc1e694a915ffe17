"""Compare ways to regularise one network on digits, over paired seeds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import pandas as pd
import torch

from dropoutlab.augmentation import random_shift
from dropoutlab.data import Split, draw, flip_labels, load
from dropoutlab.models import mlp
from dropoutlab.seeds import Streams, streams
from dropoutlab.stats import Estimate, paired_difference
from dropoutlab.training import Augment, OnEpoch, Recipe, fit_many

IMAGE_SHAPE = (8, 8)
CLASSES = 10
_REPLICAS = 32  # networks trained at once; a fifth faster than ten at once, and no slower than more

OnReplicas = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Task:
    """How a replica's examples are drawn from the 1,797 digits.

    Attributes:
        train: number of training examples, at most 1,000 with the default sizes of the other parts.
        flipped: fraction of training *and* validation labels replaced by a wrong one; test labels stay clean.
        validation: number of validation examples.
        test: number of test examples.
    """

    train: int
    flipped: float = 0.0
    validation: int = 100
    test: int = 697


@dataclass(frozen=True)
class Arm:
    """One way to train: what differs between the arms of a comparison.

    Attributes:
        name: shown in tables and figures.
        p: drop probability after each hidden layer.
        weight_decay: coefficient λ of the penalty λ/2·‖W‖².
        shift: largest random shift of a training image, in pixels.
    """

    name: str
    p: float = 0.0
    weight_decay: float = 0.0
    shift: int = 0


def splits(task: Task, s: Streams) -> dict[str, Split]:
    """Draw one replica's training, validation and test examples from all digits.

    For one stream state the validation and test examples do not depend on the size of the training set, and
    a larger training set contains the smaller: sizes can be compared example by example. Which labels are
    flipped is drawn afresh for each size.

    Args:
        task: sizes and label noise.
        s: streams of the replica; only ``s.data`` is used.

    Returns:
        The splits ``train``, ``validation`` and ``test``, in float64.

    Raises:
        ValueError: the digits are too few for the sizes, or the fraction is outside [0, 1].

    Example:
        >>> {name: len(part) for name, part in splits(Task(300), streams(1000)).items()}
        {'train': 300, 'validation': 100, 'test': 697}
    """
    pool = _pool()
    validation, test, train = draw(pool, task.validation, task.test, task.train, generator=s.data)
    noisy = {
        name: Split(part.x, flip_labels(part.y, task.flipped, CLASSES, generator=s.data)[0])
        for name, part in (("train", train), ("validation", validation))
    }
    return {**noisy, "test": test}


def curves(
    arms: Sequence[Arm],
    task: Task,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    hidden: Sequence[int] = (128,),
    on_epoch: OnReplicas | None = None,
) -> pd.DataFrame:
    """Train every arm on every seed and return all learning curves.

    Arms are paired: with one seed they share examples, flipped labels, initial weights and example order.

    Args:
        arms: the ways to train, each with its own name.
        task: how examples are drawn; an empty validation or test part is left out of the table.
        recipe: shared training recipe; each arm sets its own weight decay.
        seeds: one replica for each, all different.
        hidden: widths of the hidden layers.
        on_epoch: called with ``(arm, epoch, epochs)``, e.g. to show progress; arms may be trained together.

    Returns:
        Tidy table: arm, seed, split, epoch, error (fraction), loss (nats).

    Raises:
        ValueError: there is no arm or no seed, or one of them occurs twice; else as `splits` and `fit_many`.

    Example:
        >>> table = curves([Arm("none")], Task(50), Recipe(2), [1000, 1001])
        >>> sorted(table.split.unique()), len(table)
        (['test', 'train', 'validation'], 12)
    """
    for kind, items in (("arm name", [arm.name for arm in arms]), ("seed", seeds)):
        if not items or len(set(items)) < len(items):
            raise ValueError(f"curves need at least one {kind} and each only once, got {list(items)}")
    tables = []
    for group in _together(arms, len(seeds)):
        runs = [(arm, streams(seed)) for arm in group for seed in seeds]
        data = [splits(task, s) for _, s in runs]
        widths = (math.prod(IMAGE_SHAPE), *hidden, CLASSES)
        histories = fit_many(
            [mlp(widths, p=arm.p, init=s.init, masks=s.masks) for arm, s in runs],
            [parts["train"] for parts in data],
            [replace(recipe, weight_decay=arm.weight_decay) for arm, _ in runs],
            orders=[s.order for _, s in runs],
            evaluate={name: [parts[name] for parts in data] for name, part in data[0].items() if len(part)},
            augments=[_shifter(arm.shift, s) for arm, s in runs] if group[0].shift else None,
            on_epoch=_for_each(group, on_epoch) if on_epoch else None,
        )
        names = [(arm.name, seed) for arm in group for seed in seeds]
        for (name, seed), history in zip(names, histories, strict=True):
            tables.append(history.frame().assign(arm=name, seed=seed))
    return pd.concat(tables, ignore_index=True)[["arm", "seed", "split", "epoch", "error", "loss"]]


def at_end(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the last evaluated epoch of every run."""
    return table[table.epoch == table.groupby(["arm", "seed"]).epoch.transform("max")]


def stopped_early(table: pd.DataFrame, name: str = "early stopping") -> pd.DataFrame:
    """Keep, for every run, the epoch at which its validation cross-entropy was lowest.

    The test columns of the result are what a reader who stops on the validation split would get. Nothing is
    trained again: stopping early is a choice of where to read a curve.

    Args:
        table: curves of *one* arm with a validation split.
        name: name of the new arm.

    Returns:
        One row for each seed and split, with ``arm`` set to ``name``.

    Raises:
        ValueError: the table has no validation split or holds several arms.
    """
    if table.arm.nunique() != 1:
        raise ValueError(f"stop one arm at a time, got {sorted(table.arm.unique())}")
    return table.merge(_lowest_validation(table)[["seed", "epoch"]], on=["seed", "epoch"]).assign(arm=name)


def tuned(table: pd.DataFrame, arms: Sequence[str], name: str) -> pd.DataFrame:
    """Choose, for every seed, the strength whose final validation cross-entropy is lowest.

    Each replica tunes on its own validation split, as one would with one data set in hand, and its test
    rows are read only for the strength so chosen.

    Args:
        table: curves of all candidate arms.
        arms: names of the candidates, e.g. one for each drop probability.
        name: name of the new arm.

    Returns:
        One row for each seed and split, with ``arm`` set to ``name`` and the choice in ``chosen``.

    Raises:
        ValueError: an arm is not in the table, or the table has no validation split.
    """
    missing = set(arms) - set(table.arm)
    if missing or not arms:
        raise ValueError(f"cannot tune over {list(arms)}; the arms are {sorted(table.arm.unique())}")
    final = at_end(table[table.arm.isin(arms)])
    best = _lowest_validation(final)[["seed", "arm"]]
    return final.merge(best, on=["seed", "arm"]).assign(chosen=lambda rows: rows.arm, arm=name)


def by_seed(
    table: pd.DataFrame, arm: str, *, split: str = "test", metric: str = "error"
) -> "pd.Series[float]":
    """Return one arm's metric, one value per seed in seed order: what a paired comparison takes.

    Raises:
        ValueError: the table has no such rows, or several for one seed.
    """
    rows = table[(table.arm == arm) & (table.split == split)].set_index("seed").sort_index()
    if rows.empty:
        raise ValueError(
            f"no rows for arm {arm!r} and split {split!r}; arms are {sorted(table.arm.unique())}"
        )
    if rows.index.has_duplicates:
        raise ValueError(
            f"arm {arm!r} and split {split!r} need one row for each seed, got {len(rows)} rows for "
            f"{rows.index.nunique()} seeds; choose an epoch first, e.g. with at_end"
        )
    return rows[metric]


def effect(
    table: pd.DataFrame, arm: str, against: str, *, metric: str = "error"
) -> "tuple[pd.Series[float], Estimate]":
    """Return the paired differences ``arm - against`` on the test split and their t-interval.

    Args:
        table: one row for each arm, seed and split, as from `at_end`.
        arm: the arm of interest.
        against: the arm it is compared with.
        metric: ``"error"`` (fraction) or ``"loss"`` (nats).

    Returns:
        One difference per seed, and the estimate of their mean; negative is better than ``against``.

    Raises:
        ValueError: the arms were trained on different seeds; else as `by_seed` and `paired_difference`.
    """
    treated, control = by_seed(table, arm, metric=metric), by_seed(table, against, metric=metric)
    if not treated.index.equals(control.index):
        unpaired = sorted(treated.index.symmetric_difference(control.index))
        raise ValueError(f"arms {arm!r} and {against!r} must share their seeds, got {unpaired} in one only")
    return treated - control, paired_difference(treated, control)


def _lowest_validation(table: pd.DataFrame) -> pd.DataFrame:
    """Return each seed's validation row of lowest cross-entropy, the first of equals."""
    validation = table[table.split == "validation"]
    if validation.empty:
        raise ValueError("choosing by validation needs such a split; draw one with Task(validation=...)")
    return validation.sort_values("loss", kind="stable").drop_duplicates("seed")


def _together(arms: Sequence[Arm], seeds: int) -> list[list[Arm]]:
    """Return the arms in groups to be trained in one computation: the more small networks, the faster."""
    size = max(1, _REPLICAS // seeds)
    groups = []
    # Only networks with the same layers can be stacked, and a plain one has no dropout layer.
    for masked in (False, True):
        alike = [arm for arm in arms if not arm.shift and (arm.p > 0) == masked]
        groups += [alike[start : start + size] for start in range(0, len(alike), size)]
    return groups + [[arm] for arm in arms if arm.shift]


def _for_each(arms: Sequence[Arm], on_epoch: OnReplicas) -> OnEpoch:
    def report(epoch: int, epochs: int) -> None:
        for arm in arms:
            on_epoch(arm.name, epoch, epochs)

    return report


def _shifter(pixels: int, s: Streams) -> Augment:
    return partial(random_shift, image_shape=IMAGE_SHAPE, pixels=pixels, generator=s.augment)


@cache
def _pool() -> Split:
    return load("digits").pool().to(torch.float64)
