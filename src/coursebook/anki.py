"""Write the cards of the book as a deck for Anki.

A note's identity comes from its card's id, so that a newer deck replaces notes and keeps what Anki knows
about their reader. The same cards give the same file, byte for byte.
"""

import io
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import genanki

from coursebook.anki_text import to_html, to_inline
from coursebook.card_kinds import lettered, shown, task
from coursebook.card_schema import NUMERIC
from coursebook.cards import BLANK, Card, CardError
from coursebook.objectives import Bank

DECK_FILE = "dropout-measured.apkg"
EDITION = "SOURCE_DATE_EPOCH"  # the convention of reproducible builds

_DECK = 1_617_842_301  # made up once: Anki knows decks and kinds of note by such numbers
_BASIC, _CLOZE = 1_617_842_302, 1_617_842_303
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
_RELEASED = re.compile(r'^date-released:\s*"?(\d{4}-\d{2}-\d{2})"?\s*$', re.MULTILINE)
_ROLE = re.compile(r"\{[a-z][\w:-]*\}`")

_STYLE = """.card { max-width: 40em; margin: 1em auto; padding: 0 1em; font: 1.1em/1.5 sans-serif; }
.task, .taught { opacity: 0.75; font-size: 0.85em; }
.cloze { font-weight: bold; }
pre { overflow-x: auto; }
"""
_HINT = "{{#Hint}}<details><summary>Hint</summary>{{Hint}}</details>{{/Hint}}"
_BACK = '{{Why}}<p class="taught">{{Taught}}</p>'


def write_deck(bank: Bank, path: Path, *, address: str = "") -> None:
    """Write an ``.apkg`` file.

    Args:
        bank: the cards, in the order in which Anki introduces them.
        path: the file to write.
        address: where the book is published; without it, notes name the section and do not link to it.

    Raises:
        CardError: a card uses Markdown that only the book understands.
    """
    deck = genanki.Deck(_DECK, "Dropout, Measured")
    for objective in bank.objectives:
        for card in bank.of(objective):
            deck.add_note(_note(card, address))
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / DECK_FILE
        genanki.Package(deck).write_to_file(raw, timestamp=_edition(bank).timestamp())
        path.write_bytes(_without_dates(raw))


def _edition(bank: Bank) -> datetime:
    """When the cards were last released: Anki takes a corrected note only if it is newer than its own."""
    given = os.environ.get(EDITION, "")
    if given:
        if not given.isdecimal():
            raise CardError(f"{EDITION} must be seconds since 1970, got {given!r}")
        return datetime.fromtimestamp(int(given), UTC)
    for folder in bank.cards[0].file.resolve().parents if bank.cards else ():
        citation = folder / "CITATION.cff"
        if citation.is_file() and (found := _RELEASED.search(citation.read_text(encoding="utf-8"))):
            return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return _EARLIEST


def _without_dates(archive: Path) -> bytes:
    """The same archive, with one fixed date instead of the time of writing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            new.writestr(
                zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), old.read(name), compresslevel=9
            )
    return buffer.getvalue()


def _note(card: Card, address: str) -> genanki.Note:
    _refuse_roles(card)
    if card.kind == "cloze":
        model, first = _cloze_model(), to_html(_with_deletions(card))
        answer = ""
    else:
        model, first = _basic_model(), "".join(_front(card))
        answer = "".join(_answer(card))
    fields = [
        card.id,
        f'<p class="task">{task(card)}</p>{first}',
        to_html(card.hint),
        answer,
        to_html(card.why) + _misconceptions(card),
        _taught(card, address),
    ]
    tags = [card.objective.replace("/", "::"), card.kind]
    return genanki.Note(model, fields, tags=tags, guid=genanki.guid_for("dropout-measured", card.id))


def _front(card: Card) -> Iterator[str]:
    yield to_html(card.question)
    for letter, option in lettered(card):
        yield f"<p>{letter}: {to_inline(option.text)}</p>"


def _with_deletions(card: Card) -> str:
    """The question with its blanks as one deletion: they are asked together."""
    assert isinstance(card.answer, tuple)
    first, *rest = card.question.split(BLANK)
    pairs = zip(card.answer, rest, strict=True)
    return first + "".join(f"{{{{c1::{texts[0]}}}}}{part}" for texts, part in pairs)


def _answer(card: Card) -> Iterator[str]:
    if card.kind in NUMERIC:
        margin = f", and anything within {card.tolerance:g} of it" if card.tolerance else ""
        yield f"<p><strong>{card.answer:g}</strong>{margin}</p>"
    elif card.kind == "choice":
        for letter, option in lettered(card):
            verdict = "right" if option.correct else "wrong"
            yield f"<p>{letter} is <strong>{verdict}</strong>. {to_inline(option.says)}</p>"
    else:
        yield to_html(str(card.answer))


def _misconceptions(card: Card) -> str:
    replies = (f"If you said {shown(wrong.answer)}: {wrong.says}" for wrong in card.misconceptions)
    return "".join(f"<p>{to_inline(reply)}</p>" for reply in replies)


def _taught(card: Card, address: str) -> str:
    page, _, section = card.section.partition("#")
    place = f"{page.removesuffix('.md')}, {section.replace('-', ' ')}"
    if not address:
        return f"Taught in {place}"
    url = f"{address.rstrip('/')}/{page.removesuffix('.md')}.html#{section}"
    return f'Taught in <a href="{url}">{place}</a>'


def _refuse_roles(card: Card) -> None:
    options = [text for option in card.options for text in (option.text, option.says)]
    for text in (card.question, card.hint, card.why, str(card.answer), *options):
        if found := _ROLE.search(text):
            raise card.error(f"uses {found[0]}...`, which the book understands and Anki does not")


def _fields() -> list[dict[str, str]]:
    return [{"name": name} for name in ("Id", "Question", "Hint", "Answer", "Why", "Taught")]


def _basic_model() -> genanki.Model:
    answer = "{{FrontSide}}<hr id=answer>{{Answer}}"
    template = {"name": "Card", "qfmt": "{{Question}}" + _HINT, "afmt": answer + _BACK}
    return genanki.Model(
        _BASIC, "Dropout, Measured: question", _fields(), [template], css=_STYLE, sort_field_index=0
    )


def _cloze_model() -> genanki.Model:
    text = "{{cloze:Question}}"
    template = {"name": "Cloze", "qfmt": text + _HINT, "afmt": f"{text}<hr id=answer>{_BACK}"}
    kind = genanki.Model.CLOZE
    return genanki.Model(
        _CLOZE,
        "Dropout, Measured: blanks",
        _fields(),
        [template],
        css=_STYLE,
        model_type=kind,
        sort_field_index=0,
    )
