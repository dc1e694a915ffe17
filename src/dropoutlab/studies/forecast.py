"""How much longer a study will take, from what its runs have taken so far."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

from dropoutlab.studies.protocol import Job, Row, Study

_CORES = 2  # what `Study.minutes` is stated for


@dataclass(frozen=True)
class Progress:
    """Where a study stands.

    Attributes:
        study: name of the study.
        done: runs that are done.
        total: runs that are wanted.
        seconds_left: estimate of the wall time still needed.
    """

    study: str
    done: int
    total: int
    seconds_left: float


OnProgress = Callable[[Progress], None]


class Forecast:
    """Estimates the time left.

    A run costs what runs of its arm have cost on average, or those of all arms if there are none yet, or its
    share of the registered minutes if nothing has been run.

    Args:
        study: the study.
    """

    def __init__(self, study: Study) -> None:
        self._share = 60 * study.minutes * _CORES / (len(study.arms) * study.seeds)
        self._seconds: dict[str, list[float]] = {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Take the ``seconds`` of finished runs into account."""
        for row in rows:
            self._seconds.setdefault(str(row["arm"]), []).append(float(row["seconds"]))

    def seconds_left(self, todo: Iterable[Job], workers: int) -> float:
        """Return the wall time that jobs still need if so many run at the same time; 0 if there are none."""
        of_arm = {arm: fmean(values) for arm, values in self._seconds.items()}
        usual = fmean(of_arm.values()) if of_arm else self._share
        costs = [sum(of_arm.get(arm, usual) for arm, _ in job.runs) for job in todo]
        # With fewer jobs than workers one waits for the longest of them.
        return max(sum(costs) / workers, max(costs, default=0.0))
