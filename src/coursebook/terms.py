"""Link the first mention of a term in each chapter to the glossary, whose text then shows beside it.

Only words that mean one thing: terms of several words, with a hyphen or capitals, and long ones. *Map*,
*head* or *error* also mean what everybody means by them; an author links those with ``{term}``.
"""

import re
from collections.abc import Iterator, Mapping

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

LONG = 9  # letters
_ALSO = re.compile(r"^(.*?) \((\w+)\)$")
_CLOSED = (nodes.reference, nodes.literal, nodes.math, nodes.strong, nodes.table, nodes.raw)


def unmistakable(terms: Mapping[str, str]) -> dict[str, str]:
    """The words to link, in small letters, with the anchors that they lead to.

    Example:
        >>> unmistakable({"map": "a", "thinned network": "b", "standard error (SE)": "c", "autoencoder": "d"})
        {'thinned network': 'b', 'standard error': 'c', 'SE': 'c', 'autoencoder': 'd'}
    """
    found = {}
    for term, anchor in terms.items():
        also = _ALSO.match(term)
        for word in also.groups() if also else (term,):
            if re.search(r"[ -]|\w[A-Z]", word) or len(word) >= LONG:
                # An abbreviation is one in capitals alone.
                found[word if word.isupper() else word.lower()] = anchor
    return found


def link_first_mentions(app: Sphinx, document: nodes.document, page: str) -> None:
    """Make the first mention of each term in a chapter a link."""
    if not page.startswith("chapters/") or app.builder.format != "html":
        return
    known = app.env.domains["std"].objects
    terms = {name: place for (kind, name), place in known.items() if kind == "term"}
    anchors = unmistakable({name: anchor for name, (_, anchor) in terms.items()})
    homes = {anchor: home for home, anchor in terms.values()}
    linked = {node["refid"] for node in document.findall(nodes.reference) if node.get("refid")}
    linked |= {
        node["refuri"].rpartition("#")[2] for node in document.findall(nodes.reference) if "refuri" in node
    }
    if not anchors:
        return
    words = sorted(anchors, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, words))})(s?)(?![\w-])", re.IGNORECASE)
    for text in list(_texts(document)):
        parts: list[nodes.Node] = []
        end = 0
        for match in pattern.finditer(text):
            anchor = anchors.get(match[1]) or anchors.get(match[1].lower())
            if anchor is None or anchor in linked:
                continue
            linked.add(anchor)
            label = nodes.inline("", match[0], classes=["term"])
            link = make_refnode(app.builder, page, homes[anchor], anchor, label)
            parts += [nodes.Text(text[end : match.start()]), link]
            end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def _texts(document: nodes.document) -> Iterator[nodes.Text]:
    for paragraph in document.findall(nodes.paragraph):
        for text in paragraph.findall(nodes.Text):
            if not _is_closed(text):
                yield text


def _is_closed(node: nodes.Node | None) -> bool:
    """Whether a text stands where no link belongs."""
    if node is None:
        return False
    classes = node.get("classes", []) if isinstance(node, nodes.Element) else []
    return isinstance(node, _CLOSED) or "claim" in classes or "evidence" in classes or _is_closed(node.parent)


def setup(app: Sphinx) -> None:
    """Register the step; it runs when all links are resolved, before punctuation is kept together."""
    app.connect("doctree-resolved", link_first_mentions, priority=400)
