"""The normal form of stored notebooks, and writing them in one step."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from coursebook.pairs import read_notebook, read_source
from coursebook.stored import code_cells, combine, describe, dumps, recorded_digest, store


def with_outputs(source, *outputs):
    """A copy of a notebook as a kernel would leave it: outputs, times, a random id."""
    executed = nbformat.from_dict(source)
    for count, (cell, output) in enumerate(zip(code_cells(executed), outputs, strict=True), start=1):
        cell.execution_count = count
        cell.outputs = [output]
        cell.metadata["execution"] = {"iopub.execute_input": "2024-01-01T00:00:00Z"}
        cell.id = f"random{count}"
    return executed


def stream(text):
    return new_output("stream", name="stdout", text=text)


def test_outputs_come_from_one_notebook_and_everything_else_from_the_source(book):
    source = read_source(book.page("chapters/01-a", ":tags: [hide-input]\nprint(1)"))
    executed = with_outputs(source, stream("1\n"))
    code_cells(executed)[0].metadata = {"tags": ["old"], "collapsed": True}
    (cell,) = code_cells(combine(source, executed, {}, book.root))
    assert (cell.execution_count, cell.outputs) == (1, [stream("1\n")])
    assert cell.metadata == {"tags": ["hide-input"]}


def test_nothing_of_the_machine_or_the_moment_is_stored(book):
    source = read_source(book.page("chapters/01-a", "print(1)"))
    executed = with_outputs(source, stream("1\n"))
    executed.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    notebook = combine(source, executed, {}, book.root)
    assert "version" not in notebook.metadata["language_info"]
    assert notebook.metadata["jupytext"] == {"formats": "md:myst,ipynb"}
    text = dumps(notebook)
    for volatile in ("3.11.7", "execute_input", "random1", str(book.root)):
        assert volatile not in text


def test_cell_ids_follow_from_the_text_and_stay_unique(book):
    page = ("x = 1", "x = 1", "y = 2")
    first = combine(*[read_source(book.page("chapters/01-a", *page))] * 2, {}, book.root)
    again = combine(*[read_source(book.page("chapters/01-a", *page))] * 2, {}, book.root)
    edited = combine(*[read_source(book.page("chapters/01-a", "x = 1", "x = 3", "y = 2"))] * 2, {}, book.root)
    ids = [[cell.id for cell in notebook.cells] for notebook in (first, again, edited)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4
    assert [one == two for one, two in zip(ids[0], ids[2], strict=True)] == [True, True, False, True]
    nbformat.validate(first)


def test_the_digest_is_recorded_and_never_taken_from_the_source(book):
    source = read_source(book.page("chapters/01-a", "1"))
    source.metadata["coursebook"] = {"digest": {"code": "forged"}}
    assert recorded_digest(combine(source, source, {}, book.root)) == {}
    assert recorded_digest(combine(source, source, {"code": "c"}, book.root)) == {"code": "c"}


@pytest.mark.parametrize("home", ["elsewhere", "above"])
def test_tracebacks_lose_the_folders_of_this_machine(book, monkeypatch, home):
    above = book.root.resolve().parent
    monkeypatch.setattr(Path, "home", lambda: above if home == "above" else Path("/nobody"))
    shown = f"~{os.sep}{book.root.name}" if home == "above" else str(book.root.resolve())
    source = read_source(book.page("chapters/01-a", "fail()"))
    trace = [
        f"\x1b[32mFile {shown}{os.sep}src{os.sep}dropoutlab{os.sep}masks.py:3\x1b[39m",
        "File /opt/env/lib/python3.11/site-packages/torch/nn/functional.py:9",
    ]
    error = new_output("error", ename="ValueError", evalue="no", traceback=trace)
    (cell,) = code_cells(combine(source, with_outputs(source, error), {}, book.root))
    assert cell.outputs[0].traceback == [
        f"\x1b[32mFile src{os.sep}dropoutlab{os.sep}masks.py:3\x1b[39m",
        "File torch/nn/functional.py:9",
    ]


def test_a_cell_is_described_by_its_number_and_first_line():
    assert describe(4, new_code_cell("\n  fit(net)\nmore")) == "cell 4 (fit(net))"
    assert describe(4, new_code_cell("")) == "cell 4"
    assert describe(4, new_code_cell("x" * 51)) == f"cell 4 ({'x' * 47}...)"


def test_storing_reads_back_and_an_equal_file_is_left_alone(book):
    pair = book.page("chapters/01-a", "1")
    source = read_source(pair)
    notebook = combine(source, source, {"code": "c"}, book.root)
    assert store(pair, notebook)
    assert dumps(read_notebook(pair)) == pair.notebook.read_text(encoding="utf-8") == dumps(notebook)
    os.utime(pair.notebook, (1, 1))
    assert not store(pair, notebook)
    assert pair.notebook.stat().st_mtime == 1


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_litter(book, monkeypatch, broken):
    pair = book.page("chapters/01-a", "1")
    source = read_source(pair)
    store(pair, combine(source, source, {}, book.root))
    before = pair.notebook.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(*((os, "fsync", fail) if broken == "fsync" else (Path, "replace", fail)))
    with pytest.raises(OSError, match="disk full"):
        store(pair, combine(source, source, {"code": "new"}, book.root))
    assert pair.notebook.read_bytes() == before
    assert sorted(path.name for path in pair.notebook.parent.iterdir()) == ["01-a.ipynb", "01-a.md"]


def test_a_stored_file_keeps_its_mode_and_a_new_one_is_readable(book):
    pair = book.page("chapters/01-a", "1")
    source = read_source(pair)
    store(pair, combine(source, source, {}, book.root))
    assert pair.notebook.stat().st_mode & 0o777 == 0o644
    pair.notebook.chmod(0o600)
    store(pair, combine(source, source, {"code": "new"}, book.root))
    assert pair.notebook.stat().st_mode & 0o777 == 0o600
