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

MEANS = (
    "Means and leads are with the luck of the market in expectation: what reaches its target counts with its chance to "
    "come to the market, at its mean value there. Ranges, probabilities, quantiles and CVaR keep that luck."
)
"""Which figures keep the luck of the market, in words."""


def _money(interval: Interval, unit: str, confidence: float) -> str:
    return f"{amount(interval.mean)} {unit} ({confidence:.0%} interval {_limits(interval)})"


def _limits(found: Interval) -> str:
    if math.isinf(found.half_width):
        return UNKNOWN
    return ALIKE if is_point(found.low, found.high) else span(found.low, found.high)


def describe_proposal(scenario: Scenario, proposal: Proposal) -> str:
    """A few lines for the terminal."""
    return "\n".join([*_proposal_words(scenario, proposal), *sentences(scenario, promise_table(scenario, proposal))])


def _proposal_words(scenario: Scenario, proposal: Proposal) -> Iterator[str]:
    solution, portfolio = proposal.solution, proposal.portfolio
    joint = sum(bool(choice.partner) for choice in portfolio.choices)
    codes = [proposal.problem.partner_names[p] for p in sorted(proposal.evaluation.opened)]
    opened = [scenario.partners[code].name for code in codes]
    gap = f"{solution.gap:.2%}" if np.isfinite(solution.gap) else "unknown"
    yield f"{len(proposal.options.choices):,} eligible options, each simulated alone {proposal.samples} times"
    yield f"{_origin_words(solution)}, proven gap {gap}, {solution.seconds.total:.1f} s"
    if not aim_of(scenario).is_default:
        yield f"worth is {aim_of(scenario).words(scenario.money_unit)}"
    yield _aim(scenario, proposal)
    if proposal.appraisal is not None:
        yield f"CVaR and probabilities rest on shared luck, in shares of variance: {shared_luck_words(scenario)}"
    yield (
        f"funded {len(portfolio.choices)} of {len(scenario.technologies)} technologies, {joint} with a partner; "
        f"partners opened: {', '.join(opened) or 'none'}"
    )
    if not portfolio.choices:
        yield why_nothing(scenario, proposal.options, proposal.problem)


def _origin_words(solution: Solution) -> str:
    """Who chose the portfolio: the solver, or the loop among the solver's portfolios."""
    if solution.method == LOOP:
        return f"{solution.solver_label} proposed, simulation chose"
    return f"{solution.solver_label}: {solution.status} ({solution.termination})"


def _aim(scenario: Scenario, proposal: Proposal) -> str:
    """What the options alone come to, and what bounds that sum: never a bound of what simulation says."""
    solution, found, unit = proposal.solution, proposal.appraisal, scenario.money_unit
    alone = f"options alone, added up under {_rows_words(scenario, proposal)}"
    objective, bound = amount(solution.objective), amount(solution.bound)
    if found is None:
        return f"{alone}: {objective}; no portfolio's options come to more than {bound} {unit}"
    risk = scenario.optimiser.risk
    held = "".join(
        f"; {rule.name} {amount(rule.value)} ({rule.sense} {amount(rule.limit)})" for rule in found.rules[:3]
    )
    more = f" and {len(found.rules) - 3} more rules" if len(found.rules) > 3 else ""
    return (
        f"{alone}: aim {objective}, of any portfolio at most {bound} {unit}: "
        f"expected value {amount(found.mean)}, CVaR at {risk.level:g} {amount(found.cvar)} "
        f"(weight {risk.weight:g}){held}{more}"
    )


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
        lines.append(f"{words:<{wide}}{row['mean']:>12,.2f}{row['ci_low']:>12,.2f}{row['ci_high']:>12,.2f}")
    return "\n".join([*lines, MEANS])


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
        value = _money(npv, found.scenario.money_unit, found.confidence)
        lines.append(f"simulated net value of the whole portfolio: {value}, n = {npv.n}")
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
        broken = "" if comparison.rule.evaluation.feasible else "; breaks a row"
        yield (
            f"more than {portfolio_title(comparison.rule.name)}{_freedom(found, comparison)}: {amount(gap.mean)} "
            f"({_limits(gap)}){broken}"
        )
        if name in parts:
            yield f"  of that {parts[name]}"


def _freedom(found: Plan, comparison: Comparison) -> str:
    """At which payment ratios a rule was made, where the plan's are others than the announced money's."""
    if comparison.rule.name in OWN or not found.promises_more:
        return ""
    return " at the plan's payment ratios" if found.is_equal(comparison) else " at the announced money"


def _search_words(loop: Loop) -> str:
    """What the loop did, for the terminal."""
    stopped = "; stopped before its end" if loop.stopped else ""
    judged = f"{len(loop.steps)} portfolios judged by simulation ({loop.spent:,} replications)"
    return f"{judged}: {_winner_words(loop)}{stopped}"


def _winner_words(loop: Loop) -> str:
    """Why the plan is the plan."""
    if loop.is_shared:
        return "of those not told apart from the best, the one that most re-decisions share"
    return (
        "better than the optimiser's own choice" if loop.is_changed else "none better than the optimiser's own choice"
    )


def notes(found: Plan) -> tuple[str, ...]:
    """Sentences that a reader of the figures should know."""
    return tuple(_notes(found))


def _notes(found: Plan) -> Iterator[str]:
    scenario, solution = found.scenario, found.proposal.solution
    if not found.proposal.portfolio.choices:
        yield why_nothing(scenario, found.proposal.options, found.proposal.problem)
    if str(solution.termination) == "time limit":
        yield "The time limit stopped the solver: running again may give another portfolio."
    if found.simulation is not None and found.fresh is not None:
        simulated, expected = found.simulation.estimate("npv").mean, found.proposal.evaluation.objective
        yield (
            f"The portfolio's options, each alone, add up to {amount(expected)} {scenario.money_unit} on the "
            f"samples that chose them and to {amount(found.fresh.mean)} on {found.fresh.n:,} fresh ones; "
            f"simulated together they come to {amount(simulated)}. The first difference is optimism; the "
            "second is what projects do to one another: waiting and crowding, and payments that are never made, for "
            "partners or for projects that found no money."
        )
    if found.simulation is not None:
        yield MEANS
    if scenario.partners:
        yield "What a partner does to time, success and cost is assumed, not measured: see the scenario's README."
    unused = [code for code in hosts(scenario) if code not in _open_partners(found)]
    if unused:
        yield f"Partners not opened: {', '.join(scenario.partners[code].name for code in unused)}."
    if found.survey is None:
        yield _not_looked_at(scenario)
    if found.missing:
        why = found.failure or "this run was interrupted"
        yield f"Missing: {', '.join(found.missing)} ({why})."


def _not_looked_at(scenario: Scenario) -> str:
    """Why no interval says what assumptions do."""
    if not scenario.assumptions:
        return "The scenario states no bounds of what is assumed ([assumptions]): no interval here is of that."
    return "What is assumed was taken as it stands: no interval here is of the bounds that the scenario states."


def _open_partners(found: Plan) -> set[str]:
    return {found.proposal.problem.partner_names[p] for p in found.proposal.evaluation.opened}
