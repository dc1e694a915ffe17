import math
import statistics

import numpy as np
import torch
from scipy import stats

from dropoutlab.stats import paired_difference
from tests.dropoutlab.grading.bank.entry import Bank

interval = Bank("paired_interval")


@interval.right
def with_scipy_interval(a, b):
    d = np.asarray(a) - np.asarray(b)
    low, high = stats.t.interval(0.95, len(d) - 1, loc=d.mean(), scale=stats.sem(d))
    return d.mean(), low, high


@interval.right
def with_ttest_rel(a, b):
    ends = stats.ttest_rel(a, b).confidence_interval(0.95)
    return float(np.mean(a) - np.mean(b)), ends.low, ends.high


@interval.right
def with_the_standard_library(a, b):
    d = [float(x - y) for x, y in zip(a, b, strict=True)]
    half = stats.t.ppf(0.975, len(d) - 1) * statistics.stdev(d) / math.sqrt(len(d))
    return [statistics.mean(d), statistics.mean(d) - half, statistics.mean(d) + half]


@interval.right
def with_sums(a, b):
    n, d = len(a), a - b
    mean = d.sum() / n
    variance = ((d - mean) ** 2).sum() / (n - 1)
    half = -stats.t(df=n - 1).ppf(0.025) * (variance / n) ** 0.5
    return np.array([mean, mean - half, mean + half])


@interval.right
def in_torch(a, b):
    d = a - b
    half = stats.t(len(d) - 1).ppf(0.975) * d.std() / math.sqrt(len(d))
    return torch.stack([d.mean(), d.mean() - half, d.mean() + half])


@interval.right
def with_the_lab(a, b):
    estimate = paired_difference(a, b)
    return estimate.mean, estimate.low, estimate.high


def t_interval(d, quantile, spread):
    half = quantile * spread
    return d.mean(), d.mean() - half, d.mean() + half


@interval.wrong("normal-not-t")
def with_196(a, b):
    return t_interval(a - b, 1.96, (a - b).std(ddof=1) / math.sqrt(len(a)))


@interval.wrong("normal-not-t")
def with_the_normal_quantile(a, b):
    return t_interval(a - b, stats.norm.ppf(0.975), stats.sem(a - b))


@interval.wrong("unpaired")
def with_welch(a, b):
    ends = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    return a.mean() - b.mean(), ends.low, ends.high


@interval.wrong("population-sd")
def with_numpys_default(a, b):
    return t_interval(a - b, stats.t.ppf(0.975, len(a) - 1), (a - b).std() / math.sqrt(len(a)))


@interval.wrong("sd-not-se")
def without_the_root(a, b):
    return t_interval(a - b, stats.t.ppf(0.975, len(a) - 1), (a - b).std(ddof=1))


@interval.wrong("sign-reversed")
def b_minus_a(a, b):
    return with_scipy_interval(b, a)


@interval.wrong("one-sided")
def with_ninety_five(a, b):
    return t_interval(a - b, stats.t.ppf(0.95, len(a) - 1), stats.sem(a - b))


@interval.wrong("wrong-shape")
def mean_only(a, b):
    return (a - b).mean()


@interval.wrong("wrong-type")
def as_text(a, b):
    return f"{(a - b).mean()} ± {stats.sem(a - b)}"


@interval.wrong("returns-nan")
def sd_of_one(a, b):
    return t_interval(a - b, stats.t.ppf(0.975, len(a) - 1), (a - b)[:1].std(ddof=1))


stopping = Bank("early_stopping_epoch")


@stopping.right
def with_a_counter(losses, patience):
    best, best_loss, waited = 0, math.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < best_loss:
            best, best_loss, waited = epoch, loss, 0
        else:
            waited += 1
        if waited == patience:
            return best
    return best


@stopping.right
def with_a_while(losses, patience):
    epoch, best = 0, 0
    while epoch < len(losses) and epoch - best < patience + (losses[epoch] < losses[best]):
        best = epoch if losses[epoch] < losses[best] else best
        epoch += 1
    return best


@stopping.right
def with_running_minima(losses, patience):
    minima = np.minimum.accumulate(losses)
    firsts = [int(np.argmax(np.asarray(losses) == value)) for value in minima]
    for epoch, first in enumerate(firsts):
        if epoch - first >= patience:
            return first
    return firsts[-1]


@stopping.right
def recursively(losses, patience, best=0, epoch=1):
    if epoch == len(losses):
        return best
    if losses[epoch] < losses[best]:
        return recursively(losses, patience, epoch, epoch + 1)
    return best if epoch - best >= patience else recursively(losses, patience, best, epoch + 1)


@stopping.right
def with_prefixes(losses, patience):
    for end in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:end]))
        if end - 1 - best >= patience:
            break
    return np.int64(best)


@stopping.wrong("looks-ahead")
def global_minimum(losses, patience):
    return int(np.argmin(losses))


@stopping.wrong("stop-epoch-not-best")
def last_epoch_trained(losses, patience):
    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            return epoch
    return len(losses) - 1


@stopping.wrong("patience-off-by-one")
def one_epoch_too_long(losses, patience):
    return with_a_counter(losses, patience + 1)


@stopping.wrong("patience-not-reset")
def counter_never_reset(losses, patience):
    best, waited = 0, 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        else:
            waited += 1
            if waited >= patience:
                break
    return best


@stopping.wrong("ties-take-last")
def plateau_counts(losses, patience):
    best = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] <= losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return best


@stopping.wrong("maximises")
def highest(losses, patience):
    return with_a_counter([-loss for loss in losses], patience)


@stopping.wrong("wrong-type")
def nothing(losses, patience):
    global_minimum(losses, patience)


penalised = Bank("l2_penalised_loss")


@penalised.right
def with_a_loop(loss, weights, biases, strength):
    for w in weights:
        for value in w.ravel():
            loss += 0.5 * strength * value**2
    return loss


@penalised.right
def with_norms(loss, weights, biases, strength):
    return loss + strength / 2 * sum(np.linalg.norm(w) ** 2 for w in weights)


@penalised.right
def with_concatenation(loss, weights, biases, strength):
    flat = np.concatenate([w.flatten() for w in weights])
    return loss + strength * (flat @ flat) / 2


@penalised.right
def with_traces(loss, weights, biases, strength):
    return loss + 0.5 * strength * np.sum([np.trace(w.T @ w) for w in weights])


@penalised.right
def with_torch_methods(loss, weights, biases, strength):
    return loss + strength * 0.5 * sum(w.pow(2).sum() for w in weights)


@penalised.right
def with_vdot(loss, weights, biases, strength):
    return np.float32(loss) + strength / 2 * sum(float(np.vdot(w, w)) for w in weights)


def squares(arrays):
    return sum(np.sum(a * a) for a in arrays)


@penalised.wrong("half-missing")
def no_half(loss, weights, biases, strength):
    return loss + strength * squares(weights)


@penalised.wrong("penalises-biases")
def all_parameters(loss, weights, biases, strength):
    return loss + strength / 2 * (squares(weights) + squares(biases))


@penalised.wrong("absolute-not-square")
def l1(loss, weights, biases, strength):
    return loss + strength * sum(np.abs(w).sum() for w in weights)


@penalised.wrong("norm-not-squared")
def norms(loss, weights, biases, strength):
    return loss + strength / 2 * sum(np.linalg.norm(w) for w in weights)


@penalised.wrong("mean-not-sum")
def means(loss, weights, biases, strength):
    return loss + strength / 2 * sum((w**2).mean() for w in weights)


@penalised.wrong("sign-reversed")
def minus(loss, weights, biases, strength):
    return loss - strength / 2 * squares(weights)


@penalised.wrong("strength-ignored")
def no_strength(loss, weights, biases, strength):
    return loss + squares(weights) / 2


@penalised.wrong("wrong-value")
def cubes(loss, weights, biases, strength):
    return loss + strength / 2 * sum(np.abs(w**3).sum() for w in weights)


@penalised.wrong("mutates-input")
def squares_in_place(loss, weights, biases, strength):
    for w in weights:
        w *= w
    return loss + strength / 2 * sum(w.sum() for w in weights)
