"""Thinned networks: enumerate them, sample them, average their predictions.

A layer of n units with dropout stands for 2ⁿ networks, one per mask. Three averages of their softmax outputs
matter: the arithmetic mean, the renormalised geometric mean, and weight scaling, which runs one network with
every mask replaced by its mean. The last two agree exactly whenever the logits are affine in the mask.

All averages are taken in float64, of logarithms of softmaxes, and returned in float64.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from dropoutlab.masks import check_probability

Kind = Literal["arithmetic", "geometric"]
Rates = float | Sequence[float] | Tensor

# 2^24 networks take seconds. Past that the sum doubles with every unit and sampling is the better bargain.
MOST_UNITS = 24
# All masks at once need n bytes each: 2^20 of them fit in 20 MB.
MOST_MASK_UNITS = 20
# Logits held at a time: 2^18 float64 numbers are 2 MB and stay in a processor's cache.
_BLOCK = 2**18


@torch.no_grad()
def exact_average(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, p: Rates, kind: Kind = "arithmetic"
) -> Tensor:
    r"""Average the predictions of all 2ⁿ thinned networks of a final linear layer with softmax.

    .. math:: z_m = W (h \odot m / q) + b, \qquad P(m) = \prod_i q_i^{m_i} p_i^{1 - m_i}

    .. math:: \text{arithmetic: } \sum_m P(m)\, \text{softmax}(z_m), \qquad
        \text{geometric: } \propto \exp \sum_m P(m) \log \text{softmax}(z_m)

    Units with p = 0 or p = 1 are no choice and double nothing.

    Args:
        hidden: inputs of the layer before dropout, ``(n,)`` or ``(N, n)``.
        weight: ``(C, n)``.
        bias: ``(C,)`` or ``None``; never masked and never scaled.
        p: drop probability in ``[0, 1]``, one for all units or one for each of the n.
        kind: ``"arithmetic"`` or ``"geometric"``.

    Returns:
        Probabilities ``(C,)`` or ``(N, C)`` in float64. Memory stays bounded at any n.

    Raises:
        ValueError: shapes do not fit, ``p`` is no probability, ``kind`` is unknown, or more than 24 units
            are dropped at random.

    Example:
        >>> hidden, weight = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> exact_average(hidden, weight, None, p=0.5)  # masks 00, 10, 01, 11
        tensor([0.3795, 0.6205], dtype=torch.float64)

    Source: Hinton et al. (2012), arXiv:1207.0580 (geometric mean of all 2ⁿ networks); Srivastava et al.
    (2014), sections 1 and 7.5.
    """
    _check_kind(kind)
    hidden, weight, bias = _as_float64(hidden, weight, bias)
    rates = _rates(p, weight)
    random = (rates > 0) & (rates < 1)
    n = int(random.sum())
    if n > MOST_UNITS:
        raise ValueError(
            f"exact_average enumerates 2^n networks for n up to {MOST_UNITS} units with 0 < p < 1, got {n}; "
            "sample them instead with monte_carlo_average"
        )
    batch = hidden.reshape(-1, hidden.shape[-1])  # (N, n)
    always = rates == 0
    start = batch[:, always] @ weight[:, always].T + bias  # (N, C)
    rates = rates[random]
    # What each unit adds to the logits when it is kept, (n, N, C).
    terms = torch.einsum("ri,ci->irc", batch[:, random] / (1 - rates), weight[:, random])
    classes = weight.shape[0]
    together = min(n, max(0, int(math.log2(_BLOCK / max(classes, 1)))))
    rows = max(1, _BLOCK // (classes << together))
    totals = torch.zeros_like(start)
    for chunk in (slice(i, i + rows) for i in range(0, len(batch), rows)):
        for logits, probabilities in _blocks(start[chunk], terms[:, chunk], rates, together):
            totals[chunk] += _weighted(logits, probabilities, kind)
    return _finished(totals, kind).reshape(*hidden.shape[:-1], classes)


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
    hidden, weight, bias = _as_float64(hidden, weight, bias)
    rates = _rates(p, weight)
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
        >>> [round(value, 2) for value in mean.tolist()]  # exact: 0.3795, 0.6205
        [0.38, 0.62]

    Source: Srivastava et al. (2014), section 7.5; Gal and Ghahramani (2016), arXiv:1506.02142, section 4.
    """
    _check_kind(kind)
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
    return _finished(total, kind)


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
    _check_kind(kind)
    if logits.dim() < 2 or probabilities.shape != logits.shape[:1]:
        raise ValueError(
            f"need logits (M, *, C) and one probability for each of the M networks, "
            f"got {tuple(logits.shape)} and {tuple(probabilities.shape)}"
        )
    probabilities = probabilities.double()
    _check_distribution(probabilities, "the probabilities of the networks must sum to 1")
    # A network that never occurs must not matter, even where its log-probability is minus infinity.
    occurs = probabilities > 0
    return _finished(_weighted(logits[occurs].double(), probabilities[occurs], kind), kind)


def enumerate_masks(n: int) -> Tensor:
    """List all 2ⁿ masks of n units; mask k keeps unit i where bit i of k is set.

    Args:
        n: number of units, 0 to 20.

    Returns:
        Boolean tensor ``(2^n, n)``, from the empty network to the full one.

    Raises:
        ValueError: ``n`` is negative or larger than 20.

    Example:
        >>> enumerate_masks(2).int().tolist()
        [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    if not 0 <= n <= MOST_MASK_UNITS:
        raise ValueError(
            f"can list the masks of 0 to {MOST_MASK_UNITS} units, got {n}; "
            "sample them instead with monte_carlo_average"
        )
    bits = 1 << torch.arange(n, dtype=torch.int32)
    return (torch.arange(2**n, dtype=torch.int32)[:, None] & bits) != 0


def mask_probabilities(masks: Tensor, p: Rates) -> Tensor:
    r"""Give the probability of each mask when units are dropped independently.

    .. math:: P(m) = \prod_i q_i^{m_i} p_i^{1 - m_i}

    Args:
        masks: boolean ``(M, n)``, ``True`` where kept.
        p: drop probability in ``[0, 1]``, one for all units or one for each of the n.

    Returns:
        Probabilities ``(M,)`` in float64.

    Raises:
        ValueError: ``p`` is no probability, or there is not one for each unit.

    Example:
        >>> mask_probabilities(enumerate_masks(2), p=0.25)
        tensor([0.0625, 0.1875, 0.1875, 0.5625], dtype=torch.float64)
    """
    rates = _rates(p, masks)
    return torch.where(masks, 1 - rates, rates).prod(dim=-1)


def _blocks(start: Tensor, terms: Tensor, rates: Tensor, together: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the logits ``(2^together, N, C)`` of all networks, block by block, with their probabilities.

    Within a block the first units take every state, by doubling: each adds its term to all networks so far.
    Across blocks the other units do.
    """
    logits, probabilities = start.new_zeros(1, *start.shape), rates.new_ones(1)
    for term, rate in zip(terms[:together], rates[:together], strict=True):
        logits = torch.cat([logits, logits + term])
        probabilities = torch.cat([probabilities * rate, probabilities * (1 - rate)])
    fixed_terms, fixed_rates = terms[together:], rates[together:]
    for states in itertools.product((False, True), repeat=len(fixed_rates)):
        kept = torch.tensor(states, dtype=torch.bool, device=start.device)
        offset = start + fixed_terms[kept].sum(dim=0)
        yield logits + offset, probabilities * torch.where(kept, 1 - fixed_rates, fixed_rates).prod()


def _weighted(logits: Tensor, probabilities: Tensor, kind: Kind) -> Tensor:
    """Sum the softmaxes, or their logarithms, of networks ``(M, *, C)`` by probability: ``(*, C)``."""
    values = logits.log_softmax(dim=-1)
    return torch.einsum("m,m...->...", probabilities, values.exp() if kind == "arithmetic" else values)


def _finished(total: Tensor, kind: Kind) -> Tensor:
    """Turn the sum over all networks into probabilities; a geometric mean has to be renormalised."""
    return total if kind == "arithmetic" else total.softmax(dim=-1)


def _as_float64(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    if weight.dim() != 2 or hidden.dim() not in (1, 2) or hidden.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"need hidden (n,) or (N, n) and weight (C, n), "
            f"got {tuple(hidden.shape)} and {tuple(weight.shape)}"
        )
    if bias is None:
        bias = weight.new_zeros(len(weight))
    if bias.shape != weight.shape[:1]:
        raise ValueError(f"need a bias of shape ({len(weight)},), one per class, got {tuple(bias.shape)}")
    return hidden.double(), weight.double(), bias.double()


def _rates(p: Rates, per_unit: Tensor) -> Tensor:
    """Return one checked drop probability for each of the units in the last dimension of ``per_unit``."""
    n = per_unit.shape[-1]
    rates = torch.as_tensor(p, dtype=torch.float64, device=per_unit.device)
    if rates.dim() > 0 and rates.shape != (n,):
        raise ValueError(
            f"need one drop probability, or one for each of the {n} units, got {tuple(rates.shape)}"
        )
    for rate in rates.flatten().tolist():
        check_probability(rate)
    return rates.expand(n)


def _check_kind(kind: Kind) -> None:
    if kind not in ("arithmetic", "geometric"):
        raise ValueError(f"kind must be 'arithmetic' or 'geometric', got {kind!r}")


def _check_distribution(probabilities: Tensor, demand: str) -> None:
    # float32 softmaxes miss 1 by a few units of 1e-7 per class; logits miss it by far more.
    total = probabilities.sum(dim=-1)
    if not bool(((probabilities >= 0).all()) & ((total - 1).abs() < 1e-4).all()):
        raise ValueError(
            f"{demand}; got values from {probabilities.min():.3g} and sums up to {total.max():.3g}"
        )
