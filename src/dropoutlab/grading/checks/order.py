"""Chapter 5: whether it matters if dropout stands before or after an activation."""

# A mistake takes all arguments and is one because it ignores some of them.
# ruff: noqa: ARG005

from collections.abc import Callable

import numpy as np

from dropoutlab.grading.checks.values import Case, Values, recognise
from dropoutlab.grading.learner import Learner

Activation = Callable[[Values], Values]


def _relu(z: Values) -> Values:
    return np.maximum(z, 0)


def _leaky(z: Values) -> Values:
    return np.where(np.asarray(z) > 0, z, 0.1 * np.asarray(z))


def _identity(z: Values) -> Values:
    return z


def _sigmoid(z: Values) -> Values:
    return 1 / (1 + np.exp(-np.asarray(z)))


def _square(z: Values) -> Values:
    return np.asarray(z) ** 2


def _shifted(z: Values) -> Values:
    return np.asarray(z) + 1


def answers(learner: Learner) -> None:
    """Activations that scale with their input, those that only keep zero, and those that do neither."""
    activations: tuple[Activation, ...] = (
        _relu,
        _leaky,
        _identity,
        np.abs,
        np.tanh,
        _sigmoid,
        _square,
        np.exp,
        _shifted,
    )
    cases: list[Case] = [(activation, p) for activation in activations for p in (0.2, 0.6)]
    recognise(
        learner,
        cases,
        {
            "checks-only-zero": [lambda f, p: bool(f(np.zeros(1))[0] != 0)],
            "answer-inverted": [lambda f, p: not learner.reference(f, p)],
            "constant-answer": [lambda f, p: True, lambda f, p: False],
        },
    )
