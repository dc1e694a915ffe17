import pytest
import torch
from hypothesis import settings

# Examples follow from the test alone, and no example fails because a busy machine was slow.
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def seeded():
    """``seeded(seed)`` makes a generator on the CPU."""
    return lambda seed: torch.Generator().manual_seed(seed)
