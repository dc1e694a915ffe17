import pytest
import torch
from torch.nn.functional import cross_entropy

from dropoutlab.ensemble import average, exact_average
from dropoutlab.joint_ensemble import JointEnsemble, networks, thinned_logits
from dropoutlab.layers import Dropout
from dropoutlab.models import mlp


@pytest.fixture
def x(seeded):
    return torch.randn(5, 4, generator=seeded(1), dtype=torch.float64)


def test_every_thinned_network_is_there_with_its_probability(seeded, x):
    net = mlp((4, 3, 2, 6), init=seeded(2))
    logits, law = thinned_logits(net, x, 0.3)
    assert logits.shape == (32, 5, 6)
    wanted = {}
    for code in range(32):
        kept = torch.tensor([code >> bit & 1 for bit in range(5)]).double()
        hidden = net[1](net[0](x)) * kept[:3] / 0.7
        output = net[4](net[3](net[2](hidden)) * kept[3:] / 0.7)
        wanted[code] = (output, 0.7 ** kept.sum() * 0.3 ** (5 - kept.sum()))
    # Masks of the second layer vary fastest.
    order = [first + 8 * second for first in range(8) for second in range(4)]
    for found, weight, code in zip(logits, law, order, strict=True):
        torch.testing.assert_close(found, wanted[code][0], rtol=0, atol=1e-12)
        assert weight.item() == pytest.approx(wanted[code][1].item(), abs=1e-12)


def test_with_one_hidden_layer_the_average_is_the_exact_one(seeded, x):
    net = mlp((4, 6, 3), init=seeded(2))
    with torch.no_grad():
        hidden = net[:2](x)
    logits, law = thinned_logits(net, x, 0.4)
    for kind in ("arithmetic", "geometric"):
        expected = exact_average(hidden, net[2].weight, net[2].bias, 0.4, kind=kind)
        torch.testing.assert_close(average(logits, law, kind), expected, rtol=0, atol=1e-12)
    joint = JointEnsemble(net, 0.4)(x).exp()
    expected = exact_average(hidden, net[2].weight, net[2].bias, 0.4)
    torch.testing.assert_close(joint, expected, rtol=0, atol=1e-12)


def test_the_joint_loss_is_below_the_mean_loss_of_the_members(seeded, x):
    net, y = mlp((4, 3, 3, 3), init=seeded(2)), torch.tensor([0, 1, 2, 0, 1])
    logits, law = thinned_logits(net, x, 0.5)
    members = torch.stack([cross_entropy(each, y) for each in logits])
    joint = cross_entropy(JointEnsemble(net, 0.5)(x), y)
    assert joint < (law * members).sum()  # Jensen


def test_sampled_masks_agree_with_the_enumeration(seeded, x):
    net = mlp((4, 3, 2, 3), init=seeded(2))
    drops = [Dropout(0.3, generator=seeded(3)) for _ in range(2)]
    copies, n = x[:1].expand(20_000, -1), 20_000
    with torch.no_grad():
        first = drops[0](net[1](net[0](copies)))
        sampled = net[4](drops[1](net[3](net[2](first)))).softmax(1)
        exact = JointEnsemble(net, 0.3)(x[:1]).exp()[0]
    tolerance = 5 * sampled.std(dim=0) / n**0.5  # five standard errors of each mean
    assert bool(((sampled.mean(dim=0) - exact).abs() <= tolerance).all())


def test_without_dropout_it_is_the_network(seeded, x):
    net, y = mlp((4, 5, 3), init=seeded(2)), torch.tensor([0, 1, 2, 0, 1])
    joint = JointEnsemble(net, 0.0)
    torch.testing.assert_close(joint(x), net(x).log_softmax(1), rtol=0, atol=1e-12)
    gradients = torch.autograd.grad(cross_entropy(joint(x), y), list(net.parameters()))
    expected = torch.autograd.grad(cross_entropy(net(x), y), list(net.parameters()))
    for a, b in zip(gradients, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_precision_is_kept(seeded, x):
    net = mlp((4, 5, 3), init=seeded(2), dtype=torch.float32)
    assert JointEnsemble(net, 0.2)(x.float()).dtype == torch.float32


def test_networks_are_counted(seeded):
    assert networks(mlp((4, 3, 2, 6), init=seeded(2))) == 32
    assert networks(mlp((4, 3), init=seeded(2))) == 1


def test_what_cannot_be_enumerated_is_refused(seeded, x):
    with pytest.raises(ValueError, match="16 hidden units at most, got 17"):
        thinned_logits(mlp((4, 9, 8, 2), init=seeded(2)), x, 0.3)
    for p in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\) here"):
            thinned_logits(mlp((4, 3, 2), init=seeded(2)), x, p)
