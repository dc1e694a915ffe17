import contextlib
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dropoutlab import readouts
from dropoutlab.layers import (
    ClassicDropout,
    DropConnectLinear,
    Dropout,
    DropPath,
    GaussianDropout,
    SpatialDropout,
)
from dropoutlab.models import linear, mlp
from dropoutlab.readouts import (
    calibration_error,
    dropout_modules,
    monte_carlo,
    passes,
    predict,
    scores,
    stochastic,
    unscaled,
)

OURS = [Dropout, ClassicDropout, SpatialDropout, GaussianDropout, DropPath]
PYTORCHS = [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout]


@pytest.fixture
def trained(seeded):
    """A network with masks on inputs and both hidden layers, with batch normalisation, and examples."""
    net = mlp((6, 16, 12, 3), p=0.4, input_p=0.2, init=seeded(1), masks=seeded(2))
    net.insert(4, nn.BatchNorm1d(16, dtype=torch.float64))
    x = torch.randn(50, 6, generator=seeded(3), dtype=torch.float64)
    net.train()(x)  # statistics other than 0 and 1
    return SimpleNamespace(net=net, x=x)


def state(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def modes(net):
    return [module.training for module in net.modules()]


# --- scores


def test_scores_of_a_table_done_by_hand():
    p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.25, 0.35, 0.4]])
    found = scores(p, torch.tensor([0, 1, 2, 0]))
    assert found.error == 0.5
    # float32 probabilities are known to some 1e-8.
    assert found.nll == pytest.approx(-math.log(0.7 * 0.3 * 0.6 * 0.25) / 4, abs=1e-7)
    assert found.confidence == pytest.approx((0.7 + 0.5 + 0.6 + 0.4) / 4, abs=1e-7)
    # Four bins of 1/15 with one example each: right at 0.7 and 0.6, wrong at 0.5 and 0.4.
    assert found.ece == pytest.approx((0.3 + 0.4 + 0.5 + 0.4) / 4, abs=1e-7)


def test_a_class_that_was_ruled_out_costs_everything():
    assert scores(torch.tensor([[1.0, 0.0]]), torch.tensor([1])).nll == math.inf


def test_calibration_pools_a_bin_before_it_takes_the_difference():
    p = torch.tensor([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], dtype=torch.float64)
    p = torch.stack([p, 1 - p], dim=1)
    y = torch.tensor([0] * 9 + [1])
    assert calibration_error(p, y) == pytest.approx(0, abs=1e-12)  # nine of ten, as announced
    assert calibration_error(p, 1 - y) == pytest.approx(0.8)


def test_calibration_does_not_let_bins_cancel():
    p = torch.tensor([[0.95, 0.05]] * 2 + [[0.55, 0.45]] * 2, dtype=torch.float64)
    y = torch.tensor([1, 0, 0, 0])  # half of the sure ones right, all of the unsure ones
    assert calibration_error(p, y) == pytest.approx((2 * 0.45 + 2 * 0.45) / 4)
    assert calibration_error(p, y, bins=1) == pytest.approx(0)  # one bin: 0.75 sure, 0.75 right


@pytest.mark.parametrize(
    ("confidences", "bins", "expected"),
    [
        # Bins are open below and closed above: 0.5 belongs to (0, 0.5], 0.51 to (0.5, 1].
        ([0.5, 0.51], 2, (0.5 + 0.49) / 2),
        ([0.51, 0.99], 2, abs(2 - 1.5) / 2),
        ([1.0, 0.9], 10, 0.05),
    ],
)
def test_the_edges_of_the_bins(confidences, bins, expected):
    p = torch.tensor(confidences, dtype=torch.float64)
    y = torch.zeros(len(p), dtype=torch.int64)
    assert calibration_error(torch.stack([p, 1 - p], dim=1), y, bins) == pytest.approx(expected)


def test_calibration_needs_a_bin():
    with pytest.raises(ValueError, match="need at least 1 bin, got 0"):
        calibration_error(torch.ones(1, 1), torch.zeros(1, dtype=torch.int64), bins=0)


# --- modes


def test_dropout_layers_of_every_kind_are_found_and_nothing_else():
    drops = [kind(0.5) for kind in OURS + PYTORCHS] + [DropConnectLinear(2, 2, p=0.5)]
    others = [nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2), nn.Sequential(), nn.Identity()]
    net = nn.Sequential(*others, nn.Sequential(*drops[:3]), *drops[3:])
    assert set(dropout_modules(net)) == set(drops)


def test_only_dropout_layers_are_in_training_mode_and_the_modes_come_back(trained):
    net = trained.net
    net.train()
    net[0].eval()
    before = modes(net)
    with stochastic(net) as same:
        assert same is net
        assert [m for m in net.modules() if m.training] == dropout_modules(net)
        assert len(dropout_modules(net)) == 3
    assert modes(net) == before
    with pytest.raises(RuntimeError, match="stop"), stochastic(net):
        raise RuntimeError("stop")
    assert modes(net) == before


# --- predictions


@pytest.mark.parametrize("training", [True, False])
def test_prediction_is_that_of_the_full_network_and_changes_nothing(training, trained):
    net, x = trained.net, trained.x
    expected = net.eval()(x).softmax(1)
    net.train(training)
    before, mask_state = state(net), net[0].generator.get_state()
    found = predict(net, x)
    torch.testing.assert_close(found, expected.detach())
    assert not found.requires_grad
    assert modes(net) == [training] * len(modes(net))
    assert all(torch.equal(value, before[name]) for name, value in state(net).items())
    assert torch.equal(net[0].generator.get_state(), mask_state)


def test_the_modes_come_back_even_if_the_network_fails(trained):
    trained.net.train()
    with pytest.raises(RuntimeError):
        predict(trained.net, trained.x[:, :2])
    assert trained.net.training


def test_an_unlikely_class_keeps_a_probability():
    net = nn.Sequential(nn.Identity())
    p = predict(net, torch.tensor([[200.0, 0.0]]))  # exp(-200) is 0 in float32
    assert p.dtype == torch.float64
    assert p[0, 1].log().item() == pytest.approx(-200)


@pytest.mark.parametrize("rows", [1, 7, 49])
def test_predicting_in_pieces_changes_nothing(rows, trained, monkeypatch):
    whole = predict(trained.net, trained.x)
    monkeypatch.setattr(readouts, "_ROWS", rows)
    torch.testing.assert_close(predict(trained.net, trained.x), whole, rtol=1e-13, atol=0)


# --- thinned networks


def test_a_pass_is_a_forward_with_the_masks_of_the_layers_own_generators(trained, seeded):
    net, x = trained.net, trained.x
    net[0].generator.manual_seed(9)  # shared by the three layers
    with stochastic(net), torch.no_grad():
        expected = [net(x).log_softmax(1) for _ in range(3)]
    net[0].generator.manual_seed(9)
    found = list(passes(net, x, 3))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert not torch.equal(found[0], found[1])


def test_what_comes_before_the_first_mask_is_computed_once(seeded):
    class Count(nn.Module):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return x

    early, late = Count(), Count()
    net = nn.Sequential(early, linear(4, 8, generator=seeded(1)), nn.Dropout(0.3), late)
    assert len(list(passes(net, torch.ones(5, 4, dtype=torch.float64), 6))) == 6
    assert (early.calls, late.calls) == (1, 6)


def test_masks_differ_between_the_examples_of_a_pass(seeded):
    net = nn.Sequential(Dropout(0.3, generator=seeded(1)), linear(8, 3, generator=seeded(2)))
    log_probabilities = next(passes(net, torch.ones(20, 8, dtype=torch.float64), 1))
    assert len(log_probabilities.unique(dim=0)) > 10


@pytest.mark.parametrize("net", [nn.Sequential(nn.Linear(3, 2)), nn.Linear(3, 2)])
def test_without_dropout_every_pass_is_the_prediction(net):
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    for log_probabilities in passes(net, x, 2):
        torch.testing.assert_close(log_probabilities.exp(), predict(net, x))


def test_passes_leave_the_mode_alone_also_between_them(trained):
    trained.net.train()
    before = state(trained.net)
    for _ in passes(trained.net, trained.x, 2):
        assert all(modes(trained.net))
    assert all(torch.equal(value, before[name]) for name, value in state(trained.net).items())


@pytest.mark.parametrize("kind", ["arithmetic", "geometric"])
def test_averages_of_the_first_k_passes(kind, trained):
    net, x = trained.net, trained.x
    net[0].generator.manual_seed(9)
    single = torch.stack(list(passes(net, x, 4)))
    net[0].generator.manual_seed(9)
    for k, average in enumerate(monte_carlo(net, x, 4, kind), start=1):
        mean = single[:k].exp().mean(0) if kind == "arithmetic" else single[:k].mean(0).exp()
        torch.testing.assert_close(average, mean / mean.sum(1, keepdim=True))
    assert k == 4


def test_the_geometric_mean_over_one_layer_approaches_the_full_network(seeded):
    """An identity for one dropped layer: its logits are unbiased, and their mean is what the softmax sees."""
    net = nn.Sequential(Dropout(0.3, generator=seeded(1)), linear(5, 3, generator=seeded(2)))
    x = torch.rand(1, 5, generator=seeded(3), dtype=torch.float64)
    samples = 4000
    *_, average = monte_carlo(net, x, samples, "geometric")
    logits = torch.log(average / average[:, :1])
    weight = net[1].weight - net[1].weight[:1]
    # Variance of a logit relative to the first, p/q Σ w² x²; 5 sigma of the mean: once in 1.7 million.
    sigma = ((weight**2 * x**2).sum(1) * 0.3 / 0.7).sqrt() / math.sqrt(samples)
    expected = torch.log(predict(net, x) / predict(net, x)[:, :1])
    assert ((logits - expected).abs() <= 5 * sigma).all()


def test_at_least_one_pass_and_a_known_kind_of_mean(trained):
    with pytest.raises(ValueError, match="need at least 1 sample, got 0"):
        next(passes(trained.net, trained.x, 0))
    with pytest.raises(ValueError, match="need at least 1 sample, got -1"):
        next(monte_carlo(trained.net, trained.x, -1))
    with pytest.raises(ValueError, match="kind must be 'arithmetic' or 'geometric', got 'median'"):
        next(monte_carlo(trained.net, trained.x, 1, "median"))


# --- without the scaling


def test_without_scaling_the_network_is_that_of_a_classic_one_left_unscaled(seeded):
    """Weights q times as large behind each mask: the classic network that computes the same in training."""
    p = 0.3
    net = mlp((5, 8, 6, 3), p=p, input_p=p, init=seeded(1), masks=seeded(2))
    x = torch.rand(10, 5, generator=seeded(3), dtype=torch.float64)
    with unscaled(net):
        found = predict(net, x)
    h = x
    for i, layer in enumerate(module for module in net if isinstance(module, nn.Linear)):
        h = (h if i == 0 else h.relu()) @ (layer.weight / (1 - p)).T + layer.bias
    torch.testing.assert_close(found, h.softmax(1).detach())
    assert not torch.allclose(found, predict(net, x))


def test_training_is_as_before_and_the_scaling_comes_back(seeded):
    net = nn.Sequential(Dropout(0.75, generator=seeded(1)))
    x = torch.ones(1000)
    with contextlib.suppress(RuntimeError), unscaled(net):
        assert net.train()(x).unique().tolist() == [0, 4]
        assert net.eval()(x).unique().tolist() == [4]
        raise RuntimeError("stop")
    assert net.eval()(x).unique().tolist() == [1]


@pytest.mark.parametrize("layer", [ClassicDropout(0.6), nn.Dropout(0.6), SpatialDropout(0.6), DropPath(0.6)])
def test_layers_of_other_makes(layer):
    x = torch.ones(2, 3, 4)
    layer.eval()
    scaled = layer(x)
    with unscaled(layer):
        torch.testing.assert_close(layer(x), scaled / 0.4)
    if isinstance(layer, ClassicDropout):
        torch.testing.assert_close(scaled / 0.4, x)


@pytest.mark.parametrize(
    "layer", [GaussianDropout(0.5), nn.AlphaDropout(0.5), DropConnectLinear(2, 2, p=0.5), Dropout(1.0)]
)
def test_noise_that_is_not_scaled_by_q_is_refused(layer):
    net = nn.Sequential(Dropout(0.5), layer)
    with pytest.raises(ValueError, match=r"has no scaling by q > 0 to leave out"), unscaled(net):
        pass
    assert torch.equal(net[0].eval()(torch.ones(1)), torch.ones(1))  # no hook is left behind
