"""Dropout against nothing and against L2, when all may choose among the same learning rates."""

from collections.abc import Mapping
from typing import Any

from dropoutlab.studies.criteria import contrast, difference
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import Trial, perceptron
from dropoutlab.studies.tuning import TUNED_READINGS, run_tuned
from dropoutlab.training import Recipe

LRS = (0.05, 0.1, 0.15, 0.2)
RATES = (0.2, 0.35, 0.5)
DECAYS = (0.0003, 0.003)


def run(job: Job) -> list[Row]:
    """Train all candidates of a seed."""

    def trial(seed: int, candidate: Mapping[str, Any]) -> Trial:
        build = perceptron((256, 256), p=candidate.get("p", 0.0))
        epochs = job.profile["epochs"]
        decay = candidate.get("decay", 0.0)
        return Trial(seed, build, Recipe(epochs, batch_size=64, lr=candidate["lr"], weight_decay=decay))

    return run_tuned(job, trial, dataset="mnist")


def arm(strengths: list[dict[str, float]], lrs: tuple[float, ...] = LRS) -> dict[str, Any]:
    """List the candidates of an arm: every learning rate with every strength."""
    return {"grid": [{"lr": lr, **strength} for lr in lrs for strength in strengths]}


DROPOUT = [{"p": p} for p in RATES]

STUDY = Study(
    name="matched-steps",
    title="Dropout or a larger step",
    question="Does dropout still lower the error when the network without it may take steps as large?",
    protocol="""
The study `regularisers` gives every arm four candidates. Dropout spends two of its four on p, and so has only
two learning rates, of which it chose the larger for each of its ten seeds; the network without a regulariser
has four, and chose rates larger than any that dropout was offered. There dropout gained nothing. This study
was registered after that one was read, to see whether the missing learning rates were the reason.

Each seed draws 2,000 training and 1,000 validation images of MNIST. The network has two hidden layers of 256
ReLU units and is trained for 40 epochs by SGD with momentum 0.9 on batches of 64. Three arms choose among the
same four learning rates, 0.05 to 0.2, and besides: dropout among p = 0.2, 0.35 and 0.5, L2 among λ = 0.0003
and 0.003, no regulariser among nothing. Two further arms stay at the learning rate 0.05: no regulariser, and
dropout with its three p. The validation error after the last epoch chooses; only then is the error on all
10,000 test images read. Arms that choose among more candidates profit a little from that; it favours dropout.

Seeds and splits are those of the first study. The whole interval must lie on the expected side of zero.
""",
    arms={
        "none": arm([{}]),
        "dropout": arm(DROPOUT),
        "L2": arm([{"decay": decay} for decay in DECAYS]),
        "none, 0.05": arm([{}], (LRS[0],)),
        "dropout, 0.05": arm(DROPOUT, (LRS[0],)),
    },
    metrics=TUNED_READINGS,
    criteria=(
        difference(
            "helps-at-small-steps",
            "At the learning rate 0.05 dropout lowers the test error",
            metric="error",
            arm="dropout, 0.05",
            against="none, 0.05",
            expect="lower",
        ),
        difference(
            "helps-when-both-choose",
            "When both choose among the same learning rates, dropout lowers the test error",
            metric="error",
            arm="dropout",
            against="none",
            expect="lower",
        ),
        difference(
            "helps-likelihood-when-both-choose",
            "When both choose among the same learning rates, dropout lowers the negative log-likelihood",
            metric="nll",
            arm="dropout",
            against="none",
            expect="lower",
        ),
        contrast(
            "gain-shrinks",
            "The gain of dropout in error is smaller when both choose than at the learning rate 0.05",
            metric="error",
            weights={"dropout": 1.0, "none": -1.0, "dropout, 0.05": -1.0, "none, 0.05": 1.0},
            expect="higher",
        ),
        difference(
            "beats-l2",
            "When both choose among the same learning rates, dropout has a lower test error than L2",
            metric="error",
            arm="dropout",
            against="L2",
            expect="lower",
        ),
        difference(
            "beats-l2-in-likelihood",
            "When both choose among the same learning rates, dropout has the lower negative log-likelihood",
            metric="nll",
            arm="dropout",
            against="L2",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 2000, "validation": 1000, "epochs": 40, "every": 2},
    smoke={"data": "stand-in", "train": 70, "validation": 50, "epochs": 2, "every": 1, "seeds": 2},
    together=True,
    datasets=("mnist",),
    minutes=8,
)
