"""The book itself, where it has been built since its sources changed, breaks no rule."""

import os
from pathlib import Path

import pytest

from coursebook.page_checks import find_problems

REPOSITORY = Path(__file__).parents[2]
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


def test_the_book_breaks_no_rule():
    built = newest("_build/html/index.html")
    if built < newest(*SOURCES):
        # `make test` builds the book first and says so: there a skip would hide that nothing was checked.
        assert "BOOK_IS_BUILT" not in os.environ, "the book was built before its sources changed"
        pytest.skip("the book was not built since its sources changed: make book")
    assert find_problems(REPOSITORY / "_build" / "html") == []
