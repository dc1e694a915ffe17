import re
from configparser import ConfigParser
from pathlib import Path

import pydata_sphinx_theme
import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from coursebook.plain_code import STYLES, PlainCode, is_plain

CODE = """from torch import nn  # a comment

@torch.no_grad()
def f(x: int, *, y=0.5) -> str:
    return f"{x + 1:.2f} and 'text' < &" if not y else nn.Linear(3, 4)
"""


def test_the_styles_are_those_of_the_theme():
    theme = ConfigParser()
    folder = Path(pydata_sphinx_theme.__file__).parent
    theme.read(folder / "theme" / "pydata_sphinx_theme" / "theme.conf")
    named = tuple(theme["options"][f"pygments_{scheme}_style"] for scheme in ("light", "dark"))
    assert named == STYLES


@pytest.mark.parametrize("language", ["python", "ipython3", "pycon", "console", "yaml"])
def test_the_text_stays_and_every_colour_with_it(language):
    lexer = get_lexer_by_name(language)
    before, after = (highlight(CODE, lexer, formatter()) for formatter in (HtmlFormatter, PlainCode))
    assert re.sub("<[^>]*>", "", after) == re.sub("<[^>]*>", "", before)
    # Every element that is left was there before, in the same order.
    element = re.compile(r'<span class="([^"]+)">(.*?)</span>')
    left = element.findall(after)
    coloured = [
        found for found in element.findall(before) if found[0].split()[0] not in {"n", "p", "w", "nn"}
    ]
    assert left == coloured
    if "python" in language:
        assert {"n", "p"} <= {found[0] for found in element.findall(before)}
        assert len(left) > 5


def test_a_kind_that_is_coloured_in_one_theme_only_keeps_its_element(monkeypatch):
    from pygments.style import Style
    from pygments.token import Name

    class Coloured(Style):
        styles = {Name: "#ff0000"}  # noqa: RUF012  (as Pygments declares it)

    from coursebook import plain_code

    styles = {STYLES[0]: plain_code.get_style_by_name(STYLES[0]), STYLES[1]: Coloured}
    monkeypatch.setattr(plain_code, "get_style_by_name", styles.__getitem__)
    is_plain.cache_clear()
    try:
        assert not is_plain(Name)
    finally:
        is_plain.cache_clear()
