"""What a sweep's comparisons show: three answers, never two, and what they are of.

A claim is **shown**, or **shown not** to hold (within a margin: the difference that would matter), or **not known**:
then it is told how many replications, repeats or worlds would tell. Where every point was decided once, nothing is
shown of two decisions: the noise of choosing is in no interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rdsim.stats import Interval
from rdsim.sweep.repeats import repeat_count, standard_deviation

__all__ = ["Claim", "Statement", "claim_of", "effort_words"]

Verdict = Literal["shown", "shown not", "not known"]


@dataclass(frozen=True)
class Claim:
    """Whether an estimate is above a limit, or below it: the estimate in that direction, and the verdict."""

    found: Interval
    verdict: Verdict
    effect: float
    """What would have to be told apart: the margin, or without one the distance of the estimate from the limit."""
    is_small: bool = False
    """Whether it is shown that the estimate is beyond the limit by no more than the margin, if at all."""

    def effort(self, confidence: float) -> int | None:
        """How many replications, repeats or worlds would tell, if it is not known; None if no number would."""
        return repeat_count(standard_deviation(self.found, confidence), self.effect, confidence)


def claim_of(found: Interval, sign: str, limit: float, margin: float, *, blind: bool = False) -> Claim:
    """The claim that an estimate is `sign` (``>=``, ``>``, ``<=``, ``<``) a limit; if `blind`, nothing is shown."""
    ahead = _flip(found) if sign[0] == "<" else found
    edge = -limit if sign[0] == "<" else limit
    effect = margin if margin > 0 else abs(ahead.mean - edge)
    if blind or math.isnan(ahead.mean):
        return Claim(found, "not known", effect)
    small = ahead.high <= edge + margin
    if ahead.low > edge or (sign.endswith("=") and ahead.low >= edge):
        return Claim(found, "shown", effect, small)
    below = ahead.high < edge + margin or (small and not (margin == 0 and sign.endswith("=")))
    return Claim(found, "shown not" if below else "not known", effect, small)


def _flip(found: Interval) -> Interval:
    return Interval(-found.mean, -found.high, -found.low, found.n)


def effort_words(claims: Sequence[Claim], confidence: float, units: str) -> str:
    """What it would take to know what is not known: the most of what the claims take."""
    efforts = [claim.effort(confidence) for claim in claims]
    known = [one for one in efforts if one is not None]
    if len(known) < len(efforts):
        return f"no number of {units} would tell" if not known else f"more than {max(known):,} {units} would tell"
    return f"about {_round_count(max(known)):,} {units} would tell" if known else ""


def _round_count(count: int) -> int:
    """To two significant digits, up: it is an estimate."""
    step = int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // step) * step


@dataclass(frozen=True)
class Statement:
    """One pair of braces, answered: in words, and as what another run may deny."""

    asked: str
    kind: str
    words: str
    means: Mapping[str, float]
    """By level; of a figure or difference under ''."""
    halves: Mapping[str, float]
    """Half widths, as `means`."""
    shown: Sequence[str] = ()
    """What is called sure: levels at which a claim is shown, levels shown not to be the best, or `more` or `less`."""
    shown_not: Sequence[str] = ()
    limit: float = 0.0
    sign: str = ""
    best: str = ""
