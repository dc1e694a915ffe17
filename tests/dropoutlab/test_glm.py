import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from dropoutlab.glm import exact_penalty, fit_logistic, quadratic_penalty
from dropoutlab.thinned import enumerate_masks, mask_probabilities


@pytest.fixture
def data(seeded):
    g = seeded(1)
    x = torch.randn(80, 6, generator=g, dtype=torch.float64)
    return x, (x[:, 0] + torch.randn(80, generator=g).double() > 0.3).long()


@pytest.mark.parametrize("p", [0.0, 0.2, 0.7])
def test_the_exact_penalty_is_the_mean_loss_with_masks_minus_the_loss_without(seeded, data, p):
    x, y = data
    beta = torch.randn(6, generator=seeded(2), dtype=torch.float64)
    total = 0.0
    masks = enumerate_masks(6)
    for mask, weight in zip(masks, mask_probabilities(masks, p), strict=True):
        z = (x * mask / (1 - p)) @ beta - 0.4
        total += weight.item() * binary_cross_entropy_with_logits(z, y.double()).item()
    plain = binary_cross_entropy_with_logits(x @ beta - 0.4, y.double()).item()
    assert exact_penalty(x, beta, p, -0.4).item() == pytest.approx(total - plain, abs=1e-12)


def test_the_approximation_is_half_the_curvature_at_zero(data, seeded):
    x, _ = data
    direction = torch.randn(6, generator=seeded(3), dtype=torch.float64)
    small = 1e-3 * direction
    exact, approximate = (f(x, small, 0.3, 0.2).item() for f in (exact_penalty, quadratic_penalty))
    assert exact == pytest.approx(approximate, rel=0.01)
    # The third-order term is the first that is missed, so the relative error falls with the size.
    errors = [
        abs(quadratic_penalty(x, s * direction, 0.3, 0.2) / exact_penalty(x, s * direction, 0.3, 0.2) - 1)
        for s in (1.0, 0.1, 0.01)
    ]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_the_approximation_is_ridge_weighted_by_the_information(data, seeded):
    x, _ = data
    beta = torch.randn(6, generator=seeded(2), dtype=torch.float64)
    pi = torch.sigmoid(x @ beta + 0.5)
    fisher = torch.stack([(pi * (1 - pi) * x[:, j] ** 2).mean() for j in range(6)])
    expected = 0.5 * 0.25 / 0.75 * (fisher * beta**2).sum()
    assert quadratic_penalty(x, beta, 0.25, 0.5).item() == pytest.approx(expected.item(), rel=1e-12)


def test_the_fit_is_a_minimum(data):
    x, y = data
    beta, intercept = fit_logistic(x, y, 0.3)

    def loss(b, c):
        return (binary_cross_entropy_with_logits(x @ b + c, y.double()) + exact_penalty(x, b, 0.3, c)).item()

    best = loss(beta, intercept)
    for j in range(6):
        for step in (-1e-3, 1e-3):
            moved = beta.clone()
            moved[j] += step
            assert loss(moved, intercept) > best
    assert min(loss(beta, intercept + 1e-3), loss(beta, intercept - 1e-3)) > best


def test_more_dropout_means_smaller_coefficients(data):
    sizes = [fit_logistic(*data, p)[0].norm().item() for p in (0.1, 0.5, 0.9)]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_bad_settings_are_refused(data):
    x, y = data
    beta = torch.ones(6, dtype=torch.float64)
    for penalty in (exact_penalty, quadratic_penalty):
        with pytest.raises(ValueError, match="nothing is left"):
            penalty(x, beta, 1.0)
        with pytest.raises(ValueError, match=r"need features \(N, d\) and coefficients \(d,\)"):
            penalty(x, beta[:5], 0.3)
        with pytest.raises(ValueError, match="need features"):
            penalty(x[:0], beta, 0.3)
    with pytest.raises(ValueError, match="masks of 0 to 20 units, got 21"):
        exact_penalty(torch.ones(1, 21), torch.ones(21), 0.3)
    for p in (0.0, 1.0):
        with pytest.raises(ValueError, match=r"must lie in \(0, 1\) here"):
            fit_logistic(x, y, p)
    for labels in (y + 1, y[:5]):
        with pytest.raises(ValueError, match="one label 0 or 1 for each of the 80 examples"):
            fit_logistic(x, labels, 0.3)
