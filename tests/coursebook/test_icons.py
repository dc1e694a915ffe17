"""The icon fonts of the book hold what its style sheets show."""

from pathlib import Path

import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont

from coursebook.icons import icons_in, point_to_subsets, shrink

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
FONTS = THEME / "vendor" / "fontawesome" / "webfonts"
ARROW, ANGLE = 0xF062, 0xF107


def test_every_icon_font_of_the_theme_is_loaded_from_its_subset():
    css = point_to_subsets((THEME / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8"))
    assert ".ttf" not in css
    assert ".woff2" not in css
    for name in ("solid-900", "regular-400", "brands-400"):
        assert f'src:url("../vendor/fontawesome/webfonts/fa-{name}.woff") format("woff")' in css


def test_a_font_keeps_the_icons_that_are_shown(tmp_path):
    for name in ("fa-solid-900.ttf", "fa-solid-900.woff2"):
        (tmp_path / name).write_bytes((FONTS / name).read_bytes())
    shrink(tmp_path, {ARROW, ANGLE})
    [path] = tmp_path.iterdir()
    assert path.name == "fa-solid-900.woff"
    assert path.stat().st_size < 3_000
    with TTFont(path) as font:
        assert set(font.getBestCmap()) == {ARROW, ANGLE}
        assert font["glyf"][font.getBestCmap()[ARROW]].numberOfContours > 0  # drawn, not an empty box


@pytest.mark.parametrize("text", [r'content:"\f062"', 'content:"\uf062"', r'content:"\F062 "'])
def test_an_icon_is_found_however_it_is_written(text):
    assert icons_in(text) == {ARROW}
    assert icons_in(r'content:"\2014";color:#f06262') == set()
