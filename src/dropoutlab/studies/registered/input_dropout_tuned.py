"""Dropout on the pixels again, with the learning rate and the time to stop chosen for every arm."""

from collections.abc import Mapping
from typing import Any

from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import Trial, adam, perceptron
from dropoutlab.studies.tuning import TUNED_READINGS, run_tuned

LRS = (0.0003, 0.001, 0.003)
HIDDEN, PIXELS = (0.0, 0.5), (0.0, 0.2, 0.5)


def run(job: Job) -> list[Row]:
    """Train all candidates of the arms."""

    def trial(seed: int, candidate: Mapping[str, Any]) -> Trial:
        build = perceptron((256, 256), p=candidate["hidden"], input_p=candidate["pixels"])
        return Trial(seed, build, adam(job.profile["epochs"], lr=candidate["lr"]))

    return run_tuned(job, trial, dataset="mnist")


def arm(pixels: float, hidden: float) -> str:
    """Name an arm."""
    return f"pixels {pixels}, hidden {hidden}"


STUDY = Study(
    name="input-dropout-tuned",
    title="Dropout on the pixels, tuned",
    question="Does dropout on the pixels still help when every network is trained as suits it?",
    protocol="""
The study `input-dropout` trains all its networks alike. There even p = 0.5 on the pixels lowered the error,
against what is usually taught, and the network without dropout may have been at a disadvantage: trained for
as long as the others, it may have overfitted, or another step size may suit it. This study was registered
after that one was read, to see whether the gain goes away.

Each seed draws 2,000 training and 1,000 validation images of MNIST. The network has two hidden layers of 256
ReLU units and is trained by Adam on batches of 64 for 60 epochs. Pixels are dropped with probability 0, 0.2
or 0.5, hidden units with 0 or 0.5. Every arm chooses among three learning rates, 0.0003, 0.001 and 0.003, and
among every fourth epoch, by the validation error; the error on all 10,000 test images is read there.

Seeds are those of the first study. Initial weights are the same; of the training images half are others,
since the validation images are drawn first. A criterion is supported if the whole interval shows a higher
error.
""",
    arms={
        arm(pixels, hidden): {
            "grid": [{"pixels": pixels, "hidden": hidden, "lr": lr} for lr in LRS],
            "early": True,
        }
        for hidden in HIDDEN
        for pixels in PIXELS
    },
    metrics=TUNED_READINGS,
    criteria=tuple(
        difference(
            f"{round(100 * pixels)}-{suffix}-{'alone' if hidden == 0 else 'on-top'}",
            f"Dropping {round(100 * pixels)} % of the pixels raises the {measured}"
            + (" of a network without other dropout" if hidden == 0 else " on top of hidden p = 0.5"),
            metric=metric,
            arm=arm(pixels, hidden),
            against=arm(0.0, hidden),
            expect="higher",
        )
        for metric, suffix, measured in (
            ("error", "hurts", "test error"),
            ("nll", "hurts-nll", "negative log-likelihood"),
        )
        for hidden in HIDDEN
        for pixels in PIXELS[1:]
    ),
    run=run,
    full={"train": 2000, "validation": 1000, "epochs": 60, "every": 4},
    smoke={"data": "stand-in", "train": 70, "validation": 50, "epochs": 2, "every": 1, "seeds": 2},
    group=5,
    datasets=("mnist",),
    minutes=9,
)
