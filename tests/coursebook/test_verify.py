"""nbval can fail: a stored output that was altered, by one digit, is found by computing it again."""

import pytest

from coursebook.verify import verify_command

pytestmark = pytest.mark.book


def code_cells(content):
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


def test_outputs_that_are_reproduced_pass_whatever_the_user_set(executed, monkeypatch, capfd):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    settings = '[tool.pytest.ini_options]\naddopts = "--collect-only"\ntimeout = 0.001\n'
    (executed.root / "pyproject.toml").write_text(settings, encoding="utf-8")
    result = executed.run("verify", "--jobs=1")
    assert result.exit_code == 0
    assert "2 passed" in capfd.readouterr().out


def test_an_altered_output_and_a_new_warning_fail_and_are_shown(executed, capfd):
    warn = "import warnings; warnings.warn('new in this version', stacklevel=1); total = 40 + 2"

    def alter(content):
        first, second = code_cells(content)
        first["source"] = [warn]
        second["outputs"][0]["text"] = ["43\n"]

    executed.alter(executed.pair("chapters/01-sum"), alter)
    result = executed.run("verify", "--jobs=1")
    shown = capfd.readouterr().out
    assert result.exit_code == 1
    assert "2 failed" in shown
    assert "new in this version" in shown
    assert "43" in shown


def test_stripped_outputs_are_invisible_to_nbval_and_caught_by_check(executed, capfd):
    def strip(content):
        for cell in code_cells(content):
            cell.update(outputs=[], execution_count=None)

    executed.alter(executed.pair("chapters/01-sum"), strip)
    assert executed.run("verify", "--jobs=1").exit_code == 0
    assert "2 passed" in capfd.readouterr().out
    result = executed.run("check")
    assert result.exit_code == 1
    assert "was never executed; run make execute" in result.output


@pytest.mark.parametrize(("jobs", "workers"), [(1, "0"), (2, "2")])
def test_one_job_needs_no_workers(tmp_path, jobs, workers):
    command = verify_command([], tmp_path, jobs)
    assert command[command.index("-n") + 1] == workers
