"""Dropout in a multilayer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from dropoutlab.grading.checks import networks
from dropoutlab.grading.exercise import Exercise


def dropout_mlp(sizes: Sequence[int], p: float) -> nn.Module:
    """Return a network of ``nn.Linear`` layers with a rectifier and then
    dropout after each hidden one.

    ``sizes`` are the widths from input to output, e.g. ``[64, 128, 10]``;
    ``p`` is the drop probability of every hidden layer. Input and output
    are not dropped; the output is the logits.
    """
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes[:-1]):
        layers += [nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(p)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


EXERCISE = Exercise(
    name="dropout_mlp",
    chapter="05-placement",
    title="Dropout in a multilayer perceptron",
    difficulty=1,
    minutes=10,
    todo="linear, rectifier, dropout for each hidden layer; a bare linear layer at the end",
    task=(
        "Build a network with the widths `sizes`. Every hidden layer is followed by a rectifier and by "
        "dropout with probability `p`. The input and the logits are left alone. Use `nn.Linear` for the "
        "layers."
    ),
    hints=(
        "With sizes `[64, 128, 10]` there are two linear layers. How many rectifiers, how many dropout "
        "layers?",
        "Collect the layers in a list and hand it to `nn.Sequential`. What is different about the last one?",
        "For each hidden layer add `nn.Linear`, `nn.ReLU`, `nn.Dropout(p)`; then one `nn.Linear` for the "
        "output.",
    ),
    why=(
        "`nn.Dropout` sees `net.eval()` because `nn.Sequential` registers it. With a rectifier the order of "
        "activation and dropout makes no difference."
    ),
    solution=dropout_mlp,
    aspects=(networks.mlp_evaluation, networks.mlp_training),
    details=(networks.mlp_rectifiers,),
    pure=False,
)
