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
from rdsim.languages import gettext as _
from rdsim.languages import join_texts
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
    text: str
    found: WhyNot | Replacement | WorthOfCap | PartnerStanding

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
        return Explained(name, cap_words(scenario, worth), worth)
    if name in {problem.group_names[group] for group in problem.group[list(solution.chosen)]}:
        lost = cost_of_losing(problem, solution, name, solving=solving)
        return Explained(name, replacement_words(scenario, lost), lost)
    if name not in problem.group_names:
        standing = partner_standing(scenario, proposal, name)
        return Explained(name, partner_standing_words(scenario, standing), standing)
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
    return Explained(name, why_not_words(scenario, found), found)


def _moves(proposal: Proposal, row: int) -> list[float]:
    rows = proposal.problem.rows
    cap = abs(float(rows.cap[row])) or float(rows.scale[row]) or 1.0
    return [-1.0, 1.0, 2.0] if is_whole(rows.keys[row]) else [share * cap for share in MOVES]


# --- figures in words -----------------------------------------------------------------------------


def _value(scenario: Scenario, amount: float) -> str:
    return money_words(scenario, amount)


def _proven(scenario: Scenario, figure: Bracket) -> str:
    """What is known beyond the figure found; nothing if that is all there is to know."""
    if figure.exact:
        return ""
    if math.isinf(figure.high):
        return f" (proven: at least {_value(scenario, figure.low)})"
    return f" (proven: between {numeral(figure.low, ',.3g')} and {_value(scenario, figure.high)})"


def _exchange_words(scenario: Scenario, exchange: Exchange) -> str:
    """`T017 with Germany from 2025 in place of F012 (name)`; how others change is counted, not listed."""
    joined = ", ".join(option_words(scenario, name) for name in exchange.joined)
    left = ", ".join(technology_words(scenario, name) for name in exchange.left)
    moved = len(exchange.moved)
    others = f"{moved} other{'s' if moved > 1 else ''} with another partner, mode or year" if moved else ""
    parts = [
        f"{joined} in place of {left}" if joined and left else joined or (f"without {left}" if left else ""),
        others,
    ]
    return "; ".join(part for part in parts if part) or "nothing else changes"


# --- why not --------------------------------------------------------------------------------------


def why_not_words(scenario: Scenario, found: WhyNot) -> str:
    """Why a technology is not funded, and the smallest changes that would bring it in."""
    return " ".join(_why_not_sentences(scenario, found))


def _why_not_sentences(scenario: Scenario, found: WhyNot) -> Iterator[str]:
    yield f"{technology_words(scenario, found.name)} is not funded: {_reason_words(scenario, found)}."
    if found.reason in {Reason.NO_OPTION, Reason.RULED_OUT}:
        return
    if found.exchange is not None:
        yield (
            f"Bringing it in would cost {_value(scenario, found.loss.found)} of expected net value"
            f"{_proven(scenario, found.loss)}: {_exchange_words(scenario, found.exchange)}."
        )
    ways = list(_ways_in(scenario, found))
    if ways:
        yield f"It comes in if {', or if '.join(ways)}{_verification(found)}."
    yield from _hopeless(found)


def _verification(found: WhyNot) -> str:
    """Whether solving again agreed, and how far that goes."""
    if not found.verified:
        return ""
    sure = found.loss.exact or found.exchange is None
    return " (verified by solving again)" if sure else " (verified by solving again, as far as portfolios were found)"


def _reason_words(scenario: Scenario, found: WhyNot) -> str:
    if found.reason is Reason.NO_OPTION:
        return _no_option(scenario, found.name)
    if found.conflict is None:
        return {
            Reason.AS_GOOD: "a portfolio with it is nearly as good, and within what is proven may be as good",
            Reason.WORTHLESS: "it would lower the expected net value even if it used nothing that is scarce",
        }.get(found.reason, found.reason.value)
    mine = ("must-fund", found.name)
    rules = [rule for rule in found.conflict.rules if (rule.kind, rule.name) != mine]
    return f"no portfolio can hold it, for {_all_of(scenario, rules)}"


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
    words = " and ".join(rule_words(scenario, rule) for rule in rules)
    return f"{words} {'stand' if len(rules) > 1 else 'stands'} in its way" if rules else "its own rules forbid it"


def _ways_in(scenario: Scenario, found: WhyNot) -> Iterator[str]:
    """What would bring it in, each alone."""
    if math.isfinite(found.loss.found):
        yield f"its value rises by {_value(scenario, round_up(found.loss.found))}"
    if math.isfinite(found.cut.found):
        yield f"its cost falls by {math.ceil(100 * found.cut.found - 1e-9)}%"
    for rise in found.caps:
        yield _rise_words(scenario, rise)
    for rule in found.links:
        yield f"{rule_words(scenario, rule)} is dropped"


def _rise_words(scenario: Scenario, rise: CapRise) -> str:
    verb = {"<=": "raises", ">=": "lowers", "==": "widens"}[rise.sense]
    by = amount_words(scenario, rise.key, round_up(rise.amount.found))
    return f"one {verb} {row_words(scenario, rise.key)} by {by}"


def _hopeless(found: WhyNot) -> Iterator[str]:
    """What is known not to help."""
    if math.isinf(found.cut.low):
        yield "No cut of its cost alone is enough."
    elif math.isinf(found.cut.found):
        yield "A cut of its cost alone was not found to be enough."
    if found.caps or (not found.no_cap and not found.open_caps):
        return
    limit = f" relaxed by up to {found.within:.0%}" if math.isfinite(found.within) else ""
    if found.open_caps:
        count, known = len(found.open_caps) + len(found.no_cap), len(found.no_cap)
        yield f"No single cap{limit} was found to bring it in; for {known} of {count} it is proven that none does."
    else:
        yield f"No single cap{limit} brings it in, which is proven."


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
    return " ".join(_standing_sentences(scenario, found))


def _standing_sentences(scenario: Scenario, found: PartnerStanding) -> Iterator[str]:
    who, all_of = partner_words(scenario, found.name), len(scenario.technologies)
    chosen = ", ".join(found.chosen) or "no technology"
    yield f"{who} is chosen for {chosen}; it may be for {found.eligible} of {all_of}."
    if found.refusals and found.eligible < all_of:
        told = "; ".join(f"{reason} ({count})" for reason, count in found.refusals[:_REASONS])
        yield f"For the others it may not, most often: {told}."
    if not found.nearest:
        return
    there = technology_words(scenario, found.nearest)
    if math.isnan(found.rival_alone):
        yield f"For {there}, worth {_value(scenario, found.alone)} alone, nobody else may be chosen."
    else:
        yield _against(scenario, found, there)
    yield _brings(scenario, found)
    yield from _together(scenario, found.nearest, found.name)


def _against(scenario: Scenario, found: PartnerStanding, there: str) -> str:
    """What it is worth where it comes nearest, against the best of all others."""
    lead = found.alone - found.rival_alone
    behind = f"{_value(scenario, abs(lead))} {'more' if lead > 0 else 'less'} than"
    whom = f"with {found.rival}" if found.rival else "without a partner"
    return f"It comes nearest for {there}: {_value(scenario, found.alone)} alone, {behind} {whom}."


def _brings(scenario: Scenario, found: PartnerStanding) -> str:
    """Who of it brings how much of the full benefit in each field that is needed, and who of the rival."""
    mine = _benefit_words(scenario, found.nearest, found.name)
    theirs = f"; {_benefit_words(scenario, found.nearest, found.rival)}" if found.rival else ""
    return f"Of the full benefit of a partner {mine}{theirs}."


def _benefit_words(scenario: Scenario, technology: str, code: str) -> str:
    best = best_members(scenario, technology, code)
    each = [
        f"{numeral(best[field][1], '.0%')} in {scenario.fields[field].name} ({best[field][0] or 'no level'})"
        for field in needed_fields(scenario, technology)
    ]
    return f"{code} brings {numeral(partner_benefit(scenario, technology, code), '.0%')}: {', '.join(each)}"


def _together(scenario: Scenario, technology: str, code: str) -> Iterator[str]:
    """What a consortium brings beyond its best member, and what it pays for having several."""
    more, effect = len(members(scenario, code)) - 1, scenario.partner_effect
    if more > 0:
        alone = {one: partner_benefit(scenario, technology, one) for one in members(scenario, code)}
        best = max(alone, key=lambda one: alone[one])
        gained = partner_benefit(scenario, technology, code) - alone[best]
        beyond = f"{numeral(gained, '.1%')} of the full benefit more" if gained > _NOTHING else "no more"
        yield f"Together its members bring {beyond} than {best} alone."
        time, cost = effect.coordination_duration**more - 1, effect.coordination_cost**more - 1
        yield (
            f"Coordination makes steps {numeral(time, '.0%')} longer and projects {numeral(cost, '.0%')} dearer, "
            "and each member is opened and has a place taken."
        )


# --- losing one, and caps -------------------------------------------------------------------------


def replacement_words(scenario: Scenario, found: Replacement) -> str:
    """What losing a funded technology would cost, and what would take its place."""
    name = technology_words(scenario, found.name)
    if found.conflict is not None:
        rules = " and ".join(rule_words(scenario, rule) for rule in found.conflict.rules)
        return f"{name} cannot be lost: {rules}."
    if found.exchange is None:
        return f"What losing {name} would cost is not known: no portfolio without it was found."
    instead = ", ".join(option_words(scenario, one) for one in found.exchange.joined) or "nothing"
    along = [technology_words(scenario, one) for one in found.exchange.left if one != found.name]
    also = f", and {', '.join(along)} would go as well" if along else ""
    return (
        f"Losing {name} would cost {_value(scenario, found.cost.found)} of expected net value"
        f"{_proven(scenario, found.cost)}; in its place: {instead}{also}."
    )


def cap_words(scenario: Scenario, worth: WorthOfCap) -> str:
    """What other values of a cap are worth, a line for each; the relaxation's price is a hint, and says so."""
    now = next(step.cap for step in worth.steps if step.amount == 0)
    lines = [f"{row_words(scenario, worth.key)}, now {amount_words(scenario, worth.key, now)}:"]
    lines += [f"  {_step_words(scenario, worth.key, step)}" for step in worth.steps if step.amount != 0]
    one, price = one_more(scenario, worth.key), money_words(scenario, worth.hint + 0.0)
    lines.append(f"  (a hint only: in the linear relaxation one more {one} is worth {price})")
    return "\n".join(lines)


def _step_words(scenario: Scenario, key: Hashable, step: CapStep) -> str:
    change = f"{amount_words(scenario, key, abs(step.amount))} {'more' if step.amount > 0 else 'less'}"
    if not math.isfinite(step.worth.found):
        return f"{change}: no portfolio was found that satisfies every rule"
    if abs(step.worth.found) < ROUNDING:
        return (
            f"{change} changes nothing" if step.worth.exact else f"{change}: no change was found{_limits(step.worth)}"
        )
    verb = "gains" if step.worth.found > 0 else "costs"
    each = f", {numeral(abs(step.worth.found / step.amount), ',.3g')} for each"
    return f"{change} {verb} {_value(scenario, abs(step.worth.found))}{each}{_limits(step.worth)}"


def _limits(figure: Bracket) -> str:
    return (
        "" if figure.exact else f" (change proven: {numeral(figure.low, '+,.3g')} to {numeral(figure.high, '+,.3g')})"
    )


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
