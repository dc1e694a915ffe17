"""The picture that a link to a page shows elsewhere: its title and what it is about, in the house style."""

import io
import textwrap
from itertools import pairwise

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dropoutlab.figures.style import BLUE, INK, ORANGE

WIDTH, HEIGHT = 1200, 630  # pixels, the size that most places ask for
_DPI = 100
_DARK, _GROUND = "#14181e", "#ffffff"

# The network of the logo, within 120 by 100.
_LAYERS = (((18, 22), (18, 50)), ((60, 14), (60, 62), (60, 86)), ((102, 34), (102, 66)))
_DROPPED = ((18, 78), (60, 38))


def draw(title: str, text: str, book: str) -> bytes:
    """Draw the card of a page.

    Args:
        title: of the page.
        text: what it is about, one or two sentences.
        book: the book's title, at the foot.

    Returns:
        A PNG of WIDTH by HEIGHT pixels.
    """
    figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=_GROUND)
    FigureCanvasAgg(figure)
    with rc_context({"font.family": "DejaVu Sans", "svg.fonttype": "none"}):
        _logo(figure)
        size, width = (42, 22) if len(title) <= 44 else (32, 29)
        lines = textwrap.wrap(title, width)
        figure.text(
            0.07, 0.88, "\n".join(lines), size=size, weight="bold", color=_DARK, va="top", linespacing=1.15
        )
        top = 0.88 - len(lines) * size * 1.2 * 1.25 / (72 / _DPI) / HEIGHT - 0.04
        wrapped = "\n".join(textwrap.wrap(text, 48))
        figure.text(0.07, top, wrapped, size=24, color="#3f4650", va="top", linespacing=1.4)
        figure.text(0.07, 0.09, book, size=19, weight="bold", color=BLUE, va="center")
        figure.text(0.93, 0.09, "An executable course", size=19, color=INK, va="center", ha="right")
        line = figure.add_axes((0, 0, 1, 0.018), facecolor=BLUE)
        line.set(xticks=[], yticks=[])
        line.spines[:].set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _logo(figure: Figure) -> None:
    axes = figure.add_axes((0.75, 0.6, 0.2, 0.2 * 100 / 120 * WIDTH / HEIGHT))
    axes.set(xlim=(0, 120), ylim=(100, 0), aspect="equal")
    axes.axis("off")
    for layer, following in pairwise(_LAYERS):
        for x, y in layer:
            for to_x, to_y in following:
                axes.plot((x, to_x), (y, to_y), color=INK, linewidth=2, alpha=0.75, zorder=1)
    for x, y in (unit for layer in _LAYERS for unit in layer):
        axes.plot(x, y, "o", color=BLUE, markersize=24, zorder=2)
    for x, y in _DROPPED:
        axes.plot(x, y, "x", color=ORANGE, markersize=19, markeredgewidth=6, zorder=2)
