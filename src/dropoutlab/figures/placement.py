"""Figures of chapter 5: two orders, pooled noise, noise along shortcuts, outputs that are dropped."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
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
    Picture,
    house_style,
    label_ends,
    panels,
)
from dropoutlab.masked_outputs import masked_squared_error

_MARKERS = ("o", "s", "^", "D", "v")


@house_style
def two_orders(
    activations: Mapping[str, Callable[[Tensor], Tensor]], p: float, *, height: float = 2.6
) -> Picture:
    """Draw what leaves a unit if dropout follows the activation, and if it comes first.

    Args:
        activations: panel title → element-wise function.
        p: drop probability in [0, 1).
        height: height in inches.

    Returns:
        One panel for each activation: kept and dropped outputs over the pre-activation, solid lines for
        activation first and dashed ones for dropout first.
    """
    figure, axes = panels(len(activations), height=height)
    z = torch.linspace(-3, 3, 121, dtype=torch.float64)
    q = 1 - p
    for axis, (title, activation) in zip(axes, activations.items(), strict=True):
        axis.plot(z, activation(z) / q, color=BLUE, label="activation first")
        axis.plot(z, torch.zeros_like(z), color=BLUE)
        axis.plot(z, activation(z / q), color=ORANGE, linestyle=(0, (3, 2)), label="dropout first")
        axis.plot(z, activation(torch.zeros_like(z)), color=ORANGE, linestyle=(0, (3, 2)))
        axis.set_title(title)
        axis.set_xticks([-2, 0, 2])
        axis.grid(color=FAINT, linewidth=0.5)
    axes[0].set_ylabel("Output, kept and dropped")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    figure.supxlabel("Pre-activation z", fontsize=9.5)
    return Picture(figure)


@house_style
def effects_by_rate(
    panels_: Mapping[str, Mapping[str, Mapping[float, ArrayLike]]],
    *,
    xlabel: str,
    ylabel: str,
    height: float = 3.0,
) -> Picture:
    """Draw paired changes against a rate: every replica a dot, means joined by a line.

    Args:
        panels_: panel title → line label → rate → differences of the replicas (fractions), drawn as points.
        xlabel: what the rate is of.
        ylabel: what changes.
        height: height in inches.
    """
    figure, axes = panels(len(panels_), height=height)
    for axis, (title, lines) in zip(axes, panels_.items(), strict=True):
        ends = []
        for place, (label, rates) in enumerate(lines.items()):
            color, marker = PALETTE[place], _MARKERS[place]
            means = []
            for position, values in enumerate(rates.values()):
                dots = 100 * np.asarray(values, dtype=float)
                fan = position + 0.14 * (place - (len(lines) - 1) / 2) + np.linspace(-0.05, 0.05, len(dots))
                axis.scatter(fan, dots, s=10, color=color, marker=marker, alpha=0.6, linewidths=0)
                means.append(float(dots.mean()))
            axis.plot(range(len(means)), means, color=color, linewidth=1.4)
            ends.append((len(means) - 1 + 0.12, means[-1], label, color))
        axis.axhline(0, color=INK, linewidth=0.9)
        axis.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        axis.set_title(title)
        axis.grid(axis="y", color=FAINT, linewidth=0.6)
        axis.set_axisbelow(True)
        label_ends(axis, ends)
    axes[0].set_ylabel(ylabel)
    figure.supxlabel(xlabel, fontsize=9.5)
    return Picture(figure)


@house_style
def pooled_ratios(expected: Tensor, measured: Tensor, pixels: int, *, height: float = 3.0) -> Picture:
    """Set measured ratios of variances after pooling against the effective number of pixels.

    Args:
        expected: effective number of pixels of each map.
        measured: variance with a coin for each map, divided by that with a coin for each pixel.
        pixels: pixels of a map, the largest possible ratio.
        height: height in inches.
    """
    figure, (axis,) = panels(height=height)
    axis.plot([1, pixels], [1, pixels], color=INK, linewidth=1, linestyle=(0, (2, 2)))
    axis.plot(expected, measured, "o", color=BLUE, markersize=3.5, alpha=0.6, markeredgewidth=0)
    axis.plot([pixels], [pixels], "s", color=ORANGE, markersize=6)
    axis.annotate(
        "constant map", (pixels, pixels), xytext=(-8, 0), textcoords="offset points", color=ORANGE,
        ha="right", va="center",
    )  # fmt: skip
    axis.annotate("single pixel", (1, 1), xytext=(8, 0), textcoords="offset points", color=INK, va="center")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    ticks = [2**k for k in range(int(np.log2(pixels)) + 1)]
    axis.set_xticks(ticks, list(map(str, ticks)))
    axis.set_yticks(ticks, list(map(str, ticks)))
    axis.set_xlabel("Pixels over which the map is spread (exact)")
    axis.set_ylabel("Variance after pooling,\nmap ÷ pixel (drawn)")
    return Picture(figure)


@house_style
def noise_along_blocks(runs: Mapping[str, Sequence[Sequence[float]]], *, height: float = 2.9) -> Picture:
    """Draw how relative noise grows from block to block, on a logarithmic axis.

    Args:
        runs: label → for each seed the noise after each block, as from `dropoutlab.shortcuts`.
        height: height in inches.
    """
    figure, (axis,) = panels(height=height)
    ends = []
    for (label, values), color in zip(runs.items(), (BLUE, ORANGE, PINK), strict=False):
        table = np.asarray(values, dtype=float)
        depth = np.arange(1, table.shape[1] + 1)
        axis.plot(depth, table.T, color=color, alpha=0.35, linewidth=0.6)
        axis.plot(depth, np.exp(np.log(table).mean(0)), color=color)
        ends.append((float(depth[-1]), float(np.exp(np.log(table[:, -1]).mean())), label, color))
    axis.set_yscale("log")
    axis.set_xticks([1, *range(5, table.shape[1] + 1, 5)])
    axis.set_xlabel("Residual block")
    axis.set_ylabel("Noise ÷ signal\n(squares)")
    axis.grid(axis="y", color=FAINT, linewidth=0.6)
    label_ends(axis, ends)
    return Picture(figure)


@house_style
def dropped_regression(
    target: float, rates: Sequence[float], rows: pd.DataFrame, arms: Mapping[str, str], *, height: float = 3.0
) -> Picture:
    """Draw why a dropped regression output shrinks, and that stored runs shrank.

    Args:
        target: the target t of the left panel.
        rates: drop probabilities of its curves.
        rows: stored runs with columns ``arm``, ``mse`` and ``slope``.
        arms: arm → label, from top to bottom of the right panel.
        height: height in inches.

    Returns:
        Left: the exact expected loss over the output, its minimum marked. Right: slope against squared error
        of every run.
    """
    figure, (left, right) = panels(2, height=height)
    f = torch.linspace(-0.5, 3, 141, dtype=torch.float64)
    for p, color, marker in zip(rates, PALETTE, _MARKERS, strict=False):
        left.plot(f, masked_squared_error(f, target, p), color=color)
        best = (1 - p) * target
        value = float(masked_squared_error(torch.tensor(best, dtype=torch.float64), target, p))
        left.plot([best], [value], marker, color=color, markersize=7)
        left.annotate(
            f"p = {p:g}", (best, value), xytext=(0, -13), textcoords="offset points", color=color, ha="center"
        )
    left.axvline(target, color=INK, linewidth=0.8, linestyle=":")
    left.set_ylim(-1.1, 7)
    left.set_xlabel("What the network puts out")
    left.set_ylabel("Expected squared error")
    left.set_title("Exact, target 2")
    for (arm, label), color, marker in zip(arms.items(), PALETTE, _MARKERS, strict=False):
        runs = rows[rows.arm == arm]
        right.plot(
            runs.slope,
            runs.mse,
            marker,
            color=color,
            markersize=4,
            alpha=0.75,
            markeredgewidth=0,
            label=label,
        )
    right.set_xlabel("Slope of predictions on targets")
    right.set_ylabel("Test squared error")
    right.set_title("Measured, 20 seeds each")
    right.legend(loc="upper right", borderaxespad=0.1, handletextpad=0.1)
    return Picture(figure)


@house_style
def change_of_two(
    changes: Mapping[str, tuple[ArrayLike, ArrayLike]], labels: tuple[str, str], *, height: float = 3.2
) -> Picture:
    """Draw paired changes of error and of cross-entropy side by side, one row for each arm.

    Args:
        changes: row label → (changes of the error as fractions, changes of the cross-entropy in nats).
        labels: axis labels of the two panels.
        height: height in inches.
    """
    figure, axes = panels(2, height=height, sharey=True)
    for axis, which, scale, color, label in zip(axes, (0, 1), (100, 1), (BLUE, GREEN), labels, strict=True):
        for row, pair in enumerate(changes.values()):
            values = scale * np.asarray(pair[which], dtype=float)
            fan = row + np.linspace(-0.22, 0.22, len(values))
            axis.scatter(values, fan, s=13, color=color, alpha=0.7, linewidths=0)
            axis.plot([values.mean()] * 2, [row - 0.34, row + 0.34], color=color, linewidth=2.2)
        axis.axvline(0, color=INK, linewidth=0.9)
        axis.set_yticks(range(len(changes)), list(changes))
        axis.set_xlabel(label)
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="x", color=FAINT, linewidth=0.6)
        axis.set_axisbelow(True)
    axes[0].invert_yaxis()
    return Picture(figure)
