"""The command ``dropoutlab claims``: every claim with its verdict, as a table or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Everything else is imported where it is used, so that --help answers at once.


def show_claims(
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder of the results.", show_default="results/ of the repository", metavar="DIR"),
    ] = None,
) -> None:
    """Print each claim: its verdict, effect with 95 % interval and number of seeds, and where it was tested.

    Effects in error rates are percentage points. Verdicts come from stored runs and from proofs in code.
    """
    from dropoutlab.claims import as_record, claims
    from dropoutlab.studies.errors import StudyError

    try:
        found = claims(results)
    except StudyError as error:
        typer.echo(f"dropoutlab: {error}", err=True)
        raise typer.Exit(1) from error
    records = [as_record(claim) for claim in found]
    if as_json:
        import json

        typer.echo(json.dumps(records, indent=2, ensure_ascii=False, allow_nan=False))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("id", "verdict", "effect [95 %]", "n", "study or proof", "claim"):
        table.add_column(heading, overflow="fold")
    for record in records:
        table.add_row(
            str(record["id"]),
            _verdict(record),
            _effect(record),
            str(record["n"] or ""),
            str(record["study"] or record["proof"] or ""),
            str(record["statement"]),
        )
    Console().print(table)


def _verdict(record: dict[str, object]) -> str:
    if record["verdict"] != "exact":
        return str(record["verdict"])
    return "exact: true" if record["holds"] else "exact: not true"


def _effect(record: dict[str, object]) -> str:
    value, low, high = record["effect"], record["ci_low"], record["ci_high"]
    if not isinstance(value, float | int):
        return ""
    scale = 100 if record["unit"] == "fraction" and record["study"] else 1
    if not (isinstance(low, float) and isinstance(high, float)):
        return f"{value:.3g}"
    return f"{scale * value:.3g} [{scale * low:.3g}, {scale * high:.3g}]".replace("-", "−")
