"""Stochastic depth: whether skipped branches save time, and what they do to the error."""

import time
from collections.abc import Mapping
from itertools import pairwise
from statistics import median
from typing import Any

from torch import nn

from dropoutlab.residual import residual_mlp
from dropoutlab.seeds import Streams
from dropoutlab.studies.annealing import train_annealed
from dropoutlab.studies.criteria import difference, equivalence, ratio
from dropoutlab.studies.measure import linear
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.regions import one_side
from dropoutlab.studies.trials import READINGS, Trial, adam, read

NONE, BATCH, EXAMPLE = "none", "one coin per batch", "one coin per example"
BATCH_SIZE = 64


def run(job: Job) -> list[Row]:
    """Train the three networks of each seed, in an order that turns with the seed."""
    rows: list[Row] = []
    for seed in job.seeds:
        first = seed % len(job.arms)
        for arm in job.arms[first:] + job.arms[:first]:
            rows.append({"arm": arm, "seed": seed, **_trained(job, seed, job.settings[arm])})
    return rows


def _trained(job: Job, seed: int, settings: Mapping[str, Any]) -> dict[str, float]:
    blocks, width = job.profile["blocks"], job.profile["width"]

    def build(s: Streams) -> nn.Module:
        return residual_mlp(init=s.init, masks=s.masks, blocks=blocks, width=width, **settings)

    ends: list[float] = []
    recipe = adam(job.profile["epochs"], batch_size=BATCH_SIZE)
    trained = train_annealed(
        "mnist",
        job.profile,
        Trial(seed, build, recipe),
        on_epoch=lambda _epoch, _epochs: ends.append(time.perf_counter()),
    )
    steps = -(-len(trained.splits["train"]) // BATCH_SIZE)
    # The median epoch: a pause of the machine falls into few of them.
    epoch = median(after - before for before, after in pairwise(ends))
    return {**read(trained), "step_ms": 1000 * epoch / steps}


STUDY = Study(
    name="stochastic-depth",
    title="Stochastic depth",
    question="Does skipping residual branches at random save time, and what does it do to the error?",
    protocol="""
Each seed draws 2,000 training images of MNIST and reads all 10,000 test images once. The network is a
residual perceptron of 20 blocks, x + Linear(ReLU(Linear(LayerNorm(x)))), 128 units wide. Branches are never
dropped; dropped for a whole batch, and then not computed; or dropped for single examples (DropPath), which
must be computed for the others. The drop probability grows linearly with depth to 0.5 at the last block, so
26 % of the branches are dropped.

All arms: Adam, learning rate 0.001, batches of 64, 24 epochs, the last quarter of them at a tenth of the
rate, chosen on pilot seed 0; nothing is tuned per arm. A step is timed as the median epoch divided by its
steps, on a machine that does nothing else; the arms of a seed follow one another, in an order that turns
with the seed.

Published: Huang et al. (2016, arXiv:1603.09382) trained residual convolutional networks of 110 and 1,202
layers on CIFAR with one coin per batch, over 25 % faster and with a lower error. They scale at test time;
here survivors are divided by q in training. Time is *saved* if the whole interval of the ratio lies below
0.85; an error is not raised if the whole interval of the difference lies below half a point, a margin of
about a fifteenth of the errors seen in the pilot.
""",
    arms={
        NONE: {"skip": "none"},
        BATCH: {"skip": "batch", "last_p": 0.5},
        EXAMPLE: {"skip": "example", "last_p": 0.5},
    },
    metrics={**READINGS, "step_ms": Metric("time per training step", "ms", timing=True)},
    criteria=(
        ratio(
            "saves-time",
            "Skipping branches for whole batches saves more than 15 % of the time per step",
            metric="step_ms",
            arm=BATCH,
            against=NONE,
            expect="lower",
            bound=0.85,
        ),
        ratio(
            "example-saves-time",
            "Dropping branches for single examples saves time",
            metric="step_ms",
            arm=EXAMPLE,
            against=NONE,
            expect="lower",
        ),
        difference(
            "lowers-error",
            "Skipping branches for whole batches lowers the test error",
            metric="error",
            arm=BATCH,
            against=NONE,
            expect="lower",
        ),
        linear(
            "error-not-raised",
            "Skipping branches for whole batches does not raise the test error by half a point",
            {(BATCH, "error"): 1.0, (NONE, "error"): -1.0},
            one_side("lower", 0.005),
            f"error({BATCH}) − error({NONE})",
        ),
        equivalence(
            "coins-alike",
            "One coin per batch and one per example have the same error to half a point",
            metric="error",
            arm=BATCH,
            against=EXAMPLE,
            margin=0.005,
        ),
    ),
    run=run,
    full={"train": 2000, "epochs": 24, "blocks": 20, "width": 128},
    smoke={
        "data": "stand-in",
        "train": 128,
        "test": 100,
        "epochs": 4,
        "blocks": 3,
        "width": 16,
        "seeds": 2,
    },
    together=True,
    alone=True,
    datasets=("mnist",),
    minutes=4,
)
