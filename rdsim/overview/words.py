"""What an index says in sentences: for the terminal, and for the head of its page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from rdsim.brief import count
from rdsim.languages import N_, join_texts, listing
from rdsim.languages import gettext as _
from rdsim.overview.entries import Entry, Stranger
from rdsim.report.words import UNKNOWN, amount, is_point, span

__all__ = ["ORDER", "answer_words", "best_words", "count_words", "limit_words", "missing_words", "stranger_words"]

ORDER = N_(
    "Best is told only among runs of one world: of one scenario as it ran, by its digest, and one unit of money."
)


def count_words(entries: Sequence[Entry], strangers: Sequence[Stranger]) -> str:
    """How much lies there, by command, and how much cannot be listed."""
    kinds = Counter(one.command for one in entries)
    each = _("{number} of {command}")
    told = [
        each.format(number=f"{number:,}", command=command)
        for command, number in sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    ]
    runs = count(len(entries), "run")
    parts = [
        _("{runs} listed ({commands})").format(runs=runs, commands=listing(told))
        if told
        else _("{runs} listed").format(runs=runs)
    ]
    lacking = sum(not one.manifest["complete"] for one in entries)
    if lacking:
        parts.append(_("{number} not complete").format(number=f"{lacking:,}"))
    elif entries:
        parts.append(_("all complete"))
    if strangers:
        without = _("{folders} without a run that can be listed")
        parts.append(without.format(folders=count(len(strangers), "folder")))
    return join_texts(parts, "; ") + "."


def best_words(best: pd.DataFrame) -> Iterator[str]:
    """For each world of several simulated runs, which is best by each figure, and whether it is told apart."""
    alone = best[best["verdict"] == "only"]["world"].nunique()
    for row in best[best["verdict"] != "only"].to_dict("records"):
        yield _("World {number} ({scenario}, {runs}): {figure}: {best}").format(
            number=row["world"],
            scenario=row["scenario"],
            runs=count(row["runs"], "simulated run"),
            figure=row["label"],
            best=_best(row),
        )
    if alone:
        told = _("{worlds} with a single simulated run, which nothing there can be compared with.")
        yield told.format(worlds=count(alone, "world"))


def _best(row: Mapping[Hashable, Any]) -> str:
    limits = limit_words(row["low"], row["high"])
    between = (row["difference_low"], row["difference_high"])
    told = {
        "best": row["best"],
        "mean": amount(row["mean"]) + (f" ({limits})" if limits else ""),
        "second": row["second"],
        "lead": amount(row["difference"]),
        "ends": span(*between) if all(map(math.isfinite, between)) else _(UNKNOWN),
        "interval": _(str(row["interval"])),
    }
    return _(_BEST.get(str(row["verdict"]), _NOT_TOLD_APART)).format(**told)


PAIRED = (N_("paired"), N_("unpaired"))
"""How two runs are compared, see `rdsim.comparison`."""

_NOT_TOLD_APART = N_(
    "{best} has {mean}, the highest mean; not told apart from {second}: ahead of {second} by {lead} ({ends}, "
    "{interval})."
)
_BEST = {
    "unknown": N_(
        "{best} has {mean}, by its manifest; it cannot be told apart from {second}, for tables of theirs are damaged."
    ),
    "alike": N_("{best} has {mean}; {second} has the same in every replication."),
    "ahead": N_("{best} has {mean}, the most: ahead of {second} by {lead} ({ends}, {interval})."),
}
"""What is said of the best run by the verdict on it."""


def limit_words(low: float | None, high: float | None) -> str:
    """`2,437 to 2,505`; nothing without limits, or where they are one."""
    return "" if low is None or high is None or is_point(low, high) else span(low, high)


def missing_words(entry: Entry) -> str:
    """`complete`, or what is missing."""
    return _("missing: {parts}").format(parts=listing(entry.missing)) if entry.missing else _("complete")


def answer_words(entries: Sequence[Entry]) -> Iterator[str]:
    """A line for each plan that was asked something: what was."""
    for one in entries:
        if told := [kept.label for kept in one.answers if not kept.fault]:
            yield _("{plan}: asked of it: {questions}.").format(plan=one.label, questions=listing(told))


def stranger_words(strangers: Sequence[Stranger]) -> Iterator[str]:
    """A line for each folder that cannot be listed."""
    for one in strangers:
        yield f"{one.label}: {one.words}."
