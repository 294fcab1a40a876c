"""The main job: optimise, search with simulation in the loop, simulate the result and the simple rules, compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from rdsim.arguments import check_arguments, refuse, whole_faults
from rdsim.arrays import Floats
from rdsim.assumptions import (
    PLAN,
    Deciding,
    Headline,
    Measuring,
    OpenWorlds,
    Survey,
    headlines_of,
    survey,
    swings_of,
    turning_points,
    with_doubts,
    worlds_of,
)
from rdsim.brief import html_table
from rdsim.choice_rules import DOMESTIC_ONLY
from rdsim.domain import Scenario
from rdsim.errors import PolicyError, RdsimError, SolverError
from rdsim.memory import require_memory
from rdsim.native.threads import aside
from rdsim.optimiser import Solving
from rdsim.scenario import sound
from rdsim.search import (
    AT_PLAN_RATIOS,
    ONE_SHOT,
    OWN,
    Beside,
    Instance,
    Loop,
    Proposal,
    Redecisions,
    Refined,
    RulePortfolio,
    Swap,
    baselines,
    build_instance,
    check,
    choose,
    fresh_worth,
    improve,
    refine,
    solving_of,
    swaps,
)
from rdsim.simulation import Engine, ReplicationTables, Running, Simulation, replication_tables, simulate
from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.streams import REPORTED
from rdsim.titles import WHAT_IF
from rdsim.whatif import (
    Absence,
    ChangeEffect,
    Lapse,
    PartnersWorth,
    absences,
    choices_of_levels,
    decide_changes,
    lapse_by_cause,
    partners_worth,
)

__all__ = [
    "AT_PLAN_RATIOS",
    "FIRMNESS",
    "ONE_SHOT",
    "OPTIMISED",
    "Comparison",
    "Plan",
    "Progress",
    "WhatIf",
    "plan",
    "plan_beside_rules",
    "pose",
]

T = TypeVar("T")

OPTIMISED = "optimised"
"""Name of the plan itself among those beside it."""

ASSUMED = "assumptions"
"""Stands among what is missing for worlds in which assumptions are otherwise."""

FRESH = 1000
"""At least so many samples tell optimism from luck; a portfolio's options alone are simulated in no time."""

_FRESH = "fresh samples"
"""Stands among what is missing for what the portfolio's options come to on samples that chose nothing."""

_RULES = "simple rules"
"""Stands among what is missing for the rules beside the plan, before they are made."""

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""


_SEARCH = "the end of the search"
"""Name of what the loop lacks if a solver failed in it."""

FIRMNESS = "firmness"
"""Name of the stage that says how firm the plan's decisions are."""

A_CHECK = 32
"""Re-decisions for each one that is checked on fresh samples."""

_SAME_RATIO = 1e-9

_FINE = 400
"""Replications, at least, in which assumptions are moved one by one, which takes no time."""

_QUICK_GAP = 0.02
"""Relative gap, at least, of decisions that are made again and again."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A simple rule, or a portfolio of the optimiser's own (`rdsim.search.OWN`), beside the plan, on the same luck."""

    rule: RulePortfolio
    replications: pd.DataFrame
    expected: pd.DataFrame  # of the same replications, with the luck of the market in expectation: means are of it
    npv: Interval
    difference: Interval  # optimised less rule

    def __repr__(self) -> str:
        ahead = f"the plan is ahead by {_in_words(self.difference)}"
        return f"Comparison with {self.rule!r}: npv {_in_words(self.npv)}, {ahead}"


@dataclass(eq=False)
class WhatIf:
    """What would change a plan: what is not asked, or not finished, stays None or empty."""

    lapse: Lapse | None = None
    absences: tuple[Absence, ...] = ()
    changes: tuple[ChangeEffect, ...] = ()
    partners: PartnersWorth | None = None


@dataclass(eq=False)
class Plan:
    """What the main job found; what is still missing when it is interrupted stays None or absent."""

    scenario: Scenario
    proposal: Proposal
    seed: int
    engine: Engine
    replications: int
    search: Loop | None = None  # how the loop went; none if the portfolio is the one-shot optimiser's
    fresh: Interval | None = None  # the optimiser's expected value, on samples that did not choose
    simulation: Simulation | None = None
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    survey: Survey | None = (
        None  # headlines where assumptions are otherwise; none if the scenario states, or asks, none
    )
    redecisions: Redecisions | None = None  # what the plan would have been on other samples; none without the loop's
    what_if: WhatIf = field(default_factory=WhatIf)  # what would change it; empty where nothing is asked
    swaps: tuple[Swap, ...] = ()  # other choices for technologies of the plan, where re-decisions leave one open
    missing: tuple[str, ...] = ()
    failure: str = ""  # what the solver said, if its failing is why something is missing

    @property
    def confidence(self) -> float:
        """Confidence of the intervals."""
        return self.scenario.simulation.confidence

    def __repr__(self) -> str:
        told = self.simulation or self.proposal
        beside = f"; beside {', '.join(self.comparisons)}" if self.comparisons else ""
        missing = f"; missing: {', '.join(self.missing)}" if self.missing else ""
        return f"Plan of {self.scenario.name}: {self.proposal.portfolio!r}; {told!r}{beside}{missing}"

    def _repr_html_(self) -> str:
        """The plan in a notebook."""
        beside = [(name, _in_words(one.npv), _in_words(one.difference)) for name, one in self.comparisons.items()]
        told = self.simulation._repr_html_() if self.simulation else ""
        head = ("beside it", f"npv, {self.scenario.money_unit}", "the plan is ahead by")
        rules = html_table(f"Plan of {self.scenario.name}", head, beside) if beside else ""
        return self.proposal.portfolio._repr_html_() + told + rules

    def worths(self, name: str) -> Floats:
        """Net present value in each replication, of the plan (`OPTIMISED`) or of a portfolio beside it: (R,).

        It is with the luck of the market in expectation, for means. Raises: KeyError for what was not simulated.
        """
        return _npv(self.expectations[name])

    @property
    def expectations(self) -> dict[str, pd.DataFrame]:
        """By portfolio that was simulated, the plan's first: replications, the luck of the market in expectation."""
        own = {} if self.simulation is None else {OPTIMISED: self.simulation.expected}
        return own | {name: one.expected for name, one in self.comparisons.items()}

    @property
    def promises_more(self) -> bool:
        """True if the plan's budget rows are at other payment ratios than 1."""
        return any(abs(ratio - 1) > _SAME_RATIO for ratio in self.proposal.payment_ratios.values())

    def is_equal(self, comparison: Comparison) -> bool:
        """True if the other portfolio was made under rows with the plan's payment ratios."""
        mine, other = self.proposal.payment_ratios, comparison.rule.payment_ratios
        return all(abs(ratio - other[name]) <= _SAME_RATIO for name, ratio in mine.items())


def _in_words(found: Interval) -> str:
    return f"{found.mean:,.4g} ({found.low:,.4g} to {found.high:,.4g})"


def _npv(table: pd.DataFrame) -> Floats:
    return table["npv"].to_numpy(np.float64)


def _silent(stage: str, done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class _Asked:
    """How a plan is asked for; None: as the scenario says."""

    replications: int | None
    seed: int | None
    solving: Solving
    running: Running
    one_shot: bool
    progress: Progress


@check_arguments("scenario")
def plan(
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    solving: Solving = Solving(),
    running: Running = Running(),
    one_shot: bool = False,
    progress: Progress = _silent,
) -> Plan:
    """Optimise, search with simulation in the loop unless it is `one_shot`, simulate and compare.

    An interrupt (Ctrl-C), or a solver that fails, ends the loop with its best so far; a later one leaves what is
    finished: once there is a portfolio it is never lost. The draws that judge
    (replications 0, 1, ...) are not those that chose: those behind the options and in the loop are far away.
    Differences are paired, with the luck of the market in expectation, and their intervals hold for all rules together
    (Bonferroni); with the loop, the one-shot portfolio is the first of the rules. Every simple rule is made within the
    announced money, and once more at the plan's payment ratios if those are others: a lead over a rule of less freedom
    is in part that freedom. Beside them stand portfolios of the optimiser's own, so that the lead can be told in parts
    (`rdsim.search.beside`, `rdsim.lead`): the best found within the announced money among them.

    Where the scenario states assumptions, the plan and the simple rules also live in worlds drawn within their bounds
    (`optimiser.assumptions`): each headline has a second, wider interval, and break-evens where it may turn.

    >>> import rdsim
    >>> scenario = rdsim.examples.starter(["optimiser.samples=60", "optimiser.what_if.repeats=0"])
    >>> found = rdsim.plan(scenario, one_shot=True, replications=40)
    >>> len(found.proposal.portfolio) > 0, len(found.simulation.replications)
    (True, 40)
    """
    asked = _Asked(replications, seed, solving, running, one_shot, progress)
    return _plan(scenario, asked, own=True)


@check_arguments("scenario")
def plan_beside_rules(
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    solving: Solving = Solving(),
    running: Running = Running(),
) -> Plan:
    """Like `plan`, with nothing beside it but the one-shot portfolio and the simple rules: for who plans many times."""
    asked = _Asked(replications, seed, solving, running, one_shot=False, progress=_silent)
    return _plan(scenario, asked, own=False)


def _plan(scenario: Scenario, asked: _Asked, *, own: bool) -> Plan:
    scenario, solving, running = sound(scenario), asked.solving, asked.running
    worlds = worlds_of(scenario) if own and _asks_for_worlds(scenario) else None
    refuse(*whole_faults(("replications", asked.replications, 1, REPORTED.size), ("seed", asked.seed, 0, 2**63)))
    count = scenario.simulation.replications if asked.replications is None else asked.replications
    chance = scenario.simulation.seed if asked.seed is None else asked.seed
    most = min(len(scenario.technologies), sum(sum(one.starts.values()) for one in scenario.programmes.values()))
    require_memory(scenario, most, count)
    asked.progress("optimise", 0, 1)
    posed = pose(scenario, chance, solving, running)
    proposal = choose(posed, solving)
    asked.progress("optimise", 1, 1)
    found = Plan(scenario, proposal, chance, running.engine, count)
    rules: dict[str, RulePortfolio] = {}
    if not asked.one_shot:
        told = partial(asked.progress, "search")
        found.search = improve(posed, proposal, solving, progress=told)
        found.proposal, found.redecisions = found.search.proposal, found.search.redecisions
        rules = {ONE_SHOT: _one_shot_rule(scenario, proposal)}
        if found.search.failure:
            found.missing, found.failure = (_SEARCH,), found.search.failure
    loop = found.search if own else None
    try:
        with _telling_firmness(found, loop, running) as firmness:
            rules |= _simple_rules(found, posed, proposal)
            if own:
                rules |= _own_portfolios(found, Beside(posed, proposal, found.proposal, found.search, solving))
            _judge(found, rules, running, asked.progress)
            found.fresh = fresh_worth(scenario, found.proposal, count=max(count, FRESH), seed=chance, running=running)
            _await(found, firmness, asked.progress)
        quick = _quick(posed, solving)
        with _lacking(found, ASSUMED):
            found.survey = _survey(found, worlds, quick, posed.running, asked.progress)
        if loop is not None:
            with _lacking(found, WHAT_IF):
                _ask_what_if(found, loop, quick, posed.running, asked.progress)
    except (KeyboardInterrupt, SolverError) as error:
        simple = () if rules.keys() - set(OWN) else (_RULES,)
        firm = (FIRMNESS,) if own and found.redecisions else ()
        asks = (WHAT_IF,) if loop is not None and scenario.optimiser.what_if.repeats else ()
        known = (OPTIMISED, *rules, *simple, _FRESH, *firm, *([ASSUMED] if worlds else []), *asks)
        _lacks(found, tuple(name for name in known if not _is_done(found, name)), error)
    return found


def _lacks(found: Plan, names: tuple[str, ...], error: BaseException) -> None:
    """Say what is missing; of a failure also why."""
    found.missing = tuple(dict.fromkeys((*found.missing, *names)))
    if isinstance(error, RdsimError):
        found.failure = found.failure or str(error)


@contextmanager
def _lacking(found: Plan, name: str) -> Iterator[None]:
    """What fails here is missing, and what comes after it is done: a plan that is found is never lost."""
    try:
        yield
    except RdsimError as error:
        _lacks(found, (name,), error)


def _own_portfolios(found: Plan, beside: Beside) -> dict[str, RulePortfolio]:
    """The optimiser's own portfolios beside the plan; an interrupt or a solver that fails leaves out the rest."""
    made, names = dict[str, RulePortfolio](), dict.fromkeys(OWN[1:])
    try:
        for name, portfolio in beside.portfolios():
            del names[name]
            if portfolio is not None:
                made[name] = portfolio
    except (KeyboardInterrupt, SolverError) as error:
        _lacks(found, tuple(names), error)
    return made


def _one_shot_rule(scenario: Scenario, one: Proposal) -> RulePortfolio:
    return RulePortfolio(ONE_SHOT, one.portfolio, one.evaluation, one.payment_ratios, scenario)


_Firm = tuple[Redecisions, tuple[Swap, ...]]


@contextmanager
def _telling_firmness(found: Plan, loop: Loop | None, running: Running) -> Iterator[Future[_Firm | None]]:
    """Meanwhile it is worked out how firm a plan's decisions are; what is there in the end is kept, come what may."""
    with aside(partial(_firmness, found.proposal, loop, running), at_once=running.threads != 1) as firmness:
        try:
            yield firmness
        finally:
            if firmness.done() and not firmness.exception() and (told := firmness.result()):
                found.redecisions, found.swaps = told


def _firmness(plan: Proposal, loop: Loop | None, running: Running, go_on: Callable[[], None]) -> _Firm | None:
    """Re-decisions checked on fresh samples, and the plan's open choices compared with their rivals."""
    if loop is None or loop.redecisions is None or loop.basis is None:
        return None
    checked = check(loop.basis, math.ceil(len(loop.redecisions) / A_CHECK), go_on)
    told, scenario = replace(loop.redecisions, checks=checked), loop.basis.posed.scenario
    return told, swaps(scenario, plan.portfolio, told, seed=loop.basis.posed.seed, running=running, progress=go_on)


def _await(found: Plan, firmness: Future[_Firm | None], progress: Progress) -> None:
    """Wait until it is known how firm decisions are, which may take longer than all else that is told of a plan."""
    if not firmness.done():
        progress(FIRMNESS, 0, 1)
    try:
        if firmness.result():
            progress(FIRMNESS, 1, 1)
    except SolverError as error:
        _lacks(found, (FIRMNESS,), error)


def _simple_rules(found: Plan, posed: Instance, one_shot: Proposal) -> dict[str, RulePortfolio]:
    """The simple rules within the announced money, and with the plan's freedom if that is another."""
    announced = dict.fromkeys(found.scenario.programmes, 1.0)
    make = partial(baselines, found.scenario, one_shot, seed=found.seed, running=posed.running)
    rules = make(payment_ratios=announced)
    if not found.promises_more:
        return rules
    freer = make(payment_ratios=found.proposal.payment_ratios)
    return rules | {f"{name}{AT_PLAN_RATIOS}": rule for name, rule in freer.items()}


def _is_done(found: Plan, name: str) -> bool:
    if name == ASSUMED:
        return found.survey is not None
    if name == _FRESH:
        return found.fresh is not None
    if name == WHAT_IF:
        return False  # the last of all: nothing is interrupted after it
    if name == FIRMNESS:
        return bool(found.redecisions and found.redecisions.checks)
    return found.simulation is not None if name == OPTIMISED else name in found.comparisons


def _quick(posed: Instance, solving: Solving) -> Solving:
    """How decisions that are made again and again are solved."""
    known = solving_of(posed.scenario, solving)
    return replace(known, gap=max(known.gap or 0.0, _QUICK_GAP), effort="quick")


def _asks_for_worlds(scenario: Scenario) -> bool:
    return bool(scenario.assumptions and scenario.optimiser.assumptions.points)


def _survey(
    found: Plan, worlds: OpenWorlds | None, solving: Solving, running: Running, progress: Progress
) -> Survey | None:
    """Headlines in worlds within the bounds, and where those that have a sign turn it."""
    asked = found.scenario.optimiser.assumptions
    if worlds is None:
        return None
    rules = {name: one for name, one in found.comparisons.items() if name not in OWN and found.is_equal(one)}
    equal = [*([ONE_SHOT] if ONE_SHOT in found.comparisons else []), *rules]
    portfolios = {PLAN: found.proposal.portfolio, **{name: found.comparisons[name].rule.portfolio for name in equal}}
    luck = {one: _by_luck(found, one) for one in headlines_of(found.scenario, equal)}
    measuring = Measuring(asked.replications, found.seed, running)
    signed = [one for one in luck if one.figure == "npv" and one.rule != ONE_SHOT]
    looked = with_doubts(survey(worlds, portfolios, luck, measuring, asked.points, progress), signed)
    ranked = [one for one in luck if one.figure == "npv" and not one.rule] + _lead_over_best(found, signed)
    fine = measuring if running.engine == "simpy" else replace(measuring, replications=max(_FINE, asked.replications))
    looked = replace(looked, swings=swings_of(worlds, portfolios, ranked, fine, progress))
    deciding = Deciding(measuring, asked.samples, found.proposal.payment_ratios, solving=solving)
    return turning_points(looked, deciding, asked.repeats, asked.pairs, progress)


def _lead_over_best(found: Plan, leads: Sequence[Headline]) -> list[Headline]:
    """The plan's lead over the rule that is worth most, of those that may be chosen if there are any; none of none."""
    rules = {one: found.comparisons[one.rule] for one in leads if one.rule}
    sound = [one for one, rule in rules.items() if rule.rule.evaluation.feasible]
    return sorted(sound or rules, key=lambda one: -rules[one].npv.mean)[:1]


def _ask_what_if(found: Plan, loop: Loop, quick: Solving, running: Running, progress: Progress) -> None:
    """What would change the plan, part by part: what is finished stays, whatever becomes of the rest."""
    asked, scenario, plan = found.scenario.optimiser.what_if, found.scenario, found.proposal.portfolio
    if not asked.repeats:
        return
    told, measuring, basis = found.what_if, Measuring(asked.replications, found.seed, running), loop.basis
    near = np.ones(len(found.proposal.options.choices), bool) if basis is None else basis.choosable
    told.absences = absences(scenario, found.proposal, near, measuring, found.redecisions, quick, progress)
    told.lapse = lapse_by_cause(scenario, plan, measuring, progress)
    if basis is not None:
        told.changes = decide_changes(basis, plan, measuring, asked.repeats, progress)
    if any(choice.partner for choice in plan.choices):
        samples, ratios = scenario.optimiser.assumptions.samples, found.proposal.payment_ratios
        deciding = Deciding(measuring, samples, ratios, _alone(found), quick)
        deciding = replace(deciding, choices=choices_of_levels(scenario, basis, deciding))
        told.partners = partners_worth(scenario, plan, deciding, asked.repeats, progress)


def _alone(found: Plan) -> tuple[str, ...]:
    """The comparator without partners, of the plan's freedom; () for none."""
    rules = {name: one for name, one in found.comparisons.items() if name not in OWN and found.is_equal(one)}
    return tuple(name for name, one in rules.items() if one.rule.name == DOMESTIC_ONLY)


def _by_luck(found: Plan, headline: Headline) -> Interval:
    """A headline with its interval by luck, as it is reported."""
    assert found.simulation is not None  # noqa: S101 - the optimised portfolio is simulated first
    if headline.rule:
        return found.comparisons[headline.rule].difference
    return found.simulation.estimate(headline.figure)


def pose(scenario: Scenario, seed: int, solving: Solving = Solving(), running: Running = Running()) -> Refined:
    """The portfolio problem that a plan starts from: options near the relaxation's optimum are sampled further."""
    return refine(_instance(scenario, seed, running), solving)


def _instance(scenario: Scenario, seed: int, running: Running) -> Instance:
    """Options are sampled on the compiled engine, a hundred times as fast, unless a user's policy needs SimPy."""
    try:
        return build_instance(scenario, seed=seed, running=replace(running, engine="compiled"))
    except PolicyError:
        if running.engine == "compiled":
            raise
        return build_instance(scenario, seed=seed, running=running)


def _judge(found: Plan, rules: dict[str, RulePortfolio], running: Running, progress: Progress) -> None:
    run = _Run(found, 1 + len(rules), running, progress)
    found.simulation = run(partial(simulate, found.scenario, found.proposal.portfolio))
    for name, rule in rules.items():
        tables = run(partial(replication_tables, rule.world, rule.portfolio))
        found.comparisons[name] = _compare(found, rule, tables, len(rules))


@dataclass
class _Run:
    """Simulates policies one after another, telling how far all of them are."""

    found: Plan
    policies: int
    running: Running
    progress: Progress
    done: int = 0

    def __call__(self, job: Callable[..., T]) -> T:
        found = self.found
        return job(replications=found.replications, seed=found.seed, running=self.running, progress=self._tell)

    def _tell(self, more: int) -> None:
        self.done += more
        self.progress("simulate", self.done, self.policies * self.found.replications)


def _compare(found: Plan, rule: RulePortfolio, tables: ReplicationTables, comparisons: int) -> Comparison:
    best, other = found.worths(OPTIMISED), _npv(tables.expected)
    difference = paired_difference(best, other, found.confidence, comparisons)
    return Comparison(rule, *tables, mean_interval(other, found.confidence), difference)
