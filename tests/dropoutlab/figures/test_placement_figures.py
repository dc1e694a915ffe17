"""The figures of chapter 5 hold their data; looking at them is left to people."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from dropoutlab import figures
from dropoutlab.figures import Pattern, diagrams, patterns, placement
from dropoutlab.figures.style import ORANGE, Picture


@pytest.fixture
def drawn(monkeypatch):
    """The live figure behind the picture that a figure function makes."""
    kept: list[Figure] = []

    class Spy(Picture):
        def __init__(self, figure):
            kept.append(figure)
            super().__init__(figure)

    for module in (diagrams, placement):
        monkeypatch.setattr(module, "Picture", Spy)
    return kept


def test_dropout_and_nothing_else_is_orange_and_shortcuts_are_labelled(drawn):
    patterns({"Block": Pattern(("x", "Linear", "Dropout", "DropPath", "+", "y"), ((0, 4),))})
    (axis,) = drawn[0].axes
    orange = [text.get_text() for text in axis.texts if text.get_color() == ORANGE]
    assert orange == ["Dropout", "DropPath"]
    assert [text.get_text() for text in axis.texts].count("shortcut") == 1


def test_boxes_of_a_chain_do_not_overlap(drawn):
    steps = ("image", "Conv", "ReLU", "Pool", "Dropout2d\nlow p", "Conv …", "Linear", "ReLU", "Dropout", "y")
    patterns({"Chain": Pattern(steps)})
    drawn[0].draw_without_rendering()
    boxes = [text.get_bbox_patch().get_window_extent() for text in drawn[0].axes[0].texts]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("skip", [(0, 1), (2, 1), (0, 5)])
def test_a_shortcut_must_lead_to_a_later_sum(skip):
    with pytest.raises(ValueError, match=r"from a step to a later '\+', got"):
        Pattern(("x", "Linear", "+", "y"), (skip,))


def test_masks_along_time_join_the_steps_of_a_life(drawn):
    mask = torch.tensor([[True, False], [True, True], [False, True]])
    figures.masks_along_time({"One": mask})
    lines = [line.get_xydata().tolist() for line in drawn[0].axes[0].lines]
    assert [[0, 0], [1, 0]] in lines  # unit 1 lives through steps 1 and 2
    assert [[1, 1], [2, 1]] in lines
    assert [[2, 0]] in lines  # and is crossed out at step 3


def test_two_orders_coincide_for_relu_only(drawn):
    figures.two_orders({"ReLU": torch.relu, "tanh": torch.tanh}, 0.3)
    relu, tanh = ([line.get_ydata() for line in axis.lines] for axis in drawn[0].axes)
    np.testing.assert_array_equal(relu[0], relu[2])
    np.testing.assert_allclose(np.asarray(tanh[0]).max(), np.tanh(3) / 0.7)
    assert np.asarray(tanh[2]).max() < 1


def test_effects_by_rate_are_in_percentage_points(drawn):
    figures.effects_by_rate(
        {"A": {"one": {0.2: [0.01, 0.03], 0.5: [0.05, 0.05]}}}, xlabel="rate", ylabel="change"
    )
    (axis,) = drawn[0].axes
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [2, 5])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.2", "0.5"]
    assert axis.texts[0].get_text() == "one"


def test_pooled_ratios_put_law_and_draws_on_one_scale(drawn):
    figures.pooled_ratios(torch.tensor([4.0, 9.0]), torch.tensor([4.1, 8.7]), 64)
    (axis,) = drawn[0].axes
    np.testing.assert_allclose(axis.lines[1].get_xydata(), [[4, 4.1], [9, 8.7]], rtol=1e-6)
    assert axis.get_xscale() == axis.get_yscale() == "log"


def test_noise_along_blocks_draws_seeds_and_their_geometric_mean(drawn):
    figures.noise_along_blocks({"branch": [[1.0, 4.0], [1.0, 1.0]]})
    lines = [line.get_ydata().tolist() for line in drawn[0].axes[0].lines]
    assert lines[:2] == [[1, 4], [1, 1]]
    np.testing.assert_allclose(lines[2], [1, 2])


def test_the_minima_of_a_dropped_regression_are_at_q_times_the_target(drawn):
    rows = pd.DataFrame({"arm": ["a", "b"], "mse": [0.5, 1.0], "slope": [0.9, 0.5]})
    figures.dropped_regression(2.0, (0.0, 0.5), rows, {"a": "p = 0", "b": "p = 0.5"})
    left, right = drawn[0].axes
    np.testing.assert_allclose(left.lines[3].get_xydata(), [[1, 2]])
    np.testing.assert_allclose(right.lines[1].get_xydata(), [[0.5, 1.0]])


def test_change_of_two_draws_errors_in_points_and_losses_as_they_are(drawn):
    figures.change_of_two({"arm": ([0.01, 0.03], [0.1, 0.3])}, ("error", "loss"))
    left, right = drawn[0].axes
    np.testing.assert_allclose(left.lines[0].get_xdata(), [2, 2])
    np.testing.assert_allclose(right.lines[0].get_xdata(), [0.2, 0.2])
    assert left.get_xlabel() == "error"
