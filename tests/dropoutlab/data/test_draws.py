import math

import pytest
import torch

from dropoutlab.data import Split, draw, flip_labels


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def numbered(n):
    """A split whose labels are the row numbers."""
    return Split(torch.arange(n, dtype=torch.float32).view(n, 1), torch.arange(n))


def test_subsets_are_disjoint_and_rows_stay_together():
    parts = draw(numbered(100), 30, 20, 10, generator=seeded(3))
    assert [len(part) for part in parts] == [30, 20, 10]
    rows = torch.cat([part.y for part in parts])
    assert len(set(rows.tolist())) == 60
    assert all(torch.equal(part.x[:, 0].long(), part.y) for part in parts)


@pytest.mark.parametrize("rest", [-1, None])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_rest_is_everything_else(rest, position):
    sizes = [13, 4]
    sizes.insert(position, rest)
    parts = draw(numbered(50), *sizes, generator=seeded(4))
    lengths = [13, 4]
    lengths.insert(position, 33)
    assert [len(part) for part in parts] == lengths
    assert sorted(torch.cat([part.y for part in parts]).tolist()) == list(range(50))


def test_the_rest_may_be_empty_and_so_may_a_size():
    all_of_it, none, rest = draw(numbered(6), 6, 0, -1, generator=seeded(5))
    assert (len(all_of_it), len(none), len(rest)) == (6, 0, 0)


def test_same_generator_state_gives_nested_subsets():
    (small,) = draw(numbered(80), 10, generator=seeded(6))
    large, _ = draw(numbered(80), 40, -1, generator=seeded(6))
    assert torch.equal(large.y[:10], small.y)
    (other,) = draw(numbered(80), 10, generator=seeded(7))
    assert not torch.equal(other.y, small.y)


def test_every_example_is_equally_likely_in_every_subset():
    n, size, repeats = 10, 3, 4000
    generator = seeded(8)
    counts = torch.zeros(2, n)
    for _ in range(repeats):
        for row, part in enumerate(draw(numbered(n), size, size, generator=generator)):
            counts[row, part.y] += 1
    p = size / n
    tolerance = 5 * math.sqrt(p * (1 - p) / repeats)  # 5 sigma of a binomial proportion, for 20 of them
    assert (counts / repeats - p).abs().max() <= tolerance


def test_draws_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    draw(numbered(10), 3, generator=seeded(9))
    flip_labels(torch.arange(10), 0.3, 10, generator=seeded(9))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((), "sizes must be whole numbers from 0 up"),
        ((-2,), r"sizes must be .*got \(-2,\)"),
        ((3, -1, None), r"at most one -1 for the rest, got \(3, -1, None\)"),
        ((11,), r"at most the 10 examples there are, got \(11,\), which is 11"),
        ((6, 5, -1), r"at most the 10 examples there are, got \(6, 5, -1\), which is 11"),
    ],
)
def test_impossible_sizes_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        draw(numbered(10), *sizes, generator=seeded(1))


@pytest.mark.parametrize(
    ("fraction", "n", "flips"),
    [(0.0, 50, 0), (0.3, 300, 90), (0.07, 50, 4), (0.35, 10, 4), (0.25, 10, 2), (1.0, 33, 33), (0.4, 1, 0)],
)
def test_exactly_the_rounded_number_of_labels_change(fraction, n, flips):
    y = torch.arange(n) % 10
    noisy, flipped = flip_labels(y, fraction, 10, generator=seeded(11))
    assert flips == round(fraction * n)
    assert flipped.sum() == flips
    assert torch.equal(noisy != y, flipped)
    assert (noisy.dtype, flipped.dtype) == (torch.int64, torch.bool)
    assert torch.equal(y, torch.arange(n) % 10), "the labels handed in must stay as they were"


def test_wrong_labels_are_uniform_over_the_other_classes():
    classes, per_class = 5, 40_000
    y = torch.arange(classes).repeat(per_class)
    noisy, _ = flip_labels(y, 1.0, classes, generator=seeded(12))
    table = torch.bincount(classes * y + noisy, minlength=classes**2).view(classes, classes) / per_class
    assert torch.equal(table.diagonal(), torch.zeros(classes))
    p = 1 / (classes - 1)
    tolerance = 5 * math.sqrt(p * (1 - p) / per_class)  # 5 sigma of a binomial proportion, for 20 of them
    assert (table[~torch.eye(classes, dtype=torch.bool)] - p).abs().max() <= tolerance


def test_every_label_is_equally_likely_to_flip():
    n, repeats, fraction = 10, 4000, 0.3
    generator = seeded(13)
    counts = torch.zeros(n)
    for _ in range(repeats):
        counts += flip_labels(torch.zeros(n, dtype=torch.int64), fraction, 3, generator=generator)[1]
    tolerance = 5 * math.sqrt(fraction * (1 - fraction) / repeats)  # 5 sigma of a binomial proportion
    assert (counts / repeats - fraction).abs().max() <= tolerance


def test_a_larger_fraction_flips_the_same_labels_and_more():
    y = torch.arange(200) % 10
    some, some_mask = flip_labels(y, 0.2, 10, generator=seeded(14))
    more, more_mask = flip_labels(y, 0.6, 10, generator=seeded(14))
    assert torch.equal(some[some_mask], more[some_mask])
    assert torch.equal(some_mask & more_mask, some_mask)


def test_no_labels_no_flips():
    noisy, flipped = flip_labels(torch.zeros(0, dtype=torch.int64), 0.7, 10, generator=seeded(1))
    assert (len(noisy), len(flipped)) == (0, 0)


@pytest.mark.parametrize("fraction", [-0.1, 1.3, math.nan, math.inf])
def test_fraction_outside_the_unit_interval_is_refused(fraction):
    with pytest.raises(ValueError, match=rf"fraction of flipped labels must lie in \[0, 1\], got {fraction}"):
        flip_labels(torch.tensor([0, 1]), fraction, 2, generator=seeded(1))


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        (torch.tensor([0]), 1, "classes must be at least 2"),
        (torch.tensor([0.0]), 2, "y must be int64"),
        (torch.tensor([[0]]), 2, r"y must be int64 of shape \(N,\), got torch.int64 of shape \(1, 1\)"),
        (torch.tensor([0, 5]), 5, "labels must lie in 0 to 4, got 0 to 5"),
        (torch.tensor([-1, 2]), 5, "labels must lie in 0 to 4, got -1 to 2"),
    ],
)
def test_what_is_no_label_is_refused(y, classes, message):
    with pytest.raises(ValueError, match=message):
        flip_labels(y, 0.3, classes, generator=seeded(1))
