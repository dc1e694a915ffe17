import math

import pytest

from coursebook.numbers import effect, p_value


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text"),
    [
        (0.0131, 0.0117, 0.0144, "fraction", "+1.31 [+1.17, +1.44]\u00a0points"),
        (-0.0006, -0.001, 0.0002, "fraction", "−0.06 [−0.10, +0.02]\u00a0points"),
        (0.0006, 0.0002, 0.00098, "nats", "+0.000600 [+0.000200, +0.000980]\u00a0nats"),
        (0.1778, 0.11, 0.244, "nats", "+0.18 [+0.11, +0.24]\u00a0nats"),
        (2.0, 1.5, 3.0, "ratio", "2.00 [1.50, 3.00]×"),
        (312.4, 300.0, 330.2, "ms", "+312 [+300, +330]\u00a0ms"),
        (0.2668, None, None, "1", "0.27"),
        (-146.127, None, None, "log10", "−146\u00a0in powers of ten"),
        (0.0, 0.0, 0.0, "nats", "+0.00 [+0.00, +0.00]\u00a0nats"),
        (5.0, 4.0, 6.0, "characters", "+5.00 [+4.00, +6.00]\u00a0characters"),
    ],
)
def test_effects_are_written_in_units_a_reader_knows(value, low, high, unit, text):
    assert effect(value, low, high, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "p = 0.5"),
        (0.0012, "p = 0.0012"),
        (0.001, "p = 0.001"),
        (0.0009, "p < 0.001"),
        (math.nan, "no p-value"),
    ],
)
def test_p_values_stop_at_a_thousandth(value, text):
    assert p_value(value) == text.replace(" ", "\xa0" if text[0] == "p" else " ")
