"""A small causal transformer of characters, with dropout at the three places where transformers have it."""

import math

import torch
from torch import Generator, Tensor, nn

from dropoutlab.layers import Dropout
from dropoutlab.models import linear


class SelfAttention(nn.Module):
    r"""Let every place look back: causal multi-head attention with dropout on the attention weights.

    .. math:: a = \text{softmax}\bigl(Q K^\top / \sqrt{d} + \text{causal}\bigr), \qquad
        y = \text{heads}\bigl((a \odot m / q)\, V\bigr) W

    In training the masked weights of a place no longer sum to 1.

    Args:
        width: size of the representation, a multiple of ``heads``.
        heads: number of heads, each of size d = width / heads.
        init: source of the initial weights.
        p: drop probability of the attention weights.
        masks: source of the masks; ``None`` uses torch's default generator.
        dtype: floating-point type of the parameters.

    Raises:
        ValueError: ``width`` is no multiple of ``heads``, or ``p`` is outside [0, 1].

    Example:
        >>> layer = SelfAttention(8, 2, init=torch.Generator().manual_seed(1))
        >>> layer(torch.ones(3, 5, 8)).shape
        torch.Size([3, 5, 8])

    Source: Vaswani et al. (2017), arXiv:1706.03762, section 3.2; dropout on the weights as in its code.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        init: Generator,
        p: float = 0.0,
        masks: Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if heads < 1 or width < 1 or width % heads:
            raise ValueError(f"the width must be a multiple of the heads, got {width} and {heads}")
        self.heads = heads
        self.project = linear(width, 3 * width, generator=init, dtype=dtype)
        self.merge = linear(width, width, generator=init, dtype=dtype)
        self.drop = Dropout(p, generator=masks)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, T, D)`` to ``(B, T, D)``; place t depends on places up to t only."""
        batch, length, width = x.shape
        parts = self.project(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (B, heads, T, d) each
        scores = query @ key.mT / math.sqrt(width // self.heads)
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        weights = self.drop(scores.masked_fill(future, -math.inf).softmax(dim=-1))
        merged: Tensor = self.merge((weights @ value).transpose(1, 2).reshape(batch, length, width))
        return merged


class Block(nn.Module):
    """Add attention, then a layer of four times the width, each to a shortcut: ``x + drop(f(norm(x)))``.

    Args:
        width: size of the representation.
        heads: number of attention heads.
        init: source of the initial weights.
        p: drop probability of the attention weights and of both branches.
        masks: source of the masks.
        dtype: floating-point type of the parameters.

    Raises:
        ValueError: as `SelfAttention`.

    Source: Vaswani et al. (2017), section 5.4, for residual dropout; the normalisation comes first, as in
    Radford et al. (2019).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        init: Generator,
        p: float = 0.0,
        masks: Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.attend = nn.Sequential(
            nn.LayerNorm(width, dtype=dtype),
            SelfAttention(width, heads, init=init, p=p, masks=masks, dtype=dtype),
            Dropout(p, generator=masks),
        )
        self.think = nn.Sequential(
            nn.LayerNorm(width, dtype=dtype),
            linear(width, 4 * width, generator=init, dtype=dtype),
            nn.GELU(),
            linear(4 * width, width, generator=init, dtype=dtype),
            Dropout(p, generator=masks),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, T, D)`` to ``(B, T, D)``."""
        x = x + self.attend(x)
        x = x + self.think(x)
        return x


class CharTransformer(nn.Module):
    """Predict the next character with a causal transformer; one p for all of its dropout layers.

    They mask the sum of the two embeddings, the attention weights, and each branch before it is added to its
    shortcut, as in the base model of the 2017 paper.

    Args:
        vocabulary: number V of characters.
        context: most characters T that it can see at once.
        width: size of the representation.
        heads: number of attention heads.
        depth: number of blocks, from 0 up.
        init: source of the initial weights.
        p: drop probability.
        masks: source of the masks; ``None`` uses torch's default generator.
        dtype: floating-point type of the parameters.

    Raises:
        ValueError: a size is below 1, ``depth`` is negative, or as `SelfAttention`. The forward refuses
            sequences longer than ``context``.

    Example:
        >>> g = torch.Generator().manual_seed(1)
        >>> model = CharTransformer(10, 6, 8, 2, 1, init=g, p=0.1, masks=g)
        >>> model(torch.zeros(3, 5, dtype=torch.int64)).shape
        torch.Size([3, 5, 10])

    Source: Vaswani et al. (2017), arXiv:1706.03762.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        width: int,
        heads: int,
        depth: int,
        *,
        init: Generator,
        p: float = 0.0,
        masks: Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if min(vocabulary, context, width) < 1 or depth < 0:
            raise ValueError(
                f"need a vocabulary, context and width of at least 1 and no negative depth, "
                f"got {vocabulary}, {context}, {width} and {depth}"
            )
        self.context = context
        # 0.02 is the usual size for transformers: larger embeddings drown what the branches add at first.
        self.characters = nn.Parameter(0.02 * torch.randn(vocabulary, width, generator=init, dtype=dtype))
        self.places = nn.Parameter(0.02 * torch.randn(context, width, generator=init, dtype=dtype))
        self.drop = Dropout(p, generator=masks)
        self.blocks = nn.Sequential(
            *[Block(width, heads, init=init, p=p, masks=masks, dtype=dtype) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(width, dtype=dtype)
        self.read = linear(width, vocabulary, generator=init, dtype=dtype)

    def forward(self, codes: Tensor) -> Tensor:
        """Map codes ``(B, T)`` to the logits ``(B, T, V)`` of what comes next."""
        length = codes.shape[1]
        if length > self.context:
            raise ValueError(f"the transformer sees at most {self.context} characters, got {length}")
        x = self.drop(self.characters[codes] + self.places[:length])
        logits: Tensor = self.read(self.norm(self.blocks(x)))
        return logits
