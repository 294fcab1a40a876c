"""Propose portfolios: sample every option alone, state the problem, solve it; and the simple rules beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from rdsim import portfolio
from rdsim import scenario as scenarios
from rdsim.arguments import check_arguments, refuse, whole_faults
from rdsim.arrays import Floats
from rdsim.brief import html_table
from rdsim.choice_rules import CHOOSING_RULES, DOMESTIC_ONLY
from rdsim.domain import Choice, Portfolio, RiskSettings, Scenario
from rdsim.errors import InfeasibleError, SolverError
from rdsim.families import row_words
from rdsim.formulation import budget_rows, state, values
from rdsim.optimiser import (
    Evaluation,
    PortfolioProblem,
    Solution,
    Solving,
    Status,
    Termination,
    evaluate,
    require,
    solve,
)
from rdsim.optimiser.adapters import Solver, solver_of
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.optimiser.questions.conflicts import NOTHING_IN_CONFLICT, diagnosis, without_values
from rdsim.optimiser.questions.risk_conflicts import Words, risk_diagnosis
from rdsim.optimiser.solving.appraisal import Appraisal, Risk, SampledRow, appraise
from rdsim.optimiser.solving.baselines import run_baseline
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.options import Options, candidates, sample
from rdsim.scenario import is_partner_required
from rdsim.search.quick import soon
from rdsim.search.views import at_ratios, payment_ratios
from rdsim.simulation import Running
from rdsim.stats import Interval, mean_interval
from rdsim.streams import JUDGING, SAMPLING
from rdsim.words import conflict_words, relaxation_words

__all__ = [
    "Instance",
    "Proposal",
    "RulePortfolio",
    "baselines",
    "build_instance",
    "choose",
    "choose_soon",
    "fresh_values",
    "fresh_worth",
    "optimise",
    "portfolio_of",
    "risk_of",
    "rules_of",
    "solution_of",
    "solving_of",
    "unproven",
    "world_of_rule",
]


@dataclass(frozen=True, eq=False)
class Instance:
    """A scenario's portfolio problem, and the sampled options that it was stated from."""

    scenario: Scenario
    options: Options
    problem: PortfolioProblem
    samples: int
    seed: int
    running: Running = Running()

    def __repr__(self) -> str:
        return f"Instance {self.scenario.name}: {self.problem!r}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Proposal:
    """An optimised portfolio, with all that it rests on."""

    portfolio: Portfolio
    options: Options
    problem: PortfolioProblem
    solution: Solution
    evaluation: Evaluation
    samples: int
    appraisal: Appraisal | None = None
    """What the samples say of it, if the scenario asks anything of them."""
    payment_ratios: Mapping[str, float] = field(default_factory=dict)
    """By programme, the multiple of every year's announced money that its budget rows let expected payments reach."""
    source: str = ""
    """Whose portfolio it is, if it was given; else the optimiser's."""
    best_known: float = math.nan
    """Beside a portfolio that was given: what the best found under the same rows comes to, options alone."""

    def __repr__(self) -> str:
        return f"Proposal of {self.portfolio!r}; {self.solution!r}"

    def _repr_html_(self) -> str:
        """The proposal in a notebook."""
        solution = self.solution
        rows = [
            ("expected value, options alone", f"{self.evaluation.objective:,.4g}"),
            ("solver", f"{solution.status.value} by {solution.solver}, gap {solution.gap:.2%}"),
            ("samples behind each option", self.samples),
            *((f"payment ratio of {name}", f"{ratio:.2f}") for name, ratio in self.payment_ratios.items()),
        ]
        return self.portfolio._repr_html_() + html_table("Proposal", (), rows)

    @property
    def objective(self) -> float:
        """What the aim comes to, options alone, in the scenario's unit of money."""
        return self.solution.objective

    @property
    def bound(self) -> float:
        """No portfolio under the same rows comes to more; infinite if nothing is proven."""
        return self.solution.bound

    @property
    def gap(self) -> float:
        """(bound - objective) / |objective|."""
        return self.solution.gap


@dataclass(frozen=True, eq=False)
class RulePortfolio:
    """A portfolio beside the plan, judged by rows at its own payment ratios."""

    name: str
    portfolio: Portfolio
    evaluation: Evaluation
    payment_ratios: Mapping[str, float]
    world: Scenario
    """The scenario in which it is allowed, and simulated, see `world_of_rule`."""

    def __repr__(self) -> str:
        return f"Rule {self.name}: {self.portfolio!r}, expected value {self.evaluation.objective:,.4g}"


@check_arguments("scenario")
def optimise(
    scenario: Scenario,
    *,
    samples: int | None = None,
    seed: int | None = None,
    solving: Solving = Solving(),
    running: Running = Running(),
) -> Proposal:
    """Sample the options, state the problem and solve it; what is left out comes from the scenario.

    `samples` are the replications behind each option, drawn with `seed`; `solving` says by which solver, to which gap
    and with how much effort, `running` on which engine the options are simulated. What comes back is the portfolio, and
    beside it what the solver said: objective, bound and gap.

    Raises: InfeasibleError if no portfolio satisfies every row, SolverError if no answer came; InputError for numbers
    that cannot be and what is of another type.

    >>> import rdsim
    >>> scenario = rdsim.examples.medical_ai()
    >>> found = rdsim.optimise(scenario, samples=50)
    >>> len(found.portfolio), found.gap <= 0.01
    (3, True)
    """
    return choose(build_instance(scenario, samples=samples, seed=seed, running=running), solving)


@check_arguments("scenario")
def build_instance(
    scenario: Scenario,
    *,
    samples: int | None = None,
    seed: int | None = None,
    running: Running = Running(),
    choices: tuple[Choice, ...] | None = None,
) -> Instance:
    """Sample the options and state the problem; what is left out comes from the scenario.

    `choices` are the options, some of `rdsim.options.candidates`, without ranks; by default all of these.
    Raises ScenarioError for a scenario that no files could hold, InputError for numbers that cannot be.
    """
    scenario = scenarios.sound(scenario)
    refuse(*whole_faults(("samples", samples, 1, SAMPLING.size), ("seed", seed, 0, 2**63)))
    count = scenario.optimiser.samples if samples is None else samples
    chance = scenario.simulation.seed if seed is None else seed
    options = sample(
        scenario,
        candidates(scenario) if choices is None else choices,
        samples=count,
        seed=chance,
        each_payment=scenario.optimiser.risk.money != "expected",
        running=running,
    )
    return Instance(scenario, options, state(scenario, options), count, chance, running)


def choose(posed: Instance, solving: Solving = Solving()) -> Proposal:
    """Solve the problem: by expected values, or by what the scenario asks sample by sample."""
    scenario, options, problem, risk = posed.scenario, posed.options, posed.problem, risk_of(posed)
    solution = solution_of(posed, solving)
    chosen = solution.chosen
    return Proposal(
        portfolio_of(scenario, options, chosen, "optimised"),
        options,
        problem,
        solution,
        evaluate(problem, chosen),
        posed.samples,
        None if risk is None else appraise(problem, risk, chosen),
        payment_ratios(scenario),
    )


def choose_soon(posed: Instance, solving: Solving = Solving()) -> Proposal:
    """A portfolio near the optimum, soon (`rdsim.search.quick`), of which nothing is proven: for many decisions.

    Raises: as `choose`, if there is none.
    """
    scenario, options, problem, risk = posed.scenario, posed.options, posed.problem, risk_of(posed)
    chosen = soon(problem, (), solving_of(scenario, solving), risk)
    if chosen is None:
        return choose(posed, solving)  # says what cannot be, and why
    judged = evaluate(problem, chosen)
    appraisal = None if risk is None else appraise(problem, risk, chosen)
    return Proposal(
        portfolio_of(scenario, options, chosen, "optimised"),
        options,
        problem,
        unproven(judged, appraisal, "near"),
        judged,
        posed.samples,
        appraisal,
        payment_ratios(scenario),
    )


def unproven(judged: Evaluation, appraisal: Appraisal | None, method: str) -> Solution:
    """A portfolio as a solution of which nothing is proven; `method` is how it was come by."""
    return Solution(
        chosen=judged.chosen,
        opened=judged.opened,
        status=Status.FEASIBLE,
        termination=Termination.STOPPED,
        objective=judged.objective if appraisal is None else appraisal.objective,
        bound=math.inf,
        gap=math.inf,
        solver="none",
        version="",
        method=method,
    )


def solving_of(scenario: Scenario, solving: Solving) -> Solving:
    """How the scenario's problems are solved: its own gap and effort where none is named."""
    effort = scenario.optimiser.effort if solving.effort is None else solving.effort
    return replace(solving.to_gap(scenario.optimiser.gap), effort=effort)


def solution_of(posed: Instance, solving: Solving = Solving()) -> Solution:
    """The solver's answer, with a portfolio. Raises InfeasibleError if there is none, SolverError if none was found."""
    problem, risk = posed.problem, risk_of(posed)
    solving = solving_of(posed.scenario, solving)
    solution = solve(problem, solving) if risk is None else solve_risk(problem, risk, solving)
    if solution.status is Status.INFEASIBLE:
        raise InfeasibleError(_reason(posed.scenario, problem, risk, solving.solver))
    if risk is not None and solution.status is Status.NO_ANSWER and solution.termination is not Termination.TIME_LIMIT:
        found = "none was found, which is no proof"
        raise InfeasibleError(f"{found}; {_reason(posed.scenario, problem, risk, solving.solver)}")
    return require(solution)


# --- risk -----------------------------------------------------------------------------------------


def risk_of(posed: Instance) -> Risk | None:
    """What the scenario asks of the samples; None if expected values are all that counts."""
    settings = posed.scenario.optimiser.risk
    if not settings.needs_samples:
        return None
    money = tuple(_money_rows(posed, settings))
    return Risk(settings.level, settings.weight, settings.floor, settings.target, settings.probability, money)


def _money_rows(posed: Instance, settings: RiskSettings) -> list[SampledRow]:
    """One for each line and year with money to hold: what every option is paid in each sample.

    In a year for which nothing is announced, what is left of the years before is there, at the rate of carrying over:
    payments of all these years count, each at that rate, against the money of all of them.

    Model: R24.
    """
    if settings.money == "expected" or posed.options.paid is None:
        return []
    scenario, choices, caps = posed.scenario, posed.options.choices, posed.problem.rows.cap
    lines = np.array([scenario.technologies[choice.technology].programme for choice in choices])
    rows, years = budget_rows(scenario, posed.problem), range(scenario.start_year, scenario.horizon_year + 1)
    found = []
    for name, line in scenario.programmes.items():
        spent, money = np.zeros(posed.options.paid.shape[:2]), 0.0
        for row, year in zip(rows[name], years, strict=True):
            use = np.where(lines == name, posed.options.paid[:, :, year - scenario.start_year], 0.0).astype(np.float64)
            spent, money = line.carry_over * spent + use, line.carry_over * money + float(caps[row])
            if use.any():
                carried = caps[row] == 0.0 < money
                how = settings.money, settings.money_level
                found.append(SampledRow(row, spent, *how, money) if carried else SampledRow(row, use, *how))
    return found


def fresh_values(posed: Instance, index: int, count: int, options: Sequence[int] | None = None) -> Floats:
    """Values in other worlds, shape (count, options): drawn as those of the problem were, by default of all options.

    Worlds of different `index` are independent of one another, of the samples behind the options and of every
    evaluation, for each index has a seed of its own.
    """
    choices = posed.options.choices
    some = choices if options is None else tuple(choices[o] for o in options)
    seed = stream_seed(posed.seed, index)
    again = sample(posed.scenario, some, samples=count, seed=seed, running=posed.running)
    return values(posed.scenario, again)


def fresh_worth(
    scenario: Scenario,
    proposal: Proposal,
    *,
    count: int,
    seed: int,
    running: Running = Running(),
) -> Interval:
    """What the optimiser expects of its portfolio, on samples that did not choose it: the rest was optimism."""
    posed = Instance(scenario, proposal.options, proposal.problem, proposal.samples, seed, running)
    evaluation = proposal.evaluation
    same = evaluation.opening + evaluation.synergy - evaluation.shortfall
    worth = fresh_values(posed, JUDGING.first, count, proposal.solution.chosen).sum(axis=1) + same
    return mean_interval(worth, scenario.simulation.confidence)


def portfolio_of(scenario: Scenario, options: Options, chosen: tuple[int, ...], name: str) -> Portfolio:
    """The portfolio of some options, by index, in the scenario's order of priority."""
    return portfolio.with_ranks(Portfolio(tuple(options.choices[o] for o in chosen), name), scenario)


def _reason(scenario: Scenario, problem: PortfolioProblem, risk: Risk | None, solver: str | Solver) -> str:
    """The smallest conflict and the cheapest ways out; what cheap bounds say where the solver has no answer in time.

    Where rows alone can be kept, it is what is asked of the samples that cannot.
    """
    tell_relaxation = partial(relaxation_words, scenario)
    try:
        if risk is not None and solve(without_values(problem), Solving(solver=solver, gap=0.9)).has_portfolio:
            words = Words(scenario.money_unit, partial(row_words, scenario), tell_relaxation)
            return risk_diagnosis(problem, risk, solving=Solving(solver=solver), words=words)
        found = diagnosis(
            problem,
            solving=Solving(solver=solver),
            tell_conflict=partial(conflict_words, scenario),
            tell_relaxation=tell_relaxation,
        )
    except SolverError:
        faults = [f"  {fault}" for fault in scenarios.check(scenario)]
        listed = "\n".join(["the scenario asks for what cannot be:", *faults])
        return listed if faults else "the solver proved it, but found no conflict to name in time"
    if not found:
        raise SolverError(solver_of(solver).name, NOTHING_IN_CONFLICT)
    return found


def rules_of(scenario: Scenario) -> tuple[str, ...]:
    """Simple rules that plans are compared with: those that came with rdsim, and those that the scenario has a table
    for, ``[rules.NAME]``."""
    own = (name for name in scenario.rules if name not in CHOOSING_RULES.built_in)
    return (*(name for name in CHOOSING_RULES if name in CHOOSING_RULES.built_in), *own)


def _parameters(scenario: Scenario, name: str) -> dict[str, Any]:
    """Values of a rule's own parameters, by name."""
    rule = CHOOSING_RULES[name]
    return dict(zip((one.name for one in rule.parameters), rule.values(scenario.rules.get(name, {})), strict=True))


def baselines(
    scenario: Scenario,
    proposal: Proposal,
    *,
    payment_ratios: Mapping[str, float] | None = None,
    seed: int | None = None,
    names: Iterable[str] | None = None,
    running: Running = Running(),
) -> dict[str, RulePortfolio]:
    """The portfolio of every simple rule (`rules_of`), or of those that are named, on the same options and rows; budget
    rows at other payment ratios if given.

    A rule that is compared with a plan needs the plan's freedom: who may promise more money gets more of everything.
    `running` is how options are sampled that the proposal has not (see `world_of_rule`).
    """
    ratios = proposal.payment_ratios if payment_ratios is None else payment_ratios
    problem = at_ratios(scenario, proposal.problem, ratios, proposal.payment_ratios)
    chance = scenario.simulation.seed if seed is None else seed
    rules = {}
    for name in rules_of(scenario) if names is None else names:
        world = world_of_rule(scenario, name)
        posed = (proposal.options, problem) if world is scenario else _at_home(world, proposal, ratios, chance, running)
        rules[name] = _portfolio_of_rule(world, name, posed, ratios, chance)
    return rules


def world_of_rule(scenario: Scenario, name: str) -> Scenario:
    """The scenario in which a rule's portfolio is made and simulated: itself, but where the call requires a foreign
    partner and the rule takes none. Then domestic projects are allowed in it; all luck is the same."""
    required = any(is_partner_required(scenario, one) for one in scenario.programmes)
    if name != DOMESTIC_ONLY or not required:
        return scenario
    return scenario.with_({"domestic": "allowed"})


def _at_home(
    world: Scenario, proposal: Proposal, ratios: Mapping[str, float], seed: int, running: Running
) -> tuple[Options, PortfolioProblem]:
    """The domestic options of a world, as many samples of each as of those of a proposal, and their problem."""
    choices = candidates(world, abroad=False)
    options = sample(world, choices, samples=len(proposal.options.npv), seed=seed, running=running)
    return options, at_ratios(world, state(world, options), ratios)


def _portfolio_of_rule(
    world: Scenario, name: str, posed: tuple[Options, PortfolioProblem], ratios: Mapping[str, float], seed: int
) -> RulePortfolio:
    options, problem = posed
    scores = [technology.score for technology in world.technologies.values()]
    technologies = [world.technologies[choice.technology] for choice in options.choices]
    told = {"choices": list(options.choices), "technologies": technologies, "options": options, "scenario": world}
    chosen = run_baseline(name, problem, options.award, scores, seed, told | _parameters(world, name))
    return RulePortfolio(name, portfolio_of(world, options, chosen, name), evaluate(problem, chosen), ratios, world)
