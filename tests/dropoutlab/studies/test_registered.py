"""Every registered study: its declaration is sound, and it runs in its smoke profile."""

import math
import time

import pytest

from dropoutlab.studies.backends import Local
from dropoutlab.studies.compute import compute
from dropoutlab.studies.digest import protocol_digest
from dropoutlab.studies.material import STAND_IN
from dropoutlab.studies.reading import judge
from dropoutlab.studies.registry import entries, find, names, studies_in
from dropoutlab.studies.runner import run_study
from dropoutlab.studies.store import read_rows, records

NAMES = names()
SMOKE_SECONDS = 60  # a bound against accidents, not a benchmark: a rehearsal is meant to take a few seconds


def test_names_that_are_read_from_the_files_are_those_of_the_studies():
    modules = dict.fromkeys(entry.module for entry in entries())
    declared = [(study.name, study.title) for module in modules for study in studies_in(module)]
    assert sorted(declared) == [(entry.name, entry.title) for entry in entries()]


@pytest.mark.parametrize("name", NAMES)
def test_the_declaration_is_sound(name):
    study = find(name)
    assert study.name == name
    assert study.minutes <= 60
    assert study.seeds >= 10 or study.fewer_seeds_because
    assert all(metric.meaning and metric.unit for metric in study.metrics.values())
    assert all(criterion.statement for criterion in study.criteria)
    # A rehearsal needs no download.
    assert study.smoke.get("data") == STAND_IN or study.datasets == ("digits",)
    assert protocol_digest(study) == protocol_digest(find(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_rehearsal_gives_rows_that_can_be_judged_and_gives_them_again(name, tmp_path, monkeypatch):
    monkeypatch.setenv("DROPOUTLAB_DATA", str(tmp_path / "nothing-here"))
    study = find(name)
    begun = time.monotonic()
    assert run_study(study, tmp_path, profile="smoke", backend=Local(1)).complete
    assert time.monotonic() - begun < SMOKE_SECONDS
    rows = read_rows(study, tmp_path / name)
    outcomes = judge(study, rows, provisional=True)
    assert list(outcomes) == [criterion.id for criterion in study.criteria]
    for outcome in outcomes.values():
        assert outcome.low <= outcome.effect <= outcome.high
        assert 0 <= outcome.p_value <= 1
        assert outcome.unit

    last = study.jobs("smoke")[-1]  # computed after the others: it must not depend on what they left behind
    again = compute(study, [last], Local(1), profile="smoke")[0].rows
    stored = {(row["arm"], row["seed"]): row for row in records(rows)}
    for row in again:
        for metric, declared in study.metrics.items():
            value = stored[row["arm"], row["seed"]][metric]
            assert declared.timing or row[metric] == value or (math.isnan(row[metric]) and math.isnan(value))
