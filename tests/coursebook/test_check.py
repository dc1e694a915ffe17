"""Every way in which a stored notebook can part from its source is found and named."""

import pytest

from coursebook.check import check


def findings(book, name="chapters/01-sum"):
    return [str(finding) for finding in check([book.pair(name)], book.root)]


def code_cell(content, index=0):
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"][index]


def test_an_executed_book_has_no_findings(executed):
    assert findings(executed) == []


def test_an_edit_of_the_source_alone_is_caught_in_prose(executed):
    executed.edit(executed.pair("chapters/01-sum").source, "An old sentence.", "A new sentence.")
    (finding,) = findings(executed)
    assert finding == (
        "chapters/01-sum.ipynb, cell 1 (# Page chapters/01-sum): text differs from chapters/01-sum.md; "
        "run make execute (only changed code runs)"
    )


def test_an_edit_of_the_source_alone_is_caught_in_code(executed):
    executed.edit(executed.pair("chapters/01-sum").source, "40 + 2", "40 + 3")
    drift, stale = findings(executed)
    assert "cell 2 (total = 40 + 3): text differs" in drift
    assert "outputs are stale (code changed); run make execute" in stale


def test_an_edit_of_a_caption_alone_is_caught(executed):
    source = executed.pair("chapters/01-sum").source
    executed.edit(source, "total = 40 + 2", "---\nmystnb: {image: {alt: a curve}}\n---\ntotal = 40 + 2")
    (finding,) = findings(executed)
    assert "cell 2 (total = 40 + 2): metadata differs" in finding


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("An old sentence.", "An old sentence.\n\n+++\n\nOne more.", "cell 2 (One more.): the source has 4"),
        ("```{code-cell} ipython3\nprint(total)\ntotal / 10\n```", "", "cell 3: the source has 2 cells"),
    ],
    ids=["added", "removed"],
)
def test_an_added_or_removed_cell_is_caught_where_the_files_part(executed, old, new, place):
    executed.edit(executed.pair("chapters/01-sum").source, old, new)
    assert place in findings(executed)[0]
    assert "cells and the notebook 3; they part here" in findings(executed)[0]


def test_a_cell_of_another_type_is_caught(executed):
    executed.alter(executed.pair("chapters/01-sum"), lambda nb: nb["cells"][0].update(cell_type="raw"))
    assert "cell 1 (# Page chapters/01-sum): type differs" in findings(executed)[0]


def test_stripped_outputs_are_caught(executed):
    def strip(content):
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)

    executed.alter(executed.pair("chapters/01-sum"), strip)
    assert findings(executed) == [
        "chapters/01-sum.ipynb, cell 2 (total = 40 + 2): was never executed; run make execute",
        "chapters/01-sum.ipynb, cell 3 (print(total)): was never executed; run make execute",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb["metadata"]["language_info"].update(version="3.11.7"),
        lambda nb: nb["metadata"].update(kernelspec={"name": "other", "display_name": "Other"}),
        lambda nb: nb["cells"][1].update(id="random"),
    ],
    ids=["language", "kernel", "id"],
)
def test_a_notebook_saved_by_another_program_is_caught(executed, change):
    executed.alter(executed.pair("chapters/01-sum"), change)
    assert "header, cell ids or volatile fields are not as generated" in findings(executed)[0]


def test_execution_times_are_caught(executed):
    times = {"execution": {"iopub.status.busy": "2024-01-01T00:00:00Z"}}
    executed.alter(executed.pair("chapters/01-sum"), lambda nb: code_cell(nb).update(metadata=times))
    assert "cell 2 (total = 40 + 2): metadata differs" in findings(executed)[0]


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["ValueError: no"]}


def test_an_error_among_the_outputs_is_caught(executed):
    executed.alter(executed.pair("chapters/01-sum"), lambda nb: code_cell(nb)["outputs"].append(ERROR))
    (finding,) = findings(executed)
    assert "cell 2 (total = 40 + 2): carries an error; mend it and run make execute, or tag it" in finding


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (":tags: [skip-execution]\n1", "is marked skip-execution and so never verified"),
        (":tags: [nbval-skip]\n1", "is marked nbval-skip and so never verified"),
        ("# NBVAL_SKIP\n1", "is marked NBVAL_SKIP and so never verified"),
        ("", "is empty; delete it from the source"),
        (":tags: [raises-exception]\n1", "is tagged raises-exception and raised nothing"),
    ],
)
def test_a_cell_that_escapes_verification_is_caught(executed, code, problem):
    pair = executed.pair("chapters/01-sum")
    executed.edit(pair.source, "total = 40 + 2", code)
    executed.alter(
        pair,
        lambda nb: code_cell(nb).update(
            source=[code.split("\n")[-1] if ":tags" in code else code],
            metadata={"tags": [code[code.index("[") + 1 : code.index("]")]]} if ":tags" in code else {},
        ),
    )
    assert any(problem in finding for finding in findings(executed))


@pytest.mark.parametrize(
    "path", ["/home/someone/book", "/Users/someone/x.py", "C:\\Users\\me\\x", "/tmp/ipykernel_12/3.py"]
)
@pytest.mark.parametrize("kind", ["stream", "plain"])
def test_a_path_of_the_machine_among_the_outputs_is_caught(executed, path, kind):
    data = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": [f"at {path}"]}}
    stream = {"output_type": "stream", "name": "stdout", "text": [f"reading {path}\n"]}
    output = data if kind == "plain" else stream
    executed.alter(executed.pair("chapters/01-sum"), lambda nb: code_cell(nb).update(outputs=[output]))
    (finding,) = findings(executed)
    assert f"prints a path of this machine ({path})" in finding


def test_ordinary_paths_and_images_are_left_in_peace(executed):
    data = {"text/plain": ["src/dropoutlab/masks.py, https://example.org/home"], "image/png": "/home/aaaa"}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    executed.alter(executed.pair("chapters/01-sum"), lambda nb: code_cell(nb).update(outputs=[output]))
    assert findings(executed) == []


def test_missing_damaged_and_orphaned_notebooks_are_named(executed):
    pair = executed.pair("chapters/01-sum")
    pair.notebook.rename(pair.notebook.with_name("02-gone.ipynb"))
    assert findings(executed) == [
        "chapters/01-sum.ipynb: does not exist: the page was never executed; run make execute",
        "chapters/02-gone.ipynb: has no source beside it; delete it, or restore its .md",
    ]
    pair.notebook.write_text("{", encoding="utf-8")
    assert findings(executed)[0] == "chapters/01-sum.ipynb: is not a valid notebook; run make execute"


def test_a_notebook_without_digest_is_caught(executed):
    executed.alter(executed.pair("chapters/01-sum"), lambda nb: nb["metadata"].pop("coursebook"))
    assert findings(executed) == [
        "chapters/01-sum.ipynb: outputs are stale (never executed); run make execute"
    ]
