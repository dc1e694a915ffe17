import hashlib

import numpy as np
import pytest
import sklearn.datasets
import torch

from dropoutlab.data import CorruptDataError, DataError, load
from dropoutlab.data.digits import stratified_mask


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def original():
    return sklearn.datasets.load_digits(return_X_y=True)


def test_shapes_and_range(digits):
    assert (digits.name, digits.image_shape, digits.classes) == ("digits", (8, 8), 10)
    for split, length in ((digits.train, 1297), (digits.test, 500)):
        assert split.x.shape == (length, 64)
        assert split.x.dtype == torch.float32
        assert split.y.dtype == torch.int64
        assert (split.x.min(), split.x.max()) == (0, 1)


def test_pool_is_the_whole_set(digits, original):
    pixels, labels = original
    pool = digits.pool()
    assert len(pool) == 1797
    ours = sorted(
        (*image, label) for image, label in zip((pool.x * 16).tolist(), pool.y.tolist(), strict=True)
    )
    assert ours == sorted(
        (*image, label) for image, label in zip(pixels.tolist(), labels.tolist(), strict=True)
    )


def test_pixels_are_sixteenths_of_the_original_in_its_order(digits, original):
    pixels, labels = original
    in_test = stratified_mask(labels, 500)
    assert np.array_equal(digits.test.x.numpy() * 16, pixels[in_test])
    assert np.array_equal(digits.train.x.numpy() * 16, pixels[~in_test])
    assert np.array_equal(digits.test.y.numpy(), labels[in_test])


def test_split_is_stratified_to_within_one_example(digits):
    total = torch.bincount(digits.pool().y)
    share = total * 500 / 1797
    assert (torch.bincount(digits.test.y) - share).abs().max() < 1
    assert torch.bincount(digits.test.y).tolist() == [50, 51, 49, 51, 50, 51, 50, 50, 48, 50]


def test_split_never_changes(original):
    """Results of studies are stored, so a different test set would contradict them silently."""
    positions = np.flatnonzero(stratified_mask(original[1], 500))
    digest = hashlib.sha256(" ".join(map(str, positions)).encode()).hexdigest()
    assert digest == "bc9bcc8b897ea2b8f84670740433065510064377b83b461bd862339c1773fb11"


def test_split_does_not_touch_random_state():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - the state must not move
    load("digits")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002 - as above


@pytest.mark.parametrize("size", [0, 1, 7, 29, 30])
def test_mask_has_exactly_the_size_asked_for(size):
    labels = np.repeat([0, 1, 2], [17, 4, 9])
    mask = stratified_mask(labels, size)
    assert mask.sum() == size
    shares = size * np.array([17, 4, 9]) / 30
    assert np.all(np.abs(np.bincount(labels[mask], minlength=3) - shares) < 1)


def test_other_digits_than_the_known_ones_are_refused(monkeypatch, original):
    pixels, labels = original

    def others(**kwargs):
        return pixels, labels[::-1].copy()

    monkeypatch.setattr(sklearn.datasets, "load_digits", others)
    with pytest.raises(
        CorruptDataError, match=r"digits\.csv\.gz: holds digits with sha256 .*Reinstall scikit-learn"
    ):
        load("digits")


def test_scikit_learn_without_its_file(monkeypatch):
    def fail(**kwargs):
        raise FileNotFoundError("digits.csv.gz")

    monkeypatch.setattr(sklearn.datasets, "load_digits", fail)
    with pytest.raises(DataError, match=r"cannot be read \(digits\.csv\.gz\)\. Reinstall scikit-learn"):
        load("digits")
