"""What a search can quote, and which place it quotes."""

from types import SimpleNamespace

import pytest
from docutils import nodes

from coursebook.card_nodes import html
from coursebook.search_texts import FILE, collect, units, write
from tests.coursebook import scripts


def section(name, *content):
    return nodes.section("", nodes.title("", name.title()), *content, ids=[name], names=[name])


def paragraph(*parts):
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def page(*content):
    document = nodes.document(None, None)
    document += section("page", *content)
    return document


def test_each_section_has_its_own_words():
    inner = section("inner", paragraph("Two."))
    assert units(page(paragraph("One\n coin."), inner)) == [
        ("", "Page", "One coin."),
        ("inner", "Inner", "Two."),
    ]


def test_prose_comes_before_code_and_formulas_are_short():
    text = paragraph(
        "Scale by ", nodes.math("", r"\frac{1}{q}"), ", with ", nodes.math("", "p_{1} = 0.3"), "."
    )
    code = nodes.literal_block("", "y = x / q")
    assert units(page(code, text)) == [("", "Page", "Scale by …, with p_1 = 0.3. y = x / q")]


def test_terms_and_claims_stand_for_themselves():
    term = nodes.definition_list_item(
        "", nodes.term("", "mask", ids=["term-mask"]), nodes.definition("", paragraph("One coin per unit."))
    )
    claim = nodes.container(
        "", paragraph("A-1 Tosses are fair."), paragraph("Exact."), classes=["claim"], ids=["claim-a-1"]
    )
    plain = nodes.definition_list_item("", nodes.term("", "loose"), nodes.definition("", paragraph("End.")))
    found = units(page(nodes.definition_list("", term, plain), claim))
    assert found == [
        ("", "Page", "loose End."),
        ("term-mask", "mask", "One coin per unit."),
        ("claim-a-1", "A-1 Tosses are fair.", "Exact."),
    ]


def test_no_answer_is_given_away():
    folded = html("details", html("summary", nodes.Text("Answer")), paragraph("Seven."))
    solution = nodes.container("", paragraph("Eight."), classes=["solution"])
    body = nodes.section("", paragraph("How many?"), ids=["exercise-content"])
    assert units(page(folded, solution, body)) == [("", "Page", "How many?")]


@pytest.mark.parametrize("exception", [None, RuntimeError("the build failed")])
def test_the_texts_are_written_when_the_build_is_done(tmp_path, exception):
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(name="html"))
    collect(app, "a", "page.html", {}, page(paragraph("One “coin”.")))
    collect(app, "search", "search.html", {}, None)
    write(app, exception)
    script = tmp_path / FILE
    assert script.exists() is (exception is None)
    if exception is None:
        assert script.read_text() == 'var SEARCH_TEXTS={"a":[["","Page","One “coin”."]]};\n'


# The script

STEM = "const stem = (word) => word.replace(/s$/, '');"


def quoted(unit, terms, phrase=None):
    return scripts.in_node(
        "search",
        f"{STEM} return c.quote(data[0], data[1], data[2], stem);",
        [unit, terms, phrase or terms[0]],
    )


def test_a_quote_marks_whole_words_of_the_same_stem():
    found = quoted(["here", "Coins", "Toss the coins. A coin is fair, a Coinage is not, nor is p."], ["coin"])
    assert [piece["text"] for piece in found["pieces"] if piece["hit"]] == ["coins", "coin", "Coinage"]
    assert "".join(piece["text"] for piece in found["pieces"]) == (
        "Toss the coins. A coin is fair, a Coinage is not, nor is p."
    )
    short = quoted(["here", "Other", "apples and p"], ["p"])
    assert [piece["text"] for piece in short["pieces"] if piece["hit"]] == ["p"]
    assert quoted(["here", "Other", "nothing of it"], ["p"]) is None


def test_a_long_section_is_quoted_where_all_words_meet():
    text = "variance " + "word " * 100 + "the variance shift is here " + "word " * 100
    pieces = quoted(["s", "S", text], ["variance", "shift"], "variance shift")["pieces"]
    whole = "".join(piece["text"] for piece in pieces)
    assert whole.startswith("… word")
    assert whole.endswith("word …")
    assert "the variance shift is here" in whole
    assert len(whole) <= 220 + 4


def test_pages_to_read_come_first_and_the_term_itself_before_all():
    texts = {
        "api/masks": [["", "Layers", "mask mask mask"]],
        "chapters/01": [["", "Coins", "A mask is drawn."]],
        "glossary": [["", "Glossary", ""], ["term-p", "drop probability", "p: how often a mask drops."]],
    }
    results = [[name, name, "", None, 5, f"{name}.md"] for name in texts]
    results.append(["api/masks", "lab.mask", "#lab.mask", "a function", 11, "api/masks.md"])
    code = (
        f"{STEM} return c.rankPages(data[0], data[1], [data[2]], data[2], stem).map((found) => found.page);"
    )
    assert scripts.in_node("search", code, [results, texts, "mask"]) == [
        "chapters/01",
        "glossary",
        "api/masks",
    ]
    texts["chapters/01"][0][2] = "p, p and p"
    assert scripts.in_node("search", code, [results, texts, "p"])[0] == "glossary"


@pytest.mark.parametrize(
    ("name", "term", "expected"),
    [
        ("lab.Arm.p", "p", True),
        ("lab.dropout", "p", False),
        ("lab.Dropout", "drop", True),
        ("dropoutlab.x", "drop", False),
    ],
)
def test_an_object_is_found_by_its_own_name(name, term, expected):
    assert scripts.in_node("search", "return c.isNamed(data[0], data[1]);", [name, term]) is expected
