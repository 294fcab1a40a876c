"""What an index says in sentences: for the terminal, and for the head of its page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from rdsim.brief import count
from rdsim.overview.entries import Entry, Stranger
from rdsim.report.words import UNKNOWN, amount, is_point, sentence_list, span

__all__ = ["ORDER", "answer_words", "best_words", "count_words", "limit_words", "missing_words", "stranger_words"]

ORDER = "Best is told only among runs of one world: of one scenario as it ran, by its digest, and one unit of money."


def count_words(entries: Sequence[Entry], strangers: Sequence[Stranger]) -> str:
    """How much lies there, by command, and how much cannot be listed."""
    kinds = Counter(one.command for one in entries)
    told = [
        f"{number:,} of {command}" for command, number in sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    ]
    listed = f"{count(len(entries), 'run')} listed" + (f" ({sentence_list(told)})" if told else "")
    lacking = sum(not one.manifest["complete"] for one in entries)
    parts = [listed, f"{lacking:,} not complete" if lacking else "all complete" if entries else ""]
    parts += [f"{count(len(strangers), 'folder')} without a run that can be listed"] if strangers else []
    return "; ".join(filter(None, parts)) + "."


def best_words(best: pd.DataFrame) -> Iterator[str]:
    """For each world of several simulated runs, which is best by each figure, and whether it is told apart."""
    alone = best[best["verdict"] == "only"]["world"].nunique()
    for row in best[best["verdict"] != "only"].to_dict("records"):
        world = f"World {row['world']} ({row['scenario']}, {count(row['runs'], 'simulated run')})"
        yield f"{world}: {row['label']}: {_best(row)}"
    if alone:
        yield f"{count(alone, 'world')} with a single simulated run, which nothing there can be compared with."


def _best(row: Mapping[Hashable, Any]) -> str:
    limits = limit_words(row["low"], row["high"])
    mean = f"{row['best']} has {amount(row['mean'])}" + (f" ({limits})" if limits else "")
    if row["verdict"] == "unknown":
        return (
            f"{mean}, by its manifest; it cannot be told apart from {row['second']}, for tables of theirs are damaged."
        )
    if row["verdict"] == "alike":
        return f"{mean}; {row['second']} has the same in every replication."
    between = (row["difference_low"], row["difference_high"])
    ends = span(*between) if all(map(math.isfinite, between)) else UNKNOWN
    lead = f"ahead of {row['second']} by {amount(row['difference'])} ({ends}, {row['interval']})"
    if row["verdict"] == "ahead":
        return f"{mean}, the most: {lead}."
    return f"{mean}, the highest mean; not told apart from {row['second']}: {lead}."


def limit_words(low: float | None, high: float | None) -> str:
    """`2,437 to 2,505`; nothing without limits, or where they are one."""
    return "" if low is None or high is None or is_point(low, high) else span(low, high)


def missing_words(entry: Entry) -> str:
    """`complete`, or what is missing."""
    return f"missing: {sentence_list(entry.missing)}" if entry.missing else "complete"


def answer_words(entries: Sequence[Entry]) -> Iterator[str]:
    """A line for each plan that was asked something: what was."""
    for one in entries:
        if told := [kept.label for kept in one.answers if not kept.fault]:
            yield f"{one.label}: asked of it: {sentence_list(told)}."


def stranger_words(strangers: Sequence[Stranger]) -> Iterator[str]:
    """A line for each folder that cannot be listed."""
    for one in strangers:
        yield f"{one.label}: {one.words}."
