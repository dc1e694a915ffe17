import gzip
from dataclasses import replace

import numpy as np
import pytest
import torch

from dropoutlab.data import CorruptDataError, Images, Text, load
from dropoutlab.data.registry import REGISTRY


def test_images_are_rows_scaled_to_the_unit_interval(tiny, tmp_path):
    tiny.put(tmp_path)
    images = load("tiny", tmp_path)
    assert isinstance(images, Images)
    assert (images.name, images.image_shape, images.classes) == ("tiny", (2, 3), 10)
    for split, part, length in ((images.train, "train", 7), (images.test, "test", 4)):
        pixels = np.frombuffer(gzip.decompress(tiny.contents[f"{part}-images.gz"])[16:], np.uint8).reshape(
            length, 6
        )
        labels = np.frombuffer(gzip.decompress(tiny.contents[f"{part}-labels.gz"])[8:], np.uint8)
        assert split.x.dtype == torch.float32
        assert torch.equal(split.x, torch.tensor(pixels, dtype=torch.float32) / 255)
        assert split.y.tolist() == labels.tolist()


def test_loading_twice_shares_no_memory(tiny, tmp_path):
    tiny.put(tmp_path)
    before = load("tiny", tmp_path)
    before.train.x.fill_(7.0)
    assert load("tiny", tmp_path).train.x.max() <= 1


def test_digests_right_and_shape_wrong_is_still_refused(tiny, tmp_path, monkeypatch):
    folder = tiny.put(tmp_path)
    first, *others = tiny.dataset.files
    files = (replace(first, shape=(7, 3, 2)), *others)
    monkeypatch.setitem(REGISTRY, "tiny", replace(tiny.dataset, files=files))
    with pytest.raises(
        CorruptDataError, match=r"wrong dimensions: found \(7, 2, 3\), expected \(7, 3, 2\)"
    ) as caught:
        load("tiny", tmp_path)
    assert caught.value.file == str(folder / first.name)


def test_text_is_coded_by_character_and_cut_after_nine_tenths(poem, tmp_path):
    poem.put(tmp_path)
    text = load("poem", str(tmp_path))
    whole = poem.contents["input.txt"].decode()
    assert isinstance(text, Text)
    assert text.vocabulary == tuple(sorted(set(whole)))
    assert (text.train.dtype, text.test.dtype) == (torch.int64, torch.int64)
    assert (len(text.train), len(text.test)) == (27, 3)
    assert text.decode(text.train) + text.decode(text.test) == whole
    assert torch.equal(text.encode(whole), torch.cat([text.train, text.test]))


def test_unknown_name():
    with pytest.raises(
        ValueError, match="unknown dataset 'mnits'; the names are digits, mnist, fashion_mnist"
    ):
        load("mnits")


def test_digits_need_no_folder_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("DROPOUTLAB_DATA", str(tmp_path / "absent"))
    assert len(load("digits", tmp_path / "absent").train) == 1297
    assert not (tmp_path / "absent").exists()
