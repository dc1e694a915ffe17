"""A recurrent network of characters whose masks are renewed at every step, or tied along the sequence.

Masks that are redrawn at every step hit each unit of the state sooner or later, and the step after reads a
memory with other holes. A tied mask hides the same units throughout: what the others say, is said at every
step. The cell of an LSTM is masked by neither, so it can remember what one step did not see.
"""

import math
from typing import Literal

import torch
from torch import Generator, Tensor, nn

from dropoutlab.masks import check_probability, keep_mask
from dropoutlab.models import linear

Where = Literal["between layers", "everywhere"]


class CharLSTM(nn.Module):
    r"""Predict the next character with one LSTM layer, with masks on its inputs, its state and its outputs.

    .. math:: (i, f, o, g)_t = W (x_t \odot m^x_t / q) + U (h_{t-1} \odot m^h_t / q) + b

    .. math:: c_t = \sigma(f_t) \odot c_{t-1} + \sigma(i_t) \odot \tanh g_t, \qquad
        h_t = \sigma(o_t) \odot \tanh c_t

    The next character is read from :math:`h_t \odot m^y_t / q`. With ``tied=True`` each of the three masks
    is one for a whole sequence, the same at every t; otherwise it is renewed at every step. Every sequence
    of a batch has masks of its own.

    Args:
        vocabulary: number V of characters.
        embedding: width of the embedding x.
        hidden: width n of the state h.
        init: source of the initial weights; forget gates start with a bias of 1.
        p: drop probability in ``[0, 1)`` wherever there is a mask.
        where: ``"between layers"`` masks inputs and outputs alone and leaves the state untouched;
            ``"everywhere"`` masks the state too.
        tied: whether masks stay the same along the sequence.
        masks: source of the masks; ``None`` uses torch's default generator.
        dtype: floating-point type of the parameters.

    Raises:
        ValueError: a width is below 1, ``where`` is unknown, or ``p`` is not in ``[0, 1)``.

    Example:
        >>> g = torch.Generator().manual_seed(1)
        >>> model = CharLSTM(10, 4, 8, init=g, p=0.3, where="everywhere", tied=True, masks=g)
        >>> model(torch.zeros(2, 5, dtype=torch.int64)).shape
        torch.Size([2, 5, 10])

    Source: Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); masks renewed
    between layers: Zaremba et al. (2014), arXiv:1409.2329; tied everywhere: Gal and Ghahramani (2016),
    arXiv:1512.05287.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        hidden: int,
        *,
        init: Generator,
        p: float = 0.0,
        where: Where = "everywhere",
        tied: bool = False,
        masks: Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if min(vocabulary, embedding, hidden) < 1:
            raise ValueError(f"widths must be at least 1, got {vocabulary}, {embedding} and {hidden}")
        if where not in ("between layers", "everywhere"):
            raise ValueError(f"where must be 'between layers' or 'everywhere', got {where!r}")
        if check_probability(p) == 1:
            raise ValueError("a sequence needs p < 1, got 1: nothing would be left of it")
        self.p, self.where, self.tied, self.masks = p, where, tied, masks
        self.hidden = hidden
        self.embedding = nn.Parameter(
            torch.randn(vocabulary, embedding, generator=init, dtype=dtype) / math.sqrt(embedding)
        )
        self.inputs = linear(embedding, 4 * hidden, generator=init, dtype=dtype)
        self.state = linear(hidden, 4 * hidden, generator=init, dtype=dtype).weight
        self.outputs = linear(hidden, vocabulary, generator=init, dtype=dtype)
        with torch.no_grad():
            self.inputs.bias.zero_()
            self.inputs.bias[hidden : 2 * hidden] = 1.0

    def forward(self, codes: Tensor) -> Tensor:
        """Map codes ``(B, T)`` to the logits ``(B, T, V)`` of what comes next."""
        batch, length = codes.shape
        x = self._mask(self.embedding[codes.T])  # (T, B, E): time first, so that each step is one block
        gates = self.inputs(x)
        h = gates.new_zeros(batch, self.hidden)
        c = torch.zeros_like(h)
        recurrent = self.where == "everywhere" and self._active
        factors = self._factors((length, batch, self.hidden), h.dtype) if recurrent else None
        states = []
        for t in range(length):
            seen = h if factors is None else h * factors[t]
            i, f, o, g = torch.addmm(gates[t], seen, self.state.T).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states.append(h)
        logits: Tensor = self.outputs(self._mask(torch.stack(states)))
        return logits.transpose(0, 1)

    @property
    def _active(self) -> bool:
        return self.training and self.p > 0

    def _mask(self, x: Tensor) -> Tensor:
        return x * self._factors(x.shape, x.dtype) if self._active else x

    def _factors(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Draw what multiplies a sequence ``(T, B, D)``: 0 or 1/q, tied or renewed along T."""
        length, *rest = shape
        kept = keep_mask((1 if self.tied else length, *rest), self.p, generator=self.masks)
        return (kept.to(dtype) / (1 - self.p)).expand(shape)
