import numpy as np
import pytest

from dropoutlab.shortcuts import noise_by_depth


def noise(seeded, p, where, *, seed=0, depth=12, width=96, examples=32):
    return noise_by_depth(
        p, where, depth=depth, width=width, examples=examples,
        init=seeded(3 * seed), data=seeded(3 * seed + 1), masks=seeded(3 * seed + 2),
    )  # fmt: skip


def test_without_dropout_there_is_no_noise(seeded):
    for where in ("branch", "shortcut", "sum"):
        assert noise(seeded, 0.0, where) == [0.0] * 12


def test_the_first_mask_adds_its_own_variance(seeded):
    # One block: x² and the branch's square are both about 1 of 2, a mask adds p/q of what it acts on. Over
    # 96 · 32 elements the ratio scatters by a few per cent between seeds; 0.15 allows for six of them.
    expected = 0.2 / 0.8
    for where, share in (("branch", 0.5), ("shortcut", 0.5), ("sum", 1.0)):
        found = np.mean([noise(seeded, 0.2, where, seed=k, depth=1)[0] for k in range(5)])
        assert found == pytest.approx(share * expected, rel=0.15)


def test_masks_on_the_shortcut_add_up_and_masks_on_branches_do_not(seeded):
    branch, shortcut, total = (noise(seeded, 0.2, where) for where in ("branch", "shortcut", "sum"))
    assert all(a < b for a, b in zip(shortcut[1:], total[1:], strict=True))
    assert shortcut[-1] > 4 * shortcut[2]
    assert branch[-1] < 3 * branch[2]
    assert branch[-1] < shortcut[-1] / 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p": 1.0}, "p must be below 1, got 1.0"),
        ({"where": "head"}, "where must be one of 'branch', 'shortcut', 'sum', got 'head'"),
        ({"depth": 0}, "sizes must be at least 1, got depth 0"),
    ],
)
def test_impossible_settings_are_refused(seeded, changes, message):
    given = {"p": 0.2, "where": "sum"} | changes
    with pytest.raises(ValueError, match=message):
        noise(seeded, given.pop("p"), given.pop("where"), **given)
