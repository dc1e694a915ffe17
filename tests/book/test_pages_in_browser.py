"""Every page of the built book in a browser: what it loads and weighs; axe and the console keep silent.

Each page writes a line of the table that is shown when the tests end, and kept in ``_build/pages.csv``.
"""

import gzip
import re
import time
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright: pip install '.[test]'")

from tests.book import browser as browsers
from tests.book.axe import violations_on
from tests.book.browser import CORNERS, DESK, PATIENCE, PHONE, look
from tests.book.pages_table import store
from tests.book.test_book import BOOK, skip_unless_built

# A page that only leads to another is gone before it can be looked at.
LEADS_ON = re.compile(r'<meta\s[^>]*http-equiv="refresh"', re.IGNORECASE)
PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if "_static" not in path.parts and not LEADS_ON.search(path.read_text(encoding="utf-8"))
)
MOST_KB = 450  # compressed, with the figures

# All figures and fonts, also those that a reader has not come to yet.
COMPLETE = """async () => {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;
}"""
OPEN = "for (const details of document.querySelectorAll('details')) details.open = true;"

pytestmark = pytest.mark.book


class Tab:
    """One tab of a browser for all pages, and what happened in it since the last one was opened."""

    def __init__(self, browser):
        context = browser.new_context(viewport=DESK, color_scheme="light", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        self.page = context.new_page()
        self.asked, self.said = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("console", self._note)

    def _note_failure(self, request):
        if request.failure != "net::ERR_ABORTED":  # the next page was opened before this one had its icon
            self.said.append(f"not loaded: {request.url}")

    def _note(self, message):
        if message.type in ("warning", "error", "assert"):
            self.said.append(f"{message.type}: {message.text}")

    def open(self, address):
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(DESK)
        self.asked.clear()
        self.page.goto(address)
        self.page.evaluate(COMPLETE)
        return [url for url in self.asked if not url.startswith(("data:", "blob:"))]


@pytest.fixture(scope="module")
def tab(browser):
    skip_unless_built()
    return Tab(browser)


@pytest.fixture(scope="module")
def server(browser):
    with browsers.served(BOOK) as address:
        yield address


@cache
def weight(path):
    """Bytes that a server would send for a file: compressed where that makes it smaller."""
    data = path.read_bytes()
    return min(len(data), len(gzip.compress(data, 6)))


def kilobytes(addresses):
    return sum(weight(Path(unquote(urlsplit(address).path))) for address in set(addresses)) / 1000


@pytest.mark.parametrize("name", PAGES or ["index.html"])
def test_a_page_is_light_silent_and_accessible(tab, server, name):
    begun = time.monotonic()
    tab.said.clear()
    foreign = [url for url in tab.open(f"{server}/{name}") if not url.startswith(server)]
    asked = tab.open((BOOK / name).as_uri())
    foreign += [url for url in asked if not url.startswith("file:")]
    kb = kilobytes(url for url in asked if url.startswith("file:"))
    said = list(tab.said)

    tab.page.evaluate(OPEN)
    violations, wide = [], []
    for scheme, viewport in CORNERS:
        corner = look(tab.page, scheme, viewport)
        width = tab.page.evaluate("document.documentElement.scrollWidth")
        if width > viewport["width"]:
            wide.append(f"{corner}: {width} px")
        violations += [f"{corner}: {line}" for line in violations_on(tab.page)]
    store(
        name,
        {
            "requests": len(set(asked)),
            "elsewhere": len(foreign),
            "kB": round(kb, 1),
            "console": len(said),
            "axe": len(violations),
            "too wide": len(wide),
            "seconds": round(time.monotonic() - begun, 1),
        },
    )

    assert foreign == []
    assert said == []
    assert violations == []
    assert wide == []
    assert kb <= MOST_KB


# A chapter, which has every kind of thing, stands for the pages that are made like it.
CHAPTER = "chapters/01-overfitting.html"


@pytest.mark.parametrize(
    ("scheme", "style"),
    [("light", "color: #bbb; background: #fff"), ("dark", "color: #444"), ("light", "background: #777")],
)
def test_a_single_word_that_few_can_read_is_found(tab, scheme, style):
    tab.open((BOOK / CHAPTER).as_uri())
    tab.page.evaluate(OPEN)
    look(tab.page, scheme, DESK)
    assert violations_on(tab.page, ["color-contrast"]) == []
    change = "([style]) => { [...document.querySelectorAll('pre .nb')].at(-1).style = style; }"
    tab.page.evaluate(change, [style])
    assert len(violations_on(tab.page, ["color-contrast"])) == 1


FOCUSABLE = """() => {
  const tags = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(tags)].filter((element) =>
    element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && !element.disabled);
  all.forEach((element, index) => { element.dataset.place = index; });
  return all.length;
}"""
FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [element.dataset.place ?? null, shown, element.outerHTML.slice(0, 100)];
}"""


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(tab, viewport):
    tab.open((BOOK / CHAPTER).as_uri())
    look(tab.page, "light", viewport)
    count = tab.page.evaluate(FOCUSABLE)
    assert count > 50
    reached, unseen = set(), []
    for _ in range(count + 20):
        tab.page.keyboard.press("Tab")
        place, shown, html = tab.page.evaluate(FOCUSED)
        if place is not None:
            reached.add(int(place))
            if not shown:
                unseen.append(html)
    assert unseen == []
    missed = set(range(count)) - reached
    tags = [
        tab.page.locator(f"[data-place='{place}']").evaluate("e => e.outerHTML.slice(0, 100)")
        for place in missed
    ]
    assert tags == []


def test_the_first_tab_offers_to_skip_to_the_text(tab):
    tab.open((BOOK / CHAPTER).as_uri())
    tab.page.keyboard.press("Tab")
    link = tab.page.locator("a[href='#main-content']")
    assert link.evaluate("(link) => link === document.activeElement && link.getBoundingClientRect().top >= 0")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.closest('main') !== null")


def test_nothing_moves_for_readers_who_asked_for_that(tab):
    tab.open((BOOK / CHAPTER).as_uri())
    moving = """() => [...document.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      const times = `${style.transitionDuration},${style.animationDuration}`.split(",").map(parseFloat);
      return Math.max(...times) > 0.001 || style.scrollBehavior === "smooth";
    }).map((element) => element.outerHTML.slice(0, 80))"""
    assert tab.page.evaluate(moving) == []


def test_figures_keep_their_colours_in_the_dark(tab):
    tab.open((BOOK / CHAPTER).as_uri())
    look(tab.page, "dark", DESK)
    filters = "[...document.querySelectorAll('article img')].map((image) => getComputedStyle(image).filter)"
    assert set(tab.page.evaluate(filters)) == {"none"}


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_text_stays_where_it_is_while_pictures_come(browser, viewport):
    skip_unless_built()
    page = browser.new_page(viewport=viewport)
    page.goto((BOOK / CHAPTER).as_uri())
    height = "document.documentElement.scrollHeight"
    before = page.evaluate(height)
    assert page.evaluate("[...document.images].some((image) => !image.complete)")  # some are still to come
    page.evaluate(COMPLETE)
    # A picture's height is rounded to whole pixels once it is there.
    assert abs(page.evaluate(height) - before) <= page.locator("article img").count()
    page.close()
