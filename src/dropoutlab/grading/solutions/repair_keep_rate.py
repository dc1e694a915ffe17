"""A broken network: the paper's p handed to torch."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from dropoutlab.grading.checks import networks
from dropoutlab.grading.exercise import Exercise


def repair_keep_rate(sizes: Sequence[int], keep: float) -> nn.Module:
    """Return a network of ``nn.Linear`` layers whose hidden units each
    survive with probability ``keep``.

    ``sizes`` are the widths from input to output. A rectifier and inverted
    dropout follow each hidden layer; the output is the logits.
    """
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes[:-1]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(1 - keep)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def broken(sizes: Sequence[int], keep: float) -> nn.Module:
    """See `repair_keep_rate`."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes[:-1]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(keep)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


EXERCISE = Exercise(
    name="repair_keep_rate",
    chapter="04-scaling",
    title="Find the bug: a replication that underfits",
    difficulty=1,
    minutes=5,
    todo="translate the probability of keeping into torch's probability of dropping",
    task=(
        "Somebody replicates a paper that *keeps* units with probability 0.8, and the network hardly learns. "
        "Find the line and repair it. The stub is the broken network."
    ),
    hints=(
        "What fraction of the hidden units is zero in a pass of training, and what fraction should be?",
        "Whose p is the argument of `nn.Dropout`: that of the 2014 paper, or that of this book?",
        "`nn.Dropout` takes the probability of dropping, `1 - keep`.",
    ),
    why=(
        "The 2014 paper's p is the probability of keeping, torch's of dropping. At 0.5 the two agree, "
        "which is how this bug survives."
    ),
    solution=repair_keep_rate,
    broken=broken,
    aspects=(networks.kept_evaluation, networks.kept_training),
    details=(networks.mlp_rectifiers,),
    pure=False,
)
