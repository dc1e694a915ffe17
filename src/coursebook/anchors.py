"""Let ``chapters/04-scaling.md#the-switch`` find the explicit label ``(the-switch)=``.

MyST resolves the part after ``#`` by what it derives from a heading's text, so such a link breaks when a
heading is reworded. A label above the heading stays, and recall cards link to labels.
"""

from docutils import nodes
from sphinx.application import Sphinx


def add_labels(app: Sphinx, document: nodes.document) -> None:
    """Add every labelled section of a page to the anchors that MyST knows there."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for section in document.findall(nodes.section):
        if not isinstance(section.children[0], nodes.title):
            continue  # the body of an exercise is a section without one
        title = section.children[0].astext()
        for label in section["names"]:
            target = document.nameids.get(label)
            if target is not None:
                slugs.setdefault(label, (section.line, target, title))


def setup(app: Sphinx) -> None:
    """Register the step; it runs after a page is read, before any link is resolved."""
    app.connect("doctree-read", add_labels)
