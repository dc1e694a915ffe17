import pytest

from dropoutlab.curves import first_epoch
from dropoutlab.training import History

CURVES = History(
    [5, 10, 15, 20],
    error={"test": [0.4, 0.1, 0.2, 0.05]},
    loss={"test": [2.0, 0.9, 0.8, 1.5]},
)


@pytest.mark.parametrize(
    ("at_most", "epoch"), [(0.5, 5), (0.4, 5), (0.39, 10), (0.1, 10), (0.09, 20), (0.05, 20), (0.04, 21)]
)
def test_the_first_epoch_at_a_level_counts_even_if_the_curve_rises_again(at_most, epoch):
    assert first_epoch(CURVES, "test", at_most) == epoch


def test_losses_are_read_from_their_own_curve():
    assert first_epoch(CURVES, "test", 0.85, by="loss") == 15


def test_a_level_that_rounding_moved_is_reached():
    level = 0.1 + 0.2  # 0.30000000000000004
    assert level > 0.3
    assert first_epoch(History([1], error={"test": [level]}), "test", 0.3) == 1


@pytest.mark.parametrize(("split", "by"), [("train", "error"), ("test", "accuracy")])
def test_an_unknown_curve_is_an_error(split, by):
    with pytest.raises(KeyError):
        first_epoch(CURVES, split, 0.1, by=by)
