"""What dropout does to a linear autoencoder: it makes hidden units equal."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dropoutlab.linear_dropout import descend, objective, products, variation
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import difference, every, level
from dropoutlab.studies.material import images
from dropoutlab.studies.protocol import Job, Metric, Study


def _moments(profile: Mapping[str, Any], s: Streams) -> tuple[Tensor, Tensor, float]:
    """Whiten a draw of digits along its leading directions; the targets keep their natural sizes."""
    data = images("digits", profile).train
    drawn = torch.randperm(len(data), generator=s.data)[: profile["train"]]
    x = data.x[drawn].double()
    spread, _ = torch.linalg.eigh(torch.cov(x.T, correction=0))
    sizes = spread.flip(0)[: profile["directions"]].sqrt()
    sizes = sizes / sizes[0]
    # Whitened inputs w have E[w wᵀ] = 1, and the targets diag(sizes) w.
    return torch.eye(len(sizes), dtype=torch.float64), torch.diag(sizes), sizes.square().sum().item()


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Descend from random weights and compare the hidden units."""
    [arm] = job.arms
    [seed] = job.seeds
    profile, p, s = job.profile, job.settings[arm]["p"], streams(seed)
    inputs, cross, total = _moments(profile, s)
    U, V = descend(
        inputs, cross, total, hidden=profile["hidden"], p=p, init=s.init, steps=profile["steps"], lr=0.2
    )
    return [
        {
            "arm": arm,
            "seed": seed,
            "variation": variation(products(U, V, inputs)),
            "objective": objective(U, V, inputs, cross, total, p).item() / total,
            "error": objective(U, V, inputs, cross, total, 0.0).item() / total,
            "rank": int((torch.linalg.svdvals(U @ V.T) > 1e-3).sum()),
        }
    ]


STUDY = Study(
    name="linear-autoencoder",
    title="Dropout makes the units of a linear network equal",
    question="Does dropout make all hidden units of a linear autoencoder do the same amount of work?",
    protocol="""
A linear network with 20 hidden units reconstructs digits from their ten leading principal components.
Inputs are whitened, as the theorem asks; targets keep their natural sizes. For each seed 1,000 of the
bundled digits and the initial weights are drawn. Plain gradient descent follows the expected loss with
dropout on the hidden units, in closed form: no mask is drawn and there is no noise. 20,000 steps of 0.2, in
float64.

Mianjy, Arora and Vidal (2018, arXiv:1806.09777) prove that every global minimum equalises, over hidden
units, the norm of the incoming times that of the outgoing weights. We take the coefficient of variation of
these products after descent: it is 0 where all are equal. The bounds, below 0.05 with dropout and above 0.3
without, were set before any run; the second says that descent alone does not do it.
""",
    arms={"none": {"p": 0.0}, "dropout 0.2": {"p": 0.2}, "dropout 0.5": {"p": 0.5}},
    metrics={
        "variation": Metric("coefficient of variation of ‖uᵢ‖·‖vᵢ‖ over hidden units", "1"),
        "objective": Metric("objective with its penalty, as a fraction of E‖y‖²", "1"),
        "error": Metric("squared error without masks, as a fraction of E‖y‖²", "1"),
        "rank": Metric("number of singular values of U Vᵀ above 0.001", "1"),
    },
    criteria=(
        every(
            "dropout-equalises",
            "With dropout the products of norms are equal to within 5 %, without it they are not",
            level(
                "equal-with", "Equal with p = 0.5", metric="variation", arm="dropout 0.5", expect="lower",
                than=0.05,
            ),
            level(
                "unequal-without", "Unequal without", metric="variation", arm="none", expect="higher",
                than=0.3,
            ),
        ),
        level(
            "a-little-is-enough",
            "With p = 0.2 the products of norms are equal to within 5 % too",
            metric="variation",
            arm="dropout 0.2",
            expect="lower",
            than=0.05,
        ),
        difference(
            "fewer-directions",
            "With p = 0.5 the network gives up some of the ten directions",
            metric="rank",
            arm="dropout 0.5",
            against="none",
            expect="lower",
        ),
    ),
    run=run,
    full={"train": 1000, "directions": 10, "hidden": 20, "steps": 20_000},
    smoke={"train": 200, "directions": 4, "hidden": 6, "steps": 200},
    minutes=2,
)  # fmt: skip
