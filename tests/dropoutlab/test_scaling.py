import math

import pandas as pd
import pytest
import torch
from torch import nn

from dropoutlab import ClassicDropout, Dropout
from dropoutlab.comparison import Task, splits
from dropoutlab.scaling import ScaledDropout, conventions, mean_ratios, network, outcomes
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit


def named(p):
    return {convention.name: convention for convention in conventions(p)}


@pytest.mark.parametrize("p", [0.1, 0.3, 0.8])
def test_only_the_two_right_conventions_agree_in_expectation(p):
    q = 1 - p
    agreeing = {c.name for c in conventions(p) if math.isclose(q * c.training, c.evaluation)}
    assert agreeing == {"inverted", "original"}


def test_at_one_half_the_swapped_factor_cannot_be_told_from_the_right_one():
    half = named(0.5)
    assert (half["swapped"].training, half["swapped"].evaluation) == (2.0, 1.0)
    assert half["swapped"].training == half["inverted"].training


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_conventions_refuse_rates_at_which_they_coincide(p):
    with pytest.raises(ValueError, match=f"strictly between 0 and 1 only, got {p}"):
        conventions(p)


@pytest.mark.parametrize(("name", "reference"), [("inverted", Dropout), ("original", ClassicDropout)])
def test_scaled_dropout_contains_both_layers(name, reference, seeded):
    x = torch.rand(5, 7, generator=seeded(1), dtype=torch.float64)
    ours = ScaledDropout(0.3, named(0.3)[name], generator=seeded(2))
    theirs = reference(0.3, generator=seeded(2))
    # The layer divides by q where the convention multiplies by 1/q: the last bit may differ.
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-15, atol=0)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-15, atol=0)


def test_network_puts_a_dropout_layer_after_each_hidden_layer():
    net = network((64, 5, 6, 10), nn.Identity, init=streams(1).init)
    assert [type(layer).__name__ for layer in net] == [
        "Linear", "ReLU", "Identity", "Linear", "ReLU", "Identity", "Linear",
    ]  # fmt: skip
    assert [layer.out_features for layer in net if isinstance(layer, nn.Linear)] == [5, 6, 10]


def test_mean_ratios_of_the_first_layer_follow_the_convention(seeded):
    p, width, n, passes = 0.3, 200, 300, 20
    x = torch.rand(n, 64, generator=seeded(3), dtype=torch.float64)
    for convention in conventions(p):
        masks = seeded(4)
        net = network(
            (64, width, 10), lambda c=convention, g=masks: ScaledDropout(p, c, generator=g), init=seeded(5)
        ).eval()
        (ratio,) = mean_ratios(net, x, passes)
        expected = convention.evaluation / ((1 - p) * convention.training)
        # Over the passes the masked sum has mean q·sum(h) and variance p·q·sum(h²)/passes: five SDs.
        hidden = net[1](net[0](x)).detach()
        relative_sd = math.sqrt(p * (1 - p) * (hidden**2).sum() / passes) / ((1 - p) * hidden.sum())
        assert abs(ratio / expected - 1) < 5 * relative_sd
        assert not net.training


def test_mean_ratios_restores_training_mode(seeded):
    net = network((64, 8, 10), lambda: ScaledDropout(0.3, named(0.3)["inverted"]), init=seeded(5)).train()
    mean_ratios(net, torch.rand(4, 64, generator=seeded(1), dtype=torch.float64), passes=1)
    assert net.training


@pytest.fixture(scope="module")
def table():
    calls = []
    result = outcomes(
        0.3,
        Task(100),
        Recipe(8, lr=0.05),
        [1000, 1001],
        hidden=(32,),
        on_run=lambda *call: calls.append(call),
    )
    return result, calls


def test_outcomes_reports_every_convention_and_seed(table):
    result, calls = table
    assert len(result) == 10
    assert set(result.columns) == {"convention", "seed", "error", "loss", "confidence", "ratio_1"}
    assert calls[-1] == ("swapped, seed 1001", 10, 10)
    assert [done for _, done, _ in calls] == list(range(1, 11))
    assert result.error.between(0, 1).all()
    assert result.confidence.between(0.1, 1).all()


def test_forgotten_is_the_original_network_differently_evaluated(table):
    rows = table[0].set_index(["convention", "seed"])
    for seed in (1000, 1001):
        original, forgotten = rows.loc[("original", seed)], rows.loc[("forgotten", seed)]
        assert forgotten.ratio_1 == pytest.approx(original.ratio_1 / 0.7)  # the same nets and the same masks
        assert forgotten.confidence > original.confidence


def test_outcomes_are_reproducible(table):
    again = outcomes(0.3, Task(100), Recipe(8, lr=0.05), [1000, 1001], hidden=(32,))
    assert again.equals(table[0])


def test_a_seed_alone_gives_what_it_gives_among_others(table):
    alone = outcomes(0.3, Task(100), Recipe(8, lr=0.05), [1001], hidden=(32,))
    among = table[0].query("seed == 1001").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among, rtol=1e-9)  # side by side, sums are rounded in another order


def test_the_labs_own_layer_trains_what_the_inverted_convention_trains(table):
    s = streams(1000)
    part = splits(Task(100), s)
    inverted = named(0.3)["inverted"]
    net = network((64, 32, 10), lambda: ScaledDropout(0.3, inverted, generator=s.masks), init=s.init)
    fit(net, part["train"], Recipe(8, lr=0.05), order=s.order)
    with torch.no_grad():
        logits = net(part["test"].x)
    row = table[0].set_index(["convention", "seed"]).loc[("inverted", 1000)]
    loss = torch.nn.functional.cross_entropy(logits, part["test"].y).item()
    assert row.loss == pytest.approx(loss, rel=1e-9)
    assert row.ratio_1 == pytest.approx(mean_ratios(net, part["test"].x)[0], rel=1e-9)
