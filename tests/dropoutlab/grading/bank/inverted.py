import math

import numpy as np
from numpy.random import default_rng

from tests.dropoutlab.grading.bank.entry import Bank

bank = Bank("inverted_dropout")


@bank.right
def with_where(x, p, training, rng):
    if training:
        return np.where(rng.random(x.shape) < p, 0, x / (1 - p)).astype(x.dtype)
    return x.copy()


@bank.right
def with_binomial_counts(x, p, training, rng):
    if not training or p == 0:
        return x
    mask = rng.binomial(1, 1 - p, size=x.shape)
    return (x * mask / (1 - p)).astype(x.dtype)


@bank.right
def with_a_loop(x, p, training, rng):
    if not training:
        return x
    out = np.empty_like(x)
    for index in np.ndindex(x.shape):
        out[index] = 0 if rng.random() < p else x[index] / (1 - p)
    return out


@bank.right
def with_a_float64_mask(x, p, training, rng):
    mask = np.ones(x.shape)
    if training:
        mask[rng.uniform(size=x.shape) < p] = 0.0
        mask /= 1 - p
    return np.asarray(x * mask, dtype=x.dtype)


@bank.right
def with_choice(x, p, training, rng):
    if not training:
        return x
    factors = rng.choice([0.0, 1 / (1 - p)], size=x.shape, p=[p, 1 - p])
    return (x * factors).astype(x.dtype)


@bank.right
def with_indices_in_a_copy(x, p, training, rng):
    y = x.copy()
    if training:
        y[rng.random(x.shape) <= p] = 0  # <= instead of <: a uniform number is never exactly p
        y = y / x.dtype.type(1 - p)
    return y


@bank.right
def row_by_row(x, p, training, rng):
    if not training:
        return x
    rows = [row * (rng.random(row.shape) > p) / (1 - p) for row in x]
    return np.stack(rows).reshape(x.shape) if x.ndim > 1 else np.array(rows, dtype=x.dtype).reshape(x.shape)


@bank.right
def with_normal_quantiles(x, p, training, rng):
    if not training or p == 0:
        return x
    scores = np.array([0.5 * math.erfc(z / math.sqrt(2)) for z in rng.standard_normal(x.size)])
    return np.where(scores.reshape(x.shape) > p, x / (1 - p), 0.0).astype(x.dtype)


@bank.right
def with_a_spawned_generator(x, p, training, rng):
    if not training:
        return x
    own = default_rng(rng.integers(2**63))
    return x * (own.random(x.shape) >= p) / (1 - p)


@bank.wrong("keep-drop-swapped")
def p_for_q(x, p, training, rng):
    return x * (rng.random(x.shape) < p) / p if training and p else x


@bank.wrong("keep-drop-swapped")
def swapped_mask_right_scale(x, p, training, rng):
    return x * (rng.random(x.shape) < p) / (1 - p) if training else x


@bank.wrong("keep-drop-swapped")
def binomial_of_p(x, p, training, rng):
    return x * rng.binomial(1, p, x.shape) / (1 - p) if training else x


@bank.wrong("no-scaling")
def forgotten_scale(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) if training else x


@bank.wrong("scaled-twice")
def scale_in_mask_and_result(x, p, training, rng):
    if not training:
        return x
    mask = (rng.random(x.shape) >= p) / (1 - p)
    return x * mask / (1 - p)


@bank.wrong("divides-by-p")
def scale_by_p(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / p if training else x


@bank.wrong("multiplies-by-keep")
def scale_upside_down(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) * (1 - p) if training else x


@bank.wrong("scaled-by-realised-fraction")
def scale_by_what_was_kept(x, p, training, rng):
    if not training:
        return x
    keep = rng.random(x.shape) >= p
    return x * keep / keep.mean()


@bank.wrong("scaled-by-realised-fraction")
def scale_by_what_was_kept_in_the_row(x, p, training, rng):
    if not training:
        return x
    keep = rng.random(x.shape) >= p
    return x * keep / keep.mean(axis=1, keepdims=True)


@bank.wrong("wrong-scale")
def scale_by_one_plus_p(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) * (1 + p) if training else x


@bank.wrong("wrong-scale")
def noise_on_the_survivors(x, p, training, rng):
    if not training:
        return x
    return x * (rng.random(x.shape) >= p) * rng.normal(1 / (1 - p), 0.1, x.shape)


@bank.wrong("scaled-at-evaluation")
def scaled_in_both(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x * (1 - p)


@bank.wrong("classic-not-inverted")
def as_in_2014(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) if training else x * (1 - p)


@bank.wrong("active-in-evaluation")
def ignores_training(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p)


@bank.wrong("evaluation-changes-input")
def adds_in_evaluation(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x + p


@bank.wrong("training-flag-inverted")
def flag_upside_down(x, p, training, rng):
    return x if training else x * (rng.random(x.shape) >= p) / (1 - p)


@bank.wrong("inactive-in-training")
def never_drops(x, p, training, rng):
    return x


@bank.wrong("mask-shared-across-batch")
def mask_of_one_row(x, p, training, rng):
    return x * (rng.random(x.shape[1:]) >= p) / (1 - p) if training else x


@bank.wrong("mask-shared-across-units")
def mask_of_one_column(x, p, training, rng):
    return x * (rng.random((len(x), 1)) >= p) / (1 - p) if training else x


@bank.wrong("mask-repeats")
def seeded_inside(x, p, training, rng):
    return x * (default_rng(0).random(x.shape) >= p) / (1 - p) if training else x


_kept = {}


@bank.wrong("mask-repeats")
def cached_mask(x, p, training, rng):
    mask = _kept.setdefault((x.shape, p), rng.random(x.shape) >= p)
    return x * mask / (1 - p) if training else x


@bank.wrong("ignores-generator")
def global_generator(x, p, training, rng):
    return x * (np.random.rand(*x.shape) >= p) / (1 - p) if training else x  # noqa: NPY002


@bank.wrong("ignores-generator")
def fresh_generator(x, p, training, rng):
    return x * (default_rng().random(x.shape) >= p) / (1 - p) if training else x


@bank.wrong("p-hard-coded")
def always_half(x, p, training, rng):
    return x * (rng.random(x.shape) >= 0.5) * 2 if training else x


@bank.wrong("p-hard-coded")
def always_times_two(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) * 2 if training else x


@bank.wrong("p-hard-coded")
def half_in_the_mask(x, p, training, rng):
    return x * rng.integers(0, 2, x.shape) / (1 - p) if training else x


@bank.wrong("fixed-quota")
def quota_of_the_layer(x, p, training, rng):
    if not training:
        return x
    mask = np.ones(x.size)
    mask[rng.permutation(x.size)[: round(p * x.size)]] = 0
    return x * mask.reshape(x.shape) / (1 - p)


@bank.wrong("fixed-quota")
def quota_of_each_row(x, p, training, rng):
    if not training:
        return x
    ranks = rng.random(x.shape).argsort(axis=-1)
    return x * (ranks >= round(p * x.shape[-1])) / (1 - p)


@bank.wrong("wrong-fraction")
def p_squared(x, p, training, rng):
    keep = (rng.random(x.shape) >= p) | (rng.random(x.shape) >= p)
    return x * keep / (1 - p) if training else x


@bank.wrong("mutates-input")
def in_place(x, p, training, rng):
    if training:
        x *= (rng.random(x.shape) >= p) / (1 - p)
    return x


@bank.wrong("wrong-dtype")
def as_float32(x, p, training, rng):
    return (x * (rng.random(x.shape) >= p) / (1 - p)).astype(np.float32) if training else x


@bank.wrong("wrong-dtype")
def widened_by_an_integer_mask(x, p, training, rng):
    return x * rng.binomial(1, 1 - p, x.shape) / (1 - p) if training else x


@bank.wrong("wrong-shape")
def flattened(x, p, training, rng):
    x = x.ravel()
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x


@bank.wrong("wrong-shape")
def survivors_only(x, p, training, rng):
    return x[rng.random(x.shape) >= p] / (1 - p) if training else x


@bank.wrong("wrong-type")
def no_return(x, p, training, rng):
    x * (rng.random(x.shape) >= p) / (1 - p)


@bank.wrong("wrong-type")
def as_a_list(x, p, training, rng):
    return (x * (rng.random(x.shape) >= p) / (1 - p)).tolist() if training else x


@bank.wrong("returns-nan")
def divides_by_the_mask(x, p, training, rng):
    return x / (rng.random(x.shape) >= p) / (1 - p) if training else x


@bank.wrong("changes-globals")
def seeds_the_world(x, p, training, rng):
    np.random.seed(0)  # noqa: NPY002
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x


@bank.wrong("wrong-signature")
def forgets_the_generator(x, p, training):
    return x


@bank.wrong("not-implemented")
def stub(x, p, training, rng):
    raise NotImplementedError("later")


@bank.wrong("raised")
def shape_mistake(x, p, training, rng):
    return x * (rng.random(x.shape[0]) >= p) / (1 - p) if training else x
