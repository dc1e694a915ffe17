"""Figures of chapter 3: thinned networks, what they say, how many are met, and ways to average them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from torch import Tensor

from dropoutlab.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PINK,
    VIOLET,
    Picture,
    house_style,
    label_ends,
    panels,
)
from dropoutlab.stats import mean_interval

# One colour and one marker per way to predict, in all figures of the chapter.
_SCALING = (GREEN, "D")
_ARITHMETIC = (ORANGE, "s")
_GEOMETRIC = (BLUE, "o")

_METRICS = {
    "error": ("Test error (%)", 100.0),
    "nll": ("Cross-entropy (nats)", 1.0),
    "ece": ("ECE (%)", 100.0),
}
_FAN = np.linspace(-0.24, 0.24, 7)  # fixed offsets instead of random jitter: the same picture every time


@house_style
def thinned_networks(
    masks: Tensor, captions: Sequence[str], *, inputs: int = 2, outputs: int = 2, columns: int = 4
) -> Picture:
    """Draw every thinned network of one hidden layer, dropped units crossed out.

    Args:
        masks: boolean ``(M, n)``, ``True`` where kept.
        captions: one text for each network, written below it.
        inputs: input units.
        outputs: output units.
        columns: networks in a row.
    """
    rows = -(-len(masks) // columns)
    figure, axes = panels(columns, rows=rows, height=1.5 * rows)
    for axis in axes:
        axis.axis("off")
    for axis, mask, caption in zip(axes, masks.tolist(), captions, strict=False):
        _network(axis, mask, inputs, outputs)
        axis.set_title("".join("1" if kept else "0" for kept in mask), loc="center")
        axis.text(0.5, -0.16, caption, ha="center", va="top", fontsize=8.5)
        axis.set_xlim(-0.1, 1.1)
        axis.set_ylim(-0.42, 1.1)
    return Picture(figure)


def _network(axis: Axes, mask: Sequence[bool], inputs: int, outputs: int) -> None:
    """Draw three layers from left to right; unit 1 is at the top."""
    left, middle, right = (_heights(count) for count in (inputs, len(mask), outputs))
    for unit, kept in zip(middle, mask, strict=True):
        if kept:
            for end in left:
                axis.plot([0, 0.5], [end, unit], color=INK, linewidth=0.7, zorder=1)
            for end in right:
                axis.plot([0.5, 1], [unit, end], color=INK, linewidth=0.7, zorder=1)
        else:
            axis.plot(0.5, unit, "o", color=FAINT, markersize=9, markeredgewidth=0)
            axis.plot(0.5, unit, "x", color=ORANGE, markersize=7, markeredgewidth=1.8)
    for x, heights in ((0.0, left), (1.0, right)):
        axis.plot([x] * len(heights), heights, "o", color=INK, markersize=6, linewidth=0)
    alive = [unit for unit, kept in zip(middle, mask, strict=True) if kept]
    axis.plot([0.5] * len(alive), alive, "o", color=BLUE, markersize=9, linewidth=0)


def _heights(count: int) -> list[float]:
    return [1 - (i + 0.5) / count for i in range(count)]


@house_style
def visited_shares(
    shares: Mapping[float, Mapping[int, float]], *, draws: int, height: float = 3.0
) -> Picture:
    """Draw which share of all thinned networks training meets, against the number of units.

    Args:
        shares: drop probability → number of units → share in (0, 1].
        draws: number of masks drawn, for the label of the axis.
        height: height in inches.
    """
    figure, (axis,) = panels(height=height)
    ends: list[tuple[float, float, str, str]] = []
    for (p, by_width), color, marker in zip(shares.items(), (BLUE, ORANGE, PINK), "os^", strict=False):
        axis.plot(list(by_width), list(by_width.values()), color=color, marker=marker, markersize=4)
        ends.append((float(list(by_width)[-1]), list(by_width.values())[-1], f"p = {p:g}", color))
    axis.set_yscale("log")
    axis.set_xlabel("Units in the layer")
    axis.set_ylabel(f"Share of networks met\nin {draws:,} draws")
    axis.grid(axis="y", color=FAINT, linewidth=0.6)
    axis.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    axis.set_ylim(bottom=axis.get_ylim()[0] / 3)  # room for the labels of lines that end close together
    label_ends(axis, ends)
    return Picture(figure)


@house_style
def opinions(
    examples: Mapping[str, tuple[ArrayLike, ArrayLike, Mapping[str, float]]], *, height: float = 2.9
) -> Picture:
    """Draw what all thinned networks say about an example, and where their means lie.

    Args:
        examples: panel title → (probability that each network gives to the right class ``(M,)``, probability
            of each network ``(M,)``, means to mark: ``"arithmetic"``, ``"geometric"``, ``"one pass"``).
        height: height in inches.
    """
    figure, axes = panels(len(examples), height=height, sharey=True)
    looks = {"arithmetic": (_ARITHMETIC, 0.97), "geometric": (_GEOMETRIC, 0.97), "one pass": (_SCALING, 0.86)}
    for axis, (title, (values, law, _)) in zip(axes, examples.items(), strict=True):
        axis.hist(
            np.asarray(values, dtype=float),
            bins=list(np.linspace(0, 1, 26)),
            weights=100 * np.asarray(law, dtype=float),
            color=VIOLET,
            alpha=0.6,
        )
        axis.set_title(title)
        axis.set_xlim(-0.02, 1.02)
        axis.set_xlabel("Probability given to the right class")
    top = axes[0].get_ylim()[1] * 1.2
    axes[0].set_ylim(0, top)
    marks = {}
    for axis, (_, _, means) in zip(axes, examples.values(), strict=True):
        for name, value in means.items():
            (color, marker), level = looks[name]
            axis.plot([value, value], [0, level * top], color=color, linewidth=1.4)
            [marks[name]] = axis.plot(value, level * top, marker, color=color, markersize=6.5)
    axes[0].set_ylabel("Thinned networks (%),\nby probability")
    # One pass and the geometric mean lie on one another: labels beside the lines would, too.
    figure.legend(
        list(marks.values()), list(marks), loc="outside upper right", ncols=3, labelcolor="linecolor"
    )
    return Picture(figure)


@house_style
def against_one_pass(one_pass: ArrayLike, means: Mapping[str, ArrayLike], *, height: float = 3.5) -> Picture:
    """Draw a mean over all thinned networks against the one pass without masks, one dot per example.

    Args:
        one_pass: probability of the right class ``(N,)``.
        means: name of the mean (``"geometric"``, ``"arithmetic"``) → the same probability ``(N,)``.
        height: height in inches.
    """
    figure, axes = panels(len(means), height=height, sharex=True, sharey=True)
    looks = {"geometric": _GEOMETRIC, "arithmetic": _ARITHMETIC}
    for axis, (name, values) in zip(axes, means.items(), strict=True):
        color, marker = looks[name]
        axis.plot([0, 1], [0, 1], color=INK, linewidth=0.8, zorder=0)
        axis.plot(
            np.asarray(one_pass, dtype=float),
            np.asarray(values, dtype=float),
            marker,
            color=color,
            markersize=3.5,
            alpha=0.55,
            markeredgewidth=0,
        )
        axis.set_title(f"{name.capitalize()} mean")
        axis.set_xlabel("One pass (weight scaling)")
        axis.set_aspect("equal")
    axes[0].set_ylabel("Mean of all thinned networks")
    return Picture(figure)


@house_style
def by_passes(tables: Mapping[str, pd.DataFrame], *, height: float = 4.6) -> Picture:
    """Draw error, cross-entropy and calibration of the mean of k passes, beside the one pass without masks.

    Args:
        tables: title of a row → table as from `dropoutlab.yardstick.by_passes`.
        height: height in inches.

    Returns:
        A row of three panels for each table. Thin lines are replicas; the band around weight scaling is the
        95 % t-interval of its mean.
    """
    figure, axes = panels(len(_METRICS), rows=len(tables), height=height, sharex=True)
    for row, (title, table) in enumerate(tables.items()):
        for column, (metric, (label, scale)) in enumerate(_METRICS.items()):
            axis = axes[row * len(_METRICS) + column]
            wide = scale * table.pivot(index="passes", columns="seed", values=metric)
            one, sampled = mean_interval(wide.loc[0].to_numpy()), wide.drop(index=0)
            color, _ = _SCALING
            axis.axhspan(one.low, one.high, color=color, alpha=0.22, linewidth=0)
            axis.axhline(one.mean, color=color, linewidth=1.4, linestyle="--")
            color, marker = _ARITHMETIC
            axis.plot(sampled.index, sampled.to_numpy(), color=color, alpha=0.3, linewidth=0.6)
            axis.plot(sampled.index, sampled.mean(axis=1), color=color, marker=marker, markersize=4)
            axis.set_xscale("log")
            axis.set_xticks([1, 10, 100], ["1", "10", "100"])
            axis.minorticks_off()
            axis.set_title(label if row == 0 else "")
            axis.set_ylim(bottom=0)
            if row == len(tables) - 1:
                axis.set_xlabel("Passes averaged")
        axes[row * len(_METRICS)].set_ylabel(title)
    # Below the curves, since every axis begins at 0.
    for name, (color, _), place in (("mean of passes", _ARITHMETIC, 0.22), ("one pass", _SCALING, 0.1)):
        axes[0].text(0.06, place, name, color=color, transform=axes[0].transAxes, va="center")
    return Picture(figure)


@house_style
def ways_to_average(table: pd.DataFrame, *, height: float = 3.0) -> Picture:
    """Draw every replica's error, cross-entropy and disagreement for one network and for ensembles.

    Args:
        table: as from `dropoutlab.yardstick.ways`.
        height: height in inches.

    Returns:
        One panel per metric, one line of dots per way; the bar is the mean with its 95 % t-interval.
    """
    names = list(dict.fromkeys(table.way))
    shown = {
        "error": ("Test error (%)", 100.0),
        "nll": ("Nats", 1.0),
        "disagreement": ("Disagreement (%)", 100.0),
    }
    looks = dict(zip(names, ((BLUE, "o"), _SCALING, _ARITHMETIC, (VIOLET, "v"), (PINK, "^")), strict=False))
    figure, axes = panels(len(shown), height=height, sharey=True)
    for axis, (metric, (title, scale)) in zip(axes, shown.items(), strict=True):
        for place, name in enumerate(names):
            color, marker = looks[name]
            values = scale * table.loc[table.way == name, metric].dropna().to_numpy(dtype=float)
            if not len(values):
                axis.text(0.02, place, "–", color=INK, transform=axis.get_yaxis_transform(), va="center")
                continue
            fan = place + np.resize(_FAN, len(values))
            axis.scatter(values, fan, s=13, color=color, marker=marker, alpha=0.7, linewidths=0)
            mean = mean_interval(values)
            axis.plot([mean.low, mean.high], [place, place], color=INK, linewidth=1.4)
            axis.plot([mean.mean], [place], "|", color=INK, markersize=12, markeredgewidth=1.8)
        axis.set_title(title)
        axis.set_yticks(range(len(names)), names)
        axis.set_xlim(left=0)
        axis.locator_params(axis="x", nbins=4)
        axis.grid(axis="x", color=FAINT, linewidth=0.6)
        axis.set_axisbelow(True)
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].invert_yaxis()
    return Picture(figure)
