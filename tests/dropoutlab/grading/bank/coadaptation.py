# Banks of one file share names of solutions.
# ruff: noqa: F811
import math

import numpy as np
import torch

from dropoutlab import coadaptation
from tests.dropoutlab.grading.bank.entry import Bank

curve = Bank("lesion_curve")


def error(head, hidden, y):
    return np.mean(head(hidden).argmax(axis=1) != y)


@curve.right
def with_growing_sets(head, hidden, y, order):
    out = []
    for k in range(len(order) + 1):
        changed = hidden.copy()
        gone = list(order[:k])
        changed[:, gone] = hidden.mean(axis=0)[gone]
        out.append(error(head, changed, y))
    return out


@curve.right
def with_where(head, hidden, y, order):
    n = hidden.shape[1]
    gone = np.zeros(n, dtype=bool)
    out = np.zeros(n + 1)
    out[0] = error(head, hidden, y)
    for k, unit in enumerate(order, start=1):
        gone[unit] = True
        out[k] = error(head, np.where(gone, hidden.mean(0), hidden), y)
    return out


@curve.right
def with_masks(head, hidden, y, order):
    keep = np.ones(hidden.shape[1])
    level = hidden.mean(0, keepdims=True)
    out = [1 - (head(hidden).argmax(1) == y).mean()]
    for unit in order:
        keep[unit] = 0
        out.append(1 - (head(hidden * keep + level * (1 - keep)).argmax(1) == y).mean())
    return np.array(out)


@curve.right
def with_loops(head, hidden, y, order):
    work, out = np.array(hidden), []
    for unit in [None, *order]:
        if unit is not None:
            work[:, unit] = sum(hidden[:, unit]) / len(hidden)
        answers = [int(np.argmax(row)) for row in head(work)]
        out.append(sum(a != b for a, b in zip(answers, y, strict=True)) / len(y))
    return out


@curve.right
def in_torch(head, hidden, y, order):
    work = hidden.clone()
    out = [(head(work).argmax(1) != y).double().mean()]
    for unit in order:
        work[:, unit] = hidden[:, unit].mean()
        out.append((head(work).argmax(1) != y).double().mean())
    return torch.stack(out)


@curve.wrong("not-cumulative")
def each_alone(head, hidden, y, order):
    out = [error(head, hidden, y)]
    for unit in order:
        changed = hidden.copy()
        changed[:, unit] = hidden[:, unit].mean()
        out.append(error(head, changed, y))
    return np.array(out)


@curve.wrong("zero-not-mean")
def zeros(head, hidden, y, order):
    work, out = hidden.copy(), [error(head, hidden, y)]
    for unit in order:
        work[:, unit] = 0
        out.append(error(head, work, y))
    return np.array(out)


@curve.wrong("accuracy-not-error")
def accuracy(head, hidden, y, order):
    return 1 - np.array(with_growing_sets(head, hidden, y, order))


@curve.wrong("start-missing")
def no_start(head, hidden, y, order):
    return with_growing_sets(head, hidden, y, order)[1:]


@curve.wrong("order-ignored")
def by_index(head, hidden, y, order):
    return with_growing_sets(head, hidden, y, range(hidden.shape[1]))


@curve.wrong("mutates-input")
def without_a_copy(head, hidden, y, order):
    out = [error(head, hidden, y)]
    for unit in order:
        hidden[:, unit] = hidden[:, unit].mean()
        out.append(error(head, hidden, y))
    return np.array(out)


rank = Bank("effective_rank")


@rank.right
def with_entropy_function(hidden):
    from scipy.stats import entropy

    values = np.linalg.svd(hidden - hidden.mean(0), compute_uv=False)
    return np.exp(entropy(values))


@rank.right
def with_eigenvalues(hidden):
    centred = hidden - hidden.mean(axis=0)
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(centred @ centred.T), 0))
    values = values[values > 1e-6 * values.max()]
    share = values / values.sum()
    return math.exp(-sum(s * math.log(s) for s in share))


@rank.right
def in_bits(hidden):
    s = np.linalg.svd(hidden - hidden.mean(0), compute_uv=False)
    s = s / s.sum()
    bits = -np.sum(s * np.log2(s, where=s > 0, out=np.zeros_like(s)))
    return 2.0**bits


@rank.right
def as_a_product(hidden):
    s = np.linalg.svd(hidden - np.mean(hidden, axis=0, keepdims=True))[1]
    s = s[s > 0] / s.sum()
    return np.prod(s**-s)


@rank.right
def in_torch(hidden):
    s = torch.linalg.svdvals(hidden - hidden.mean(dim=0))
    return torch.special.entr(s / s.sum()).sum().exp()


@rank.right
def with_the_lab(hidden):
    return coadaptation.effective_rank(torch.as_tensor(hidden))


def shares(matrix):
    s = np.linalg.svd(matrix, compute_uv=False)
    s = s / s.sum()
    return s[s > 0]


@rank.wrong("not-centred")
def raw(hidden):
    s = shares(hidden)
    return np.exp(-(s * np.log(s)).sum())


@rank.wrong("squares-the-values")
def variances(hidden):
    values = np.linalg.eigvalsh(np.cov(hidden.T))
    s = values[values > 1e-12] / values.sum()
    return np.exp(-(s * np.log(s)).sum())


@rank.wrong("entropy-not-exponentiated")
def entropy_only(hidden):
    s = shares(hidden - hidden.mean(0))
    return -(s * np.log(s)).sum()


@rank.wrong("wrong-log-base")
def mixed_bases(hidden):
    s = shares(hidden - hidden.mean(0))
    return np.exp(-(s * np.log2(s)).sum())


@rank.wrong("counts-directions")
def matrix_rank(hidden):
    return np.linalg.matrix_rank(hidden - hidden.mean(0))


@rank.wrong("sign-reversed")
def no_minus(hidden):
    s = shares(hidden - hidden.mean(0))
    return np.exp((s * np.log(s)).sum())


@rank.wrong("returns-nan")
def logarithm_of_zero(hidden):
    centred = hidden - hidden.mean(0)
    s = np.append(np.linalg.svd(centred, compute_uv=False), 0.0)
    s = s / s.sum()
    return np.exp(-(s * np.log(s)).sum())


synergy = Bank("pair_synergy")


@synergy.right
def with_rises(loss, i, j):
    def rise(*units):
        return loss(units) - loss(())

    return rise(i, j) - rise(i) - rise(j)


@synergy.right
def with_names(loss, i, j):
    intact, without_i, without_j, without_both = loss(()), loss((i,)), loss((j,)), loss((i, j))
    return (without_both - intact) - ((without_i - intact) + (without_j - intact))


@synergy.right
def with_lists(loss, i, j):
    return loss([j, i]) + loss([]) - sum(loss([unit]) for unit in (i, j))


@synergy.right
def as_two_differences(loss, i, j):
    return np.float64((loss((i, j)) - loss((j,))) - (loss((i,)) - loss(())))


@synergy.right
def as_a_table(loss, i, j):
    table = np.array([[loss(()), loss((j,))], [loss((i,)), loss((i, j))]])
    return np.diff(np.diff(table, axis=0), axis=1)


@synergy.wrong("baseline-forgotten")
def plain_losses(loss, i, j):
    return loss((i, j)) - loss((i,)) - loss((j,))


@synergy.wrong("baseline-forgotten")
def baseline_once(loss, i, j):
    return loss((i, j)) - loss(()) - (loss((i,)) + loss((j,)))


@synergy.wrong("sign-reversed")
def singles_minus_pair(loss, i, j):
    return -with_rises(loss, i, j)


@synergy.wrong("maximum-not-sum")
def worse_one(loss, i, j):
    return loss((i, j)) - max(loss((i,)), loss((j,)))


@synergy.wrong("half-the-sum")
def mean_of_singles(loss, i, j):
    return loss((i, j)) - np.mean([loss((i,)), loss((j,))])


@synergy.wrong("raised")
def number_for_tuple(loss, i, j):
    return loss((i, j)) - loss(i) - loss(j) + loss(())
