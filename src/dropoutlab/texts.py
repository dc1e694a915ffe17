"""Train and read models of text: windows of characters, the loss per character, one loop for all of them.

A model of text maps codes ``(B, T)`` to logits ``(B, T, V)``: at every place, what comes next.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab.training import Recipe

_ROWS = 256  # windows read at once in evaluation: bounds memory, not results


@dataclass
class TextRun:
    """What came of training a model of text.

    Attributes:
        epochs: the passes after which validation was read, counted from 1.
        validation: loss per character on the validation text, in nats, one value for each of them.
        best: the weights of the pass with the lowest validation loss, the first of equals.
    """

    epochs: list[int] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)


def draw_text(codes: Tensor, train: int, validation: int, *, generator: Generator) -> tuple[Tensor, Tensor]:
    """Draw a passage for training, and the passage that follows it for validation.

    Args:
        codes: a text, int64 ``(N,)``.
        train: characters to train on, at least 1.
        validation: characters that follow them, from 0 up.
        generator: source of the place; every place is equally likely.

    Returns:
        Codes ``(train,)`` and ``(validation,)``.

    Raises:
        ValueError: a length is out of range, or the text is too short for both.

    Example:
        >>> a, b = draw_text(torch.arange(10), 5, 3, generator=torch.Generator().manual_seed(1))
        >>> len(a), len(b), (b[0] - a[-1]).item()
        (5, 3, 1)
    """
    spare = len(codes) - train - validation
    if train < 1 or validation < 0 or spare < 0:
        raise ValueError(
            f"need at least 1 character for training and no more than the {len(codes)} there are, "
            f"got {train} for training and {validation} for validation"
        )
    start = int(torch.randint(0, spare + 1, (1,), generator=generator))
    return codes[start : start + train], codes[start + train : start + train + validation]


def windows(codes: Tensor, context: int) -> Tensor:
    """Cut a text into windows of ``context`` characters and their successors; a rest is left out.

    Each character is predicted in exactly one window, so one pass over the windows is one pass over the text.

    Args:
        codes: a text, int64 ``(N,)``.
        context: characters T that a model sees at once, at least 1.

    Returns:
        View ``(M, T + 1)``: the first T columns are inputs, the last T what follows each of them.

    Raises:
        ValueError: ``context`` is below 1, or the text holds no window.

    Example:
        >>> windows(torch.arange(8), 3).tolist()
        [[0, 1, 2, 3], [3, 4, 5, 6]]
    """
    if context < 1 or len(codes) <= context:
        raise ValueError(
            f"a window needs at least 1 character and one more to predict, "
            f"got a context of {context} in {len(codes)} characters"
        )
    return codes.unfold(0, context + 1, context)


@torch.no_grad()
def character_loss(model: nn.Module, codes: Tensor, context: int) -> float:
    """Measure the mean loss per character of a text, in nats, in evaluation mode.

    Windows overlap by half, and only their second half counts: each character is predicted from
    ``context / 2`` characters at least.

    Args:
        model: maps codes ``(B, T)`` to logits ``(B, T, V)``; left in evaluation mode.
        codes: a text, int64 ``(N,)``.
        context: length T of the windows, even.

    Returns:
        Mean cross-entropy of the characters that count.

    Raises:
        ValueError: ``context`` is odd or below 2, or the text holds no window.

    Example:
        >>> class Uniform(nn.Module):
        ...     def forward(self, codes):
        ...         return torch.zeros(*codes.shape, 4)
        >>> round(character_loss(Uniform(), torch.arange(50) % 4, 8), 4) == round(math.log(4), 4)
        True
    """
    if context < 2 or context % 2:
        raise ValueError(f"the context must be even and at least 2, got {context}")
    half = context // 2
    if len(codes) <= context:
        raise ValueError(f"a text of {len(codes)} characters holds no window of {context} and what follows")
    model.eval()
    total, count = 0.0, 0
    for rows in codes.unfold(0, context + 1, half).split(_ROWS):
        logits = model(rows[:, :-1])[:, half:].flatten(0, 1)
        target = rows[:, half + 1 :].flatten()
        total += cross_entropy(logits, target, reduction="none").sum(dtype=torch.float64).item()
        count += len(target)
    return total / count


def fit_text(
    model: nn.Module,
    codes: Tensor,
    context: int,
    recipe: Recipe,
    *,
    order: Generator,
    validation: Tensor,
    warm_up: float = 0.1,
    clip: float = 1.0,
) -> TextRun:
    r"""Train a model of text by Adam, with a rate that rises over the first steps and then falls to zero.

    Of S steps, step s = 1, ..., S takes the rate

    .. math:: \eta \min\Bigl(\frac{s}{wS},\; \frac{S - s + 1}{S - wS}\Bigr)

    and a gradient longer than ``clip`` is shortened to it. Every pass visits each of `windows` once, in a
    fresh random order.

    Args:
        model: maps codes ``(B, T)`` to logits ``(B, T, V)``; changed in place, left in evaluation mode.
        codes: the training text, int64 ``(N,)``.
        context: length T of the windows, even.
        recipe: passes (``epochs``), windows per step, rate η, and how many passes apart validation is read.
            The optimiser must be ``"adam"``; there is no weight decay.
        order: source of the order of the windows. Masks come from the model's own generators.
        validation: validation text, read after the passes that the recipe names and after the last.
        warm_up: fraction w of the steps over which the rate rises, in [0, 1).
        clip: largest norm of the gradient, positive.

    Returns:
        The validation curve, and the weights at its lowest point.

    Raises:
        ValueError: the recipe asks for something else than Adam, a value is out of range, or a text holds no
            window.
        FloatingPointError: the loss or a weight became infinite or NaN.

    Source: Vaswani et al. (2017), arXiv:1706.03762, section 5.3, for the warm-up; Pascanu et al. (2013),
    arXiv:1211.5063, for the clipping.
    """
    if recipe.optimiser != "adam" or recipe.weight_decay:
        raise ValueError(
            f"text is trained by Adam without weight decay here, got {recipe.optimiser!r} "
            f"and {recipe.weight_decay}"
        )
    if not 0 <= warm_up < 1 or not 0 < clip < math.inf:
        raise ValueError(f"need 0 <= warm_up < 1 and a positive clip, got {warm_up} and {clip}")
    parts = windows(codes, context)
    steps = recipe.epochs * math.ceil(len(parts) / recipe.batch_size)
    rule = torch.optim.Adam(model.parameters(), lr=recipe.lr, fused=True)
    rates = _rates(recipe.lr, steps, warm_up)
    run, lowest = TextRun(), math.inf
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        for index in torch.randperm(len(parts), generator=order).split(recipe.batch_size):
            rows = parts[index]
            loss = cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
            rule.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            for group in rule.param_groups:
                group["lr"] = next(rates)
            rule.step()
        # The last step may break the weights after a loss that was still finite.
        if not (math.isfinite(loss.item()) and all(w.isfinite().all() for w in model.parameters())):
            raise FloatingPointError(
                f"training diverged: loss or weights are infinite or NaN after pass {epoch}; "
                f"lower lr={recipe.lr}"
            )
        if epoch % recipe.evaluate_every == 0 or epoch == recipe.epochs:
            run.epochs.append(epoch)
            run.validation.append(character_loss(model, validation, context))
            if run.validation[-1] < lowest:
                lowest, run.best = run.validation[-1], deepcopy(model.state_dict())
    model.eval()
    return run


def _rates(lr: float, steps: int, warm_up: float) -> Iterator[float]:
    rise = warm_up * steps
    for step in range(1, steps + 1):
        up = step / rise if rise else 1.0
        yield lr * min(up, (steps - step + 1) / (steps - rise))
