"""The deck for Anki: every card once, the same bytes each time, nothing that Anki would not understand."""

import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coursebook.anki import EDITION, write_deck
from coursebook.anki_text import to_html, to_inline
from coursebook.cards import CardError
from coursebook.objectives import load_bank
from dropoutlab.cli import app

REPOSITORY = Path(__file__).parents[2]
CARDS = REPOSITORY / "exercises" / "cards"
SAMPLE = Path(__file__).parents[1] / "book" / "sample" / "exercises" / "cards"

FIELDS = ("id", "question", "hint", "answer", "why", "taught")


@pytest.fixture(autouse=True)
def _no_edition(monkeypatch):
    monkeypatch.delenv(EDITION, raising=False)


def read(path):
    """The notes of a deck by the id of their card, with tags, guid and time of change."""
    database = path.with_suffix(".db")
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["collection.anki2", "media"]
        database.write_bytes(archive.read("collection.anki2"))
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT guid, mod, tags, flds FROM notes ORDER BY id").fetchall()
        cards = connection.execute("SELECT count(*) FROM cards").fetchone()[0]
    finally:
        connection.close()
    assert cards == len(rows)  # the blanks of a cloze are asked together
    notes = {}
    for guid, changed, tags, text in rows:
        fields = dict(zip(FIELDS, text.split("\x1f"), strict=True))
        notes[fields["id"]] = fields | {"guid": guid, "mod": changed, "tags": tags.split()}
    return notes


@pytest.fixture
def notes(tmp_path):
    write_deck(load_bank(SAMPLE), tmp_path / "sample.apkg")
    return read(tmp_path / "sample.apkg")


def test_the_same_cards_give_the_same_bytes(tmp_path, monkeypatch):
    bank = load_bank(CARDS)
    write_deck(bank, tmp_path / "one.apkg")
    # Another process, so that no order of a set and no clock can be shared.
    code = (
        "import sys, time; from pathlib import Path; time.time = lambda: 1.6e9\n"
        "from coursebook.anki import write_deck; from coursebook.objectives import load_bank\n"
        "write_deck(load_bank(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", code, CARDS, tmp_path / "two.apkg"], check=True)
    assert (tmp_path / "one.apkg").read_bytes() == (tmp_path / "two.apkg").read_bytes()


def test_every_card_of_the_course_is_one_note(tmp_path):
    bank = load_bank(CARDS)
    write_deck(bank, tmp_path / "course.apkg")
    notes = read(tmp_path / "course.apkg")
    assert set(notes) == {card.id for card in bank.cards}
    assert len({note["guid"] for note in notes.values()}) == len(notes)
    for note in notes.values():
        assert note["why"]
        assert "$" not in note["question"] + note["why"] + note["answer"]


def test_a_note_is_known_by_the_id_of_its_card_alone(tmp_path, notes):
    bank = load_bank(SAMPLE)
    changed = [
        replace(card, question="Another question?", kind="recall", answer="So.") for card in bank.cards
    ]
    write_deck(replace(bank, cards=tuple(reversed(changed))), tmp_path / "new.apkg")
    renewed = read(tmp_path / "new.apkg")
    assert {name: note["guid"] for name, note in renewed.items()} == {
        name: note["guid"] for name, note in notes.items()
    }


def test_each_kind_shows_what_it_asks_and_what_is_right(notes):
    count = notes["coins-count-dropped"]
    assert '<p class="task">Predict</p>' in count["question"]
    assert r"\(p = 0.3\)" in count["question"]
    assert "<strong>0.267</strong>, and anything within 0.02 of it" in count["answer"]
    assert r"\[\Pr(3) = " in count["why"].replace("\n", "")
    assert r"If you said 1: \(p\) is a probability per unit" in count["why"]
    mean = notes["coins-which-mean"]
    assert r"<p>A: \(m / q\)</p>" in mean["question"]
    assert "B is <strong>wrong</strong>. Its mean is" in mean["answer"]
    assert "<pre><code" in notes["coins-recall"]["question"]
    assert "One coin per unit" in notes["coins-recall"]["answer"]
    assert notes["coins-recall"]["tags"] == ["coins::words", "recall"]


def test_blanks_become_one_deletion_which_formulas_do_not_end_early(notes):
    question = notes["coins-blanks"]["question"]
    assert question.count("{{c1::") == 2
    assert r"{{c1::\(q = 1 - p\)}}" in question
    assert to_inline(r"$\sqrt{x^{2}}$") == r"\(\sqrt{x^{2} }\)"


def test_a_note_leads_to_its_section_where_the_book_has_an_address(tmp_path, notes):
    assert notes["coins-recall"]["taught"] == "Taught in chapters/01-coins, deeper"
    write_deck(load_bank(SAMPLE), tmp_path / "linked.apkg", address="https://example.org/book/")
    taught = read(tmp_path / "linked.apkg")["coins-recall"]["taught"]
    assert '<a href="https://example.org/book/chapters/01-coins.html#deeper">' in taught


def test_a_newer_edition_is_newer_for_anki(tmp_path, monkeypatch, notes):
    times = {note["mod"] for note in notes.values()}
    monkeypatch.setenv(EDITION, "1900000000")
    write_deck(load_bank(SAMPLE), tmp_path / "later.apkg")
    later = {note["mod"] for note in read(tmp_path / "later.apkg").values()}
    assert later == {1_900_000_000}
    assert max(times) < 1_900_000_000
    monkeypatch.setenv(EDITION, "yesterday")
    with pytest.raises(CardError, match="must be seconds since 1970, got 'yesterday'"):
        write_deck(load_bank(SAMPLE), tmp_path / "never.apkg")


def test_without_a_release_the_edition_is_fixed(tmp_path):
    (tmp_path / "cards").mkdir()
    for path in SAMPLE.iterdir():
        (tmp_path / "cards" / path.name).write_bytes(path.read_bytes())
    write_deck(load_bank(tmp_path / "cards"), tmp_path / "a.apkg")
    first = next(iter(read(tmp_path / "a.apkg").values()))["mod"]
    (tmp_path / "CITATION.cff").write_text('date-released: "2030-02-01"\n', encoding="utf-8")
    write_deck(load_bank(tmp_path / "cards"), tmp_path / "b.apkg")
    assert first < next(iter(read(tmp_path / "b.apkg").values()))["mod"]


def test_what_only_the_book_understands_is_refused(tmp_path):
    bank = load_bank(SAMPLE)
    role = replace(bank.cards[0], hint="See {doc}`there`.")
    with pytest.raises(CardError, match=r"card 'coins-count-dropped': uses \{doc\}`"):
        write_deck(replace(bank, cards=(role,)), tmp_path / "never.apkg")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("$a < b$", r"<p>\(a &lt; b\)</p>"),
        ("$$\na\n$$", r"\[a\]"),
        ("$a$ & <b>", r"<p>\(a\) &amp; <b></p>"),
        ("`$5`", "<p><code>$5</code></p>"),
    ],
)
def test_markdown_becomes_html_with_formulas_for_mathjax(text, html):
    assert to_html(text) == html


# The command


def run(*arguments):
    return CliRunner().invoke(app, ["anki", *map(str, arguments)])


def test_the_command_writes_the_deck(tmp_path):
    output = tmp_path / "deck.apkg"
    result = run("--cards", SAMPLE, "--output", output)
    assert result.exit_code == 0, result.output
    assert f"{output}: 6 cards" in result.output.replace("\n", "")
    assert len(read(output)) == 6


def test_the_command_names_what_is_wrong(tmp_path):
    result = run("--cards", tmp_path, "--output", tmp_path / "x.apkg")
    assert result.exit_code == 1
    assert "objectives.yml: cannot be read" in result.output
    assert "Traceback" not in result.output


def test_the_lab_does_not_import_the_book_until_asked():
    code = "import sys, dropoutlab.cli; sys.exit(any(name.startswith('coursebook') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_tools_of_the_book_the_command_says_what_to_install(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("coursebook.anki")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "genanki", None)
    result = run("--cards", SAMPLE, "--output", tmp_path / "x.apkg")
    assert result.exit_code == 1
    assert "genanki is missing" in result.output
    assert "dropout-measured[book]" in result.output
