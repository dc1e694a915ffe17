"""The 8 × 8 digits that come with scikit-learn, and the one split of them used everywhere here.

The 1,797 images are the test part of the UCI set, written by 13 people. The data do not say who wrote which,
so training and test examples share their writers: a test error on digits says nothing about new writers.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from dropoutlab.data.datasets import Images, Split
from dropoutlab.data.errors import CorruptDataError, DataError

TEST_SIZE = 500
CLASSES = 10
HIGHEST_GREY = 16

# Digest of the images as bytes in reading order, followed by the labels as bytes.
SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

_FILE = "scikit-learn's digits.csv.gz"
_REMEDY = "Reinstall scikit-learn."


def load_digits() -> Images:
    """Load the bundled digits with their fixed, stratified split into 1,297 training and 500 test images.

    Returns:
        Images of 8 × 8 pixels in ten classes; both parts keep the order of the original file.

    Raises:
        DataError: the installed scikit-learn lacks the file, or holds other digits.

    Example:
        >>> digits = load_digits()
        >>> len(digits.train), len(digits.test)
        (1297, 500)

    Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository.
    """
    # Imported here because it takes a second, which the other datasets need not pay.
    from sklearn import datasets

    try:
        pixels, labels = datasets.load_digits(return_X_y=True)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(_FILE, f"cannot be read ({error})", _REMEDY) from error
    digest = hashlib.sha256(pixels.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    if digest != SHA256:
        raise CorruptDataError(_FILE, f"holds digits with sha256 {digest}, expected {SHA256}", _REMEDY)

    whole = Split(
        torch.tensor(pixels / HIGHEST_GREY, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64)
    )
    in_test = torch.from_numpy(stratified_mask(labels, TEST_SIZE))
    return Images("digits", whole.take(~in_test), whole.take(in_test), (8, 8), CLASSES)


def stratified_mask(labels: NDArray[np.integer], size: int) -> NDArray[np.bool_]:
    """Choose a stratified test set that depends on the labels alone.

    Each class contributes its share ``size * n_c / N``, rounded by largest remainder so that the shares add
    up. Within a class the examples whose position has the smallest sha256 are taken: as good as random,
    and unlike a shuffling generator the same in every version of every library.

    Args:
        labels: class of each example, shape ``(N,)``.
        size: number of test examples.

    Returns:
        Boolean mask of shape ``(N,)`` with ``size`` true elements.
    """
    counts = np.bincount(labels)
    shares = size * counts / len(labels)
    quota = np.floor(shares).astype(int)
    largest_remainders = np.argsort(quota - shares, kind="stable")[: size - quota.sum()]
    quota[largest_remainders] += 1

    mask = np.zeros(len(labels), dtype=bool)
    for label, wanted in enumerate(quota):
        positions = sorted(np.flatnonzero(labels == label).tolist(), key=_rank)
        mask[positions[:wanted]] = True
    return mask


def _rank(position: int) -> bytes:
    return hashlib.sha256(f"digits {position}".encode()).digest()
