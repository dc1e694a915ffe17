"""A broken network: layers that nobody registered."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from dropoutlab.grading.checks import networks
from dropoutlab.grading.exercise import Exercise


def repair_registration(sizes: Sequence[int], p: float) -> nn.Module:
    """Return a network of ``nn.Linear`` layers with a rectifier and dropout
    after each hidden one.

    ``sizes`` are the widths from input to output, ``p`` the drop
    probability. The output is the logits.
    """

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linears = nn.ModuleList(
                nn.Linear(a, b) for a, b in pairwise(sizes)
            )
            self.dropouts = nn.ModuleList(
                nn.Dropout(p) for _ in sizes[1:-1]
            )

        def forward(self, x: Tensor) -> Tensor:
            for linear, dropout in zip(
                self.linears, self.dropouts, strict=False
            ):
                x = dropout(linear(x).relu())
            out: Tensor = self.linears[-1](x)
            return out

    return Net()


def broken(sizes: Sequence[int], p: float) -> nn.Module:
    """See `repair_registration`."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linears = nn.ModuleList(
                nn.Linear(a, b) for a, b in pairwise(sizes)
            )
            self.dropouts = [nn.Dropout(p) for _ in sizes[1:-1]]

        def forward(self, x: Tensor) -> Tensor:
            for linear, dropout in zip(
                self.linears, self.dropouts, strict=False
            ):
                x = dropout(linear(x).relu())
            out: Tensor = self.linears[-1](x)
            return out

    return Net()


EXERCISE = Exercise(
    name="repair_registration",
    chapter="05-placement",
    title="Find the bug: eval() does not arrive",
    difficulty=2,
    minutes=10,
    todo="make eval() reach every dropout layer",
    task=(
        "This network uses `nn.Dropout`, so `eval()` should switch it off. It does not. Find the line and "
        "repair it. The stub is the broken network."
    ),
    hints=(
        "Print the network. Which layers are missing from the printout?",
        "`eval()` goes to the modules that were registered. How does a module get registered?",
        "A plain list hides its modules; `nn.ModuleList` registers them.",
    ),
    why=(
        "Assigning a module to an attribute registers it. Assigning a *list* of modules registers nothing, "
        "and neither `eval()` nor `parameters()` nor `to()` sees what is in it. `nn.ModuleList` is made "
        "for that."
    ),
    solution=repair_registration,
    broken=broken,
    aspects=(networks.mlp_evaluation, networks.mlp_training),
    details=(networks.mlp_rectifiers,),
    pure=False,
)
