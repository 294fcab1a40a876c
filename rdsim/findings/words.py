"""What a plan, a proposal or a simulation found, in a few lines for the terminal; and notes for its reader."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from rdsim import assumptions
from rdsim.aim import aim_of, figures_in_play
from rdsim.case import hosts
from rdsim.domain import Scenario
from rdsim.figures import TOLD, label_with_unit, single_figures
from rdsim.findings.firmness import firmness_words
from rdsim.languages import N_, unit_of_money
from rdsim.languages import gettext as _
from rdsim.lead import bound_sentences, lead_table, part_words
from rdsim.optimiser import Solution
from rdsim.plans import ONE_SHOT, Comparison, Plan
from rdsim.promises import promise_table, sentences
from rdsim.report.words import ALIKE, UNKNOWN, amount, is_point, span
from rdsim.search import LOOP, OWN, USUAL_ORDER, Loop, Proposal, why_nothing
from rdsim.simulation import Simulation
from rdsim.stats import Interval
from rdsim.titles import portfolio_title
from rdsim.words import ratio_words, shared_luck_words

__all__ = ["describe_plan", "describe_proposal", "describe_simulation", "notes"]

MEANS = N_(
    "Means and leads are with the luck of the market in expectation: what reaches its target counts with its chance to "
    "come to the market, at its mean value there. Ranges, probabilities, quantiles and CVaR keep that luck."
)
"""Which figures keep the luck of the market, in words."""


def _money(interval: Interval, unit: str, confidence: float) -> str:
    told = _("{mean} {unit} ({confidence} interval {interval})")
    return told.format(
        mean=amount(interval.mean), unit=unit, confidence=f"{confidence:.0%}", interval=_limits(interval)
    )


def _limits(found: Interval) -> str:
    if math.isinf(found.half_width):
        return _(UNKNOWN)
    return _(ALIKE) if is_point(found.low, found.high) else span(found.low, found.high)


def describe_proposal(scenario: Scenario, proposal: Proposal) -> str:
    """A few lines for the terminal."""
    return "\n".join([*_proposal_words(scenario, proposal), *sentences(scenario, promise_table(scenario, proposal))])


def _proposal_words(scenario: Scenario, proposal: Proposal) -> Iterator[str]:
    solution, portfolio = proposal.solution, proposal.portfolio
    joint = sum(bool(choice.partner) for choice in portfolio.choices)
    codes = [proposal.problem.partner_names[p] for p in sorted(proposal.evaluation.opened)]
    opened = [scenario.partners[code].name for code in codes]
    gap = f"{solution.gap:.2%}" if np.isfinite(solution.gap) else _("unknown")
    told = _("{options} eligible options, each simulated alone {samples} times")
    yield told.format(options=f"{len(proposal.options.choices):,}", samples=proposal.samples)
    told = _("{origin}, proven gap {gap}, {seconds} s")
    yield told.format(origin=_origin_words(solution), gap=gap, seconds=f"{solution.seconds.total:.1f}")
    if not aim_of(scenario).is_default:
        yield _("worth is {aim}").format(aim=aim_of(scenario).words(scenario.money_unit))
    yield _aim(scenario, proposal)
    if proposal.appraisal is not None:
        told = _("CVaR and probabilities rest on shared luck, in shares of variance: {shares}")
        yield told.format(shares=shared_luck_words(scenario))
    told = _("funded {funded} of {all} technologies, {joint} with a partner; partners opened: {partners}")
    yield told.format(
        funded=len(portfolio.choices),
        all=len(scenario.technologies),
        joint=joint,
        partners=", ".join(opened) or _("none"),
    )
    if not portfolio.choices:
        yield why_nothing(scenario, proposal.options, proposal.problem)


def _origin_words(solution: Solution) -> str:
    """Who chose the portfolio: the solver, or the loop among the solver's portfolios."""
    if solution.method == LOOP:
        return _("{solver} proposed, simulation chose").format(solver=solution.solver_label)
    return _("{solver}: {status} ({termination})").format(
        solver=solution.solver_label, status=_(str(solution.status)), termination=_(str(solution.termination))
    )


STATES = (
    *(N_("optimal"), N_("feasible"), N_("infeasible"), N_("unbounded"), N_("no answer")),
    *(N_("complete"), N_("target"), N_("rounds"), N_("time limit"), N_("stopped"), N_("loop")),
)
"""How a solver ends and why, see `rdsim.optimiser.Status` and `Termination`: what pages and the terminal call it."""


def _aim(scenario: Scenario, proposal: Proposal) -> str:
    """What the options alone come to, and what bounds that sum: never a bound of what simulation says."""
    solution, found = proposal.solution, proposal.appraisal
    told = {
        "rows": _rows_words(scenario, proposal),
        "objective": amount(solution.objective),
        "bound": amount(solution.bound),
        "unit": unit_of_money(scenario.money_unit),
    }
    if found is None:
        return _(
            "options alone, added up under {rows}: {objective}; no portfolio's options come to more than {bound} {unit}"
        ).format(**told)
    risk = scenario.optimiser.risk
    held = "".join(
        f"; {rule.name} {amount(rule.value)} ({rule.sense} {amount(rule.limit)})" for rule in found.rules[:3]
    )
    rest = _("and {number} more rules").format(number=len(found.rules) - 3)
    more = f" {rest}" if len(found.rules) > 3 else ""
    aim = _(
        "options alone, added up under {rows}: aim {objective}, of any portfolio at most {bound} {unit}: expected "
        "value {mean}, CVaR at {level} {cvar} (weight {weight})"
    ).format(
        **told, mean=amount(found.mean), level=f"{risk.level:g}", cvar=amount(found.cvar), weight=f"{risk.weight:g}"
    )
    return f"{aim}{held}{more}"


def _rows_words(scenario: Scenario, proposal: Proposal) -> str:
    """The payment ratios that budget rows are held to."""
    return ratio_words(scenario, proposal.payment_ratios)


def describe_simulation(simulation: Simulation) -> str:
    """A few lines for the terminal."""
    table, rows = simulation.summary(), _labels(simulation.scenario)
    wide = max(28, 2 + max(len(words) for words in rows.values()))
    lines = [f"{'figure':<{wide}}{'mean':>12}{'low':>12}{'high':>12}   n = {len(simulation.replications)}"]
    for name, words in rows.items():
        row = table.loc[name]
        lines.append(f"{words:<{wide}}{row['mean']:>12,.2f}{row['low']:>12,.2f}{row['high']:>12,.2f}")
    return "\n".join([*lines, _(MEANS)])


def _labels(scenario: Scenario) -> dict[str, str]:
    """Labels of the figures that the terminal tells, those that the scenario brings up last."""
    known = {**single_figures(), **{figure.name: figure for figure in figures_in_play(scenario)}}
    names = dict.fromkeys([*TOLD, *(figure.name for figure in figures_in_play(scenario))])
    return {name: label_with_unit(known[name], scenario.money_unit) for name in names}


def describe_plan(found: Plan) -> str:
    """A few lines for the terminal."""
    lines = [describe_proposal(found.scenario, found.proposal)]
    if found.simulation is not None:
        npv = found.simulation.estimate("npv")
        value = _money(npv, unit_of_money(found.scenario.money_unit), found.confidence)
        told = _("simulated net value of the whole portfolio: {value}, n = {n}")
        lines.append(told.format(value=value, n=npv.n))
    if found.search is not None:
        lines += [*firmness_words(found), _search_words(found.search)]
    lines += [f"  {line}" for line in _leads(found)]
    lines += bound_sentences(found)
    if found.survey is not None:
        head, *rest = assumptions.sentences(found.survey)
        lines += [head, *(f"  {line}" for line in rest)]
    return "\n".join(lines)


def _leads(found: Plan) -> Iterator[str]:
    """How much more the plan is worth than each other portfolio: with the plan's freedom first.

    Below the lead over a rule within the announced money, and over the one-shot portfolio, stand its parts.
    """
    parts = part_words(lead_table(found))
    named = [name for name in found.comparisons if name in (ONE_SHOT, USUAL_ORDER) or name not in OWN]
    for name in sorted(named, key=lambda name: (name != ONE_SHOT, not found.is_equal(found.comparisons[name]))):
        comparison = found.comparisons[name]
        gap = comparison.difference
        breaks = _("breaks a row")
        broken = "" if comparison.rule.evaluation.feasible else f"; {breaks}"
        told = _freedom(found, comparison).format(
            portfolio=portfolio_title(comparison.rule.name), gain=amount(gap.mean), interval=_limits(gap)
        )
        yield f"{told}{broken}"
        if name in parts:
            told = _("of that {parts}").format(parts=parts[name])
            yield f"  {told}"


def _freedom(found: Plan, comparison: Comparison) -> str:
    """A line that says at which payment ratios a rule was made, where the plan's are not the announced money's."""
    if comparison.rule.name in OWN or not found.promises_more:
        return _("more than {portfolio}: {gain} ({interval})")
    if found.is_equal(comparison):
        return _("more than {portfolio} at the plan's payment ratios: {gain} ({interval})")
    return _("more than {portfolio} at the announced money: {gain} ({interval})")


def _search_words(loop: Loop) -> str:
    """What the loop did, for the terminal."""
    early = _("stopped before its end")
    stopped = f"; {early}" if loop.stopped else ""
    told = _("{portfolios} portfolios judged by simulation ({replications} replications): {winner}").format(
        portfolios=len(loop.steps), replications=f"{loop.spent:,}", winner=_winner_words(loop)
    )
    return f"{told}{stopped}"


def _winner_words(loop: Loop) -> str:
    """Why the plan is the plan."""
    if loop.is_shared:
        return _("of those not told apart from the best, the one that most re-decisions share")
    if loop.is_changed:
        return _("better than the optimiser's own choice")
    return _("none better than the optimiser's own choice")


def notes(found: Plan) -> tuple[str, ...]:
    """Sentences that a reader of the figures should know."""
    return tuple(_notes(found))


def _notes(found: Plan) -> Iterator[str]:
    scenario, solution = found.scenario, found.proposal.solution
    if not found.proposal.portfolio.choices:
        yield why_nothing(scenario, found.proposal.options, found.proposal.problem)
    if str(solution.termination) == "time limit":
        yield _("The time limit stopped the solver: running again may give another portfolio.")
    if found.simulation is not None and found.fresh is not None:
        simulated, expected = found.simulation.estimate("npv").mean, found.proposal.evaluation.objective
        yield _(
            "The portfolio's options, each alone, add up to {expected} {unit} on the samples that chose them and to "
            "{fresh} on {samples} fresh ones; simulated together they come to {simulated}. The first difference is "
            "optimism; the second is what projects do to one another: waiting and crowding, and payments that are "
            "never made, for partners or for projects that found no money."
        ).format(
            expected=amount(expected),
            unit=unit_of_money(scenario.money_unit),
            fresh=amount(found.fresh.mean),
            samples=f"{found.fresh.n:,}",
            simulated=amount(simulated),
        )
    if found.simulation is not None:
        yield _(MEANS)
    if scenario.partners:
        yield _("What a partner does to time, success and cost is assumed, not measured: see the scenario's README.")
    unused = [code for code in hosts(scenario) if code not in _open_partners(found)]
    if unused:
        names = ", ".join(scenario.partners[code].name for code in unused)
        yield _("Partners not opened: {names}.").format(names=names)
    if found.survey is None:
        yield _not_looked_at(scenario)
    if found.missing:
        why = found.failure or _("this run was interrupted")
        yield _("Missing: {parts} ({reason}).").format(parts=", ".join(found.missing), reason=why)


def _not_looked_at(scenario: Scenario) -> str:
    """Why no interval says what assumptions do."""
    if not scenario.assumptions:
        return _("The scenario states no bounds of what is assumed ([assumptions]): no interval here is of that.")
    return _("What is assumed was taken as it stands: no interval here is of the bounds that the scenario states.")


def _open_partners(found: Plan) -> set[str]:
    return {found.proposal.problem.partner_names[p] for p in found.proposal.evaluation.opened}
