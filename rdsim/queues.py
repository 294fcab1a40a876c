"""Queue rules: in which order those who wait for panels, facilities and places are looked at.

A rule is a key, asked anew at each grant: the smallest is looked at first, of equals the project of higher rank.
`rdsim.extend.queue_rule` registers a third party's, which scenarios then name in `panels.x.queue.rule`,
`queues.facilities.rule`, `queues.places.rule` or `queues.starts.rule`. Purses serve by rank, and have rules of their
own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from rdsim.contracts import QUEUE_KEY
from rdsim.registry import Extension, Registry

__all__ = ["QUEUE_RULES", "RANK", "QueueRule", "by_rank", "first_come"]

__compiled__ = True

RANK = "rank"
"""The rule that came first: no key is asked for."""


def by_rank(rank: int) -> int:
    """In order of rank.

    Model: E4.
    """
    return rank


def first_come(waited: int) -> int:
    """Who has waited longest comes first.

    Model: E5.
    """
    return -waited


@dataclass(frozen=True)
class QueueRule(Extension):
    """In which order those who wait are looked at: `rdsim.contracts.QUEUE_KEY`."""

    contracts: ClassVar = {"key": QUEUE_KEY}

    key: Callable[..., Any]


QUEUE_RULES = Registry("queue rule", QueueRule, {RANK: QueueRule(by_rank), "first-come": QueueRule(first_come)})
