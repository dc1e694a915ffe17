"""Chapter 5: dropout in an unrolled LSTM, watched through a cell that remembers what it was given."""

import torch
from torch import Tensor, nn

from dropoutlab.grading.checks import masks
from dropoutlab.grading.checks.masks import RATES, Masked, masked
from dropoutlab.grading.checks.values import shown
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner

_STEPS, _BATCH, _IN, _HIDDEN = 6, 40, 40, 4
_CLOSE = 1e-5


class _Cell(nn.LSTMCell):
    """An LSTM cell with fixed weights that keeps what it was given and what it returned."""

    def __init__(self) -> None:
        super().__init__(_IN, _HIDDEN)
        generator = torch.Generator().manual_seed(1000)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0, 0.5, generator=generator)
        self.inputs: list[Tensor] = []
        self.given: list[tuple[Tensor, Tensor]] = []
        self.returned: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Make one step."""
        if state is None:
            state = (torch.zeros(len(x), _HIDDEN), torch.zeros(len(x), _HIDDEN))
        self.inputs.append(x.detach().clone())
        self.given.append((state[0].detach().clone(), state[1].detach().clone()))
        after = super().forward(x, state)
        self.returned.append((after[0].detach().clone(), after[1].detach().clone()))
        return after


def evaluation(learner: Learner) -> None:
    """In evaluation the cell sees the input itself."""
    for p in RATES:
        cell, x, result = _unrolled(learner, p, False, 1)
        _check_states(cell)
        call = _mask(cell, x, p)
        masks.check_evaluation([call], lambda _: 1.0, masks.INVERTED_EVALUATION, _CLOSE)
        if not torch.equal(result, torch.stack([h for h, _ in cell.returned])):
            raise Failed("evaluation-changes-input", "The result is not the sequence of the hidden states.")


def training(learner: Learner) -> None:
    """In training the input of every step is dropped with a new mask; the state is not."""
    calls = []
    for seed, p in enumerate(RATES):
        cell, x, result = _unrolled(learner, p, True, seed)
        _check_states(cell)
        if not torch.equal(result, torch.stack([h for h, _ in cell.returned])):
            raise Failed(
                "dropout-on-output", "In training the result is not the sequence of the hidden states."
            )
        call = _mask(cell, x, p)
        if call.kept.all():
            raise Failed("dropout-missing", f"With p = {p} the cell always saw the whole input.")
        steps = call.kept.reshape(_STEPS, _BATCH, _IN)
        if (steps == steps[:1]).all():
            raise Failed("mask-repeats", f"With p = {p} all {_STEPS} steps dropped the same elements.")
        if (steps == steps[:, :1]).all():
            raise Failed(
                "mask-shared-across-batch", f"With p = {p} all {_BATCH} examples lost the same elements."
            )
        calls.append(call)
    masks.check_fraction(calls)
    masks.check_scale(calls, lambda p: 1 / (1 - p), masks.INVERTED, _CLOSE)


def generator(learner: Learner) -> None:
    """The masks come from the generator."""

    def draw(p: float, source: torch.Generator) -> Masked:
        cell, x, _ = _unrolled(learner, p, True, source)
        return _mask(cell, x, p)

    masks.check_randomness(draw, lambda seed: torch.Generator().manual_seed(seed))


def _unrolled(
    learner: Learner, p: float, training: bool, seed: int | torch.Generator
) -> tuple[_Cell, Tensor, Tensor]:
    cell = _Cell()
    source = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    x = 1 + torch.rand(_STEPS, _BATCH, _IN, generator=torch.Generator().manual_seed(5))
    result = learner(cell, x, p, training, source)
    if not isinstance(result, Tensor):
        raise Failed("wrong-type", f"It returned {shown(result)}; a tensor was expected.")
    if result.shape != (_STEPS, _BATCH, _HIDDEN):
        wanted = (_STEPS, _BATCH, _HIDDEN)
        raise Failed(
            "wrong-shape", f"For x of {tuple(x.shape)} the result is {tuple(result.shape)}, not {wanted}."
        )
    if len(cell.inputs) != _STEPS:
        raise Failed("wrong-value", f"The cell was called {len(cell.inputs)} times in {_STEPS} steps.")
    return cell, x, result.detach()


def _check_states(cell: _Cell) -> None:
    for given, returned in zip(cell.given[1:], cell.returned, strict=False):
        for now, before in zip(given, returned, strict=True):
            if torch.equal(now, before):
                continue
            lost = float((now == 0).double().mean())
            if 0 < lost < 1:
                seen = f"{lost:.0%} of a state were zero when the next step got it."
                raise Failed("dropout-on-recurrent-state", seen)
            raise Failed("state-not-carried", "A step did not get the state that the step before returned.")


def _mask(cell: _Cell, x: Tensor, p: float) -> Masked:
    seen = torch.stack(cell.inputs)
    return masked(p, x.flatten(0, 1).numpy(), seen.flatten(0, 1).numpy())
