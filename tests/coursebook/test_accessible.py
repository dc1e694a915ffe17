"""The description of a page is its first paragraph, unless the author wrote another."""

import pytest
from docutils import nodes

from coursebook.accessible import LONGEST_DESCRIPTION, describe_page, first_sentences, repair_roles


def document(*paragraphs):
    tree = nodes.section()
    for paragraph in paragraphs:
        tree += paragraph
    return tree


def paragraph(text):
    return nodes.paragraph("", text)


def described(tree, **context):
    describe_page(None, "page", "page.html", context, tree)
    return context.get("metatags")


def test_a_short_paragraph_is_taken_whole():
    assert first_sentences(document(paragraph("One\n coin."), paragraph("Two."))) == "One coin."


@pytest.mark.parametrize("length", [LONGEST_DESCRIPTION, LONGEST_DESCRIPTION + 1])
def test_a_long_paragraph_is_cut_after_a_word(length):
    text = ("word " * 100)[: length - 1].strip().ljust(length, "x")
    description = first_sentences(document(paragraph(text)))
    assert len(description) <= LONGEST_DESCRIPTION
    assert description == text or (description.endswith("word…") and text.startswith(description[:-1]))
    assert (description == text) is (length == LONGEST_DESCRIPTION)


def test_a_formula_describes_nothing():
    formula = nodes.paragraph("", "", nodes.math("", "q"), nodes.Text(" is the probability."))
    assert first_sentences(document(formula, paragraph("Plain words."))) == "Plain words."
    assert first_sentences(document(formula)) == ""
    assert described(document(formula)) is None


def test_the_description_is_escaped_and_added():
    tree = document(paragraph('He said "p < q".'))
    expected = '<meta charset="utf-8">\n<meta name="description" content="He said &quot;p &lt; q&quot;.">'
    assert described(tree, metatags='<meta charset="utf-8">') == expected


def test_what_the_author_wrote_stays():
    written = '<meta name="description" content="Mine.">'
    assert described(document(paragraph("Another.")), metatags=written) == written


def test_a_page_without_text_has_no_description():
    assert described(None) is None


def test_roles_are_repaired_in_the_body_alone():
    context = {
        "body": '<div role="list" class="citation-list"><div role="doc-biblioentry"><p>',
        "title": "<th></th>",
    }
    repair_roles(None, "page", "page.html", context, None)
    assert context == {"body": '<div class="citation-list"><div><p>', "title": "<th></th>"}
    context = {"body": '<tr><th></th><th class="head"><p></p></th><th>q</th></tr>'}
    repair_roles(None, "page", "page.html", context, None)
    assert context["body"] == '<tr><td></td><td class="head"></td><th>q</th></tr>'
    empty = {}
    repair_roles(None, "search", "search.html", empty, None)
    assert empty == {}
