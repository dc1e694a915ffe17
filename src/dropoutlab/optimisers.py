"""The update rule of a training run: PyTorch's own, or one whose rates differ between stacked replicas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from dropoutlab.training import Recipe

# The constants of `torch.optim.Adam`, which are those of Kingma and Ba (2015), arXiv:1412.6980.
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class Optimiser(Protocol):
    """What the training loop asks of an update rule.

    Attributes:
        param_groups: settings of its groups of parameters, among them ``"lr"``, which may be changed.
    """

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the last step."""

    def step(self) -> object:
        """Change the parameters by their gradients."""


def optimiser(weights: Sequence[Tensor], biases: Sequence[Tensor], recipes: "Sequence[Recipe]") -> Optimiser:
    """Choose the update rule for stacked parameters ``(K, ...)`` and the K recipes they are trained by.

    Args:
        weights: parameters that decay.
        biases: parameters that do not.
        recipes: one recipe, or K that differ in learning rate and weight decay only.

    Returns:
        PyTorch's fused optimiser if the recipes are equal, else `PerReplica`, which takes the same steps.
    """
    recipe = recipes[0]
    if any(other != recipe for other in recipes[1:]):
        return PerReplica(weights, biases, recipes)
    groups = [
        {"params": list(weights), "weight_decay": recipe.weight_decay},
        {"params": list(biases), "weight_decay": 0.0},
    ]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, lr=recipe.lr, fused=True)
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, fused=True)


class PerReplica:
    r"""SGD with momentum or Adam on stacked parameters, with a learning rate and a decay for each replica.

    .. math:: g_k = \nabla_k + \lambda_k W_k, \qquad
        v_k \leftarrow \mu v_k + g_k,\; W_k \leftarrow W_k - \eta_k v_k \text{ (SGD)}

    Adam divides :math:`g_k` by the root of its running second moment, with the usual bias corrections.

    Args:
        weights: parameters ``(K, ...)`` that decay.
        biases: parameters ``(K, ...)`` that do not.
        recipes: K recipes of one optimiser and momentum.

    Source: Kingma and Ba (2015), arXiv:1412.6980, algorithm 1, for Adam.
    """

    def __init__(
        self, weights: Sequence[Tensor], biases: Sequence[Tensor], recipes: "Sequence[Recipe]"
    ) -> None:
        like = weights[0]
        self._momentum = recipes[0].momentum
        self._adam = recipes[0].optimiser == "adam"
        self.param_groups = [{"lr": like.new_tensor([recipe.lr for recipe in recipes])}]
        decay = like.new_tensor([recipe.weight_decay for recipe in recipes])
        self._parameters = [(w, decay) for w in weights] + [(b, torch.zeros_like(decay)) for b in biases]
        self._first = [torch.zeros_like(w) for w, _ in self._parameters]
        self._second = [torch.zeros_like(w) for w, _ in self._parameters] if self._adam else []
        self._steps = 0

    def zero_grad(self, set_to_none: bool = True) -> None:  # noqa: ARG002 - the interface of torch.optim
        """Forget the gradients of the last step."""
        for parameter, _ in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters by their gradients."""
        self._steps += 1
        for i, (parameter, decay) in enumerate(self._parameters):
            assert parameter.grad is not None
            gradient = torch.addcmul(parameter.grad, _per_replica(decay, parameter), parameter)
            lr = _per_replica(self.param_groups[0]["lr"], parameter)
            if self._adam:
                self._first[i].lerp_(gradient, 1 - _BETA1)
                self._second[i].mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
                root = (self._second[i] / (1 - _BETA2**self._steps)).sqrt_().add_(_EPSILON)
                parameter.sub_(lr / (1 - _BETA1**self._steps) * self._first[i] / root)
            else:
                self._first[i].mul_(self._momentum).add_(gradient)
                parameter.addcmul_(self._first[i], lr, value=-1)


def _per_replica(values: Tensor, parameter: Tensor) -> Tensor:
    """Give K numbers the shape ``(K, 1, ..., 1)`` that broadcasts over a stacked parameter."""
    return values.view(-1, *[1] * (parameter.dim() - 1))
