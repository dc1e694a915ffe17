import itertools
from collections import Counter
from dataclasses import asdict

import pandas as pd
import pytest
import torch

from dropoutlab import comparison
from dropoutlab.comparison import (
    Arm,
    Task,
    at_end,
    by_seed,
    curves,
    effect,
    splits,
    stopped_early,
    tuned,
)
from dropoutlab.data import load
from dropoutlab.layers import Dropout
from dropoutlab.models import mlp
from dropoutlab.seeds import streams
from dropoutlab.stats import paired_difference
from dropoutlab.training import Recipe

SEEDS = [1000, 1001, 1002]
SMALL = Task(40, flipped=0.3, validation=20, test=30)
QUICK = Recipe(4, batch_size=16, evaluate_every=2)
ARMS = [
    Arm("plain"),
    Arm("dropout", p=0.4),
    Arm("decay", weight_decay=0.05),
    Arm("shifted", shift=1),
]


@pytest.fixture(scope="module")
def true_labels():
    """Give the label or labels under which each image occurs among the digits."""
    pool = load("digits").pool()
    labels = {}
    for image, label in zip(pool.x.tolist(), pool.y.tolist(), strict=True):
        labels.setdefault(tuple(image), set()).add(label)
    return labels


def images(split):
    return Counter(tuple(image) for image in split.x.tolist())


# --- the task


@pytest.mark.parametrize(
    ("task", "flips"),
    [
        (Task(300, flipped=0.3), {"train": 90, "validation": 30}),
        (
            Task(35, flipped=0.1, validation=25, test=10),
            {"train": 4, "validation": 2},
        ),  # 3.5 and 2.5 go to even
        (Task(50, flipped=1.0, validation=7, test=10), {"train": 50, "validation": 7}),
        (Task(50), {"train": 0, "validation": 0}),
    ],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_the_stated_fraction_of_training_and_validation_labels_is_wrong(
    task, flips, seed, true_labels
):
    parts = splits(task, streams(seed))
    for name, part in parts.items():
        true = [true_labels[tuple(image)] for image in part.x.float().tolist()]
        wrong = sum(label not in allowed for label, allowed in zip(part.y.tolist(), true, strict=True))
        assert wrong == {**flips, "test": 0}[name]


def test_parts_have_their_sizes_and_share_no_example():
    parts = splits(Task(1000), streams(1000))
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 1000,
        "validation": 100,
        "test": 697,
    }
    together = sum((images(part) for part in parts.values()), Counter())
    pool = load("digits").pool()
    assert together == images(pool)
    assert all(part.x.dtype == torch.float64 for part in parts.values())


@pytest.mark.parametrize("flipped", [0.0, 0.3])
def test_noise_changes_labels_and_nothing_else(flipped):
    clean, noisy = (splits(Task(100, flipped=f), streams(1000)) for f in (0.0, flipped))
    for name in clean:
        assert torch.equal(clean[name].x, noisy[name].x)
        changed = (clean[name].y != noisy[name].y).sum().item()
        assert changed == (0 if name == "test" else round(flipped * 100))


def test_training_sets_are_nested_and_the_other_parts_do_not_move():
    small, large = (splits(Task(n), streams(1001)) for n in (100, 1000))
    assert torch.equal(large["train"].x[:100], small["train"].x)
    assert torch.equal(large["train"].y[:100], small["train"].y)
    for name in ("validation", "test"):
        assert torch.equal(large[name].x, small[name].x)
        assert torch.equal(large[name].y, small[name].y)


def test_equal_seeds_draw_equal_parts_and_other_seeds_others():
    first, same, other = (splits(SMALL, streams(seed)) for seed in (1000, 1000, 1001))
    for name in first:
        assert torch.equal(first[name].x, same[name].x)
        assert torch.equal(first[name].y, same[name].y)
        assert images(first[name]) != images(other[name])


def test_drawing_uses_the_data_stream_alone():
    s, fresh = streams(1000), streams(1000)
    splits(SMALL, s)
    for name in ("init", "order", "masks", "augment"):
        assert torch.equal(getattr(s, name).get_state(), getattr(fresh, name).get_state())


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Task(1001), "add up to at most the 1797 examples"),
        (Task(10, flipped=1.2), r"fraction of flipped labels must lie in \[0, 1\], got 1.2"),
    ],
)
def test_impossible_tasks_are_refused(task, message):
    with pytest.raises(ValueError, match=message):
        splits(task, streams(1))


# --- training the arms


@pytest.fixture(scope="module")
def table():
    return curves(ARMS, SMALL, QUICK, SEEDS, hidden=(12,))


def test_curves_have_one_row_for_each_arm_seed_split_and_evaluated_epoch(table):
    assert table.columns.tolist() == ["arm", "seed", "split", "epoch", "error", "loss"]
    expected = itertools.product([arm.name for arm in ARMS], SEEDS, ["train", "validation", "test"], [2, 4])
    assert sorted(table[["arm", "seed", "split", "epoch"]].itertuples(index=False, name=None)) == sorted(
        expected
    )
    assert table.error.between(0, 1).all()
    assert (table.loss > 0).all()
    assert table.index.is_unique


def test_an_arm_does_not_depend_on_the_arms_and_seeds_beside_it(table):
    alone = curves([ARMS[1]], SMALL, QUICK, SEEDS[1:], hidden=(12,))
    beside = table[(table.arm == "dropout") & (table.seed != SEEDS[0])].reset_index(drop=True)
    # Replicas are stacked, and the stack's size may change the last digits of a product.
    pd.testing.assert_frame_equal(alone, beside, rtol=1e-9)


def test_every_setting_makes_a_difference(table):
    loss = at_end(table).query("split == 'train'").pivot(index="seed", columns="arm", values="loss")
    for a, b in itertools.combinations(loss.columns, 2):
        assert ((loss[a] - loss[b]).abs() > 1e-6).all()


def test_arms_share_everything_but_their_setting(monkeypatch):
    runs = []
    train = comparison.fit_many

    def spy(models, trains, recipes, **options):
        for i, model in enumerate(models):
            runs.append(
                {
                    "weights": [p.detach().clone() for p in model.parameters()],
                    "rates": [m.p for m in model if isinstance(m, Dropout)],
                    "masks": [m.generator for m in model if isinstance(m, Dropout)],
                    "train": trains[i],
                    "evaluate": {name: parts[i] for name, parts in options["evaluate"].items()},
                    "order": options["orders"][i].get_state(),
                    "recipe": asdict(recipes[i]),
                    "augment": options["augments"] and options["augments"][i],
                }
            )
        return train(models, trains, recipes, **options)

    monkeypatch.setattr(comparison, "fit_many", spy)
    curves(ARMS, SMALL, Recipe(1, weight_decay=0.5), SEEDS, hidden=(12, 8))
    order = [ARMS[0], ARMS[2], ARMS[1], ARMS[3]]  # networks with the same layers stand together
    for (arm, seed), run in zip(itertools.product(order, SEEDS), runs, strict=True):
        # Whatever is not the arm's comes from the seed alone.
        first = runs[SEEDS.index(seed)]
        assert all(torch.equal(a, b) for a, b in zip(run["weights"], first["weights"], strict=True))
        assert torch.equal(run["order"], first["order"])
        parts = [(run["train"], first["train"])]
        parts += [(run["evaluate"][name], first["evaluate"][name]) for name in first["evaluate"]]
        for part, reference in parts:
            assert torch.equal(part.x, reference.x)
            assert torch.equal(part.y, reference.y)
        assert run["recipe"] == {**asdict(Recipe(1)), "weight_decay": arm.weight_decay}
        assert run["rates"] == ([arm.p] * 2 if arm.p else [])
        s = streams(seed)
        assert {mask.initial_seed() for mask in run["masks"]} == (
            {s.masks.initial_seed()} if arm.p else set()
        )
        # The shift is the arm's, on 8 × 8 images, from the replica's own stream.
        assert (run["augment"] is not None) == (arm.shift > 0)
        if arm.shift:
            settings = run["augment"].keywords
            assert (settings["pixels"], settings["image_shape"]) == (1, (8, 8))
            assert settings["generator"].initial_seed() == s.augment.initial_seed()
    # Each replica draws from the streams of its own seed.
    for first, s in zip(runs, map(streams, SEEDS), strict=False):
        reference = mlp((64, 12, 8, 10), init=s.init)
        assert all(torch.equal(a, b) for a, b in zip(first["weights"], reference.parameters(), strict=True))
        assert torch.equal(first["order"], s.order.get_state())
    # Replicas of one arm share none of it.
    assert not torch.equal(runs[0]["weights"][0], runs[1]["weights"][0])
    assert not torch.equal(runs[0]["train"].x, runs[1]["train"].x)
    assert not torch.equal(runs[0]["order"], runs[1]["order"])


def test_arms_trained_together_agree_with_arms_trained_alone(table, monkeypatch):
    monkeypatch.setattr(comparison, "_REPLICAS", 1)
    alone = curves(ARMS, SMALL, QUICK, SEEDS, hidden=(12,))
    # The size of a stack may change the last digits of a product.
    keys = ["arm", "seed", "split", "epoch"]
    pd.testing.assert_frame_equal(
        *(t.sort_values(keys, ignore_index=True) for t in (alone, table)), rtol=1e-9
    )


def test_progress_names_the_arm(monkeypatch):
    calls = []
    arms = [Arm("plain"), Arm("decay", weight_decay=0.05)]

    def train():
        calls.clear()
        curves(arms, SMALL, Recipe(2), SEEDS[:1], hidden=(4,), on_epoch=lambda *call: calls.append(call))
        return calls

    assert train() == [("plain", 1, 2), ("decay", 1, 2), ("plain", 2, 2), ("decay", 2, 2)]
    monkeypatch.setattr(comparison, "_REPLICAS", 1)
    assert train() == [("plain", 1, 2), ("plain", 2, 2), ("decay", 1, 2), ("decay", 2, 2)]


def test_an_empty_part_is_left_out():
    table = curves([Arm("plain")], Task(20, validation=0, test=10), Recipe(1), SEEDS[:2], hidden=(4,))
    assert sorted(table.split.unique()) == ["test", "train"]
    with pytest.raises(ValueError, match=r"draw one with Task\(validation=...\)"):
        stopped_early(table)
    with pytest.raises(ValueError, match=r"draw one with Task\(validation=...\)"):
        tuned(table, ["plain"], "best")


@pytest.mark.parametrize(
    ("arms", "seeds", "message"),
    [
        ([], SEEDS, r"at least one arm name and each only once, got \[\]"),
        ([Arm("a"), Arm("a", p=0.5)], SEEDS, r"each only once, got \['a', 'a'\]"),
        ([Arm("a")], [], r"at least one seed and each only once, got \[\]"),
        ([Arm("a")], [1000, 1001, 1000], r"each only once, got \[1000, 1001, 1000\]"),
        ([Arm("a")], range(0), "at least one seed"),
        ([Arm("a", p=1.3)], SEEDS, r"drop probability must lie in \[0, 1\], got 1.3"),
        ([Arm("a", weight_decay=-1)], SEEDS, "weight_decay must be non-negative"),
        ([Arm("a", shift=8)], SEEDS, r"must lie in \[0, 7\] pixels, got 8"),
        ([Arm("a", shift=-1)], SEEDS, r"must lie in \[0, 7\] pixels, got -1"),
    ],
)
def test_impossible_comparisons_are_refused(arms, seeds, message):
    with pytest.raises(ValueError, match=message):
        curves(arms, SMALL, Recipe(1), seeds, hidden=(4,))


# --- reading the curves


def rows(arm, seed, split, losses, errors=None, epochs=(10, 20, 30)):
    return [
        {"arm": arm, "seed": seed, "split": split, "epoch": epoch, "error": error, "loss": loss}
        for epoch, loss, error in zip(epochs, losses, errors or losses, strict=True)
    ]


CURVES = pd.DataFrame(
    [
        *rows("a", 7, "train", [0.9, 0.5, 0.1]),
        *rows("a", 7, "validation", [0.6, 0.5, 0.7], [0.3, 0.9, 0.9]),
        *rows("a", 7, "test", [0.4, 0.8, 0.3]),
        *rows("a", 5, "train", [0.8, 0.4, 0.2]),
        *rows("a", 5, "validation", [0.5, 0.5, 0.9], [0.9, 0.1, 0.9]),
        *rows("a", 5, "test", [0.7, 0.6, 0.5]),
        *rows("a", 6, "train", [0.7, 0.3, 0.0]),
        *rows("a", 6, "validation", [0.9, 0.8, 0.2]),
        *rows("a", 6, "test", [0.55, 0.45, 0.35]),
    ]
)


def test_the_end_is_the_last_evaluated_epoch_of_each_run():
    shorter = pd.DataFrame(rows("b", 5, "test", [0.3, 0.2], epochs=(10, 20)))
    end = at_end(pd.concat([CURVES, shorter]))
    assert end[end.arm == "a"].epoch.unique().tolist() == [30]
    assert end[end.arm == "b"].loss.tolist() == [0.2]
    assert len(end) == 10


def test_stopping_early_reads_all_splits_where_validation_loss_was_lowest():
    stopped = stopped_early(CURVES)
    chosen = stopped[stopped.split == "test"].set_index("seed")
    # Seed 5 has two equal minima and takes the first; nobody looks at errors or at the test split.
    assert chosen.epoch.to_dict() == {7: 20, 5: 10, 6: 30}
    assert chosen.loss.to_dict() == {7: 0.8, 5: 0.7, 6: 0.35}
    assert len(stopped) == 9
    assert set(stopped.arm) == {"early stopping"}
    assert stopped.columns.tolist() == CURVES.columns.tolist()
    assert set(stopped_early(CURVES, "other").arm) == {"other"}
    assert set(CURVES.arm) == {"a"}


def test_row_labels_carry_no_meaning():
    relabelled = CURVES.set_axis([0] * len(CURVES))
    pd.testing.assert_frame_equal(stopped_early(relabelled), stopped_early(CURVES))
    pd.testing.assert_frame_equal(tuned(relabelled, ["a"], "t"), tuned(CURVES, ["a"], "t"))


def test_only_one_arm_is_stopped_at_a_time():
    two = pd.concat([CURVES, CURVES.assign(arm="b")])
    with pytest.raises(ValueError, match=r"stop one arm at a time, got \['a', 'b'\]"):
        stopped_early(two)


def test_tuning_takes_for_each_seed_the_arm_of_lowest_final_validation_loss():
    other = CURVES.assign(arm="b")
    other.loc[other.split == "validation", "loss"] = [0.1, 0.1, 0.6, 0.1, 0.1, 1.0, 0.3, 0.3, 0.3]
    other.loc[other.split == "test", "loss"] = [9.0] * 9
    ignored = CURVES.assign(arm="c", loss=0.0)
    best = tuned(pd.concat([CURVES, other, ignored]), ["a", "b"], "best")
    chosen = best[best.split == "test"].set_index("seed")
    assert chosen.chosen.to_dict() == {7: "b", 5: "a", 6: "a"}
    assert chosen.loss.to_dict() == {7: 9.0, 5: 0.5, 6: 0.35}
    assert set(best.arm) == {"best"}
    assert set(best.epoch) == {30}
    assert len(best) == 9


@pytest.mark.parametrize("arms", [[], ["b"], ["a", "b"]])
def test_tuning_over_unknown_arms_is_refused(arms):
    with pytest.raises(ValueError, match=r"cannot tune over .*; the arms are \['a'\]"):
        tuned(CURVES, arms, "best")


def test_values_by_seed_come_in_seed_order():
    end = at_end(CURVES)
    assert by_seed(end, "a").to_dict() == {5: 0.5, 6: 0.35, 7: 0.3}
    assert by_seed(end, "a").index.tolist() == [5, 6, 7]
    assert by_seed(end, "a", split="validation", metric="loss").tolist() == [0.9, 0.2, 0.7]
    assert by_seed(end, "a", split="validation", metric="error").tolist() == [0.9, 0.2, 0.9]


@pytest.mark.parametrize(("arm", "split"), [("b", "test"), ("a", "tset")])
def test_rows_that_are_not_there_are_an_error(arm, split):
    with pytest.raises(ValueError, match=rf"no rows for arm '{arm}' and split '{split}'; arms are \['a'\]"):
        by_seed(CURVES, arm, split=split)


def test_several_epochs_of_a_run_are_not_several_replicas():
    with pytest.raises(
        ValueError, match="one row for each seed, got 9 rows for 3 seeds; choose an epoch first"
    ):
        by_seed(CURVES, "a")


@pytest.mark.parametrize("metric", ["error", "loss"])
def test_an_effect_is_the_paired_difference_of_test_values(metric):
    end = at_end(CURVES)
    shuffled = end.assign(arm="b", error=end.error + end.seed / 10, loss=end.loss - end.seed / 100)[::-1]
    each, estimate = effect(pd.concat([end, shuffled]), "b", "a", metric=metric)
    step = {"error": 0.1, "loss": -0.01}[metric]
    assert each.to_dict() == pytest.approx({5: 5 * step, 6: 6 * step, 7: 7 * step})
    expected = paired_difference([5 * step, 6 * step, 7 * step], [0, 0, 0])
    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx(
        (expected.mean, expected.low, expected.high)
    )
    assert estimate.n == 3


def test_arms_with_other_seeds_are_no_pairs():
    end = at_end(CURVES)
    moved = end.assign(arm="b", seed=end.seed + 1)  # as many seeds, two of them shared
    with pytest.raises(ValueError, match=r"'b' and 'a' must share their seeds, got \[5, 8\] in one only"):
        effect(pd.concat([end, moved]), "b", "a")
