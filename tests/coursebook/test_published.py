"""What a book has at an address, and what it does not have without one."""

import io
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from docutils import nodes
from PIL import Image

from coursebook.published import add_social_card, end_with_slash, finish, lost_page
from coursebook.social_card import draw

PAGE = """<head><meta property="og:title" content="T">
<meta name="description" content="D"></head>"""


def book(folder, base="", **changes):
    config = SimpleNamespace(html_baseurl=base, html_title="Coins & more", project="", root_doc="intro")
    titles = {"a/b": nodes.title("", "Heads & tails")}
    env = SimpleNamespace(titles=titles, found_docs={"intro", "a/b"})
    parts = {"config": config, "env": env, "outdir": folder, "builder": SimpleNamespace(name="html")}
    return SimpleNamespace(**parts | changes)


def heads(app, page="a/b", **context):
    add_social_card(app, page, "page.html", context, nodes.section())
    return context["metatags"]


def test_a_page_says_how_it_is_shared(tmp_path):
    tags = heads(book(tmp_path), metatags="<meta>", description='Which "side"?')
    assert tags == (
        '<meta>\n<meta property="og:type" content="article">\n'
        '<meta property="og:site_name" content="Coins &amp; more">\n'
        '<meta property="og:title" content="Heads &amp; tails">\n'
        '<meta property="og:description" content="Which &quot;side&quot;?">'
    )
    assert list(tmp_path.iterdir()) == []


def test_at_an_address_it_has_a_picture(tmp_path):
    tags = heads(book(tmp_path, "https://example.org/book/"))
    assert '"og:url" content="https://example.org/book/a/b.html"' in tags
    assert '"og:image" content="https://example.org/book/_images/cards/a-b.png"' in tags
    assert 'name="twitter:card"' in tags
    with Image.open(tmp_path / "_images" / "cards" / "a-b.png") as picture:
        assert picture.size == (1200, 630)


@pytest.mark.parametrize(
    "title", ["Coins", "A title that is so long that it needs more lines than one, and small letters"]
)
def test_a_card_keeps_its_margins(title):
    picture = Image.open(
        io.BytesIO(draw(title, "How many of ten coins fall heads up? " * 4, "Coins"))
    ).convert("L")
    for edge in ((0, 0, 60, 610), (1150, 0, 1200, 610), (0, 0, 1200, 40)):
        assert picture.crop(edge).getextrema() == (255, 255)
    title_and_text = picture.crop((60, 40, 900, 500))
    assert title_and_text.getextrema()[0] < 60  # there is something to read
    assert picture.crop((60, 510, 1150, 530)).getextrema() == (255, 255)  # and nothing reaches the foot


def test_pages_that_nobody_looks_for_have_no_address(tmp_path):
    context = {"pageurl": "https://example.org/search.html"}
    add_social_card(book(tmp_path), "search", "search.html", context, None)
    assert context == {}
    assert [name for name, _, _ in lost_page(None)] == ["404"]


@pytest.mark.parametrize("given", ["https://example.org/book", "https://example.org/book/", ""])
def test_an_address_ends_with_a_slash(given):
    config = SimpleNamespace(html_baseurl=given)
    end_with_slash(None, config)
    assert config.html_baseurl == (given.rstrip("/") + "/" if given else "")


@pytest.fixture
def site(tmp_path):
    (tmp_path / "intro.html").write_text(PAGE)
    (tmp_path / "404.html").write_text('<a href="intro.html">')
    return tmp_path


def test_without_an_address_there_is_no_sitemap(site):
    finish(book(site), None)
    assert {path.name for path in site.iterdir()} == {"intro.html", "404.html", "index.html"}
    front = (site / "index.html").read_text()
    assert '<meta property="og:title" content="T">\n<meta name="description" content="D">' in front
    assert "canonical" not in front
    assert (site / "404.html").read_text() == '<a href="intro.html">'


def test_with_one_every_page_is_in_it(site):
    finish(book(site, "https://example.org/book/"), None)
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    found = [place.text for place in ET.parse(site / "sitemap.xml").findall("s:url/s:loc", space)]
    assert found == ["https://example.org/book/a/b.html", "https://example.org/book/intro.html"]
    assert (
        '<link rel="canonical" href="https://example.org/book/intro.html">'
        in (site / "index.html").read_text()
    )
    assert (site / "404.html").read_text() == '<a href="/book/intro.html">'


def test_a_build_that_failed_or_makes_no_pages_writes_nothing(tmp_path):
    finish(book(tmp_path), RuntimeError("no"))
    finish(book(tmp_path, builder=SimpleNamespace(name="epub")), None)
    assert list(tmp_path.iterdir()) == []


def test_a_book_that_begins_with_its_index_keeps_it(site):
    app = book(site)
    app.config.root_doc = "index"
    finish(app, None)
    assert not (site / "index.html").exists()
