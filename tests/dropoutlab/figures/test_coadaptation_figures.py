"""The figures of chapter 2 hold their data; looking at them is left to people."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from dropoutlab import figures
from dropoutlab.data import Split
from dropoutlab.figures import coadaptation
from dropoutlab.figures.style import Picture


@pytest.fixture
def drawn(monkeypatch):
    """The live figure behind the picture that a figure function makes."""
    kept: list[Figure] = []

    class Spy(Picture):
        def __init__(self, figure):
            kept.append(figure)
            super().__init__(figure)

    monkeypatch.setattr(coadaptation, "Picture", Spy)
    return kept


def table(**columns):
    """Two arms with two seeds each; a column is one value for all four runs, or one for each."""
    arms = ["no dropout", "no dropout", "dropout", "dropout"]
    return pd.DataFrame({"arm": arms, "seed": [1, 2, 1, 2], **columns})


def test_two_units_draw_each_example_once_together_and_once_for_each_number(drawn):
    x = torch.tensor([[1.0, 3.0], [2.0, 2.0], [0.0, 2.0]])
    figures.two_units(Split(x, torch.tensor([1, 0, 1])), unit=1, partner=0)
    plane, lines = drawn[0].axes
    np.testing.assert_allclose(plane.lines[0].get_xydata(), [[2, 2]])
    np.testing.assert_allclose(plane.lines[1].get_xydata(), [[1, 3], [0, 2]])
    assert [label.get_text() for label in lines.get_yticklabels()] == ["unit 0", "unit 1", "difference"]
    np.testing.assert_allclose(lines.lines[5].get_xdata(), [2, 2])  # class 1, difference


def test_spoken_weights_draw_replicas_and_their_mean(drawn):
    vectors = [torch.tensor([1.0, -2.0]), torch.tensor([3.0, -4.0])]
    figures.spoken_weights({"no dropout": vectors, "dropout": vectors}, marked=(1,))
    left, _ = drawn[0].axes
    np.testing.assert_allclose(left.lines[1].get_ydata(), [3, -4])
    np.testing.assert_allclose(left.lines[2].get_ydata(), [2, -3])
    assert [label.get_text() for label in left.get_xticklabels()] == ["1"]


def test_lesion_curves_are_in_per_cent_and_name_the_arms(drawn):
    rows = pd.concat([table(error=[0.1, 0.1, 0.2, 0.2]).assign(lost=lost) for lost in (0.0, 0.5)])
    figures.lesion_curves({"One": rows, "Other": rows})
    left, right = drawn[0].axes
    np.testing.assert_allclose(left.lines[2].get_xydata(), [[0, 10], [50, 10]])
    assert [text.get_text() for text in right.texts] == ["no dropout", "dropout"]
    assert not left.texts


def test_damage_curves_draw_one_panel_for_each_damage(drawn):
    rows = pd.concat(
        [
            table(error=0.2).assign(damage=damage, level=level)
            for damage in ("noise", "square")
            for level in (0, 1, 2)
        ]
    )
    figures.damage_curves(rows, {"noise": "SD", "square": "pixels"})
    assert [axis.get_xlabel() for axis in drawn[0].axes] == ["SD", "pixels"]
    assert len(drawn[0].axes[0].lines) == 2 * (2 + 1)  # two arms, each with two replicas and their mean


def test_pair_sums_are_in_thousandths_of_a_nat(drawn):
    rows = table(first=0.001, second=0.002, both=0.004)
    figures.pair_sums(rows)
    left, right = drawn[0].axes
    assert [axis.get_title(loc="left") for axis in (left, right)] == ["No dropout", "Dropout"]
    np.testing.assert_allclose(left.lines[1].get_xydata(), [[3, 4], [3, 4]])


def test_paired_readings_join_the_runs_of_a_seed(drawn):
    rows = table(error=[0.1, 0.2, 0.11, 0.21])
    figures.paired_readings(rows, ["no dropout", "dropout"], {"error": ("Error (%)", 100)}, columns=2)
    axis, empty = drawn[0].axes
    assert axis.get_title(loc="left") == "Error (%)"
    np.testing.assert_allclose(axis.lines[1].get_ydata(), [20, 21])
    assert not empty.axison


@pytest.mark.parametrize(
    ("rows", "arms", "message"),
    [
        (table(error=0.1), ["dropout"], "from one arm to one other, got"),
        (
            table(error=0.1)[:-1],
            ["no dropout", "dropout"],
            "every seed needs a value of 'error'",
        ),
    ],
)
def test_readings_without_a_partner_are_refused(rows, arms, message):
    with pytest.raises(ValueError, match=message):
        figures.paired_readings(rows, arms, {"error": ("Error", 1)})


def test_features_share_one_scale_in_a_row(drawn):
    weights = torch.zeros(3, 4)
    weights[1, 2] = -2.0
    figures.features({"start": weights, "end": torch.ones(3, 4)}, (2, 2))
    images = [axis.images[0] for axis in drawn[0].axes]
    assert len(images) == 6
    assert [image.get_clim() for image in images[:3]] == [(-2.0, 2.0)] * 3
    np.testing.assert_allclose(images[1].get_array(), [[0, 0], [-2, 0]])


def test_rows_of_features_must_be_of_one_length():
    with pytest.raises(ValueError, match=r"same number of units, got \[2, 3\]"):
        figures.features({"a": torch.ones(2, 4), "b": torch.ones(3, 4)}, (2, 2))
