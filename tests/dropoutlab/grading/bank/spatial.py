import numpy as np

from tests.dropoutlab.grading.bank.entry import Bank

bank = Bank("spatial_dropout")


@bank.right
def with_new_axes(x, p, training, rng):
    if not training:
        return x
    return x * (rng.random(x.shape[:2]) >= p)[:, :, None, None] / (1 - p)


@bank.right
def with_where(x, p, training, rng):
    n, c, _, _ = x.shape
    if not training:
        return x.copy()
    return np.where(rng.random((n, c, 1, 1)) < p, 0, x / (1 - p)).astype(x.dtype)


@bank.right
def with_loops(x, p, training, rng):
    y = x.copy()
    if training:
        for example in y:
            for plane in example:
                plane *= 0 if rng.random() < p else 1 / (1 - p)
    return y


@bank.right
def with_binomial_and_einsum(x, p, training, rng):
    if not training:
        return x
    factors = rng.binomial(1, 1 - p, x.shape[:2]) / (1 - p)
    return np.einsum("nchw,nc->nchw", x, factors).astype(x.dtype)


@bank.right
def with_repeated_masks(x, p, training, rng):
    if not training:
        return x
    n, c, h, w = x.shape
    mask = (rng.random(n * c) >= p).repeat(h * w).reshape(x.shape)
    return np.multiply(x, mask) / (1 - p)


@bank.right
def with_indices(x, p, training, rng):
    y = x / (1 - p) if training else x.copy()
    if training:
        y[rng.random(x.shape[:2]) <= p] = 0
    return y


@bank.wrong("mask-per-element")
def pixels(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x


@bank.wrong("mask-per-element")
def rows_of_pixels(x, p, training, rng):
    return x * (rng.random((*x.shape[:3], 1)) >= p) / (1 - p) if training else x


@bank.wrong("mask-per-element")
def places(x, p, training, rng):
    return x * (rng.random((len(x), 1, *x.shape[2:])) >= p) / (1 - p) if training else x


@bank.wrong("mask-shared-across-batch")
def channels(x, p, training, rng):
    return x * (rng.random((1, x.shape[1], 1, 1)) >= p) / (1 - p) if training else x


@bank.wrong("mask-shared-across-channels")
def examples(x, p, training, rng):
    return x * (rng.random((len(x), 1, 1, 1)) >= p) / (1 - p) if training else x


@bank.wrong("keep-drop-swapped")
def swapped(x, p, training, rng):
    return x * (rng.random((*x.shape[:2], 1, 1)) < p) / p if training else x


@bank.wrong("no-scaling")
def unscaled(x, p, training, rng):
    return x * (rng.random((*x.shape[:2], 1, 1)) >= p) if training else x


@bank.wrong("active-in-evaluation")
def always(x, p, training, rng):
    return x * (rng.random((*x.shape[:2], 1, 1)) >= p) / (1 - p)


@bank.wrong("wrong-scale")
def pixelwise_scale(x, p, training, rng):
    if not training:
        return x
    return x * (rng.random((*x.shape[:2], 1, 1)) >= p) * rng.uniform(1, 2, x.shape)


@bank.wrong("scaled-by-realised-fraction")
def by_what_was_kept(x, p, training, rng):
    if not training:
        return x
    keep = rng.random((*x.shape[:2], 1, 1)) >= p
    return x * keep / keep.mean(axis=1, keepdims=True)


@bank.wrong("fixed-quota")
def quota(x, p, training, rng):
    if not training:
        return x
    ranks = rng.random(x.shape[:2]).argsort(axis=1)
    return x * (ranks >= round(p * x.shape[1]))[:, :, None, None] / (1 - p)
