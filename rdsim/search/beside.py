"""The optimiser's own portfolios that stand beside a plan, so that its lead can be told in parts.

=======================  ==============================================================================================
one_shot-at-plan-ratios  the optimiser's choice without simulation, with the plan's payment ratios
usual_order              the plan's projects in the usual order of priority
at-payment-ratio-1       the best found whose expected payments keep within every year's announced money
at-award-ratio-1         the best found whose full awards keep within it as well, if no project ever stops
=======================  ==============================================================================================

The best within stricter money are chosen as plans are: the optimiser proposes, by all samples of the options and once
more corrected for what its portfolio's projects lose by not being alone; beside these stand the loop's portfolios that
keep within; who is best is selected by simulation, on replications of their own. They are searched less than the plan.
A row is left out where the plan itself is that portfolio, or nothing keeps the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from rdsim.domain import Portfolio, Scenario
from rdsim.formulation import state
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.search.estimates import Refined
from rdsim.search.judge import Judge, risk_adjustment
from rdsim.search.loop import Loop
from rdsim.search.proposals import Instance, Proposal, RulePortfolio, portfolio_of, risk_of, solving_of
from rdsim.search.quick import soon
from rdsim.search.selection import select
from rdsim.search.views import View, apply_view, at_ratios, corrections
from rdsim.streams import SEARCHING, SELECTING
from rdsim.titles import AT_AWARD_RATIO_1, AT_PAYMENT_RATIO_1, AT_PLAN_RATIOS, ONE_SHOT, OWN_TITLES, USUAL_ORDER

__all__ = [
    "AT_AWARD_RATIO_1",
    "AT_PAYMENT_RATIO_1",
    "AT_PLAN_RATIOS",
    "ONE_SHOT",
    "OWN",
    "USUAL_ORDER",
    "Beside",
]

OWN = tuple(OWN_TITLES)
"""Names of portfolios beside a plan that are the optimiser's, and no simple rule's."""

_FROM_LOOP = 3
"""Portfolios of the loop, the best by its estimate, that stand for selection."""

_MOST = 1000
"""Replications of each in selection, at most: those that are not told apart by then are worth about the same."""


@dataclass(frozen=True, eq=False)
class Beside:
    """What a plan is set beside; `loop` is None for a plan of the optimiser alone."""

    posed: Refined
    one_shot: Proposal
    plan: Proposal
    loop: Loop | None
    solving: Solving

    def portfolios(self) -> Iterator[tuple[str, RulePortfolio | None]]:
        """Each by its name, None for those that are left out; none needs another, so threads share the work."""
        jobs: dict[str, Callable[[], RulePortfolio | None]] = {
            OWN[1]: self._with_the_plans_freedom,
            USUAL_ORDER: self._in_usual_order,
            AT_PAYMENT_RATIO_1: partial(self._within, AT_PAYMENT_RATIO_1, awards=False),
            AT_AWARD_RATIO_1: partial(self._within, AT_AWARD_RATIO_1, awards=True),
        }
        yield from zip(jobs, in_threads(iter(jobs.values()), self.posed.running.threads or cores()), strict=True)

    def _with_the_plans_freedom(self) -> RulePortfolio | None:
        ratios, mine = self.plan.payment_ratios, self.one_shot.payment_ratios
        if self.loop is None or all(np.isclose(ratio, mine[name], atol=1e-9) for name, ratio in ratios.items()):
            return None
        own = replace(self.posed, problem=at_ratios(self.posed.scenario, self.one_shot.problem, ratios, mine))
        chosen = self._solve(own, own.problem)
        if chosen is None:
            return None
        portfolio = portfolio_of(self.posed.scenario, self.posed.options, chosen, OWN[1])
        return RulePortfolio(ONE_SHOT, portfolio, evaluate(own.problem, chosen), ratios, self.posed.scenario)

    def _in_usual_order(self) -> RulePortfolio | None:
        plan = self.plan
        usual = portfolio_of(self.posed.scenario, self.posed.options, plan.solution.chosen, USUAL_ORDER)
        if set(usual.choices) == set(plan.portfolio.choices):
            return None
        return RulePortfolio(USUAL_ORDER, usual, plan.evaluation, plan.payment_ratios, self.posed.scenario)

    def _solve(self, own: Instance, problem: PortfolioProblem) -> tuple[int, ...] | None:
        """The optimiser's choice among the options that the loop proposes; None if there is none."""
        left_out = () if self.loop is None else self.loop.left_out
        return soon(problem, left_out, solving_of(own.scenario, self.solving), risk_of(own))

    # ------------------------------------------------------------ within stricter money

    def _within(self, name: str, *, awards: bool) -> RulePortfolio | None:
        world = _world(self.posed.scenario, awards=awards)
        stated = replace(state(world, self.posed.options), values=self.posed.problem.values)
        own = replace(self.posed, scenario=world, problem=stated)
        if evaluate(own.problem, self.plan.solution.chosen).feasible:
            return None
        contenders = list(dict.fromkeys(self._contenders(own)))
        if not contenders:
            return None
        chosen, portfolio = contenders[self._best(own, [portfolio for _, portfolio in contenders])]
        ratios = dict.fromkeys(world.programmes, 1.0)
        told = replace(portfolio, name=name), evaluate(own.problem, chosen), ratios
        return RulePortfolio(name, *told, self.posed.scenario)

    def _contenders(self, own: Instance) -> Iterator[tuple[tuple[int, ...], Portfolio]]:
        scenario, options = self.posed.scenario, self.posed.options
        ratios, added = dict.fromkeys(scenario.programmes, 1.0), np.zeros(len(options.choices))
        sampled = risk_of(own) is not None
        for _ in range(1 if self.loop is None else 2):
            chosen = self._solve(own, apply_view(own.scenario, own.problem, View(ratios, added), sampled=sampled))
            if chosen is None:
                break
            portfolio = portfolio_of(scenario, options, chosen, "optimised")
            yield chosen, portfolio
            count = scenario.optimiser.search.replications
            added = corrections(scenario, options, self._judge, portfolio, count)
        pool = () if self.loop is None else self.loop.pool
        known = [one for one in pool if evaluate(own.problem, one.chosen).feasible]
        for one in sorted(known, key=lambda one: -float(one.worth.mean()))[:_FROM_LOOP]:
            yield one.chosen, one.portfolio

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self.posed.scenario, self.posed.seed, SEARCHING, False, self.posed.running)

    @cached_property
    def _selecting_judge(self) -> Judge:
        risk = risk_of(self.posed)
        plain = risk is not None and risk.weight > 0
        return Judge(self.posed.scenario, self.posed.seed, SELECTING, plain, self.posed.running)

    def _best(self, own: Instance, portfolios: list[Portfolio]) -> int:
        """The place of the best, selected on replications of their own."""
        settings, judge, risk = own.scenario.optimiser.search, self._selecting_judge, risk_of(own)
        first = min(200, settings.most_replications)
        known = judge.worths(portfolios[0], first)
        return select(
            len(portfolios),
            lambda place, count: risk_adjustment(judge.worths(portfolios[place], count), known, risk),
            zone=settings.indifference * max(abs(float(known.mean())), 1e-9),
            probability=settings.probability,
            first=first,
            batch=200,
            most=min(settings.most_replications, _MOST),
        ).best


def _world(scenario: Scenario, *, awards: bool) -> Scenario:
    """The scenario whose rows hold payments, and full awards if asked, to the announced money."""
    once = dict.fromkeys(scenario.programmes, 1.0)
    held = once if awards else dict(scenario.optimiser.award_ratio)
    return replace(scenario, optimiser=replace(scenario.optimiser, payment_ratio=once, award_ratio=held))
