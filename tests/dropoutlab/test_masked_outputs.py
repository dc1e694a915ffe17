import pytest
import torch
from torch.nn.functional import cross_entropy

from dropoutlab.functional import dropout
from dropoutlab.masked_outputs import logit_pushes, masked_squared_error
from dropoutlab.thinned import enumerate_masks, mask_probabilities


@pytest.mark.parametrize("p", [0.0, 0.3, 0.8])
def test_the_expected_squared_error_is_that_of_both_masks(seeded, p):
    f = torch.randn(20, generator=seeded(1), dtype=torch.float64)
    kept = dropout(f, p, training=True, mask=torch.ones(20, dtype=torch.bool))
    by_hand = (1 - p) * (kept - 1.5).square() + p * 1.5**2
    torch.testing.assert_close(masked_squared_error(f, 1.5, p), by_hand, rtol=1e-12, atol=1e-12)


def test_the_best_output_is_q_times_the_target():
    f = torch.linspace(-1, 5, 6001, dtype=torch.float64)
    best = f[masked_squared_error(f, 4.0, 0.3).argmin()].item()
    assert best == pytest.approx(0.7 * 4.0, abs=0.001)  # the spacing of the grid


def test_pushes_are_the_gradients_under_each_mask(seeded):
    z = torch.randn(4, generator=seeded(2), dtype=torch.float64, requires_grad=True)
    pushes = logit_pushes(z.detach(), 2, 0.3)
    for mask, push in zip(enumerate_masks(4), pushes, strict=True):
        loss = cross_entropy(dropout(z, 0.3, training=True, mask=mask)[None], torch.tensor([2]))
        (gradient,) = torch.autograd.grad(loss, z)
        torch.testing.assert_close(push, gradient, rtol=1e-10, atol=1e-12)


def test_no_mask_turns_a_sign(seeded):
    z = 3 * torch.randn(8, generator=seeded(3), dtype=torch.float64)
    pushes = logit_pushes(z, 5, 0.4)
    others = torch.arange(8) != 5
    assert (pushes[:, 5] <= 0).all()
    assert (pushes[:, others] >= 0).all()
    mean = mask_probabilities(enumerate_masks(8), 0.4) @ pushes
    assert mean[5] < 0 < mean[others].min()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: masked_squared_error(torch.ones(1), 1.0, 1.0), "p must be below 1, got 1.0: an output"),
        (lambda: logit_pushes(torch.ones(3), 0, 1.0), "p must be below 1, got 1.0: logits"),
        (lambda: logit_pushes(torch.ones(3), 3, 0.5), "one of the 3 classes, got 3"),
    ],
)
def test_what_is_never_trained_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
