"""Every figure function gives a picture that holds its data; looking at it is left to people."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from dropoutlab import figures
from dropoutlab.figures import overfitting, scaling
from dropoutlab.figures.style import Picture
from dropoutlab.stats import mean_interval


@pytest.fixture
def drawn(monkeypatch):
    """The live figure behind the picture that a figure function makes."""
    kept: list[Figure] = []

    class Spy(Picture):
        def __init__(self, figure):
            kept.append(figure)
            super().__init__(figure)

    monkeypatch.setattr(overfitting, "Picture", Spy)
    monkeypatch.setattr(scaling, "Picture", Spy)
    return kept


def texts(axes):
    return [annotation.get_text() for annotation in axes.texts]


@pytest.fixture
def curves():
    rows = [
        {
            "arm": "no dropout",
            "seed": seed,
            "split": split,
            "epoch": epoch,
            "error": 0.1 * epoch,
            "loss": seed / 1000,
        }
        for seed in (1000, 1001)
        for split in ("train", "validation", "test")
        for epoch in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def test_labelled_digits_mark_wrong_labels(drawn):
    x = torch.rand(5, 64, generator=torch.Generator().manual_seed(1))
    figures.labelled_digits(
        x, torch.tensor([1, 2, 3, 4, 5]), torch.tensor([1, 0, 3, 4, 0]), (8, 8), columns=3
    )
    axes = drawn[0].axes
    assert len(axes) == 6
    assert [axis.get_title() for axis in axes] == ["1", "2  ✗", "3", "4", "5  ✗", ""]
    np.testing.assert_allclose(axes[0].images[0].get_array(), 1 - x[0].reshape(8, 8))


def test_learning_curves_show_every_replica_and_the_mean(drawn, curves):
    figures.learning_curves({"Left": curves, "Right": curves})
    axes = drawn[0].axes
    assert [axis.get_title(loc="left") for axis in axes] == ["Left", "Right", "", ""]
    assert len(axes[0].lines) == 2 * (2 + 1)  # two splits, each with two replicas and their mean
    np.testing.assert_allclose(axes[0].lines[2].get_ydata(), [10, 20, 30])  # per cent
    np.testing.assert_allclose(axes[2].lines[2].get_ydata(), 1.0005)  # the mean of both seeds' losses
    assert texts(axes[1]) == ["training", "test"]
    assert texts(axes[0]) == []
    assert axes[0].get_ylim()[0] == 0


def test_learning_curves_share_their_scale_with_the_worst_panel(drawn, curves):
    worse = curves.assign(error=curves.error * 2)
    figures.learning_curves({"Left": curves, "Right": worse})
    assert drawn[0].axes[0].get_ylim()[1] >= 60  # per cent, the highest point of the right panel


def test_paired_effects_show_replicas_and_interval(drawn):
    values = np.array([-0.01, -0.02, -0.03])
    estimate = mean_interval(values)
    figures.paired_effects({"Only": {"dropout": (values, estimate), "other": (values, estimate)}})
    axis = drawn[0].axes[0]
    np.testing.assert_allclose(axis.collections[0].get_offsets()[:, 0], 100 * values)
    assert [label.get_text() for label in axis.get_yticklabels()] == ["dropout", "other"]
    assert axis.yaxis_inverted()  # the first row is on top
    whiskers = axis.containers[0].lines[2][0].get_segments()[0]
    np.testing.assert_allclose(whiskers[:, 0], [100 * estimate.low, 100 * estimate.high])


def test_two_panels_of_effects_are_inverted_once(drawn):
    values = np.array([-0.01, 0.02])
    row = {"dropout": (values, mean_interval(values)), "L2": (values, mean_interval(values))}
    figures.paired_effects({"a": row, "b": row})
    assert all(axis.yaxis_inverted() for axis in drawn[0].axes)


def test_error_by_size_draws_both_arms(drawn):
    estimates = {100: mean_interval([0.2, 0.3]), 1000: mean_interval([0.04, 0.05])}
    figures.error_by_size({"a": {"no dropout": estimates, "dropout": estimates}})
    axis = drawn[0].axes[0]
    np.testing.assert_allclose(np.asarray(axis.lines[0].get_ydata(), dtype=float), [25, 4.5])
    assert texts(axis) == ["no dropout", "dropout"]
    first, second = (annotation.xyann[1] for annotation in axis.texts)
    assert abs(first - second) >= 12  # equal ends, labels moved apart


def test_confidence_of_mistakes_counts_every_mistake(drawn):
    figures.confidence_of_mistakes({"early": [0.35, 0.36, 0.8], "late": [0.999]})
    assert [sum(patch.get_height() for patch in axis.patches) for axis in drawn[0].axes] == [3, 1]


def test_dropped_counts_draws_law_and_sample(drawn):
    exact, sample = [0.1, 0.6, 0.2, 0.1], [0.12, 0.58, 0.2, 0.1]
    figures.dropped_counts(exact, sample)
    axis = drawn[0].axes[0]
    np.testing.assert_allclose([patch.get_height() for patch in axis.patches], np.multiply(100, exact))
    np.testing.assert_allclose(axis.lines[0].get_ydata(), np.multiply(100, sample))


def test_sums_mark_the_common_mean(drawn):
    figures.sums({0.3: ([0, 1], [0.3, 0.7]), 0.8: ([0, 5], [0.8, 0.2])}, mean=1)
    first, second = drawn[0].axes
    assert [axis.get_title(loc="left") for axis in (first, second)] == ["p = 0.3", "p = 0.8"]
    assert first.lines[0].get_xdata()[0] == 1
    np.testing.assert_allclose([s[1][1] for s in second.collections[0].get_segments()], [80, 20])


def test_mask_pictures_draw_each_cell_once(drawn):
    mask = torch.tensor([[True, False, True], [False, True, True]])
    figures.mask_pictures({"mask": mask})
    markers = [line.get_marker() for line in drawn[0].axes[0].lines]
    assert markers == ["s", "x", "s", "x", "s", "s"]


@pytest.fixture
def conventions():
    values = {"error": 0.05, "loss": 0.2, "confidence": 0.9, "ratio_1": 1.4, "ratio_2": 2.0}
    return pd.DataFrame(
        [{"convention": name, "seed": seed} | values for name in ("inverted", "forgotten") for seed in (1, 2)]
    )


def test_ratios_by_depth_label_the_conventions_they_hold(drawn, conventions):
    figures.ratios_by_depth(conventions)
    axis = drawn[0].axes[0]
    assert texts(axis) == ["inverted", "forgotten"]
    np.testing.assert_allclose(axis.lines[2].get_ydata(), [1.4, 2.0])


def test_outcomes_by_convention_scale_each_metric(drawn, conventions):
    figures.outcomes_by_convention(conventions, {"error": ("Error (%)", 100), "loss": ("Loss", 1)})
    left, right = drawn[0].axes
    np.testing.assert_allclose(left.collections[0].get_offsets()[:, 0], 5)
    np.testing.assert_allclose(right.lines[0].get_xdata(), 0.2)


def test_drift_draws_a_gap_of_zero_at_the_rounding_unit(drawn):
    run = pd.DataFrame({"step": [1, 2], "output": [0.0, 1e-3], "weights": [0.0, 0.0]})
    figures.drift({"matched": [run], "same": [run, run]})
    axis = drawn[0].axes[0]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [2.0**-53, 1e-3])
    assert texts(axis) == ["matched", "same"]
