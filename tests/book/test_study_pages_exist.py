"""Every registered study has its page, and every page a study."""

from pathlib import Path

import pytest

from dropoutlab.studies.registry import entries

PAGES = Path(__file__).parents[2] / "evidence"


def test_there_is_one_page_for_each_study_and_no_other():
    assert {page.stem for page in PAGES.glob("*.md")} == {entry.name for entry in entries()}


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_a_page_has_the_title_of_its_study(entry):
    text = (PAGES / f"{entry.name}.md").read_text(encoding="utf-8")
    assert text == f"# {entry.title}\n\n```{{study}} {entry.name}\n```\n"
