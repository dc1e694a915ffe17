"""Dropout in a residual block."""

from torch import Tensor, nn

from dropoutlab.grading.checks import blocks
from dropoutlab.grading.exercise import Exercise


def dropout_residual_block(branch: nn.Module, p: float) -> nn.Module:
    """Return a block that computes x + dropout(branch(x)), inverted dropout
    of each element at rate ``p``.

    Dropout follows ``train()`` and ``eval()``; the skip connection is never
    dropped.
    """

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branch = branch
            self.dropout = nn.Dropout(p)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = x + self.dropout(self.branch(x))
            return out

    return Block()


EXERCISE = Exercise(
    name="dropout_residual_block",
    chapter="05-placement",
    title="Dropout beside a skip connection",
    difficulty=2,
    minutes=10,
    todo="add the dropped output of the branch to the untouched input",
    task=(
        "A residual block adds something to its input. Build one whose branch is given, with dropout where "
        "it belongs: on what the branch puts out, before the sum."
    ),
    hints=(
        "Write the block without dropout first: one line in `forward`.",
        "What passes through a hundred such blocks unchanged if nothing is dropped from it?",
        "`x + self.dropout(self.branch(x))`, with `self.dropout = nn.Dropout(p)` made in `__init__`.",
    ),
    why=(
        "Dropout on the sum would multiply the skipped signal by a new mask in every block: after L blocks "
        "an element has survived with probability $q^L$. On the branch, each block only loses its own "
        "contribution."
    ),
    solution=dropout_residual_block,
    aspects=(blocks.residual_evaluation, blocks.residual_training),
    pure=False,
)
