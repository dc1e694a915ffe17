"""Formulas become HTML and MathML by the Node of the package, whatever happens to its process."""

import sys

import pytest

from coursebook.assets import SITE
from coursebook.katex import SCRIPT, FormulaError, KaTeX, find_node


@pytest.fixture
def katex():
    katex = KaTeX()
    yield katex
    katex.close()


def test_a_formula_is_drawn_and_readable_by_machines(katex):
    html = katex.render(r"\frac{1}{q}", display=False)
    assert "<mfrac>" in html
    assert '<span class="katex-html" aria-hidden="true">' in html
    assert "katex-display" not in html


def test_a_formula_on_its_own_line_says_so(katex):
    assert katex.render("q", display=True).startswith('<span class="katex-display">')


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\foo", r"Undefined control sequence: \\foo"),
        ("{", "Expected '}'"),
        ("é", "strict mode is set to 'error'"),  # LaTeX would not draw it either
    ],
)
def test_a_formula_that_katex_does_not_know_is_refused(katex, latex, message):
    with pytest.raises(FormulaError, match=message):
        katex.render(latex, display=True)
    assert "<math" in katex.render("q", display=True)


def test_a_process_that_dies_is_started_once_more(katex):
    before = katex.render("q", display=False)
    katex._process.kill()
    katex._process.wait()
    assert katex.render("q", display=False) == before


def test_a_process_that_keeps_dying_is_reported():
    katex = KaTeX((sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(OSError, match=r"ended with status 3|Broken pipe"):
        katex.render("q", display=False)
    katex.close()


def test_a_process_that_does_not_end_is_killed(monkeypatch):
    script = 'import time\nprint(\'{"html": "done"}\', flush=True)\ntime.sleep(60)'
    katex = KaTeX((sys.executable, "-c", script))
    assert katex.render("q", display=False) == "done"
    process = katex._process
    monkeypatch.setattr("coursebook.katex.PATIENCE", 0.1)
    katex.close()
    assert process.returncode not in (None, 0)


def test_closing_twice_is_harmless(katex):
    katex.render("q", display=False)
    katex.close()
    katex.close()


def test_node_comes_with_the_package(monkeypatch):
    assert find_node().is_file()
    monkeypatch.setattr(sys, "platform", "win32")
    assert find_node().name == "node.exe"


def test_script_and_style_are_of_one_version():
    style = (SITE / "katex" / "katex.min.css").read_text(encoding="utf-8")
    version = style.partition('.katex-version:after{content:"')[2].partition('"')[0]
    assert version
    assert f'version:"{version}"' in (SCRIPT.parent / "katex.min.js").read_text(encoding="utf-8")
