import pytest

from dropoutlab.studies.course import COURSE, course
from dropoutlab.training import History


def history(test_error, test_loss, validation_loss, train_error):
    return History(
        list(range(1, len(test_error) + 1)),
        error={"test": test_error, "train": train_error, "validation": [0.5] * len(test_error)},
        loss={"test": test_loss, "train": test_loss, "validation": validation_loss},
    )


WITH = history(
    [0.30, 0.2010, 0.20, 0.215, 0.2009, 0.21],
    [2.0, 1.0, 0.8, 0.9, 1.0, 1.2],
    [2.0, 1.5, 1.6, 1.4, 1.7, 1.8],
    [0.2, 0.05, 0.011, 0.01, 0.0, 0.0],
)
WITHOUT = history([0.4, 0.22, 0.216, 0.22, 0.22, 0.22], [1.0] * 6, [1.0] * 6, [0.0] * 6)


def test_curves_in_numbers():
    assert course(WITH, WITHOUT) == pytest.approx(
        {
            "error_stopped": 0.215,  # validation likelihood was best after epoch 4
            "error_half": 0.20,  # epoch 3 of 6
            "error_rise": 0.01,
            "nll_ratio": 1.5,
            "nll_epoch": 3,
            "epochs_fitted": 4,
            "epochs_settled": 2,
            "epochs_matched": 2,
        }
    )
    assert list(course(WITH, WITHOUT)) == list(COURSE)


def test_a_level_that_is_never_reached_counts_as_one_epoch_more():
    values = course(WITHOUT, WITH)
    assert values["epochs_matched"] == 7
    assert values["epochs_fitted"] == 1
    assert course(WITH, WITH)["epochs_matched"] == 3


def test_half_of_an_odd_number_of_epochs_is_the_middle_one():
    curves = history([0.5, 0.4, 0.3, 0.2, 0.1], [1.0] * 5, [1.0] * 5, [0.0] * 5)
    assert course(curves, curves)["error_half"] == 0.3
