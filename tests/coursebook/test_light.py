"""The last step of a build changes how pages load, and nothing else."""

from types import SimpleNamespace

import pytest
from PIL import Image

from coursebook.light import lighten, with_deferred_scripts

HEAD = """<head>
    <link rel="stylesheet" type="text/css" href="{0}_static/styles/theme.css?v=1" />
    <link rel="stylesheet" type="text/css" href="{0}_static/house.css" />
    <link rel="icon" href="{0}_static/favicon.svg"/>
</head>"""


@pytest.fixture
def book(tmp_path):
    """Two pages in two folders that share their sheets, and a page that has none."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_static" / "styles").mkdir(parents=True)
    (tmp_path / "_static" / "styles" / "theme.css").write_text(
        ".shown{color:red}.added{top:0}.nowhere{left:0}"
    )
    (tmp_path / "_static" / "house.css").write_text(".nowhere{color:blue}")
    (tmp_path / "_static" / "a.js").write_text('element.classList.add("added")')
    (tmp_path / "index.html").write_text(HEAD.format("") + '<p class="shown">')
    (tmp_path / "chapters" / "one.html").write_text(HEAD.format("../"))
    (tmp_path / "none.html").write_text("<head></head>")
    return tmp_path


def app(root, builder="html"):
    return SimpleNamespace(outdir=root, builder=SimpleNamespace(name=builder))


def test_pages_load_one_sheet_with_the_rules_that_they_can_use(book):
    lighten(app(book), None)
    [sheet] = book.glob("_static/**/*.css")
    text = sheet.read_text()
    assert text == '@charset "UTF-8";.shown{color:red}.added{top:0}\n.nowhere{color:blue}'  # ours stays whole
    for page, up in (("index.html", ""), ("chapters/one.html", "../")):
        html = (book / page).read_text()
        assert html.count("stylesheet") == 1
        assert f'<link rel="stylesheet" href="{up}_static/{sheet.name}">' in html
        assert f'<link rel="icon" href="{up}_static/favicon.svg"/>' in html
    assert (book / "none.html").read_text() == "<head></head>"


def test_pictures_are_loaded_late_from_a_small_file_in_a_place_of_their_size(book):
    (book / "_images").mkdir()
    Image.new("P", (30, 20)).save(book / "_images" / "a.png")
    (book / "none.html").write_text('<article><img src="_images/a.png">')
    lighten(app(book), None)
    tag = '<img loading="lazy" width="30" height="20" src="_images/a.webp">'
    assert (book / "none.html").read_text() == f"<article>{tag}"
    assert [path.name for path in (book / "_images").iterdir()] == ["a.webp"]


@pytest.mark.parametrize(
    ("builder", "exception"), [("html", RuntimeError("the build failed")), ("singlehtml", None)]
)
def test_other_builds_are_left_alone(book, builder, exception):
    before = {path: path.read_bytes() for path in book.rglob("*.*")}
    lighten(app(book, builder), exception)
    assert {path: path.read_bytes() for path in book.rglob("*.*")} == before


def test_scripts_wait_until_the_page_is_read():
    page = '<script src="documentation_options.js"></script><script>x = 1</script>{}<script async src="b.js">'
    before, after = '<script data-a src="a.js"></script>', '<script defer data-a src="a.js"></script>'
    end = '</head><script src="c.js"></script>'
    assert with_deferred_scripts(page.format(before) + end) == page.format(after) + end
    search = page.format(before) + '<script src="searchtools.js"></script>' + end
    assert with_deferred_scripts(search) == search
