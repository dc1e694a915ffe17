"""One recall card as HTML that needs no script: question, a place for the answer, hint, answer and reason."""

import json
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from coursebook.card_kinds import is_single, key, lettered, shown, task
from coursebook.card_nodes import html
from coursebook.card_schema import NUMERIC
from coursebook.cards import BLANK, Card

# Stands for a blank while the question is parsed: Markdown could take underscores for emphasis.
_PLACEHOLDER = "\ue000"


class CardWriter:
    """Turns cards into nodes within a directive, which parses their Markdown like the rest of the page."""

    def __init__(self, directive: SphinxDirective) -> None:
        self._directive = directive

    def card(self, card: Card) -> nodes.Element:
        """One card: a list item that holds a group of inputs, the hint, and the answer."""
        name = f"card-{card.id}"
        question = html("div", *self._question(card), classes=["recall-question"], ids=[f"{name}-question"])
        group = html(
            "fieldset",
            html("legend", nodes.Text(task(card)), classes=["recall-title"]),
            question,
            *self._entry(card, name),
            attributes={"aria-describedby": f"{name}-question"},
            classes=["recall-task"],
        )
        item = html(
            "li",
            group,
            self._details("hint", "Hint", self._parse(card.hint)),
            self._details("answer", "Answer", list(self._answer(card))),
            attributes={
                "data-card": card.id,
                "data-kind": card.kind,
                "data-objective": card.objective,
                "data-key": json.dumps(key(card), ensure_ascii=False),
            },
            classes=["recall-card", f"recall-{card.kind}"],
            ids=[name],
        )
        self._directive.set_source_info(item)
        self._directive.state.document.note_explicit_target(item)
        return item

    def _question(self, card: Card) -> list[nodes.Node]:
        if card.kind != "cloze":
            return self._parse(card.question)
        question = nodes.container("", *self._parse(card.question.replace(BLANK, _PLACEHOLDER)))
        number = 0
        for text in list(question.findall(nodes.Text)):
            if isinstance(text.parent, nodes.math | nodes.math_block):
                continue  # KaTeX will complain of the placeholder
            first, *rest = text.split(_PLACEHOLDER)
            parts: list[nodes.Node] = [nodes.Text(first)]
            for part in rest:
                number += 1
                parts += [_field("recall-blank", {"aria-label": f"blank {number}"}), nodes.Text(part)]
            text.parent.replace(text, parts)
        return list(question.children)

    def _entry(self, card: Card, name: str) -> Iterator[nodes.Element]:
        """Where the reader answers; the blanks of a *cloze* card are in its question."""
        if card.kind == "choice":
            kind = "radio" if is_single(card) else "checkbox"
            choices = [
                html(
                    "li",
                    html(
                        "label",
                        html("input", attributes={"type": kind, "name": name, "value": letter}),
                        html("span", nodes.Text(f"{letter}: "), *self._inline(option.text)),
                    ),
                )
                for letter, option in lettered(card)
            ]
            yield html("ul", *choices, classes=["recall-options"])
        elif card.kind in NUMERIC:
            words = "Your prediction, a number" if card.kind == "predict" else "Your number"
            field = _field("recall-number", {"inputmode": "decimal"})
            yield html("p", html("label", nodes.Text(f"{words} "), field), classes=["recall-entry"])
        elif card.kind == "recall":
            field = html("textarea", attributes={"rows": "2", "autocomplete": "off"})
            yield html("p", html("label", nodes.Text("Your own words "), field), classes=["recall-entry"])

    def _answer(self, card: Card) -> Iterator[nodes.Node]:
        if card.kind in NUMERIC:
            margin = f", and anything within {card.tolerance:g} of it" if card.tolerance else ""
            yield nodes.paragraph("", "", nodes.strong("", f"{card.answer:g}"), nodes.Text(margin))
        elif card.kind == "choice":
            yield html("ul", *(self._reply(*pair) for pair in lettered(card)), classes=["recall-replies"])
        elif isinstance(card.answer, tuple):
            yield from self._blanks([texts[0] for texts in card.answer])
        else:
            yield from self._parse(str(card.answer))
        yield html("div", *self._parse(card.why), classes=["recall-why"])
        if card.misconceptions:
            replies = [
                html(
                    "li",
                    self._line(f"If you said {shown(wrong.answer)}: {wrong.says}"),
                    attributes={"data-wrong": str(position)},
                )
                for position, wrong in enumerate(card.misconceptions)
            ]
            yield html("ul", *replies, classes=["recall-replies"])
        taught = self._parse(f"Taught in [](/{card.section}).")
        yield html("div", *taught, classes=["recall-taught"])

    def _reply(self, letter: str, option: Any) -> nodes.Element:
        verdict = nodes.strong("", "right" if option.correct else "wrong")
        words = [nodes.Text(f"{letter} is "), verdict, nodes.Text(". "), *self._inline(option.says)]
        return html("li", nodes.paragraph("", "", *words), attributes={"data-option": letter})

    def _blanks(self, texts: list[str]) -> Iterator[nodes.Node]:
        if len(texts) == 1:
            yield self._line(texts[0])
        else:
            yield html("ol", *(html("li", self._line(text)) for text in texts), classes=["recall-texts"])

    def _details(self, name: str, title: str, content: list[nodes.Node]) -> nodes.Element:
        return html("details", html("summary", nodes.Text(title)), *content, classes=[f"recall-{name}"])

    def _parse(self, text: str) -> list[nodes.Node]:
        return self._directive.parse_text_to_nodes(text)

    def _line(self, text: str) -> nodes.paragraph:
        return nodes.paragraph("", "", *self._inline(text))

    def _inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self._directive.parse_inline(text)
        return parsed + messages


def _field(name: str, attributes: dict[str, str]) -> nodes.Element:
    fixed = {"type": "text", "autocomplete": "off", "spellcheck": "false"}
    return html("input", attributes=fixed | attributes, classes=[name])
