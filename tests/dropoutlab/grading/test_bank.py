"""Every right solution passes, and every wrong one is named: the confusion matrix is diagonal."""

from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from dropoutlab.grading import CODES, check, exercise, exercises
from dropoutlab.grading.engine import examine
from tests.dropoutlab.grading.bank.entry import Bank

FOLDER = Path(__file__).parent / "bank"


@cache
def banks():
    """The bank of every exercise, by its name."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = import_module(f"tests.dropoutlab.grading.bank.{path.stem}")
        for value in vars(module).values():
            if isinstance(value, Bank):
                found[value.exercise] = value
    return found


def first(findings):
    return findings[0].code if findings else "passed"


RIGHT = [
    pytest.param(name, function, id=f"{name}-{function.__name__}")
    for name, bank in banks().items()
    for function in bank.correct
]
WRONG = [(name, code, function) for name, bank in banks().items() for code, function in bank.mistaken]


@pytest.mark.parametrize(("name", "solution"), RIGHT)
def test_a_right_solution_passes_however_it_is_written(name, solution):
    # What `check` does, without a process for each of them; test_exercises.py sends one of each through it.
    assert examine(exercise(name), solution) == []


def test_the_confusion_matrix_is_diagonal():
    matrix = Counter()
    misread = []
    for name, code, solution in WRONG:
        findings = examine(exercise(name), solution)
        matrix[code, first(findings)] += 1
        if first(findings) != code:
            misread.append(f"{name}, {solution.__name__}: {code} expected, got {findings or 'a pass'}")
    print("expected × reported first")  # noqa: T201
    for (expected, reported), count in sorted(matrix.items()):
        print(f"{expected:32} {reported:32} {count}")  # noqa: T201
    assert misread == []


# A process takes longer to start than a solution to examine, so one of each exercise stands for the others.
@pytest.mark.parametrize("name", sorted(banks()))
def test_in_the_sandbox_the_findings_are_the_same(name):
    code, solution = banks()[name].mistaken[-1]
    assert first(check(name, solution).findings) == code, solution.__name__


def test_every_exercise_has_enough_of_both():
    assert sorted(banks()) == sorted(item.name for item in exercises())
    for name, bank in banks().items():
        assert len({function.__name__ for function in bank.correct}) >= 5, name
        assert len({function.__name__ for _, function in bank.mistaken}) >= 2, name
    assert len(WRONG) >= 60
    assert len(banks()["inverted_dropout"].mistaken) >= 10


# What no solution of the bank may do: test_survival.py provokes these in a sandbox.
PROVOKED = {"timed-out", "ended-the-process", "unexaminable"}


def test_every_code_is_provoked_by_some_wrong_solution():
    assert {code for _, code, _ in WRONG} | PROVOKED == set(CODES)
