import copy
import math
import pickle

import pytest
import torch
from torch import nn

import dropoutlab
from dropoutlab import (
    ClassicDropout,
    DropConnectLinear,
    Dropout,
    DropPath,
    GaussianDropout,
    SpatialDropout,
    functional,
)
from dropoutlab.masks import keep_mask


def connect(p=0.5, **options):
    """A `DropConnectLinear` made like the other layers."""
    return DropConnectLinear(4, 4, p, **options)


ELEMENTWISE = [Dropout, ClassicDropout, SpatialDropout, GaussianDropout, DropPath]
ALL = [*ELEMENTWISE, connect]


@pytest.fixture
def x(seeded):
    return torch.randn(20, 3, 4, generator=seeded(1))


# --- a drop-in for nn.Dropout


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_same_mask_same_output_as_pytorchs_layer(p, x):
    theirs = nn.Dropout(p)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        expected = theirs(x)
        torch.manual_seed(3)
        mask = theirs(torch.ones_like(x)) != 0
    assert torch.equal(Dropout(p).freeze(mask)(x), expected)


def test_constructor_and_checkpoints_are_pytorchs():
    assert Dropout().p == nn.Dropout().p == 0.5
    assert Dropout(0.3).p == nn.Dropout(0.3).p
    theirs = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.3), nn.Linear(3, 2))
    ours = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), Dropout(0.3), nn.Linear(3, 2))
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    x = torch.ones(5, 4)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_the_model_switches_the_layer(x):
    layer = Dropout(0.3)
    model = nn.Sequential(nn.Identity(), nn.Sequential(layer))
    assert layer.training  # as every new module
    assert model.eval()(x) is x
    assert not torch.equal(model.train()(x), x)


def test_no_grad_does_not_switch_it_off(x):
    with torch.no_grad():
        assert not torch.equal(Dropout(0.3)(x), x)


def test_there_is_no_in_place_option_because_it_breaks_backward(x):
    with pytest.raises(TypeError, match="inplace"):
        Dropout(0.3, inplace=True)
    weight = torch.ones(4, requires_grad=True)
    broken = nn.Dropout(0.3, inplace=True)(torch.relu(x * weight)).sum()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        broken.backward()
    Dropout(0.3)(torch.relu(x * weight)).sum().backward()
    assert weight.grad is not None


# --- what every layer promises


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("p", [-0.1, 1.3, math.nan])
def test_an_impossible_probability_is_refused_at_once(make, p):
    with pytest.raises(ValueError, match=rf"must lie in \[0, 1\], got {p}"):
        make(p)
    layer = make(0.3)
    with pytest.raises(ValueError, match=rf"must lie in \[0, 1\], got {p}"):
        layer.p = p
    assert layer.p == 0.3


@pytest.mark.parametrize("make", ALL)
def test_probability_can_change(make, x):
    layer = make(0.3)
    layer.p = 0.0
    expected = nn.functional.linear(x, layer.weight, layer.bias) if make is connect else x
    assert torch.equal(layer(x), expected)
    assert layer.mask is None  # nothing was drawn


@pytest.mark.parametrize("make", [Dropout, SpatialDropout, GaussianDropout, DropPath])
def test_evaluation_and_probability_zero_return_the_input_itself(make, x):
    assert make(0.3).eval()(x) is x
    assert make(0.0)(x) is x


def test_classic_evaluation_scales(x):
    assert torch.equal(ClassicDropout(0.3).eval()(x), x * 0.7)


@pytest.mark.parametrize(
    ("make", "function"),
    [
        (Dropout, functional.dropout),
        (ClassicDropout, functional.classic_dropout),
        (SpatialDropout, functional.spatial_dropout),
        (GaussianDropout, functional.gaussian_dropout),
        (DropPath, functional.drop_path),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_layer_and_function_agree(make, function, training, x, seeded):
    layer = make(0.3, generator=seeded(2)).train(training)
    assert torch.equal(layer(x), function(x, 0.3, training=training, generator=seeded(2)))


@pytest.mark.parametrize("per_example", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_drop_connect_layer_and_function_agree(per_example, training, x, seeded):
    layer = connect(0.3, per_example=per_example, generator=seeded(2)).train(training)
    expected = functional.drop_connect_linear(
        x, layer.weight, layer.bias, 0.3, training=training, per_example=per_example, generator=seeded(2)
    )
    assert torch.equal(layer(x), expected)


def test_drop_connect_is_a_linear_layer(x):
    plain = nn.Linear(4, 2, bias=False, dtype=torch.float64)
    layer = DropConnectLinear(4, 2, 0.3, bias=False, dtype=torch.float64)
    layer.load_state_dict(plain.state_dict())
    assert torch.equal(layer.eval()(x.double()), plain(x.double()))


@pytest.mark.parametrize("make", ALL)
def test_a_generator_decides_the_masks_and_the_default_one_is_left_alone(make, x, seeded):
    layer = make(0.3, generator=seeded(2))
    before = torch.get_rng_state()
    first, second = layer(x), layer(x)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, second)
    layer.generator = seeded(2)
    assert torch.equal(layer(x), first)


@pytest.mark.parametrize("make", ALL)
def test_without_a_generator_torchs_default_one_decides(make, x):
    layer = make(0.3)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        first = layer(x)
        torch.manual_seed(4)
        assert torch.equal(layer(x), first)


@pytest.mark.parametrize("make", ELEMENTWISE)
def test_a_layer_has_no_state_to_save(make, x, seeded):
    layer = make(0.3, generator=seeded(1))
    layer(x)
    assert layer.state_dict() == {}
    assert list(layer.parameters()) == []


def test_a_drop_connect_layer_saves_its_parameters_alone(x, seeded):
    layer = connect(0.3, generator=seeded(1))
    layer(x)
    assert list(layer.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Dropout(0.3), "Dropout(p=0.3)"),
        (ClassicDropout(1).freeze(), "ClassicDropout(p=1.0, frozen)"),
        (
            DropConnectLinear(4, 3, 0.3),
            "DropConnectLinear(in_features=4, out_features=3, bias=True, p=0.3, per_example=True)",
        ),
    ],
)
def test_layers_describe_themselves(layer, expected):
    assert repr(layer) == expected


def test_the_package_exports_the_layers():
    assert all(issubclass(getattr(dropoutlab, name), nn.Module) for name in dropoutlab.__all__)


def test_integers_are_refused_before_anything_is_drawn(seeded):
    generator = seeded(1)
    before = generator.get_state()
    with pytest.raises(TypeError, match="floating-point"):
        Dropout(0.3, generator=generator)(torch.arange(3))
    assert torch.equal(generator.get_state(), before)


# --- under torch's transformations


@pytest.mark.parametrize("own_generator", [False, True])
def test_compiled_layers_follow_the_law_and_go_on_drawing(own_generator, seeded):
    n, p = 1_000_000, 0.3
    layer = Dropout(p, generator=seeded(1) if own_generator else None)
    compiled = torch.compile(layer, backend="eager", fullgraph=not own_generator)  # needs no C++ compiler
    with torch.random.fork_rng():
        torch.manual_seed(2)
        first, second = compiled(torch.ones(n)), compiled(torch.ones(n))
    assert not torch.equal(first, second)
    for y in (first, second):
        assert set(y.unique().tolist()) == {0.0, torch.tensor(1 / (1 - p)).item()}
        dropped = (y == 0).double().mean().item()
        assert abs(dropped - p) <= 5 * math.sqrt(p * (1 - p) / n)  # 5 sigma of a binomial proportion
    agreement = ((first == 0) == (second == 0)).double().mean().item()
    chance = p**2 + (1 - p) ** 2
    assert abs(agreement - chance) <= 5 * math.sqrt(chance * (1 - chance) / n)
    x = torch.ones(3)
    assert torch.equal(compiled.eval()(x), x)


@pytest.mark.parametrize("make", ALL)
def test_layers_can_be_differentiated_by_torch_func(make, x, seeded):
    layer = make(0.3, generator=seeded(1))
    expected = x.clone().requires_grad_()
    layer(expected).square().sum().backward()
    layer.generator = seeded(1)
    gradient = torch.func.grad(lambda values: layer(values).square().sum())(x)
    torch.testing.assert_close(gradient, expected.grad)


def test_vmap_gives_every_example_a_mask_of_its_own_if_asked():
    n, p = 250_000, 0.3
    with torch.random.fork_rng():
        torch.manual_seed(1)
        layer = Dropout(p)
        different, same = (torch.vmap(layer, randomness=r)(torch.ones(4, n)) for r in ("different", "same"))
    for y in (different, same):
        assert abs((y == 0).double().mean().item() - p) <= 5 * math.sqrt(p * (1 - p) / n)
    assert (same == same[0]).all()
    assert not any(torch.equal(different[0], other) for other in different[1:])


# --- frozen masks


@pytest.mark.parametrize("make", ALL)
def test_a_frozen_layer_keeps_the_mask_it_draws_next(make, x):
    layer = make(0.3)
    assert layer.mask is None
    before = layer(x)
    assert layer.freeze() is layer
    assert layer.is_frozen
    first, mask = layer(x), layer.mask
    assert not torch.equal(first, before)  # a new mask, not the last one
    assert torch.equal(layer(x), first)
    assert layer.mask is mask
    assert layer.thaw() is layer
    assert not layer.is_frozen
    assert not torch.equal(layer(x), first)


def test_a_given_mask_is_used_as_it_is(x, seeded):
    mask = keep_mask(x.shape, 0.5, generator=seeded(2))
    layer = Dropout(0.3).freeze(mask)
    assert layer.mask is mask
    assert torch.allclose(layer(x), x * mask / 0.7)


def test_evaluation_ignores_and_keeps_the_mask(x):
    layer = Dropout(0.3)
    layer(x)
    mask = layer.mask
    assert layer.eval()(x) is x
    assert layer.mask is mask
    frozen = Dropout(0.3).freeze(mask).eval()
    assert frozen(x) is x


@pytest.mark.parametrize("make", ELEMENTWISE)
def test_a_frozen_mask_refuses_another_shape(make, x):
    layer = make(0.3).freeze()
    layer(x)
    with pytest.raises(ValueError, match="draw one of that shape, or thaw the layer that holds it"):
        layer(x[:7])
    assert layer.thaw()(x[:7]).shape == (7, 3, 4)


def test_gradients_are_right_under_a_frozen_mask(seeded):
    x = torch.randn(5, 4, generator=seeded(3), dtype=torch.float64, requires_grad=True)
    layer = Dropout(0.3, generator=seeded(4)).freeze()
    layer(x)
    assert torch.autograd.gradcheck(layer, (x,))


# --- copies


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_goes_on_with_the_masks_of_the_original(make, duplicate, x, seeded):
    layer = make(0.3, generator=seeded(5))
    layer(x)
    twin = duplicate(layer)
    assert twin.p == 0.3
    assert torch.equal(twin.mask, layer.mask)
    first, second = layer(x), layer(x)
    assert torch.equal(twin(x), first)  # although the original has drawn twice meanwhile
    assert torch.equal(twin(x), second)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_layers_that_share_a_generator_share_one_in_the_copy(duplicate, seeded):
    generator = seeded(6)
    model = duplicate(nn.Sequential(Dropout(0.3, generator=generator), Dropout(0.3, generator=generator)))
    assert model[0].generator is model[1].generator
    assert model[0].generator is not generator


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_frozen_copy_stays_frozen(duplicate, x):
    layer = Dropout(0.3).freeze()
    first = layer(x)
    twin = duplicate(layer)
    assert twin.is_frozen
    assert torch.equal(twin(x), first)


# --- the two formulations


def two_layer_net(layer, weight_factor, seeded):
    """The same initial weights for every call, those behind the dropout layer times a factor."""
    net = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), layer, nn.Linear(20, 3)).double()
    generator = seeded(7)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        net[3].weight *= weight_factor
    return net


def train(net, lr, lr_behind, seeded, steps=120):
    """Plain SGD on fresh data; ``lr_behind`` applies to the weight behind the dropout layer alone."""
    behind = net[3].weight
    others = [parameter for parameter in net.parameters() if parameter is not behind]
    optimizer = torch.optim.SGD([{"params": others, "lr": lr}, {"params": [behind], "lr": lr_behind}])
    generator = seeded(8)
    losses = []
    for _ in range(steps):
        x = torch.randn(16, 6, generator=generator, dtype=torch.float64)
        labels = (x[:, 0] > 0).long() + (x[:, 1] > 1).long()
        loss = nn.functional.cross_entropy(net(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64)


P, Q, LR = 0.3, 0.7, 0.05


def test_the_two_formulations_train_alike(seeded):
    r"""Inverted with W equals classic with W/q, if classic learns W/q at rate lr/q².

    Write V for the classic weight behind the dropout layer and d for the gradient at the logits. The logits
    are W(m⊙h)/q + b and V(m⊙h) + b, equal for V = W/q; so d and the gradient at h, qVᵀd⊙m/q = Vᵀd⊙m, are
    equal too, and everything in front of the dropout layer and the bias b keep their rate. The gradient of W
    is d(m⊙h)ᵀ/q, that of V is d(m⊙h)ᵀ, q times as large. V has to move by ΔW/q = -lr d(m⊙h)ᵀ/q²: its rate
    is lr/q².
    """
    inverted = two_layer_net(Dropout(P, generator=seeded(9)), 1, seeded)
    classic = two_layer_net(ClassicDropout(P, generator=seeded(9)), 1 / Q, seeded)
    losses = train(inverted, LR, LR, seeded)
    assert losses[-20:].mean() < losses[:20].mean() - 0.1  # they do learn
    assert (train(classic, LR, LR / Q**2, seeded) - losses).abs().max() <= 1e-12
    assert (classic[3].weight - inverted[3].weight / Q).abs().max() <= 1e-12
    assert (classic[3].bias - inverted[3].bias).abs().max() <= 1e-12
    assert (classic[0].weight - inverted[0].weight).abs().max() <= 1e-12
    x = torch.randn(50, 6, generator=seeded(10), dtype=torch.float64)
    assert (classic.eval()(x) - inverted.eval()(x)).abs().max() <= 1e-12


@pytest.mark.parametrize(("weight_factor", "lr_behind"), [(1 / Q, LR), (1 / Q, LR / Q), (1, LR / Q**2)])
def test_with_other_weights_or_rates_they_part(weight_factor, lr_behind, seeded):
    inverted = two_layer_net(Dropout(P, generator=seeded(9)), 1, seeded)
    classic = two_layer_net(ClassicDropout(P, generator=seeded(9)), weight_factor, seeded)
    losses = train(inverted, LR, LR, seeded)
    assert (train(classic, LR, lr_behind, seeded) - losses).abs().max() > 1e-3
