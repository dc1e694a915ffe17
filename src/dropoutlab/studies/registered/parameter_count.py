"""Whether convolutional layers overfit less, and whether their few parameters are the reason."""

from collections.abc import Mapping
from typing import Any

from torch import float32, nn

from dropoutlab.convnets import channels_last, conv
from dropoutlab.models import linear
from dropoutlab.seeds import Streams
from dropoutlab.studies.annealing import run_annealed
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.regions import Direction
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron

SMALL, LARGE = "19,000 parameters", "141,000 parameters"
CONV, DENSE = "convolutional, ", "dense, "

MEASURED = (
    ("error_gap", "", "gap between test and training error"),
    ("nll_gap", "-in-nll", "gap between test and training log-likelihood"),
)
COMPARED: tuple[tuple[str, str, str, str, Direction], ...] = (
    (
        "few-beat-many",
        "Compared with 141,000 dense parameters, 19,000 in convolutions give a smaller",
        CONV + SMALL,
        DENSE + LARGE,
        "lower",
    ),
    (
        "kind-matters-when-small",
        "At 19,000 parameters convolutions have a smaller",
        CONV + SMALL,
        DENSE + SMALL,
        "lower",
    ),
    (
        "kind-matters-when-large",
        "At 141,000 parameters convolutions have a smaller",
        CONV + LARGE,
        DENSE + LARGE,
        "lower",
    ),
    (
        "number-matters-in-convolutions",
        "More parameters in convolutions widen the",
        CONV + LARGE,
        CONV + SMALL,
        "higher",
    ),
    (
        "number-matters-in-dense-layers",
        "More parameters in dense layers widen the",
        DENSE + LARGE,
        DENSE + SMALL,
        "higher",
    ),
)


def run(job: Job) -> list[Row]:
    """Train the networks of the job, and take the gaps between test and training readings."""
    recipe = adam(job.profile["epochs"], lr=2e-3, batch_size=32)

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        def build(s: Streams) -> nn.Module:
            return convolutional(settings["maps"], s) if "maps" in settings else perceptron(hidden)(s)

        hidden = settings.get("hidden", [])
        return Trial(seed, build, recipe)

    rows = run_annealed(job, "fashion_mnist", trial)
    return [
        {
            **row,
            **{f"{name}_gap": float(row[name]) - float(row[f"train_{name}"]) for name in ("error", "nll")},
        }
        for row in rows
    ]


def convolutional(maps: int, s: Streams) -> nn.Sequential:
    """Build three convolutions, the last two of twice as many feature maps, and an output layer."""
    return channels_last(
        nn.Sequential(
            nn.Unflatten(1, (1, 28, 28)),
            conv(1, maps, 5, stride=2, generator=s.init),
            nn.ReLU(),
            conv(maps, 2 * maps, 3, generator=s.init),
            nn.ReLU(),
            nn.MaxPool2d(2),
            conv(2 * maps, 2 * maps, 3, generator=s.init),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Flatten(),
            linear(2 * maps * 4 * 4, 10, generator=s.init, dtype=float32),
        )
    )


STUDY = Study(
    name="parameter-count",
    title="Few parameters and overfitting",
    question="Do convolutional layers overfit less than dense ones, and because they have fewer parameters?",
    protocol="""
Two kinds of network, each with about 19,000 and about 141,000 parameters. *Convolutional*: three convolutions
of 16, 32 and 32 maps, or of 48, 96 and 96 (the first with stride 2, max-pooling after the others), and an
output layer. *Dense*: one hidden layer of 24 or 178 units, and an output layer. ReLU everywhere, no dropout.

Each seed draws 1,000 training images of Fashion-MNIST and reads all 10,000 test images once. All networks are
trained for 40 epochs by Adam in batches of 32, the last ten epochs at a tenth of the learning rate of 0.002,
the recipe of the study of convolutional layers. Nothing is tuned per arm.

A network overfits by the gap between its error on test and on training images, in evaluation mode, after the
last epoch. The gap of the negative log-likelihood is judged as well, since a training error stops at zero.

That convolutional layers overfit less *because* they have few parameters predicts two things: that more
parameters of the same kind widen the gap, and that at equal numbers the kind makes no difference. No margins:
the claims name directions.
""",
    arms={
        CONV + SMALL: {"maps": 16},
        CONV + LARGE: {"maps": 48},
        DENSE + SMALL: {"hidden": [24]},
        DENSE + LARGE: {"hidden": [178]},
    },
    metrics={
        **READINGS,
        "error_gap": Metric("test error minus training error", "fraction"),
        "nll_gap": Metric("negative log-likelihood of test labels minus that of training labels", "nats"),
    },
    criteria=tuple(
        difference(
            f"{name}{suffix}", f"{text} {measured}", metric=metric, arm=arm, against=other, expect=sign
        )
        for metric, suffix, measured in MEASURED
        for name, text, arm, other, sign in COMPARED
    ),
    run=run,
    full={"train": 1000, "epochs": 40},
    smoke={"data": "stand-in", "train": 64, "test": 100, "epochs": 2, "seeds": 2},
    datasets=("fashion_mnist",),
    minutes=5,
)
