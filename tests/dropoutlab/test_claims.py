import json
import math
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from dropoutlab import claims as module
from dropoutlab.catalogue import Entry, Part
from dropoutlab.claims import as_record, claims
from dropoutlab.cli import app
from dropoutlab.stats import holm
from dropoutlab.studies.decide import Outcome
from dropoutlab.studies.errors import IncompleteError, StudyError


def outcome(verdict, p=0.01):
    return Outcome(verdict, -0.012, -0.02, -0.004, 10, "fraction", p)


def criterion(name):
    return SimpleNamespace(id=name, statement=f"Statement of {name}", rule=f"rule of {name}")


OUTCOMES = {
    "yes": outcome("supported", 0.001),
    "no": outcome("contradicted", 0.02),
    "open": outcome("inconclusive", 0.3),
}


@pytest.fixture
def stored(monkeypatch, tmp_path):
    """A catalogue and one complete study with a criterion for each verdict."""

    def prepare(*catalogue, incomplete=()):
        monkeypatch.setattr(module, "entries", lambda: {entry.id: entry for entry in catalogue})
        monkeypatch.setattr(
            module, "find", lambda name: SimpleNamespace(name=name, criteria=[criterion(c) for c in OUTCOMES])
        )

        def rows(study, root):
            assert root == tmp_path
            if study.name in incomplete:
                raise IncompleteError("missing")
            return study.name

        monkeypatch.setattr(module, "load_rows", rows)
        monkeypatch.setattr(module, "judge", lambda *_: OUTCOMES)
        return {claim.entry.id: claim for claim in claims(tmp_path)}

    return prepare


def entry(name, *criteria, **fields):
    parts = tuple(Part("study", c.removeprefix("not "), c.startswith("not ")) for c in criteria)
    return Entry(name, f"Statement of {name}.", "here", parts=parts, **fields)


@pytest.mark.parametrize(
    ("criteria", "verdict"),
    [
        (["yes"], "supported"),
        (["no"], "contradicted"),
        (["open"], "inconclusive"),
        (["not yes"], "contradicted"),
        (["not no"], "supported"),
        (["not open"], "inconclusive"),
        (["yes", "no"], "depends"),
        (["yes", "not yes"], "depends"),
        (["yes", "open"], "inconclusive"),
        (["no", "open"], "contradicted"),
        (["yes", "not no"], "supported"),
    ],
)
def test_parts_join_to_one_verdict(stored, criteria, verdict):
    assert stored(entry("A-1", *criteria))["A-1"].verdict == verdict


@pytest.mark.parametrize(
    ("criteria", "leading"),
    [(["yes", "open"], 1), (["open", "no"], 1), (["yes", "no"], 0), (["no", "not yes"], 0), (["yes"], 0)],
)
def test_the_number_beside_a_verdict_is_one_that_led_to_it(stored, criteria, leading):
    claim = stored(entry("A-1", *criteria))["A-1"]
    assert claim.leading is claim.findings[leading]


def test_an_exact_claim_says_whether_it_holds(stored):
    found = stored(entry("A-1", proof="scale_is_one_over_q"), entry("A-2", proof="eval_applies_the_scaling"))
    assert [found[name].verdict for name in found] == ["exact", "exact"]
    assert [found[name].holds for name in found] == [True, False]


def test_a_measured_claim_keeps_its_proof_beside_the_findings(stored):
    found = stored(entry("A-1", "no", proof="scale_is_one_over_q"))["A-1"]
    assert found.verdict == "contradicted"
    assert found.holds is True


def test_a_cited_claim_is_not_judged(stored):
    found = stored(entry("A-1", cited="Too large."))["A-1"]
    assert (found.verdict, found.holds, found.leading) == ("cited only", None, None)


def test_a_claim_on_an_incomplete_study_is_not_measured(stored):
    found = stored(entry("A-1", "yes"), incomplete=["study"])["A-1"]
    assert (found.verdict, found.findings) == ("not measured", ())


def test_p_values_are_adjusted_over_all_criteria_in_use_each_counted_once(stored):
    found = stored(entry("A-1", "yes"), entry("A-2", "yes", "no"))
    adjusted = holm([0.001, 0.02])
    assert found["A-1"].findings[0].p_adjusted == adjusted[0]
    assert [finding.p_adjusted for finding in found["A-2"].findings] == adjusted


def test_a_criterion_without_a_p_value_is_no_part_of_the_family(stored, monkeypatch):
    monkeypatch.setitem(OUTCOMES, "open", outcome("inconclusive", None))
    found = stored(entry("A-1", "yes"), entry("A-2", "open"))
    assert math.isnan(found["A-2"].findings[0].p_adjusted)
    assert found["A-1"].findings[0].p_adjusted == 0.001
    assert as_record(found["A-2"])["p_adjusted"] is None


def test_the_record_of_a_claim_that_depends_leads_with_the_first_finding(stored):
    record = as_record(stored(entry("A-1", "no", "yes", depends="the moon"))["A-1"])
    assert record["study"] == "study"
    assert (record["effect"], record["ci_low"], record["ci_high"]) == (-0.012, -0.02, -0.004)
    assert record["depends_on"] == "the moon"
    assert [finding["criterion"] for finding in record["findings"]] == ["no", "yes"]
    assert {"id", "statement", "study", "verdict", "effect", "ci_low", "ci_high", "n"} <= set(record)


def test_a_record_of_an_exact_claim_has_the_number_of_its_proof(stored):
    record = as_record(stored(entry("A-1", proof="the_sum_stays_the_same"))["A-1"])
    assert record["effect"] == pytest.approx(math.sqrt(30 / 7))
    assert (record["ci_low"], record["n"], record["study"]) == (None, None, None)


# --- the command


def test_the_command_prints_json(stored, tmp_path):
    stored(entry("A-1", "yes"), entry("A-2", cited="Too large."))
    result = CliRunner().invoke(app, ["claims", "--json", "--results", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert [record["id"] for record in json.loads(result.output)] == ["A-1", "A-2"]


def test_the_command_prints_a_table(stored, tmp_path):
    stored(entry("A-1", "yes"), entry("A-2", proof="eval_applies_the_scaling"), entry("A-3", cited="No."))
    result = CliRunner().invoke(app, ["claims", "--results", str(tmp_path)], env={"COLUMNS": "200"})
    assert "supported" in result.output
    assert "−1.2 [−2, −0.4]" in result.output
    assert "exact: not true" in result.output


def test_damaged_results_are_reported(monkeypatch, tmp_path):
    def broken(root):
        raise StudyError("rows of another registration")

    monkeypatch.setattr(module, "claims", broken)
    result = CliRunner().invoke(app, ["claims", "--results", str(tmp_path)])
    assert result.exit_code == 1
    assert "rows of another registration" in result.output
