"""Dropout on 5,000 images of MNIST: what it gains, how long it takes, and every way to read the networks."""

import math

from dropoutlab.seeds import streams
from dropoutlab.studies.course import COURSE, course
from dropoutlab.studies.criteria import (
    Criterion,
    columns,
    columns_equivalence,
    columns_ratio,
    difference,
    every,
    level,
    ratio,
)
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.regions import Direction
from dropoutlab.studies.sampling import SAMPLED, UNSCALED, confidence, sampled, without_scaling
from dropoutlab.studies.tasks import task
from dropoutlab.studies.trials import READINGS, Trained, perceptron, read
from dropoutlab.training import History, Recipe, fit

HIDDEN, BOTH = "hidden", "hidden and input"
POINT = 0.01  # one percentage point
ALIKE = 0.15 * POINT


def run(job: Job) -> list[Row]:
    """Train all arms of a seed and read each of them in many ways."""
    profile = job.profile
    rows: list[Row] = []
    for seed in job.seeds:
        without: dict[str, float] = {}
        reference = History()
        for arm in job.arms:
            settings = job.settings[arm]
            s = streams(seed)
            parts = task("mnist", profile, s)
            net = perceptron(profile["hidden"], p=settings["p"], input_p=settings["input_p"])(s)
            recipe = Recipe(
                profile["epochs"],
                profile["batch_size"],
                settings["lr"],
                optimiser="adam",
                lr_decay=settings["lr_decay"],
            )
            curves = parts | {"train": parts["train"].take(range(profile["watched"]))}
            history = fit(net, parts["train"], recipe, order=s.order, evaluate=curves)
            full = read(Trained(net, history, parts))
            if arm == "none":  # it is the first
                without, reference = full, history
            unscaled = (
                without_scaling(net, parts["test"]) if settings["p"] else dict.fromkeys(UNSCALED, math.nan)
            )
            rows.append(
                {
                    "arm": arm,
                    "seed": seed,
                    "gain": without["error"] - full["error"],
                    **full,
                    "confidence": confidence(net, parts["test"]),
                    **course(history, reference),
                    **unscaled,
                    **sampled(net, parts["test"], settings["passes"]),
                }
            )
    return rows


STATEMENTS = {
    "hidden-helps": "Dropout on hidden units lowers the test error",
    "input-helps-further": "Dropout on the input as well lowers the test error further",
    "lowers-twice": "Dropout on hidden units, then on the input as well, lowers the error twice",
    "gains-about-a-point": "Dropout on hidden units lowers the test error by 0.5 to 1.5 points",
    "unscaled-error": "Leaving out the scaling raises the test error",
    "unscaled-nll": "Leaving out the scaling more than doubles the test NLL",
    "unscaled-overconfident": "Unscaled it is wildly overconfident: its ECE is over 5 points higher",
    "forgotten-eval-appalling": "Predicting in training mode raises the test error by over 5 points",
    "one-is-worse": "One thinned network has a higher error than the full one",
    "sampling-lowers-error": "The mean of 100 thinned networks has a lower error than the full one",
    "sampling-lowers-nll": "The mean of 100 thinned networks has a lower NLL than the full one",
    "sampling-lowers-ece": "The mean of 100 thinned networks has a lower ECE than the full one",
    "five-are-too-few": "The mean of 5 thinned networks has an error over 0.15 points higher",
    "fifty-match": "The mean of 50 thinned networks has the error of the full one",
    "error-of-the-mean": "The full network has the error of the mean of 100 thinned ones",
    "nll-of-the-mean": "The full network has the NLL of the mean of 100 thinned ones",
    "nll-of-the-geometric-mean": "The full network has the NLL of the geometric mean of 50 thinned ones",
    "error-rises-without": "Without dropout the test error ends over 0.2 points above its lowest",
    "nll-rises-without": "Without dropout the test NLL ends over 5 % above its lowest",
    "error-stays-low-with": "With dropout the test error ends within 0.2 points of its lowest",
    "nll-stays-low-with": "With dropout the test NLL ends within 5 % of its lowest",
    "error-falls-on-with": "With dropout the test error still falls in the second half of the epochs",
    "longer-to-fit": "Dropout takes 1.5 to 3 times as long to learn the training images",
    "longer-to-settle": "Dropout takes 1.5 to 3 times as long to come near its own lowest test error",
    "longer-to-match": "Dropout takes 1.5 to 3 times as long to the lowest test error without dropout",
}


def lowers(id: str, arm: str, against: str) -> Criterion:
    """Ask whether an arm has the lower test error."""
    return difference(id, STATEMENTS[id], metric="error", arm=arm, against=against, expect="lower")


def reads(id: str, metric: str, expect: Direction, against: str, beyond: float = 0.0) -> Criterion:
    """Compare two ways to read the networks with dropout on their hidden units."""
    return columns(
        id, STATEMENTS[id], arm=HIDDEN, metric=metric, against=against, expect=expect, beyond=beyond
    )


def agrees(id: str, metric: str, against: str, margin: float) -> Criterion:
    """Ask whether two ways to read them give the same."""
    return columns_equivalence(id, STATEMENTS[id], arm=HIDDEN, metric=metric, against=against, margin=margin)


def ends(id: str, arm: str, metric: str, expect: Direction, than: float) -> Criterion:
    """Ask how far above its lowest point a curve ends."""
    return level(id, STATEMENTS[id], metric=metric, arm=arm, expect=expect, than=than)


def takes_longer(id: str, metric: str) -> Criterion:
    """Ask whether dropout needs 1.5 to 3 times as many epochs."""
    text = STATEMENTS[id]
    return ratio(id, text, metric=metric, arm=HIDDEN, against="none", expect="within", low=1.5, high=3.0)


TWICE = (lowers("hidden-helps", HIDDEN, "none"), lowers("input-helps-further", BOTH, HIDDEN))

STUDY = Study(
    name="mnist-arms",
    title="Dropout on hidden units and on the input",
    question="What do dropout on hidden units, and on the input as well, gain on 5,000 images of MNIST?",
    protocol="""
A replication in proportion of Hinton et al. (2012, arXiv:1207.0580), where dropout on hidden units brings 160
errors on MNIST down to about 130, and on the pixels as well to about 110. The paper has 60,000 training
images, larger networks, SGD, and a bound on the weights of each unit.

Each seed draws 5,000 training images of MNIST and 1,000 for validation; the test set is the official one. The
network is 784-512-512-10 with ReLU units; p is 0.5 for hidden units and 0.2 for pixels. Adam trains for 60
epochs in batches of 128. Learning rate (0.001, 0.003, 0.01) and decay (none, or 6 % per epoch) were chosen
for each arm by the validation error of pilot seeds 0 and 1: 0.003 without decay for no dropout, 0.003 with
decay for both others. At a constant rate the noise of the masks never settles.

The test error is read after the last epoch. Test curves are described and choose nothing. An error that rises
is one that ends 0.2 percentage points above its lowest, more than picking the lowest of 60 values makes by
itself; for the likelihood it is 5 %. Errors count as equal within 0.15 points, which is less than the papers
say dropout gains, likelihoods within 0.01 nats.

A network trained and tested without any scaling is read from the same weights: its activations are 1/q too
large behind every mask. Monte-Carlo means follow section 7.5 of Srivastava et al. (2014, JMLR 15:1929).
""",
    arms={
        "none": {"p": 0.0, "input_p": 0.0, "lr": 0.003, "lr_decay": 1.0, "passes": 0},
        HIDDEN: {"p": 0.5, "input_p": 0.0, "lr": 0.003, "lr_decay": 0.94, "passes": 100},
        BOTH: {"p": 0.5, "input_p": 0.2, "lr": 0.003, "lr_decay": 0.94, "passes": 1},
    },
    metrics={
        **READINGS,
        "gain": Metric("test error of the network without dropout minus that of the arm", "fraction"),
        "confidence": Metric("mean probability of the predicted class, full network", "fraction"),
        **COURSE,
        **UNSCALED,
        **SAMPLED,
    },
    criteria=(
        *TWICE,
        every("lowers-twice", STATEMENTS["lowers-twice"], *TWICE),
        level(
            "gains-about-a-point",
            STATEMENTS["gains-about-a-point"],
            metric="gain",
            arm=HIDDEN,
            expect="within",
            low=0.5 * POINT,
            high=1.5 * POINT,
        ),
        reads("unscaled-error", "error_unscaled", "higher", "error"),
        columns_ratio(
            "unscaled-nll",
            STATEMENTS["unscaled-nll"],
            arm=HIDDEN,
            metric="nll_unscaled",
            against="nll",
            expect="higher",
            bound=2.0,
        ),
        reads("unscaled-overconfident", "ece_unscaled", "higher", "ece", beyond=5 * POINT),
        reads("forgotten-eval-appalling", "error_k1", "higher", "error", beyond=5 * POINT),
        reads("one-is-worse", "error_k1", "higher", "error"),
        reads("sampling-lowers-error", "error_k100", "lower", "error"),
        reads("sampling-lowers-nll", "nll_k100", "lower", "nll"),
        reads("sampling-lowers-ece", "ece_k100", "lower", "ece"),
        reads("five-are-too-few", "error_k5", "higher", "error", beyond=ALIKE),
        agrees("fifty-match", "error_k50", "error", margin=ALIKE),
        agrees("error-of-the-mean", "error", "error_k100", margin=ALIKE),
        agrees("nll-of-the-mean", "nll", "nll_k100", margin=0.01),
        agrees("nll-of-the-geometric-mean", "nll", "nll_k50_geometric", margin=0.01),
        ends("error-rises-without", "none", "error_rise", "higher", than=0.2 * POINT),
        ends("nll-rises-without", "none", "nll_ratio", "higher", than=1.05),
        ends("error-stays-low-with", HIDDEN, "error_rise", "lower", than=0.2 * POINT),
        ends("nll-stays-low-with", HIDDEN, "nll_ratio", "lower", than=1.05),
        reads("error-falls-on-with", "error", "lower", "error_half"),
        takes_longer("longer-to-fit", "epochs_fitted"),
        takes_longer("longer-to-settle", "epochs_settled"),
        takes_longer("longer-to-match", "epochs_matched"),
    ),
    run=run,
    full={
        "train": 5000,
        "validation": 1000,
        "hidden": [512, 512],
        "epochs": 60,
        "batch_size": 128,
        "watched": 2000,
    },
    smoke={
        "data": "stand-in",
        "train": 120,
        "validation": 30,
        "hidden": [16, 16],
        "epochs": 4,
        "batch_size": 32,
        "watched": 60,
        "seeds": 2,
    },
    together=True,
    datasets=("mnist",),
    minutes=9,
)
