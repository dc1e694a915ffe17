"""The lab: everything the course computes about dropout."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropoutlab.layers import (
        ClassicDropout,
        DropConnectLinear,
        Dropout,
        DropPath,
        GaussianDropout,
        SpatialDropout,
    )

__all__ = [
    "ClassicDropout",
    "DropConnectLinear",
    "DropPath",
    "Dropout",
    "GaussianDropout",
    "SpatialDropout",
]


def __getattr__(name: str) -> object:
    # The layers bring torch along, for which `dropoutlab --help` should not have to wait.
    if name in __all__:
        return getattr(import_module("dropoutlab.layers"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
