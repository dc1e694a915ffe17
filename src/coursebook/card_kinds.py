"""What the kinds of card differ in: what the reader is asked to do, and what counts as the right answer."""

import re
from collections.abc import Iterator
from string import ascii_uppercase
from typing import Any

from coursebook.card_schema import NUMERIC
from coursebook.cards import Card, Option

_MARKUP = re.compile(r"[$`*\\{}]")


def is_single(card: Card) -> bool:
    """Whether exactly one option of a *choice* card is right, so that only one can be picked."""
    return sum(option.correct for option in card.options) == 1


def task(card: Card) -> str:
    """What the reader is asked to do, in a few words.

    Example:
        >>> from dataclasses import replace
        >>> from pathlib import Path
        >>> card = Card(Path("01-coins.yml"), 1, "coins", "recall", "coins/words", "", "", "", "")
        >>> task(card), task(replace(card, kind="predict"))
        ('Recall', 'Predict')
    """
    if card.kind == "choice":
        return "Choose one" if is_single(card) else "Choose all that apply"
    return {"recall": "Recall", "predict": "Predict", "numeric": "Work out", "cloze": "Fill in"}[card.kind]


def lettered(card: Card) -> Iterator[tuple[str, Option]]:
    """Options with a letter each: an option that is only a formula would be a choice without a name."""
    return zip(ascii_uppercase, card.options, strict=False)


def key(card: Card) -> dict[str, Any]:
    """What a script needs to tell right from wrong; empty where only the reader can.

    Texts for blanks come without their markup: nobody types dollar signs around a formula.
    """
    if card.kind in NUMERIC:
        wrong = [misconception.answer for misconception in card.misconceptions]
        return {"answer": card.answer, "tolerance": card.tolerance, "wrong": wrong}
    if card.kind == "choice":
        return {"correct": [letter for letter, option in lettered(card) if option.correct]}
    if isinstance(card.answer, tuple):
        return {"blanks": [[_MARKUP.sub("", text) for text in texts] for texts in card.answer]}
    return {}


def shown(answer: str | float) -> str:
    """An answer as it is printed."""
    return answer if isinstance(answer, str) else f"{answer:g}"
