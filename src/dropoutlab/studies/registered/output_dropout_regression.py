"""Dropout on the single output of a regression network."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from sklearn.datasets import load_diabetes
from torch import Generator, Tensor
from torch.nn.functional import mse_loss

from dropoutlab.layers import Dropout
from dropoutlab.minimise import minimise
from dropoutlab.models import mlp
from dropoutlab.seeds import streams
from dropoutlab.studies.criteria import difference, ratio
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.training import Recipe

LRS = (0.0003, 0.001, 0.003)


def run(job: Job) -> list[Row]:
    """Train the candidates of each arm, and read the rate and epoch that are best on validation."""
    rows: list[Row] = []
    for arm in job.arms:
        for seed in job.seeds:
            found = [
                (reading["validation"], epoch, choice, reading)
                for choice, lr in enumerate(LRS)
                for epoch, reading in curve(seed, job.settings[arm], lr, job.profile)
            ]
            _, epoch, choice, reading = min(found, key=lambda place: place[:3])
            values = {"mse": reading["test"], "slope": reading["slope"], "choice": choice, "epoch": epoch}
            rows.append({"arm": arm, "seed": seed, **values})
    return rows


def curve(
    seed: int, settings: Mapping[str, Any], lr: float, profile: Mapping[str, Any]
) -> list[tuple[int, dict[str, float]]]:
    """Train one network, and read it every few epochs."""
    s = streams(seed)
    parts = draw(s.data, centred=settings["centred"])
    net = mlp((10, 64, 64, 1), init=s.init, dtype=torch.float32).append(
        Dropout(settings["p"], generator=s.masks)
    )
    readings: list[tuple[int, dict[str, float]]] = []

    def read(epoch: int) -> None:
        if epoch % profile["every"] == 0:
            with torch.no_grad():
                outputs = {name: net(x) for name, (x, _) in parts.items()}
            reading = {name: mse_loss(outputs[name], y).item() for name, (_, y) in parts.items()}
            target = parts["test"][1]
            reading["slope"] = ((outputs["test"] * target).sum() / target.square().sum()).item()
            readings.append((epoch, reading))

    recipe = Recipe(profile["epochs"], batch_size=32, lr=lr, optimiser="adam")
    minimise(net, *parts["train"], mse_loss, recipe, order=s.order, after_epoch=read)
    return readings


def draw(generator: Generator, *, centred: bool) -> dict[str, tuple[Tensor, Tensor]]:
    """Split the patients; targets are in standard deviations of the training part, from 0 or its mean."""
    x, y = patients()
    parts = torch.split(torch.randperm(len(y), generator=generator), [242, 100, 100])
    train = y[parts[0]]
    zero = train.mean() if centred else 0.0
    names = ("train", "validation", "test")
    return {name: (x[part], (y[part] - zero) / train.std()) for name, part in zip(names, parts, strict=True)}


@cache
def patients() -> tuple[Tensor, Tensor]:
    """Return ten standardised measurements ``(442, 10)`` and the progression of the disease ``(442, 1)``."""
    x, y = load_diabetes(return_X_y=True)
    # scikit-learn scales every column to a sum of squares of 1.
    inputs = torch.as_tensor(x * math.sqrt(len(x)), dtype=torch.float32)
    return inputs, torch.as_tensor(y, dtype=torch.float32).unsqueeze(1)


STUDY = Study(
    name="output-dropout-regression",
    title="Dropout on the output of a regression",
    question="Does dropout on the output corrupt the predictions of a regression?",
    protocol="""
The diabetes data that come with scikit-learn: ten measurements of 442 patients and the progression of their
disease a year later. Each seed splits them into 242 for training, 100 for validation and 100 for testing.
The network has two hidden layers of 64 ReLU units and one output, which is dropped with p = 0.2 or 0.5 in
training only. It is trained on the squared error for 100 epochs with Adam on batches of 32. Every arm
chooses among three learning rates, 0.0003, 0.001 and 0.003, and among every second epoch, by the validation
error; the test error is read there.

With y = f m / q the expected loss is (f − t)² + f² p/q, whose minimum is f = q t: the output is shrunk
towards zero by the factor q. What zero is matters. Targets are divided by their standard deviation; in three
arms the training mean is subtracted too, in three it is not, and lies about two standard deviations above
zero.

The claim is that this corrupts the predictions: it is supported if the whole interval shows a higher squared
error. The slope is that of the line through the origin that best gives the predictions from the targets; its
ratio to the slope without dropout should be near q, and ±0.1 allows for what the network has not learnt.
""",
    arms={
        f"{name}, p {p}": {"p": p, "centred": name == "centred"}
        for name in ("centred", "raw")
        for p in (0.0, 0.2, 0.5)
    },
    metrics={
        "mse": Metric("squared error on the test patients, in variances of the training targets", "1"),
        "slope": Metric("slope through the origin of test predictions on test targets", "1"),
        "choice": Metric("position of the chosen learning rate, from 0", "1"),
        "epoch": Metric("epoch after which the network was read", "epochs"),
    },
    criteria=(
        *(
            difference(
                f"{name}-0{round(10 * p)}-hurts",
                f"Dropping the output with p = {p} raises the squared error for {name} targets",
                metric="mse",
                arm=f"{name}, p {p}",
                against=f"{name}, p 0.0",
                expect="higher",
            )
            for name in ("centred", "raw")
            for p in (0.2, 0.5)
        ),
        *(
            ratio(
                f"{name}-05-shrinks-by-q",
                f"Dropping the output with p = 0.5 halves the predictions for {name} targets",
                metric="slope",
                arm=f"{name}, p 0.5",
                against=f"{name}, p 0.0",
                expect="within",
                low=0.4,
                high=0.6,
            )
            for name in ("centred", "raw")
        ),
    ),
    run=run,
    full={"epochs": 100, "every": 2},
    smoke={"data": "stand-in", "epochs": 2, "every": 1, "seeds": 2},
    seeds=20,
    group=5,
    datasets=(),
    minutes=2,
)
