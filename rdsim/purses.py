"""Purses: what is carried over, and whom a programme's purse pays of those who ask.

Requests come to a purse in order of rank, partners' costs before projects. One that is larger than what is in the
purse is never paid, whatever a rule says: money is never invented. A rule is a small value behind two contracts,
`PurseRule`; `rdsim.extend.purse_rule` registers a third party's, which scenarios then name in `purse_rule`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rdsim.contracts import PURSE_BLOCKS, PURSE_PAYS
from rdsim.registry import Extension, Registry

__all__ = ["PURSE_RULES", "PurseRule", "always", "carry_over", "never", "purse_at_most", "register"]

__compiled__ = True

MILLION = 1_000_000


def carry_over(unspent: int, rate_ppm: int) -> int:
    """Won of the unspent that move to the next year, rounded down; the rest lapses.

    Model: E6.
    """
    # Split so that a large purse times a million cannot overflow 64 bits.
    return unspent // MILLION * rate_ppm + unspent % MILLION * rate_ppm // MILLION


def purse_at_most(announced: Sequence[int], rate_ppm: int) -> tuple[int, ...]:
    """Won that a purse holds in each year if nothing was paid before: what is announced, and what is carried over.

    Model: D28.
    """
    purse, held = 0, []
    for money in announced:
        purse = carry_over(purse, rate_ppm) + money
        held.append(purse)
    return tuple(held)


def always() -> bool:
    """Yes.

    Model: E21.
    """
    return True


def never() -> bool:
    """No.

    Model: E22.
    """
    return False


@dataclass(frozen=True)
class PurseRule(Extension):
    """How a purse serves requests.

    `pays` says whether a request that fits is paid now (`rdsim.contracts.PURSE_PAYS`), `blocks` whether one that is
    not paid makes those behind it wait. A request is looked at again whenever the purse or its queue changes. A product
    of two amounts in won does not fit 64 bits.
    """

    contracts: ClassVar = {"pays": PURSE_PAYS, "blocks": PURSE_BLOCKS}

    pays: Callable[..., Any] = always
    blocks: Callable[..., Any] = always


PURSE_RULES = Registry("purse rule", PurseRule, {"strict": PurseRule(), "first-fit": PurseRule(blocks=never)})


def register(name: str, rule: PurseRule) -> None:
    """The old name of `PURSE_RULES.register`."""
    line = "write rdsim.extend.purse_rule, or purses.PURSE_RULES.register, for purses.register"
    warnings.warn(line, DeprecationWarning, stacklevel=2)
    PURSE_RULES.register(name, rule)
