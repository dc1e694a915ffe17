"""Take out of a page what can be pressed or filled in, for paper and for readers of e-books.

What the inputs asked stays: a blank becomes a line, the letters of a choice keep their texts.
"""

from bs4 import BeautifulSoup
from docutils import nodes

from coursebook.card_nodes import Html, HtmlText

_LINE = "_" * 8
_WRITTEN = {"recall-blank", "recall-number"}  # inputs that a line to write on can stand for


def make_still(tree: nodes.Node) -> None:
    """Replace inputs by lines or by nothing, fieldsets by plain boxes, and buttons within outputs by nothing.

    Args:
        tree: a page, or several, with all references resolved; changed in place.

    Example:
        >>> from coursebook.card_nodes import html
        >>> blank = html("input", classes=["recall-blank"])
        >>> page = nodes.container("", html("p", nodes.Text("q is "), blank))
        >>> make_still(page)
        >>> page.astext()
        'q is ________'
    """
    for node in list(tree.findall(lambda each: isinstance(each, Html | HtmlText))):
        _still(node)
    for raw in list(tree.findall(nodes.raw)):
        if "html" in raw.get("format", ""):
            text = still_html(raw.astext())
            if text != raw.astext():
                raw.parent.replace(raw, nodes.raw(text, text, format="html") if text else [])


def _still(node: nodes.Element) -> None:
    tag = node["tag"]
    node["attributes"] = {
        name: value for name, value in node["attributes"].items() if not name.startswith(("data-", "aria-"))
    }
    if tag == "input":
        line = nodes.inline("", _LINE, classes=["blank"])
        node.parent.replace(node, line if _WRITTEN & set(node["classes"]) else [])
    elif tag == "textarea":
        entry = node.parent.parent  # the paragraph that asks for words of one's own
        entry.parent.remove(entry)
    elif tag in {"fieldset", "legend", "label"}:
        node["tag"] = {"fieldset": "div", "legend": "p", "label": "span"}[tag]
        node["attributes"] = {}


def still_html(text: str) -> str:
    """Remove buttons, the styles that they need, and what waits for a script, from HTML as an output has it.

    Example:
        >>> still_html("<div><style>p {}</style><fieldset><input></fieldset><p>Said.</p></div>")
        '<div><p>Said.</p></div>'
    """
    if not any(mark in text for mark in ("<style", "<fieldset", "<script", "claim-filter")):
        return text
    soup = BeautifulSoup(text, "html.parser")
    # A drawing by mask crosses out what its buttons choose: without them nothing is crossed out.
    for part in soup.select("style, fieldset, script, .claim-filter, svg .cross"):
        part.decompose()
    return str(soup).strip()
