import re
from pathlib import Path

import pytest

from dropoutlab.data.registry import REGISTRY, describe

FILES = [(dataset, file) for dataset in REGISTRY.values() for file in dataset.files]


def test_names_are_the_public_ones():
    assert list(REGISTRY) == ["digits", "mnist", "fashion_mnist", "shakespeare"]
    assert all(dataset.name == name for name, dataset in REGISTRY.items())
    assert [dataset.licence for dataset in REGISTRY.values()] == [
        "CC BY 4.0",
        "CC BY-SA 3.0",
        "MIT",
        "public domain",
    ]


@pytest.mark.parametrize(("dataset", "file"), FILES, ids=lambda value: value.name)
def test_every_file_has_a_digest_and_encrypted_mirrors(dataset, file):
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.size > 0
    assert file.urls
    assert all(url.startswith("https://") and url.endswith(f"/{file.name}") for url in file.urls)


def test_no_two_files_share_a_digest():
    assert len({file.sha256 for _, file in FILES}) == len(FILES) == 9


def test_image_sets_list_training_before_test_and_images_before_labels():
    for name in ("mnist", "fashion_mnist"):
        shapes = [file.shape for file in describe(name).files]
        assert shapes == [(60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)]


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown dataset 'cifar'; the names are digits, mnist, fashion_mnist, sh"
    ):
        describe("cifar")


def test_remedy_says_which_bytes_go_where():
    file = describe("mnist").files[3]
    remedy = file.remedy(Path("data/mnist"))
    for part in (file.name, file.sha256, "4,542 bytes", str(Path("data/mnist")), "DROPOUTLAB_DATA"):
        assert part in remedy
    assert f"holds mnist/{file.name}." in remedy
