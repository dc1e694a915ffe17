"""Dropout and its relatives as thin modules over `dropoutlab.functional`, with masks that can be frozen."""

from typing import Self

import torch
from torch import Generator, Tensor, nn

from dropoutlab import functional, masks


class _RandomMask(nn.Module):
    """What all dropout layers share: a checked p, a generator, and a mask that can be kept."""

    def __init__(self, p: float = 0.5, *, generator: Generator | None = None) -> None:
        super().__init__()
        self._set_up(p, generator)

    def _set_up(self, p: float, generator: Generator | None) -> None:
        self.p = p
        self.generator = generator
        # Plain attributes: as buffers they would enter the state_dict or be synchronised between processes.
        self._mask: Tensor | None = None
        self._frozen = False

    @property
    def p(self) -> float:
        """Drop probability; a value outside [0, 1] is refused, also when it is changed later."""
        return self._p

    @p.setter
    def p(self, value: float) -> None:
        self._p = masks.check_probability(value)

    @property
    def mask(self) -> Tensor | None:
        """The mask of the last training forward, or the frozen one; ``None`` before any was drawn."""
        return self._mask

    @property
    def is_frozen(self) -> bool:
        """Whether training forwards reuse one mask instead of drawing new ones."""
        return self._frozen

    def freeze(self, mask: Tensor | None = None) -> Self:
        """Use one mask for every training forward from now on, and return the layer.

        Args:
            mask: the mask to use; ``None`` keeps the one that the next training forward draws.
        """
        self._mask = mask
        self._frozen = True
        return self

    def thaw(self) -> Self:
        """Draw a new mask in every training forward again, and return the layer."""
        self._frozen = False
        return self

    def _draw(self, x: Tensor) -> Tensor:
        """Draw a mask for ``x``: one coin per element, unless the layer has another law."""
        return masks.keep_mask(x.shape, self.p, generator=self.generator, device=x.device)

    def _next_mask(self, x: Tensor) -> Tensor | None:
        """Find the mask for this forward; evaluation takes any, and uses none."""
        if self.training and not (self._frozen and self._mask is not None):
            # Without a mask a p of 0 returns the input itself; integers are refused before any is drawn.
            self._mask = self._draw(x) if self.p > 0 and x.is_floating_point() else None
        return self._mask

    def extra_repr(self) -> str:
        """Name the settings that ``print(layer)`` shows."""
        return f"p={self.p}" + (", frozen" if self._frozen else "")


class Dropout(_RandomMask):
    r"""Zero each element with probability p in training and divide the survivors by q = 1 − p.

    .. math:: y = x \odot m / q \text{ in training}, \qquad y = x \text{ in evaluation}

    A drop-in for ``torch.nn.Dropout``. It adds an explicit generator and a mask that can be frozen, and
    refuses a NaN or a changed p at once rather than in the next forward. There is no in-place option:
    after a ReLU or a sigmoid, ``nn.Dropout(inplace=True)`` overwrites the output that their gradient needs,
    and raises in the backward pass.

    The layer has no parameters and an empty ``state_dict``. ``copy.deepcopy`` and pickling keep the mask and
    the generator in its present state: the copy goes on to draw the masks that the original would
    have drawn, independently of it. Layers that share a generator still share one after they are
    copied together. With ``generator=None`` both draw from torch's default generator, one after another.

    Args:
        p: drop probability in ``[0, 1]``; the 2014 paper's ``p`` is our ``q``.
        generator: source of randomness; ``None`` uses torch's default generator.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, at construction or when it is changed.

    Example:
        >>> layer = Dropout(0.3, generator=torch.Generator().manual_seed(1)).freeze()
        >>> x = torch.ones(2, 5)
        >>> torch.equal(layer(x), layer(x)), torch.equal(layer(x) != 0, layer.mask)
        (True, True)
        >>> layer.eval()(x) is x
        True

    Source: Srivastava et al. (2014), section 10, last paragraph (scaling at training time).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        return functional.dropout(x, self.p, training=self.training, mask=self._next_mask(x))


class ClassicDropout(_RandomMask):
    r"""Zero each element with probability p in training; multiply all by q = 1 − p in evaluation.

    .. math:: y = x \odot m \text{ in training}, \qquad y = q\,x \text{ in evaluation}

    Trained by SGD it equals `Dropout` whose next layer starts from weights q times as large and
    learns them with a rate q² times as large.

    Args:
        p: drop probability in ``[0, 1]``; the 2014 paper's ``p`` is our ``q``.
        generator: source of randomness; ``None`` uses torch's default generator. Copies and pickles
            treat it as in `Dropout`.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, at construction or when it is changed.

    Example:
        >>> ClassicDropout(0.2).eval()(torch.ones(2))
        tensor([0.8000, 0.8000])

    Source: Srivastava et al. (2014), section 4 and figure 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        return functional.classic_dropout(x, self.p, training=self.training, mask=self._next_mask(x))


class SpatialDropout(_RandomMask):
    r"""Zero whole feature maps with probability p in training and divide the survivors by q = 1 − p.

    .. math:: y_{nc\cdot} = x_{nc\cdot}\, m_{nc} / q \text{ in training}, \qquad y = x \text{ in evaluation}

    Takes ``(N, C, *spatial)`` with any number of spatial dimensions, and no unbatched input: a tensor of
    three dimensions is always ``(N, C, L)``, where ``nn.Dropout2d`` has changed its mind.

    Args:
        p: drop probability in ``[0, 1]``.
        generator: source of randomness; ``None`` uses torch's default generator. Copies and pickles
            treat it as in `Dropout`.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, at construction or when it is changed.

    Example:
        >>> layer = SpatialDropout(0.2)
        >>> y = layer(torch.ones(8, 16, 5, 5))
        >>> tuple(layer.mask.shape)
        (8, 16, 1, 1)

    Source: Tompson et al. (2015), arXiv:1411.4280.
    """

    def _draw(self, x: Tensor) -> Tensor:
        return masks.channel_mask(x.shape, self.p, generator=self.generator, device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        return functional.spatial_dropout(x, self.p, training=self.training, mask=self._next_mask(x))


class GaussianDropout(_RandomMask):
    r"""Multiply each element by Gaussian noise of mean 1 and variance p/q in training: dropout without zeros.

    .. math:: y = x \odot \varepsilon,\ \varepsilon_i \sim \mathcal N(1, p/q) \text{ in training},
        \qquad y = x \text{ in evaluation}

    Args:
        p: drop probability in ``[0, 1)`` of the dropout with the same mean and variance.
        generator: source of randomness; ``None`` uses torch's default generator. Copies and pickles
            treat it as in `Dropout`.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, at construction or when it is changed; the forward
            refuses p = 1, whose variance is infinite.

    Example:
        >>> layer = GaussianDropout(0.5, generator=torch.Generator().manual_seed(1))
        >>> torch.equal(layer(torch.ones(3)), layer.mask)
        True

    Source: Srivastava et al. (2014), section 10.
    """

    def _draw(self, x: Tensor) -> Tensor:
        return masks.gaussian_noise(x.shape, self.p, generator=self.generator, device=x.device, dtype=x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        return functional.gaussian_dropout(x, self.p, training=self.training, mask=self._next_mask(x))


class DropPath(_RandomMask):
    r"""Zero a residual branch for whole examples with probability p in training and scale the rest by 1/q.

    .. math:: y_n = x_n\, m_n / q \text{ in training}, \qquad y = x \text{ in evaluation}

    Use it on the branch, before it is added to the shortcut: ``x + drop_path(branch(x))``.

    Args:
        p: drop probability in ``[0, 1]``.
        generator: source of randomness; ``None`` uses torch's default generator. Copies and pickles
            treat it as in `Dropout`.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, at construction or when it is changed.

    Example:
        >>> layer = DropPath(0.2)
        >>> y = layer(torch.ones(8, 16, 5))
        >>> tuple(layer.mask.shape)
        (8, 1, 1)

    Source: Huang et al. (2016), arXiv:1603.09382.
    """

    def _draw(self, x: Tensor) -> Tensor:
        return masks.path_mask(x.shape, self.p, generator=self.generator, device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        return functional.drop_path(x, self.p, training=self.training, mask=self._next_mask(x))


class DropConnectLinear(_RandomMask, nn.Linear):
    r"""Apply a linear map whose single connections are zeroed with probability p in training.

    .. math:: y_n = (W \odot M_n / q)\, x_n + b \text{ in training}, \qquad y = W x + b \text{ in evaluation}

    It is an ``nn.Linear`` with the same parameters, initial values and ``state_dict``.

    Args:
        in_features: number of inputs D.
        out_features: number of outputs C.
        p: drop probability in ``[0, 1]``.
        bias: whether to add a bias, which is never masked.
        per_example: whether every example gets a mask of its own, as published, at the cost of ``N·C·D``
            coins; ``False`` shares one mask among the batch.
        generator: source of the masks; ``None`` uses torch's default generator. Copies and pickles treat
            it as in `Dropout`. The initial weights come from torch's default generator, as in ``nn.Linear``.
        device: where the parameters live.
        dtype: floating-point type of the parameters.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, at construction or when it is changed.

    Example:
        >>> layer = DropConnectLinear(4, 3, p=0.2)
        >>> y = layer(torch.ones(8, 4))
        >>> tuple(y.shape), tuple(layer.mask.shape)
        ((8, 3), (8, 3, 4))

    Source: Wan et al. (2013), ICML.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        p: float = 0.5,
        *,
        bias: bool = True,
        per_example: bool = True,
        generator: Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        nn.Linear.__init__(self, in_features, out_features, bias=bias, device=device, dtype=dtype)
        self._set_up(p, generator)
        self.per_example = per_example

    def _draw(self, x: Tensor) -> Tensor:
        return masks.connection_mask(
            x.shape,
            self.weight.shape,
            self.p,
            per_example=self.per_example,
            generator=self.generator,
            device=x.device,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        return functional.drop_connect_linear(
            x,
            self.weight,
            self.bias,
            self.p,
            training=self.training,
            per_example=self.per_example,
            mask=self._next_mask(x),
        )

    def extra_repr(self) -> str:
        """Name the settings that ``print(layer)`` shows."""
        return f"{nn.Linear.extra_repr(self)}, {super().extra_repr()}, per_example={self.per_example}"
