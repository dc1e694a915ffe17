# Wrong solutions ignore arguments.
# ruff: noqa: ARG005
import torch

from dropoutlab.functional import dropout
from tests.dropoutlab.grading.bank.entry import Bank

bank = Bank("dropout_lstm")


def start(cell, x):
    return torch.zeros(x.shape[1], cell.hidden_size), torch.zeros(x.shape[1], cell.hidden_size)


def unroll(cell, x, prepare=lambda t, x: x, between=lambda h, c: (h, c)):
    state, out = start(cell, x), []
    for t in range(len(x)):
        state = cell(prepare(t, x[t]), state)
        out.append(state[0])
        state = between(*state)
    return torch.stack(out)


@bank.right
def with_the_lab(cell, x, p, training, generator):
    return unroll(cell, x, lambda t, step: dropout(step, p, training=training, generator=generator))


@bank.right
def all_masks_first(cell, x, p, training, generator):
    if training:
        x = x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)
    return unroll(cell, x)


@bank.right
def without_a_first_state(cell, x, p, training, generator):
    state, out = None, []
    for step in x:
        masked = step
        if training:
            masked = step * torch.bernoulli(torch.full_like(step, 1 - p), generator=generator) / (1 - p)
        state = cell(masked, state)
        out += [state[0]]
    return torch.stack(out, dim=0)


@bank.right
def into_a_tensor(cell, x, p, training, generator):
    steps, batch, _ = x.shape
    out = torch.empty(steps, batch, cell.hidden_size)
    h, c = start(cell, x)
    for t in range(steps):
        step = x[t].clone()
        if training:
            step[torch.rand(step.shape, generator=generator) < p] = 0
            step /= 1 - p
        h, c = cell(step, (h, c))
        out[t] = h
    return out


@bank.right
def with_cat(cell, x, p, training, generator):
    h, c = start(cell, x)
    out = []
    for step in x.unbind(0):
        keep = torch.empty(step.shape).uniform_(generator=generator) >= p
        h, c = cell(torch.where(keep, step / (1 - p), 0.0) if training else step, (h, c))
        out.append(h.unsqueeze(0))
    return torch.cat(out)


@bank.wrong("dropout-on-recurrent-state")
def state_too(cell, x, p, training, generator):
    def drop(value):
        return dropout(value, p, training=training, generator=generator)

    return unroll(cell, x, lambda t, step: drop(step), lambda h, c: (drop(h), c))


@bank.wrong("dropout-on-recurrent-state")
def memory_only(cell, x, p, training, generator):
    return unroll(cell, x, between=lambda h, c: (h, dropout(c, p, training=training, generator=generator)))


@bank.wrong("dropout-missing")
def never(cell, x, p, training, generator):
    return unroll(cell, x)


@bank.wrong("mask-repeats")
def one_mask_for_all_steps(cell, x, p, training, generator):
    mask = (torch.rand(x.shape[1:], generator=generator) >= p) / (1 - p)
    return unroll(cell, x, lambda t, step: step * mask if training else step)


@bank.wrong("mask-shared-across-batch")
def one_mask_for_the_batch(cell, x, p, training, generator):
    return unroll(
        cell,
        x,
        lambda t, step: (
            step * (torch.rand(step.shape[1], generator=generator) >= p) / (1 - p) if training else step
        ),
    )


@bank.wrong("active-in-evaluation")
def always(cell, x, p, training, generator):
    return unroll(cell, x, lambda t, step: dropout(step, p, training=True, generator=generator))


@bank.wrong("state-not-carried")
def forgets(cell, x, p, training, generator):
    steps = [cell(dropout(step, p, training=training, generator=generator))[0] for step in x]
    return torch.stack(steps)


@bank.wrong("dropout-on-output")
def output_too(cell, x, p, training, generator):
    out = with_the_lab(cell, x, p, training, generator)
    return dropout(out, p, training=training, generator=generator)


@bank.wrong("wrong-shape")
def last_only(cell, x, p, training, generator):
    return with_the_lab(cell, x, p, training, generator)[-1]


@bank.wrong("ignores-generator")
def global_generator(cell, x, p, training, generator):
    return unroll(cell, x, lambda t, step: torch.nn.functional.dropout(step, p, training))


@bank.wrong("keep-drop-swapped")
def swapped(cell, x, p, training, generator):
    return unroll(cell, x, lambda t, step: dropout(step, 1 - p, training=training, generator=generator))
