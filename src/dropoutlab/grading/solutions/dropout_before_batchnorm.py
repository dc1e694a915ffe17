"""Dropout layers that disturb a batch normalisation."""

from torch import nn

from dropoutlab.grading.checks import batchnorm
from dropoutlab.grading.exercise import Exercise


def dropout_before_batchnorm(net: nn.Sequential) -> list[int]:
    """Return the positions of all dropout layers that have a batch
    normalisation anywhere after them.

    Dropout is ``nn.Dropout`` or ``nn.Dropout2d``, batch normalisation
    ``nn.BatchNorm1d`` or ``nn.BatchNorm2d``. Positions count from 0; the
    network is not nested.
    """
    norms = [
        k
        for k, layer in enumerate(net)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    last = max(norms, default=-1)
    return [
        k
        for k, layer in enumerate(net)
        if isinstance(layer, nn.Dropout | nn.Dropout2d) and k < last
    ]


EXERCISE = Exercise(
    name="dropout_before_batchnorm",
    chapter="06-batchnorm",
    title="Which layers are in the way?",
    difficulty=1,
    minutes=10,
    todo="list the dropout layers that stand before some batch normalisation",
    task=(
        "A dropout layer shifts the variance of everything after it, and a batch normalisation anywhere "
        "behind it learns the wrong one. Write a function that names the dropout layers of a sequential "
        "network that are in the way."
    ),
    hints=(
        "Does a linear layer or a rectifier in between undo the shift?",
        "A dropout layer is in the way if its position is smaller than that of the *last* batch "
        "normalisation.",
        "`enumerate(net)` gives positions and layers; `isinstance` takes several classes. Mind networks "
        "without any batch normalisation.",
    ),
    why="Dropout behind the last batch normalisation disturbs no statistics; it is usually put there.",
    solution=dropout_before_batchnorm,
    aspects=(batchnorm.positions,),
    pure=False,
)
