"""What authors get wrong is a warning, and so, in the book's own build, a failure."""

import pytest

CHAPTER, EXERCISES, CARDS = "chapters/01-coins.md", "exercises/01-coins.md", "exercises/cards/01-coins.yml"
EVIDENCE, STUDY = "evidence/index.md", "evidence/toy.md"

# Each mistake with the words that must name it.
MISTAKES = [
    (CHAPTER, '    alt: "Ten bars', '    old: "Ten bars', ".png has no description"),
    (
        CHAPTER,
        "written $q = 1 - p$",
        r"written $\foo$",
        r"formula: KaTeX parse error: Undefined control sequence: \foo",
    ),
    (CHAPTER, "$$ (eq-variance)", r"\\ n $$ (eq-variance)", r"formula: \\ breaks no line here"),
    (CHAPTER, "{align*}", "{align}", "formula: star the environment, or write"),
    (
        CHAPTER,
        "one is {glue:text}`mode` of ten {evidence}`exact`",
        "one is {glue:text}`mode` of ten {evidence}`proved`",
        "evidence must be one of measured, exact, cited, conjecture, got 'proved'",
    ),
    (CHAPTER, "[exercises](../exercises/01-coins.md)", "[exercises](../exercises/02-dice.md)", "02-dice.md"),
    (
        CARDS,
        "#deeper",
        "#a-lost-heading",
        "local id not found in doc 'chapters/01-coins': 'a-lost-heading'",
    ),
    (CARDS, "What is $q$?", "What is $q?$ and {nonsense}`this`?", 'Unknown interpreted text role "nonsense"'),
    (CARDS, "Multiply each value", "Multiply {q}`each` value", "uses {q}`...`, which the book understands"),
    (CARDS, "probability ___,", "probability $q = ___$,", "formula: KaTeX parse error: Unexpected character"),
    (
        EXERCISES,
        "## Again, the cards of one objective\n",
        "## Again, the cards of one objective\n\n```{cards} 01-coins\n:objective: coins/sorrow\n```\n"
        "\n```{cards} 02-dice\n```\n",
        "has no card for the objective 'coins/sorrow'; it has coins/expectation, coins/spread, coins/words",
    ),
    (EXERCISES, "```{cards} 02-dice\n```\n", "```{cards} 02-dice\n```\n\n", "02-dice.yml: cannot be read"),
    (
        EXERCISES,
        "```{graded} inverted_dropout",
        "```{graded} inverted_dropuot",
        "exercise must be one of paired_interval, ",
    ),
    (
        CHAPTER,
        "{playground}`a network <data=circles&p=0,0.3>`",
        "{playground}`a network`",
        "write a link as {playground}`the words <data=moons&p=0,0.5>`, got 'a network'",
    ),
    (EVIDENCE, "{claim}`A-2`", "{claim}`A-99`", "unknown claim 'A-99'; the ids are A-1, A-2"),
    (EVIDENCE, "{verdict}`supported`", "{verdict}`true`", "a verdict must be one of supported, contradicted"),
    (EVIDENCE, "{claims} articles", "{claims} books", "the catalogue has no table 'books'; it has articles"),
    (STUDY, "{study} toy", "{study} game", "unknown study 'game'"),
]


@pytest.fixture(scope="module")
def warnings(draft):
    """The warnings of one build with all these mistakes."""
    for file, old, new, _ in MISTAKES:
        draft.edit(file, old, new)
    return draft.build()


@pytest.mark.parametrize("words", [words for *_, words in MISTAKES])
def test_a_mistake_is_named(warnings, words):
    lines = [line for line in warnings.splitlines() if words in line]
    assert len(lines) >= 1, warnings


def test_a_warning_says_on_which_page(warnings):
    located = [line for line in warnings.splitlines() if "formula:" in line]
    assert located
    # The Review page repeats every card, and with it the mistake in one.
    assert all("01-coins.ipynb" in line or "review.md" in line for line in located)


def test_an_edited_card_renews_the_page_that_shows_it(draft, warnings):
    assert "Each unit is a coin of its own." in draft.page("exercises/01-coins")
    draft.edit(CARDS, "Each unit is a coin of its own.", "Every unit throws its own coin.")
    draft.build()
    assert "Every unit throws its own coin." in draft.page("exercises/01-coins")
