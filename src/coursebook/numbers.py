"""How measured effects are written: units a reader knows, a typographic minus, no idle digits."""

import math

_UNITS = {
    "fraction": "points",  # differences of percentages
    "nats": "nats",
    "ms": "ms",
    "s": "s",
    "epochs": "epochs",
    "ratio": "×",
    "1": "",
    "log10": "in powers of ten",
}
_NO_BREAK = "\u00a0"


def effect(value: float, low: float | None, high: float | None, unit: str) -> str:
    r"""Write an effect with its interval.

    Args:
        value: the estimate.
        low: lower end of its interval; ``None`` for an exact number.
        high: upper end of it.
        unit: ``"fraction"`` is shown in percentage points, ``"ratio"`` as a factor; other units as they are.

    Example:
        >>> effect(-0.0123, -0.02, -0.0046, "fraction")
        '−1.23 [−2.00, −0.46]\xa0points'
        >>> effect(1.47, 0.29, 7.3, "ratio")
        '1.47 [0.29, 7.30]×'
    """
    scale = 100.0 if unit == "fraction" else 1.0
    numbers = [scale * each for each in (value, low, high) if each is not None]
    digits = _digits([abs(each) for each in numbers])
    signed = "+" if unit not in ("ratio", "1", "log10") and low is not None else ""
    first, *ends = (f"{each:{signed}.{digits}f}".replace("-", "−") for each in numbers)
    text = f"{first} [{', '.join(ends)}]" if ends else first
    name = _UNITS.get(unit, unit)
    if not name:
        return text
    return f"{text}{'' if name == '×' else _NO_BREAK}{name}"


def p_value(value: float) -> str:
    r"""Write a p-value on one line.

    Example:
        >>> p_value(0.0312), p_value(2e-9)
        ('p\xa0=\xa00.031', 'p\xa0<\xa00.001')
    """
    if math.isnan(value):
        return "no p-value"
    text = "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
    return text.replace(" ", _NO_BREAK)


def count(n: int) -> str:
    r"""Write on how many seeds a number rests, on one line.

    Example:
        >>> count(10)
        'n\xa0=\xa010'
    """
    return f"n = {n}".replace(" ", _NO_BREAK)


def unbroken(text: str) -> str:
    r"""Keep a number and its per cent sign on one line.

    Example:
        >>> unbroken("1.60 % without")
        '1.60\xa0% without'
    """
    return text.replace(" %", _NO_BREAK + "%")


def _digits(magnitudes: list[float]) -> int:
    """Give two decimals, or as many as show three significant digits of small and of large numbers."""
    largest = max((each for each in magnitudes if math.isfinite(each)), default=0.0)
    if largest == 0:
        return 2
    return min(6, max(0, 2 - math.floor(math.log10(largest)))) if largest < 0.1 or largest >= 100 else 2
