"""Stored rows for whoever draws conclusions from them, and their verdicts."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dropoutlab.studies.criteria import Criterion, Outcome
from dropoutlab.studies.digest import protocol_digest
from dropoutlab.studies.errors import IncompleteError, StudyError
from dropoutlab.studies.protocol import Study
from dropoutlab.studies.store import check_manifest, read_rows, stored_runs


def load_rows(study: Study, root: Path) -> pd.DataFrame:
    """Read the rows of a study that is complete.

    Args:
        study: the study.
        root: folder of all results (see `dropoutlab.studies.places.results_root`).

    Returns:
        Columns ``arm``, ``seed``, the metrics and ``seconds``, in order of arms and seeds.

    Raises:
        IncompleteError: a registered run is missing.
        StudyError: the rows are another registration's, or damaged.
    """
    folder = root / study.name
    check_manifest(study, folder, protocol_digest(study))
    rows = read_rows(study, folder)
    _require_all(study, rows)
    return rows


def judge(study: Study, rows: pd.DataFrame, *, provisional: bool = False) -> dict[str, Outcome]:
    """Apply the registered criteria.

    Args:
        study: the study.
        rows: its rows, e.g. from `load_rows`.
        provisional: accept fewer seeds than were registered, e.g. of a smoke run. Such an outcome is no
            evidence; its ``n`` says what it rests on.

    Returns:
        Criterion id → outcome, in the order of the study.

    Raises:
        IncompleteError: a registered run is missing, and ``provisional`` is false.
        StudyError: a criterion cannot be applied to the rows.
    """
    if not provisional:
        _require_all(study, rows)
    return {criterion.id: _judge(study, criterion, rows) for criterion in study.criteria}


def _judge(study: Study, criterion: Criterion, rows: pd.DataFrame) -> Outcome:
    try:
        outcome = criterion.judge(rows, study.name)
    except ValueError as error:
        raise StudyError(f"{study.name}, criterion {criterion.id!r}: {error}") from error
    return replace(outcome, unit=outcome.unit or study.metrics[outcome.metric].unit)


def _require_all(study: Study, rows: pd.DataFrame) -> None:
    wanted = {(arm, seed) for arm in study.arms for seed in study.seed_list()}
    missing = wanted - stored_runs(rows)
    if missing:
        raise IncompleteError(
            f"{study.name}: {len(wanted) - len(missing)} of {len(wanted)} registered runs are stored, "
            f"{_some(missing)} missing; `dropoutlab study run {study.name}` adds them, and nothing can be "
            "concluded before"
        )


def _some(missing: Iterable[tuple[str, int]]) -> str:
    first, *rest = sorted(missing)
    return f"arm {first[0]!r} with seed {first[1]}" + (f" and {len(rest)} more are" if rest else " is")
