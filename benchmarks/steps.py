"""A whole training step: what dropout adds to it, and how close it comes to the speed of matrix products."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from record import Record
from timing import Bench
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab import Dropout
from dropoutlab.models import mlp
from dropoutlab.seeds import streams

WIDTHS = (784, 1024, 1024, 10)
QUICK_WIDTHS = (784, 64, 64, 10)
SQUARE = 1024


def measure(bench: Bench, record: Record) -> None:
    """Time steps of SGD with momentum in float32, with our dropout, with PyTorch's and with none."""
    widths = QUICK_WIDTHS if bench.quick else WIDTHS
    ways = {name: training_step(net, widths, 128) for name, net in networks(widths).items()}
    found = bench.medians("training step", ways, repeats=41)
    limit = {"limit": found["none"], "limit_is": "no dropout"}
    peer = {"peer": found["peer"], "peer_is": "`nn.Dropout`"}
    ours = found["ours"] / found["none"] - 1
    record.add("dropout_step_overhead", ours, ours=found["ours"], **peer, **limit)
    record.add("nn_dropout_step_overhead", found["peer"] / found["none"] - 1, **peer, **limit)

    batch = 32 if bench.quick else 500
    step = training_step(networks(widths)["ours"], widths, batch)
    alone = {f"product {sizes}": (sizes, product(*sizes)) for sizes in products(widths, batch)}
    square = (64 if bench.quick else SQUARE,) * 3
    alone["square"] = (square, product(*square))
    found = bench.medians(
        "share of the peak", {"step": step} | {name: way for name, (_, way) in alone.items()}, repeats=31
    )
    rates = {name: 2 * m * n * k / found[name] for name, ((m, n, k), _) in alone.items()}
    least = step_flops(widths, batch) / max(rates.values())
    record.add(
        "train_fraction_of_gemm_peak",
        least / found["step"],
        ours=found["step"],
        limit=least,
        limit_is="matrix products at the best rate",
        peak_gflops=max(rates.values()) / 1e9,
    )


def networks(widths: tuple[int, ...]) -> dict[str, nn.Sequential]:
    """Build the same network without dropout, with ours and with PyTorch's, p = 0.5."""
    nets = {}
    for name, p in (("none", 0.0), ("ours", 0.5), ("peer", 0.5)):
        stream = streams(1000)
        net = mlp(widths, p=p, init=stream.init, masks=stream.masks, dtype=torch.float32)
        if name == "peer":
            net = nn.Sequential(*(nn.Dropout(p) if isinstance(layer, Dropout) else layer for layer in net))
        nets[name] = net
    return nets


def training_step(net: nn.Module, widths: tuple[int, ...], batch: int) -> Callable[[], None]:
    """Make a function that takes one step on one batch."""
    stream = streams(1001)
    x = torch.rand(batch, widths[0], generator=stream.data)
    y = torch.randint(widths[-1], (batch,), generator=stream.data)
    rule = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, fused=True)

    def step() -> None:
        loss = cross_entropy(net(x), y)
        rule.zero_grad(set_to_none=True)
        loss.backward()
        rule.step()

    return step


def step_flops(widths: tuple[int, ...], batch: int) -> int:
    """Count the operations of a step: two per weight and example, forward and for either gradient.

    Nobody needs the gradient of the inputs, so the first layer has one product less.
    """
    weights = [n_in * n_out for n_in, n_out in pairwise(widths)]
    return 2 * batch * (3 * sum(weights) - weights[0])


def products(widths: tuple[int, ...], batch: int) -> Iterator[tuple[int, int, int]]:
    """Yield (m, n, k) of every product (m, k) @ (k, n) in a step."""
    for layer, (n_in, n_out) in enumerate(pairwise(widths)):
        yield batch, n_out, n_in  # forward
        yield n_out, n_in, batch  # gradient of the weights
        if layer > 0:
            yield batch, n_in, n_out  # gradient of the inputs


def product(m: int, n: int, k: int, together: int = 0) -> Callable[[], Tensor]:
    """Make a function that multiplies two matrices, or ``together`` pairs of them in one call."""
    lead = (together,) if together else ()
    data = streams(1000).data
    a, b = torch.rand(*lead, m, k, generator=data), torch.rand(*lead, k, n, generator=data)
    out = torch.empty(*lead, m, n)
    return lambda: torch.matmul(a, b, out=out)
