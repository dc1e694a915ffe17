"""Notebooks to take away speak plain Markdown, and their first cells find or fetch the package."""

import ast
import io
import re
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursebook import take_away
from coursebook.errors import BookError
from coursebook.pairs import Pair, find_pairs
from coursebook.standalone import ARCHIVE, FOLDER, standalone_chapter, standalone_workbook
from coursebook.take_away import archive, wheel, wheel_name
from tests.coursebook.test_workbook import REPOSITORY

CHAPTERS = [pair for pair in find_pairs(REPOSITORY) if pair.name.startswith("chapters/")]
BASE = "https://example.org/book/"


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def codes(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("pair", CHAPTERS, ids=lambda pair: pair.name)
def test_a_chapter_can_be_taken_away(pair):
    book = standalone_chapter(pair, "", lambda _: "supported")
    nbformat.validate(book)
    # Code may look like a role; what is left of the book's own syntax outside of it is an error.
    plain = re.sub(r"```.*?```", "", "\n".join(texts(book)), flags=re.DOTALL)
    assert not re.search(r"\{[a-z:-]+\}`|^[`:]{3,}|^\([\w-]+\)=$|\$\$ \(", plain, re.MULTILINE)
    for code in codes(book):
        ast.parse(code)
        assert not re.search(r"\bglue\b", code)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if "scrapbook" in output.get("metadata", {})]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    captions = sum("caption:" in line for line in pair.source.read_text(encoding="utf-8").splitlines())
    assert sum(text.startswith("**Fig. ") for text in texts(book)) == captions > 0


def test_no_name_is_lost_with_the_cells_for_the_book(tmp_path):
    for pair in CHAPTERS:
        book = standalone_chapter(pair, "", lambda _: "supported")
        path = tmp_path / f"{pair.name.partition('/')[2]}.ipynb"
        nbformat.write(book, path)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def page(tmp_path, *cells, name="chapters/06-a"):
    for folder in ("chapters", "exercises"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "glossary.md").write_text("# Glossary\n")
    (tmp_path / "references.bib").write_text("@book{cole, author={Cy Cole}, year={2002}, title={T}}\n")
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), *cells]), tmp_path / f"{name}.ipynb")
    return Pair(tmp_path, name)


def converted(tmp_path, text, base=""):
    pair = page(tmp_path, new_markdown_cell(text))
    return texts(standalone_chapter(pair, base, {"A-1": "exact, true"}.__getitem__))[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{claim}`A-1`", "(A-1: exact, true)"),
        ("a {term}`mask` and {term}`masks <mask>`", "a mask and masks"),
        ("{ref}`seven <here>`, {verdict}`exact`", "seven, *(exact)*"),
        ("{cite:t}`cole` says {cite}`cole`", "Cole 2002 says (Cole 2002)"),
        ("{playground}`a net <p=0.3>`", "a net"),
        ("{doc}`words <../glossary>`", "*words*"),
        ("[self](06-a.ipynb#part)", "[self](../chapters/06-a.ipynb)"),
        ("[out](https://example.org/a.md)", "[out](https://example.org/a.md)"),
        ("$$\nx\n$$ (eq-x)\n\nSee {eq}`eq-x`.", "$$\nx\n\\tag{6.1}\n$$\n\nSee (6.1)."),
        (
            ":::{admonition} Predict\n:class: predict\nHow many?\n\nAll?\n:::",
            "> **Predict**\n>\n> How many?\n>\n> All?",
        ),
        (":::{note}\nOne.\n:::", "> **Note**\n>\n> One."),
        (":::{table} Rates\n:name: tab-a\n\n| p |\n:::\n{numref}`tab-a`", "*Rates*\n\n\n| p |\nTable 6.1"),
        ("```python\nx\n```", "```python\nx\n```"),
    ],
)
def test_what_directives_say_stays(tmp_path, text, expected):
    assert converted(tmp_path, text) == expected


def test_with_an_address_links_lead_to_the_book(tmp_path):
    assert converted(tmp_path, "{doc}`words <../glossary>`", BASE) == f"[words]({BASE}glossary.html)"
    assert converted(tmp_path, "{playground}`a net <p=0.3>`", BASE) == f"[a net]({BASE}playground.html#p=0.3)"


@pytest.mark.parametrize("text", ["{numref}`fig-none`", "```{mystery} x\n```", "{unknown}`x`"])
def test_what_cannot_be_shown_is_an_error(tmp_path, text):
    with pytest.raises(BookError, match=r"chapters/06-a\.md"):
        converted(tmp_path, text)


def test_pictures_keep_their_captions_and_cells_their_state(tmp_path):
    cell = new_code_cell("from myst_nb import glue\nglue('x', 1)\ndraw()", execution_count=2)
    cell.metadata["mystnb"] = {"figure": {"caption": "With $p$.", "name": "fig-a"}}
    cell.metadata["tags"] = ["hide-input", "raises-exception"]
    cell.outputs = [
        new_output("display_data", {"text/plain": "1"}, metadata={"scrapbook": {"name": "x"}}),
        new_output("stream", text="seen\n"),
    ]
    only_glue = new_code_cell("glue('y', 2)")
    book = standalone_chapter(page(tmp_path, cell, only_glue, new_markdown_cell("{numref}`fig-a`")), "", str)
    assert codes(book)[1:] == ["draw()"]
    kept = book.cells[3]
    assert (kept.execution_count, kept.metadata["jupyter"]) == (2, {"source_hidden": True})
    assert kept.metadata["tags"] == ["raises-exception"]
    assert [output.output_type for output in kept.outputs] == ["stream"]
    assert texts(book)[-2:] == ["**Fig. 6.1.** With $p$.", "Fig. 6.1"]


# The first cell


def first_cell(tmp_path, base=""):
    return codes(standalone_chapter(page(tmp_path / "source"), base, str))[0]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An empty folder in which a reader opens a notebook; nothing is installed from it."""
    (tmp_path / "source").mkdir()
    desk = tmp_path / "a desk"
    desk.mkdir()
    monkeypatch.chdir(desk)
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: calls.append(command[1:]))
    return SimpleNamespace(folder=desk, calls=calls, cell=lambda base="": first_cell(tmp_path, base))


def small_archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as files:
        for name in ("pyproject.toml", "results/a.csv", wheel_name()):
            files.writestr(f"{FOLDER}/{name}", "")
    return buffer.getvalue()


def run(cell):
    exec(compile(cell, "cell", "exec"), {})


def test_without_the_archive_the_first_cell_says_what_is_missing(desk):
    with pytest.raises(FileNotFoundError, match=f"{ARCHIVE} is missing.*a desk"):
        run(desk.cell())


def test_the_archive_beside_the_notebook_is_unpacked_once(desk, monkeypatch):
    (desk.folder / ARCHIVE).write_bytes(small_archive())
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    run(desk.cell())
    home = desk.folder / FOLDER
    wanted = ["-m", "pip", "install", "--quiet", str(home / wheel_name())]
    assert desk.calls == [wanted]
    (desk.folder / ARCHIVE).unlink()
    monkeypatch.chdir(desk.folder)
    run(desk.cell())  # found where it was unpacked
    assert desk.calls == [wanted, wanted]


def test_with_an_address_the_archive_is_fetched_from_the_book(desk, monkeypatch):
    asked = []

    def fetch(address, target):
        asked.append(address)
        target.write_bytes(small_archive())

    monkeypatch.setattr("urllib.request.urlretrieve", fetch)
    run(desk.cell(BASE))
    assert asked == [BASE + ARCHIVE]
    assert desk.calls == []  # the package is installed here


# The archive


def test_the_wheel_is_one_that_pip_takes(tmp_path):
    content = wheel()
    assert content == wheel()
    path = tmp_path / wheel_name()
    path.write_bytes(content)
    target = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*command, "--disable-pip-version-check", f"--target={target}", str(path)], check=True)
    code = "import dropoutlab, coursebook.live; print(dropoutlab.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(target))
    assert (target / "dropoutlab" / "catalogue" / "articles.toml").is_file()


def test_the_archive_holds_what_the_notebooks_need(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "runs.csv").write_text("arm\n")
    (tmp_path / ".hidden").write_text("")
    content = archive({"chapters/01-a": "{}"}, tmp_path, "Coins")
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        names = {name.removeprefix(f"{FOLDER}/") for name in files.namelist()}
        assert names == {
            "chapters/01-a.ipynb",
            "results/toy/runs.csv",
            "README.md",
            "pyproject.toml",
            "_config.yml",
            wheel_name(),
        }


def test_a_workbook_finds_the_package_too():
    pair = Pair(REPOSITORY, "exercises/04-scaling")
    book = standalone_workbook(pair, BASE)
    assert f"]({BASE}exercises/04-scaling.html)" in texts(book)[0]
    assert 'find_spec("dropoutlab")' in codes(book)[0]


def test_a_page_that_cannot_be_taken_away_is_a_warning(tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(take_away.logger, "warning", lambda *words, **_: warned.append(words))
    page(tmp_path, new_markdown_cell("```{mystery} x\n```"), name="chapters/06-a")
    docs = {"chapters/06-a", "intro"}
    env = SimpleNamespace(found_docs=docs, doc2path=lambda page: f"{page}.ipynb", metadata={})
    app = SimpleNamespace(
        srcdir=tmp_path,
        outdir=tmp_path,
        env=env,
        config=SimpleNamespace(html_baseurl=""),
        builder=SimpleNamespace(name="html"),
    )
    take_away.write(app, None)
    assert "mystery" in str(warned)
    assert not (tmp_path / ARCHIVE).exists()
    take_away.write(app, RuntimeError("the build failed"))
    assert len(warned) == 1
