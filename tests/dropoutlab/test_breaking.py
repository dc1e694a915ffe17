import pytest
import torch

from dropoutlab.breaking import copied, damage_curves, lesion_curves, noisy, occluded, random_pairs
from dropoutlab.coadaptation import effective_rank
from dropoutlab.comparison import Arm, Task
from dropoutlab.hidden_layers import error_rate, train_layers
from dropoutlab.training import Recipe


@pytest.fixture(scope="module")
def layers():
    arms = [Arm("no dropout"), Arm("dropout", p=0.5)]
    return train_layers(arms, Task(200), Recipe(20, lr=0.05), [1, 2], hidden=(40,))


def test_copies_compute_the_same_function(layers):
    layer = layers[0]
    head, hidden = copied(layer.head, layer.hidden, 3)
    assert hidden.shape == (697, 120)
    torch.testing.assert_close(head(hidden), layer.head(layer.hidden), rtol=1e-12, atol=1e-12)
    assert effective_rank(hidden) == pytest.approx(effective_rank(layer.hidden), rel=1e-6)


def test_one_copy_is_the_layer_itself(layers):
    head, hidden = copied(layers[0].head, layers[0].hidden, 1)
    assert torch.equal(head(hidden), layers[0].head(layers[0].hidden))


def test_copies_below_one_are_refused(layers):
    with pytest.raises(ValueError, match="at least 1 copy of each unit, got 0"):
        copied(layers[0].head, layers[0].hidden, 0)


@pytest.mark.parametrize("how", [{}, {"fill": "zero", "rescale": True}])
def test_lesion_curves_begin_intact_and_climb(layers, how):
    table = lesion_curves(layers, [0, 0.5, 0.9], draws=4, **how)
    assert list(table.columns) == ["arm", "seed", "lost", "error"]
    intact = [error_rate(layer.head(layer.hidden), layer.test.y) for layer in layers]
    assert table[table.lost == 0].error.tolist() == pytest.approx(intact)
    means = table.groupby("lost").error.mean()
    assert means[0] < means[0.5] < means[0.9]


def test_copies_flatten_the_curve_of_the_lesion_that_dropout_trains_for(layers):
    def error(copies):
        table = lesion_curves(layers[:2], [0.5], fill="zero", rescale=True, copies=copies, draws=5)
        return table.error.mean()

    assert error(8) < error(1)


@pytest.mark.parametrize(("fractions", "draws"), [([0.5, 1.0], 1), ([-0.1], 1), ([0.5], 0)])
def test_impossible_lesions_are_refused(layers, fractions, draws):
    with pytest.raises(ValueError, match=r"fractions in \[0, 1\) and at least 1 draw"):
        lesion_curves(layers, fractions, draws=draws)


def test_random_pairs_hold_all_three_costs(layers):
    table = random_pairs(layers, 6)
    assert len(table) == 6 * len(layers)
    assert table.synergy.to_numpy() == pytest.approx(
        (table.both - table["first"] - table["second"]).to_numpy()
    )
    assert random_pairs(layers, 6).equals(table)


def test_damage_of_strength_zero_changes_nothing_and_arms_share_it(layers):
    seen = []

    def spying(x, level, generator):
        seen.append(noisy(x, level, generator))
        return seen[-1]

    table = damage_curves(layers, {"noise": (spying, [0, 0.8]), "square": (occluded, [0, 6])})
    intact = [error_rate(layer.net(layer.test.x), layer.test.y) for layer in layers]
    for damage in ("noise", "square"):
        rows = table[table.damage == damage]
        assert rows[rows.level == 0].error.tolist() == pytest.approx(intact)
        assert rows[rows.level > 0].error.mean() > rows[rows.level == 0].error.mean() + 0.1
    # Calls come layer by layer, two levels each; layers 0 and 2 are the two arms of seed 1.
    assert torch.equal(seen[1], seen[5])
    assert not torch.equal(seen[1], seen[3])
