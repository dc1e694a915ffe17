"""Every check on built pages can fail, and says what it found."""

import re

import pytest

from coursebook.page_checks import find_problems

GOOD = """<!DOCTYPE html>
<html lang="en">
<head><title>Coins</title><meta name="description" content="About coins.">
<link rel="stylesheet" href="_static/house.css?v=1"><link rel="canonical" href="https://example.org/coins.html">
<style>p {color: red}</style></head>
<body><a href="#main-content">Skip</a><main id="main-content"><article>
<h1>Coins</h1><p style="color: red">A <a href="https://example.org">link</a>,
<a href="mailto:a@example.org">mail</a>,
<a href="other.html#place">a place</a>, <a href="#here">here</a>, <a href="_static/data.csv">data</a>.</p>
<span class="math"><span class="katex"><math><annotation>\\frac{1}{q}</annotation></math>
<span class="katex-html"></span></span></span>
<code>$$ \\frac</code><h2 id="here">Heads</h2><h3>More</h3><h2>Tails</h2>
<img src="_static/a.png" alt="A coin"></article></main><script src="_static/house.js"></script></body></html>
"""
OTHER = GOOD.replace('<h2 id="here">', '<h2 id="here"><a name="place"></a>')
REDIRECT = '<meta http-equiv="Refresh" content="0; url=index.html" />'


@pytest.fixture
def book(tmp_path):
    static = tmp_path / "_static"
    static.mkdir()
    for name in ("house.js", "MathJax.js", "fontawesome.js", "data.csv", "a.png", "font.woff2"):
        (static / name).touch()
    (static / "house.css").write_text(
        "/* url(https://example.org/in-a-comment) */ a {src: url(font.woff2?v=1)} b {mask: url('data:image/x,https://')}",
        encoding="utf-8",
    )
    (static / "theme.html").write_text("<p>not a page</p>", encoding="utf-8")
    (tmp_path / "index.html").write_text(GOOD, encoding="utf-8")
    (tmp_path / "other.html").write_text(OTHER, encoding="utf-8")
    (tmp_path / "old.html").write_text(REDIRECT, encoding="utf-8")
    return tmp_path


def test_a_good_book_breaks_no_rule(book):
    assert find_problems(book) == []


BREACHES = [
    (
        "</article>",
        '<script src="https://cdn.example.org/a.js"></script></article>',
        "<script src='https://cdn.",
    ),
    (
        "</article>",
        '<iframe src="//cdn.example.org/a"></iframe></article>',
        "<iframe src='//cdn.example.org/a'>",
    ),
    (
        'src="_static/a.png"',
        'src="http://example.org/a.png"',
        "<img src='http://example.org/a.png'> is fetched",
    ),
    (
        'src="_static/a.png"',
        'src="_static/a.png" srcset="https://example.org/b.png 2x"',
        "<img srcset='https://example",
    ),
    (
        'rel="canonical"',
        'rel="preconnect"',
        "<link href='https://example.org/coins.html'> is fetched from elsewhere",
    ),
    (
        'rel="canonical"',
        'rel="alternate stylesheet"',
        "<link href='https://example.org/coins.html'> is fetched",
    ),
    ("p {color: red}", "@import 'https://example.org/a.css';", "a style loads 'https://example.org/a.css'"),
    (
        'style="color: red"',
        'style="background: url( //example.org/a.png )"',
        "a style loads '//example.org/a.png'",
    ),
    ("</article>", "<script>const url = 'thebe'</script></article>", "thebe is loaded"),
    ("_static/house.js", "_static/fontawesome.js", "fontawesome.js is loaded"),
    ("_static/house.js", "_static/MathJax.js", "mathjax is loaded"),
    (
        "</article>",
        "</article><script src='_static/house.js'></script>",
        "_static/house.js is loaded 2 times",
    ),
    ("_static/house.js", "_static/gone.js", "<script> names '_static/gone.js', which is not there"),
    (
        "_static/house.css?v=1",
        "_static/gone.css?v=1",
        "<link> names '_static/gone.css?v=1', which is not there",
    ),
    ("_static/a.png", "_static/gone.png", "<img> names '_static/gone.png', which is not there"),
    ("other.html#place", "gone.html#place", "the link 'gone.html#place' leads to no file"),
    ("other.html#place", "other.html#gone", "the link 'other.html#gone' leads to no place on its page"),
    ('"#here"', '"#gone"', "the link '#gone' leads to no place on its page"),
    ('"#here"', '"#data=moons"', "the link '#data=moons' leads to no place on its page"),
    ('alt="A coin"', "", "the picture '_static/a.png' is described by ''"),
    ('alt="A coin"', 'alt=" "', "the picture '_static/a.png' is described by ''"),
    ('alt="A coin"', 'alt="_images/0a1b.png"', "is described by '_images/0a1b.png'"),
    ("<h1>Coins</h1>", "", "there are 0 headings h1, not one"),
    ("<h2>Tails</h2>", "<h1>Tails</h1>", "there are 2 headings h1, not one"),
    ('<h2 id="here">Heads</h2>', '<p id="here">Heads</p>', "a heading h3 follows one of h1"),
    ("<math>", "<b>", "is not rendered"),
    ("katex-html", "katex-mathml", "is not rendered"),
    ("<code>", "<b>", "LaTeX is left in '$$ \\\\frac'"),
    ("About coins", "About", None),
    ("A coin", "\\(q\\)", None),
    ("Heads</h2>", "\\(q\\)</h2>", "LaTeX is left in '\\\\(q\\\\)'"),
    ('lang="en"', "", "the language of the page is not stated"),
    ("<title>Coins</title>", "<title> </title>", "the page has no title"),
    ("<title>Coins</title>", "", "the page has no title"),
    ('name="description"', 'name="keywords"', "the page has no description"),
    ('href="#main-content"', 'href="#here"', "no link skips to the text"),
    ("<h3>", '<h3 id="here">', "the id 'here' occurs 2 times"),
]


def test_the_playground_takes_settings_instead_of_a_place(book):
    form = '<form class="playground"></form></article>'
    (book / "other.html").write_text(OTHER.replace("</article>", form), encoding="utf-8")
    index = book / "index.html"
    index.write_text(GOOD.replace("other.html#place", "other.html#data=moons&p=0,0.5"), encoding="utf-8")
    assert find_problems(book) == []
    index.write_text(GOOD.replace("other.html#place", "other.html#moons"), encoding="utf-8")
    [problem] = find_problems(book)
    assert "leads to no place" in problem


@pytest.mark.parametrize(("old", "new", "message"), BREACHES)
def test_each_breach_is_found_and_nothing_else(book, old, new, message):
    assert old in GOOD
    (book / "index.html").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    found = find_problems(book)
    if message is None:
        assert found == []
    else:
        assert len(found) == 1, found
        assert found[0].startswith("index.html: ")
        assert message in found[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '@import "https://fonts.example.org/a.css";',
            "house.css: a style loads 'https://fonts.example.org/a.css'",
        ),
        (
            "a {src: url(//example.org/a.woff2)}",
            "house.css: a style loads '//example.org/a.woff2' from elsewhere",
        ),
        ("a {src: url('gone.woff2')}", "house.css: names 'gone.woff2', which is not there"),
    ],
)
def test_style_sheets_are_read_too(book, text, message):
    (book / "_static" / "house.css").write_text(text, encoding="utf-8")
    assert len(find_problems(book)) == 1
    assert re.match(re.escape(message), find_problems(book)[0])


def test_pages_that_sphinx_adds_need_no_description(book):
    page = GOOD.replace('name="description"', 'name="keywords"')
    (book / "genindex.html").write_text(page, encoding="utf-8")
    assert find_problems(book) == []
