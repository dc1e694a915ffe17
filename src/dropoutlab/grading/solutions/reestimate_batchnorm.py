"""Statistics of batch normalisation, estimated again with dropout off."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dropoutlab.grading.checks import batchnorm
from dropoutlab.grading.exercise import Exercise


def reestimate_batchnorm(
    net: nn.Module, batches: Iterable[Tensor]
) -> nn.Module:
    """Replace the running statistics of every ``nn.BatchNorm1d`` by those
    of the batches with dropout off.

    All batches count alike, and nothing is left of the old statistics. No
    weight changes. Returns the network, in evaluation mode.
    """
    net.eval()
    norms = [
        layer
        for layer in net.modules()
        if isinstance(layer, nn.BatchNorm1d)
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for batch in batches:
            net(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return net.eval()


EXERCISE = Exercise(
    name="reestimate_batchnorm",
    chapter="06-batchnorm",
    title="Estimate the statistics again",
    difficulty=3,
    minutes=20,
    todo="reset the statistics, collect them with dropout off, return the network in evaluation mode",
    task=(
        "Batch normalisation collected its statistics while dropout was on, and uses them while it is off. "
        "Replace them: run the batches through the network with dropout *off*, so that the running mean "
        "and variance become those of evaluation. Change no weight."
    ),
    hints=(
        "`net.train()` switches on both dropout and the collecting. You need one of them.",
        "Put the network into evaluation mode, and then only its batch normalisations into training mode.",
        "`norm.reset_running_stats()` and `norm.momentum = None` make torch take the plain average of all "
        "batches. Run them under `torch.no_grad()` and end with `net.eval()`.",
    ),
    why=(
        "With the default momentum of 0.1 four batches would leave $0.9^4$, two thirds, of the old "
        "statistics. `torch.optim.swa_utils.update_bn` resets and averages too, but it leaves dropout on."
    ),
    solution=reestimate_batchnorm,
    aspects=(batchnorm.statistics,),
    pure=False,
)
