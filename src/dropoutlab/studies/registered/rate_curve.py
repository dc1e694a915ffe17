"""The drop probability from 0 to 0.9, at a fixed width and at a fixed number of units that are kept."""

from collections.abc import Mapping
from typing import Any

from dropoutlab.studies.criteria import Criterion, contrast, difference, equivalence, every, interaction
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron, run_arms

WIDTH = 256
KEPT = 64  # units kept on average where the width grows with p
GROWING = ", 64 kept"  # ends the names of those arms
RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def run(job: Job) -> list[Row]:
    """Train the networks of one rate."""
    recipe = adam(job.profile["epochs"])

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        return Trial(seed, perceptron((settings["width"],) * 2, p=settings["p"]), recipe)

    return run_arms(job, trial, dataset="mnist")


def keeps_half(p: float, series: str = "") -> Criterion:
    """Compare a rate with the middle between no dropout and p = 0.5, within one series."""
    weights = {f"p {p}{series}": 1.0, f"p 0.0{series}": -0.5, f"p 0.5{series}": -0.5}
    statement = f"p = {p} gets more than half of what p = 0.5 gains"
    return contrast("keeps-half", statement, metric="error", weights=weights, expect="lower")


STUDY = Study(
    name="rate-curve",
    title="The drop probability from 0 to 0.9",
    question="How does the test error depend on the drop probability of the hidden units?",
    protocol="""
Each seed draws 2,000 training images of MNIST and reads the error on all 10,000 test images, once, after the
last epoch. The network has two hidden layers of ReLU units, the same drop probability p on both, and none on
the pixels. It is trained for 60 epochs with Adam (learning rate 0.001, batches of 64), for every p alike:
pilot seeds 0 and 1 showed that this rate trains all of them, and that SGD at a rate good for p = 0 does not
train p = 0.9 at all.

As in figure 9 of Srivastava et al. (2014, JMLR 15:1929), p varies in two ways: at a fixed width of 256, and
at a width of 64 / (1 − p), so that 64 units are kept on average. The paper's p is our q = 1 − p, and its
network and training set are larger.

"Flat" asks that a rate keeps more than half of what p = 0.5 gains on no dropout. The margin of 0.3 percentage
points for "equally good" is about a third of the gain seen in pilots. Too high a rate is judged against two
references, no dropout and p = 0.5, since the advice names neither.
""",
    arms={f"p {p}": {"p": p, "width": WIDTH} for p in RATES}
    | {f"p {p}{GROWING}": {"p": p, "width": round(KEPT / (1 - p))} for p in RATES},
    metrics=READINGS,
    criteria=(
        difference(
            "half-helps",
            "p = 0.5 is a solid starting point: it lowers the test error",
            metric="error",
            arm="p 0.5",
            against="p 0.0",
            expect="lower",
        ),
        every(
            "flat-at-fixed-width",
            "At a fixed width the error is flat from p = 0.2 to 0.6",
            *(keeps_half(p) for p in (0.2, 0.3, 0.4, 0.6)),
        ),
        every(
            "flat-at-fixed-kept",
            "With the number of kept units fixed the error is flat from p = 0.2 to 0.6",
            *(keeps_half(p, GROWING) for p in (0.2, 0.3, 0.4, 0.6)),
        ),
        difference(
            "high-is-worse-at-fixed-width",
            "At a fixed width p = 0.9 is worse than p = 0.5",
            metric="error",
            arm="p 0.9",
            against="p 0.5",
            expect="higher",
        ),
        difference(
            "high-is-worse-at-fixed-kept",
            "With the number of kept units fixed p = 0.9 is still worse than p = 0.5",
            metric="error",
            arm=f"p 0.9{GROWING}",
            against=f"p 0.5{GROWING}",
            expect="higher",
        ),
        interaction(
            "width-makes-up",
            "More units make up for part of what p = 0.9 costs",
            metric="error",
            first=("p 0.9", "p 0.5"),
            second=(f"p 0.9{GROWING}", f"p 0.5{GROWING}"),
            expect="higher",
        ),
        equivalence(
            "low-has-no-effect",
            "Too low a rate, p = 0.1, has no effect on the test error",
            metric="error",
            arm="p 0.1",
            against="p 0.0",
            margin=0.003,
        ),
        difference(
            "low-helps",
            "Even p = 0.1 lowers the test error",
            metric="error",
            arm="p 0.1",
            against="p 0.0",
            expect="lower",
        ),
        every(
            "high-underfits",
            "Too high a rate, p = 0.9, underfits: training and test error both exceed those at p = 0.5",
            difference(
                "training",
                "p = 0.9 leaves at least one in a hundred training images unlearnt",
                metric="train_error",
                arm="p 0.9",
                against="p 0.5",
                expect="higher",
                beyond=0.01,
            ),
            difference(
                "test",
                "p = 0.9 raises the test error",
                metric="error",
                arm="p 0.9",
                against="p 0.5",
                expect="higher",
            ),
        ),
        *(
            difference(
                f"p{round(10 * p)}-hurts-against-none",
                f"p = {p} hurts: its test error is higher than without dropout",
                metric="error",
                arm=f"p {p}",
                against="p 0.0",
                expect="higher",
            )
            for p in (0.6, 0.7, 0.8, 0.9)
        ),
        contrast(
            "above-half-hurts-against-none",
            "p above 0.5 hurts: over 0.6, 0.7, 0.8 and 0.9 the test error is on average higher than without",
            metric="error",
            weights={"p 0.6": 0.25, "p 0.7": 0.25, "p 0.8": 0.25, "p 0.9": 0.25, "p 0.0": -1.0},
            expect="higher",
        ),
        contrast(
            "above-half-hurts-against-half",
            "p above 0.5 hurts: over 0.6, 0.7, 0.8 and 0.9 the test error is on average higher than at 0.5",
            metric="error",
            weights={"p 0.6": 0.25, "p 0.7": 0.25, "p 0.8": 0.25, "p 0.9": 0.25, "p 0.5": -1.0},
            expect="higher",
        ),
        difference(
            "third-helps",
            "p = 0.3 is a good default: it lowers the test error",
            metric="error",
            arm="p 0.3",
            against="p 0.0",
            expect="lower",
        ),
        equivalence(
            "third-equals-half",
            "As a default p = 0.3 is as good as p = 0.5",
            metric="error",
            arm="p 0.3",
            against="p 0.5",
            margin=0.003,
        ),
        difference(
            "half-beats-third",
            "p = 0.5 is the better default than p = 0.3",
            metric="error",
            arm="p 0.5",
            against="p 0.3",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 2000, "epochs": 60},
    smoke={"data": "stand-in", "train": 100, "epochs": 2, "seeds": 2},
    group=5,
    datasets=("mnist",),
    minutes=6,
)
