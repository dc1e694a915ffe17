"""Dropout, L2 and early stopping, each on or off: all eight combinations."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from dropoutlab.studies.criteria import best, difference, interaction
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import Trial, perceptron
from dropoutlab.studies.tuning import TUNED_READINGS, run_tuned
from dropoutlab.training import Recipe

SINGLE = ("dropout", "L2", "early stopping")
ALL = "dropout, L2, early stopping"


def run(job: Job) -> list[Row]:
    """Train all candidates of a seed; a combination with early stopping reads the same runs earlier."""

    def trial(seed: int, candidate: Mapping[str, Any]) -> Trial:
        recipe = Recipe(job.profile["epochs"], batch_size=64, lr=0.05, weight_decay=candidate["decay"])
        return Trial(seed, perceptron((256, 256), p=candidate["p"]), recipe)

    return run_tuned(job, trial, dataset="mnist")


def cell(*on: bool) -> tuple[str, dict[str, Any]]:
    """Name one combination, and list what it chooses from."""
    dropout, l2, early = on
    rates = (0.3, 0.5) if dropout else (0.0,)
    decays = (0.0003, 0.003) if l2 else (0.0,)
    name = ", ".join(name for name, used in zip(SINGLE, on, strict=True) if used) or "none"
    return name, {"grid": [{"p": p, "decay": decay} for p in rates for decay in decays], "early": early}


STUDY = Study(
    name="factorial",
    title="Dropout, L2 and early stopping together",
    question="Do dropout, L2 and early stopping complement each other?",
    protocol="""
Each seed draws 2,000 training and 1,000 validation images of MNIST. The network has two hidden layers of 256
ReLU units and is trained for 40 epochs by SGD with momentum 0.9 (learning rate 0.05, batches of 64), which
pilot seed 0 showed to suit networks with and without dropout.

All eight combinations of three regularisers are compared. Where dropout is on, p is 0.3 or 0.5; where L2 is
on, λ is 0.0003 or 0.003; where early stopping is on, the network is read after the best of every second
epoch. The lowest validation error makes these choices, separately in each combination and seed; only then is
the error on all 10,000 test images read. A combination with early stopping and the one without it read the
same runs.

"Complement each other" could mean that each still lowers the error on top of another, that all three together
beat each alone, or that their gains add up. Each reading has its criteria. A positive interaction means that
the gain of one shrinks where the other is on.
""",
    arms=dict(cell(*on) for on in product((False, True), repeat=3)),
    metrics=TUNED_READINGS,
    criteria=(
        best(
            "all-beat-each-alone",
            "All three together have a lower test error than each of them alone",
            metric="error",
            arm=ALL,
            among=SINGLE,
            expect="lower",
        ),
        best(
            "all-beat-each-alone-in-nll",
            "All three together have a lower negative log-likelihood than each of them alone",
            metric="nll",
            arm=ALL,
            among=SINGLE,
            expect="lower",
        ),
        difference(
            "all-beat-none",
            "All three together lower the test error",
            metric="error",
            arm=ALL,
            against="none",
            expect="lower",
        ),
        *(
            difference(
                f"{other.replace(' ', '-').lower()}-adds-to-dropout",
                f"On top of dropout, {other} still lowers the test error",
                metric="error",
                arm=f"dropout, {other}",
                against="dropout",
                expect="lower",
            )
            for other in ("L2", "early stopping")
        ),
        difference(
            "l2-adds-to-dropout-in-nll",
            "On top of dropout, L2 still lowers the negative log-likelihood",
            metric="nll",
            arm="dropout, L2",
            against="dropout",
            expect="lower",
        ),
        difference(
            "dropout-adds-to-l2",
            "On top of L2, dropout still lowers the test error",
            metric="error",
            arm="dropout, L2",
            against="L2",
            expect="lower",
        ),
        difference(
            "dropout-adds-to-early-stopping",
            "On top of early stopping, dropout still lowers the test error",
            metric="error",
            arm="dropout, early stopping",
            against="early stopping",
            expect="lower",
        ),
        interaction(
            "dropout-and-l2-overlap",
            "Dropout gains less where L2 is on",
            metric="error",
            first=("dropout, L2", "L2"),
            second=("dropout", "none"),
            expect="higher",
        ),
        interaction(
            "dropout-and-early-stopping-overlap",
            "Dropout gains less where early stopping is on",
            metric="error",
            first=("dropout, early stopping", "early stopping"),
            second=("dropout", "none"),
            expect="higher",
        ),
        interaction(
            "l2-and-early-stopping-overlap",
            "L2 gains less where early stopping is on",
            metric="error",
            first=("L2, early stopping", "early stopping"),
            second=("L2", "none"),
            expect="higher",
        ),
        interaction(
            "dropout-and-l2-overlap-in-nll",
            "Dropout lowers the negative log-likelihood less where L2 is on",
            metric="nll",
            first=("dropout, L2", "L2"),
            second=("dropout", "none"),
            expect="higher",
        ),
    ),
    run=run,
    full={"train": 2000, "validation": 1000, "epochs": 40, "every": 2},
    smoke={"data": "stand-in", "train": 100, "validation": 50, "epochs": 2, "every": 1, "seeds": 2},
    together=True,
    datasets=("mnist",),
    minutes=4,
)
