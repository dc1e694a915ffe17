import math

import pytest
import torch
from torch import nn

from dropoutlab.layers import DropPath
from dropoutlab.residual import StochasticDepth, depth_rates, residual_mlp


class Counting(nn.Module):
    """Doubles its input and counts how often it is asked to."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        self.calls += 1
        return self.weight * x


# --- one block


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_a_branch_is_computed_in_a_share_q_of_the_steps(p, seeded):
    n = 4_000
    block = StochasticDepth(Counting(), p, generator=seeded(1))
    for _ in range(n):
        block(torch.ones(1))
    tolerance = 5 * math.sqrt(p * (1 - p) / n)  # 5 sigma of a binomial proportion
    assert abs(block.branch.calls / n - (1 - p)) <= tolerance


def test_a_dropped_branch_costs_nothing_and_learns_nothing(seeded):
    block = StochasticDepth(Counting(), 0.5, generator=seeded(1))
    outcomes = set()
    for _ in range(20):
        calls, x = block.branch.calls, torch.ones(4, 3, requires_grad=True)
        block.zero_grad()
        y = block(x)
        computed = block.branch.calls > calls
        y.sum().backward()
        assert (block.branch.weight.grad is not None) == computed
        # x + 2x/q with q = 0.5, for all examples of the batch alike
        assert torch.equal(y, torch.full((4, 3), 5.0 if computed else 1.0))
        assert torch.equal(x.grad, torch.full((4, 3), 5.0 if computed else 1.0))
        outcomes.add(computed)
    assert outcomes == {True, False}


def test_the_mean_over_coins_is_the_evaluation_output(seeded):
    p, n = 0.3, 20_000
    block = StochasticDepth(Counting(), p, generator=seeded(1))
    mean = sum(block(torch.ones(1)).item() for _ in range(n)) / n
    expected = block.eval()(torch.ones(1)).item()
    assert expected == 3
    # y = 1 + 2b/q has standard deviation 2·√(p/q).
    assert abs(mean - expected) <= 5 * 2 * math.sqrt(p / (1 - p) / n)


def test_evaluation_draws_no_coin_and_computes_every_branch(seeded):
    generator = seeded(1)
    block = StochasticDepth(Counting(), 0.9, generator=generator).eval()
    before = generator.get_state()
    for _ in range(10):
        assert block(torch.ones(1)).item() == 3
    assert torch.equal(generator.get_state(), before)


def test_certain_coins(seeded):
    x = torch.ones(2, 3)
    assert torch.equal(StochasticDepth(Counting(), 0.0)(x), 3 * x)
    assert StochasticDepth(Counting(), 1.0)(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_bad_rates_are_refused(p):
    with pytest.raises(ValueError, match=r"\[0, 1\], got"):
        StochasticDepth(Counting(), p)


def test_print_shows_the_rate():
    assert "p=0.25" in repr(StochasticDepth(nn.Identity(), 0.25))


# --- the rule of depth


@pytest.mark.parametrize(("blocks", "last"), [(1, 0.3), (5, 0.5), (20, 1.0), (3, 0.0)])
def test_rates_grow_linearly_from_the_input_and_end_at_the_last(blocks, last):
    rates = depth_rates(blocks, last)
    assert len(rates) == blocks
    assert rates[-1] == last
    steps = [b - a for a, b in zip([0.0, *rates], rates, strict=False)]
    assert steps == pytest.approx([last / blocks] * blocks)


@pytest.mark.parametrize(("blocks", "last", "match"), [(0, 0.5, "1 block, got 0"), (3, 1.2, "got 1.2")])
def test_impossible_rules_of_depth_are_refused(blocks, last, match):
    with pytest.raises(ValueError, match=match):
        depth_rates(blocks, last)


# --- the network


def build(seeded, **options):
    return residual_mlp(
        **{"init": seeded(1), "masks": seeded(2), "blocks": 3, "n_in": 6, "width": 8, **options}
    )


def test_all_ways_of_skipping_start_from_the_same_function(seeded):
    x = torch.rand(5, 6, generator=seeded(3))
    outputs = [build(seeded, skip=skip, last_p=0.5).eval()(x) for skip in ("none", "batch", "example")]
    assert outputs[0].shape == (5, 10)
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])


def test_rates_follow_the_rule_in_both_ways_of_skipping(seeded):
    batch = [
        layer.p for layer in build(seeded, skip="batch", last_p=0.6) if isinstance(layer, StochasticDepth)
    ]
    example = [
        layer.p
        for layer in build(seeded, skip="example", last_p=0.6).modules()
        if isinstance(layer, DropPath)
    ]
    assert batch == example == depth_rates(3, 0.6)


@pytest.mark.parametrize(("skip", "alike"), [("none", True), ("batch", True), ("example", False)])
def test_coins_are_thrown_for_the_batch_or_for_each_example(skip, alike, seeded):
    x = torch.rand(1, 6, generator=seeded(3)).expand(40, 6)
    y = build(seeded, skip=skip, last_p=0.5)(x)
    assert ((y - y[0]).abs().max() < 1e-5) == alike  # equal rows of a matrix product differ in the last bits


def test_weights_and_coins_come_from_the_given_generators(seeded):
    x, state = torch.rand(30, 6, generator=seeded(3)), torch.get_rng_state()
    one, same, other = (
        build(seeded, skip="example", last_p=0.5, masks=seeded(seed))(x) for seed in (2, 2, 4)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_number_type_holds_for_all_parameters(seeded):
    assert {w.dtype for w in build(seeded, dtype=torch.float64).parameters()} == {torch.float64}


def test_an_unknown_way_of_skipping_is_refused(seeded):
    with pytest.raises(ValueError, match="'none', 'batch', 'example', got 'layer'"):
        build(seeded, skip="layer")
