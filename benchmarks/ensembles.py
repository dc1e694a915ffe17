"""Time the exact average over all thinned networks against a loop over masks and against plain softmaxes."""

import gc
import itertools
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dropoutlab.ensemble import exact_average
from dropoutlab.seeds import streams

CLASSES = 10
P = 0.3
KINDS = ("arithmetic", "geometric")

# A busy machine can slow a round down a hundredfold; after so many seconds three of them must do.
ENOUGH_SECONDS, ENOUGH_ROUNDS = 60.0, 3

# Runs in a fresh process, when the interpreter, the libraries and one small call are already paid for. Linux
# tells the memory held now and at most; getrusage there also counts what the starting process held.
MEMORY = """
import resource, sys
from pathlib import Path
import torch
from dropoutlab.ensemble import exact_average

def held(what):
    status = Path("/proc/self/status")
    if not status.exists():
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(lines[what].split()[0])

n, kind = int(sys.argv[1]), sys.argv[2]
layer = lambda n: (torch.linspace(0.1, 1, n), torch.ones(10, n).cumsum(0) / 10, torch.zeros(10))
exact_average(*layer(8), 0.3, kind)
before = held("VmRSS")
exact_average(*layer(n), 0.3, kind)
print(held("VmHWM") - before)
"""


class Sizes(NamedTuple):
    """How many units each part takes, and how often it is timed."""

    units: int = 22
    naive: int = 16
    memory: int = 24
    growing: tuple[int, ...] = (16, 18, 20, 22, 24)
    large: tuple[int, ...] = (22, 24, 26)
    square: int = 1024
    repeats: int = 15
    naive_repeats: int = 3


QUICK = Sizes(10, 6, 12, (8, 10, 12), (10, 12), 64, 1, 1)


def measure(*, quick: bool = False) -> dict[str, float]:
    """Return ratios, megabytes, exponents and the seconds behind them.

    Args:
        quick: shrink everything until it only shows that it works.
    """
    sizes = QUICK if quick else Sizes()
    found = _against_others(sizes)
    found |= _growth(sizes)
    found["exact_average_peak_mb"] = max(_extra_megabytes(sizes.memory, kind) for kind in KINDS)
    return found


def naive_torch(hidden: Tensor, weight: Tensor, bias: Tensor, p: float) -> Tensor:
    """Average one network after the other, as the definition reads."""
    n, q, total = len(hidden), 1 - p, torch.zeros_like(bias)
    for kept in itertools.product((0.0, 1.0), repeat=n):
        mask = torch.tensor(kept, dtype=hidden.dtype)
        probability = q ** sum(kept) * p ** (n - sum(kept))
        total += probability * torch.softmax(weight @ (hidden * mask / q) + bias, dim=0)
    return total


def naive_numpy(hidden: Tensor, weight: Tensor, bias: Tensor, p: float) -> Tensor:
    """Do the same in NumPy, whose calls cost less for a few numbers."""
    h, W, b = (np.asarray(a) for a in (hidden, weight, bias))
    n, q, total = len(h), 1 - p, np.zeros_like(b)
    for kept in itertools.product((0.0, 1.0), repeat=n):
        logits = W @ (h * kept / q) + b
        e = np.exp(logits - logits.max())
        total += q ** sum(kept) * p ** (n - sum(kept)) * (e / e.sum())
    return torch.from_numpy(total)


def _against_others(sizes: Sizes) -> dict[str, float]:
    networks = 2**sizes.units
    layer, small = _layer(sizes.units), _layer(sizes.naive)
    loops = {"torch": partial(naive_torch, *small, P), "numpy": partial(naive_numpy, *small, P)}
    for loop in loops.values():  # a wrong result would be fast for nothing
        torch.testing.assert_close(loop(), exact_average(*small, P), rtol=0, atol=1e-12)
    naive = _medians(loops, sizes.naive_repeats)
    per_network = min(naive.values()) / 2**sizes.naive

    logits = torch.randn(networks, CLASSES, generator=streams(1000).data, dtype=torch.float64)
    square = torch.randn(sizes.square, sizes.square, generator=streams(1000).init, dtype=torch.float64)
    product = torch.empty_like(square)
    ways: dict[str, Callable[[], object]] = {
        kind: partial(exact_average, *layer, P, kind)
        for kind in KINDS  # type: ignore[arg-type]
    }
    ways["gemm"] = partial(torch.mm, square, square, out=product)
    for name, x in (("float64", logits), ("float32", logits.float())):
        ways[f"softmax {name}"] = partial(torch.softmax, x, dim=1)
        # Writing into memory that is there already spares the system the work of finding some.
        ways[f"softmax {name} in place"] = partial(torch.softmax, x, dim=1, out=torch.empty_like(x))
    seconds = _medians(ways, sizes.repeats)
    softmax = min(value for name, value in seconds.items() if name.startswith("softmax"))
    gemm = 2 * sizes.square**3 / seconds["gemm"]
    arithmetic, geometric = (seconds[kind] for kind in KINDS)
    found = {
        "exact_average_speedup_vs_naive": per_network * networks / arithmetic,
        "exact_average_vs_softmax": arithmetic / softmax,
        "exact_average_geometric_vs_softmax": geometric / softmax,
        # Two products of C multiply-adds for each network; the rest of the work counts as nothing.
        "exact_average_fraction_of_gemm_peak": 4 * CLASSES * networks / arithmetic / gemm,
        "exact_average_ns_per_network": 1e9 * arithmetic / networks,
        "naive_ns_per_network": 1e9 * per_network,
    }
    found |= {f"naive_{name}_{sizes.naive}_units_s": value for name, value in naive.items()}
    return found | {f"{name.replace(' ', '_')}_{sizes.units}_units_s": t for name, t in seconds.items()}


def _growth(sizes: Sizes) -> dict[str, float]:
    units = sorted({*sizes.growing, *sizes.large})
    ways = {str(n): partial(exact_average, *_layer(n), P) for n in units}
    seconds = _medians(ways, sizes.repeats)

    def per_unit(some: tuple[int, ...]) -> float:
        doublings = [math.log2(seconds[str(n)]) for n in some]
        return statistics.linear_regression(some, doublings).slope

    # Small sums are over before the constant cost of a call is; large ones double with every unit.
    exponents = {
        "exact_average_growth_per_unit": per_unit(sizes.growing),
        "exact_average_growth_per_unit_large": per_unit(sizes.large),
    }
    return exponents | {f"exact_average_{n}_units_s": seconds[str(n)] for n in units}


def _extra_megabytes(units: int, kind: str) -> float:
    """Measure by how much the peak memory of a fresh process grows."""
    done = subprocess.run(  # noqa: S603  (own code)
        [sys.executable, "-c", MEMORY, str(units), kind], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 2**20


def _layer(units: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make a layer in which every unit is active and every class has its own weights."""
    stream = streams(1000)
    hidden = torch.rand(units, generator=stream.data, dtype=torch.float64)
    weight = torch.randn(CLASSES, units, generator=stream.init, dtype=torch.float64)
    return hidden, weight, torch.randn(CLASSES, generator=stream.init, dtype=torch.float64)


def _medians(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each way; they take turns, so that a busy moment hits them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    names, begin = list(ways), time.perf_counter()
    for turn in range(repeats):
        if turn >= ENOUGH_ROUNDS and time.perf_counter() - begin > ENOUGH_SECONDS:
            break
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            start = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


if __name__ == "__main__":
    print(json.dumps(measure(quick="--quick" in sys.argv), indent=2))
