"""Inverted dropout in torch."""

import torch
from torch import Tensor

from dropoutlab.grading.checks import scaling
from dropoutlab.grading.exercise import Exercise


def inverted_dropout_torch(
    x: Tensor, p: float, training: bool, generator: torch.Generator
) -> Tensor:
    """Zero each element of ``x`` with probability ``p`` and divide the
    others by q = 1 − p.

    Each element has a coin of its own, drawn from ``generator``. In
    evaluation the result equals ``x``. It has the shape and the dtype of
    ``x``; gradients reach ``x`` through the survivors only. 0 ≤ p < 1.
    """
    if not training:
        return x
    keep = torch.rand(x.shape, generator=generator) >= p
    return x * keep / (1 - p)


EXERCISE = Exercise(
    name="inverted_dropout_torch",
    chapter="04-scaling",
    title="Inverted dropout in PyTorch",
    difficulty=2,
    minutes=15,
    todo="as in NumPy, with torch's generator, and so that gradients pass through the survivors",
    task=(
        "The same rule for tensors. Autograd works out the gradient for you if you let it: it must be "
        "$1/q$ for a survivor and 0 for a dropped element, with the very mask of the forward pass."
    ),
    hints=(
        "`nn.functional.dropout` takes no generator. Which functions of torch that draw numbers do?",
        "`torch.rand(x.shape, generator=generator)` or `torch.bernoulli(probabilities, "
        "generator=generator)`. The mask needs no gradient, and `x` must stay in the graph.",
        "Multiply `x` itself, not `x.detach()` or `x.data`, by the boolean mask and divide by `1 - p`.",
    ),
    why=(
        "Multiplication by a constant mask is linear, so its gradient is the mask again: autograd keeps "
        "the mask of the forward pass for this. A boolean mask keeps the dtype of `x` whatever torch's "
        "default dtype is."
    ),
    solution=inverted_dropout_torch,
    aspects=(
        scaling.torch_training,
        scaling.torch_evaluation,
        scaling.torch_gradient,
    ),
    details=(scaling.other_tensors,),
)
