"""How much the test error varies from seed to seed, and from epoch to epoch, with and without dropout."""

import math
from collections.abc import Sequence
from itertools import pairwise

from dropoutlab.studies.criteria import difference, spread
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron, read, train

EXAMPLES = 999  # seed of the one training set that all seeds share


def run(job: Job) -> list[Row]:
    """Train the networks of one arm."""
    recipe = adam(job.profile["epochs"], evaluate_every=job.profile["every"])
    rows: list[Row] = []
    for arm in job.arms:
        settings = job.settings[arm]
        shared = EXAMPLES if settings["examples"] == "shared" else None
        build = perceptron((256, 256), p=settings["p"])
        trials = [Trial(seed, build, recipe, examples=shared) for seed in job.seeds]
        results = train("mnist", job.profile, trials, evaluate=["test"])
        for seed, result in zip(job.seeds, results, strict=True):
            tail = result.history.error["test"][-job.profile["last"] :]
            rows.append({"arm": arm, "seed": seed, **read(result), "wobble": wobble(tail)})
    return rows


def wobble(errors: Sequence[float]) -> float:
    """Estimate the scatter of a curve about its trend from its steps: their root mean square over √2."""
    steps = [after - before for before, after in pairwise(errors)]
    return math.sqrt(sum(step**2 for step in steps) / len(steps) / 2)


STUDY = Study(
    name="seed-spread",
    title="Spread from seed to seed",
    question="Does dropout make the test error less dependent on the random seed?",
    protocol="""
The network has two hidden layers of 256 ReLU units, with drop probability 0 or 0.5 on both. It is trained on
1,000 images of MNIST for 40 epochs with Adam (learning rate 0.001, batches of 64), chosen on pilot seeds 0 to
2. The error on all 10,000 test images is read after the last epoch.

In two arms all 60 seeds share one training set, drawn by seed 999: what varies is initial weights, order and
masks. That is the random seed of the claim. In two more arms every seed draws its own training set, too.

The spread is the variance of the test error over seeds. The arms share seeds, so the ratio of their variances
is judged by the interval of Pitman and Morgan. Sixty seeds resolve a ratio of about 1.7. "Wobble" is the
scatter of one run's test error over its last five evaluations, five epochs apart, estimated from their
differences so that a trend does not count.

The claim was read off a plot whose bands are like those of figure 4 in Srivastava et al. (2014,
JMLR 15:1929). Those are different architectures, one run each.
""",
    arms={
        "none": {"p": 0.0, "examples": "shared"},
        "p 0.5": {"p": 0.5, "examples": "shared"},
        "none, own examples": {"p": 0.0, "examples": "own"},
        "p 0.5, own examples": {"p": 0.5, "examples": "own"},
    },
    metrics=READINGS
    | {"wobble": Metric("scatter of the test error over the last evaluations of a run", "fraction")},
    criteria=(
        spread(
            "tighter-over-seeds",
            "On one training set dropout lowers the variance of the test error over seeds",
            metric="error",
            arm="p 0.5",
            against="none",
            expect="lower",
        ),
        spread(
            "tighter-over-examples",
            "With a training set of its own for each seed dropout lowers the variance of the test error",
            metric="error",
            arm="p 0.5, own examples",
            against="none, own examples",
            expect="lower",
        ),
        spread(
            "tighter-nll-over-seeds",
            "On one training set dropout lowers the variance of the test log-likelihood over seeds",
            metric="nll",
            arm="p 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "steadier-within-a-run",
            "Dropout lowers the wobble of the test error from epoch to epoch",
            metric="wobble",
            arm="p 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "lower-on-one-training-set",
            "On one training set dropout lowers the mean test error over seeds",
            metric="error",
            arm="p 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "lower-over-examples",
            "With a training set of its own for each seed dropout lowers the mean test error",
            metric="error",
            arm="p 0.5, own examples",
            against="none, own examples",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 1000, "epochs": 40, "every": 5, "last": 5},
    smoke={"data": "stand-in", "train": 100, "epochs": 4, "every": 1, "last": 3, "seeds": 3},
    seeds=60,
    group=6,
    datasets=("mnist",),
    minutes=5,
)
