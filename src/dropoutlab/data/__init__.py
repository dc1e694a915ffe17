"""Datasets by name, always checked; random subsets of them; label noise."""

from dropoutlab.data.datasets import Images, Split, Text
from dropoutlab.data.draws import draw, flip_labels
from dropoutlab.data.errors import (
    CacheError,
    CorruptDataError,
    DataError,
    MissingDataError,
    UnreadableDataError,
)
from dropoutlab.data.idx import read_idx
from dropoutlab.data.loading import load
from dropoutlab.data.lookup import fetch, status

__all__ = [
    "CacheError",
    "CorruptDataError",
    "DataError",
    "Images",
    "MissingDataError",
    "Split",
    "Text",
    "UnreadableDataError",
    "draw",
    "fetch",
    "flip_labels",
    "load",
    "read_idx",
    "status",
]
