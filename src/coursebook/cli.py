"""The command ``coursebook``: execute, check, verify, build and print the book."""

import time
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from coursebook import build as building
from coursebook import check as checking
from coursebook import execute as executing
from coursebook import verify as verifying
from coursebook.errors import BookError
from coursebook.pairs import find_pairs, select
from coursebook.progress import BuildProgress, ExecutionProgress
from coursebook.status import Status, examine, sync

app = typer.Typer(
    help="Execute, check, verify, build and print the book.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Chapters or folders; all of them by default."),
]
Root = Annotated[
    Path, typer.Option("--root", help="The repository's root folder.", exists=True, file_okay=False)
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Notebooks to run at the same time.")]


class Paper(Enum):
    """Sizes of paper to print on."""

    A4 = "A4"
    LETTER = "Letter"


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _count(notebooks: Sized) -> str:
    number = len(notebooks)
    return f"{number} notebook{'' if number == 1 else 's'}"


@contextmanager
def _reporting(console: Console) -> Iterator[None]:
    """Turn errors meant for the author into one message and exit status 1."""
    try:
        yield
    except BookError as error:
        _print_failure(console, error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("[red]interrupted[/]: what was finished is stored, everything else is as it was")
        raise typer.Exit(130) from None


def _print_failure(console: Console, error: BookError) -> None:
    if isinstance(error, executing.CellError):
        console.print(f"[bold red]failed[/]: {escape(error.place)}")
        for title, text in (("the cell", error.source), ("what it raised", error.reason)):
            console.print(f"\n--- {title} ---\n{escape(text)}")
    else:
        console.print(f"[bold red]error[/]: {escape(str(error))}")


@app.command()
def execute(
    paths: Paths = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Execute fresh notebooks too.")] = False,
    jobs: Jobs = 2,
    root: Root = Path(),
) -> None:
    """Execute the notebooks whose code, lab, results or pinned versions changed; sync the prose of all."""
    console = _console()
    with _reporting(console):
        statuses = examine(select(find_pairs(root), paths or []), root)
        due = [status for status in statuses if everything or status.reasons]
        fresh = [status for status in statuses if status not in due]
        synced = [status.pair.name for status in fresh if sync(status)]
        if synced:
            console.print(f"prose brought up to date, nothing executed: {', '.join(synced)}")
        if not due:
            console.print(f"nothing to execute: {_count(fresh)} fresh")
            return
        for status in due:
            console.print(f"to execute: {status.pair.name} ({', '.join(status.reasons) or 'as asked'})")
        with ExecutionProgress(console) as progress:
            outcome = executing.execute(due, progress, jobs)
        for failure in outcome.failures:
            _print_failure(console, failure)
        if outcome.failures:
            if outcome.skipped:
                console.print(f"not begun: {', '.join(pair.name for pair in outcome.skipped)}")
            raise typer.Exit(1)


@app.command()
def check(paths: Paths = None, *, root: Root = Path()) -> None:
    """Compare sources with stored notebooks: drift, cells that never ran, errors, stale outputs."""
    console = _console()
    with _reporting(console):
        pairs = select(find_pairs(root), paths or [])
        findings = checking.check(pairs, root)
        for finding in findings:
            console.print(escape(str(finding)))
        if findings:
            console.print(f"[bold red]findings: {len(findings)}[/]")
            raise typer.Exit(1)
        console.print(f"in agreement with the sources, outputs fresh: {_count(pairs)}")


@app.command()
def verify(paths: Paths = None, *, jobs: Jobs = 2, root: Root = Path()) -> None:
    """Recompute every stored output and compare (nbval, strict)."""
    with _reporting(_console()):
        pairs = select(find_pairs(root), paths or [])
        raise typer.Exit(verifying.verify(pairs, root, jobs))


@app.command()
def workbooks(*, root: Root = Path()) -> None:
    """Write the workbooks of the exercise pages into workbooks/; those that are there are kept."""
    # Imported here: the graded exercises bring PyTorch along, which no other command needs.
    from coursebook.workbook import FOLDER, write_missing

    console = _console()
    with _reporting(console):
        pages = [pair for pair in find_pairs(root) if pair.name.startswith("exercises/")]
        written, kept = write_missing(pages, root / FOLDER)
        if written:
            console.print(f"new in {FOLDER}/: {escape(', '.join(path.name for path in written))}")
        if kept:
            names = escape(", ".join(path.name for path in kept))
            console.print(f"kept as they are, for they may hold your work: {names}")


RepositoryUrl = Annotated[
    str | None,
    typer.Option(envvar="BOOK_REPOSITORY_URL", help="Repository that the buttons point at."),
]
Branch = Annotated[str | None, typer.Option(envvar="BOOK_BRANCH", help="Its branch.")]
SiteUrl = Annotated[str | None, typer.Option(envvar="BOOK_SITE_URL", help="Address of the published book.")]


@app.command()
def build(
    *,
    repository_url: RepositoryUrl = None,
    branch: Branch = None,
    site_url: SiteUrl = None,
    root: Root = Path(),
) -> None:
    """Build the HTML book from the stored outputs, without executing anything."""
    console = _console()
    site = building.Site(repository_url, branch, site_url)
    with _reporting(console), _built_from_stored(console, root, "the book is built") as listener:
        listener.made(building.build(root.resolve(), site, listener.line))


@app.command()
def pdf(*, site_url: SiteUrl = None, root: Root = Path()) -> None:
    """Print the whole book into _build/dropout-measured.pdf; needs Chromium."""
    # Imported here: only who prints needs Playwright.
    from coursebook.paper import write_pdf

    console = _console()
    site = building.Site(url=site_url)
    with _reporting(console), _built_from_stored(console, root, "the book is printed") as listener:
        listener.made(*write_pdf(root.resolve(), site, listener.line))


@app.command()
def epub(*, site_url: SiteUrl = None, root: Root = Path()) -> None:
    """Build the book as an EPUB, _build/dropout-measured.epub."""
    from coursebook.paper import write_epub

    console = _console()
    site = building.Site(url=site_url)
    with _reporting(console), _built_from_stored(console, root, "the e-book is built") as listener:
        listener.made(write_epub(root.resolve(), site, listener.line))


@app.command()
def cheatsheet(
    *,
    site_url: SiteUrl = None,
    paper: Annotated[Paper, typer.Option(help="The size of the paper.")] = Paper.A4,
    root: Root = Path(),
) -> None:
    """Print the cheat sheet of the built book into _build/cheatsheet.pdf, one page; needs Chromium."""
    from coursebook.paper import write_cheatsheet

    console = _console()
    with _reporting(console):
        path = write_cheatsheet(root.resolve(), building.Site(url=site_url), paper.value)
        console.print(f"the cheat sheet is printed, one page: {escape(str(path))}")


@dataclass
class _Listener:
    """Shows the lines of a build, and takes what it made."""

    line: Callable[[str], None]
    path: Path | None = None
    pages: int = 0

    def made(self, path: Path, pages: int = 0) -> None:
        self.path, self.pages = path, pages


@contextmanager
def _built_from_stored(console: Console, root: Path, verdict: str) -> Iterator[_Listener]:
    """Bring the prose of all notebooks up to date, show a build's progress, and what is stale."""
    begun = time.monotonic()
    pairs = find_pairs(root)
    statuses = examine(pairs, root)
    for status in statuses:
        sync(status)
    stale = [status for status in statuses if status.reasons]
    _print_stale(console, stale)
    with BuildProgress(console) as progress:
        listener = _Listener(progress.line)
        yield listener
    seconds = time.monotonic() - begun
    facts = f"{listener.pages} pages" if listener.pages else _count(pairs)
    console.print(f"{verdict} ({facts}, {seconds:.1f} s): {escape(str(listener.path))}")
    if stale:
        console.print(f"[yellow]stale outputs: {_count(stale)}[/], listed above")


def _print_stale(console: Console, stale: list[Status]) -> None:
    for status in stale:
        note = (
            "" if status.same_code or status.stored is None else "; the page shows the version last executed"
        )
        reasons = ", ".join(status.reasons)
        console.print(f"[yellow]stale[/]: {status.pair.name} ({reasons}{note}): run make execute")
