"""The commands that print and pack the book; Jupyter Book and the browser are played by scripts."""

import pytest
from pypdf import PdfWriter

from coursebook import build as building
from coursebook import chromium, paper

WRITE = """
import sys
from pathlib import Path
output = next(a.partition("=")[2] for a in sys.argv if a.startswith("--path-output="))
builder = next((a.partition("=")[2] for a in sys.argv if a.startswith("--custom-builder=")), "singlehtml")
assert ("--builder=singlehtml" in sys.argv) == (builder == "singlehtml")
folder = Path(output) / "_build" / builder
folder.mkdir(parents=True)
(folder / "book.html").write_text("page")
(folder / "dropout-measured.epub").write_text("pages")
"""


@pytest.fixture
def book(executed, monkeypatch):
    monkeypatch.setattr(building, "JUPYTER_BOOK", WRITE)
    return executed


def blank(path, pages):
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(210, 297)
    writer.write(path)
    return pages


def test_the_pdf_replaces_the_former_one_when_it_is_complete(book, monkeypatch):
    monkeypatch.setattr(paper, "print_book", lambda _source, target, _: blank(target, 3))
    result = book.run("pdf")
    assert result.exit_code == 0, result.output
    assert "the book is printed (3 pages, " in result.output
    assert {path.name for path in (book.root / "_build").iterdir()} == {
        "singlehtml.log",
        "dropout-measured.pdf",
    }


def test_the_e_book_is_named_after_the_course(book):
    result = book.run("epub")
    assert result.exit_code == 0, result.output
    assert str(book.root / "_build" / "dropout-measured.epub") in result.output
    assert {path.name for path in (book.root / "_build").iterdir()} == {"epub.log", "dropout-measured.epub"}


def test_without_a_browser_the_reader_is_told_what_to_install(book, monkeypatch):
    monkeypatch.setattr(chromium, "find_chromium", lambda _: None)
    result = book.run("pdf")
    assert result.exit_code == 1
    assert "install the system's package chromium-headless-shell" in result.output


def test_the_cheat_sheet_needs_a_built_book_and_one_page(book, monkeypatch):
    result = book.run("cheatsheet")
    assert result.exit_code == 1
    assert "build the book first with make book" in result.output
    page = book.root / "_build" / "html" / "cheatsheet.html"
    page.parent.mkdir(parents=True)
    page.write_text("sheet", encoding="utf-8")
    monkeypatch.setattr(paper, "print_page", lambda _source, target, **_: blank(target, 1))
    assert "the cheat sheet is printed, one page" in book.run("cheatsheet").output
    monkeypatch.setattr(paper, "print_page", lambda _source, target, **_: blank(target, 2))
    result = book.run("cheatsheet", "--paper", "Letter")
    assert result.exit_code == 1
    assert "has 2 pages on Letter, and should fit on one" in result.output
