"""Every run of a study in one picture: points, not bars, with the mean and its interval beside them."""

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dropoutlab.figures.style import BLUE, FAINT, INK, Picture, house_style, panels
from dropoutlab.stats import mean_interval
from dropoutlab.studies.protocol import Metric

_ROW = 0.27  # inches for one arm
_MARGIN = 0.75  # inches for a panel's title and axis
_LINE = 62  # characters of a title that fit above a panel
_TITLE_LINE = 0.17  # inches for each further line of it


@house_style
def all_runs(rows: pd.DataFrame, arms: Sequence[str], metrics: Mapping[str, Metric]) -> Picture:
    """Draw each metric in a panel of its own: one line of points per arm, one point per run.

    Args:
        rows: columns ``arm``, ``seed`` and the metrics.
        arms: arms in the order from top to bottom.
        metrics: column → what it holds; each becomes a panel.

    Returns:
        The picture. The bar beside the points is the mean with its 95 % t-interval.

    Raises:
        ValueError: there is no metric to draw.
    """
    if not metrics:
        raise ValueError("need at least one metric to draw, got none")
    lines = sum(len(_title(metric).splitlines()) - 1 for metric in metrics.values())
    height = len(metrics) * (len(arms) * _ROW + _MARGIN) + lines * _TITLE_LINE
    figure, axes = panels(rows=len(metrics), height=height)
    for panel, (name, metric) in zip(axes, metrics.items(), strict=True):
        _panel(panel, rows, arms, name, metric)
    return Picture(figure)


def _panel(axes: Axes, rows: pd.DataFrame, arms: Sequence[str], name: str, metric: Metric) -> None:
    scale = 100.0 if metric.unit == "fraction" else 1.0
    columns = [(rows.loc[rows.arm == arm, name].dropna().to_numpy(float) * scale) for arm in arms]
    for place, values in enumerate(columns):
        # A fixed pattern rather than a random jitter: the same rows give the same picture.
        jitter = np.resize([-0.16, 0.08, -0.04, 0.16, -0.1, 0.02, 0.12], len(values))
        axes.plot(values, place + jitter, "o", color=BLUE, alpha=0.55, markersize=3.5, markeredgewidth=0)
        if len(values) > 1:
            mean = mean_interval(values)
            axes.plot([mean.low, mean.high], [place, place], color=INK, linewidth=1.4)
            axes.plot([mean.mean], [place], "|", color=INK, markersize=11, markeredgewidth=1.8)
    everything = np.concatenate(columns) if columns else np.array([])
    positive = everything.size > 0 and bool((everything > 0).all())
    if positive and everything.max() > 30 * everything.min():
        axes.set_xscale("log")
    axes.set_yticks(range(len(arms)), arms)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(_title(metric))
    axes.set_xlabel({"fraction": "%", "1": ""}.get(metric.unit, metric.unit))


def _title(metric: Metric) -> str:
    return textwrap.fill(metric.meaning[0].upper() + metric.meaning[1:], _LINE)


def described(rows: pd.DataFrame, arms: Sequence[str], metrics: Mapping[str, Metric]) -> str:
    """Say in words what `all_runs` shows, for somebody who cannot see it.

    Example:
        >>> rows = pd.DataFrame({"arm": ["none", "none"], "seed": [1000, 1001], "error": [0.05, 0.07]})
        >>> described(rows, ["none"], {"error": Metric("test error", "fraction")})
        'One point per run. Mean test error: none 6.00 %.'
    """
    sentences = []
    for name, metric in metrics.items():
        scale, unit = (100.0, " %") if metric.unit == "fraction" else (1.0, f" {metric.unit}")
        means = (f"{arm} {_number(scale * float(rows.loc[rows.arm == arm, name].mean()))}" for arm in arms)
        sentences.append(
            f"Mean {metric.meaning}: " + ", ".join(f"{m}{unit.removesuffix(' 1')}" for m in means)
        )
    return "One point per run. " + ". ".join(sentences) + "."


def _number(value: float) -> str:
    if math.isnan(value):
        return "not defined"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
