"""Exact averages of all thinned networks: `ensembles` times them, this stores what it found."""

import ensembles
from record import Record
from timing import Bench


def measure(bench: Bench, record: Record) -> None:
    """Store the ratios of `ensembles.measure` with the seconds behind them."""
    sizes = ensembles.QUICK if bench.quick else ensembles.Sizes()
    found = ensembles.measure(quick=bench.quick)
    units = sizes.units
    ours = found[f"arithmetic_{units}_units_s"]
    limit = {
        "limit": ours * found["exact_average_fraction_of_gemm_peak"],
        "limit_is": "two matrix products",
    }
    naive = found["naive_ns_per_network"] * 1e-9 * 2**units
    for key, seconds, name in (
        ("exact_average_speedup_vs_naive", naive, f"a loop, from 2^{sizes.naive} networks"),
        ("exact_average_vs_softmax", ours / found["exact_average_vs_softmax"], "the softmaxes"),
    ):
        record.add(key, found[key], ours=ours, peer=seconds, peer_is=name, **limit)
    record.add(
        "exact_average_fraction_of_gemm_peak",
        found["exact_average_fraction_of_gemm_peak"],
        ours=ours,
        **limit,
    )
    record.add("exact_average_peak_mb", found["exact_average_peak_mb"])
    growth = found["exact_average_growth_per_unit"]
    record.add("exact_average_growth_per_unit", growth)
    grown = sorted({*sizes.growing, *sizes.large})
    record.grow(
        "exact_average_units",
        grown,
        [found[f"exact_average_{n}_units_s"] for n in grown],
        factor=2**growth,
        factor_of_large=2 ** found["exact_average_growth_per_unit_large"],
    )
