"""A trained network with dropout read in other ways than as a whole: thinned, averaged, unscaled."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from dropoutlab.data import Split
from dropoutlab.readouts import Scores, passes, predict, scores, unscaled
from dropoutlab.studies.protocol import Metric

COUNTS = (1, 2, 5, 10, 20, 50, 100)  # numbers of passes whose mean is read
GEOMETRIC = (50,)

_UNITS = {"error": "fraction", "nll": "nats", "ece": "fraction"}


def sampled(net: nn.Module, split: Split, samples: int) -> dict[str, float]:
    """Read means over randomly thinned networks, masks differing between examples.

    Args:
        net: network with dropout layers, which draw from their own generators.
        split: examples to predict.
        samples: number of passes; 0 for a network without dropout. All means share them.

    Returns:
        The columns of `SAMPLED`; NaN where there were too few passes.

    Source: Srivastava et al. (2014), section 7.5.
    """
    values = dict.fromkeys(SAMPLED, math.nan)
    mean: Tensor | float = 0.0
    log_mean: Tensor | float = 0.0
    for k, log_probabilities in enumerate(passes(net, split.x, samples) if samples else (), start=1):
        mean = mean + (log_probabilities.exp() - mean) / k
        log_mean = log_mean + (log_probabilities - log_mean) / k
        if k in COUNTS:
            values |= _columns(scores(mean, split.y), f"k{k}")
        if k in GEOMETRIC:
            values |= _columns(scores(log_mean.softmax(dim=1), split.y), f"k{k}_geometric")
    return values


def confidence(net: nn.Module, split: Split) -> float:
    """Return the mean probability that the full network gives to the classes it predicts."""
    return scores(predict(net, split.x), split.y).confidence


def without_scaling(net: nn.Module, split: Split) -> dict[str, float]:
    """Read a network as one that was trained and tested without scaling: the columns of `UNSCALED`."""
    with unscaled(net):
        found = scores(predict(net, split.x), split.y)
    return _columns(found, "unscaled", (*_UNITS, "confidence"))


def _columns(found: Scores, suffix: str, names: Sequence[str] = tuple(_UNITS)) -> dict[str, float]:
    return {f"{name}_{suffix}": getattr(found, name) for name in names}


def _metrics(suffix: str, text: str) -> dict[str, Metric]:
    words = {"error": "error", "nll": "NLL", "ece": "ECE"}
    return {
        f"{name}_{suffix}": Metric(f"test {words[name]} of {text}", unit, optional=True)
        for name, unit in _UNITS.items()
    }


SAMPLED = {
    **_metrics("k1", "one pass in training mode, masks differing between examples"),
    **{
        name: metric
        for k in COUNTS[1:]
        for name, metric in _metrics(f"k{k}", f"the arithmetic mean of {k} passes").items()
    },
    **{
        name: metric
        for k in GEOMETRIC
        for name, metric in _metrics(f"k{k}_geometric", f"the geometric mean of {k} passes").items()
    },
}

UNSCALED = _metrics("unscaled", "the network trained and tested without scaling") | {
    "confidence_unscaled": Metric(
        "mean probability of the predicted class without scaling", "fraction", optional=True
    )
}
