import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.schedules import constant, early, fit_scheduled
from dropoutlab.training import Recipe, fit


@pytest.fixture
def train(seeded):
    g = seeded(1)
    return Split(torch.randn(50, 6, generator=g).double(), torch.randint(0, 3, (50,), generator=g))


def net(seeded, p):
    return mlp((6, 8, 8, 3), p=p, init=seeded(2), masks=seeded(3))


def test_early_dropout_falls_linearly_and_stays_at_zero():
    schedule = early(0.4, until=0.8)
    assert [schedule(t) for t in (0.0, 0.2, 0.4, 0.8, 0.9)] == pytest.approx([0.4, 0.3, 0.2, 0, 0])
    assert early(0.4, until=1.0)(0.5) == pytest.approx(0.2)


def test_schedules_refuse_what_is_no_probability():
    for make in (constant, lambda p: early(p, 0.5)):
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got 1.2"):
            make(1.2)
    for until in (0.0, -0.5, 1.1, math.nan):
        with pytest.raises(ValueError, match="must end within the training"):
            early(0.2, until)


@pytest.mark.parametrize("recipe", [Recipe(3, batch_size=16), Recipe(2, 16, 0.01, optimiser="adam")])
def test_with_a_constant_p_it_is_the_usual_training(seeded, train, recipe):
    ours, usual = net(seeded, 0.3), net(seeded, 0.3)
    fit_scheduled(ours, train, recipe, constant(0.3), order=seeded(4))
    fit(usual, train, recipe, order=seeded(4))
    for a, b in zip(ours.parameters(), usual.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    assert not ours.training


def test_every_step_has_the_p_of_its_schedule(seeded, train):
    model, seen = net(seeded, 0.3), []

    def look(done, steps):
        assert model.training
        seen.append((done, steps, {model[2].p, model[5].p}))

    fit_scheduled(model, train, Recipe(2, batch_size=20), early(0.6, 0.5), order=seeded(4), before_step=look)
    assert [entry[:2] for entry in seen] == [(i, 6) for i in range(6)]
    assert [max(rates) for _, _, rates in seen] == pytest.approx([0.6, 0.4, 0.2, 0, 0, 0])
    assert all(len(rates) == 1 for _, _, rates in seen)


def test_a_look_may_change_the_mode(seeded, train):
    model, quiet = net(seeded, 0.3), net(seeded, 0.3)
    fit_scheduled(model, train, Recipe(1), constant(0.3), order=seeded(4), before_step=lambda *_: None)
    fit_scheduled(quiet, train, Recipe(1), constant(0.3), order=seeded(4))
    assert torch.equal(model[0].weight, quiet[0].weight)


def test_once_p_is_zero_no_mask_is_drawn(seeded, train):
    model = net(seeded, 0.3)
    before = model[2].generator.get_state()
    fit_scheduled(model, train, Recipe(1), constant(0.0), order=seeded(4))
    assert torch.equal(model[2].generator.get_state(), before)


def test_training_is_refused_without_examples_or_with_a_bad_schedule(seeded, train):
    with pytest.raises(ValueError, match="at least one example"):
        fit_scheduled(net(seeded, 0.3), train.take([]), Recipe(1), constant(0.3), order=seeded(4))
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got 2"):
        fit_scheduled(net(seeded, 0.3), train, Recipe(1), lambda _t: 2.0, order=seeded(4))


def test_divergence_is_an_error(seeded, train):
    broken = Split(train.x.clone(), train.y)
    broken.x[0] = math.inf
    with pytest.raises(FloatingPointError, match=r"after epoch 1; lower lr=0.1"):
        fit_scheduled(net(seeded, 0.3), broken, Recipe(1), constant(0.3), order=seeded(4))


def test_it_learns(seeded, train):
    easy = Split(train.x, (train.x[:, 0] > 0).long())
    model = net(seeded, 0.3)
    fit_scheduled(model, easy, Recipe(60, 16), early(0.3, 0.5), order=seeded(4))
    with torch.no_grad():
        assert cross_entropy(model(easy.x), easy.y) < 0.1
