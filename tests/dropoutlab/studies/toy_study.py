"""A study that takes no time to speak of: the tests run it, kill it, and run it again."""

import math
import os
import signal
import time
from pathlib import Path

import torch

from dropoutlab.seeds import streams
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Metric, Study


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Draw numbers instead of training networks; a file beside this one makes jobs fail, or kills."""
    time.sleep(float(os.environ.get("TOY_SECONDS", job.profile["seconds"])))
    trouble = Path(__file__).with_name("trouble")
    if trouble.exists() and job.arms[0] in trouble.read_text():
        raise RuntimeError(f"trouble with {job.arms[0]}")
    if trouble.exists() and "death" in trouble.read_text():
        os.kill(os.getpid(), signal.SIGKILL)
    rows: list[dict[str, float | int | str]] = []
    for seed in job.seeds:
        shared = torch.randn(50, generator=streams(seed).data, dtype=torch.float64).sum().item()
        for arm in job.arms:
            noise = torch.randn(3, generator=streams(seed).masks, dtype=torch.float64).exp().mean().item()
            rows.append(
                {
                    "arm": arm,
                    "seed": seed,
                    "error": math.tanh(shared / 50) + job.settings[arm]["shift"] + noise / 10,
                    "epochs": seed % 7,
                    "milliseconds": time.perf_counter(),
                }
            )
    return rows


def study(**changes: object) -> Study:
    declared: dict[str, object] = {
        "name": "toy",
        "title": "A toy",
        "question": "Does the shift shift?",
        "protocol": "Numbers are drawn, a constant is added.",
        "arms": {"none": {"shift": 0.0}, "more, or less": {"shift": 1.0}},
        "metrics": {
            "error": Metric("a number", "fraction"),
            "epochs": Metric("another number", "epochs"),
            "milliseconds": Metric("a clock", "ms", timing=True),
        },
        "criteria": (
            difference(
                "shifts", "The shift raises the error", metric="error", arm="more, or less", against="none",
                expect="higher",
            ),
        ),
        "run": run,
        "full": {"seconds": 0.2},
        "smoke": {"seconds": 0.0},
        "seeds": 10,
        "group": 2,
        "module": "toy_study",
    }  # fmt: skip
    return Study(**{**declared, **changes})  # type: ignore[arg-type]


STUDY = study()
TOGETHER = study(name="toy-together", together=True, group=4)
REHEARSED = study(
    name="toy-rehearsed", datasets=("mnist",), smoke={"data": "stand-in", "seconds": 0.0, "seeds": 2}
)
ALONE = study(name="toy-alone", alone=True)
CLOCKS = study(
    name="toy-clocks",
    metrics={name: Metric("a clock", "ms", timing=True) for name in ("error", "epochs", "milliseconds")},
)
