"""Several masks for each example and step: dropout's penalty without most of its noise."""

import torch
from torch import nn

from dropoutlab.mask_copies import MaskCopies, copies_loss
from dropoutlab.minimise import minimise
from dropoutlab.models import mlp
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import streams
from dropoutlab.studies.criteria import difference, trend
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.studies.tasks import task
from dropoutlab.training import Recipe


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train one network with k masks for each example and step."""
    [arm] = job.arms
    [seed] = job.seeds
    profile, settings, s = job.profile, job.settings[arm], streams(seed)
    parts = task("mnist", profile, s)
    train, width = parts["train"], profile["width"]
    net: nn.Sequential = mlp(
        (train.x.shape[1], width, width, 10), p=settings["p"], init=s.init, masks=s.masks, dtype=torch.float32
    )
    recipe = Recipe(profile["epochs"], batch_size=32, lr=0.01, momentum=0.9)
    minimise(MaskCopies(net, settings["k"]), train.x, train.y, copies_loss, recipe, order=s.order)
    test, seen = (scores(predict(net, part.x), part.y) for part in (parts["test"], train))
    return [
        {
            "arm": arm,
            "seed": seed,
            "error": test.error,
            "nll": test.nll,
            "train_error": seen.error,
            "train_nll": seen.nll,
        }
    ]


STUDY = Study(
    name="explicit-implicit",
    title="Penalty and noise of dropout, taken apart",
    question="Does dropout help by its penalty alone, or also by the noise that it adds to the steps?",
    protocol="""
Averaging the gradient over k masks for each example leaves the expected step, and with it dropout's
explicit penalty, as it is. The noise of the masks falls as 1/k. So what changes with k is the implicit
effect of noise (Wei, Kakade and Ma, 2020, arXiv:2002.12915, who tried language models and saw more masks
generalise worse).

A network 784-256-256-10 with p = 0.5 on both hidden layers is trained on 1,000 MNIST images: 60 epochs of
SGD with momentum 0.9, batch 32, learning rate 0.01, for k = 1, 2, 8 and 32, and once without dropout. All
arms of one seed share images, initial weights and order; only the masks differ. The learning rate, one for
all arms as the argument demands, was chosen on pilot seeds 0 and 1; at 0.05 one mask was so noisy that the
last step decided. The 10,000 test images are read after the last epoch.

Errors are near 10 %, so one seed moves by a percentage point; pairs of arms move by less. Hence 16 seeds.
The noise of small batches is there in all arms. No margins: the claims name directions.
""",
    arms={
        "none": {"p": 0.0, "k": 1},
        "k = 1": {"p": 0.5, "k": 1},
        "k = 2": {"p": 0.5, "k": 2},
        "k = 8": {"p": 0.5, "k": 8},
        "k = 32": {"p": 0.5, "k": 32},
    },
    metrics={
        "error": Metric("test error after the last epoch", "fraction"),
        "nll": Metric("test cross-entropy after the last epoch", "nats"),
        "train_error": Metric("training error in evaluation mode", "fraction"),
        "train_nll": Metric("training cross-entropy in evaluation mode", "nats"),
    },
    criteria=(
        difference(
            "noise-helps",
            "With 32 masks for each example, almost without noise, the test error is higher than with one",
            metric="error",
            arm="k = 32",
            against="k = 1",
            expect="higher",
        ),
        difference(
            "noise-helps-likelihood",
            "With 32 masks for each example the test cross-entropy is higher than with one",
            metric="nll",
            arm="k = 32",
            against="k = 1",
            expect="higher",
        ),
        trend(
            "less-noise-is-worse",
            "Each doubling of the number of masks raises the test error",
            metric="error",
            x={"k = 1": 0.0, "k = 2": 1.0, "k = 8": 3.0, "k = 32": 5.0},
            expect="higher",
        ),
        difference(
            "penalty-helps",
            "The penalty alone helps: with 32 masks the test error is lower than without dropout",
            metric="error",
            arm="k = 32",
            against="none",
            expect="lower",
        ),
        difference(
            "dropout-helps",
            "Ordinary dropout, one mask for each example, lowers the test error",
            metric="error",
            arm="k = 1",
            against="none",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 1000, "width": 256, "epochs": 60},
    smoke={"data": "stand-in", "train": 100, "test": 100, "width": 8, "epochs": 2, "seeds": 2},
    seeds=16,
    datasets=("mnist",),
    minutes=5,
)
