"""HTML elements as document nodes, so that Sphinx checks links, formulas and Markdown inside them."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# After the end of these a line may end too; within a sentence that would be a space.
_ON_LINES = {"details", "div", "fieldset", "h3", "h4", "legend", "li", "noscript", "ol", "p", "summary", "ul"}
_EMPTY = {"input"}
# What these hold is running text, within which Sphinx expects its references.
_TEXT = {"a", "h3", "h4", "label", "legend", "p", "span", "summary"}


class Html(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils has no types
    """One HTML element with nodes in it."""

    child_text_separator = ""


class HtmlText(nodes.General, nodes.TextElement):  # type: ignore[misc]
    """One HTML element with running text in it."""


def html(
    tag: str, *children: nodes.Node, attributes: dict[str, str] | None = None, **options: Any
) -> nodes.Element:
    """A node that becomes the element ``tag``.

    Args:
        tag: the element's name.
        children: what it holds.
        attributes: its attributes, other than the two that docutils knows.
        options: those two, ``ids`` and ``classes``, as lists.

    Example:
        >>> node = html("p", nodes.Text("How many?"), attributes={"data-card": "coins"}, classes=["asked"])
        >>> node["tag"], node["classes"], node.astext()
        ('p', ['asked'], 'How many?')
    """
    options |= {"tag": tag, "attributes": attributes or {}}
    return HtmlText("", "", *children, **options) if tag in _TEXT else Html("", *children, **options)


def visit(writer: Any, node: nodes.Element) -> None:
    """Open the element, or write it whole where it can hold nothing."""
    start = writer.emptytag if node["tag"] in _EMPTY else writer.starttag
    writer.body.append(start(node, node["tag"], "", **node["attributes"]))


def depart(writer: Any, node: nodes.Element) -> None:
    """Close it."""
    if node["tag"] not in _EMPTY:
        end = "\n" if node["tag"] in _ON_LINES else ""
        writer.body.append(f"</{node['tag']}>{end}")


def setup(app: Sphinx) -> None:
    """Register the nodes for HTML."""
    for node in (Html, HtmlText):
        app.add_node(node, html=(visit, depart))
