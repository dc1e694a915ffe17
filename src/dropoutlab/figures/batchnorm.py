"""Figures of chapter 6: the law of the variance shift, shifts in trained networks, errors with BatchNorm."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from dropoutlab.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PALETTE,
    Picture,
    house_style,
    label_ends,
    panels,
)
from dropoutlab.moments import variance_shift

_MARKERS = ("o", "s", "^", "D", "v")
_NORMS = {
    "none": (BLUE, "o", "no norm"),
    "batch": (ORANGE, "s", "BatchNorm"),
    "layer": (GREEN, "^", "LayerNorm"),
}


@house_style
def shift_law(rates: Sequence[float], marked: Mapping[str, float], *, height: float = 3.1) -> Picture:
    """Draw the variance in evaluation divided by that in training against how far the input is from centred.

    Args:
        rates: drop probabilities, one curve each.
        marked: name of an input → its |mean| divided by its standard deviation, marked by a vertical line.
        height: height in inches.
    """
    figure, (axis,) = panels(height=height)
    # 0 to 4.5 standard deviations: the inputs that are worth marking lie in it.
    offset = np.linspace(0, 4.5, 181)
    ends = []
    for p, color in zip(rates, PALETTE, strict=False):
        ratio = variance_shift(offset, np.ones_like(offset), p)
        axis.plot(offset, ratio, color=color)
        ends.append((float(offset[-1]), float(ratio[-1]), f"p = {p:g}", color))
    axis.set_ylim(0, 1)
    axis.set_xlim(0, offset[-1])
    for name, place in marked.items():
        axis.axvline(place, color=INK, linewidth=0.9, linestyle=(0, (3, 3)))
        axis.annotate(name, (place, 1), xytext=(4, -2), textcoords="offset points", va="top")
    axis.set_xlabel("|Mean| of the input, in its standard deviations")
    axis.set_ylabel("Variance, evaluation ÷ training")
    axis.grid(axis="y", color=FAINT, linewidth=0.6)
    label_ends(axis, ends)
    return Picture(figure)


@house_style
def shifts_by_layer(
    table: pd.DataFrame, groups: Mapping[str, Mapping[str, str]], *, height: float = 3.2
) -> Picture:
    """Draw the measured variance ratio before every normalisation, one thin line per run.

    Args:
        table: as from `dropoutlab.clash.read_normalised`.
        groups: panel title → name of an arm → label of its line.
        height: height in inches.
    """
    figure, axes = panels(len(groups), height=height, sharey=True)
    columns = [column for column in table.columns if column.startswith("shift_")]
    depth = np.arange(1, len(columns) + 1)
    drawn = []
    for axis, (title, arms) in zip(axes, groups.items(), strict=True):
        ends = []
        for (arm, label), color, marker in zip(arms.items(), PALETTE, _MARKERS, strict=False):
            runs = table[table.arm == arm][columns].to_numpy(dtype=float)
            axis.plot(depth, runs.T, color=color, alpha=0.35, linewidth=0.6)
            axis.plot(depth, runs.mean(0), color=color, marker=marker, markersize=5)
            ends.append((float(depth[-1]), float(runs[:, -1].mean()), label, color))
        axis.axhline(1, color=FAINT, linewidth=0.8, zorder=0)
        axis.set_title(title)
        axis.set_xticks(depth)
        axis.set_xlabel("BatchNorm, from the input")
        drawn.append((axis, ends))
    axes[0].set_ylim(bottom=0)
    axes[0].set_ylabel("Variance before it,\nevaluation ÷ training")
    for axis, ends in drawn:
        label_ends(axis, ends)
    return Picture(figure)


@house_style
def predicted_and_measured(points: Mapping[str, tuple[Tensor, Tensor]], *, height: float = 3.0) -> Picture:
    """Draw the measured variance ratio of every unit against the predicted one.

    Args:
        points: panel title → (predicted, measured), each ``(C,)``.
        height: height in inches.

    Returns:
        One panel for each title, same axes; on the line the two agree.
    """
    figure, axes = panels(len(points), height=height, sharex=True, sharey=True)
    top = max(1.0, *(float(values.max()) for pair in points.values() for values in pair))
    for axis, (title, (predicted, measured)), color in zip(axes, points.items(), PALETTE, strict=False):
        axis.plot([0, top], [0, top], color=INK, linewidth=0.9)
        axis.plot(predicted, measured, "o", color=color, markersize=3.5, alpha=0.6, markeredgewidth=0)
        axis.set_title(title)
        axis.set_aspect("equal")
    axes[0].set_ylabel("Measured ratio")
    figure.supxlabel("Predicted ratio", fontsize=9.5)
    return Picture(figure)


@house_style
def error_by_rate(tables: Mapping[str, pd.DataFrame], *, height: float = 3.3) -> Picture:
    """Draw the test error against p, with and without normalisation: runs as dots, their mean as a line.

    Args:
        tables: panel title → columns ``norm`` (as in `dropoutlab.normalisation`), ``p``, ``seed``, ``error``.
        height: height in inches.

    Returns:
        One panel for each title; the error is on a logarithmic axis, each panel with its own.
    """
    figure, axes = panels(len(tables), height=height)
    drawn = []
    for axis, (title, table) in zip(axes, tables.items(), strict=True):
        rates = sorted(table.p.unique())
        ends = []
        for side, (norm, (color, marker, label)) in enumerate(_NORMS.items()):
            wide = 100 * table[table.norm == norm].pivot(index="p", columns="seed", values="error")
            if wide.empty:
                continue
            places = np.array([rates.index(p) for p in wide.index], dtype=float)
            # A fixed fan beside the mean instead of random jitter: the picture is the same every time.
            fan = (side - 0.5) * 0.2 + np.linspace(-0.06, 0.06, wide.shape[1])
            axis.plot(
                places[:, None] + fan, wide, marker, color=color, markersize=3, alpha=0.5, markeredgewidth=0
            )
            mean = wide.mean(axis=1)
            axis.plot(places, mean, color=color, marker=marker, markersize=5)
            ends.append((float(places[-1]), float(mean.iloc[-1]), label, color))
        axis.set_yscale("log")
        axis.set_xticks(range(len(rates)), [f"{p:g}" for p in rates])
        axis.set_title(title)
        axis.set_xlabel("Drop probability p")
        axis.grid(axis="y", color=FAINT, linewidth=0.6)
        drawn.append((axis, ends))
    for axis in axes:
        low, high = axis.get_ylim()
        # Whole percentages, all of them where the panel spans little, else steps of about the same length.
        every = range(1, 101) if high < 3 * low else (1, 2, 3, 5, 10, 20, 30, 50, 80)
        ticks = [tick for tick in every if low <= tick <= high]
        axis.set_yticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
    axes[0].set_ylabel("Test error (%)")
    for axis, ends in drawn:
        label_ends(axis, ends)
    return Picture(figure)


@house_style
def statistics_taken_again(table: pd.DataFrame, arms: Mapping[str, str], *, height: float = 2.9) -> Picture:
    """Draw the test error with the statistics of training and with new ones, one line per run.

    Args:
        table: columns ``arm``, ``seed``, ``error`` and ``error_reestimated``.
        arms: name of an arm → title of its panel; every panel has a scale of its own.
        height: height in inches.
    """
    figure, axes = panels(len(arms), height=height)
    for axis, (arm, title), color, marker in zip(axes, arms.items(), PALETTE, _MARKERS, strict=False):
        values = 100 * table[table.arm == arm][["error", "error_reestimated"]].to_numpy(dtype=float)
        axis.plot([0, 1], values.T, color=color, alpha=0.5, linewidth=0.8)
        axis.plot([0, 1], values.mean(0), color=color, marker=marker, markersize=6, linewidth=2.4)
        axis.set_xlim(-0.35, 1.35)
        axis.set_xticks([0, 1], ["as\ntrained", "taken\nagain"])
        axis.set_title(title, fontsize=9)
        axis.margins(y=0.12)
    axes[0].set_ylabel("Test error (%)")
    return Picture(figure)
