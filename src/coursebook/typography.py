"""Keep formulas and labels on one line with the bracket before them and the punctuation after them.

To a browser each of them is like a picture, beside which a line may end.
"""

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx

LONGEST_UNBROKEN = (
    40  # characters of LaTeX, about as much as a phone shows on a line; longer ones may break within
)
_OPENING, _CLOSING = "([“‘", ".,;:!?)]”’%"


def keep_punctuation(_app: Sphinx, document: nodes.document, _page: str) -> None:
    """Wrap each formula and each label of evidence together with the punctuation that touches it."""
    for node in list(_find(document)):
        parent, place = node.parent, node.parent.index(node)
        opening = _take(parent, place - 1, -1, _OPENING)
        closing = _take(parent, place + 1, 0, _CLOSING)
        if opening or closing:
            unbroken = nodes.inline("", "", classes=["unbroken"])
            parent[place] = unbroken  # replace_self would copy the label's classes, and draw its frame twice
            unbroken.extend([nodes.Text(opening), node, nodes.Text(closing)])


def _find(document: nodes.document) -> Iterator[nodes.Element]:
    for node in document.findall(nodes.Element):
        short = isinstance(node, nodes.math) and len(node.astext()) <= LONGEST_UNBROKEN
        if short or "evidence" in node["classes"]:
            yield node


def _take(parent: nodes.Element, place: int, end: int, wanted: str) -> str:
    """Cut a character off an end of a neighbouring text, if it is one of those wanted."""
    text = parent.children[place] if 0 <= place < len(parent.children) else None
    if not isinstance(text, nodes.Text) or not text or text[end] not in wanted:
        return ""
    parent.replace(text, nodes.Text(text[:-1] if end else text[1:]))
    return str(text[end])


def setup(app: Sphinx) -> None:
    """Register the step; it runs when all links are resolved."""
    app.connect("doctree-resolved", keep_punctuation)
