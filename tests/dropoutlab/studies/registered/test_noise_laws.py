"""The networks of the study of noise laws: same weights, and noise where it should be."""

import pytest
import torch

from dropoutlab.seeds import streams
from dropoutlab.studies.registered.noise_laws import BUILDS, SharedDropout


@pytest.mark.parametrize("law", BUILDS)
def test_all_laws_start_from_the_same_weights(law):
    x = torch.rand(5, 784, generator=torch.Generator().manual_seed(1))
    expected = BUILDS["none"](streams(7)).eval()(x)
    assert torch.allclose(BUILDS[law](streams(7)).eval()(x), expected, atol=1e-6)


@pytest.mark.parametrize("law", BUILDS)
def test_building_draws_nothing_from_the_global_generator(law):
    before = torch.random.get_rng_state()
    BUILDS[law](streams(7))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("law", "alike"),
    [("none", True), ("bernoulli", False), ("gaussian", False), ("bernoulli-shared", True),
     ("connections-shared", True)],
)  # fmt: skip
def test_equal_examples_of_a_batch_differ_only_where_they_have_masks_of_their_own(law, alike):
    x = torch.rand(1, 784, generator=torch.Generator().manual_seed(1)).expand(4, -1)
    net = BUILDS[law](streams(7)).train()
    y = net(x)
    assert torch.allclose(y[0], y[1], atol=1e-6) is alike
    assert torch.allclose(net(x)[0], y[0], atol=1e-4) is (law == "none")


def test_a_shared_mask_is_one_coin_per_unit():
    layer = SharedDropout(0.3, generator=torch.Generator().manual_seed(1))
    y = layer(torch.ones(8, 1000))
    assert torch.equal(y, y[:1].expand(8, -1))
    n = 1000
    # 5 sigma of a binomial proportion.
    assert (y[0] > 0).float().mean().item() == pytest.approx(0.7, abs=5 * (0.3 * 0.7 / n) ** 0.5)
    assert y.max().item() == pytest.approx(1 / 0.7)
    assert torch.equal(layer.eval()(torch.ones(8, 3)), torch.ones(8, 3))
