"""Measure everything side by side, show a table and store it: ``make bench``.

The run fails on errors only. A missed target is marked in the table and is no error: how fast a machine is
says nothing about whether the code is right.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import averages
import books
import imports
import layers
import replicas
import steps
from record import Record
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from timing import Bench

from coursebook.benchmarks import PLACE, growth_rows, is_met, result_rows

LATEST = Path(__file__).parents[1] / PLACE

SECTIONS: dict[str, Callable[[Bench, Record], None]] = {
    "layers": layers.measure,
    "steps": steps.measure,
    "replicas": replicas.measure,
    "ensembles": averages.measure,
    "books": books.measure,
    "imports": imports.measure,
}
_BUSY = 0.5  # other programs' share of a core, averaged over the last minute, from which a warning is due


def main(arguments: list[str] | None = None) -> None:
    """Run the sections that the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure speed against peers and limits.")
    parser.add_argument("--quick", action="store_true", help="only see that it works; its times mean nothing")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="measure this; may be repeated")
    parser.add_argument("--output", type=Path, help=f"where to store the run; a complete one goes to {PLACE}")
    chosen = parser.parse_args(arguments)
    complete = not chosen.quick and not chosen.only
    output = chosen.output or (LATEST if complete else None)
    console = Console(highlight=False)
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > _BUSY:
        console.print(f"[yellow]this machine is busy[/] (load {os.getloadavg()[0]:.1f}): expect noise")
    record = measure(list(chosen.only or SECTIONS), console, quick=chosen.quick)
    if complete and record.missing:
        raise RuntimeError(f"a complete run lacks {', '.join(record.missing)}")
    for table in tables(record):
        console.print(table)
    if output is not None:
        output.write_text(json.dumps(record.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        console.print(f"stored in {output}", soft_wrap=True)
    else:
        console.print("not stored: only a complete run replaces the last one")


def measure(sections: list[str], console: Console, *, quick: bool) -> Record:
    """Measure the named sections and show how far they have come."""
    record = Record()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        overall = progress.add_task("sections", total=len(sections))
        current = progress.add_task("", total=None)

        def show(what: str, done: int, rounds: int) -> None:
            progress.update(current, description=what, completed=done, total=rounds)

        for name in sections:
            progress.update(current, description=name, completed=0, total=None)
            SECTIONS[name](Bench(quick, show), record)
            progress.advance(overall)
            console.print(f"[green]measured[/] {name}")
    return record


def tables(record: Record) -> list[Table]:
    """Lay the record out for a terminal, with every target marked."""
    run = record.as_json()
    shown = []
    for title, rows in (("results", result_rows(run)), ("growth", growth_rows(run))):
        header, *body = rows
        table = Table(title=title)
        for name in header:
            table.add_column(name, overflow="fold")
        for row in body:
            table.add_row(*(cell.replace("`", "") for cell in row))
        if body:
            shown.append(table)
    missed = [key for key, bound in run["targets"].items() if not is_met(run["measured"][key], bound)]
    if missed and shown:
        shown[0].caption = f"missed: {', '.join(missed)}"
    return shown


if __name__ == "__main__":
    main()
