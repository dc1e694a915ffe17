"""What the search page quotes: the text of every section, in a script that also loads from the reader's disk.

Sphinx would fetch each page that it found, to quote from it. A browser refuses that for pages on a disk, and
over a network it means a hundred pages for one question.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from coursebook.card_nodes import Html

FILE = "searchtexts.js"  # beside Sphinx's searchindex.js

Unit = tuple[str, str, str]  # anchor, title, text

_SPACE = re.compile(r"\s+")
_LOOSE = re.compile(r" (?=[.,;:!?)\]])")
_GROUPS = re.compile(r"[{}]")
_SILENT = (nodes.raw, nodes.image, nodes.comment, nodes.title, addnodes.index, addnodes.toctree)


def units(doctree: nodes.document) -> list[Unit]:
    """Cut a page into what a search can lead to: sections, terms of the glossary, claims.

    Args:
        doctree: the page, with all links resolved.

    Returns:
        In the order of the page: the anchor (empty for the page itself), its title, its text. Answers that
        the page folds away are left out.
    """
    found: list[Unit] = []
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        if title is None or title.parent is not section:
            continue  # the body of an exercise; it belongs to the section around it
        inside = isinstance(section.parent, nodes.section)
        found.append((section["ids"][0] if inside else "", plain(title.astext()), _text(section)))
        found += _parts(section)
    return found


def _parts(section: nodes.section) -> Iterator[Unit]:
    """Terms and claims that stand directly in a section."""
    for item in section.findall(_is_part):
        if _section_of(item) is not section:
            continue
        head, *rest = item.children
        anchor = (item.get("ids") or head["ids"])[0]
        text = plain(" ".join(_words(part, []) for part in rest))
        yield anchor, plain(head.astext()), _LOOSE.sub("", text)


def _section_of(node: nodes.Node) -> nodes.Node:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


def _is_part(node: nodes.Node) -> bool:
    if isinstance(node, nodes.definition_list_item):
        return bool(node.children) and bool(node.children[0].get("ids"))
    return isinstance(node, nodes.container) and "claim" in node["classes"] and bool(node["ids"])


def _text(section: nodes.section) -> str:
    """Prose, then code: what occurs in both is quoted from the prose."""
    code: list[str] = []
    prose = _words(section, code, top=True)
    return _LOOSE.sub("", plain(" ".join([prose, *code])))


def _words(node: nodes.Node, code: list[str], *, top: bool = False) -> str:
    if isinstance(node, nodes.literal_block):
        code.append(node.astext())
        return ""
    if isinstance(node, nodes.math | nodes.math_block):
        return formula(node.astext())
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, _SILENT) or not isinstance(node, nodes.Element) or (not top and _stands_alone(node)):
        return ""
    separator = "" if isinstance(node, nodes.TextElement) and not isinstance(node, Html) else " "
    return separator.join(_words(child, code) for child in node.children)


def _stands_alone(node: nodes.Element) -> bool:
    """Whether a part of a section is quoted by itself, or never, because it is an answer folded away."""
    titled = isinstance(node, nodes.section) and bool(node.children) and isinstance(node[0], nodes.title)
    folded = (isinstance(node, Html) and node["tag"] == "details") or "solution" in node.get("classes", [])
    return titled or folded or _is_part(node)


def plain(text: str) -> str:
    """One line of text."""
    return _SPACE.sub(" ", text).strip()


def formula(latex: str) -> str:
    r"""A formula as it can be quoted: as it is where it is simple, else three dots.

    Example:
        >>> formula("p = 0.3"), formula("x_{12}"), formula(r"\\frac{1}{q}")
        ('p = 0.3', 'x_12', '…')
    """
    return "…" if "\\" in latex else _GROUPS.sub("", latex)


def collect(
    app: Sphinx, page: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Keep the texts of a page until the book is built."""
    if doctree is not None and app.builder.name == "html":
        collected(app)[page] = units(doctree)


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the texts of all pages as a script that hands them to the search page."""
    texts = collected(app)
    if exception is None and texts:
        content = json.dumps(dict(sorted(texts.items())), ensure_ascii=False, separators=(",", ":"))
        script = f"var SEARCH_TEXTS={content};\n"
        (Path(app.outdir) / FILE).write_text(script, encoding="utf-8")


def collected(app: Sphinx) -> dict[str, list[Unit]]:
    """The units of every page written so far, by its name."""
    texts: dict[str, list[Unit]] = app.__dict__.setdefault("coursebook_texts", {})
    return texts


def setup(app: Sphinx) -> None:
    """Connect the steps to the events of a build."""
    app.connect("html-page-context", collect)
    app.connect("build-finished", write)
