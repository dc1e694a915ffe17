"""The learning objectives that cards serve, and the whole bank: every card and every objective."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursebook.card_schema import LINE
from coursebook.cards import OBJECTIVES, Card, CardError, card_files, load_all, raise_all, read_yaml


@dataclass(frozen=True)
class Objective:
    """What a reader will be able to do after a chapter.

    Args:
        id: ``topic/name``, as cards give it.
        page: the stem of the chapter's file, ``NN-topic``.
        text: the sentence of the list at the head of the chapter, word for word.
    """

    id: str
    page: str
    text: str


@dataclass(frozen=True)
class Bank:
    """All objectives in the order of the course, and all cards."""

    objectives: tuple[Objective, ...]
    cards: tuple[Card, ...]

    def pages(self) -> list[str]:
        """The stems of the chapters, in order."""
        return list(dict.fromkeys(objective.page for objective in self.objectives))

    def of(self, objective: Objective) -> list[Card]:
        """The cards that serve an objective."""
        return [card for card in self.cards if card.objective == objective.id]


def load_objectives(folder: Path) -> tuple[Objective, ...]:
    """Read ``objectives.yml``: for each chapter the names of its objectives and their sentences.

    Raises:
        CardError: the file cannot be read, or is no such mapping.
    """
    path = folder / OBJECTIVES
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise CardError(f"{path}: must map each chapter, such as 04-scaling, to its objectives")
    found, problems = [], []
    for page, names in content.items():
        if page == LINE:
            continue
        if not isinstance(names, dict):
            problems.append(CardError(f"{path}: {page!r}: must map names to sentences, got {names!r}"))
            continue
        for name, text in names.items():
            if name == LINE:
                continue
            if not isinstance(text, str) or not text.strip():
                line = names[LINE]
                problems.append(
                    CardError(f"{path}:{line}: {page}: {name!r} must be a sentence, got {text!r}")
                )
            else:
                found.append(Objective(f"{page.partition('-')[2]}/{name}", page, text.strip()))
    raise_all(problems)
    return tuple(found)


def load_bank(folder: Path) -> Bank:
    """Read the objectives and every card of a folder, and hold them to each other.

    Raises:
        CardError: a file is not valid; a card serves an objective that its chapter does not have; an
            objective has no card.
    """
    bank = Bank(load_objectives(folder), tuple(load_all(folder)))
    raise_all(_loose(bank, folder))
    return bank


def _loose(bank: Bank, folder: Path) -> Iterator[CardError]:
    for card in bank.cards:
        known = [objective.id for objective in bank.objectives if objective.page == card.file.stem]
        if card.objective not in known:
            there = ", ".join(known) or "none"
            yield card.error(f"field 'objective': {card.objective!r} is not in {OBJECTIVES}; there: {there}")
    written = {path.stem for path in card_files(folder)}
    for objective in bank.objectives:
        if objective.page in written and not bank.of(objective):
            yield CardError(f"{folder / OBJECTIVES}: objective {objective.id!r} has no card")
        elif objective.page not in written:
            yield CardError(f"{folder / OBJECTIVES}: {objective.page!r} has no file of cards")
