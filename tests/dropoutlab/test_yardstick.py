import math

import pandas as pd
import pytest
import torch

from dropoutlab import comparison
from dropoutlab.comparison import Task
from dropoutlab.models import mlp
from dropoutlab.readouts import passes, predict, scores
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit
from dropoutlab.yardstick import COUNTS, by_passes, disagreement, stored_passes, train_members, ways

TASK, RECIPE = Task(40, test=60), Recipe(2, lr=0.05)


@pytest.fixture(scope="module")
def tests():
    return {seed: comparison.splits(TASK, streams(seed))["test"] for seed in (1000, 1001)}


def trained(count, p):
    return train_members(TASK, RECIPE, [1000, 1001], count, p=p, hidden=(8,))


def test_the_first_member_is_the_network_of_its_seed():
    members = trained(2, 0.3)
    s = streams(1001)
    train = comparison.splits(TASK, streams(1001))["train"]
    net = mlp((64, 8, 10), p=0.3, init=s.init, masks=s.masks)
    fit(net, train, RECIPE, order=s.order)
    torch.testing.assert_close(members[1001][0][0].weight, net[0].weight, rtol=0, atol=1e-12)


def test_members_share_nothing_but_examples():
    members = trained(3, 0.0)
    weights = torch.stack([net[0].weight.detach() for nets in members.values() for net in nets])
    assert len(weights) == 6
    assert len(weights.flatten(1).unique(dim=0)) == 6
    assert not any(net.training for nets in members.values() for net in nets)


@pytest.mark.parametrize("count", [0, 1000])
def test_an_impossible_size_is_refused(count):
    with pytest.raises(ValueError, match=f"1 to 999 members here, got {count}"):
        trained(count, 0.3)


def test_by_passes_reads_scaling_first_and_then_means(tests):
    nets = {seed: each[0] for seed, each in trained(1, 0.5).items()}
    table = by_passes(nets, tests)
    assert table[table.seed == 1000].passes.tolist() == [0, *COUNTS]
    full = scores(predict(nets[1001], tests[1001].x), tests[1001].y)
    row = table[(table.seed == 1001) & (table.passes == 0)].iloc[0]
    assert (row.error, row.nll, row.ece) == (full.error, full.nll, full.ece)
    # Trained once more, the network has the same weights and its masks stand at the same place.
    again = trained(1, 0.5)[1001][0]
    drawn = torch.stack([each.exp() for each in passes(again, tests[1001].x, 5)])
    for k in (1, 2, 5):
        found = table[(table.seed == 1001) & (table.passes == k)].nll.item()
        assert found == pytest.approx(scores(drawn[:k].mean(dim=0), tests[1001].y).nll, abs=1e-12)


def test_ways_score_what_they_name(tests):
    plain, dropped = trained(3, 0.0), trained(3, 0.5)
    table = ways(plain, dropped, tests, samples=7)
    assert list(dict.fromkeys(table.way)) == [
        "one network, no dropout",
        "one network, weight scaling",
        "one network, 7 passes",
        "3 networks, no dropout",
        "3 networks, weight scaling",
    ]
    x, y = tests[1000].x, tests[1000].y
    together = torch.stack([predict(net, x) for net in plain[1000]])
    row = table[(table.seed == 1000) & (table.way == "3 networks, no dropout")].iloc[0]
    assert row.nll == scores(together.mean(dim=0), y).nll
    assert row.disagreement == disagreement(together)
    single = table[table.way.str.startswith("one network, no")]
    assert single.disagreement.isna().all()


def test_disagreement_is_a_mean_over_pairs():
    one_hot = torch.eye(3)
    answers = torch.tensor([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 2]])
    pairs = (2 / 4, 3 / 4, 2 / 4)
    assert math.isclose(disagreement(one_hot[answers]), sum(pairs) / 3)
    assert disagreement(one_hot[answers[[1, 1]]]) == 0
    with pytest.raises(ValueError, match="takes two members, got 1"):
        disagreement(one_hot[answers[:1]])


def test_stored_columns_become_rows():
    row = {"seed": 7, "error": 0.3, "nll": 0.2, "ece": 0.1}
    row |= {"error_k10": 0.03, "nll_k10": 0.02, "ece_k10": 0.01, "error_k50": 0.5}  # 50 was not read in full
    table = stored_passes(pd.DataFrame([row]))
    assert table.values.tolist() == [[7, 0, 0.3, 0.2, 0.1], [7, 10, 0.03, 0.02, 0.01]]
