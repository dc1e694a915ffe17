"""What dropout on probabilities does to the likelihood and its gradient."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from dropoutlab.functional import dropout
from dropoutlab.studies.registered.output_dropout import SMALLEST, masked_likelihood, probability_dropout


def seeded(seed):
    return torch.Generator().manual_seed(seed)


LOGITS = torch.randn(64, 10, generator=seeded(1), dtype=torch.float64)
LABELS = torch.randint(10, (64,), generator=seeded(2))


def kept_labels():
    """Tell which examples keep their true class under the mask of generator 3."""
    mask = dropout(torch.ones_like(LOGITS), 0.5, training=True, generator=seeded(3)) > 0
    return mask.gather(1, LABELS[:, None])[:, 0]


@pytest.mark.parametrize("renormalise", [False, True])
def test_an_example_whose_class_is_dropped_has_no_gradient(renormalise):
    logits = LOGITS.clone().requires_grad_()
    loss = masked_likelihood(0.5, renormalise=renormalise, generator=seeded(3))
    loss(logits, LABELS).backward()
    kept = kept_labels()
    assert 0 < kept.sum() < 64
    assert torch.equal(logits.grad.abs().sum(1) > 0, kept)


def test_without_renormalising_any_other_example_has_its_ordinary_gradient():
    logits, plain = LOGITS.clone().requires_grad_(), LOGITS.clone().requires_grad_()
    masked_likelihood(0.5, renormalise=False, generator=seeded(3))(logits, LABELS).backward()
    cross_entropy(plain, LABELS).backward()
    kept = kept_labels()
    assert torch.allclose(logits.grad[kept], plain.grad[kept], atol=1e-12)


def test_the_value_is_that_of_the_kept_probability():
    logits, label = torch.tensor([[0.0, math.log(3.0)]], dtype=torch.float64), torch.tensor([1])
    values = {
        round(masked_likelihood(0.5, renormalise=r, generator=seeded(seed))(logits, label).item(), 4)
        for seed in range(40)
        for r in (False, True)
    }
    # Kept: 0.75 / 0.5, or renormalised 0.75 / 1 and 0.75 / 0.75. Dropped: the smallest probability.
    expected = {-math.log(1.5), -math.log(0.75), 0.0, -math.log(SMALLEST)}
    assert values == {round(value, 4) + 0.0 for value in expected}


def test_the_curves_are_recorded_where_they_are_asked_for():
    profile = {"data": "stand-in", "train": 70, "validation": 40, "test": 50, "epochs": 5, "every": 2}
    history = probability_dropout(7, profile, 0.001, renormalise=True)
    assert history.epochs == [2, 4, 5]
    assert {name: len(values) for name, values in history.error.items()} == {
        "train": 3,
        "validation": 3,
        "test": 3,
    }
    assert history.loss["train"][-1] < history.loss["train"][0]
