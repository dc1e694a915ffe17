"""All thinned networks of a small perceptron at once, and an ensemble of them that is trained as one model.

Dropout trains each thinned network to be right by itself. The other way to train the same ensemble, with the
same weights shared in the same way, is to maximise the likelihood of its average: then a network may be wrong
where others are right. Warde-Farley et al. (2014) call the two dropout bagging and dropout boosting.
"""

import math

import torch
from torch import Tensor, nn

from dropoutlab.thinned import enumerate_masks, mask_probabilities

MOST_HIDDEN_UNITS = 16


def thinned_logits(net: nn.Sequential, x: Tensor, p: float) -> tuple[Tensor, Tensor]:
    r"""Compute the outputs of all :math:`2^n` thinned networks, for masks on all n hidden units.

    Args:
        net: perceptron made of linear and element-wise layers, without dropout layers, mapping ``(B, D)`` to
            ``(B, C)``. What comes before the second linear layer is the first hidden layer, and so on.
        x: examples ``(B, D)``.
        p: drop probability in ``[0, 1)`` of every hidden unit; survivors are divided by q = 1 − p.

    Returns:
        Logits ``(2^n, B, C)``, and the probability of each network ``(2^n,)`` in float64.

    Raises:
        ValueError: there are more than 16 hidden units, or ``p`` is not in ``[0, 1)``.

    Example:
        >>> from dropoutlab.models import mlp
        >>> net = mlp((4, 3, 2, 5), init=torch.Generator().manual_seed(1))
        >>> logits, law = thinned_logits(net, torch.ones(6, 4).double(), p=0.3)
        >>> tuple(logits.shape), round(law.sum().item(), 6)
        ((32, 6, 5), 1.0)
    """
    linears = [layer for layer in net if isinstance(layer, nn.Linear)]
    hidden = sum(layer.out_features for layer in linears[:-1])
    if hidden > MOST_HIDDEN_UNITS:
        raise ValueError(f"can enumerate the masks of {MOST_HIDDEN_UNITS} hidden units at most, got {hidden}")
    if not 0 <= p < 1:
        raise ValueError(f"drop probability must lie in [0, 1) here, got {p}")
    values, law, first = x[None], torch.ones(1, dtype=torch.float64), True
    for layer in net:
        if isinstance(layer, nn.Linear) and not first:
            masks = enumerate_masks(layer.in_features)
            factors = masks.to(x.dtype) / (1 - p)  # (2^n, n)
            values = (values[:, None] * factors[:, None]).flatten(0, 1)  # (M·2^n, B, n)
            law = torch.outer(law, mask_probabilities(masks, p)).flatten()
        first = first and not isinstance(layer, nn.Linear)
        values = layer(values)
    return values, law


class JointEnsemble(nn.Module):
    r"""Predict with the average of all thinned networks, in training as in evaluation.

    .. math:: \log \sum_m P(m)\, \text{softmax}\bigl(f(x; m)\bigr)

    Its outputs are log-probabilities, so the usual cross-entropy maximises the likelihood of the average.

    Args:
        net: perceptron without dropout layers, as for `thinned_logits`; shared, not copied.
        p: drop probability in ``[0, 1)`` of every hidden unit.

    Example:
        >>> from dropoutlab.models import mlp
        >>> ensemble = JointEnsemble(mlp((4, 3, 5), init=torch.Generator().manual_seed(1)), p=0.3)
        >>> ensemble(torch.ones(2, 4).double()).exp().sum(1).tolist()
        [1.0, 1.0]

    Source: Warde-Farley et al. (2014), arXiv:1312.6197, section 7 (dropout boosting, there with one sampled
    mask per step and a geometric mean; here exact, with the arithmetic mean).
    """

    def __init__(self, net: nn.Sequential, p: float) -> None:
        super().__init__()
        self.net = net
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, D)`` to log-probabilities ``(B, C)``."""
        logits, law = thinned_logits(self.net, x, self.p)
        # Networks that cannot occur (p = 0) must not put a minus infinity into the gradient.
        occurs = law > 0
        weights = law[occurs].log().to(x.dtype)[:, None, None]
        return (logits[occurs].log_softmax(dim=-1) + weights).logsumexp(dim=0)


def networks(net: nn.Sequential) -> int:
    """Count the thinned networks of a perceptron.

    Example:
        >>> from dropoutlab.models import mlp
        >>> networks(mlp((4, 3, 2, 5), init=torch.Generator().manual_seed(1)))
        32
    """
    linears = [layer for layer in net if isinstance(layer, nn.Linear)]
    return math.prod(2**layer.out_features for layer in linears[:-1])
