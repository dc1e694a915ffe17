import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from dropoutlab.lesions import lesion, pair_lesions, synergy, unit_lesions
from dropoutlab.models import linear


@pytest.fixture
def layer(seeded):
    g = seeded(4)
    hidden = torch.randn(60, 5, generator=g, dtype=torch.float64).relu()
    return linear(5, 3, generator=g), hidden, torch.randint(0, 3, (60,), generator=g)


def by_hand(head, hidden, y):
    with torch.no_grad():
        return cross_entropy(head(hidden), y).item()


def test_a_lesion_puts_the_mean_or_zero_in_the_place_of_a_unit(layer):
    head, hidden, y = layer
    for fill, value in (("mean", hidden[:, [1, 3]].mean(0)), ("zero", 0.0)):
        without = hidden.clone()
        without[:, [1, 3]] = value
        expected = by_hand(head, without, y) - by_hand(head, hidden, y)
        assert lesion(head, hidden, y, [1, 3], fill=fill) == pytest.approx(expected, abs=1e-12)
        assert lesion(head, hidden, y, torch.tensor([3, 1]), fill=fill) == pytest.approx(expected, abs=1e-12)


def test_the_mean_is_put_in_unless_asked_otherwise(layer):
    assert lesion(*layer, [2]) == lesion(*layer, [2], fill="mean") != lesion(*layer, [2], fill="zero")


def test_survivors_are_scaled_as_dropout_scales_them(layer):
    head, hidden, y = layer
    keep = torch.tensor([1.0, 0, 1, 1, 0]).double()
    expected = by_hand(head, hidden * keep * 5 / 3, y) - by_hand(head, hidden, y)
    assert lesion(head, hidden, y, [1, 4], fill="zero", rescale=True) == pytest.approx(expected, abs=1e-12)


def test_a_lesion_can_be_read_as_error(layer):
    head, hidden, y = layer
    with torch.no_grad():
        before = (head(hidden).argmax(1) != y).double().mean()
        after = (head(hidden * 0).argmax(1) != y).double().mean()
    rise = lesion(head, hidden, y, range(5), fill="zero", measure="error")
    assert rise == pytest.approx((after - before).item(), abs=1e-12)
    assert rise != 0


def test_nothing_happens_without_a_lesion_and_nothing_is_changed(layer):
    head, hidden, y = layer
    copy = hidden.clone()
    assert lesion(head, hidden, y, []) == 0
    lesion(head, hidden, y, [0, 1, 2], fill="zero")
    assert torch.equal(hidden, copy)


def test_single_units_and_pairs_are_the_lesions_of_one_and_two(layer):
    pairs = torch.combinations(torch.arange(5))
    for fill in ("mean", "zero"):
        singles = unit_lesions(*layer, fill=fill)
        assert singles.tolist() == [lesion(*layer, [i], fill=fill) for i in range(5)]
        both = pair_lesions(*layer, pairs, fill=fill)
        assert both.tolist() == [lesion(*layer, pair, fill=fill) for pair in pairs.tolist()]
        expected = [both[k].item() - singles[i].item() - singles[j].item() for k, (i, j) in enumerate(pairs)]
        assert synergy(*layer, pairs, fill=fill).tolist() == pytest.approx(expected, abs=1e-12)


def test_units_that_stand_in_for_one_another_have_positive_synergy():
    # Each copy alone suffices: losing one costs nearly nothing, losing both costs log 2.
    copies = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).double()
    head = lambda h: 20 * h.sum(1, keepdim=True) * torch.tensor([1.0, -1.0]).double()  # noqa: E731
    [value] = synergy(head, copies, torch.tensor([0, 1]), torch.tensor([[0, 1]]))
    assert value.item() == pytest.approx(math.log(2), abs=1e-6)


def test_units_that_are_of_use_only_together_have_negative_synergy():
    # The class is the product of the two signs: either is worth nothing alone, so to lose both costs no more.
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]).double()
    head = lambda h: 20 * h.prod(1, keepdim=True) * torch.tensor([1.0, -1.0]).double()  # noqa: E731
    y = (signs.prod(1) < 0).long()
    [value] = synergy(head, signs, y, torch.tensor([[0, 1]]))
    assert value.item() == pytest.approx(-math.log(2), abs=1e-6)


def test_lesions_refuse_what_they_cannot_take_away(layer):
    head, hidden, y = layer
    for units, message in (([5], "0 to 4, got"), ([-1], "0 to 4, got"), ([2, 2], "only once")):
        with pytest.raises(ValueError, match=message):
            lesion(head, hidden, y, units)
    with pytest.raises(ValueError, match="'zero' or 'mean', got 'median'"):
        lesion(head, hidden, y, [0], fill="median")
    with pytest.raises(ValueError, match="'loss' or 'error', got 'ece'"):
        lesion(head, hidden, y, [0], measure="ece")
    with pytest.raises(ValueError, match="fewer than 5 units"):
        lesion(head, hidden, y, range(5), fill="zero", rescale=True)
    with pytest.raises(ValueError, match=r"pairs must be \(P, 2\), got \(3,\)"):
        pair_lesions(head, hidden, y, torch.arange(3))
    with pytest.raises(ValueError, match=r"need activations \(N, n\), got"):
        lesion(lambda h: h.flatten(0, 1), hidden.view(20, 3, 5), y, [0])
