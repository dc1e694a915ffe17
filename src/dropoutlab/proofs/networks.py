"""Claims about layers and training that one small network settles."""

from collections.abc import Sequence

import torch
from torch import nn

from dropoutlab.comparison import Arm, Task, curves
from dropoutlab.formulations import formulation_gap
from dropoutlab.functional import dropout
from dropoutlab.gradients import movement_of_dropped_unit
from dropoutlab.masks import keep_mask
from dropoutlab.proofs.result import Proof
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe

__all__ = [
    "a_dropped_unit_stays_where_it_is",
    "activation_before_dropout_is_the_only_order",
    "both_scalings_train_alike",
    "both_scalings_train_alike_with_matched_rates",
    "early_stopping_has_no_hyperparameters",
    "forgotten_scaling_doubles_the_next_layer",
]


def a_dropped_unit_stays_where_it_is() -> Proof:
    """Move a unit that is dropped for a whole batch: by momentum, with a gradient of exactly zero."""
    moved = movement_of_dropped_unit(lambda parameters: torch.optim.SGD(parameters, 0.1, 0.9), seed=1000)
    still = movement_of_dropped_unit(lambda parameters: torch.optim.SGD(parameters, 0.1), seed=1000)
    return Proof(
        holds=moved == 0,
        value=moved,
        unit="1",
        says="Its gradient is exactly zero and plain SGD leaves it alone"
        + (", but momentum moves it." if still == 0 and moved > 0 else "."),
    )


def activation_before_dropout_is_the_only_order() -> Proof:
    """Swap activation and dropout under one mask, for ReLU and for the sigmoid."""
    g = streams(1000)
    x = torch.randn(64, 32, generator=g.data, dtype=torch.float64)
    mask = keep_mask(x.shape, 0.3, generator=g.masks)

    def gap(activation: nn.Module) -> float:
        after = dropout(activation(x), 0.3, training=True, mask=mask)
        before = activation(dropout(x, 0.3, training=True, mask=mask))
        return float((after - before).abs().max())

    relu, sigmoid = gap(nn.ReLU()), gap(nn.Sigmoid())
    return Proof(
        holds=relu > 0,
        value=sigmoid,
        unit="1",
        says="For ReLU the two orders agree bit for bit; for a sigmoid they differ, "
        "because a dropped input becomes one half.",
    )


def both_scalings_train_alike() -> Proof:
    """Train both formulations with equal learning rates and the same masks, 200 steps of SGD."""
    gap = float(formulation_gap(0.3, 200, lr=0.1, matched=False, seed=1000).weights.iloc[-1])
    return Proof(
        holds=gap <= 1e-9,
        value=gap,
        unit="1",
        says="Starting from the same function, they drift apart: the next layer's gradient differs by q.",
    )


def both_scalings_train_alike_with_matched_rates() -> Proof:
    """The same with the next layer's learning rate divided by q²."""
    gap = float(formulation_gap(0.3, 200, lr=0.1, matched=True, seed=1000).weights.iloc[-1])
    return Proof(
        holds=gap <= 1e-9,
        value=gap,
        unit="1",
        says="With weights and learning rate of the next layer matched, they agree to rounding.",
    )


def early_stopping_has_no_hyperparameters() -> Proof:
    """Stop one run on digits with two values of patience and compare the epochs."""
    recipe = Recipe(20, batch_size=8, lr=0.02)
    table = curves([Arm("none")], Task(300, validation=50, test=0), recipe, [1000])
    losses = table[table.split == "validation"].sort_values("epoch").loss.tolist()
    stops = {patience: _stop(losses, patience) for patience in (1, 5)}
    return Proof(
        holds=stops[1] == stops[5],
        value=stops[5] - stops[1],
        unit="epochs",
        says="Two values of patience keep the network of two different epochs; and without a validation set "
        "there is nothing to watch.",
    )


def _stop(losses: Sequence[float], patience: int) -> int:
    """Return the epoch that is kept when training ends after ``patience`` epochs without a new minimum."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return best


def forgotten_scaling_doubles_the_next_layer() -> Proof:
    """Compare a linear layer's mean input with and without test-time scaling, p = 0.5, over fresh masks."""
    g = streams(1000)
    hidden = torch.rand(64, generator=g.data, dtype=torch.float64)
    weight = torch.rand(64, generator=g.init, dtype=torch.float64)
    expected = 0.5 * (hidden * weight).sum()  # of the sum over survivors: each is there half of the time
    ratio = ((hidden * weight).sum() / expected).item()
    return Proof(
        holds=abs(ratio - 2) < 1e-12,
        value=ratio,
        unit="1",
        says="What the next layer receives through its weights is 1/(1 − p) = 2 times too large.",
    )
