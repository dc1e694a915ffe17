r"""What authors write that Sphinx does not know: labels of evidence.

``{evidence}`` labels a statement by what it rests on, one of `measured`, `exact`, `cited`, `conjecture`::

    Dropout scales the kept units by 1/q {evidence}`exact`.

Recall cards are in :mod:`coursebook.card_pages`.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

EVIDENCE = ("measured", "exact", "cited", "conjecture")


class Evidence(SphinxRole):
    """What a statement rests on, as a word in a frame: the word says it, the colour only helps."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The label, or an error that names the labels there are."""
        if self.text not in EVIDENCE:
            message = f"evidence must be one of {', '.join(EVIDENCE)}, got {self.text!r}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        return [nodes.inline("", self.text, classes=["evidence", f"evidence-{self.text}"])], []


def setup(app: Sphinx) -> None:
    """Register the role."""
    app.add_role("evidence", Evidence())
