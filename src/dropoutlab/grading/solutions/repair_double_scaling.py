"""A broken network: scaled in training and in evaluation."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from dropoutlab.grading.checks import networks
from dropoutlab.grading.exercise import Exercise


def repair_double_scaling(sizes: Sequence[int], p: float) -> nn.Module:
    """Return a network of ``nn.Linear`` layers with a rectifier and dropout
    after each hidden one.

    ``sizes`` are the widths from input to output, ``p`` the drop
    probability. The output is the logits.
    """

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Linear(a, b) for a, b in pairwise(sizes)
            )
            self.dropout = nn.Dropout(p)

        def forward(self, x: Tensor) -> Tensor:
            *hidden, last = self.layers
            for layer in hidden:
                x = self.dropout(layer(x).relu())
            out: Tensor = last(x)
            return out

    return Net()


def broken(sizes: Sequence[int], p: float) -> nn.Module:
    """See `repair_double_scaling`."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Linear(a, b) for a, b in pairwise(sizes)
            )
            self.dropout = nn.Dropout(p)

        def forward(self, x: Tensor) -> Tensor:
            *hidden, last = self.layers
            for layer in hidden:
                x = self.dropout(layer(x).relu())
                if not self.training:
                    x = x * (1 - p)
            out: Tensor = last(x)
            return out

    return Net()


EXERCISE = Exercise(
    name="repair_double_scaling",
    chapter="04-scaling",
    title="Find the bug: timid in evaluation",
    difficulty=1,
    minutes=5,
    todo="scale once, in training or in evaluation, but not in both",
    task=(
        "In evaluation the logits of this network are much smaller than in training, on average over the "
        "masks. Somebody has read the 2014 paper *and* used torch's layer. Repair it so that `nn.Dropout` "
        "does all of the scaling. The stub is the broken network."
    ),
    hints=(
        "Take one hidden unit. What is its mean in training, over the masks, and what is it in evaluation?",
        "Which kind of dropout is `nn.Dropout`, and when does it scale?",
        "Two lines of `forward` have to go.",
    ),
    why=(
        "`nn.Dropout` divides the survivors by q in training. Whoever multiplies by q in evaluation as "
        "well makes every layer's input q times as large as in training, and with L layers the factors "
        "multiply to $q^L$."
    ),
    solution=repair_double_scaling,
    broken=broken,
    aspects=(networks.mlp_evaluation, networks.mlp_training),
    details=(networks.mlp_rectifiers,),
    pure=False,
)
