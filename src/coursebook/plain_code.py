"""Code in which only what has a colour of its own is marked up.

Of the words and signs in a cell more than half are names, brackets and commas, which both themes show in the
colour of the text around them. Pygments puts each of them into an element of its own; a chapter had fifteen
hundred such elements, which a browser must lay out and a reading aid must step over.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from pygments.formatters import HtmlFormatter
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Text, _TokenType
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

# What the theme takes where nothing else is configured.
STYLES = ("a11y-high-contrast-light", "a11y-high-contrast-dark")


@cache
def is_plain(kind: _TokenType) -> bool:
    """Whether a kind of token looks like plain text in both themes.

    Example:
        >>> from pygments.token import Keyword, Name, Punctuation
        >>> is_plain(Name), is_plain(Punctuation), is_plain(Name.Function), is_plain(Keyword)
        (True, True, False, False)
    """
    while kind not in STANDARD_TYPES:  # a style knows these, and what is finer looks like the next of them
        kind = kind.parent
    styles = [get_style_by_name(name) for name in STYLES]
    return all(style.style_for_token(kind) == style.style_for_token(Text) for style in styles)


def as_text(tokens: Iterable[tuple[_TokenType, str]]) -> Iterator[tuple[_TokenType, str]]:
    """The tokens, with the plain ones given as mere text."""
    return ((Text if is_plain(kind) else kind, text) for kind, text in tokens)


class PlainCode(HtmlFormatter):  # type: ignore[misc]  # Pygments has no types
    """Pygments' formatter without an element around what looks like plain text."""

    def format_unencoded(self, tokensource: Iterable[tuple[_TokenType, str]], outfile: object) -> None:
        """Write the tokens as HTML."""
        super().format_unencoded(as_text(tokensource), outfile)


def setup(_app: Sphinx) -> None:
    """Let all code of the HTML pages be written so."""
    PygmentsBridge.html_formatter = PlainCode
