"""Compare networks that differ in how they are built, over paired seeds on digits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
from torch import nn

from dropoutlab.comparison import OnReplicas, Task, splits
from dropoutlab.seeds import Streams, streams
from dropoutlab.training import Recipe, fit_many

Build = Callable[[Streams], nn.Module]


def at_the_end(
    builds: Mapping[str, Build],
    task: Task,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    on_epoch: OnReplicas | None = None,
) -> pd.DataFrame:
    """Train every variant on every seed and read it on the test split after the last epoch.

    Where `dropoutlab.comparison.curves` varies p in one architecture, the variants here may differ in
    anything: where dropout stands, which activation there is, what is on top. They are paired: with one seed
    they share examples and their order, and initial weights too if they draw the same layers in the same
    order.

    Args:
        builds: name → function that builds a network from a replica's streams. It may use ``init`` for the
            weights and ``masks`` for the masks, and nothing else.
        task: how examples are drawn.
        recipe: shared training recipe.
        seeds: one replica for each, all different.
        on_epoch: called with ``(name, epoch, epochs)``, e.g. to show progress.

    Returns:
        One row for each run: arm, seed, split (always ``"test"``), error (fraction), loss (nats). It goes to
        `dropoutlab.comparison.effect` as it is.

    Raises:
        ValueError: there is no variant or no seed, or a seed occurs twice; else as `splits` and `fit_many`.

    Example:
        >>> from dropoutlab.models import mlp
        >>> builds = {"narrow": lambda s: mlp((64, 5, 10), init=s.init)}
        >>> table = at_the_end(builds, Task(50), Recipe(1), [1000, 1001])
        >>> table.columns.tolist(), len(table)
        (['arm', 'seed', 'split', 'error', 'loss'], 2)
    """
    if not builds or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"need at least one variant, and at least one seed and each only once, "
            f"got {list(builds)} and {list(seeds)}"
        )
    rows = []
    for name, build in builds.items():
        replicas = [streams(seed) for seed in seeds]
        data = [splits(task, s) for s in replicas]
        histories = fit_many(
            [build(s) for s in replicas],
            [parts["train"] for parts in data],
            replace(recipe, evaluate_every=recipe.epochs),  # only the end is read
            orders=[s.order for s in replicas],
            evaluate={"test": [parts["test"] for parts in data]},
            on_epoch=partial(on_epoch, name) if on_epoch else None,
        )
        for seed, history in zip(seeds, histories, strict=True):
            error, loss = history.error["test"][-1], history.loss["test"][-1]
            rows.append({"arm": name, "seed": seed, "split": "test", "error": error, "loss": loss})
    return pd.DataFrame(rows)
