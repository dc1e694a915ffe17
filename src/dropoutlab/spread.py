"""How the spread that dropout adds grows from layer to layer of an untrained network."""

import math

import pandas as pd
import torch
from torch import Generator

from dropoutlab.functional import dropout
from dropoutlab.masks import check_probability


def moments_by_depth(
    p: float, *, depth: int, width: int, examples: int, init: Generator, data: Generator, masks: Generator
) -> pd.DataFrame:
    r"""Send random inputs through rectified layers, with masks and without, and record two moments.

    Weights are normal with variance 2/width, so that without dropout the second moment
    :math:`\mathbb E[h^2]` stays what it is. Inverted dropout multiplies the second moment of what the next
    layer receives by 1/q. A symmetric weight passes half of it on, and the factor 2 restores it:

    .. math:: \mathbb E[h_{l+1}^2] = \frac{1}{q}\,\mathbb E[h_l^2]

    in training, on average over weights, against a factor of 1 in evaluation. The means differ as well: the
    mean of a rectified number grows with its spread.

    Args:
        p: drop probability after every hidden layer, in [0, 1).
        depth: number of hidden layers, at least 1.
        width: units of the input and of every layer, at least 1.
        examples: number of inputs, standard normal.
        init: source of the weights.
        data: source of the inputs.
        masks: source of the masks.

    Returns:
        One row for each layer: ``layer`` from 1, and ``second_moment`` and ``mean``, each that of training
        divided by that of evaluation, over units and examples.

    Raises:
        ValueError: p is no probability or is 1, or a size is below 1.

    Example:
        >>> g = [torch.Generator().manual_seed(k) for k in range(3)]
        >>> table = moments_by_depth(
        ...     0.5, depth=3, width=256, examples=64, init=g[0], data=g[1], masks=g[2]
        ... )
        >>> [round(ratio) for ratio in table.second_moment]
        [1, 2, 4]

    Source: after He et al. (2015), arXiv:1502.01852, equations 7 to 10, with the masks' factor 1/q.
    """
    if check_probability(p) == 1:
        raise ValueError(f"p must be below 1, got {p}: with p = 1 nothing reaches the second layer")
    if min(depth, width, examples) < 1:
        raise ValueError(f"sizes must be at least 1, got depth {depth}, width {width}, examples {examples}")
    training = evaluation = torch.randn(examples, width, generator=data, dtype=torch.float64)
    rows = []
    for layer in range(1, depth + 1):
        weight = torch.randn(width, width, generator=init, dtype=torch.float64) * math.sqrt(2 / width)
        training, evaluation = (training @ weight).relu(), (evaluation @ weight).relu()
        rows.append(
            {
                "layer": layer,
                "second_moment": (training.square().mean() / evaluation.square().mean()).item(),
                "mean": (training.mean() / evaluation.mean()).item(),
            }
        )
        training = dropout(training, p, training=True, generator=masks)
    return pd.DataFrame(rows)
