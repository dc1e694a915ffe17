"""The drawing with one button per mask works without a script, and says in words what it shows."""

import re

import pytest
from bs4 import BeautifulSoup

from coursebook.clickable import by_mask

MASKS = [[False, False], [True, False], [False, True], [True, True]]


@pytest.fixture
def shown():
    return by_mask(
        MASKS,
        ["None <kept>.", "First.", "Second.", "All."],
        name="toy",
        legend="Choose & look",
        inputs=["x₁", "x₂"],
        outputs=["A"],
    )


@pytest.fixture
def soup(shown):
    return BeautifulSoup(shown._repr_html_(), "html.parser")


def test_each_mask_is_a_labelled_radio_button_and_the_last_is_chosen(soup):
    buttons = soup.find_all("input")
    assert [button["type"] for button in buttons] == ["radio"] * 4
    assert {button["name"] for button in buttons} == {"toy"}
    assert [button.has_attr("checked") for button in buttons] == [False, False, False, True]
    labels = {label["for"]: label.text for label in soup.find_all("label")}
    assert [labels[button["id"]] for button in buttons] == ["00", "10", "01", "11"]
    assert soup.legend.text == "Choose & look"


def test_a_button_names_the_units_it_drops(soup):
    drops = [button.get("class") for button in soup.find_all("input")]
    assert [list(filter(None, each)) for each in drops] == [
        ["drops-1", "drops-2"],
        ["drops-2"],
        ["drops-1"],
        [],
    ]


def test_a_style_rule_crosses_out_each_unit_and_shows_each_sentence(soup):
    style = soup.style.text
    for unit in (1, 2):
        rule = f".toy:has(input.drops-{unit}:checked) .unit-{unit} .cross {{ visibility: visible; }}"
        assert rule in style
        assert soup.select_one(f"g.unit-{unit} path.cross") is not None
    for code in ("00", "10", "01", "11"):
        assert f".toy:has(#toy-{code}:checked) .said-{code} {{ display: block; }}" in style
        assert soup.select_one(f"p.said-{code}") is not None
    assert not re.findall(r"NAME|CODE|UNIT", style)


def test_the_drawing_is_hidden_from_screen_readers_and_its_sentence_announced(soup):
    assert soup.svg["aria-hidden"] == "true"
    region = soup.find(attrs={"aria-live": "polite"})
    assert [p.text for p in region.find_all("p")] == [
        "00. None <kept>.",
        "10. First.",
        "01. Second.",
        "11. All.",
    ]


def test_nothing_is_fetched_and_no_script_runs(shown):
    html = shown._repr_html_()
    assert "<script" not in html
    assert "http" not in html
    assert "url(" not in html


def test_plain_text_holds_all_sentences(shown):
    assert repr(shown).splitlines() == ["00: None <kept>.", "10: First.", "01: Second.", "11: All."]


@pytest.mark.parametrize(
    ("masks", "sentences"), [([], []), ([[True], [True, False]], ["a", "b"]), ([[True]], ["a", "b"])]
)
def test_masks_and_sentences_must_fit(masks, sentences):
    with pytest.raises(ValueError, match="masks of one length and a sentence for each"):
        by_mask(masks, sentences, name="toy", legend="", inputs=[], outputs=[])
