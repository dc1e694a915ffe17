"""The book to take away: the PDF, the EPUB, and the cheat sheet on one page."""

from collections.abc import Callable
from pathlib import Path

from coursebook.build import Site, built
from coursebook.ebook import NAME
from coursebook.errors import BookError
from coursebook.printing import print_book, print_page
from coursebook.single_page import PAGE


def write_pdf(root: Path, site: Site, listener: Callable[[str], None]) -> tuple[Path, int]:
    """Build the whole book on one page and print it.

    Args:
        root: the repository's root folder.
        site: where the book is published, for links to what is not in the PDF.
        listener: receives each line that says what is being done.

    Returns:
        The file, and the number of its pages.

    Raises:
        BookError: the build gave a warning, there is no browser, or something cannot be printed.
    """
    with built(root, site, listener, "singlehtml") as folder:
        printed = folder / f"{NAME}.pdf"
        pages = print_book(folder / PAGE, printed, listener)
        return _put(printed, root), pages


def write_epub(root: Path, site: Site, listener: Callable[[str], None]) -> Path:
    """Build the book as an EPUB.

    Raises:
        BookError: the build gave a warning.
    """
    with built(root, site, listener, "epub") as folder:
        return _put(folder / f"{NAME}.epub", root)


def write_cheatsheet(root: Path, site: Site, paper: str = "A4") -> Path:
    """Print the cheat sheet of the HTML book that was built last.

    Raises:
        BookError: no book is built, there is no browser, or the sheet does not fit on one page.
    """
    folder = root / "_build" / "html"
    source, target = folder / "cheatsheet.html", root / "_build" / "cheatsheet.pdf"
    if not source.is_file():
        raise BookError(f"{source} is not there: build the book first with make book")
    pages = print_page(source, target, folder=folder, address=site.url or "", paper=paper)
    if pages != 1:
        raise BookError(f"the cheat sheet has {pages} pages on {paper}, and should fit on one: {target}")
    return target


def _put(file: Path, root: Path) -> Path:
    """Replace the file of the last time, now that the new one is complete."""
    return file.replace(root / "_build" / file.name)
