"""A dropout layer by itself, against `torch.nn.Dropout` and a plain copy of its input."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from record import Record
from timing import Bench, Way
from torch import nn

from dropoutlab import Dropout
from dropoutlab.seeds import streams

SHAPE, SMALL = (128, 1024), (32, 32)
RATES = {"p50": 0.5, "p30": 0.3}
GROWING = tuple(2**k for k in range(8, 18))  # elements


def measure(bench: Bench, record: Record) -> None:
    """Time forward and backward of a layer in training mode, in float32."""
    for key, one in forward(bench, SHAPE).items():
        record.add(f"dropout_forward_speedup_{key}", one["peer"] / one["ours"], **_named(one))
    slower = min(RATES, key=lambda key: record.measured[f"dropout_forward_speedup_{key}"])
    _repeat(record, "dropout_forward_speedup_vs_nn", f"dropout_forward_speedup_{slower}")
    small = min(forward(bench, SMALL).values(), key=lambda one: one["peer"] / one["ours"])
    record.add("dropout_forward_speedup_small", small["peer"] / small["ours"], **_named(small))
    seconds = by_size(bench, GROWING[-2:] if bench.quick else GROWING)
    sizes, ours, peer = (
        list(seconds),
        [each[0] for each in seconds.values()],
        [each[1] for each in seconds.values()],
    )
    record.add(
        "dropout_break_even_elements",
        break_even(sizes, ours, peer),
        sizes=sizes,
        our_seconds=ours,
        peer_seconds=peer,
    )
    back = backward(bench)
    record.add("dropout_backward_vs_nn", back["ours"] / back["peer"], **_named(back))


def forward(bench: Bench, shape: tuple[int, int]) -> dict[str, dict[str, float]]:
    """Return the seconds of ours, the peer and the limit for each rate."""
    stream = streams(1000)
    x = torch.randn(shape, generator=stream.data)
    ways: dict[str, Way] = {"limit": x.clone}
    for key, p in RATES.items():
        ways[f"ours {key}"] = partial(Dropout(p, generator=stream.masks), x)
        ways[f"peer {key}"] = partial(nn.Dropout(p), x)
    found = bench.medians(f"forward {shape[0]} × {shape[1]}", ways, repeats=41)
    return {
        key: {"ours": found[f"ours {key}"], "peer": found[f"peer {key}"], "limit": found["limit"]}
        for key in RATES
    }


def by_size(bench: Bench, sizes: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Return the seconds of our forward and the peer's for inputs of so many elements, p = 0.3."""
    stream = streams(1000)
    ours, peer = Dropout(0.3, generator=stream.masks), nn.Dropout(0.3)
    ways: dict[str, Way] = {}
    for size in sizes:
        x = torch.randn(size, generator=stream.data)
        ways |= {f"ours {size}": partial(ours, x), f"peer {size}": partial(peer, x)}
    found = bench.medians("forward by size", ways, repeats=21)
    return {size: (found[f"ours {size}"], found[f"peer {size}"]) for size in sizes}


def break_even(sizes: Sequence[int], ours: Sequence[float], peer: Sequence[float]) -> float:
    """Return the size from which ours is faster, on a straight line between logarithms.

    Sizes beyond those measured are not guessed: if one of the two is always faster, the result is the
    first or the last size.
    """
    lead = [math.log(b / a) for a, b in zip(ours, peer, strict=True)]
    if lead[0] >= 0:
        return sizes[0]
    for (size, before), (following, after) in pairwise(zip(sizes, lead, strict=True)):
        if after >= 0:
            return math.exp(math.log(size) + before / (before - after) * math.log(following / size))
    return sizes[-1]


def backward(bench: Bench) -> dict[str, float]:
    """Return the seconds of a backward pass through one layer, p = 0.3."""
    stream = streams(1000)
    x = torch.randn(SHAPE, generator=stream.data, requires_grad=True)
    gradient = torch.randn(SHAPE, generator=stream.data)
    layers = {"ours": Dropout(0.3, generator=stream.masks), "peer": nn.Dropout(0.3)}
    outputs: dict[str, torch.Tensor] = {}

    def renew(name: str) -> None:
        # Tensors of half a megabyte are fast or slow by where they happen to lie: lie elsewhere each round.
        outputs[name] = layers[name](x)

    def descend(name: str) -> None:
        torch.autograd.grad(outputs[name], x, gradient, retain_graph=True)

    ways: dict[str, Way] = {"limit": gradient.clone} | {name: partial(descend, name) for name in layers}
    before = {name: partial(renew, name) for name in layers}
    return bench.medians("backward", ways, repeats=81, before=before)


def _named(seconds: dict[str, float]) -> dict[str, float | str]:
    return {**seconds, "peer_is": "`nn.Dropout`", "limit_is": "a copy"}


def _repeat(record: Record, key: str, other: str) -> None:
    detail = {name: value for name, value in record.detail[other].items() if name not in ("what", "unit")}
    record.add(key, record.measured[other], **detail)
