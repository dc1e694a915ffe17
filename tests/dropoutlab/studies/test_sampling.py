import math

import pytest
import torch

from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.readouts import monte_carlo, predict, scores, unscaled
from dropoutlab.studies.sampling import (
    COUNTS,
    GEOMETRIC,
    SAMPLED,
    UNSCALED,
    confidence,
    sampled,
    without_scaling,
)


@pytest.fixture
def net(seeded):
    return mlp((5, 16, 3), p=0.4, init=seeded(1), masks=seeded(2))


@pytest.fixture
def split(seeded):
    x = 3 * torch.randn(40, 5, generator=seeded(3), dtype=torch.float64)
    return Split(x, torch.randint(3, (40,), generator=seeded(4)))


def rewind(net):
    net[2].generator.manual_seed(7)


def test_every_count_reads_the_mean_of_the_first_passes(net, split):
    rewind(net)
    values = sampled(net, split, 100)
    assert list(values) == list(SAMPLED)
    for kind, counts, suffix in (("arithmetic", COUNTS, ""), ("geometric", GEOMETRIC, "_geometric")):
        rewind(net)
        for k, mean in enumerate(monte_carlo(net, split.x, max(counts), kind), start=1):
            if k in counts:
                expected = scores(mean, split.y)
                # A running mean instead of a sum: the last digits of 100 float64 differ.
                found = [values[f"{name}_k{k}{suffix}"] for name in ("error", "nll", "ece")]
                assert found == pytest.approx([expected.error, expected.nll, expected.ece], rel=1e-10)
    assert len({values[f"nll_k{k}"] for k in COUNTS}) == len(COUNTS)
    assert values["nll_k50"] != values["nll_k50_geometric"]


@pytest.mark.parametrize("samples", [0, 1, 5, 50])
def test_means_of_more_passes_than_there_are_have_no_value(samples, net, split):
    values = sampled(net, split, samples)
    assert list(values) == list(SAMPLED)
    for name, value in values.items():
        k = int(name.split("_k")[1].split("_")[0])
        assert math.isnan(value) == (k > samples)
        assert SAMPLED[name].optional


def test_unscaled_columns_are_those_of_the_unscaled_network(net, split):
    with unscaled(net):
        expected = scores(predict(net, split.x), split.y)
    assert without_scaling(net, split) == {
        "error_unscaled": expected.error,
        "nll_unscaled": expected.nll,
        "ece_unscaled": expected.ece,
        "confidence_unscaled": expected.confidence,
    }
    assert list(UNSCALED) == list(without_scaling(net, split))
    full = confidence(net, split)
    assert full == predict(net, split.x).amax(1).mean().item()
    assert expected.confidence > full
