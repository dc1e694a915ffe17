import json
import math

import pytest

from dropoutlab.studies.backends import Local
from dropoutlab.studies.errors import JobError, StudyError
from dropoutlab.studies.runner import run_study
from dropoutlab.studies.verify import Comparison, verify_study


def comparison(stored, recomputed, allowed=0.0):
    return Comparison("none", 1000, "error", stored, recomputed, allowed)


@pytest.mark.parametrize(
    ("found", "agrees"),
    [
        (comparison(0.1, 0.1), True),
        (comparison(0.1, math.nextafter(0.1, 1)), False),
        (comparison(0.1, 0.11, allowed=0.02), True),
        (comparison(0.1, 0.13, allowed=0.02), False),
        (comparison(math.nan, math.nan), True),
        (comparison(math.nan, 0.1, allowed=9), False),
        (comparison(0.1, math.nan, allowed=9), False),
    ],
)
def test_what_agrees(found, agrees):
    assert found.agrees == agrees


def test_stored_rows_are_reproduced_to_the_last_bit(stored):
    found = verify_study(stored.study, stored.root, sample=5, seed=1, jobs=1)
    assert found.elsewhere == ()
    assert found.disagreements == ()
    assert len(found.comparisons) == 5 * 2  # two metrics; the third is a clock
    assert {item.metric for item in found.comparisons} == {"error", "epochs"}
    assert {item.allowed for item in found.comparisons} == {0.0}


def test_the_draw_depends_on_its_seed(stored):
    def rows(seed, sample=3):
        found = verify_study(stored.study, stored.root, sample=sample, seed=seed, jobs=1)
        return {(item.arm, item.seed) for item in found.comparisons}

    assert rows(1) == rows(1)
    assert len({frozenset(rows(seed)) for seed in range(5)}) > 1
    assert len(rows(1, sample=99)) == 20


def test_only_the_jobs_of_the_sample_are_run(stored):
    seen = []
    verify_study(stored.study, stored.root, sample=1, seed=1, jobs=1, on_progress=seen.append)
    assert [(stand.done, stand.total) for stand in seen] == [(0, 2), (2, 2)]


def test_one_altered_digit_is_found(stored):
    path = stored.folder / "runs.csv"
    text = path.read_text()
    value = next(line.split(",")[2] for line in text.splitlines() if line.startswith("none,1004"))
    digit = value[-1]
    path.write_text(text.replace(value, value[:-1] + ("1" if digit != "1" else "2")))
    found = verify_study(stored.study, stored.root, sample=20, seed=1, jobs=1)
    assert [(item.arm, item.seed, item.metric) for item in found.disagreements] == [("none", 1004, "error")]
    assert repr(found.disagreements[0].recomputed) == value


def test_elsewhere_the_tolerance_of_the_study_holds(stored):
    path = stored.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["environment"]["torch"] = "1.0"
    path.write_text(json.dumps(manifest))
    rows = stored.folder / "runs.csv"
    line = next(line for line in rows.read_text().splitlines() if line.startswith("none,1004"))
    value = line.split(",")[2]
    for shift, agrees in ((0.019, True), (0.021, False)):
        shifted = line.replace(value, repr(float(value) + shift))
        altered = rows.read_text().replace(line, shifted)
        rows.write_text(altered)
        found = verify_study(stored.study, stored.root, sample=20, seed=1, jobs=1)
        rows.write_text(altered.replace(shifted, line))
        assert found.elsewhere[0].startswith("torch 1.0 / ")
        assert (found.disagreements == ()) == agrees
    # |difference| <= 0.02 max(1, |value|): the tolerance grows with large values only.
    large = max(found.comparisons, key=lambda item: item.stored)
    assert large.allowed == pytest.approx(0.02 * large.stored)
    assert min(item.allowed for item in found.comparisons) == 0.02


def test_there_must_be_something_to_verify(toy, tmp_path, stored):
    with pytest.raises(StudyError, match="holds no rows; compute some with `dropoutlab study run toy`"):
        verify_study(toy.STUDY, tmp_path / "empty", sample=1, seed=1)
    with pytest.raises(StudyError, match="the sample must hold at least 1 row, got 0"):
        verify_study(toy.STUDY, stored.root, sample=0, seed=1)
    run_study(toy.CLOCKS, tmp_path, backend=Local(1))
    with pytest.raises(StudyError, match="toy-clocks: has only timings"):
        verify_study(toy.CLOCKS, tmp_path, sample=1, seed=1)


def test_a_job_that_fails_fails_the_verification(stored, trouble):
    trouble("none more, or less")
    with pytest.raises(JobError, match="1 job failed"):
        verify_study(stored.study, stored.root, sample=1, seed=1, jobs=1)


def test_rows_of_a_gpu_are_computed_on_one(stored):
    path = stored.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["environment"]["device"] = "Some GPU"
    path.write_text(json.dumps(manifest))
    found = verify_study(stored.study, stored.root, sample=1, seed=1, device="cpu")
    assert found.elsewhere == ("device Some GPU / cpu",)
