"""Seven ways to regularise one network, each with four candidates to choose from."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from dropoutlab.seeds import Streams
from dropoutlab.studies.criteria import best, difference, every
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import Build, Trial, perceptron
from dropoutlab.studies.tuning import TUNED_READINGS, run_tuned
from dropoutlab.training import Recipe

HIDDEN = (256, 256)
DECAYS = (0.0003, 0.003, 0.01, 0.03)  # of the L2 arms that are not tuned
LR = 0.05  # their learning rate, and that of "none"


def run(job: Job) -> list[Row]:
    """Train all candidates of a seed."""

    def trial(seed: int, candidate: Mapping[str, Any]) -> Trial:
        build: Build = perceptron(HIDDEN, p=candidate.get("p", 0.0))
        recipe = Recipe(
            job.profile["epochs"],
            batch_size=64,
            lr=candidate["lr"],
            weight_decay=candidate.get("decay", 0.0),
            max_norm=candidate.get("max_norm"),
        )
        return Trial(seed, normalised if candidate.get("normalised") else build, recipe)

    return run_tuned(job, trial, dataset="mnist")


def normalised(s: Streams) -> nn.Module:
    """Build the network with batch normalisation between each hidden linear layer and its ReLU."""
    layers: list[nn.Module] = []
    for layer in perceptron(HIDDEN)(s):
        if isinstance(layer, nn.ReLU):
            layers.append(nn.BatchNorm1d(HIDDEN[0]))
        layers.append(layer)
    return nn.Sequential(*layers)


def grid(lrs: tuple[float, ...], *strengths: dict[str, float | bool]) -> list[dict[str, float | bool]]:
    """Combine learning rates and strengths."""
    return [{"lr": lr, **strength} for lr in lrs for strength in strengths]


L2 = [{"decay": 0.0003}, {"decay": 0.003}]

STUDY = Study(
    name="regularisers",
    title="Regularisers compared",
    question="Which regulariser lowers the test error most, when each is tuned alike?",
    protocol="""
Each seed draws 2,000 training and 1,000 validation images of MNIST. The network has two hidden layers of 256
ReLU units and is trained for 40 epochs by SGD with momentum 0.9 on batches of 64.

Every tuned arm has four candidates: four learning rates where there is nothing else to tune (none, early
stopping, batch normalisation), else two learning rates times two strengths. The ranges were set on pilot
seed 0. The validation error after the last epoch chooses; early stopping chooses among every second epoch
too. Only then is the error on all 10,000 test images read. L2 is the penalty λ/2·‖W‖², max-norm bounds the
incoming weights of every unit. Besides, fixed λ from 0.0003 to 0.03 are compared with no regulariser at one
learning rate, 0.05: "always helps" should hold for these as well.

The comparison follows table 9 of Srivastava et al. (2014, JMLR 15:1929): L2 1.62 %, max-norm 1.35 %, dropout
with L2 1.25 %, dropout with max-norm 1.05 %, on 60,000 images and a network of 784-1024-1024-2048-10.
""",
    arms={
        "none": {"grid": grid((LR,), {})},
        **{f"L2 {decay}": {"grid": grid((LR,), {"decay": decay})} for decay in DECAYS},
        "none, tuned": {"grid": grid((0.025, 0.05, 0.1, 0.15), {})},
        "early stopping": {"grid": grid((0.025, 0.05, 0.1, 0.15), {}), "early": True},
        "L2, tuned": {"grid": grid((0.05, 0.1), *L2)},
        "max-norm": {"grid": grid((0.05, 0.1), {"max_norm": 1.0}, {"max_norm": 2.0})},
        "dropout": {"grid": grid((0.025, 0.05), {"p": 0.35}, {"p": 0.5})},
        "dropout and L2": {"grid": grid((0.025, 0.05), *({"p": 0.5, **strength} for strength in L2))},
        "dropout and max-norm": {
            "grid": grid((0.05, 0.1), {"p": 0.5, "max_norm": 1.0}, {"p": 0.5, "max_norm": 2.0})
        },
        "batch normalisation": {"grid": grid((0.025, 0.05, 0.1, 0.2), {"normalised": True})},
    },
    metrics=TUNED_READINGS,
    criteria=(
        difference(
            "dropout-beats-l2",
            "Tuned dropout has a lower test error than tuned L2",
            metric="error",
            arm="dropout",
            against="L2, tuned",
            expect="lower",
        ),
        best(
            "a-dropout-arm-beats-l2",
            "Dropout with L2 and dropout with max-norm both have a lower test error than tuned L2",
            metric="error",
            arm="L2, tuned",
            among=("dropout and L2", "dropout and max-norm"),
            expect="higher",
        ),
        difference(
            "dropout-beats-l2-in-nll",
            "Tuned dropout has a lower negative log-likelihood than tuned L2",
            metric="nll",
            arm="dropout",
            against="L2, tuned",
            expect="lower",
        ),
        difference(
            "dropout-beats-max-norm",
            "Tuned dropout has a lower test error than tuned max-norm",
            metric="error",
            arm="dropout",
            against="max-norm",
            expect="lower",
        ),
        difference(
            "dropout-beats-early-stopping",
            "Tuned dropout has a lower test error than early stopping",
            metric="error",
            arm="dropout",
            against="early stopping",
            expect="lower",
        ),
        difference(
            "dropout-helps",
            "Tuned dropout has a lower test error than no regulariser with a tuned learning rate",
            metric="error",
            arm="dropout",
            against="none, tuned",
            expect="lower",
        ),
        difference(
            "max-norm-adds-to-dropout",
            "Dropout with max-norm has a lower test error than dropout",
            metric="error",
            arm="dropout and max-norm",
            against="dropout",
            expect="lower",
        ),
        difference(
            "l2-adds-to-dropout",
            "Dropout with L2 has a lower test error than dropout",
            metric="error",
            arm="dropout and L2",
            against="dropout",
            expect="lower",
        ),
        difference(
            "l2-helps-when-tuned",
            "Tuned L2 lowers the test error a bit",
            metric="error",
            arm="L2, tuned",
            against="none, tuned",
            expect="lower",
        ),
        difference(
            "l2-helps-nll-when-tuned",
            "Tuned L2 lowers the negative log-likelihood",
            metric="nll",
            arm="L2, tuned",
            against="none, tuned",
            expect="lower",
        ),
        every(
            "l2-always-helps",
            "L2 always helps a bit: each λ from 0.0003 to 0.03 lowers the test error",
            *(
                difference(
                    f"l2-{decay}",
                    f"L2 with λ = {decay} lowers the test error",
                    metric="error",
                    arm=f"L2 {decay}",
                    against="none",
                    expect="lower",
                )
                for decay in DECAYS
            ),
        ),
        *(
            difference(
                f"l2-{name}-helps",
                f"L2 with λ = {decay} lowers the test error",
                metric="error",
                arm=f"L2 {decay}",
                against="none",
                expect="lower",
            )
            for name, decay in zip(("weak", "medium", "strong", "very-strong"), DECAYS, strict=True)
        ),
        difference(
            "early-stopping-helps",
            "Early stopping lowers the test error",
            metric="error",
            arm="early stopping",
            against="none, tuned",
            expect="lower",
        ),
        difference(
            "batch-normalisation-regularises",
            "Batch normalisation lowers the test error",
            metric="error",
            arm="batch normalisation",
            against="none, tuned",
            expect="lower",
        ),
        difference(
            "batch-normalisation-is-mild",
            "Batch normalisation regularises more mildly than dropout: its test error is higher",
            metric="error",
            arm="batch normalisation",
            against="dropout",
            expect="higher",
        ),
    ),
    run=run,
    full={"train": 2000, "validation": 1000, "epochs": 40, "every": 2},
    smoke={"data": "stand-in", "train": 70, "validation": 50, "epochs": 2, "every": 1, "seeds": 2},
    together=True,
    datasets=("mnist",),
    minutes=6,
)
