"""What the command says and returns beside the work itself."""

import pytest
from typer.testing import CliRunner

from coursebook import cli
from coursebook import execute as executing


@pytest.mark.parametrize("command", ["execute", "check", "verify", "build"])
def test_every_command_fails_where_there_is_no_book(tmp_path, book, command):
    result = book.run(command)
    assert result.exit_code == 1
    assert "error: no notebook source" in result.output
    assert "run this from the repository's root folder" in result.output


def test_check_counts_what_agrees_and_what_does_not(executed):
    result = executed.run("check")
    assert (result.exit_code, result.output) == (
        0,
        "in agreement with the sources, outputs fresh: 1 notebook\n",
    )
    executed.page("chapters/02-new", "1")
    result = executed.run("check")
    assert result.exit_code == 1
    assert result.output.endswith("findings: 1\n")
    assert executed.run("check", executed.pair("chapters/01-sum").source).exit_code == 0


def test_long_messages_are_not_wrapped_and_brackets_survive(executed):
    source = executed.pair("chapters/01-sum").source
    executed.edit(source, "total = 40 + 2", f"total = [{'1, ' * 12}]  # [red]")
    (line,) = [line for line in executed.run("check").output.split("\n") if "text differs" in line]
    assert "cell 2 (total = [1, 1, 1," in line
    assert line.endswith("(only changed code runs)")


def test_an_interrupt_ends_with_its_own_status(executed, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(executing, "execute", interrupted)
    result = executed.run("execute", "--all")
    assert result.exit_code == 130
    assert "interrupted: what was finished is stored" in result.output


@pytest.mark.parametrize("arguments", [["execute", "--jobs=0"], ["check", "--root=/no/such/folder"], []])
def test_wrong_usage_is_refused(book, arguments):
    assert CliRunner().invoke(cli.app, arguments).exit_code == 2
