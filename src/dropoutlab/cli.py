"""The command ``dropoutlab``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from dropoutlab.cli_anki import write_anki
from dropoutlab.cli_claims import show_claims
from dropoutlab.cli_study import app as study

# Everything else is imported where it is used, so that --help and --version answer at once.

app = typer.Typer(no_args_is_help=True, add_completion=False)
data = typer.Typer(no_args_is_help=True, help="Datasets: what is on this machine, and how to get the rest.")
app.add_typer(data, name="data")
app.add_typer(study, name="study")
app.command(name="claims")(show_claims)
app.command(name="anki")(write_anki)

Cache = Annotated[
    Path | None,
    typer.Option(help="Folder for downloads.", show_default="the user's cache folder", metavar="DIR"),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"dropoutlab {version('dropout-measured')}")
        raise typer.Exit


def _fail(error: Exception, code: int = 1) -> NoReturn:
    typer.echo(f"dropoutlab: {error}", err=True)
    raise typer.Exit(code)


def _progress_bars(display: ExitStack) -> Callable[[str, int, int], None]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def show(file: str, received: int, expected: int) -> None:
        if not tasks:
            # Not before: an empty display would print blank lines where nothing is downloaded.
            display.enter_context(bars)
        if file not in tasks:
            tasks[file] = bars.add_task(file, total=expected)
        bars.update(tasks[file], completed=received)

    return show


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The lab of Dropout, Measured."""


@data.command()
def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Datasets to fetch.", metavar="[NAME ...|all]", show_default="all"),
    ] = None,
    cache: Cache = None,
) -> None:
    """Download what is missing, and check the sha256 of every file.

    A file that lies in $DROPOUTLAB_DATA or in the cache is checked and not downloaded again.
    """
    from dropoutlab.data import DataError
    from dropoutlab.data import fetch as fetch_files
    from dropoutlab.data.registry import REGISTRY, describe

    if not names or "all" in names:
        names = list(REGISTRY)
    try:
        datasets = [describe(name) for name in names]
    except ValueError as error:
        _fail(error, code=2)

    for dataset in datasets:
        if dataset.kind == "bundled":
            typer.echo(f"{dataset.name}: comes with scikit-learn")
            continue
        try:
            with ExitStack() as display:
                copies = fetch_files(dataset.name, cache, progress=_progress_bars(display))
        except DataError as error:
            _fail(error)
        for copy in copies:
            typer.echo(f"{dataset.name}: {copy.path}")


@data.command()
def status(cache: Cache = None) -> None:
    """Show which files are on this machine and whether their sha256 is right; download nothing.

    Fails if a file is there and cannot be used. A missing file is no failure.
    """
    from rich.console import Console
    from rich.table import Table

    from dropoutlab.data import status as look
    from dropoutlab.data.lookup import folders
    from dropoutlab.data.registry import REGISTRY

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("name", "file", "found in", "sha256", "licence"):
        table.add_column(heading, overflow="fold")
    for dataset in REGISTRY.values():
        if dataset.kind == "bundled":
            table.add_row(dataset.name, "", "scikit-learn", "on load", dataset.licence)
    labels = {root: label for label, root in folders(cache).items()}
    entries = look(cache)
    for entry in entries:
        place = "" if entry.path is None else labels[entry.path.parent.parent]
        table.add_row(entry.dataset, entry.file, place, entry.state, REGISTRY[entry.dataset].licence)
    Console().print(table)
    for root, label in labels.items():
        typer.echo(f"{label}: {root}")

    problems = [entry for entry in entries if entry.state == "unusable"]
    for entry in problems:
        typer.echo(f"dropoutlab: {entry.path}: {entry.problem}", err=True)
    if problems:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
