"""A Chromium for what only a browser can do: print the book, and look at its pages in tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from coursebook.errors import BookError

NO_BROWSER = (
    "there is no Chromium to look at the pages with: install the system's package chromium-headless-shell "
    "or chromium, or run `.venv/bin/playwright install --only-shell chromium`"
)


class NoBrowserError(BookError):
    """No Chromium is installed; the message says how to get one."""


def find_chromium(playwright: Playwright) -> str | None:
    """The program to start, or ``None`` where there is none: the system's, or the one Playwright installs.

    A headless shell, which is Chromium without all that a window needs, comes before any whole browser: it
    shows and prints the same pages, and a page costs it a third of the time.
    """
    whole = Path(playwright.chromium.executable_path)
    _, _, revision = whole.parents[1].name.partition("-")
    shells = whole.parents[2].glob(f"chromium_headless_shell-{revision}/*/chrome-headless-shell*")
    places = [
        _of_the_system("chromium-headless-shell"),
        *sorted(shells),
        *map(_of_the_system, ("chromium", "chromium-browser", "google-chrome")),
        whole,
    ]
    return next((str(place) for place in places if place and place.is_file()), None)


def _of_the_system(name: str) -> Path | None:
    place = shutil.which(name, path="/usr/bin:/usr/local/bin:/snap/bin")
    return Path(place) if place else None


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
