"""Recompute stored rows: the same bits where they were computed, within a stated tolerance elsewhere."""

import math
import random
from dataclasses import dataclass
from pathlib import Path

from dropoutlab.studies.compute import backend_for, compute
from dropoutlab.studies.digest import protocol_digest
from dropoutlab.studies.environment import differing
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.forecast import OnProgress
from dropoutlab.studies.protocol import Study
from dropoutlab.studies.store import check_manifest, read_rows, records, stored_runs


@dataclass(frozen=True)
class Comparison:
    """One stored number and the same number computed again.

    Attributes:
        arm: arm of the row.
        seed: seed of the row.
        metric: column.
        stored: value in the file.
        recomputed: value now.
        allowed: largest difference that counts as agreement; 0 for the same bits.
    """

    arm: str
    seed: int
    metric: str
    stored: float
    recomputed: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the two numbers are the same, or as close as they have to be."""
        if math.isnan(self.stored) or math.isnan(self.recomputed):
            return math.isnan(self.stored) and math.isnan(self.recomputed)
        return abs(self.stored - self.recomputed) <= self.allowed


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification.

    Attributes:
        comparisons: every number that was compared.
        elsewhere: how this environment differs from that of the stored rows; empty where it is the same.
    """

    comparisons: tuple[Comparison, ...]
    elsewhere: tuple[str, ...]

    @property
    def disagreements(self) -> tuple[Comparison, ...]:
        """The comparisons that failed."""
        return tuple(comparison for comparison in self.comparisons if not comparison.agrees)


def verify_study(
    study: Study,
    root: Path,
    *,
    sample: int,
    seed: int,
    jobs: int | None = None,
    scheduler: str | None = None,
    device: str | None = None,
    on_progress: OnProgress | None = None,
) -> Verification:
    """Run the jobs of a few stored rows again and compare every metric that is not a timing.

    Args:
        study: the study.
        root: folder of all results.
        sample: number of rows to draw, without replacement; all of them if fewer are stored.
        seed: what the draw depends on.
        jobs: processes on this machine, as for `dropoutlab.studies.compute.backend_for`.
        scheduler: address of a Dask scheduler, instead of this machine.
        device: ``"cpu"`` or ``"cuda"``; by default that of the stored rows.
        on_progress: called at the beginning and whenever a job is done; it counts runs.

    Returns:
        All comparisons, in the order of arms and seeds.

    Raises:
        JobError: a job failed.
        StudyError: nothing is stored, nothing can be compared, or the rows are another registration's.
    """
    folder = root / study.name
    manifest = check_manifest(study, folder, protocol_digest(study))
    rows = read_rows(study, folder)
    metrics = [name for name, metric in study.metrics.items() if not metric.timing]
    if manifest is None or rows.empty:
        raise StudyError(f"{folder}: holds no rows; compute some with `dropoutlab study run {study.name}`")
    if not metrics:
        raise StudyError(f"{study.name}: has only timings, which differ from run to run; nothing to compare")
    if sample < 1:
        raise StudyError(f"the sample must hold at least 1 row, got {sample}")
    if device is None:
        device = "cpu" if manifest.environment.get("device") == "cpu" else "cuda"
    drawn = rows.iloc[sorted(random.Random(seed).sample(range(len(rows)), min(sample, len(rows))))]
    wanted = stored_runs(drawn)
    todo = [job for job in study.jobs("full", device) if wanted.intersection(job.runs)]
    computed = compute(
        study,
        todo,
        backend_for(study, jobs=jobs, device=device, scheduler=scheduler),
        known=records(rows),
        on_progress=on_progress,
    )
    again = {(row["arm"], row["seed"]): row for done in computed for row in done.rows}
    elsewhere = tuple(
        dict.fromkeys(odd for done in computed for odd in differing(manifest.environment, done.environment))
    )
    comparisons = []
    for stored in records(drawn):
        row = again[stored["arm"], stored["seed"]]
        for metric in metrics:
            value = float(stored[metric])
            allowed = study.tolerance * max(1.0, abs(value)) if elsewhere else 0.0
            comparisons.append(
                Comparison(
                    str(stored["arm"]), int(stored["seed"]), metric, value, float(row[metric]), allowed
                )
            )
    return Verification(tuple(comparisons), elsewhere)
