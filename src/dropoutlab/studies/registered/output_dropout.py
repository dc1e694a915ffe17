"""Dropout on the output layer of a classifier: on the logits, or on the probabilities."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Generator, Tensor, nn

from dropoutlab.functional import dropout
from dropoutlab.layers import Dropout
from dropoutlab.minimise import Loss, minimise
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import Streams, streams
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.tasks import task
from dropoutlab.studies.trials import Trial, adam, perceptron
from dropoutlab.studies.tuning import SPLITS, TUNED_READINGS, best_reading, run_tuned
from dropoutlab.training import History

SMALLEST = 1e-7  # no logarithm of a probability below it
LRS = (0.0003, 0.001, 0.003)

COMPARED = (  # name of the criterion, arm, reference, what is done
    ("logits-02-alone", "logits 0.2", "none", "Dropping 20 % of the logits in training"),
    ("logits-05-alone", "logits 0.5", "none", "Dropping half of the logits in training"),
    (
        "logits-02-on-top",
        "hidden 0.5, logits 0.2",
        "hidden 0.5",
        "On top of hidden dropout, dropping 20 % of the logits in training",
    ),
    (
        "logits-05-on-top",
        "hidden 0.5, logits 0.5",
        "hidden 0.5",
        "On top of hidden dropout, dropping half of the logits in training",
    ),
    ("probabilities", "probabilities 0.5", "none", "Dropping half of the probabilities in training"),
    (
        "renormalised-probabilities",
        "probabilities 0.5, renormalised",
        "none",
        "Dropping half of the probabilities in training and renormalising the rest",
    ),
    (
        "logits-02-at-the-end",
        "logits 0.2, last epoch",
        "none, last epoch",
        "Without early stopping, dropping 20 % of the logits in training",
    ),
    (
        "logits-05-at-the-end",
        "logits 0.5, last epoch",
        "none, last epoch",
        "Without early stopping, dropping half of the logits in training",
    ),
)


def run(job: Job) -> list[Row]:
    """Train all candidates of a seed."""

    def trial(seed: int, candidate: Mapping[str, Any]) -> Trial:
        def build(s: Streams) -> nn.Module:
            net = perceptron((256, 256), p=candidate["hidden"])(s)
            return net.append(Dropout(candidate["logits"], generator=s.masks)) if candidate["logits"] else net

        return Trial(seed, build, adam(job.profile["epochs"], lr=candidate["lr"]))

    classic = {arm: settings for arm, settings in job.settings.items() if "renormalise" not in settings}
    rows = run_tuned(replace(job, arms=tuple(classic), settings=classic), trial, dataset="mnist")
    for arm in job.arms:
        settings = job.settings[arm]
        if arm not in classic:
            for seed in job.seeds:
                curves = [
                    probability_dropout(
                        seed, job.profile, candidate["lr"], renormalise=settings["renormalise"]
                    )
                    for candidate in settings["grid"]
                ]
                rows.append({"arm": arm, "seed": seed, **best_reading(curves, early=settings["early"])})
    return rows


def probability_dropout(seed: int, profile: Mapping[str, Any], lr: float, *, renormalise: bool) -> History:
    """Train with p = 0.5 on the probabilities, and record the curves that `run_tuned` would record."""
    s = streams(seed)
    splits = task("mnist", profile, s)
    net = perceptron((256, 256))(s)
    history = History(error={name: [] for name in SPLITS}, loss={name: [] for name in SPLITS})
    recipe = adam(profile["epochs"], lr=lr)

    def record(epoch: int) -> None:
        if epoch % profile["every"] == 0 or epoch == recipe.epochs:
            history.epochs.append(epoch)
            for name in SPLITS:
                result = scores(predict(net, splits[name].x), splits[name].y)
                history.error[name].append(result.error)
                history.loss[name].append(result.nll)

    loss = masked_likelihood(0.5, renormalise=renormalise, generator=s.masks)
    minimise(net, splits["train"].x, splits["train"].y, loss, recipe, order=s.order, after_epoch=record)
    return history


def masked_likelihood(p: float, *, renormalise: bool, generator: Generator) -> Loss:
    """Return the negative log-likelihood of probabilities that went through dropout."""

    def loss(logits: Tensor, y: Tensor) -> Tensor:
        kept = dropout(logits.softmax(dim=1), p, training=True, generator=generator)
        if renormalise:
            # Where all classes are dropped there is nothing to renormalise: all stay 0.
            kept = kept / kept.sum(dim=1, keepdim=True).clamp(min=SMALLEST)
        return -kept.gather(1, y[:, None]).clamp(min=SMALLEST).log().mean()

    return loss


def grid(hidden: float, logits: float) -> list[dict[str, float]]:
    """List the candidates of an arm."""
    return [{"hidden": hidden, "logits": logits, "lr": lr} for lr in LRS]


STUDY = Study(
    name="output-dropout",
    title="Dropout on the output of a classifier",
    question="Does dropout on the output layer corrupt the predictions of a classifier?",
    protocol="""
Each seed draws 1,000 training and 1,000 validation images of MNIST. The network has two hidden layers of 256
ReLU units and is trained for 40 epochs with Adam on batches of 64. Dropout on the output is active in
training only, like any dropout.

Every arm chooses among three learning rates, 0.0003, 0.001 and 0.003, and among every fourth epoch, by the
validation error; the error on all 10,000 test images is read there. So no arm wins because it overfits later,
or because one step size happens to suit it. Three arms are also read after the last epoch.

Dropout is put on the logits (p = 0.2 or 0.5), alone and on top of p = 0.5 on the hidden units, or on the
softmax probabilities (p = 0.5), with and without renormalising them to a sum of 1. Probabilities below 1e-7
are raised to it before the logarithm. Without renormalising, an example whose true class is dropped then has
no gradient, and any other has its ordinary one.

The claim is that this corrupts the predictions. It is supported if the whole interval shows a higher error,
or a higher negative log-likelihood.
""",
    arms={
        "none": {"grid": grid(0.0, 0.0), "early": True},
        "logits 0.2": {"grid": grid(0.0, 0.2), "early": True},
        "logits 0.5": {"grid": grid(0.0, 0.5), "early": True},
        "hidden 0.5": {"grid": grid(0.5, 0.0), "early": True},
        "hidden 0.5, logits 0.2": {"grid": grid(0.5, 0.2), "early": True},
        "hidden 0.5, logits 0.5": {"grid": grid(0.5, 0.5), "early": True},
        "probabilities 0.5": {"grid": [{"lr": lr} for lr in LRS], "early": True, "renormalise": False},
        "probabilities 0.5, renormalised": {
            "grid": [{"lr": lr} for lr in LRS],
            "early": True,
            "renormalise": True,
        },
        "none, last epoch": {"grid": grid(0.0, 0.0)},
        "logits 0.2, last epoch": {"grid": grid(0.0, 0.2)},
        "logits 0.5, last epoch": {"grid": grid(0.0, 0.5)},
    },
    metrics=TUNED_READINGS,
    criteria=tuple(
        difference(
            f"{name}-{suffix}",
            f"{what} raises the {measured}",
            metric=metric,
            arm=arm,
            against=against,
            expect="higher",
        )
        for name, arm, against, what in COMPARED
        for metric, suffix, measured in (
            ("error", "hurts", "test error"),
            ("nll", "hurts-nll", "negative log-likelihood"),
        )
    ),
    run=run,
    full={"train": 1000, "validation": 1000, "epochs": 40, "every": 4},
    smoke={"data": "stand-in", "train": 70, "validation": 50, "epochs": 2, "every": 1, "seeds": 2},
    together=True,
    datasets=("mnist",),
    minutes=4,
)
