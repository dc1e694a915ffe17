"""Many networks of one architecture as a single network of stacked weights."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from dropoutlab.layers import Dropout
from dropoutlab.masks import keep_mask

# Element-wise layers without parameters or state: they act on a stack as they act on one network.
_ELEMENTWISE = (nn.Identity, nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Tanh, nn.Sigmoid)

_Layer = Callable[[Tensor, bool], Tensor]


class Network(Protocol):
    """What training needs of K networks side by side; K = 1 is an ordinary module."""

    weights: list[Tensor]
    biases: list[Tensor]

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        """Map inputs ``(K, B, D)`` to logits ``(K, B, C)``."""

    def finish(self) -> None:
        """Hand the trained parameters back and leave every module in evaluation mode."""


class Single:
    """One module of any kind, seen as a stack of one."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        named = list(model.named_parameters())
        # L2 decay is meant for matrices and kernels, not for biases or the gains of a normalisation layer.
        self.weights: list[Tensor] = [parameter for _, parameter in named if parameter.dim() > 1]
        self.biases: list[Tensor] = [parameter for _, parameter in named if parameter.dim() <= 1]

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        """Map inputs ``(1, B, D)`` to logits ``(1, B, C)``."""
        self.model.train(training)
        logits: Tensor = self.model(x[0])
        return logits.unsqueeze(0)

    def finish(self) -> None:
        """Leave the module in evaluation mode."""
        self.model.eval()


class Stack:
    """K `torch.nn.Sequential` networks of one architecture, computed with batched matrix products.

    A product of K small matrices in one call keeps the processor busy where K separate calls would
    mostly pay for starting them. Each replica draws its masks from its own dropout layers' generators,
    in the same order and shape as if it ran alone, so it sees the same masks.
    """

    def __init__(self, models: Sequence[nn.Sequential]) -> None:
        self.models = list(models)
        self.weights: list[Tensor] = []
        self.biases: list[Tensor] = []
        self._linears: list[list[nn.Linear]] = []
        self._layers = [self._stacked(list(layers)) for layers in zip(*models, strict=True)]

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        """Map inputs ``(K, B, D)`` to logits ``(K, B, C)``."""
        for layer in self._layers:
            x = layer(x, training)
        return x

    def finish(self) -> None:
        """Copy the trained weights into the K modules and leave them in evaluation mode."""
        with torch.no_grad():
            for linears, weight, bias in zip(self._linears, self.weights, self.biases, strict=True):
                for k, linear in enumerate(linears):
                    linear.weight.copy_(weight[k].T)
                    linear.bias.copy_(bias[k, 0])
        for model in self.models:
            model.eval()

    def _stacked(self, layers: list[nn.Module]) -> _Layer:
        linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
        if linears:
            return self._stacked_linear(linears)
        drops = [layer for layer in layers if isinstance(layer, Dropout)]
        if drops:
            return _stacked_dropout(drops)
        elementwise = layers[0]
        return lambda x, _training: elementwise(x)

    def _stacked_linear(self, linears: list[nn.Linear]) -> _Layer:
        # Stored as (K, in, out): baddbmm then needs no transpose of the weights in the forward pass.
        weight = torch.stack([linear.weight.detach().T for linear in linears]).contiguous().requires_grad_()
        bias = torch.stack([linear.bias.detach().unsqueeze(0) for linear in linears]).requires_grad_()
        self.weights.append(weight)
        self.biases.append(bias)
        self._linears.append(linears)
        return lambda x, _training: torch.baddbmm(bias, x, weight)  # (K, B, out)


def _stacked_dropout(drops: list[Dropout]) -> _Layer:
    def forward(x: Tensor, training: bool) -> Tensor:
        if not training:
            return x
        shape = tuple(x.shape[1:])
        masks = [keep_mask(shape, drop.p, generator=drop.generator, device=x.device) for drop in drops]
        # p = 1 keeps nobody: any finite scale then gives zeros, 1 / 0 would give NaN.
        scale = x.new_tensor([1 / (1 - drop.p) if drop.p < 1 else 0.0 for drop in drops])
        return x * (torch.stack(masks) * scale[:, None, None])

    return forward


def stackable(models: Sequence[nn.Module]) -> bool:
    """Tell whether `Stack` computes these networks exactly as each would compute alone."""
    first = _signature(models[0])
    if first is None or any(_signature(model) != first for model in models[1:]):
        return False
    # A weight used twice, within a network or by two of them, would come apart in a stack of copies.
    uses = [id(use) for model in models for _, use in model.named_parameters(remove_duplicate=False)]
    return len(set(uses)) == len(uses)


def _signature(model: nn.Module) -> tuple[object, ...] | None:
    """Describe an architecture; ``None`` where a layer has no stacked form."""
    if type(model) is not nn.Sequential:
        return None
    parts: list[object] = []
    for layer in model:
        if type(layer) is nn.Linear and _trainable(layer):
            parts.append(
                (layer.in_features, layer.out_features, layer.weight.dtype, layer.weight.device.type)
            )
        elif type(layer) is Dropout and not layer.is_frozen:
            parts.append(Dropout)  # p may differ: each replica draws with its own
        elif type(layer) in _ELEMENTWISE:
            parts.append(repr(layer))  # the repr carries options such as a leak
        else:
            return None
    return tuple(parts)


def _trainable(layer: nn.Linear) -> bool:
    """Tell whether weight and bias are there and both to be trained: a stack trains all it holds."""
    return layer.bias is not None and layer.weight.requires_grad and layer.bias.requires_grad
