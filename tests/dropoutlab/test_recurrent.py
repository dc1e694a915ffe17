import math

import pytest
import torch
from torch import nn

from dropoutlab.recurrent import CharLSTM

F64 = {"dtype": torch.float64}


def codes_of(seeded, batch=4, length=6):
    return torch.randint(0, 9, (batch, length), generator=seeded(11))


def reference(model, codes, x_factor=1.0, h_factor=None, y_factor=1.0):
    """Step by step with PyTorch's own cell; factors are (T, B, ...) or 1."""
    n = model.hidden
    cell = nn.LSTMCell(model.inputs.in_features, n, **F64)
    # PyTorch keeps the gates in the order input, forget, cell, output; ours are input, forget, output, cell.
    order = torch.cat([torch.arange(2 * n), torch.arange(3 * n, 4 * n), torch.arange(2 * n, 3 * n)])
    with torch.no_grad():
        cell.weight_ih.copy_(model.inputs.weight[order])
        cell.weight_hh.copy_(model.state[order])
        cell.bias_ih.copy_(model.inputs.bias[order])
        cell.bias_hh.zero_()
    x = model.embedding[codes.T] * x_factor
    h = c = torch.zeros(len(codes), n, **F64)
    states = []
    for t, step in enumerate(x):
        h, c = cell(step, (h if h_factor is None else h * h_factor[t], c))
        states.append(h)
    return model.outputs(torch.stack(states) * y_factor).transpose(0, 1)


@pytest.mark.parametrize("training", [True, False])
def test_without_dropout_it_is_an_lstm(seeded, training):
    model = CharLSTM(9, 3, 5, init=seeded(1), **F64).train(training)
    codes = codes_of(seeded)
    torch.testing.assert_close(model(codes), reference(model, codes), rtol=0, atol=1e-12)


def test_gradients_are_those_of_an_lstm(seeded):
    model, codes = CharLSTM(9, 3, 5, init=seeded(1), **F64), codes_of(seeded)
    names = [name for name, _ in model.named_parameters()]
    found = torch.autograd.grad(model(codes).square().sum(), list(model.parameters()))
    numeric = []
    for parameter in model.parameters():
        flat = parameter.detach().view(-1)
        before, values = flat[0].item(), []
        for change in (1e-5, -1e-5):
            flat[0] = before + change
            values.append(model(codes).square().sum().item())
        flat[0] = before
        numeric.append((values[0] - values[1]) / 2e-5)
    for name, exact, approximate in zip(names, found, numeric, strict=True):
        assert exact.view(-1)[0].item() == pytest.approx(approximate, rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("where", ["between layers", "everywhere"])
def test_masks_act_where_they_should(seeded, monkeypatch, tied, where):
    drawn = []

    def record(shape, p, *, generator):
        assert p == 0.3
        mask = torch.rand(shape, generator=generator) >= p
        drawn.append(mask)
        return mask

    monkeypatch.setattr("dropoutlab.recurrent.keep_mask", record)
    model = CharLSTM(9, 3, 5, init=seeded(1), p=0.3, where=where, tied=tied, masks=seeded(2), **F64)
    codes = codes_of(seeded)
    found = model(codes)
    steps = 1 if tied else 6
    widths = [3, 5, 5] if where == "everywhere" else [3, 5]
    assert [tuple(mask.shape) for mask in drawn] == [(steps, 4, width) for width in widths]
    factors = [mask.double().expand(6, -1, -1) / 0.7 for mask in drawn]
    expected = reference(model, codes, factors[0], factors[1] if len(factors) == 3 else None, factors[-1])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_evaluation_uses_no_mask_and_draws_none(seeded):
    g = seeded(2)
    model = CharLSTM(9, 3, 5, init=seeded(1), p=0.3, masks=g, **F64).eval()
    plain = CharLSTM(9, 3, 5, init=seeded(1), **F64)
    state, codes = g.get_state(), codes_of(seeded)
    assert torch.equal(model(codes), plain(codes))
    assert torch.equal(g.get_state(), state)


@pytest.mark.parametrize("tied", [True, False])
def test_masked_inputs_have_the_right_mean(seeded, tied):
    model = CharLSTM(9, 4, 5, init=seeded(1), p=0.3, tied=tied, masks=seeded(3), **F64)
    ones = torch.ones(10, 2000, 4, **F64)
    kept = model._mask(ones)
    independent = 2000 * 4 * (1 if tied else 10)
    # Each factor has mean 1 and variance p/q: five standard errors of its mean.
    assert kept.mean().item() == pytest.approx(1, abs=5 * math.sqrt(0.3 / 0.7 / independent))
    assert torch.equal(kept[0], kept[7]) is tied


def test_forget_gates_start_open_and_nothing_comes_from_the_global_generator(seeded):
    state = torch.get_rng_state()
    model = CharLSTM(9, 3, 5, init=seeded(1), p=0.2, tied=True, masks=seeded(2))
    model(codes_of(seeded))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.inputs.bias.tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_what_comes_later_does_not_matter(seeded):
    model, codes = CharLSTM(9, 3, 5, init=seeded(1), **F64), codes_of(seeded)
    changed = codes.clone()
    changed[:, 4:] = (codes[:, 4:] + 1) % 9
    before, after = model(codes), model(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])


def test_bad_settings_are_refused(seeded):
    for sizes in ((0, 3, 5), (9, 0, 5), (9, 3, 0)):
        with pytest.raises(ValueError, match="widths must be at least 1"):
            CharLSTM(*sizes, init=seeded(1))
    with pytest.raises(ValueError, match="'between layers' or 'everywhere', got 'nowhere'"):
        CharLSTM(9, 3, 5, init=seeded(1), where="nowhere")
    with pytest.raises(ValueError, match="nothing would be left"):
        CharLSTM(9, 3, 5, init=seeded(1), p=1.0)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got 1.3"):
        CharLSTM(9, 3, 5, init=seeded(1), p=1.3)
