"""Dropout at the beginning of training only, in a network too small for its data."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from dropoutlab.data import Split
from dropoutlab.directions import batch_gradients, direction_error, direction_variance, full_gradient
from dropoutlab.models import mlp
from dropoutlab.readouts import predict, scores
from dropoutlab.schedules import constant, early, fit_scheduled
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.studies.tasks import task
from dropoutlab.training import Recipe


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train one arm at each learning rate, choose by validation loss, and read what is chosen."""
    [arm] = job.arms
    [seed] = job.seeds
    profile = job.profile
    parts = task("mnist", profile, streams(seed))
    tried = {
        lr: _train(job.settings[arm], lr, profile, parts["train"], streams(seed)) for lr in profile["rates"]
    }
    valid = parts["validation"]
    losses = {lr: scores(predict(net, valid.x), valid.y).nll for lr, (net, _) in tried.items()}
    chosen = min(losses, key=losses.__getitem__)
    net, _ = tried[chosen]
    _, looks = tried[profile["rates"][1]]
    trained, test = (scores(predict(net, parts[name].x), parts[name].y) for name in ("train", "test"))
    variances, errors = zip(*looks, strict=True)
    return [
        {
            "arm": arm,
            "seed": seed,
            "train_loss": trained.nll,
            "train_error": trained.error,
            "error": test.error,
            "nll": test.nll,
            "lr": chosen,
            "direction_variance": sum(variances) / len(variances),
            "direction_error": sum(errors) / len(errors),
        }
    ]


def _train(
    settings: Mapping[str, Any], lr: float, profile: Mapping[str, Any], train: Split, s: Streams
) -> tuple[nn.Sequential, list[tuple[float, float]]]:
    p, width = settings["p"], profile["width"]
    net = mlp((train.x.shape[1], width, width, 10), p=p, init=s.init, masks=s.masks, dtype=torch.float32)
    some = Split(train.x[: profile["compared"]], train.y[: profile["compared"]])
    looks = []

    def look(done: int, _steps: int) -> None:
        if done < profile["looks"] * profile["every"] and done % profile["every"] == 0:
            gradients = batch_gradients(net, train, batches=20, batch_size=128, generator=s.augment)
            target = full_gradient(net, some)
            looks.append((direction_variance(gradients), direction_error(gradients, target)))

    schedule = early(p, until=0.5) if settings["early"] else constant(p)
    recipe = Recipe(profile["epochs"], batch_size=128, lr=lr, optimiser="adam")
    fit_scheduled(net, train, recipe, schedule, order=s.order, before_step=look)
    return net, looks


STUDY = Study(
    name="early-dropout",
    title="Dropout at the beginning only",
    question="Does dropout in the first part of training help a network that underfits?",
    protocol="""
A network 784-16-16-10 is too small for its 50,000 MNIST images, and sees each three times. Early dropout
begins with p and lets it fall linearly to zero over the first half of the steps; ordinary dropout keeps p
throughout. Adam, batch 128; the learning rate is chosen for each seed and arm among 0.003, 0.01 and 0.03 by
the loss on 5,000 validation images. Training loss is read on all training images, in evaluation mode, at
the end; so is the test set of 10,000. That ordinary dropout hurts here, which is what underfitting means,
is a criterion of its own.

Liu et al. (2023, arXiv:2303.01500) train vision transformers on ImageNet, for hundreds of epochs. They
explain the gain by gradients that point the same way: in the first part of training, gradients of small
batches taken with dropout disagree less, and lie closer to the gradient of all data. We measure both every
20 steps over the first 200, on 20 batches of 128 with the masks of training, against the gradient of 10,000
images without masks: half of one minus the cosine, in the run at a learning rate of 0.01.

20 seeds, because runs are short. No margins: the claims name directions.
""",
    arms={
        "none": {"p": 0.0, "early": False},
        "ordinary 0.1": {"p": 0.1, "early": False},
        "early 0.1": {"p": 0.1, "early": True},
        "ordinary 0.3": {"p": 0.3, "early": False},
        "early 0.3": {"p": 0.3, "early": True},
    },
    metrics={
        "train_loss": Metric("training cross-entropy in evaluation mode, after the last step", "nats"),
        "train_error": Metric("training error in evaluation mode, after the last step", "fraction"),
        "error": Metric("test error, after the last step", "fraction"),
        "nll": Metric("test cross-entropy, after the last step", "nats"),
        "lr": Metric("the chosen learning rate", "1"),
        "direction_variance": Metric("mean disagreement of batch gradients, first 200 steps", "1"),
        "direction_error": Metric("mean distance of batch gradients from that of all data, likewise", "1"),
    },
    criteria=(
        difference(
            "early-fits-better",
            "Early dropout from p = 0.1 ends at a lower training loss than no dropout",
            metric="train_loss",
            arm="early 0.1",
            against="none",
            expect="lower",
        ),
        difference(
            "early-tests-better",
            "Early dropout from p = 0.1 ends at a lower test error than no dropout",
            metric="error",
            arm="early 0.1",
            against="none",
            expect="lower",
        ),
        difference(
            "more-early-fits-better",
            "Early dropout from p = 0.3 ends at a lower training loss than no dropout",
            metric="train_loss",
            arm="early 0.3",
            against="none",
            expect="lower",
        ),
        difference(
            "ordinary-hurts",
            "Ordinary dropout with p = 0.1 raises the test error of a network that underfits",
            metric="error",
            arm="ordinary 0.1",
            against="none",
            expect="higher",
        ),
        difference(
            "gradients-agree",
            "Early in training batch gradients disagree less with dropout of p = 0.1 than without",
            metric="direction_variance",
            arm="ordinary 0.1",
            against="none",
            expect="lower",
        ),
        difference(
            "gradients-point-right",
            "Early in training batch gradients with p = 0.1 lie closer to the gradient of all data",
            metric="direction_error",
            arm="ordinary 0.1",
            against="none",
            expect="lower",
        ),
    ),
    run=run,
    full={
        "train": 50_000, "validation": 5_000, "width": 16, "epochs": 3, "rates": [0.003, 0.01, 0.03],
        "looks": 10, "every": 20, "compared": 10_000,
    },
    smoke={
        "data": "stand-in", "train": 300, "validation": 100, "test": 200, "width": 8, "epochs": 2,
        "rates": [0.003, 0.01, 0.03], "looks": 2, "every": 1, "compared": 100, "seeds": 2,
    },
    seeds=20,
    datasets=("mnist",),
    minutes=5,
)  # fmt: skip
