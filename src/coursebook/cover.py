"""The cover of the e-book: its title, and the network of the logo."""

import re
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from coursebook.assets import SITE

_SVG = "{http://www.w3.org/2000/svg}"
_WIDTH, _HEIGHT, _DPI = 1600, 2400, 200
_SIDE = 120  # the width of the logo's drawing, and of the cover, in its units
_STROKE = _WIDTH / _SIDE / _DPI * 72  # one unit in points
_LINE = re.compile(r"M([\d.]+) ([\d.]+)([Ll])([-\d.]+)[ ]?([-\d.]+)")


def draw_cover(title: str, author: str, target: Path) -> None:
    """Draw the cover as a PNG of 1600 × 2400 pixels, the size that shops of e-books ask for.

    Args:
        title: written large, a word or two to the line.
        author: written small, at the foot.
        target: the file to write.
    """
    figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, _SIDE)
    axes.set_ylim(_SIDE * _HEIGHT / _WIDTH, 0)  # downwards, as in the drawing
    axes.set_axis_off()
    for group in ET.parse(SITE / "logo.svg").getroot().iter(f"{_SVG}g"):  # noqa: S314  (our own file)
        _draw_lines(axes, group)
        for circle in group.iter(f"{_SVG}circle"):
            centre, radius = (_at(circle, "cx"), 12 + _at(circle, "cy")), _at(circle, "r")
            axes.add_patch(Circle(centre, radius, color=group.get("fill"), zorder=2))
    axes.text(10, 128, textwrap.fill(title, 9), fontsize=44, fontweight="bold", va="center", linespacing=1.2)
    axes.text(10, 170, author, fontsize=11)
    figure.savefig(target, dpi=_DPI, metadata={"Software": None})


def _at(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


def _draw_lines(axes: object, group: ET.Element) -> None:
    for path in group.iter(f"{_SVG}path"):
        for x, y, kind, right, down in _LINE.findall(path.get("d", "")):
            start = (float(x), float(y))
            end = (float(right), float(down))
            if kind == "l":
                end = (start[0] + end[0], start[1] + end[1])
            axes.add_line(  # type: ignore[attr-defined]
                Line2D(
                    (start[0], end[0]),
                    (start[1] + 12, end[1] + 12),
                    color=group.get("stroke"),
                    linewidth=_at(group, "stroke-width") * _STROKE,
                    alpha=float(group.get("opacity", "1")),
                    solid_capstyle="round",
                    zorder=3 if kind == "l" else 1,
                )
            )
