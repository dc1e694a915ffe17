"""Dropout in networks of 8 to 256 units per layer."""

from collections.abc import Mapping
from typing import Any

from dropoutlab.studies.criteria import difference, interaction
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron, run_arms

WIDTHS = (8, 16, 32, 64, 256)
RATES = (0.0, 0.2, 0.5)


def run(job: Job) -> list[Row]:
    """Train the networks of one width and rate."""
    recipe = adam(job.profile["epochs"])

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        return Trial(seed, perceptron((settings["width"],) * 2, p=settings["p"]), recipe)

    return run_arms(job, trial, dataset="mnist")


def arm(width: int, p: float) -> str:
    """Name an arm."""
    return f"{width} units, p {p}"


STUDY = Study(
    name="tiny-networks",
    title="Dropout in tiny networks",
    question="Does dropout hurt in networks of few units per layer?",
    protocol="""
Each seed draws 2,000 training images of MNIST and reads the error on all 10,000 test images, once, after the
last epoch. The network has two hidden layers of 8, 16, 32, 64 or 256 ReLU units, with drop probability 0, 0.2
or 0.5 on both of them and none on the pixels. All are trained for 100 epochs with Adam (learning rate 0.001,
batches of 64), which pilot seeds 0 and 1 showed to be long enough for the narrow networks. Nothing is tuned
per arm.

The claim says that dropout removes too much capacity from 10 to 20 neurons per layer, and asks for more than
100. Widths 8 and 16 test its first half. Widths 32 and 64 lie below its threshold: if dropout lowers the
error there, the threshold is too strict. The training error tells whether it is capacity that is missing.
""",
    arms={arm(width, p): {"width": width, "p": p} for width in WIDTHS for p in RATES},
    metrics=READINGS,
    criteria=(
        *(
            difference(
                f"{width}-units-p0{round(10 * p)}-hurts",
                f"With {width} units per layer p = {p} raises the test error",
                metric="error",
                arm=arm(width, p),
                against=arm(width, 0.0),
                expect="higher",
            )
            for width in WIDTHS
            for p in (0.2, 0.5)
        ),
        *(
            difference(
                f"16-units-p0{round(10 * p)}-lacks-capacity",
                f"With 16 units per layer p = {p} raises the training error by over 1 in 100",
                metric="train_error",
                arm=arm(16, p),
                against=arm(16, 0.0),
                expect="higher",
                beyond=0.01,
            )
            for p in (0.2, 0.5)
        ),
        interaction(
            "narrow-suffers-more",
            "p = 0.5 costs 16 units per layer more than 256",
            metric="error",
            first=(arm(16, 0.5), arm(16, 0.0)),
            second=(arm(256, 0.5), arm(256, 0.0)),
            expect="higher",
        ),
    ),
    run=run,
    full={"train": 2000, "epochs": 100},
    smoke={"data": "stand-in", "train": 100, "epochs": 2, "seeds": 2},
    group=10,
    datasets=("mnist",),
    minutes=3,
)
