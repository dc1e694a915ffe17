"""A Chromium for what only a browser can do: print the book, and look at its pages in tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from coursebook.errors import BookError

NO_BROWSER = (
    "there is no Chromium to look at the pages with: install the system's package chromium, "
    "or run `.venv/bin/playwright install chromium`"
)


class NoBrowserError(BookError):
    """No Chromium is installed; the message says how to get one."""


def find_chromium(playwright: Playwright) -> str | None:
    """The program to start, or ``None`` where there is none: the system's, or the one Playwright installs."""
    names = ("chromium", "chromium-browser", "google-chrome")
    places = [shutil.which(name, path="/usr/bin:/usr/local/bin:/snap/bin") for name in names]
    places.append(playwright.chromium.executable_path)
    return next((place for place in places if place and Path(place).is_file()), None)


@contextmanager
def started() -> Iterator[Browser]:
    """A browser without a window.

    Raises:
        NoBrowserError: there is none to start.
    """
    with sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            raise NoBrowserError(NO_BROWSER)
        # Within a container there is no sandbox to be had, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
