"""Inverted and original dropout in NumPy, inverted dropout in torch."""

from typing import Any

import numpy as np
import torch

from dropoutlab.grading.checks import masks
from dropoutlab.grading.checks.masks import RATES, SHAPE, SMALL, Factor, Masked, Mistakes, masked
from dropoutlab.grading.checks.values import as_array, as_tensor
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner

_EXACT = 1e-9  # relative; float64 leaves 1e-16 for each operation
_SINGLE = 1e-5  # float32 leaves 1e-7


def _inputs(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Numbers of both signs between 1 and 2 in size: none is zero, so a zero was dropped."""
    rng = np.random.default_rng(1000)
    values: np.ndarray = rng.uniform(1, 2, shape) * rng.choice([-1.0, 1.0], shape)
    return values


def _array_call(
    learner: Learner, p: float, training: bool, rng: Any, shape: tuple[int, ...] = SHAPE
) -> Masked:
    x = _inputs(shape)
    return masked(p, x, as_array(learner(x, p, training, rng), x))


def _training(learner: Learner, right: Factor, mistakes: Mistakes) -> None:
    calls = [_array_call(learner, p, True, np.random.default_rng(k)) for k, p in enumerate(RATES)]
    masks.check_structure(calls)
    masks.check_fraction(calls)
    masks.check_scale(calls, right, mistakes, _EXACT)
    masks.check_randomness(lambda p, rng: _array_call(learner, p, True, rng, SMALL), np.random.default_rng)


def inverted_training(learner: Learner) -> None:
    """Zeros and x/q in training, by independent coins from the generator."""
    try:
        _training(learner, lambda p: 1 / (1 - p), masks.INVERTED)
    except Failed as failed:
        code = failed.finding.code
        if code in {"no-scaling", "inactive-in-training"}:
            _look_at_evaluation_too(learner, failed)
        raise


def _look_at_evaluation_too(learner: Learner, failed: Failed) -> None:
    """Some mistakes are told apart only by what evaluation does."""
    calls = [_array_call(learner, p, False, np.random.default_rng(4)) for p in RATES]
    if failed.finding.code == "inactive-in-training":
        if not all(call.kept.all() for call in calls):
            raise Failed("training-flag-inverted", f"{failed} In evaluation there were zeros.")
    elif all(masks.has_factor(call, lambda p: 1 - p, _EXACT) for call in calls):
        raise Failed("classic-not-inverted", f"{failed} Evaluation multiplied by q instead.")


def inverted_evaluation(learner: Learner) -> None:
    """Evaluation returns the input."""
    calls = [_array_call(learner, p, False, np.random.default_rng(5)) for p in RATES]
    masks.check_evaluation(calls, lambda _: 1.0, masks.INVERTED_EVALUATION, _EXACT)


def classic_training(learner: Learner) -> None:
    """Zeros and x in training, by independent coins from the generator."""
    try:
        _training(learner, lambda _: 1.0, masks.CLASSIC)
    except Failed as failed:
        if failed.finding.code == "inverted-not-classic":
            calls = [_array_call(learner, p, False, np.random.default_rng(4)) for p in RATES]
            if all(masks.has_factor(call, lambda p: 1 - p, _EXACT) for call in calls):
                raise Failed("scaled-twice", f"{failed} And evaluation multiplied by q.") from None
        if failed.finding.code == "inactive-in-training":
            _look_at_evaluation_too(learner, failed)
        raise


def classic_evaluation(learner: Learner) -> None:
    """Evaluation multiplies by q."""
    calls = [_array_call(learner, p, False, np.random.default_rng(5)) for p in RATES]
    masks.check_evaluation(calls, lambda p: 1 - p, masks.CLASSIC_EVALUATION, _EXACT)


def other_arrays(learner: Learner) -> None:
    """Shape and dtype are those of the input, also for vectors, images and float32; p = 0 drops nobody."""
    for shape, dtype in (((7,), np.float64), ((2, 3, 4, 5), np.float64), ((6, 5), np.float32)):
        x = _inputs(shape).astype(dtype)
        for training in (True, False):
            as_array(learner(x, 0.3, training, np.random.default_rng(6)), x)
    x = _inputs((6, 5))
    y = as_array(learner(x, 0.0, True, np.random.default_rng(7)), x)
    if not np.allclose(x, y, rtol=_EXACT, atol=0):
        raise Failed("p-hard-coded", "With p = 0 the result is not the input.")


def torch_training(learner: Learner) -> None:
    """As `inverted_training`, for tensors in float32 and float64."""
    try:
        calls = [_tensor_call(learner, p, True, _generator(k)) for k, p in enumerate(RATES)]
        masks.check_structure(calls)
        masks.check_fraction(calls)
        masks.check_scale(calls, lambda p: 1 / (1 - p), masks.INVERTED, _SINGLE)
        masks.check_randomness(lambda p, g: _tensor_call(learner, p, True, g, SMALL), _generator)
    except Failed as failed:
        calls = [_tensor_call(learner, p, False, _generator(4)) for p in RATES]
        if failed.finding.code == "inactive-in-training" and not calls[0].kept.all():
            raise Failed("training-flag-inverted", f"{failed} In evaluation there were zeros.") from None
        if failed.finding.code == "no-scaling" and all(
            masks.has_factor(call, lambda p: 1 - p, _SINGLE) for call in calls
        ):
            raise Failed("classic-not-inverted", f"{failed} Evaluation multiplied by q instead.") from None
        raise


def torch_evaluation(learner: Learner) -> None:
    """Evaluation returns the input."""
    calls = [_tensor_call(learner, p, False, _generator(5)) for p in RATES]
    masks.check_evaluation(calls, lambda _: 1.0, masks.INVERTED_EVALUATION, _SINGLE)


def torch_gradient(learner: Learner) -> None:
    """The gradient is the mask over q: that of the forward pass, on the survivors only."""
    for p in RATES:
        x = torch.from_numpy(_inputs()).requires_grad_(True)
        y = as_tensor(learner(x, p, True, _generator(8)), x)
        if not y.requires_grad:
            raise Failed("no-gradient", "The input asks for gradients, the result does not carry any.")
        (gradient,) = torch.autograd.grad(y.sum(), x, allow_unused=True)
        if gradient is None:
            raise Failed(
                "no-gradient", "The result does not depend on the input, as far as autograd can see."
            )
        expected = (y / x).detach()  # y = x·m/q, so dy/dx is y/x
        if not torch.allclose(gradient, expected, rtol=_EXACT, atol=0):
            lost = float((gradient[y == 0] != 0).double().mean())
            seen = f"With p = {p}, {lost:.0%} of the dropped units still got a gradient."
            raise Failed("mask-missing-in-backward", seen)


def other_tensors(learner: Learner) -> None:
    """Shape and dtype are those of the input; p = 0 drops nobody."""
    for shape, dtype in (((7,), torch.float32), ((2, 3, 4, 5), torch.float64)):
        x = torch.from_numpy(_inputs(shape)).to(dtype)
        for training in (True, False):
            as_tensor(learner(x, 0.3, training, _generator(6)), x)
    x = torch.from_numpy(_inputs((6, 5)))
    if not torch.allclose(as_tensor(learner(x, 0.0, True, _generator(7)), x), x, rtol=_EXACT, atol=0):
        raise Failed("p-hard-coded", "With p = 0 the result is not the input.")


def _tensor_call(
    learner: Learner, p: float, training: bool, generator: torch.Generator, shape: tuple[int, ...] = SHAPE
) -> Masked:
    x = torch.from_numpy(_inputs(shape)).float()
    y = as_tensor(learner(x, p, training, generator), x)
    return masked(p, x.numpy(), y.detach().numpy())


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
