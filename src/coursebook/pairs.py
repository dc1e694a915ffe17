"""Find the notebook pairs: ``NN-topic.md`` edited by hand, ``NN-topic.ipynb`` generated beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from yaml import YAMLError

from coursebook.errors import BookError

FOLDERS = ("chapters", "exercises")
NUMBERED = "[0-9][0-9]-*"

HEADER = """---
jupytext:
  formats: md:myst,ipynb
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---"""


@dataclass(frozen=True, order=True)
class Pair:
    """A hand-edited source and the executed notebook generated beside it.

    Args:
        root: the repository's root folder.
        name: path of the pair below ``root`` without a suffix, e.g. ``chapters/01-overfitting``.

    Example:
        >>> Pair(Path("book"), "chapters/01-overfitting").source.as_posix()
        'book/chapters/01-overfitting.md'
    """

    root: Path
    name: str

    @property
    def source(self) -> Path:
        """The MyST notebook edited by hand."""
        return self.root / f"{self.name}.md"

    @property
    def notebook(self) -> Path:
        """The generated notebook, which carries the outputs."""
        return self.root / f"{self.name}.ipynb"


def _numbered(root: Path, suffix: str) -> list[str]:
    """Names of the numbered files with this suffix, in the order of the book."""
    found = (path for folder in FOLDERS for path in sorted((root / folder).glob(NUMBERED + suffix)))
    return [path.relative_to(root).with_suffix("").as_posix() for path in found]


def find_pairs(root: Path) -> list[Pair]:
    """List every chapter and exercise page under ``root``.

    Args:
        root: the repository's root folder.

    Returns:
        Chapters first, then exercises, each in the order of their numbers.

    Raises:
        BookError: there is none, which is a wrong working directory far more often than an empty book.
    """
    pairs = [Pair(root, name) for name in _numbered(root, ".md")]
    if not pairs:
        raise BookError(
            f"no notebook source (chapters/{NUMBERED}.md or exercises/{NUMBERED}.md) under {root}: "
            "run this from the repository's root folder"
        )
    return pairs


def find_orphans(root: Path) -> list[Path]:
    """List generated notebooks whose source is gone, e.g. after a chapter was renamed."""
    sources = set(_numbered(root, ".md"))
    return [root / f"{name}.ipynb" for name in _numbered(root, ".ipynb") if name not in sources]


def select(pairs: Iterable[Pair], paths: Iterable[Path]) -> list[Pair]:
    """Keep the pairs that ``paths`` name, by either file of the pair or by a folder above it.

    Args:
        pairs: the pairs to choose from.
        paths: files or folders, relative to the working directory; none at all selects every pair.

    Raises:
        BookError: a path names no pair; it would otherwise be left out without a word.
    """
    pairs = list(pairs)
    wanted = [path.resolve() for path in paths]
    chosen = set()
    for path in wanted:
        matches = {pair for pair in pairs if path in _addresses(pair)}
        if not matches:
            raise BookError(
                f"{path} names no chapter or exercise page: give its .md, its .ipynb or its folder"
            )
        chosen |= matches
    return [pair for pair in pairs if pair in chosen] if wanted else pairs


def _addresses(pair: Pair) -> set[Path]:
    """Every resolved path by which a pair may be named."""
    source = pair.source.resolve()
    return {source, pair.notebook.resolve(), *source.parents}


def read_source(pair: Pair) -> NotebookNode:
    """Read the hand-edited source as a notebook without outputs.

    Raises:
        BookError: the source cannot be read, or its header does not make it a paired Python notebook.
    """
    label = f"{pair.name}.md"
    try:
        notebook: NotebookNode = jupytext.read(pair.source, fmt="md:myst")
    except (OSError, ValueError, YAMLError) as error:
        raise BookError(f"{label} cannot be read as a MyST notebook: {error}") from error
    header = notebook.metadata
    formats = header.get("jupytext", {}).get("formats")
    kernel = header.get("kernelspec", {}).get("name")
    if (formats, kernel) != ("md:myst,ipynb", "python3"):
        raise BookError(
            f"{label} has formats {formats!r} and kernel {kernel!r} in its header: begin it with\n{HEADER}"
        )
    return notebook


def read_notebook(pair: Pair) -> NotebookNode | None:
    """Read the stored notebook; ``None`` where it was never generated.

    Raises:
        BookError: the file is there and is not a notebook, e.g. after a merge conflict.
    """
    if not pair.notebook.exists():
        return None
    try:
        notebook: NotebookNode = nbformat.read(pair.notebook, 4)  # type: ignore[no-untyped-call]  # half typed
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises whatever its parsers raise
        reason = str(error).partition("\n")[0]
        raise BookError(
            f"{pair.name}.ipynb is not a valid notebook ({reason}): run make execute, which writes it anew"
        ) from error
    return notebook
