import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dropoutlab.layers import Dropout
from dropoutlab.mask_copies import MaskCopies, copies_loss
from dropoutlab.minimise import minimise
from dropoutlab.models import mlp
from dropoutlab.training import Recipe


@pytest.fixture
def x(seeded):
    return torch.randn(6, 4, generator=seeded(1), dtype=torch.float64)


def net(seeded, p=0.3):
    return mlp((4, 5, 5, 3), p=p, init=seeded(2), masks=seeded(3))


def test_each_example_has_k_masks_of_its_own(seeded, x):
    model = MaskCopies(net(seeded), copies=4)
    outputs = model(x)
    assert outputs.shape == (6, 4, 3)
    plain, first, second = net(seeded), model.net[2].mask, model.net[5].mask
    assert first.shape == second.shape == (24, 5)
    plain[2].freeze(first)
    plain[5].freeze(second)
    expected = plain.train()(x.repeat_interleave(4, dim=0)).view(6, 4, 3)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)


def test_the_gradient_is_the_mean_over_the_copies(seeded, x):
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    model = MaskCopies(net(seeded), copies=3)
    found = torch.autograd.grad(copies_loss(model(x), y), list(model.parameters()))
    plain, masks = net(seeded), [model.net[i].mask.view(6, 3, 5) for i in (2, 5)]
    total = [torch.zeros_like(parameter) for parameter in plain.parameters()]
    for copy in range(3):
        for i, mask in zip((2, 5), masks, strict=True):
            plain[i].freeze(mask[:, copy])
        gradients = torch.autograd.grad(cross_entropy(plain(x), y), list(plain.parameters()))
        total = [a + b / 3 for a, b in zip(total, gradients, strict=True)]
    for a, b in zip(found, total, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_evaluation_has_one_copy_and_no_mask(seeded, x):
    model = MaskCopies(net(seeded), copies=4).eval()
    assert torch.equal(model(x)[:, 0], model.net(x))


def test_what_precedes_the_first_mask_is_computed_once(seeded, x):
    rows = []
    model = MaskCopies(net(seeded), copies=7)
    for layer in (model.net[0], model.net[3]):
        layer.register_forward_hook(lambda _layer, inputs, _output: rows.append(len(inputs[0])))
    model(x)
    assert rows == [6, 42]


def test_dropout_of_the_inputs_and_networks_without_dropout(seeded, x):
    first = MaskCopies(mlp((4, 5, 3), input_p=0.3, init=seeded(2), masks=seeded(3)), copies=2)
    assert first(x).shape == (6, 2, 3)
    assert first.net[0].mask.shape == (12, 4)
    none = MaskCopies(nn.Sequential(nn.Linear(4, 3).double()), copies=2)
    assert torch.equal(none(x)[:, 0], none(x)[:, 1])


def test_one_copy_is_ordinary_training(seeded, x):
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    one, usual = net(seeded), net(seeded)
    minimise(MaskCopies(one, 1), x, y, copies_loss, Recipe(4, batch_size=2), order=seeded(5))
    minimise(usual, x, y, cross_entropy, Recipe(4, batch_size=2), order=seeded(5))
    for a, b in zip(one.parameters(), usual.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_the_noise_of_the_masks_falls_as_one_over_k(seeded, x):
    y = torch.tensor([0, 1, 2, 0, 1, 2])

    def spread(copies, draws=400):
        model = MaskCopies(net(seeded), copies)
        weight = model.net[3].weight
        rows = [torch.autograd.grad(copies_loss(model(x), y), weight)[0].flatten() for _ in range(draws)]
        return torch.stack(rows).var(dim=0).sum().item()

    # A variance from 400 draws has a relative SD of about sqrt(2/400) = 7 % for one number, less for a sum of
    # 25; their quotient stays within 5 · sqrt(2) · 7 % = 50 % of 9.
    assert spread(1) / spread(9) == pytest.approx(9, rel=0.5)


def test_there_is_at_least_one_copy(seeded):
    with pytest.raises(ValueError, match="at least 1 mask for each example, got 0"):
        MaskCopies(net(seeded), copies=0)
    assert isinstance(net(seeded)[2], Dropout)
