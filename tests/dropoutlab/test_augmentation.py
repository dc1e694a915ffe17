import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from dropoutlab.augmentation import random_flip, random_shift

SHAPE = (4, 6)  # not square, so that swapped axes show


def shifted(image, down, right):
    """Move by rolling, then blank what came in from the other side."""
    moved = np.roll(image, (down, right), axis=(0, 1))
    height, width = image.shape
    rows = np.arange(height)[:, None] - down
    columns = np.arange(width)[None, :] - right
    return np.where((rows >= 0) & (rows < height) & (columns >= 0) & (columns < width), moved, 0)


def shifts_of(x, moved, pixels):
    """Find each image's shift; no two shifts of an image without a zero or a repeated value look alike."""
    steps = list(itertools.product(range(-pixels, pixels + 1), repeat=2))
    found = []
    for image, result in zip(x.numpy().reshape(-1, *SHAPE), moved.numpy().reshape(-1, *SHAPE), strict=True):
        matches = [step for step in steps if np.array_equal(shifted(image, *step), result)]
        assert len(matches) == 1
        found += matches
    return found


@pytest.mark.parametrize("pixels", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_result_is_a_shift_of_its_own_image_with_a_blank_border(pixels, dtype, seeded):
    x = torch.rand(50, math.prod(SHAPE), generator=seeded(1), dtype=dtype) + 0.5
    moved = random_shift(x, SHAPE, pixels=pixels, generator=seeded(2))
    assert (moved.shape, moved.dtype) == (x.shape, dtype)
    shifts_of(x, moved, pixels)


@pytest.mark.parametrize("pixels", [1, 2])
def test_all_shifts_are_equally_likely(pixels, seeded):
    n = 3000
    x = torch.arange(1.0, math.prod(SHAPE) + 1).expand(n, -1)
    found = shifts_of(x, random_shift(x, SHAPE, pixels=pixels, generator=seeded(3)), pixels)
    kinds = (2 * pixels + 1) ** 2
    counts = np.array([found.count(step) for step in set(found)])
    assert len(counts) == kinds
    statistic = ((counts - n / kinds) ** 2 / (n / kinds)).sum()
    # Either side is passed by chance once in a million draws; too even would be as suspicious as uneven.
    assert stats.chi2.ppf(1e-6, kinds - 1) <= statistic <= stats.chi2.isf(1e-6, kinds - 1)


def test_neighbouring_images_move_independently(seeded):
    n = 3000
    x = torch.arange(1.0, math.prod(SHAPE) + 1).expand(n, -1)
    found = np.array(shifts_of(x, random_shift(x, SHAPE, pixels=1, generator=seeded(4)), 1), dtype=float)
    for axis in (0, 1):
        correlation = np.corrcoef(found[:-1, axis], found[1:, axis])[0, 1]
        assert abs(correlation) <= 5 / math.sqrt(n)  # SD of a correlation of independent numbers: 1/√n


def test_generators_in_the_same_state_give_the_same_shifts(seeded):
    x = torch.rand(20, 24, generator=seeded(1))
    generator = seeded(5)
    first, second = (random_shift(x, SHAPE, pixels=1, generator=generator) for _ in range(2))
    assert torch.equal(first, random_shift(x, SHAPE, pixels=1, generator=seeded(5)))
    assert not torch.equal(first, second)


def test_no_pixels_return_the_images_themselves_and_draw_nothing(seeded):
    x, generator = torch.rand(3, 24, generator=seeded(1)), seeded(2)
    before = generator.get_state()
    assert random_shift(x, SHAPE, pixels=0, generator=generator) is x
    assert torch.equal(generator.get_state(), before)


def test_the_original_and_the_global_generator_stay_as_they_were(seeded):
    x = torch.rand(30, 24, generator=seeded(1))
    copy, state = x.clone(), torch.get_rng_state()
    random_shift(x, SHAPE, pixels=2, generator=seeded(2)).zero_()
    assert torch.equal(x, copy)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_empty_batch_stays_empty(seeded):
    assert random_shift(torch.empty(0, 24), SHAPE, pixels=1, generator=seeded(1)).shape == (0, 24)


@pytest.mark.parametrize("pixels", [-1, 4, 6, math.nan])
def test_shifts_as_large_as_the_shorter_side_are_refused(pixels, seeded):
    with pytest.raises(ValueError, match=rf"4x6 images must lie in \[0, 3\] pixels, got {pixels}"):
        random_shift(torch.zeros(1, 24), SHAPE, pixels=pixels, generator=seeded(1))


@pytest.mark.parametrize("shape", [(24,), (1, 25), (2, 4, 6)])
def test_anything_but_flattened_images_of_this_shape_is_refused(shape, seeded):
    with pytest.raises(ValueError, match=r"flattened to \(N, 24\), got"):
        random_shift(torch.zeros(shape), SHAPE, pixels=1, generator=seeded(1))


# --- mirror images


def test_every_result_is_the_image_or_its_mirror_image(seeded):
    x = torch.rand(60, math.prod(SHAPE), generator=seeded(1), dtype=torch.float64)
    flipped = random_flip(x, SHAPE, generator=seeded(2))
    assert (flipped.shape, flipped.dtype) == (x.shape, x.dtype)
    mirrored = torch.from_numpy(x.numpy().reshape(-1, *SHAPE)[:, :, ::-1].copy()).flatten(1)
    same, turned = (flipped == x).all(1), (flipped == mirrored).all(1)
    assert torch.equal(same, ~turned)  # a random image is not symmetric
    assert same.any()
    assert turned.any()


def test_half_of_the_images_are_mirrored_each_by_its_own_coin(seeded):
    n = 20_000
    x = torch.tensor([[0.0, 1.0]]).expand(n, -1)
    coins = random_flip(x, (1, 2), generator=seeded(1))[:, 0]
    tolerance = 5 * math.sqrt(0.25 / n)  # 5 sigma of a binomial proportion
    assert abs(coins.mean().item() - 0.5) <= tolerance
    correlation = np.corrcoef(coins[:-1], coins[1:])[0, 1]
    assert abs(correlation) <= 5 / math.sqrt(n)  # SD of a correlation of independent numbers: 1/√n


def test_flips_depend_on_their_generator_alone_and_leave_the_original_alone(seeded):
    x = torch.rand(30, 24, generator=seeded(1))
    copy, state = x.clone(), torch.get_rng_state()
    generator = seeded(5)
    first, second = (random_flip(x, SHAPE, generator=generator) for _ in range(2))
    assert torch.equal(first, random_flip(x, SHAPE, generator=seeded(5)))
    assert not torch.equal(first, second)
    first.zero_()
    assert torch.equal(x, copy)
    assert torch.equal(torch.get_rng_state(), state)


def test_flipping_an_empty_batch_leaves_it_empty(seeded):
    assert random_flip(torch.empty(0, 24), SHAPE, generator=seeded(1)).shape == (0, 24)


@pytest.mark.parametrize("shape", [(24,), (1, 25), (2, 4, 6)])
def test_only_flattened_images_of_this_shape_are_flipped(shape, seeded):
    with pytest.raises(ValueError, match=r"flattened to \(N, 24\), got"):
        random_flip(torch.zeros(shape), SHAPE, generator=seeded(1))
