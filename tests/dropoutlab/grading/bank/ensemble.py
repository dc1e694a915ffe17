# Wrong solutions ignore arguments, and banks of one file may share the names of their solutions.
# ruff: noqa: ARG005, F811
from itertools import product

import numpy as np
import torch
from scipy import special

from dropoutlab import ensemble
from tests.dropoutlab.grading.bank.entry import Bank

exact = Bank("exact_average")


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@exact.right
def with_bits_of_a_number(hidden, weight, bias, p):
    n = hidden.shape[1]
    total = 0
    for number in range(2**n):
        mask = np.array([number >> k & 1 for k in range(n)])
        k = mask.sum()
        total = total + (1 - p) ** k * p ** (n - k) * softmax(hidden * mask / (1 - p) @ weight.T + bias)
    return total


@exact.right
def all_at_once(hidden, weight, bias, p):
    masks = np.array(list(product([False, True], repeat=hidden.shape[1])))
    chance = np.where(masks, 1 - p, p).prod(axis=1)
    logits = np.einsum("mk,nk,ck->mnc", masks / (1 - p), hidden, weight) + bias
    return np.tensordot(chance, special.softmax(logits, axis=2), axes=1)


@exact.right
def recursively(hidden, weight, bias, p):
    def average(k, logits):
        if k == hidden.shape[1]:
            return softmax(logits)
        kept = logits + hidden[:, k : k + 1] * weight[:, k] / (1 - p)
        return p * average(k + 1, logits) + (1 - p) * average(k + 1, kept)

    return average(0, np.tile(bias, (len(hidden), 1)))


@exact.right
def example_by_example(hidden, weight, bias, p):
    out = []
    for h in hidden:
        mean = np.zeros(len(bias))
        for kept in product((0, 1), repeat=len(h)):
            chance = np.prod([1 - p if bit else p for bit in kept])
            z = weight @ (h * kept) / (1 - p) + bias
            mean += chance * np.exp(z) / np.exp(z).sum()
        out.append(mean)
    return np.array(out)


@exact.right
def in_torch(hidden, weight, bias, p):
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=hidden.dtype)] * hidden.shape[1])
    chance = (masks * (1 - p) + (1 - masks) * p).prod(1)
    logits = (hidden[None] * masks[:, None] / (1 - p)) @ weight.T + bias
    return (chance[:, None, None] * logits.softmax(-1)).sum(0)


@exact.right
def with_the_lab(hidden, weight, bias, p):
    return ensemble.exact_average(hidden, weight, bias, p)


def enumerated(hidden, weight, bias, p, chance, scale, use=lambda bits: True, of=softmax):
    total = 0
    for bits in product((0, 1), repeat=hidden.shape[1]):
        if use(bits):
            total = total + chance(sum(bits), len(bits)) * of((hidden * bits * scale) @ weight.T + bias)
    return total


@exact.wrong("masks-equally-likely")
def plain_mean(hidden, weight, bias, p):
    return enumerated(hidden, weight, bias, p, lambda k, n: 2.0**-n, 1 / (1 - p))


@exact.wrong("keep-drop-swapped")
def p_to_the_kept(hidden, weight, bias, p):
    return enumerated(hidden, weight, bias, p, lambda k, n: p**k * (1 - p) ** (n - k), 1 / (1 - p))


@exact.wrong("no-scaling")
def unscaled(hidden, weight, bias, p):
    return enumerated(hidden, weight, bias, p, lambda k, n: (1 - p) ** k * p ** (n - k), 1.0)


@exact.wrong("divides-by-p")
def scaled_by_p(hidden, weight, bias, p):
    return enumerated(hidden, weight, bias, p, lambda k, n: (1 - p) ** k * p ** (n - k), 1 / p)


@exact.wrong("averages-logits")
def mean_logits(hidden, weight, bias, p):
    chance = lambda k, n: (1 - p) ** k * p ** (n - k)  # noqa: E731
    return softmax(enumerated(hidden, weight, bias, p, chance, 1 / (1 - p), of=lambda z: z))


@exact.wrong("mask-left-out")
def without_the_empty_mask(hidden, weight, bias, p):
    return enumerated(hidden, weight, bias, p, lambda k, n: (1 - p) ** k * p ** (n - k), 1 / (1 - p), any)


@exact.wrong("softmax-wrong-axis")
def over_examples(hidden, weight, bias, p):
    chance = lambda k, n: (1 - p) ** k * p ** (n - k)  # noqa: E731
    return enumerated(hidden, weight, bias, p, chance, 1 / (1 - p), of=lambda z: softmax(z, axis=0))


scaling = Bank("weight_scaling_average")


@scaling.right
def scaled_hidden(hidden, weight, bias, p):
    return softmax(((1 - p) * hidden) @ weight.T + bias)


@scaling.right
def with_scipy(hidden, weight, bias, p):
    return special.softmax(np.dot(hidden, weight.T) * (1 - p) + bias, axis=1)


@scaling.right
def without_a_shift(hidden, weight, bias, p):
    z = np.exp(hidden @ weight.T * (1 - p) + bias)
    return z / z.sum(1)[:, None]


@scaling.right
def with_loops(hidden, weight, bias, p):
    out = []
    for h in hidden:
        logits = [
            sum(a * b for a, b in zip(row, h, strict=True)) * (1 - p) + c
            for row, c in zip(weight, bias, strict=True)
        ]
        powers = [float(np.exp(z)) for z in logits]
        out.append([power / sum(powers) for power in powers])
    return out


@scaling.right
def in_torch(hidden, weight, bias, p):
    return torch.softmax(torch.nn.functional.linear(hidden, weight * (1 - p), bias), dim=1)


@scaling.right
def with_the_lab(hidden, weight, bias, p):
    return ensemble.weight_scaling_average(hidden, weight, bias, p, scaling="classic")


@scaling.wrong("no-scaling")
def p_unused(hidden, weight, bias, p):
    return softmax(hidden @ weight.T + bias)


@scaling.wrong("keep-drop-swapped")
def p_for_q(hidden, weight, bias, p):
    return softmax(hidden @ (p * weight).T + bias)


@scaling.wrong("bias-scaled")
def all_scaled(hidden, weight, bias, p):
    return softmax((1 - p) * (hidden @ weight.T + bias))


@scaling.wrong("scaled-twice")
def hidden_and_weight(hidden, weight, bias, p):
    return softmax((1 - p) * hidden @ ((1 - p) * weight).T + bias)


@scaling.wrong("wrong-scale")
def divided(hidden, weight, bias, p):
    return softmax(hidden @ (weight / (1 - p)).T + bias)


@scaling.wrong("softmax-missing")
def logits(hidden, weight, bias, p):
    return hidden @ ((1 - p) * weight).T + bias


@scaling.wrong("softmax-wrong-axis")
def columns(hidden, weight, bias, p):
    return softmax((1 - p) * hidden @ weight.T + bias, axis=0)


@scaling.wrong("wrong-shape")
def transposed(hidden, weight, bias, p):
    return softmax((1 - p) * hidden @ weight.T + bias).T


geometric = Bank("geometric_average")


@geometric.right
def as_softmax_of_logs(probabilities):
    return special.softmax(np.log(probabilities).mean(0), axis=-1)


@geometric.right
def with_roots_first(probabilities):
    means = np.prod(probabilities ** (1 / len(probabilities)), axis=0)
    return means / means.sum(axis=1, keepdims=True)


@geometric.right
def with_gmean(probabilities):
    from scipy.stats import gmean

    means = gmean(probabilities, axis=0)
    return means / np.sum(means, axis=-1, keepdims=True)


@geometric.right
def with_loops(probabilities):
    members, examples, classes = probabilities.shape
    out = np.ones((examples, classes))
    for member in probabilities:
        out *= member ** (1 / members)
    for row in out:
        row /= row.sum()
    return out


@geometric.right
def in_torch(probabilities):
    return probabilities.log().mean(dim=0).softmax(dim=-1)


@geometric.right
def with_logsumexp(probabilities):
    logs = np.log(probabilities).sum(axis=0) / probabilities.shape[0]
    return np.exp(logs - special.logsumexp(logs, axis=1, keepdims=True))


@geometric.wrong("arithmetic-not-geometric")
def arithmetic(probabilities):
    return probabilities.mean(0)


@geometric.wrong("not-normalised")
def no_sum(probabilities):
    return np.exp(np.log(probabilities).mean(0))


@geometric.wrong("product-not-root")
def product_of_experts(probabilities):
    product_ = probabilities.prod(0)
    return product_ / product_.sum(-1, keepdims=True)


@geometric.wrong("underflows")
def product_and_root(probabilities):
    means = probabilities.prod(0) ** (1 / len(probabilities))
    return means / means.sum(-1, keepdims=True)


@geometric.wrong("softmax-twice")
def softmax_of_means(probabilities):
    return softmax(np.exp(np.log(probabilities).mean(0)))


@geometric.wrong("softmax-wrong-axis")
def normalised_over_examples(probabilities):
    means = np.exp(np.log(probabilities).mean(0))
    return means / means.sum(0)


@geometric.wrong("wrong-shape")
def over_the_last_axis(probabilities):
    return np.exp(np.log(probabilities).mean(-1))


monte_carlo = Bank("monte_carlo_average")


@monte_carlo.right
def with_mean(predict, x, samples):
    return np.mean([predict(x) for _ in range(samples)], axis=0)


@monte_carlo.right
def with_a_sum(predict, x, samples):
    return sum(predict(x) for _ in range(samples)) / samples


@monte_carlo.right
def with_a_running_mean(predict, x, samples):
    mean = 0
    for k in range(1, samples + 1):
        mean = mean + (predict(x) - mean) / k
    return mean


@monte_carlo.right
def in_torch(predict, x, samples):
    return torch.stack([predict(x) for _ in range(samples)]).mean(dim=0)


@monte_carlo.right
def into_an_array(predict, x, samples):
    first = predict(x)
    out = np.empty((samples, *first.shape))
    out[0] = first
    for k in range(1, samples):
        out[k] = predict(x)
    return out.sum(0) / samples


@monte_carlo.right
def with_the_lab(predict, x, samples):
    return ensemble.monte_carlo_average(predict, x, samples)


@monte_carlo.wrong("one-pass-repeated")
def one_pass(predict, x, samples):
    return np.mean([predict(x)] * samples, axis=0)


@monte_carlo.wrong("one-pass-repeated")
def last_pass(predict, x, samples):
    for _ in range(samples):
        result = predict(x)
    return result


@monte_carlo.wrong("wrong-sample-count")
def one_too_few(predict, x, samples):
    return np.mean([predict(x) for _ in range(1, samples)], axis=0)


@monte_carlo.wrong("wrong-sample-count")
def always_ten(predict, x, samples):
    return np.mean([predict(x) for _ in range(10)], axis=0)


@monte_carlo.wrong("wrong-divisor")
def not_divided(predict, x, samples):
    return np.sum([predict(x) for _ in range(samples)], axis=0)


@monte_carlo.wrong("averages-votes")
def votes(predict, x, samples):
    return np.mean([np.eye(3)[predict(x).argmax(1)] for _ in range(samples)], axis=0)


@monte_carlo.wrong("geometric-not-arithmetic")
def logarithms(predict, x, samples):
    return softmax(np.mean([np.log(predict(x)) for _ in range(samples)], axis=0))


@monte_carlo.wrong("softmax-twice")
def softmax_again(predict, x, samples):
    return softmax(np.mean([predict(x) for _ in range(samples)], axis=0))


@monte_carlo.wrong("wrong-shape")
def all_passes(predict, x, samples):
    return np.array([predict(x) for _ in range(samples)])


@monte_carlo.wrong("wrong-value")
def median(predict, x, samples):
    return np.median([predict(x) for _ in range(samples)], axis=0)
