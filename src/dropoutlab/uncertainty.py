"""Regression with dropout: read as one network, or as a sample of many with a density of its own."""

import math

import torch
from sklearn.datasets import load_diabetes
from torch import Tensor, nn

from dropoutlab.readouts import stochastic


def diabetes() -> tuple[Tensor, Tensor]:
    """Return the diabetes data of scikit-learn: ten measurements of 442 patients, and one year's progress.

    Returns:
        Measurements ``(442, 10)`` and progress ``(442, 1)``, each column of mean 0 and standard deviation 1,
        in float64.

    Example:
        >>> x, y = diabetes()
        >>> tuple(x.shape), tuple(y.shape)
        ((442, 10), (442, 1))

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), Annals of Statistics 32:407–499.
    """
    x, y = (torch.as_tensor(part, dtype=torch.float64) for part in load_diabetes(return_X_y=True))
    columns = torch.cat([x, y[:, None]], dim=1)
    columns = (columns - columns.mean(dim=0)) / columns.std(dim=0, correction=0)
    return columns[:, :10], columns[:, 10:]


@torch.no_grad()
def sampled_outputs(net: nn.Module, x: Tensor, samples: int) -> Tensor:
    """Run a network with dropout several times, with new masks for every example and pass.

    Args:
        net: network mapping ``(N, D)`` to ``(N, C)``; its mode is restored.
        x: examples ``(N, D)``.
        samples: number T of passes, at least 1.

    Returns:
        Outputs ``(T, N, C)``.

    Raises:
        ValueError: ``samples`` is below 1.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net = mlp((4, 8, 1), p=0.2, init=g, masks=g)
        >>> sampled_outputs(net, torch.ones(3, 4).double(), 5).shape
        torch.Size([5, 3, 1])
    """
    if samples < 1:
        raise ValueError(f"need at least 1 sample, got {samples}")
    with stochastic(net):
        return torch.stack([net(x) for _ in range(samples)])


def log_density(outputs: Tensor, y: Tensor, noise: float) -> float:
    r"""Give the mean log-likelihood of targets under a mixture of T normal densities of one width.

    .. math:: \frac1N \sum_n \log \frac1T \sum_t \mathcal N\bigl(y_n;\, f_t(x_n),\, \text{noise}^2\bigr)

    With T = 1 it is the density of a single network.

    Args:
        outputs: means ``(T, N, 1)``.
        y: targets ``(N, 1)``.
        noise: standard deviation, positive.

    Returns:
        Mean over examples, in nats.

    Raises:
        ValueError: ``noise`` is not positive and finite, or shapes do not fit.

    Example:
        >>> round(log_density(torch.zeros(1, 1, 1), torch.zeros(1, 1), 1.0), 4)
        -0.9189

    Source: Gal and Ghahramani (2016), arXiv:1506.02142, section 4 and appendix.
    """
    if not 0 < noise < math.inf:
        raise ValueError(f"the noise must be positive and finite, got {noise}")
    if outputs.dim() != 3 or outputs.shape[1:] != y.shape:
        raise ValueError(
            f"need outputs (T, N, 1) and targets (N, 1), got {tuple(outputs.shape)} and {tuple(y.shape)}"
        )
    exponents = -0.5 * ((outputs.double() - y) / noise).square()
    densities = exponents - math.log(noise) - 0.5 * math.log(2 * math.pi)
    return (densities.logsumexp(dim=0) - math.log(len(outputs))).mean().item()


def best_noise(outputs: Tensor, y: Tensor, candidates: Tensor) -> float:
    """Choose the width of the normal densities that makes the targets likeliest.

    Args:
        outputs: means ``(T, N, 1)`` on validation examples.
        y: their targets ``(N, 1)``.
        candidates: standard deviations to try, ``(K,)``.

    Returns:
        The best candidate, the first of equals.

    Example:
        >>> best_noise(torch.zeros(1, 2, 1), torch.tensor([[1.0], [-1.0]]), torch.tensor([0.5, 1.0, 2.0]))
        1.0
    """
    values = candidates.tolist()
    return float(max(values, key=lambda noise: log_density(outputs, y, noise)))


def root_mean_square(prediction: Tensor, y: Tensor) -> float:
    """Return the root of the mean squared error.

    Example:
        >>> round(root_mean_square(torch.tensor([[3.0], [0.0]]), torch.tensor([[0.0], [4.0]])) ** 2, 6)
        12.5
    """
    return (prediction.double() - y).square().mean().sqrt().item()
