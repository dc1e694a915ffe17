import math

import pytest
import torch

from dropoutlab.corruption import occlude, pixel_noise


def test_noise_has_the_size_asked_for(seeded):
    x = torch.rand(300, 50, generator=seeded(1), dtype=torch.float64)
    noise = pixel_noise(x, 0.4, generator=seeded(2)) - x
    n = noise.numel()
    assert noise.mean().item() == pytest.approx(0, abs=5 * 0.4 / math.sqrt(n))  # five SEs of a mean
    assert noise.std().item() == pytest.approx(0.4, abs=5 * 0.4 / math.sqrt(2 * n))  # and of an SD
    assert pixel_noise(x.float(), 0.4, generator=seeded(2)).dtype == torch.float32
    assert torch.equal(pixel_noise(x, 0.0, generator=seeded(2)), x)


@pytest.mark.parametrize("sd", [-1.0, math.nan, math.inf])
def test_noise_of_no_size_is_refused(seeded, sd):
    with pytest.raises(ValueError, match="non-negative and finite"):
        pixel_noise(torch.ones(1, 4), sd, generator=seeded(1))


def test_a_square_is_black_and_nothing_else_is(seeded):
    x = torch.rand(500, 5 * 7, generator=seeded(3)) + 1
    found = occlude(x, (5, 7), 3, generator=seeded(4)).view(-1, 5, 7)
    black = found == 0
    assert torch.equal(found[~black], x.view(-1, 5, 7)[~black])
    corners = []
    for image in black:
        rows, columns = image.any(1).nonzero().flatten(), image.any(0).nonzero().flatten()
        assert image.sum() == 9
        assert rows.tolist() == list(range(rows[0], rows[0] + 3))
        assert columns.tolist() == list(range(columns[0], columns[0] + 3))
        corners.append((rows[0].item(), columns[0].item()))
    places = [(i, j) for i in range(3) for j in range(5)]
    for place in places:  # 15 places, all alike: five SDs of a proportion
        expected, tolerance = 1 / 15, 5 * math.sqrt(1 / 15 * 14 / 15 / 500)
        assert corners.count(place) / 500 == pytest.approx(expected, abs=tolerance)


def test_the_extremes_blacken_nothing_and_everything(seeded):
    x = torch.ones(2, 12)
    copy = x.clone()
    assert torch.equal(occlude(x, (3, 4), 0, generator=seeded(1)), x)
    assert occlude(torch.ones(2, 9), (3, 3), 3, generator=seeded(1)).sum() == 0
    assert torch.equal(x, copy)


def test_squares_must_fit(seeded):
    for size in (-1, 4):
        with pytest.raises(ValueError, match=f"0 to 3 pixels in 3x4 images, got {size}"):
            occlude(torch.ones(2, 12), (3, 4), size, generator=seeded(1))
    with pytest.raises(ValueError, match=r"flattened to \(N, 12\), got \(2, 11\)"):
        occlude(torch.ones(2, 11), (3, 4), 1, generator=seeded(1))
