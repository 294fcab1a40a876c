"""Sentences: what the tables say, for a reader who will not read them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rdsim.numerals import NO_NUMBER, numeral
from rdsim.report import aggregates
from rdsim.stats import quantile

if TYPE_CHECKING:
    from rdsim.report.page import PlanReport

__all__ = [
    "Doubt",
    "Tile",
    "amount",
    "best_bets",
    "count",
    "doubts",
    "durations",
    "ending",
    "even_odds",
    "first_starts",
    "gains",
    "headline",
    "largest",
    "listed",
    "longest_wait",
    "partners",
    "path",
    "promised",
    "searched",
    "sold",
    "span",
    "spread",
    "tiles",
    "turned_down",
    "use_of_money",
]


_ONE_SHOT = "one_shot"
_WORTH_TELLING = 1.005
"""Payment ratios below this round to 1."""


@dataclass(frozen=True)
class Tile:
    """A main figure: what it is, the figure, and how sure it is or what it is out of."""

    label: str
    figure: str
    detail: str


@dataclass(frozen=True)
class Doubt:
    """A source of doubt about the net value, its size in money and relative to the mean, and what it means."""

    source: str
    money: str
    percent: str
    meaning: str


# --- numbers and lists ----------------------------------------------------------------------------


def amount(value: float | None) -> str:
    """A number with as many decimals as its size deserves; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NO_NUMBER
    size = abs(value)
    text = f"{value:,.{0 if size >= 200 else 1 if size >= 10 else 2}f}"
    text = text.lstrip("-") if float(text.replace(",", "")) == 0 else text
    return text.replace("-", "\N{MINUS SIGN}")


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def span(low: float, high: float) -> str:
    """Two ends with as many decimals as the larger one deserves."""
    size = max(abs(low), abs(high))
    decimals = 0 if size >= 200 else 1 if size >= 10 else 2
    ends = [numeral(round(end, decimals) + 0.0, f",.{decimals}f").replace("-", "\N{MINUS SIGN}") for end in (low, high)]
    return " to ".join(ends)


def _percent(value: float | None, decimals: int = 0) -> str:
    return numeral(value, f".{decimals}%").replace("-", "\N{MINUS SIGN}")


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is 1."""
    plural = f"{noun[:-1]}ies" if noun.endswith(("gy", "ry")) else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def _interval(found: Mapping[str, Any]) -> str:
    """`1,350 to 1,508`, or that it is unknown."""
    if found["ci_low"] is None or found["ci_high"] is None:
        return "unknown from one replication"
    return span(found["ci_low"], found["ci_high"])


def _estimate(report: PlanReport, name: str) -> Mapping[str, Any] | None:
    """An estimate of the manifest, or None; the interval of a count or a payment does not reach below nothing."""
    found: Mapping[str, Any] = report.manifest.get("estimates", {}).get(name) or {}
    if found.get("mean") is None:
        return None
    low = found["ci_low"]
    return found if name == "npv" or low is None else {**found, "ci_low": max(low, 0.0)}


def _mean(report: PlanReport, name: str) -> float:
    found = _estimate(report, name)
    return float(found["mean"]) if found else float("nan")


# --- answers below the figures' questions ---------------------------------------------------------


def largest(table: pd.DataFrame, key: str, unit: str) -> str:
    """Which row gets most of the money."""
    sums = table.groupby(key)[["home", "count"]].sum().sort_values("home", ascending=False)
    total = float(sums["home"].sum())
    if total <= 0:
        return "No money is expected to be paid."
    top = sums.iloc[0]
    return (
        f"Most goes to {sums.index[0]}: {amount(top['home'])} of {amount(total)} {unit} "
        f"({_percent(top['home'] / total)}), for {count(int(top['count']), 'technology')}."
    )


def partners(report: PlanReport, table: pd.DataFrame) -> str:
    """How much of the portfolio is joint, and with whom most."""
    joint = table[table["partner_name"] != "No partner"]
    if joint.empty:
        return "No project has a partner abroad."
    sums = joint.groupby("partner_name")["home"].sum().sort_values(ascending=False)
    share = joint["home"].sum() / max(table["home"].sum(), 1e-12)
    modes = joint["mode"].unique()
    how = f", all by {str(modes[0]).lower()}" if len(modes) == 1 else ""
    return (
        f"{int(joint['count'].sum())} of {int(table['count'].sum())} projects are joint, with "
        f"{count(len(sums), 'partner')}{how}; they get {_percent(share)} of the money. Most goes to projects with "
        f"{sums.index[0]}: {amount(float(sums.iloc[0]))} {report.money_unit}.{_upkeep(report)}"
    )


def _upkeep(report: PlanReport) -> str:
    """What the partners cost beside their projects."""
    cost = _per_replication(report, report.budget["spent_network"])
    return f" Opening and running the partners costs another {amount(cost)}." if cost > 0 else ""


def _per_replication(report: PlanReport, column: pd.Series[float]) -> float:
    """A column of the purses, summed over lines and years: its mean over replications."""
    return float(column.sum()) / max(len(report.replications), 1)


def first_starts(table: pd.DataFrame) -> str:
    """How many start in which year."""
    counts = table.groupby("year")["count"].sum()
    parts = [f"{count} in {year}" for year, count in counts.items()]
    return f"{listed(parts)}."


def best_bets(report: PlanReport, table: pd.DataFrame) -> str:
    """The three technologies with the highest expected value and their share of all."""
    best = table.sort_values("expected_value", ascending=False).head(3)
    total = float(table["expected_value"].sum())
    share = f" ({best['expected_value'].sum() / total:.0%} of all)" if total > 0 else ""
    pairs = zip(best["name"], best["expected_value"], strict=True)
    names = listed([f"{name} ({amount(float(value))})" for name, value in pairs])
    return f"Highest expected net value in {report.money_unit}: {names}{share}."


def durations(table: pd.DataFrame) -> str:
    """How long R&D takes and how often it reaches its target."""
    years = float((table["p50"] - table["begin"]).median())
    low, high = table["p_target"].min(), table["p_target"].max()
    chance = f"{_percent(low)}" if f"{_percent(low)}" == f"{_percent(high)}" else f"{_percent(low)} to {_percent(high)}"
    if math.isnan(years):
        return f"{count(len(table), 'project')}, none of which ever starts."
    return (
        f"{count(len(table), 'project')}; half of them last longer than {numeral(years, '.1f')} years from start to "
        f"end of R&D; target TRL reached in {chance} of replications."
    )


def turned_down(table: pd.DataFrame, unit: str) -> str:
    """How much of the requests is funded, and where most is turned down."""
    sums = table.groupby("decision")["requested"].sum()
    total, funded = float(sums.sum()), float(sums.get("funded", 0.0))
    text = f"{amount(funded)} of {amount(total)} {unit} requested is funded."
    lost = table[table["decision"] == "not funded"].sort_values("share", ascending=False)
    return (
        f"{text} Largest share turned down: {lost.iloc[0]['field']} ({_percent(lost.iloc[0]['share'])})."
        if len(lost)
        else text
    )


def use_of_money(table: pd.DataFrame, unit: str) -> str:
    """How much of the announced money is paid and lapses, and in which years more is promised than announced."""
    names = ("announced", "mean", "network", "lapsed")
    announced, paid, network, lapsed = (float(table[column].sum()) for column in names)
    over = table.loc[(table["promised"] > table["announced"] * 1.001) & (table["announced"] > 0), "year"]
    share = f" ({paid / announced:.0%})" if announced > 0 else ""
    promise = (
        f"Awards promise more than is announced in {listed([str(year) for year in over])}, counting on stops at gates."
        if len(over)
        else "No year's awards promise more than is announced."
    )
    return (
        f"Of {amount(announced)} {unit} announced, {amount(paid)}{share} is paid on average, net of refunds"
        f"{_for_partners(network)}, and {amount(lapsed)} lapses. {promise}"
    )


def _for_partners(network: float) -> str:
    return f" and with {amount(network)} for opening and running partners" if network > 0 else ""


def sold(report: PlanReport) -> str:
    """The number on the market at the horizon and in time."""
    found, timely = _estimate(report, "commercialised"), _mean(report, "commercialised_by_deadline")
    if found is None:
        return ""
    return (
        f"{amount(found['mean'])} on average by {report.horizon_year} ({report.confidence:.0%} interval "
        f"{_interval(found)}), {amount(timely)} of them by their programme's deadline."
    )


def even_odds(report: PlanReport) -> str:
    """The largest numbers reached with at least 90%, 50% and 10% probability, and how likely each is."""
    counts = report.replications["commercialised"]
    numbers = dict.fromkeys(number for chance in (0.9, 0.5, 0.1) if (number := _reached(counts, chance)))
    parts = [f"at least {number} with a probability of {_percent((counts >= number).mean())}" for number in numbers]
    return _capital(f"{listed(parts)}.") if parts else "Not even one with a probability of 10%."


def _reached(counts: pd.Series[int], chance: float) -> int:
    """The largest number that at least a share `chance` of replications reach."""
    ordered = counts.sort_values(ascending=False).to_numpy()
    return int(ordered[max(math.ceil(chance * len(ordered) - 1e-9), 1) - 1])


def delivered(report: PlanReport, table: pd.DataFrame) -> str:
    """How likely each deliverable is to be handed in by the horizon, likeliest first."""
    last = table[table["year"] == report.horizon_year].sort_values("share", ascending=False, kind="stable")
    parts = [
        f"{name} {_percent(share)} ({_percent(low)} to {_percent(high)})"
        for name, share, low, high in last[["deliverable", "share", "low", "high"]].itertuples(index=False)
    ]
    sure = f"{report.confidence:.0%} intervals over {int(table['n'].iloc[0]):,} replications"
    return f"By {report.horizon_year}, with {sure}: {listed(parts)}."


def path(aims: pd.DataFrame) -> str:
    """In which years the target is likely reached."""
    if aims.empty:
        return "The scenario sets no target."
    likely = [str(int(year)) for year in aims.loc[aims["reached"] >= 0.5, "year"]]
    missed = [str(int(year)) for year in aims.loc[aims["reached"] < 0.5, "year"]]
    parts = [
        f"probably reached in {listed(likely)}" if likely else "",
        f"probably missed in {listed(missed)}" if missed else "",
    ]
    text = "; ".join(filter(None, parts))
    return _capital(f"{text}.")


def spread(report: PlanReport, table: pd.DataFrame) -> str:
    """How far luck moves the optimised portfolio, and the probability of a loss."""
    row = table[table["policy"] == "optimised"]
    if row.empty:
        return ""
    best = row.iloc[0]
    losses = f"{best['loss']:.1%}" if best["loss"] > 0 else "none"
    return (
        f"In nine of ten replications the optimised portfolio is worth {span(best['p5'], best['p95'])} "
        f"{report.money_unit}; in {losses} it is worth less than nothing."
    )


def gains(table: pd.DataFrame, unit: str) -> str:
    """Which simple rules it surely beats, which not, and which of them keep the scenario's rules."""
    same = (table[["mean", "low", "high"]] == 0).all(axis=1)
    surely, equal, unsure = table[table["low"] > 0], table[same], table[~(table["low"] > 0) & ~same]
    parts = [f"worth more than {_rules(surely, unit)}" if len(surely) else ""]
    parts += [f"not clearly worth more than {_rules(unsure, unit)}" if len(unsure) else ""]
    parts += [f"worth the same as {listed(equal['policy'].tolist())} in every replication" if len(equal) else ""]
    text = "; ".join(filter(None, parts))
    broken = table.loc[~table["feasible"], "policy"].tolist()
    note = f" Not allowed as they stand, for breaking a rule of the scenario: {listed(broken)}." if broken else ""
    return _capital(f"{text}.{note}")


def _rules(table: pd.DataFrame, unit: str) -> str:
    return listed(
        [f"{name} (by {amount(gain)} {unit})" for name, gain in zip(table["policy"], table["mean"], strict=True)]
    )


def longest_wait(table: pd.DataFrame) -> str:
    """What is waited for longest."""
    top = table.sort_values("mean", ascending=False).iloc[0]
    return (
        f"Longest for {top['cause']}, in {top['programme']}: {amount(float(top['mean']))} days per project; "
        f"{_percent(top['share'])} of its projects wait for it, those {amount(float(top['days']))} days on average."
    )


def formed(table: pd.DataFrame) -> str:
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
    parts = [f"{_percent(share)} in {name}" for share, name in zip(hits["share"], hits["programme"], strict=True)]
    return f"Target TRL reached: {listed(parts)}." if parts else "No project reaches its target TRL."


# --- the head of the page -------------------------------------------------------------------------


def headline(report: PlanReport) -> list[str]:
    """The main findings, a sentence each."""
    return list(_headline(report))


def _headline(report: PlanReport) -> Iterator[str]:
    yield _chosen(report)
    npv = _estimate(report, "npv")
    if npv is not None:
        yield (
            f"Its net present value is expected to be {amount(npv['mean'])} {report.money_unit} "
            f"({report.confidence:.0%} interval {_interval(npv)}; {npv['n']:,} replications)."
        )
    if _estimate(report, "commercialised") is not None:
        yield (
            f"On average {amount(_mean(report, 'target'))} projects reach their target TRL and "
            f"{amount(_mean(report, 'commercialised'))} the market by {report.horizon_year}, "
            f"{amount(_mean(report, 'commercialised_by_deadline'))} of them by their deadline."
        )
    if _estimate(report, "paid") is not None:
        yield _used(report)
    yield from _compared(report)
    aims = aggregates.international(report).dropna(subset=["floor"])
    if len(aims):
        yield f"The target for the international share of the R&D budget is {path(aims).lower()}"
    yield from _market_shares(report)


def _market_shares(report: PlanReport) -> Iterator[str]:
    """What is expected of each year's share of the world market that is aimed at, and how likely it is."""
    for aim in report.manifest.get("market_targets", ()):
        found = _estimate(report, f"market_share_{aim['year']}")
        if found is not None:
            shares = report.replications[f"market_share_{aim['year']}"]
            low, high = (_percent(float(shares.quantile(level)), 1) for level in (0.05, 0.95))
            yield (
                f"The share of the world market in {aim['year']} is expected to be {_percent(found['mean'], 1)} (in "
                f"nine of ten replications {low} to {high}); {_percent(aim['target'], 1)} is reached with a "
                f"probability of {_percent(aim['mean'], 1)} ({report.confidence:.0%} interval "
                f"{_percent(aim['ci_low'], 1)} to {_percent(aim['ci_high'], 1)})."
            )


def searched(report: PlanReport) -> list[str]:
    """What the loop of optimiser and simulator found and gained, a sentence each; none without a loop."""
    search: Mapping[str, Any] = report.manifest.get("search") or {}
    return list(_searched(report, search)) if search else []


def _searched(report: PlanReport, search: Mapping[str, Any]) -> Iterator[str]:
    tried, played = int(search["portfolios"]), int(search["replications"])
    yield f"The optimiser proposed and the simulator judged {count(tried, 'portfolio')} in {played:,} replications."
    if search["stopped"]:
        yield "The search was stopped before its end: this is the best so far."
    yield from _selected(report, search)
    yield from _told_gains(report)


def _told_gains(report: PlanReport) -> Iterator[str]:
    """What the plan gains over each other portfolio; those of the plan's freedom before those of less."""
    rules: Mapping[str, Mapping[str, Any]] = report.manifest.get("baselines", {})
    simple = [rule for name, rule in rules.items() if name != _ONE_SHOT]
    equal, less = ([rule for rule in simple if rule["equal_freedom"] is same] for same in (True, False))
    gains = []
    if _ONE_SHOT in rules:
        gains.append(f"{_interval_of_gain(rules[_ONE_SHOT])} more than the optimiser's choice without simulation")
    gains += [f"{_more_than(equal)}{' with the same payment ratios' if less else ''}"] if equal else []
    gains += [f"{_more_than(less)} within the announced money"] if less else []
    if gains:
        yield (
            f"In replications that chose nothing it is worth, in {report.money_unit}, {'; '.join(gains)} "
            "(intervals hold together)."
        )


def _more_than(rules: Sequence[Mapping[str, Any]]) -> str:
    return listed([f"{_interval_of_gain(rule)} more than {rule['rule']}" for rule in rules])


def promised(report: PlanReport) -> list[str]:
    """What the plan promises of the announced money: expected payments, then full awards."""
    found: Mapping[str, Any] = report.manifest.get("promises", {})
    sentences = [str(one) for one in found.get("sentences", ())]
    if any(ratio is not None and ratio >= _WORTH_TELLING for ratio in found.get("busiest", {}).values()):
        sentences.insert(
            1,
            "Promising more than there is pays where projects stop, fail or come late, and who must wait is paid the "
            "year after.",
        )
    return sentences


def _selected(report: PlanReport, search: Mapping[str, Any]) -> Iterator[str]:
    chosen: Mapping[str, Any] = search["selection"]
    if not search["changed"]:
        yield "None was better than the one that the optimiser chose without simulation, which is the plan."
    if not chosen:
        return
    zone = f"{amount(chosen['indifference'])} {report.money_unit}"
    if chosen["sure"]:
        yield (
            f"Of the best {len(chosen['finalists'])} the plan's was selected on replications of their own; if one of "
            f"them is ahead of all others by {zone} or more, it is this one with a probability of at least "
            f"{_percent(chosen['probability'])}."
        )
    else:
        yield f"The best {len(chosen['finalists'])} could not be told apart to {zone}; the one that led was taken."


def _interval_of_gain(rule: Mapping[str, Any]) -> str:
    found = rule["difference"]
    return f"{amount(found['mean'])} ({_interval(found)})"


def _chosen(report: PlanReport) -> str:
    table = report.technologies
    funded = table[table["funded"].astype(bool)]
    joint = funded[funded["partner"] != ""]
    countries = (
        f", {len(joint)} of them with {count(joint['partner'].nunique(), 'partner')} abroad" if len(joint) else ""
    )
    return f"The plan funds {len(funded):,} of {count(len(table), 'technology')}{countries}."


def _used(report: PlanReport) -> str:
    announced = float(report.plan["announced"].sum())
    net, network = (
        _per_replication(report, column) for column in (aggregates.paid(report.budget), report.budget["spent_network"])
    )
    return (
        f"Of {amount(announced)} {report.money_unit} announced, {amount(net)} is paid on average, net of refunds"
        f"{_for_partners(network)}; {amount(_per_replication(report, report.budget['lapsed']))} lapses unused."
    )


def _compared(report: PlanReport) -> Iterator[str]:
    """The lead over the best simple rule of the plan's freedom; beside it that over the best within less money."""
    rules = {name: rule for name, rule in report.manifest.get("baselines", {}).items() if name != _ONE_SHOT}
    equal = {name: rule for name, rule in rules.items() if rule["equal_freedom"]}
    less = {name: rule for name, rule in rules.items() if not rule["equal_freedom"]}
    if equal:
        freedom = " with the plan's payment ratios" if less else ""
        yield _best_rule(equal, f"The best of the simple rules{freedom}")
    if less:
        yield _best_rule(
            less, "Of those made within the announced money, which may promise less than the plan, the best"
        )


def _best_rule(rules: Mapping[str, Mapping[str, Any]], words: str) -> str:
    best = max(rules.values(), key=lambda rule: rule["npv"]["mean"] or -math.inf)
    broken = "" if best["feasible"] else " That rule's portfolio breaks a rule of the scenario and could not be chosen."
    return f"{words}, {best['rule']}, is worth {amount(best['npv']['mean'])}: {_gain(best)}.{broken}"


def _gain(rule: Mapping[str, Any]) -> str:
    """How much more than a rule's portfolio the plan is worth, and whether that is sure."""
    found = rule["difference"]
    if found["mean"] == found["ci_low"] == found["ci_high"] == 0:
        return "the plan is worth the same in every replication"
    way = "more" if found["mean"] >= 0 else "less"
    return (
        f"the plan is worth {amount(abs(found['mean']))} {way} "
        f"(interval of the gain {_interval(found)}{_verdict(found)})"
    )


def _verdict(gain: Mapping[str, Any]) -> str:
    """Nothing if the interval settles the sign; else that it does not."""
    low, high = gain["ci_low"], gain["ci_high"]
    return "" if low is not None and (low > 0 or high < 0) else "; these replications cannot tell which is better"


def tiles(report: PlanReport) -> list[Tile]:
    """The main figures at a glance."""
    table = report.technologies
    funded = table[table["funded"].astype(bool)]
    requested = amount(float(funded["cost"].sum()))
    asked = f"of {len(table):,}; they ask for {requested} {report.money_unit}"
    found = [Tile("technologies funded", f"{len(funded):,}", asked)]
    names = {
        "npv": f"net present value, {report.money_unit}",
        "target": "reach their target TRL",
        "commercialised": f"on the market by {report.horizon_year}",
        "commercialised_by_deadline": "on the market by their deadline",
    }
    for key, label in names.items():
        figure = _estimate(report, key)
        if figure is not None:
            found.append(Tile(label, amount(figure["mean"]), f"{report.confidence:.0%} interval {_interval(figure)}"))
    return found


# --- how sure we are ------------------------------------------------------------------------------


def doubts(report: PlanReport) -> list[Doubt]:
    """What stands between the figures and the truth, in money where it can be said."""
    return [*_solver_gap(report), *_sampling(report), *_luck(report), *_other_view(report), _inputs(report)]


def _solver_gap(report: PlanReport) -> Iterator[Doubt]:
    solver = report.manifest.get("solver", {})
    objective, bound = solver.get("objective"), solver.get("bound")
    if objective is None or bound is None:
        yield Doubt("Solver's gap", "unknown", NO_NUMBER, "The solver proved nothing about better portfolios.")
        return
    more, sum_of = max(bound - objective, 0.0), "aim" if solver.get("risk") else "value"
    meaning = (
        f"Of the optimiser's model, which adds up options that each live alone: the {sum_of} of this portfolio's "
        f"options is {amount(objective)} {report.money_unit}, and under the same rows no portfolio's can be more than "
        f"{amount(bound)}. Looking longer can add no more than this to that sum. It does not bound the net value of "
        "a whole portfolio that is simulated, which is another figure."
    )
    yield Doubt("Solver's gap", amount(more), _percent(solver.get("gap"), 2), meaning)


def _sampling(report: PlanReport) -> Iterator[Doubt]:
    npv = _estimate(report, "npv")
    if npv is None or npv["ci_low"] is None:
        return
    half = (npv["ci_high"] - npv["ci_low"]) / 2
    meaning = (
        f"With {npv['n']:,} replications the mean is known to this much, {report.confidence:.0%} of the time. Four "
        "times as many replications halve it. It is no bound on a single future."
    )
    yield Doubt("Sampling", f"± {amount(half)}", _relative(half, npv["mean"]), meaning)


def _relative(value: float, mean: float) -> str:
    return _percent(value / abs(mean), 1) if mean else NO_NUMBER


def _luck(report: PlanReport) -> Iterator[Doubt]:
    npv = report.replications["npv"].to_numpy(np.float64)
    low, high = (quantile(npv, level) for level in (0.1, 0.9))
    mean = float(npv.mean())
    share = f"{_relative(low - mean, mean)} to {_relative(high - mean, mean)}"
    meaning = (
        "Eight of ten futures of the model lie in between. No larger sample makes this smaller: it is risk, not error."
    )
    yield Doubt("Luck (P10 to P90)", span(low, high), share, meaning)


def _other_view(report: PlanReport) -> Iterator[Doubt]:
    """The optimiser's value less the simulated one, in two parts where fresh samples tell them apart."""
    expected, npv = _expected(report), _estimate(report, "npv")
    if expected is None or npv is None:
        return
    fresh = report.manifest.get("fresh") or None
    if fresh is None:
        yield _difference("Optimiser's view less simulation", expected - npv["mean"], npv, npv["mean"], _BOTH)
        return
    yield _difference("Optimism", expected - fresh["mean"], fresh, fresh["mean"], _OPTIMISM)
    both = math.hypot(_half(fresh), _half(npv))
    wide = {"ci_low": -both, "ci_high": both}
    yield _difference("Alone less together", fresh["mean"] - npv["mean"], wide, npv["mean"], _TOGETHER)


_OPTIMISM = (
    "What the samples that chose the portfolio promised of its options, less what the same options come to on fresh "
    "samples: choosing on samples flatters what is chosen. More samples behind each option make it smaller."
)
_TOGETHER = (
    "What the options come to when each is simulated alone, less the simulated value of the portfolio. Together "
    "projects wait for money, places and panels, and crowd one another out, which takes value; but payments that are "
    "never made, for partners or for projects that found no money, and spillovers may add more (then it is below "
    "nothing). This report's figures are the simulated ones."
)
_BOTH = (
    "The optimiser's expected value less the simulated one: what projects do to one another when they are simulated "
    "together, and that choosing on samples flatters what is chosen. This report's figures are the simulated ones."
)


def _expected(report: PlanReport) -> float | None:
    """Expected value in the optimiser's own samples."""
    solver = report.manifest.get("solver", {})
    expected = solver.get("expected", solver.get("objective"))
    return None if expected is None else float(expected)


def _half(estimate: Mapping[str, Any]) -> float:
    if estimate.get("ci_low") is None:
        return math.nan
    return float(estimate["ci_high"] - estimate["ci_low"]) / 2


def _difference(source: str, gap: float, known: Mapping[str, Any], mean: float, meaning: str) -> Doubt:
    half = _half(known)
    if math.isnan(half):
        return Doubt(source, amount(gap), _relative(gap, mean), meaning)
    return Doubt(source, f"{amount(gap)} ± {amount(half)}", _relative(gap, mean), f"{meaning}{_chance(gap, half)}")


def _chance(gap: float, half: float) -> str:
    known = "The ± is the sampling error"
    return f" {known}; chance could explain the whole difference." if abs(gap) <= half else f" {known}."


def _inputs(report: PlanReport) -> Doubt:
    sources = report.sources
    weak = sources[sources["grade"] == "assumed"]
    what = listed([f"{row.item} of {row.table}" for row in weak.itertuples()])
    rest = f" Assumed: {what}." if what else ""
    meaning = (
        "Whether the scenario's rates, costs and values are right, what other countries and firms do, and what the "
        f"model leaves out. No interval here covers that.{rest}"
    )
    return Doubt("Not covered", "not known", NO_NUMBER, meaning)
