import pytest
import torch

from dropoutlab.coadaptation import correlation, sparsity
from dropoutlab.comparison import Arm, Task, at_end, by_seed, curves
from dropoutlab.hidden_layers import error_rate, read, train_layers
from dropoutlab.training import Recipe

ARMS = [Arm("no dropout"), Arm("dropout", p=0.4)]
TASK, RECIPE, SEEDS = Task(60), Recipe(4, lr=0.05), [1, 2]


@pytest.fixture(scope="module")
def layers():
    return train_layers(ARMS, TASK, RECIPE, SEEDS, hidden=(12, 9))


def test_layers_come_arm_by_arm_in_order_of_the_seeds(layers):
    assert [(layer.arm, layer.seed) for layer in layers] == [
        ("no dropout", 1), ("no dropout", 2), ("dropout", 1), ("dropout", 2),
    ]  # fmt: skip
    assert all(layer.hidden.shape == (697, 9) and layer.seen.shape == (60, 9) for layer in layers)
    assert all(layer.features.weight.shape == (12, 64) for layer in layers)


def test_they_are_the_networks_of_the_learning_curves(layers):
    table = at_end(curves(ARMS, TASK, RECIPE, SEEDS, hidden=(12, 9)))
    for arm in ARMS:
        expected = by_seed(table, arm.name)
        found = [
            error_rate(layer.head(layer.hidden), layer.test.y) for layer in layers if layer.arm == arm.name
        ]
        assert found == pytest.approx(expected.tolist(), abs=1e-12)


def test_the_head_completes_the_hidden_layer(layers):
    for layer in layers:
        torch.testing.assert_close(layer.head(layer.hidden), layer.net(layer.test.x))


def test_readings_are_those_of_each_layer(layers):
    table = read(layers)
    assert list(table.arm) == [layer.arm for layer in layers]
    assert table.correlation[3] == correlation(layers[3].hidden)
    assert table.locality[0] == sparsity(layers[0].features.weight.detach())
    assert table.zeros[1] == (layers[1].hidden == 0).double().mean().item()
    assert table.notna().all(axis=None)


def test_reading_twice_gives_the_same_numbers(layers):
    assert read(layers[:1]).equals(read(layers[:1]))  # the weight noise comes from the seed


@pytest.mark.parametrize("arm", [Arm("L2", weight_decay=0.1), Arm("augmentation", shift=1)])
def test_arms_that_differ_in_more_than_p_are_refused(arm):
    with pytest.raises(ValueError, match=f"differ in p only here, got .*{arm.name}"):
        train_layers([arm], TASK, RECIPE, SEEDS)


def test_error_rate_counts_wrong_answers():
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert error_rate(logits, torch.tensor([0, 1, 1, 1])) == 0.25
