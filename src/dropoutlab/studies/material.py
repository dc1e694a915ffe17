"""What a study trains on: the real data in the full profile, something small and bundled in a smoke run."""

import random
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from dropoutlab.data import Images, Split, Text, load
from dropoutlab.data.registry import describe
from dropoutlab.studies.protocol import STAND_IN

_WORDS = "to be or not that is the question whether tis nobler in mind suffer slings and arrows"
_STAND_IN_WORDS = 4_000


def images(name: str, profile: Mapping[str, Any]) -> Images:
    """Return an image dataset, or its stand-in if ``profile["data"]`` is ``"stand-in"``.

    The stand-in has the right shape and number of classes and can be learnt, and needs no download: digits
    are themselves; those of MNIST and Fashion-MNIST are the bundled digits, enlarged to 28 × 28.

    Args:
        name: ``"digits"``, ``"mnist"`` or ``"fashion_mnist"``.
        profile: the profile of the job.

    Returns:
        The images, as `dropoutlab.data.load` returns them. Shared by all callers: do not change it in place.

    Raises:
        ValueError: the name is no image dataset.
        DataError: the real data are missing or not what they should be.

    Example:
        >>> small = images("mnist", {"data": "stand-in"})
        >>> small.name, small.image_shape, len(small.train), len(small.test)
        ('mnist', (28, 28), 1297, 500)
    """
    if describe(name).kind == "text":
        raise ValueError(f"{name!r} is a text; use text({name!r}, profile)")
    return _enlarged_digits(name) if _stands_in(profile) and name != "digits" else _images(name)


def text(name: str, profile: Mapping[str, Any]) -> Text:
    """Return a text dataset, or its stand-in if ``profile["data"]`` is ``"stand-in"``.

    The stand-in is a fixed random sequence of a few words: its characters can be predicted, its words cannot.

    Args:
        name: ``"shakespeare"``.
        profile: the profile of the job.

    Returns:
        The text, as `dropoutlab.data.load` returns it. Shared by all callers: do not change it in place.

    Raises:
        ValueError: the name is no text dataset.
        DataError: the real data are missing or not what they should be.

    Example:
        >>> small = text("shakespeare", {"data": "stand-in"})
        >>> small.decode(small.train[:30])
        'or slings mind that whether qu'
    """
    if describe(name).kind != "text":
        raise ValueError(f"{name!r} is no text; use images({name!r}, profile)")
    return _random_words(name) if _stands_in(profile) else _text(name)


def _stands_in(profile: Mapping[str, Any]) -> bool:
    return profile.get("data") == STAND_IN


@cache
def _images(name: str) -> Images:
    loaded = load(name)
    assert isinstance(loaded, Images)
    return loaded


@cache
def _text(name: str) -> Text:
    loaded = load(name)
    assert isinstance(loaded, Text)
    return loaded


@cache
def _enlarged_digits(name: str) -> Images:
    def enlarge(split: Split) -> Split:
        # 8 × 8 becomes 24 × 24, and a frame of two dark pixels makes it 28 × 28, as in MNIST itself.
        small: Tensor = split.x.view(-1, 1, 8, 8)
        return Split(pad(interpolate(small, scale_factor=3), (2, 2, 2, 2)).flatten(1), split.y)

    digits = _images("digits")
    return Images(name, enlarge(digits.train), enlarge(digits.test), (28, 28), digits.classes)


@cache
def _random_words(name: str) -> Text:
    written = " ".join(random.Random(1).choices(_WORDS.split(), k=_STAND_IN_WORDS))
    vocabulary = tuple(sorted(set(written)))
    code = {character: index for index, character in enumerate(vocabulary)}
    codes = torch.tensor([code[character] for character in written], dtype=torch.int64)
    train, test = codes.tensor_split([len(codes) * 9 // 10])
    return Text(name, train, test, vocabulary)
