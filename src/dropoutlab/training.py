"""Train one network, or many replicas of one architecture at once, and record the curves."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Literal, cast

import pandas as pd
import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab.data import Split
from dropoutlab.optimisers import optimiser
from dropoutlab.replicas import Network, Single, Stack, group_size, stackable

Augment = Callable[[Tensor], Tensor]
OnEpoch = Callable[[int, int], None]

_EVALUATION_ROWS = 65_536  # rows of activations held at once while evaluating: bounds memory, not results


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run that is not data, network or randomness.

    Attributes:
        epochs: passes over the training set, at least 1.
        batch_size: examples per step; the last batch of an epoch may be smaller.
        lr: learning rate, positive.
        momentum: momentum of SGD in [0, 1); not used by Adam.
        weight_decay: coefficient λ of the penalty λ/2·‖W‖² on weights (biases are not decayed).
        optimiser: ``"sgd"`` or ``"adam"``; Adam divides the penalty's gradient too (coupled L2).
        evaluate_every: epochs between evaluations; the last epoch is always evaluated.
        max_norm: after each step, the incoming weights of every unit, output units included, are scaled
            down to this L2 norm if theirs is larger; ``None`` sets no bound. Biases are free.
            Source: Srivastava et al. (2014), section 5.1.
        lr_decay: factor in (0, 1] by which the learning rate is multiplied after every epoch. With a constant
            rate the noise of the masks never settles.

    Raises:
        ValueError: a value is outside its range.
    """

    epochs: int
    batch_size: int = 32
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    optimiser: Literal["sgd", "adam"] = "sgd"
    evaluate_every: int = 1
    max_norm: float | None = None
    lr_decay: float = 1.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "evaluate_every"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} must be a whole number and at least 1, got {value}")
        if not 0 < self.lr < math.inf:
            raise ValueError(f"lr must be positive and finite, got {self.lr}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {self.momentum}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay must be non-negative and finite, got {self.weight_decay}")
        if self.max_norm is not None and not 0 < self.max_norm < math.inf:
            raise ValueError(f"max_norm must be positive and finite, or None, got {self.max_norm}")
        if not 0 < self.lr_decay <= 1:
            raise ValueError(f"lr_decay must lie in (0, 1], got {self.lr_decay}")
        if self.optimiser not in ("sgd", "adam"):
            raise ValueError(f'optimiser must be "sgd" or "adam", got {self.optimiser!r}')


@dataclass
class History:
    """Curves of one run: per evaluated split, error and cross-entropy in evaluation mode.

    Attributes:
        epochs: the epochs after which the network was evaluated, counted from 1.
        error: split name → fraction of wrong arg-max predictions, one value per evaluated epoch.
        loss: split name → mean cross-entropy in nats, one value per evaluated epoch.
    """

    epochs: list[int] = field(default_factory=list)
    error: dict[str, list[float]] = field(default_factory=dict)
    loss: dict[str, list[float]] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Return the curves as one tidy table with columns epoch, split, error and loss."""
        return pd.DataFrame(
            [
                {"epoch": epoch, "split": split, "error": self.error[split][i], "loss": self.loss[split][i]}
                for split in self.error
                for i, epoch in enumerate(self.epochs)
            ],
            columns=["epoch", "split", "error", "loss"],
        )

    def best(self, split: str, by: Literal["loss", "error"] = "loss") -> int:
        """Return the position in `epochs` at which ``split`` was lowest, the first of equals.

        Early stopping is this, applied to a validation split and read on a test split.

        Raises:
            KeyError: no such split was evaluated, or ``by`` is neither of the two words.
        """
        curve = {"loss": self.loss, "error": self.error}[by][split]
        return min(range(len(curve)), key=curve.__getitem__)


def fit(
    model: nn.Module,
    train: Split,
    recipe: Recipe,
    *,
    order: Generator,
    evaluate: Mapping[str, Split] | None = None,
    augment: Augment | None = None,
    on_epoch: OnEpoch | None = None,
) -> History:
    """Minimise the mean cross-entropy of ``model`` on ``train`` by minibatch gradient descent.

    Every epoch visits each example once, in a fresh random order. The model is changed in place and
    left in evaluation mode.

    Args:
        model: network mapping ``(B, D)`` to logits ``(B, C)``.
        train: training examples, ``x (N, D)`` of the model's dtype and ``y (N,)``.
        recipe: epochs, batch size and optimiser.
        order: source of the example order. Masks come from the dropout layers' own generators.
        evaluate: named splits on which error and cross-entropy are recorded.
        augment: changes each training batch ``(B, D)`` before it is used; it carries its own generator.
        on_epoch: called with ``(epoch, epochs)`` after every epoch, e.g. to show progress.

    Returns:
        The recorded curves.

    Raises:
        ValueError: the training set or an evaluated split is empty, or not of the model's dtype.
        FloatingPointError: the loss or a weight became infinite or NaN.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> x = torch.rand(40, 4, generator=g, dtype=torch.float64)
        >>> train = Split(x, (x[:, 0] > 0.5).long())
        >>> history = fit(mlp((4, 16, 2), init=g), train, Recipe(60), order=g, evaluate={"train": train})
        >>> history.error["train"][-1]
        0.0
    """
    return _run(
        Single(model),
        [train],
        [recipe],
        orders=[order],
        evaluate={name: [split] for name, split in (evaluate or {}).items()},
        augments=[augment] if augment else None,
        on_epoch=on_epoch,
    )[0]


def fit_many(
    models: Sequence[nn.Module],
    train: Split | Sequence[Split],
    recipe: Recipe | Sequence[Recipe],
    *,
    orders: Sequence[Generator],
    evaluate: Mapping[str, Split | Sequence[Split]] | None = None,
    augments: Sequence[Augment] | None = None,
    on_epoch: OnEpoch | None = None,
) -> list[History]:
    """Train K replicas as `fit` would train each of them, in one batched computation where possible.

    Replica k draws the same order and the same masks as it would alone, so its curves agree with those
    of `fit` up to rounding; for that it needs generators which no other replica draws from. Replicas are
    stacked in groups that fit in a processor's cache, which makes small networks several times faster
    and large ones no slower. Networks without a stacked form (anything but a ``Sequential`` of trainable
    linear, element-wise and `Dropout` layers), splits of different sizes and recipes that differ in
    more than learning rate and weight decay are trained one by one.

    Args:
        models: K networks; all are changed in place. Initial weights and p may differ.
        train: one training set for all, or one for each replica.
        recipe: as in `fit`, one for all or one for each replica.
        orders: K sources of the example order, one for each replica.
        evaluate: named splits, each shared or one for each replica.
        augments: one augmentation for each replica.
        on_epoch: as in `fit`; called for each group of replicas in turn.

    Returns:
        K histories, in the order of ``models``.

    Raises:
        ValueError: there is no model, or a list has another length than ``models``; else as `fit`.
        FloatingPointError: the loss or a weight of a replica became infinite or NaN.

    Example:
        >>> from dropoutlab.models import mlp
        >>> from dropoutlab.seeds import streams
        >>> g = torch.Generator().manual_seed(1)
        >>> x = torch.rand(40, 4, generator=g, dtype=torch.float64)
        >>> train = Split(x, (x[:, 0] > 0.5).long())
        >>> seeds = [streams(1000 + k) for k in range(3)]
        >>> nets = [mlp((4, 16, 2), p=0.2, init=s.init, masks=s.masks) for s in seeds]
        >>> histories = fit_many(
        ...     nets, train, Recipe(5), orders=[s.order for s in seeds], evaluate={"train": train}
        ... )
        >>> len(histories), len(histories[0].loss["train"])
        (3, 5)
    """
    k = len(models)
    if k == 0:
        raise ValueError("fit_many needs at least one model, got none")
    trains = _per_replica("train", train, k)
    recipes = [recipe] * k if isinstance(recipe, Recipe) else list(recipe)
    splits = {name: _per_replica(f"evaluate[{name!r}]", split, k) for name, split in (evaluate or {}).items()}
    for name, items in (("orders", orders), ("augments", augments), ("recipe", recipes)):
        if items is not None and len(items) != k:
            raise ValueError(f"{name} must hold one item for each of the {k} models, got {len(items)}")
    sizes = [[len(split) for split in group] for group in (trains, *splits.values())]
    alike = len({replace(each, lr=1.0, weight_decay=0.0) for each in recipes}) == 1
    together = 1
    if alike and stackable(models) and all(len(set(group)) == 1 for group in sizes):
        together = group_size(models[0], min(recipes[0].batch_size, len(trains[0])))
    histories = []
    # Groups of equal size, up to one: a last group of a single replica would waste what stacking gains.
    groups = math.ceil(k / together)
    for g in range(groups):
        members = slice(k * g // groups, k * (g + 1) // groups)
        group = models[members]
        histories += _run(
            # Only what is `stackable` comes in groups, and that is sequential.
            Single(group[0]) if len(group) == 1 else Stack(cast("Sequence[nn.Sequential]", group)),
            trains[members],
            recipes[members],
            orders=orders[members],
            evaluate={name: group[members] for name, group in splits.items()},
            augments=augments[members] if augments else None,
            on_epoch=on_epoch,
        )
    return histories


def _per_replica(name: str, split: Split | Sequence[Split], k: int) -> list[Split]:
    splits = [split] * k if isinstance(split, Split) else list(split)
    if len(splits) != k:
        raise ValueError(f"{name} must be one split or one for each of the {k} models, got {len(splits)}")
    return splits


def _run(
    network: Network,
    trains: Sequence[Split],
    recipes: Sequence[Recipe],
    *,
    orders: Sequence[Generator],
    evaluate: Mapping[str, Sequence[Split]],
    augments: Sequence[Augment] | None,
    on_epoch: OnEpoch | None,
) -> list[History]:
    x, y = _join(trains)
    k, n = y.shape
    evaluation = {name: _join(splits) for name, splits in evaluate.items()}
    parameters = [*network.weights, *network.biases]
    for name, examples in (("train", x), *((name, part) for name, (part, _) in evaluation.items())):
        _check_examples(name, examples, parameters)
    rule = optimiser(network.weights, network.biases, recipes)
    recipe = recipes[0]
    histories = [History(error={s: [] for s in evaluate}, loss={s: [] for s in evaluate}) for _ in range(k)]
    for epoch in range(1, recipe.epochs + 1):
        for index in _batches(n, recipe.batch_size, orders):
            batch, target = _take(x, index), _take(y, index)  # (K, B, D), (K, B)
            if augments is not None:
                batch = torch.stack([augment(part) for augment, part in zip(augments, batch, strict=True)])
            logits = network.forward(batch, training=True)
            # The sum of the K mean losses: each replica's gradient is then what it would be alone.
            loss = cross_entropy(logits.flatten(0, 1), target.flatten()) * k
            rule.zero_grad(set_to_none=True)
            loss.backward()
            rule.step()
            if recipe.max_norm is not None:
                network.bound(recipe.max_norm)
        # The last step may break the weights after a loss that was still finite.
        if not (math.isfinite(loss.item()) and all(w.isfinite().all() for w in parameters)):
            raise FloatingPointError(
                f"training diverged: loss or weights are infinite or NaN after epoch {epoch}; "
                f"lower lr={max(each.lr for each in recipes)}, and make sure that all examples are finite"
            )
        for group in rule.param_groups:
            group["lr"] = group["lr"] * recipe.lr_decay
        if epoch % recipe.evaluate_every == 0 or epoch == recipe.epochs:
            _record(histories, epoch, network, evaluation)
        if on_epoch is not None:
            on_epoch(epoch, recipe.epochs)
    network.finish()
    return histories


def _join(splits: Sequence[Split]) -> tuple[Tensor, Tensor]:
    """Return ``x (K, N, D)`` and ``y (K, N)``; a split shared by all replicas is not copied."""
    first = splits[0]
    if all(split is first for split in splits):
        return first.x.expand(len(splits), *first.x.shape), first.y.expand(len(splits), -1)
    return torch.stack([split.x for split in splits]), torch.stack([split.y for split in splits])


def _check_examples(name: str, x: Tensor, parameters: Sequence[Tensor]) -> None:
    if x.shape[1] == 0:
        raise ValueError(f"the {name} split is empty; draw at least one example or leave it out")
    dtypes = {parameter.dtype for parameter in parameters}
    if dtypes and x.dtype not in dtypes:
        raise ValueError(
            f"the {name} split holds {x.dtype}, the network {' and '.join(map(str, dtypes))}; "
            "convert one of them with .to(dtype)"
        )


def _take(values: Tensor, index: Tensor) -> Tensor:
    return values[torch.arange(len(index))[:, None], index]


def _batches(n: int, size: int, orders: Sequence[Generator]) -> Iterator[Tensor]:
    permutations = torch.stack([torch.randperm(n, generator=order) for order in orders])  # (K, N)
    yield from torch.split(permutations, size, dim=1)


@torch.no_grad()
def _record(
    histories: list[History], epoch: int, network: Network, evaluation: Mapping[str, tuple[Tensor, Tensor]]
) -> None:
    for history in histories:
        history.epochs.append(epoch)
    for name, (x, y) in evaluation.items():
        k, n = y.shape
        wrong = torch.zeros(k, dtype=torch.float64, device=x.device)
        total = torch.zeros_like(wrong)
        rows = max(1, _EVALUATION_ROWS // k)
        for start in range(0, n, rows):
            target = y[:, start : start + rows]
            logits = network.forward(x[:, start : start + rows], training=False)
            wrong += (logits.argmax(-1) != target).sum(1)
            losses = cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
            total += losses.reshape(k, -1).sum(1, dtype=torch.float64)
        for i, history in enumerate(histories):
            history.error[name].append(wrong[i].item() / n)
            history.loss[name].append(total[i].item() / n)
