"""Networks with normalisation, trained side by side: one batch normalisation over the units of all."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import batch_norm, cross_entropy, layer_norm

from dropoutlab.data import Split
from dropoutlab.layers import GaussianDropout
from dropoutlab.masks import gaussian_noise
from dropoutlab.optimisers import optimiser
from dropoutlab.replicas import Stack
from dropoutlab.training import Recipe

OnEpoch = Callable[[int, int], None]
_Layer = Callable[[Tensor, bool], Tensor]


class NormalisedStack(Stack):
    """A `Stack` whose networks may hold batch normalisation, layer normalisation and Gaussian dropout, too.

    Batch normalisation treats every unit by itself. K layers of n units side by side are therefore one layer
    of K·n units, as long as each replica keeps its own batch of examples.

    Args:
        models: K networks of one architecture, of `torch.nn.Linear`, normalisations, `Dropout`,
            `GaussianDropout` and element-wise layers, with generators that no other network draws from.
    """

    def __init__(self, models: Sequence[nn.Sequential]) -> None:
        self.gains: list[Tensor] = []
        self._finishers: list[Callable[[], None]] = []
        super().__init__(models)

    def finish(self) -> None:
        """Copy weights, gains and statistics into the K modules and leave them in evaluation mode."""
        super().finish()
        with torch.no_grad():
            for write in self._finishers:
                write()

    def _stacked(self, layers: list[nn.Module]) -> _Layer:
        batch = [layer for layer in layers if isinstance(layer, nn.BatchNorm1d)]
        if batch:
            return self._stacked_batch_norm(batch)
        layer = [one for one in layers if isinstance(one, nn.LayerNorm)]
        if layer:
            return self._stacked_layer_norm(layer)
        noisy = [one for one in layers if isinstance(one, GaussianDropout)]
        return _stacked_gaussian(noisy) if noisy else super()._stacked(layers)

    def _stacked_batch_norm(self, norms: list[nn.BatchNorm1d]) -> _Layer:
        gain, shift = self._gain_and_shift(norms)  # (K, n)
        mean = torch.cat([_kept(norm.running_mean) for norm in norms])  # (K * n,)
        variance = torch.cat([_kept(norm.running_var) for norm in norms])
        momentum, eps, steps = norms[0].momentum, norms[0].eps, 0

        def forward(x: Tensor, training: bool) -> Tensor:
            nonlocal steps
            steps += training
            rows = x.transpose(0, 1).flatten(1)  # (B, K * n)
            out = batch_norm(
                rows, mean, variance, gain.flatten(), shift.flatten(), training, momentum or 0.0, eps
            )
            return out.view(x.shape[1], len(norms), -1).transpose(0, 1)

        def write() -> None:
            for k, norm in enumerate(norms):
                _kept(norm.running_mean).copy_(mean.view(len(norms), -1)[k])
                _kept(norm.running_var).copy_(variance.view(len(norms), -1)[k])
                _kept(norm.num_batches_tracked).add_(steps)

        self._finishers.append(write)
        return forward

    def _stacked_layer_norm(self, norms: list[nn.LayerNorm]) -> _Layer:
        gain, shift = self._gain_and_shift(norms)
        shape, eps = norms[0].normalized_shape, norms[0].eps
        return lambda x, _: layer_norm(x, list(shape), eps=eps) * gain[:, None] + shift[:, None]

    def _gain_and_shift(self, norms: Sequence[nn.BatchNorm1d | nn.LayerNorm]) -> tuple[Tensor, Tensor]:
        pair = []
        for name in ("weight", "bias"):
            stacked = torch.stack([norm.get_parameter(name).detach() for norm in norms]).requires_grad_()

            def write(name: str = name, stacked: Tensor = stacked) -> None:
                for norm, values in zip(norms, stacked, strict=True):
                    norm.get_parameter(name).copy_(values)

            self._finishers.append(write)
            self.gains.append(stacked)
            pair.append(stacked)
        return pair[0], pair[1]


def fit_normalised(
    models: Sequence[nn.Sequential],
    trains: Sequence[Split],
    recipe: Recipe,
    *,
    orders: Sequence[Generator],
    on_epoch: OnEpoch | None = None,
) -> None:
    """Train K networks with normalisation as `dropoutlab.training.fit` would train each, in one computation.

    Every network sees its examples in the order, and its units under the masks, that it would alone, so the
    results agree up to rounding. Gains and shifts do not decay, as in `fit`.

    Args:
        models: K networks as for `NormalisedStack`; changed in place, and left in evaluation mode.
        trains: K training sets of equal size.
        recipe: epochs, batch size, optimiser and its settings; ``evaluate_every`` and ``max_norm`` play no
            part.
        orders: K sources of the example order.
        on_epoch: called with ``(epoch, epochs)``.

    Raises:
        ValueError: a list has another length than ``models``, a set another size than the first, or an epoch
            ends in a batch of one example, which has no variance.
        FloatingPointError: the loss became infinite or NaN.

    Example:
        >>> from dropoutlab.normalisation import normalised_mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net = normalised_mlp((4, 8, 2), init=g, dtype=torch.float64)
        >>> x = torch.rand(40, 4, generator=g, dtype=torch.float64)
        >>> fit_normalised([net], [Split(x, (x[:, 0] > 0.5).long())], Recipe(40, batch_size=10), orders=[g])
        >>> ((net(x).argmax(1) == 1) == (x[:, 0] > 0.5)).all().item()
        True
    """
    sizes = {len(train) for train in trains}
    if not len(models) == len(trains) == len(orders) or len(sizes) != 1:
        raise ValueError(
            f"need one training set and one order for each of the {len(models)} networks, all sets of one "
            f"size, got {len(trains)} sets of sizes {sorted(sizes)} and {len(orders)} orders"
        )
    (n,) = sizes
    if n % recipe.batch_size == 1:
        raise ValueError(
            f"{n} examples in batches of {recipe.batch_size} leave one over; choose another batch size"
        )
    x, y = torch.stack([train.x for train in trains]), torch.stack([train.y for train in trains])
    stack = NormalisedStack(models)
    rule = optimiser(stack.weights, [*stack.biases, *stack.gains], [recipe])
    rows = torch.arange(len(models))[:, None]
    for epoch in range(1, recipe.epochs + 1):
        permutations = torch.stack([torch.randperm(n, generator=order) for order in orders])  # (K, N)
        for index in permutations.split(recipe.batch_size, dim=1):
            logits = stack.forward(x[rows, index], training=True)
            # The sum of the K mean losses: each network's gradient is then what it would be alone.
            loss = cross_entropy(logits.flatten(0, 1), y[rows, index].flatten()) * len(models)
            rule.zero_grad(set_to_none=True)
            loss.backward()
            rule.step()
        if not loss.isfinite():
            raise FloatingPointError(f"training diverged in epoch {epoch}; lower lr={recipe.lr}")
        for group in rule.param_groups:
            group["lr"] = group["lr"] * recipe.lr_decay
        if on_epoch is not None:
            on_epoch(epoch, recipe.epochs)
    stack.finish()


def _stacked_gaussian(layers: list[GaussianDropout]) -> _Layer:
    def forward(x: Tensor, training: bool) -> Tensor:
        if not training:
            return x
        noise = [
            gaussian_noise(x.shape[1:], one.p, generator=one.generator, device=x.device, dtype=x.dtype)
            for one in layers
        ]
        return x * torch.stack(noise)

    return forward


def _kept(statistic: Tensor | None) -> Tensor:
    assert statistic is not None  # `nn.BatchNorm1d` keeps statistics unless told otherwise
    return statistic
