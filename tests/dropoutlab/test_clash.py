import pytest
import torch
from torch import nn

from dropoutlab.clash import NormArm, predicted_shifts, read_normalised, train_normalised
from dropoutlab.comparison import Task
from dropoutlab.layers import Dropout
from dropoutlab.moments import linear_variance_shift, variance_shift
from dropoutlab.normalisation import shift_ratios
from dropoutlab.readouts import predict, scores
from dropoutlab.training import Recipe

ARMS = [
    NormArm("none", norm="none", p=0.5),
    NormArm("batch"),
    NormArm("usual", p=0.5),
    NormArm("before", p=0.5, order="before norm"),
]
RECIPE = Recipe(20, batch_size=20, lr=0.01, optimiser="adam")


@pytest.fixture(scope="module")
def nets():
    return train_normalised(ARMS, Task(60), RECIPE, [1000, 1001], hidden=(24, 24))


def test_arms_share_examples_and_are_in_order(nets):
    assert [(one.arm.name, one.seed) for one in nets] == [
        (arm.name, seed) for arm in ARMS for seed in (1000, 1001)
    ]
    first = {one.seed: one for one in nets[:2]}
    for one in nets:
        assert torch.equal(one.train.x, first[one.seed].train.x)
        assert torch.equal(one.test.y, first[one.seed].test.y)
    assert not torch.equal(nets[0].train.x, nets[1].train.x)


def test_a_network_has_what_its_arm_says(nets):
    kinds = {one.arm.name: [type(layer).__name__ for layer in one.net[:4]] for one in nets}
    assert kinds["none"] == ["Linear", "ReLU", "Dropout", "Linear"]
    assert kinds["usual"] == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert kinds["before"] == ["Linear", "Dropout", "BatchNorm1d", "ReLU"]


def test_readings_are_those_of_the_network_and_leave_it_alone(nets):
    states = [{name: value.clone() for name, value in one.net.state_dict().items()} for one in nets]
    table = read_normalised(nets)
    for one, state in zip(nets, states, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in one.net.state_dict().items())
    for row, one in zip(table.itertuples(), nets, strict=True):
        found = scores(predict(one.net, one.test.x), one.test.y)
        assert (row.arm, row.seed, row.p, row.norm) == (one.arm.name, one.seed, one.arm.p, one.arm.norm)
        assert (row.error, row.nll) == (found.error, found.nll)


def test_only_batch_normalisation_has_shifts_and_only_dropout_shifts(nets):
    table = read_normalised(nets).set_index(["arm", "seed"])
    assert table.loc["none", ["error_reestimated", "shift_1", "shift_2"]].isna().all(axis=None)
    assert table.loc["usual", "shift_1"].tolist() == pytest.approx([1, 1], abs=1e-6)
    assert (table.loc["usual", "shift_2"] < 0.9).all()
    assert (table.loc["before", ["shift_1", "shift_2"]] < 0.9).all(axis=None)
    # After 60 steps 0.9**60 of the initial statistics are left; what remains is their lag behind the weights.
    assert (table.loc["batch", ["shift_1", "shift_2"]] > 0.9).all(axis=None)
    assert table.loc[["batch", "usual", "before"], "nll_reestimated"].notna().all()


def net_of(p, *, before=False, generator=None):
    g = torch.Generator().manual_seed(5)
    first, second = nn.Linear(6, 5, dtype=torch.float64), nn.Linear(5, 4, dtype=torch.float64)
    with torch.no_grad():
        for parameter in (*first.parameters(), *second.parameters()):
            parameter.normal_(generator=g)
    drop = Dropout(p, generator=generator)
    middle = [second, drop] if before else [drop, second]
    return nn.Sequential(first, nn.ReLU(), *middle, nn.BatchNorm1d(4, dtype=torch.float64))


@pytest.fixture
def x(seeded):
    return torch.randn(4000, 6, generator=seeded(6), dtype=torch.float64)


@torch.no_grad()
def test_predictions_are_the_formulas_on_activations_without_dropout(x):
    net = net_of(0.3).eval()
    hidden = net[:2](x)
    expected = linear_variance_shift(net[3].weight, hidden.mean(0), torch.cov(hidden.T, correction=0), 0.3)
    torch.testing.assert_close(predicted_shifts(net, x)["4"], expected)
    net = net_of(0.3, before=True).eval()
    z = net[:3](x)
    expected = variance_shift(z.mean(0), z.var(0, correction=0), 0.3)
    torch.testing.assert_close(predicted_shifts(net, x)["4"], expected)


@pytest.mark.parametrize("before", [False, True])
def test_predictions_are_what_is_measured_where_dropout_is_alone(x, before, seeded):
    net = net_of(0.3, before=before, generator=seeded(7)).eval()
    measured = shift_ratios(net, x, batch_size=len(x), passes=10)["4"]
    # 40,000 draws of kurtosis below 20 give a variance a relative SD below √(19/40,000) = 0.022: five SDs.
    torch.testing.assert_close(predicted_shifts(net, x)["4"], measured, rtol=0.11, atol=0)
    assert (measured < 0.9).all()


def test_no_dropout_nearby_predicts_no_shift(x):
    g = torch.Generator().manual_seed(1)
    [one] = train_normalised([NormArm("batch")], Task(20), Recipe(1, 10), [1000], hidden=(5, 4))
    rows = torch.rand(30, 64, generator=g, dtype=torch.float64)
    for ratios in predicted_shifts(one.net, rows).values():
        assert (ratios == 1).all()


def test_predictions_in_training_mode_are_refused(x):
    with pytest.raises(ValueError, match=r"call eval\(\)"):
        predicted_shifts(net_of(0.3).train(), x)
