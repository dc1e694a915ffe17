"""A real browser for tests of built pages: the system's Chromium, or the one that Playwright installs.

``python -m tests.book.browser`` says which one that is, and installs it where there is none.
"""

import contextlib
import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from coursebook import chromium
from coursebook.chromium import NO_BROWSER, NoBrowserError, find_chromium

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
CORNERS = (("light", DESK), ("dark", DESK), ("dark", PHONE), ("light", PHONE))
PATIENCE = 60_000  # milliseconds; a machine may be busy with other things


def provide() -> str:
    """See to it that there is a browser, and say in one line what came of that; a failure is no error.

    The tests that need a browser are skipped without one, with the reason that this line gives too.
    """
    with sync_playwright() as playwright:
        if program := find_chromium(playwright):
            return f"the pages are looked at with {program}"
        command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, check=False, timeout=600)
        program = find_chromium(playwright)
        return f"installed {program}" if program else f"NO PAGE IS LOOKED AT IN A BROWSER: {NO_BROWSER}"


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """A browser; the test is skipped where there is none, and says what to install."""
    with contextlib.ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium.started())
        except NoBrowserError as error:
            pytest.skip(str(error))
        expect.set_options(timeout=PATIENCE)
        stack.callback(expect.set_options, timeout=5_000)  # as it comes
        yield browser


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


def look(page: Page, scheme: str, viewport: dict[str, int]) -> str:
    """Show a page in these colours and at this width; once it is drawn so, name the corner."""
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(scheme) => document.documentElement.dataset.theme === scheme", arg=scheme)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return f"{scheme}, {viewport['width']} px"


@contextlib.contextmanager
def watched(browser: Browser, address: str, **options: Any) -> Iterator[BrowserContext]:
    """A window for the pages under an address: nothing may go wrong in it, or be asked for elsewhere."""
    context = browser.new_context(**({"viewport": DESK} | options))
    context.set_default_timeout(PATIENCE)
    wrong: list[str] = []

    def note(sign: bool, what: str) -> None:
        if sign:
            wrong.append(what)

    known = (address, "data:", "blob:", "about:")
    context.on("request", lambda asked: note(not asked.url.startswith(known), f"elsewhere: {asked.url}"))
    context.on("response", lambda answer: note(answer.status >= 400, f"{answer.status}: {answer.url}"))
    # Tests read pictures back pixel by pixel, for which Chromium has a piece of advice.
    advice = "willReadFrequently"
    context.on(
        "console", lambda line: note(line.type in ("error", "warning") and advice not in line.text, line.text)
    )
    context.on("weberror", lambda error: note(True, str(error.error)))
    try:
        yield context
        assert wrong == [], wrong
    finally:
        context.close()


if __name__ == "__main__":
    sys.stdout.write(f"{provide()}\n")
