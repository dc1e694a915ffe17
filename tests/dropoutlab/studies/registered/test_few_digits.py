"""The rows are those of a comparison on seeds of the study's own, and the gain has the sign that it says."""

import pytest

from dropoutlab.comparison import Arm, Task, at_end, by_seed, curves
from dropoutlab.studies.registered.few_digits import STUDY, run
from dropoutlab.training import Recipe


def test_rows_are_read_from_a_comparison_on_fresh_seeds():
    arm, rate = "100 digits, 30 % flipped", 0.5
    [job] = [job for job in STUDY.jobs("smoke") if job.arms == (arm,)]
    rows = run(job)
    fresh = [11_000, 11_001]  # the chapter has 1000 to 1009
    arms, task = [Arm("off"), Arm("on", p=rate)], Task(100, flipped=0.3)
    table = at_end(curves(arms, task, Recipe(5, lr=0.05, evaluate_every=5), fresh))
    for name, own in (("off", "error_none"), ("on", "error_dropout")):
        assert [row[own] for row in rows] == pytest.approx(by_seed(table, name).tolist(), rel=1e-12)
    for row in rows:
        assert row["gain"] == row["error_none"] - row["error_dropout"] != 0
        assert row["relative_gain"] * row["error_none"] == pytest.approx(row["gain"])
