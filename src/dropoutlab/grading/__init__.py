"""Graded exercises: `check` runs a solution, names the misconception it recognises and never breaks."""

from dropoutlab.grading.codes import CODES, Code
from dropoutlab.grading.engine import check
from dropoutlab.grading.exercise import Exercise, exercise, exercises
from dropoutlab.grading.report import Finding, Report
from dropoutlab.grading.stubs import stub, worked_solution

__all__ = [
    "CODES",
    "Code",
    "Exercise",
    "Finding",
    "Report",
    "check",
    "exercise",
    "exercises",
    "stub",
    "worked_solution",
]
