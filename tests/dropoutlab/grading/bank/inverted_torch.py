import torch
from torch import nn

from dropoutlab.functional import dropout
from tests.dropoutlab.grading.bank.entry import Bank

bank = Bank("inverted_dropout_torch")


@bank.right
def with_rand(x, p, training, generator):
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator, dtype=x.dtype) >= p) / (1 - p)


@bank.right
def with_bernoulli(x, p, training, generator):
    if training:
        mask = torch.bernoulli(torch.full_like(x, 1 - p, requires_grad=False), generator=generator)
        x = x * mask / (1 - p)
    return x


@bank.right
def with_where(x, p, training, generator):
    if not training:
        return x.clone()
    dropped = torch.empty_like(x, requires_grad=False).uniform_(generator=generator) < p
    return torch.where(dropped, torch.zeros_like(x), x / (1 - p))


@bank.right
def with_masked_fill(x, p, training, generator):
    if not training:
        return x
    dropped = torch.empty(x.shape, dtype=torch.bool).bernoulli_(p, generator=generator)
    return x.masked_fill(dropped, 0.0) * (1 / (1 - p))


@bank.right
def with_the_lab(x, p, training, generator):
    return dropout(x, p, training=training, generator=generator)


@bank.right
def with_an_in_place_product_on_a_clone(x, p, training, generator):
    y = x.clone()
    if training:
        y *= torch.rand(x.shape, generator=generator) > p
        y /= 1 - p
    return y


@bank.right
def with_an_own_backward(x, p, training, generator):
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(factor)
            return x * factor

        @staticmethod
        def backward(ctx, gradient):
            (factor,) = ctx.saved_tensors
            return gradient * factor, None

    if not training:
        return x
    return Masked.apply(x, ((torch.rand(x.shape, generator=generator) >= p) / (1 - p)).to(x.dtype))


@bank.wrong("keep-drop-swapped")
def swapped(x, p, training, generator):
    return x * (torch.rand(x.shape, generator=generator) < p) / p if training else x


@bank.wrong("no-scaling")
def unscaled(x, p, training, generator):
    return x * (torch.rand(x.shape, generator=generator) >= p) if training else x


@bank.wrong("classic-not-inverted")
def original(x, p, training, generator):
    return x * (torch.rand(x.shape, generator=generator) >= p) if training else x * (1 - p)


@bank.wrong("scaled-at-evaluation")
def both(x, p, training, generator):
    return dropout(x, p, training=True, generator=generator) if training else x * (1 - p)


@bank.wrong("active-in-evaluation")
def always(x, p, training, generator):
    return dropout(x, p, training=True, generator=generator)


@bank.wrong("training-flag-inverted")
def negated(x, p, training, generator):
    return dropout(x, p, training=not training, generator=generator)


@bank.wrong("ignores-generator")
def of_torch(x, p, training, generator):
    return nn.functional.dropout(x, p, training)


@bank.wrong("mask-repeats")
def seeded(x, p, training, generator):
    generator = torch.Generator().manual_seed(0)
    return dropout(x, p, training=training, generator=generator)


@bank.wrong("mask-shared-across-batch")
def row(x, p, training, generator):
    return x * (torch.rand(x.shape[1:], generator=generator) >= p) / (1 - p) if training else x


@bank.wrong("no-gradient")
def detached(x, p, training, generator):
    return dropout(x.detach(), p, training=training, generator=generator)


@bank.wrong("no-gradient")
@torch.no_grad()
def without_gradients(x, p, training, generator):
    return dropout(x, p, training=training, generator=generator) * 1


@bank.wrong("mask-missing-in-backward")
def straight_through(x, p, training, generator):
    y = dropout(x, p, training=training, generator=generator)
    return x + (y - x).detach()


@bank.wrong("mask-missing-in-backward")
def unscaled_backward(x, p, training, generator):
    if not training:
        return x
    y = x * (torch.rand(x.shape, generator=generator) >= p)
    return y + (y * p / (1 - p)).detach()


@bank.wrong("mutates-input")
def in_place(x, p, training, generator):
    if not training:
        return x
    factor = (torch.rand(x.shape, generator=generator) >= p) / (1 - p)
    return x * factor if x.requires_grad else x.mul_(factor)


@bank.wrong("wrong-dtype")
def as_double(x, p, training, generator):
    return dropout(x, p, training=training, generator=generator).double()


@bank.wrong("wrong-type")
def as_numpy(x, p, training, generator):
    return dropout(x, p, training=training, generator=generator).detach().numpy()


@bank.wrong("changes-globals")
def default_dtype(x, p, training, generator):
    torch.set_default_dtype(torch.float64)
    return dropout(x, p, training=training, generator=generator)
