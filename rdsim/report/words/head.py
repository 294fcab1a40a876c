"""The head of a plan's page: its main findings in sentences and figures, what it promises, and how it was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rdsim.brief import count
from rdsim.figures import SHOWN, label_with_unit
from rdsim.languages import gettext as _
from rdsim.languages import join_texts, retold
from rdsim.report.data import aggregates
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import (
    amount,
    estimate,
    interval,
    known_figures,
    mean,
    per_replication,
    percent,
    rests_on,
    sentence_list,
    span,
    with_unit,
)
from rdsim.report.words.answers import target_years
from rdsim.report.words.leads import most_above
from rdsim.titles import ONE_SHOT, portfolio_title, rule_title

__all__ = [
    "Tile",
    "assumption_words",
    "choice_words",
    "comparison_words",
    "firmness_words",
    "headline",
    "promise_words",
    "search_words",
    "sure_words",
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
        yield _("It was chosen for the scenario's aim: {aim}.").format(aim=retold(aim))
    npv = estimate(report, "npv")
    if npv is not None:
        told = _(
            "Its net present value is expected to be {mean} {unit} ({confidence} interval {interval}; {replications})."
        )
        yield told.format(
            mean=amount(npv["mean"]),
            unit=report.money_unit,
            confidence=f"{report.confidence:.0%}",
            interval=interval(npv),
            replications=f"{count(npv['n'], 'replication')}{wider(report, told_whole=True)}",
        )
    if estimate(report, "commercialised") is not None:
        told = _(
            "On average {target} projects reach their target TRL and {market} the market by {year}, {timely} of them "
            "by their deadline."
        )
        yield told.format(
            target=amount(mean(report, "target")),
            market=amount(mean(report, "commercialised")),
            year=report.horizon_year,
            timely=amount(mean(report, "commercialised_by_deadline")),
        )
    if estimate(report, "paid") is not None:
        yield use_words(report)
    yield from comparison_words(report)
    aims = aggregates.international(report).dropna(subset=["floor"])
    if len(aims):
        yield _path_words(*target_years(aims))
    yield from _market_shares(report)


def _path_words(reached: list[str], missed: list[str]) -> str:
    """In which years the target for the international share is likely reached."""
    if not missed:
        told = _("The target for the international share of the R&D budget is probably reached in {reached}.")
    elif not reached:
        told = _("The target for the international share of the R&D budget is probably missed in {missed}.")
    else:
        told = _(
            "The target for the international share of the R&D budget is probably reached in {reached}; probably "
            "missed in {missed}."
        )
    return told.format(reached=sentence_list(reached), missed=sentence_list(missed))


def _market_shares(report: PlanReport) -> Iterator[str]:
    """What is expected of each year's share of the world market that is aimed at, and how likely it is."""
    for aim in report.manifest.get("market_targets", ()):
        found = estimate(report, f"market_share_{aim['year']}")
        if found is not None:
            shares = report.replications[f"market_share_{aim['year']}"]
            low, high = (percent(float(shares.quantile(level)), 1) for level in (0.05, 0.95))
            told = _(
                "The share of the world market in {year} is expected to be {mean} (in nine of ten replications {low} "
                "to {high}); {target} is reached with a probability of {chance} ({confidence} interval {from_} to "
                "{to})."
            ).format(
                year=aim["year"],
                mean=percent(found["mean"], 1),
                low=low,
                high=high,
                target=percent(aim["target"], 1),
                chance=percent(aim["mean"], 1),
                confidence=f"{report.confidence:.0%}",
                from_=percent(aim["low"], 1),
                to=percent(aim["high"], 1),
            )
            yield f"{told}{rests_on(report)}"


def firmness_words(report: PlanReport) -> list[str]:
    """How much of the plan is firm, a sentence each; none of a plan that was decided once."""
    return [retold(one) for one in report.manifest.get("redecisions", {}).get("sentences", ())]


def search_words(report: PlanReport) -> list[str]:
    """What the loop of optimiser and simulator found and gained, a sentence each; none without a loop."""
    search: Mapping[str, Any] = report.manifest.get("search") or {}
    return list(_search_words(report, search)) if search else []


def _search_words(report: PlanReport, search: Mapping[str, Any]) -> Iterator[str]:
    tried, played = int(search["portfolios"]), int(search["replications"])
    told = _("The optimiser proposed and the simulator judged {portfolios} in {played} replications.")
    yield told.format(portfolios=count(tried, "portfolio"), played=f"{played:,}")
    if search["stopped"]:
        yield _("The search was stopped before its end: this is the best so far.")
    yield from _selection_words(report, search)
    yield from _gain_words(report)


def _gain_words(report: PlanReport) -> Iterator[str]:
    """What the plan gains over each other portfolio; those of the plan's freedom before those of less."""
    rules: Mapping[str, Mapping[str, Any]] = report.manifest.get("baselines", {})
    simple = [rule for name, rule in rules.items() if _is_rule(name, rule)]
    equal, less = ([rule for rule in simple if rule["equal_freedom"] is same] for same in (True, False))
    gains = []
    if ONE_SHOT in rules:
        gains.append(_more(rules[ONE_SHOT], portfolio_title(ONE_SHOT)))
    freer = _("{gains} with the same payment ratios") if less else "{gains}"
    gains += [freer.format(gains=_more_than(equal))] if equal else []
    gains += [_("{gains} within the announced money").format(gains=_more_than(less))] if less else []
    if gains:
        told = _("In replications that chose nothing it is worth, in {unit}, {gains} (intervals hold together).")
        yield told.format(unit=report.money_unit, gains=join_texts(gains, "; "))


def _is_rule(name: str, found: Mapping[str, Any]) -> bool:
    """Whether a portfolio beside the plan is a simple rule's, and not the optimiser's own."""
    return name != ONE_SHOT and found.get("kind", "rule") == "rule"


def _more_than(rules: Sequence[Mapping[str, Any]]) -> str:
    return sentence_list([_more(rule, rule_title(rule["rule"])) for rule in rules])


def _more(rule: Mapping[str, Any], title: str) -> str:
    return _("{gain} more than {portfolio}").format(gain=_interval_of_gain(rule), portfolio=title)


def assumption_words(report: PlanReport) -> list[str]:
    """What is not known of the world does to the headlines, a sentence each; none if nobody looked."""
    return [retold(one) for one in report.manifest.get("assumptions", {}).get("sentences", ())]


def wider(report: PlanReport, figure: str = "npv", *, told_whole: bool = False) -> str:
    """The width of a figure where assumptions may lie anywhere within their bounds; '' of one that was not asked."""
    widths = report.manifest.get("assumptions", {}).get("widths", ())
    found = next((one["with_assumptions"] for one in widths if one["headline"] == figure), None)
    if found is None:
        return ""
    ends = span(found["low"], found["high"])
    both = _("{amount} {unit}").format(amount=ends, unit=report.money_unit) if told_whole else ends
    return "; " + _("{span} with what is assumed anywhere within its bounds").format(span=both)


def promise_words(report: PlanReport) -> list[str]:
    """What the plan promises of the announced money: expected payments, and that full awards keep within it."""
    found: Mapping[str, Any] = report.manifest.get("promises", {})
    sentences = [retold(one) for one in found.get("sentences", ())]
    sentences = sentences[:1] if found.get("above") else sentences  # a table of its own tells of the awards
    if any(ratio is not None and ratio >= _WORTH_TELLING for ratio in found.get("busiest", {}).values()):
        sentences.insert(
            1,
            _(
                "Promising more than there is pays where projects stop, fail or come late, and who must wait is paid "
                "the year after."
            ),
        )
    return sentences


def _selection_words(report: PlanReport, search: Mapping[str, Any]) -> Iterator[str]:
    chosen: Mapping[str, Any] = search["selection"]
    if not search["changed"]:
        yield _("None was better than the one that the optimiser chose without simulation, which is the plan.")
    if not chosen:
        return
    if chosen.get("shared"):
        told = _(
            "Of the best {number}, which are compared on replications of their own, the plan is the one that most "
            "re-decisions share of those shown to be within {zone} {unit} of the one that led."
        )
    elif chosen["sure"]:
        told = _(
            "Of the best {number} the plan's was selected on replications of their own; if one of them is ahead of all "
            "others by {zone} {unit} or more, it is this one with a probability of at least {probability}."
        )
    else:
        told = _("The best {number} could not be told apart to {zone} {unit}; the one that led was taken.")
    yield told.format(
        number=len(chosen["finalists"]),
        zone=amount(chosen["indifference"]),
        unit=report.money_unit,
        probability=percent(chosen["probability"]),
    )


def _interval_of_gain(rule: Mapping[str, Any]) -> str:
    found = rule["difference"]
    return f"{amount(found['mean'])} ({interval(found)})"


def choice_words(report: PlanReport) -> str:
    """How many technologies are funded, how many of them with how many partners abroad."""
    table = report.technologies
    funded = table[table["funded"].astype(bool)]
    joint = funded[funded["partner"] != ""]
    told = (
        _("The plan funds {funded} of {technologies}, {joint} of them with {partners} abroad.")
        if len(joint)
        else _("The plan funds {funded} of {technologies}.")
    )
    return told.format(
        funded=f"{len(funded):,}",
        technologies=count(len(table), "technology"),
        joint=len(joint),
        partners=count(len(aggregates.partners_among(funded)), "partner"),
    )


def use_words(report: PlanReport) -> str:
    """What of the announced money is paid on average, and what lapses."""
    announced = float(report.plan["announced"].sum())
    net, network = (
        per_replication(report, column)
        for column in (aggregates.payments_for_good(report.budget), report.budget["spent_network"])
    )
    told = (
        _(
            "Of {announced} {unit} announced, {paid} is paid on average, net of refunds and with {network} for opening "
            "and running partners; {lapsed} lapses unused."
        )
        if network > 0
        else _("Of {announced} {unit} announced, {paid} is paid on average, net of refunds; {lapsed} lapses unused.")
    )
    return told.format(
        announced=amount(announced),
        unit=report.money_unit,
        paid=amount(net),
        network=amount(network),
        lapsed=amount(per_replication(report, report.budget["lapsed"])),
    )


def comparison_words(report: PlanReport) -> Iterator[str]:
    """The lead over the best simple rule of the plan's freedom; beside it that over the best within less money."""
    rules = {name: rule for name, rule in report.manifest.get("baselines", {}).items() if _is_rule(name, rule)}
    equal = {name: rule for name, rule in rules.items() if rule["equal_freedom"]}
    less = {name: rule for name, rule in rules.items() if not rule["equal_freedom"]}
    if equal:
        yield _best_rule(
            report,
            equal,
            _("The best of the simple rules with the plan's payment ratios, {rule}, is worth {worth}: {gain}.")
            if less
            else _("The best of the simple rules, {rule}, is worth {worth}: {gain}."),
        )
    if less:
        yield _best_rule(
            report,
            less,
            _(
                "Of those made within the announced money, which may promise less than the plan, the best, {rule}, is "
                "worth {worth}: {gain}."
            ),
        )


def _best_rule(report: PlanReport, rules: Mapping[str, Mapping[str, Any]], words: str) -> str:
    best = max(rules.values(), key=lambda rule: rule["npv"]["mean"] or -math.inf)
    worth = with_unit(report, best["npv"]["mean"])
    told = words.format(rule=rule_title(best["rule"]), worth=worth, gain=_gain(report, best))
    if best["feasible"]:
        return told
    reason = (
        _("That rule's portfolio breaks a rule of the scenario and could not be chosen.")
        if best.get("allowed", True)
        else _("That rule's portfolio is not allowed by the call and could not be chosen.")
    )
    return f"{told} {reason}"


def _gain(report: PlanReport, rule: Mapping[str, Any]) -> str:
    """How much more than a rule's portfolio the plan is worth, and whether that is sure."""
    found = rule["difference"]
    if found["mean"] == found["low"] == found["high"] == 0:
        return _("the plan is worth the same in every replication")
    told = (
        _("the plan is worth {amount} more (interval of the gain {interval})")
        if found["mean"] >= 0
        else _("the plan is worth {amount} less (interval of the gain {interval})")
    )
    sure = told.format(amount=with_unit(report, abs(found["mean"])), interval=interval(found))
    return sure if _is_sure(found) else _("{gain}; these replications cannot tell which is better").format(gain=sure)


def _is_sure(gain: Mapping[str, Any]) -> bool:
    """Whether the interval settles the sign."""
    low, high = gain["low"], gain["high"]
    return low is not None and (low > 0 or high < 0)


def _award_tile(report: PlanReport) -> Iterator[Tile]:
    """What is promised above the announced money, where it is most."""
    one = most_above(report)
    if one is not None:
        told = _("{unit} in {year} of {name}, if no project ever stops: the most of any year")
        detail = told.format(unit=report.money_unit, year=one["year"], name=one["name"])
        yield Tile(_("awards promised above the announced money"), amount(float(one["above"])), detail)


def sure_words(report: PlanReport, figure: Mapping[str, Any]) -> str:
    """`95% interval 1,350 to 1,508`."""
    told = _("{confidence} interval {interval}")
    return told.format(confidence=f"{report.confidence:.0%}", interval=interval(figure))


def tiles(report: PlanReport) -> list[Tile]:
    """The main figures at a glance."""
    table = report.technologies
    funded = table[table["funded"].astype(bool)]
    asked = _("of {all}; they ask for {requested} {unit}").format(
        all=f"{len(table):,}", requested=amount(float(funded["cost"].sum())), unit=report.money_unit
    )
    found = [Tile(_("technologies funded"), f"{len(funded):,}", asked), *_award_tile(report)]
    known = known_figures(report)
    more = [name for name, one in report.manifest.get("figures", {}).items() if one["shown"]]
    for key in dict.fromkeys([*SHOWN, *more]):
        label, figure = label_with_unit(known[key], report.money_unit), estimate(report, key)
        if figure is not None:
            detail = f"{sure_words(report, figure)}{wider(report, key)}"
            found.append(Tile(label, amount(figure["mean"]), detail))
    return found
