"""A real browser for tests of built pages: the system's Chromium, or the one that Playwright installs."""

import contextlib
import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

NO_BROWSER = (
    "there is no Chromium to look at the pages with: install the system's package chromium, "
    "or run `.venv/bin/playwright install chromium`"
)


def find_chromium(playwright: Playwright) -> str | None:
    """The program to start, or ``None`` where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    places = [shutil.which(name, path="/usr/bin:/usr/local/bin:/snap/bin") for name in names]
    places.append(playwright.chromium.executable_path)
    return next((place for place in places if place and Path(place).is_file()), None)


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """A browser; the test is skipped where there is none, and says what to install."""
    with sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            pytest.skip(NO_BROWSER)
        # Within a container there is no sandbox to be had, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, on a port of this machine that was free."""
    handler = functools.partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
