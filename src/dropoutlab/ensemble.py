"""Thinned networks: enumerate them, sample them, average their predictions.

A layer of n units with dropout stands for 2ⁿ networks, one per mask. Three averages of their softmax outputs
matter: the arithmetic mean, the renormalised geometric mean, and weight scaling, which runs one network with
every mask replaced by its mean. The last two agree exactly whenever the logits are affine in the mask.

All averages are taken and returned in float64.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from dropoutlab.exact import MOST_UNITS, exact_average
from dropoutlab.thinned import (
    MOST_MASK_UNITS,
    Kind,
    Rates,
    as_probabilities,
    check_kind,
    drop_rates,
    enumerate_masks,
    float64_layer,
    mask_probabilities,
    weighted_sum,
)

__all__ = [
    "MOST_MASK_UNITS",
    "MOST_UNITS",
    "Kind",
    "Rates",
    "average",
    "enumerate_masks",
    "exact_average",
    "mask_probabilities",
    "monte_carlo_average",
    "weight_scaling_average",
]


def weight_scaling_average(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    p: Rates,
    *,
    scaling: Literal["inverted", "classic"] = "inverted",
) -> Tensor:
    r"""Predict with one network in which every mask is replaced by its mean.

    .. math:: \text{inverted: } \text{softmax}(W h + b), \qquad
        \text{classic: } \text{softmax}(W (q \odot h) + b)

    For inverted dropout this is the network in evaluation; only units with p = 1, which training never saw,
    are left out. For one dropped layer it equals the geometric `exact_average`.

    Args:
        hidden: inputs of the layer before dropout, ``(n,)`` or ``(N, n)``.
        weight: ``(C, n)``.
        bias: ``(C,)`` or ``None``; never scaled.
        p: drop probability in ``[0, 1]``, one for all units or one for each of the n.
        scaling: ``"inverted"`` if survivors were divided by q in training, ``"classic"`` if not.

    Returns:
        Probabilities ``(C,)`` or ``(N, C)`` in float64.

    Raises:
        ValueError: shapes do not fit, ``p`` is no probability, or ``scaling`` is unknown.

    Example:
        >>> hidden, weight = torch.tensor([1.0, 2.0]), torch.eye(2)
        >>> weight_scaling_average(hidden, weight, None, p=0.5)
        tensor([0.2689, 0.7311], dtype=torch.float64)

    Source: Srivastava et al. (2014), section 4 (scaled-down weights) and section 10 (scaled-up survivors).
    """
    hidden, weight, bias = float64_layer(hidden, weight, bias)
    rates = drop_rates(p, weight)
    if scaling == "inverted":
        mean = (rates < 1).to(rates.dtype)
    elif scaling == "classic":
        mean = 1 - rates
    else:
        raise ValueError(f"scaling must be 'inverted' or 'classic', got {scaling!r}")
    return (hidden * mean @ weight.T + bias).softmax(dim=-1)


@torch.no_grad()
def monte_carlo_average(
    predict: Callable[[Tensor], Tensor], x: Tensor, samples: int, *, kind: Kind = "arithmetic"
) -> Tensor:
    r"""Average the predictions of randomly drawn thinned networks.

    The error of the arithmetic mean shrinks as one over the square root of the number of samples.

    Args:
        predict: maps ``x`` to probabilities ``(*, C)``, with a new mask in every call: dropout layers in
            training mode, a softmax at the end. It holds its own generator.
        x: input, passed on as it is.
        samples: number of networks to draw, at least 1.
        kind: ``"arithmetic"`` or ``"geometric"``.

    Returns:
        Probabilities ``(*, C)`` in float64.

    Raises:
        ValueError: ``samples`` is below 1, ``kind`` is unknown, ``predict`` returns no probabilities, or each
            class is impossible in some sample, where the geometric mean is 0/0.

    Example:
        >>> from dropoutlab.functional import dropout
        >>> g = torch.Generator().manual_seed(1)
        >>> predict = lambda x: dropout(x, 0.5, training=True, generator=g).softmax(-1)
        >>> mean = monte_carlo_average(predict, torch.tensor([1.0, 2.0]), samples=4000)
        >>> [round(value, 1) for value in mean.tolist()]  # exact: 0.3795, 0.6205
        [0.4, 0.6]

    Source: Srivastava et al. (2014), section 7.5; Gal and Ghahramani (2016), arXiv:1506.02142, section 4.
    """
    check_kind(kind)
    if samples < 1:
        raise ValueError(f"need at least 1 sample, got {samples}")
    total: Tensor | float = 0.0
    for _ in range(samples):
        probabilities = predict(x).double()
        _check_distribution(probabilities, "predict must return probabilities; end it with a softmax")
        total = total + (probabilities.log() if kind == "geometric" else probabilities) / samples
    assert isinstance(total, Tensor)
    if bool(total.isneginf().all(dim=-1).any()):
        raise ValueError(
            "the geometric mean is undefined: every class has probability 0 in some sample; "
            "predict in float64, or use kind='arithmetic'"
        )
    return as_probabilities(total, kind)


def average(logits: Tensor, probabilities: Tensor, kind: Kind = "arithmetic") -> Tensor:
    r"""Average the softmaxes of networks that were enumerated by hand, each by its probability.

    It makes no assumption about how the logits came about: several dropped layers, any nonlinearity,
    correlated masks.

    Args:
        logits: outputs of the M networks, ``(M, *, C)``.
        probabilities: probability of each network, ``(M,)``.
        kind: ``"arithmetic"`` or ``"geometric"``.

    Returns:
        Probabilities ``(*, C)`` in float64.

    Raises:
        ValueError: there is not one probability per network, they do not sum to 1, or ``kind`` is unknown.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
        >>> average(logits, torch.tensor([0.5, 0.5]), kind="geometric")
        tensor([0.2689, 0.7311], dtype=torch.float64)

    Source: Baldi and Sadowski (2013), NeurIPS (the normalised weighted geometric mean).
    """
    check_kind(kind)
    if logits.dim() < 2 or probabilities.shape != logits.shape[:1]:
        raise ValueError(
            f"need logits (M, *, C) and one probability for each of the M networks, "
            f"got {tuple(logits.shape)} and {tuple(probabilities.shape)}"
        )
    probabilities = probabilities.double()
    _check_distribution(probabilities, "the probabilities of the networks must sum to 1")
    # A network that never occurs must not matter, even where its log-probability is minus infinity.
    occurs = probabilities > 0
    return as_probabilities(weighted_sum(logits[occurs].double(), probabilities[occurs], kind), kind)


def _check_distribution(probabilities: Tensor, demand: str) -> None:
    # float32 softmaxes miss 1 by a few units of 1e-7 per class; logits miss it by far more.
    total = probabilities.sum(dim=-1)
    if not bool(((probabilities >= 0).all()) & ((total - 1).abs() < 1e-4).all()):
        raise ValueError(
            f"{demand}; got values from {probabilities.min():.3g} and sums up to {total.max():.3g}"
        )
