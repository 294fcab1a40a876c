"""Random numbers by address: the known answers of Philox, uniformity, independence, and addresses that stay put."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from rdsim.draws import Draws, Purpose, philox
from tests.sizes import size

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (  # digits of pi
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(
    counter: tuple[int, ...], key: tuple[int, int], answer: tuple[int, ...]
) -> None:
    words = philox(*(np.uint64(word) for word in (*counter, *key)))
    assert tuple(int(word) for word in words) == answer


def _many(purpose: Purpose = Purpose.STEP_LUCK) -> np.ndarray:
    names = [f"T{k:03d}" for k in range(50)]
    return Draws(7, range(size(500, 5000))).uniform(purpose, names, 8, 3)


def test_numbers_are_uniform() -> None:
    flat = _many().ravel()
    assert flat.min() > 0
    assert flat.max() < 1
    assert kstest(flat, "uniform").pvalue > 1e-4
    counts, _ = np.histogram(flat, bins=1000, range=(0, 1))
    assert chisquare(counts).pvalue > 1e-4
    low_bits = ((flat * 2**52).astype(np.uint64) & np.uint64(255)).astype(int)
    assert chisquare(np.bincount(low_bits, minlength=256)).pvalue > 1e-4


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_neighbouring_addresses_are_independent(axis: int) -> None:
    """Next replication, next technology, next step, next attempt: no correlation, and pairs fill the square."""
    numbers = np.moveaxis(_many(), axis, 0)
    first, second = numbers[:-1].ravel(), numbers[1:].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.5 / np.sqrt(first.size)
    cells = (first * 16).astype(int) * 16 + (second * 16).astype(int)
    assert chisquare(np.bincount(cells, minlength=256)).pvalue > 1e-4


def test_purposes_and_seeds_are_independent() -> None:
    other_seed = Draws(8, range(500)).uniform(Purpose.STEP_LUCK, [f"T{k:03d}" for k in range(50)], 8, 3)
    numbers = _many()[:500]
    for other in (_many(Purpose.STEP_TIME)[:500], other_seed):
        assert abs(np.corrcoef(numbers.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(numbers.size)


@settings(max_examples=size(50, 300))
@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True),
    st.integers(0, 2**31),
    st.data(),
)
def test_a_number_is_found_by_its_address_alone(seed: int, names: list[str], first: int, data: st.DataObject) -> None:
    """Other names, other replications, more steps or attempts in the same call change nothing."""
    whole = Draws(seed, range(first, first + 5)).uniform(Purpose.GATE, names, 4, 3)
    k, r = data.draw(st.integers(0, len(names) - 1)), data.draw(st.integers(0, 4))
    alone = Draws(seed, range(first + r, first + r + 1)).uniform(Purpose.GATE, [names[k]], 2, 2)
    assert (alone[0, 0] == whole[r, k, :2, :2]).all()


def test_no_two_addresses_share_a_number() -> None:
    numbers = _many().ravel()
    assert np.unique(numbers).size == numbers.size
