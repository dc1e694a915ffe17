"""The real chapters and exercise pages: complete, in step with their sources, freshly executed, described."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from coursebook.check import check_pair
from coursebook.errors import BookError
from coursebook.pairs import Pair, find_orphans, find_pairs, read_notebook
from coursebook.status import examine

ROOT = Path(__file__).parents[2]


def _pairs() -> list[Pair]:
    """The pages to check; an empty book is the failure of one test below, not of the collection."""
    try:
        return find_pairs(ROOT)
    except BookError:
        return []


each_page = pytest.mark.parametrize("pair", _pairs(), ids=lambda pair: pair.name)


def _files(entry: Any) -> Iterator[str]:
    """Every file that a table of contents names, at any depth."""
    if isinstance(entry, dict):
        for key, value in entry.items():
            if key in ("file", "root"):
                yield value.removesuffix(".md").removesuffix(".ipynb")
            yield from _files(value)
    elif isinstance(entry, list):
        for part in entry:
            yield from _files(part)


def test_the_table_of_contents_lists_exactly_the_pages_there_are():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = sorted(name for name in _files(toc) if name.startswith(("chapters/", "exercises/")))
    assert listed == [pair.name for pair in find_pairs(ROOT)]


def test_every_chapter_has_its_exercises_and_every_page_its_source():
    names = [pair.name for pair in find_pairs(ROOT)]
    chapters, exercises = (
        [name.removeprefix(folder) for name in names if name.startswith(folder)]
        for folder in ("chapters/", "exercises/")
    )
    # The page of the evidence is made from stored runs: a reference, with nothing of its own to practise.
    assert chapters == [*exercises, "12-evidence"]
    assert find_orphans(ROOT) == []


@each_page
def test_the_stored_notebook_is_what_its_source_gives(pair):
    (status,) = examine([pair], ROOT)
    findings = check_pair(status)
    assert not findings, "\n" + "\n".join(map(str, findings))


@each_page
def test_every_figure_has_a_caption_and_says_what_it_shows(pair):
    notebook = read_notebook(pair)
    assert notebook is not None
    undescribed = []
    for number, cell in enumerate(notebook.cells, start=1):
        hidden = {"remove-cell", "remove-output"} & set(cell.metadata.get("tags", []))
        kinds = {kind for output in cell.get("outputs", []) for kind in output.get("data", {})}
        if hidden or not any(kind.startswith("image/") for kind in kinds):
            continue
        settings = cell.metadata.get("mystnb", {})
        alternative = settings.get("image", {}).get("alt", "")
        caption = settings.get("figure", {}).get("caption", "")
        # Without one, Sphinx falls back to the name of the image file and warns nobody.
        if len(alternative.split()) < 5 or not caption or alternative == caption:
            undescribed.append(f"cell {number}: alt {alternative!r}, caption {caption!r}")
    assert undescribed == []
