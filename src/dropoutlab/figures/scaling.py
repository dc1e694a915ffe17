"""Figures of chapter 4: how many units drop, the spread of a sum, masks, and scaling gone wrong."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from torch import Tensor

from dropoutlab.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PALETTE,
    PINK,
    VIOLET,
    Picture,
    house_style,
    label_ends,
    panels,
)

# Right conventions are drawn in blue and green with circles, mistakes in other colours with other marks.
_CONVENTIONS = {
    "inverted": (BLUE, "o"),
    "original": (GREEN, "o"),
    "forgotten": (ORANGE, "s"),
    "doubled": (PINK, "^"),
    "swapped": (VIOLET, "D"),
}


@house_style
def dropped_counts(exact: ArrayLike, drawn: ArrayLike, *, height: float = 2.7) -> Picture:
    """Draw how often 0, 1, 2, ... units are dropped: exact law as bars, drawn masks as dots.

    Args:
        exact: probability of each count ``(n + 1,)``.
        drawn: observed fraction of each count ``(n + 1,)``.
        height: height in inches.
    """
    exact, drawn = np.asarray(exact, dtype=float), np.asarray(drawn, dtype=float)
    figure, (axis,) = panels(height=height)
    counts = np.arange(len(exact))
    axis.bar(counts, 100 * exact, color=BLUE, alpha=0.55, width=0.7)
    axis.plot(counts, 100 * drawn, "o", color=ORANGE, markersize=5)
    top = int(exact.argmax())
    axis.annotate(
        "exact: binomial",
        (top + 0.35, 100 * exact[top] * 0.93),
        xytext=(16, 4),
        textcoords="offset points",
        color=BLUE,
    )
    axis.annotate(
        "drawn masks",
        (top + 1, 100 * drawn[top + 1]),
        xytext=(16, 4),
        textcoords="offset points",
        color=ORANGE,
    )
    axis.set_xticks(counts)
    axis.set_xlabel("Units dropped in one pass")
    axis.set_ylabel("Passes (%)")
    return Picture(figure)


@house_style
def sums(laws: Mapping[float, tuple[ArrayLike, ArrayLike]], *, mean: float, height: float = 2.6) -> Picture:
    """Draw the exact law of a scaled sum, one panel for each drop probability.

    Args:
        laws: drop probability → (possible values of the sum, their probabilities).
        mean: the mean that all share, marked by a line.
        height: height in inches.
    """
    figure, axes = panels(len(laws), height=height, sharey=True, sharex=True)
    for axis, (p, (values, probabilities)) in zip(axes, laws.items(), strict=True):
        axis.vlines(
            np.asarray(values), 0, 100 * np.asarray(probabilities, dtype=float), color=BLUE, linewidth=3
        )
        axis.axvline(mean, color=ORANGE, linewidth=1.2, linestyle="--")
        axis.set_title(f"p = {p:g}")
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("Passes (%)")
    axes[0].annotate(
        f"mean {mean:g}",
        (mean, axes[0].get_ylim()[1]),
        xytext=(6, -8),
        textcoords="offset points",
        color=ORANGE,
    )
    figure.supxlabel("Sum that reaches the next layer", fontsize=9.5)
    return Picture(figure)


@house_style
def mask_pictures(masks: Mapping[str, Tensor], *, height: float = 2.4) -> Picture:
    """Draw boolean masks as grids: filled cells are kept, crossed cells are dropped.

    Args:
        masks: panel title → mask ``(N, D)``.
        height: height in inches.
    """
    figure, axes = panels(len(masks), height=height)
    for axis, (title, mask) in zip(axes, masks.items(), strict=True):
        rows, columns = mask.shape
        for row in range(rows):
            for column in range(columns):
                if mask[row, column]:
                    axis.plot(column, row, "s", color=BLUE, markersize=9)
                else:
                    axis.plot(column, row, "x", color=ORANGE, markersize=6, markeredgewidth=1.5)
        axis.set_title(title)
        axis.set_xticks([0, columns - 1], ["unit 1", f"unit {columns}"])
        axis.set_yticks([0, rows - 1], ["example 1", f"example {rows}"])
        axis.set_xlim(-0.7, columns - 0.3)
        axis.set_ylim(rows - 0.3, -0.7)
        axis.set_aspect("equal")
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    return Picture(figure)


@house_style
def ratios_by_depth(table: pd.DataFrame, *, height: float = 3.0) -> Picture:
    """Draw, layer by layer, how much larger the mean activation is in evaluation than in training.

    Args:
        table: as from `dropoutlab.scaling.outcomes`.
        height: height in inches.
    """
    figure, (axis,) = panels(height=height)
    columns = [column for column in table.columns if column.startswith("ratio_")]
    depth = np.arange(1, len(columns) + 1)
    ends: list[tuple[float, float, str, str]] = []
    for name, (color, marker) in _CONVENTIONS.items():
        rows = table[table.convention == name]
        if rows.empty:
            continue
        runs = rows[columns].to_numpy(dtype=float)
        axis.plot(depth, runs.T, color=color, alpha=0.35, linewidth=0.6)
        axis.plot(depth, runs.mean(0), color=color, marker=marker, markersize=5)
        ends.append((float(depth[-1]), float(runs[:, -1].mean()), name, color))
    axis.set_yscale("log", base=2)
    axis.set_yticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
    axis.set_xticks(depth)
    axis.axhline(1, color=FAINT, linewidth=0.8, zorder=0)
    axis.set_xlabel("Hidden layer")
    axis.set_ylabel("Mean activation,\nevaluation ÷ training")
    label_ends(axis, ends)
    return Picture(figure)


@house_style
def spread_by_depth(runs: Mapping[float, Sequence[pd.DataFrame]], *, height: float = 3.0) -> Picture:
    """Draw how two moments of the activations grow with depth, training divided by evaluation.

    Args:
        runs: drop probability → tables as from `dropoutlab.spread.moments_by_depth`, one for each seed.
        height: height in inches.

    Returns:
        The second moment at the left, dashed lines where the law puts it; the mean at the right.
    """
    figure, axes = panels(2, height=height, sharey=True)
    titles = {"second_moment": "Second moment", "mean": "Mean"}
    for axis, (column, title) in zip(axes, titles.items(), strict=True):
        ends = []
        for (p, tables), color in zip(runs.items(), PALETTE, strict=False):
            depth = tables[0].layer.to_numpy(dtype=float)
            values = np.stack([table[column].to_numpy(dtype=float) for table in tables])
            axis.plot(depth, values.T, color=color, alpha=0.35, linewidth=0.6)
            axis.plot(depth, np.exp(np.log(values).mean(0)), color=color)
            if column == "second_moment":
                axis.plot(depth, (1 - p) ** (1 - depth), color=INK, linewidth=1, linestyle=(0, (2, 2)))
            ends.append((float(depth[-1]), float(np.exp(np.log(values[:, -1]).mean())), f"p = {p}", color))
        axis.set_yscale("log")
        axis.set_title(title)
        axis.set_xlabel("Hidden layer")
        axis.set_xticks(depth)
        axis.grid(axis="y", color=FAINT, linewidth=0.6)
        label_ends(axis, ends)
    axes[0].set_ylabel("Training ÷ evaluation")
    return Picture(figure)


@house_style
def outcomes_by_convention(
    table: pd.DataFrame, metrics: Mapping[str, tuple[str, float]], *, height: float = 2.8
) -> Picture:
    """Draw every replica's test metrics under each convention as a dot, and their mean as a bar.

    Args:
        table: as from `dropoutlab.scaling.outcomes`.
        metrics: column → (panel title, factor).
        height: height in inches.
    """
    names = [name for name in _CONVENTIONS if name in set(table.convention)]
    figure, axes = panels(len(metrics), height=height, sharey=True)
    for axis, (metric, (title, scale)) in zip(axes, metrics.items(), strict=True):
        for position, name in enumerate(names):
            color, marker = _CONVENTIONS[name]
            values = scale * table[table.convention == name][metric].to_numpy(dtype=float)
            fan = position + np.linspace(-0.25, 0.25, len(values))
            axis.scatter(values, fan, s=13, color=color, marker=marker, alpha=0.75, linewidths=0)
            axis.plot([values.mean()] * 2, [position - 0.36, position + 0.36], color=color, linewidth=2.4)
        axis.set_title(title)
        axis.grid(axis="x", color=FAINT, linewidth=0.6)
        axis.set_axisbelow(True)
        axis.set_yticks(range(len(names)), names)
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].invert_yaxis()
    return Picture(figure)


@house_style
def drift(
    runs: Mapping[str, Sequence[pd.DataFrame]], *, column: str = "output", height: float = 2.8
) -> Picture:
    """Draw how far the two formulations drift apart, on a logarithmic scale.

    Args:
        runs: label → one table for each seed, as from `dropoutlab.formulations.formulation_gap`.
        column: which gap to draw.
        height: height in inches.
    """
    figure, (axis,) = panels(height=height)
    ends: list[tuple[float, float, str, str]] = []
    for (label, tables), color in zip(runs.items(), (BLUE, ORANGE), strict=True):
        # A gap of exactly 0 has no logarithm; it is drawn at the spacing of float64 around 1.
        curves = [table[column].clip(lower=2.0**-53) for table in tables]
        for table, curve in zip(tables, curves, strict=True):
            axis.plot(table.step, curve, color=color, alpha=0.5, linewidth=0.8)
        ends.append(
            (float(tables[0].step.iloc[-1]), float(np.median([c.iloc[-1] for c in curves])), label, color)
        )
    axis.set_yscale("log")
    axis.axhline(2.0**-52, color=INK, linewidth=0.8, linestyle=":")
    axis.set_xlabel("Step of SGD")
    axis.set_ylabel("Largest difference between\nthe two nets' probabilities")
    label_ends(axis, ends)
    return Picture(figure)
