import itertools
import math

import numpy as np
import pytest
import torch

from dropoutlab import exact
from dropoutlab.ensemble import (
    average,
    enumerate_masks,
    exact_average,
    mask_probabilities,
    monte_carlo_average,
    weight_scaling_average,
)
from dropoutlab.functional import classic_dropout, dropout

KINDS = ["arithmetic", "geometric"]
RATES = [0.1, 0.3, 0.7, 0.9]


def normal(*shape, seeded, seed=1):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def final_layer(n, classes, seeded, batch=(4,)):
    """Hidden units after a ReLU, and the linear layer behind their dropout."""
    hidden = normal(*batch, n, seeded=seeded, seed=1).relu()
    return hidden, normal(classes, n, seeded=seeded, seed=2), normal(classes, seeded=seeded, seed=3)


def brute_force(hidden, weight, bias, rates, kind):
    """One thinned network after the other, in plain NumPy: no code in common with the library."""
    h, W, b = hidden.numpy(), weight.numpy(), bias.numpy()
    total = 0.0
    for kept in itertools.product([0, 1], repeat=len(rates)):
        probability = math.prod(1 - p if k else p for k, p in zip(kept, rates, strict=True))
        if probability == 0:
            continue
        factors = np.array([k / (1 - p) if k else 0.0 for k, p in zip(kept, rates, strict=True)])
        logits = (h * factors) @ W.T + b
        softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        total = total + probability * (softmax if kind == "arithmetic" else np.log(softmax))
    if kind == "geometric":
        total = np.exp(total)
        total = total / total.sum(axis=-1, keepdims=True)
    return torch.from_numpy(total)


def close(a, b, atol=1e-12):
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


# --- exact_average against brute force


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", RATES)
def test_all_networks_are_averaged(p, kind, seeded):
    hidden, weight, bias = final_layer(9, 3, seeded)
    close(exact_average(hidden, weight, bias, p, kind), brute_force(hidden, weight, bias, [p] * 9, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_unequal_rates_are_weighted_exactly(kind, seeded):
    rates = [0.0, 0.3, 1.0, 0.9, 0.0, 1.0, 0.55, 0.1]
    hidden, weight, bias = final_layer(8, 3, seeded)
    expected = brute_force(hidden, weight, bias, rates, kind)
    close(exact_average(hidden, weight, bias, rates, kind), expected)
    close(exact_average(hidden, weight, bias, torch.tensor(rates, dtype=torch.float64), kind), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_block_is_crossed(kind, seeded):
    n = 20  # 2^20 networks need more than one block
    hidden, weight, bias = final_layer(n, 3, seeded, batch=())
    assert n > exact._BLOCK
    masks = enumerate_masks(n)
    logits = (hidden * masks / 0.7) @ weight.T + bias
    expected = average(logits, mask_probabilities(masks, 0.3), kind)
    close(exact_average(hidden, weight, bias, 0.3, kind), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_types_and_missing_bias(kind, seeded):
    hidden, weight, _ = final_layer(5, 3, seeded)
    batch = exact_average(hidden, weight, None, 0.3, kind)
    assert batch.shape == (4, 3)
    single = exact_average(hidden[0], weight, torch.zeros(3), 0.3, kind)
    assert single.shape == (3,)
    close(single, batch[0])
    rough = exact_average(hidden.float(), weight.float(), None, 0.3, kind)
    assert rough.dtype == torch.float64
    close(rough, batch, atol=1e-6)
    assert exact_average(hidden[:0], weight, None, 0.3, kind).shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_certain_units_cost_nothing(kind, seeded):
    n = 200
    hidden, weight, bias = final_layer(n, 3, seeded)
    close(exact_average(hidden, weight, bias, 0.0, kind), (hidden @ weight.T + bias).softmax(dim=1))
    close(exact_average(hidden, weight, bias, 1.0, kind), bias.softmax(dim=0).expand(4, 3))


def test_averages_carry_no_gradient(seeded):
    hidden, weight, bias = final_layer(3, 2, seeded)
    assert not exact_average(hidden.requires_grad_(), weight, bias, 0.3).requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_large_logits_do_not_overflow(kind):
    # float64 has no exp(2000); both networks agree on the first class.
    p = exact_average(
        torch.tensor([1.0]), torch.tensor([[1400.0], [0.0]]), torch.tensor([1000.0, 0.0]), 0.3, kind
    )
    close(p, torch.tensor([1.0, 0.0], dtype=torch.float64))


def test_too_many_units_lead_to_sampling(seeded):
    hidden, weight, bias = final_layer(31, 2, seeded)
    with pytest.raises(ValueError, match=r"n up to 30 units with 0 < p < 1, got 31; .*monte_carlo_average"):
        exact_average(hidden, weight, bias, 0.5)
    rates = torch.full((31,), 0.5)
    rates[4:] = 0
    assert exact_average(hidden, weight, bias, rates).shape == (4, 2)


@pytest.mark.parametrize("function", [exact_average, weight_scaling_average])
def test_bad_arguments_are_named(function, seeded):
    hidden, weight, bias = final_layer(5, 3, seeded)
    with pytest.raises(ValueError, match=r"got \(4, 4\) and \(3, 5\)"):
        function(hidden[:, :4], weight, bias, 0.3)
    with pytest.raises(ValueError, match=r"hidden \(n,\) or \(N, n\)"):
        function(hidden[None], weight, bias, 0.3)
    with pytest.raises(ValueError, match=r"bias of shape \(3,\), one per class, got \(2,\)"):
        function(hidden, weight, bias[:2], 0.3)
    with pytest.raises(ValueError, match=r"one for each of the 5 units, got \(2,\)"):
        function(hidden, weight, bias, [0.3, 0.4])
    for p in (1.3, -0.1, math.nan, [0.1, 0.2, 0.3, 0.4, 1.3]):
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got"):
            function(hidden, weight, bias, p)


def test_unknown_kinds_are_refused(seeded):
    hidden, weight, bias = final_layer(5, 3, seeded)
    for compute in (
        lambda: exact_average(hidden, weight, bias, 0.3, "median"),
        lambda: average(torch.zeros(2, 3), torch.tensor([0.5, 0.5]), "median"),
        lambda: monte_carlo_average(lambda x: x.softmax(-1), hidden, 3, kind="median"),
    ):
        with pytest.raises(ValueError, match="kind must be 'arithmetic' or 'geometric', got 'median'"):
            compute()
    with pytest.raises(ValueError, match="scaling must be 'inverted' or 'classic', got 'none'"):
        weight_scaling_average(hidden, weight, bias, 0.3, scaling="none")


# --- masks and their probabilities


@pytest.mark.parametrize("n", [0, 1, 3, 8])
def test_every_mask_is_listed_once_and_bit_i_is_unit_i(n):
    masks = enumerate_masks(n)
    assert masks.shape == (2**n, n)
    assert masks.dtype == torch.bool
    assert (masks * 2 ** torch.arange(n)).sum(dim=1).tolist() == list(range(2**n))


@pytest.mark.parametrize("n", [-1, 21])
def test_impossible_numbers_of_units_are_refused(n):
    with pytest.raises(ValueError, match=rf"masks of 0 to 20 units, got {n}"):
        enumerate_masks(n)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0, [0.0, 0.2, 0.5, 1.0]])
def test_mask_probabilities_sum_to_one_with_the_right_marginals(p):
    masks = enumerate_masks(4)
    probabilities = mask_probabilities(masks, p)
    assert math.isclose(probabilities.sum().item(), 1, abs_tol=1e-12)
    kept = probabilities @ masks.double()
    close(kept, 1 - torch.as_tensor(p, dtype=torch.float64).expand(4))


def test_average_checks_the_law_of_the_networks():
    logits = torch.zeros(3, 2)
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(2,\)"):
        average(logits, torch.tensor([0.5, 0.5]))
    with pytest.raises(ValueError, match=r"got \(3,\) and \(3,\)"):
        average(logits[:, 0], torch.ones(3) / 3)
    for law in ([0.5, 0.5, 0.5], [1.5, -0.5, 0.0], [math.nan, 0.5, 0.5]):
        with pytest.raises(ValueError, match="probabilities of the networks must sum to 1"):
            average(logits, torch.tensor(law))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_never_occurs_does_not_matter(kind):
    logits = torch.tensor([[0.0, 1.0], [0.0, -math.inf]])
    expected = torch.tensor([0.0, 1.0]).double().softmax(dim=0)
    close(average(logits, torch.tensor([1.0, 0.0]), kind), expected)


# --- the theorem: weight scaling is the renormalised geometric mean where logits are affine in the mask


@pytest.mark.parametrize("p", RATES)
def test_exact_for_one_dropped_layer_behind_relu_units(p, seeded):
    x, first = normal(6, 5, seeded=seeded, seed=4), normal(12, 5, seeded=seeded, seed=5)
    hidden = (x @ first.T).relu()  # nonlinear, but in front of the mask
    _, weight, bias = final_layer(12, 4, seeded)
    geometric = exact_average(hidden, weight, bias, p, "geometric")
    close(weight_scaling_average(hidden, weight, bias, p), geometric)
    # The geometric mean is not the arithmetic one, which is what averaging predictions means.
    assert (exact_average(hidden, weight, bias, p, "arithmetic") - geometric).abs().max() > 0.01


def test_exact_for_unequal_rates(seeded):
    hidden, weight, bias = final_layer(10, 4, seeded)
    rates = torch.linspace(0, 1, 10, dtype=torch.float64)  # both certainties included
    close(
        weight_scaling_average(hidden, weight, bias, rates),
        exact_average(hidden, weight, bias, rates, "geometric"),
    )


def test_exact_for_correlated_masks_with_the_same_marginals(seeded):
    n = 8
    hidden, weight, bias = final_layer(n, 4, seeded)
    masks = enumerate_masks(n)
    law = normal(2**n, seeded=seeded, seed=6).mul(2).softmax(dim=0)  # any law over the 2^n masks
    keep = law @ masks.double()
    centred = masks.double() - keep
    covariance = centred.T @ (law[:, None] * centred)
    assert (covariance - covariance.diagonal().diag()).abs().max() > 0.01  # far from independent
    logits = (hidden[None] * masks[:, None] / keep) @ weight.T + bias  # (2^n, N, C)
    close(average(logits, law, "geometric"), weight_scaling_average(hidden, weight, bias, 1 - keep))


def test_exact_for_classic_dropout_with_weights_times_q(seeded):
    p, n = 0.3, 8
    hidden, weight, bias = final_layer(n, 4, seeded)
    masks = enumerate_masks(n)
    logits = torch.stack(
        [
            classic_dropout(hidden, p, training=True, mask=mask.expand_as(hidden)) @ weight.T + bias
            for mask in masks
        ]
    )
    geometric = average(logits, mask_probabilities(masks, p), "geometric")
    close(weight_scaling_average(hidden, weight, bias, p, scaling="classic"), geometric)
    close((classic_dropout(hidden, p, training=False) @ weight.T + bias).softmax(dim=-1), geometric)


def two_dropped_layers(activation, seeded, *, shared=False):
    """Geometric mean over all pairs of input and hidden masks, and the weight-scaled prediction."""
    n, p0, p1 = 5, 0.2, 0.4
    x, first = normal(6, n, seeded=seeded, seed=7), normal(n, n, seeded=seeded, seed=8)
    _, weight, bias = final_layer(n, 4, seeded)
    if shared:  # the hidden layer drops the units that the input layer drops
        p1, pairs = p0, [(mask, mask) for mask in enumerate_masks(n)]
        law = mask_probabilities(enumerate_masks(n), p0)
    else:
        pairs = list(itertools.product(enumerate_masks(n), repeat=2))
        single = [mask_probabilities(enumerate_masks(n), p) for p in (p0, p1)]
        law = torch.outer(*single).flatten()
    logits = torch.stack(
        [activation((x * m0 / (1 - p0)) @ first.T) * m1 / (1 - p1) @ weight.T + bias for m0, m1 in pairs]
    )
    scaled = (activation(x @ first.T) @ weight.T + bias).softmax(dim=-1)
    return average(logits, law, "geometric"), scaled


def test_exact_for_two_dropped_layers_without_a_nonlinearity(seeded):
    geometric, scaled = two_dropped_layers(lambda z: z, seeded)
    close(geometric, scaled)


@pytest.mark.parametrize("activation", [torch.relu, torch.sigmoid, torch.tanh])
def test_not_exact_with_a_nonlinearity_between_the_masks(activation, seeded):
    geometric, scaled = two_dropped_layers(activation, seeded)
    assert (geometric - scaled).abs().max() > 0.01


def test_not_exact_when_the_masks_of_two_layers_depend_on_each_other(seeded):
    geometric, scaled = two_dropped_layers(lambda z: z, seeded, shared=True)
    assert (geometric - scaled).abs().max() > 0.01


def test_not_exact_when_the_bias_is_scaled_too(seeded):
    p, n = 0.3, 8
    hidden, weight, bias = final_layer(n, 4, seeded)
    geometric = exact_average(
        (1 - p) * hidden, weight, bias, p, "geometric"
    )  # classic masks: m h, not m h / q
    close(weight_scaling_average(hidden, weight, bias, p, scaling="classic"), geometric)
    too_much = ((1 - p) * (hidden @ weight.T + bias)).softmax(dim=-1)
    assert (too_much - geometric).abs().max() > 0.01


def test_the_geometric_mean_has_to_be_renormalised(seeded):
    hidden, weight, bias = final_layer(8, 4, seeded)
    masks = enumerate_masks(8)
    logits = (hidden[0] * masks / 0.7) @ weight.T + bias
    plain = (mask_probabilities(masks, 0.3) @ logits.log_softmax(dim=1)).exp()
    assert plain.sum() < 0.95  # the arithmetic mean of numbers exceeds their geometric mean
    close(plain / plain.sum(), exact_average(hidden[0], weight, bias, 0.3, "geometric"))


# --- Monte Carlo


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [0.3, 0.7])
def test_samples_approach_the_exact_average(p, kind, seeded):
    samples = 4000
    hidden, weight, bias = final_layer(8, 3, seeded)
    generator = seeded(9)

    def predict(h):
        return (dropout(h, p, training=True, generator=generator) @ weight.T + bias).softmax(dim=-1)

    estimate = monte_carlo_average(predict, hidden, samples, kind=kind)
    exact = exact_average(hidden, weight, bias, p, kind)
    masks = enumerate_masks(8)
    members = ((hidden[None] * masks[:, None] / (1 - p)) @ weight.T + bias).softmax(dim=-1)
    law = mask_probabilities(masks, p)[:, None, None]
    if kind == "geometric":  # compare logits up to a constant per example: sums of independent terms again
        members, estimate, exact = members.log(), estimate.log(), exact.log()
        members, estimate, exact = (a - a[..., :1] for a in (members, estimate, exact))
    variance = (law * (members - (law * members).sum(dim=0)) ** 2).sum(dim=0)
    tolerance = 5 * (variance / samples).sqrt() + 1e-12  # 5 sigma of a mean; rounding where the variance is 0
    assert ((estimate - exact).abs() <= tolerance).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_average_of_a_fixed_prediction_is_the_prediction(kind):
    probabilities = torch.tensor([[0.2, 0.8, 0.0], [0.5, 0.25, 0.25]], dtype=torch.float64)
    close(monte_carlo_average(lambda x: x, probabilities, 7, kind=kind), probabilities)


def replay(*predictions):
    """A predict function that gives these predictions one after the other."""
    remaining = iter(torch.tensor(predictions, dtype=torch.float64))
    return lambda _: next(remaining)


@pytest.mark.parametrize(
    ("kind", "expected"), [("arithmetic", [0.55, 0.45]), ("geometric", [0.6, 0.4])]
)  # geometric: sqrt(0.9 · 0.2) to sqrt(0.1 · 0.8) is 3 to 2
def test_two_samples_are_averaged_as_by_hand(kind, expected):
    mean = monte_carlo_average(replay([0.9, 0.1], [0.2, 0.8]), torch.zeros(1), 2, kind=kind)
    close(mean, torch.tensor(expected, dtype=torch.float64))


def test_sampling_needs_probabilities_and_at_least_one_sample():
    x = torch.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="need at least 1 sample, got 0"):
        monte_carlo_average(torch.softmax, x, 0)
    for prediction in ([1.0, 2.0], [1.5, -0.5], [math.nan, 0.5]):
        with pytest.raises(ValueError, match="must return probabilities; end it with a softmax; got values"):
            monte_carlo_average(replay(prediction), x, 1)


def test_a_geometric_mean_of_contradictory_certainties_is_refused():
    with pytest.raises(ValueError, match="every class has probability 0 in some sample; predict in float64"):
        monte_carlo_average(replay([1.0, 0.0], [0.0, 1.0]), torch.zeros(1), 2, kind="geometric")
