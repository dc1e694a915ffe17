"""Check a learner's solution: in a sandbox, aspect by aspect, and always with an answer."""

from collections.abc import Callable
from typing import Any

from dropoutlab.grading.exercise import Exercise, exercise
from dropoutlab.grading.failure import Failed, TimeLimit
from dropoutlab.grading.learner import Learner, generators_fixed
from dropoutlab.grading.report import Finding, Report, quoted
from dropoutlab.grading.sandbox import run

LIMIT = 10.0

# After one of these, the other aspects could only say the same.
_FATAL = {"not-implemented", "raised", "timed-out", "ended-the-process", "wrong-signature"}


def check(name: str, solution: object, *, limit: float = LIMIT) -> Report:
    """Check your solution of an exercise, and say what is wrong with it and what to think about.

    Your code runs in a process of its own where the system allows it: it may raise, hang, print or change
    global state, and what you have in memory stays as it is. Statistical checks use fixed generators and a
    tolerance of six standard deviations, so that a right solution is refused at most once in 10⁷ ways of
    drawing its masks.

    Args:
        name: name of the exercise, e.g. ``"inverted_dropout"``.
        solution: your function; anything else is a finding.
        limit: seconds after which it is stopped.

    Returns:
        A report, which is true if nothing was found.

    Raises:
        ValueError: there is no exercise of this name, or ``limit`` is not positive.

    Example:
        >>> def inverted_dropout(x, p, training, rng):
        ...     if not training:
        ...         return x
        ...     return x * (rng.random(x.shape) < p) / p
        >>> [finding.code for finding in check("inverted_dropout", inverted_dropout).findings]
        ['keep-drop-swapped']
    """
    known = exercise(name)
    if not limit > 0:
        raise ValueError(f"limit must be a positive number of seconds, got {limit}")
    if not callable(solution):
        seen = f"You passed {quoted(type(solution).__name__)}; pass the function itself, without calling it."
        return Report(False, [Finding("wrong-type", seen)], name)
    outcome = run(lambda: [[found.code, found.message] for found in examine(known, solution)], limit)
    if outcome.ending == "returned":
        findings = [Finding(*found) for found in outcome.value]
    elif outcome.ending == "timed-out":
        findings = [Finding("timed-out", f"{name} was still running after {limit:g} seconds.")]
    else:
        findings = [Finding("ended-the-process", f"The process that ran {name} was gone before it answered.")]
    return Report(not findings, findings, name, outcome.printed)


def examine(known: Exercise, solution: Callable[..., Any]) -> list[Finding]:
    """Look at every aspect of a solution here and now, without a sandbox.

    Args:
        known: the exercise.
        solution: the learner's function.

    Returns:
        What was found, at most once for each code; nothing if the solution is right.
    """
    with generators_fixed():
        return _examine_either(known, solution)


def _examine_either(known: Exercise, solution: Callable[..., Any]) -> list[Finding]:
    found = _examine(known, solution, tensors=False)
    if known.either and found and found[0].code in {"raised", "wrong-type", "unexaminable"}:
        # It may have been written for torch, as the lab itself is.
        again = _examine(known, solution, tensors=True)
        if not again or again[0].code not in {"raised", "wrong-type", "unexaminable"}:
            return again
    return found


def _examine(known: Exercise, solution: Callable[..., Any], tensors: bool) -> list[Finding]:
    learner = Learner(solution, known.name, known.solution, pure=known.pure, tensors=tensors)
    found: dict[str, Finding] = {}
    for aspect in known.aspects + known.details:
        if found and aspect in known.details:
            break
        finding = _look(aspect, learner)
        if finding is not None:
            found.setdefault(finding.code, finding)
            if finding.code in _FATAL:
                break
    for finding in learner.notes:
        found.setdefault(finding.code, finding)
    return list(found.values())


def _look(aspect: Callable[[Learner], None], learner: Learner) -> Finding | None:
    try:
        aspect(learner)
    except Failed as failed:
        return failed.finding
    except TimeLimit:
        return Finding("timed-out", "The time limit was reached between two calls: each is slow.")
    except Exception as error:
        # A result may be an object whose own methods fail. Whatever it is, it is no pass.
        seen = f"Looking at the result raised {type(error).__name__}: {quoted(error)}."
        return Finding("unexaminable", seen)
    return None
