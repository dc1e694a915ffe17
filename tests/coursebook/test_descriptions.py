"""The description of a page is its opening, unless the author wrote another."""

import pytest
from docutils import nodes

from coursebook.descriptions import LONGEST, SHORTEST, describe_page, description

LONG = "How many of ten coins fall heads up, and how sure can you be?"


def document(*paragraphs):
    tree = nodes.section()
    for paragraph in paragraphs:
        tree += paragraph
    return tree


def paragraph(*parts):
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def described(tree, page="page", **context):
    describe_page(None, page, "page.html", context, tree)
    return context.get("metatags")


def test_a_short_opening_takes_the_next_paragraph_along():
    assert (
        description(document(paragraph("One\n coin."), paragraph(LONG), paragraph("No.")))
        == f"One coin. {LONG}"
    )
    assert description(document(paragraph("One coin."))) == "One coin."


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1])
def test_a_long_sentence_is_cut_after_a_word(length):
    text = ("word " * 100)[: length - 1].strip().ljust(length, "x")
    found = description(document(paragraph(text)))
    assert SHORTEST <= len(found) <= LONGEST
    assert found == text or (found.endswith("word…") and text.startswith(found[:-1]))
    assert (found == text) is (length == LONGEST)


def test_whole_sentences_are_kept_where_they_fit():
    assert description(document(paragraph(f"{LONG} {'And then on and on ' * 9}."))) == LONG
    assert description(document(paragraph(f"“So?” {'And then on and on ' * 9}."))).endswith("on…")


def test_what_is_no_plain_text_describes_nothing():
    hard = paragraph(nodes.math("", r"\\frac{1}{q}"), " is the factor.")
    easy = paragraph(
        "Drop with ", nodes.math("", "p_{1} = 0.3"), nodes.inline("", "exact", classes=["evidence"]), "."
    )
    cited = paragraph("Known [Ada and Bell, 2001].")
    assert description(document(hard, easy, cited)) == "Drop with p_1 = 0.3. Known."
    assert description(document(hard)) == ""
    assert described(document(hard)) is None


def test_an_aside_is_no_opening():
    item = nodes.bullet_list("", nodes.list_item("", paragraph("You can count.")))
    assert description(document(item, paragraph(LONG))) == LONG
    assert description(document(item)) == "You can count."  # better than nothing


def test_the_description_is_escaped_and_added():
    tree = document(paragraph('He said "p < q".'))
    expected = '<meta charset="utf-8">\n<meta name="description" content="He said &quot;p &lt; q&quot;.">'
    assert described(tree, metatags='<meta charset="utf-8">') == expected


def test_what_the_author_wrote_stays():
    written = '<meta name="description" content="Mine.">'
    assert described(document(paragraph("Another.")), metatags=written) == written


def test_pages_that_nobody_writes():
    assert described(None) is None
    assert "alphabetical order" in described(None, page="genindex")
