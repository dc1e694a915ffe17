"""What makes a digest change, and what does not."""

import pytest

from coursebook.digest import changed_parts, code_digest, evidence_digest, full_digest, surroundings
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


USING = "from dropoutlab import masks"


@pytest.fixture
def around(book):
    """Digests around a notebook that uses the lab's masks."""
    notebook = read_source(book.page("chapters/01-a", USING))
    return lambda: surroundings(book.root, notebook)


def write(book, name, text):
    path = book.root / "src" / "dropoutlab" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_everything_around_a_notebook_has_its_own_digest(book, around):
    before = around()
    write(book, "masks.py", "q = 0.8\n")
    assert changed_parts(before, around()) == ["lab"]
    (book.root / "constraints.txt").write_text("numpy==2.1\n", encoding="utf-8")
    assert changed_parts(before, around()) == ["lab", "constraints"]


def test_results_count_for_those_who_can_read_them(book, around):
    def add(seed):
        (book.root / "results" / "study").mkdir(parents=True, exist_ok=True)
        (book.root / "results" / "study" / "runs.csv").write_text(f"seed\n{seed}\n", encoding="utf-8")

    before = around()
    add(1)
    assert around() == before
    write(book, "masks.py", "from dropoutlab.studies import reading\n")
    write(book, "studies/__init__.py", "")
    write(book, "studies/reading.py", "from .places import root\n")
    write(book, "studies/places.py", "root = 1\n")
    before = around()
    add(2)
    assert changed_parts(before, around()) == ["results"]


def test_of_the_results_only_the_studies_that_are_named_count(book):
    def add(study, seed):
        (book.root / "results" / study).mkdir(parents=True, exist_ok=True)
        (book.root / "results" / study / "runs.csv").write_text(f"seed\n{seed}\n", encoding="utf-8")

    def digest(code):
        page = book.page("chapters/01-a", f"from dropoutlab.masks import q\n{code}")
        return surroundings(book.root, read_source(page))["results"]

    write(book, "masks.py", "from dropoutlab.studies import places\n")
    write(book, "studies/__init__.py", "")
    write(book, "studies/places.py", "root = 1\n")
    write(book, "claims.py", "from dropoutlab.studies import places\n")
    add("one", 1)
    add("two", 1)
    named, unnamed = 'find("one")', "find(name)"
    judging = 'from dropoutlab import claims; find("one")'
    before = {code: digest(code) for code in (named, unnamed, judging)}
    add("two", 2)
    assert {code: digest(code) != before[code] for code in before} == {
        named: False,
        unnamed: True,
        judging: True,
    }
    add("one", 2)
    assert digest(named) != before[named]


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        ("src/dropoutlab/masks.py", True),
        ("src/coursebook/study_pages.py", True),
        ("results/study/runs.csv", True),
        ("constraints.txt", True),
        ("chapters/01-a.md", False),
    ],
)
def test_verdicts_are_kept_until_code_runs_or_versions_change(book, place, counts):
    before = evidence_digest(book.root)
    path = book.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed\n", encoding="utf-8")
    assert (evidence_digest(book.root) != before) == counts


def test_only_what_a_notebook_can_reach_counts(book, around):
    write(book, "other.py", "a = 1\n")
    before = around()
    write(book, "other.py", "a = 2\n")
    assert around() == before
    write(book, "masks.py", "def late():\n    import dropoutlab.other\n")  # also inside a function
    before = around()
    write(book, "other.py", "a = 3\n")
    assert changed_parts(before, around()) == ["lab"]


def test_a_package_counts_with_its_data(book, around):
    write(book, "masks.py", "import dropoutlab.tables\n")
    write(book, "tables/__init__.py", "")
    write(book, "tables/one.toml", "a = 1\n")
    before = around()
    write(book, "tables/one.toml", "a = 2\n")
    assert changed_parts(before, around()) == ["lab"]
    write(book, "tables/unused.py", "")
    assert changed_parts(before, around()) == ["lab"]


@pytest.mark.parametrize(
    "code", ["from dropoutlab import masks as m", "import dropoutlab.masks", "%time\n" + USING]
)
def test_imports_are_found_in_every_form(book, code):
    notebook = read_source(book.page("chapters/01-a", code))
    before = surroundings(book.root, notebook)
    write(book, "masks.py", "q = 0.1\n")
    assert changed_parts(before, surroundings(book.root, notebook)) == ["lab"]


def test_where_code_cannot_be_read_every_file_counts(book):
    notebook = read_source(book.page("chapters/01-a", "this is no Python"))
    write(book, "other.py", "a = 1\n")
    before = surroundings(book.root, notebook)
    write(book, "other.py", "a = 2\n")
    assert changed_parts(before, surroundings(book.root, notebook)) == ["lab"]


@pytest.mark.parametrize("change", ["add", "rename", "delete", "move text"])
def test_names_of_reached_files_count(book, around, change):
    lab = book.root / "src" / "dropoutlab"
    write(book, "masks.py", "try:\n    from dropoutlab import other, new\nexcept ImportError:\n    pass\n")
    write(book, "other.py", "b\n")
    before = around()["lab"]
    if change == "add":
        write(book, "new.py", "")
    elif change == "rename":
        (lab / "other.py").rename(lab / "new.py")
    elif change == "delete":
        (lab / "other.py").unlink()
    else:
        write(book, "other.py", "")
        write(book, "new.py", "b\n")
    assert around()["lab"] != before


def test_caches_backups_and_line_endings_do_not_count(book, around):
    lab = book.root / "src" / "dropoutlab"
    write(book, "masks.py", "q = 0.7\n")
    before = around()
    (lab / "__pycache__").mkdir()
    for name in ("__pycache__/masks.cpython-311.pyc", ".DS_Store", "masks.py~", "masks.pyc"):
        (lab / name).write_bytes(b"noise")
    (lab / "masks.py").write_bytes(b"q = 0.7\r\n")
    assert around() == before


def test_a_full_digest_has_the_notebook_and_its_surroundings(book):
    notebook = read_source(book.page("chapters/01-a", "x = 1"))
    around = surroundings(book.root, notebook)
    assert full_digest(notebook, around) == {"code": code_digest(notebook), **around}
    assert changed_parts({}, full_digest(notebook, around)) == ["code", "lab", "results", "constraints"]
