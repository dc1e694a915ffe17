"""The result of a proof in code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """Whether a statement holds, and what was computed to settle it.

    Attributes:
        holds: whether the statement is true as made.
        value: the number that settles it; a difference, a count or a probability.
        unit: unit of ``value``; ``"1"`` for a plain number.
        says: one sentence: what was computed and what came out, in words that hold for every run.
    """

    holds: bool
    value: float
    unit: str
    says: str
