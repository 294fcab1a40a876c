"""Explanations in a planner's words: why not this technology, what losing that one costs, what a cap is worth.

Every figure comes from solving the problem again (see `rdsim.optimiser.questions.explanation`); the words add names and
units. A cut of a technology's cost frees the money that its rows count, and saves its discounted payments, as they
count in net value; payments are discounted from the start of their fiscal year here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rdsim.domain import Scenario
from rdsim.errors import Fault, ProblemError
from rdsim.families import is_whole, row_words
from rdsim.languages import N_, join_texts, ngettext, unit_of_money
from rdsim.languages import gettext as _
from rdsim.measures import savings
from rdsim.numerals import numeral
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.conflicts import Rule
from rdsim.optimiser.questions.explanation import (
    Bracket,
    CapRise,
    CapStep,
    Exchange,
    Reason,
    Replacement,
    Ways,
    WhyNot,
    WorthOfCap,
    cost_of_losing,
    screen,
    why_not,
    worth_of_cap,
)
from rdsim.scenario import best_members, eligible, members, needed_fields, partner_benefit, required_refusals
from rdsim.search import Proposal
from rdsim.words import (
    amount_words,
    money_words,
    one_more,
    option_words,
    partner_words,
    round_up,
    rule_words,
    technology_words,
)

__all__ = [
    "Explained",
    "PartnerStanding",
    "cap_words",
    "explain",
    "partner_standing",
    "partner_standing_words",
    "replacement_words",
    "screen_table",
    "why_not_words",
]

MOVES = (-0.2, -0.1, 0.1, 0.2)
"""By how much of itself a cap of money is moved to see what it is worth; of whole units one less, one and two more."""

CUT_STEP = 0.02

GAP = 0.002
"""Relative gap of each solve behind an answer, if none is named."""

ROUNDING = 1e-6
"""A change of value that is none, in money."""


@dataclass(frozen=True)
class PartnerStanding:
    """How a partner stands in a proposal: what it is chosen for, and where it comes nearest to being the best choice.

    `refusals` are reasons for which technologies may not be done with it, each with their number; without an eligible
    option there is no `nearest`. `alone` is the expected worth of its best option there, `rival` the best other partner
    ('' for none at all) and `rival_alone` the worth with that one, or alone; NaN if there is no other.
    """

    name: str
    chosen: tuple[str, ...]
    eligible: int
    refusals: tuple[tuple[str, int], ...]
    nearest: str = ""
    alone: float = math.nan
    rival: str = ""
    rival_alone: float = math.nan


@dataclass(frozen=True)
class Explained:
    """One answer: about what, in words, and with all its figures."""

    name: str
    lines: tuple[str, ...]
    found: WhyNot | Replacement | WorthOfCap | PartnerStanding

    @property
    def text(self) -> str:
        """All of it; lines behind the first are set in."""
        return join_texts(self.lines, "\n  ")

    def __str__(self) -> str:
        return self.text


def explain(
    scenario: Scenario, proposal: Proposal, names: Iterable[str], solving: Solving = Solving()
) -> list[Explained]:
    """Explain each name: a technology that is not funded, one that is, a partner or a row as `budget leapfrog 2025`.

    Each question is solved to a gap of 0.002, unless one is named. Takes seconds for a funded technology, and up to a
    minute for one that is not, in a scenario of 180.

    Raises: ProblemError with every name that is neither; SolverError if a question stays unanswered.
    """
    listed, problem = list(names), proposal.problem
    known = {*problem.group_names, *problem.rows.names, *scenario.partners}
    faults = [
        Fault("explain", "must be a technology, a partner or a row of the problem", repr(n))
        for n in listed
        if n not in known
    ]
    if faults:
        raise ProblemError(tuple(faults))
    return [_explanation(scenario, proposal, name, solving.to_gap(GAP)) for name in listed]


def _explanation(scenario: Scenario, proposal: Proposal, name: str, solving: Solving) -> Explained:
    problem, solution = proposal.problem, proposal.solution
    if name in problem.rows.names:
        moves = _moves(proposal, problem.rows.names.index(name))
        worth = worth_of_cap(problem, solution, name, moves, solving=solving)
        return Explained(name, tuple(_cap_lines(scenario, worth)), worth)
    if name in {problem.group_names[group] for group in problem.group[list(solution.chosen)]}:
        lost = cost_of_losing(problem, solution, name, solving=solving)
        return Explained(name, (replacement_words(scenario, lost),), lost)
    if name not in problem.group_names:
        standing = partner_standing(scenario, proposal, name)
        return Explained(name, (partner_standing_words(scenario, standing),), standing)
    rows = problem.rows
    found = why_not(
        problem,
        solution,
        name,
        ways=Ways(
            saving=savings(scenario, proposal.options),
            whole={rows.family[row] for row, key in enumerate(rows.keys) if is_whole(key)},
            cut_step=CUT_STEP,
        ),
        solving=solving,
    )
    return Explained(name, (why_not_words(scenario, found),), found)


def _moves(proposal: Proposal, row: int) -> list[float]:
    rows = proposal.problem.rows
    cap = abs(float(rows.cap[row])) or float(rows.scale[row]) or 1.0
    return [-1.0, 1.0, 2.0] if is_whole(rows.keys[row]) else [share * cap for share in MOVES]


# --- figures in words -----------------------------------------------------------------------------


def _value(scenario: Scenario, amount: float) -> str:
    return money_words(scenario, amount)


def _cost_words(scenario: Scenario, figure: Bracket) -> str:
    """The figure found, with what is proven if that is not all there is to know."""
    value = _value(scenario, figure.found)
    if figure.exact:
        return _("{value} of expected net value").format(value=value)
    if math.isinf(figure.high):
        told = _("{value} of expected net value (proven: at least {low})")
        return told.format(value=value, low=_value(scenario, figure.low))
    told = _("{value} of expected net value (proven: between {low} and {high})")
    return told.format(value=value, low=numeral(figure.low, ",.3g"), high=_value(scenario, figure.high))


def _exchange_words(scenario: Scenario, exchange: Exchange) -> str:
    """`T017 with Germany from 2025 in place of F012 (name)`; how others change is counted, not listed."""
    joined = join_texts([option_words(scenario, name) for name in exchange.joined], ", ")
    left = ", ".join(technology_words(scenario, name) for name in exchange.left)
    moved = len(exchange.moved)
    others = ngettext(
        "{number} other with another partner, mode or year", "{number} others with another partner, mode or year", moved
    ).format(number=moved)
    if joined and left:
        joined = _("{joined} in place of {left}").format(joined=joined, left=left)
    elif left:
        joined = _("without {technologies}").format(technologies=left)
    parts = [*([joined] if joined else []), *([others] if moved else [])]
    return join_texts(parts, "; ") if parts else _("nothing else changes")


# --- why not --------------------------------------------------------------------------------------


def why_not_words(scenario: Scenario, found: WhyNot) -> str:
    """Why a technology is not funded, and the smallest changes that would bring it in."""
    return join_texts(list(_why_not_sentences(scenario, found)), " ")


def _why_not_sentences(scenario: Scenario, found: WhyNot) -> Iterator[str]:
    told = _("{technology} is not funded: {reason}.")
    yield told.format(technology=technology_words(scenario, found.name), reason=_reason_words(scenario, found))
    if found.reason in {Reason.NO_OPTION, Reason.RULED_OUT}:
        return
    if found.exchange is not None:
        told = _("Bringing it in would cost {cost}: {exchange}.")
        yield told.format(cost=_cost_words(scenario, found.loss), exchange=_exchange_words(scenario, found.exchange))
    ways = list(_ways_in(scenario, found))
    if ways:
        yield _verification(found).format(ways=_one_by_one(ways, _("{several}, or if {one}")))
    yield from _hopeless(found)


def _one_by_one(parts: list[str], told: str) -> str:
    """Several texts, each put to those before it by a text of `several` and `one`."""
    several = parts[0]
    for one in parts[1:]:
        several = told.format(several=several, one=one)
    return several


def _verification(found: WhyNot) -> str:
    """What would bring it in; whether solving again agreed, and how far that goes."""
    if not found.verified:
        return _("It comes in if {ways}.")
    if found.loss.exact or found.exchange is None:
        return _("It comes in if {ways} (verified by solving again).")
    return _("It comes in if {ways} (verified by solving again, as far as portfolios were found).")


def _reason_words(scenario: Scenario, found: WhyNot) -> str:
    if found.reason is Reason.NO_OPTION:
        return _no_option(scenario, found.name)
    if found.conflict is None:
        return {
            Reason.AS_GOOD: _("a portfolio with it is nearly as good, and within what is proven may be as good"),
            Reason.WORTHLESS: _("it would lower the expected net value even if it used nothing that is scarce"),
        }.get(found.reason) or _(found.reason.value)
    mine = ("must-fund", found.name)
    rules = [rule for rule in found.conflict.rules if (rule.kind, rule.name) != mine]
    return _("no portfolio can hold it, for {obstacles}").format(obstacles=_all_of(scenario, rules))


def _no_option(scenario: Scenario, name: str) -> str:
    if scenario.technologies[name].status == "must-not-fund":
        return _("the planner ruled it out")
    reasons = required_refusals(scenario, name) or (eligible(scenario, name, "", "domestic"),)
    return _("it has no eligible option: {reasons}").format(reasons=join_texts(reasons[:_REASONS], "; "))


def _refusals(scenario: Scenario, names: list[str], partners: list[str]) -> tuple[tuple[str, int], ...]:
    """Reasons for which technologies may not be done with partners in any of their modes, the most frequent first."""
    found: Counter[str] = Counter()
    for name in names:
        for code in partners:
            reasons = [eligible(scenario, name, code, mode) for mode in scenario.partners[code].modes]
            found.update(list(dict.fromkeys(reasons)) if reasons and all(reasons) else [])
    return tuple(found.most_common())


_NOTHING = 1e-9
"""A benefit that is none."""
_REASONS = 3
"""Reasons that are told of something that has several."""


def _all_of(scenario: Scenario, rules: list[Rule]) -> str:
    if not rules:
        return _("its own rules forbid it")
    told = ngettext("{rules} stands in its way", "{rules} stand in its way", len(rules))
    return told.format(rules=_all_rules(scenario, rules))


def _all_rules(scenario: Scenario, rules: Iterable[Rule]) -> str:
    return _one_by_one([rule_words(scenario, rule) for rule in rules], _("{several} and {one}"))


def _ways_in(scenario: Scenario, found: WhyNot) -> Iterator[str]:
    """What would bring it in, each alone."""
    if math.isfinite(found.loss.found):
        yield _("its value rises by {amount}").format(amount=_value(scenario, round_up(found.loss.found)))
    if math.isfinite(found.cut.found):
        yield _("its cost falls by {share}").format(share=f"{math.ceil(100 * found.cut.found - 1e-9)}%")
    for rise in found.caps:
        yield _rise_words(scenario, rise)
    for rule in found.links:
        yield _("{rule} is dropped").format(rule=rule_words(scenario, rule))


_RISES = {
    "<=": N_("one raises {row} by {amount}"),
    ">=": N_("one lowers {row} by {amount}"),
    "==": N_("one widens {row} by {amount}"),
}
"""By the sense of a row."""


def _rise_words(scenario: Scenario, rise: CapRise) -> str:
    by = amount_words(scenario, rise.key, round_up(rise.amount.found))
    return _(_RISES[rise.sense]).format(row=row_words(scenario, rise.key), amount=by)


def _hopeless(found: WhyNot) -> Iterator[str]:
    """What is known not to help."""
    if math.isinf(found.cut.low):
        yield _("No cut of its cost alone is enough.")
    elif math.isinf(found.cut.found):
        yield _("A cut of its cost alone was not found to be enough.")
    if found.caps or (not found.no_cap and not found.open_caps):
        return
    is_limited, known = math.isfinite(found.within), len(found.no_cap)
    if found.open_caps:
        told = (
            _(
                "No single cap relaxed by up to {share} was found to bring it in; for {number} of {all} it is proven "
                "that none does."
            )
            if is_limited
            else _("No single cap was found to bring it in; for {number} of {all} it is proven that none does.")
        )
    else:
        told = (
            _("No single cap relaxed by up to {share} brings it in, which is proven.")
            if is_limited
            else _("No single cap brings it in, which is proven.")
        )
    share = f"{found.within:.0%}" if is_limited else ""
    yield told.format(share=share, number=known, all=len(found.open_caps) + known)


# --- partners -------------------------------------------------------------------------------------


def partner_standing(scenario: Scenario, proposal: Proposal, code: str) -> PartnerStanding:
    """How a partner stands in a proposal; nothing is solved again."""
    worth: dict[str, dict[str, float]] = {}
    for choice, value in zip(proposal.options.choices, proposal.options.expected_value.tolist(), strict=True):
        mine = worth.setdefault(choice.technology, {})
        mine[choice.partner] = max(value, mine.get(choice.partner, -math.inf))
    chosen = tuple(one.technology for one in proposal.portfolio.choices if one.partner == code)
    refusals = _refusals(scenario, list(scenario.technologies), [code])
    places = {name: mine for name, mine in worth.items() if code in mine}
    if not places:
        return PartnerStanding(code, chosen, 0, refusals)
    # Where nobody else may be chosen it is the best anyway; nearest is where others leave it least behind.
    leads = {name: mine[code] - max(_others(mine, code).values(), default=-math.inf) for name, mine in places.items()}
    nearest = max(leads, key=lambda name: (leads[name], name))
    others = _others(places[nearest], code)
    rival = max(others, key=lambda one: others[one], default="")
    return PartnerStanding(
        code, chosen, len(places), refusals, nearest, places[nearest][code], rival, others.get(rival, math.nan)
    )


def _others(worth: dict[str, float], code: str) -> dict[str, float]:
    return {one: value for one, value in worth.items() if one != code}


def partner_standing_words(scenario: Scenario, found: PartnerStanding) -> str:
    """What a partner is chosen for, where it comes nearest to being the best choice, and what it lacks there."""
    return join_texts(list(_standing_sentences(scenario, found)), " ")


def _standing_sentences(scenario: Scenario, found: PartnerStanding) -> Iterator[str]:
    who, all_of = partner_words(scenario, found.name), len(scenario.technologies)
    chosen = ", ".join(found.chosen) or _("no technology")
    told = _("{partner} is chosen for {technologies}; it may be for {number} of {all}.")
    yield told.format(partner=who, technologies=chosen, number=found.eligible, all=all_of)
    if found.refusals and found.eligible < all_of:
        each = _("{reason} ({number})")
        reasons = [each.format(reason=reason, number=number) for reason, number in found.refusals[:_REASONS]]
        yield _("For the others it may not, most often: {reasons}.").format(reasons=join_texts(reasons, "; "))
    if not found.nearest:
        return
    there = technology_words(scenario, found.nearest)
    if math.isnan(found.rival_alone):
        told = _("For {technology}, worth {value} alone, nobody else may be chosen.")
        yield told.format(technology=there, value=_value(scenario, found.alone))
    else:
        yield _against(scenario, found, there)
    yield _brings(scenario, found)
    yield from _together(scenario, found.nearest, found.name)


def _against(scenario: Scenario, found: PartnerStanding, there: str) -> str:
    """What it is worth where it comes nearest, against the best of all others."""
    lead = found.alone - found.rival_alone
    whom = _("with {partner}").format(partner=found.rival) if found.rival else _("without a partner")
    told = (
        _("It comes nearest for {technology}: {value} alone, {difference} more than {otherwise}.")
        if lead > 0
        else _("It comes nearest for {technology}: {value} alone, {difference} less than {otherwise}.")
    )
    return told.format(
        technology=there,
        value=_value(scenario, found.alone),
        difference=_value(scenario, abs(lead)),
        otherwise=whom,
    )


def _brings(scenario: Scenario, found: PartnerStanding) -> str:
    """Who of it brings how much of the full benefit in each field that is needed, and who of the rival."""
    compared = [found.name, *([found.rival] if found.rival else [])]
    told = join_texts([_benefit_words(scenario, found.nearest, one) for one in compared], "; ")
    return _("Of the full benefit of a partner {shares}.").format(shares=told)


def _benefit_words(scenario: Scenario, technology: str, code: str) -> str:
    best = best_members(scenario, technology, code)
    told = _("{share} in {field} ({level})")
    each = [
        told.format(
            share=numeral(best[field][1], ".0%"),
            field=scenario.fields[field].name,
            level=best[field][0] or _("no level"),
        )
        for field in needed_fields(scenario, technology)
    ]
    share = numeral(partner_benefit(scenario, technology, code), ".0%")
    return _("{partner} brings {share}: {fields}").format(partner=code, share=share, fields=join_texts(each, ", "))


def _together(scenario: Scenario, technology: str, code: str) -> Iterator[str]:
    """What a consortium brings beyond its best member, and what it pays for having several."""
    more, effect = len(members(scenario, code)) - 1, scenario.partner_effect
    if more > 0:
        alone = {one: partner_benefit(scenario, technology, one) for one in members(scenario, code)}
        best = max(alone, key=lambda one: alone[one])
        gained = partner_benefit(scenario, technology, code) - alone[best]
        told = (
            _("Together its members bring {share} of the full benefit more than {partner} alone.")
            if gained > _NOTHING
            else _("Together its members bring no more than {partner} alone.")
        )
        yield told.format(share=numeral(gained, ".1%"), partner=best)
        time, cost = effect.coordination_duration**more - 1, effect.coordination_cost**more - 1
        yield _(
            "Coordination makes steps {longer} longer and projects {dearer} dearer, and each member is opened and has "
            "a place taken."
        ).format(longer=numeral(time, ".0%"), dearer=numeral(cost, ".0%"))


# --- losing one, and caps -------------------------------------------------------------------------


def replacement_words(scenario: Scenario, found: Replacement) -> str:
    """What losing a funded technology would cost, and what would take its place."""
    name = technology_words(scenario, found.name)
    if found.conflict is not None:
        rules = _all_rules(scenario, found.conflict.rules)
        return _("{technology} cannot be lost: {rules}.").format(technology=name, rules=rules)
    if found.exchange is None:
        told = _("What losing {technology} would cost is not known: no portfolio without it was found.")
        return told.format(technology=name)
    joined = [option_words(scenario, one) for one in found.exchange.joined]
    along = [technology_words(scenario, one) for one in found.exchange.left if one != found.name]
    told = (
        _("Losing {technology} would cost {cost}; in its place: {instead}, and {others} would go as well.")
        if along
        else _("Losing {technology} would cost {cost}; in its place: {instead}.")
    )
    return told.format(
        technology=name,
        cost=_cost_words(scenario, found.cost),
        instead=join_texts(joined, ", ") if joined else _("nothing"),
        others=", ".join(along),
    )


def cap_words(scenario: Scenario, worth: WorthOfCap) -> str:
    """What other values of a cap are worth, a line for each; the relaxation's price is a hint, and says so."""
    return join_texts(list(_cap_lines(scenario, worth)), "\n  ")


def _cap_lines(scenario: Scenario, worth: WorthOfCap) -> Iterator[str]:
    now = next(step.cap for step in worth.steps if step.amount == 0)
    told = _("{row}, now {amount}:")
    yield told.format(row=row_words(scenario, worth.key), amount=amount_words(scenario, worth.key, now))
    yield from (_step_words(scenario, worth.key, step) for step in worth.steps if step.amount != 0)
    one, price = one_more(scenario, worth.key), money_words(scenario, worth.hint + 0.0)
    told = _("(a hint only: in the linear relaxation one more {unit} is worth {price})")
    yield told.format(unit=one, price=price)


def _step_words(scenario: Scenario, key: Hashable, step: CapStep) -> str:
    told = _("{amount} more") if step.amount > 0 else _("{amount} less")
    change, worth = told.format(amount=amount_words(scenario, key, abs(step.amount))), step.worth
    if not math.isfinite(worth.found):
        return _("{change}: no portfolio was found that satisfies every rule").format(change=change)
    limits = {"low": numeral(worth.low, "+,.3g"), "high": numeral(worth.high, "+,.3g")}
    limits["unit"] = unit_of_money(scenario.money_unit)  # what these are of
    if abs(worth.found) < ROUNDING:
        told = (
            _("{change} changes nothing")
            if worth.exact
            else _("{change}: no change was found (change proven: {low} to {high})")
        )
        return told.format(change=change, **limits)
    value, each = _value(scenario, abs(worth.found)), numeral(abs(worth.found / step.amount), ",.3g")
    told = _(_STEPS[worth.found > 0, worth.exact])
    return told.format(change=change, value=value, each=each, **limits)


_STEPS = {
    (True, True): N_("{change} gains {value}, {each} for each"),
    (False, True): N_("{change} costs {value}, {each} for each"),
    (True, False): N_("{change} gains {value}, {each} for each (change proven: {low} to {high})"),
    (False, False): N_("{change} costs {value}, {each} for each (change proven: {low} to {high})"),
}
"""By whether something is gained, and whether that is all there is to know."""


# --- tables ---------------------------------------------------------------------------------------


def screen_table(scenario: Scenario, proposal: Proposal, solving: Solving = Solving()) -> pd.DataFrame:
    """Every technology that is not funded, least loss first, in money; quick, for nothing is solved again.

    Columns: technology, name, value_alone (best option's expected net value), loss_found (by a simple exchange, NaN
    without one), loss_at_least, loss_at_most (proven; NaN if nothing is), reason (where no solving is needed).
    """
    rows = [
        {
            "technology": one.name,
            "name": scenario.technologies[one.name].name,
            "value_alone": one.best_alone,
            "loss_found": one.loss.found,
            "loss_at_least": one.loss.low,
            "loss_at_most": one.loss.high,
            "reason": "" if one.reason is None else _no_option(scenario, one.name),
        }
        for one in screen(proposal.problem, proposal.solution, solving=solving)
    ]
    columns = ["technology", "name", "value_alone", "loss_found", "loss_at_least", "loss_at_most", "reason"]
    return pd.DataFrame(rows, columns=columns).replace([np.inf, -np.inf], np.nan)
