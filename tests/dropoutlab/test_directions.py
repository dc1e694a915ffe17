import math

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from dropoutlab.data import Split
from dropoutlab.directions import batch_gradients, direction_error, direction_variance, full_gradient
from dropoutlab.models import mlp


@pytest.fixture
def train(seeded):
    g = seeded(1)
    return Split(torch.randn(30, 5, generator=g).double(), torch.randint(0, 3, (30,), generator=g))


@pytest.fixture
def net(seeded):
    return mlp((5, 7, 3), p=0.3, init=seeded(2), masks=seeded(3)).train()


def test_variance_is_the_mean_over_pairs(seeded):
    gradients = torch.randn(6, 9, generator=seeded(4)).double()
    pairs = torch.combinations(torch.arange(6))
    cosines = cosine_similarity(gradients[pairs[:, 0]], gradients[pairs[:, 1]])
    assert direction_variance(gradients) == pytest.approx((0.5 * (1 - cosines)).mean().item(), abs=1e-12)
    assert direction_variance(gradients * torch.arange(1, 7)[:, None]) == pytest.approx(
        direction_variance(gradients), abs=1e-12
    )


def test_variance_of_equal_and_of_opposite_gradients():
    g = torch.tensor([[3.0, 4.0]])
    assert direction_variance(torch.cat([g, g, 5 * g])) == pytest.approx(0, abs=1e-12)
    assert direction_variance(torch.cat([g, -g])) == pytest.approx(1, abs=1e-12)


def test_error_is_the_mean_distance_from_the_target(seeded):
    gradients, target = torch.randn(6, 9, generator=seeded(4)), torch.randn(9, generator=seeded(5))
    cosines = cosine_similarity(gradients.double(), target.double()[None])
    assert direction_error(gradients, target) == pytest.approx((0.5 * (1 - cosines)).mean().item(), abs=1e-12)
    assert direction_error(target[None] * 3, target) == pytest.approx(0, abs=1e-12)
    assert direction_error(-target[None], target) == pytest.approx(1, abs=1e-12)


def test_independent_gradients_stand_at_right_angles(seeded):
    m, d = 40, 500
    gradients = torch.randn(m, d, generator=seeded(6)).double()
    # The cosine of independent normal vectors has mean 0 and variance 1/d; 780 pairs, pairwise uncorrelated.
    tolerance = 5 * 0.5 / math.sqrt(d * m * (m - 1) / 2)
    assert direction_variance(gradients) == pytest.approx(0.5, abs=tolerance)


def test_zero_points_nowhere():
    with pytest.raises(ValueError, match="points nowhere"):
        direction_variance(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="points nowhere"):
        direction_error(torch.eye(2), torch.zeros(2))
    with pytest.raises(ValueError, match="at least two gradients to compare, got 1"):
        direction_variance(torch.ones(1, 3))


def test_the_full_gradient_is_that_of_evaluation(net, train):
    expected = torch.autograd.grad(cross_entropy(net.eval()(train.x), train.y), list(net.parameters()))
    net.train()
    net[1].eval()  # modes are put back one by one
    found = full_gradient(net, train)
    assert torch.equal(found, torch.cat([part.flatten() for part in expected]))
    assert [net.training, net[1].training, net[2].training] == [True, False, True]
    assert all(parameter.grad is None for parameter in net.parameters())


def test_batch_gradients_use_the_masks_of_training(net, train, seeded):
    found = batch_gradients(net, train, batches=3, batch_size=4, generator=seeded(7))
    again = mlp((5, 7, 3), p=0.3, init=seeded(2), masks=seeded(3)).train()
    g = seeded(7)
    for row in found:
        index = torch.randperm(30, generator=g)[:4]
        loss = cross_entropy(again(train.x[index]), train.y[index])
        expected = torch.autograd.grad(loss, list(again.parameters()))
        assert torch.equal(row, torch.cat([part.flatten() for part in expected]))


def test_in_evaluation_a_batch_of_everything_gives_the_full_gradient(net, train, seeded):
    [row] = batch_gradients(net.eval(), train, batches=1, batch_size=30, generator=seeded(8))
    torch.testing.assert_close(row, full_gradient(net, train), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("batches", "size"), [(0, 3), (2, 0), (2, 31)])
def test_batches_must_be_there(net, train, seeded, batches, size):
    with pytest.raises(ValueError, match="at least 1 batch of 1 to 30 examples"):
        batch_gradients(net, train, batches=batches, batch_size=size, generator=seeded(1))
