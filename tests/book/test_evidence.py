"""Claims, verdicts and studies on built pages."""

import pytest
from bs4 import BeautifulSoup


@pytest.fixture(scope="session")
def index(sample):
    return BeautifulSoup(sample.page("evidence/index"), "html.parser")


@pytest.fixture(scope="session")
def study(sample):
    return BeautifulSoup(sample.page("evidence/toy"), "html.parser")


def words(element):
    return " ".join(element.get_text(" ", strip=True).split())


def test_a_claim_in_a_sentence_gives_verdict_and_effect_and_leads_to_its_entry(index):
    links = {words(link): link["href"] for link in index.select("article p a[href^='#claim']")}
    assert "A-2: exact, true" in links
    assert links["A-2: exact, true"] == "#claim-a-2"
    assert any(text.startswith("R1: supported, ") and text.endswith("n = 3") for text in links)
    assert index.find(id="claim-r1") is not None


def test_each_claim_is_listed_with_its_verdict_and_basis(index):
    first, second, third = (index.find(id=f"claim-a-{i}") for i in (1, 2, 3))
    assert "claim-depends" in first["class"]
    assert "It depends on the side." in words(first)
    assert [label.get_text() for label in first.select("li .evidence")] == ["supported", "contradicted"]
    assert "n = 3, p < 0.001, adjusted p = 0.0" in words(first)
    assert "True as stated. The survivors equal 1/(1 − p)" in words(second)
    assert "Too far away." in words(third)
    assert "claim-cited-only" in third["class"]
    assert "Where it is made: Books." in words(third)


def test_a_finding_leads_to_the_page_of_its_study(index):
    assert index.select_one("#claim-a-1 li a[href='toy.html']") is not None


def test_buttons_count_the_verdicts_and_stay_hidden_without_the_script(index):
    articles, replications = index.select(".claim-filter")
    assert articles.has_attr("hidden")
    assert [words(button) for button in articles.select("button")] == [
        "all 3",
        "depends 1",
        "exact 1",
        "cited only 1",
    ]
    assert articles.button["aria-pressed"] == "true"
    assert [words(button) for button in replications.select("button")] == ["all 1", "supported 1"]


def test_published_and_own_results_stand_side_by_side(index):
    cells = [words(cell) for cell in index.select_one("table tbody tr").find_all("td")]
    assert cells[0].startswith("R1")
    assert cells[1:3] == ["half of them", "other coins"]
    assert cells[3].endswith("n = 3")
    assert cells[4].startswith("R1: supported")


def test_a_study_has_sections_picture_table_and_downloads(study):
    assert [words(heading).rstrip("# ") for heading in study.select("article h2")] == [
        "Question",
        "Protocol",
        "Verdicts",
        "All runs",
        "Repeat it",
        "Claims that rest on it",
    ]
    image = study.select_one("article figure img")
    assert image["alt"].startswith("One point per run.")
    assert study.select_one("article table") is not None
    assert {link.get_text() for link in study.select("a.download")} == {"runs.csv", "manifest.json"}
    assert study.select_one("dd .verdict-supported") is not None
