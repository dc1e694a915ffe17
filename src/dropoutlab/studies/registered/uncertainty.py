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
    return [{"arm": arm, "seed": seed, **_readings(net, (x[validation], y[validation]), (x[test], y[test]), profile)}]


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
