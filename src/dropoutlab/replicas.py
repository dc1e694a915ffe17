"""Many networks of one architecture as a single network of stacked weights."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from dropoutlab.coins import toss_rows
from dropoutlab.layers import Dropout

# Element-wise layers without parameters or state: they act on a stack as they act on one network.
_ELEMENTWISE = (nn.Identity, nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Tanh, nn.Sigmoid)

# Weights and activations of the replicas trained side by side, in bytes. Once a group outgrows the cache,
# every step fetches all its weights from memory, while one replica alone keeps its own in the cache from
# step to step. Measured on a processor with 1 MiB of second-level cache per core: 2 to 5 MiB are equal.
_GROUP_BYTES = 4 * 2**20

_Layer = Callable[[Tensor, bool], Tensor]


class Network(Protocol):
    """What training needs of K networks side by side; K = 1 is an ordinary module."""

    weights: list[Tensor]
    biases: list[Tensor]

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        """Map inputs ``(K, B, D)`` to logits ``(K, B, C)``."""

    def bound(self, norm: float) -> None:
        """Scale the incoming weights of every unit down to an L2 norm of ``norm``, where theirs is larger."""

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

    def bound(self, norm: float) -> None:
        """Scale down incoming weights; the first dimension of a weight counts units, or kernels."""
        for weight in self.weights:
            if weight.requires_grad:
                _bound(weight, norm, tuple(range(1, weight.dim())))

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

    def bound(self, norm: float) -> None:
        """Scale down incoming weights in every replica."""
        for weight in self.weights:
            _bound(weight, norm, (1,))

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


@torch.no_grad()
def _bound(weight: Tensor, norm: float, incoming: tuple[int, ...]) -> None:
    norms = torch.linalg.vector_norm(weight, dim=incoming, keepdim=True)
    weight.mul_((norm / norms).clamp_(max=1))  # a unit without weights has norm / 0 = inf, and keeps them


def _stacked_dropout(drops: list[Dropout]) -> _Layer:
    def forward(x: Tensor, training: bool) -> Tensor:
        if not training:
            return x
        # p = 1 keeps nobody: any finite scale then gives zeros, 1 / 0 would give NaN.
        scale = x.new_tensor([1 / (1 - drop.p) if drop.p < 1 else 0.0 for drop in drops])[:, None, None]
        # p = 0 and p = 1 leave nothing to chance: such a replica draws no mask, as it would not alone.
        tossed = [k for k, drop in enumerate(drops) if 0 < drop.p < 1]
        if not tossed:
            return x * scale
        rates, generators = [drops[k].p for k in tossed], [drops[k].generator for k in tossed]
        kept = toss_rows(x[0].numel(), rates, generators, device=x.device)
        factors = kept.view(torch.uint8).to(x.dtype).view(len(tossed), *x.shape[1:])
        if len(tossed) < len(drops):
            factors = torch.ones_like(x).index_copy_(0, torch.tensor(tossed, device=x.device), factors)
        return x * factors.mul_(scale)

    return forward


def group_size(model: nn.Module, batch_size: int) -> int:
    """Tell how many replicas of a network are worth training side by side: 1 where stacking gains nothing.

    Args:
        model: one of the replicas, `stackable`.
        batch_size: examples per step of one replica.

    Returns:
        How many of them have their weights and activations in `_GROUP_BYTES`, at least 1.
    """
    numbers = sum(parameter.numel() for parameter in model.parameters())
    itemsize = max(parameter.element_size() for parameter in model.parameters())
    linears = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    numbers += batch_size * (linears[0].in_features + sum(layer.out_features for layer in linears))
    return max(1, _GROUP_BYTES // (numbers * itemsize))


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
