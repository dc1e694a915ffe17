"""Print pages with Chromium: tagged, with bookmarks, with nothing wider than the paper.

Chromium gives every named place of a page a destination in the PDF. From these the contents get their page
numbers: the book is printed again, until the numbers in it are those that it has.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

from playwright.sync_api import Browser, Page
from pypdf import PdfReader, PdfWriter
from pypdf.generic import BooleanObject, DictionaryObject, NameObject, TextStringObject

from coursebook.chromium import started
from coursebook.errors import BookError

# Chromium counts the objects of large files wrongly, and pypdf says so; it reads them all the same.
logging.getLogger("pypdf").setLevel(logging.ERROR)

MOST_PRINTS = 4  # two are enough unless the numbers themselves move something
PATIENCE = 600_000  # milliseconds: a whole book takes minutes to lay out on a slow machine
# A4 less the margins of 18 mm on either side that print.css asks for, in pixels of 1/96 inch, rounded down.
WIDTH = int((210 - 2 * 18) / 25.4 * 96)

# Formulas and tables that are wider than the page, and pictures as tall as it, are made smaller;
# tells what is too wide even so.
_FIT = """() => {
  const smallest = 0.5, tallest = 780, told = [];  // a picture and its caption stand on one page
  const right = document.querySelector("article").getBoundingClientRect().right + 1;
  const fit = (box, room) => {
    const ratio = room / box.scrollWidth;
    if (ratio < 1) box.style.zoom = Math.max(smallest, Math.floor(ratio * 98) / 100);
  };
  for (const box of document.querySelectorAll("article .katex-display")) {
    const formula = box.querySelector(".katex-html");
    if (formula.scrollWidth > box.clientWidth) fit(formula, box.clientWidth);
  }
  for (const table of document.querySelectorAll("article table")) {
    const room = table.parentElement.clientWidth;
    if (table.scrollWidth > room) fit(table, room);
  }
  for (const picture of document.querySelectorAll("article img")) {
    if (picture.height > tallest) picture.style.zoom = tallest / picture.height;
  }
  for (const box of document.querySelectorAll("article :is(.katex-html, table, pre, img, svg, code)")) {
    const place = box.getBoundingClientRect();
    if (place.width > 0 && place.right > right) told.push(
      `${box.tagName.toLowerCase()} ${Math.round(place.right - right)} px too wide: ` +
      (box.getAttribute("alt") || box.textContent).trim().slice(0, 60));
  }
  return told;
}"""

_NUMBER = """(numbers) => document.querySelectorAll("nav.book-contents li").forEach((line, place) => {
  const number = line.querySelector(".contents-number") || line.appendChild(document.createElement("span"));
  number.className = "contents-number";
  number.textContent = numbers[place];
})"""

_CONTENTS = (
    """() => [...document.querySelectorAll("nav.book-contents li > a")].map((link) => link.hash.slice(1))"""
)


def print_book(source: Path, target: Path, listener: Callable[[str], None]) -> int:
    """Print the single page of the whole book.

    Args:
        source: ``book.html``.
        target: the PDF to write.
        listener: is told what is being done.

    Returns:
        The number of pages.

    Raises:
        BookError: there is no browser, a picture does not load, or something is wider than the paper.
    """
    numbers: list[str] = []
    with started() as browser:
        for attempt in range(1, MOST_PRINTS + 1):
            listener("laying out the pages")
            # Opened anew each time: Chromium may break the same page otherwise when it prints it again.
            page = _opened(browser, source)
            names: list[str] = page.evaluate(_CONTENTS)
            former = numbers or ["000"] * len(names)
            page.evaluate(_NUMBER, former)
            listener("printing" if attempt == 1 else "printing again, with the numbers of pages")
            _print(page, target)
            page.close()
            numbers = _page_numbers(target, names)
            if numbers == former:
                break
        else:
            raise BookError(f"the numbers of pages in the contents do not settle in {MOST_PRINTS} prints")
    return _finish(target, {})


def print_page(source: Path, target: Path, *, folder: Path, address: str = "", paper: str = "A4") -> int:
    """Print one page of the built book.

    Args:
        source: the page.
        target: the PDF to write.
        folder: the root of the built book.
        address: where it is published; links lead there, and else to files relative to the PDF.
        paper: "A4" or "Letter".

    Returns:
        The number of pages.
    """
    with started() as browser:
        _print(_opened(browser, source), target, paper)
    base = f"{address.rstrip('/')}/" if address else f"{quote(_relative(folder, target.parent))}/"
    return _finish(target, {folder.resolve().as_uri() + "/": base})


def _relative(folder: Path, start: Path) -> str:
    return folder.resolve().relative_to(start.resolve()).as_posix()


def _opened(browser: Browser, source: Path) -> Page:
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light", offline=True)
    page.set_default_timeout(PATIENCE)
    page.emulate_media(media="print")
    page.goto(source.resolve().as_uri())
    page.evaluate("document.fonts.ready")
    lost = page.evaluate("[...document.images].filter((each) => !each.naturalWidth).map((each) => each.src)")
    _complain(source, [f"the picture {unquote(name)} does not load" for name in lost])
    _complain(source, page.evaluate(_FIT))
    return page


def _complain(source: Path, problems: list[str]) -> None:
    if problems:
        raise BookError("\n".join([f"{source.name} cannot be printed as it is:", *problems]))


def _print(page: Page, target: Path, paper: str | None = None) -> None:
    page.pdf(
        path=target,
        format=paper,
        prefer_css_page_size=paper is None,
        print_background=True,
        tagged=True,
        outline=True,
    )


def _page_numbers(path: Path, names: list[str]) -> list[str]:
    reader = PdfReader(path)
    known = {name.removeprefix("/"): place for name, place in reader.named_destinations.items()}
    missing = [name for name in names if name not in known]
    if missing:
        raise BookError(f"the contents of {path} lead nowhere: {', '.join(missing)}")
    return [str((reader.get_destination_page_number(known[name]) or 0) + 1) for name in names]


def _finish(path: Path, bases: dict[str, str]) -> int:
    """Show the title rather than the file's name, and lead links that begin with a base elsewhere."""
    writer = PdfWriter(clone_from=path)
    root = writer.root_object
    root[NameObject("/ViewerPreferences")] = DictionaryObject(
        {NameObject("/DisplayDocTitle"): BooleanObject(True)}
    )
    for page in writer.pages:
        for annotation in page.get("/Annots", []):
            action = annotation.get_object().get("/A", {})
            uri = str(action.get("/URI", ""))
            for old, new in bases.items():
                if uri.startswith(old):
                    action[NameObject("/URI")] = TextStringObject(new + uri.removeprefix(old))
    writer.write(path)
    return len(writer.pages)
