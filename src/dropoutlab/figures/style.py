"""The house style: one look, legible on white and on black, and a picture that knows its size."""

import io
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

P = ParamSpec("P")

# Figures have a transparent ground and lie on white in the light theme, on black in the dark one. Each colour
# serves for lines and for their labels, so it must reach 4.5:1 on both, which pins its relative luminance to
# 0.175-0.183 (a test holds this). Equal luminance leaves only hue to tell lines apart: arms get markers too.
INK = "#757575"
FAINT = "#7575754d"
BLUE = "#2375d5"
ORANGE = "#be580d"
GREEN = "#178747"
PINK = "#be4994"
VIOLET = "#7f61d5"
PALETTE = (BLUE, ORANGE, GREEN, PINK, VIOLET)

# One colour and one marker per training arm, the same in every chapter.
ARMS = {
    "no dropout": (BLUE, "o"),
    "dropout": (ORANGE, "s"),
    "L2": (GREEN, "^"),
    "early stopping": (PINK, "D"),
    "augmentation": (VIOLET, "v"),
}

WIDTH = 6.8  # inches; 96 CSS pixels each, so 653 px: the measure of the text column
_CSS_DPI = 96
_SCALE = 2  # device pixels per CSS pixel, so that high-density screens show crisp lines

# Any, because matplotlib types each key and no dict of ours would match all of them.
_RC: Any = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same letters on every machine
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}


class Picture:
    """A finished figure as Jupyter shows it: a 2× PNG displayed at its logical size.

    It holds bytes, not a live figure, so showing it twice gives the same picture and nothing stays open.

    Attributes:
        png: the encoded image.
        width: width in CSS pixels.
        height: height in CSS pixels.
    """

    def __init__(self, figure: Figure) -> None:
        buffer = io.BytesIO()
        with rc_context(_RC):
            figure.savefig(buffer, format="png", dpi=_CSS_DPI * _SCALE)
        image = Image.open(buffer).convert("RGBA")
        self.width, self.height = -(-image.width // _SCALE), -(-image.height // _SCALE)
        # Transparent rows complete the last CSS pixel: a picture of 652.5 would be shown blurred at 652.
        image = image.crop((0, 0, self.width * _SCALE, self.height * _SCALE))
        # Line art needs few colours: a palette cuts the file to about a third without visible loss.
        small = image.quantize(colors=128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        encoded = io.BytesIO()
        small.save(encoded, format="png", optimize=True)
        self.png = encoded.getvalue()

    def __repr__(self) -> str:
        return f"<figure {self.width}×{self.height}>"

    def _repr_mimebundle_(self, **_formats: object) -> tuple[dict[str, Any], dict[str, Any]]:
        size = {"width": self.width, "height": self.height}
        return {"image/png": self.png, "text/plain": repr(self)}, {"image/png": size}


def house_style(draw: Callable[P, Picture]) -> Callable[P, Picture]:
    """Run a figure function under the house style, leaving matplotlib's own settings as they were."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Picture:
        with rc_context(_RC):
            return draw(*args, **kwargs)

    return styled


def panels(
    columns: int = 1, *, rows: int = 1, height: float = 3.2, width: float = WIDTH, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Make an empty figure in the house style, without pyplot and its global state.

    Args:
        columns: panels side by side.
        rows: panels above each other.
        height: height of the figure in inches.
        width: width of the figure in inches.
        options: passed to `matplotlib.figure.Figure.subplots`, e.g. ``sharey=True``.

    Returns:
        The figure and its axes, row by row.

    Example:
        >>> figure, axes = panels(2)
        >>> len(axes)
        2
    """
    with rc_context(_RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.flat)


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]], *, gap: float = 12) -> None:
    """Write a label beside the end of each line, in the line's colour: no legend to look up.

    Labels whose lines end close together are moved apart. Call it last, when the axis limits are final.

    Args:
        axes: where to write.
        ends: x, y (data coordinates of the end of the line), text and colour of each label.
        gap: smallest vertical distance between two labels, in points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None  # axes made by `panels` always have one
    figure.draw_without_rendering()  # the layout must be settled before distances mean anything
    points = 72 / figure.dpi
    heights = [float(axes.transData.transform((x, y))[1]) * points for x, y, _, _ in ends]
    placed = _spread(heights, gap)
    for (x, y, text, color), height, target in zip(ends, heights, placed, strict=True):
        axes.annotate(
            text,
            (x, y),
            xytext=(6, target - height),
            textcoords="offset points",
            color=color,
            va="center",
            annotation_clip=False,
        )


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Move numbers apart until neighbours differ by at least ``gap``, keeping their order and centre."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    groups: list[tuple[float, list[int]]] = []  # (centre, members from low to high)
    for index in order:
        centre, members = heights[index], [index]
        while groups and centre - groups[-1][0] < gap * (len(members) + len(groups[-1][1])) / 2:
            below, lower = groups.pop()
            total = len(lower) + len(members)
            centre = (below * len(lower) + centre * len(members)) / total
            members = lower + members
        groups.append((centre, members))
    placed = [0.0] * len(heights)
    for centre, members in groups:
        for rank, index in enumerate(members):
            placed[index] = centre + gap * (rank - (len(members) - 1) / 2)
    return placed
