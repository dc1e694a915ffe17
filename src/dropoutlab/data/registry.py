"""What there is to load: files, sizes, digests, licences and mirrors of every dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

VARIABLE = "DROPOUTLAB_DATA"

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FASHION_MIRRORS = ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",)
SHAKESPEARE_MIRRORS = ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",)


@dataclass(frozen=True)
class DataFile:
    """One file that is looked up, downloaded and checked.

    Args:
        name: file name, both on disk and at the end of each mirror's address.
        sha256: digest of the contents, in lower-case hexadecimal.
        size: length of the contents in bytes.
        mirrors: addresses of folders that hold the file, in the order in which they are tried.
        shape: dimensions of the IDX array inside; empty for a file that is not IDX.
    """

    name: str
    sha256: str
    size: int
    mirrors: tuple[str, ...]
    shape: tuple[int, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """Address of the file on every mirror, in the order in which they are tried."""
        return tuple(mirror + self.name for mirror in self.mirrors)

    def remedy(self, folder: Path) -> str:
        """Say how to supply the file by hand.

        Args:
            folder: where it was expected; bears the name of the dataset.

        Returns:
            One full sentence for an error message.
        """
        return (
            f"Put {self.name} ({self.size:,} bytes, sha256 {self.sha256}) into {folder}, "
            f"or set {VARIABLE} to a folder that holds {folder.name}/{self.name}."
        )


@dataclass(frozen=True)
class Dataset:
    """A named dataset and the files it is made of.

    Args:
        name: what :func:`dropoutlab.data.load` calls it, and the folder its files lie in.
        kind: ``"bundled"`` comes with scikit-learn and has no files of its own; ``"images"`` has four
            IDX files (training images and labels, then test images and labels); ``"text"`` has one.
        licence: terms under which the files are distributed.
        source: who published it, and where.
        files: the files, in the order in which ``kind`` lists them.
    """

    name: str
    kind: Literal["bundled", "images", "text"]
    licence: str
    source: str
    files: tuple[DataFile, ...] = ()


def _idx_files(mirrors: tuple[str, ...], *digests_and_sizes: tuple[str, int]) -> tuple[DataFile, ...]:
    # Fashion-MNIST took over names and shapes of MNIST, so that one could stand in for the other.
    parts = (
        ("train-images-idx3-ubyte.gz", (60_000, 28, 28)),
        ("train-labels-idx1-ubyte.gz", (60_000,)),
        ("t10k-images-idx3-ubyte.gz", (10_000, 28, 28)),
        ("t10k-labels-idx1-ubyte.gz", (10_000,)),
    )
    return tuple(
        DataFile(name, sha256, size, mirrors, shape)
        for (name, shape), (sha256, size) in zip(parts, digests_and_sizes, strict=True)
    )


REGISTRY: dict[str, Dataset] = {
    "digits": Dataset(
        name="digits",
        kind="bundled",
        licence="CC BY 4.0",
        source="Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository; the copy bundled with scikit-learn",
    ),
    "mnist": Dataset(
        name="mnist",
        kind="images",
        licence="CC BY-SA 3.0",
        source="LeCun, Cortes and Burges (1998), The MNIST database of handwritten digits",
        files=_idx_files(
            MNIST_MIRRORS,
            ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
            ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
            ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
            ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
        ),
    ),
    "fashion_mnist": Dataset(
        name="fashion_mnist",
        kind="images",
        licence="MIT",
        source="Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747",
        files=_idx_files(
            FASHION_MIRRORS,
            ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
            ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
            ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
            ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
        ),
    ),
    "shakespeare": Dataset(
        name="shakespeare",
        kind="text",
        licence="public domain",
        source="William Shakespeare, selected plays; compiled as tinyshakespeare in the char-rnn repository",
        files=(
            DataFile(
                name="input.txt",
                sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                size=1_115_394,
                mirrors=SHAKESPEARE_MIRRORS,
            ),
        ),
    ),
}


def describe(name: str) -> Dataset:
    """Look a dataset up by name.

    Args:
        name: one of the names in :data:`REGISTRY`.

    Returns:
        Its files, digests, licence and mirrors.

    Raises:
        ValueError: no dataset has this name.

    Example:
        >>> describe("mnist").licence
        'CC BY-SA 3.0'
    """
    try:
        return REGISTRY[name]
    except KeyError:
        raise ValueError(f"unknown dataset {name!r}; the names are {', '.join(REGISTRY)}") from None
