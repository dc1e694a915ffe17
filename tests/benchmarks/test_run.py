"""The command stores a complete run, marks missed targets without failing, and fails on errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import run
from record import placeholder

SCRIPT = Path(run.__file__)


@pytest.fixture(autouse=True)
def latest(tmp_path, monkeypatch):
    """A place for the last run, so that no test can touch the repository's own."""
    monkeypatch.setattr(run, "LATEST", tmp_path / "latest.json")
    monkeypatch.setenv("COLUMNS", "200")
    return run.LATEST


def everything(_bench, record):
    filled = placeholder()
    record.measured, record.growth, record.detail = filled.measured, filled.growth, filled.detail


def test_a_complete_run_replaces_the_last_one(latest, monkeypatch, capsys):
    monkeypatch.setattr(run, "SECTIONS", {"all": everything})
    run.main([])
    stored = json.loads(latest.read_text(encoding="utf-8"))
    assert stored["measured"]["dropout_step_overhead"] == 1.0
    assert set(stored) == {"date", "measured", "targets", "machine", "growth", "detail"}
    shown = capsys.readouterr().out
    assert "stored in" in shown
    # The placeholder's overhead of 100 % and its one-fold speed-ups miss; its worst ratio of 1 does not.
    assert "dropout_step_overhead, fit_many_speedup_w32, fit_many_speedup_w64" in shown
    assert "fit_many_worst_ratio" not in shown
    assert "at most 15\u00a0%: missed" in shown
    assert "at least 0.95×: met" in shown


@pytest.mark.parametrize("options", [["--quick"], ["--only", "all"]])
def test_other_runs_are_stored_only_where_asked(latest, tmp_path, monkeypatch, capsys, options):
    monkeypatch.setattr(run, "SECTIONS", {"all": everything})
    run.main(options)
    assert not latest.exists()
    assert "not stored" in capsys.readouterr().out
    run.main([*options, f"--output={tmp_path / 'trial.json'}"])
    assert not latest.exists()
    assert (tmp_path / "trial.json").is_file()


def test_a_complete_run_that_lacks_a_result_is_an_error(latest, monkeypatch):
    monkeypatch.setattr(run, "SECTIONS", {"none": lambda *_: None})
    with pytest.raises(RuntimeError, match="lacks dropout_forward_speedup_vs_nn"):
        run.main([])
    assert not latest.exists()


def test_an_error_stops_the_run_and_stores_nothing(latest, monkeypatch):
    def broken(bench, record):
        everything(bench, record)
        raise RuntimeError("no kernel")

    monkeypatch.setattr(run, "SECTIONS", {"broken": broken})
    with pytest.raises(RuntimeError, match="no kernel"):
        run.main([])
    assert not latest.exists()


def test_progress_is_passed_on(monkeypatch):
    def section(bench, record):
        bench.listener("a way", 1, 2)
        everything(bench, record)

    monkeypatch.setattr(run, "SECTIONS", {"all": section})
    run.main(["--quick"])


@pytest.mark.parametrize(("load", "warned"), [(0.1, False), (3.0, True)])
def test_a_busy_machine_is_named(monkeypatch, capsys, load, warned):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(run, "SECTIONS", {"all": everything})
    run.main(["--quick"])
    assert ("this machine is busy (load 3.0)" in capsys.readouterr().out) is warned


def test_the_command_line_works_as_make_calls_it():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick", "--only", "layers"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "measured layers" in done.stdout


def test_an_unknown_section_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        run.main(["--only", "dice"])
    assert "'layers', 'steps'" in capsys.readouterr().err
