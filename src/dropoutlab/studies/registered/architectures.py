"""Dropout on six architectures: what it gains at every depth and width."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from dropoutlab.studies.criteria import difference, every
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, perceptron, run_arms
from dropoutlab.training import Recipe

ARCHITECTURES = {f"{depth} × {width}": [width] * depth for width, depth in product((256, 512), (2, 3, 4))}
WITHOUT, WITH = " none", " dropout"

EACH = tuple(
    difference(
        f"helps-{len(hidden)}-{hidden[0]}",
        f"Dropout lowers the test error with {len(hidden)} hidden layers of {hidden[0]} units",
        metric="error",
        arm=name + WITH,
        against=name + WITHOUT,
        expect="lower",
    )
    for name, hidden in ARCHITECTURES.items()
)


def run(job: Job) -> list[Row]:
    """Train one architecture, with or without dropout."""

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        recipe = Recipe(
            job.profile["epochs"],
            batch_size=job.profile["batch_size"],
            optimiser="adam",
            lr=settings["lr"],
            lr_decay=settings["lr_decay"],
            evaluate_every=job.profile["epochs"],
        )
        hidden = [max(1, units // job.profile["thinner"]) for units in settings["hidden"]]
        return Trial(seed, perceptron(hidden, p=settings["p"], input_p=settings["input_p"]), recipe)

    return run_arms(job, trial, dataset="mnist")


STUDY = Study(
    name="architectures",
    title="Six architectures with and without dropout",
    question="Does dropout lower the test error at every depth and width?",
    protocol="""
A replication in proportion of figure 4 of Srivastava et al. (2014, JMLR 15:1929): the error curves of six
networks of two to four layers, once without and once with dropout, form two bundles that do not touch. Course
texts print that figure as if its lines were random seeds. The paper's layers have 1,024 or 2,048 units,
trained on 60,000 images with a bound on the weights of each unit.

Here each seed draws 3,000 training images of MNIST. Networks of two, three or four hidden layers of 256 or
512 ReLU units are trained with and without dropout, p = 0.5 for hidden units and 0.2 for pixels (the paper
keeps 0.5 and 0.8). Networks of one seed share images and order, those of one architecture their initial
weights.

Adam trains for 40 epochs in batches of 128. Learning rate (0.001 or 0.003) and its decay (none, or 8 % per
epoch) were chosen by the validation error of pilot seed 0, averaged over two of the architectures: 0.003
without decay for no dropout, 0.003 with decay for dropout.

The test error is read once, after the last epoch. That every architecture gains asks for six paired intervals
below 0. Two bundles ask that each of the six networks with dropout is better than each of the six without, in
all 36 comparisons.
""",
    arms={
        **{
            name + WITHOUT: {"hidden": hidden, "p": 0.0, "input_p": 0.0, "lr": 0.003, "lr_decay": 1.0}
            for name, hidden in ARCHITECTURES.items()
        },
        **{
            name + WITH: {"hidden": hidden, "p": 0.5, "input_p": 0.2, "lr": 0.003, "lr_decay": 0.92}
            for name, hidden in ARCHITECTURES.items()
        },
    },
    metrics=READINGS,
    criteria=(
        *EACH,
        every("helps-every-architecture", "Dropout lowers the test error of all six architectures", *EACH),
        every(
            "two-bundles",
            "Every network with dropout has a lower test error than every network without",
            *(
                difference(
                    "pair", "", metric="error", arm=one + WITH, against=other + WITHOUT, expect="lower"
                )
                for one, other in product(ARCHITECTURES, repeat=2)
            ),
        ),
    ),
    run=run,
    full={"train": 3000, "epochs": 40, "batch_size": 128, "thinner": 1},
    smoke={"data": "stand-in", "train": 60, "epochs": 2, "batch_size": 32, "thinner": 32, "seeds": 2},
    group=5,
    datasets=("mnist",),
    minutes=9,
)
