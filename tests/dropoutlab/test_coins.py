import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch._subclasses import FakeTensorMode

from dropoutlab import coins
from dropoutlab.coins import toss, toss_rows

CPU = torch.device("cpu")
# The first is dropped by further digits alone; it is where they matter most.
RATES = [1 / 512, 0.1, 0.3, 0.7]
# Byte boundaries, their neighbours among the floats, and rates that a byte cannot tell from 0 or 1.
EDGES = [
    1e-300,
    1e-4,
    1 / 256,
    1 / 3,
    math.nextafter(0.5, 0),
    0.5,
    math.nextafter(0.5, 1),
    255 / 256,
    1 - 1e-4,
]

# Two-sided bound of the chi-square tests below: each side is passed by chance once in a million draws.
RARE = 1e-6


def assert_plausible_chi_square(statistic, freedom):
    assert stats.chi2.ppf(RARE, freedom) <= statistic <= stats.chi2.isf(RARE, freedom)


def draw(count, p, generator):
    return toss(count, p, generator=generator, device=CPU)


def next_word(generator):
    return torch.empty(1, dtype=torch.int64).random_(-(2**63), None, generator=generator).item() % 2**64


# --- bit for bit: NumPy's Mersenne twister, whole numbers and fractions


def words_of_the_twister(seed, count):
    """Each word of 64 bits is two outputs of 32, the upper half first."""
    outputs = np.random.RandomState(seed).randint(0, 2**32, size=2 * count, dtype=np.uint32).tolist()
    return [upper << 32 | lower for upper, lower in zip(outputs[::2], outputs[1::2], strict=True)]


def reference(seed, p, count):
    """Return what is kept, how many coins a byte left undecided, and the word after the last one used."""
    words = words_of_the_twister(seed, 2 * count + 2)
    bytes_of_words = words[: -(-count // 8)]
    further = iter(words[len(bytes_of_words) :])
    kept, undecided = [], 0
    for i in range(count):
        byte = bytes_of_words[i // 8] >> 8 * (i % 8) & 255  # the lowest byte of a word is its first coin
        if Fraction(byte, 256) < Fraction(p) < Fraction(byte + 1, 256):
            undecided += 1
            digits = next(further) & 2**53 - 1
            kept.append(Fraction(byte * 2**53 + digits, 2**61) >= Fraction(p))
        else:
            kept.append(Fraction(byte, 256) >= Fraction(p))
    return kept, undecided, next(further)


@pytest.mark.parametrize("p", [*RATES, *EDGES])
def test_coins_are_those_of_the_reference_mersenne_twister(p, seeded):
    generator = seeded(2014)
    expected, undecided, following = reference(2014, p, 3001)
    assert draw(3001, p, generator).tolist() == expected
    assert next_word(generator) == following  # no number was drawn in vain, and none is used twice
    # About 12 of 3001 coins have the byte of p, and none needs more than that if p has no further digits.
    assert (undecided > 0) == ((256 * p) % 1 > 0)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65])
def test_any_count_uses_whole_words(count, seeded):
    generator = seeded(3)
    expected, _, following = reference(3, 0.3, count)
    kept = draw(count, 0.3, generator)
    assert (kept.dtype, kept.shape) == (torch.bool, (count,))
    assert kept.tolist() == expected
    assert next_word(generator) == following


# --- the exact law: the 2^61 outcomes of a byte and 53 further digits, in increasing order


def is_kept(outcome, p):
    """Throw one coin that shows a given outcome, a whole number from 0 to 2^61 − 1."""
    byte, digits = divmod(outcome, 2**53)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "random_", lambda words, *_bounds, **_source: words.fill_(byte))
        patch.setattr(torch.Tensor, "uniform_", lambda u, **_source: u.fill_(digits / 2**53))
        return draw(1, p, None).item()


@given(st.floats(0, 1, exclude_min=True, exclude_max=True) | st.sampled_from([*RATES, *EDGES]))
def test_the_share_of_outcomes_that_drop_is_p(p):
    # The lowest outcomes drop: the last of them and the first that is kept tell how many they are.
    dropped = math.ceil(Fraction(p) * 2**61)
    assert not is_kept(dropped - 1, p)
    assert is_kept(dropped, p)
    excess = Fraction(dropped, 2**61) - Fraction(p)
    assert 0 <= excess < Fraction(1, 2**61)
    if p >= 1 / 512:  # the last digit of such a float64 is worth a multiple of 2^-61
        assert excess == 0


@pytest.mark.parametrize("p", [1 / 512, 0.3, 0.7, 1 - 1e-4])
def test_outcomes_keep_in_the_order_of_the_digits(p):
    last_dropped = math.ceil(Fraction(p) * 2**61) - 1
    # One step of the last digit and of the byte, half a byte, and the ends: all on the right side.
    for distance in (0, 1, 2**52, 2**53, 2**54):
        assert not is_kept(max(0, last_dropped - distance), p)
        assert is_kept(min(2**61 - 1, last_dropped + 1 + distance), p)
    assert not is_kept(0, p)
    assert is_kept(2**61 - 1, p)


def test_further_digits_settle_only_the_coins_with_the_byte_of_p(monkeypatch):
    p = 0.3  # 76.8 / 256
    rest = p * 256 - 76
    further = torch.tensor([rest - 2**-53, rest, rest + 2**-53], dtype=torch.float64)
    monkeypatch.setattr(torch.Tensor, "uniform_", lambda u, **_source: u.copy_(further))
    digits = np.array([0, 75, 76, 77, 76, 255, 76], dtype=np.uint8)
    kept = digits >= 76
    coins._settle(digits, 76, p, None, kept)
    assert kept.tolist() == [False, False, False, True, True, True, True]


# --- how often: 5 sigma of a binomial proportion, sqrt(p q / n)


@pytest.mark.parametrize("p", [1e-4, 1 / 512, 1 / 256, 0.1, 0.3, 0.5, 0.7, 255 / 256, 1 - 1e-4])
def test_fraction_dropped_matches_p(p, seeded):
    n = 2_000_000
    dropped = n - draw(n, p, seeded(7)).count_nonzero().item()
    assert abs(dropped / n - p) <= 5 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("p", [1e-4, 0.3])
def test_p_is_not_rounded_to_the_digits_of_a_byte(p, seeded):
    n = 50_000_000
    tolerance = 5 * math.sqrt(p * (1 - p) / n)
    # A byte alone would be wrong by at least twice the tolerance: 77/256 for 0.3 is off by 0.0008.
    assert abs(round(256 * p) / 256 - p) >= 2 * tolerance
    dropped = n - draw(n, p, seeded(8)).count_nonzero().item()
    assert abs(dropped / n - p) <= tolerance


# --- each coin, and each pair of coins


@pytest.fixture(scope="module", params=RATES)
def many_masks(request, seeded):
    """20,000 masks from one generator; 203 coins leave five bytes of every last word unused."""
    p, generator = request.param, seeded(11)
    return p, torch.stack([draw(203, p, generator) for _ in range(20_000)]).numpy()


def test_every_position_and_every_byte_of_a_word_has_the_same_law(many_masks):
    p, masks = many_masks
    z = (masks.sum(axis=0) - len(masks) * (1 - p)) / math.sqrt(len(masks) * p * (1 - p))
    assert_plausible_chi_square((z**2).sum(), freedom=203)
    for byte in range(8):
        assert_plausible_chi_square((z[byte::8] ** 2).sum(), freedom=len(z[byte::8]))


def test_successive_masks_are_independent(many_masks):
    p, masks = many_masks
    centred = masks - (1 - p)
    before, after = centred[:-1], centred[1:]
    # Each element with itself one mask later: products are uncorrelated with variance (p q)².
    correlation = np.einsum("nd,nd->d", before, after) / (len(after) * p * (1 - p))
    assert_plausible_chi_square((len(after) * correlation**2).sum(), freedom=203)
    # The same for the last coin and the next mask's first, and for how many coins fall on either side.
    counts = centred.sum(axis=1) / math.sqrt(203 * p * (1 - p))
    seam = before[:, -1] * after[:, 0] / (p * (1 - p))
    for products in (seam, counts[:-1] * counts[1:]):
        assert abs(products.mean()) <= 5 / math.sqrt(len(after))


def count_patterns(n, p, generator):
    """Toss n words of coins and count which of their eight are dropped, as the bits of a byte."""
    dropped = ~draw(8 * n, p, generator).numpy().reshape(n, 8)
    return np.bincount(np.packbits(dropped, axis=1)[:, 0], minlength=256)


BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(float)  # (256, 8)


@pytest.mark.parametrize("p", RATES)
def test_the_coins_of_a_word_are_pairwise_independent(p, seeded):
    n = 4_000_000  # p² n = 15 for the smallest p: enough for the normal law of a count
    patterns, centred = count_patterns(n, p, seeded(9)), BITS - p
    correlation = centred.T @ (patterns[:, None] * centred) / (n * p * (1 - p))
    pairs = correlation[np.triu_indices(8, k=1)]
    # Under independence each entry has mean 0 and variance exactly 1/n, and entries are uncorrelated.
    assert_plausible_chi_square((n * pairs**2).sum(), freedom=28)


@pytest.mark.parametrize("p", [0.3, 0.5, 0.7])
def test_all_patterns_of_a_word_have_product_probabilities(p, seeded):
    n = 2_000_000
    observed, ones = count_patterns(n, p, seeded(10)), BITS.sum(axis=1)
    expected = n * p**ones * (1 - p) ** (8 - ones)
    assert expected.min() >= 5  # where the chi-square law of the statistic holds
    assert_plausible_chi_square(((observed - expected) ** 2 / expected).sum(), freedom=255)


@given(
    rates=st.tuples(*[st.floats(0, 1, exclude_min=True, exclude_max=True)] * 2),
    near=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_higher_p_drops_the_same_coins_and_more(rates, near, seed, seeded):
    low, high = sorted(rates)
    if near:  # both rates within one byte: the further digits are compared too
        high = (math.floor(256 * low) + high) / 256
        low, high = sorted((low, high))
    kept, kept_of_more = (draw(2000, p, seeded(seed)) for p in (low, high))
    assert (kept | ~kept_of_more).all()


# --- rows


def assert_rows_are_single_tosses(count, rates, seeds, seeded):
    together, alone = [seeded(seed) for seed in seeds], [seeded(seed) for seed in seeds]
    rows = toss_rows(count, rates, together)
    assert (rows.dtype, rows.shape) == (torch.bool, (len(rates), count))
    for row, p, mine, other in zip(rows, rates, together, alone, strict=True):
        assert torch.equal(row, draw(count, p, other))
        assert torch.equal(mine.get_state(), other.get_state())


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000, 10_001])
@pytest.mark.parametrize(
    "rates",
    [[0.3], [0.3, 0.3, 0.3], [0.3, 0.7, 1e-4], [1 / 256, 0.5, 1 - 1e-4, 1 / 512, 0.5, 1e-300]],
)
def test_a_row_is_what_it_would_be_alone(count, rates, seeded):
    assert_rows_are_single_tosses(count, rates, range(20, 20 + len(rates)), seeded)


def test_equal_generators_give_equal_rows(seeded):
    first, second, more = toss_rows(500, [0.3, 0.3, 0.4], [seeded(1) for _ in range(3)])
    assert torch.equal(first, second)
    assert (first | ~more).all()
    assert not torch.equal(first, more)


def test_a_row_without_a_generator_draws_from_the_default_one(seeded):
    with torch.random.fork_rng():
        torch.manual_seed(6)
        named, unnamed = toss_rows(1000, [0.3, 0.6], [seeded(5), None])
        state = torch.get_rng_state()
        torch.manual_seed(6)
        assert torch.equal(unnamed, draw(1000, 0.6, None))
        assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(named, draw(1000, 0.3, seeded(5)))


def test_rows_that_share_a_generator_are_independent(seeded):
    n, p, generator = 1_000_000, 0.3, seeded(12)
    a, b = toss_rows(n, [p, p], [generator, generator]).double() - (1 - p)
    assert abs((a * b).mean().item()) <= 5 * p * (1 - p) / math.sqrt(
        n
    )  # 5 sigma: the products are independent


@pytest.mark.parametrize(("rates", "generators"), [([0.3, 0.3], 1), ([0.3], 2)])
def test_rates_and_generators_come_in_pairs(rates, generators, seeded):
    with pytest.raises(ValueError, match="zip"):
        toss_rows(5, rates, [seeded(k) for k in range(generators)])


def test_rows_on_another_device_are_tossed_there_one_by_one(monkeypatch):
    elsewhere, calls = SimpleNamespace(type="cuda"), []

    def toss_elsewhere(count, p, *, generator, device):
        calls.append((count, p, generator, device))
        return torch.arange(count) < 10 * p

    monkeypatch.setattr(coins, "toss", toss_elsewhere)
    rows = toss_rows(8, [0.2, 0.5], ["a", "b"], device=elsewhere)
    assert rows.sum(dim=1).tolist() == [2, 5]
    assert calls == [(8, 0.2, "a", elsewhere), (8, 0.5, "b", elsewhere)]


# --- where NumPy cannot look at the bytes


def test_coins_of_another_device_live_there():
    meta = torch.device("meta")
    assert toss(5, 0.3, generator=None, device=meta).device == meta
    assert toss_rows(5, [0.3, 0.4], [None, None], device=meta).device == meta
    with meta:
        assert toss(5, 0.3, generator=None, device=None).device == meta
        assert toss(5, 0.3, generator=None, device=CPU).device == CPU


@pytest.mark.parametrize("p", [1e-4, 0.3, 0.7])
def test_other_devices_follow_the_same_law_and_their_generator(p, seeded):
    n = 2_000_000
    kept = coins._bernoulli(n, p, seeded(1), CPU)
    assert abs(kept.double().mean().item() - (1 - p)) <= 5 * math.sqrt(p * (1 - p) / n)
    assert torch.equal(kept, coins._bernoulli(n, p, seeded(1), CPU))
    assert not torch.equal(kept, coins._bernoulli(n, p, seeded(2), CPU))


def test_fake_tensors_get_a_fake_mask():
    with FakeTensorMode():
        kept = toss(13, 0.3, generator=None, device=None)
    assert (kept.shape, kept.dtype) == ((13,), torch.bool)


def test_vmap_draws_as_it_is_told(seeded):
    n = 1_000_000

    def masked(x):
        return x * draw(n // 4, 0.3, generator)

    generator = seeded(1)
    different = torch.vmap(masked, randomness="different")(torch.ones(4, 1)).double()
    assert not torch.equal(different[0], different[1])
    assert abs(different.mean().item() - 0.7) <= 5 * math.sqrt(0.3 * 0.7 / n)
    generator = seeded(1)
    same = torch.vmap(masked, randomness="same")(torch.ones(4, 1))
    assert (same == draw(n // 4, 0.3, seeded(1))).all()
    with pytest.raises(RuntimeError, match="randomness error mode"):
        torch.vmap(masked, randomness="error")(torch.ones(4, 1))
