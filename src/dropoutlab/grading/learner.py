"""The learner's function as checks call it: failures become findings, and side effects are seen."""

import inspect
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from dropoutlab.grading.failure import Failed, explain
from dropoutlab.grading.report import Finding


class Learner:
    """Call a learner's function on copies of the arguments.

    Args:
        function: what the learner wrote.
        name: name of the exercise, for messages.
        reference: the right function.
        pure: whether global generators must stay untouched; building a network draws its initial weights.
        tensors: hand over torch tensors in the place of NumPy arrays, and NumPy arrays back.

    Attributes:
        notes: findings about side effects, one of each kind.
        reference: the right function.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        reference: Callable[..., Any],
        *,
        pure: bool = True,
        tensors: bool = False,
    ) -> None:
        self.notes: list[Finding] = []
        self.reference = reference
        self._function = function
        self._name = name
        self._pure = pure
        self._tensors = tensors

    def __call__(self, *args: Any) -> Any:
        """Call the function.

        Raises:
            Failed: it cannot be called like this, raised something, or did not end in time.
        """
        call = f"{self._name}({', '.join(map(describe, args))})"
        given = [self._handed_over(arg) for arg in args]
        before = [copied(arg) for arg in given]
        self._check_signature(given, call)
        result = self.guarded(call, self._function, *given)
        if not all(same(old, new) for old, new in zip(before, given, strict=True)):
            self.note("mutates-input", f"After {call} the arguments are no longer what they were.")
        return _to_numpy(result) if self._tensors else result

    def guarded(self, call: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call something that runs the learner's code, such as a network that they built.

        Args:
            call: what is called, for messages.
            function: what to call.
            args: handed over as they are.

        Raises:
            Failed: it raised something or did not end in time.
        """
        globals_before = _global_state()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a warning is no failure, whatever the caller's filters say
                return function(*args)
        except Failed:  # from something of ours that the function called
            raise
        except BaseException as error:
            raise explain(error, self._function, call) from None
        finally:
            self._look_at_globals(globals_before)

    def note(self, code: str, message: str) -> None:
        """Remember a side effect; it is reported after what is wrong with the result."""
        if code not in {finding.code for finding in self.notes}:
            self.notes.append(Finding(code, message))

    def _handed_over(self, arg: Any) -> Any:
        if self._tensors:
            return _to_torch(arg)
        # A tensor that asks for gradients must be the caller's own: it collects them.
        return arg if isinstance(arg, torch.Tensor) and arg.requires_grad else copied(arg)

    def _check_signature(self, args: list[Any], call: str) -> None:
        try:
            inspect.signature(self._function).bind(*args)
        except TypeError as error:
            raise Failed("wrong-signature", f"It is called as {call}: {error}.") from None
        except ValueError:  # built-in functions may have no signature
            return

    def _look_at_globals(self, before: dict[str, Any]) -> None:
        after = _global_state()
        changed = [name for name in before if not _equal_state(before[name], after[name])]
        # Modes are put right at once, lest later checks run in them. A generator must go on for now: put
        # back after every call, it would give the same mask again.
        torch.set_default_dtype(before[_DTYPE])
        torch.set_grad_enabled(before[_GRADIENTS])
        if not self._pure:
            changed = [name for name in changed if not name.endswith("generator")]
        if changed:
            self.note("changes-globals", f"Your code changed {' and '.join(changed)}.")


def describe(arg: object) -> str:
    """Name an argument shortly: numbers as they are, arrays by their shape.

    Example:
        >>> describe(np.ones((2, 3))), describe(0.2), describe([1, 2])
        ('array (2, 3)', '0.2', '[1, 2]')
    """
    if isinstance(arg, np.ndarray):
        return f"array {arg.shape}"
    if isinstance(arg, torch.Tensor):
        return f"tensor {tuple(arg.shape)}"
    if isinstance(arg, bool | int | float | str):
        return repr(arg)
    if isinstance(arg, list | tuple):
        text = "[" + ", ".join(map(describe, arg)) + "]"
        return text if len(text) <= 40 else f"{type(arg).__name__} of {len(arg)}"
    return getattr(arg, "__name__", type(arg).__name__)


def copied(arg: Any) -> Any:
    """Copy arrays and tensors, also within lists; anything else is passed on as it is."""
    if isinstance(arg, np.ndarray):
        return arg.copy()
    if isinstance(arg, torch.Tensor):
        return arg.detach().clone().requires_grad_(arg.requires_grad)
    if isinstance(arg, list | tuple):
        return type(arg)(copied(item) for item in arg)
    return arg


def same(one: Any, other: Any) -> bool:
    """Compare arrays and tensors by their values; anything that `copied` passes on is not looked at."""
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and one.dtype == other.dtype and bool(np.array_equal(one, other))
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and bool(torch.equal(one.detach(), other.detach()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return True


def _to_torch(arg: Any) -> Any:
    if isinstance(arg, np.ndarray):
        return torch.from_numpy(arg.copy())
    if isinstance(arg, list | tuple):
        return type(arg)(_to_torch(item) for item in arg)
    if callable(arg) and not isinstance(arg, nn.Module | type):
        return lambda *args: _to_torch(arg(*map(_to_numpy, args)))
    return arg


def _to_numpy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, list | tuple) and any(isinstance(item, torch.Tensor) for item in value):
        return type(value)(_to_numpy(item) for item in value)
    return value


@contextmanager
def generators_fixed() -> Iterator[None]:
    """Start the global generators from fixed seeds, and put them back to where they were afterwards."""
    before = _global_state()
    random.seed(1000)
    np.random.seed(1000)  # noqa: NPY002  (networks and careless solutions draw from it)
    torch.manual_seed(1000)
    try:
        yield
    finally:
        np.random.set_state(before[_NUMPY])  # noqa: NPY002  (it is put back, not used)
        torch.set_rng_state(before[_TORCH])
        random.setstate(before[_PYTHON])


_NUMPY, _TORCH, _PYTHON = "NumPy's global generator", "torch's global generator", "Python's global generator"
_DTYPE, _GRADIENTS = "torch's default dtype", "torch's gradient mode"


def _global_state() -> dict[str, Any]:
    return {
        _NUMPY: np.random.get_state(),  # noqa: NPY002  (it is watched, not used)
        _TORCH: torch.get_rng_state(),
        _PYTHON: random.getstate(),
        _DTYPE: torch.get_default_dtype(),
        _GRADIENTS: torch.is_grad_enabled(),
    }


def _equal_state(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_equal_state, one, other))
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, torch.Tensor):
        return bool(torch.equal(one, other))
    return bool(one == other)
