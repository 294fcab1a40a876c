"""What differs between runs, in sentences: for the terminal, and for the head of a page."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from rdsim.brief import count
from rdsim.comparison.choices import is_order_changed
from rdsim.comparison.figures import ABROAD, HOME, NETWORK, PLANNED, RunPair
from rdsim.comparison.inputs import scenario_words
from rdsim.figures import TOLD, single_figures
from rdsim.numerals import numeral
from rdsim.report.words import ALIKE, UNKNOWN, amount, is_point, sentence_list, span

__all__ = ["choice_words", "input_words", "money_words", "result_words"]

_MOST = 12
"""Lines of one kind on a terminal; the tables hold all."""

_CHANGES = {
    "entered": "entered",
    "left": "left",
    "start": "start in another year",
    "partner": "have another partner",
    "mode": "are funded in another mode",
    "opened": "opened",
    "closed": "no longer opened",
    "opening": "opened in another year",
}
_ONE = {"start": "starts in another year", "partner": "has another partner", "mode": "is funded in another mode"}
_OF_PARTNERS = ("opened", "closed", "opening")


def input_words(pair: RunPair, table: pd.DataFrame) -> Iterator[str]:
    """Which inputs differ, and what can be known of the scenarios."""
    yield scenario_words(pair.first, pair.second)
    if table.empty:
        yield "Inputs: nothing that the runs hold differs."
        return
    verb = "differs" if len(table) == 1 else "differ"
    yield f"Inputs: {count(len(table), 'value')} {verb} ({pair.first.label}; {pair.second.label}):"
    rows = zip(table["path"], table["first"], table["second"], strict=True)
    yield from _some(f"  {path}: {before}; {after}" for path, before, after in rows)


def choice_words(pair: RunPair, table: pd.DataFrame) -> Iterator[str]:
    """What entered, left and changed in the portfolio, with how firm each decision was."""
    counts = f"{pair.first.label} funds {count(len(pair.first.choices), 'technology')}, {pair.second.label} "
    counts += f"{len(pair.second.choices):,}"
    if table.empty:
        order = "only their order of priority differs" if is_order_changed(pair.first, pair.second) else "no difference"
        yield f"Portfolio: {counts}; {order}."
        return
    found = table["change"].value_counts()
    told = [_count_words(change, int(found[change])) for change in _CHANGES if change in found]
    order = " The order of priority of what both fund differs." if is_order_changed(pair.first, pair.second) else ""
    yield f"Portfolio: {counts}; {sentence_list(told)}.{order}"
    yield from _some(_choice_line(pair, row) for row in table.to_dict("records"))


def _count_words(change: str, number: int) -> str:
    if change in _OF_PARTNERS:
        return f"{count(number, 'partner')} {_CHANGES[change]}"
    return f"{number:,} {_ONE.get(change, _CHANGES[change]) if number == 1 else _CHANGES[change]}"


def _choice_line(pair: RunPair, row: Mapping[Hashable, Any]) -> str:
    name = f" ({row['name']})" if row["name"] else ""
    firm = [
        f"{row[key]} in {run.label}"
        for key, run in (("firm_first", pair.first), ("firm_second", pair.second))
        if row[key]
    ]
    doubt = f" [by re-decisions {', '.join(firm)}]" if firm else ""
    return f"  {row['change']}: {row['technology']}{name}: {row['first']} -> {row['second']}{doubt}"


def money_words(pair: RunPair, table: pd.DataFrame) -> Iterator[str]:
    """How much more or less is paid: in all, by year, by field and by partner."""
    if table.empty:
        yield "Money: not compared, for at least one of the runs holds no payments."
        return
    unit, known = pair.first.money_unit, table[table["what"] != PLANNED]
    if known.empty:
        yield f"Money: {pair.second.label} less {pair.first.label}, {PLANNED}, {unit}:"
        yield f"  by year: {_signed_list(table)}"
        return
    home = known[(known["by"] == "year") & known["what"].isin([HOME, NETWORK])]
    abroad = known[(known["by"] == "year") & (known["what"] == ABROAD)]
    yield (
        f"Money: {pair.second.label} pays {_more(home, unit)} at home, net of refunds and with "
        f"the cost of partners; partners pay {_more(abroad, unit)}. Simulated means, {unit}, "
        f"{pair.second.label} less {pair.first.label}:"
    )
    yield f"  by year, home: {_signed_list(home)}"
    for by in ("field", "partner"):
        yield f"  by {by}, home: {_signed_list(known[(known['by'] == by) & (known['what'] == HOME)])}"


def _more(table: pd.DataFrame, unit: str) -> str:
    total = float(table["difference"].sum())
    if abs(total) < 1e-9 * max(float(table["first"].abs().sum()), 1.0):
        return "as much"
    return f"{amount(abs(total))} {unit} {'more' if total > 0 else 'less'}"


def _signed_list(table: pd.DataFrame) -> str:
    """Differences by name, of years in their order, of others the largest first; those of nothing left out."""
    sums = table.groupby("name", sort=False)["difference"].sum()
    scale = max(float(table["first"].abs().max()), 1.0) if len(table) else 1.0
    sums = sums[sums.abs() > 1e-9 * scale]
    if len(table) and (table["by"] != "year").all():
        sums = sums.loc[sums.abs().sort_values(ascending=False, kind="stable").index]
    told = [f"{name} {_with_sign(float(value))}" for name, value in sums.items() if amount(value) != amount(0.0)]
    more = f" and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return ", ".join(told[:_MOST]) + more if told else "no difference"


def _with_sign(value: float) -> str:
    return f"+{amount(value)}" if value > 0 else amount(value)


def result_words(pair: RunPair, table: pd.DataFrame) -> Iterator[str]:
    """The figures of the terminal and those of the scenario's own, with interval and probability."""
    if table.empty:
        lacking = sentence_list([run.label for run in (pair.first, pair.second) if not run.is_simulated])
        yield f"Results: not compared, for {lacking or 'the runs'} {'holds' if lacking else 'hold'} no replications."
        return
    yield _how(pair, int(table["n"].iloc[0]))
    standard = single_figures()
    for row in table.to_dict("records"):
        if row["figure"] in TOLD or row["figure"] not in standard:
            means = f"{amount(row['first'])} in {pair.first.label}, {amount(row['second'])} in {pair.second.label}"
            gap = f"difference {_with_sign(row['difference'])} ({_limits(row)})"
            yield f"  {row['label']}: {means}; {gap}{_who(pair, row)}"
    if pair.first.choices != pair.second.choices:
        yield "The intervals are of the luck of these portfolios: on another seed others might have been chosen."


def _how(pair: RunPair, number: int) -> str:
    level = numeral(pair.confidence, ".0%")
    together = f", of each figure holding together over {pair.comparisons} comparisons" if pair.comparisons > 1 else ""
    if pair.is_paired:
        how = f"paired on {number:,} common replications, for the draws are common"
    else:
        seeds = [run.manifest.get("seed") for run in (pair.first, pair.second)]
        apart = "they share no replications" if pair.is_of_one_scenario else "the scenarios are others"
        why = f"the seeds differ ({seeds[0]}; {seeds[1]})" if seeds[0] != seeds[1] else apart
        how = f"unpaired (Welch), for {why}, so that the luck is not the same and intervals are wider than need be"
    return f"Results: {pair.second.label} less {pair.first.label}, {how} ({level} intervals{together}):"


def _limits(row: Mapping[Hashable, Any]) -> str:
    if not math.isfinite(row["high"] - row["low"]):
        return UNKNOWN
    return ALIKE if is_point(row["low"], row["high"]) else span(row["low"], row["high"])


def _who(pair: RunPair, row: Mapping[Hashable, Any]) -> str:
    """How often the second is better. Where nothing differs that would be a probability of nothing: said so."""
    if math.isnan(row["better"]):
        return ""
    if row["same"] == 1.0:
        return "; the same in every common replication"
    ends = f"{numeral(row['better_low'], '.0%')} to {numeral(row['better_high'], '.0%')}"
    same = f", the same in {numeral(row['same'], '.0%')}" if row["same"] else ""
    return f"; {pair.second.label} is better in {numeral(row['better'], '.0%')} of the futures ({ends}){same}"


def _some(lines: Iterable[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:_MOST]
    if len(every) > _MOST:
        yield f"  ... and {len(every) - _MOST:,} more, in the tables"
