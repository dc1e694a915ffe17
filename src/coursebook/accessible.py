"""Repair what keeps a page from being read by every reader, and refuse pictures without a description.

A code cell describes its picture in its metadata; in a chapter's ``.md`` that is the head of the cell::

    ---
    mystnb:
      image:
        alt: "What a reader who cannot see the picture must know."
      figure:
        caption: "What it shows, with formulas like $p = 0.3$."
        name: fig-what-it-shows
    ---

The size on the page is not set there. An object whose ``_repr_png_`` returns
``(png, {"width": 652, "height": 300})`` is shown at that size in CSS pixels, however many pixels the PNG has.
"""

import re
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

_FILE_NAME = re.compile(r"\S+\.(?:png|svg|jpe?g|gif|webp)", re.IGNORECASE)

# Roles and names that the writers of these parts set wrongly, each with what replaces it.
_REPAIRS = (
    # A list must own list items, and the role of its entries is deprecated.
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (' role="doc-biblioentry"', ""),
    # The name must contain the visible words, which are "Show code cell source" and the like.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    # Every exercise and every solution of a page would bear the same name.
    ('<section id="exercise-content">', "<section>"),
    ('<section id="solution-content">', "<section>"),
)

_EMPTY_HEADING = re.compile(
    r"<th(\b[^>]*)>\s*(?:<p></p>)?\s*</th>"
)  # such as the corner of a table; it heads nothing


def check_pictures(_app: Sphinx, document: nodes.document) -> None:
    """Warn of each picture without a description: the writer would offer its file name instead."""
    for image in document.findall(nodes.image):
        alt = image.get("alt", "").strip()
        if not alt or _FILE_NAME.fullmatch(alt):
            logger.warning(
                "picture %s has no description (alt is %r): set mystnb: {image: {alt: ...}} in the metadata "
                "of its cell, or write ![description](file)",
                image["uri"],
                alt,
                location=image,
                type="alt",
            )


def repair_roles(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Correct roles and names in the body of a page."""
    if "body" in context:
        for wrong, right in _REPAIRS:
            context["body"] = context["body"].replace(wrong, right)
        context["body"] = _EMPTY_HEADING.sub(r"<td\1></td>", context["body"])


def name_toggles(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Name the buttons in the sidebar that show the pages below another: the theme draws an arrow only."""
    generate = context.get("generate_toctree_html")
    if generate is not None:
        context["generate_toctree_html"] = lambda *args, **options: with_names(generate(*args, **options))


def with_names(contents: BeautifulSoup) -> BeautifulSoup:
    """A table of contents whose buttons name the page that they belong to.

    Example:
        >>> html = "<li><a>Studies</a><details><summary></summary></details></li>"
        >>> with_names(BeautifulSoup(html, "html.parser")).summary
        <summary aria-label="Pages of “Studies”"></summary>
    """
    for details in contents.select("li > a + details"):
        link, summary = details.find_previous_sibling("a"), details.summary
        if link and summary:
            summary["aria-label"] = f"Pages of “{link.get_text(strip=True)}”"
    return contents


def setup(app: Sphinx) -> None:
    """Connect the steps to the events of a build."""
    app.connect("doctree-read", check_pictures)
    app.connect("html-page-context", repair_roles)
    app.connect("html-page-context", name_toggles, priority=900)  # after the theme has given the function
