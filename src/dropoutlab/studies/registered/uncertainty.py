"""Monte-Carlo dropout against the full network, for regression on a small table."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from dropoutlab.minimise import minimise
from dropoutlab.models import mlp
from dropoutlab.seeds import streams
from dropoutlab.studies.criteria import columns, difference
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.training import Recipe
from dropoutlab.uncertainty import best_noise, diabetes, log_density, root_mean_square, sampled_outputs


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train on one random split, and read the same network in both ways."""
    [arm] = job.arms
    [seed] = job.seeds
    profile, s = job.profile, streams(seed)
    x, y = (part.float() for part in diabetes())
    order = torch.randperm(len(x), generator=s.data)
    train, validation, test = order.split([len(x) - 2 * profile["held_out"], *[profile["held_out"]] * 2])
    net = mlp((10, 50, 1), p=job.settings[arm]["p"], init=s.init, masks=s.masks, dtype=torch.float32)
    recipe = Recipe(
        profile["epochs"], batch_size=32, lr=1e-3, weight_decay=profile["decay"], optimiser="adam"
    )
    minimise(net, x[train], y[train], mse_loss, recipe, order=s.order)
    return [
        {
            "arm": arm,
            "seed": seed,
            **_readings(net, (x[validation], y[validation]), (x[test], y[test]), profile),
        }
    ]


@torch.no_grad()
def _readings(
    net: nn.Module, validation: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], profile: Mapping[str, Any]
) -> dict[str, float]:
    candidates = torch.logspace(-1, 0.5, 46)
    net.eval()
    values: dict[str, float] = {}
    for name, outputs in (
        ("full", [net(x)[None] for x, _ in (validation, test)]),
        ("mc", [sampled_outputs(net, x, profile["samples"]) for x, _ in (validation, test)]),
    ):
        noise = best_noise(outputs[0], validation[1], candidates)
        values[f"rmse_{name}"] = root_mean_square(outputs[1].mean(dim=0), test[1])
        values[f"log_density_{name}"] = log_density(outputs[1], test[1], noise)
        values[f"noise_{name}"] = noise
    return values


STUDY = Study(
    name="uncertainty",
    title="Monte-Carlo dropout in regression",
    question="Does averaging many passes with dropout predict better than the full network, in regression?",
    protocol="""
442 patients, ten measurements, the progress of their diabetes a year later: the table that comes with
scikit-learn, all columns standardised. Each seed draws a split of 302 for training, 70 for validation and
70 for testing. A network 10-50-1 with dropout on the hidden units, or without, is trained on the squared
error: 200 epochs of Adam (rate 0.001, batch 32, weight decay 0.001), chosen on pilot seeds 0 to 2.

The same network is read twice. The full network is one normal density around its output. Monte-Carlo
dropout is a mixture of 100, one for each of 100 passes with masks (Gal and Ghahramani, 2016,
arXiv:1506.02142). Each reading chooses the width of its densities for itself, on validation, among 46
values from 0.1 to 3.2. The root-mean-square error takes the mean of the passes. 40 splits, because a test
set of 70 is small. Units are standard deviations of the target.

The published comparison is of ten other tables, against variational inference and probabilistic
backpropagation; that the sample beats the single pass is how its result is commonly quoted. No margins.
""",
    arms={"none": {"p": 0.0}, "dropout 0.1": {"p": 0.1}, "dropout 0.3": {"p": 0.3}},
    metrics={
        "rmse_full": Metric("root-mean-square test error of the full network, in SDs of the target", "1"),
        "rmse_mc": Metric("root-mean-square test error of the mean of 100 passes", "1"),
        "log_density_full": Metric("mean test log-density, one normal around the full network", "nats"),
        "log_density_mc": Metric("mean test log-density, mixture of 100 passes", "nats"),
        "noise_full": Metric("chosen width, full network", "1"),
        "noise_mc": Metric("chosen width, 100 passes", "1"),
    },
    criteria=(
        columns(
            "smaller-error",
            "At p = 0.1 the mean of 100 passes has a smaller error than the full network",
            arm="dropout 0.1",
            metric="rmse_mc",
            against="rmse_full",
            expect="lower",
        ),
        columns(
            "higher-density",
            "At p = 0.1 the mixture of 100 passes gives the targets a higher density than the full network",
            arm="dropout 0.1",
            metric="log_density_mc",
            against="log_density_full",
            expect="higher",
        ),
        columns(
            "smaller-error-at-0-3",
            "At p = 0.3 the mean of 100 passes has a smaller error than the full network",
            arm="dropout 0.3",
            metric="rmse_mc",
            against="rmse_full",
            expect="lower",
        ),
        columns(
            "higher-density-at-0-3",
            "At p = 0.3 the mixture of 100 passes gives the targets a higher density than the full network",
            arm="dropout 0.3",
            metric="log_density_mc",
            against="log_density_full",
            expect="higher",
        ),
        difference(
            "better-than-none",
            "The mixture of passes at p = 0.1 gives a higher density than a network without dropout",
            metric="log_density_mc",
            arm="dropout 0.1",
            against="none",
            expect="higher",
        ),
    ),
    run=run,
    full={"held_out": 70, "epochs": 200, "decay": 0.001, "samples": 100},
    smoke={"data": "stand-in", "held_out": 70, "epochs": 2, "decay": 0.001, "samples": 5},
    seeds=40,
    datasets=(),
    minutes=2,
)
