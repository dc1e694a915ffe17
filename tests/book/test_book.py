"""The book itself, where it has been built since its sources changed, breaks no rule."""

import os
from collections import Counter
from pathlib import Path

import pytest

from coursebook.page_checks import check_stylesheets, find_breaches
from tests.book.pages_table import store

REPOSITORY = Path(__file__).parents[2]
BOOK = REPOSITORY / "_build" / "html"
SOURCES = (
    "*.md",
    "*.bib",
    "_*.yml",
    "chapters/*.ipynb",
    "exercises/*.ipynb",
    "exercises/cards/*.yml",
    "src/coursebook/**/*.*",
)


def newest(*patterns):
    times = [path.stat().st_mtime for pattern in patterns for path in REPOSITORY.glob(pattern)]
    return max(times, default=0.0)


def skip_unless_built():
    """Look at no older book; `make test` builds it first and says so: there a skip would hide that."""
    if newest("_build/html/index.html") < newest(*SOURCES):
        assert "BOOK_IS_BUILT" not in os.environ, "the book was built before its sources changed"
        pytest.skip("the book was not built since its sources changed: make book")


def test_the_book_breaks_no_rule():
    skip_unless_built()
    breaches = list(find_breaches(BOOK))
    links = Counter(breach.page for breach in breaches if breach.rule == "check_links")
    pictures = Counter(breach.page for breach in breaches if breach.rule == "check_pictures")
    for path in BOOK.rglob("*.html"):
        page = path.relative_to(BOOK).as_posix()
        store(page, {"links": links[page], "pictures": pictures[page]})
    assert [*check_stylesheets(BOOK), *map(str, breaches)] == []
