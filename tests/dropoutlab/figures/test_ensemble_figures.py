"""The figures of chapter 3 hold their data; looking at them is left to people."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from dropoutlab import figures
from dropoutlab.ensemble import enumerate_masks
from dropoutlab.figures import ensemble
from dropoutlab.figures.style import ORANGE, Picture
from dropoutlab.stats import mean_interval


@pytest.fixture
def drawn(monkeypatch):
    """The live figure behind the picture that a figure function makes."""
    kept: list[Figure] = []

    class Spy(Picture):
        def __init__(self, figure):
            kept.append(figure)
            super().__init__(figure)

    monkeypatch.setattr(ensemble, "Picture", Spy)
    return kept


def test_thinned_networks_cross_out_what_is_dropped(drawn):
    masks = enumerate_masks(3)
    figures.thinned_networks(masks, [f"number {k}" for k in range(8)], inputs=2, outputs=2)
    axes = drawn[0].axes
    assert [axis.get_title(loc="center") for axis in axes] == [
        "000", "100", "010", "110", "001", "101", "011", "111",
    ]  # fmt: skip
    for axis, mask in zip(axes, masks, strict=True):
        crosses = [line for line in axis.lines if line.get_marker() == "x"]
        assert len(crosses) == int((~mask).sum())
        links = [line for line in axis.lines if line.get_marker() == "None"]
        assert len(links) == 4 * int(mask.sum())  # two to the inputs and two to the outputs
    assert axes[5].texts[0].get_text() == "number 5"
    heights = [line.get_ydata()[0] for line in axes[1].lines if line.get_marker() == "x"]
    assert max(heights) < 0.8  # mask 100 keeps unit 1, at the top


def test_visited_shares_draw_one_line_a_rate(drawn):
    figures.visited_shares({0.3: {2: 1.0, 4: 0.5}, 0.5: {2: 1.0, 4: 0.25}}, draws=1000)
    axis = drawn[0].axes[0]
    assert axis.get_yscale() == "log"
    np.testing.assert_allclose(axis.lines[1].get_ydata(), [1.0, 0.25])
    assert [text.get_text() for text in axis.texts] == ["p = 0.3", "p = 0.5"]
    assert "1,000 draws" in axis.get_ylabel()


def test_opinions_weigh_networks_and_mark_means(drawn):
    means = {"arithmetic": 0.4, "geometric": 0.5, "one pass": 0.5}
    figures.opinions({"a": ([0.1, 0.9], [0.25, 0.75], means), "b": ([0.5], [1.0], means)})
    left, right = drawn[0].axes
    assert sorted(patch.get_height() for patch in left.patches)[-2:] == [25, 75]
    assert sum(patch.get_height() for patch in right.patches) == 100
    assert [line.get_xdata()[0] for line in left.lines] == [0.4, 0.4, 0.5, 0.5, 0.5, 0.5]
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == list(means)


def test_against_one_pass_draws_every_example(drawn):
    figures.against_one_pass([0.1, 0.9], {"geometric": [0.1, 0.9], "arithmetic": [0.2, 0.6]})
    axes = drawn[0].axes
    assert [axis.get_title(loc="left") for axis in axes] == ["Geometric mean", "Arithmetic mean"]
    np.testing.assert_allclose(axes[1].lines[1].get_ydata(), [0.2, 0.6])
    np.testing.assert_allclose(axes[1].lines[1].get_xdata(), [0.1, 0.9])


def test_by_passes_draws_scaling_as_a_level(drawn):
    rows = [
        {"seed": seed, "passes": k, "error": 0.01 * (k + seed), "nll": 0.5, "ece": 0.02}
        for seed in (1, 3)
        for k in (0, 1, 10)
    ]
    figures.by_passes({"p = 0.1": pd.DataFrame(rows), "p = 0.5": pd.DataFrame(rows)})
    axes = drawn[0].axes
    assert len(axes) == 6
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), 2)  # the mean of 1 and 3 per cent
    mean = axes[0].lines[-1]
    np.testing.assert_allclose(mean.get_xdata(), [1, 10])
    np.testing.assert_allclose(mean.get_ydata(), [3, 12])
    assert [axis.get_ylabel() for axis in axes[::3]] == ["p = 0.1", "p = 0.5"]


def test_ways_to_average_leave_out_what_a_single_network_has_not(drawn):
    rows = [
        {"seed": seed, "way": way, "error": 0.05 + 0.01 * seed, "nll": 0.2, "disagreement": differ}
        for seed in (1, 2)
        for way, differ in (("one", np.nan), ("100 passes", 0.08))
    ]
    figures.ways_to_average(pd.DataFrame(rows))
    error, _, differ = drawn[0].axes
    np.testing.assert_allclose(error.collections[0].get_offsets()[:, 0], [6, 7])
    whiskers = mean_interval([6, 7])
    np.testing.assert_allclose(error.lines[0].get_xdata(), [whiskers.low, whiskers.high])
    assert len(differ.collections) == 1
    assert [text.get_text() for text in differ.texts] == ["–"]
    assert error.yaxis_inverted()


def test_dropped_units_are_marked_by_shape_and_colour(drawn):
    figures.thinned_networks(torch.tensor([[True, False]]), ["only"], columns=1)
    cross = next(line for line in drawn[0].axes[0].lines if line.get_marker() == "x")
    assert cross.get_color() == ORANGE
