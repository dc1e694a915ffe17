"""A small convolutional network with places for dropout, initialised from an explicit generator."""

import math
from typing import Literal

import torch
from torch import Generator, nn

from dropoutlab.layers import Dropout, SpatialDropout
from dropoutlab.models import linear

Kind = Literal["element", "map"]

_DROPS: dict[str, type[Dropout | SpatialDropout]] = {"element": Dropout, "map": SpatialDropout}


def conv(
    n_in: int,
    n_out: int,
    kernel: int,
    *,
    generator: Generator,
    stride: int = 1,
    bias: bool = True,
    dtype: torch.dtype = torch.float32,
) -> nn.Conv2d:
    r"""Make a convolution with weights and biases uniform on :math:`\pm 1/\sqrt{n_\text{in} k^2}`.

    That is the law of ``nn.Conv2d``'s own initialisation, from an explicit source of randomness. The border
    is padded with zeros so that stride 1 keeps height and width.

    Args:
        n_in: input channels, at least 1.
        n_out: output channels, at least 1.
        kernel: side k of the square kernel, odd.
        generator: source of the initial weights.
        stride: step of the kernel.
        bias: whether to add one; a batch normalisation that follows would only take it away again.
        dtype: floating-point type of the parameters.

    Returns:
        Layer mapping ``(N, n_in, H, W)`` to ``(N, n_out, ⌈H/stride⌉, ⌈W/stride⌉)``.

    Raises:
        ValueError: a number of channels is below 1, or the kernel is not odd.

    Example:
        >>> layer = conv(1, 8, 5, stride=2, generator=torch.Generator().manual_seed(1))
        >>> tuple(layer(torch.zeros(4, 1, 28, 28)).shape), layer.weight.abs().max().item() <= 0.2
        ((4, 8, 14, 14), True)
    """
    if n_in < 1 or n_out < 1:
        raise ValueError(f"channels must be at least 1, got {n_in} in and {n_out} out")
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel must be odd, so that its padding is symmetric, got {kernel}")
    # Built without memory first: constructing nn.Conv2d directly would draw from the global generator.
    layer = nn.Conv2d(
        n_in, n_out, kernel, stride, padding=kernel // 2, bias=bias, device="meta", dtype=dtype
    ).to_empty(device="cpu")
    bound = 1 / math.sqrt(n_in * kernel**2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer


def convnet(
    *,
    init: Generator,
    masks: Generator | None = None,
    conv_p: float = 0.0,
    fc_p: float = 0.0,
    kind: Kind = "element",
    image_shape: tuple[int, int] = (28, 28),
    channels: tuple[int, int, int] = (16, 32, 32),
    hidden: int = 256,
    classes: int = 10,
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Build three convolutions, one fully connected hidden layer and an output layer, all with ReLU.

    The first convolution (5 × 5) has stride 2; max-pooling halves the maps after each of the others (3 × 3).
    Dropout acts on what the next layer sees: after ReLU and pooling. A place with p = 0 is left out.

    Args:
        init: source of the initial weights; nets that differ only in dropout start from the same ones.
        masks: source of the masks, shared by the dropout layers; ``None`` uses torch's default generator.
        conv_p: drop probability after each of the three convolutional layers.
        fc_p: drop probability after the fully connected hidden layer.
        kind: in the convolutional layers, drop single elements (``"element"``) or whole feature maps
            (``"map"``, `SpatialDropout`).
        image_shape: ``(H, W)``.
        channels: feature maps of the three convolutions.
        hidden: units of the fully connected hidden layer.
        classes: number of classes.
        dtype: floating-point type of the parameters.

    Returns:
        Network mapping flat images ``(N, H * W)`` to logits ``(N, classes)``, weights laid out channels
        last.

    Raises:
        ValueError: a probability is outside [0, 1], a size is below 1, or ``kind`` is unknown.

    Example:
        >>> net = convnet(conv_p=0.1, fc_p=0.5, kind="map", init=torch.Generator().manual_seed(1))
        >>> tuple(net(torch.zeros(4, 784)).shape)
        (4, 10)
        >>> [layer for layer in net if "Dropout" in type(layer).__name__]
        [SpatialDropout(p=0.1), SpatialDropout(p=0.1), SpatialDropout(p=0.1), Dropout(p=0.5)]

    Source: after the networks for Street View House Numbers of Srivastava et al. (2014), section 6.1.2.
    """
    if kind not in _DROPS:
        raise ValueError(f"kind must be 'element' or 'map', got {kind!r}")
    height, width = image_shape
    layers: list[nn.Module] = [nn.Unflatten(1, (1, height, width))]
    n_in = 1
    for index, n_out in enumerate(channels):
        kernel, stride = (5, 2) if index == 0 else (3, 1)
        layers += [conv(n_in, n_out, kernel, stride=stride, generator=init, dtype=dtype), nn.ReLU()]
        if index > 0:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        layers += _dropped(_DROPS[kind](conv_p, generator=masks))
        height, width, n_in = -(-height // 2), -(-width // 2), n_out
    layers += [
        nn.Flatten(),
        linear(n_in * height * width, hidden, generator=init, dtype=dtype),
        nn.ReLU(),
        *_dropped(Dropout(fc_p, generator=masks)),
        linear(hidden, classes, generator=init, dtype=dtype),
    ]
    return channels_last(nn.Sequential(*layers))


def channels_last(net: nn.Sequential) -> nn.Sequential:
    """Lay the kernels out channels last, which a CPU computes fastest, and return the network.

    ``net.to(memory_format=torch.channels_last)`` does the same, but its published types do not know it.

    Example:
        >>> net = channels_last(nn.Sequential(conv(2, 3, 3, generator=torch.Generator().manual_seed(1))))
        >>> net[0].weight.stride()
        (18, 1, 6, 2)
    """
    for parameter in net.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return net


def _dropped(layer: Dropout | SpatialDropout) -> list[nn.Module]:
    return [layer] if layer.p > 0 else []
