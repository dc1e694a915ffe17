"""What dropout gains on training sets of 100 to 20,000 images."""

from dropoutlab.studies.criteria import Criterion, difference, every, level
from dropoutlab.studies.protocol import Job, Metric, Row, Study
from dropoutlab.studies.trials import READINGS, Trial, perceptron, read, train
from dropoutlab.training import Recipe

UPDATES = {100: 400, 500: 800, 1000: 1200, 5000: 2400, 10_000: 3000, 20_000: 4000}
ARMS = {
    f"{size:,} images": {"train": size, "updates": updates, "constant": size == 100}
    for size, updates in UPDATES.items()
}
SMALLEST, SMALL, *_, LARGEST = ARMS
PEAK = "1,000 images"
POINT = 0.01  # one percentage point
KEPT = ("error", "nll", "train_error")

# Learning rate, and the part of it that is left after the last epoch.
CONSTANT = {"lr": 0.001, "left": 1.0}
FALLING = {"lr": 0.003, "left": 0.04}


def run(job: Job) -> list[Row]:
    """Train a network without and one with dropout on the first images of every seed."""
    rows: list[Row] = []
    for arm in job.arms:
        profile = dict(job.profile, train=min(job.settings[arm]["train"], job.profile["most"]))
        batches = -(-profile["train"] // profile["batch_size"])
        epochs = -(-job.settings[arm]["updates"] // (batches * profile["hurry"]))
        alone = CONSTANT if job.settings[arm]["constant"] else FALLING
        without, dropout = (
            [
                Trial(
                    seed,
                    perceptron((profile["width"],) * 2, p=p, input_p=input_p),
                    Recipe(
                        epochs,
                        profile["batch_size"],
                        rate["lr"],
                        optimiser="adam",
                        lr_decay=rate["left"] ** (1 / epochs),
                        evaluate_every=epochs,
                    ),
                )
                for seed in job.seeds
            ]
            for p, input_p, rate in ((0.0, 0.0, alone), (0.5, 0.2, FALLING))
        )
        pairs = zip(train("mnist", profile, without), train("mnist", profile, dropout), strict=True)
        for seed, pair in zip(job.seeds, pairs, strict=True):
            one, other = map(read, pair)
            rows.append(
                {
                    "arm": arm,
                    "seed": seed,
                    "gain": one["error"] - other["error"],
                    "relative_gain": 1 - other["error"] / one["error"],
                    "gap": one["error"] - one["train_error"],
                    **{f"{name}_none": value for name, value in one.items() if name in KEPT},
                    **{f"{name}_dropout": value for name, value in other.items() if name in KEPT},
                }
            )
    return rows


def gains(id: str, statement: str, arm: str, low: float, high: float) -> Criterion:
    """Ask whether the gain at one size lies between two numbers."""
    return level(id, statement, metric="gain", arm=arm, expect="within", low=low, high=high)


def hump(id: str, metric: str, statement: str) -> Criterion:
    """Ask whether a gain is larger in the middle than at both ends."""
    return every(
        id,
        statement,
        difference("rises", "It rises", metric=metric, arm=PEAK, against=SMALLEST, expect="higher"),
        difference("falls", "It falls", metric=metric, arm=PEAK, against=LARGEST, expect="higher"),
    )


STUDY = Study(
    name="training-size",
    title="Dropout and the size of the training set",
    question="On how many training images does dropout lower the test error, and by how much?",
    protocol="""
A replication in proportion of figure 10 of Srivastava et al. (2014, JMLR 15:1929): with 100 and 500 images
dropout gives no improvement; with more its gain grows up to a point and then declines. Their network is
784-1024-1024-2048-10, their largest set 60,000 images.

Each seed draws nested training sets of MNIST, of 100 to 20,000 images. The networks are 784-256-256-10 with
ReLU units, p = 0.5 for hidden units and 0.2 for pixels. Adam trains in batches of 128, from 400 updates for
100 images to 4,000 for 20,000: with equal numbers the small sets would be repeated for nothing, or the large
ones not learnt. Learning rate (0.001 or 0.003) and its decay (none, or to 4 % over the run) were chosen at
100, 500, 1,000, 5,000 and 20,000 images by the validation error of pilot seeds 0 and 1: 0.003 with decay,
but for 100 images without dropout, where 0.001 without decay is better by a point.

The test error is read once, after the last epoch. The gain is the error without dropout minus that with it,
on the same images from the same initial weights. No gain is registered as less than a twentieth of the error
that pilots show without dropout: 1.5 percentage points at 100 images, 0.6 at 500. The hump asks that the gain
at 1,000 images exceeds those at 100 and at 20,000. Relative to the error the answer may differ, so it has a
criterion of its own.
""",
    arms=ARMS,
    metrics={
        "gain": Metric("test error without dropout minus that with it", "fraction"),
        "relative_gain": Metric("gain divided by the test error without dropout", "fraction"),
        "gap": Metric("test error minus training error, without dropout", "fraction"),
        **{
            f"{name}_{network}": Metric(f"{READINGS[name].meaning}, {text}", READINGS[name].unit)
            for network, text in (("none", "without dropout"), ("dropout", "with dropout"))
            for name in KEPT
        },
    },
    criteria=(
        gains("nothing-at-100", "Dropout gains nothing on 100 images", SMALLEST, -1.5 * POINT, 1.5 * POINT),
        gains("nothing-at-500", "Dropout gains nothing on 500 images", SMALL, -0.6 * POINT, 0.6 * POINT),
        *(
            level(
                f"helps-at-{size}",
                f"Dropout lowers the test error on {arm}",
                metric="gain",
                arm=arm,
                expect="higher",
                than=0.0,
            )
            for size, arm in zip(UPDATES, ARMS, strict=True)
        ),
        *(
            gains(
                f"about-a-point-at-{size}",
                f"Dropout lowers the test error on {size:,} images by 0.5 to 1.5 percentage points",
                f"{size:,} images",
                0.5 * POINT,
                1.5 * POINT,
            )
            for size in (1000, 5000, 20_000)
        ),
        hump("hump", "gain", "The gain in percentage points rises with the training set and then falls"),
        hump("relative-hump", "relative_gain", "The gain as a part of the error rises and then falls"),
        level(
            "small-sets-overfit",
            "A network trained on 100 images errs far more on others: by over 10 percentage points",
            metric="gap",
            arm=SMALLEST,
            expect="higher",
            than=10 * POINT,
        ),
        difference(
            "small-sets-overfit-most",
            "The gap between test and training error is larger on 100 images than on 20,000",
            metric="gap",
            arm=SMALLEST,
            against=LARGEST,
            expect="higher",
        ),
    ),
    run=run,
    full={"width": 256, "batch_size": 128, "most": 20_000, "hurry": 1},
    smoke={"data": "stand-in", "width": 16, "batch_size": 32, "most": 200, "hurry": 100, "seeds": 2},
    group=5,
    datasets=("mnist",),
    minutes=8,
)
