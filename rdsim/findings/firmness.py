"""How firm each decision of a plan is: the table, the record and the words of its re-decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from rdsim.brief import count
from rdsim.domain import Choice
from rdsim.languages import N_, ngettext
from rdsim.languages import gettext as _
from rdsim.plans import Plan
from rdsim.search import Decision, Redecisions, Swap, Verdict
from rdsim.search.redecisions import KINDS, what_of

__all__ = ["decision_table", "firmness_record", "firmness_words", "verdicts"]

_HALF = 0.5
"""Share of joint projects with interchangeable partners above which countries are not told apart."""


def decision_table(found: Plan) -> pd.DataFrame:
    """A row for each decision: of the plan or not, the share of re-decisions with limits, and what is said of it.

    Of what the plan might have instead, the difference of the whole plan's simulated value in `money_unit`, with its
    90% interval: the plan's less the other's.
    """
    redecisions = found.redecisions
    return pd.DataFrame() if redecisions is None else pd.DataFrame(list(_rows(found, redecisions)))


def _rows(found: Plan, redecisions: Redecisions) -> Iterator[dict[str, object]]:
    mine = _plan_keys(found)
    others = {key: swap for swap in found.swaps for key in _keys_of(swap)}
    told = {(one.kind, one.technology, one.what): one for one in redecisions.decisions}
    told |= {key: redecisions.decision(*key) for key in sorted(mine) if key not in told}
    for key, one in told.items():
        yield {
            "kind": one.kind,
            "technology": one.technology,
            "what": one.what,
            "name": _name(found, one),
            "chosen": key in mine,
            "share": one.share,
            "low": one.low,
            "high": one.high,
            "n": one.of,
            "checks_for": one.held,
            "checks": one.checked,
            "verdict": str(one.verdict),
            **_swap_columns(others.get(key)),
        }


def _name(found: Plan, one: Decision) -> str:
    scenario = found.scenario
    return scenario.technologies[one.technology].name if one.technology else scenario.partners[one.what].name


def _plan_keys(found: Plan) -> set[tuple[str, str, str]]:
    """What the plan decides, by kind, technology and what."""
    choices = found.proposal.portfolio.choices
    keys = {("technology", one.technology, "") for one in choices}
    keys |= {(kind, one.technology, what_of(one, kind)) for one in choices for kind in KINDS}
    return keys | {("country", "", code) for code in _open_countries(found)}


def _open_countries(found: Plan) -> list[str]:
    return [found.proposal.problem.partner_names[p] for p in sorted(found.proposal.evaluation.opened)]


def _keys_of(swap: Swap) -> Iterator[tuple[str, str, str]]:
    """In what an option differs from that of the plan."""
    for kind in KINDS:
        if what_of(swap.chosen, kind) != what_of(swap.other, kind):
            yield kind, swap.other.technology, what_of(swap.other, kind)


def _swap_columns(swap: Swap | None) -> dict[str, object]:
    names = ("difference", "difference_low", "difference_high", "margin")
    if swap is None:
        return {**dict.fromkeys(names, float("nan")), "comparison": ""}
    gap = swap.difference
    values = dict(zip(names, (gap.mean, gap.low, gap.high, swap.margin), strict=True))
    return {**values, "comparison": _comparison(swap)}


def _comparison(swap: Swap) -> str:
    if swap.is_same:
        return N_("interchangeable")
    return N_("told apart") if swap.is_told_apart else N_("not known")


# --- in short -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Firmness:
    """What the table comes to."""

    found: Plan
    redecisions: Redecisions

    @cached_property
    def technologies(self) -> dict[str, Decision]:
        return {one.technology: one for one in self.redecisions.decisions if one.kind == "technology"}

    @cached_property
    def mine(self) -> list[str]:
        return [one.technology for one in self.found.proposal.portfolio.choices]

    @cached_property
    def joint(self) -> list[Choice]:
        return [one for one in self.found.proposal.portfolio.choices if one.partner]

    def by_verdict(self, verdict: Verdict) -> list[str]:
        """Technologies of a verdict, those of the plan first."""
        mine = [name for name in self.technologies if self.technologies[name].verdict is verdict]
        return sorted(mine, key=lambda name: name not in self.mine)

    @cached_property
    def lists(self) -> dict[str, list[str]]:
        """Technologies by what is said of them, see `_lists`."""
        return _lists(self.by_verdict, set(self.mine))

    def countries(self, verdict: Verdict) -> list[str]:
        return [one.what for one in self.redecisions.decisions if one.kind == "country" and one.verdict is verdict]

    def partner(self, choice: Choice) -> Verdict:
        return self.redecisions.decision("partner", choice.technology, choice.partner).verdict

    @cached_property
    def firm_partners(self) -> list[str]:
        return [one.technology for one in self.joint if self.partner(one) is Verdict.SURE_IN]

    @cached_property
    def interchangeable(self) -> list[str]:
        """Joint technologies whose partner is open, and that have another one which is shown to be as good."""
        same = {
            swap.chosen.technology
            for swap in self.found.swaps
            if swap.is_same and swap.other.partner != swap.chosen.partner
        }
        return [one.technology for one in self.joint if one.technology in same - set(self.firm_partners)]


def verdicts(found: Plan) -> dict[str, tuple[str, float]]:
    """By technology, what is said of funding it, and its share of re-decisions; none without re-decisions."""
    told = found.redecisions
    if told is None:
        return {}
    return {one.technology: (str(one.verdict), one.share) for one in told.decisions if one.kind == "technology"}


def firmness_record(found: Plan) -> dict[str, Any]:
    """What the manifest says; without re-decisions why there are none."""
    if found.redecisions is None:
        return {"sentences": list(firmness_words(found))}
    firm = _Firmness(found, found.redecisions)
    return {
        "count": len(found.redecisions),
        "checks": len(found.redecisions.checks),
        "technologies": firm.lists,
        "countries": _lists(firm.countries, set(_open_countries(found))),
        "joint": len(firm.joint),
        "firm_partners": firm.firm_partners,
        "interchangeable": firm.interchangeable,
        "partners": {one.technology: _partner_record(firm, one) for one in firm.joint},
        "swaps": [_swap_record(swap) for swap in found.swaps],
        "sentences": list(firmness_words(found)),
    }


def _lists(by_verdict: Callable[[Verdict], list[str]], mine: set[str]) -> dict[str, list[str]]:
    """What is firm, open and rejected; and disputed: re-decisions are sure, and the plan, which has `mine`, differs."""
    sure, out = by_verdict(Verdict.SURE_IN), by_verdict(Verdict.SURE_OUT)
    return {
        "firm": [one for one in sure if one in mine],
        "open": by_verdict(Verdict.OPEN),
        "rejected": [one for one in out if one not in mine],
        "disputed": [one for one in out if one in mine] + [one for one in sure if one not in mine],
    }


def _partner_record(firm: _Firmness, one: Choice) -> dict[str, Any]:
    told = firm.redecisions.decision("partner", one.technology, one.partner)
    return {"partner": one.partner, "share": told.share, "low": told.low, "n": told.of, "verdict": str(told.verdict)}


def _swap_record(swap: Swap) -> dict[str, Any]:
    gap, other = swap.difference, swap.other
    return {
        "technology": other.technology,
        "partner": other.partner,
        "mode": other.mode,
        "start_year": other.start_year,
        "redecisions": swap.count,
        "difference": {"mean": gap.mean, "low": gap.low, "high": gap.high, "n": gap.n},
        "margin": swap.margin,
        "comparison": _comparison(swap),
    }


def firmness_words(found: Plan) -> Iterator[str]:
    """How much of the plan is firm, a sentence each."""
    if found.redecisions is None:
        if found.search is not None:
            yield _why_not(found)
        return
    firm = _Firmness(found, found.redecisions)
    yield _firm_words(firm, _open_countries(found))
    if firm.joint:
        yield _partner_words(firm)
        if len(firm.interchangeable) > _HALF * len(firm.joint):
            yield _("More than half of the joint projects could as well be with another: countries are not told apart.")


def _why_not(found: Plan) -> str:
    if found.scenario.optimiser.redecisions == 0:
        return _("How firm the plan's decisions are is not told: optimiser.redecisions is 0.")
    return _(
        "How firm the plan's decisions are is not told: re-decisions are made of plans by expected worth, and this one "
        "asks about risk, or it was stopped."
    )


def _firm_words(firm: _Firmness, opened: list[str]) -> str:
    sure = sum(firm.technologies[name].verdict is Verdict.SURE_IN for name in firm.mine)
    places = set(firm.countries(Verdict.SURE_IN)) & set(opened)
    told = (
        ngettext(
            "Decided again {times} times on other samples: of the plan's {technologies} {sure} is firm, and {places} "
            "of {countries}; {open}.",
            "Decided again {times} times on other samples: of the plan's {technologies} {sure} are firm, and {places} "
            "of {countries}; {open}.",
            sure,
        )
        if opened
        else ngettext(
            "Decided again {times} times on other samples: of the plan's {technologies} {sure} is firm; {open}.",
            "Decided again {times} times on other samples: of the plan's {technologies} {sure} are firm; {open}.",
            sure,
        )
    )
    return told.format(
        times=len(firm.redecisions),
        technologies=count(len(firm.mine), "technology"),
        sure=sure,
        places=len(places),
        countries=count(len(opened), "country"),
        open=_open_words(firm),
    )


def _open_words(firm: _Firmness) -> str:
    undecided = firm.by_verdict(Verdict.OPEN)
    mine = sum(name in firm.mine for name in undecided)
    disputed = firm.lists["disputed"]
    told = (
        ngettext(
            "{number} is open, {mine} of them in the plan, and {disputed} the plan decides otherwise than nearly all "
            "re-decisions",
            "{number} are open, {mine} of them in the plan, and {disputed} the plan decides otherwise than nearly all "
            "re-decisions",
            len(undecided),
        )
        if disputed
        else ngettext(
            "{number} is open, {mine} of them in the plan",
            "{number} are open, {mine} of them in the plan",
            len(undecided),
        )
    )
    return told.format(number=len(undecided), mine=mine, disputed=len(disputed))


def _partner_words(firm: _Firmness) -> str:
    rest = len(firm.joint) - len(firm.firm_partners) - len(firm.interchangeable)
    told = (
        ngettext(
            "Of {projects} {firm} has a firm partner, {same} one that is interchangeable with another, and {open} an "
            "open one.",
            "Of {projects} {firm} have a firm partner, {same} one that is interchangeable with another, and {open} an "
            "open one.",
            len(firm.firm_partners),
        )
        if firm.interchangeable
        else ngettext(
            "Of {projects} {firm} has a firm partner, and {open} an open one.",
            "Of {projects} {firm} have a firm partner, and {open} an open one.",
            len(firm.firm_partners),
        )
    )
    return told.format(
        projects=count(len(firm.joint), "joint project"),
        firm=len(firm.firm_partners),
        same=len(firm.interchangeable),
        open=rest,
    )
