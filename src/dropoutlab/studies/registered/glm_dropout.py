"""How far dropout in a logistic regression is the weighted ridge that it is said to be."""

import torch
from torch import Tensor

from dropoutlab.glm import exact_penalty, fit_logistic, quadratic_penalty
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import level, trend
from dropoutlab.studies.material import images
from dropoutlab.studies.protocol import Job, Metric, Study


def _zeros_and_ones(train: int, features: int, s: Streams) -> tuple[Tensor, Tensor]:
    data = images("digits", {}).train
    two = data.take(data.y < 2)
    drawn = two.take(torch.randperm(len(two), generator=s.data)[:train])
    x = drawn.x.double()
    brightest = x.var(dim=0, correction=0).argsort(descending=True, stable=True)[:features]
    x = x[:, brightest]
    return x / x.square().mean(dim=0).sqrt(), drawn.y


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Fit with dropout, then compare the two penalties at multiples of the fitted coefficients."""
    rows: list[dict[str, float | int | str]] = []
    for seed in job.seeds:
        x, y = _zeros_and_ones(job.profile["train"], job.profile["features"], streams(seed))
        beta, intercept = fit_logistic(x, y, 0.5)
        for arm in job.arms:
            scale = job.settings[arm]["scale"]
            exact, quadratic = (
                penalty(x, scale * beta, 0.5, scale * intercept).item()
                for penalty in (exact_penalty, quadratic_penalty)
            )
            rows.append(
                {
                    "arm": arm,
                    "seed": seed,
                    "exact": exact,
                    "quadratic": quadratic,
                    "error": abs(quadratic - exact) / exact,
                    "length": (scale * beta).norm().item(),
                }
            )
    return rows


_SCALES = {"one tenth": 0.1, "one quarter": 0.25, "half": 0.5, "as fitted": 1.0, "double": 2.0}

STUDY = Study(
    name="glm-dropout",
    title="Dropout in a logistic regression, and the ridge that it resembles",
    question="Is the penalty of dropout in a logistic regression a weighted ridge?",
    protocol="""
For each seed 200 zeros and ones are drawn from the bundled digits. Their ten pixels of largest variance,
scaled to a mean square of 1, are the features of a logistic regression that is fitted with dropout of p =
0.5 on them. Nothing is sampled: loss and penalty are averages over all 1,024 masks.

Wager, Wang and Liang (2013, arXiv:1307.1493) expand the penalty to second order. It becomes a ridge, each
coefficient weighted by the diagonal of the Fisher information. We compare the two where the fit ended, and
with coefficients and intercept shrunk to a tenth, a quarter, half, or doubled. The error is the absolute
difference over the exact penalty.

1 % is asked for where coefficients are small, which is where an expansion must hold; 10 % where it would be
used, at the fit. Both bounds were set before any run.
""",
    arms={name: {"scale": scale} for name, scale in _SCALES.items()},
    metrics={
        "exact": Metric("penalty averaged over all masks", "nats"),
        "quadratic": Metric("penalty by the quadratic approximation", "nats"),
        "error": Metric("relative error of the approximation", "fraction"),
        "length": Metric("length of the coefficients", "1"),
    },
    criteria=(
        level(
            "exact-for-small-weights",
            "At a tenth of the fitted coefficients the approximation is within 1 %",
            metric="error",
            arm="one tenth",
            expect="lower",
            than=0.01,
        ),
        level(
            "good-at-the-fit",
            "At the fitted coefficients the approximation is within 10 %",
            metric="error",
            arm="as fitted",
            expect="lower",
            than=0.1,
        ),
        trend(
            "worse-for-larger-weights",
            "The relative error of the approximation grows with the coefficients",
            metric="error",
            x=_SCALES,
            expect="higher",
        ),
    ),
    run=run,
    full={"train": 200, "features": 10},
    smoke={"train": 60, "features": 4},
    together=True,
    minutes=1,
)
