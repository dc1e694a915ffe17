"""The first mention of a term that cannot be mistaken is a link, and nothing else becomes one."""

from types import SimpleNamespace

from docutils import nodes

from coursebook.terms import link_first_mentions

TERMS = {"map": "term-map", "thinned network": "term-thinned", "rectified linear unit (ReLU)": "term-relu"}


def paragraph(*parts):
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def linked(*content, page="chapters/01-a", terms=TERMS):
    objects = {("term", name): ("glossary", anchor) for name, anchor in terms.items()}
    env = SimpleNamespace(domains={"std": SimpleNamespace(objects=objects)})
    builder = SimpleNamespace(format="html", get_relative_uri=lambda _, target: f"../{target}.html")
    document = nodes.document(None, None)
    document.extend(content)
    link_first_mentions(SimpleNamespace(env=env, builder=builder), document, page)
    return [(link.astext(), link["refuri"]) for link in document.findall(nodes.reference)], document.astext()


def test_the_first_mention_is_a_link_and_no_word_is_lost():
    text = "Thinned networks are many. A thinned network maps to a map; so do ReLUs."
    links, after = linked(paragraph(text), paragraph("One more ReLU."))
    assert links == [
        ("Thinned networks", "../glossary.html#term-thinned"),
        ("ReLUs", "../glossary.html#term-relu"),
    ]
    assert after == f"{text}\n\nOne more ReLU."


def test_code_tables_and_links_stay_as_they_are():
    other = nodes.reference("", "thinned network", refuri="paper.html")
    cell = nodes.table("", paragraph("A thinned network."))
    links, _ = linked(paragraph(nodes.literal("", "ReLU")), paragraph(other), cell)
    assert links == [("thinned network", "paper.html")]


def test_what_the_author_links_is_not_linked_again():
    own = nodes.reference("", "thin", refuri="../glossary.html#term-thinned")
    assert len(linked(paragraph("A thinned network, "), paragraph(own))[0]) == 1


def test_only_chapters_and_only_books_with_a_glossary():
    assert linked(paragraph("A thinned network."), page="intro")[0] == []
    assert linked(paragraph("A thinned network."), terms={})[0] == []
