import pytest
import torch

from dropoutlab.data import load
from dropoutlab.seeds import streams
from dropoutlab.studies.tasks import task

PROFILE = {"train": 60, "validation": 25}


def rows(split):
    return {tuple(row) for row in split.x.tolist()}


def test_sizes_and_precision():
    parts = task("digits", PROFILE, streams(3))
    assert {name: len(part) for name, part in parts.items()} == {"train": 60, "validation": 25, "test": 500}
    assert {part.x.dtype for part in parts.values()} == {torch.float32}
    double = task("digits", PROFILE, streams(3), dtype=torch.float64)
    assert double["train"].x.dtype == torch.float64
    assert torch.equal(double["train"].x.float(), parts["train"].x)


def test_training_and_validation_examples_are_distinct_training_images():
    data = load("digits")
    parts = task("digits", PROFILE, streams(3), dtype=data.train.x.dtype)
    train, validation = rows(parts["train"]), rows(parts["validation"])
    assert len(train) == 60  # digits holds no image twice
    assert not train & validation
    assert train | validation <= rows(data.train)
    assert not (train | validation) & rows(data.test)


def test_labels_stay_with_their_images():
    data = load("digits")
    labels = {tuple(x): y for x, y in zip(data.train.x.tolist(), data.train.y.tolist(), strict=True)}
    parts = task("digits", PROFILE, streams(3), dtype=data.train.x.dtype)
    for part in (parts["train"], parts["validation"]):
        assert [labels[tuple(x)] for x in part.x.tolist()] == part.y.tolist()


def test_a_larger_training_set_contains_the_smaller_one_and_validation_stays():
    small, large = (task("digits", {**PROFILE, "train": n}, streams(3)) for n in (60, 200))
    assert torch.equal(small["validation"].x, large["validation"].x)
    assert torch.equal(small["train"].x, large["train"].x[:60])


def test_another_seed_draws_other_examples_and_only_the_stream_of_the_data_is_used():
    s = streams(3)
    before = {name: getattr(s, name).get_state() for name in ("init", "order", "masks", "augment")}
    first, second = task("digits", PROFILE, s), task("digits", PROFILE, streams(4))
    assert not torch.equal(first["train"].x, second["train"].x)
    assert torch.equal(first["test"].x, second["test"].x)
    assert all(torch.equal(getattr(s, name).get_state(), state) for name, state in before.items())


def test_validation_and_a_shorter_test_set_are_optional():
    test = load("digits").test
    parts = task("digits", {"train": 10, "test": 7}, streams(3), dtype=test.x.dtype)
    assert (len(parts["validation"]), len(parts["train"])) == (0, 10)
    assert torch.equal(parts["test"].x, test.x[:7])
    assert torch.equal(parts["test"].y, test.y[:7])


def test_more_examples_than_there_are_cannot_be_drawn():
    with pytest.raises(ValueError, match="sizes must add up to at most the 1297 examples"):
        task("digits", {"train": 1290, "validation": 25}, streams(3))
