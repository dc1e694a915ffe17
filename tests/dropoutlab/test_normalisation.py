import math

import pytest
import torch
from torch import nn

from dropoutlab.layers import Dropout, GaussianDropout
from dropoutlab.normalisation import normalised_mlp, reestimate_statistics, shift_ratios

WIDTHS = (12, 16, 16, 5)


def build(seeded, **options):
    return normalised_mlp(WIDTHS, **{"init": seeded(1), "masks": seeded(2), **options})


def state_of(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def unchanged(net, before):
    return all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


# --- the network


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"norm": "none"}, "Linear ReLU Linear ReLU Linear"),
        ({"norm": "none", "p": 0.3}, "Linear ReLU Dropout Linear ReLU Dropout Linear"),
        ({}, "Linear BatchNorm1d ReLU Linear BatchNorm1d ReLU Linear"),
        ({"norm": "layer"}, "Linear LayerNorm ReLU Linear LayerNorm ReLU Linear"),
        ({"p": 0.3}, "Linear BatchNorm1d ReLU Dropout Linear BatchNorm1d ReLU Dropout Linear"),
        (
            {"p": 0.3, "order": "before norm"},
            "Linear Dropout BatchNorm1d ReLU Linear Dropout BatchNorm1d ReLU Linear",
        ),
        (
            {"p": 0.3, "order": "after last activation"},
            "Linear BatchNorm1d ReLU Linear BatchNorm1d ReLU Dropout Linear",
        ),
        (
            {"p": 0.3, "noise": "gaussian"},
            "Linear BatchNorm1d ReLU GaussianDropout Linear BatchNorm1d ReLU GaussianDropout Linear",
        ),
    ],
)
def test_layers_stand_in_the_order_that_was_asked_for(options, expected, seeded):
    net = build(seeded, **options)
    assert " ".join(type(layer).__name__ for layer in net) == expected
    assert all(layer.p == 0.3 for layer in net if isinstance(layer, Dropout | GaussianDropout))


def test_nets_that_differ_in_the_rest_start_from_the_same_weights(seeded):
    nets = [build(seeded, norm=norm, p=p) for norm in ("none", "batch", "layer") for p in (0.0, 0.4)]
    linears = [[layer.weight for layer in net if isinstance(layer, nn.Linear)] for net in nets]
    assert all(torch.equal(a, b) for others in linears for a, b in zip(linears[0], others, strict=True))


def test_masks_come_from_the_given_generator_and_the_type_from_the_caller(seeded):
    x, state = torch.rand(6, 12, generator=seeded(3), dtype=torch.float64), torch.get_rng_state()
    one, same, other = (
        build(seeded, p=0.3, masks=seeded(seed), dtype=torch.float64)(x) for seed in (2, 2, 3)
    )
    assert one.dtype == torch.float64
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("name", "value"), [("norm", "group"), ("order", "first"), ("noise", "uniform")])
def test_unknown_words_are_refused_and_the_known_ones_named(name, value, seeded):
    with pytest.raises(ValueError, match=f"{name} must be one of '.*, '.*', got '{value}'"):
        build(seeded, **{name: value})


def test_too_few_widths_and_bad_rates_are_refused(seeded):
    with pytest.raises(ValueError, match=r"at least one hidden and an output width, got \(12, 5\)"):
        normalised_mlp((12, 5), init=seeded(1))
    with pytest.raises(ValueError, match=r"\[0, 1\], got 1.5"):
        build(seeded, p=1.5)


# --- statistics, taken again


def test_statistics_become_those_of_the_data_without_dropout(seeded):
    net = nn.Sequential(Dropout(0.3, generator=seeded(1)), nn.BatchNorm1d(3))
    x = torch.randn(60, 3, generator=seeded(2)) * 2 + 5
    assert reestimate_statistics(net, x, batch_size=60) is net
    torch.testing.assert_close(net[1].running_mean, x.mean(0))
    torch.testing.assert_close(net[1].running_var, x.var(0))


def test_batches_count_alike(seeded):
    net = nn.Sequential(nn.BatchNorm1d(3))
    x = torch.randn(60, 3, generator=seeded(2))
    reestimate_statistics(net, x, batch_size=20)
    parts = x.split(20)
    torch.testing.assert_close(net[0].running_mean, x.mean(0))
    torch.testing.assert_close(net[0].running_var, torch.stack([part.var(0) for part in parts]).mean(0))


def test_no_batch_is_a_single_example(seeded):
    x = torch.randn(7, 3, generator=seeded(2))
    net = nn.Sequential(nn.BatchNorm1d(3))
    for batch_size in (2, 3, 6):  # 7 in twos or sixes would leave one over
        reestimate_statistics(net, x, batch_size=batch_size)
        assert net[0].running_var.isfinite().all()


def test_a_later_layer_sees_what_the_corrected_earlier_one_gives(seeded):
    n = 80
    net = build(seeded, p=0.6, dtype=torch.float64)
    x = torch.rand(n, 12, generator=seeded(3), dtype=torch.float64)
    net(x)  # statistics with dropout
    for layer in (net[1], net[5]):
        layer.eps = 1e-15  # adds nothing, so that the factor below is exact
    reestimate_statistics(net, x, batch_size=n)
    net.eval()
    hidden = net[4](net[:4](x)) - net[4].bias  # what the second normalisation is given, less the bias
    # The pass divides by the root of the biased variance, evaluation by that of the unbiased: a factor.
    factor = math.sqrt(n / (n - 1))
    torch.testing.assert_close(net[5].running_mean, net[4].bias + factor * hidden.mean(0))
    torch.testing.assert_close(net[5].running_var, factor**2 * hidden.var(0))


def test_statistics_without_dropout_repair_a_mismatch(seeded):
    g = seeded(1)
    net = nn.Sequential(Dropout(0.8, generator=g), nn.BatchNorm1d(2, momentum=None))
    x = torch.randn(20_000, 2, generator=seeded(2)) + 3
    net(x)
    net.eval()
    before = net(x).var(0)
    after = reestimate_statistics(net, x)(x).var(0)
    # Dropout with p = 0.8 multiplies the second moment of N(3, 1), 10, by 5: variance 41 instead of 1.
    assert (before < 1 / 30).all()
    torch.testing.assert_close(after, torch.ones(2), rtol=0.05, atol=0)


def test_only_statistics_change(seeded):
    net = build(seeded, p=0.3).train()
    net[3].eval()
    modes = [module.training for module in net.modules()]
    generator = net[3].generator.get_state()
    before = state_of(net)
    momenta = [layer.momentum for layer in net if isinstance(layer, nn.BatchNorm1d)]
    reestimate_statistics(net, torch.rand(40, 12, generator=seeded(3)))
    assert [module.training for module in net.modules()] == modes
    assert [layer.momentum for layer in net if isinstance(layer, nn.BatchNorm1d)] == momenta == [0.1, 0.1]
    assert torch.equal(net[3].generator.get_state(), generator)  # no mask was drawn
    changed = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[1] for name in changed} == {"running_mean", "running_var", "num_batches_tracked"}


def test_a_failure_leaves_modes_and_momenta_as_they_were(seeded):
    net = build(seeded).train()
    with pytest.raises(RuntimeError):
        reestimate_statistics(net, torch.rand(4, 13, generator=seeded(1)))
    assert net[1].momentum == 0.1
    assert all(module.training for module in net.modules())


# --- the shift


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_the_ratio_is_that_of_theory(p, mean, seeded):
    n, q = 40_000, 1 - p
    x = torch.randn(n, 2, generator=seeded(1)) + mean
    net = nn.Sequential(Dropout(p, generator=seeded(2)), nn.BatchNorm1d(2))
    ratios = shift_ratios(net, x, batch_size=n)["1"]
    # Moments of x ~ N(m, 1), and of y = x·coin/q: E[y^k] = E[x^k] / q^(k−1).
    moments = [mean, mean**2 + 1, mean**3 + 3 * mean, mean**4 + 6 * mean**2 + 3]
    m1, m2, m3, m4 = (moment / q**k for k, moment in enumerate(moments))
    variance = m2 - m1**2
    kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
    # A variance of n numbers with kurtosis κ has relative SD √((κ − 1)/n); that of x itself has κ = 3.
    tolerance = 5 * (math.sqrt((kurtosis - 1) / n) + math.sqrt(2 / n)) / variance
    assert (ratios - 1 / variance).abs().max() <= tolerance


def test_without_dropout_and_with_settled_statistics_nothing_shifts(seeded):
    net = build(seeded)
    x = torch.rand(200, 12, generator=seeded(3))
    reestimate_statistics(net, x, batch_size=200)
    for ratios in shift_ratios(net, x, batch_size=200).values():
        torch.testing.assert_close(ratios, torch.ones(16, dtype=torch.float64), rtol=0.01, atol=0)


def test_only_normalisations_behind_dropout_shift(seeded):
    x = torch.rand(2000, 12, generator=seeded(3))
    shifts = {}
    for order in ("after activation", "before norm", "after last activation"):
        net = build(seeded, p=0.5, order=order)
        for _ in range(100):
            net(x)  # settle the statistics
        shifts[order] = [ratios.median().item() for ratios in shift_ratios(net, x).values()]
    assert shifts["after activation"][0] == pytest.approx(1, abs=1e-6)
    assert shifts["after activation"][1] < 0.9
    assert max(shifts["before norm"]) < 0.9
    assert shifts["after last activation"] == pytest.approx([1, 1], abs=0.05)


def test_maps_count_by_channel_over_all_positions(seeded):
    x = torch.randn(50, 3, 6, 6, generator=seeded(1))
    net = nn.Sequential(Dropout(0.5, generator=seeded(2)), nn.BatchNorm2d(3)).train()
    ratios = shift_ratios(net, x, batch_size=50, passes=2)["1"]
    generator = seeded(2)
    layer = Dropout(0.5, generator=generator)
    twice = torch.cat([layer(x), layer(x)]).double().transpose(0, 1).flatten(1)
    expected = x.double().transpose(0, 1).flatten(1).var(1, correction=0) / twice.var(1, correction=0)
    torch.testing.assert_close(ratios, expected)


def test_the_variance_of_many_batches_is_that_of_all_examples(seeded):
    x = torch.randn(90, 3, generator=seeded(1)) + 1000  # far from 0, where sums of squares lose their digits
    net = nn.Sequential(nn.BatchNorm1d(3))
    for batch_size in (90, 20):
        ratios = shift_ratios(net, x, batch_size=batch_size)["0"]
        torch.testing.assert_close(ratios, torch.ones(3, dtype=torch.float64), rtol=1e-9, atol=0)


def test_names_are_those_of_the_network(seeded):
    net = build(seeded, p=0.5)
    names = [name for name, layer in net.named_modules() if isinstance(layer, nn.BatchNorm1d)]
    assert list(shift_ratios(net, torch.rand(20, 12, generator=seeded(3)))) == names == ["1", "5"]


def test_a_constant_channel_has_no_ratio():
    ratios = shift_ratios(nn.Sequential(nn.BatchNorm1d(2)), torch.tensor([[1.0, 2.0], [1.0, 3.0]]))["0"]
    assert ratios[0].isnan()
    assert ratios[1] == 1


def test_measuring_changes_neither_statistics_nor_modes(seeded):
    net = build(seeded, p=0.3).train()
    net[1].eval()
    modes, before = [module.training for module in net.modules()], state_of(net)
    shift_ratios(net, torch.rand(40, 12, generator=seeded(3)), passes=2)
    assert [module.training for module in net.modules()] == modes
    assert unchanged(net, before)
    assert not any(module._forward_pre_hooks for module in net.modules())


def test_a_failed_measurement_leaves_no_trace(seeded):
    net = build(seeded, p=0.3).train()
    before = state_of(net)
    with pytest.raises(RuntimeError):
        shift_ratios(net, torch.rand(4, 13, generator=seeded(1)))
    assert unchanged(net, before)
    assert not any(module._forward_pre_hooks for module in net.modules())


@pytest.mark.parametrize("measure", [reestimate_statistics, shift_ratios])
def test_networks_without_running_statistics_are_refused(measure, seeded):
    x = torch.rand(4, 12, generator=seeded(1))
    for net in (build(seeded, norm="layer"), nn.Sequential(nn.BatchNorm1d(12, track_running_stats=False))):
        with pytest.raises(ValueError, match="no batch normalisation with running statistics"):
            measure(net, x)


@pytest.mark.parametrize("measure", [reestimate_statistics, shift_ratios])
def test_single_examples_have_no_variance(measure, seeded):
    net = build(seeded)
    with pytest.raises(ValueError, match="at least 2, got batch_size=1 and 8 examples"):
        measure(net, torch.zeros(8, 12), batch_size=1)
    with pytest.raises(ValueError, match="at least 2, got batch_size=9 and 1 examples"):
        measure(net, torch.zeros(1, 12), batch_size=9)


def test_no_pass_is_refused(seeded):
    with pytest.raises(ValueError, match="at least 1 pass, got 0"):
        shift_ratios(build(seeded), torch.zeros(8, 12), passes=0)
