r"""Markdown of a card as HTML for Anki, with formulas between ``\(`` and ``\)`` for its MathJax."""

import re
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

_BLOCK = re.compile(r'<div class="math block">\s*(.*?)\s*</div>', re.DOTALL)
_INLINE = re.compile(r'<span class="math inline">(.*?)</span>', re.DOTALL)


def to_html(text: str) -> str:
    r"""Blocks of Markdown as HTML.

    Example:
        >>> to_html("Keep with $q < 1$, **not** $p$.")
        '<p>Keep with \\(q &lt; 1\\), <strong>not</strong> \\(p\\).</p>'
    """
    return _tidy(_parser().render(text))


def to_inline(text: str) -> str:
    r"""One line of Markdown as HTML without a paragraph around it.

    Example:
        >>> to_inline("`eval()` gives $x$")
        '<code>eval()</code> gives \\(x\\)'
    """
    return _tidy(_parser().renderInline(text))


def _tidy(html: str) -> str:
    return _INLINE.sub(r"\1", _BLOCK.sub(r"\1", html)).strip()


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").use(dollarmath_plugin, double_inline=True, renderer=_formula)


def _formula(latex: str, options: dict[str, Any]) -> str:
    # A closing brace before another one would end a cloze deletion.
    content = escape(latex.strip(), quote=False).replace("}}", "} }")
    return rf"\[{content}\]" if options.get("display_mode") else rf"\({content}\)"
