"""Training many small networks side by side, against training them one after another."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from record import Record
from steps import product, products
from timing import Bench, slope

from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit, fit_many


class Case(NamedTuple):
    """K networks of these widths, trained for one epoch."""

    k: int
    widths: tuple[int, ...]
    batch: int = 32
    examples: int = 640


# Few replicas, odd widths, single examples, no hidden layer, networks too large to gain: none may lose.
AWKWARD = (
    Case(2, (64, 32, 32, 10)),
    Case(3, (64, 512, 512, 10)),
    Case(7, (64, 100, 37, 10), batch=31),
    Case(9, (64, 256, 256, 10)),
    Case(4, (64, 64, 10), batch=1, examples=100),
    Case(8, (64, 10)),
    Case(2, (784, 1024, 1024, 10), batch=100, examples=200),
)
GROWING = (1, 2, 4, 8, 16, 32, 64)


def measure(bench: Bench, record: Record) -> None:
    """Time `fit_many` against a loop of `fit`, in float32 with p = 0.5."""
    for width in (32, 64, 128):
        case = Case(32, (64, width, width, 10))
        _add(record, f"fit_many_speedup_w{width}", compare(bench, case, repeats=9))
    awkward = {
        shown(case): compare(bench, case, repeats=21) for case in (AWKWARD[:1] if bench.quick else AWKWARD)
    }
    ratios = {name: found["loop"] / found["many"] for name, found in awkward.items()}
    worst = min(ratios, key=lambda name: ratios[name])
    _add(record, "fit_many_worst_ratio", awkward[worst], ours_is=worst, ratios=ratios)
    sizes = GROWING[:3] if bench.quick else GROWING
    cases = {str(k): Case(k, (64, 32, 32, 10)) for k in sizes}
    growing = bench.medians("growth with K", {name: many(case) for name, case in cases.items()}, repeats=9)
    seconds = [growing[name] / steps_of(case) for name, case in cases.items()]
    record.grow("fit_many_replicas", list(sizes), seconds, exponent=slope(sizes, seconds))


def compare(bench: Bench, case: Case, repeats: int) -> dict[str, float]:
    """Return the seconds of one epoch: all at once, one by one, and of the matrix products alone."""
    if bench.quick:
        case = case._replace(k=2, examples=2 * case.batch)
    ways = {"many": many(case), "loop": loop(case), "limit": products_alone(case)}
    return bench.medians(shown(case), ways, repeats)


def shown(case: Case) -> str:
    """Name a case as the table does."""
    return f"{case.k} × {'-'.join(map(str, case.widths))}"


def many(case: Case) -> Callable[[], object]:
    """Make a function that trains all replicas at once."""
    models, orders, train, recipe = _prepared(case)
    return lambda: fit_many(models, train, recipe, orders=orders)


def loop(case: Case) -> Callable[[], object]:
    """Make a function that trains them one after another."""
    models, orders, train, recipe = _prepared(case)
    return lambda: [
        fit(model, train, recipe, order=order) for model, order in zip(models, orders, strict=True)
    ]


def products_alone(case: Case) -> Callable[[], object]:
    """Make a function that does the matrix products of the epoch and nothing else."""
    ways = [product(*sizes, together=case.k) for sizes in products(case.widths, case.batch)]
    return lambda: [way() for _ in range(steps_of(case)) for way in ways]


def steps_of(case: Case) -> int:
    """Count the steps of an epoch."""
    return -(-case.examples // case.batch)


def _prepared(case: Case) -> tuple[list[torch.nn.Sequential], list[torch.Generator], Split, Recipe]:
    data = streams(1000).data
    x = torch.rand(case.examples, case.widths[0], generator=data)
    train = Split(x, torch.randint(case.widths[-1], (case.examples,), generator=data))
    seeds = [streams(1000 + k) for k in range(case.k)]
    models = [mlp(case.widths, p=0.5, init=s.init, masks=s.masks, dtype=torch.float32) for s in seeds]
    return models, [s.order for s in seeds], train, Recipe(1, batch_size=case.batch, lr=0.01)


def _add(record: Record, key: str, found: dict[str, float], **more: Any) -> None:
    record.add(
        key,
        found["loop"] / found["many"],
        ours=found["many"],
        peer=found["loop"],
        peer_is="a loop",
        limit=found["limit"],
        limit_is="its matrix products",
        **more,
    )
