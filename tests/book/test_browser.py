"""A browser is found, or installed, or its absence is said aloud."""

import contextlib

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright: pip install '.[test]'")

from tests.book import browser


@pytest.fixture
def asked(monkeypatch):
    """What would have been run to install a browser; nothing is."""
    commands = []
    monkeypatch.setattr(browser, "sync_playwright", contextlib.nullcontext)
    monkeypatch.setattr(browser.subprocess, "run", lambda command, **_: commands.append(command[1:]))
    return commands


def found(monkeypatch, *programs):
    """Let the search for a browser give these results, one after the other."""
    results = iter(programs)
    monkeypatch.setattr(browser, "find_chromium", lambda _: next(results))


def test_a_browser_that_is_there_is_taken(monkeypatch, asked):
    found(monkeypatch, "/usr/bin/chromium")
    assert browser.provide() == "the pages are looked at with /usr/bin/chromium"
    assert asked == []


def test_where_there_is_none_one_is_installed(monkeypatch, asked):
    found(monkeypatch, None, "/home/reader/chrome")
    assert browser.provide() == "installed /home/reader/chrome"
    assert asked == [["-m", "playwright", "install", "--only-shell", "chromium"]]


def test_where_none_can_be_installed_everybody_is_told(monkeypatch, asked):
    found(monkeypatch, None, None)
    assert browser.provide().startswith("NO PAGE IS LOOKED AT IN A BROWSER: there is no Chromium")


@pytest.mark.book
@pytest.mark.parametrize(
    ("body", "sign"),
    [
        ("<p>nothing wrong</p>", None),
        ("<script>console.error('alarm')</script>", "alarm"),
        ("<script>throw new Error('broken')</script>", "broken"),
        ("<img src='gone.png'>", "404"),
        ("<img src='http://127.0.0.1:9/foreign.png'>", "elsewhere"),
    ],
    ids=["silent", "console", "error", "missing", "foreign"],
)
def test_a_watched_window_tells_what_went_wrong(tmp_path, body, sign):
    (tmp_path / "page.html").write_text(f"<link rel='icon' href='data:,'>{body}")
    expected = pytest.raises(AssertionError, match=sign) if sign else contextlib.nullcontext()
    with (
        browser.started() as chromium,
        browser.served(tmp_path) as address,
        expected,
        browser.watched(chromium, address) as window,
    ):
        window.new_page().goto(f"{address}/page.html")
