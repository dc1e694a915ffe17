"""Dropout in a perceptron with batch normalisation: how much, where, and whether statistics are to blame."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from dropoutlab.normalisation import normalised_mlp
from dropoutlab.seeds import Streams
from dropoutlab.studies.annealing import choose_annealed, train_annealed
from dropoutlab.studies.criteria import (
    Criterion,
    best,
    contrast,
    difference,
    equivalence,
    every,
    interaction,
)
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.renormalised import read_renormalised, renormalised_readings, statistics_are_to_blame
from dropoutlab.studies.trials import READINGS, Trained, Trial, adam, read

BATCH_SIZE = 64
RATES = (0.0, 0.2, 0.5, 0.8)
LAYERS = 2

BEFORE, LAST = "dropout before BN, 0.5", "dropout after last BN only, 0.5"
GAUSSIAN = "BN + Gaussian 0.5"


def run(job: Job) -> list[Row]:
    """Train each arm with every learning rate, and read the network that the validation examples prefer."""
    return [
        {"arm": arm, "seed": seed, **_tuned(job, seed, job.settings[arm])}
        for arm in job.arms
        for seed in job.seeds
    ]


def _tuned(job: Job, seed: int, settings: Mapping[str, Any]) -> dict[str, float]:
    def build(s: Streams) -> nn.Module:
        return normalised_mlp((784, 256, 256, 10), init=s.init, masks=s.masks, **settings)

    def candidate(lr: float) -> Trained:
        recipe = adam(job.profile["epochs"], lr=lr, batch_size=BATCH_SIZE)
        return train_annealed("mnist", job.profile, Trial(seed, build, recipe))

    candidates = [candidate(lr) for lr in job.profile["rates"]]
    chosen = choose_annealed(candidates)
    trained = candidates[chosen]
    row = {**read(trained), "lr": job.profile["rates"][chosen]}
    return {**row, **read_renormalised(trained, BATCH_SIZE, LAYERS)}


def plain(p: float, norm: str = "none") -> str:
    """Name an arm of the grid of rates."""
    names = {"none": "no norm", "batch": "BN", "layer": "LayerNorm"}
    return f"{names[norm]} + {p}" if p else names[norm]


def cause(id: str, arm: str, p: float) -> Criterion:
    """Ask whether dropout costs accuracy, and new statistics win back half of that or more."""
    statement = (
        f"Dropout with p = {p} raises the error of the network with batch normalisation ({arm}), and taking "
        "the statistics again with dropout off wins back at least half of that"
    )
    return statistics_are_to_blame(id, statement, arm=arm, against=plain(0.0, "batch"))


BN, BN_20, BN_50, BN_80 = (plain(p, "batch") for p in RATES)

STUDY = Study(
    name="batchnorm",
    title="Dropout and batch normalisation",
    question="What does dropout add to a network with batch normalisation, and are the statistics to blame?",
    protocol="""
Each seed draws 2,000 training and 5,000 validation images of MNIST. The network has two hidden layers of
256 units: Linear, normalisation, ReLU, dropout. Compared are no normalisation and batch normalisation (BN),
each with p = 0, 0.2, 0.5 and 0.8; layer normalisation with p = 0 and 0.5; with BN and p = 0.5 also dropout
*before* each normalisation, dropout after the last hidden layer only, which no BN can see, and Gaussian
dropout.

Every arm is trained with three learning rates, 0.001, 0.004 and 0.016, and the one with the lowest
validation error is read, once, on all 10,000 test images. The grid was laid on pilot seeds 0 and 1 around
the rate that suits the plain network. Adam, 28 epochs in batches of 64, the last quarter of the epochs at a
tenth of the rate.

After training, the variance of the input of each BN is compared between test time and training (training
images, median over units), and the statistics are taken again with dropout off. Li et al. (2019,
arXiv:1801.05134) hold the shift of variance responsible for 8.9 points of accuracy on CIFAR-100; Hendrycks
and Gimpel (2017, arXiv:1607.02488) won accuracy back by new statistics. If statistics are what hurts, at
least half of the loss must go with them; the network without dropout gets new statistics, too, since its
own lag behind its weights.
""",
    arms={
        **{plain(p, norm): {"norm": norm, "p": p} for norm in ("none", "batch") for p in RATES},
        **{plain(p, "layer"): {"norm": "layer", "p": p} for p in (0.0, 0.5)},
        BEFORE: {"p": 0.5, "order": "before norm"},
        LAST: {"p": 0.5, "order": "after last activation"},
        GAUSSIAN: {"p": 0.5, "noise": "gaussian"},
    },
    metrics={
        **READINGS,
        "lr": Metric("learning rate chosen on the validation examples", "1"),
        **renormalised_readings(LAYERS),
    },
    criteria=(
        difference(
            "bn-regularises",
            "Batch normalisation lowers the test error of a network without dropout",
            metric="error",
            arm=BN,
            against=plain(0.0),
            expect="lower",
        ),
        difference(
            "bn-replaces-dropout",
            "Batch normalisation alone has a lower error than dropout with p = 0.5 alone",
            metric="error",
            arm=BN,
            against=plain(0.5),
            expect="lower",
        ),
        difference(
            "mild-dropout-hurts",
            "With batch normalisation, dropout with p = 0.2 raises the error",
            metric="error",
            arm=BN_20,
            against=BN,
            expect="higher",
        ),
        difference(
            "dropout-hurts",
            "With batch normalisation, dropout with p = 0.5 raises the error",
            metric="error",
            arm=BN_50,
            against=BN,
            expect="higher",
        ),
        difference(
            "aggressive-dropout-hurts",
            "With batch normalisation, dropout with p = 0.8 raises the error",
            metric="error",
            arm=BN_80,
            against=BN,
            expect="higher",
        ),
        interaction(
            "bn-shrinks-the-gain",
            "Dropout with p = 0.5 lowers the error more without batch normalisation than with it",
            metric="error",
            first=(plain(0.5), plain(0.0)),
            second=(BN_50, BN),
            expect="lower",
        ),
        interaction(
            "layer-norm-clashes-less",
            "Dropout with p = 0.5 gains more with layer normalisation, which has no batch statistics",
            metric="error",
            first=(plain(0.5, "layer"), plain(0.0, "layer")),
            second=(BN_50, BN),
            expect="lower",
        ),
        every(
            "variance-shifts",
            "With p = 0.5 before a batch normalisation, the variance of its input is lower at test time",
            *(
                difference(
                    f"variance-shifts-{i}",
                    "The ratio is lower than without dropout",
                    metric="shift_2",
                    arm=arm,
                    against=BN,
                    expect="lower",
                )
                for i, arm in enumerate((BN_50, BEFORE))
            ),
        ),
        cause("shift-is-the-cause", BN_50, 0.5),
        cause("shift-is-the-cause-80", BN_80, 0.8),
        cause("shift-is-the-cause-before", BEFORE, 0.5),
        best(
            "usual-order-is-best",
            "Linear, BN, ReLU, dropout has a lower error than dropout before BN or after the last BN only",
            metric="error",
            arm=BN_50,
            among=(BN_50, BEFORE, LAST),
            expect="lower",
        ),
        contrast(
            "behind-the-last-bn-is-better",
            "Dropout that no batch normalisation sees has a lower error than dropout that one sees",
            metric="error",
            weights={LAST: 1.0, BN_50: -0.5, BEFORE: -0.5},
            expect="lower",
        ),
        equivalence(
            "gaussian-is-no-different",
            "With batch normalisation, Gaussian dropout of equal variance has the same error to half a point",
            metric="error",
            arm=GAUSSIAN,
            against=BN_50,
            margin=0.005,
        ),
    ),
    run=run,
    full={"train": 2000, "validation": 5000, "epochs": 28, "rates": [0.001, 0.004, 0.016]},
    smoke={
        "data": "stand-in",
        "train": 64,
        "validation": 32,
        "test": 100,
        "epochs": 2,
        "rates": [0.001, 0.004],
        "seeds": 2,
    },
    datasets=("mnist",),
    minutes=7,
)
