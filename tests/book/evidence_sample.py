"""A study, its rows and three claims, for the sample book."""

import pandas as pd

from dropoutlab.catalogue import Entry, Part
from dropoutlab.studies.criteria import difference, equivalence
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.manifest import Manifest
from dropoutlab.studies.protocol import Metric, Study

STUDY = Study(
    name="toy",
    title="A toy",
    question="Does it help?",
    protocol="A network is *trained*.",
    arms={"none": {}, "dropout": {}},
    metrics={
        "error": Metric("test error", "fraction"),
        "loss": Metric("test cross-entropy", "nats"),
        "extra": Metric("something else", "1", optional=True),
    },
    criteria=(
        difference(
            "helps",
            "Dropout lowers the error.",
            metric="error",
            arm="dropout",
            against="none",
            expect="lower",
        ),
        equivalence("same", "The losses agree", metric="loss", arm="dropout", against="none", margin=0.1),
    ),
    run=lambda _: [],
    full={},
    smoke={},
    seeds=3,
    fewer_seeds_because="a test",
)
ROWS = pd.DataFrame(
    [
        ("none", 1000, 0.060, 0.31, 1.0),
        ("none", 1001, 0.064, 0.33, float("nan")),
        ("none", 1002, 0.062, 0.32, float("nan")),
        ("dropout", 1000, 0.050, 0.31, 2.0),
        ("dropout", 1001, 0.053, 0.34, 3.0),
        ("dropout", 1002, 0.051, 0.32, 4.0),
    ],
    columns=["arm", "seed", "error", "loss", "extra"],
)
MANIFEST = Manifest(
    study="toy",
    digest="0123456789abcdef" * 4,
    profile="full",
    started="2026-01-02T03:04:05+00:00",
    environment={"torch": "2.13.0", "python": "3.11.7"},
    wall_seconds=600,
)


ENTRIES = {
    "A-1": Entry(
        "A-1",
        "Tosses are fair.",
        "coins",
        made_in="Books",
        parts=(Part("toy", "helps", about="error"), Part("toy", "helps", opposite=True, about="opposite")),
        depends="the side",
    ),
    "A-2": Entry("A-2", "Heads are scaled.", "coins", made_in="Books", proof="scale_is_one_over_q"),
    "A-3": Entry("A-3", "Tails are not.", "coins", made_in="Books", cited="Too far away."),
    "R1": Entry(
        "R1",
        "Coins land.",
        "coins",
        parts=(Part("toy", "same"),),
        source="bernoulli1713",
        published="half of them",
        differences="other coins",
    ),
}


def find(name: str) -> Study:
    if name != STUDY.name:
        raise StudyError(f"unknown study {name!r}")
    return STUDY
