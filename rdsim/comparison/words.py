"""What differs between runs, in sentences: for the terminal, and for the head of a page."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from rdsim.brief import count
from rdsim.comparison.choices import change_title, is_order_changed
from rdsim.comparison.figures import ABROAD, HOME, NETWORK, PLANNED, RunPair
from rdsim.comparison.inputs import scenario_words
from rdsim.figures import TOLD, single_figures
from rdsim.languages import gettext as _
from rdsim.languages import join_texts, ngettext, unit_of_money
from rdsim.numerals import numeral
from rdsim.report.words import ALIKE, UNKNOWN, amount, is_point, sentence_list, span

__all__ = ["Remark", "choice_words", "input_words", "money_words", "result_words"]

_MOST = 12
"""Lines of one kind on a terminal; the tables hold all."""


class Remark(NamedTuple):
    """What is said, and whether lines below it say more, or it is one of these."""

    text: str
    opens: bool = False
    is_below: bool = False

    @property
    def on_terminal(self) -> str:
        """The line as a terminal has it."""
        return join_texts(["  ", self.text], "") if self.is_below else self.above

    @property
    def above(self) -> str:
        """The line above a table, or above the lines that say more."""
        return join_texts([self.text, ":"], "") if self.opens else self.text

    @property
    def alone(self) -> str:
        """The line by itself."""
        return join_texts([self.text, "."], "") if self.opens else self.text


def input_words(pair: RunPair, table: pd.DataFrame) -> Iterator[Remark]:
    """Which inputs differ, and what can be known of the scenarios."""
    yield Remark(scenario_words(pair.first, pair.second))
    if table.empty:
        yield Remark(_("Inputs: nothing that the runs hold differs."))
        return
    told = ngettext(
        "Inputs: {number} value differs ({base}; {run})", "Inputs: {number} values differ ({base}; {run})", len(table)
    )
    yield Remark(told.format(number=f"{len(table):,}", base=pair.first.label, run=pair.second.label), opens=True)
    rows = zip(table["path"], table["first"], table["second"], strict=True)
    row = _("{path}: {before}; {after}")
    yield from _some(row.format(path=path, before=before, after=after) for path, before, after in rows)


def choice_words(pair: RunPair, table: pd.DataFrame) -> Iterator[Remark]:
    """What entered, left and changed in the portfolio, with how firm each decision was."""
    is_reordered = is_order_changed(pair.first, pair.second)
    if table.empty:
        alike = _("only their order of priority differs") if is_reordered else _("no difference")
        yield Remark(_portfolio_words(pair, alike))
        return
    found = table["change"].value_counts()
    told = [_count_words(change, int(found[change])) for change in _ORDER if change in found]
    order = [_("The order of priority of what both fund differs.")] if is_reordered else []
    yield Remark(join_texts([_portfolio_words(pair, sentence_list(told)), *order], " "))
    yield from _some(_choice_line(pair, row) for row in table.to_dict("records"))


def _portfolio_words(pair: RunPair, differs: str) -> str:
    return _("Portfolio: {base} funds {technologies}, {run} {number}; {differences}.").format(
        base=pair.first.label,
        technologies=count(len(pair.first.choices), "technology"),
        run=pair.second.label,
        number=f"{len(pair.second.choices):,}",
        differences=differs,
    )


_ORDER = ("entered", "left", "start", "partner", "mode", "opened", "closed", "opening")


def _count_words(change: str, number: int) -> str:
    """How many technologies or partners changed so."""
    told = {
        "entered": _("{number} entered"),
        "left": _("{number} left"),
        "start": ngettext("{number} starts in another year", "{number} start in another year", number),
        "partner": ngettext("{number} has another partner", "{number} have another partner", number),
        "mode": ngettext("{number} is funded in another mode", "{number} are funded in another mode", number),
        "opened": _("{partners} opened"),
        "closed": _("{partners} no longer opened"),
        "opening": _("{partners} opened in another year"),
    }[change]
    return told.format(number=f"{number:,}", partners=count(number, "partner"))


def _choice_line(pair: RunPair, row: Mapping[Hashable, Any]) -> str:
    whom = f"{row['technology']} ({row['name']})" if row["name"] else row["technology"]
    told = _("{change}: {whom}: {before} -> {after}").format(
        change=change_title(row["change"]), whom=whom, before=row["first"], after=row["second"]
    )
    firm = [
        _("{firmness} in {run}").format(firmness=_(row[key]), run=run.label)
        for key, run in (("firm_first", pair.first), ("firm_second", pair.second))
        if row[key]
    ]
    if not firm:
        return told
    return _("{line} [by re-decisions {firmness}]").format(line=told, firmness=join_texts(firm, ", "))


def money_words(pair: RunPair, table: pd.DataFrame) -> Iterator[Remark]:
    """How much more or less is paid: in all, by year, by field and by partner."""
    if table.empty:
        yield Remark(_("Money: not compared, for at least one of the runs holds no payments."))
        return
    names = {"run": pair.second.label, "base": pair.first.label, "unit": unit_of_money(pair.first.money_unit)}
    known = table[table["what"] != PLANNED]
    if known.empty:
        yield Remark(_("Money: {run} less {base}, {what}, {unit}").format(what=_(PLANNED), **names), opens=True)
        yield Remark(_("by year: {amounts}").format(amounts=_signed_list(table)), is_below=True)
        return
    home = known[(known["by"] == "year") & known["what"].isin([HOME, NETWORK])]
    abroad = known[(known["by"] == "year") & (known["what"] == ABROAD)]
    told = _(
        "Money: {run} pays {more} at home, net of refunds and with the cost of partners; partners pay {partners}. "
        "Simulated means, {unit}, {run} less {base}"
    )
    more = [_more(one, names["unit"]) for one in (home, abroad)]
    yield Remark(told.format(more=more[0], partners=more[1], **names), opens=True)
    yield Remark(_("by year, home: {amounts}").format(amounts=_signed_list(home)), is_below=True)
    for by, words in (("field", _("by field, home: {amounts}")), ("partner", _("by partner, home: {amounts}"))):
        mine = known[(known["by"] == by) & (known["what"] == HOME)]
        yield Remark(words.format(amounts=_signed_list(mine)), is_below=True)


def _more(table: pd.DataFrame, unit: str) -> str:
    total = float(table["difference"].sum())
    if abs(total) < 1e-9 * max(float(table["first"].abs().sum()), 1.0):
        return _("as much")
    told = _("{amount} {unit} more") if total > 0 else _("{amount} {unit} less")
    return told.format(amount=amount(abs(total)), unit=unit)


def _signed_list(table: pd.DataFrame) -> str:
    """Differences by name, of years in their order, of others the largest first; those of nothing left out."""
    sums = table.groupby("name", sort=False)["difference"].sum()
    scale = max(float(table["first"].abs().max()), 1.0) if len(table) else 1.0
    sums = sums[sums.abs() > 1e-9 * scale]
    if len(table) and (table["by"] != "year").all():
        sums = sums.loc[sums.abs().sort_values(ascending=False, kind="stable").index]
    known = [(str(name), float(value)) for name, value in sums.items() if amount(value) != amount(0.0)]
    told = [_("{name} {amount}").format(name=name, amount=_with_sign(value)) for name, value in known[:_MOST]]
    if not told:
        return _("no difference")
    listed = join_texts(told, ", ")
    return _("{names} and {number} more").format(names=listed, number=len(known) - _MOST) if known[_MOST:] else listed


def _with_sign(value: float) -> str:
    return f"+{amount(value)}" if value > 0 else amount(value)


def result_words(pair: RunPair, table: pd.DataFrame) -> Iterator[Remark]:
    """The figures of the terminal and those of the scenario's own, with interval and probability."""
    if table.empty:
        yield Remark(_without_results([run.label for run in (pair.first, pair.second) if not run.is_simulated]))
        return
    yield Remark(_how(pair, int(table["n"].iloc[0])), opens=True)
    standard = single_figures()
    for row in table.to_dict("records"):
        if row["figure"] in TOLD or row["figure"] not in standard:
            yield Remark(_figure_words(pair, row), is_below=True)
    if pair.first.choices != pair.second.choices:
        told = _("The intervals are of the luck of these portfolios: on another seed others might have been chosen.")
        yield Remark(told)


def _without_results(lacking: list[str]) -> str:
    if not lacking:
        return _("Results: not compared, for the runs hold no replications.")
    return _("Results: not compared, for {runs} holds no replications.").format(runs=sentence_list(lacking))


def _figure_words(pair: RunPair, row: Mapping[Hashable, Any]) -> str:
    told = _("{label}: {before} in {base}, {after} in {run}; difference {difference} ({limits})").format(
        label=row["label"],
        before=amount(row["first"]),
        base=pair.first.label,
        after=amount(row["second"]),
        run=pair.second.label,
        difference=_with_sign(row["difference"]),
        limits=_limits(row),
    )
    return join_texts([told, *_who(pair, row)], "; ")


def _how(pair: RunPair, number: int) -> str:
    names = {"run": pair.second.label, "base": pair.first.label}
    level = numeral(pair.confidence, ".0%")
    sure = _("{confidence} intervals").format(confidence=level)
    if pair.comparisons > 1:
        told = _("{confidence} intervals, of each figure holding together over {comparisons} comparisons")
        sure = told.format(confidence=level, comparisons=pair.comparisons)
    if pair.is_paired:
        paired = _(
            "Results: {run} less {base}, paired on {replications} common replications, for the draws are common "
            "({intervals})"
        )
        return paired.format(replications=f"{number:,}", intervals=sure, **names)
    return _(
        "Results: {run} less {base}, unpaired (Welch), for {reason}, so that the luck is not the same and intervals "
        "are wider than need be ({intervals})"
    ).format(reason=_unpaired_reason(pair), intervals=sure, **names)


def _unpaired_reason(pair: RunPair) -> str:
    seeds = [run.manifest.get("seed") for run in (pair.first, pair.second)]
    if seeds[0] != seeds[1]:
        return _("the seeds differ ({first}; {second})").format(first=seeds[0], second=seeds[1])
    return _("they share no replications") if pair.is_of_one_scenario else _("the scenarios are others")


def _limits(row: Mapping[Hashable, Any]) -> str:
    if not math.isfinite(row["high"] - row["low"]):
        return _(UNKNOWN)
    return _(ALIKE) if is_point(row["low"], row["high"]) else span(row["low"], row["high"])


def _who(pair: RunPair, row: Mapping[Hashable, Any]) -> Iterator[str]:
    """How often the second is better. Where nothing differs that would be a probability of nothing: said so."""
    if math.isnan(row["better"]):
        return
    if row["same"] == 1.0:
        yield _("the same in every common replication")
        return
    shares = {name: numeral(row[key], ".0%") for name, key in (("share", "better"), ("same", "same"))}
    ends = {name: numeral(row[f"better_{name}"], ".0%") for name in ("low", "high")}
    told = (
        _("{run} is better in {share} of the futures ({low} to {high}), the same in {same}")
        if row["same"]
        else _("{run} is better in {share} of the futures ({low} to {high})")
    )
    yield told.format(run=pair.second.label, **shares, **ends)


def _some(lines: Iterable[str]) -> Iterator[Remark]:
    every = list(lines)
    yield from (Remark(one, is_below=True) for one in every[:_MOST])
    if len(every) > _MOST:
        yield Remark(_("... and {number} more, in the tables").format(number=f"{len(every) - _MOST:,}"), is_below=True)
