"""The Sphinx extension of the book: ``coursebook.sphinx_ext`` in the list of extensions."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from coursebook import accessible, anchors, directives, katex, numbering, offline


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add formulas without JavaScript, pages without foreign addresses, recall cards and evidence labels."""
    for part in (katex, offline, accessible, directives, anchors, numbering):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
