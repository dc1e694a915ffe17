"""The Sphinx extension of the book: ``coursebook.sphinx_ext`` in the list of extensions."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from coursebook import (
    accessible,
    anchors,
    benchmarks,
    card_nodes,
    card_pages,
    descriptions,
    directives,
    ebook,
    evidence,
    graded,
    katex,
    light,
    numbering,
    offline,
    plain_code,
    playground,
    previews,
    published,
    search_texts,
    side_by_side,
    single_page,
    take_away,
    terms,
    typography,
    workbook_pages,
)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add formulas without JavaScript, pages without foreign addresses, and what the book's pages show."""
    for part in (
        katex,
        light,
        offline,
        accessible,
        benchmarks,
        card_nodes,
        card_pages,
        descriptions,
        directives,
        ebook,
        evidence,
        graded,
        plain_code,
        playground,
        previews,
        published,
        search_texts,
        side_by_side,
        take_away,
        terms,
        anchors,
        numbering,
        single_page,
        typography,
        workbook_pages,
    ):
        part.setup(app)
    # Writers in several processes would mix their formulas in the one pipe to KaTeX.
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
