"""Workbooks: every task with an empty cell, no answer in the open, nothing of the book's own syntax left."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from typer.testing import CliRunner

from coursebook.cli import app
from coursebook.errors import BookError
from coursebook.pairs import Pair, find_pairs
from coursebook.workbook import WRITTEN, YOURS, without_glue, workbook, write_missing
from coursebook.workbook_text import Inline, glued
from dropoutlab.grading import exercises, stub, worked_solution

REPOSITORY = Path(__file__).parents[2]
PAGES = [pair for pair in find_pairs(REPOSITORY) if pair.name.startswith("exercises/")]


def names(text, directive):
    return re.findall(rf"^`+\{{{directive}\}} *(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("pair", PAGES, ids=lambda pair: pair.name)
def test_a_page_of_the_book_becomes_a_workbook(pair):
    source = pair.source.read_text(encoding="utf-8")
    book = workbook(pair)
    nbformat.validate(book)
    assert book == workbook(pair)
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    codes = [cell.source for cell in book.cells if cell.cell_type == "code"]

    for title in names(source, "exercise-start"):
        assert sum(f"**{title}**" in text for text in texts) == 1
    answers = codes.count(YOURS) + texts.count(WRITTEN)
    assert answers == len(names(source, "exercise-start")) > 0
    graded = names(source, "graded")
    assert len(graded) >= 3
    for name in graded:
        at = codes.index(stub(name).strip("\n"))
        assert f'check("{name}", {name})' in codes[at + 1]

    # Solutions and hints are folded: outside <details> none of their text remains.
    everything = "\n".join(texts)
    assert everything.count("<summary>Solution</summary>") == answers + len(graded)
    assert everything.count("<details>") == everything.count("</details>")
    unfolded = re.sub(r"<details>.*?</details>", "", everything, flags=re.DOTALL) + "\n".join(codes)
    for name in graded:
        end = "\n".join(worked_solution(name).strip().splitlines()[-3:])
        assert end not in unfolded or end in stub(name)
        assert worked_solution(name).strip() in everything

    assert not re.search(r"\{[a-z:-]+\}`|^[`:]{3,}\{|^:\w+:|^\([\w-]+\)=$", everything, re.MULTILINE)
    for code in codes:
        ast.parse(code)
        assert "glue(" not in code
    assert all(cell.get("outputs", []) == [] for cell in book.cells)


def test_every_graded_exercise_is_on_the_page_of_its_chapter():
    for pair in PAGES:
        here = names(pair.source.read_text(encoding="utf-8"), "graded")
        own = [task.name for task in exercises() if f"exercises/{task.chapter}" == pair.name]
        assert sorted(here) == sorted(own)


def page(tmp_path, *cells):
    (tmp_path / "exercises").mkdir(exist_ok=True)
    (tmp_path / "chapters").mkdir(exist_ok=True)
    (tmp_path / "exercises" / "01-a.md").write_text("# A\n")
    chapter = new_code_cell("glue('x', 'y')")
    chapter.outputs = [
        new_output(
            "display_data",
            {"application/papermill.record/text/plain": "'26.7 %'"},
            metadata={"scrapbook": {"name": "application/papermill.record/share"}},
        )
    ]
    text = new_markdown_cell("(here)=\n# The chapter\n")
    nbformat.write(new_notebook(cells=[text, chapter]), tmp_path / "chapters" / "01-a.ipynb")
    nbformat.write(new_notebook(cells=list(cells)), tmp_path / "exercises" / "01-a.ipynb")
    (tmp_path / "references.bib").write_text(
        "@article{two, author={Ann Ada and Bo Bell}, year={2001}, title={T}, journal={J}}\n"
        "@article{one, author={Cy Cole}, year={2002}, title={T}, journal={J}}\n"
        "@article{many, author={Ann Ada and Bo Bell and Cy Cole}, year={2003}, title={T}, journal={J}}\n"
    )
    return Pair(tmp_path, "exercises/01-a")


def test_roles_become_plain_markdown(tmp_path):
    page(tmp_path)
    inline = Inline(tmp_path, "exercises/01-a")
    assert inline.markdown("{doc}`../chapters/01-a`") == "[The chapter](../chapters/01-a.ipynb)"
    assert inline.markdown("{doc}`it <../chapters/01-a.ipynb>`") == "[it](../chapters/01-a.ipynb)"
    assert inline.markdown("{glue:text}`../chapters/01-a.ipynb::share:s` of all") == "26.7 % of all"
    assert inline.markdown("{evidence}`measured`") == "*(measured)*"
    assert inline.markdown("{claim}`A-1`") == "(claim A-1)"
    cited = inline.markdown("{cite}`one,two, many`")
    assert cited == "(Cole 2002; Ada and Bell 2001; Ada et al. 2003)"
    assert inline.markdown("(label)=\n## T\n\n$$\nx\n$$ (eq-x)") == "## T\n\n$$\nx\n$$"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{numref}`fig-x`", r"exercises/01-a\.md uses {numref}`fig-x`.*'numref'"),
        ("{glue:text}`../chapters/01-a.ipynb::nothing`", r"'nothing', which chapters/01-a\.ipynb does not"),
        ("{doc}`../chapters/09-z`", "no page of the book"),
        ("{cite}`nobody`", "'nobody', which is not in references"),
        ("{glue:text}`../chapters/02-b.ipynb::x`", r"chapters/02-b\.ipynb is missing"),
    ],
)
def test_what_cannot_be_shown_is_an_error(tmp_path, text, message):
    page(tmp_path)
    with pytest.raises(BookError, match=message):
        Inline(tmp_path, "exercises/01-a").markdown(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```{mystery} x\n```", r"uses \{mystery\}"),
        ("```{exercise-start} x\n:label: y", "does not close it"),
        ("```{solution-start} x\n```\nopen", "does not end"),
    ],
)
def test_a_page_that_cannot_be_read_is_an_error(tmp_path, text, message):
    with pytest.raises(BookError, match=message):
        workbook(page(tmp_path, new_markdown_cell(text)))


def test_a_solution_across_cells_is_folded_with_what_it_prints(tmp_path):
    code = new_code_cell("from myst_nb import glue\nx = 2\nprint(x)\nglue('x', x)")
    code.outputs = [new_output("stream", text="2\n"), new_output("display_data", {"text/plain": "<Figure>"})]
    code.outputs.append(
        new_output("display_data", {"text/plain": "2"}, metadata={"scrapbook": {"name": "x"}})
    )
    given = new_code_cell("y = 1")
    pair = page(
        tmp_path,
        new_markdown_cell("```{exercise-start} Task\n:label: ex-t\n```\n\nno code here"),
        given,
        new_markdown_cell(
            "```{exercise-end}\n```\n\n````{solution-start} ex-t\n:class: dropdown\n````\n\nSo:"
        ),
        code,
        new_markdown_cell("It is {glue:text}`x`.\n\n````{solution-end}\n````\n\nAfter."),
    )
    kinds = [(cell.cell_type, cell.source) for cell in workbook(pair).cells]
    assert kinds == [
        ("markdown", "**Task**\n\nno code here"),
        ("code", "y = 1"),
        ("code", YOURS),
        (
            "markdown",
            "<details>\n<summary>Solution</summary>\n\nSo:\n\n```python\nx = 2\nprint(x)\n```\n\n"
            "```text\n2\n```\n\nIt is 2.\n\n</details>",
        ),
        ("markdown", "After."),
    ]


def test_values_that_are_shown_are_found_too():
    cell = new_code_cell("glue('n', 3)")
    cell.outputs = [new_output("display_data", {"text/plain": "3"}, metadata={"scrapbook": {"name": "n"}})]
    assert glued(new_notebook(cells=[cell])) == {"n": "3"}


def test_a_loop_of_nothing_but_glue_goes():
    block = "for n in (1, 2):\n    if n:\n        glue(str(n), n)"
    assert without_glue(f"{block}\nn") == "n"
    assert without_glue(f"{block}\n    print(n)") == "for n in (1, 2):\n    print(n)"


def test_what_a_reader_has_begun_is_kept(tmp_path, monkeypatch):
    pair = page(tmp_path, new_markdown_cell("# A"))
    folder = tmp_path / "workbooks"
    assert write_missing([pair], folder) == ([folder / "01-a.ipynb"], [])
    (folder / "01-a.ipynb").write_text("mine")
    assert write_missing([pair], folder) == ([], [folder / "01-a.ipynb"])
    assert (folder / "01-a.ipynb").read_text() == "mine"

    (tmp_path / "exercises" / "01-a.md").write_text("---\n---\n# A\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("coursebook.cli.find_pairs", lambda _root: [pair])
    shown = CliRunner().invoke(app, ["workbooks"])
    assert shown.exit_code == 0
    assert "kept as they are" in shown.output
    (folder / "01-a.ipynb").unlink()
    assert "new in workbooks/: 01-a.ipynb" in CliRunner().invoke(app, ["workbooks"]).output
