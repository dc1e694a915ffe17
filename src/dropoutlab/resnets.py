"""A small residual network with batch normalisation, and the places where dropout is put in such networks."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Generator, Tensor, nn

from dropoutlab.convnets import channels_last, conv
from dropoutlab.layers import Dropout
from dropoutlab.models import linear

Place = Literal["nowhere", "branch start", "before last layer", "branch end", "before pooling", "before head"]


class ResidualBlock(nn.Module):
    """Add a branch of two normalised convolutions to its input: norm, ReLU, conv, norm, ReLU, conv.

    Where stride or channels change, a 1 × 1 convolution fits the shortcut.

    Args:
        n_in: input channels.
        n_out: output channels.
        stride: step of the first convolution.
        dropped: tells for each place within a branch, see `resnet`, which dropout layers stand there.
        init: source of the initial weights.
        dtype: floating-point type of the parameters.

    Source: the full pre-activation of He et al. (2016), arXiv:1603.05027.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        stride: int,
        *,
        dropped: Callable[[Place], list[nn.Module]],
        init: Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm2d(n_in, dtype=dtype),
            nn.ReLU(),
            *dropped("branch start"),
            conv(n_in, n_out, 3, stride=stride, bias=False, generator=init, dtype=dtype),
            nn.BatchNorm2d(n_out, dtype=dtype),
            nn.ReLU(),
            *dropped("before last layer"),
            conv(n_out, n_out, 3, bias=False, generator=init, dtype=dtype),
            *dropped("branch end"),
        )
        self.shortcut: nn.Module = nn.Identity()
        if n_in != n_out or stride != 1:
            self.shortcut = conv(n_in, n_out, 1, stride=stride, bias=False, generator=init, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, n_in, H, W)`` to ``(N, n_out, ⌈H/stride⌉, ⌈W/stride⌉)``."""
        y: Tensor = self.shortcut(x) + self.branch(x)
        return y


def resnet(
    *,
    init: Generator,
    masks: Generator | None = None,
    p: float = 0.0,
    place: Place = "nowhere",
    image_shape: tuple[int, int] = (28, 28),
    channels: tuple[int, ...] = (16, 32, 64),
    classes: int = 10,
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Build a small residual network with batch normalisation, and dropout of single elements in one place.

    A 5 × 5 convolution with stride 2, a `ResidualBlock` for each entry of ``channels`` (all but the first
    halve the maps), batch normalisation, ReLU, global average pooling, output layer. The places are

    - ``"branch start"``: in every branch before its first convolution. Its second normalisation follows.
    - ``"before last layer"``: in every branch after its last normalisation, before its last convolution.
    - ``"branch end"``: on the output of every branch. The next block's normalisation follows.
    - ``"before pooling"``: once, after the last normalisation of the network and its ReLU.
    - ``"before head"``: once, between average pooling and output layer.

    Args:
        init: source of the initial weights; nets that differ only in dropout start from the same ones.
        masks: source of the masks; ``None`` uses torch's default generator.
        p: drop probability; 0 leaves dropout out.
        place: one of the places above, or ``"nowhere"``.
        image_shape: ``(H, W)``.
        channels: feature maps of each block, at least one.
        classes: number of classes.
        dtype: floating-point type of the parameters.

    Returns:
        Network mapping flat images ``(N, H * W)`` to logits ``(N, classes)``, weights laid out channels last.

    Raises:
        ValueError: the probability is outside [0, 1], a size is below 1, or ``place`` is unknown.

    Example:
        >>> net = resnet(p=0.3, place="before last layer", init=torch.Generator().manual_seed(1))
        >>> tuple(net(torch.zeros(4, 784)).shape)
        (4, 10)
        >>> sum(isinstance(layer, Dropout) for layer in net.modules())
        3

    Source: the places are those compared by Kim et al. (2023), arXiv:2302.06112, and by Li et al. (2019),
        arXiv:1801.05134.
    """
    if place not in get_args(Place):
        raise ValueError(f"place must be one of {', '.join(map(repr, get_args(Place)))}, got {place!r}")
    if not channels:
        raise ValueError("channels must name at least one block, got none")

    def dropped(here: Place) -> list[nn.Module]:
        layer = Dropout(p, generator=masks)  # made even where it is not used: a bad p is refused
        return [layer] if place == here and p > 0 else []

    n_in = channels[0]
    layers: list[nn.Module] = [
        nn.Unflatten(1, (1, *image_shape)),
        conv(1, n_in, 5, stride=2, bias=False, generator=init, dtype=dtype),
    ]
    for index, n_out in enumerate(channels):
        stride = 1 if index == 0 else 2
        layers.append(ResidualBlock(n_in, n_out, stride, dropped=dropped, init=init, dtype=dtype))
        n_in = n_out
    layers += [nn.BatchNorm2d(n_in, dtype=dtype), nn.ReLU(), *dropped("before pooling")]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *dropped("before head")]
    layers.append(linear(n_in, classes, generator=init, dtype=dtype))
    return channels_last(nn.Sequential(*layers))
