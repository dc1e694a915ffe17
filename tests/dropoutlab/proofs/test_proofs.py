import math

import pytest
import torch
from torch import nn

from dropoutlab.catalogue import entries
from dropoutlab.proofs import PROOFS, Proof, averages, counts, networks, prove, rules
from dropoutlab.proofs.table import UnknownProofError

# What each proof must find, known beforehand from the definition and not from the code under test.
TRUTH = {
    "eval_applies_the_scaling": False,
    "eval_is_deterministic_everywhere": False,
    "forgotten_eval_is_stochastic": True,
    "p_is_the_probability_of_dropping": True,
    "p_is_the_probability_of_keeping": False,
    "scale_is_one_over_q": True,
    "scaled_twice_is_right": False,
    "scaling_happens_at_test_time": False,
    "scaling_happens_in_training": True,
    "a_step_trains_one_network": False,
    "every_network_is_trained": False,
    "exactly_p_percent_are_dropped": False,
    "no_zero_is_left_in_evaluation": False,
    "so_many_functions_as_masks": False,
    "the_sum_stays_the_same": False,
    "one_layer_equals_the_geometric_mean": True,
    "pooling_averages_single_coins_away": True,
    "two_layers_equal_the_geometric_mean": False,
    "weight_scaling_is_the_average": False,
    "a_dropped_unit_stays_where_it_is": False,
    "activation_before_dropout_is_the_only_order": False,
    "both_scalings_train_alike": False,
    "both_scalings_train_alike_with_matched_rates": True,
    "early_stopping_has_no_hyperparameters": False,
    "forgotten_scaling_doubles_the_next_layer": True,
}

# Numbers with a closed form, worked out here independently.
VALUES = {
    "exactly_p_percent_are_dropped": math.comb(10, 3) * 0.3**3 * 0.7**7,
    "the_sum_stays_the_same": math.sqrt(10 * 0.3 / 0.7),
    "so_many_functions_as_masks": 8,
    "every_network_is_trained": 8 - 512 * math.log10(2),
    "no_zero_is_left_in_evaluation": 0.5**50,
    "a_step_trains_one_network": 64,
    "pooling_averages_single_coins_away": 64,
    "forgotten_scaling_doubles_the_next_layer": 2,
    "scaled_twice_is_right": 0.5,
    "scaling_happens_in_training": 1.25,
}


@pytest.fixture(scope="module")
def results():
    return {name: prove(name) for name in PROOFS}


def test_every_proof_is_named_here_and_used_by_the_catalogue():
    assert set(PROOFS) == set(TRUTH)
    used = {entry.proof for entry in entries().values() if entry.proof}
    assert used <= set(PROOFS)


@pytest.mark.parametrize("name", TRUTH)
def test_a_proof_finds_what_follows_from_the_definition(results, name):
    proof = results[name]
    assert proof.holds is TRUTH[name]
    assert proof.says.endswith(".")
    assert math.isfinite(proof.value)


@pytest.mark.parametrize("name", VALUES)
def test_a_proof_gives_the_number_that_settles_it(results, name):
    assert results[name].value == pytest.approx(VALUES[name], rel=1e-6)


def test_proofs_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    for name in rules.__all__:
        prove(name)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(UnknownProofError, match=r"unknown proof 'nonsense'; the names are a_dropped_unit"):
        prove("nonsense")


# --- the proofs could come out otherwise


def test_a_layer_that_scales_in_evaluation_would_be_noticed(monkeypatch):
    class Classic(nn.Dropout):
        def forward(self, x):
            return super().forward(x) * (1 - self.p) if self.training else x * (1 - self.p)

    monkeypatch.setattr(rules.nn, "Dropout", Classic)
    assert rules.scaling_happens_at_test_time().holds
    assert rules.eval_applies_the_scaling().holds
    assert not rules.scale_is_one_over_q().holds


def test_a_layer_whose_p_keeps_would_be_noticed(monkeypatch):
    monkeypatch.setattr(rules.nn, "Dropout", lambda p: nn.modules.Dropout(1 - p))
    assert not rules.p_is_the_probability_of_dropping().holds
    assert rules.p_is_the_probability_of_keeping().holds


def test_masks_shared_by_a_batch_would_be_noticed(monkeypatch):
    monkeypatch.setattr(counts, "keep_mask", lambda shape, *_, **__: torch.ones(shape, dtype=torch.bool))
    monkeypatch.setattr(counts, "silent_units", lambda *_, **__: (3, 3))
    assert counts.a_step_trains_one_network() == Proof(True, 1, "1", counts.a_step_trains_one_network().says)


def test_a_wrong_weight_scaling_would_be_noticed(monkeypatch):
    monkeypatch.setattr(averages, "weight_scaling_average", lambda h, w, b, _: (0.5 * h @ w.T + b).softmax(1))
    assert not averages.one_layer_equals_the_geometric_mean().holds


@pytest.mark.parametrize(
    ("losses", "patience", "kept"),
    [([3, 2, 1], 1, 2), ([3, 2, 2.5, 1], 1, 1), ([3, 2, 2.5, 1], 2, 3), ([1, 2, 3], 1, 0), ([2, 2, 1], 2, 2)],
)
def test_patience_counts_epochs_without_a_new_minimum(losses, patience, kept):
    assert networks._stop(losses, patience) == kept
