"""Every claim of an article is taken up, with its verdict, in the chapter on its subject."""

import re
from pathlib import Path

import pytest

from dropoutlab.catalogue import entries

CHAPTERS = Path(__file__).parents[2] / "chapters"

SUBJECTS = {
    "01-overfitting": "B-8 B-14 B-15 B-16 B-17 B-18 B-19 C-12 C-13 C-14 C-15 X8",
    "02-coadaptation": "A-7 C-6",
    "03-ensemble": "A-8 B-4 B-5 B-6 C-2 C-4 C-5 C-18 X7 X10",
    "04-scaling": "A-1 A-2 A-3 A-4 A-6 A-9 A-14 A-15 B-1 B-2 B-3 B-22 B-25 C-1 C-3 C-7 C-8 X1 X2 X3 X9",
    "05-placement": "A-10 A-11 B-7 B-11 B-12 B-20 B-21 B-24 C-9 C-10 C-11 C-17 C-21 X6",
    "06-batchnorm": "B-18 B-23 C-16 C-19 C-20 X5",
}
# These belong to the chapters on using dropout: choosing the rate, and what goes wrong.
LATER = "A-5 A-12 A-13 B-9 B-10 B-13 B-26 X4"


def cited(chapter):
    text = (CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")
    return set(re.findall(r"\{claim\}`([^`]+)`", text))


def test_every_claim_of_an_article_has_a_subject():
    of_articles = {name for name in entries() if name[0] in "ABCX"}
    assert {name for names in (*SUBJECTS.values(), LATER) for name in names.split()} == of_articles


@pytest.mark.parametrize("chapter", SUBJECTS)
def test_a_chapter_cites_every_claim_about_its_subject(chapter):
    missing = set(SUBJECTS[chapter].split()) - cited(chapter)
    assert not missing, f"{chapter} does not cite {', '.join(sorted(missing))}"
