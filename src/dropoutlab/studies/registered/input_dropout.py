"""Dropout on the pixels, alone and on top of dropout on the hidden units."""

from collections.abc import Mapping
from typing import Any

from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron, run_arms

NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def run(job: Job) -> list[Row]:
    """Train the networks of one arm."""
    recipe = adam(job.profile["epochs"])

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        return Trial(seed, perceptron((256, 256), p=settings["hidden"], input_p=settings["pixels"]), recipe)

    return run_arms(job, trial)


def arm(data: str, pixels: float, hidden: float) -> str:
    """Name an arm."""
    return f"{NAMES[data]}, pixels {pixels}, hidden {hidden}"


GRID = [("mnist", pixels, hidden) for hidden in (0.0, 0.5) for pixels in (0.0, 0.1, 0.2, 0.5)]
GRID += [("fashion_mnist", pixels, hidden) for hidden in (0.0, 0.5) for pixels in (0.0, 0.2)]

STUDY = Study(
    name="input-dropout",
    title="Dropout on the pixels",
    question="Does dropout right after the input layer hurt?",
    protocol="""
Each seed draws 2,000 training images of MNIST or of Fashion-MNIST and reads the error on all 10,000 test
images, once, after the last epoch. The network has two hidden layers of 256 ReLU units. Its pixels are
dropped with probability 0, 0.1, 0.2 or 0.5, without dropout on the hidden units and on top of p = 0.5 there.
On Fashion-MNIST, whose images have less empty background, only 0 and 0.2 are compared.

All arms are trained for 45 epochs with Adam (learning rate 0.001, batches of 64), chosen on pilot seeds 0
and 1. Nothing is tuned per arm.

The claim under test is that dropout on the input often hurts more than it helps; a criterion is supported if
the whole interval shows a higher error. Hinton et al. (2012, arXiv:1207.0580) report the opposite: 20 % of
the pixels dropped on top of p = 0.5 took their MNIST network from about 130 to about 110 errors.
""",
    arms={
        arm(data, pixels, hidden): {"data": data, "pixels": pixels, "hidden": hidden}
        for data, pixels, hidden in GRID
    },
    metrics=READINGS,
    criteria=tuple(
        difference(
            f"{data.split('_')[0]}-{round(100 * pixels)}-hurts-{'alone' if hidden == 0 else 'on-top'}",
            f"Dropping {round(100 * pixels)} % of the pixels raises the test error on {NAMES[data]}"
            + (" in a network without other dropout" if hidden == 0 else " on top of hidden p = 0.5"),
            metric="error",
            arm=arm(data, pixels, hidden),
            against=arm(data, 0.0, hidden),
            expect="higher",
        )
        for data, pixels, hidden in GRID
        if pixels > 0
    ),
    run=run,
    full={"train": 2000, "epochs": 45},
    smoke={"data": "stand-in", "train": 100, "epochs": 2, "seeds": 2},
    group=5,
    datasets=("mnist", "fashion_mnist"),
    minutes=3,
)
