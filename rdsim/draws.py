"""Random numbers by address.

A number is found by *who* it belongs to (the id of a technology, partner, currency, programme or
field), the replication, up to two places (stage or year, attempt) and its purpose. Nothing is consumed
in call order, so leaving a technology out, changing a batch or adding workers moves no other number.

The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as
1, 2, 3", SC'11): a keyed bijection of a 128-bit counter that passes BigCrush. The key is the seed; the
counter holds the address: a 64-bit digest of purpose and id, the replication, and both places. Each
address gives one uniform number with 52 random bits, strictly between 0 and 1.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rdsim.native.jit import inline, jit

__all__ = ["Draws", "Purpose", "Words", "addresses", "philox", "uniform_at"]

Words = npt.NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_12, _16, _20, _32 = (np.uint64(bits) for bits in (12, 16, 20, 32))
# Multipliers and Weyl increments of Philox4x32, Salmon et al. 2011, table 2 and section 3.3.
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_ROUNDS = 10


class Purpose(enum.StrEnum):
    """What a number decides; part of its address."""

    STEP_TIME = "step time"
    STEP_LUCK = "step luck"
    FIELD = "field"
    AGREEMENT_LUCK = "agreement luck"
    AGREEMENT_TIME = "agreement time"
    BREAK_LUCK = "break luck"
    BREAK_DAY = "break day"
    BLOC = "breaks of a bloc"
    GATE = "gate"
    DELIVERABLE = "deliverable"
    MARKET_LUCK = "market luck"
    MARKET_TIME = "market time"
    MARKET_VALUE = "market value"
    MARKET_COMMON = "markets in common"
    MARKET_FIELD = "markets of a field"
    VALUE_COMMON = "market values in common"
    VALUE_FIELD = "market values of a field"
    BUDGET = "budget"
    BUDGET_COMMON = "budgets in common"
    EXCHANGE = "exchange"
    SCREENING = "screening"


@inline
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Ten rounds of Philox4x32 on four 32-bit words with a key of two, all held in uint64; returns four like them."""
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@inline
def uniform_at(seed, who, replication, first, second):  # type: ignore[no-untyped-def]
    """The uniform number in (0, 1) at an address; `seed`, `who` and `replication` are uint64.

    Model: L1.
    """
    place = (np.uint64(first) << _16) | np.uint64(second)
    high, low, _, _ = philox(who & _LOW, who >> _32, replication, place, seed & _LOW, seed >> _32)
    # 52 bits, centred in their cell: the sum is exact, and neither 0 nor 1 can come.
    return (np.float64((high << _20) | (low >> _12)) + 0.5) * 2.0**-52


@jit
def _fill(table, seed, who, replications):  # type: ignore[no-untyped-def]
    for r in range(len(replications)):
        for n in range(len(who)):
            for j in range(table.shape[2]):
                for k in range(table.shape[3]):
                    table[r, n, j, k] = uniform_at(seed, who[n], replications[r], j, k)


def addresses(purpose: Purpose, names: Sequence[str]) -> Words:
    """64-bit digests of a purpose and ids: the part of an address that says whose number it is, and what for.

    Model: L1.
    """
    return np.array([_address(purpose, name) for name in names], np.uint64)


@lru_cache(maxsize=2**16)
def _address(purpose: Purpose, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{purpose}\0{name}".encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Draws:
    """All chance of a run: a seed and the replications that are looked at.

    `seed` is 0 <= seed < 2**63; `replications` are the numbers (not the count) of the replications, so
    that replications 100..199 of a seed are the same whether or not 0..99 were drawn.
    """

    seed: int
    replications: range

    def uniform(
        self, purpose: Purpose, names: Sequence[str], first: int = 1, second: int = 1
    ) -> npt.NDArray[np.float64]:
        """Uniform numbers in (0, 1), shape (replications, names, first, second).

        `names` are the ids the numbers belong to; `first` and `second` count the places (stage or year
        and attempt, each below 2**16).
        """
        table = np.empty((len(self.replications), len(names), first, second))
        numbers = np.array(self.replications, np.uint64)
        _fill(table, np.uint64(self.seed), addresses(purpose, names), numbers)
        return table
