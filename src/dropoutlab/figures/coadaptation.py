"""Figures of chapter 2: a pair of units, lesions, readings of a hidden layer, features, damaged images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from torch import Tensor

from dropoutlab.data import Split
from dropoutlab.figures.style import ARMS, FAINT, GREEN, INK, PINK, Picture, house_style, label_ends, panels

# The enlarged network of the lesion figure is no training arm: a colour of its own.
_ARMS = {**ARMS, "no dropout, 4 copies": (GREEN, "^")}
_CLASSES = ((ARMS["no dropout"][0], "o"), (PINK, "^"))


@house_style
def two_units(split: Split, unit: int, partner: int, *, height: float = 3.0) -> Picture:
    """Show what two units put out: one against the other, and each on its own.

    Args:
        split: activations ``(N, n)`` and classes 0 and 1.
        unit: drawn upwards.
        partner: drawn to the right.
        height: height in inches.

    Returns:
        Two panels: the pair as points, and the pair's difference and single units as rows of points.
    """
    figure, (plane, lines) = panels(2, height=height, width_ratios=(1, 1.25))
    values = {
        f"unit {partner}": split.x[:, partner],
        f"unit {unit}": split.x[:, unit],
        "difference": split.x[:, unit] - split.x[:, partner],
    }
    for label, (color, marker) in enumerate(_CLASSES):
        chosen = split.y == label
        style: dict[str, Any] = {"color": color, "markersize": 3.5, "alpha": 0.7, "markeredgewidth": 0}
        plane.plot(split.x[chosen, partner], split.x[chosen, unit], marker, label=f"class {label}", **style)
        for row, each in enumerate(values.values()):
            place = row + (label - 0.5) * 0.34 + np.resize(np.linspace(-0.1, 0.1, 7), int(chosen.sum()))
            lines.plot(each[chosen], place, marker, **style)
    plane.set_xlabel(f"Unit {partner}")
    plane.set_ylabel(f"Unit {unit}")
    plane.legend(loc="upper left", borderaxespad=0, handletextpad=0.1)
    plane.set_title("Together")
    lines.set_title("One number each")
    lines.set_yticks(range(len(values)), list(values))
    lines.spines["left"].set_visible(False)
    lines.tick_params(axis="y", length=0)
    lines.set_xlabel("Activation")
    return Picture(figure)


@house_style
def spoken_weights(
    arms: Mapping[str, Sequence[Tensor]], marked: Sequence[int], *, height: float = 2.8
) -> Picture:
    """Draw how strongly every unit speaks for a class, one dot for each unit and replica.

    Args:
        arms: arm → one vector of weights ``(n,)`` for each replica; one panel each, with its own scale.
        marked: units to name.
        height: height in inches.
    """
    figure, axes = panels(len(arms), height=height)
    for axis, (arm, vectors) in zip(axes, arms.items(), strict=True):
        color, marker = _ARMS[arm]
        stack = np.stack([vector.numpy() for vector in vectors])
        units = np.arange(stack.shape[1])
        for weights in stack:
            axis.plot(units, weights, marker, color=color, markersize=3, alpha=0.3, markeredgewidth=0)
        axis.plot(units, stack.mean(0), "_", color=INK, markersize=5, markeredgewidth=1.3)
        axis.axhline(0, color=INK, linewidth=0.8)
        axis.set_xticks(list(marked), [str(unit) for unit in marked])
        axis.grid(axis="x", color=FAINT, linewidth=0.8)
        axis.set_axisbelow(True)
        axis.set_title(arm[0].upper() + arm[1:])
        axis.set_xlabel("Unit")
    axes[0].set_ylabel("Weight for class 1")
    return Picture(figure)


@house_style
def lesion_curves(titles: Mapping[str, pd.DataFrame], *, height: float = 3.1) -> Picture:
    """Draw the test error against the fraction of units taken away.

    Args:
        titles: panel title → table as from `dropoutlab.hidden_layers.lesion_curves`.
        height: height in inches.

    Returns:
        One panel for each title; thin lines are replicas, thick lines their mean.
    """
    figure, axes = panels(len(titles), height=height, sharey=True)
    for axis, (title, table) in zip(axes, titles.items(), strict=True):
        scaled = table.assign(level=100 * table.lost)
        ends = _curves(axis, scaled)
        axis.set_title(title)
        axis.set_xlabel("Units taken away (%)")
    axes[0].set_ylabel("Test error (%)")
    axes[0].set_ylim(bottom=0)
    label_ends(axes[-1], ends)
    return Picture(figure)


@house_style
def damage_curves(table: pd.DataFrame, xlabels: Mapping[str, str], *, height: float = 3.0) -> Picture:
    """Draw the test error against how badly the images are damaged, one panel for each damage.

    Args:
        table: as from `dropoutlab.hidden_layers.damage_curves`.
        xlabels: damage → what its level means; one panel each.
        height: height in inches.
    """
    figure, axes = panels(len(xlabels), height=height, sharey=True)
    for axis, (damage, label) in zip(axes, xlabels.items(), strict=True):
        ends = _curves(axis, table[table.damage == damage])
        axis.set_xlabel(label)
    axes[0].set_ylabel("Test error (%)")
    axes[0].set_ylim(bottom=0)
    label_ends(axes[-1], ends)
    return Picture(figure)


def _curves(axis: Axes, table: pd.DataFrame) -> list[tuple[float, float, str, str]]:
    """Draw error (in per cent) against ``level`` for every arm; return where the means end."""
    ends = []
    for arm, (color, marker) in _ARMS.items():
        rows = table[table.arm == arm]
        if rows.empty:
            continue
        wide = 100 * rows.pivot(index="level", columns="seed", values="error")
        axis.plot(wide.index, wide.to_numpy(), color=color, alpha=0.25, linewidth=0.6)
        mean = wide.mean(axis=1)
        axis.plot(mean.index, mean, color=color, marker=marker, markersize=4, linewidth=2.0)
        ends.append((float(mean.index[-1]), float(mean.iloc[-1]), arm, color))
    return ends


@house_style
def pair_sums(table: pd.DataFrame, *, height: float = 3.2) -> Picture:
    """Draw what losing two units costs against the sum of what losing each costs.

    Args:
        table: as from `dropoutlab.hidden_layers.random_pairs`, in nats.
        height: height in inches.

    Returns:
        One panel for each arm, same axes, in thousandths of a nat; the line is where losses add up.
    """
    arms = [arm for arm in _ARMS if arm in set(table.arm)]
    figure, axes = panels(len(arms), height=height, sharex=True, sharey=True)
    for axis, arm in zip(axes, arms, strict=True):
        color, marker = _ARMS[arm]
        rows = table[table.arm == arm]
        total = 1000 * (rows["first"] + rows["second"])
        axis.axline((0, 0), slope=1, color=INK, linewidth=0.9)
        axis.plot(total, 1000 * rows.both, marker, color=color, markersize=2.6, alpha=0.45, markeredgewidth=0)
        axis.set_title(arm[0].upper() + arm[1:])
        axis.set_aspect("equal")
    axes[0].set_ylabel("Loss rise without both (mnat)")
    figure.supxlabel("Sum of the rises without each (mnat)", fontsize=9.5)
    return Picture(figure)


@house_style
def paired_readings(
    table: pd.DataFrame,
    arms: Sequence[str],
    metrics: Mapping[str, tuple[str, float]],
    *,
    columns: int = 4,
    row_height: float = 2.2,
) -> Picture:
    """Draw each metric as slopes: one line per seed from the first arm to the second, and their means.

    Args:
        table: columns ``arm``, ``seed`` and the metrics.
        arms: two arms, from left to right.
        metrics: column → (panel title, factor to the units of the title).
        columns: panels in a row.
        row_height: inches for a row of panels.

    Raises:
        ValueError: there are not exactly two arms, or a seed is missing from one of them.
    """
    if len(arms) != 2:
        raise ValueError(f"slopes lead from one arm to one other, got {list(arms)}")
    rows = -(-len(metrics) // columns)
    figure, axes = panels(columns, rows=rows, height=rows * row_height)
    for axis in axes[len(metrics) :]:
        axis.axis("off")
    for axis, (metric, (title, factor)) in zip(axes, metrics.items(), strict=False):
        wide = factor * table.pivot(index="seed", columns="arm", values=metric)[list(arms)]
        if bool(wide.isna().any(axis=None)):
            raise ValueError(f"every seed needs a value of {metric!r} in both arms")
        axis.plot([0, 1], wide.to_numpy().T, color=INK, alpha=0.4, linewidth=0.7)
        for place, arm in enumerate(arms):
            color, marker = _ARMS.get(arm, (INK, "o"))
            axis.plot([place] * len(wide), wide[arm], marker, color=color, markersize=3, markeredgewidth=0)
            inward = place + (0.13 if place else -0.13)
            axis.plot([inward], [wide[arm].mean()], "D", color=color, markersize=5.5)
        axis.set_xlim(-0.35, 1.35)
        axis.set_xticks([0, 1], ["without", "with"])
        axis.set_title(title, fontsize=9)
        axis.margins(y=0.12)
    return Picture(figure)


@house_style
def features(rows: Mapping[str, Tensor], image_shape: tuple[int, int]) -> Picture:
    """Draw incoming weights as images, the same units in every row.

    Args:
        rows: label → weights ``(n, H * W)`` of n units.
        image_shape: ``(H, W)``.

    Returns:
        A grid: one row for each label, one column for each unit. Each row has one scale, from its most
        negative (dark violet) over 0 (white) to its most positive weight (dark orange).
    """
    counts = {len(weights) for weights in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"every row needs the same number of units, got {sorted(counts)}")
    (n,) = counts
    figure, axes = panels(n, rows=len(rows), height=0.72 * len(rows))
    for row, (label, weights) in enumerate(rows.items()):
        limit = float(weights.abs().max())
        for column in range(n):
            axis = axes[row * n + column]
            image = weights[column].reshape(image_shape).numpy()
            axis.imshow(image, cmap="PuOr_r", vmin=-limit, vmax=limit)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.spines[:].set_visible(False)
        axes[row * n].set_ylabel(label, rotation=0, ha="right", va="center")
    return Picture(figure)
