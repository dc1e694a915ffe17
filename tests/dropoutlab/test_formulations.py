import pytest

from dropoutlab.formulations import formulation_gap


@pytest.mark.parametrize("p", [0.3, 0.8])
def test_matched_rates_keep_the_formulations_equal(p):
    gap = formulation_gap(p, 60, lr=0.05, matched=True, seed=1000)
    # Same operations up to a factor q: rounding of order 2^-53 per step, amplified little in 60 steps.
    assert gap[["output", "weights"]].to_numpy().max() < 1e-12


def test_one_common_rate_drives_them_apart():
    gap = formulation_gap(0.3, 60, lr=0.05, matched=False, seed=1000)
    assert gap.output.iloc[-1] > 1e-3
    assert gap.weights.iloc[-1] > 1e-4


def test_without_dropout_the_formulations_are_one():
    gap = formulation_gap(0.0, 5, lr=0.05, matched=False, seed=1000)
    assert (gap[["output", "weights"]] == 0).all(axis=None)


def test_table_has_a_row_for_each_step():
    gap = formulation_gap(0.3, 4, lr=0.1, matched=True, seed=1, hidden=8)
    assert gap.step.tolist() == [1, 2, 3, 4]
    assert gap.equals(formulation_gap(0.3, 4, lr=0.1, matched=True, seed=1, hidden=8))


@pytest.mark.parametrize(("p", "message"), [(1.0, "compared for p < 1, got 1.0"), (1.3, "must lie in")])
def test_impossible_rates_are_refused(p, message):
    with pytest.raises(ValueError, match=message):
        formulation_gap(p, 1, lr=0.1, matched=True, seed=1)
