import math

import pytest
import torch

from dropoutlab import coadaptation
from dropoutlab.coadaptation import correlation, effective_rank, probe_accuracy, sparsity


@pytest.fixture
def noise(seeded):
    return torch.randn(4000, 12, generator=seeded(1), dtype=torch.float64)


def test_every_measure_can_be_had_from_one_place():
    assert all(callable(getattr(coadaptation, name)) for name in coadaptation.__all__)


def test_correlation_is_the_mean_over_pairs_of_what_numpy_computes(noise):
    hidden = (
        noise[:50, :4] @ torch.tensor([[1.0, 0.5, 0, 0], [0, 1, 0, 0], [-2, 0, 1, 0], [0, 0, 0, 1]]).double()
    )
    rho = torch.corrcoef(hidden.T).abs()
    expected = rho[torch.triu(torch.ones(4, 4), 1).bool()].mean().item()
    assert correlation(hidden) == pytest.approx(expected, abs=1e-12)
    # The sign, the scale and the level of a unit do not matter.
    assert correlation(hidden * torch.tensor([-3.0, 1, 7, 1]) + 5) == pytest.approx(expected, abs=1e-12)


def test_correlation_of_independent_units_is_sampling_noise(noise):
    n, pairs = len(noise), 12 * 11 / 2
    # |r| of independent normal units is close to |N(0, 1/n)|: mean sqrt(2/(pi n)), SD sqrt((1 - 2/pi)/n).
    tolerance = 5 * math.sqrt((1 - 2 / math.pi) / n / pairs)
    assert correlation(noise) == pytest.approx(math.sqrt(2 / (math.pi * n)), abs=tolerance)


def test_units_that_never_vary_are_left_out(noise):
    constant = torch.full((len(noise), 3), 0.1, dtype=torch.float64)  # its mean is not 0.1 to the last digit
    assert correlation(torch.cat([noise, constant], dim=1)) == pytest.approx(correlation(noise), abs=1e-12)
    with pytest.raises(ValueError, match="two units that vary, got 1"):
        correlation(torch.cat([noise[:, :1], constant], dim=1))


@pytest.mark.parametrize("measure", [correlation, effective_rank])
@pytest.mark.parametrize("shape", [(1, 3), (5,), (2, 3, 4)])
def test_one_example_has_no_spread(measure, shape):
    with pytest.raises(ValueError, match="N of at least 2"):
        measure(torch.ones(shape))


def test_effective_rank_counts_equal_directions(noise):
    u = torch.linalg.qr(noise - noise.mean(0)).Q  # columns of length 1, with mean 0 and at right angles
    assert effective_rank(u) == pytest.approx(12, abs=1e-9)
    assert effective_rank(7 * u[:, :5] + 3) == pytest.approx(5, abs=1e-9)
    # Singular values 3 and 1: shares 3/4 and 1/4.
    expected = math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert effective_rank(u[:, :2] * torch.tensor([3.0, 1.0])) == pytest.approx(expected, abs=1e-9)


def test_effective_rank_of_copies_is_one(noise):
    assert effective_rank(noise[:, :1].expand(-1, 6)) == pytest.approx(1, abs=1e-6)


def test_effective_rank_needs_something_that_varies():
    with pytest.raises(ValueError, match="all of them are constant"):
        effective_rank(torch.full((10, 3), 0.1))


def test_sparsity_of_k_equal_units_among_n():
    for n, k in ((10, 3), (256, 64), (4, 4)):
        h = torch.zeros(1, n)
        h[0, :k] = 2.5
        expected = (math.sqrt(n) - math.sqrt(k)) / (math.sqrt(n) - 1)
        assert sparsity(h) == pytest.approx(expected, abs=1e-12)


def test_sparsity_is_averaged_over_examples_that_are_not_silent():
    h = torch.tensor([[1.0, 0, 0], [1, 1, 1], [0, 0, 0]])
    assert sparsity(h) == pytest.approx(0.5, abs=1e-12)
    assert sparsity(-5 * h) == pytest.approx(0.5, abs=1e-12)


def test_sparsity_refuses_what_has_none():
    with pytest.raises(ValueError, match="all activations are zero"):
        sparsity(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="at least two units, got 1"):
        sparsity(torch.ones(3, 1))
    with pytest.raises(ValueError, match="N of at least 1"):
        sparsity(torch.ones(0, 4))


def test_a_probe_reads_a_unit_that_answers_to_two_classes():
    # Low for class 1, middle for class 0, high for class 1: no threshold can tell them, bins can.
    value = torch.linspace(-1, 1, 300)[:, None]
    y = (value[:, 0].abs() > 0.34).long()
    assert probe_accuracy(value, y, value, y, bins=3).item() > 0.97
    assert probe_accuracy(value, y, value, y, bins=2).item() == pytest.approx(
        y.double().mean().item(), abs=0.01
    )


def test_a_silent_unit_names_the_most_frequent_class_of_the_examples_seen():
    seen_y, y = torch.tensor([2, 2, 1]), torch.tensor([1, 1, 2, 2, 2, 0])
    accuracy = probe_accuracy(torch.zeros(3, 2), seen_y, torch.zeros(6, 2), y)
    assert accuracy.tolist() == [0.5, 0.5]


def test_votes_are_counted_on_the_examples_seen_and_units_kept_apart(seeded):
    y = torch.randint(0, 4, (2000,), generator=seeded(2))
    hidden = torch.stack([y.float(), torch.rand(2000, generator=seeded(3)), -y.float()], dim=1)
    accuracy = probe_accuracy(hidden[:1000], y[:1000], hidden[1000:], y[1000:], bins=10)
    assert accuracy[0] == accuracy[2] == 1
    assert accuracy[1] == pytest.approx(
        0.25, abs=5 * math.sqrt(0.25 * 0.75 / 1000)
    )  # five SDs of a proportion
    wrong = probe_accuracy(hidden[:1000], (y[:1000] + 1) % 4, hidden[1000:], y[1000:], bins=10)
    assert wrong[0] == 0


def test_values_beyond_those_seen_fall_into_the_outer_bins():
    seen, y = torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([0, 0, 1, 1])
    far = torch.tensor([[-100.0], [100.0]])
    assert probe_accuracy(seen, y, far, torch.tensor([0, 1]), bins=2).tolist() == [1.0]


def test_a_probe_refuses_what_it_cannot_count():
    x, y = torch.ones(4, 2), torch.zeros(4, dtype=torch.int64)
    with pytest.raises(ValueError, match="at least 2 bins, got 1"):
        probe_accuracy(x, y, x, y, bins=1)
    for seen, seen_y, hidden in ((x, y[:3], x), (x, y, torch.ones(4, 3)), (x[:0], y[:0], x), (x[0], y, x)):
        with pytest.raises(ValueError, match="need activations"):
            probe_accuracy(seen, seen_y, hidden, y)
