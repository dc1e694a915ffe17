"""Why a notebook is stale, and how its prose follows the source without running anything."""

import pytest

from coursebook.errors import BookError
from coursebook.pairs import read_notebook
from coursebook.status import examine, sync
from coursebook.stored import RECORD


def status_of(book, name="chapters/01-sum"):
    (status,) = examine([book.pair(name)], book.root)
    return status


def first_code_cell(content):
    return next(cell for cell in content["cells"] if cell["cell_type"] == "code")


def test_an_executed_notebook_is_fresh(executed):
    assert status_of(executed).reasons == []


def test_other_versions_make_it_stale(executed):
    (executed.root / "constraints.txt").write_text("something else\n", encoding="utf-8")
    assert status_of(executed).reasons == ["constraints changed"]


@pytest.mark.parametrize("part", ["lab", "results"])
def test_outputs_of_another_lab_or_other_results_are_stale(executed, part):
    def age(content):
        content["metadata"][RECORD]["digest"][part] = "0" * 16

    executed.alter(executed.pair("chapters/01-sum"), age)
    assert status_of(executed).reasons == [f"{part} changed"]


def test_changed_code_makes_it_stale_and_changed_prose_does_not(executed):
    source = executed.pair("chapters/01-sum").source
    executed.edit(source, "An old sentence.", "A new sentence.")
    assert status_of(executed).reasons == []
    executed.edit(source, "40 + 2", "40 + 3")
    assert status_of(executed).reasons == ["code changed"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda nb: first_code_cell(nb).update(source=["total = 41 + 1"]), "code of the .ipynb edited"),
        (lambda nb: first_code_cell(nb).update(execution_count=None), "outputs missing"),
        (
            lambda nb: first_code_cell(nb)["outputs"].append(
                {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
            ),
            "a cell failed",
        ),
        (lambda nb: nb["metadata"].pop("coursebook"), "never executed"),
    ],
)
def test_a_stored_notebook_changed_by_hand_is_stale(executed, change, reason):
    executed.alter(executed.pair("chapters/01-sum"), change)
    assert status_of(executed).reasons == [reason]


def test_a_notebook_that_was_never_generated_gets_one_without_outputs(book):
    pair = book.page("chapters/01-a", "1")
    assert status_of(book, pair.name).reasons == ["never executed"]
    assert sync(status_of(book, pair.name))
    assert read_notebook(pair).cells[1].outputs == []
    assert status_of(book, pair.name).reasons == ["never executed"]


def test_new_prose_and_looks_reach_the_notebook_and_outputs_stay(executed):
    pair = executed.pair("chapters/01-sum")
    executed.edit(pair.source, "An old sentence.", "A new sentence.")
    executed.edit(pair.source, "print(total)", ":tags: [hide-input]\nprint(total)")
    assert sync(status_of(executed))
    notebook = read_notebook(pair)
    assert "A new sentence." in notebook.cells[0].source
    assert notebook.cells[2].metadata["tags"] == ["hide-input"]
    assert notebook.cells[2].outputs[0].text == "42\n"
    assert status_of(executed).reasons == []
    assert not sync(status_of(executed))


def test_outputs_are_never_put_beside_code_that_did_not_produce_them(executed):
    pair = executed.pair("chapters/01-sum")
    before = pair.notebook.read_bytes()
    executed.edit(pair.source, "An old sentence.", "A new sentence.")
    executed.edit(pair.source, "40 + 2", "40 + 3")
    assert not sync(status_of(executed))
    assert pair.notebook.read_bytes() == before


def test_a_damaged_notebook_is_stale_and_is_not_overwritten_by_prose(executed):
    pair = executed.pair("chapters/01-sum")
    pair.notebook.write_text("<<<<<<< ours", encoding="utf-8")
    assert status_of(executed).reasons == ["notebook unreadable"]
    with pytest.raises(BookError, match="run make execute"):
        sync(status_of(executed))
    assert pair.notebook.read_text(encoding="utf-8") == "<<<<<<< ours"
