"""The real files, where ``$DROPOUTLAB_DATA`` names a folder that has them."""

import os

import pytest
import torch

from dropoutlab.data import load

# Read at import: the fixture that isolates the other tests unsets it.
FOLDER = os.environ.get("DROPOUTLAB_DATA")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER, reason="DROPOUTLAB_DATA is not set"),
]


@pytest.fixture(autouse=True)
def real_files(isolated, monkeypatch):
    monkeypatch.setenv("DROPOUTLAB_DATA", FOLDER)


def check_images(images):
    assert (images.image_shape, images.classes) == ((28, 28), 10)
    for split, length in ((images.train, 60_000), (images.test, 10_000)):
        assert split.x.shape == (length, 784)
        assert split.x.dtype == torch.float32
        assert (split.x.min(), split.x.max()) == (0, 1)
    assert len(images.pool()) == 70_000


def test_mnist():
    images = load("mnist")
    check_images(images)
    # The numbers of each digit, as tabulated everywhere; the mean pixel 0.1307 is the usual normalisation.
    assert torch.bincount(images.train.y).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert torch.bincount(images.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert images.train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert images.test.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert images.train.x.double().mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert images.train.x.double().std().item() == pytest.approx(0.3081, abs=5e-5)


def test_fashion_mnist():
    images = load("fashion_mnist")
    check_images(images)
    assert torch.bincount(images.train.y).tolist() == [6000] * 10
    assert torch.bincount(images.test.y).tolist() == [1000] * 10
    assert images.train.y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert images.train.x.double().mean().item() == pytest.approx(0.2860, abs=5e-5)
    assert images.train.x.double().std().item() == pytest.approx(0.3530, abs=5e-5)


def test_shakespeare():
    text = load("shakespeare")
    assert (len(text.train), len(text.test)) == (1_003_854, 111_540)
    assert len(text.vocabulary) == 65
    assert text.vocabulary[:3] == ("\n", " ", "!")
    assert text.decode(text.train[:14]) == "First Citizen:"
    assert set(torch.cat([text.train, text.test]).unique().tolist()) == set(range(65))


def test_digits():
    assert len(load("digits").pool()) == 1797
