"""What dropout costs per training step."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab.layers import Dropout
from dropoutlab.models import linear
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import Criterion, every, ratio
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.tasks import task

WIDTHS = (256, 512, 1024)
PLAIN, TORCH, OURS, BN = "no dropout", "torch.nn.Dropout", "dropoutlab.Dropout", "batch normalisation"
BATCH_SIZE = 128
STEPS = 5  # timed in a row, after one that is not: it fetches the weights into the cache

Step = Callable[[], None]


def run(job: Job) -> list[Row]:
    """Time all networks of each seed, in turns."""
    rows: list[Row] = []
    for seed in job.seeds:
        with torch.random.fork_rng(devices=[]):  # torch.nn.Dropout draws from the global generator
            torch.manual_seed(seed)
            steps = [_step(job, seed, job.settings[arm]) for arm in job.arms]
            times = _interleaved(steps, job.profile["rounds"])
        rows += [
            {"arm": arm, "seed": seed, "step_ms": 1000 * median(values)}
            for arm, values in zip(job.arms, times, strict=True)
        ]
    return rows


def _interleaved(steps: Sequence[Step], rounds: int) -> list[list[float]]:
    """Time every step once a round, each round starting with another: what drifts, drifts for all."""
    times: list[list[float]] = [[] for _ in steps]
    for step in steps:
        step()
    for number in range(rounds):
        for i in range(len(steps)):
            which = (i + number) % len(steps)
            steps[which]()
            begun = time.perf_counter()
            for _ in range(STEPS):
                steps[which]()
            times[which].append((time.perf_counter() - begun) / STEPS)
    return times


def _step(job: Job, seed: int, settings: Mapping[str, Any]) -> Step:
    s = streams(seed)
    batch = task("mnist", {**job.profile, "train": BATCH_SIZE}, s)["train"]
    net = _network(settings["width"] // job.profile.get("shrink", 1), settings["layer"], s)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, fused=True)

    def step() -> None:
        logits: Tensor = net(batch.x)
        optimiser.zero_grad(set_to_none=True)
        cross_entropy(logits, batch.y).backward()
        optimiser.step()

    return step


def _network(width: int, layer: str, s: Streams) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in in (784, width):
        layers.append(linear(n_in, width, generator=s.init, dtype=torch.float32))
        if layer == BN:
            layers.append(nn.BatchNorm1d(width))
        layers.append(nn.ReLU())
        if layer == TORCH:
            layers.append(nn.Dropout(0.5))
        if layer == OURS:
            layers.append(Dropout(0.5, generator=s.masks))
    return nn.Sequential(*layers, linear(width, 10, generator=s.init, dtype=torch.float32))


def arm(layer: str, width: int) -> str:
    """Name an arm."""
    return f"{layer}, {width}"


def overhead(id: str, layer: str, percent: int) -> Criterion:
    """Ask whether a layer costs less than so many per cent of a step at all widths."""
    parts = [
        ratio(
            f"{id}-{width}",
            f"At width {width}, {layer} costs less than {percent} % of a step",
            metric="step_ms",
            arm=arm(layer, width),
            against=arm(PLAIN, width),
            expect="lower",
            bound=1 + percent / 100,
        )
        for width in WIDTHS
    ]
    return every(id, f"At all three widths, {layer} costs less than {percent} % of a training step", *parts)


STUDY = Study(
    name="step-cost",
    title="What dropout costs per step",
    question="How much longer does a training step take with dropout?",
    protocol="""
Networks 784-h-h-10 with ReLU, h = 256, 512 and 1,024, are trained by SGD with momentum on one batch of 128
images of MNIST, in float32 on a CPU: without dropout, with `torch.nn.Dropout` or the course's `Dropout`
with p = 0.5 after both hidden layers, and, for comparison, with batch normalisation before both
activations.

In each of 10 repeats, with other weights, masks and images, all networks are timed in turns of five steps
after one that does not count, for 25 rounds that start with another network each time; the median over the
rounds is kept. The machine does nothing else. A repeat has the place of a seed.

Dropout *costs next to nothing* if the whole interval of the ratio to the plain network lies below 1.05 at
all widths. That is where a difference begins to show in the length of a training run; 10 % is judged as
well. The cost in epochs is another question, and not asked here. Times of other machines differ, and with
them perhaps the verdict.
""",
    arms={
        arm(layer, width): {"layer": layer, "width": width}
        for width in WIDTHS
        for layer in (PLAIN, TORCH, OURS, BN)
    },
    metrics={"step_ms": Metric("median time of a training step", "ms", timing=True)},
    criteria=(
        overhead("next-to-nothing", TORCH, 5),
        overhead("within-ten-percent", TORCH, 10),
        overhead("ours-next-to-nothing", OURS, 5),
        *(
            ratio(
                f"next-to-nothing-{width}",
                f"At width {width}, torch.nn.Dropout costs less than 5 % of a training step",
                metric="step_ms",
                arm=arm(TORCH, width),
                against=arm(PLAIN, width),
                expect="lower",
                bound=1.05,
            )
            for width in WIDTHS
        ),
        every(
            "costs-more-than-bn",
            "At all three widths, torch.nn.Dropout makes a step longer than batch normalisation does",
            *(
                ratio(
                    f"costs-more-than-bn-{width}",
                    f"At width {width} it takes longer",
                    metric="step_ms",
                    arm=arm(TORCH, width),
                    against=arm(BN, width),
                    expect="higher",
                )
                for width in WIDTHS
            ),
        ),
    ),
    run=run,
    full={"rounds": 25},
    smoke={"data": "stand-in", "rounds": 2, "shrink": 32, "seeds": 2},
    together=True,
    alone=True,
    datasets=("mnist",),
    minutes=4,
)
