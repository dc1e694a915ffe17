"""The exact average as it is computed: by matrix products where they are safe, in blocks, with progress."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from dropoutlab import exact
from dropoutlab.ensemble import MOST_UNITS, exact_average

KINDS = ["arithmetic", "geometric"]
UNIT = 2.0**-53  # relative error of one rounding in float64
RATES = [0.0, 0.3, 1.0, 0.9, 0.55, 0.1, 0.3, 0.75, 0.2]


def brute_force(hidden, weight, bias, rates, kind):
    """Average one softmax after the other in extended precision: no code in common with the library."""
    h, W, b = (np.asarray(a, dtype=np.longdouble) for a in (hidden, weight, bias))
    p = np.asarray(rates, dtype=np.longdouble)
    total = np.zeros((*h.shape[:-1], len(b)), dtype=np.longdouble)
    for kept in itertools.product([False, True], repeat=len(p)):
        keep = np.array(kept, dtype=bool)
        probability = np.prod(np.where(keep, 1 - p, p))
        if probability == 0:
            continue
        logits = (h[..., keep] / (1 - p[keep])) @ W[:, keep].T + b
        logits -= logits.max(axis=-1, keepdims=True)
        log_softmax = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        total += probability * (np.exp(log_softmax) if kind == "arithmetic" else log_softmax)
    return total


def probabilities(total, kind):
    if kind == "geometric":
        total = np.exp(total - total.max(axis=-1, keepdims=True))
        total /= total.sum(axis=-1, keepdims=True)
    return total


def rounding(hidden, weight, bias, rates):
    """Bound the absolute error of an average in float64.

    A logit is a sum of n + 1 rounded products that are at most Z together, and moving its maximum to 0 rounds
    twice more: it is off by (n + 4) Z units, and a softmax by no more than twice that. The exponentials,
    their sum over C classes and the quotient add C + 6 units, the probability of a mask 2n, and the sum over
    all masks at most 2ⁿ.
    """
    n, classes = len(rates), len(bias)
    factors = np.array([0 if p == 1 else 1 / (1 - p) for p in rates])
    Z = (np.abs(hidden * factors) @ np.abs(weight).T + np.abs(bias)).max(initial=0)
    return UNIT * (2 * (n + 4) * Z + classes + 6 + 2 * n + 2**n)


def agree(result, expected, tolerance):
    assert result.dtype == torch.float64
    assert result.shape == expected.shape
    assert np.abs(result.numpy() - expected).max(initial=0) <= tolerance


def layer(n, classes, generator, batch=(), scale=1.0):
    hidden = torch.randn(*batch, n, generator=generator, dtype=torch.float64)
    weight = torch.randn(classes, n, generator=generator, dtype=torch.float64) * scale
    return hidden, weight, torch.randn(classes, generator=generator, dtype=torch.float64)


def check(hidden, weight, bias, rates, kind):
    expected = probabilities(brute_force(hidden, weight, bias, rates, kind), kind)
    result = exact_average(hidden, weight, bias, torch.tensor(rates, dtype=torch.float64), kind)
    agree(result, expected, rounding(hidden.numpy(), weight.numpy(), bias.numpy(), rates))


@pytest.fixture
def one_by_one(monkeypatch):
    """Count the calls of the slow and safe way."""
    calls, original = [], exact._one_by_one

    def counted(*args):
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(exact, "_one_by_one", counted)
    return calls


# --- against brute force


certain = st.sampled_from([0.0, 1.0])
rate = st.one_of(certain, st.floats(0.01, 0.99), st.sampled_from([1e-300, 1e-17, 0.5]))


@given(
    rates=st.lists(rate, max_size=8),
    classes=st.integers(1, 5),
    batch=st.sampled_from([(), (0,), (1,), (2,), (3,), (7,)]),
    kind=st.sampled_from(KINDS),
    scale=st.sampled_from([0.0, 1.0, 30.0, 3000.0]),
    seed=st.integers(0, 2**31),
)
def test_any_layer_is_averaged_to_rounding(rates, classes, batch, kind, scale, seed):
    check(*layer(len(rates), classes, torch.Generator().manual_seed(seed), batch, scale), rates, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [(), (3,), (8,)])
@pytest.mark.parametrize(
    "sizes",
    [
        {"_BLOCK": 0},  # a network of an input at a time
        {"_BLOCK": 3},
        {"_BLOCK": 6, "_ROW": 1},
        {"_TABLE": 0},  # tables of a single row
        {"_TABLE": 4},
        {"_TABLE": 4, "_BLOCK": 5},
        {"_ROW": 0},
        {"_PRODUCT": 0},  # four products
        {"_PRODUCT": 0, "_PRODUCTS": 16, "_BLOCK": 4},
        {"_PRODUCT": 0, "_PRODUCTS": 2**10},
    ],
    ids=str,
)
def test_sizes_do_not_matter(sizes, batch, kind, seeded, monkeypatch):
    for name, exponent in sizes.items():
        monkeypatch.setattr(exact, name, exponent)
    check(*layer(9, 3, seeded(1), batch), RATES, kind)


def test_the_logarithms_are_averaged_and_not_only_the_logits(seeded):
    # Renormalising hides an error in the denominators. Before it, the sum is the mean log-softmax itself.
    n, p = 7, 0.3
    hidden, weight, bias = layer(n, 3, seeded(2), (2,))
    terms = torch.einsum("ri,ci->irc", hidden / (1 - p), weight)
    rates = torch.full((n,), p, dtype=torch.float64)
    total = exact._sum_over_networks(bias.expand(2, 3), terms, rates, "geometric", lambda _networks: None)
    expected = brute_force(hidden, weight, bias, [p] * n, "geometric")
    # In units of the largest log-softmax, which is not below 1 here; a probability is never above it.
    size = np.abs(expected).max()
    assert size > 1
    agree(total, expected, size * rounding(hidden.numpy(), weight.numpy(), bias.numpy(), [p] * n))


@pytest.mark.parametrize("kind", KINDS)
def test_masks_whose_probability_underflows_do_not_matter(kind, seeded):
    hidden, weight, bias = layer(6, 3, seeded(3))
    result = exact_average(hidden, weight, bias, 1e-200, kind)  # two units dropped: 1e-400
    agree(result, (hidden @ weight.T + bias).softmax(dim=0).numpy(), 1e-14)  # some 90 roundings


# --- logits that differ by hundreds


def opposed(spread):
    """Two units that each speak against another class: with both kept, S is 2 exp(-spread)."""
    return torch.tensor([1.0, 1.0]) / 2, torch.tensor([[-spread, 0.0], [0.0, -spread]]), torch.zeros(2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("spread", "slow"), [(300, 0), (599, 0), (601, 1), (800, 1), (1e5, 1)])
def test_networks_are_visited_one_by_one_where_products_could_underflow(
    spread, slow, kind, one_by_one, seeded
):
    hidden, weight, bias = opposed(spread)
    p = [0.5, 0.5]  # kept units are doubled, to -spread
    check(hidden.double(), weight.double(), bias.double(), p, kind)
    assert len(one_by_one) == slow


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [(), (3,)])
def test_each_block_is_summed_in_the_way_that_is_safe(batch, kind, one_by_one, seeded, monkeypatch):
    monkeypatch.setattr(exact, "_TABLE", 5)  # a table of 3 units, and 5 units that go in 4 blocks of 3
    _, weight, bias = layer(8, 3, seeded(4))
    hidden = torch.linspace(1, 2, 8, dtype=torch.float64).expand(*batch, 8)
    weight[0, 0] = weight[1, 7] = -700.0  # a unit of the first half, and one that only two blocks keep
    check(hidden, weight, bias, [0.3] * 8, kind)
    assert len(one_by_one) == 2 * math.prod(batch)  # one input at a time: the tables have no room for two


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wide", [0, 1])
def test_one_wide_half_is_safe_for_products(wide, kind, one_by_one):
    hidden = torch.ones(2, dtype=torch.float64)
    weight = torch.tensor([[0.5, -0.25], [0.0, 1.0]], dtype=torch.float64)
    weight[0, wide] = -3000.0  # exp of it underflows
    check(hidden, weight, torch.zeros(2, dtype=torch.float64), [0.3, 0.3], kind)
    assert not one_by_one


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_agree(kind, one_by_one, seeded, monkeypatch):
    arguments = layer(10, 4, seeded(5), (3,))
    fast = exact_average(*arguments, 0.3, kind)
    assert not one_by_one
    monkeypatch.setattr(exact, "_MOST_SPREAD", -1.0)
    slow = exact_average(*arguments, 0.3, kind)
    assert one_by_one
    tolerance = 2 * rounding(*(a.numpy() for a in arguments), [0.3] * 10)
    torch.testing.assert_close(fast, slow, rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_an_impossible_class_stays_impossible(kind, seeded):
    hidden, weight, bias = layer(5, 3, seeded(6))
    bias[1] = -math.inf
    result = exact_average(hidden, weight, bias, 0.3, kind)
    assert result[1] == 0
    others = exact_average(hidden, weight[::2], bias[::2], 0.3, kind)
    torch.testing.assert_close(result[::2], others, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_undefined_inputs_give_undefined_averages(kind, seeded):
    hidden, weight, bias = layer(5, 3, seeded(7), (2,))
    hidden[0, 2] = math.nan
    result = exact_average(hidden, weight, bias, 0.3, kind)
    assert result[0].isnan().all()
    torch.testing.assert_close(result[1], exact_average(hidden[1], weight, bias, 0.3, kind))


# --- edges


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_without_units_predicts_from_its_bias(kind):
    bias = torch.tensor([0.0, 1.0, -1.0])
    expected = bias.double().softmax(dim=0)
    single = exact_average(torch.zeros(0), torch.zeros(3, 0), bias, 0.3, kind)
    torch.testing.assert_close(single, expected)
    batch = exact_average(torch.zeros(2, 0), torch.zeros(3, 0), bias, 0.3, kind)
    torch.testing.assert_close(batch, expected.expand(2, 3))


def test_a_layer_without_classes_predicts_nothing():
    assert exact_average(torch.zeros(2, 3), torch.zeros(0, 3), None, 0.3).shape == (2, 0)


def test_parameters_are_read_and_not_touched():
    linear = torch.nn.Linear(5, 3)  # float32, and asks for gradients
    before = {name: value.clone() for name, value in linear.state_dict().items()}
    hidden = torch.linspace(0, 1, 5)
    result = exact_average(hidden, linear.weight, linear.bias, 0.3)
    assert result.dtype == torch.float64
    assert not result.requires_grad
    assert hidden.equal(torch.linspace(0, 1, 5))
    assert all(value.equal(before[name]) for name, value in linear.state_dict().items())


def test_one_unit_too_many_is_refused_before_any_work():
    n = MOST_UNITS + 1
    reports = []
    with pytest.raises(ValueError, match=r"n up to 30 units .* got 31; sample .* monte_carlo_average"):
        exact_average(torch.ones(n), torch.ones(2, n), None, 0.5, on_progress=lambda *r: reports.append(r))
    assert not reports


# --- progress and memory


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1.0, 5000.0])
@pytest.mark.parametrize("batch", [(), (5,)])
def test_progress_climbs_to_the_number_of_networks(batch, scale, kind, seeded, monkeypatch):
    monkeypatch.setattr(exact, "_BLOCK", 6)
    monkeypatch.setattr(exact, "_TABLE", 5)
    reports = []
    arguments = layer(9, 3, seeded(8), batch, scale)
    reported = exact_average(*arguments, 0.3, kind, on_progress=lambda *r: reports.append(r))
    done, totals = zip(*reports, strict=True)
    networks = math.prod(batch) * 2**9
    assert set(totals) == {networks}
    assert len(done) >= networks / 2**6
    assert all(a < b for a, b in itertools.pairwise((0, *done)))
    assert done[-1] == networks
    assert reported.equal(exact_average(*arguments, 0.3, kind))


def test_units_that_are_no_choice_are_not_counted(seeded):
    reports = []
    arguments = layer(4, 2, seeded(9))
    exact_average(*arguments, [0.0, 0.3, 1.0, 0.3], on_progress=lambda *r: reports.append(r))
    assert reports[-1] == (4, 4)


def test_an_error_from_the_listener_stops_the_sum(seeded):
    def enough(done, total):
        raise TimeoutError(f"{done} of {total}")

    with pytest.raises(TimeoutError, match=r"of 1073741824$"):  # 2^30 networks would take a while
        exact_average(*layer(30, 2, seeded(10)), 0.3, on_progress=enough)


class LargestTensor(TorchDispatchMode):
    """Note the number of elements of the largest tensor that any operation returns."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.elements = max(self.elements, result.untyped_storage().nbytes() // 8)
        return result


@pytest.mark.parametrize(
    ("n", "classes", "batch"), [(20, 10, ()), (12, 10, (200,)), (10, 1000, ()), (1, 1000, (400,))]
)
def test_nothing_is_larger_than_a_block(n, classes, batch, seeded):
    arguments = layer(n, classes, seeded(11), batch)
    largest = max(2**exact._BLOCK, max(1, n) * math.prod(batch) * classes)  # the terms of the logits
    with LargestTensor() as seen:
        exact_average(*arguments, 0.3)
    assert 1000 < seen.elements <= largest  # it did see something
