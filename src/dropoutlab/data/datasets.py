"""What :func:`dropoutlab.data.load` returns: splits of images with labels, and a text coded as integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """Examples and their labels, row by row.

    Args:
        x: examples, floating point, shape ``(N, D)``; as loaded, float32 in ``[0, 1]``.
        y: labels, int64, shape ``(N,)``.

    Raises:
        ValueError: the shapes or dtypes are not these, or the lengths differ.

    Example:
        >>> split = Split(torch.tensor([[0.0], [0.5], [1.0]]), torch.tensor([4, 7, 9]))
        >>> len(split), split.take([2, 0]).y
        (3, tensor([9, 4]))
    """

    x: Tensor
    y: Tensor

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or not self.x.is_floating_point():
            raise ValueError(
                f"x must be floating point of shape (N, D), got {self.x.dtype} of shape {tuple(self.x.shape)}"
            )
        if self.y.ndim != 1 or self.y.dtype != torch.int64:
            raise ValueError(
                f"y must be int64 of shape (N,), got {self.y.dtype} of shape {tuple(self.y.shape)}"
            )
        if len(self.x) != len(self.y):
            raise ValueError(f"x and y must have one row per example, got {len(self.x)} and {len(self.y)}")

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: Tensor | Sequence[int]) -> Split:
        """Select rows, as a copy.

        Args:
            indices: row numbers in the order wanted, shape ``(M,)``, or a boolean mask of shape ``(N,)``.

        Returns:
            The selected examples and labels.

        Raises:
            IndexError: an index lies outside the split, or is no integer.
        """
        index = torch.as_tensor(indices, device=self.y.device)
        if index.numel() == 0:
            index = index.to(torch.int64)  # an empty list arrives as floating point
        return Split(self.x[index], self.y[index])

    def to(self, target: torch.dtype | torch.device | str) -> Split:
        """Convert the examples to a dtype, or move examples and labels to a device.

        Args:
            target: a floating-point dtype for ``x`` (``y`` stays int64), or a device such as ``"cuda"``.

        Returns:
            The converted split; what needs no conversion is shared, not copied.

        Raises:
            ValueError: the dtype is not floating point.

        Example:
            >>> Split(torch.zeros(2, 3), torch.tensor([0, 1])).to(torch.float64).x.dtype
            torch.float64
        """
        if isinstance(target, torch.dtype):
            return Split(self.x.to(target), self.y)
        return Split(self.x.to(target), self.y.to(target))


@dataclass(frozen=True, eq=False)
class Images:
    """A labelled image dataset with its published (or, for digits, fixed) test set.

    Args:
        name: name of the dataset.
        train: training examples, ``x`` of shape ``(N, H * W)``.
        test: test examples, ``x`` of shape ``(M, H * W)``.
        image_shape: ``(H, W)`` in pixels; ``x.view(-1, H, W)`` gives the images back.
        classes: number of classes; labels are 0 to ``classes - 1``.
    """

    name: str
    train: Split
    test: Split
    image_shape: tuple[int, int]
    classes: int

    def pool(self) -> Split:
        """Join the training and the test examples, in this order, for a study that draws its own test sets.

        Returns:
            Split of length ``N + M``.
        """
        return Split(torch.cat([self.train.x, self.test.x]), torch.cat([self.train.y, self.test.y]))


@dataclass(frozen=True, eq=False)
class Text:
    """A text as integer codes, one per character, cut in two.

    Args:
        name: name of the dataset.
        train: codes of the first part, int64, shape ``(N,)``.
        test: codes of the rest, int64, shape ``(M,)``.
        vocabulary: the distinct characters of the whole text in code point order; code ``i`` stands for
            ``vocabulary[i]``.

    Example:
        >>> text = Text("two words", torch.tensor([1, 2]), torch.tensor([0]), (" ", "h", "i"))
        >>> text.decode(text.train), text.encode("hi hi")
        ('hi', tensor([1, 2, 0, 1, 2]))
    """

    name: str
    train: Tensor
    test: Tensor
    vocabulary: tuple[str, ...]

    def decode(self, codes: Tensor) -> str:
        """Turn codes of shape ``(L,)`` into the text they stand for."""
        return "".join(self.vocabulary[code] for code in codes.tolist())

    def encode(self, text: str) -> Tensor:
        """Turn a text of ``L`` characters into codes of shape ``(L,)``.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        code = {character: index for index, character in enumerate(self.vocabulary)}
        unknown = sorted(set(text) - code.keys())
        if unknown:
            raise ValueError(f"characters must come from the vocabulary of {self.name}, got {unknown}")
        return torch.tensor([code[character] for character in text], dtype=torch.int64)
