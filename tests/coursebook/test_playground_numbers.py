"""The numbers of the playground are the lab's: same weights, data and masks, same outputs and gradients."""

from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from dropoutlab.layers import ClassicDropout, Dropout
from dropoutlab.masks import keep_mask
from dropoutlab.models import mlp
from tests.coursebook.scripts import in_node

# Both sides add up at most a few dozen products of numbers near 1 in 64 bits, in another order: errors of
# some 1e-16 each, a few layers deep. What is promised is 1e-6; a wrong factor would miss both by far.
PROMISED, EXPECTED = 1e-6, 1e-12

# The hidden layers with p: none, one, two and three of them, rates that differ, p = 0 among them, and p = 1.
NETWORKS = [
    ((2, 5, 2), (0.0, 0.3)),
    ((2, 8, 8, 2), (0.0, 0.5, 0.2)),
    ((2, 7, 6, 5, 2), (0.4, 0.1, 0.0, 0.8)),
    ((2, 32, 32, 32, 2), (0.0, 0.0, 0.0, 0.0)),
    ((3, 9, 4), (0.25, 0.6)),
    ((2, 4, 4, 2), (0.0, 1.0, 0.3)),
    ((2, 2), (0.5,)),
]


def lab_network(widths, p, mode, masks, seeded):
    """A network of the lab, with its masks frozen and its dropout of one kind or the other."""
    net = mlp(widths, p=p[1:], input_p=p[0], init=seeded(3), masks=seeded(4))
    frozen = [mask for rate, mask in zip(p, masks, strict=True) if rate > 0]
    for place, layer in enumerate(net):
        if isinstance(layer, Dropout):
            kind = Dropout if mode == "inverted" else ClassicDropout
            net[place] = kind(layer.p).freeze(frozen.pop(0))
    assert not frozen
    return net


def linear_layers(net):
    return [layer for layer in net if isinstance(layer, torch.nn.Linear)]


def question(widths, p, mode, training, seeded, examples=11):
    """A network of the lab and what the playground is asked about it."""
    coins = seeded(5)
    masks = [keep_mask((examples, widths[layer]), rate, generator=coins) for layer, rate in enumerate(p)]
    net = lab_network(widths, p, mode, masks, seeded).train(training)
    x = torch.randn(examples, widths[0], generator=seeded(6), dtype=torch.float64)
    y = torch.randint(widths[-1], (examples,), generator=seeded(7))
    asked = {
        "widths": widths,
        "weights": [layer.weight.tolist() for layer in linear_layers(net)],
        "biases": [layer.bias.tolist() for layer in linear_layers(net)],
        "x": x.tolist(),
        "y": y.tolist(),
        "p": p,
        "mode": mode,
        "training": training,
        "masks": [mask.int().tolist() for mask in masks],
    }
    return net, x, y, asked


def differences(widths, p, mode, training, seeded):
    """The largest absolute difference in logits, loss and every gradient."""
    net, x, y, asked = question(widths, p, mode, training, seeded)
    logits = net(x)
    loss = cross_entropy(logits, y)
    loss.backward()
    answer = in_node("playground", "return c.forwardBackward(data);", asked)
    pairs = [(answer["logits"], logits), (answer["loss"], loss)]
    for place, layer in enumerate(linear_layers(net)):
        pairs += [(answer["weights"][place], layer.weight.grad), (answer["biases"][place], layer.bias.grad)]
    for ours, theirs in pairs:
        assert np.size(ours) == theirs.numel()
    return max(np.abs(np.ravel(ours) - theirs.detach().numpy().ravel()).max() for ours, theirs in pairs)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("mode", ["inverted", "classic"])
@pytest.mark.parametrize(("widths", "p"), NETWORKS, ids=lambda value: "-".join(map(str, value)))
def test_outputs_loss_and_every_gradient_are_those_of_the_lab(widths, p, mode, training, seeded):
    worst = differences(widths, p, mode, training, seeded)
    assert EXPECTED < PROMISED
    assert worst <= EXPECTED


def test_the_comparison_would_notice_the_other_mode(seeded):
    net, x, _, asked = question((2, 8, 8, 2), (0.0, 0.5, 0.2), "inverted", True, seeded)
    other = in_node("playground", "return c.forwardBackward(data);", asked | {"mode": "classic"})
    assert np.abs(np.ravel(other["logits"]) - net(x).detach().numpy().ravel()).max() > 1000 * PROMISED


RUNS = [
    "data=moons&points=60&width=8&p=0,0.5,0.3&batch=10",
    "data=spirals&points=70&width=12&p=0.1,0.2,0,0.6&batch=20&mode=classic&rate=0.1",
    "data=circles&points=20&width=32&p=0,0&batch=50&noise=0.5",
]


@pytest.mark.parametrize("state", RUNS)
def test_a_training_run_is_that_of_the_lab(state, seeded):
    """Repeat five epochs with PyTorch's SGD on the same batches with the same masks."""
    code = "const s = c.read(data).settings; return [s, c.record(s, 5)];"
    settings, run = in_node("playground", code, state)
    widths, p = run["widths"], settings["p"]
    net = lab_network(widths, p, settings["mode"], [torch.ones(1, 1, dtype=torch.bool)] * len(p), seeded)

    def fill(stored):
        with torch.no_grad():
            for layer, weights, biases in zip(
                linear_layers(net), stored["weights"], stored["biases"], strict=True
            ):
                layer.weight.copy_(torch.tensor(weights, dtype=torch.float64).view_as(layer.weight))
                layer.bias.copy_(torch.tensor(biases, dtype=torch.float64))

    def loss(points):
        net.eval()
        with torch.no_grad():
            return cross_entropy(net(points[0]), points[1]).item()

    def points_of(part):
        return torch.tensor(run[part]["x"], dtype=torch.float64).view(-1, 2), torch.tensor(run[part]["y"])

    train, test = points_of("train"), points_of("test")
    fill(run["start"])
    drops = [layer for layer in net if isinstance(layer, Dropout | ClassicDropout)]
    dropped = [place for place, rate in enumerate(p) if rate > 0]
    optimiser = torch.optim.SGD(net.parameters(), lr=settings["rate"], momentum=0.9)
    per_epoch = -(-settings["points"] // settings["batch"])
    assert len(run["batches"]) == 5 * per_epoch
    for number, batch in enumerate(run["batches"]):
        if number % per_epoch == 0:
            epoch = number // per_epoch
            assert abs(loss(train) - run["losses"]["train"][epoch]) <= PROMISED
            assert abs(loss(test) - run["losses"]["test"][epoch]) <= PROMISED
        points = batch["points"]
        for layer, place in zip(drops, dropped, strict=True):
            layer.freeze(torch.tensor(batch["masks"][place]).bool().view(len(points), widths[place]))
        net.train()
        optimiser.zero_grad()
        cross_entropy(net(train[0][points]), train[1][points]).backward()
        optimiser.step()
    for layer, weights, biases in zip(
        linear_layers(net), run["end"]["weights"], run["end"]["biases"], strict=True
    ):
        np.testing.assert_allclose(layer.weight.detach().numpy().ravel(), weights, rtol=0, atol=PROMISED)
        np.testing.assert_allclose(layer.bias.detach().numpy(), biases, rtol=0, atol=PROMISED)


@pytest.mark.parametrize(("width", "p"), [(20, 0.3), (32, 0.8)])
def test_masks_keep_a_fraction_of_q(width, p):
    state = f"points=200&width={width}&p=0,{p}&batch=50"
    code = "const s = c.read(data).settings; return c.record(s, 20).batches.flatMap((b) => b.masks[1]);"
    kept = np.array(in_node("playground", code, state))
    assert set(kept) == {0, 1}
    assert len(kept) == 200 * 20 * width
    # 5 standard deviations of a binomial proportion: fails once in 1.7 million draws.
    tolerance = 5 * np.sqrt(p * (1 - p) / len(kept))
    assert abs(kept.mean() - (1 - p)) <= tolerance
    by_example = kept.reshape(-1, width)
    assert len({tuple(row) for row in by_example[:50]}) > 45  # one for each example, seldom two alike


def test_every_point_is_seen_once_in_an_epoch():
    code = "const s = c.read(data).settings; return c.record(s, 3).batches.map((b) => b.points);"
    batches = in_node("playground", code, "points=70&batch=20")
    assert [len(batch) for batch in batches] == [20, 20, 20, 10] * 3
    epochs = [list(chain.from_iterable(batches[start : start + 4])) for start in (0, 4, 8)]
    assert all(sorted(epoch) == list(range(70)) for epoch in epochs)
    assert all(one != other for one, other in pairwise(epochs))
