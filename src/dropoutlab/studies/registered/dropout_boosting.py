"""One ensemble of thinned networks, trained member by member or as a whole, and two ways to average it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dropoutlab.data import Split, draw
from dropoutlab.ensemble import average
from dropoutlab.joint_ensemble import JointEnsemble, thinned_logits
from dropoutlab.layers import Dropout
from dropoutlab.models import mlp
from dropoutlab.readouts import scores
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import columns_equivalence, difference, equivalence, level
from dropoutlab.studies.material import images
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.training import Recipe, fit

_ROWS = 100  # test examples whose networks are enumerated at once


def _odd_or_even(profile: Mapping[str, Any], s: Streams) -> tuple[Split, Split]:
    train, test = draw(images("digits", profile).pool(), profile["train"], profile["test"], generator=s.data)
    return Split(train.x, train.y % 2), Split(test.x, test.y % 2)


@torch.no_grad()
def _readings(net: nn.Sequential, x: Tensor, p: float) -> dict[str, Tensor]:
    """Predict with the full network and with both averages over all thinned networks."""
    means: dict[str, list[Tensor]] = {"arithmetic": [], "geometric": []}
    for rows in x.split(_ROWS):
        logits, law = thinned_logits(net, rows, p)
        means["arithmetic"].append(average(logits, law, "arithmetic"))
        means["geometric"].append(average(logits, law, "geometric"))
    return {"full": net(x).softmax(1), **{name: torch.cat(parts) for name, parts in means.items()}}


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train one network and read it in three ways."""
    [arm] = job.arms
    [seed] = job.seeds
    profile, settings, s = job.profile, job.settings[arm], streams(seed)
    train, test = _odd_or_even(profile, s)
    p, way = profile["p"], settings["way"]
    widths = (train.x.shape[1], *settings["hidden"], 2)
    built = mlp(widths, p=p if way == "dropout" else 0.0, init=s.init, masks=s.masks, dtype=torch.float32)
    net = nn.Sequential(*[layer for layer in built if not isinstance(layer, Dropout)])
    model = JointEnsemble(net, p) if way == "joint" else built
    recipe = Recipe(
        profile["epochs"], batch_size=20, lr=0.01, optimiser="adam", evaluate_every=profile["epochs"]
    )
    fit(model, train, recipe, order=s.order)
    readings = _readings(net, test.x, p)
    found = {name: scores(probabilities, test.y) for name, probabilities in readings.items()}
    # Each arm is used as it was trained: an ensemble trained as a whole predicts as a whole.
    own = found["arithmetic" if way == "joint" else "full"]
    with torch.no_grad():
        seen = scores(model.eval()(train.x).softmax(1), train.y)
    gap = (readings["full"] - readings["geometric"]).abs().max(dim=1).values
    return [
        {
            "arm": arm,
            "seed": seed,
            "error": own.error,
            "nll": own.nll,
            "train_error": seen.error,
            "train_nll": seen.nll,
            "error_full": found["full"].error,
            "error_geometric": found["geometric"].error,
            "error_arithmetic": found["arithmetic"].error,
            "nll_full": found["full"].nll,
            "nll_geometric": found["geometric"].nll,
            "nll_arithmetic": found["arithmetic"].nll,
            "gap": gap.double().mean().item(),
        }
    ]


STUDY = Study(
    name="dropout-boosting",
    title="An ensemble trained as a whole, and one trained member by member",
    question="Is it the ensemble that regularises, or that each thinned network must be right by itself?",
    protocol="""
Is a handwritten digit odd or even? 100 of the bundled digits train a network, 1,000 others test it, both
drawn for each seed. With ten hidden units and p = 0.5 there are 1,024 thinned networks, few enough to
enumerate. Three arms share architecture and initial weights. "None" trains the full network. "Dropout"
trains thinned networks one by one, and predicts with the full one. "Joint" maximises the likelihood of the
average of all 1,024 networks, without any sampling, and predicts with that average. 200 epochs of Adam
(rate 0.01, batch 20), chosen on pilot seeds 0 and 1.

Warde-Farley et al. (2014, arXiv:1312.6197) call the last two dropout bagging and dropout boosting. Their
boosting samples one mask for each step and takes the geometric mean; ours is exact, takes the arithmetic
mean, and is free of noise. They find that boosting regularises hardly at all. "Hardly" is here: within 1.5
percentage points of the network without dropout.

A fourth arm has two hidden layers of six units. Only there does the full network differ from the geometric
mean of the thinned ones; with one layer the two are equal. A margin of 0.5 points is asked for their
errors. 20 seeds, because the networks are tiny and vary.
""",
    arms={
        "none": {"way": "none", "hidden": [10]},
        "dropout": {"way": "dropout", "hidden": [10]},
        "joint": {"way": "joint", "hidden": [10]},
        "dropout, two layers": {"way": "dropout", "hidden": [6, 6]},
    },
    metrics={
        "error": Metric("test error of the prediction that belongs to the training", "fraction"),
        "nll": Metric("test cross-entropy of that prediction", "nats"),
        "train_error": Metric("training error of that prediction", "fraction"),
        "train_nll": Metric("training cross-entropy of that prediction", "nats"),
        "error_full": Metric("test error of the full network", "fraction"),
        "error_geometric": Metric("test error of the geometric mean of all thinned networks", "fraction"),
        "error_arithmetic": Metric("test error of their arithmetic mean", "fraction"),
        "nll_full": Metric("test cross-entropy of the full network", "nats"),
        "nll_geometric": Metric("test cross-entropy of the geometric mean", "nats"),
        "nll_arithmetic": Metric("test cross-entropy of the arithmetic mean", "nats"),
        "gap": Metric("mean distance of the full network's probability from the geometric mean's", "1"),
    },
    criteria=(
        difference(
            "dropout-beats-joint",
            "Training each thinned network gives a lower test error than training their average",
            metric="error",
            arm="dropout",
            against="joint",
            expect="lower",
        ),
        equivalence(
            "joint-does-not-regularise",
            "Training the average has the test error of training without dropout, within 1.5 points",
            metric="error",
            arm="joint",
            against="none",
            margin=0.015,
        ),
        difference(
            "dropout-regularises",
            "Dropout lowers the test error of this network",
            metric="error",
            arm="dropout",
            against="none",
            expect="lower",
        ),
        columns_equivalence(
            "scaling-has-the-error-of-the-mean",
            "With two layers the full network has the error of the geometric mean, within 0.5 points",
            arm="dropout, two layers",
            metric="error_full",
            against="error_geometric",
            margin=0.005,
        ),
        level(
            "scaling-is-close-to-the-mean",
            "With two layers the full network's probabilities lie within 0.05 of the geometric mean's",
            metric="gap",
            arm="dropout, two layers",
            expect="lower",
            than=0.05,
        ),
    ),
    run=run,
    full={"train": 100, "test": 1000, "p": 0.5, "epochs": 200},
    smoke={"train": 40, "test": 60, "p": 0.5, "epochs": 1, "seeds": 2},
    seeds=20,
    minutes=3,
)
