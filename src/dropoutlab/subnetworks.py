"""Thinned networks one by one: their predictions, how many of them differ, how many training ever visits."""

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from dropoutlab.layers import Dropout
from dropoutlab.masks import check_probability
from dropoutlab.thinned import Rates, drop_rates, enumerate_masks, float64_layer, mask_probabilities

# Fixed and unrelated to any weights, so that two different logit vectors do not get one code.
_ANGLE = 2.0**0.5
_SAME = 1e-9  # relative to the largest code: rounding makes 1e-15, different networks differ far more


@torch.no_grad()
def final_layer(net: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split a network that drops units of its last hidden layer only, where `exact_average` takes over.

    Args:
        net: any layers, one `Dropout`, a final ``Linear``.
        x: examples ``(N, D)``.

    Returns:
        Inputs of the dropout layer ``(N, n)``, and weight ``(C, n)`` and bias ``(C,)`` of the final layer.

    Raises:
        ValueError: the network does not end so, or drops units in other places as well.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net = mlp((4, 6, 3), p=0.3, init=g, masks=g)
        >>> hidden, weight, bias = final_layer(net, torch.ones(2, 4).double())
        >>> tuple(hidden.shape), tuple(weight.shape), tuple(bias.shape)
        ((2, 6), (3, 6), (3,))
    """
    *body, drop, last = net
    earlier = any(isinstance(module, Dropout) for layer in body for module in layer.modules())
    if not isinstance(drop, Dropout) or not isinstance(last, nn.Linear) or earlier:
        names = " → ".join(type(layer).__name__ for layer in net)
        raise ValueError(f"need one Dropout, right before the final Linear, got {names}")
    hidden: Tensor = nn.Sequential(*body)(x)
    bias = last.weight.new_zeros(len(last.weight)) if last.bias is None else last.bias
    return hidden, last.weight.detach(), bias.detach()


def member_predictions(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, p: Rates
) -> tuple[Tensor, Tensor]:
    """Predict one example with every thinned network of a final linear layer with softmax.

    Args:
        hidden: inputs of the layer before inverted dropout ``(n,)``, n at most 20.
        weight: ``(C, n)``.
        bias: ``(C,)`` or ``None``.
        p: drop probability below 1, one for all units or one for each of the n.

    Returns:
        Probabilities of the classes ``(2^n, C)``, in the order of `enumerate_masks`, and the probability of
        each network ``(2^n,)``; both in float64.

    Raises:
        ValueError: shapes do not fit, or ``p`` is not in ``[0, 1)``.

    Example:
        >>> predictions, law = member_predictions(torch.tensor([1.0, 2.0]), torch.eye(2), None, p=0.5)
        >>> predictions[:, 1].tolist()[0], law.tolist()
        (0.5, [0.25, 0.25, 0.25, 0.25])
    """
    hidden, weight, bias = float64_layer(hidden, weight, bias)
    if hidden.dim() != 1:
        raise ValueError(f"need the hidden units of one example (n,), got {tuple(hidden.shape)}")
    logits, law = _member_logits(hidden[None], weight, bias, p)
    return logits[0].softmax(dim=-1), law


def distinct_outputs(hidden: Tensor, weight: Tensor, bias: Tensor | None, p: Rates) -> Tensor:
    r"""Count the different outputs that the 2ⁿ thinned networks have for each example.

    A unit that puts out 0 contributes nothing, kept or dropped. With :math:`a` units that are not 0 there
    are :math:`2^a` outputs at most, and exactly so many unless weights coincide.

    Args:
        hidden: inputs of the layer before dropout, ``(N, n)``, n at most 20.
        weight: ``(C, n)``.
        bias: ``(C,)`` or ``None``.
        p: drop probability below 1, one for all units or one for each of the n.

    Returns:
        Counts ``(N,)``.

    Raises:
        ValueError: shapes do not fit, or ``p`` is not in ``[0, 1)``.

    Example:
        >>> hidden = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
        >>> distinct_outputs(hidden, torch.tensor([[1.0, 0.3, -2.0]]), None, p=0.3).tolist()
        [4, 1]
    """
    hidden, weight, bias = float64_layer(torch.atleast_2d(hidden), weight, bias)
    code = torch.tensor([_ANGLE**power for power in range(len(weight))], dtype=torch.float64)
    counts = []
    for example in hidden:  # one at a time: 2^20 networks of ten classes take 80 MB
        codes = (_member_logits(example[None], weight, bias, p)[0][0] @ code).sort().values
        steps = codes.diff() > _SAME * codes.abs().max().clamp(min=1)
        counts.append(1 + int(steps.sum()))
    return torch.tensor(counts, dtype=torch.int64)


def visited_share(n: int, p: float, draws: int) -> float:
    r"""Give the expected share of the :math:`2^n` thinned networks that training visits at least once.

    .. math:: 2^{-n} \sum_{k=0}^{n} \binom nk \bigl(1 - (1 - q^{n-k} p^k)^T\bigr)

    A mask with k units dropped has probability :math:`q^{n-k} p^k` in each of T independent draws.

    Args:
        n: number of units, 0 or more.
        p: drop probability in ``[0, 1]``.
        draws: number T of masks drawn: epochs times training examples.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: ``n`` or ``draws`` is negative, or ``p`` is no probability.

    Example:
        >>> round(visited_share(1, 0.5, 2), 6)  # each network is missed with probability 1/4
        0.75
    """
    p = check_probability(p)
    if n < 0 or draws < 0:
        raise ValueError(f"units and draws must not be negative, got n = {n} and {draws} draws")
    dropped = np.arange(n + 1)
    likely = (1 - p) ** (n - dropped) * p**dropped
    with np.errstate(divide="ignore"):  # a mask that is certain is met in the first draw
        met = -np.expm1(draws * np.log1p(-likely)) if draws else np.zeros(n + 1)
    return float((stats.binom(n, 0.5).pmf(dropped) * met).sum())


def _member_logits(hidden: Tensor, weight: Tensor, bias: Tensor, p: Rates) -> tuple[Tensor, Tensor]:
    """Return logits ``(N, 2^n, C)`` and the probability of each network."""
    rates = drop_rates(p, weight)
    if bool((rates == 1).any()):
        raise ValueError("drop probabilities must lie in [0, 1) here: with p = 1 nothing is ever kept")
    masks = enumerate_masks(weight.shape[1]).to(weight.device)
    kept = masks.to(torch.float64) / (1 - rates)  # (2^n, n)
    return (hidden[:, None] * kept) @ weight.T + bias, mask_probabilities(masks, rates)
