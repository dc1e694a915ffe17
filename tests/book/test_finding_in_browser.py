"""Finding one's way as readers do, in a browser, from disk and from a server: search and what it quotes."""

import re
from contextlib import contextmanager

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright: pip install '.[test]'")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from coursebook.published import rooted
from tests.book.browser import watched

CHAPTER = "chapters/01-coins.html"

pytestmark = pytest.mark.book


@contextmanager
def visiting(browser, address, **options):
    """A page on which nothing may go wrong, and that may ask for nothing elsewhere."""
    with watched(browser, address, base_url=f"{address}/", **options) as context:
        yield context.new_page()


@pytest.fixture(params=["file", "http"])
def page(request, browser, addresses):
    with visiting(browser, addresses[request.param]) as page:
        page.root = addresses[request.param]
        yield page


def go(page: Page, path: str) -> None:
    page.goto(f"{page.root}/{path}")


def check_with_axe(page: Page, part: str) -> None:
    found = Axe().run(page, part, options={"preload": False})  # it would fetch style sheets once more
    assert found.violations_count == 0, found.generate_report()


def results(page: Page):
    return page.locator("#search-results ul.search").first.locator("> li")


def search(page: Page, text: str) -> None:
    go(page, "search.html")
    page.locator(".bd-search-container input").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#search-results").get_by_role("status")).to_contain_text(text)


def test_a_search_from_a_chapter_ends_at_the_section_that_answers(page):
    go(page, CHAPTER)
    page.keyboard.press("Control+k")
    page.keyboard.type("keep probability")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("4 pages for “keep probability”, the best first.")
    first = results(page).first
    expect(first.locator("> a")).to_have_text("Glossary")
    expect(first.locator("mark").first).to_have_text("probability")  # in: The probability q = 1 - p that ...
    check_with_axe(page, "main")
    first.get_by_role("link", name="keep probability").click()
    expect(page).to_have_url(f"{page.root}/glossary.html#term-keep-probability")
    expect(page.locator(".highlighted")).to_have_count(0)


def test_a_short_word_finds_no_letters_within_names(page):
    search(page, "p")
    expect(results(page).first.locator("mark").first).to_have_text("p")
    names = page.get_by_role("heading", name="Names in the API reference")
    expect(names).to_have_count(0)  # no object of the sample is called p


def test_where_nothing_is_found_the_page_says_so(page):
    search(page, "zyxt")
    expect(page.get_by_role("status")).to_contain_text("No page for “zyxt”")
    expect(results(page)).to_have_count(0)


def test_text_of_a_question_stays_text(page):
    search(page, "<b>heads</b>")
    expect(page.get_by_role("status")).to_contain_text("“<b>heads</b>”")
    expect(page.locator("#search-results b")).to_have_count(0)


def test_a_lost_reader_finds_home_from_any_depth(browser, addresses, sample):
    text = rooted(sample.page("404"), "/")
    with visiting(browser, addresses["http"]) as page:
        page.route("**/far/away/there.html", lambda route: route.fulfill(body=text, content_type="text/html"))
        page.goto("far/away/there.html")
        expect(page.locator("h1")).to_have_text("This page was dropped")
        check_with_axe(page, "main")
        page.get_by_role("link", name="The first page").click()
        expect(page).to_have_url(f"{addresses['http']}/intro.html")


def test_the_page_for_lost_ways_also_works_on_a_disk(browser, addresses):
    with visiting(browser, addresses["file"]) as page:
        page.goto(f"{addresses['file']}/404.html")
        page.locator(".bd-search-container input").fill("mask")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("“mask”")


# Previews of links


def link_to(page: Page, address: str):
    return page.locator(f"article a.reference.internal[href$='{address}']").first


def test_a_preview_comes_with_the_pointer_and_stays_while_it_is_there(page):
    go(page, CHAPTER)
    bubble = page.locator("#preview")
    link_to(page, "#fig-counts").hover()
    expect(bubble).to_be_visible()
    expect(bubble.locator("img")).to_have_attribute("alt", re.compile("^Ten bars"))
    expect(bubble.locator("a, [id], [tabindex]")).to_have_count(0)
    box = bubble.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 20, steps=4)
    page.wait_for_timeout(400)  # longer than a bubble waits for the pointer
    expect(bubble).to_be_visible()
    page.mouse.move(5, 5)
    expect(bubble).to_be_hidden()


def test_a_preview_comes_with_the_keyboard_and_goes_with_escape(page):
    go(page, CHAPTER)
    bubble, term = page.locator("#preview"), link_to(page, "#term-keep-probability")
    link_to(page, "references.html#id3").focus()  # Thomson; the next link is the term
    page.keyboard.press("Tab")
    expect(term).to_be_focused()
    expect(bubble).to_have_text("keep probability The probability q = 1 - p that a unit survives.")
    expect(term).to_have_attribute("aria-describedby", "preview")
    check_with_axe(page, "body")
    page.keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    expect(term).to_be_focused()
    expect(term).not_to_have_attribute("aria-describedby", "preview")


def test_a_cited_source_is_named_once(page):
    go(page, CHAPTER)
    source = link_to(page, "references.html#id2")
    source.hover()
    expect(page.locator("#preview")).to_contain_text("The art of conjecturing")
    expect(source).not_to_have_attribute("title", re.compile("."))


def test_a_preview_fits_on_a_phone(browser, addresses):
    with visiting(browser, addresses["file"]) as page:
        page.set_viewport_size({"width": 375, "height": 600})
        page.goto(f"{addresses['file']}/{CHAPTER}")
        for address in ("#fig-counts", "#tab-rates", "#equation-eq-count"):
            link_to(page, address).hover()
            expect(page.locator("#preview")).to_be_visible()
            box = page.locator("#preview").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 375
            assert box["y"] + box["height"] <= 600
            page.mouse.move(5, 5)
            expect(page.locator("#preview")).to_be_hidden()


# What the theme brings


def test_code_is_copied_with_the_keyboard(page):
    go(page, CHAPTER)
    page.evaluate("document.addEventListener('copy', () => { window.copied = String(getSelection()); })")
    button = page.locator("article .cell_input button.copybtn").first
    assert button.get_attribute("data-tooltip") == "Copy"
    button.focus()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("data-tooltip", "Copied!")


def test_pages_follow_one_another_and_have_a_table_of_contents(page):
    go(page, CHAPTER)
    toc = page.locator("#pst-secondary-sidebar")
    toc.get_by_role("link", name="A deeper heading").click()
    expect(page).to_have_url(f"{page.root}/{CHAPTER}#a-deeper-heading")
    foot = page.locator(".prev-next-footer")
    foot.get_by_role("link", name="next").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.root}/playground.html")
    foot.get_by_role("link", name="previous").click()
    expect(page).to_have_url(f"{page.root}/{CHAPTER}")
