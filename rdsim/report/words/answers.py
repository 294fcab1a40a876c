"""Answers below the figures' questions: what the tables say, for a reader who will not read them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from rdsim.brief import count
from rdsim.languages import gettext as _
from rdsim.languages import join_texts
from rdsim.numerals import numeral
from rdsim.report.data.aggregates import NOT_ALLOWED, partners_among
from rdsim.report.data.plan import PlanReport
from rdsim.report.data.yearly import no_partner
from rdsim.report.words.amounts import (
    amount,
    capital,
    estimate,
    interval,
    mean,
    per_replication,
    percent,
    rests_on,
    sentence_list,
    span,
    with_unit,
)
from rdsim.titles import plan_title

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
    "target_years",
    "use_of_money",
]


def largest(table: pd.DataFrame, key: str, unit: str) -> str:
    """Which row gets most of the money."""
    sums = table.groupby(key)[["home", "count"]].sum().sort_values("home", ascending=False)
    total = float(sums["home"].sum())
    if total <= 0:
        return _("No money is expected to be paid.")
    top = sums.iloc[0]
    return _("Most goes to {name}: {amount} of {total} {unit} ({share}), for {technologies}.").format(
        name=sums.index[0],
        amount=amount(top["home"]),
        total=amount(total),
        unit=unit,
        share=percent(top["home"] / total),
        technologies=count(int(top["count"]), "technology"),
    )


def partners(report: PlanReport, table: pd.DataFrame) -> str:
    """How much of the portfolio is joint, and with whom most."""
    joint = table[table["partner_name"] != no_partner()]
    if joint.empty:
        return _("No project has a partner abroad.")
    sums = joint.groupby("partner_name")["home"].sum().sort_values(ascending=False)
    funded = report.technologies[report.technologies["funded"].astype(bool)]
    among, share = len(partners_among(funded)), joint["home"].sum() / max(table["home"].sum(), 1e-12)
    modes = joint["mode"].unique()
    told = (
        _("{joint} of {all} projects are joint, with {partners}, all by {mode}; they get {share} of the money.")
        if len(modes) == 1
        else _("{joint} of {all} projects are joint, with {partners}; they get {share} of the money.")
    )
    first = told.format(
        joint=int(joint["count"].sum()),
        all=int(table["count"].sum()),
        partners=count(among, "partner"),
        mode=str(modes[0]).lower(),
        share=percent(share),
    )
    most = _("Most goes to projects with {name}: {amount} {unit}.").format(
        name=sums.index[0], amount=amount(float(sums.iloc[0])), unit=report.money_unit
    )
    return " ".join(filter(None, (first, most, _upkeep(report), _left(report))))


def _left(report: PlanReport) -> str:
    """What of the money of joint projects leaves the country; nothing if the run does not say."""
    left = mean(report, "paid_abroad")
    if math.isnan(left):
        return ""
    if left > 0:
        told = _("Of the joint projects' money {amount} is paid abroad: the rest stays at home.")
        return told.format(amount=with_unit(report, left))
    return _("Of the joint projects' money nothing is paid abroad: the rest stays at home.")


def _upkeep(report: PlanReport) -> str:
    """What the partners cost beside their projects."""
    cost = per_replication(report, report.budget["spent_network"])
    told = _("Opening and running the partners costs another {amount}.")
    return told.format(amount=with_unit(report, cost)) if cost > 0 else ""


def first_starts(table: pd.DataFrame) -> str:
    """How many start in which year."""
    counts = table.groupby("year")["count"].sum()
    parts = [_("{count} in {year}").format(count=count, year=year) for year, count in counts.items()]
    return f"{sentence_list(parts)}."


def best_bets(report: PlanReport, table: pd.DataFrame) -> str:
    """The three technologies with the highest expected value and their share of all."""
    best = table.sort_values("expected_value", ascending=False).head(3)
    total = float(table["expected_value"].sum())
    pairs = zip(best["name"], best["expected_value"], strict=True)
    names = sentence_list([f"{name} ({amount(float(value))})" for name, value in pairs])
    if total <= 0:
        return _("Highest expected net value in {unit}: {names}.").format(unit=report.money_unit, names=names)
    share = f"{best['expected_value'].sum() / total:.0%}"
    told = _("Highest expected net value in {unit}: {names} ({share} of all).")
    return told.format(unit=report.money_unit, names=names, share=share)


def durations(table: pd.DataFrame) -> str:
    """How long R&D takes and how often it reaches its target."""
    years = float((table["p50"] - table["begin"]).median())
    low, high = table["p_target"].min(), table["p_target"].max()
    ends = (percent(low), percent(high))
    chance = ends[0] if ends[0] == ends[1] else _("{low} to {high}").format(low=ends[0], high=ends[1])
    projects = count(len(table), "project")
    if math.isnan(years):
        return _("{projects}, none of which ever starts.").format(projects=projects)
    return _(
        "{projects}; half of them last longer than {years} years from start to end of R&D; target TRL reached in "
        "{chance} of replications."
    ).format(projects=projects, years=numeral(years, ".1f"), chance=chance)


def refusals(table: pd.DataFrame, unit: str) -> str:
    """How much of the requests is funded, and where most is turned down."""
    sums = table.groupby("decision")["requested"].sum()
    total, funded = float(sums.sum()), float(sums.get(_("funded"), 0.0))
    told = _("{funded} of {total} {unit} requested is funded.")
    text = told.format(funded=amount(funded), total=amount(total), unit=unit)
    lost = table[table["decision"] == _("not funded")].sort_values("share", ascending=False)
    if lost.empty:
        return text
    most = _("Largest share turned down: {field} ({share}).")
    return f"{text} {most.format(field=lost.iloc[0]['field'], share=percent(lost.iloc[0]['share']))}"


def use_of_money(table: pd.DataFrame, unit: str) -> str:
    """How much of the announced money is paid and lapses, and in which years more is promised than announced."""
    names = ("announced", "mean", "network", "lapsed")
    announced, paid, network, lapsed = (float(table[column].sum()) for column in names)
    over = table.loc[(table["promised"] > table["announced"] * 1.001) & (table["announced"] > 0), "year"]
    share = f" ({paid / announced:.0%})" if announced > 0 else ""
    years = sentence_list([str(year) for year in over])
    promise = (
        _("Awards promise more than is announced in {years}, counting on stops at gates.").format(years=years)
        if len(over)
        else _("No year's awards promise more than is announced.")
    )
    told = (
        _(
            "Of {announced} {unit} announced, {paid} is paid on average, net of refunds and with {network} for opening "
            "and running partners, and {lapsed} lapses."
        )
        if network > 0
        else _("Of {announced} {unit} announced, {paid} is paid on average, net of refunds, and {lapsed} lapses.")
    )
    amounts = {"announced": amount(announced), "paid": f"{amount(paid)}{share}", "network": amount(network)}
    return f"{told.format(unit=unit, lapsed=amount(lapsed), **amounts)} {promise}"


def sales_words(report: PlanReport) -> str:
    """The number on the market at the horizon and in time."""
    found, timely = estimate(report, "commercialised"), mean(report, "commercialised_by_deadline")
    if found is None:
        return ""
    return _(
        "{mean} on average by {year} ({confidence} interval {interval}), {timely} of them by their programme's "
        "deadline."
    ).format(
        mean=amount(found["mean"]),
        year=report.horizon_year,
        confidence=f"{report.confidence:.0%}",
        interval=interval(found),
        timely=amount(timely),
    )


def even_odds(report: PlanReport) -> str:
    """The largest numbers reached with at least 90%, 50% and 10% probability, and how likely each is."""
    counts = report.replications["commercialised"]
    numbers = dict.fromkeys(number for chance in (0.9, 0.5, 0.1) if (number := _number_at(counts, chance)))
    told = _("at least {number} with a probability of {chance}")
    parts = [told.format(number=number, chance=percent((counts >= number).mean())) for number in numbers]
    found = capital(f"{sentence_list(parts)}.") if parts else _("Not even one with a probability of 10%.")
    return f"{found}{rests_on(report)}"


def _number_at(counts: pd.Series[int], chance: float) -> int:
    """The largest number that at least a share `chance` of replications reach."""
    ordered = counts.sort_values(ascending=False).to_numpy()
    return int(ordered[max(math.ceil(chance * len(ordered) - 1e-9), 1) - 1])


def delivery_words(report: PlanReport, table: pd.DataFrame) -> str:
    """How likely each deliverable is to be handed in by the horizon, likeliest first."""
    last = table[table["year"] == report.horizon_year].sort_values("share", ascending=False, kind="stable")
    parts = [
        _("{name} {share} ({low} to {high})").format(
            name=name, share=percent(share), low=percent(low), high=percent(high)
        )
        for name, share, low, high in last[["deliverable", "share", "low", "high"]].itertuples(index=False)
    ]
    return _("By {year}, with {confidence} intervals over {replications}: {parts}.").format(
        year=report.horizon_year,
        confidence=f"{report.confidence:.0%}",
        replications=count(int(table["n"].iloc[0]), "replication"),
        parts=sentence_list(parts),
    )


def path(aims: pd.DataFrame) -> str:
    """In which years the target is likely reached."""
    if aims.empty:
        return _("The scenario sets no target.")
    reached, missed = (sentence_list(years) for years in target_years(aims))
    if not missed:
        return _("Probably reached in {years}.").format(years=reached)
    if not reached:
        return _("Probably missed in {years}.").format(years=missed)
    return _("Probably reached in {reached}; probably missed in {missed}.").format(reached=reached, missed=missed)


def target_years(aims: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Years with a target in which it is likely reached, and those in which it is likely missed."""
    likely = aims["reached"] >= 0.5
    reached, missed = ([str(int(year)) for year in aims.loc[rows, "year"]] for rows in (likely, ~likely))
    return reached, missed


def spread(report: PlanReport, table: pd.DataFrame) -> str:
    """How far luck moves the optimised portfolio, and the probability of a loss."""
    row = table[table["policy"] == plan_title()]
    if row.empty:
        return ""
    best = row.iloc[0]
    told = (
        _("In nine of ten replications the plan is worth {span} {unit}; in {losses} it is worth less than nothing.")
        if best["loss"] > 0
        else _("In nine of ten replications the plan is worth {span} {unit}; in none it is worth less than nothing.")
    )
    worth = told.format(span=span(best["p5"], best["p95"]), unit=report.money_unit, losses=f"{best['loss']:.1%}")
    return f"{worth}{rests_on(report)}"


def gains(table: pd.DataFrame, unit: str) -> str:
    """Which simple rules it surely beats, which not, and which of them keep the scenario's rules."""
    same = (table[["mean", "low", "high"]] == 0).all(axis=1)
    surely, behind, equal = table[table["low"] > 0], table[table["high"] < 0], table[same]
    unsure = table[~(table["low"] > 0) & ~(table["high"] < 0) & ~same]
    parts = [_("worth more than {rules}").format(rules=_rules(surely, unit))] if len(surely) else []
    parts += [_("not clearly worth more than {rules}").format(rules=_rules(unsure, unit))] if len(unsure) else []
    lost = behind.assign(mean=-behind["mean"])
    parts += [_("worth less than {rules}").format(rules=_rules(lost, unit))] if len(behind) else []
    same_as = _("worth the same as {rules} in every replication")
    parts += [same_as.format(rules=sentence_list(equal["policy"].tolist()))] if len(equal) else []
    text = join_texts(parts, "; ")
    barred = table["broken"].astype(str).str.startswith(_(NOT_ALLOWED)).astype(bool)
    broken, outside = (table.loc[rows, "policy"].tolist() for rows in (~table["feasible"] & ~barred, barred))
    notes = [_("Not allowed as they stand, for breaking a rule of the scenario: {rules}.")] if broken else []
    notes = [one.format(rules=sentence_list(broken)) for one in notes]
    notes += [_("Not allowed by the call: {rules}.").format(rules=sentence_list(outside))] if outside else []
    return capital(" ".join((f"{text}.", *notes)))


def _rules(table: pd.DataFrame, unit: str) -> str:
    told = _("{name} (by {amount} {unit})")
    pairs = zip(table["policy"], table["mean"], strict=True)
    return sentence_list([told.format(name=name, amount=amount(gain), unit=unit) for name, gain in pairs])


def longest_wait(table: pd.DataFrame) -> str:
    """What is waited for longest."""
    top = table.sort_values("mean", ascending=False).iloc[0]
    return _(
        "Longest for {cause}, in {programme}: {mean} days per project; {share} of its projects wait for it, those "
        "{days} days on average."
    ).format(
        cause=top["cause"],
        programme=top["programme"],
        mean=amount(float(top["mean"])),
        share=percent(top["share"]),
        days=amount(float(top["days"])),
    )


def formation_words(table: pd.DataFrame) -> str:
    """How many begin to look for an agreement, reach one, and where most are lost on the way."""
    stages, means = table["stage"].tolist()[:-2], table["mean"].to_numpy(np.float64)[:-2]
    lost = means[:-1] - means[1:]
    return _(
        "{begun} projects begin to look for an agreement and {agreed} reach one; most are lost at {stage}, {lost} of "
        "them."
    ).format(
        begun=amount(float(means[0])),
        agreed=amount(float(means[-1])),
        stage=stages[int(lost.argmax()) + 1],
        lost=amount(float(lost.max())),
    )


def ending(table: pd.DataFrame) -> str:
    """Share that reaches the target, by programme."""
    hits = table[table["order"] == 0]
    told, pairs = _("{share} in {name}"), zip(hits["share"], hits["programme"], strict=True)
    parts = [told.format(share=percent(share), name=name) for share, name in pairs]
    if not parts:
        return _("No project reaches its target TRL.")
    return _("Target TRL reached: {parts}.").format(parts=sentence_list(parts))
