import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from dropoutlab.texts import _rates, character_loss, draw_text, fit_text, windows
from dropoutlab.training import Recipe

ADAM = Recipe(3, batch_size=4, lr=0.05, optimiser="adam")


class Bigram(nn.Module):
    """Logits of the next character from the present one alone."""

    def __init__(self, n):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(n, n))

    def forward(self, codes):
        return self.table[codes]


def successor_text(length, n=5):
    return torch.arange(length) % n


def test_a_drawn_passage_is_followed_by_its_validation_text(seeded):
    codes = torch.arange(100)
    starts = set()
    for seed in range(200):
        train, validation = draw_text(codes, 90, 6, generator=seeded(seed))
        assert torch.equal(torch.cat([train, validation]), codes[train[0] : train[0] + 96])
        starts.add(train[0].item())
    assert starts == set(range(5))  # each of the five places is missed by 200 draws once in 10^19 trials


def test_a_text_can_be_drawn_whole(seeded):
    train, validation = draw_text(torch.arange(10), 10, 0, generator=seeded(1))
    assert train.tolist() == list(range(10))
    assert len(validation) == 0


@pytest.mark.parametrize(("train", "validation"), [(0, 3), (5, -1), (8, 3)])
def test_a_passage_must_fit(seeded, train, validation):
    with pytest.raises(ValueError, match="no more than the 10 there are"):
        draw_text(torch.arange(10), train, validation, generator=seeded(1))


@pytest.mark.parametrize("length", [9, 10, 12, 13])
def test_windows_predict_each_character_once(length):
    codes = torch.arange(length)
    parts = windows(codes, 4)
    predicted = parts[:, 1:].flatten().tolist()
    assert predicted == list(range(1, 4 * ((length - 1) // 4) + 1))
    assert torch.equal(parts[:, 1:], parts[:, :-1] + 1)


@pytest.mark.parametrize(("length", "context"), [(4, 4), (10, 0)])
def test_windows_need_a_successor(length, context):
    with pytest.raises(ValueError, match="at least 1 character and one more"):
        windows(torch.arange(length), context)


def test_the_loss_counts_every_character_after_the_first_half_window_once():
    class Recorder(nn.Module):
        """Certain of the right answer but for the character 20; remembers how much each saw before it."""

        def forward(self, codes):
            logits = 40.0 * one_hot((codes + 1).clamp(max=99), 100).double()
            logits[codes == 19] = 0
            return logits

    codes = torch.arange(60)
    # Windows of 8 step by 4; with 60 characters those that count are 5 to 56.
    assert character_loss(Recorder(), codes, 8) == pytest.approx(math.log(100) / 52, abs=1e-9)


def test_the_loss_does_not_depend_on_how_windows_are_batched(seeded, monkeypatch):
    model = Bigram(7)
    with torch.no_grad():
        model.table.normal_(generator=seeded(1))
    codes = torch.randint(0, 7, (400,), generator=seeded(2))
    whole = character_loss(model.train(), codes, 6)
    assert not model.training
    monkeypatch.setattr("dropoutlab.texts._ROWS", 7)
    assert character_loss(model, codes, 6) == pytest.approx(whole, abs=1e-7)
    with torch.no_grad():
        expected = cross_entropy(model(codes[3:-1]), codes[4:]).item()
    assert whole == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("context", "length"), [(3, 50), (0, 50), (8, 8)])
def test_the_loss_refuses_windows_without_halves(context, length):
    with pytest.raises(ValueError, match=r"context must be even|holds no window"):
        character_loss(Bigram(5), successor_text(length), context)


def test_the_rate_rises_then_falls_to_almost_nothing():
    rates = list(_rates(2.0, 10, 0.2))
    assert rates == pytest.approx([1.0, 2.0, 2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5, 0.25])
    assert list(_rates(1.0, 4, 0.0)) == pytest.approx([1.0, 0.75, 0.5, 0.25])


def test_training_learns_what_follows_what(seeded):
    model = Bigram(5)
    run = fit_text(
        model, successor_text(401), 10, Recipe(30, batch_size=4, lr=0.2, optimiser="adam", evaluate_every=10),
        order=seeded(1), validation=successor_text(101),
    )  # fmt: skip
    assert run.epochs == [10, 20, 30]
    assert run.validation[-1] < 0.05 < math.log(5)
    assert torch.equal(model.table.argmax(1), (torch.arange(5) + 1) % 5)
    assert not model.training


def test_training_takes_the_steps_of_adam_with_clipped_gradients(seeded):
    codes = torch.randint(0, 4, (49,), generator=seeded(3))
    model, own = Bigram(4), Bigram(4)
    fit_text(model, codes, 4, ADAM, order=seeded(5), validation=codes, warm_up=0.25, clip=0.01)
    g, rule, step = seeded(5), torch.optim.Adam(own.parameters()), 0
    for _ in range(3):
        for index in torch.randperm(12, generator=g).split(4):
            rows = torch.stack([codes[4 * i : 4 * i + 5] for i in index.tolist()])
            own.zero_grad()
            cross_entropy(own(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten()).backward()
            length = own.table.grad.norm()
            own.table.grad *= min(1.0, 0.01 / length)
            step += 1
            rule.param_groups[0]["lr"] = 0.05 * min(step / 2.25, (10 - step) / 6.75)
            rule.step()
    torch.testing.assert_close(model.table, own.table, rtol=0, atol=1e-5)


def test_the_best_weights_are_those_of_the_lowest_validation_loss(seeded):
    # Trained on one law and validated on its reverse: the longer, the worse.
    model, codes = Bigram(5), successor_text(201)
    run = fit_text(model, codes, 10, ADAM, order=seeded(1), validation=codes.flip(0))
    assert run.validation == sorted(run.validation)
    later = character_loss(model, codes.flip(0), 10)
    model.load_state_dict(run.best)
    assert character_loss(model, codes.flip(0), 10) == run.validation[0] < later == run.validation[-1]


def test_training_refuses_what_it_does_not_do(seeded):
    codes = successor_text(50)
    for recipe in (Recipe(1), Recipe(1, optimiser="adam", weight_decay=0.1)):
        with pytest.raises(ValueError, match="Adam without weight decay"):
            fit_text(Bigram(5), codes, 4, recipe, order=seeded(1), validation=codes)
    for wrong in ({"warm_up": 1.0}, {"warm_up": -0.1}, {"clip": 0.0}, {"clip": math.inf}):
        with pytest.raises(ValueError, match="warm_up < 1 and a positive clip"):
            fit_text(Bigram(5), codes, 4, ADAM, order=seeded(1), validation=codes, **wrong)


def test_divergence_is_an_error(seeded):
    model, codes = Bigram(5), successor_text(50)
    with torch.no_grad():
        model.table[0, 0] = math.nan
    with pytest.raises(FloatingPointError, match=r"after pass 1; lower lr=0.05"):
        fit_text(model, codes, 4, ADAM, order=seeded(1), validation=codes)
