"""The exact average over all 2ⁿ thinned networks, at two multiply-adds per network and class.

The exponential of a logit is a product over units. So split the units into two halves, and tabulate one
exponential per class for all masks of each half: H for one half, L for the other. Then the elements of

    S = H Lᵀ

are the softmax denominators of all networks. The sum of the softmaxes takes the reciprocal of each, and a
second matrix product. No network needs an exponential of its own.
"""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from dropoutlab.thinned import (
    Kind,
    Rates,
    as_probabilities,
    check_kind,
    drop_rates,
    float64_layer,
    weighted_sum,
)

# 2^30 networks of ten classes take seconds. Past that the sum doubles with every unit and sampling is the
# better bargain.
MOST_UNITS = 30
# Sizes are powers of two, given by their exponents. A block of S is 4 MB, and stays in a processor's cache,
_BLOCK = 19
# in rows of at most 2^11 networks. Other sizes gained nothing, at 3 to 100 classes.
_ROW = 11
# A table for one half takes 1 MB, and goes in pieces where it has more rows.
_TABLE = 17
# A block is computed as four products side by side, of 2^12 networks at least: MKL does not spread one that
# is so thin over threads, but would spread four that are too small to be worth it.
_PRODUCTS, _PRODUCT = 4, 12
# The largest exponential of a half may be e^600 times the smallest: S is then at least e^-600 > 1e-261.
_MOST_SPREAD = 600.0


@torch.no_grad()
def exact_average(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    p: Rates,
    kind: Kind = "arithmetic",
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    r"""Average the predictions of all 2ⁿ thinned networks of a final linear layer with softmax.

    .. math:: z_m = W (h \odot m / q) + b, \qquad P(m) = \prod_i q_i^{m_i} p_i^{1 - m_i}

    .. math:: \text{arithmetic: } \sum_m P(m)\, \text{softmax}(z_m), \qquad
        \text{geometric: } \propto \exp \sum_m P(m) \log \text{softmax}(z_m)

    The sum has one term for each network; nothing is sampled or interpolated. It is fast because
    :math:`e^{z_m}` is a product of a factor for each half of the units. Let H hold the factors of all masks
    of one half, and L those of the other. The softmax denominators of all networks are then the matrix
    :math:`S = H L^\top`. The arithmetic sum takes their reciprocals and a second product, the geometric sum
    their logarithms. Only where both halves make logits differ by more than 600 between classes could S
    underflow; there the softmax of each network is computed from its logits.

    Time is :math:`O(N\, 2^n C)`. Memory stays at a few MB for any n, beside the N n C terms of the logits.
    Units with p = 0 or p = 1 are no choice and double nothing.

    Args:
        hidden: inputs of the layer before dropout, ``(n,)`` or ``(N, n)``.
        weight: ``(C, n)``.
        bias: ``(C,)`` or ``None``; never masked and never scaled.
        p: drop probability in ``[0, 1]``, one for all units or one for each of the n.
        kind: ``"arithmetic"`` or ``"geometric"``.
        on_progress: called after each block of networks with how many are done and how many there are in
            all, 2ⁿ for each of the N inputs.

    Returns:
        Probabilities ``(C,)`` or ``(N, C)`` in float64.

    Raises:
        ValueError: shapes do not fit, ``p`` is no probability, ``kind`` is unknown, or more than 30 units
            are dropped at random.

    Example:
        >>> hidden, weight = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> exact_average(hidden, weight, None, p=0.5)  # masks 00, 10, 01, 11
        tensor([0.3795, 0.6205], dtype=torch.float64)

    Source: Hinton et al. (2012), arXiv:1207.0580 (geometric mean of all 2ⁿ networks); Srivastava et al.
    (2014), sections 1 and 7.5.
    """
    check_kind(kind)
    hidden, weight, bias = float64_layer(hidden, weight, bias)
    rates = drop_rates(p, weight)
    random = (rates > 0) & (rates < 1)
    n = int(random.sum())
    if n > MOST_UNITS:
        raise ValueError(
            f"exact_average enumerates 2^n networks for n up to {MOST_UNITS} units with 0 < p < 1, got {n}; "
            "sample them instead with monte_carlo_average"
        )
    batch = torch.atleast_2d(hidden)  # (N, n)
    always = rates == 0
    start = batch[:, always] @ weight[:, always].T + bias  # (N, C)
    rates = rates[random]
    # What each unit adds to the logits when it is kept, (n, N, C).
    terms = torch.einsum("ri,ci->irc", batch[:, random] / (1 - rates), weight[:, random])
    done, networks = 0, len(batch) << n

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if on_progress is not None:
            on_progress(done, networks)

    total = _sum_over_networks(start, terms, rates, kind, advance)
    return as_probabilities(total, kind).reshape(*hidden.shape[:-1], len(weight))


def _sum_over_networks(
    start: Tensor, terms: Tensor, rates: Tensor, kind: Kind, advance: Callable[[int], None]
) -> Tensor:
    """Sum the softmaxes, or their logarithms, of all networks by probability, ``(N, C)``."""
    n, (examples, classes) = len(rates), start.shape
    total = torch.zeros_like(start)
    if not total.numel():
        return total
    table = max(0, _TABLE - (classes - 1).bit_length())
    low = min(n // 2, _ROW, table)
    high = n - low
    # Few units leave room for many examples in a block and in its tables.
    together = 2 ** max(0, min(_BLOCK - n, table - high))
    for i in range(0, examples, together):
        some = slice(i, i + together)
        nothing = torch.zeros_like(start[some])
        [(lo, lo_law)] = _blocks(nothing, terms[:low, some], rates[:low], low)
        for hi, hi_law in _blocks(start[some], terms[low:, some], rates[low:], min(high, table)):
            # The class that is largest in one half has the factor 1 there. So S, a sum over classes, is at
            # least the smallest factor in the other half: far more than what H and L lose to underflow.
            spread = torch.minimum(-hi.amin(dim=(0, 2)), -lo.amin(dim=(0, 2)))
            add = _by_products if bool((spread <= _MOST_SPREAD).all()) else _one_by_one
            total[some] += add(hi, hi_law, lo, lo_law, kind, advance)
    return total


def _blocks(start: Tensor, terms: Tensor, rates: Tensor, together: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the logits ``(2^together, N, C)`` of all networks, block by block, with their probabilities.

    Within a block the first units take every state, by doubling: each adds its term to all networks so far.
    Across blocks the other units do. Each network's largest logit is moved to 0; its softmax does not change.
    """
    logits, probabilities = start.new_zeros(1, *start.shape), rates.new_ones(1)
    for term, rate in zip(terms[:together], rates[:together], strict=True):
        logits = torch.cat([logits, logits + term])
        probabilities = torch.cat([probabilities * rate, probabilities * (1 - rate)])
    fixed_terms, fixed_rates = terms[together:], rates[together:]
    for states in itertools.product((False, True), repeat=len(fixed_rates)):
        kept = torch.tensor(states, dtype=torch.bool, device=start.device)
        block = logits + (start + fixed_terms[kept].sum(dim=0))
        block -= block.amax(dim=-1, keepdim=True)
        yield block, probabilities * torch.where(kept, 1 - fixed_rates, fixed_rates).prod()


def _by_products(
    hi: Tensor, hi_law: Tensor, lo: Tensor, lo_law: Tensor, kind: Kind, advance: Callable[[int], None]
) -> Tensor:
    """Sum over the networks that pair each row of ``hi`` with each row of ``lo``, by matrix products."""
    (height, examples, classes), width = hi.shape, len(lo)
    # Rows go in groups, one for each product. Several examples come only where all their networks fit in a
    # block, and every other number here is a power of two: `rows` divides.
    groups = max(1, min(height, _PRODUCTS // examples, height * width >> _PRODUCT))
    rows = min(height // groups, max(1, 2**_BLOCK // (examples * groups * width)))
    products = examples * groups
    H = hi.exp().movedim(1, 0).reshape(products, -1, rows, classes)
    L = lo.exp().permute(1, 2, 0).contiguous()  # (N, C, K)
    right = L[:, None].expand(-1, groups, -1, -1).reshape(products, classes, width)
    law = hi_law.reshape(groups, -1, rows, 1).repeat(examples, 1, 1, 1)
    left = law * H if kind == "arithmetic" else law
    S = H.new_empty(products, rows, width)
    sums = H.new_zeros(products, left.shape[-1], width)
    for block in range(H.shape[1]):
        torch.bmm(H[:, block], right, out=S)
        if kind == "arithmetic":
            S.reciprocal_()
        else:
            S.log_()
        sums.baddbmm_(left[:, block].mT, S)
        advance(S.numel())
    sums = sums.reshape(examples, groups, -1, width).sum(dim=1) * lo_law
    if kind == "arithmetic":
        return (sums * L).sum(dim=-1)
    # Of log softmax = hi + lo - log S only the last is no sum of one thing for each half.
    logits = hi_law @ hi.flatten(1) * lo_law.sum() + lo_law @ lo.flatten(1) * hi_law.sum()
    return logits.reshape(examples, classes) - sums.sum(dim=-1)


def _one_by_one(
    hi: Tensor, hi_law: Tensor, lo: Tensor, lo_law: Tensor, kind: Kind, advance: Callable[[int], None]
) -> Tensor:
    """Do the same from the logits of each network: slower, and safe however far they differ."""
    total = torch.zeros_like(hi[0])
    rows = max(1, 2**_TABLE // lo.numel())
    for some, law in zip(hi.split(rows), hi_law.split(rows), strict=True):
        logits = (some[:, None] + lo).flatten(0, 1)
        total += weighted_sum(logits, torch.outer(law, lo_law).flatten(), kind)
        advance(len(logits) * len(total))
    return total
