"""The sample book on paper and as an e-book."""

import re
import zipfile
from collections import Counter
from pathlib import PurePosixPath
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from coursebook import printing
from coursebook.chromium import NoBrowserError
from coursebook.errors import BookError
from coursebook.single_page import PAGE
from dropoutlab.catalogue import entries
from tests.book.conftest import REPOSITORY, SampleBook, make_sample

OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"


@pytest.fixture(scope="module")
def single(tmp_path_factory) -> SampleBook:
    """The sample on one page, built without a warning."""
    book = make_sample(tmp_path_factory.mktemp("single") / "book")
    assert book.build("singlehtml") == ""
    return book


@pytest.fixture(scope="module")
def folder(single):
    return single.root / "_build" / "singlehtml"


@pytest.fixture(scope="module")
def page(folder):
    return BeautifulSoup((folder / PAGE).read_text(encoding="utf-8"), "html.parser")


def printed(print_it, *args, **options):
    try:
        return print_it(*args, **options)
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def pdf(folder, tmp_path_factory) -> PdfReader:
    """The sample's PDF."""
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    count = printed(printing.print_book, folder / PAGE, target, lambda _: None)
    reader = PdfReader(target)
    assert len(reader.pages) == count
    return reader


@pytest.fixture(scope="module")
def ebook(tmp_path_factory) -> zipfile.ZipFile:
    """The sample as an EPUB, built without a warning."""
    book = make_sample(tmp_path_factory.mktemp("ebook") / "book")
    assert book.build("epub") == ""
    return zipfile.ZipFile(book.root / "_build" / "epub" / "dropout-measured.epub")


def test_no_two_places_of_the_one_page_share_a_name_and_every_link_has_its_place(page):
    names = Counter(element["id"] for element in page.select("[id]"))
    assert [name for name, times in names.items() if times > 1] == []
    targets = [link["href"] for link in page.select("article a[href]")]
    assert len(targets) > 30
    assert {target for target in targets if target[0] != "#"} == {"https://example.org/ars"}
    assert [target for target in targets if target[0] == "#" and target[1:] not in names] == []


def test_every_node_is_written_as_in_the_html_book(page):
    chapter = page.find(id="chapters-01-coins--coins")
    assert chapter.find("h2").get_text() == "1. Coins"
    assert [number.get_text() for number in chapter.select(".eqno")] == ["(1.1)", "(1.2)"]
    assert chapter.figure.select_one(".caption-number").get_text() == "Fig. 1.1 "
    titles = [" ".join(title.get_text().split()) for title in page.select(".exercise > .admonition-title")]
    assert titles == ["Exercise 1 (Count the heads)", "Exercise 2 (Count the tails)"]


def test_pages_that_need_a_screen_are_left_out_and_links_to_them_are_words(page):
    assert page.find(id="exercises-01-coins--exercises-on-coins") is not None
    assert page.select_one(".playground, [data-review], [id^=review--]") is None
    contents = [line.a.get_text() for line in page.select("nav li")]
    assert contents[:3] == ["A sample book", "Part I", "1\u2003Coins"]
    assert "Play" not in contents  # the part had one page, which is left out
    assert "One may also play with a network." in page.get_text()


def test_nothing_is_left_to_press_or_to_open(page):
    assert page.select("input, textarea, button, fieldset, details, .dropdown, script, .headerlink") == []
    assert "________" in page.select_one("#exercises-01-coins--card-coins-blanks").get_text()
    assert "1 + 1" not in page.get_text()  # folded code


def test_hints_and_answers_stand_at_the_end_of_their_page(page):
    exercises = page.find(id="exercises-01-coins--exercises-on-coins")
    *_, hints, solutions = exercises.find_all("section", recursive=False)
    assert [part.h3.get_text() for part in (hints, solutions)] == ["Hints", "Answers and solutions"]
    names = [name.get_text() for name in solutions.select(".set-apart-name > strong")]
    assert names == [*(f"Card {number}" for number in range(1, 7)), "Inverted dropout in NumPy"]
    assert "A is right" in solutions.get_text()
    assert "Solution to Exercise 1 (Count the heads)" in solutions.get_text()
    assert solutions.select_one(".solution .cell_input")
    before = exercises.select(".recall-card, .graded, .exercise")
    assert len(before) == 6 + 1 + 2
    assert not [
        part for part in before if re.search("is right|Each unit is a coin|Sum the coins", part.get_text())
    ]


def test_the_pdf_is_tagged_and_says_what_it_is(pdf):
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value
    assert pdf.metadata.title == "Dropout, Measured"
    width, height = (float(side) / 72 * 25.4 for side in pdf.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)  # A4 in millimetres


def test_the_pdf_has_bookmarks_figures_and_the_numbers_of_its_pages(pdf):
    titles = [mark.title for mark in pdf.outline if not isinstance(mark, list)]
    assert titles == ["Contents", "A sample book", "Part I", "Exercises", "Back matter"]
    texts = [page.extract_text() for page in pdf.pages]
    [place] = [
        number for number, text in enumerate(texts, start=1) if "1.1. How many heads are there?" in text
    ]
    assert texts[place - 1].startswith(f"{place}\n")  # the foot of the page comes first in its text
    [contents] = [text for text in texts if "Contents" in text.splitlines()]
    assert re.search(rf"1\s+Coins\s+{place}\n", contents)
    pictures = [image for page in pdf.pages for image in page.images]
    assert len(pictures) >= 2  # of the chapter and of the study


def test_what_does_not_fit_on_the_paper_is_an_error_that_names_it(folder, tmp_path):
    text = (folder / PAGE).read_text(encoding="utf-8")
    wide = '<table style="min-width: 2000px"><tr><td>wide</td></tr></table></article>'
    source = folder / "wide.html"
    source.write_text(text.replace("</article>", wide), encoding="utf-8")
    with pytest.raises(BookError, match=r"table \d+ px too wide: wide"):
        printed(printing.print_book, source, tmp_path / "wide.pdf", lambda _: None)
    source.write_text(text.replace("</article>", '<img src="gone.png"></article>'), encoding="utf-8")
    with pytest.raises(BookError, match=r"gone\.png does not load"):
        printed(printing.print_book, source, tmp_path / "gone.pdf", lambda _: None)


def test_the_e_book_lists_its_files_and_names_what_they_hold(ebook):
    assert ebook.infolist()[0].filename == "mimetype"
    package = ElementTree.fromstring(ebook.read("content.opf"))
    items = {item.get("href"): item for item in package.iter(f"{OPF}item")}
    files = set(ebook.namelist()) - {"mimetype", "META-INF/container.xml", "content.opf"}
    assert files == set(items)
    assert {PurePosixPath(name).suffix for name in files} == {".xhtml", ".png", ".css", ".ncx"}
    assert items["_static/cover.png"].get("properties") == "cover-image"
    assert items["chapters/01-coins.xhtml"].get("properties") == "mathml"
    assert "playground.xhtml" not in items
    facts = {
        name: package.find(f".//{DC}{name}").text for name in ("title", "creator", "language", "identifier")
    }
    assert facts["title"] == "Dropout, Measured"
    assert facts["creator"] == "The Dropout, Measured contributors"
    assert facts["language"] == "en"
    assert facts["identifier"].startswith("urn:uuid:")


def test_every_page_of_the_e_book_is_xml_without_scripts_that_refers_to_nothing_outside(ebook):
    pages = [name for name in ebook.namelist() if name.endswith(".xhtml")]
    assert len(pages) >= 8
    for name in pages:
        tree = ElementTree.fromstring(ebook.read(name))
        tags = Counter(element.tag.rpartition("}")[2] for element in tree.iter())
        assert not {"script", "input", "textarea", "button", "iframe"} & set(tags)
        for element in tree.iter():
            for attribute in ("src", "href"):
                target = element.get(attribute, "")
                loaded = attribute == "src" or element.tag.endswith("}link")
                assert not (loaded and "://" in target), (name, target)
                if target and "://" not in target and not target.startswith("#"):
                    path = (PurePosixPath("/") / name).parent.joinpath(target.partition("#")[0])
                    assert _settled(path) in ebook.namelist(), (name, target)


def _settled(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def test_formulas_of_the_e_book_are_mathml_that_says_its_source(ebook):
    page = BeautifulSoup(ebook.read("chapters/01-coins.xhtml"), "html.parser")
    formulas = page.find_all("math")
    assert "q = 1 - p" in {formula["alttext"] for formula in formulas}
    assert not page.select(".katex-html, annotation")


def test_a_page_prints_with_links_to_the_book_beside_the_pdf_or_to_the_published_one(sample):
    source, target = sample.html / "evidence" / "index.html", sample.root / "_build" / "page.pdf"
    for address, begin in (("", "html/"), ("https://example.org/book/", "https://example.org/book/")):
        printed(printing.print_page, source, target, folder=sample.html, address=address)
        notes = [note.get_object() for page in PdfReader(target).pages for note in page.get("/Annots", [])]
        links = [note["/A"]["/URI"] for note in notes if "/A" in note]
        assert f"{begin}evidence/toy.html" in links
        assert not [link for link in links if link.startswith("file:")]


def evidence_link(source: str) -> str:
    claim = re.fullmatch(r"\{claim\}`(.+)`", source)
    words = "the study of it"
    if claim:
        measured = entries()[claim[1]].parts
        verdict = "contradicted, −0.0220 [−0.0272, −0.0169] points, n = 10" if measured else "exact, true"
        words = f"{claim[1]}: {verdict}"
    return f'<a href="evidence/index.html#claim-a-1">{words}</a>'


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_cheat_sheet_prints_on_one_page_with_its_links(sample, paper):
    """The rows of the real one, on a page of the sample, with every claim that is registered measured."""
    lines = (REPOSITORY / "cheatsheet.md").read_text(encoding="utf-8").splitlines()
    rows = [
        line.strip("| ").split(" | ") for line in lines if line.startswith("| ") and "Evidence" not in line
    ]
    assert len(rows) > 20
    page = BeautifulSoup(sample.page("glossary"), "html.parser")
    cells = "".join(
        f"<tr><td><p>{says}</p></td><td><p>{', '.join(map(evidence_link, rests.split(', ')))}</p></td></tr>"
        for says, rests in rows
    )
    headings = "<section><h2>A heading</h2></section>" * sum(line.startswith("## ") for line in lines)
    body = f"{headings}<section><table>{cells}</table></section>"
    sheet = f'<section id="cheat-sheet"><h1>Cheat sheet</h1><p>Two lines. Two lines.</p>{body}</section>'
    page.select_one("article.bd-article").replace_with(
        BeautifulSoup(f'<article class="bd-article">{sheet}</article>', "html.parser")
    )
    source, target = sample.html / "sheet.html", sample.root / "_build" / "sheet.pdf"
    source.write_text(str(page), encoding="utf-8")
    try:
        assert printed(printing.print_page, source, target, folder=sample.html, paper=paper) == 1
    finally:
        source.unlink()
    notes = [note.get_object() for note in PdfReader(target).pages[0]["/Annots"]]
    assert len([note for note in notes if "claim-a-1" in note["/A"]["/URI"]]) >= len(rows)


def columns_of(page):
    return [len(table.find("tr").find_all(["th", "td"])) for table in page.find_all("table")]


def test_a_wide_table_becomes_several_on_paper_and_in_the_e_book(folder, ebook):
    throws = [str(number) for number in range(1, 9)]
    for text, widest in (((folder / PAGE).read_text(encoding="utf-8"), 7), (ebook.read("intro.xhtml"), 5)):
        page = BeautifulSoup(text, "html.parser")
        assert max(columns_of(page)) <= widest
        heads = [
            [cell.get_text(strip=True) for cell in row.find_all("th")] for row in page.select("thead tr")
        ]
        parts = [head[1:] for head in heads if head[0] == "throws"]
        assert len(parts) == 2
        assert [*parts[0], *parts[1]] == throws
