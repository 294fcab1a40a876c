"""Answers below the figures' questions: what the tables say, for a reader who will not read them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from rdsim.brief import count
from rdsim.numerals import numeral
from rdsim.report.data.aggregates import NOT_ALLOWED, partners_among
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import (
    amount,
    capital,
    estimate,
    for_partners,
    interval,
    mean,
    per_replication,
    percent,
    rests_on,
    sentence_list,
    span,
)
from rdsim.titles import PLAN

__all__ = [
    "best_bets",
    "delivery_words",
    "durations",
    "ending",
    "even_odds",
    "first_starts",
    "formation_words",
    "gains",
    "largest",
    "longest_wait",
    "partners",
    "path",
    "refusals",
    "sales_words",
    "spread",
    "use_of_money",
]


def largest(table: pd.DataFrame, key: str, unit: str) -> str:
    """Which row gets most of the money."""
    sums = table.groupby(key)[["home", "count"]].sum().sort_values("home", ascending=False)
    total = float(sums["home"].sum())
    if total <= 0:
        return "No money is expected to be paid."
    top = sums.iloc[0]
    return (
        f"Most goes to {sums.index[0]}: {amount(top['home'])} of {amount(total)} {unit} "
        f"({percent(top['home'] / total)}), for {count(int(top['count']), 'technology')}."
    )


def partners(report: PlanReport, table: pd.DataFrame) -> str:
    """How much of the portfolio is joint, and with whom most."""
    joint = table[table["partner_name"] != "No partner"]
    if joint.empty:
        return "No project has a partner abroad."
    sums = joint.groupby("partner_name")["home"].sum().sort_values(ascending=False)
    funded = report.technologies[report.technologies["funded"].astype(bool)]
    among, share = len(partners_among(funded)), joint["home"].sum() / max(table["home"].sum(), 1e-12)
    modes = joint["mode"].unique()
    how = f", all by {str(modes[0]).lower()}" if len(modes) == 1 else ""
    return (
        f"{int(joint['count'].sum())} of {int(table['count'].sum())} projects are joint, with "
        f"{count(among, 'partner')}{how}; they get {percent(share)} of the money. Most goes to projects with "
        f"{sums.index[0]}: {amount(float(sums.iloc[0]))} {report.money_unit}.{_upkeep(report)}{_left(report)}"
    )


def _left(report: PlanReport) -> str:
    """What of the money of joint projects leaves the country; nothing if the run does not say."""
    left = mean(report, "paid_abroad")
    if math.isnan(left):
        return ""
    sent = amount(left) if left > 0 else "nothing"
    return f" Of the joint projects' money {sent} is paid abroad: the rest stays at home."


def _upkeep(report: PlanReport) -> str:
    """What the partners cost beside their projects."""
    cost = per_replication(report, report.budget["spent_network"])
    return f" Opening and running the partners costs another {amount(cost)}." if cost > 0 else ""


def first_starts(table: pd.DataFrame) -> str:
    """How many start in which year."""
    counts = table.groupby("year")["count"].sum()
    parts = [f"{count} in {year}" for year, count in counts.items()]
    return f"{sentence_list(parts)}."


def best_bets(report: PlanReport, table: pd.DataFrame) -> str:
    """The three technologies with the highest expected value and their share of all."""
    best = table.sort_values("expected_value", ascending=False).head(3)
    total = float(table["expected_value"].sum())
    share = f" ({best['expected_value'].sum() / total:.0%} of all)" if total > 0 else ""
    pairs = zip(best["name"], best["expected_value"], strict=True)
    names = sentence_list([f"{name} ({amount(float(value))})" for name, value in pairs])
    return f"Highest expected net value in {report.money_unit}: {names}{share}."


def durations(table: pd.DataFrame) -> str:
    """How long R&D takes and how often it reaches its target."""
    years = float((table["p50"] - table["begin"]).median())
    low, high = table["p_target"].min(), table["p_target"].max()
    chance = f"{percent(low)}" if f"{percent(low)}" == f"{percent(high)}" else f"{percent(low)} to {percent(high)}"
    if math.isnan(years):
        return f"{count(len(table), 'project')}, none of which ever starts."
    return (
        f"{count(len(table), 'project')}; half of them last longer than {numeral(years, '.1f')} years from start to "
        f"end of R&D; target TRL reached in {chance} of replications."
    )


def refusals(table: pd.DataFrame, unit: str) -> str:
    """How much of the requests is funded, and where most is turned down."""
    sums = table.groupby("decision")["requested"].sum()
    total, funded = float(sums.sum()), float(sums.get("funded", 0.0))
    text = f"{amount(funded)} of {amount(total)} {unit} requested is funded."
    lost = table[table["decision"] == "not funded"].sort_values("share", ascending=False)
    return (
        f"{text} Largest share turned down: {lost.iloc[0]['field']} ({percent(lost.iloc[0]['share'])})."
        if len(lost)
        else text
    )


def use_of_money(table: pd.DataFrame, unit: str) -> str:
    """How much of the announced money is paid and lapses, and in which years more is promised than announced."""
    names = ("announced", "mean", "network", "lapsed")
    announced, paid, network, lapsed = (float(table[column].sum()) for column in names)
    over = table.loc[(table["promised"] > table["announced"] * 1.001) & (table["announced"] > 0), "year"]
    share = f" ({paid / announced:.0%})" if announced > 0 else ""
    years = sentence_list([str(year) for year in over])
    promise = (
        f"Awards promise more than is announced in {years}, counting on stops at gates."
        if len(over)
        else "No year's awards promise more than is announced."
    )
    return (
        f"Of {amount(announced)} {unit} announced, {amount(paid)}{share} is paid on average, net of refunds"
        f"{for_partners(network)}, and {amount(lapsed)} lapses. {promise}"
    )


def sales_words(report: PlanReport) -> str:
    """The number on the market at the horizon and in time."""
    found, timely = estimate(report, "commercialised"), mean(report, "commercialised_by_deadline")
    if found is None:
        return ""
    return (
        f"{amount(found['mean'])} on average by {report.horizon_year} ({report.confidence:.0%} interval "
        f"{interval(found)}), {amount(timely)} of them by their programme's deadline."
    )


def even_odds(report: PlanReport) -> str:
    """The largest numbers reached with at least 90%, 50% and 10% probability, and how likely each is."""
    counts = report.replications["commercialised"]
    numbers = dict.fromkeys(number for chance in (0.9, 0.5, 0.1) if (number := _number_at(counts, chance)))
    parts = [f"at least {number} with a probability of {percent((counts >= number).mean())}" for number in numbers]
    found = capital(f"{sentence_list(parts)}.") if parts else "Not even one with a probability of 10%."
    return f"{found}{rests_on(report)}"


def _number_at(counts: pd.Series[int], chance: float) -> int:
    """The largest number that at least a share `chance` of replications reach."""
    ordered = counts.sort_values(ascending=False).to_numpy()
    return int(ordered[max(math.ceil(chance * len(ordered) - 1e-9), 1) - 1])


def delivery_words(report: PlanReport, table: pd.DataFrame) -> str:
    """How likely each deliverable is to be handed in by the horizon, likeliest first."""
    last = table[table["year"] == report.horizon_year].sort_values("share", ascending=False, kind="stable")
    parts = [
        f"{name} {percent(share)} ({percent(low)} to {percent(high)})"
        for name, share, low, high in last[["deliverable", "share", "low", "high"]].itertuples(index=False)
    ]
    sure = f"{report.confidence:.0%} intervals over {int(table['n'].iloc[0]):,} replications"
    return f"By {report.horizon_year}, with {sure}: {sentence_list(parts)}."


def path(aims: pd.DataFrame) -> str:
    """In which years the target is likely reached."""
    if aims.empty:
        return "The scenario sets no target."
    likely = [str(int(year)) for year in aims.loc[aims["reached"] >= 0.5, "year"]]
    missed = [str(int(year)) for year in aims.loc[aims["reached"] < 0.5, "year"]]
    parts = [
        f"probably reached in {sentence_list(likely)}" if likely else "",
        f"probably missed in {sentence_list(missed)}" if missed else "",
    ]
    text = "; ".join(filter(None, parts))
    return capital(f"{text}.")


def spread(report: PlanReport, table: pd.DataFrame) -> str:
    """How far luck moves the optimised portfolio, and the probability of a loss."""
    row = table[table["policy"] == PLAN]
    if row.empty:
        return ""
    best = row.iloc[0]
    losses = f"{best['loss']:.1%}" if best["loss"] > 0 else "none"
    return (
        f"In nine of ten replications the plan is worth {span(best['p5'], best['p95'])} "
        f"{report.money_unit}; in {losses} it is worth less than nothing.{rests_on(report)}"
    )


def gains(table: pd.DataFrame, unit: str) -> str:
    """Which simple rules it surely beats, which not, and which of them keep the scenario's rules."""
    same = (table[["mean", "low", "high"]] == 0).all(axis=1)
    surely, equal, unsure = table[table["low"] > 0], table[same], table[~(table["low"] > 0) & ~same]
    parts = [f"worth more than {_rules(surely, unit)}" if len(surely) else ""]
    parts += [f"not clearly worth more than {_rules(unsure, unit)}" if len(unsure) else ""]
    parts += [f"worth the same as {sentence_list(equal['policy'].tolist())} in every replication" if len(equal) else ""]
    text = "; ".join(filter(None, parts))
    barred = table["broken"].astype(str).str.startswith(NOT_ALLOWED).astype(bool)
    broken, outside = (table.loc[rows, "policy"].tolist() for rows in (~table["feasible"] & ~barred, barred))
    note = (
        f" Not allowed as they stand, for breaking a rule of the scenario: {sentence_list(broken)}." if broken else ""
    )
    note += f" {capital(NOT_ALLOWED)}: {sentence_list(outside)}." if outside else ""
    return capital(f"{text}.{note}")


def _rules(table: pd.DataFrame, unit: str) -> str:
    return sentence_list(
        [f"{name} (by {amount(gain)} {unit})" for name, gain in zip(table["policy"], table["mean"], strict=True)]
    )


def longest_wait(table: pd.DataFrame) -> str:
    """What is waited for longest."""
    top = table.sort_values("mean", ascending=False).iloc[0]
    return (
        f"Longest for {top['cause']}, in {top['programme']}: {amount(float(top['mean']))} days per project; "
        f"{percent(top['share'])} of its projects wait for it, those {amount(float(top['days']))} days on average."
    )


def formation_words(table: pd.DataFrame) -> str:
    """How many begin to look for an agreement, reach one, and where most are lost on the way."""
    stages, means = table["stage"].tolist()[:-2], table["mean"].to_numpy(np.float64)[:-2]
    lost = means[:-1] - means[1:]
    return (
        f"{amount(float(means[0]))} projects begin to look for an agreement and {amount(float(means[-1]))} reach one; "
        f"most are lost at {stages[int(lost.argmax()) + 1]}, {amount(float(lost.max()))} of them."
    )


def ending(table: pd.DataFrame) -> str:
    """Share that reaches the target, by programme."""
    hits = table[table["order"] == 0]
    parts = [f"{percent(share)} in {name}" for share, name in zip(hits["share"], hits["programme"], strict=True)]
    return f"Target TRL reached: {sentence_list(parts)}." if parts else "No project reaches its target TRL."
