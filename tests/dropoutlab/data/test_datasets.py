import dataclasses

import numpy as np
import pytest
import torch

from dropoutlab.data import Images, Split, Text


@pytest.fixture
def split():
    return Split(torch.arange(12, dtype=torch.float32).view(4, 3) / 12, torch.tensor([5, 6, 7, 8]))


def test_length(split):
    assert len(split) == 4


@pytest.mark.parametrize(
    "indices",
    [
        [2, 0, 2],
        (2, 0, 2),
        torch.tensor([2, 0, 2]),
        np.array([2, 0, 2]),
    ],
    ids=["list", "tuple", "tensor", "array"],
)
def test_take_selects_rows_in_order(split, indices):
    taken = split.take(indices)
    assert taken.y.tolist() == [7, 5, 7]
    assert torch.equal(taken.x, torch.stack([split.x[2], split.x[0], split.x[2]]))


def test_take_by_mask(split):
    assert split.take(torch.tensor([True, False, False, True])).y.tolist() == [5, 8]
    assert split.take([True, False, False, True]).y.tolist() == [5, 8]


def test_take_nothing_keeps_shape_and_dtypes(split):
    empty = split.take([])
    assert len(empty) == 0
    assert empty.x.shape == (0, 3)
    assert (empty.x.dtype, empty.y.dtype) == (torch.float32, torch.int64)


def test_take_copies(split):
    taken = split.take([0, 1])
    taken.x.fill_(9.0)
    assert split.x.max() < 1


@pytest.mark.parametrize("indices", [[4], [-5], [0.5]])
def test_take_refuses_what_is_no_index(split, indices):
    with pytest.raises(IndexError):
        split.take(indices)


def test_to_dtype_converts_examples_only(split):
    double = split.to(torch.float64)
    assert double.x.dtype == torch.float64
    assert double.y.dtype == torch.int64
    assert torch.equal(double.x.float(), split.x)


@pytest.mark.parametrize("device", ["meta", torch.device("meta")])
def test_to_device_moves_both(split, device):
    moved = split.to(device)
    assert moved.x.device.type == moved.y.device.type == "meta"


def test_to_integer_dtype_is_refused(split):
    with pytest.raises(ValueError, match=r"x must be floating point of shape \(N, D\), got torch\.int32"):
        split.to(torch.int32)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            torch.zeros(4),
            torch.zeros(4, dtype=torch.int64),
            r"x must .*shape \(N, D\), got torch.float32 .*\(4,\)",
        ),
        (torch.zeros(4, 2, 2), torch.zeros(4, dtype=torch.int64), r"x must .*\(4, 2, 2\)"),
        (torch.zeros(4, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), "x must .*got torch.uint8"),
        (torch.zeros(4, 2), torch.zeros(4), "y must be int64 .*got torch.float32"),
        (torch.zeros(4, 2), torch.zeros(4, 1, dtype=torch.int64), r"y must .*\(4, 1\)"),
        (torch.zeros(4, 2), torch.zeros(3, dtype=torch.int64), "one row per example, got 4 and 3"),
    ],
)
def test_malformed_split_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        Split(x, y)


def test_pool_joins_training_and_test_in_this_order(split):
    images = Images("toy", split, split.take([3]), (1, 3), 10)
    assert images.pool().y.tolist() == [5, 6, 7, 8, 8]
    assert torch.equal(images.pool().x[4], split.x[3])


def test_records_are_frozen(split):
    for record in (split, Images("toy", split, split, (1, 3), 10), Text("t", split.y, split.y, ("a",))):
        field = dataclasses.fields(record)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, field, None)


def test_text_encodes_and_decodes():
    text = Text("toy", torch.tensor([0, 1]), torch.tensor([2]), ("a", "b", "ü"))
    assert text.decode(torch.tensor([2, 0, 1])) == "üab"
    assert text.encode("üab").tolist() == [2, 0, 1]
    assert text.encode("").dtype == torch.int64
    with pytest.raises(
        ValueError, match=r"characters must come from the vocabulary of toy, got \['y', 'z'\]"
    ):
        text.encode("azy")
