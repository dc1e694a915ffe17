import math

import pytest
import torch

from dropoutlab.moments import pooled_variance
from dropoutlab.pooling import effective_pixels, explained, pooled_draws


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_effective_pixels_are_the_exact_ratio_of_variances_at_any_p(seeded, p):
    maps = torch.randn(6, 5, 4, generator=seeded(1), dtype=torch.float64)
    ratio = pooled_variance(maps, p, per="channel") / pooled_variance(maps, p, per="element")
    torch.testing.assert_close(effective_pixels(maps), ratio, rtol=1e-12, atol=0)


def test_effective_pixels_run_from_one_to_all(seeded):
    single = torch.zeros(3, 4)
    single[1, 2] = 5.0
    assert effective_pixels(single).item() == 1
    assert effective_pixels(torch.full((3, 4), 2.0)).item() == 12
    some = effective_pixels(torch.rand(50, 3, 4, generator=seeded(2)))
    assert ((some > 1) & (some < 12)).all()


def test_an_empty_map_is_refused():
    with pytest.raises(ValueError, match="zero everywhere"):
        effective_pixels(torch.zeros(2, 3, 3))


@pytest.mark.parametrize("per", ["element", "channel"])
def test_draws_have_the_exact_mean_and_variance(seeded, per):
    maps = torch.rand(3, 4, 4, generator=seeded(3), dtype=torch.float64)
    n, p = 20_000, 0.3
    drawn = pooled_draws(maps, p, n, per=per, generator=seeded(4))
    variance = pooled_variance(maps, p, per=per)
    mean = maps.mean(dim=(1, 2))
    # 5 standard errors of a mean, which fails once in 1.7 million draws.
    assert ((drawn.mean(0) - mean).abs() <= 5 * (variance / n).sqrt()).all()
    # The kurtosis of a coin with p = 0.3 is 1 + (1 − 2p)²/(pq) < 1.8, that of a sum of coins at most 3: a
    # sample variance has a relative SD below √(2/n).
    assert ((drawn.var(0) / variance - 1).abs() <= 5 * math.sqrt(2 / n)).all()


def test_an_unknown_coin_is_refused(seeded):
    with pytest.raises(ValueError, match="per must be 'element' or 'channel', got 'row'"):
        pooled_draws(torch.ones(1, 2, 2), 0.3, 1, per="row", generator=seeded(1))


def test_explained_is_the_squared_correlation_with_one_predictor(seeded):
    x = torch.randn(200, generator=seeded(5), dtype=torch.float64)
    t = x + torch.randn(200, generator=seeded(6), dtype=torch.float64)
    correlation = torch.corrcoef(torch.stack([x, t]))[0, 1].item()
    assert explained(t, x[:, None]) == pytest.approx(correlation**2, rel=1e-9)


def test_explained_copes_with_predictors_that_are_always_zero(seeded):
    x = torch.randn(50, 2, generator=seeded(7), dtype=torch.float64)
    dead = torch.zeros(50, 1, dtype=torch.float64)
    target = x.sum(dim=1)
    assert explained(target, torch.cat([x, dead], dim=1)) == pytest.approx(1, abs=1e-9)
    assert explained(target, dead) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        (torch.arange(3.0), torch.ones(3, 2), "more examples than the 3 coefficients, got 3"),
        (torch.ones(9), torch.ones(9, 2), "the target is constant"),
    ],
)
def test_what_cannot_be_explained_is_refused(target, given, message):
    with pytest.raises(ValueError, match=message):
        explained(target, given)
