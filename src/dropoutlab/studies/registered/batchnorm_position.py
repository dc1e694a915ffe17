"""Places for dropout in a residual network with batch normalisation."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from dropoutlab.resnets import resnet
from dropoutlab.seeds import Streams
from dropoutlab.studies.annealing import run_annealed
from dropoutlab.studies.criteria import Criterion, best, columns, difference, every
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.renormalised import read_renormalised, renormalised_readings, statistics_are_to_blame
from dropoutlab.studies.trials import READINGS, Trained, Trial, adam

BATCH_SIZE = 64
LAYERS = 7

NONE = "none"
START, BEFORE_LAST, END = "branch start 0.3", "before last layer 0.3", "branch end 0.3"
STRONG = "branch end 0.5"
POOLING, HEAD = "before pooling 0.3", "before head 0.3"


def run(job: Job) -> list[Row]:
    """Train the networks of the job."""
    recipe = adam(job.profile["epochs"], lr=6e-3, batch_size=BATCH_SIZE)

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        def build(s: Streams) -> nn.Module:
            return resnet(init=s.init, masks=s.masks, **settings)

        return Trial(seed, build, recipe)

    def more(trained: Trained) -> dict[str, float]:
        return read_renormalised(trained, BATCH_SIZE, LAYERS)

    return run_annealed(job, "fashion_mnist", trial, more=more)


def cause(id: str, arm: str) -> Criterion:
    """Ask whether dropout costs accuracy, and new statistics win back half of that or more."""
    statement = (
        f"Dropout on the output of every branch raises the error ({arm}), and taking the statistics again "
        "with dropout off wins back at least half of that"
    )
    return statistics_are_to_blame(id, statement, arm=arm, against=NONE)


STUDY = Study(
    name="batchnorm-position",
    title="Where dropout goes in a residual network with batch normalisation",
    question="Where does dropout help a residual network with batch normalisation, and where does it hurt?",
    protocol="""
Each seed draws 2,000 training images of Fashion-MNIST and reads all 10,000 test images once. The network is
a residual one with three blocks of 16, 32 and 64 maps, each branch being norm, ReLU, convolution, norm,
ReLU, convolution; then norm, ReLU, average pooling and an output layer: seven batch normalisations. Dropout
of single elements with p = 0.3, the rate of Zagoruyko and Komodakis (2016) on CIFAR, goes to one place: the
start of every branch (its second normalisation follows), before the last convolution of every branch
(behind its last normalisation), the end of every branch (the next block's normalisation follows; also with
p = 0.5, the rate of Li et al.), before the average pooling, or between pooling and output layer.

All arms: Adam, learning rate 0.006, batches of 64, 20 epochs, the last quarter of them at a tenth of the
rate. On pilot seed 0 the arms that were tried with 0.006 did as well as or better than with 0.002, the one
without dropout by two points. Nothing is tuned per arm. After training, the variance shift before each
normalisation is measured on the training images, and the statistics are taken again with dropout off (see
`batchnorm`).

Kim et al. (2023, PMLR 216) recommend the place before the last layer of the branch, and in the head the
place before pooling. Li et al. (2019, arXiv:1801.05134) lost 8.9 points of accuracy on CIFAR-100 with p =
0.5 in every bottleneck of a DenseNet. Both worked with far deeper networks.
""",
    arms={
        NONE: {},
        START: {"p": 0.3, "place": "branch start"},
        BEFORE_LAST: {"p": 0.3, "place": "before last layer"},
        END: {"p": 0.3, "place": "branch end"},
        STRONG: {"p": 0.5, "place": "branch end"},
        POOLING: {"p": 0.3, "place": "before pooling"},
        HEAD: {"p": 0.3, "place": "before head"},
    },
    metrics={**READINGS, **renormalised_readings(LAYERS)},
    criteria=(
        difference(
            "good-place-helps",
            "Dropout after the last normalisation of every branch lowers the error",
            metric="error",
            arm=BEFORE_LAST,
            against=NONE,
            expect="lower",
        ),
        every(
            "bad-places-hurt",
            "Dropout before a normalisation, at the start or the end of every branch, raises the error",
            *(
                difference(
                    f"bad-places-hurt-{place.split()[1]}",
                    f"Dropout at the {place.split()[1]} of every branch raises the error",
                    metric="error",
                    arm=place,
                    against=NONE,
                    expect="higher",
                )
                for place in (START, END)
            ),
        ),
        best(
            "good-place-is-best",
            "Dropout after the last normalisation of every branch has a lower error than elsewhere in it",
            metric="error",
            arm=BEFORE_LAST,
            among=(BEFORE_LAST, START, END),
            expect="lower",
        ),
        difference(
            "pooling-beats-head",
            "In the head, dropout before average pooling has a lower error than after it",
            metric="error",
            arm=POOLING,
            against=HEAD,
            expect="lower",
        ),
        difference(
            "strong-dropout-hurts",
            "Dropout with p = 0.5 on the output of every branch raises the error",
            metric="error",
            arm=STRONG,
            against=NONE,
            expect="higher",
        ),
        every(
            "variance-shifts",
            "With dropout on the output of every branch, the variance before the next block's normalisation "
            "is lower at test time",
            *(
                difference(
                    f"variance-shifts-{layer}",
                    "The ratio is lower than without dropout",
                    metric=f"shift_{layer}",
                    arm=STRONG,
                    against=NONE,
                    expect="lower",
                )
                for layer in (3, 5, 7)
            ),
        ),
        cause("shift-is-the-cause", STRONG),
        cause("shift-is-the-cause-30", END),
        columns(
            "new-statistics-help",
            "Taking the statistics again with dropout off lowers the error of the network with p = 0.5",
            arm=STRONG,
            metric="error_reestimated",
            against="error",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 2000, "epochs": 20},
    smoke={"data": "stand-in", "train": 64, "test": 100, "epochs": 2, "seeds": 2},
    datasets=("fashion_mnist",),
    minutes=10,
)
