"""Recall cards: read ``exercises/cards/NN-topic.yml``, and say of each mistake where it is and what it is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from coursebook.card_schema import LINE, NUMERIC, Loader, find_problems
from coursebook.errors import BookError

BLANK = "___"
OBJECTIVES = "objectives.yml"


class CardError(BookError):
    """Cards are not as they must be; each line names the file, the card, the field and what is wrong."""


_CODE = re.compile(r"`[^`]+`")


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that many people give, and what to tell them."""

    answer: str | float
    says: str


@dataclass(frozen=True)
class Option:
    """One option of a *choice* card, with the reply to whoever picks it."""

    text: str
    says: str
    correct: bool = False
    check: str | None = None


@dataclass(frozen=True)
class Card:
    """One question for the reader to answer from memory.

    Args:
        file: the file it comes from.
        line: the line in that file where it begins.
        id: unique in the whole course and never changed: a reader's progress hangs on it.
        kind: *recall* (free answer), *predict* (a number, before the experiment), *numeric* (a number),
            *choice* (one or several options) or *cloze* (each ``___`` in the question is a blank).
        objective: what the card serves, ``topic/objective``.
        section: where it is taught, ``chapters/NN-topic.md#heading``.
        question: Markdown, like all text on a card, with formulas between dollar signs.
        hint: a first step, without the answer.
        why: the reason for the answer.
        answer: text for *recall*, a number for *predict* and *numeric*; for *cloze* the texts that will do
            for each blank, the first of which is shown.
        tolerance: how far off a number may be and still count.
        check: a Python expression that gives the answer of a number card, and ``True`` for the other kinds;
            :func:`coursebook.answers.verify_card` evaluates it.
        snippet: Python statements that run before the checks, which then see their names.
        misconceptions: wrong answers with a reply of their own.
        options: what a *choice* card offers; the check of one must give whether it is correct.
    """

    file: Path
    line: int
    id: str
    kind: str
    objective: str
    section: str
    question: str
    hint: str
    why: str
    answer: str | float | tuple[tuple[str, ...], ...] | None = None
    tolerance: float = 0.0
    check: str | None = None
    snippet: str | None = None
    misconceptions: tuple[Misconception, ...] = ()
    options: tuple[Option, ...] = ()

    def error(self, problem: str) -> CardError:
        """A message about this card that says where to find it."""
        return CardError(f"{self.file}:{self.line}: card {self.id!r}: {problem}")


def load_cards(path: Path) -> list[Card]:
    """Read one file of cards.

    Raises:
        CardError: the file cannot be read, or a card in it is not valid; names every mistake.
    """
    content = read_yaml(path)
    if not isinstance(content, list) or not all(isinstance(fields, dict) for fields in content):
        raise CardError(f"{path}: must be a list of cards, each of which begins with '- id: ...'")
    messages = [
        f"{path}:{line}: card {fields.get('id', position)!r}: {problem}"
        for position, fields in enumerate(content, start=1)
        for line, problem in find_problems(fields)
    ]
    if messages:
        raise CardError("\n".join(messages))
    cards = [_make(path, fields) for fields in content]
    raise_all(card.error(problem) for card in cards for problem in _disagreements(card))
    raise_all(_repetitions(cards))
    return cards


def load_all(folder: Path) -> list[Card]:
    """Read every file of cards in a folder, in the order of their names.

    The objectives, which lie among them, are read by :func:`coursebook.objectives.load_bank`.

    Raises:
        CardError: as for :func:`load_cards`, or two cards share an id.
    """
    cards = [card for path in card_files(folder) for card in load_cards(path)]
    raise_all(_repetitions(cards))
    return cards


def card_files(folder: Path) -> list[Path]:
    """The files of cards in a folder, in the order of their names."""
    return sorted(path for path in folder.glob("*.yml") if path.name != OBJECTIVES)


def read_yaml(path: Path) -> object:
    """What a YAML file holds, with the line of each mapping.

    Raises:
        CardError: the file cannot be read, or is not valid YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506  (it is a SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        advice = "text that holds ': ' or ' #' must be in quotes or below a '|'"
        problem = getattr(error, "problem", error)
        raise CardError(f"{place}: is not valid YAML: {problem}; {advice}") from error


def _make(path: Path, fields: dict[str, Any]) -> Card:
    plain = {name: value for name, value in fields.items() if name != LINE}
    answer = plain.pop("answer", None)
    misconceptions = [_plain(item) for item in plain.pop("misconceptions", ())]
    options = [_plain(item) for item in plain.pop("options", ())]
    return Card(
        file=path,
        line=fields[LINE],
        answer=_accepted(answer) if isinstance(answer, list) else answer,
        misconceptions=tuple(Misconception(**item) for item in misconceptions),
        options=tuple(Option(**item) for item in options),
        **plain,
    )


def _accepted(blanks: list[str | list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(texts) if isinstance(texts, list) else (texts,) for texts in blanks)


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != LINE}


def _disagreements(card: Card) -> Iterator[str]:
    """Fields that are right each for itself and do not fit together."""
    if card.kind == "cloze" and isinstance(card.answer, tuple):
        blanks = card.question.count(BLANK)
        if blanks != len(card.answer):
            yield f"field 'answer': has {len(card.answer)} texts for {blanks} blanks ({BLANK}) to fill"
    if card.snippet and not _checks(card):
        yield "field 'snippet': runs and nothing looks at it; give the card or its options a check"
    if card.kind == "choice" and _CODE.search(
        card.question + "".join(option.text for option in card.options)
    ):
        unchecked = [option.text for option in card.options if option.check is None]
        if card.check is None and unchecked:
            yield f"field 'check': is missing, and code is never taken on trust: {unchecked[0]!r} has none"
    if card.kind in NUMERIC and isinstance(card.answer, int | float):
        for wrong in card.misconceptions:
            if abs(float(wrong.answer) - card.answer) <= card.tolerance:
                yield f"field 'misconceptions': {wrong.answer!r} would count as the right answer"


def _checks(card: Card) -> bool:
    return card.check is not None or any(option.check is not None for option in card.options)


def _repetitions(cards: list[Card]) -> Iterator[CardError]:
    first: dict[str, Card] = {}
    for card in cards:
        earlier = first.setdefault(card.id, card)
        if earlier is not card:
            yield card.error(f"field 'id': is also used at {earlier.file}:{earlier.line}")


def raise_all(errors: Iterable[CardError]) -> None:
    """Raise one error that holds the messages of all; none where there is none."""
    messages = [str(error) for error in errors]
    if messages:
        raise CardError("\n".join(messages))
