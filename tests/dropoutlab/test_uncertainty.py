import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from dropoutlab.models import mlp
from dropoutlab.uncertainty import best_noise, diabetes, log_density, root_mean_square, sampled_outputs


def test_the_data_are_standardised_columns():
    x, y = diabetes()
    whole = torch.cat([x, y], dim=1)
    assert whole.shape == (442, 11)
    assert whole.dtype == torch.float64
    torch.testing.assert_close(whole.mean(0), torch.zeros(11).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(whole.square().mean(0), torch.ones(11).double(), rtol=0, atol=1e-12)
    # Body-mass index, the third measurement, is known to go with the progress of the disease.
    assert (x[:, 2] * y[:, 0]).mean() > 0.5


def test_samples_differ_and_leave_the_mode_alone(seeded):
    net = mlp((3, 8, 1), p=0.4, init=seeded(1), masks=seeded(2)).eval()
    x = torch.randn(5, 3, generator=seeded(3), dtype=torch.float64)
    outputs = sampled_outputs(net, x, 4)
    assert outputs.shape == (4, 5, 1)
    assert len(outputs[:, 0].unique()) > 1
    assert not net.training
    assert not net[2].training
    assert not outputs.requires_grad
    with pytest.raises(ValueError, match="at least 1 sample, got 0"):
        sampled_outputs(net, x, 0)


def test_the_mean_of_many_samples_is_near_the_mean_of_the_law(seeded):
    # One hidden unit that is always active: the output is w·h·m/q + b, whose mean is known.
    net = mlp((1, 1, 1), p=0.4, init=seeded(1), masks=seeded(2))
    x = torch.full((1, 1), 3.0).double()
    with torch.no_grad():
        net[0].weight.fill_(2.0)
        net[0].bias.fill_(0.0)
        net[3].weight.fill_(0.5)
        net[3].bias.fill_(1.0)
    outputs = sampled_outputs(net, x, 5000)
    tolerance = 5 * 3 * math.sqrt(0.4 / 0.6 / 5000)  # five standard errors: SD of m/q is sqrt(p/q)
    assert outputs.mean().item() == pytest.approx(4.0, abs=tolerance)


def test_the_density_is_that_of_a_mixture(seeded):
    outputs = torch.randn(7, 5, 1, generator=seeded(1), dtype=torch.float64)
    y = torch.randn(5, 1, generator=seeded(2), dtype=torch.float64)
    mixture = MixtureSameFamily(Categorical(torch.ones(5, 7)), Normal(outputs[:, :, 0].T, torch.tensor(0.6)))
    expected = mixture.log_prob(y[:, 0]).mean().item()
    assert log_density(outputs, y, 0.6) == pytest.approx(expected, abs=1e-6)  # the weights there are float32


def test_one_network_is_a_mixture_of_one(seeded):
    output, y = torch.randn(2, 5, 1, generator=seeded(1), dtype=torch.float64)
    expected = Normal(output, 0.8).log_prob(y).mean().item()
    assert log_density(output[None], y, 0.8) == pytest.approx(expected, abs=1e-12)
    assert log_density(output[None].expand(9, -1, -1), y, 0.8) == pytest.approx(expected, abs=1e-12)


def test_the_best_noise_of_one_network_is_its_root_mean_square_error(seeded):
    output, y = torch.randn(2, 50, 1, generator=seeded(1), dtype=torch.float64)
    rmse = root_mean_square(output, y)
    candidates = torch.tensor([0.5, 0.9, 1.0, 1.1, 2.0], dtype=torch.float64) * rmse
    assert best_noise(output[None], y, candidates) == pytest.approx(rmse, abs=1e-12)
    assert rmse == pytest.approx(((output - y) ** 2).mean().item() ** 0.5, abs=1e-12)


def test_bad_settings_are_refused():
    outputs, y = torch.zeros(2, 3, 1), torch.zeros(3, 1)
    for noise in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="positive and finite"):
            log_density(outputs, y, noise)
    for wrong in (y[:2], y[:, 0]):
        with pytest.raises(ValueError, match=r"need outputs \(T, N, 1\)"):
            log_density(outputs, wrong, 1.0)
