"""Networks with dropout read in several ways, beside a true ensemble of networks trained independently."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import pandas as pd
import torch
from torch import Tensor, nn

from dropoutlab.comparison import CLASSES, IMAGE_SHAPE, Task, splits
from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.readouts import Scores, monte_carlo, passes, predict, scores
from dropoutlab.seeds import Streams, streams
from dropoutlab.training import Recipe, fit_many

Members = dict[int, list[nn.Sequential]]

COUNTS = (1, 2, 5, 10, 20, 50, 100)  # numbers of passes whose mean is read


def train_members(
    task: Task,
    recipe: Recipe,
    seeds: Sequence[int],
    count: int = 1,
    *,
    p: float,
    hidden: Sequence[int],
    on_epoch: Callable[[int, int], None] | None = None,
) -> Members:
    """Train several networks independently on the same examples, for every seed.

    Members of one seed share its examples and nothing else: initial weights, order and masks are their own.
    The first member is what a comparison with one network per seed would train.

    Args:
        task: how a seed's examples are drawn.
        recipe: shared training recipe.
        seeds: one set of examples for each.
        count: members of each ensemble, 1 to 999.
        p: drop probability after each hidden layer.
        hidden: widths of the hidden layers.
        on_epoch: called with ``(epoch, epochs)``, group by group, to show progress.

    Returns:
        Seed → its networks, in evaluation mode.

    Raises:
        ValueError: ``count`` is out of range; else as `fit_many`.

    Example:
        >>> members = train_members(Task(50), Recipe(1), [1000], 2, p=0.3, hidden=(8,))
        >>> len(members[1000])
        2
    """
    if not 1 <= count <= 999:
        raise ValueError(f"an ensemble has 1 to 999 members here, got {count}")
    own = [_streams(seed, member) for seed in seeds for member in range(count)]
    nets = [
        mlp((IMAGE_SHAPE[0] * IMAGE_SHAPE[1], *hidden, CLASSES), p=p, init=s.init, masks=s.masks) for s in own
    ]
    examples = [splits(task, streams(seed))["train"] for seed in seeds]
    fit_many(
        nets,
        [each for each in examples for _ in range(count)],
        recipe,
        orders=[s.order for s in own],
        on_epoch=on_epoch,
    )
    return {seed: nets[i * count : (i + 1) * count] for i, seed in enumerate(seeds)}


def _streams(seed: int, member: int) -> Streams:
    # Seeds of replicas stay far below a million, so no two members share a stream.
    return streams(seed if member == 0 else 1_000 * seed + member)


def by_passes(nets: Mapping[int, nn.Module], tests: Mapping[int, Split]) -> pd.DataFrame:
    """Score the mean of 1 to 100 passes with masks, and the one pass without.

    Args:
        nets: seed → network with dropout layers, which draw from their own generators.
        tests: seed → test examples.

    Returns:
        Tidy table: seed, passes (0 for weight scaling), error, nll, ece, confidence.

    Source: Srivastava et al. (2014), section 7.5.
    """
    rows = []
    for seed, net in nets.items():
        x, y = tests[seed].x, tests[seed].y
        rows.append(_scored(predict(net, x), y, seed=seed, passes=0))
        for k, mean in enumerate(monte_carlo(net, x, max(COUNTS)), start=1):
            if k in COUNTS:
                rows.append(_scored(mean, y, seed=seed, passes=k))
    return pd.DataFrame(rows)


def stored_passes(rows: pd.DataFrame) -> pd.DataFrame:
    """Bring stored runs that were read with several numbers of passes into the form of `by_passes`.

    Args:
        rows: one row per seed: ``error``, ``nll`` and ``ece`` of the one pass, and ``error_k10`` and so on of
            the mean of 10 passes.

    Returns:
        Tidy table: seed, passes (0 for weight scaling), error, nll, ece.

    Example:
        >>> names = ("error", "nll", "ece")
        >>> row = {"seed": 1000} | {name: 0.2 for name in names} | {f"{name}_k5": 0.1 for name in names}
        >>> stored_passes(pd.DataFrame([row])).passes.tolist()
        [0, 5]
    """
    metrics = ["error", "nll", "ece"]
    tables = [rows[["seed", *metrics]].assign(passes=0)]
    for count in COUNTS:
        columns = {f"{metric}_k{count}": metric for metric in metrics}
        if set(columns) <= set(rows.columns):
            tables.append(rows[["seed", *columns]].rename(columns=columns).assign(passes=count))
    return pd.concat(tables, ignore_index=True)[["seed", "passes", *metrics]]


def ways(plain: Members, dropped: Members, tests: Mapping[int, Split], samples: int = 100) -> pd.DataFrame:
    """Score one network and an ensemble of several, each trained without and with dropout.

    Args:
        plain: seed → networks trained without dropout.
        dropped: seed → networks trained with dropout.
        tests: seed → test examples.
        samples: passes with masks for Monte-Carlo averaging.

    Returns:
        Tidy table: seed, way, error, nll, ece, confidence, and disagreement: the fraction of test examples
        to which two of the averaged networks give different answers, NaN for a single network.
    """
    rows = []
    for seed, split in tests.items():
        x, y = split.x, split.y
        independent = {
            name: torch.stack([predict(net, x) for net in nets[seed]])
            for name, nets in (("no dropout", plain), ("dropout", dropped))
        }
        sampled = torch.stack([each.exp() for each in passes(dropped[seed][0], x, samples)])
        size = len(plain[seed])
        rows += [
            _scored(independent["no dropout"][0], y, seed=seed, way="one network, no dropout"),
            _scored(independent["dropout"][0], y, seed=seed, way="one network, weight scaling"),
            _averaged(sampled, y, seed=seed, way=f"one network, {samples} passes"),
            _averaged(independent["no dropout"], y, seed=seed, way=f"{size} networks, no dropout"),
            _averaged(independent["dropout"], y, seed=seed, way=f"{size} networks, weight scaling"),
        ]
    return pd.DataFrame(rows)


def disagreement(probabilities: Tensor) -> float:
    """Give the fraction of examples to which two different members give different answers.

    Args:
        probabilities: of M members, ``(M, N, C)``, M at least 2.

    Returns:
        The mean over all pairs of members.

    Raises:
        ValueError: there are fewer than two members.

    Example:
        >>> disagreement(torch.tensor([[[0.9, 0.1], [0.2, 0.8]], [[0.6, 0.4], [0.7, 0.3]]]))
        0.5
    """
    if len(probabilities) < 2:
        raise ValueError(f"to disagree takes two members, got {len(probabilities)}")
    answers = probabilities.argmax(dim=-1)
    differ = [(a != b).double().mean() for a, b in combinations(answers, 2)]
    return torch.stack(differ).mean().item()


def _averaged(probabilities: Tensor, y: Tensor, **labels: object) -> dict[str, object]:
    scored = _scored(probabilities.mean(dim=0), y, **labels)
    return scored | {"disagreement": disagreement(probabilities)}


def _scored(probabilities: Tensor, y: Tensor, **labels: object) -> dict[str, object]:
    found: Scores = scores(probabilities, y)
    values = {"error": found.error, "nll": found.nll, "ece": found.ece, "confidence": found.confidence}
    return {**labels, **values, "disagreement": float("nan")}
