"""The regression study: what it draws, and the shrinkage that its protocol derives."""

import pytest
import torch

from dropoutlab.seeds import streams
from dropoutlab.studies.registered.output_dropout_regression import curve, draw, patients


def test_the_measurements_are_standardised():
    x, y = patients()
    assert x.shape == (442, 10)
    assert y.shape == (442, 1)
    assert torch.allclose(x.mean(0), torch.zeros(10), atol=1e-5)
    assert torch.allclose(x.std(0, correction=0), torch.ones(10), atol=1e-4)


def test_the_parts_are_disjoint_and_scaled_by_the_training_part():
    parts = draw(streams(7).data, centred=True)
    assert {name: len(y) for name, (_, y) in parts.items()} == {"train": 242, "validation": 100, "test": 100}
    rows = torch.cat([x for x, _ in parts.values()])
    assert len(rows.unique(dim=0)) == len(patients()[0].unique(dim=0))
    targets = parts["train"][1]
    assert targets.mean().item() == pytest.approx(0, abs=1e-5)
    assert targets.std().item() == pytest.approx(1, abs=1e-5)


def test_raw_targets_keep_their_mean():
    centred, raw = (draw(streams(7).data, centred=centred)["test"][1] for centred in (True, False))
    shift = raw - centred
    assert torch.allclose(shift, shift[0].expand_as(shift), atol=1e-5)
    assert 1.5 < shift[0].item() < 2.5  # as the protocol says: about two standard deviations


def test_the_expected_loss_is_least_at_q_times_the_target():
    p, target = 0.3, torch.tensor([2.0, -0.5, 1.1], dtype=torch.float64)
    f = ((1 - p) * target).requires_grad_()
    # Both masks, each with its probability: the expectation is exact.
    expected = (1 - p) * (f / (1 - p) - target).square() + p * target.square()
    expected.sum().backward()
    assert torch.allclose(f.grad, torch.zeros(3, dtype=torch.float64), atol=1e-12)


def test_the_curve_of_a_shrunk_network_shows_it():
    profile = {"epochs": 60, "every": 20}
    plain, dropped = (curve(7, {"p": p, "centred": False}, 0.003, profile) for p in (0.0, 0.5))
    assert [epoch for epoch, _ in plain] == [20, 40, 60]
    # Halved at the minimum; a network that ignored its output's mask would be at the other slope.
    assert dropped[-1][1]["slope"] < 0.75 * plain[-1][1]["slope"]
    assert dropped[-1][1]["test"] > plain[-1][1]["test"]
