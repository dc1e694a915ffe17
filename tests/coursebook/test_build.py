"""The book is built from stored outputs, afresh, and any warning is a failure."""

import pytest
import yaml

from coursebook import build as building
from coursebook.build import Site

SITE = Site("https://github.com/fork/book", "trunk", "https://fork.example.org/book/")


def pretend(monkeypatch, script):
    """Put a script in the place of Jupyter Book; it gets the arguments of ``jupyter-book``."""
    monkeypatch.setattr(building, "JUPYTER_BOOK", script)


WRITE = """
import sys
from pathlib import Path
output = next(a.partition("=")[2] for a in sys.argv if a.startswith("--path-output="))
html = Path(output) / "_build" / "html"
html.mkdir(parents=True)
(html / "index.html").write_text("new")
"""


def built(book):
    return {path.relative_to(book.root / "_build").as_posix() for path in (book.root / "_build").rglob("*")}


def test_a_finished_build_replaces_the_former_one_and_leaves_nothing_else(executed, monkeypatch):
    pretend(monkeypatch, WRITE)
    old = executed.root / "_build" / "html" / "chapters"
    old.mkdir(parents=True)
    (old / "removed.html").write_text("old", encoding="utf-8")
    result = executed.run("build")
    assert result.exit_code == 0, result.output
    page = executed.root / "_build" / "html" / "index.html"
    assert "the book is built (1 notebook, " in result.output
    assert str(page) in result.output
    assert built(executed) == {"html", "html/index.html", "book.log"}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("print('page.md:3: WARNING: undefined label')", "page.md:3: WARNING: undefined label"),
        ("print('page.ipynb:120004: WARNING: no label')", "page.md, cell 12, line 4: WARNING: no label"),
        ("import sys; print('DeprecationWarning: old', file=sys.stderr)", "DeprecationWarning: old"),
        ("print('\\033[91mWARNING:\\033[0m coloured')", "WARNING: coloured"),
        ("print('Warning: Validation errors in config:')", "Validation errors in config"),
        ("raise SystemExit(3)", "jupyter-book ended with status 3"),
        (
            "print('/x/chapters/01-sum.ipynb: Executing notebook using local CWD')",
            "the build executed /x/chap",
        ),
    ],
    ids=["sphinx", "cell", "python", "colour", "config", "status", "executed"],
)
def test_a_build_that_is_not_clean_fails_and_leaves_the_former_book(executed, monkeypatch, script, message):
    pretend(monkeypatch, WRITE + script)
    page = executed.root / "_build" / "html" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("old", encoding="utf-8")
    result = executed.run("build")
    assert result.exit_code == 1
    assert message in result.output
    assert str(executed.root / "_build" / "book.log") in result.output
    assert page.read_text(encoding="utf-8") == "old"


def test_the_log_keeps_every_line(executed, monkeypatch):
    pretend(monkeypatch, WRITE + "print('reading sources... [ 50%] a')\nprint('β done')")
    executed.run("build")
    log = (executed.root / "_build" / "book.log").read_text(encoding="utf-8")
    assert log == "reading sources... [ 50%] a\nβ done\n"


def test_stale_outputs_are_named_with_their_reasons_and_built_all_the_same(executed, monkeypatch):
    pretend(monkeypatch, WRITE)
    executed.edit(executed.pair("chapters/01-sum").source, "40 + 2", "40 + 3")
    executed.page("chapters/02-new", "1")
    result = executed.run("build")
    assert result.exit_code == 0
    assert (
        "stale: chapters/01-sum (code changed; the page shows the version last executed): run make execute\n"
        in result.output
    )
    assert "stale: chapters/02-new (never executed): run make execute\n" in result.output
    assert "stale outputs: 2 notebooks, listed above" in result.output


def test_a_damaged_notebook_stops_the_build(executed):
    executed.pair("chapters/01-sum").notebook.write_text("<<<<<<<", encoding="utf-8")
    result = executed.run("build")
    assert result.exit_code == 1
    assert "chapters/01-sum.ipynb is not a valid notebook" in result.output


@pytest.mark.parametrize("text", [None, "title: [unclosed"])
def test_a_configuration_that_cannot_be_read_is_named(executed, text):
    config = executed.root / "_config.yml"
    if text is None:
        config.unlink()
    else:
        config.write_text(text, encoding="utf-8")
    result = executed.run("build")
    assert result.exit_code == 1
    assert f"the book's configuration {config} cannot be read" in result.output


SHOW_CONFIG = (
    WRITE + 'print(next(a for a in sys.argv if a.startswith("--config=")))\n'
    'print(Path(next(a.partition("=")[2] for a in sys.argv if a.startswith("--config="))).read_text())'
)


def config_seen(book):
    log = (book.root / "_build" / "book.log").read_text(encoding="utf-8")
    path, _, text = log.partition("\n")
    return path.removeprefix("--config="), yaml.safe_load(text)


def test_addresses_of_a_fork_come_from_the_environment(executed, monkeypatch):
    pretend(monkeypatch, SHOW_CONFIG)
    monkeypatch.setenv("BOOK_REPOSITORY_URL", SITE.repository_url)
    monkeypatch.setenv("BOOK_BRANCH", SITE.branch)
    monkeypatch.setenv("BOOK_SITE_URL", SITE.url)
    config = executed.CONFIG + "repository: {url: https://github.com/origin/book, path_to_book: docs}\n"
    executed.configure("chapters/01-sum", config=config)
    assert executed.run("build").exit_code == 0
    _, seen = config_seen(executed)
    assert seen == {
        **yaml.safe_load(executed.CONFIG),
        "repository": {"url": SITE.repository_url, "branch": "trunk", "path_to_book": "docs"},
        "html": {"baseurl": SITE.url},
    }


def test_without_addresses_the_configuration_is_used_as_it_is(executed, monkeypatch):
    pretend(monkeypatch, SHOW_CONFIG)
    for name in ("BOOK_REPOSITORY_URL", "BOOK_BRANCH", "BOOK_SITE_URL"):
        monkeypatch.setenv(name, "")  # what a workflow passes for a variable that is not set
    assert executed.run("build").exit_code == 0
    assert config_seen(executed) == (str(executed.root / "_config.yml"), yaml.safe_load(executed.CONFIG))


@pytest.mark.book
def test_a_real_book_shows_stored_outputs_and_forgets_removed_chapters(executed):
    executed.page("chapters/02-more", "print('the second page')")
    executed.configure("chapters/01-sum", "chapters/02-more")
    assert executed.run("execute").exit_code == 0
    # An output that no execution would give shows that none took place.
    executed.alter(
        executed.pair("chapters/01-sum"),
        lambda nb: nb["cells"][2]["outputs"][0].update(text=["stored, not run\n"]),
    )
    executed.edit(executed.pair("chapters/01-sum").source, "An old sentence.", "A new sentence.")
    result = executed.run("build")
    assert result.exit_code == 0, result.output
    html = executed.root / "_build" / "html"
    page = (html / "chapters" / "01-sum.html").read_text(encoding="utf-8")
    assert "stored, not run" in page
    assert "A new sentence." in page
    assert (html / "chapters" / "02-more.html").exists()

    for path in (executed.pair("chapters/02-more").source, executed.pair("chapters/02-more").notebook):
        path.unlink()
    executed.configure("chapters/01-sum")
    assert executed.run("build").exit_code == 0
    assert (html / "chapters" / "01-sum.html").exists()
    assert not list(html.rglob("*02-more*"))


@pytest.mark.book
def test_a_broken_reference_fails_the_build_on_the_second_try_too(executed):
    pair = executed.pair("chapters/01-sum")
    executed.edit(pair.source, "An old sentence.", "See {ref}`no-such-place`.")
    for _ in range(2):
        result = executed.run("build")
        assert result.exit_code == 1
        assert "WARNING: undefined label: 'no-such-place'" in result.output
    assert not (executed.root / "_build" / "html").exists()


@pytest.mark.book
def test_a_page_that_asks_to_be_executed_fails_the_build(executed):
    pair = executed.pair("chapters/01-sum")
    executed.edit(pair.source, "kernelspec:", "mystnb:\n  execution_mode: force\nkernelspec:")
    result = executed.run("build")
    assert result.exit_code == 1
    assert f"the build executed {pair.notebook}" in result.output


@pytest.mark.book
def test_the_buttons_of_a_fork_point_at_the_fork(executed):
    config = executed.CONFIG + (
        "repository: {url: https://github.com/origin/book, branch: main}\n"
        "html: {use_repository_button: true}\n"
        "launch_buttons: {colab_url: https://colab.research.google.com}\n"
    )
    executed.configure("chapters/01-sum", config=config)
    result = executed.run("build", f"--repository-url={SITE.repository_url}", f"--branch={SITE.branch}")
    assert result.exit_code == 0, result.output
    page = (executed.root / "_build" / "html" / "chapters" / "01-sum.html").read_text(encoding="utf-8")
    assert "colab.research.google.com/github/fork/book/blob/trunk/chapters/01-sum.ipynb" in page
    assert 'href="https://github.com/fork/book"' in page
    assert "origin" not in page
