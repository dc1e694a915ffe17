"""Which files form the book, and what a broken one is told."""

from pathlib import Path

import pytest

from coursebook.errors import BookError
from coursebook.pairs import HEADER, find_orphans, find_pairs, read_notebook, read_source, select


def names(pairs):
    return [pair.name for pair in pairs]


def test_chapters_come_before_exercises_in_the_order_of_their_numbers(book):
    for name in ("exercises/01-a", "chapters/10-c", "chapters/02-b"):
        book.page(name)
    (book.root / "chapters" / "notes.md").write_text("not a notebook", encoding="utf-8")
    assert names(find_pairs(book.root)) == ["chapters/02-b", "chapters/10-c", "exercises/01-a"]


def test_a_folder_without_pages_is_taken_for_the_wrong_folder(tmp_path):
    with pytest.raises(BookError, match="run this from the repository's root folder"):
        find_pairs(tmp_path)


def test_a_notebook_without_source_is_an_orphan(book):
    book.page("chapters/01-a")
    for name in ("01-a", "02-gone"):
        (book.root / "chapters" / f"{name}.ipynb").write_text("{}", encoding="utf-8")
    assert find_orphans(book.root) == [book.root / "chapters" / "02-gone.ipynb"]


@pytest.mark.parametrize("path", ["chapters/02-b.md", "chapters/02-b.ipynb"])
def test_either_file_of_a_pair_selects_it(book, path):
    pairs = [book.page("chapters/01-a"), book.page("chapters/02-b")]
    assert names(select(pairs, [book.root / path])) == ["chapters/02-b"]


def test_a_folder_selects_its_pages_and_nothing_selects_all(book):
    pairs = [book.page("chapters/01-a"), book.page("chapters/02-b"), book.page("exercises/01-a")]
    assert names(select(pairs, [book.root / "chapters"])) == ["chapters/01-a", "chapters/02-b"]
    assert select(pairs, []) == pairs


def test_relative_paths_are_seen_from_the_working_directory(book, monkeypatch):
    pairs = [book.page("chapters/01-a"), book.page("chapters/02-b")]
    monkeypatch.chdir(book.root / "chapters")
    assert names(select(pairs, [Path("01-a.md")])) == ["chapters/01-a"]


def test_a_path_that_names_no_page_is_an_error_even_beside_one_that_does(book):
    pairs = [book.page("chapters/01-a")]
    with pytest.raises(BookError, match=r"01-b\.md names no chapter or exercise page"):
        select(pairs, [book.root / "chapters" / "01-a.md", book.root / "chapters" / "01-b.md"])


@pytest.mark.parametrize(
    "header",
    [
        "",
        HEADER.replace("name: python3", "name: julia"),
        HEADER.replace("md:myst,ipynb", "md:myst"),
    ],
    ids=["none", "kernel", "formats"],
)
def test_a_source_without_the_right_header_is_shown_it(book, header):
    pair = book.page("chapters/01-a", "1", header=header)
    with pytest.raises(BookError, match=r"chapters/01-a\.md has formats") as caught:
        read_source(pair)
    assert HEADER in str(caught.value)


def test_an_unreadable_source_is_named(book):
    pair = book.page("chapters/01-a", header="---\njupytext: [unclosed\n---")
    with pytest.raises(BookError, match=r"chapters/01-a\.md cannot be read as a MyST notebook"):
        read_source(pair)


def test_a_notebook_that_was_never_generated_reads_as_none(book):
    assert read_notebook(book.page("chapters/01-a")) is None


@pytest.mark.parametrize("text", ["<<<<<<< ours\n{}\n>>>>>>> theirs\n", "{}", '{"nbformat": 4, "cells": 3}'])
def test_a_damaged_notebook_is_an_error_with_its_remedy(book, text):
    pair = book.page("chapters/01-a")
    pair.notebook.write_text(text, encoding="utf-8")
    with pytest.raises(BookError, match=r"chapters/01-a\.ipynb is not a valid notebook .*: run make execute"):
        read_notebook(pair)
