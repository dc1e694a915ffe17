import pytest
import torch
from torch import nn

from dropoutlab.data import Split
from dropoutlab.normalisation import normalised_mlp
from dropoutlab.normalised_stack import NormalisedStack, fit_normalised
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit

SEEDS = (1000, 1001, 1002)
KINDS = [
    {},
    {"p": 0.3},
    {"p": 0.3, "order": "before norm"},
    {"p": 0.3, "order": "after last activation"},
    {"p": 0.3, "noise": "gaussian"},
    {"norm": "layer", "p": 0.3},
    {"norm": "none", "p": 0.3},
]


def examples(seed, n=24):
    data = streams(seed).data
    x = torch.rand(n, 9, generator=data, dtype=torch.float64)
    return Split(x, torch.randint(4, (n,), generator=data))


def net(seed, **options):
    s = streams(seed)
    return normalised_mlp((9, 12, 8, 4), init=s.init, masks=s.masks, dtype=torch.float64, **options)


def orders():
    return [streams(seed).order for seed in SEEDS]


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_side_by_side_gives_the_networks_of_training_alone(options, optimiser):
    # 24 examples in batches of 10: the last of each epoch is smaller. Weight decay must spare the gains.
    recipe = Recipe(8, 10, lr=0.02, optimiser=optimiser, weight_decay=0.01, lr_decay=0.9)
    alone = [net(seed, **options) for seed in SEEDS]
    for one, seed, order in zip(alone, SEEDS, orders(), strict=True):
        fit(one, examples(seed), recipe, order=order)
    together = [net(seed, **options) for seed in SEEDS]
    fit_normalised(together, [examples(seed) for seed in SEEDS], recipe, orders=orders())
    for one, other in zip(alone, together, strict=True):
        state = other.state_dict()
        assert not any(module.training for module in other.modules())
        for name, value in one.state_dict().items():
            # Rounding differs in the last digit of each product and is amplified by 24 steps. A bias right
            # in front of batch normalisation has gradient 0 up to rounding, below 1e-15, which Adam divides
            # by epsilon = 1e-8: 24 steps of 0.02 move it and the running mean by up to 5e-8, and no output.
            free = name.endswith((".bias", ".running_mean"))
            torch.testing.assert_close(state[name], value, rtol=1e-8, atol=5e-8 if free else 1e-10)


def test_the_comparison_above_would_see_foreign_masks_and_statistics():
    recipe = Recipe(8, 10, lr=0.02)
    one, other = net(1000, p=0.3), net(1000, p=0.3)
    for layer in other:
        if hasattr(layer, "generator"):
            layer.generator = streams(1001).masks
    for each in (one, other):
        fit_normalised([each], [examples(1000)], recipe, orders=[streams(1000).order])
    for name in ("0.weight", "1.weight", "1.running_var"):
        assert (one.state_dict()[name] - other.state_dict()[name]).abs().max() > 1e-4


def test_evaluation_uses_the_running_statistics_of_each_network():
    nets = [net(seed, p=0.3) for seed in SEEDS]
    fit_normalised(nets, [examples(seed) for seed in SEEDS], Recipe(3, 8, lr=0.02), orders=orders())
    x = torch.stack([examples(seed, 5).x for seed in SEEDS])
    with torch.no_grad():
        found = NormalisedStack(nets).forward(x, training=False)
        expected = torch.stack([one(rows) for one, rows in zip(nets, x, strict=True)])
    torch.testing.assert_close(found, expected)


def test_progress_is_told_after_every_epoch():
    seen = []
    fit_normalised(
        [net(1000)],
        [examples(1000)],
        Recipe(3, 8),
        orders=[streams(1000).order],
        on_epoch=lambda *told: seen.append(told),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("trains", "count", "message"),
    [
        ([examples(1)], 2, "each of the 2 networks"),
        ([examples(1), examples(2, 22)], 2, r"sizes \[22, 24\]"),
        ([examples(1, 25)], 1, "25 examples in batches of 8 leave one over"),
    ],
)
def test_what_cannot_be_trained_together_is_refused(trains, count, message):
    with pytest.raises(ValueError, match=message):
        fit_normalised([net(seed) for seed in SEEDS[:count]], trains, Recipe(1, 8), orders=orders()[:count])


def test_divergence_is_reported():
    broken = net(1000, norm="none")
    with torch.no_grad():
        next(layer for layer in broken if isinstance(layer, nn.Linear)).weight.fill_(torch.inf)
    with pytest.raises(FloatingPointError, match=r"diverged in epoch 1; lower lr=0\.1"):
        fit_normalised([broken], [examples(1000)], Recipe(1, 8), orders=[streams(1000).order])
