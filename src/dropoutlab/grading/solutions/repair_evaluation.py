"""A broken network: dropout that never ends."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from dropoutlab.grading.checks import networks
from dropoutlab.grading.exercise import Exercise


def repair_evaluation(sizes: Sequence[int], p: float) -> nn.Module:
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

        def forward(self, x: Tensor) -> Tensor:
            *hidden, last = self.layers
            for layer in hidden:
                x = functional.dropout(
                    functional.relu(layer(x)), p, training=self.training
                )
            out: Tensor = last(x)
            return out

    return Net()


def broken(sizes: Sequence[int], p: float) -> nn.Module:
    """See `repair_evaluation`."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Linear(a, b) for a, b in pairwise(sizes)
            )

        def forward(self, x: Tensor) -> Tensor:
            *hidden, last = self.layers
            for layer in hidden:
                x = functional.dropout(functional.relu(layer(x)), p)
            out: Tensor = last(x)
            return out

    return Net()


EXERCISE = Exercise(
    name="repair_evaluation",
    chapter="05-placement",
    title="Find the bug: two predictions, two answers",
    difficulty=1,
    minutes=5,
    todo="make eval() switch the dropout off",
    task=(
        "Somebody calls `net.eval()` and predicts twice. The answers differ. Find the line and repair it. "
        "The stub is the broken network."
    ),
    hints=(
        "Which call is random? How would it know that training is over?",
        "Look up the signature of `functional.dropout`, and the default of its third argument.",
        "Pass `training=self.training`.",
    ),
    why=(
        "`functional.dropout` has `training=True` as its default, and no module to ask. `nn.Dropout` "
        "passes its own `self.training` on, which is what `eval()` sets."
    ),
    solution=repair_evaluation,
    broken=broken,
    aspects=(networks.mlp_evaluation, networks.mlp_training),
    details=(networks.mlp_rectifiers,),
    pure=False,
)
