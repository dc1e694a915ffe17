import numpy as np

from tests.dropoutlab.grading.bank.entry import Bank

bank = Bank("classic_dropout")


@bank.right
def with_where(x, p, training, rng):
    return np.where(rng.random(x.shape) < p, 0, x).astype(x.dtype) if training else (1 - p) * x


@bank.right
def with_binomial(x, p, training, rng):
    factor = rng.binomial(1, 1 - p, x.shape) if training else 1 - p
    return (x * factor).astype(x.dtype)


@bank.right
def with_indices(x, p, training, rng):
    y = np.array(x)
    if training:
        y[rng.uniform(0, 1, x.shape) < p] = 0
    else:
        y *= 1 - p
    return y


@bank.right
def with_a_loop(x, p, training, rng):
    y = [value * (rng.random() >= p) if training else value * (1 - p) for value in x.ravel()]
    return np.array(y, dtype=x.dtype).reshape(x.shape)


@bank.right
def by_subtraction(x, p, training, rng):
    return x - x * (rng.random(x.shape) < p) if training else x - p * x


@bank.right
def with_shuffled_integers(x, p, training, rng):
    if not training:
        return x * (1 - p)
    return x * (rng.integers(0, 10**9, x.shape) >= p * 10**9)


@bank.wrong("inverted-not-classic")
def inverted(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x


@bank.wrong("scaled-twice")
def scaled_in_both(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x * (1 - p)


@bank.wrong("no-scaling")
def never_scaled(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) if training else x


@bank.wrong("keep-drop-swapped")
def p_of_the_paper(x, p, training, rng):
    return x * (rng.random(x.shape) < p) if training else x * p


@bank.wrong("keep-drop-swapped")
def p_in_evaluation_only(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) if training else x * p


@bank.wrong("multiplies-by-keep")
def scaled_down_in_training(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) * (1 - p) if training else x * (1 - p)


@bank.wrong("evaluation-changes-input")
def divided_in_evaluation(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) if training else x / (1 - p)


@bank.wrong("scaled-twice")
def scaled_down_twice(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) if training else x * (1 - p) * (1 - p)


@bank.wrong("active-in-evaluation")
def drops_in_evaluation(x, p, training, rng):
    y = x * (rng.random(x.shape) >= p)
    return y if training else y * (1 - p)


@bank.wrong("training-flag-inverted")
def flag(x, p, training, rng):
    return x * (1 - p) if training else x * (rng.random(x.shape) >= p)


@bank.wrong("p-hard-coded")
def half(x, p, training, rng):
    return x * (rng.random(x.shape) >= 0.5) if training else x * 0.5


@bank.wrong("mask-shared-across-batch")
def row(x, p, training, rng):
    return x * (rng.random(x.shape[1:]) >= p) if training else x * (1 - p)
