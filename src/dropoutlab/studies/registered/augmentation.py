"""Augmentation against dropout and weight decay, and an augmentation that does not fit the data."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from dropoutlab.augmentation import random_flip, random_shift
from dropoutlab.convnets import convnet
from dropoutlab.seeds import Streams
from dropoutlab.studies.annealing import MakeAugment, run_annealed
from dropoutlab.studies.criteria import difference, interaction
from dropoutlab.studies.measure import linear
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.regions import one_side
from dropoutlab.studies.trials import READINGS, Trial, adam, perceptron
from dropoutlab.training import Augment

SHAPE = (28, 28)
DROPOUT = {"fc_p": 0.5, "conv_p": 0.1}

NONE, SHIFTS, EXPLICIT, BOTH = "none", "shifts", "dropout + weight decay", "both"


def run(job: Job) -> list[Row]:
    """Train the networks of the job."""

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        if settings["net"] == "mlp":
            return Trial(seed, perceptron((256, 256)), adam(job.profile["mlp_epochs"]))

        def build(s: Streams) -> nn.Module:
            return convnet(init=s.init, masks=s.masks, **settings["dropout"])

        decay = settings["weight_decay"]
        return Trial(seed, build, adam(job.profile["epochs"], lr=2e-3, batch_size=32, weight_decay=decay))

    return run_annealed(job, None, trial, augment=_augment)


def _augment(settings: Mapping[str, Any]) -> MakeAugment | None:
    pixels = settings.get("pixels", 0)

    def shifts(s: Streams) -> Augment:
        def augment(x: Tensor) -> Tensor:
            return random_shift(x, SHAPE, pixels=pixels, generator=s.augment)

        return augment

    def flips(s: Streams) -> Augment:
        def augment(x: Tensor) -> Tensor:
            return random_flip(x, SHAPE, generator=s.augment)

        return augment

    if settings.get("flips", False):
        return flips
    return shifts if pixels else None


def digits(data: str, flips: bool) -> str:
    """Name an arm of the perceptron with or without flips."""
    return f"{'MNIST' if data == 'mnist' else 'Fashion-MNIST'}, perceptron, {'flips' if flips else 'none'}"


def convolutional(**changes: Any) -> dict[str, Any]:
    """Return the settings of an arm of the convolutional network."""
    return {
        "data": "fashion_mnist",
        "net": "conv",
        "dropout": {},
        "weight_decay": 0.0,
        "pixels": 0,
        **changes,
    }


MNIST, MNIST_FLIPS = digits("mnist", False), digits("mnist", True)
FASHION, FASHION_FLIPS = digits("fashion_mnist", False), digits("fashion_mnist", True)

STUDY = Study(
    name="augmentation",
    title="Augmentation, dropout and weight decay",
    question="Can augmentation stand in for dropout and weight decay, and has it no downside?",
    protocol="""
Each seed draws 2,000 training images and reads all 10,000 test images once, after the last epoch.

*Fashion-MNIST, convolutional network* (three convolutions of 16, 32 and 32 maps, 256 fully connected
units): without regularisation; with random shifts by up to one pixel in both directions; with dropout (p =
0.5 in the fully connected layer, 0.1 in the convolutions) and weight decay of 0.0001; with both. 36 epochs
of Adam in batches of 32, the last quarter at a tenth of the learning rate of 0.002.

*Perceptron* (two hidden layers of 256 units, no dropout): with and without horizontal flips of half of the
training images, on Fashion-MNIST, where a mirrored shirt is a shirt, and on MNIST, where a mirrored 2 is
none. 32 epochs in batches of 64, learning rate 0.001, annealed alike.

Rates, decay and shift were chosen on pilot seed 0. Nothing is tuned per arm, and all have the same number
of epochs, although those with shifts learn more slowly. Hernández-García and König (2018, arXiv:1806.03852)
trained all-convolutional, wide residual and dense networks on CIFAR and ImageNet and saw augmentation alone
do as well as, or better than, augmentation with dropout and weight decay. Here that is supported if adding
them to shifts gains less than half a point: the whole interval of error(both) − error(shifts) above −0.5
points.
""",
    arms={
        NONE: convolutional(),
        SHIFTS: convolutional(pixels=1),
        EXPLICIT: convolutional(dropout=DROPOUT, weight_decay=1e-4),
        BOTH: convolutional(dropout=DROPOUT, weight_decay=1e-4, pixels=1),
        **{
            digits(data, flips): {"data": data, "net": "mlp", "flips": flips}
            for data in ("mnist", "fashion_mnist")
            for flips in (False, True)
        },
    },
    metrics=READINGS,
    criteria=(
        linear(
            "augmentation-suffices",
            "Adding dropout and weight decay to shifts lowers the error by less than half a point",
            {(BOTH, "error"): 1.0, (SHIFTS, "error"): -1.0},
            one_side("higher", -0.005),
            f"error({BOTH}) − error({SHIFTS})",
        ),
        difference(
            "augmentation-beats-dropout",
            "Shifts alone have a lower error than dropout and weight decay",
            metric="error",
            arm=SHIFTS,
            against=EXPLICIT,
            expect="lower",
        ),
        difference(
            "augmentation-helps",
            "Shifts alone lower the error",
            metric="error",
            arm=SHIFTS,
            against=NONE,
            expect="lower",
        ),
        difference(
            "flips-hurt-digits",
            "Horizontal flips raise the error on handwritten digits",
            metric="error",
            arm=MNIST_FLIPS,
            against=MNIST,
            expect="higher",
        ),
        interaction(
            "flips-fit-clothes",
            "Flips do more for clothes, which they leave what they are, than for digits",
            metric="error",
            first=(FASHION_FLIPS, FASHION),
            second=(MNIST_FLIPS, MNIST),
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 2000, "epochs": 36, "mlp_epochs": 32},
    smoke={"data": "stand-in", "train": 64, "test": 100, "epochs": 2, "mlp_epochs": 2, "seeds": 2},
    datasets=("mnist", "fashion_mnist"),
    minutes=5,
)
