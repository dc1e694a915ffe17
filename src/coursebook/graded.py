"""Graded exercises on a page: the task, where to begin, three hints, and a worked solution.

``{graded}`` shows one of `dropoutlab.grading`; it is plain HTML and needs no script::

    ```{graded} inverted_dropout
    ```
"""

import inspect

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursebook.card_nodes import html
from dropoutlab.grading import Exercise, exercise, stub, worked_solution


class Graded(SphinxDirective):
    """Show a graded exercise; hints and solution stay closed until the reader opens them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Take the exercise from the lab and turn it into nodes, which Sphinx checks like the rest."""
        try:
            known = exercise(self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from error
        self.env.note_dependency(inspect.getfile(known.solution))
        stars, unit = "★" * known.difficulty, "minute" if known.minutes == 1 else "minutes"
        facts = f"{stars} · {known.minutes} {unit} · graded"
        item = nodes.container(
            "",
            nodes.paragraph("", "", nodes.strong("", known.title), classes=["graded-title"]),
            nodes.paragraph("", facts, classes=["graded-facts"]),
            *self.parse_text_to_nodes(known.task),
            _code(_with_check(known)),
            *(self._hint(number, hint) for number, hint in enumerate(known.hints, start=1)),
            self._solution(known),
            classes=["graded", "docutils"],
            ids=[f"graded-{known.name.replace('_', '-')}"],
        )
        self.set_source_info(item)
        self.state.document.note_explicit_target(item)
        return [item]

    def _hint(self, number: int, hint: str) -> nodes.Element:
        return _details("hint", f"Hint {number}", self.parse_text_to_nodes(hint))

    def _solution(self, known: Exercise) -> nodes.Element:
        code = _code(worked_solution(known.name))
        return _details("solution", "Solution", [code, *self.parse_text_to_nodes(known.why)])


def _details(kind: str, title: str, content: list[nodes.Node]) -> nodes.Element:
    return html("details", html("summary", nodes.Text(title)), *content, classes=[f"graded-{kind}"])


def _with_check(known: Exercise) -> str:
    """Return the stub, and how to have it checked."""
    name = known.name
    return f'from dropoutlab.grading import check\n{stub(name)}\n\ncheck("{name}", {name})'


def _code(text: str) -> nodes.literal_block:
    return nodes.literal_block(text, text.rstrip("\n"), language="python")


def setup(app: Sphinx) -> None:
    """Register the directive; `card_nodes` registers the nodes."""
    app.add_directive("graded", Graded)
