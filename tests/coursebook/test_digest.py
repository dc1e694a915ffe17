"""What makes a digest change, and what does not."""

import pytest

from coursebook.digest import changed_parts, code_digest, full_digest, surroundings
from coursebook.pairs import read_source


def digest_of(book, *code, prose="Prose."):
    return code_digest(read_source(book.page("chapters/01-a", *code, prose=prose)))


def test_prose_and_looks_do_not_count(book):
    first = digest_of(book, "x = 1", prose="One sentence.")
    assert digest_of(book, "x = 1", prose="Another.\n\nAnd one more.") == first
    assert digest_of(book, ":tags: [hide-input]\nx = 1") == first
    assert digest_of(book, "---\nmystnb:\n  image:\n    alt: a curve\n---\nx = 1") == first


@pytest.mark.parametrize(
    "code",
    [["x = 2"], ["x = 1", "y = 1"], ["x = 1 "], [":tags: [raises-exception]\nx = 1"], []],
    ids=["text", "added", "space", "tag", "removed"],
)
def test_code_and_execution_tags_count(book, code):
    assert digest_of(book, *code) != digest_of(book, "x = 1")


def test_the_order_and_the_borders_of_cells_count(book):
    assert len({digest_of(book, *code) for code in (["a", "b"], ["b", "a"], ["a\nb"], ["a", "b", ""])}) == 4


def test_everything_around_a_notebook_has_its_own_digest(book):
    before = surroundings(book.root)
    (book.root / "src" / "dropoutlab" / "masks.py").write_text("q = 0.8\n", encoding="utf-8")
    assert changed_parts(before, surroundings(book.root)) == ["lab"]
    (book.root / "constraints.txt").write_text("numpy==2.1\n", encoding="utf-8")
    assert changed_parts(before, surroundings(book.root)) == ["lab", "constraints"]
    (book.root / "results" / "study").mkdir(parents=True)
    (book.root / "results" / "study" / "runs.csv").write_text("seed\n1\n", encoding="utf-8")
    assert changed_parts(before, surroundings(book.root)) == ["lab", "results", "constraints"]


@pytest.mark.parametrize("change", ["add", "nested", "rename", "delete", "move text"])
def test_every_file_of_the_lab_counts(book, change):
    lab = book.root / "src" / "dropoutlab"
    (lab / "other.py").write_text("b\n", encoding="utf-8")
    before = surroundings(book.root)["lab"]
    if change == "add":
        (lab / "new.py").write_text("", encoding="utf-8")
    elif change == "nested":
        (lab / "data").mkdir()
        (lab / "data" / "idx.py").write_text("", encoding="utf-8")
    elif change == "rename":
        (lab / "masks.py").rename(lab / "mask.py")
    elif change == "delete":
        (lab / "masks.py").unlink()
    else:  # the same bytes in the same order, names included, cut at another place
        (lab / "masks.py").write_text("q = 0.7\ndropoutlab/other.pyb\n", encoding="utf-8")
        (lab / "other.py").unlink()
    assert surroundings(book.root)["lab"] != before


def test_caches_backups_and_line_endings_do_not_count(book):
    lab = book.root / "src" / "dropoutlab"
    before = surroundings(book.root)
    (lab / "__pycache__").mkdir()
    for name in ("__pycache__/masks.cpython-311.pyc", ".DS_Store", "masks.py~", "masks.pyc"):
        (lab / name).write_bytes(b"noise")
    (lab / "masks.py").write_bytes(b"q = 0.7\r\n")
    assert surroundings(book.root) == before


def test_a_full_digest_has_the_notebook_and_its_surroundings(book):
    notebook = read_source(book.page("chapters/01-a", "x = 1"))
    around = surroundings(book.root)
    assert full_digest(notebook, around) == {"code": code_digest(notebook), **around}
    assert changed_parts({}, full_digest(notebook, around)) == ["code", "lab", "results", "constraints"]
