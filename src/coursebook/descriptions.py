"""What a page is about, in one or two sentences: for its head, for search engines and for social cards."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

SHORTEST, LONGEST = 50, 160  # characters; search engines show about so many

_SPACE = re.compile(r"\s+")
_SENTENCE = re.compile(r".+?[.?!][”’\")]*(?=\s|$)")
_CITED = re.compile(r" ?\[[^\]]*\b\d{4}[a-z]?\]")
_BRACES = re.compile(r"[{}]")
# Of pages that nobody writes.
_WRITTEN = {
    "genindex": "Every term of the glossary and every name of the API in alphabetical order, and where it is."
}
# A paragraph in one of these is no opening.
_ASIDE = (nodes.Admonition, nodes.admonition, nodes.table, nodes.list_item, nodes.figure, nodes.footnote)


def describe_page(
    _app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give a page's head a description, its opening, unless the author wrote one."""
    if 'name="description"' in context.get("metatags", ""):
        return
    text = _WRITTEN.get(page, "") if doctree is None else description(doctree)
    if text:
        context["description"] = text
        context["metatags"] = (
            f'{context.get("metatags", "")}\n<meta name="description" content="{escape(text)}">'
        )


def description(doctree: nodes.Element) -> str:
    """The opening of a page, between SHORTEST and LONGEST characters long if the page has so many.

    Whole sentences, or where the first is too long, its beginning up to a word. Paragraphs with a formula
    that plain text cannot show are passed over; citations and labels of evidence are left out.
    """
    paragraphs = list(doctree.findall(nodes.paragraph))
    text = _opening(node for node in paragraphs if not _is_aside(node))
    return shortened(text or _opening(paragraphs))


def _opening(paragraphs: Iterable[nodes.paragraph]) -> str:
    text = ""
    for paragraph in paragraphs:
        text = f"{text} {_plain(paragraph)}".strip()
        if len(text) >= SHORTEST:
            break
    return text


def shortened(text: str) -> str:
    """As many whole sentences as fit; else as many words, and a mark that says so.

    Example:
        >>> shortened("Ten coins are thrown. How many of them fall heads up? " + "Some. " * 30)[:66]
        'Ten coins are thrown. How many of them fall heads up? Some. Some. '
        >>> shortened("endless " * 40)[-16:]
        'endless endless…'
    """
    if len(text) <= LONGEST:
        return text
    end = max((match.end() for match in _SENTENCE.finditer(text) if match.end() <= LONGEST), default=0)
    return text[:end] if end >= SHORTEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


def _is_aside(node: nodes.Node | None) -> bool:
    return node is not None and (isinstance(node, _ASIDE) or _is_aside(node.parent))


def _plain(paragraph: nodes.paragraph) -> str:
    parts = list(_parts(paragraph))
    return "" if None in parts else _CITED.sub("", _SPACE.sub(" ", "".join(map(str, parts)))).strip()


def _parts(node: nodes.Node) -> Iterator[str | None]:
    """The words of a paragraph; ``None`` stands for a formula that has no plain form."""
    if isinstance(node, nodes.math):
        latex = node.astext()
        yield None if "\\" in latex else _BRACES.sub("", latex)
    elif isinstance(node, nodes.Text):
        yield str(node)
    elif isinstance(node, nodes.Element) and "evidence" not in node.get("classes", []):
        for child in node.children:
            yield from _parts(child)


def setup(app: Sphinx) -> None:
    """Connect the step to the event of a build."""
    app.connect("html-page-context", describe_page)
