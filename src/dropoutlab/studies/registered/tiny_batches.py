"""Dropout with batches of 4 to 128 examples."""

from collections.abc import Mapping
from typing import Any

from dropoutlab.studies.criteria import difference, interaction
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import Trial, perceptron
from dropoutlab.studies.tuning import TUNED_READINGS, run_tuned
from dropoutlab.training import Recipe

SIZES = (4, 8, 16, 64, 128)
RATES_PER_64 = (0.025, 0.05, 0.1)  # learning rates for a batch of 64


def run(job: Job) -> list[Row]:
    """Train the networks of one batch size, with and without dropout, at three learning rates."""

    def trial(seed: int, candidate: Mapping[str, Any]) -> Trial:
        recipe = Recipe(job.profile["epochs"], batch_size=candidate["batch"], lr=candidate["lr"])
        return Trial(seed, perceptron((256, 256), p=candidate["p"]), recipe)

    return run_tuned(job, trial, dataset="mnist")


def arm(size: int, p: float) -> str:
    """Name an arm."""
    return f"batch {size}, p {p}"


def grid(size: int, p: float) -> list[dict[str, float]]:
    """List the candidates of an arm."""
    return [{"batch": size, "p": p, "lr": rate * size / 64} for rate in RATES_PER_64]


STUDY = Study(
    name="tiny-batches",
    title="Dropout with tiny batches",
    question="Does dropout hurt when batches are small?",
    protocol="""
Each seed draws 1,000 training and 1,000 validation images of MNIST. The network has two hidden layers of 256
ReLU units, with drop probability 0 or 0.5 on both. It is trained by SGD with momentum 0.9 on batches of 4, 8,
16, 64 or 128 examples. Every arm sees the same number of examples, 25 epochs of them, in the same order.

The learning rate grows in proportion to the batch size. Each arm tries three, 0.025, 0.05 and 0.1 for a batch
of 64, and the validation error after the last epoch chooses; pilot seed 0 showed that this range suits all
sizes. Only then is the error on all 10,000 test images read.

The claim says that below 16 examples dropout adds too much noise. It is supported if the whole interval shows
a higher error than without dropout at the same batch size. A benefit that merely shrinks is another question,
and has a criterion of its own. No published experiment behind this claim was found.
""",
    arms={arm(size, p): {"grid": grid(size, p)} for size in SIZES for p in (0.0, 0.5)},
    metrics=TUNED_READINGS,
    criteria=(
        *(
            difference(
                f"batch-{size}-hurts",
                f"With batches of {size} examples dropout raises the test error",
                metric="error",
                arm=arm(size, 0.5),
                against=arm(size, 0.0),
                expect="higher",
            )
            for size in SIZES
        ),
        interaction(
            "benefit-shrinks",
            "Dropout gains less with batches of 4 than with batches of 64",
            metric="error",
            first=(arm(4, 0.5), arm(4, 0.0)),
            second=(arm(64, 0.5), arm(64, 0.0)),
            expect="higher",
        ),
    ),
    run=run,
    full={"train": 1000, "validation": 1000, "epochs": 25},
    smoke={"data": "stand-in", "train": 100, "validation": 50, "epochs": 1, "seeds": 2},
    group=2,
    datasets=("mnist",),
    minutes=4,
)
