"""The answer on a card is what its check computes, or the card is refused."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from coursebook.answers import namespace, verify_card
from coursebook.cards import Card, CardError, Option, load_all

CARDS = Path(__file__).parents[2] / "exercises" / "cards"
SAMPLE = Path(__file__).parents[1] / "book" / "sample" / "exercises" / "cards"

NUMBER = Card(
    file=Path("01-coins.yml"),
    line=3,
    id="coins-count",
    kind="predict",
    objective="coins/spread",
    section="chapters/01-coins.md#coins",
    question="How likely are 3 of 10?",
    hint="Coins.",
    why="Binomial.",
    answer=0.267,
    tolerance=0.02,
    check="scipy.stats.binom.pmf(3, 10, 0.3)",
)
OTHER = replace(NUMBER, kind="recall", answer="text", tolerance=0.0)


@pytest.mark.parametrize(
    "check",
    [
        "scipy.stats.binom.pmf(3, 10, 0.3)",
        "math.comb(10, 3) * 0.3**3 * 0.7**7",
        "np.float64(0.28)",
        "torch.tensor(0.26)",
        "dropoutlab.functional.dropout(torch.ones(1), 0.3, training=False).sum() * 0.267",
    ],
)
def test_a_right_answer_passes(check):
    verify_card(replace(NUMBER, check=check))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": 0.29}, "field 'answer': is 0.29, but scipy.stats.binom.pmf(3, 10, 0.3) gives 0.2668"),
        ({"check": "0.2869"}, None),
        ({"check": "0.2871"}, "which is not within 0.02 of it"),
        ({"check": "math.nan"}, "gives nan"),
        ({"check": "1 / 0"}, "field 'check': 1 / 0 raises ZeroDivisionError: division by zero"),
        ({"check": "unknown"}, "raises NameError"),
        ({"check": "np.ones(2)"}, "which is not one number"),
        ({"check": "torch.ones(2)"}, "which is not one number"),
        ({"check": "None"}, "gives None, which is not one number"),
    ],
)
def test_a_wrong_answer_is_refused(changes, message):
    card = replace(NUMBER, **changes)
    if message is None:
        verify_card(card)
        return
    with pytest.raises(CardError, match=re.escape(message)) as caught:
        verify_card(card)
    assert str(caught.value).startswith("01-coins.yml:3: card 'coins-count': ")


def test_a_check_of_another_kind_must_be_true():
    verify_card(replace(OTHER, check="1 < 2"))
    for check in ("1 > 2", "1", "np.bool_(True)"):
        with pytest.raises(CardError, match=re.escape(f"field 'check': {check} gives")):
            verify_card(replace(OTHER, check=check))


def test_a_card_without_a_check_is_left_to_its_reader():
    verify_card(replace(OTHER, check=None))


def test_a_check_cannot_change_what_the_next_one_sees():
    names = namespace("dropoutlab.moments.dropped_count(10, 0.3) + dropoutlab.nonsense.x")
    assert "dropoutlab.moments" not in names
    assert names["dropoutlab"].moments
    verify_card(replace(OTHER, check="(seen := True)"))
    with pytest.raises(CardError, match="NameError"):
        verify_card(replace(OTHER, check="seen"))


CODE = replace(
    OTHER,
    kind="choice",
    answer=None,
    snippet="def double(x):\n    return factor * x\n\n\nfactor = 2",
    options=(
        Option("4", "Yes.", correct=True, check="double(2) == 4"),
        Option("2", "No.", check="double(2) == 2"),
    ),
    check=None,
)


def test_checks_see_what_the_snippet_defines():
    verify_card(CODE)
    verify_card(replace(CODE, options=(), check="double(3) == 6"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snippet": "x = 1 / 0"}, "field 'snippet': raises ZeroDivisionError: division by zero"),
        ({"snippet": "factor = 2"}, "field 'check': double(2) == 4 raises NameError"),
        (
            {"options": (Option("2", "No.", correct=True, check="double(2) == 2"),)},
            "option '2': its check double(2) == 2 gives False, but the card says True",
        ),
        ({"options": (Option("2", "No.", check="double(2) == 4"),)}, "gives True, but the card says False"),
        ({"options": (Option("2", "No.", check="0"),)}, "gives 0, but the card says False"),
    ],
)
def test_an_option_that_is_not_as_the_card_says_is_refused(changes, message):
    with pytest.raises(CardError, match=re.escape(message)):
        verify_card(replace(CODE, **changes))


# Ids must be unique over all files, so each folder is read as a whole before its cards are tested.
@pytest.mark.parametrize("card", [*load_all(SAMPLE), *load_all(CARDS)], ids=lambda card: card.id)
def test_every_card_of_the_course_is_right(card):
    verify_card(card)
