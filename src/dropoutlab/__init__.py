"""The lab: everything the course computes about dropout."""

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
