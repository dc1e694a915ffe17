r"""Unit 47 needs unit 23: a layer built by hand in which one unit is useless without another.

Unit 47 puts out ink plus lamp light, unit 23 the lamp light alone, and the other units are weak clues of
their own. What the units do is fixed; only the linear head above them is trained. Whether the pair is a law
or an accident of the training set cannot be told from the training set, and both can be drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from dropoutlab.data import Split
from dropoutlab.hidden_layers import error_rate
from dropoutlab.lesions import lesion
from dropoutlab.models import mlp
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit_many

UNIT, PARTNER, UNITS = 47, 23, 50
RECIPE = Recipe(epochs=120, batch_size=50, lr=0.1, optimiser="adam", lr_decay=0.97)


def sensors(
    n: int, *, generator: Generator, clue: float = 0.25, lamp: float = 8.0, moved: bool = False
) -> Split:
    r"""Draw examples as the fifty units see them.

    With the class as :math:`s = \pm 1` and lamp light :math:`z \sim \text{Uniform}(0, \text{lamp})`,

    .. math:: h_{47} = 1 + s + z, \qquad h_{23} = z, \qquad
        h_k = \max(0, 2 + \text{clue}\cdot s + \varepsilon_k), \quad \varepsilon_k \sim \mathcal N(0, 1).

    The difference :math:`h_{47} - h_{23}` names the class without fail; neither of the two does so alone.

    Args:
        n: number of examples.
        generator: source of classes, light and noise.
        clue: how much each of the other 48 units knows.
        lamp: largest brightness of the lamp, in units of half the distance between the classes.
        moved: whether unit 23 looks at a lamp of its own, so that the pair no longer fits.

    Returns:
        Activations ``(n, 50)``, none negative, and classes 0 and 1.

    Example:
        >>> split = sensors(4, generator=torch.Generator().manual_seed(1))
        >>> bool(((split.x[:, 47] - split.x[:, 23] > 1) == (split.y == 1)).all())
        True
    """
    y = torch.randint(0, 2, (n,), generator=generator)
    s = 2.0 * y.double() - 1

    def light() -> Tensor:
        return lamp * torch.rand(n, generator=generator, dtype=torch.float64)

    noise = torch.randn(n, UNITS, generator=generator, dtype=torch.float64)
    hidden = (2 + clue * s[:, None] + noise).clamp_min(0)
    z, other = light(), light()  # both are always drawn: the rest is the same whether moved or not
    hidden[:, UNIT] = 1 + s + z
    hidden[:, PARTNER] = other if moved else z
    return Split(hidden, y)


@dataclass(frozen=True)
class PairRun:
    """One trained head and what becomes of it.

    Attributes:
        seed: seed of the replica.
        head: linear map from the 50 units to two logits.
        test: fresh examples on which the pair still fits.
        weights: how strongly each unit speaks for class 1, ``(50,)``.
        errors: situation → test error (a fraction): ``"as in training"``, ``"unit 23 lesioned"``,
            ``"unit 47 lesioned"``, ``"both lesioned"`` (each at its mean) and ``"lamp moved"``.
    """

    seed: int
    head: nn.Linear
    test: Split
    weights: Tensor
    errors: dict[str, float]


def train_heads(
    p: float,
    seeds: Sequence[int],
    *,
    recipe: Recipe = RECIPE,
    train: int = 400,
    test: int = 2000,
) -> list[PairRun]:
    """Train a head with dropout on the units, one replica for each seed, and break the pair.

    Equal seeds give equal examples and initial weights for every p.

    Args:
        p: drop probability of the units in training.
        seeds: one replica for each.
        recipe: training recipe.
        train: number of training examples.
        test: number of test examples.

    Returns:
        One run for each seed.

    Raises:
        ValueError: as `fit_many`; ``p`` is not a probability.

    Example:
        >>> [run] = train_heads(0.0, [1], recipe=Recipe(2), train=20, test=20)
        >>> sorted(run.errors)[:2], tuple(run.weights.shape)
        (['as in training', 'both lesioned'], (50,))
    """
    replicas = [streams(seed) for seed in seeds]
    trains = [sensors(train, generator=s.data) for s in replicas]
    nets = [mlp((UNITS, 2), input_p=p, init=s.init, masks=s.masks) for s in replicas]
    fit_many(nets, trains, recipe, orders=[s.order for s in replicas])
    runs = []
    for seed, s, net in zip(seeds, replicas, nets, strict=True):
        head = net[-1]
        assert isinstance(head, nn.Linear)
        same = sensors(test, generator=s.data)
        runs.append(
            PairRun(seed, head, same, (head.weight[1] - head.weight[0]).detach(), _errors(head, same, s.data))
        )
    return runs


@torch.no_grad()
def _errors(head: nn.Linear, same: Split, generator: Generator) -> dict[str, float]:
    moved = sensors(len(same.y), generator=generator, moved=True)
    intact, elsewhere = (error_rate(head(part.x), part.y) for part in (same, moved))
    lesions = {f"unit {PARTNER} lesioned": [PARTNER], f"unit {UNIT} lesioned": [UNIT]}
    lesions["both lesioned"] = [PARTNER, UNIT]
    return {
        "as in training": intact,
        **{k: intact + lesion(head, same.x, same.y, u, measure="error") for k, u in lesions.items()},
        "lamp moved": elsewhere,
    }
