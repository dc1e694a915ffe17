import pytest
import torch

from dropoutlab.pairs import PARTNER, RECIPE, UNIT, UNITS, sensors, train_heads
from dropoutlab.training import Recipe


def test_the_difference_of_the_pair_is_the_class(seeded):
    split = sensors(500, generator=seeded(1))
    assert split.x.shape == (500, UNITS)
    assert bool((split.x >= 0).all())
    torch.testing.assert_close(split.x[:, UNIT] - split.x[:, PARTNER], 2.0 * split.y.double())


def test_neither_unit_of_the_pair_says_much_alone(seeded):
    split = sensors(4000, generator=seeded(2), lamp=8.0)
    # The best threshold on 47 errs where the two ranges of length 8, shifted by 2, overlap: in 3 of 8 cases.
    thresholds = torch.linspace(0, 10, 101)
    error = min(((split.x[:, UNIT] > t).long() != split.y).double().mean().item() for t in thresholds)
    assert abs(error - 0.375) < 5 * (0.375 * 0.625 / 4000) ** 0.5  # 5 sigma of a binomial proportion
    assert abs(torch.corrcoef(torch.stack([split.x[:, PARTNER], split.y.double()]))[0, 1]) < 5 / 4000**0.5


def test_a_moved_lamp_changes_unit_23_and_nothing_else(seeded):
    here, there = (sensors(300, generator=seeded(3), moved=moved) for moved in (False, True))
    others = [unit for unit in range(UNITS) if unit != PARTNER]
    assert torch.equal(here.y, there.y)
    assert torch.equal(here.x[:, others], there.x[:, others])
    assert not torch.isclose(here.x[:, PARTNER], there.x[:, PARTNER]).any()


@pytest.fixture(scope="module")
def runs():
    return {p: train_heads(p, [7, 8], test=500) for p in (0.0, 0.5)}


def test_without_dropout_the_head_rests_on_the_pair(runs):
    for run in runs[0.0]:
        assert set(run.weights.abs().topk(2).indices.tolist()) == {PARTNER, UNIT}
        assert run.weights[UNIT] > 0 > run.weights[PARTNER]
        assert run.errors["as in training"] < 0.02
        assert min(run.errors["lamp moved"], run.errors[f"unit {PARTNER} lesioned"]) > 0.25


def test_dropout_lives_on_the_clues_in_both_worlds(runs):
    for plain, dropped in zip(runs[0.0], runs[0.5], strict=True):
        assert dropped.errors["as in training"] > plain.errors["as in training"]
        assert dropped.errors["lamp moved"] < plain.errors["lamp moved"] / 2
        clues = [unit for unit in range(UNITS) if unit not in (UNIT, PARTNER)]
        assert (dropped.weights[clues] > 0).double().mean() > 0.9


def test_arms_of_a_seed_share_their_test_examples(runs):
    for plain, dropped in zip(runs[0.0], runs[0.5], strict=True):
        assert torch.equal(plain.test.x, dropped.test.x)


def test_heads_are_repeatable():
    short = Recipe(3, optimiser="adam", lr=0.01)
    one, same = (train_heads(0.3, [5], recipe=short, train=50, test=50)[0] for _ in range(2))
    assert torch.equal(one.weights, same.weights)
    assert one.errors == same.errors
    assert RECIPE.epochs > 3
