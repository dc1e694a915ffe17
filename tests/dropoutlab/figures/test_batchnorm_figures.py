"""The figures of chapter 6 hold their data."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from dropoutlab import figures
from dropoutlab.figures import batchnorm
from dropoutlab.figures.style import Picture


@pytest.fixture
def drawn(monkeypatch):
    """The live figure behind the picture that a figure function makes."""
    kept: list[Figure] = []

    class Spy(Picture):
        def __init__(self, figure):
            kept.append(figure)
            super().__init__(figure)

    monkeypatch.setattr(batchnorm, "Picture", Spy)
    return kept


@pytest.fixture
def table():
    rows = [
        {
            "arm": f"{norm} {p}",
            "norm": norm,
            "p": p,
            "seed": seed,
            "error": 0.1 + p / 10 + (seed - 1000) / 100,
            "error_reestimated": 0.05,
            "shift_1": 1.0,
            "shift_2": 1 - p,
        }
        for norm in ("none", "batch")
        for p in (0.0, 0.2, 0.8)
        for seed in (1000, 1001)
    ]
    return pd.DataFrame(rows)


def texts(axes):
    return [annotation.get_text() for annotation in axes.texts]


def test_the_law_starts_at_q_and_falls(drawn):
    figures.shift_law((0.2, 0.5), {"here": 3.0})
    (axis,) = drawn[0].axes
    curves = [np.asarray(line.get_ydata(), dtype=float) for line in axis.lines[:2]]
    assert [curve[0] for curve in curves] == pytest.approx([0.8, 0.5])
    assert all((np.diff(curve) < 0).all() for curve in curves)
    assert list(axis.lines[2].get_xdata()) == [3.0, 3.0]
    assert texts(axis) == ["here", "p = 0.2", "p = 0.5"]


def test_shifts_show_every_run_and_the_mean(drawn, table):
    figures.shifts_by_layer(table, {"Rates": {"batch 0.2": "mild", "batch 0.8": "strong"}})
    (axis,) = drawn[0].axes
    assert len(axis.lines) == 2 * (2 + 1) + 1  # two runs and a mean for each arm, and the line at 1
    np.testing.assert_allclose(np.asarray(axis.lines[5].get_ydata(), dtype=float), [1, 0.2])
    assert texts(axis) == ["mild", "strong"]
    assert axis.get_ylim()[0] == 0


def test_predictions_are_drawn_against_measurements(drawn):
    predicted, measured = torch.tensor([0.2, 0.5]), torch.tensor([0.3, 1.2])
    figures.predicted_and_measured({"One": (predicted, measured)})
    diagonal, points = drawn[0].axes[0].lines
    np.testing.assert_allclose(np.asarray(diagonal.get_xdata(), dtype=float), [0, 1.2])
    np.testing.assert_allclose(points.get_xdata(), predicted)
    np.testing.assert_allclose(points.get_ydata(), measured)


def test_errors_are_in_per_cent_and_lie_over_their_rate(drawn, table):
    figures.error_by_rate({"a": table, "b": table})
    axis = drawn[0].axes[1]
    means = [line for line in axis.lines if len(line.get_ydata()) == 3 and line.get_linestyle() == "-"]
    np.testing.assert_allclose(np.asarray(means[0].get_ydata(), dtype=float), [10.5, 12.5, 18.5])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "0.2", "0.8"]
    assert texts(axis) == ["no norm", "BatchNorm"]


def test_each_run_leads_from_old_statistics_to_new(drawn, table):
    figures.statistics_taken_again(table, {"batch 0.2": "p = 0.2", "batch 0.8": "p = 0.8"})
    first = drawn[0].axes[0]
    np.testing.assert_allclose(np.asarray(first.lines[0].get_ydata(), dtype=float), [12, 5])
    np.testing.assert_allclose(np.asarray(first.lines[2].get_ydata(), dtype=float), [12.5, 5])
    assert [axis.get_title(loc="left") for axis in drawn[0].axes] == ["p = 0.2", "p = 0.8"]
