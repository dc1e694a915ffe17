"""Dropout in a convolutional block."""

from torch import nn

from dropoutlab.grading.checks import blocks
from dropoutlab.grading.exercise import Exercise


def dropout_conv_block(
    in_channels: int, out_channels: int, p: float
) -> nn.Module:
    """Return a 3 × 3 ``nn.Conv2d`` that keeps height and width, a
    rectifier, and dropout of whole maps.

    Each channel of each example is dropped with probability ``p``.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.ReLU(),
        nn.Dropout2d(p),
    )


EXERCISE = Exercise(
    name="dropout_conv_block",
    chapter="05-placement",
    title="Dropout in a convolutional block",
    difficulty=1,
    minutes=5,
    todo="convolution, rectifier, and a dropout that takes whole maps",
    task=(
        "Build one block of a convolutional network: a 3 × 3 convolution that keeps height and width, a "
        "rectifier, and then the kind of dropout that removes whole maps. Use `nn.Conv2d`."
    ),
    hints=(
        "Which padding keeps height and width with a kernel of 3?",
        "`nn.Dropout` throws a coin for each pixel. torch has a layer that throws one for each map.",
        "`nn.Sequential` of `nn.Conv2d(..., 3, padding=1)`, `nn.ReLU()` and `nn.Dropout2d(p)`.",
    ),
    why="Pooling averages the coins of single pixels away. A whole map that is dropped stays dropped.",
    solution=dropout_conv_block,
    aspects=(blocks.conv_evaluation, blocks.conv_training),
    pure=False,
)
