"""Chapters 4 and 5: what networks built by a learner do in training and in evaluation.

A network is watched through hooks on its linear or convolutional layers: what they got against what the layer
before put out. With positive inputs and weights every rectifier is the identity, so each zero is a mask's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from dropoutlab.grading.checks import masks
from dropoutlab.grading.checks.masks import RATES, Masked, masked
from dropoutlab.grading.checks.values import shown
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner

_SIZES = (20, 64, 48, 5)
CLOSE = 1e-5  # float32 leaves 1e-7 for each operation
_EXAMPLES = 300


@dataclass(frozen=True)
class _Watched:
    """One pass: input and output of each watched layer, in the order in which they ran, and the result."""

    inputs: list[Tensor]
    outputs: list[Tensor]
    result: Tensor


def build(learner: Learner, *args: Any) -> nn.Module:
    """Have the learner build a network.

    Raises:
        Failed: it is none.
    """
    net = learner(*args)
    if not isinstance(net, nn.Module):
        raise Failed("wrong-type", f"It returned {shown(net)}; an nn.Module was expected.")
    return net


def watch(learner: Learner, net: nn.Module, kind: type[nn.Module], x: Tensor, *, training: bool) -> _Watched:
    """Run a network once in one of its modes.

    Raises:
        Failed: it raised something, or returned no tensor.
    """
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []

    def hook(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        inputs.append(given[0].detach().clone())
        outputs.append(output.detach().clone())

    handles = [layer.register_forward_hook(hook) for layer in net.modules() if isinstance(layer, kind)]
    net.train(training)
    with torch.no_grad():
        result = learner.guarded(f"net(x) in {'training' if training else 'evaluation'}", net, x.clone())
    for handle in handles:
        handle.remove()
    if not isinstance(result, Tensor):
        raise Failed("wrong-type", f"The network returned {shown(result)}; a tensor was expected.")
    return _Watched(inputs, outputs, result.detach())


def make_positive(net: nn.Module) -> None:
    """Give every parameter positive values, so that rectifiers do nothing."""
    generator = torch.Generator().manual_seed(1000)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(0.5, 1.5, generator=generator)
            parameter.div_(max(1, parameter[0].numel()))


def positive(*shape: int, seed: int = 1) -> Tensor:
    """Inputs between 1 and 2."""
    return 1 + torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _mlp(learner: Learner, told: float) -> nn.Module:
    net = build(learner, list(_SIZES), told)
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in layers]
    wanted = list(pairwise(_SIZES))
    if sorted(sizes) != sorted(wanted):
        raise Failed(
            "wrong-shape", f"For sizes {list(_SIZES)} it has the linear layers {sizes}, not {wanted}."
        )
    return net


def _check_linear(seen: _Watched) -> None:
    sizes = [tensor.shape[-1] for tensor in seen.inputs]
    if sizes != list(_SIZES[:-1]):
        raise Failed("wrong-shape", f"The linear layers saw inputs of the sizes {sizes}, not {_SIZES[:-1]}.")


def mlp_evaluation(learner: Learner) -> None:
    """In evaluation the network is its linear layers with rectifiers between them."""
    _mlp_evaluation(learner, lambda p: p)


def kept_evaluation(learner: Learner) -> None:
    """As `mlp_evaluation`, for a network that is told the probability of keeping."""
    _mlp_evaluation(learner, lambda p: 1 - p)


def _mlp_evaluation(learner: Learner, told: Callable[[float], float]) -> None:
    for p in RATES:
        net = _mlp(learner, told(p))
        make_positive(net)
        x = positive(_EXAMPLES, _SIZES[0])
        seen = watch(learner, net, nn.Linear, x, training=False)
        _check_linear(seen)
        for before, after in zip(seen.outputs, seen.inputs[1:], strict=False):
            masks.check_evaluation(
                [_between(p, before, after)], lambda _: 1.0, masks.INVERTED_EVALUATION, CLOSE
            )
        if not torch.equal(seen.inputs[0], x):
            raise Failed(
                "active-in-evaluation", "In evaluation the first layer did not get the input itself."
            )
        if not torch.equal(seen.result, seen.outputs[-1]):
            zeros = bool((seen.result == 0).any())
            code = "active-in-evaluation" if zeros else "evaluation-changes-input"
            raise Failed(code, "In evaluation the result is not the output of the last linear layer.")


def mlp_rectifiers(learner: Learner) -> None:
    """Between two linear layers stands a rectifier."""
    net = _mlp(learner, 0.2)
    x = torch.randn(50, _SIZES[0], generator=torch.Generator().manual_seed(2))
    seen = watch(learner, net, nn.Linear, x, training=False)
    for before, after in zip(seen.outputs, seen.inputs[1:], strict=False):
        if not torch.allclose(before.relu(), after, rtol=CLOSE, atol=CLOSE):
            raise Failed(
                "activation-missing", "A hidden layer's input is not the rectified output of the one before."
            )


def mlp_training(learner: Learner) -> None:
    """In training every hidden activation is dropped, and nothing else."""
    _mlp_training(learner, lambda p: p)


def kept_training(learner: Learner) -> None:
    """As `mlp_training`, for a network that is told the probability of keeping."""
    _mlp_training(learner, lambda p: 1 - p)


def _mlp_training(learner: Learner, told: Callable[[float], float]) -> None:
    calls: list[list[Masked]] = []
    for p in RATES:
        net = _mlp(learner, told(p))
        make_positive(net)
        x = positive(_EXAMPLES, _SIZES[0])
        seen, again = (watch(learner, net, nn.Linear, x, training=True) for _ in range(2))
        _check_linear(seen)
        if not torch.allclose(seen.inputs[0], x, rtol=CLOSE):
            raise Failed("dropout-on-input", "In training the first layer did not get the input itself.")
        if not torch.allclose(seen.result, seen.outputs[-1], rtol=CLOSE):
            zeros = float((seen.result == 0).double().mean())
            raise Failed(
                "dropout-on-output", f"With p = {p}, {zeros:.0%} of the logits are zero in training."
            )
        hidden = [_between(p, *pair) for pair in zip(seen.outputs, seen.inputs[1:], strict=False)]
        for number, call in enumerate(hidden, start=1):
            if call.kept.all():
                seen_text = f"With p = {p}, hidden layer {number} of {len(hidden)} loses no unit in training."
                raise Failed("dropout-missing", seen_text)
        if torch.equal(seen.result, again.result):
            raise Failed("mask-repeats", "Two passes in training gave the same result.")
        calls.append(hidden)
    for layer in zip(*calls, strict=True):
        check_masks(list(layer))


def check_masks(calls: list[Masked]) -> None:
    """Look at who shares a coin, at the fractions and at the factors of inverted dropout."""
    masks.check_structure(calls)
    masks.check_fraction(calls)
    masks.check_scale(calls, lambda p: 1 / (1 - p), masks.INVERTED, CLOSE)


def _between(p: float, before: Tensor, after: Tensor) -> Masked:
    return masked(p, before.numpy(), after.numpy())
