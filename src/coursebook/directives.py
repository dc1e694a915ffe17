r"""What authors write that Sphinx does not know: recall cards and labels of evidence.

``{cards}`` shows the cards of one file, or those of one objective::

    ```{cards} 04-scaling
    :objective: scaling/expectation
    ```

``{evidence}`` labels a statement by what it rests on, one of `measured`, `exact`, `cited`, `conjecture`::

    Dropout scales the kept units by 1/q {evidence}`exact`.
"""

from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from coursebook.card_schema import NUMERIC
from coursebook.cards import BLANK, Card, CardError, Option, load_cards

EVIDENCE = ("measured", "exact", "cited", "conjecture")

_TITLES = {
    "recall": "Recall",
    "predict": "Predict",
    "numeric": "Work out",
    "choice": "Choose",
    "cloze": "Fill in",
}
# Stands for a blank while the question is parsed: Markdown could take underscores for emphasis.
_PLACEHOLDER = "\ue000"


class Block(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils has no types
    """A node that becomes one HTML element."""


class CardList(Block):
    """The cards of one directive."""


class CardItem(Block):
    """One card."""


class Details(Block):
    """Something hidden until the reader opens it; its first child is the :class:`Summary`."""


class Summary(Block):
    """What is shown of closed details."""

    child_text_separator = ""


_TAGS = {CardList: "ol", CardItem: "li", Details: "details", Summary: "summary"}


class Cards(SphinxDirective):
    """Show recall cards as HTML that needs no script: question, hint, answer, reason, where it is taught."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"objective": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Read the file and turn each card into nodes, which Sphinx checks like the rest of the page."""
        path = Path(self.env.srcdir) / "exercises" / "cards" / f"{self.arguments[0]}.yml"
        self.env.note_dependency(str(path))
        try:
            cards = load_cards(path)
        except CardError as error:
            raise self.error(str(error)) from error
        objective = self.options.get("objective")
        chosen = [card for card in cards if objective in (None, card.objective)]
        if not chosen:
            known = ", ".join(sorted({card.objective for card in cards}))
            raise self.error(f"{path} has no card for the objective {objective!r}; it has {known}")
        return [CardList("", *(self._card(card) for card in chosen), classes=["recall-cards"])]

    def _card(self, card: Card) -> CardItem:
        item = CardItem(
            "",
            nodes.paragraph("", _TITLES[card.kind], classes=["recall-title"]),
            nodes.container("", *self._question(card), classes=["recall-question"]),
            *self._options(card),
            self._details("hint", "Hint", self.parse_text_to_nodes(card.hint)),
            self._details("answer", "Answer", list(self._answer(card))),
            classes=["recall-card", f"recall-{card.kind}"],
            ids=[f"card-{card.id}"],
            data={"card": card.id, "kind": card.kind, "objective": card.objective},
        )
        self.set_source_info(item)
        self.state.document.note_explicit_target(item)
        return item

    def _question(self, card: Card) -> list[nodes.Node]:
        if card.kind != "cloze":
            return self.parse_text_to_nodes(card.question)
        question = nodes.container("", *self.parse_text_to_nodes(card.question.replace(BLANK, _PLACEHOLDER)))
        number = 0
        for text in list(question.findall(nodes.Text)):
            if isinstance(text.parent, nodes.math | nodes.math_block):
                continue  # KaTeX will complain of the placeholder
            first, *rest = text.split(_PLACEHOLDER)
            parts: list[nodes.Node] = [nodes.Text(first)]
            for part in rest:
                number += 1
                parts += [nodes.inline("", f"blank {number}", classes=["recall-blank"]), nodes.Text(part)]
            text.parent.replace(text, parts)
        return list(question.children)

    def _options(self, card: Card) -> Iterator[nodes.Node]:
        items = []
        for letter, option in _lettered(card.options):
            verdict = nodes.strong("", "Right. " if option.correct else "No. ")
            reply = nodes.paragraph("", "", verdict, *self._inline(option.says))
            items.append(nodes.list_item("", self._details("option", f"{letter}: {option.text}", [reply])))
        if items:
            yield nodes.bullet_list("", *items, classes=["recall-options"])

    def _answer(self, card: Card) -> Iterator[nodes.Node]:
        if card.kind in NUMERIC:
            margin = f", and anything within {card.tolerance:g} of it" if card.tolerance else ""
            yield nodes.paragraph("", "", nodes.strong("", f"{card.answer:g}"), nodes.Text(margin))
        elif card.kind == "choice":
            right = [
                f"{letter}: {option.text}" for letter, option in _lettered(card.options) if option.correct
            ]
            yield from self._listing("bullet", right)
        elif isinstance(card.answer, tuple):
            yield from self._listing("enumerated", card.answer)
        else:
            yield from self.parse_text_to_nodes(str(card.answer))
        yield from self.parse_text_to_nodes(card.why)
        if card.misconceptions:
            replies = [f"If you said {_shown(wrong.answer)}: {wrong.says}" for wrong in card.misconceptions]
            yield from self._listing("bullet", replies)
        yield from self.parse_text_to_nodes(f"Taught in [](/{card.section}).")

    def _listing(self, kind: str, texts: tuple[str, ...] | list[str]) -> Iterator[nodes.Node]:
        items = [nodes.list_item("", nodes.paragraph("", "", *self._inline(text))) for text in texts]
        if len(items) == 1 and kind == "enumerated":
            yield from items[0].children
        elif kind == "enumerated":
            yield nodes.enumerated_list("", *items, enumtype="arabic")
        else:
            yield nodes.bullet_list("", *items)

    def _details(self, name: str, title: str, content: list[nodes.Node]) -> Details:
        return Details("", Summary("", *self._inline(title)), *content, classes=[f"recall-{name}"])

    def _inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.parse_inline(text)
        return parsed + messages


def _lettered(options: tuple[Option, ...]) -> Iterator[tuple[str, Option]]:
    """Options with a letter each: an option that is only a formula would be a button without a name."""
    return zip(ascii_uppercase, options, strict=False)


def _shown(answer: str | float) -> str:
    return answer if isinstance(answer, str) else f"{answer:g}"


class Evidence(SphinxRole):
    """What a statement rests on, as a word in a frame: the word says it, the colour only helps."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The label, or an error that names the labels there are."""
        if self.text not in EVIDENCE:
            message = f"evidence must be one of {', '.join(EVIDENCE)}, got {self.text!r}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        return [nodes.inline("", self.text, classes=["evidence", f"evidence-{self.text}"])], []


def visit(writer: Any, node: nodes.Element) -> None:
    """Open the HTML element of one of the nodes above."""
    data = {f"data-{name}": value for name, value in node.get("data", {}).items()}
    writer.body.append(writer.starttag(node, _TAGS[type(node)], "", **data))


def depart(writer: Any, node: nodes.Element) -> None:
    """Close it."""
    writer.body.append(f"</{_TAGS[type(node)]}>\n")


def setup(app: Sphinx) -> None:
    """Register the directive, the role and the nodes."""
    app.add_directive("cards", Cards)
    app.add_role("evidence", Evidence())
    for node in _TAGS:
        app.add_node(node, html=(visit, depart))
