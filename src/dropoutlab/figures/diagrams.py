"""Diagrams of chapter 5: where dropout stands in a network, and which masks a sequence meets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from torch import Tensor

from dropoutlab.figures.style import BLUE, FAINT, INK, ORANGE, Picture, house_style, panels

_ROW, _SKIP = 0.62, 0.3  # inches for a chain with its title, and for the arcs above it
_LETTER = 5.9  # points, a little more than the mean width of a letter
_PADDING = 9.0  # points from a label to the edges of its box, both sides together


@dataclass(frozen=True)
class Pattern:
    """A chain of layers from input to output.

    Attributes:
        steps: labels from left to right. Those that begin with ``Dropout`` or ``DropPath`` are drawn in the
            colour of dropout, ``+`` as a circle, and the first and last as plain words.
        skips: shortcuts, each from the step that it leaves to the ``+`` where it arrives.
    """

    steps: tuple[str, ...]
    skips: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        """Refuse shortcuts that lead nowhere."""
        for start, end in self.skips:
            if not 0 <= start < end < len(self.steps) or self.steps[end] != "+":
                raise ValueError(
                    f"a shortcut leads from a step to a later '+', got {start} to {end} of {list(self.steps)}"
                )


@house_style
def patterns(chains: Mapping[str, Pattern]) -> Picture:
    """Draw each pattern as a chain of boxes, dropout dashed and in orange.

    Args:
        chains: title → pattern.
    """
    heights = [_ROW + (_SKIP if chain.skips else 0) for chain in chains.values()]
    figure, axes = panels(rows=len(chains), height=sum(heights), height_ratios=heights)
    widest = max(sum(map(_width, chain.steps)) for chain in chains.values())
    most = max(len(chain.steps) for chain in chains.values())
    span = max(470.0, widest + 12 * (most - 1))
    for axis, (title, chain), height in zip(axes, chains.items(), heights, strict=True):
        axis.axis("off")
        axis.set_title(title)
        axis.set_xlim(0, span)
        axis.set_ylim(-0.5, -0.5 + height / 0.38)
        _chain(axis, chain, span)
    return Picture(figure)


def _width(step: str) -> float:
    return 16.0 if step == "+" else _LETTER * max(map(len, step.split("\n"))) + _PADDING


def _chain(axis: Axes, chain: Pattern, span: float) -> None:
    widths = [_width(step) for step in chain.steps]
    gap = min(26.0, (span - sum(widths)) / max(len(widths) - 1, 1))
    left, middles = 0.0, []
    for index, (step, width) in enumerate(zip(chain.steps, widths, strict=True)):
        middle = left + width / 2
        middles.append(middle)
        drop = step.startswith("Drop")
        ends = index in (0, len(widths) - 1)
        box = {
            "boxstyle": "circle,pad=0.15" if step == "+" else "round,pad=0.35",
            "facecolor": "none",
            "edgecolor": "none" if ends else ORANGE if drop else INK,
            "linestyle": "--" if drop else "-",
            "linewidth": 1.4 if drop else 0.9,
        }
        axis.text(
            middle, 0, step, ha="center", va="center", color=ORANGE if drop else INK, fontsize=9, bbox=box
        )
        if index:
            start = left - gap
            _arrow(axis, (start + 2, 0), (left - 1, 0))
        left += width + gap
    for start, end in chain.skips:
        height = 0.95
        axis.plot(
            [middles[start], middles[start], middles[end]], [0.45, height, height], color=BLUE, linewidth=1.4
        )
        _arrow(axis, (middles[end], height), (middles[end], 0.38), color=BLUE)
        axis.text(
            (middles[start] + middles[end]) / 2,
            height + 0.08,
            "shortcut",
            color=BLUE,
            fontsize=8.5,
            ha="center",
        )


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], *, color: str = INK) -> None:
    axis.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=8, color=color, linewidth=0.9, shrinkA=0, shrinkB=0
        )
    )


@house_style
def masks_along_time(masks: Mapping[str, Tensor], *, height: float = 2.5) -> Picture:
    """Draw which units of a state survive at which step; a line joins the steps that a unit lives through.

    Args:
        masks: panel title → mask ``(T, n)`` of one sequence, true where kept.
        height: height in inches.
    """
    figure, axes = panels(len(masks), height=height)
    for axis, (title, mask) in zip(axes, masks.items(), strict=True):
        steps, units = mask.shape
        for unit in range(units):
            kept = mask[:, unit].tolist()
            _lives(axis, unit, kept)
            dropped = [t for t, alive in enumerate(kept) if not alive]
            axis.plot(dropped, [unit] * len(dropped), "x", color=ORANGE, markersize=5, markeredgewidth=1.4)
        axis.set_title(title)
        axis.set_xlim(-0.7, steps - 0.3)
        axis.set_ylim(units - 0.4, -0.6)
        axis.set_yticks([0, units - 1], ["unit 1", f"unit {units}"])
        axis.set_xticks([0, steps - 1], ["step 1", f"step {steps}"])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    return Picture(figure)


def _lives(axis: Axes, unit: int, kept: Sequence[bool]) -> None:
    """Draw kept steps as dots, and join those that follow one another."""
    axis.plot([0, len(kept) - 1], [unit, unit], color=FAINT, linewidth=0.6, zorder=0)
    alive = [t for t, one in enumerate(kept) if one]
    axis.plot(alive, [unit] * len(alive), "o", color=BLUE, markersize=4, linewidth=0)
    for t in alive:
        if t + 1 < len(kept) and kept[t + 1]:
            axis.plot([t, t + 1], [unit, unit], color=BLUE, linewidth=1.6)
