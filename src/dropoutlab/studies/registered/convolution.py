"""Dropout in the convolutional layers of a small network: whether, of what, and how much."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from dropoutlab.convnets import convnet
from dropoutlab.seeds import Streams
from dropoutlab.studies.annealing import run_annealed
from dropoutlab.studies.criteria import best, contrast, difference, every
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, adam

NONE = "none"
FC = "fc 0.5"


def run(job: Job) -> list[Row]:
    """Train the networks of the job."""
    recipe = adam(job.profile["epochs"], lr=2e-3, batch_size=32)

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        def build(s: Streams) -> nn.Module:
            return convnet(init=s.init, masks=s.masks, **settings)

        return Trial(seed, build, recipe)

    rows = run_annealed(job, "fashion_mnist", trial)
    return [{**row, "gap": float(row["error"]) - float(row["train_error"])} for row in rows]


def both(kind: str, p: float) -> str:
    """Name an arm with dropout in convolutional layers (of single elements or of maps) and p = 0.5 behind."""
    return f"{kind} {p} + fc 0.5"


def alone(p: float) -> str:
    """Name an arm with dropout of single elements in the convolutional layers only."""
    return f"elements {p}"


KINDS = {"elements": "element", "maps": "map"}

STUDY = Study(
    name="convolution",
    title="Dropout in convolutional layers",
    question="Does dropout belong in convolutional layers: of elements or of maps, and at which rate?",
    protocol="""
Each seed draws 3,000 training images of Fashion-MNIST and reads all 10,000 test images once, after the last
epoch. The network has three convolutions of 16, 32 and 32 maps (the first with stride 2, max-pooling after
the others), a fully connected layer of 256 ReLU units and an output layer. Dropout acts after the fully
connected layer (*fc*, p = 0.5), after each convolution, or both; in the convolutions it drops single
elements or whole feature maps.

All arms are trained for 28 epochs with Adam in batches of 32, the last quarter of the epochs at a tenth of
the learning rate of 0.002. That was chosen on pilot seeds 0 and 1, and nothing is tuned per arm, so that an
arm that learns slowly has no more epochs than the others: its training error tells.

Published: on Street View House Numbers, Srivastava et al. (2014) report 3.02 % with dropout in the dense
layers and 2.55 % with dropout in all, with drop probabilities that rise from 0.1 at the input. Tompson et
al. (2015, arXiv:1411.4280) introduced the dropping of maps for human poses. Here image, network and
training set are far smaller.
""",
    arms={
        NONE: {},
        FC: {"fc_p": 0.5},
        **{
            both(kind, p): {"conv_p": p, "kind": setting, "fc_p": 0.5}
            for kind, setting in KINDS.items()
            for p in (0.1, 0.2)
        },
        both("elements", 0.5): {"conv_p": 0.5, "kind": "element", "fc_p": 0.5},
        alone(0.2): {"conv_p": 0.2, "kind": "element"},
        alone(0.5): {"conv_p": 0.5, "kind": "element"},
    },
    metrics={**READINGS, "gap": Metric("test error less training error", "fraction")},
    criteria=(
        difference(
            "fc-helps",
            "Dropout with p = 0.5 in the fully connected layer lowers the test error",
            metric="error",
            arm=FC,
            against=NONE,
            expect="lower",
        ),
        difference(
            "conv-adds",
            "Dropping 10 % of the elements of convolutional layers lowers the error further",
            metric="error",
            arm=both("elements", 0.1),
            against=FC,
            expect="lower",
        ),
        difference(
            "conv-adds-20",
            "Dropping 20 % of the elements of convolutional layers lowers the error further",
            metric="error",
            arm=both("elements", 0.2),
            against=FC,
            expect="lower",
        ),
        contrast(
            "maps-beat-elements",
            "At the same p, 0.1 or 0.2, dropping whole maps gives a lower error than dropping elements",
            metric="error",
            weights={
                both("maps", 0.1): 0.5,
                both("maps", 0.2): 0.5,
                both("elements", 0.1): -0.5,
                both("elements", 0.2): -0.5,
            },
            expect="lower",
        ),
        best(
            "near-the-output",
            "Dropout in the fully connected layer alone gives a lower error than in the convolutions alone",
            metric="error",
            arm=FC,
            among=(FC, alone(0.2), alone(0.5)),
            expect="lower",
        ),
        difference(
            "conv-alone-hurts",
            "Dropping 20 % of the elements of convolutional layers, and nothing else, raises the error",
            metric="error",
            arm=alone(0.2),
            against=NONE,
            expect="higher",
        ),
        every(
            "lower-rate-in-conv",
            "In convolutional layers p = 0.1 and p = 0.2 both give a lower error than p = 0.5",
            *(
                difference(
                    f"lower-rate-in-conv-{round(100 * p)}",
                    f"p = {p} gives a lower error than p = 0.5",
                    metric="error",
                    arm=both("elements", p),
                    against=both("elements", 0.5),
                    expect="lower",
                )
                for p in (0.1, 0.2)
            ),
        ),
    ),
    run=run,
    full={"train": 3000, "epochs": 28},
    smoke={"data": "stand-in", "train": 64, "test": 100, "epochs": 2, "seeds": 2},
    datasets=("fashion_mnist",),
    minutes=14,
)
