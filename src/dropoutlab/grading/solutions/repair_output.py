"""A broken network: dropout on the logits."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from dropoutlab.grading.checks import networks
from dropoutlab.grading.exercise import Exercise


def repair_output(sizes: Sequence[int], p: float) -> nn.Module:
    """Return a network of ``nn.Linear`` layers with a rectifier and dropout
    after each hidden one.

    ``sizes`` are the widths from input to output, ``p`` the drop
    probability. The output is the logits.
    """
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(p)]
    return nn.Sequential(*layers[:-2])


def broken(sizes: Sequence[int], p: float) -> nn.Module:
    """See `repair_output`."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(p)]
    layers.pop(-2)
    return nn.Sequential(*layers)


EXERCISE = Exercise(
    name="repair_output",
    chapter="05-placement",
    title="Find the bug: answers that are exactly zero",
    difficulty=1,
    minutes=5,
    todo="leave the logits alone",
    task=(
        "In training some logits of this network are exactly zero. The loop treats all layers alike, and "
        "somebody has taken off the last rectifier, but not enough. Repair it. The stub is the broken "
        "network."
    ),
    hints=(
        "Print the network for sizes `[4, 3, 2]`. What is its last layer?",
        "What should come after the last `nn.Linear`?",
        "Leave off the last two layers: `layers[:-2]`.",
    ),
    why=(
        "A dropped logit is not a missing answer: it is the answer 0, and the others are multiplied by "
        "$1/q$. Whether that harms or helps is a question for an experiment; the exercise asks for logits "
        "untouched."
    ),
    solution=repair_output,
    broken=broken,
    aspects=(networks.mlp_evaluation, networks.mlp_training),
    details=(networks.mlp_rectifiers,),
    pure=False,
)
