"""What the benchmarks measure, with which targets, and what one run of them found."""

import datetime
import os
import platform
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy
import torch

FAMILY = "784-1024-1024-10"
REPLICAS = "32 replicas of 64-{0}-{0}-10, batch 32: `fit_many` against a loop of `fit`"


@dataclass(frozen=True)
class Measure:
    """One line of the table: what it says, its unit, and where the result should lie."""

    what: str
    unit: str  # as `coursebook.benchmarks.shown` knows them
    target: tuple[str, float] | None = None


MEASURES = {
    "dropout_forward_speedup_vs_nn": Measure(
        "forward in training, 128 × 1024, the slower of p = 0.5 and p = 0.3", "times", (">=", 5)
    ),
    "dropout_forward_speedup_p50": Measure("the same, p = 0.5", "times"),
    "dropout_forward_speedup_p30": Measure("the same, p = 0.3", "times"),
    "dropout_forward_speedup_small": Measure("the same, 32 × 32, the slower of the two", "times"),
    "dropout_break_even_elements": Measure(
        "the size from which it is faster than `nn.Dropout`, p = 0.3", "count"
    ),
    # The same multiplication in both: 5 % is the noise of comparing a thing with itself.
    "dropout_backward_vs_nn": Measure(
        "backward, 128 × 1024, time relative to `nn.Dropout`", "ratio", ("<=", 1.05)
    ),
    "dropout_step_overhead": Measure(
        f"what two dropout layers add to a training step of {FAMILY}, batch 128", "share", ("<=", 0.15)
    ),
    "nn_dropout_step_overhead": Measure("the same with `nn.Dropout`", "share"),
    "train_fraction_of_gemm_peak": Measure(
        f"a step of {FAMILY} with dropout, batch 500: share of the best matrix-product rate",
        "share",
        (">=", 0.70),
    ),
    "fit_many_speedup_w32": Measure(REPLICAS.format(32), "times", (">=", 6)),
    "fit_many_speedup_w64": Measure(REPLICAS.format(64), "times", (">=", 4)),
    "fit_many_speedup_w128": Measure(REPLICAS.format(128), "times", (">=", 2)),
    # Where nothing is gained the two do the same work: 5 % is the noise of comparing a thing with itself.
    "fit_many_worst_ratio": Measure("the worst of several awkward sizes", "times", (">=", 0.95)),
    "exact_average_speedup_vs_naive": Measure(
        "`exact_average` over 2²² thinned networks of ten classes, against one after the other",
        "times",
        (">=", 500),
    ),
    "exact_average_vs_softmax": Measure(
        "the same, time relative to their softmaxes alone", "ratio", ("<=", 1)
    ),
    "exact_average_fraction_of_gemm_peak": Measure(
        "the same, share of the best matrix-product rate", "share"
    ),
    "exact_average_growth_per_unit": Measure("the same, doublings of the time for each unit more", "ratio"),
    "exact_average_peak_mb": Measure(
        "the same, extra memory at its peak, over 2²⁴ networks", "megabytes", ("<=", 64)
    ),
    "book_build_s": Measure("a clean build of the book", "seconds", ("<=", 60)),
    "prose_edit_rebuild_s": Measure("a build after one sentence was added", "seconds", ("<=", 10)),
    "import_ratio_vs_torch": Measure(
        "`import dropoutlab`, time relative to `import torch`", "ratio", ("<=", 1.2)
    ),
    "import_layer_ratio_vs_torch": Measure(
        "`from dropoutlab import Dropout`, the same", "ratio", ("<=", 1.2)
    ),
}

# How cost grows: seconds go as the size to the power of the exponent, or by a factor for each unit more.
GROWTH = {
    "fit_many_replicas": "time of a step against the number K of replicas, width 32",
    "exact_average_units": "time of an exact average against the number of units",
    "book_pages": "time of a build with Jupyter Book against the number of pages",
}

_SIGNIFICANT = 4  # more digits would only make two records look different


@dataclass
class Record:
    """The results of one run, in the order in which they were added."""

    measured: dict[str, float] = field(default_factory=dict)
    growth: dict[str, dict[str, Any]] = field(default_factory=dict)
    detail: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, key: str, value: float, **detail: Any) -> None:
        """Store a result of `MEASURES`.

        Args:
            key: which one.
            value: the result in its unit.
            detail: seconds of ``ours``, ``peer`` and ``limit``; ``peer_is`` and ``limit_is`` name them.
        """
        measure = MEASURES[key]
        self.measured[key] = value
        self.detail[key] = {"what": measure.what, "unit": measure.unit, **detail}

    def grow(self, name: str, sizes: list[int], seconds: list[float], **law: float) -> None:
        """Store a curve of `GROWTH` with what was fitted to it: ``exponent`` or ``factor``."""
        self.growth[name] = {"what": GROWTH[name], "sizes": sizes, "seconds": seconds, **law}

    @property
    def missing(self) -> list[str]:
        """What a complete run would hold too."""
        return [key for key in MEASURES if key not in self.measured] + [
            name for name in GROWTH if name not in self.growth
        ]

    def as_json(self) -> dict[str, Any]:
        """The form in which a run is stored, in the order of `MEASURES`."""
        known = [key for key in MEASURES if key in self.measured]
        targets = {key: MEASURES[key].target for key in known}
        return {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "measured": {key: _rounded(self.measured[key]) for key in known},
            "targets": {key: list(target) for key, target in targets.items() if target is not None},
            "machine": asdict(Machine()),
            "growth": _rounded(self.growth),
            "detail": {key: _rounded(self.detail[key]) for key in known},
        }


def placeholder() -> Record:
    """A record that claims nothing, for a build of the page while the real one is still being measured."""
    record = Record()
    for key in MEASURES:
        record.add(key, 1.0, ours=1.0, peer=1.0, peer_is="", limit=1.0, limit_is="")
    for name in GROWTH:
        record.grow(name, [1, 2], [1.0, 1.0], exponent=0.0)
    return record


@dataclass(frozen=True)
class Machine:
    """What a reader must know of the machine to judge the numbers."""

    processor: str = field(default_factory=lambda: _processor())
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    threads: int = field(default_factory=torch.get_num_threads)
    system: str = field(default_factory=platform.system)
    python: str = field(default_factory=platform.python_version)
    torch: str = field(default_factory=lambda: torch.__version__.partition("+")[0])
    numpy: str = field(default_factory=lambda: numpy.__version__)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.{_SIGNIFICANT}g}") if isinstance(value, float) else value
