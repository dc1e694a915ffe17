import numpy as np
import torch

from tests.dropoutlab.grading.bank.entry import Bank

bank = Bank("order_matters")


@bank.right
def by_trying(activation, p):
    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, 1000)
    mask = (rng.random(1000) >= p) / (1 - p)
    return not np.allclose(activation(z * mask), activation(z) * mask)


@bank.right
def both_masks(activation, p):
    z = np.linspace(-2, 2, 41)
    return any(not np.allclose(activation(factor * z), factor * activation(z)) for factor in (0, 1 / (1 - p)))


@bank.right
def number_by_number(activation, p):
    for z in (-3.0, -0.5, 0.7, 2.0):
        kept = abs(float(activation(np.array([z / (1 - p)]))[0] - activation(np.array([z]))[0] / (1 - p)))
        if kept > 1e-9:
            return True
    return bool(abs(activation(np.array([0.0]))[0]) > 1e-9)


@bank.right
def in_torch(activation, p):
    z = torch.linspace(-3, 3, 50, dtype=torch.float64)
    mask = torch.tensor([0.0, 1.0], dtype=torch.float64).repeat(25) / (1 - p)
    return not torch.allclose(activation(z * mask), activation(z) * mask)


@bank.right
def with_the_largest_difference(activation, p):
    z = np.array([-1.5, -1.0, 1.0, 1.5])
    differences = [
        activation(z * m / (1 - p)) - activation(z) * m / (1 - p) for m in (np.zeros(4), np.ones(4))
    ]
    return np.abs(differences).max() > 1e-6


@bank.wrong("checks-only-zero")
def zero_only(activation, p):
    return activation(np.zeros(1))[0] != 0


@bank.wrong("answer-inverted")
def commutes(activation, p):
    return not by_trying(activation, p)


@bank.wrong("constant-answer")
def always(activation, p):
    return True


@bank.wrong("constant-answer")
def never(activation, p):
    return False


@bank.wrong("wrong-value")
def positive_only(activation, p):
    z = np.linspace(0.1, 3, 20)
    return (
        not np.allclose(activation(z / (1 - p)), activation(z) / (1 - p)) and activation(np.zeros(1))[0] == 0
    )


@bank.wrong("wrong-shape")
def elementwise(activation, p):
    z = np.linspace(0, 3, 20)
    return activation(z / (1 - p)) != activation(z) / (1 - p)
