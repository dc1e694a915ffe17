import re

import pytest
from typer.testing import CliRunner

from dropoutlab import cli
from dropoutlab.studies import registry, runner
from dropoutlab.studies.environment import Revision
from dropoutlab.studies.errors import StudyError

TOY = "toy_study:STUDY"


@pytest.fixture(autouse=True)
def quick(toy, monkeypatch):
    monkeypatch.setenv("TOY_SECONDS", "0")
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments):
    result = CliRunner().invoke(cli.app, ["study", *map(str, arguments)])
    assert "Traceback" not in result.stderr or "RuntimeError: trouble" in result.stderr
    return result


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for mark in ("pyproject.toml", "_config.yml"):
        (tmp_path / mark).write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def registered(monkeypatch):
    """Two studies are registered: the toy, and the one with arms that belong together."""
    studies = {name.partition(":")[2].lower(): registry.find(name) for name in (TOY, "toy_study:TOGETHER")}
    entries = tuple(registry.Entry(study.name, study.title, study.module) for study in studies.values())
    monkeypatch.setattr(registry, "entries", lambda: entries)


def test_list(registered, monkeypatch):
    result = run("list")
    assert result.exit_code == 0
    assert result.stdout == "toy           A toy\ntoy-together  A toy\n"
    monkeypatch.setattr(registry, "entries", lambda: ())
    for command in (("list",), ("run", "all")):
        assert run(*command).stdout == "no study is registered yet\n"


def test_a_registry_that_is_at_odds_with_itself(monkeypatch):
    def at_odds():
        raise StudyError("two files declare the study 'x'")

    monkeypatch.setattr(registry, "entries", at_odds)
    result = run("list")
    assert (result.exit_code, result.stderr) == (1, "dropoutlab: two files declare the study 'x'\n")


def test_run_shows_progress_and_verdicts_and_then_has_nothing_to_do(repository):
    result = run("run", TOY, "-j", 1)
    assert result.exit_code == 0, result.output
    assert re.match(r"toy: 20 of 20 runs stored, 20 of them new in \d+ s\n", result.stdout)
    assert re.search(r"shifts +supported +1 +1 to 1 +10 +fraction", result.stdout)
    assert "20 of 20 runs" in result.stderr
    assert (repository / "results" / "toy" / "runs.csv").is_file()

    again = run("run", TOY, "-j", 1)
    assert (again.exit_code, again.stdout, again.stderr) == (0, "toy: 20 of 20 runs stored\n", "")


def test_run_in_parts(tmp_path):
    result = run("run", TOY, "-j", 1, "--seeds", 4, "--results", tmp_path)
    assert re.match(r"toy: 8 of 20 runs stored, 8 of them new in \d+ s\n$", result.stdout)
    refused = run("run", TOY, "--seeds", 5, "--results", tmp_path)
    assert refused.exit_code == 1
    assert refused.stderr == (
        "dropoutlab: toy: seeds are run in groups of 2; 5 would cut one, take one of 2, 4, 6, 8, 10\n"
    )
    assert run("run", TOY, "-j", 1, "--results", tmp_path).stdout.startswith(
        "toy: 20 of 20 runs stored, 12 of them new"
    )


def test_rehearsing_keeps_nothing_unless_told_where(repository, tmp_path_factory):
    result = run("run", "toy_study:REHEARSED", "-j", 1, "--smoke")
    assert result.exit_code == 0, result.output
    assert "toy-rehearsed: 4 of 4 runs stored, 4 of them new" in result.stdout
    assert result.stdout.endswith("a rehearsal: these verdicts mean nothing\n")
    assert not (repository / "results").exists()
    kept = tmp_path_factory.mktemp("kept")
    run("run", "toy_study:REHEARSED", "-j", 1, "--smoke", "--results", kept)
    assert (kept / "toy-rehearsed" / "runs.csv").is_file()


def test_run_all_goes_on_after_a_study_that_cannot_be_run(registered, tmp_path):
    run("run", "toy", "-j", 1, "--results", tmp_path)
    manifest = tmp_path / "toy" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"digest": "', '"digest": "0'))
    result = run("run", "all", "-j", 1, "--results", tmp_path)
    assert result.exit_code == 1
    assert "restore the registration" in result.stderr
    assert "toy-together: 20 of 20 runs stored, 20 of them new" in result.stdout


def test_run_all_of_what_is_complete(registered, tmp_path):
    run("run", "all", "-j", 1, "--results", tmp_path)
    result = run("run", "all", "--results", tmp_path)
    assert result.exit_code == 0
    assert result.stdout == "toy: 20 of 20 runs stored\ntoy-together: 20 of 20 runs stored\n"


def test_a_job_that_fails(tmp_path, trouble):
    trouble("none")
    result = run("run", TOY, "-j", 1, "--results", tmp_path)
    assert result.exit_code == 1
    assert "dropoutlab: 5 jobs failed" in result.stderr
    assert "toy, arm 'none', seeds 1000-1001: RuntimeError: trouble with none" in result.stderr
    assert "toy: 10 of 20 runs" not in result.stdout
    assert re.search(r"toy +partial +10 of 20", run("status", TOY, "--results", tmp_path).stdout)


def test_what_is_not_committed(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "revision", lambda _: Revision("ab12", ("toy_study.py",)))
    result = run("run", TOY, "-j", 1, "--results", tmp_path)
    assert result.exit_code == 1
    assert "commit it, or use --uncommitted" in result.stderr
    assert run("run", TOY, "-j", 1, "--results", tmp_path, "--uncommitted").exit_code == 0
    assert '"committed": false' in (tmp_path / "toy" / "manifest.json").read_text()


@pytest.mark.parametrize("command", ["run", "status", "verify"])
def test_unknown_studies_and_folders(command, tmp_path, monkeypatch):
    result = run(command, "weather", "--results", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("dropoutlab: unknown study 'weather'; the names are ")
    monkeypatch.chdir(tmp_path)
    result = run(command, TOY)
    assert result.exit_code == 1
    assert "name the folder of the results (--results DIR)" in result.stderr


def test_mistakes_of_the_engine_are_not_hidden(monkeypatch, tmp_path):
    def mistake(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(runner, "compute", mistake)
    for arguments in (("run", TOY), ("run", TOY, "-j", "1")):
        result = CliRunner().invoke(cli.app, ["study", *arguments, "--results", str(tmp_path)])
        assert isinstance(result.exception, ZeroDivisionError)


def test_status(registered, tmp_path):
    run("run", "toy", "-j", 1, "--results", tmp_path)
    manifest = tmp_path / "toy" / "manifest.json"
    manifest.write_text(re.sub(r'("dropoutlab.seeds": ")....', r"\g<1>0000", manifest.read_text()))
    result = run("status", "--results", tmp_path)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["study", "state", "runs", "finished", "lab", "changed", "since"]
    assert lines[1][:5] == ["toy", "complete", "20", "of", "20"]
    assert lines[1][-1] == "seeds"
    assert lines[2] == ["toy-together", "missing", "0", "of", "20"]
    manifest.write_text("{}")
    result = run("status", "toy", "--results", tmp_path)
    assert result.exit_code == 0
    assert "is no manifest" in result.stdout


def test_verify(tmp_path):
    run("run", TOY, "-j", 1, "--results", tmp_path)
    result = run("verify", TOY, "-j", 1, "--sample", 2, "--seed", 3, "--results", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("toy: 4 of 4 numbers agree to the last bit (--seed 3)\n")
    assert result.stdout.count("agrees") == 2
    assert re.search(r"\(--seed \d+\)", run("verify", TOY, "-j", 1, "--results", tmp_path).stdout)

    path = tmp_path / "toy" / "runs.csv"
    path.write_text(re.sub(r"^(none,1003,\S+?)\d(,)", r"\g<1>77\g<2>", path.read_text(), flags=re.MULTILINE))
    result = run("verify", TOY, "-j", 1, "--sample", 20, "--seed", 3, "--results", tmp_path)
    assert result.exit_code == 1
    assert result.stdout.count("DISAGREES") == 1
    assert "toy: 39 of 40 numbers agree to the last bit" in result.stdout


def test_verify_elsewhere(tmp_path):
    run("run", TOY, "-j", 1, "--results", tmp_path)
    manifest = tmp_path / "toy" / "manifest.json"
    manifest.write_text(re.sub(r'("torch": ")[^"]*', r"\g<1>1.0", manifest.read_text()))
    result = run("verify", TOY, "-j", 1, "--sample", 2, "--seed", 3, "--results", tmp_path)
    assert result.exit_code == 0
    assert "another environment (there / here): torch 1.0 / " in result.stdout
    assert "toy: 4 of 4 numbers agree within 0.02 of max(1, |value|) (--seed 3)" in result.stdout
