"""The commands ``dropoutlab study ...``: run the registered studies, and look after their results."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# Everything else is imported where it is used, so that --help answers at once.
if TYPE_CHECKING:
    from dropoutlab.studies.protocol import ProfileName, Study

app = typer.Typer(no_args_is_help=True, help="Registered studies: run them, and look after their results.")

ALL = "all"
_NONE = "no study is registered yet"


class Device(StrEnum):
    """Where jobs compute."""

    cpu = "cpu"
    cuda = "cuda"


Name = Annotated[
    str, typer.Argument(help="Name of a study, or module:ATTRIBUTE for a draft elsewhere.", metavar="NAME")
]
Results = Annotated[
    Path | None,
    typer.Option(help="Folder of all results.", show_default="results/ of the repository", metavar="DIR"),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Processes.", show_default="one for each core", metavar="N"),
]
Scheduler = Annotated[
    str | None, typer.Option(help="Run on the Dask cluster of this scheduler instead.", metavar="ADDRESS")
]


@app.command(name="list")
def list_studies() -> None:
    """List the registered studies."""
    from dropoutlab.studies.registry import entries

    with _reporting():
        found = entries()
    width = max((len(entry.name) for entry in found), default=0)
    for entry in found:
        typer.echo(f"{entry.name:{width}}  {entry.title}")
    if not found:
        typer.echo(_NONE)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Name of a study, module:ATTRIBUTE, or all.", metavar="NAME")],
    seeds: Annotated[
        int | None, typer.Option(help="Only the first K seeds, in whole groups.", metavar="K")
    ] = None,
    jobs: Jobs = None,
    device: Annotated[Device, typer.Option(help="Where jobs compute.")] = Device.cpu,
    scheduler: Scheduler = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Rehearse with tiny sizes; nothing is kept.")
    ] = False,
    uncommitted: Annotated[
        bool, typer.Option("--uncommitted", help="Run although the study is not committed.")
    ] = False,
    results: Results = None,
) -> None:
    """Compute the runs that are missing; what was finished before an interruption is kept.

    A rehearsal with --smoke keeps its rows only if --results names a folder for them.
    """
    from dropoutlab.studies.registry import find, names

    with _reporting():
        wanted = list(names()) if name == ALL else [name]
        if not wanted:
            typer.echo(_NONE)
            return
        with _root(results, "smoke" if smoke else "full") as root:
            failures = 0
            for each in wanted:
                try:
                    _run_one(find(each), root, seeds, jobs, device, scheduler, smoke, uncommitted)
                except Exception as error:
                    if name != ALL or not _expected(error):
                        raise
                    failures += 1
                    typer.echo(f"dropoutlab: {error}", err=True)
        if failures:
            raise typer.Exit(1)


@app.command()
def status(
    name: Annotated[str, typer.Argument(help="Name of a study, or all.", metavar="[NAME]")] = ALL,
    results: Results = None,
) -> None:
    """Show what is stored of each study, and whether it still belongs to the study as it is."""
    from rich.console import Console

    from dropoutlab.cli_display import states
    from dropoutlab.studies.registry import find, names
    from dropoutlab.studies.status import examine

    with _reporting(), _root(results, "full") as root:
        found = [examine(find(each), root) for each in (names() if name == ALL else [name])]
    Console().print(states(found))
    for entry in found:
        if entry.problem:
            typer.echo(f"{entry.study}: {entry.problem}")


@app.command()
def verify(
    name: Name,
    sample: Annotated[int, typer.Option(help="Rows to compute again.", metavar="K")] = 3,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the draw.", show_default="another each time", metavar="S")
    ] = None,
    jobs: Jobs = None,
    device: Annotated[
        Device | None, typer.Option(help="Where jobs compute.", show_default="as the stored rows")
    ] = None,
    scheduler: Scheduler = None,
    results: Results = None,
) -> None:
    """Compute randomly chosen stored rows again and compare; fail if a number disagrees.

    In the environment of the stored rows every bit must agree; in another one the study's tolerance holds.
    """
    import secrets

    from rich.console import Console

    from dropoutlab.cli_display import RunProgress, comparisons
    from dropoutlab.studies.registry import find
    from dropoutlab.studies.verify import verify_study

    with _reporting(), _root(results, "full") as root, RunProgress() as progress:
        study = find(name)
        drawn = secrets.randbelow(10**6) if seed is None else seed
        outcome = verify_study(
            study,
            root,
            sample=sample,
            seed=drawn,
            jobs=jobs,
            scheduler=scheduler,
            device=device,
            on_progress=progress,
        )
    Console().print(comparisons(outcome))
    if outcome.elsewhere:
        typer.echo(f"another environment (there / here): {', '.join(outcome.elsewhere)}")
        rule = f"within {study.tolerance:g} of max(1, |value|)"
    else:
        rule = "to the last bit"
    total, wrong = len(outcome.comparisons), len(outcome.disagreements)
    typer.echo(f"{study.name}: {total - wrong} of {total} numbers agree {rule} (--seed {drawn})")
    if wrong:
        raise typer.Exit(1)


def _run_one(
    study: Study,
    root: Path,
    seeds: int | None,
    jobs: int | None,
    device: Device,
    scheduler: str | None,
    smoke: bool,
    uncommitted: bool,
) -> None:
    from rich.console import Console

    from dropoutlab.cli_display import RunProgress, duration, verdicts
    from dropoutlab.studies.compute import backend_for
    from dropoutlab.studies.reading import judge
    from dropoutlab.studies.runner import run_study
    from dropoutlab.studies.store import read_rows

    backend = backend_for(study, jobs=jobs, device=device.value, scheduler=scheduler)
    with RunProgress(1 if study.alone else 4) as progress:
        summary = run_study(
            study,
            root,
            backend=backend,
            profile="smoke" if smoke else "full",
            seeds=seeds,
            device=device.value,
            uncommitted=uncommitted,
            on_progress=progress,
        )
    told = f"{study.name}: {summary.stored} of {summary.registered} runs stored"
    if summary.new:
        told += f", {summary.new} of them new in {duration(summary.seconds)}"
    typer.echo(told)
    if summary.complete and summary.new:
        rows = read_rows(study, root / study.name)
        Console().print(verdicts(study, judge(study, rows, provisional=smoke)))
        if smoke:
            typer.echo("a rehearsal: these verdicts mean nothing")


@contextmanager
def _root(results: Path | None, profile: ProfileName) -> Iterator[Path]:
    from dropoutlab.studies.places import results_root

    if profile == "smoke" and results is None:
        with tempfile.TemporaryDirectory(prefix="dropoutlab-") as folder:
            yield Path(folder)
    else:
        yield results_root() if results is None else results


@contextmanager
def _reporting() -> Iterator[None]:
    """Turn errors that are meant for the person at the keyboard into one message and an exit status."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("dropoutlab: interrupted; finished runs are stored, run again to resume", err=True)
        raise typer.Exit(130) from None
    except Exception as error:
        if not _expected(error):
            raise
        typer.echo(f"dropoutlab: {error}", err=True)
        raise typer.Exit(1) from None


def _expected(error: Exception) -> bool:
    from dropoutlab.data import DataError
    from dropoutlab.studies.errors import StudyError

    return isinstance(error, DataError | StudyError)
