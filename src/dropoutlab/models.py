"""The networks of the course, with every initial weight drawn from an explicit generator."""

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real

import torch
from torch import Generator, nn

from dropoutlab.layers import Dropout


def linear(n_in: int, n_out: int, *, generator: Generator, dtype: torch.dtype = torch.float64) -> nn.Linear:
    r"""Make a linear layer whose weights and biases are uniform on :math:`\pm 1/\sqrt{n_\text{in}}`.

    That is the law of ``nn.Linear``'s own initialisation; only the source of randomness differs
    (``nn.Linear`` draws from the global generator, and nothing here may).

    Args:
        n_in: number of inputs, at least 1.
        n_out: number of outputs, at least 1.
        generator: source of the initial weights.
        dtype: floating-point type of the parameters.

    Returns:
        Layer mapping ``(N, n_in)`` to ``(N, n_out)``.

    Raises:
        ValueError: a width is smaller than 1.

    Example:
        >>> layer = linear(4, 3, generator=torch.Generator().manual_seed(1))
        >>> tuple(layer.weight.shape), layer.weight.abs().max().item() <= 0.5
        ((3, 4), True)

    Source: He et al. (2015), arXiv:1502.01852, with the gain that PyTorch uses for linear layers.
    """
    if n_in < 1 or n_out < 1:
        raise ValueError(f"layer widths must be at least 1, got {n_in} inputs and {n_out} outputs")
    # Built without memory first: constructing nn.Linear directly would draw from the global generator.
    layer = nn.Linear(n_in, n_out, device="meta", dtype=dtype).to_empty(device="cpu")
    bound = 1 / math.sqrt(n_in)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def mlp(
    widths: Sequence[int],
    *,
    init: Generator,
    p: float | Sequence[float] = 0.0,
    input_p: float = 0.0,
    masks: Generator | None = None,
    activation: type[nn.Module] = nn.ReLU,
    dtype: torch.dtype = torch.float64,
) -> nn.Sequential:
    """Build a multilayer perceptron: Linear, activation, `Dropout`, repeated, and a last Linear.

    Weights are drawn layer by layer before any mask is drawn, so nets that differ only in ``p`` start
    from the same weights when they share the ``init`` stream. A layer with p = 0 is left out.

    Args:
        widths: units per layer, input first and classes last, e.g. ``(64, 128, 128, 10)``.
        init: source of the initial weights.
        p: drop probability after every hidden layer, or one for each hidden layer.
        input_p: drop probability of the inputs.
        masks: source of the masks, shared by the dropout layers; ``None`` uses torch's default generator.
        activation: module class put after every hidden linear layer.
        dtype: floating-point type. The default is float64: results then agree between machines to
            far more digits than are printed, which float32 cannot promise after a few hundred steps.

    Returns:
        Network mapping ``(N, widths[0])`` to logits ``(N, widths[-1])``.

    Raises:
        ValueError: fewer than two widths, a width below 1, a wrong number of rates, or a rate outside [0, 1].

    Example:
        >>> net = mlp((64, 32, 10), p=0.5, init=torch.Generator().manual_seed(1))
        >>> [type(layer).__name__ for layer in net]
        ['Linear', 'ReLU', 'Dropout', 'Linear']
    """
    if len(widths) < 2:
        raise ValueError(f"an MLP needs at least an input and an output width, got {tuple(widths)}")
    hidden = len(widths) - 2
    rates = [float(p)] * hidden if isinstance(p, float | Real) else [float(rate) for rate in p]
    if len(rates) != hidden:
        raise ValueError(
            f"need one drop probability for each of the {hidden} hidden layers, got {len(rates)}"
        )
    # Layers are built even where the rate is 0, so that a bad rate is always refused.
    drops = [Dropout(rate, generator=masks) for rate in [input_p, *rates]]
    layers: list[nn.Module] = [drops[0]] if input_p > 0 else []
    for index, (n_in, n_out) in enumerate(pairwise(widths)):
        layers.append(linear(n_in, n_out, generator=init, dtype=dtype))
        if index < hidden:
            layers.append(activation())
            if rates[index] > 0:
                layers.append(drops[index + 1])
    return nn.Sequential(*layers)
