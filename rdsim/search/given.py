"""A portfolio that is given - a plan's, or a planner's own - as a proposal in its own terms.

A plan that simulation chose may promise more than the announced money. What is said of it is said of the problem that
it was chosen in: budget rows at its **payment ratios**, multiples of every year's announced money. Of a portfolio that
names no ratios, and of one whose payments other samples see otherwise, they are the least at which it fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rdsim import portfolio as portfolios
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import Fault, PortfolioError
from rdsim.families import row_words
from rdsim.optimiser import Evaluation, Solving, Status, evaluate
from rdsim.optimiser.problem.evaluation import Violation
from rdsim.optimiser.problem.solution import relative_gap
from rdsim.optimiser.solving.appraisal import appraise
from rdsim.search.proposals import Instance, Proposal, choose, risk_of, solution_of, unproven
from rdsim.search.views import at_ratios, payment_ratios, ratios_of
from rdsim.words import amount_words

__all__ = ["Given", "as_stated", "in_own_terms", "subject", "violation_faults"]


@dataclass(frozen=True)
class Given:
    """A portfolio, whose it is, and the payment ratios that it was chosen with, by programme; None if nobody said."""

    portfolio: Portfolio
    source: str
    payment_ratios: Mapping[str, float] | None = None


def subject(
    posed: Instance,
    given: Given | None,
    solving: Solving = Solving(),
) -> tuple[Instance, Proposal]:
    """What a study speaks of: the given portfolio in its own terms beside what is proven there, or the one-shot choice.

    Raises: PortfolioError as `in_own_terms`; InfeasibleError and SolverError as `choose`.
    """
    if given is None:
        return posed, choose(posed, solving)
    own, proposal = in_own_terms(posed, given)
    known = solution_of(own, solving)
    bound = max(known.bound, proposal.solution.objective)
    solution = replace(
        known,
        chosen=proposal.solution.chosen,
        opened=proposal.solution.opened,
        status=Status.FEASIBLE,
        objective=proposal.solution.objective,
        bound=bound,
        gap=relative_gap(proposal.solution.objective, bound),
    )
    return own, replace(proposal, solution=solution, best_known=known.objective)


def in_own_terms(posed: Instance, given: Given) -> tuple[Instance, Proposal]:
    """The problem with budget rows at the portfolio's payment ratios, and the portfolio in it; nothing is solved.

    Raises: PortfolioError with every option that the problem does not know and every other row that is broken.
    """
    scenario, chosen = posed.scenario, _numbers(posed, given)
    stated = payment_ratios(scenario) | dict(given.payment_ratios or {})
    looser = ratios_of(scenario, at_ratios(scenario, posed.problem, stated), chosen)
    own, made = _proposal(posed, given, chosen, {name: ratio * looser[name] for name, ratio in stated.items()})
    if faults := tuple(violation_faults(scenario, given, made.evaluation)):
        raise PortfolioError(faults)
    return own, made


def as_stated(posed: Instance, given: Given) -> tuple[Instance, Proposal]:
    """The problem with budget rows at the ratios that are given, else the scenario's, and the portfolio in it: what it
    breaks there is in its evaluation. Raises PortfolioError with every option that the problem does not know."""
    stated = payment_ratios(posed.scenario) | dict(given.payment_ratios or {})
    return _proposal(posed, given, _numbers(posed, given), stated)


def _proposal(
    posed: Instance, given: Given, chosen: tuple[int, ...], ratios: Mapping[str, float]
) -> tuple[Instance, Proposal]:
    scenario = posed.scenario
    portfolio = portfolios.with_ranks(given.portfolio, scenario)
    problem = at_ratios(scenario, posed.problem, ratios)
    judged = evaluate(problem, chosen)
    own, risk = replace(posed, problem=problem), risk_of(posed)
    appraisal = None if risk is None else appraise(problem, risk, chosen)
    solution = unproven(judged, appraisal, "given")
    made = Proposal(portfolio, posed.options, problem, solution, judged, posed.samples, appraisal, ratios, given.source)
    return own, made


def _key(choice: Choice) -> tuple[str, str, str, int]:
    return choice.technology, choice.partner, choice.mode, choice.start_year


def _numbers(posed: Instance, given: Given) -> tuple[int, ...]:
    """The portfolio's options by number."""
    number = {_key(choice): o for o, choice in enumerate(posed.options.choices)}
    unknown = [choice for choice in given.portfolio.choices if _key(choice) not in number]
    if unknown:
        rule = "must be made of options that the optimiser may choose in this scenario"
        faults = (Fault(given.source, rule, " ".join(map(str, filter(None, _key(choice))))) for choice in unknown)
        raise PortfolioError(tuple(faults))
    return tuple(sorted(number[_key(choice)] for choice in given.portfolio.choices))


def violation_faults(scenario: Scenario, given: Given, judged: Evaluation) -> Iterator[Fault]:
    """What a portfolio breaks, each rule in words, and by how much."""
    advice = "A plan of other samples may be off by a little: give the --seed and --samples that it was chosen with."
    for one in judged.violations:
        if one.key is not None:
            by = f"off by {amount_words(scenario, one.key, one.amount)}"
            yield Fault(given.source, f"must keep {row_words(scenario, one.key)}", by, advice)
        else:
            yield Fault(given.source, _rule_of(one), one.name)


def _rule_of(one: Violation) -> str:
    return {
        "fixed": "must fund what must be funded, and nothing that must not be",
        "prerequisite": "must fund a prerequisite no later than what needs it",
        "exclusion": "must not fund two technologies that exclude one another",
    }.get(one.family, f"must keep the rule on {one.family}")
