"""How the bank is written: right solutions, and wrong ones with the code that each must get first."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Bank:
    """The solutions of one exercise.

    ``@bank.right`` marks a correct solution, ``@bank.wrong("some-code")`` a wrong one.
    """

    exercise: str
    correct: list[Callable] = field(default_factory=list)
    mistaken: list[tuple[str, Callable]] = field(default_factory=list)

    def right(self, function):
        self.correct.append(function)
        return function

    def wrong(self, code):
        def mark(function):
            self.mistaken.append((code, function))
            return function

        return mark
