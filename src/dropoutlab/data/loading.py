"""Loading a dataset by name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch

from dropoutlab.data.datasets import Images, Split, Text
from dropoutlab.data.digits import load_digits
from dropoutlab.data.idx import read_idx
from dropoutlab.data.lookup import LocalFile, fetch
from dropoutlab.data.registry import Dataset, describe

HIGHEST_BYTE = 255
CLASSES = 10


@overload
def load(name: Literal["digits", "mnist", "fashion_mnist"], cache: str | Path | None = None) -> Images: ...
@overload
def load(name: Literal["shakespeare"], cache: str | Path | None = None) -> Text: ...
@overload
def load(name: str, cache: str | Path | None = None) -> Images | Text: ...
def load(name: str, cache: str | Path | None = None) -> Images | Text:
    """Load a dataset by name, from this machine if it is there and over https if not.

    ``"digits"`` comes with scikit-learn and needs nothing else. The files of the others are looked for in
    ``$DROPOUTLAB_DATA``, then in the cache, then on their mirrors (see :func:`dropoutlab.data.fetch`), and
    their sha256 is checked every time.

    Args:
        name: ``"digits"`` (1,297 + 500 images of 8 × 8), ``"mnist"`` or ``"fashion_mnist"`` (60,000 + 10,000
            of 28 × 28), or ``"shakespeare"`` (1,115,394 characters, the first 90 % for training).
        cache: folder for downloads; by default the user's cache folder for this package.

    Returns:
        The images, pixels scaled to ``[0, 1]``, one row per image; or the text, one code per character.

    Raises:
        ValueError: no dataset has this name.
        DataError: a file is missing everywhere, unreadable, not what it should be, or cannot be stored.

    Example:
        >>> digits = load("digits")
        >>> digits.train.x.shape, digits.test.x.shape, digits.image_shape
        (torch.Size([1297, 64]), torch.Size([500, 64]), (8, 8))
    """
    dataset = describe(name)
    if dataset.kind == "bundled":
        return load_digits()
    copies = fetch(name, cache)
    return _images(dataset, copies) if dataset.kind == "images" else _text(dataset, copies)


def _images(dataset: Dataset, copies: tuple[LocalFile, ...]) -> Images:
    arrays = [
        read_idx(copy.contents, file.shape, name=str(copy.path))
        for file, copy in zip(dataset.files, copies, strict=True)
    ]
    train, test = (
        Split(
            torch.from_numpy(pixels.reshape(len(pixels), -1).astype(np.float32)).div_(HIGHEST_BYTE),
            torch.from_numpy(labels.astype(np.int64)),
        )
        for pixels, labels in (arrays[:2], arrays[2:])
    )
    _, height, width = dataset.files[0].shape
    return Images(dataset.name, train, test, (height, width), CLASSES)


def _text(dataset: Dataset, copies: tuple[LocalFile, ...]) -> Text:
    text = copies[0].contents.decode("utf-8")
    points, codes = np.unique(np.frombuffer(text.encode("utf-32-le"), dtype="<u4"), return_inverse=True)
    train_length = len(text) * 9 // 10
    train, test = torch.from_numpy(codes.astype(np.int64)).tensor_split([train_length])
    return Text(dataset.name, train, test, tuple(chr(point) for point in points))
