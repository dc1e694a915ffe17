"""Figures of chapter 1: digits, learning curves, paired effects, confidence."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from torch import Tensor

from dropoutlab.figures.style import ARMS, BLUE, FAINT, INK, ORANGE, Picture, house_style, label_ends, panels
from dropoutlab.stats import Estimate

Metric = Literal["error", "loss"]
_TITLES: dict[str, str] = {"error": "Error (%)", "loss": "Cross-entropy (nats)"}
_SPLITS = {"train": (BLUE, "training"), "test": (ORANGE, "test")}


@house_style
def labelled_digits(
    x: Tensor, given: Tensor, true: Tensor, image_shape: tuple[int, int], columns: int = 8
) -> Picture:
    """Show images under the labels they were given, and mark the wrong labels.

    Args:
        x: images ``(N, H * W)`` in [0, 1].
        given: labels shown to the network ``(N,)``.
        true: labels before any was flipped ``(N,)``.
        image_shape: ``(H, W)``.
        columns: images in a row.

    Returns:
        The picture; a wrong label is written in colour with a cross, so colour is not the only sign.
    """
    rows = -(-len(x) // columns)
    figure, axes = panels(columns, rows=rows, height=1.05 * rows)
    for axis in axes:
        axis.axis("off")
    for axis, image, label, truth in zip(axes, x, given.tolist(), true.tolist(), strict=False):
        axis.imshow(1 - image.reshape(image_shape).numpy(), cmap="gray", vmin=0, vmax=1)
        wrong = label != truth
        text = f"{label}  ✗" if wrong else f"{label}"
        axis.set_title(text, loc="center", color=ORANGE if wrong else INK, fontsize=10)
    return Picture(figure)


@house_style
def learning_curves(tables: Mapping[str, pd.DataFrame], *, height: float = 5.2) -> Picture:
    """Draw error and cross-entropy over training, one thin line a replica and a thick line for their mean.

    Args:
        tables: title of the column → curves of one arm, as from `dropoutlab.comparison.curves`.
        height: height in inches.

    Returns:
        A grid of panels: error above cross-entropy, one column for each table.
    """
    figure, axes = panels(len(tables), rows=2, height=height, sharex=True, sharey="row")
    for column, (title, table) in enumerate(tables.items()):
        axes[column].set_title(title)
        axes[len(tables) + column].set_xlabel("Epoch")
        for axis, metric in ((axes[column], "error"), (axes[len(tables) + column], "loss")):
            for split, (color, _) in _SPLITS.items():
                _replicas(axis, _wide(table, split, metric), color)
    for row, metric in enumerate(("error", "loss")):
        axes[row * len(tables)].set_ylabel(_TITLES[metric])
        axes[row * len(tables)].set_ylim(bottom=0)
        last = {split: _wide(table, split, metric).mean(axis=1).iloc[-1] for split in _SPLITS}
        epoch = float(table.epoch.max())
        label_ends(
            axes[(row + 1) * len(tables) - 1],
            [(epoch, last[split], label, color) for split, (color, label) in _SPLITS.items()],
        )
    return Picture(figure)


def _wide(table: pd.DataFrame, split: str, metric: str) -> pd.DataFrame:
    """Return one row per epoch and one column per replica; errors in per cent."""
    values = table[table.split == split].pivot(index="epoch", columns="seed", values=metric)
    return values * (100 if metric == "error" else 1)


def _replicas(axis: Axes, wide: pd.DataFrame, color: str) -> None:
    axis.plot(wide.index, wide.to_numpy(), color=color, alpha=0.35, linewidth=0.6)
    axis.plot(wide.index, wide.mean(axis=1), color=color, linewidth=2.4)


@house_style
def paired_effects(
    effects: Mapping[str, Mapping[str, tuple[ArrayLike, Estimate]]],
    *,
    xlabel: str = "Change in test error against no regulariser (percentage points)",
    scale: float = 100,
    height: float = 2.9,
) -> Picture:
    """Show paired differences: every replica a dot, the mean and its interval a diamond with whiskers.

    Args:
        effects: panel title → row label → (differences of the replicas, their estimate).
        xlabel: what is measured.
        scale: factor from the unit of the differences to that of the axis.
        height: height in inches.

    Returns:
        One panel for each title with one row for each label; left of zero is less error.
    """
    figure, axes = panels(len(effects), height=height, sharey=True)
    for axis, (title, rows) in zip(axes, effects.items(), strict=True):
        for position, (label, (values, estimate)) in enumerate(rows.items()):
            color, marker = ARMS.get(label, (ORANGE, "s"))
            dots = scale * np.asarray(values, dtype=float)
            # A fixed fan of heights instead of random jitter: the picture is the same every time.
            fan = np.linspace(-0.16, 0.16, len(dots))
            axis.scatter(
                dots, position + 0.12 + fan * 0.9, s=11, color=color, alpha=0.75, marker=marker, linewidths=0
            )
            axis.errorbar(
                scale * estimate.mean,
                position - 0.2,
                xerr=[[scale * (estimate.mean - estimate.low)], [scale * (estimate.high - estimate.mean)]],
                fmt="D",
                color=color,
                markersize=5,
                capsize=4,
                linewidth=1.8,
            )
        axis.axvline(0, color=INK, linewidth=0.9)
        axis.set_title(title)
        axis.set_yticks(range(len(rows)), list(rows))
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="x", color=FAINT, linewidth=0.6)
        axis.set_axisbelow(True)
    axes[0].invert_yaxis()  # shared, so once for all panels: the first row on top
    figure.supxlabel(xlabel, fontsize=9.5)
    return Picture(figure)


@house_style
def error_by_size(
    tables: Mapping[str, Mapping[str, Mapping[int, Estimate]]], *, height: float = 3.1
) -> Picture:
    """Draw test error against the number of training examples, with intervals.

    Args:
        tables: panel title → arm → training-set size → estimate of the test error (a fraction).
        height: height in inches.

    Returns:
        One panel for each title; both axes logarithmic.
    """
    figure, axes = panels(len(tables), height=height, sharey=True)
    ends: list[tuple[float, float, str, str]] = []
    for axis, (title, arms) in zip(axes, tables.items(), strict=True):
        ends.clear()
        for arm, sizes in arms.items():
            color, marker = ARMS[arm]
            x, y = list(sizes), [100 * estimate.mean for estimate in sizes.values()]
            spread = np.array([[100 * (e.mean - e.low), 100 * (e.high - e.mean)] for e in sizes.values()]).T
            axis.errorbar(x, y, yerr=spread, color=color, marker=marker, markersize=5, capsize=3)
            ends.append((float(x[-1]), y[-1], arm, color))
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks(x, [str(size) for size in x])
        axis.minorticks_off()
        axis.set_title(title)
        axis.set_xlabel("Training examples")
    ticks = [tick for tick in (2, 5, 10, 20, 50) if axes[0].get_ylim()[0] <= tick <= axes[0].get_ylim()[1]]
    axes[0].set_yticks(ticks, [str(tick) for tick in ticks])
    axes[0].set_ylabel("Test error (%)")
    label_ends(axes[-1], ends)
    return Picture(figure)


@house_style
def confidence_of_mistakes(groups: Mapping[str, Sequence[float]], *, height: float = 2.5) -> Picture:
    """Draw how sure a network was when it was wrong: one histogram of the winning probability for each group.

    Args:
        groups: panel title → probability given to the wrong winning class, one per mistake.
        height: height in inches.

    Returns:
        One panel for each group, same axes.
    """
    figure, axes = panels(len(groups), height=height, sharex=True, sharey=True)
    bins = np.linspace(0.1, 1.0, 19)
    for axis, (title, values), color in zip(axes, groups.items(), (BLUE, ORANGE), strict=False):
        axis.hist(list(values), bins=list(bins), color=color, alpha=0.85)
        axis.set_title(title)
        axis.set_xlabel("Probability given to the wrong answer")
    axes[0].set_ylabel("Mistakes")
    return Picture(figure)
