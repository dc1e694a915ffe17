"""What dropout does to a hidden layer, by every measure of co-adaptation and robustness of the lab."""

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from dropoutlab.coadaptation import (
    correlation,
    effective_rank,
    lesion,
    probe_accuracy,
    sparsity,
    synergy,
    unit_lesions,
    weight_noise,
)
from dropoutlab.corruption import occlude, pixel_noise
from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.studies.tasks import task
from dropoutlab.training import Recipe, fit_many


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train one arm on all seeds of the job, and measure each network's last hidden layer."""
    [arm] = job.arms
    profile = job.profile
    replicas = [streams(seed) for seed in job.seeds]
    data = [task("mnist", profile, s) for s in replicas]
    widths = (data[0]["train"].x.shape[1], profile["width"], profile["width"], 10)
    nets = [
        mlp(widths, p=job.settings[arm]["p"], init=s.init, masks=s.masks, dtype=torch.float32)
        for s in replicas
    ]
    histories = fit_many(
        nets,
        [parts["train"] for parts in data],
        Recipe(
            profile["epochs"], batch_size=128, lr=1e-3, optimiser="adam", evaluate_every=profile["epochs"]
        ),
        orders=[s.order for s in replicas],
        evaluate={"train": [parts["train"] for parts in data]},
    )
    return [
        {
            "arm": arm,
            "seed": seed,
            "train_loss": history.loss["train"][-1],
            **_measure(net, parts, profile, s),
        }
        for seed, net, parts, history, s in zip(job.seeds, nets, data, histories, replicas, strict=True)
    ]


@torch.no_grad()
def _measure(
    net: nn.Sequential, parts: Mapping[str, Split], profile: Mapping[str, Any], s: Streams
) -> dict[str, float]:
    train, test = parts["train"], parts["test"]
    seen, hidden = net[:-1](train.x), net[:-1](test.x)
    head, g, width = cast("nn.Linear", net[-1]), s.augment, hidden.shape[1]
    side = math.isqrt(test.x.shape[1])
    clean = scores(predict(net, test.x), test.y)
    noisy = scores(predict(net, pixel_noise(test.x, 0.4, generator=g)), test.y)
    hidden_square = scores(predict(net, occlude(test.x, (side, side), 8, generator=g)), test.y)

    def mean_lesion(count: int, **how: Any) -> float:
        chosen = [torch.randperm(width, generator=g)[:count] for _ in range(profile["draws"])]
        rises = [lesion(head, hidden, test.y, units, measure="error", **how) for units in chosen]
        return sum(rises) / len(rises)

    pairs = torch.stack([torch.randperm(width, generator=g)[:2] for _ in range(profile["pairs"])])
    some: tuple[nn.Module, Tensor, Tensor] = (head, hidden[: profile["lesion"]], test.y[: profile["lesion"]])
    singles = unit_lesions(*some).abs()[pairs].sum(dim=1)
    return {
        "error": clean.error,
        "nll": clean.nll,
        "correlation": correlation(hidden),
        "effective_rank": effective_rank(hidden),
        "probe": probe_accuracy(seen, train.y, hidden, test.y).mean().item(),
        "synergy": (synergy(*some, pairs).abs().sum() / singles.sum()).item(),
        "sparsity": sparsity(hidden),
        "zeros": (hidden == 0).double().mean().item(),
        "activation": hidden.double().mean().item(),
        "lesion_quarter": mean_lesion(width // 4),
        "lesion_half": mean_lesion(width // 2),
        "lesion_three_quarters": mean_lesion(3 * width // 4),
        "lesion_as_trained": mean_lesion(width // 2, fill="zero", rescale=True),
        "noise_rise": noisy.error - clean.error,
        "occlusion_rise": hidden_square.error - clean.error,
        "sharpness": weight_noise(net, train.x, train.y, scale=0.5, generator=g, draws=profile["draws"]),
    }


STUDY = Study(
    name="representation",
    title="What dropout does to a hidden layer",
    question="Do units trained with dropout depend less on one another, and is what they learn more robust?",
    protocol="""
Two networks 784-256-256-10 for each seed, one without dropout and one with p = 0.5 after both hidden
layers, start from the same weights, see the same 5,000 MNIST images in the same order, and are trained for
60 epochs by Adam (rate 0.001, batch 128), long after both fit their training set. Rate and length were
chosen on pilot seeds 0 and 1. All activations are those of the last hidden layer, in evaluation mode, on
the 10,000 test images.

"Co-adaptation" was never defined by a formula, so several readings stand side by side, each with a
criterion of its own: correlation between units, what one unit alone says of the class, what happens without
half of the units, and whether losing two units costs more or less than the sum of losing each. Lesions put
a unit's mean in its place. The lesion that dropout trains for (zero, survivors doubled) is recorded, and
judged by nothing: a network that survives what it was trained to survive proves little. Pixel noise (SD
0.4) and an 8 × 8 black square were never seen in training. Weight noise is proportional to each unit's
incoming weights (0.5 of their norm), and its cost is read on the training set.

No criterion has a margin: the claims name a direction, not a size.
""",
    arms={"none": {"p": 0.0}, "dropout 0.5": {"p": 0.5}},
    metrics={
        "error": Metric("test error", "fraction"),
        "nll": Metric("test cross-entropy", "nats"),
        "train_loss": Metric("training cross-entropy in evaluation mode, after the last epoch", "nats"),
        "correlation": Metric("mean absolute correlation between pairs of hidden units", "1"),
        "effective_rank": Metric("effective rank of the hidden activations, of 256 at most", "1"),
        "probe": Metric("mean accuracy of a probe that reads one hidden unit", "fraction"),
        "synergy": Metric(
            "|loss of two units − sum of losses of each| over the sum of their sizes, random pairs", "1"
        ),
        "sparsity": Metric("Hoyer sparsity of the hidden activations", "1"),
        "zeros": Metric("fraction of hidden activations that are zero", "fraction"),
        "activation": Metric("mean hidden activation", "1"),
        "lesion_quarter": Metric("rise of the test error with one unit in four at its mean", "fraction"),
        "lesion_half": Metric("rise of the test error with one unit in two at its mean", "fraction"),
        "lesion_three_quarters": Metric(
            "rise of the test error with three units in four at their mean", "fraction"
        ),
        "lesion_as_trained": Metric(
            "rise of the test error with half of the units at zero and the others doubled", "fraction"
        ),
        "noise_rise": Metric("rise of the test error under pixel noise of SD 0.4", "fraction"),
        "occlusion_rise": Metric("rise of the test error under a black 8 × 8 square", "fraction"),
        "sharpness": Metric("rise of the training cross-entropy under weight noise of half the norm", "nats"),
    },
    criteria=(
        difference(
            "less-correlated",
            "Hidden units trained with dropout are less correlated",
            metric="correlation",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "units-say-more",
            "A single unit trained with dropout says more about the class",
            metric="probe",
            arm="dropout 0.5",
            against="none",
            expect="higher",
        ),
        difference(
            "survives-lesions",
            "A network trained with dropout loses less when half of its units are held at their mean",
            metric="lesion_half",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "pairs-add-up",
            "Losing two units is closer to the sum of losing each in a network trained with dropout",
            metric="synergy",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "higher-rank",
            "Activations of a network trained with dropout vary in more directions",
            metric="effective_rank",
            arm="dropout 0.5",
            against="none",
            expect="higher",
        ),
        difference(
            "spread-over-units",
            "Dropout spreads the activity over more units: activations are less sparse",
            metric="sparsity",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "robust-to-noise",
            "Pixel noise never seen in training costs a network trained with dropout less",
            metric="noise_rise",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "robust-to-occlusion",
            "Occlusion never seen in training costs a network trained with dropout less",
            metric="occlusion_rise",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
        difference(
            "flatter",
            "Dropout ends in flatter minima: proportional weight noise raises the training loss less",
            metric="sharpness",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 5000, "width": 256, "epochs": 60, "draws": 10, "pairs": 200, "lesion": 2000},
    smoke={
        "data": "stand-in", "train": 200, "test": 200, "width": 16, "epochs": 3, "draws": 2, "pairs": 5,
        "lesion": 100, "seeds": 2,
    },
    group=5,
    datasets=("mnist",),
    minutes=3,
)  # fmt: skip
