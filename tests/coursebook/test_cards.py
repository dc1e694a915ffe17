"""Cards are read, and whatever is wrong with one is said with its file, line, card and field."""

import re
from pathlib import Path

import pytest
import yaml

from coursebook.cards import Card, CardError, load_all, load_cards

SAMPLE = Path(__file__).parents[1] / "book" / "sample" / "exercises" / "cards" / "01-coins.yml"

RECALL = {
    "id": "masks-what",
    "kind": "recall",
    "objective": "masks/words",
    "section": "chapters/01-coins.md#coins",
    "question": "What is a mask?",
    "hint": "Coins.",
    "why": "It says who survives.",
    "answer": "One coin per unit.",
}
NUMERIC = RECALL | {"kind": "numeric", "answer": 1.25, "tolerance": 0.0, "check": "1 / 0.8"}
CHOICE = RECALL | {
    "kind": "choice",
    "options": [
        {"text": "$m/q$", "says": "Its mean is 1.", "correct": True},
        {"text": "$m$", "says": "Its mean is $q$."},
    ],
}
del CHOICE["answer"]
CLOZE = RECALL | {"kind": "cloze", "question": "Kept with ___, scaled by ___.", "answer": ["$q$", "$1/q$"]}
CODE = CHOICE | {
    "question": "What does `eval()` give?",
    "options": [
        {"text": "Itself.", "says": "Yes.", "correct": True, "check": "x == 1"},
        {"text": "Zero.", "says": "No.", "check": "x == 0"},
    ],
    "snippet": "x = 1",
}
WITHOUT = object()


def written(folder, *cards, name="01-coins.yml"):
    path = folder / name
    path.write_text(yaml.safe_dump(list(cards), sort_keys=False), encoding="utf-8")
    return path


def changed(card, **fields):
    return {name: value for name, value in (card | fields).items() if value is not WITHOUT}


def test_the_sample_has_every_kind():
    cards = load_cards(SAMPLE)
    assert [card.kind for card in cards] == ["predict", "choice", "numeric", "cloze", "recall", "cloze"]
    first = cards[0]
    assert (first.id, first.line, first.file) == ("coins-count-dropped", 1, SAMPLE)
    assert (first.answer, first.tolerance, first.misconceptions[0].answer) == (0.267, 0.02, 1.0)
    assert [option.correct for option in cards[1].options] == [True, False, False]
    assert cards[3].answer == (("$q = 1 - p$",), ("$1/q$",))


@pytest.mark.parametrize("card", [RECALL, NUMERIC, NUMERIC | {"kind": "predict"}, CHOICE, CODE, CLOZE])
def test_each_kind_may_be_alone(tmp_path, card):
    (loaded,) = load_cards(written(tmp_path, card))
    assert isinstance(loaded, Card)
    assert loaded.kind == card["kind"]


ITEMS = "must be a list whose items have answer and says"
SEVERAL = CLOZE | {"answer": [["$q$", "1 - p"], "$1/q$"]}


def test_several_texts_may_do_for_a_blank(tmp_path):
    (card,) = load_cards(written(tmp_path, SEVERAL))
    assert card.answer == (("$q$", "1 - p"), ("$1/q$",))


def test_code_on_a_choice_is_checked_as_a_whole_or_option_by_option(tmp_path):
    options = [
        {name: value for name, value in option.items() if name != "check"} for option in CODE["options"]
    ]
    whole = CODE | {"options": options, "check": "x == 1"}
    for card in (CODE, whole):
        assert load_cards(written(tmp_path, card))[0].snippet == "x = 1"
    partly = CODE | {"options": [CODE["options"][0], options[1]]}
    message = "field 'check': is missing, and code is never taken on trust: 'Zero.' has none"
    for card in (partly, changed(CODE, options=options, snippet=WITHOUT)):
        with pytest.raises(CardError, match="code is never taken on trust"):
            load_cards(written(tmp_path, card))
    with pytest.raises(CardError, match=re.escape(message)):
        load_cards(written(tmp_path, partly))


BREACHES = [
    (
        changed(RECALL, misconceptions=[{"answer": "x", "says": "first", "then": None}]),
        "field 'misconceptions': line 10: text is cut before 'then': within braces, text with a comma",
    ),
    (changed(RECALL, id="Masks what"), "field 'id': must look like scaling-count-dropped, got 'Masks what'"),
    (changed(RECALL, id=7), "field 'id': must look like scaling-count-dropped, got 7"),
    (changed(RECALL, id=WITHOUT), "field 'id': is missing"),
    (
        changed(RECALL, kind="essay"),
        "field 'kind': must be one of recall, predict, numeric, choice, cloze, got 'essay'",
    ),
    (changed(RECALL, kind=["recall"]), "field 'kind': must be one of recall,"),
    (changed(RECALL, kind=WITHOUT, question=3), "field 'kind': is missing"),
    (changed(RECALL, kind=WITHOUT, question=3), "field 'question': must be text, got 3; put it in quotes"),
    (
        changed(RECALL, objective="masks"),
        "field 'objective': must look like scaling/expectation, got 'masks'",
    ),
    (
        changed(RECALL, section="chapters/01-coins.md"),
        "field 'section': must look like chapters/04-scaling.md#a-heading",
    ),
    (changed(RECALL, section="src/x.md#y"), "field 'section': must look like"),
    (changed(RECALL, hint=" "), "field 'hint': must not be empty"),
    (changed(RECALL, answer=3), "field 'answer': must be text, got 3; put it in quotes"),
    (changed(RECALL, anwser="typo"), "field 'anwser': is unknown here; there are id, kind,"),
    (changed(RECALL, tolerance=0.1), "field 'tolerance': is unknown here"),
    (changed(RECALL, misconceptions="none"), f"field 'misconceptions': {ITEMS}, got 'none'"),
    (changed(RECALL, misconceptions=[]), f"field 'misconceptions': {ITEMS}, got []"),
    (
        changed(RECALL, misconceptions=[{"answer": "x"}]),
        "field 'misconceptions': line 10: field 'says': is missing",
    ),
    (changed(RECALL, misconceptions=[{"answer": 1, "says": "x"}]), "field 'answer': must be text, got 1"),
    (
        changed(NUMERIC, answer="1e-3"),
        "field 'answer': must be a number, got '1e-3'; YAML reads 0.001 and 1.0e-3",
    ),
    (changed(NUMERIC, answer=True), "field 'answer': must be a number, got True"),
    (changed(NUMERIC, answer=float("inf")), "field 'answer': must be a number, got inf"),
    (changed(NUMERIC, answer=float("nan")), "field 'answer': must be a number, got nan"),
    (changed(NUMERIC, tolerance=-0.1), "field 'tolerance': must not be negative, got -0.1"),
    (changed(NUMERIC, tolerance="small"), "field 'tolerance': must be a number, got 'small'"),
    (changed(NUMERIC, check=WITHOUT), "field 'check': is missing"),
    (changed(NUMERIC, snippet="x ="), "field 'snippet': must be Python statements, got 'x ='"),
    (changed(RECALL, snippet="x = 1"), "field 'snippet': runs and nothing looks at it"),
    (changed(CLOZE, answer=[["$q$", 2], "x"]), "field 'answer': must be text, got 2"),
    (changed(CLOZE, answer=[[], "x"]), "field 'answer': must be text, got []"),
    (
        changed(CODE, options=[CODE["options"][0] | {"check": "1 +"}, CODE["options"][1]]),
        "field 'check': must be a Python expression, got '1 +'",
    ),
    (changed(NUMERIC, check="1 +"), "field 'check': must be a Python expression, got '1 +'"),
    (changed(NUMERIC, check="x = 1"), "field 'check': must be a Python expression, got 'x = 1'"),
    (changed(NUMERIC, check=1), "field 'check': must be text, got 1"),
    (
        changed(NUMERIC, tolerance=0.1, misconceptions=[{"answer": 1.3, "says": "x"}]),
        "field 'misconceptions': 1.3 would count as the right answer",
    ),
    (changed(CHOICE, options=[]), "field 'options': must be a list whose items have text and says, got []"),
    (changed(CHOICE, options=["a", "b"]), "field 'options': must be a list whose items have text and says"),
    (
        changed(CHOICE, options=CHOICE["options"][:1]),
        "field 'options': must hold a correct option and one that is not",
    ),
    (
        changed(CHOICE, options=CHOICE["options"][1:]),
        "field 'options': must hold a correct option and one that is not",
    ),
    (
        changed(CHOICE, options=[CHOICE["options"][0] | {"correct": "yes"}, CHOICE["options"][1]]),
        "field 'correct': must be true or false, got 'yes'",
    ),
    (changed(CLOZE, answer="$q$"), "field 'answer': must be a list of texts, one for each blank, got '$q$'"),
    (changed(CLOZE, answer=["$q$", 2]), "field 'answer': must be text, got 2"),
    (changed(CLOZE, answer=["$q$"]), "field 'answer': has 1 texts for 2 blanks (___) to fill"),
]


@pytest.mark.parametrize(("card", "message"), BREACHES)
def test_each_breach_is_named(tmp_path, card, message):
    path = written(tmp_path, card)
    with pytest.raises(CardError, match=re.escape(message)) as caught:
        load_cards(path)
    name = repr(card.get("id", 1))
    assert all(line.startswith(f"{path}:1: card {name}: ") for line in str(caught.value).splitlines())


def test_all_breaches_are_named_at_once(tmp_path):
    path = written(tmp_path, RECALL, changed(RECALL, id="second", hint="", why=3))
    with pytest.raises(CardError) as caught:
        load_cards(path)
    assert str(caught.value).splitlines() == [
        f"{path}:9: card 'second': field 'hint': must not be empty",
        f"{path}:9: card 'second': field 'why': must be text, got 3; put it in quotes",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a list of cards"),
        ("id: a", "must be a list of cards"),
        ("- just text", "must be a list of cards"),
        (
            "- id: a\n  why: this: that",
            ":2: is not valid YAML: mapping values are not allowed here; text that holds",
        ),
        ("- id: a\n  id: b", ":2: is not valid YAML: field 'id' is given twice"),
        ("- id: a\n  on: b", ":2: is not valid YAML: True is no field"),
        ("- \x00", "is not valid YAML"),
    ],
)
def test_a_file_that_holds_no_cards_is_refused(tmp_path, text, message):
    path = tmp_path / "01-coins.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CardError, match=re.escape(message)):
        load_cards(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(CardError, match=r"02-dice\.yml: cannot be read: .*No such file"):
        load_cards(tmp_path / "02-dice.yml")
    broken = tmp_path / "03.yml"
    broken.write_bytes(b"- \xff")
    with pytest.raises(CardError, match=r"03\.yml: cannot be read: .*utf-8"):
        load_cards(broken)


def test_no_card_may_share_its_id(tmp_path):
    path = written(tmp_path, RECALL, CLOZE)
    message = f"{path}:9: card 'masks-what': field 'id': is also used at {path}:1"
    with pytest.raises(CardError, match=re.escape(message)):
        load_cards(path)


def test_no_card_may_share_its_id_with_a_card_of_another_file(tmp_path):
    first, second = written(tmp_path, RECALL), written(tmp_path, CLOZE, name="02-dice.yml")
    with pytest.raises(
        CardError, match=re.escape(f"{second}:1: card 'masks-what': field 'id': is also used at {first}:1")
    ):
        load_all(tmp_path)
    written(tmp_path, CLOZE | {"id": "dice"}, name="02-dice.yml")
    assert [card.id for card in load_all(tmp_path)] == ["masks-what", "dice"]
