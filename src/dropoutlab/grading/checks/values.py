"""Results as arrays, and wrong results recognised by the mistake that leads to them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner, describe
from dropoutlab.grading.report import quoted

Values = NDArray[np.float64]
Case = tuple[Any, ...]

# Two correct programs may round differently; they agree to far more digits than any mistake leaves.
_CLOSE = {"rtol": 1e-6, "atol": 1e-9}


def as_array(result: object, like: NDArray[Any]) -> NDArray[Any]:
    """Return a result that must be an array of the shape and dtype of another.

    Raises:
        Failed: it is not, or it holds NaN or infinity.
    """
    if not isinstance(result, np.ndarray) or isinstance(result, np.ma.MaskedArray):
        raise Failed("wrong-type", f"It returned {shown(result)}; a NumPy array was expected.")
    if result.shape != like.shape:
        raise Failed("wrong-shape", f"The input has shape {like.shape}, the result {result.shape}.")
    if not np.issubdtype(result.dtype, np.number) and result.dtype != bool:
        raise Failed("wrong-dtype", f"The result has dtype {result.dtype}.")
    if not np.isfinite(result).all():
        raise Failed(
            "returns-nan", f"{np.sum(~np.isfinite(result))} of {result.size} numbers are not finite."
        )
    if result.dtype != like.dtype:
        raise Failed("wrong-dtype", f"The input has dtype {like.dtype}, the result {result.dtype}.")
    return result


def as_tensor(result: object, like: torch.Tensor) -> torch.Tensor:
    """Return a result that must be a tensor of the shape and dtype of another.

    Raises:
        Failed: it is not, or it holds NaN or infinity.
    """
    if not isinstance(result, torch.Tensor):
        raise Failed("wrong-type", f"It returned {shown(result)}; a tensor was expected.")
    if result.shape != like.shape:
        raise Failed(
            "wrong-shape", f"The input has shape {tuple(like.shape)}, the result {tuple(result.shape)}."
        )
    if not result.isfinite().all():
        raise Failed("returns-nan", f"{int((~result.isfinite()).sum())} numbers are not finite.")
    if result.dtype != like.dtype:
        raise Failed("wrong-dtype", f"The input has dtype {like.dtype}, the result {result.dtype}.")
    return result


def numbers(result: object) -> Values:
    """Return a result as an array: a scalar, array, tensor, or sequence of scalars will do.

    Raises:
        Failed: it is something else.
    """
    if isinstance(result, torch.Tensor):
        result = result.detach().cpu().numpy()
    allowed = isinstance(result, np.ndarray | np.generic | int | float) or (
        isinstance(result, list | tuple) and len(result) > 0
    )
    try:
        values = np.asarray(result, dtype=np.float64) if allowed else None
    except (TypeError, ValueError):
        values = None
    if values is None:
        raise Failed("wrong-type", f"It returned {shown(result)}; numbers were expected.")
    return values


def shown(result: object) -> str:
    """Name a result shortly."""
    if result is None:
        return "None"
    try:
        text = repr(result)
    except Exception:  # the object may be the learner's own
        text = ""
    return f"{quoted(text, 60)} of type {type(result).__name__}"


def recognise(
    learner: Learner,
    cases: Sequence[Case],
    mistakes: Mapping[str, Sequence[Callable[..., Any]]],
    close: Mapping[str, float] = _CLOSE,
) -> None:
    """Compare a deterministic function with the reference, and with what each known mistake would give.

    Args:
        learner: the learner's function, which knows the right one.
        cases: arguments, case by case.
        mistakes: for each code, wrong functions that deserve it; the first that explains every case counts.
        close: ``rtol`` and ``atol`` within which two numbers agree.

    Raises:
        Failed: a result differs.
    """
    right = [np.asarray(learner.reference(*case), dtype=np.float64) for case in cases]
    given = [numbers(learner(*case)) for case in cases]
    given = [
        one.reshape(()) if one.size == 1 and other.ndim == 0 else one
        for one, other in zip(given, right, strict=True)
    ]
    wrong = [
        k for k, (one, other) in enumerate(zip(given, right, strict=True)) if not _agree(one, other, close)
    ]
    if not wrong:
        return
    first = wrong[0]
    arguments = ", ".join(map(describe, cases[first]))
    seen = f"For {arguments} it gave {_values(given[first])}, and {_values(right[first])} is right."
    for code, functions in mistakes.items():
        for function in functions:
            if all(
                _agree(result, _attempt(function, case), close)
                for case, result in zip(cases, given, strict=True)
            ):
                raise Failed(code, seen)
    if given[first].shape != right[first].shape:
        seen = f"For {arguments} the result has shape {given[first].shape}, not {right[first].shape}."
        raise Failed("wrong-shape", seen)
    if not all(np.isfinite(values).all() for values in given):
        raise Failed("returns-nan", seen)
    raise Failed("wrong-value", seen)


def _agree(one: Values, other: Values | None, close: Mapping[str, float]) -> bool:
    if other is None or one.shape != other.shape:
        return False
    return bool(np.allclose(one, other, equal_nan=True, **close))


def _attempt(function: Callable[..., Any], case: Case) -> Values | None:
    """Return what a mistake gives; some give nothing on some cases."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(function(*case), dtype=np.float64)
        except (ValueError, IndexError, ZeroDivisionError):
            return None


def _values(values: Values) -> str:
    if values.ndim == 0:
        return f"{values:.4g}"
    flat = ", ".join(f"{value:.4g}" for value in values.ravel()[:6])
    return f"[{flat}{', …' if values.size > 6 else ''}]"
