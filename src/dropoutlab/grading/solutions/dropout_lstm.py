"""Dropout in an unrolled LSTM."""

import torch
from torch import Tensor, nn

from dropoutlab.grading.checks import recurrent
from dropoutlab.grading.exercise import Exercise


def dropout_lstm(
    cell: nn.LSTMCell,
    x: Tensor,
    p: float,
    training: bool,
    generator: torch.Generator,
) -> Tensor:
    """Return the hidden states of an LSTM whose inputs are dropped in
    training, shape (T, N, H).

    ``x`` has shape (T, N, D). In step t the cell gets x[t] after inverted
    dropout at rate ``p``, with a new mask in every step, drawn from
    ``generator``. The states h and c, which begin as zeros, go from step to
    step untouched. In evaluation nothing is dropped.
    """
    h = c = torch.zeros(x.shape[1], cell.hidden_size)
    states = []
    for step in x:
        if training:
            step = (
                step
                * (torch.rand(step.shape, generator=generator) >= p)
                / (1 - p)
            )
        h, c = cell(step, (h, c))
        states.append(h)
    return torch.stack(states)


EXERCISE = Exercise(
    name="dropout_lstm",
    chapter="05-placement",
    title="Dropout in a recurrent network",
    difficulty=3,
    minutes=20,
    todo="drop the input of each step with a new mask; hand h and c on untouched",
    task=(
        "Unroll an LSTM cell over T steps, with dropout on the connections that go *up* and not on those "
        "that go *on*: the input of each step is dropped, the state is not (Zaremba et al., 2014). Return "
        "all hidden states."
    ),
    hints=(
        "`h, c = cell(x[t], (h, c))` is one step. Begin with zeros, collect `h`.",
        "Only the first argument of the cell is masked. Is the mask drawn inside the loop?",
        "In the loop, if training: `step * (torch.rand(step.shape, generator=generator) >= p) / (1 - p)`.",
    ),
    why=(
        "A state that is dropped in every step keeps a memory of T steps with probability $q^T$. On the "
        "way up each value is masked once, however long the sequence. Another rule, one mask for all "
        "steps, may drop the state as well; it is not what was asked here."
    ),
    solution=dropout_lstm,
    aspects=(recurrent.evaluation, recurrent.training, recurrent.generator),
)
