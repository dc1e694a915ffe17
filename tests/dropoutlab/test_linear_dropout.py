import pytest
import torch

from dropoutlab.linear_dropout import descend, objective, products, variation
from dropoutlab.thinned import enumerate_masks, mask_probabilities


@pytest.fixture
def data(seeded):
    g = seeded(1)
    scale = torch.tensor([1.0, 0.8, 0.6, 1.2], dtype=torch.float64)
    x = scale * torch.randn(40, 4, generator=g, dtype=torch.float64)
    return x, x @ torch.randn(4, 3, generator=g).double() + torch.randn(40, 3, generator=g).double()


def moments(x, y):
    n = len(x)
    return {"inputs": x.T @ x / n, "cross": y.T @ x / n, "total": y.square().sum().item() / n}


@pytest.mark.parametrize("p", [0.0, 0.3, 0.8])
def test_the_objective_is_the_average_over_all_masks(seeded, data, p):
    x, y = data
    U, V = (torch.randn(k, 5, generator=seeded(2), dtype=torch.float64) for k in (3, 4))
    masks = enumerate_masks(5)
    outputs = torch.einsum("nd,dh,mh,kh->mnk", x, V, masks.double() / (1 - p), U)
    errors = (y - outputs).square().sum(2).mean(1)
    expected = (mask_probabilities(masks, p) * errors).sum()
    found = objective(U, V, **moments(x, y), p=p)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)


def test_the_penalty_is_the_sum_of_squared_products(seeded, data):
    x, y = data
    U, V = (torch.randn(k, 5, generator=seeded(2), dtype=torch.float64) for k in (3, 4))
    values = moments(x, y)
    penalty = objective(U, V, **values, p=0.3) - objective(U, V, **values, p=0.0)
    shares = products(U, V, values["inputs"])
    assert penalty.item() == pytest.approx(0.3 / 0.7 * shares.square().sum().item(), rel=1e-10)
    by_hand = [(U[:, i].norm() * (x @ V[:, i]).square().mean().sqrt()).item() for i in range(5)]
    assert shares.tolist() == pytest.approx(by_hand, rel=1e-12)


def test_with_dropout_descent_makes_the_products_equal(seeded):
    # The example of the paper: with whitened inputs every minimum has equal products.
    cross = torch.diag(torch.tensor([3.0, 2.0, 1.5], dtype=torch.float64))
    eye, total = torch.eye(3, dtype=torch.float64), cross.square().sum().item()
    shares = {}
    for p in (0.0, 0.3):
        U, V = descend(eye, cross, total, hidden=5, p=p, init=seeded(3), steps=4000, lr=0.05)
        shares[p] = variation(products(U, V, eye))
    assert shares[0.3] < 1e-3
    assert shares[0.0] > 0.1


def test_without_dropout_descent_finds_the_least_squares(seeded, data):
    x, y = data
    U, V = descend(**moments(x, y), hidden=6, p=0.0, init=seeded(3), steps=4000, lr=0.05)
    torch.testing.assert_close(V @ U.T, torch.linalg.lstsq(x, y).solution, rtol=0, atol=1e-6)


def test_the_variation_is_sd_over_mean():
    assert variation(torch.tensor([2.0, 4.0, 6.0])) == pytest.approx((8 / 3) ** 0.5 / 4, abs=1e-7)
    assert variation(torch.full((4,), 0.5)) == 0
    with pytest.raises(ValueError, match=r"positive mean, got 0.0"):
        variation(torch.zeros(3))


def test_bad_settings_are_refused(seeded):
    one = torch.ones(1, 1)
    with pytest.raises(ValueError, match=r"p/q is infinite"):
        objective(one, one, one, one, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got -0.5"):
        objective(one, one, one, one, 1.0, -0.5)
    for steps, hidden in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="at least 1 step and 1 hidden unit"):
            descend(one, one, 1.0, hidden=hidden, p=0.1, init=seeded(1), steps=steps, lr=0.1)
    with pytest.raises(FloatingPointError, match="smaller steps than lr=1000"):
        descend(one, one, 1.0, hidden=2, p=0.1, init=seeded(1), steps=100, lr=1000)
