"""Every card serves an objective of its chapter, and every objective has cards."""

import re
from pathlib import Path

import pytest
import yaml

from coursebook.card_kinds import key, task
from coursebook.cards import CardError, load_all, load_cards
from coursebook.objectives import Objective, load_bank, load_objectives

REPOSITORY = Path(__file__).parents[2]
CARDS = REPOSITORY / "exercises" / "cards"
SAMPLE = Path(__file__).parents[1] / "book" / "sample" / "exercises" / "cards"

RECALL = {
    "id": "coins-what",
    "kind": "recall",
    "objective": "coins/words",
    "section": "chapters/01-coins.md#coins",
    "question": "What is a coin?",
    "hint": "Metal.",
    "why": "It is.",
    "answer": "A disc.",
}


def write(folder, objectives, **cards):
    """Write the objectives and, for each chapter, cards with these fields changed."""
    text = objectives if isinstance(objectives, str) else yaml.safe_dump(objectives, sort_keys=False)
    (folder / "objectives.yml").write_text(text, encoding="utf-8")
    for name, changes in cards.items():
        card = [RECALL | {"id": f"{name}-{number}"} | fields for number, fields in enumerate(changes)]
        path = folder / f"01-{name}.yml"
        path.write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")
    return folder


def test_objectives_keep_their_order_and_name_their_chapter():
    found = load_objectives(SAMPLE)
    assert [objective.id for objective in found] == ["coins/spread", "coins/expectation", "coins/words"]
    assert found[0] == Objective("coins/spread", "01-coins", "say how many of ten coins fall heads up")


def test_a_bank_knows_the_cards_of_an_objective():
    bank = load_bank(SAMPLE)
    assert bank.pages() == ["01-coins"]
    served = [card.id for card in bank.of(bank.objectives[1])]
    assert served == ["coins-which-mean", "coins-scale-by-hand", "coins-blanks"]
    assert len(bank.cards) == sum(len(bank.of(objective)) for objective in bank.objectives)
    assert load_all(SAMPLE) == list(bank.cards)  # the objectives are not read as cards


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        ("- words", "objectives.yml: must map each chapter, such as 04-scaling, to its objectives"),
        ({"01-coins": "words"}, "'01-coins': must map names to sentences, got 'words'"),
        ({"01-coins": {"words": 3}}, "objectives.yml:2: 01-coins: 'words' must be a sentence, got 3"),
        ({"01-coins": {"words": " "}}, "01-coins: 'words' must be a sentence"),
        ({"01-coins": {"words": "use", "more": "say"}}, "objective 'coins/more' has no card"),
        ({"01-coins": {"words": "use"}, "02-dice": {"x": "y"}}, "'02-dice' has no file of cards"),
        (
            {"01-coins": {"counts": "use"}},
            "01-coins.yml:1: card 'coins-0': field 'objective': 'coins/words' is not in objectives.yml; "
            "there: coins/counts",
        ),
        ({}, "'coins/words' is not in objectives.yml; there: none"),
    ],
)
def test_whatever_is_loose_is_named(tmp_path, objectives, message):
    write(tmp_path, objectives, coins=[{}])
    with pytest.raises(CardError, match=re.escape(message)):
        load_bank(tmp_path)


def test_a_card_may_not_serve_the_objective_of_another_chapter(tmp_path):
    both = {"01-coins": {"words": "use"}, "01-dice": {"rolls": "roll"}}
    write(tmp_path, both, coins=[{}], dice=[{"objective": "dice/rolls"}, {}])
    with pytest.raises(CardError, match=r"01-dice\.yml:9: card 'dice-1': .*there: dice/rolls"):
        load_bank(tmp_path)


def test_missing_objectives_are_named(tmp_path):
    with pytest.raises(CardError, match=r"objectives\.yml: cannot be read"):
        load_bank(tmp_path)


def test_what_a_script_needs_to_know_depends_on_the_kind():
    count, mean, scale, blanks, recall, _ = load_cards(SAMPLE / "01-coins.yml")
    assert key(count) == {"answer": 0.267, "tolerance": 0.02, "wrong": [1.0]}
    assert key(scale) == {"answer": 1.25, "tolerance": 0.0, "wrong": []}
    assert key(mean) == {"correct": ["A"]}
    assert key(blanks) == {"blanks": [["q = 1 - p"], ["1/q"]]}  # nobody types dollar signs
    assert key(recall) == {}
    assert [task(card) for card in (count, mean, scale)] == ["Predict", "Choose one", "Work out"]


def test_a_choice_with_several_right_options_says_so():
    several = [card for card in load_all(CARDS) if card.id == "scaling-always-on"]
    assert [task(card) for card in several] == ["Choose all that apply"]


# The course itself

COURSE = load_bank(CARDS)


@pytest.mark.parametrize("page", COURSE.pages())
def test_a_chapter_has_twelve_cards_or_more_of_every_sort(page):
    cards = [card for card in COURSE.cards if card.file.stem == page]
    assert len(cards) >= 12
    assert {card.kind for card in cards} == {"recall", "predict", "choice", "numeric", "cloze"}


@pytest.mark.parametrize("page", COURSE.pages())
def test_objectives_are_those_at_the_head_of_the_chapter_word_for_word(page):
    chapter = (REPOSITORY / "chapters" / f"{page}.md").read_text(encoding="utf-8")
    promises = re.search(r"After this chapter you will be able to\n\n((?:- .*\n)+)", chapter)
    assert promises, "the chapter lists no objectives"
    listed = [line.removeprefix("- ").rstrip(";.") for line in promises[1].splitlines()]
    assert [objective.text for objective in COURSE.objectives if objective.page == page] == listed


@pytest.mark.parametrize("card", COURSE.cards, ids=lambda card: card.id)
def test_the_id_and_the_section_of_a_card_belong_to_its_chapter(card):
    topic = card.file.stem.partition("-")[2]
    assert card.id.startswith(f"{topic}-")
    assert card.section.partition("#")[0].endswith(f"/{card.file.stem}.md")


def test_every_option_of_the_course_has_a_reply_of_its_own():
    for card in COURSE.cards:
        replies = [option.says for option in card.options]
        assert len(set(replies)) == len(replies), card.id
