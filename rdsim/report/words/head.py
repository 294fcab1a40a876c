"""The head of a plan's page: its main findings in sentences and figures, what it promises, and how it was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rdsim.brief import count
from rdsim.figures import SHOWN, label_with_unit
from rdsim.report.data import aggregates
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import (
    amount,
    estimate,
    for_partners,
    interval,
    known_figures,
    mean,
    per_replication,
    percent,
    rests_on,
    sentence_list,
    span,
)
from rdsim.report.words.answers import path
from rdsim.report.words.leads import most_above
from rdsim.titles import ONE_SHOT, OWN_TITLES, rule_title

__all__ = [
    "Tile",
    "assumption_words",
    "choice_words",
    "comparison_words",
    "firmness_words",
    "headline",
    "promise_words",
    "search_words",
    "tiles",
    "use_words",
    "wider",
]

_WORTH_TELLING = 1.005
"""Payment ratios below this round to 1."""


@dataclass(frozen=True)
class Tile:
    """A main figure: what it is, the figure, and how sure it is or what it is out of."""

    label: str
    figure: str
    detail: str


def headline(report: PlanReport) -> list[str]:
    """The main findings, a sentence each."""
    return list(_headline(report))


def _headline(report: PlanReport) -> Iterator[str]:
    yield choice_words(report)
    if aim := report.manifest.get("aim"):
        yield f"It was chosen for the scenario's aim: {aim}."
    npv = estimate(report, "npv")
    if npv is not None:
        yield (
            f"Its net present value is expected to be {amount(npv['mean'])} {report.money_unit} "
            f"({report.confidence:.0%} interval {interval(npv)}; {npv['n']:,} replications{wider(report)})."
        )
    if estimate(report, "commercialised") is not None:
        yield (
            f"On average {amount(mean(report, 'target'))} projects reach their target TRL and "
            f"{amount(mean(report, 'commercialised'))} the market by {report.horizon_year}, "
            f"{amount(mean(report, 'commercialised_by_deadline'))} of them by their deadline."
        )
    if estimate(report, "paid") is not None:
        yield use_words(report)
    yield from comparison_words(report)
    aims = aggregates.international(report).dropna(subset=["floor"])
    if len(aims):
        yield f"The target for the international share of the R&D budget is {path(aims).lower()}"
    yield from _market_shares(report)


def _market_shares(report: PlanReport) -> Iterator[str]:
    """What is expected of each year's share of the world market that is aimed at, and how likely it is."""
    for aim in report.manifest.get("market_targets", ()):
        found = estimate(report, f"market_share_{aim['year']}")
        if found is not None:
            shares = report.replications[f"market_share_{aim['year']}"]
            low, high = (percent(float(shares.quantile(level)), 1) for level in (0.05, 0.95))
            yield (
                f"The share of the world market in {aim['year']} is expected to be {percent(found['mean'], 1)} (in "
                f"nine of ten replications {low} to {high}); {percent(aim['target'], 1)} is reached with a "
                f"probability of {percent(aim['mean'], 1)} ({report.confidence:.0%} interval "
                f"{percent(aim['ci_low'], 1)} to {percent(aim['ci_high'], 1)}).{rests_on(report)}"
            )


def firmness_words(report: PlanReport) -> list[str]:
    """How much of the plan is firm, a sentence each; none of a plan that was decided once."""
    return [str(one) for one in report.manifest.get("redecisions", {}).get("sentences", ())]


def search_words(report: PlanReport) -> list[str]:
    """What the loop of optimiser and simulator found and gained, a sentence each; none without a loop."""
    search: Mapping[str, Any] = report.manifest.get("search") or {}
    return list(_search_words(report, search)) if search else []


def _search_words(report: PlanReport, search: Mapping[str, Any]) -> Iterator[str]:
    tried, played = int(search["portfolios"]), int(search["replications"])
    yield f"The optimiser proposed and the simulator judged {count(tried, 'portfolio')} in {played:,} replications."
    if search["stopped"]:
        yield "The search was stopped before its end: this is the best so far."
    yield from _selection_words(report, search)
    yield from _gain_words(report)


def _gain_words(report: PlanReport) -> Iterator[str]:
    """What the plan gains over each other portfolio; those of the plan's freedom before those of less."""
    rules: Mapping[str, Mapping[str, Any]] = report.manifest.get("baselines", {})
    simple = [rule for name, rule in rules.items() if _is_rule(name, rule)]
    equal, less = ([rule for rule in simple if rule["equal_freedom"] is same] for same in (True, False))
    gains = []
    if ONE_SHOT in rules:
        gains.append(f"{_interval_of_gain(rules[ONE_SHOT])} more than {OWN_TITLES[ONE_SHOT]}")
    gains += [f"{_more_than(equal)}{' with the same payment ratios' if less else ''}"] if equal else []
    gains += [f"{_more_than(less)} within the announced money"] if less else []
    if gains:
        yield (
            f"In replications that chose nothing it is worth, in {report.money_unit}, {'; '.join(gains)} "
            "(intervals hold together)."
        )


def _is_rule(name: str, found: Mapping[str, Any]) -> bool:
    """Whether a portfolio beside the plan is a simple rule's, and not the optimiser's own."""
    return name != ONE_SHOT and found.get("kind", "rule") == "rule"


def _more_than(rules: Sequence[Mapping[str, Any]]) -> str:
    return sentence_list([f"{_interval_of_gain(rule)} more than {rule_title(rule['rule'])}" for rule in rules])


def assumption_words(report: PlanReport) -> list[str]:
    """What is not known of the world does to the headlines, a sentence each; none if nobody looked."""
    return [str(one) for one in report.manifest.get("assumptions", {}).get("sentences", ())]


def wider(report: PlanReport, figure: str = "npv") -> str:
    """The width of a figure where assumptions may lie anywhere within their bounds; '' of one that was not asked."""
    widths = report.manifest.get("assumptions", {}).get("widths", ())
    found = next((one["with_assumptions"] for one in widths if one["headline"] == figure), None)
    if found is None:
        return ""
    return f"; {span(found['low'], found['high'])} with what is assumed anywhere within its bounds"


def promise_words(report: PlanReport) -> list[str]:
    """What the plan promises of the announced money: expected payments, and that full awards keep within it."""
    found: Mapping[str, Any] = report.manifest.get("promises", {})
    sentences = [str(one) for one in found.get("sentences", ())]
    sentences = sentences[:1] if found.get("above") else sentences  # a table of its own tells of the awards
    if any(ratio is not None and ratio >= _WORTH_TELLING for ratio in found.get("busiest", {}).values()):
        sentences.insert(
            1,
            "Promising more than there is pays where projects stop, fail or come late, and who must wait is paid the "
            "year after.",
        )
    return sentences


def _selection_words(report: PlanReport, search: Mapping[str, Any]) -> Iterator[str]:
    chosen: Mapping[str, Any] = search["selection"]
    if not search["changed"]:
        yield "None was better than the one that the optimiser chose without simulation, which is the plan."
    if not chosen:
        return
    zone = f"{amount(chosen['indifference'])} {report.money_unit}"
    if chosen.get("shared"):
        yield (
            f"Of the best {len(chosen['finalists'])}, which are compared on replications of their own, the plan is the "
            f"one that most re-decisions share of those shown to be within {zone} of the one that led."
        )
    elif chosen["sure"]:
        yield (
            f"Of the best {len(chosen['finalists'])} the plan's was selected on replications of their own; if one of "
            f"them is ahead of all others by {zone} or more, it is this one with a probability of at least "
            f"{percent(chosen['probability'])}."
        )
    else:
        yield f"The best {len(chosen['finalists'])} could not be told apart to {zone}; the one that led was taken."


def _interval_of_gain(rule: Mapping[str, Any]) -> str:
    found = rule["difference"]
    return f"{amount(found['mean'])} ({interval(found)})"


def choice_words(report: PlanReport) -> str:
    """How many technologies are funded, how many of them with how many partners abroad."""
    table = report.technologies
    funded = table[table["funded"].astype(bool)]
    joint = funded[funded["partner"] != ""]
    partners = len(aggregates.partners_among(funded))
    abroad = f", {len(joint)} of them with {count(partners, 'partner')} abroad" if len(joint) else ""
    return f"The plan funds {len(funded):,} of {count(len(table), 'technology')}{abroad}."


def use_words(report: PlanReport) -> str:
    """What of the announced money is paid on average, and what lapses."""
    announced = float(report.plan["announced"].sum())
    net, network = (
        per_replication(report, column)
        for column in (aggregates.payments_for_good(report.budget), report.budget["spent_network"])
    )
    return (
        f"Of {amount(announced)} {report.money_unit} announced, {amount(net)} is paid on average, net of refunds"
        f"{for_partners(network)}; {amount(per_replication(report, report.budget['lapsed']))} lapses unused."
    )


def comparison_words(report: PlanReport) -> Iterator[str]:
    """The lead over the best simple rule of the plan's freedom; beside it that over the best within less money."""
    rules = {name: rule for name, rule in report.manifest.get("baselines", {}).items() if _is_rule(name, rule)}
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
    reason = "breaks a rule of the scenario" if best.get("allowed", True) else "is not allowed by the call"
    broken = "" if best["feasible"] else f" That rule's portfolio {reason} and could not be chosen."
    return f"{words}, {rule_title(best['rule'])}, is worth {amount(best['npv']['mean'])}: {_gain(best)}.{broken}"


def _gain(rule: Mapping[str, Any]) -> str:
    """How much more than a rule's portfolio the plan is worth, and whether that is sure."""
    found = rule["difference"]
    if found["mean"] == found["ci_low"] == found["ci_high"] == 0:
        return "the plan is worth the same in every replication"
    way = "more" if found["mean"] >= 0 else "less"
    return (
        f"the plan is worth {amount(abs(found['mean']))} {way} "
        f"(interval of the gain {interval(found)}{_verdict(found)})"
    )


def _verdict(gain: Mapping[str, Any]) -> str:
    """Nothing if the interval settles the sign; else that it does not."""
    low, high = gain["ci_low"], gain["ci_high"]
    return "" if low is not None and (low > 0 or high < 0) else "; these replications cannot tell which is better"


def _award_tile(report: PlanReport) -> Iterator[Tile]:
    """What is promised above the announced money, where it is most."""
    one = most_above(report)
    if one is not None:
        detail = (
            f"{report.money_unit} in {one['year']} of {one['name']}, if no project ever stops: the most of any year"
        )
        yield Tile("awards promised above the announced money", amount(float(one["above"])), detail)


def tiles(report: PlanReport) -> list[Tile]:
    """The main figures at a glance."""
    table = report.technologies
    funded = table[table["funded"].astype(bool)]
    requested = amount(float(funded["cost"].sum()))
    asked = f"of {len(table):,}; they ask for {requested} {report.money_unit}"
    found = [Tile("technologies funded", f"{len(funded):,}", asked), *_award_tile(report)]
    known = known_figures(report)
    more = [name for name, one in report.manifest.get("figures", {}).items() if one["shown"]]
    for key in dict.fromkeys([*SHOWN, *more]):
        label, figure = label_with_unit(known[key], report.money_unit), estimate(report, key)
        if figure is not None:
            detail = f"{report.confidence:.0%} interval {interval(figure)}{wider(report, key)}"
            found.append(Tile(label, amount(figure["mean"]), detail))
    return found
