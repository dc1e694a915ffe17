"""Chapter 5: a convolutional block and a residual block, watched as in `networks`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dropoutlab.grading.checks import masks, spatial
from dropoutlab.grading.checks.masks import RATES, masked
from dropoutlab.grading.checks.networks import CLOSE, build, check_masks, make_positive, positive, watch
from dropoutlab.grading.checks.values import shown
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner


def _conv(learner: Learner, p: float) -> nn.Module:
    net = build(learner, 3, 40, p)
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    shapes = [(layer.in_channels, layer.out_channels, *layer.kernel_size) for layer in layers]
    if shapes != [(3, 40, 3, 3)]:
        raise Failed("wrong-shape", f"It has the convolutions {shapes}, not one of (3, 40, 3, 3).")
    return net


def conv_evaluation(learner: Learner) -> None:
    """In evaluation the block is its convolution with a rectifier, and keeps height and width."""
    for p in RATES:
        net = _conv(learner, p)
        x = torch.randn(4, 3, 6, 5, generator=torch.Generator().manual_seed(3))
        seen = watch(learner, net, nn.Conv2d, x, training=False)
        if seen.result.shape != (4, 40, 6, 5):
            raise Failed("wrong-shape", f"For maps of 6 × 5 the result has shape {tuple(seen.result.shape)}.")
        if not torch.equal(seen.inputs[0], x):
            raise Failed(
                "active-in-evaluation", "In evaluation the convolution did not get the input itself."
            )
        again = watch(learner, net, nn.Conv2d, x, training=False)
        if not torch.equal(seen.result, again.result):
            raise Failed("active-in-evaluation", "Two passes in evaluation gave different results.")
        if not torch.allclose(seen.result, seen.outputs[0].relu(), rtol=CLOSE, atol=CLOSE):
            negative = bool((seen.result < 0).any())
            code = "activation-missing" if negative else "evaluation-changes-input"
            raise Failed(code, "In evaluation the result is not the rectified output of the convolution.")


def conv_training(learner: Learner) -> None:
    """In training whole maps of the result are dropped."""
    calls = []
    for p in RATES:
        net = _conv(learner, p)
        make_positive(net)
        x = positive(150, 3, 4, 4)
        seen = watch(learner, net, nn.Conv2d, x, training=True)
        if not torch.allclose(seen.inputs[0], x, rtol=CLOSE):
            raise Failed("dropout-on-input", "In training the convolution did not get the input itself.")
        if (seen.result != 0).all():
            raise Failed("dropout-missing", f"With p = {p} nothing is zero in training.")
        calls.append(spatial.maps(p, seen.outputs[0].numpy(), seen.result.numpy(), close=CLOSE))
    spatial.check_maps(calls)
    masks.check_fraction(calls)
    masks.check_scale(calls, lambda p: 1 / (1 - p), masks.INVERTED, CLOSE)


class _Branch(nn.Module):
    """A branch that can be worked out by hand, and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Tensor | None = None

    @staticmethod
    def rule(x: Tensor) -> Tensor:
        return 0.25 * x + 0.1  # less than x for x > 1, so that a dropped x shows

    def forward(self, x: Tensor) -> Tensor:
        self.given = x.detach().clone()
        return self.rule(x)


def residual_evaluation(learner: Learner) -> None:
    """In evaluation the block returns x + branch(x)."""
    for p in RATES:
        net = build(learner, _Branch(), p).eval()
        x = positive(200, 50).double()
        y, again = (_result(learner, net, x) for _ in range(2))
        if not torch.equal(y, again):
            raise Failed("active-in-evaluation", "Two passes in evaluation gave different results.")
        branch = _Branch.rule(x)
        if torch.allclose(y, branch, rtol=CLOSE):
            raise Failed("skip-missing", "In evaluation it returned branch(x), not x + branch(x).")
        if torch.allclose(y, x + (1 - p) * branch, rtol=CLOSE):
            raise Failed("scaled-at-evaluation", "In evaluation it returned x + q·branch(x).")
        if not torch.allclose(y, x + branch, rtol=CLOSE):
            raise Failed("evaluation-changes-input", "In evaluation it did not return x + branch(x).")


def residual_training(learner: Learner) -> None:
    """In training the output of the branch is dropped; the skip connection is whole."""
    calls = []
    for p in RATES:
        branch = _Branch()
        net = build(learner, branch, p).train()
        x = positive(200, 50).double()
        y = _result(learner, net, x)
        if branch.given is None:
            raise Failed("wrong-value", "The branch was never called.")
        if not torch.allclose(branch.given, x, rtol=CLOSE):
            raise Failed("dropout-on-input", "In training the branch did not get the block's input itself.")
        out = branch.rule(x)
        if torch.allclose(y, x + out, rtol=CLOSE):
            raise Failed("dropout-missing", f"With p = {p} nothing is dropped in training.")
        # Where the skip is whole, nothing that is left is below x.
        if (y < x - CLOSE).any():
            raise Failed(
                "dropout-on-skip", f"With p = {p} the result is below x in places: x itself was dropped."
            )
        rest = torch.where((y - x).abs() < CLOSE, 0.0, y - x)
        calls.append(masked(p, out.numpy(), rest.numpy()))
    check_masks(calls)


def _result(learner: Learner, net: Callable[[Tensor], object], x: Tensor) -> Tensor:
    with torch.no_grad():
        result = learner.guarded("block(x)", net, x.clone())
    if not isinstance(result, Tensor):
        raise Failed("wrong-type", f"The block returned {shown(result)}; a tensor was expected.")
    if result.shape != x.shape:
        raise Failed("wrong-shape", f"For x of {tuple(x.shape)} the block returned {tuple(result.shape)}.")
    return result
