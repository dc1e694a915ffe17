import copy
import math

import pytest
import torch
from torch import float32

from dropoutlab.normalisation import normalised_mlp, reestimate_statistics, shift_ratios
from dropoutlab.readouts import predict, scores
from dropoutlab.studies.annealing import train_annealed
from dropoutlab.studies.renormalised import read_renormalised, renormalised_readings
from dropoutlab.studies.trials import Trial
from dropoutlab.training import Recipe

SMALL = {"data": "stand-in", "train": 96, "test": 50}


def trained(norm="batch", p=0.4):
    def build(s):
        return normalised_mlp((784, 12, 12, 10), norm=norm, p=p, init=s.init, masks=s.masks, dtype=float32)

    return train_annealed("mnist", SMALL, Trial(7, build, Recipe(2)))


def test_columns_and_readings_agree():
    found = read_renormalised(trained(), 32, 2)
    declared = renormalised_readings(2)
    assert list(found) == list(declared)
    assert all(metric.optional for metric in declared.values())


def test_readings_are_those_of_the_lab():
    one, other = trained(), trained()
    found = read_renormalised(one, 32, 2)
    x, test = other.splits["train"].x, other.splits["test"]
    shifts = [ratios.median().item() for ratios in shift_ratios(other.net, x, batch_size=32).values()]
    assert [found["shift_1"], found["shift_2"]] == shifts
    reestimate_statistics(other.net, x)
    result = scores(predict(other.net, test.x), test.y)
    assert (found["error_reestimated"], found["nll_reestimated"]) == (result.error, result.nll)
    assert torch.equal(one.net[1].running_mean, other.net[1].running_mean)


def test_other_normalisations_have_no_such_readings():
    one = trained("layer")
    before = copy.deepcopy(one.net.state_dict())
    assert all(math.isnan(value) for value in read_renormalised(one, 32, 2).values())
    assert all(torch.equal(value, before[name]) for name, value in one.net.state_dict().items())


def test_a_wrong_number_of_layers_is_refused():
    with pytest.raises(ValueError, match="zip"):
        read_renormalised(trained(), 32, 3)
