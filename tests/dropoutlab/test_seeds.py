import itertools
import math
from dataclasses import fields

import numpy as np
import pytest
import torch

from dropoutlab.seeds import Streams, streams

NAMES = [field.name for field in fields(Streams)]


def words(generator, n=4):
    return tuple(torch.randint(2**62, (n,), generator=generator).tolist())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1000, 2**80])
def test_equal_seeds_give_equal_streams(name, seed):
    assert words(getattr(streams(seed), name)) == words(getattr(streams(seed), name))


def test_no_two_of_a_thousand_streams_begin_alike():
    beginnings = {
        words(getattr(streams(seed), name), n=1)
        for name, seed in itertools.product(NAMES, [*range(100), *range(1000, 1100)])
    }
    # torch's generator has 32 bits of seed: two of 1,000 streams agree with probability 1000² / 2^33, 1e-4.
    assert len(beginnings) == len(NAMES) * 200


def test_streams_of_neighbouring_seeds_are_uncorrelated():
    n = 4000
    pairs = itertools.product(NAMES, range(1000, 1020))
    uniform = np.stack([torch.rand(n, generator=getattr(streams(s), name)).numpy() for name, s in pairs])
    correlation = np.corrcoef(uniform)[np.triu_indices(len(uniform), 1)]
    # A correlation of independent numbers has SD 1/√n; 6 sigma for 4,950 pairs: chance 1e-5.
    assert len(correlation) == 4950
    assert abs(correlation).max() <= 6 / math.sqrt(n)


def test_a_stream_is_not_moved_by_the_others():
    untouched, used = streams(7), streams(7)
    for name in NAMES[1:]:
        words(getattr(used, name))
    assert words(used.data) == words(untouched.data)


# Published numbers rest on these: whatever changes them silently changes every result of the course.
def test_seeds_and_first_draws_never_change():
    fixed = {
        "data": (5557446109158216665, [4100692, 3240425]),
        "init": (6795159978539461888, [8066755, 1352193]),
        "order": (7374575586289635086, [7381104, 11800279]),
        "masks": (8315333073835584374, [5187271, 15688710]),
        "augment": (7543529054487005853, [14101625, 2232696]),
    }
    assert list(fixed) == NAMES
    for name, (seed, draws) in fixed.items():
        generator = getattr(streams(1000), name)
        assert generator.initial_seed() == seed
        # float32 uniforms are multiples of 2^-24: compared as whole numbers, exactly.
        assert (torch.rand(2, generator=generator) * 2**24).tolist() == draws


@pytest.mark.parametrize("same", [1000.0, np.int64(1000), np.float32(1000)])
def test_the_number_counts_and_not_its_type(same):
    assert words(streams(same).init) == words(streams(1000).init)


@pytest.mark.parametrize("seed", [-1, -1000, 1.5, np.int64(-3), "5"])
def test_anything_but_a_whole_number_from_0_up_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be a non-negative integer, got") as refusal:
        streams(seed)
    assert repr(seed) in str(refusal.value)


def test_streams_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    streams(3)
    assert torch.equal(torch.get_rng_state(), before)
