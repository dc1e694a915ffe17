import math

import pytest
import torch

from dropoutlab.gradients import movement_of_dropped_unit, silent_units


@pytest.mark.parametrize(("p", "batch"), [(0.3, 1), (0.3, 2), (0.7, 3), (0.9, 10)])
def test_a_unit_is_silent_with_probability_p_to_the_batch(p, batch):
    seeds, hidden = range(1000, 1040), 64
    counts = [silent_units(p, batch, seed=seed) for seed in seeds]
    assert all(dropped == silent for dropped, silent in counts)
    chance, n = p**batch, len(seeds) * hidden
    tolerance = 5 * math.sqrt(chance * (1 - chance) / n)  # five SDs of a proportion
    assert abs(sum(silent for _, silent in counts) / n - chance) < tolerance


def test_everybody_is_silent_at_one():
    assert silent_units(1.0, 4, seed=1000, hidden=8) == (8, 8)


def test_without_masks_there_is_nothing_to_count():
    with pytest.raises(ValueError, match="p > 0, got 0"):
        silent_units(0.0, 4, seed=1000)


def test_plain_sgd_leaves_a_dropped_unit_alone():
    assert movement_of_dropped_unit(lambda w: torch.optim.SGD(w, lr=0.1), seed=1000) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),
        lambda w: torch.optim.Adam(w, lr=0.01),
        lambda w: torch.optim.SGD(w, lr=0.1, weight_decay=0.01),
    ],
    ids=["momentum", "Adam", "weight decay"],
)
def test_memory_and_decay_move_it(make):
    assert movement_of_dropped_unit(make, seed=1000) > 1e-5


def test_without_warm_up_momentum_has_nothing_to_remember():
    moved = movement_of_dropped_unit(lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9), seed=1000, warm_up=0)
    assert moved == 0
