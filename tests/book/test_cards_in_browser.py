"""Recall cards and the Review page as readers meet them: in a browser, from disk and from a server."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright: pip install '.[test]'")

from playwright.sync_api import Error, Page, TimeoutError, expect

from tests.book.axe import violations_on
from tests.book.browser import CORNERS, DESK, PATIENCE, PHONE, look

EXERCISES, REVIEW = "exercises/01-coins.html", "review.html"
KEY = "dropout-measured/reviews"
ZONE = "Europe/London"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=ZoneInfo(ZONE))

# What is stored, in the order of its names; `null` where nothing can be.
STORAGE = (
    "(() => { try { return JSON.stringify(Object.entries(localStorage).sort()); } catch { return null; } })()"
)

pytestmark = pytest.mark.book


class Reader:
    """Somebody with a browser of their own, in which nothing is stored yet."""

    def __init__(self, context, address):
        self.context = context
        self.address = address
        self.foreign = []
        self.errors = []
        context.on("request", self._note)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.add_init_script(f"window.foundStored = {STORAGE}")
        self.witness = context.new_page()  # a page in another process
        self.witness.goto(f"{address}/_static/documentation_options.js")
        self.page = self.tab()

    def _note(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def tab(self) -> Page:
        page = self.context.new_page()
        page.clock.set_fixed_time(NOON)
        return page

    def open(self, path, page=None):
        page = page or self.page
        self._load(page, lambda: page.goto(f"{self.address}/{path}"))

    def travel(self, **time):
        """Come back at another time."""
        self.page.clock.set_fixed_time(NOON + timedelta(**time))
        self.reload()

    def card(self, name):
        return self.page.locator(f"#card-{name}")

    def stored(self):
        return self.page.evaluate(f"JSON.parse(localStorage.getItem({KEY!r}) ?? 'null')")

    def store(self, text):
        """Put a text where the script looks for reviews, before it looks."""
        self.page.evaluate(f"([text]) => localStorage.setItem({KEY!r}, text)", [text])
        self.reload()

    def reload(self):
        self._load(self.page, self.page.reload)

    def _load(self, page, load):
        """Load a page, and see to it that it shares its storage with the pages before and beside it.

        Where a machine is busy, one in fifty pages that Chromium loads from a disk has a storage of its own:
        it finds nothing, and nobody learns what it stores. Loaded again it finds everything.
        """
        stored = page.evaluate(STORAGE) if page.url.startswith(self.address) else None
        for _ in range(5):
            load()
            if self._is_told(page) and (stored is None or page.evaluate("foundStored") == stored):
                return
            self.witness.reload()
        raise AssertionError(f"what was stored did not arrive: {stored}")

    def _is_told(self, page):
        """Tell whether a page in another process learns what this one stores, if it can store anything."""
        for change, value in (("setItem('probe', 'x')", "x"), ("removeItem('probe')", None)):
            try:
                page.evaluate(f"() => {{ localStorage.{change}; }}")
            except Error:
                return True  # storage is full or switched off
            try:
                found = "(value) => localStorage.getItem('probe') === value"
                self.witness.wait_for_function(found, arg=value, timeout=5_000)
            except TimeoutError:
                return False
        return True


@contextmanager
def reading(browser, address, **options) -> Iterator[Reader]:
    options = {"viewport": DESK, "timezone_id": ZONE, "locale": "en-GB"} | options
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    try:
        reader = Reader(context, address)
        yield reader
        assert reader.foreign == [], "a page asked for something elsewhere"
    finally:
        context.close()


@pytest.fixture(params=["file", "http"])
def reader(request, browser, addresses):
    """A reader of the book from disk, and one of the book on a server."""
    with reading(browser, addresses[request.param]) as reader:
        yield reader
        assert reader.errors == []


@pytest.fixture
def at_home(browser, addresses):
    """A reader of the book from disk."""
    with reading(browser, addresses["file"]) as reader:
        yield reader


def press(place, name):
    place.get_by_role("button", name=re.compile(rf"^{name}\b")).click()


def feedback(card):
    return card.locator(".recall-feedback")


def answer_and_grade(card, grade="Good"):
    card.locator(".recall-answer > summary").click()
    press(card, grade)


# Each kind of card


def test_a_number_is_checked_and_a_common_mistake_has_its_reply(reader):
    reader.open(EXERCISES)
    card = reader.card("coins-count-dropped")
    press(card, "Check")
    expect(feedback(card)).to_have_text("Write a number, such as 0.25, 25 % or 1/4.")
    expect(card.locator(".recall-answer")).not_to_have_attribute("open", "")
    field = card.get_by_label("Your prediction, a number")
    field.fill("1")
    press(card, "Check")
    expect(feedback(card)).to_contain_text("You predicted 1; it is 0.267.")
    expect(feedback(card)).to_contain_text("is a probability per unit, not a quota for the layer")
    field.fill("26 %")
    field.press("Enter")
    expect(feedback(card)).to_have_text("Right.")
    expect(card.locator(".recall-answer")).to_have_attribute("open", "")


def test_a_choice_replies_to_what_was_chosen(reader):
    reader.open(EXERCISES)
    card = reader.card("coins-which-mean")
    press(card, "Check")
    expect(feedback(card)).to_contain_text("Choose first.")
    card.get_by_role("radio").nth(1).check()
    press(card, "Check")
    expect(feedback(card)).to_contain_text("Not quite.")
    expect(feedback(card)).to_contain_text("B is wrong. Its mean is")
    expect(feedback(card).locator("li")).to_have_count(1)
    card.get_by_role("radio").nth(0).check()
    press(card, "Check")
    expect(feedback(card).locator(".recall-verdict")).to_have_text("Right.")


def test_blanks_are_checked_one_by_one(reader):
    reader.open(EXERCISES)
    card = reader.card("coins-blanks")
    press(card, "Check")
    expect(feedback(card)).to_contain_text("Fill in a blank first")
    card.get_by_label("blank 1").fill("Q = 1 − p")
    card.get_by_label("blank 2").fill("p")
    press(card, "Check")
    expect(feedback(card)).to_contain_text("Not as on the card: blank 2.")
    card.get_by_label("blank 2").fill("1/q")
    card.get_by_label("blank 2").press("Enter")
    expect(feedback(card)).to_have_text("Right.")


def test_a_free_answer_is_compared_by_its_reader(reader):
    reader.open(EXERCISES)
    card = reader.card("coins-recall")
    card.get_by_label("Your own words").fill("Coins.\nMany.")
    press(card, "Show the answer")
    expect(feedback(card)).to_contain_text("Compare the answer with your own words")
    expect(card.get_by_text("One coin per unit")).to_be_visible()
    press(card, "Hard")
    expect(feedback(card)).to_contain_text("Noted as hard.")
    assert "Coins." not in json.dumps(reader.stored())  # what a reader writes is not kept


def test_replies_are_read_out(reader):
    reader.open(EXERCISES)
    for card in reader.page.locator(".recall-card").all():
        expect(feedback(card)).to_have_attribute("role", "status")  # a live region, polite


# Grades and time


def test_a_grade_is_kept_and_the_card_comes_back_on_its_day(reader):
    reader.open(EXERCISES)
    card = reader.card("coins-recall")
    answer_and_grade(card)
    expect(feedback(card)).to_contain_text("Noted as good. Next review in 2 days, on 23 November 2026.")
    assert reader.stored()["reviews"] == {"coins-recall": [[int(NOON.timestamp()), 3]]}
    reader.page.reload()
    expect(card.locator(".recall-standing")).to_have_text("Next review on 23 November 2026.")

    reader.open(REVIEW)
    count = reader.page.locator(".review-count")
    expect(count).to_have_text("Nothing is due today. The next card is due on 23 November 2026.")
    reader.travel(days=1, hours=11, minutes=59)
    expect(count).to_contain_text("Nothing is due today.")
    reader.travel(days=1, hours=12, minutes=1)  # one minute past midnight
    expect(count).to_have_text("1 card is due today.")
    expect(reader.page.locator(".review-current > #card-coins-recall")).to_be_visible()


def test_a_grade_can_be_taken_back(reader):
    reader.open(EXERCISES)
    card = reader.card("coins-one-blank")
    answer_and_grade(card, "Easy")
    press(card, "Undo")
    expect(feedback(card)).to_have_text("Taken back.")
    assert reader.stored()["reviews"] == {}
    press(card, "Again")
    assert reader.stored()["reviews"]["coins-one-blank"] == [[int(NOON.timestamp()), 1]]


def test_a_sitting_goes_through_new_cards_and_brings_back_what_was_failed(reader):
    reader.open(REVIEW)
    page = reader.page
    count, current = page.locator(".review-count"), page.locator(".review-current > .recall-card")
    expect(count).to_have_text("Nothing is due today.")
    expect(current).to_have_count(0)
    page.get_by_role("button", name="Coins (5 of 6)").click()
    expect(count).to_have_text("5 new cards.")
    seen = []
    for grade in ("Good", "Again", "Good", "Hard", "Easy"):
        seen.append(current.get_attribute("data-card"))
        answer_and_grade(current, grade)
        expect(page.locator("[data-review=session] > .review-news")).to_contain_text(
            f"Noted as {grade.lower()}."
        )
    assert len(set(seen)) == 5
    # The failed card is back in ten minutes, the hard one in fifteen: both today.
    expect(count).to_have_text("2 cards are due today.")
    expect(current).to_have_attribute("data-card", seen[1])
    expect(current.locator(".recall-feedback")).to_be_empty()
    answer_and_grade(current)
    expect(current).to_have_attribute("data-card", seen[3])
    answer_and_grade(current)
    expect(count).to_contain_text("Nothing is due today. The next card is due on")
    assert sum(len(history) for history in reader.stored()["reviews"].values()) == 7
    press(page.locator("[data-review=session]"), "Undo")
    expect(current).to_have_attribute("data-card", seen[3])
    assert sum(len(history) for history in reader.stored()["reviews"].values()) == 6
    press(current, "Good")
    expect(current).to_have_count(0)
    # Every card is back in its place.
    page.get_by_text("Show or hide all cards").click()
    expect(page.locator("[data-objective] > .recall-cards > .recall-card")).to_have_count(6)


def test_coming_back_to_a_tab_keeps_what_was_typed_and_shows_the_new_day(at_home):
    at_home.open(REVIEW)
    page = at_home.page
    page.get_by_role("button", name="Coins (5 of 6)").click()
    field = page.locator(".review-current").get_by_label("Your prediction")
    field.fill("0.2")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(field).to_have_value("0.2")
    for _ in range(5):
        answer_and_grade(page.locator(".review-current > .recall-card"), "Easy")
    expect(page.locator(".review-count")).to_contain_text("Nothing is due today.")
    page.clock.set_fixed_time(NOON + timedelta(days=30))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".review-count")).to_have_text("5 cards are due today.")


def test_what_is_due_comes_in_order_and_before_what_is_new(at_home):
    at_home.open(REVIEW)
    day = int(NOON.timestamp())
    reviews = {
        "coins-recall": [[day - 20 * 86_400, 3]],
        "coins-blanks": [[day - 30 * 86_400, 3]],
        "coins-one-blank": [[day - 86_400, 4]],
        "a-card-of-another-edition": [[day, 1]],
    }
    at_home.store(json.dumps({"course": "dropout-measured", "format": 1, "reviews": reviews}))
    current = at_home.page.locator(".review-current > .recall-card")
    expect(at_home.page.locator(".review-count")).to_have_text("2 cards are due today.")
    expect(current).to_have_attribute("data-card", "coins-blanks")
    answer_and_grade(current)
    expect(current).to_have_attribute("data-card", "coins-recall")
    assert (
        "a-card-of-another-edition" in at_home.stored()["reviews"]
    )  # kept, though this book has no such card


def test_progress_is_counted_by_objective_without_flattery(at_home):
    at_home.open(REVIEW)
    table = at_home.page.locator(".review-progress")
    rows = table.locator("tbody tr")
    expect(rows).to_have_text(
        [
            "Coins",
            re.compile(r"heads up0 of 10–$"),
            re.compile(r"mean0 of 30–$"),
            re.compile(r"words0 of 20–$"),
        ]
    )
    day = int(NOON.timestamp())
    reviews = {"coins-recall": [[day, 3]], "coins-one-blank": [[day - 40 * 86_400, 3]]}
    at_home.store(json.dumps({"course": "dropout-measured", "format": 1, "reviews": reviews}))
    words = rows.nth(3).locator("td")
    expect(words.nth(0)).to_have_text("2 of 2")
    expect(words.nth(1)).to_have_text("1")
    # One card just seen (100 %), one last seen 40 days ago with a stability of 2.3 days.
    decay = -0.1542
    forgotten = (1 + (0.9 ** (1 / decay) - 1) * 40 / 2.3065) ** decay
    expect(words.nth(2)).to_have_text(f"{(1 + forgotten) / 2:.0%}".replace("%", " %"))
    expect(at_home.page.get_by_text("You have seen 2 of 6 cards.")).to_be_visible()
    assert "streak" not in at_home.page.content().lower()


def test_two_tabs_lose_nothing_of_each_other(reader):
    other = reader.tab()
    reader.open(EXERCISES)
    reader.open(REVIEW, other)
    expect(other.get_by_text("You have seen 0 of 6 cards.")).to_be_visible()
    answer_and_grade(reader.card("coins-recall"))
    expect(
        other.get_by_text("You have seen 1 of 6 cards.")
    ).to_be_visible()  # told by the browser, not reloaded
    other.get_by_role("button", name="Coins (5 of 5)").click()
    answer_and_grade(other.locator(".review-current > .recall-card"))
    answer_and_grade(reader.card("coins-one-blank"))
    assert len(reader.stored()["reviews"]) == 3


# Data


def export(page, folder):
    with page.expect_download() as waiting:
        press(page, "Export")
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_progress_is_exported_deleted_and_imported(reader, tmp_path):
    reader.open(EXERCISES)
    answer_and_grade(reader.card("coins-recall"))
    answer_and_grade(reader.card("coins-blanks"), "Easy")
    before = reader.stored()
    reader.open(REVIEW)
    page = reader.page
    path = export(page, tmp_path)
    assert path.name == "dropout-measured-2026-11-21.json"
    assert json.loads(path.read_text(encoding="utf-8")) == before

    press(page, "Reset")
    press(page, "No, keep it")
    expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    assert reader.stored() == before
    press(page, "Reset")
    press(page, "Yes, delete my progress")
    expect(page.get_by_text("You have seen 0 of 6 cards.")).to_be_visible()
    assert reader.stored()["reviews"] == {}

    page.get_by_role("button", name="Coins (5 of 6)").click()
    answer_and_grade(page.locator(".review-current > .recall-card"))
    page.get_by_label("Import a file").set_input_files(path)
    expect(page.get_by_text("Imported: there are now reviews of 3 cards.")).to_be_visible()
    expect(page.get_by_text("You have seen 3 of 6 cards.")).to_be_visible()
    assert before["reviews"].items() <= reader.stored()["reviews"].items()
    page.get_by_label("Import a file").set_input_files(path)  # once more changes nothing
    expect(page.get_by_text("Imported: there are now reviews of 3 cards.")).to_be_visible()


@pytest.mark.parametrize("text", ["{", '{"cards": 3}', '{"course": "dropout-measured", "format": 9}'])
def test_a_file_that_is_no_export_changes_nothing(at_home, tmp_path, text):
    at_home.open(EXERCISES)
    answer_and_grade(at_home.card("coins-recall"))
    before = at_home.stored()
    at_home.open(REVIEW)
    path = tmp_path / "holiday.json"
    path.write_text(text, encoding="utf-8")
    at_home.page.get_by_label("Import a file").set_input_files(path)
    expect(at_home.page.get_by_text("holiday.json was not imported: it ")).to_be_visible()
    expect(at_home.page.get_by_text("Nothing was changed.")).to_be_visible()
    assert at_home.stored() == before
    assert at_home.errors == []


DAMAGED = ["", "rubbish", "null", "[]", '{"course": "chess"}', '{"course": "dropout-measured", "format": 1}']


@pytest.mark.parametrize("path", [EXERCISES, REVIEW])
def test_damaged_data_are_set_aside_and_the_reader_is_told(at_home, path):
    at_home.open(path)
    notice = at_home.page.locator(".recall-notices")
    for text in DAMAGED:
        at_home.page.evaluate("localStorage.clear()")
        at_home.store(text)
        expect(notice).to_contain_text("Stored progress could not be read (it ")
        expect(notice).to_contain_text("It was not deleted")
        [aside] = at_home.page.evaluate(
            "Object.entries(localStorage).filter(([key]) => key.startsWith('dropout-measured/set-aside/'))"
        )
        assert aside[1] == text
        assert aside[0] in notice.text_content()
        at_home.reload()
        expect(notice).to_be_empty()  # told once; the data stay aside
    if path == EXERCISES:
        answer_and_grade(at_home.card("coins-recall"))
        assert len(at_home.stored()["reviews"]) == 1
    assert at_home.errors == []


NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("switched off", "SecurityError"); },
});"""


def test_without_storage_the_cards_work_and_the_reader_is_told(browser, addresses, tmp_path):
    with reading(browser, addresses["file"]) as reader:
        reader.context.add_init_script(NO_STORAGE)
        reader.open(REVIEW)
        expect(reader.page.locator(".recall-notices")).to_contain_text(
            "This browser does not let the page store anything. The cards work"
        )
        reader.page.get_by_role("button", name="Coins (5 of 6)").click()
        answer_and_grade(reader.page.locator(".review-current > .recall-card"))
        expect(reader.page.get_by_text("You have seen 1 of 6 cards.")).to_be_visible()
        assert len(json.loads(export(reader.page, tmp_path).read_text(encoding="utf-8"))["reviews"]) == 1
        reader.page.reload()
        expect(reader.page.get_by_text("You have seen 0 of 6 cards.")).to_be_visible()
        assert [error for error in reader.errors if "cards.js" in error] == []


def test_full_storage_does_not_stop_a_reader(at_home):
    at_home.context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
    )
    at_home.open(EXERCISES)
    answer_and_grade(at_home.card("coins-recall"))
    expect(at_home.page.locator(".recall-notices")).to_contain_text("storage is full")
    answer_and_grade(at_home.card("coins-blanks"))
    expect(feedback(at_home.card("coins-blanks"))).to_contain_text("Noted as good.")


# Other ways of reading


def tab_to(page, name, most=120):
    """Press Tab until something with these words has the focus; what a mouse can do, a keyboard must."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
        )
        seen.append(words[:30])
        if words.startswith(name):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{name!r} does not show that it has the focus"
            return
    pytest.fail(f"Tab never reached {name!r}; it went to {seen}")


def test_a_whole_sitting_needs_no_mouse(reader):
    reader.open(REVIEW)
    page = reader.page
    current = page.locator(".review-current > .recall-card")
    tab_to(page, "Coins (5 of 6)")
    page.keyboard.press("Enter")
    expect(current.locator("fieldset.recall-task")).to_be_focused()  # where reading goes on
    tab_to(page, "Your prediction", most=2)
    page.keyboard.type("0.267")
    page.keyboard.press("Enter")
    expect(current.locator(".recall-feedback")).to_have_text("Right.")
    tab_to(page, "Good", most=12)
    page.keyboard.press("Space")
    expect(page.locator(".review-count")).to_have_text("4 new cards.")
    expect(current).to_have_attribute("data-kind", "choice")
    expect(current.locator("fieldset.recall-task")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # within a group of radio buttons
    tab_to(page, "Check", most=3)
    page.keyboard.press("Enter")
    expect(current.locator(".recall-feedback")).to_contain_text("B is wrong.")
    tab_to(page, "Again", most=12)
    page.keyboard.press("Enter")
    expect(current.locator("fieldset.recall-task")).to_be_focused()
    tab_to(page, "Reset")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Yes, delete my progress")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reset")).to_be_focused()
    assert reader.stored()["reviews"] == {}


def test_without_javascript_everything_can_be_read(browser, addresses):
    with reading(browser, addresses["file"], java_script_enabled=False) as reader:
        reader.open(EXERCISES)
        expect(reader.page.get_by_role("button", name="Check")).to_have_count(
            0
        )  # nothing that would do nothing
        card = reader.card("coins-which-mean")
        card.get_by_role("radio").nth(2).check()
        expect(card.get_by_text("Its mean is").first).to_be_hidden()
        card.locator(".recall-answer > summary").click()
        expect(card.get_by_text("C is wrong. Its mean is")).to_be_visible()
        reader.open(REVIEW)
        expect(reader.page.locator(".recall-card")).to_have_count(6)
        expect(reader.card("coins-recall").locator(".recall-question")).to_be_visible()
        expect(reader.page.get_by_text("This part needs JavaScript").first).to_be_visible()


def test_paper_has_questions_and_lines_and_no_buttons(at_home):
    at_home.open(EXERCISES)
    at_home.page.emulate_media(media="print")
    expect(at_home.card("coins-recall").locator(".recall-question")).to_be_visible()
    expect(at_home.card("coins-recall").locator("textarea")).to_be_visible()
    for name in ("Check", "Show the answer"):
        expect(at_home.page.get_by_role("button", name=name).first).to_be_hidden()


def test_a_link_to_a_card_on_the_review_page_shows_it(at_home):
    at_home.open(f"{REVIEW}#card-coins-recall")
    expect(at_home.card("coins-recall")).to_be_in_viewport()


def test_the_deck_for_anki_can_be_downloaded(browser, addresses, sample):
    with reading(browser, addresses["http"]) as reader:
        reader.open(REVIEW)
        with reader.page.expect_download() as waiting:
            reader.page.get_by_role("link", name="dropout-measured.apkg").click()
        assert waiting.value.suggested_filename == "dropout-measured.apkg"
        assert waiting.value.path().read_bytes() == (sample.html / "dropout-measured.apkg").read_bytes()


def answered(reader):
    """Bring every part of the cards to light: replies right and wrong, grades, hints, notices."""
    page = reader.page
    if page.url.endswith(REVIEW):
        reader.store("rubbish")
        page.get_by_role("button", name="Coins (5 of 6)").click()
        answer_and_grade(page.locator(".review-current > .recall-card"), "Again")
        page.get_by_text("Show or hide all cards").click()
    count = reader.card("coins-count-dropped")
    count.get_by_role("textbox").fill("1")
    reader.card("coins-which-mean").get_by_role("radio").nth(1).check()
    reader.card("coins-blanks").get_by_label("blank 1").fill("p")
    reader.card("coins-scale-by-hand").get_by_role("textbox").fill("1.25")
    for button in page.get_by_role("button", name=re.compile("^(Check|Show the answer)$")).all():
        button.click()
    for summary in page.locator(".recall-hint > summary").all():
        summary.click()
    if page.url.endswith(EXERCISES):
        press(reader.card("coins-scale-by-hand"), "Good")


@pytest.mark.parametrize("path", [EXERCISES, REVIEW])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_screen(browser, addresses, path):
    # Movement would be caught half-way, with colours that nobody sees for long.
    with reading(browser, addresses["file"], reduced_motion="reduce") as reader:
        reader.open(path)
        for prepare in (lambda _: None, answered):
            prepare(reader)
            reader.page.mouse.move(0, 0)
            for scheme, viewport in CORNERS:
                corner = look(reader.page, scheme, viewport)
                if viewport == PHONE:  # down and a little up again shows the way back to the top
                    for place in (0, 700, 500):
                        scroll = f"new Promise((done) => {{ scrollTo(0, {place}); setTimeout(done, 100); }})"
                        reader.page.evaluate(scroll)
                    expect(reader.page.locator("#pst-back-to-top")).to_be_visible()
                assert violations_on(reader.page) == [], corner
                assert reader.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
            look(reader.page, "light", DESK)
        assert reader.errors == []
