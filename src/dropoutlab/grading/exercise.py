"""What a graded exercise is, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from dropoutlab.grading.learner import Learner
from dropoutlab.grading.solutions import NAMES

Aspect = Callable[[Learner], None]
"""Looks at one side of a solution and raises `Failed` with what it finds there."""


@dataclass(frozen=True)
class Exercise:
    """One exercise; it is declared in the file that holds its solution.

    Args:
        name: name of the function to write, which is also that of the file.
        chapter: stem of the chapter it belongs to.
        title: heading on the page.
        difficulty: 1 to 3 stars.
        minutes: how long it takes somebody who has read the chapter.
        todo: the task in one line; the stub raises NotImplementedError with it.
        task: the task in full, in Markdown.
        hints: three, each of which gives away more than the one before; Markdown.
        why: what is worth saying about the solution; Markdown.
        solution: the reference solution, whose signature and docstring are also those of the stub.
        aspects: what is looked at, in this order.
        details: what is looked at only if nothing was found so far, as it would be wrong for the same reason.
        broken: for a repair, the function as the learner finds it.
        pure: whether global generators must stay untouched.
        either: whether a solution may be written for torch tensors as well as for NumPy arrays.
    """

    name: str
    chapter: str
    title: str
    difficulty: int
    minutes: int
    todo: str
    task: str
    hints: tuple[str, str, str]
    why: str
    solution: Callable[..., Any]
    aspects: tuple[Aspect, ...]
    details: tuple[Aspect, ...] = ()
    broken: Callable[..., Any] | None = None
    pure: bool = True
    either: bool = False


def exercise(name: str) -> Exercise:
    """Return one exercise.

    Raises:
        ValueError: there is none of this name; the message lists those there are.
    """
    if name not in NAMES:
        raise ValueError(f"exercise must be one of {', '.join(NAMES)}, got {name!r}")
    found = import_module(f"dropoutlab.grading.solutions.{name}").EXERCISE
    assert isinstance(found, Exercise)
    return found


@cache
def exercises(chapter: str | None = None) -> tuple[Exercise, ...]:
    """Return all exercises in the order of the course, or those of one chapter.

    Args:
        chapter: stem of a chapter, e.g. ``"04-scaling"``; ``None`` means all.

    Raises:
        ValueError: no exercise belongs to this chapter.

    Example:
        >>> [item.name for item in exercises("06-batchnorm")][:1]
        ['variance_shift_ratio']
    """
    known = tuple(map(exercise, NAMES))
    found = tuple(item for item in known if chapter in (None, item.chapter))
    if not found:
        chapters = ", ".join(sorted({item.chapter for item in known}))
        raise ValueError(f"chapter must be one of {chapters}, got {chapter!r}")
    return found
