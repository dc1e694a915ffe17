import math

import numpy as np
import pandas as pd
import pytest

from dropoutlab.figures import studies
from dropoutlab.figures.studies import all_runs, described
from dropoutlab.studies.protocol import Metric

METRICS = {"error": Metric("test error", "fraction"), "steps": Metric("steps to the goal", "1")}


def table(seeds=3, **columns):
    rows = [(arm, 1000 + k) for arm in ("none", "dropout") for k in range(seeds)]
    frame = pd.DataFrame(rows, columns=["arm", "seed"])
    frame["error"] = np.linspace(0.02, 0.07, len(frame))
    frame["steps"] = np.arange(1.0, len(frame) + 1)
    return frame.assign(**columns)


@pytest.fixture
def drawn(monkeypatch):
    """The axes of a picture, before they become pixels."""
    kept = []
    real = studies.panels

    def keeping(*args, **kwargs):
        figure, axes = real(*args, **kwargs)
        kept.extend(axes)
        return figure, axes

    monkeypatch.setattr(studies, "panels", keeping)
    return kept


def test_each_metric_has_a_panel_and_each_run_a_point(drawn):
    picture = all_runs(table(), ["none", "dropout"], METRICS)
    assert picture.width == 653
    assert [axes.get_title(loc="left") for axes in drawn] == ["Test error", "Steps to the goal"]
    points = [line for line in drawn[0].lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in points) == 6
    np.testing.assert_allclose(points[0].get_xdata(), [2.0, 3.0, 4.0])  # error rates in per cent


def test_the_mean_stands_where_it_should(drawn):
    all_runs(table(), ["none", "dropout"], {"steps": METRICS["steps"]})
    means = [line.get_xdata()[0] for line in drawn[0].lines if line.get_marker() == "|"]
    assert means == [2.0, 5.0]


def test_arms_keep_their_order_from_top_to_bottom(drawn):
    all_runs(table(), ["dropout", "none"], {"error": METRICS["error"]})
    assert [label.get_text() for label in drawn[0].get_yticklabels()] == ["dropout", "none"]
    assert drawn[0].yaxis_inverted()


def test_missing_values_and_single_runs_are_drawn_without_an_interval(drawn):
    rows = table(steps=[1.0, math.nan, math.nan, 4.0, 5.0, 6.0])
    all_runs(rows, ["none", "dropout"], {"steps": METRICS["steps"]})
    assert len([line for line in drawn[0].lines if line.get_marker() == "|"]) == 1


@pytest.mark.parametrize(("largest", "scale"), [(25.0, "linear"), (31.0, "log")])
def test_values_over_more_than_a_decade_and_a_half_get_a_logarithmic_axis(drawn, largest, scale):
    all_runs(table(steps=[1.0, 2, 3, 4, 5, largest]), ["none", "dropout"], {"steps": METRICS["steps"]})
    assert drawn[0].get_xscale() == scale


def test_a_long_title_takes_lines_and_room(drawn):
    metric = Metric("word " * 29 + "end", "1")
    long = all_runs(table(), ["none", "dropout"], {"steps": metric})
    short = all_runs(table(), ["none", "dropout"], {"steps": METRICS["steps"]})
    lines = drawn[0].get_title(loc="left").splitlines()
    assert " ".join(lines) == metric.meaning.capitalize()
    assert max(map(len, lines)) <= 62
    assert long.height > short.height


def test_the_same_rows_give_the_same_picture():
    first, second = (all_runs(table(), ["none", "dropout"], METRICS) for _ in range(2))
    assert first.png == second.png


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one metric"):
        all_runs(table(), ["none"], {})


def test_the_description_has_the_means_in_the_units_of_the_axes():
    text = described(table(), ["none", "dropout"], METRICS)
    assert "Mean test error: none 3.00 %, dropout 6.00 %." in text
    assert "Mean steps to the goal: none 2.00, dropout 5.00." in text


def test_an_arm_without_values_is_described_as_such():
    rows = table(steps=[math.nan] * 3 + [400.0] * 3)
    assert "none not defined, dropout 400" in described(rows, ["none", "dropout"], METRICS)
