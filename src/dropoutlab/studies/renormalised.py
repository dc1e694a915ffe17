"""What batch normalisation does to a network with dropout at test time, as columns of a study."""

import torch

from dropoutlab.normalisation import reestimate_statistics, shift_ratios
from dropoutlab.readouts import predict, scores
from dropoutlab.studies.criteria import Criterion, difference, every
from dropoutlab.studies.measure import linear
from dropoutlab.studies.protocol import Metric
from dropoutlab.studies.regions import half_line
from dropoutlab.studies.trials import Trained


def renormalised_readings(layers: int) -> dict[str, Metric]:
    """Declare the columns of `read_renormalised` for a network with so many batch normalisations.

    Example:
        >>> list(renormalised_readings(2))
        ['error_reestimated', 'nll_reestimated', 'shift_1', 'shift_2']
    """
    return {
        "error_reestimated": Metric(
            "test error after the statistics were taken again with dropout off", "fraction", optional=True
        ),
        "nll_reestimated": Metric(
            "negative log-likelihood of the test labels after the same", "nats", optional=True
        ),
        **{
            f"shift_{layer}": Metric(
                f"median over channels of test-time over training variance before normalisation {layer}",
                "1",
                optional=True,
            )
            for layer in range(1, layers + 1)
        },
    }


def read_renormalised(trained: Trained, batch_size: int, layers: int) -> dict[str, float]:
    """Measure the variance shift, then take the statistics again with dropout off, and read the test error.

    Both use the training examples. The network is changed.

    Args:
        trained: network and splits; a network without batch normalisation gives NaN everywhere.
        batch_size: batch size of the training.
        layers: how many batch normalisations the columns provide for.

    Returns:
        The columns of `renormalised_readings`.

    Raises:
        ValueError: the network has another number of batch normalisations, and not none.
    """
    names = list(renormalised_readings(layers))
    if not any(isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) for layer in trained.net.modules()):
        return dict.fromkeys(names, float("nan"))
    x, test = trained.splits["train"].x, trained.splits["test"]
    shifts = [
        ratios.nanmedian().item() for ratios in shift_ratios(trained.net, x, batch_size=batch_size).values()
    ]
    reestimate_statistics(trained.net, x)
    again = scores(predict(trained.net, test.x), test.y)
    return dict(zip(names, [again.error, again.nll, *shifts], strict=True))


def statistics_are_to_blame(id: str, statement: str, *, arm: str, against: str) -> Criterion:
    """Judge whether dropout costs accuracy, and new statistics win back at least half of that.

    Both networks get new statistics, since those of the network without dropout lag behind its weights,
    too: the difference in error that is left must be below half of the difference that there was.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        arm: the network with dropout.
        against: the same network without.

    Example:
        >>> print(statistics_are_to_blame("shift", "It is the shift", arm="p", against="none").rule)
        whole 95 % t-interval of error(p) − error(none), paired by seed, above 0; and whole 95 % t-interval of
        ½·(error(p) − error(none)) − (error_reestimated(p) − error_reestimated(none)), paired by seed, above 0
    """
    weights = {
        (arm, "error"): 0.5,
        (against, "error"): -0.5,
        (arm, "error_reestimated"): -1.0,
        (against, "error_reestimated"): 1.0,
    }
    before = f"error({arm}) − error({against})"
    after = f"error_reestimated({arm}) − error_reestimated({against})"
    return every(
        id,
        statement,
        difference(f"{id}-a", "It hurts", metric="error", arm=arm, against=against, expect="higher"),
        linear(f"{id}-b", "Half is won back", weights, half_line("higher", 0.0), f"½·({before}) − ({after})"),
    )
