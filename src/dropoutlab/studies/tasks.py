"""The examples one replica of a study sees, drawn from real images with the replica's own stream."""

from collections.abc import Mapping
from typing import Any

import torch

from dropoutlab.data import Split, draw
from dropoutlab.seeds import Streams
from dropoutlab.studies.material import images


def task(
    name: str, profile: Mapping[str, Any], s: Streams, *, dtype: torch.dtype = torch.float32
) -> dict[str, Split]:
    """Draw one replica's training and validation examples; the test set is the official one.

    For one seed the validation examples do not depend on the size of the training set, and a larger
    training set contains the smaller.

    Args:
        name: image dataset, as for `dropoutlab.data.load`.
        profile: sizes ``train`` and ``validation`` (0 if missing); ``test`` takes only the first so many test
            images, for quick trials.
        s: streams of the replica; only ``s.data`` is used.
        dtype: floating-point type of the images.

    Returns:
        The splits ``train``, ``validation`` and ``test``, images flat ``(N, D)``.

    Raises:
        ValueError: there are fewer images than asked for.

    Example:
        >>> from dropoutlab.seeds import streams
        >>> parts = task("digits", {"train": 100, "validation": 50}, streams(7))
        >>> {part: len(split) for part, split in parts.items()}
        {'train': 100, 'validation': 50, 'test': 500}
    """
    data = images(name, profile)
    validation, train = draw(data.train, profile.get("validation", 0), profile["train"], generator=s.data)
    test = data.test
    if "test" in profile:
        test = Split(test.x[: profile["test"]], test.y[: profile["test"]])
    return {
        "train": train.to(dtype),
        "validation": validation.to(dtype),
        "test": test.to(dtype),
    }
