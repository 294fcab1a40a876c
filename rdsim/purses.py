"""Purses: what is carried over, and whom a programme's purse pays of those who ask.

Requests come to a purse in order of rank, partners' costs before projects. One that is larger than what is in the
purse is never paid, whatever a rule says: money is never invented. A rule is a small value behind one contract,
`PurseRule`; `register` adds a third party's, which scenarios then name in `purse_rule`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rdsim.domain import NAMES

__all__ = ["BUILT_IN", "PURSE_RULES", "PurseRule", "always", "carried_over", "never", "purse_at_most", "register"]

MILLION = 1_000_000


def carried_over(unspent: int, rate_ppm: int) -> int:
    """Won of the unspent that move to the next year, rounded down; the rest lapses."""
    # Split so that a large purse times a million cannot overflow 64 bits.
    return unspent // MILLION * rate_ppm + unspent % MILLION * rate_ppm // MILLION


def purse_at_most(announced: Sequence[int], rate_ppm: int) -> tuple[int, ...]:
    """Won that a purse holds in each year if nothing was paid before: what is announced, and what is carried over."""
    purse, held = 0, []
    for money in announced:
        purse = carried_over(purse, rate_ppm) + money
        held.append(purse)
    return tuple(held)


def always(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:  # noqa: ARG001
    """Yes."""
    return True


def never(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:  # noqa: ARG001
    """No."""
    return False


@dataclass(frozen=True)
class PurseRule:
    """How a purse serves requests.

    `pays(amount, purse, budget, tranche, day)` says whether a request that fits is paid now, `blocks(...)` whether one
    that is not paid makes those behind it wait. `amount`, `purse` (what is in it) and `budget` (the fiscal year's new
    money) are in won; `tranche` counts from 0 and is -1 for the cost of a partner; `day` is that of the fiscal year,
    0 to 359. A request is looked at again whenever the purse or its queue changes.

    Both must depend on their arguments alone. The compiled engine calculates in 64-bit integers, and takes the values
    that globals have when it compiles: a product of two amounts in won does not fit.
    """

    pays: Callable[[int, int, int, int, int], bool] = always
    blocks: Callable[[int, int, int, int, int], bool] = always


PURSE_RULES: dict[str, PurseRule] = {"strict": PurseRule(), "first-fit": PurseRule(blocks=never)}

BUILT_IN = frozenset(PURSE_RULES)
"""Those that came with rdsim."""


def register(name: str, rule: PurseRule) -> None:
    """Add a purse rule; scenarios then name it in `purse_rule`.

    Raises: TypeError for what is no PurseRule; ValueError for a name in use, or that a scenario could not bear.
    """
    if not isinstance(rule, PurseRule):
        raise TypeError(f"purse rule {name!r} must be a purses.PurseRule, not a {type(rule).__name__}")
    if not re.fullmatch(NAMES, name):
        raise ValueError(f"{name!r} is no name: letters, digits and . _ + - only, at most 64")
    if name in PURSE_RULES:
        raise ValueError(f"purse rule {name!r} exists")
    PURSE_RULES[name] = rule
