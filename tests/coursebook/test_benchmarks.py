"""Numbers of the last benchmark run arrive on a page with their units, and errors are named."""

import json
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from coursebook.benchmarks import growth_rows, is_met, look_up, read_run, result_rows, shown
from coursebook.errors import BookError

RUN = {
    "date": "2026-01-02",
    "measured": {"overhead": 0.0826, "speedup": 7.34, "build_s": 3.21},
    "targets": {"overhead": ["<=", 0.15], "speedup": [">=", 8]},
    "machine": {"cores": 2, "processor": "Some CPU"},
    "growth": {
        "pages": {"what": "time of a build", "sizes": [7, 14], "seconds": [3.0, 4.5], "exponent": 0.585},
        "units": {"what": "time of a sum", "sizes": [1, 2], "seconds": [0.001, 0.002], "factor": 2.0},
    },
    "detail": {
        "overhead": {"what": "what `Dropout` adds", "unit": "share", "ours": 0.00412, "limit": 0.0038},
        "speedup": {
            "what": "a forward pass",
            "unit": "times",
            "ours": 1.52e-4,
            "peer": 1.116e-3,
            "peer_is": "`nn.Dropout`",
        },
        "build_s": {"what": "a build", "unit": "seconds", "ours": 3.21},
    },
}


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0826, "share", "8.3 %"),
        (0.4, "share", "40 %"),
        (-0.0123, "share", "−1.2 %"),
        (7.349, "times", "7.3×"),
        (13.4, "times", "13×"),
        (0.25, "times", "0.25×"),
        (2048.4, "megabytes", "2,048 MB"),
        (0.066, "megabytes", "0.066 MB"),
        (3.21, "seconds", "3.2 s"),
        (1.0, "seconds", "1.0 s"),
        (0.0402, "seconds", "40 ms"),
        (1.52e-4, "seconds", "152 µs"),
        (9e-8, "seconds", "0.090 µs"),
        (0.0, "seconds", "0.0 µs"),
        (5312.0, "count", "5,300"),
        (0.9587, "ratio", "0.959"),
        (120.0, "ratio", "120"),
    ],
)
def test_a_number_has_its_digits_and_its_unit(value, unit, expected):
    assert shown(value, unit) == expected.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (0.15, ["<=", 0.15], True),
        (0.1501, ["<=", 0.15], False),
        (6.0, [">=", 6], True),
        (5.99, [">=", 6], False),
    ],
)
def test_a_target_has_a_side(value, target, met):
    assert is_met(value, target) is met


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("overhead", "8.3 %"),
        ("overhead.ours", "4.1 ms"),
        ("overhead.limit", "3.8 ms"),
        ("overhead.target", "at most 15 %"),
        ("speedup.peer", "1.1 ms"),
        ("speedup.target", "at least 8.0×"),
        ("growth.pages", "0.58"),  # 0.585 has no exact double: it lies below
        ("growth.units", "2.00"),
        ("machine.cores", "2"),
        ("date", "2026-01-02"),
    ],
)
def test_a_name_finds_its_number(name, expected):
    assert look_up(RUN, name).replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "speed",
        "overhead.peer",
        "overhead.what",
        "build_s.target",
        "growth.lines",
        "machine.name",
        "date.x",
    ],
)
def test_an_unknown_name_is_answered_with_those_there_are(name):
    with pytest.raises(
        BookError, match=re.escape(f"hold no {name!r}; they hold date, machine.cores")
    ) as caught:
        look_up(RUN, name)
    assert all(known in str(caught.value) for known in ("overhead", "growth.pages", ".target"))


def test_the_table_of_results_marks_targets():
    rows = [tuple(cell.replace("\u00a0", " ") for cell in row) for row in result_rows(RUN)]
    assert rows == [
        ("what was measured", "result", "target", "ours", "compared with", "limit"),
        ("what `Dropout` adds", "8.3 %", "at most 15 %: met", "4.1 ms", "", "3.8 ms"),
        ("a forward pass", "7.3×", "at least 8.0×: missed", "152 µs", "1.1 ms (`nn.Dropout`)", ""),
        ("a build", "3.2 s", "", "3.2 s", "", ""),
    ]


def test_the_table_of_growth_words_both_laws():
    rows = [tuple(cell.replace("\u00a0", " ") for cell in row) for row in growth_rows(RUN)]
    assert rows[1:] == [
        ("time of a build", "7, 14", "3.0 s, 4.5 s", "size to the power 0.58"),
        ("time of a sum", "1, 2", "1.0 ms, 2.0 ms", "times 2.00 for each unit more"),
    ]


@pytest.fixture
def root(tmp_path):
    """A repository with a stored run."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "latest.json").write_text(json.dumps(RUN), encoding="utf-8")
    return tmp_path


def test_a_run_is_read(root):
    assert read_run(root) == RUN


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: .*No such file.*; make bench writes it"),
        ("{", "cannot be read: .*; make bench writes it"),
        ("7", "cannot be read: .*; make bench writes it"),
        ('{"date": 1, "measured": {}, "machine": {}, "detail": {}}', "lacks growth, targets; make bench"),
    ],
    ids=["none", "damaged", "a number", "incomplete"],
)
def test_a_run_that_is_missing_or_damaged_is_named(root, content, message):
    path = root / "benchmarks" / "latest.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BookError, match=message):
        read_run(root)


# A process of its own: books built earlier in this one have changed Sphinx's defaults and templates.
BUILD = """
import sys, warnings
from sphinx.application import Sphinx
warnings.simplefilter("ignore")  # deprecations inside Sphinx's own dependencies
root = sys.argv[1]
options = {"extensions": ["myst_parser", "coursebook.benchmarks"], "html_theme": "basic"}
app = Sphinx(root, None, root + "/html", root + "/doctrees", "html", options, status=None)
app.build()
"""


def built(root, text):
    """Build one page with Sphinx; return it, and the warnings."""
    (root / "index.md").write_text(f"# A page\n\n{text}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(root)], capture_output=True, text=True, check=True, timeout=120
    )
    page = (root / "html" / "index.html").read_text(encoding="utf-8")
    return BeautifulSoup(page, "html.parser"), done.stderr


def test_a_page_shows_numbers_and_tables(root):
    page, complaints = built(
        root,
        "It adds {bench}`overhead`.\n\n```{bench-table} results\n```\n\n```{bench-table} growth\n```",
    )
    assert complaints == ""
    assert "It adds 8.3\u00a0%." in page.get_text()
    results, growth = page.select("table.bench-table")
    assert [cell.get_text(strip=True) for cell in results.select("thead th")][:3] == [
        "what was measured",
        "result",
        "target",
    ]
    assert results.select_one("tbody code").get_text() == "Dropout"  # names in the record are marked up
    assert len(results.select("tbody tr")) == 3
    assert growth.select("tbody tr")[1].get_text(" ", strip=True).startswith("time of a sum 1, 2")


def test_a_new_run_renews_the_page(root):
    text = "It adds {bench}`overhead`."
    built(root, text)
    changed = {**RUN, "measured": {**RUN["measured"], "overhead": 0.33}}
    (root / "benchmarks" / "latest.json").write_text(json.dumps(changed), encoding="utf-8")
    page, _ = built(root, text)
    assert "It adds 33\u00a0%." in page.get_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{bench}`speed`", "the benchmarks hold no 'speed'"),
        ("```{bench-table} lines\n```", "bench-table shows one of results, growth, got 'lines'"),
    ],
)
def test_a_mistake_is_a_warning(root, text, message):
    _, complaints = built(root, text)
    assert message in complaints


def test_a_page_without_a_run_says_how_to_get_one(root):
    (root / "benchmarks" / "latest.json").unlink()
    _, complaints = built(root, "{bench}`overhead`\n\n```{bench-table} results\n```")
    assert complaints.count("make bench writes it") == 2
