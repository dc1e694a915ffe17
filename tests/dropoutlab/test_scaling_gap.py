import pandas as pd
import pytest

from dropoutlab import scaling_gap
from dropoutlab.ensemble import exact_average, weight_scaling_average
from dropoutlab.scaling_gap import gaps


def test_one_pass_is_the_geometric_mean_where_logits_are_affine_and_nowhere_else():
    table = gaps(0.3, seeds=[1000, 1001])
    assert table.affine.tolist() == [True] * 4 + [False] * 3
    assert (table.geometric[table.affine] < 1e-12).all()
    assert (table.geometric[~table.affine] > 1e-3).all()
    assert (table.arithmetic > 1e-3).all()


def test_the_first_row_agrees_with_the_general_functions():
    net = scaling_gap._draw(1000)
    hidden = (net.first @ net.x + net.first_bias).relu()
    layer = (hidden, net.second, net.bias, 0.2)
    scaled = weight_scaling_average(*layer)
    row = gaps(0.2, seeds=[1000]).loc["hidden units after ReLU"]
    expected = (exact_average(*layer) - scaled).abs().max().item()
    assert row.arithmetic == pytest.approx(expected, abs=1e-12)


def test_a_sigmoid_that_is_nearly_linear_is_nearly_exact(monkeypatch):
    sharp = gaps(seeds=[1000]).geometric["inputs and hidden units, sigmoid between"]
    draw = scaling_gap._draw

    def flat(seed):
        net = draw(seed)
        return scaling_gap._Network(net.x, 1e-4 * net.first, 1e-4 * net.first_bias, net.second, net.bias)

    monkeypatch.setattr(scaling_gap, "_draw", flat)
    found = gaps(seeds=[1000]).geometric["inputs and hidden units, sigmoid between"]
    assert found < sharp / 100


def test_networks_are_averaged():
    one, two = gaps(seeds=[1000]).arithmetic, gaps(seeds=[1001]).arithmetic
    both = gaps(seeds=[1000, 1001]).arithmetic
    pd.testing.assert_series_equal(both, (one + two) / 2)


@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
def test_a_rate_without_a_whole_quota_is_refused(p):
    with pytest.raises(ValueError, match=rf"a tenth is one hidden unit, got {p}"):
        gaps(p)


def test_no_seed_is_refused():
    with pytest.raises(ValueError, match="at least one seed"):
        gaps(seeds=[])
