"""Measures of co-adaptation: what hidden units share, how much one of them says, and who misses it.

"Co-adaptation" was never defined by a formula. Each measure is one reading of the word, and they need not
agree. Those of this module look at activations ``hidden (N, n)`` alone. Lesions (`dropoutlab.lesions`) and
weight noise (`dropoutlab.flatness`) ask what the rest of the network does without a unit, or with slightly
other weights; they can be imported from here as well.
"""

import math

import torch
from torch import Tensor

from dropoutlab.flatness import weight_noise
from dropoutlab.lesions import lesion, pair_lesions, synergy, unit_lesions

__all__ = [
    "correlation",
    "effective_rank",
    "lesion",
    "pair_lesions",
    "probe_accuracy",
    "sparsity",
    "synergy",
    "unit_lesions",
    "weight_noise",
]


def correlation(hidden: Tensor) -> float:
    r"""Average how strongly pairs of units vary together: the mean absolute Pearson correlation.

    .. math:: \frac{2}{n(n-1)} \sum_{i<j} \lvert \rho_{ij} \rvert

    Units that never vary, such as dead rectifiers, have no correlation and are left out.

    Args:
        hidden: activations ``(N, n)`` of n units on N examples.

    Returns:
        A number in [0, 1]; 0 where no unit tells anything linear about another.

    Raises:
        ValueError: ``hidden`` is not ``(N, n)`` with N of at least 2, or fewer than two units vary.

    Example:
        >>> hidden = torch.tensor([[1.0, -2.0, 0.0], [2.0, -4.0, 0.0], [3.0, -6.0, 0.0]])
        >>> round(correlation(hidden), 6)
        1.0

    Source: Cogswell et al. (2016), arXiv:1511.06068, who penalise the covariances; here normalised.
    """
    spread = _centred(hidden)
    spread = spread[:, _varying(spread, hidden)]
    n = spread.shape[1]
    if n < 2:
        raise ValueError(f"a correlation needs at least two units that vary, got {n}")
    spread = spread / spread.norm(dim=0)
    total = (spread.T @ spread).abs().sum() - n  # the diagonal is 1
    return min(1.0, float(total) / (n * (n - 1)))


def effective_rank(hidden: Tensor) -> float:
    r"""Count the directions in which activations vary, each by its share: the exponential of an entropy.

    .. math:: \exp\Bigl(-\sum_k s_k \log s_k\Bigr), \qquad s_k = \sigma_k / \sum_l \sigma_l

    where :math:`\sigma_k` are the singular values of the centred activations.

    Args:
        hidden: activations ``(N, n)``.

    Returns:
        From 1, all on one line, to min(n, N − 1), all directions alike.

    Raises:
        ValueError: ``hidden`` is not ``(N, n)`` with N of at least 2, or no unit varies.

    Example:
        >>> square = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> round(effective_rank(square), 6), round(effective_rank(square * torch.tensor([1.0, 0.0])), 6)
        (2.0, 1.0)

    Source: Roy and Vetterli (2007), EUSIPCO, "The effective rank", definition 1.
    """
    spread = _centred(hidden)
    if not _varying(spread, hidden).any():
        raise ValueError("the effective rank needs a unit that varies, and all of them are constant")
    values = torch.linalg.svdvals(spread)
    share = values / values.sum()
    return float(torch.special.entr(share).sum().exp())


def sparsity(hidden: Tensor) -> float:
    r"""Average over examples how few units carry the activity (Hoyer's measure).

    .. math:: \frac{\sqrt n - \lVert h \rVert_1 / \lVert h \rVert_2}{\sqrt n - 1}

    It is blind to the scale of the activations. Examples on which all units are silent are left out.

    Args:
        hidden: activations ``(N, n)`` of at least two units.

    Returns:
        From 0, all units equally active, to 1, one unit active at a time.

    Raises:
        ValueError: ``hidden`` is not ``(N, n)`` with n of at least 2, or it is zero everywhere.

    Example:
        >>> sparsity(torch.tensor([[0.0, 3.0, 0.0, 0.0]])), sparsity(torch.ones(1, 4))
        (1.0, 0.0)

    Source: Hoyer (2004), JMLR 5:1457–1469.
    """
    values = _matrix(hidden, rows=1)
    n = values.shape[1]
    if n < 2:
        raise ValueError(f"sparsity needs at least two units, got {n}")
    length = values.norm(dim=1)
    active = length > 0
    if not active.any():
        raise ValueError("sparsity is undefined where all activations are zero")
    ratio = values[active].abs().sum(dim=1) / length[active]
    return float(((math.sqrt(n) - ratio) / (math.sqrt(n) - 1)).mean())


def probe_accuracy(seen: Tensor, seen_y: Tensor, hidden: Tensor, y: Tensor, *, bins: int = 20) -> Tensor:
    r"""Tell how well each unit alone names the class.

    A unit's activations on ``seen`` are cut into bins of equal count, and each bin votes for its most
    frequent class. The accuracy of these votes is then taken on ``hidden``. A bin, unlike a straight line,
    can use a unit that answers to two classes.

    Args:
        seen: activations ``(N, n)`` on which the votes are counted.
        seen_y: their classes ``(N,)``.
        hidden: activations ``(M, n)`` of other examples.
        y: their classes ``(M,)``.
        bins: number of bins, at least 2; equal activations, such as zeros, share one.

    Returns:
        Accuracy of each unit, ``(n,)`` in float64. A unit that never varies gets the frequency of the
        class that was most frequent in ``seen``.

    Raises:
        ValueError: shapes do not fit, there is no example, or ``bins`` is below 2.

    Example:
        >>> hidden = torch.tensor([[0.0, 5.0], [0.0, 6.0], [1.0, 5.0], [1.0, 6.0]])
        >>> y = torch.tensor([0, 0, 1, 1])
        >>> probe_accuracy(hidden, y, hidden, y, bins=2).tolist()
        [1.0, 0.5]

    Source: a histogram version of the linear probes of Alain and Bengio (2017), arXiv:1610.01644.
    """
    if bins < 2:
        raise ValueError(f"a probe needs at least 2 bins, got {bins}")
    for x, labels in ((seen, seen_y), (hidden, y)):
        if x.dim() != 2 or len(x) == 0 or labels.shape != x.shape[:1] or x.shape[1] != seen.shape[1]:
            raise ValueError(
                f"need activations (N, n) with classes (N,) and (M, n) with (M,), got {tuple(seen.shape)} "
                f"with {tuple(seen_y.shape)} and {tuple(hidden.shape)} with {tuple(y.shape)}"
            )
    n, classes = seen.shape[1], int(max(seen_y.max(), y.max())) + 1
    # The k-th cut is an order statistic, so that it is one of the values and ties are never split.
    ranks = torch.arange(1, bins) * len(seen) // bins
    cuts = seen.sort(dim=0).values[ranks].T.contiguous()  # (n, bins - 1)
    cells = torch.arange(n)[:, None] * bins + torch.searchsorted(cuts, seen.T.contiguous(), right=True)
    counts = torch.zeros(n * bins * classes, dtype=torch.int64)
    counts.index_add_(0, (cells * classes + seen_y).flatten(), torch.ones(cells.numel(), dtype=torch.int64))
    counts = counts.view(n, bins, classes)
    # A bin without examples votes as all examples together would.
    empty = counts.sum(dim=2, keepdim=True) == 0
    votes = torch.where(empty, counts.sum(dim=1, keepdim=True), counts).argmax(dim=2)  # (n, bins)
    place = torch.searchsorted(cuts, hidden.T.contiguous(), right=True)
    return (votes.gather(1, place) == y).double().mean(dim=1)


def _matrix(hidden: Tensor, rows: int) -> Tensor:
    """Return activations in float64, where sums over many examples keep their digits."""
    if hidden.dim() != 2 or len(hidden) < rows:
        raise ValueError(f"need activations (N, n) with N of at least {rows}, got {tuple(hidden.shape)}")
    return hidden.double()


def _centred(hidden: Tensor) -> Tensor:
    values = _matrix(hidden, rows=2)
    return values - values.mean(dim=0)


def _varying(spread: Tensor, hidden: Tensor) -> Tensor:
    """Tell which units vary by more than rounding: the mean of equal numbers may miss them by a digit."""
    return spread.abs().amax(dim=0) > 1e-12 * hidden.double().abs().amax(dim=0)
