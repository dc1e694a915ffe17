"""What a study declares before it is run, and the jobs that follow from it."""

import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from dropoutlab.data.registry import REGISTRY
from dropoutlab.studies.criteria import Criterion

Row = Mapping[str, float | int | str]
ProfileName = Literal["full", "smoke"]

FIRST_SEED = 1000
SMOKE_SEEDS = 3
STAND_IN = "stand-in"  # profile["data"]: small bundled data instead of the real thing
RESERVED_COLUMNS = ("arm", "seed", "seconds")

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLUMN = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Metric:
    """One numeric column of a study's rows.

    Attributes:
        meaning: what the number is, e.g. ``"test error of the full network, after the last epoch"``.
        unit: ``"fraction"`` (shown as %, differences in percentage points), ``"nats"``, ``"ms"``,
            ``"epochs"``, or ``"1"`` for a plain number.
        timing: a wall-clock quantity: it differs from run to run, so `verify` never compares it.
        optional: whether a row may hold NaN, e.g. where the metric has no meaning for an arm.
    """

    meaning: str
    unit: str
    timing: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Job:
    """One piece of work that is handed to ``Study.run``, the same on one machine and on a cluster.

    Attributes:
        arms: one arm, or all of them (see ``Study.together``).
        seeds: the seeds trained in this job.
        settings: the settings of each of its arms, by name.
        profile: sizes such as epochs or examples, of the full or of the smoke profile.
        device: ``"cpu"`` or ``"cuda"``.
    """

    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: Mapping[str, Mapping[str, Any]]
    profile: Mapping[str, Any]
    device: str = "cpu"

    @property
    def runs(self) -> tuple[tuple[str, int], ...]:
        """The (arm, seed) pairs of which the job must return one row each."""
        return tuple((arm, seed) for seed in self.seeds for arm in self.arms)


def _declaring_module() -> str:
    # As collections.namedtuple does it: frame 1 is the generated __init__, frame 2 whoever called it.
    name: str = sys._getframe(2).f_globals.get("__name__", "__main__")
    return name


@dataclass(frozen=True, eq=False)
class Study:
    """A study, registered in code before it is run.

    Attributes:
        name: kebab-case; its rows lie in ``results/<name>/``.
        title: sentence case.
        question: one sentence that ends with "?".
        protocol: Markdown: data, network, training, tuning, what is read when. Names no machine.
        arms: name → settings that JSON can hold, in display order.
        metrics: column → what it holds; every row has all of them.
        criteria: how the rows become verdicts, fixed before the run.
        run: trains what a job asks for and returns one row for each of its (arm, seed) pairs:
            ``{"arm": ..., "seed": ..., metric: value, ...}``.
        full: profile of the published rows.
        smoke: tiny profile that runs in seconds without a download. It may hold ``"seeds"``, how many of the
            seeds a smoke run takes (3 if it does not say), and ``"data": "stand-in"``
            (see `dropoutlab.studies.material`).
        seeds: number of registered seeds, 1000, 1001 and so on.
        group: seeds trained together in one job; the list of seeds is always cut at the same places.
        together: one job holds all arms of its seeds, for arms that share a network or a choice.
        datasets: names for `dropoutlab.data.load`.
        minutes: rough wall time of the full profile on two cores.
        tolerance: on another platform `verify` accepts ``|difference| <= tolerance * max(1, |value|)``.
        alone: the study times something and needs the machine for itself: one job after the other, with
            as many threads as torch chooses. Only for studies with a timing metric.
        fewer_seeds_because: why fewer than 10 seeds are enough; empty for 10 and more.
        module: module that declares the study; found by itself.

    Raises:
        ValueError: a declaration is missing, malformed, or names an arm or metric that is not declared.
    """

    name: str
    title: str
    question: str
    protocol: str
    arms: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Metric]
    criteria: tuple[Criterion, ...]
    run: Callable[[Job], Sequence[Row]]
    full: Mapping[str, Any]
    smoke: Mapping[str, Any]
    seeds: int = 10
    group: int = 1
    together: bool = False
    datasets: tuple[str, ...] = ("digits",)
    minutes: float = 10
    tolerance: float = 0.02
    alone: bool = False
    fewer_seeds_because: str = ""
    module: str = field(default_factory=_declaring_module)

    def __post_init__(self) -> None:
        problems = [*_text_problems(self), *_table_problems(self), *_size_problems(self)]
        if problems:
            raise ValueError(f"study {self.name!r}: {'; '.join(problems)}")

    def seed_list(self, profile: ProfileName = "full") -> tuple[int, ...]:
        """Return the registered seeds, or the few of a smoke run."""
        count = self.seeds if profile == "full" else min(self.seeds, self.smoke.get("seeds", SMOKE_SEEDS))
        return tuple(range(FIRST_SEED, FIRST_SEED + count))

    def group_ends(self) -> tuple[int, ...]:
        """Return how many seeds can be run without cutting a group: ``(10, 20)`` for 20 in groups of 10."""
        return tuple(dict.fromkeys([*range(self.group, self.seeds, self.group), self.seeds]))

    def jobs(self, profile: ProfileName = "full", device: str = "cpu") -> tuple[Job, ...]:
        """Cut the study into jobs, seeds first, so that an interrupted study has complete seeds.

        Args:
            profile: ``"full"`` or ``"smoke"``.
            device: where the jobs are to run.

        Returns:
            All jobs of the profile. A group is a chunk of the seed list; the last one may be shorter.
        """
        seeds = self.seed_list(profile)
        chunks = [seeds[start : start + self.group] for start in range(0, len(seeds), self.group)]
        arms = [tuple(self.arms)] if self.together else [(arm,) for arm in self.arms]
        sizes = dict(self.full if profile == "full" else self.smoke)
        return tuple(
            Job(some, chunk, {arm: dict(self.arms[arm]) for arm in some}, sizes, device)
            for chunk in chunks
            for some in arms
        )


def _text_problems(study: Study) -> list[str]:
    problems = []
    if not _KEBAB.fullmatch(study.name):
        problems.append("the name must be kebab-case, e.g. 'hidden-dropout'")
    if not study.title.strip() or not study.protocol.strip():
        problems.append("title and protocol must not be empty")
    if not study.question.endswith("?"):
        problems.append(f'the question must be a sentence that ends with "?", got {study.question!r}')
    return problems


def _table_problems(study: Study) -> list[str]:
    problems = []
    if not study.arms or not study.metrics or not study.criteria:
        problems.append("at least one arm, one metric and one criterion must be declared")
    for what, values in (("arms", study.arms), ("full", study.full), ("smoke", study.smoke)):
        if not _survives_json(values):
            problems.append(
                f"{what} must hold what JSON can hold (str, finite numbers, bool, None, list, dict)"
            )
    problems += [
        f"arm names must be one line without space around it, got {arm!r}"
        for arm in study.arms
        if arm != " ".join(arm.split()) or not arm
    ]
    problems += [
        f"metric names must be lower_case and not {', '.join(RESERVED_COLUMNS)}, got {name!r}"
        for name in study.metrics
        if not _COLUMN.fullmatch(name) or name in RESERVED_COLUMNS
    ]
    ids = [criterion.id for criterion in study.criteria]
    problems += [f"criterion ids must be unique, got {a!r} twice" for a, b in pairwise(sorted(ids)) if a == b]
    for criterion in study.criteria:
        if not _KEBAB.fullmatch(criterion.id):
            problems.append(f"criterion ids must be kebab-case, got {criterion.id!r}")
        for kind, used, known in (
            ("arm", criterion.arms, study.arms),
            ("metric", criterion.metrics, study.metrics),
        ):
            problems += [
                f"criterion {criterion.id!r} uses the {kind} {name!r}; the {kind}s are {', '.join(known)}"
                for name in used
                if name not in known
            ]
    return problems


def _size_problems(study: Study) -> list[str]:
    problems = []
    if study.seeds < 2:
        problems.append(f"seeds must be at least 2, got {study.seeds}")
    if not 1 <= study.group <= study.seeds:
        problems.append(f"group must lie in 1 to {study.seeds}, the number of seeds, got {study.group}")
    if not 0 < study.minutes < math.inf:
        problems.append(f"minutes must be positive and finite, got {study.minutes}")
    if not 0 <= study.tolerance < math.inf:
        problems.append(f"tolerance must be non-negative and finite, got {study.tolerance}")
    smoke_seeds = study.smoke.get("seeds", SMOKE_SEEDS)
    if not isinstance(smoke_seeds, int) or smoke_seeds < 2:
        problems.append(f"smoke['seeds'] must be a whole number and at least 2, got {smoke_seeds!r}")
    if study.full.get("data") == STAND_IN:
        problems.append(f"the full profile cannot run on {STAND_IN!r} data")
    problems += [
        f"unknown dataset {name!r}; the names are {', '.join(REGISTRY)}"
        for name in study.datasets
        if name not in REGISTRY
    ]
    if study.alone and not any(metric.timing for metric in study.metrics.values()):
        problems.append("alone is for studies that time something; no metric has timing=True")
    return problems


def _survives_json(values: object) -> bool:
    try:
        return bool(json.loads(json.dumps(values, allow_nan=False)) == values)
    except (TypeError, ValueError):
        return False
