"""Who takes part in a benchmark: portfolios with a name, whoever made them.

===========  ===================================================================================================
given        a file's, a workbook's or a run's (`--portfolio`)
rule         of a simple rule, within the announced money, and with the plan's payment ratios if those are others
optimiser    the optimiser's own: without simulation, the plan of the loop, and what stands beside a plan
===========  ===================================================================================================

A portfolio that the call does not allow, for it funds domestic projects, is judged where the call allows them: all
luck is the same there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from rdsim.choice_rules import CHOOSING_RULES
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault, InputError, PortfolioError
from rdsim.folders import is_file, is_folder
from rdsim.optimiser import Solving
from rdsim.runs import portfolio_of
from rdsim.scenario import is_partner_required
from rdsim.search import (
    AT_PLAN_RATIOS,
    ONE_SHOT,
    Beside,
    Given,
    Instance,
    Loop,
    Proposal,
    Refined,
    RulePortfolio,
    baselines,
    choose,
    improve,
    rules_of,
)
from rdsim.tables import did_you_mean
from rdsim.titles import plan_title, portfolio_title, rule_title

__all__ = [
    "PLANNED",
    "Chosen",
    "Entrant",
    "Kind",
    "choose_all",
    "fitting",
    "given_entrants",
    "require_portfolios",
    "require_rules",
]

Kind = Literal["given", "rule", "optimiser"]

PLANNED = "plan"
"""Name of the plan that the loop finds."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Entrant:
    """A portfolio that takes part: what it is called in files (`name`) and on pages (`title`), and who made it."""

    name: str
    title: str
    kind: Kind
    portfolio: Portfolio
    world: Scenario
    """The scenario in which it is allowed, and simulated."""
    source: str
    seconds: float | None = None
    """That it took to make, beyond what all share: stating the problem."""

    allowed: bool = True
    """False if the call forbids it: it funds domestic projects where a partner is required, and its world lets it."""


# --- portfolios that are given ------------------------------------------------------------------------


def given_entrants(paths: Sequence[Path], scenario: Scenario) -> tuple[Entrant, ...]:
    """The portfolios of files, workbooks and runs, in a scenario.

    Raises InputError with every fault of all of them.
    """
    faults, found, names = list[Fault](), list[Entrant](), set[str]()
    for path in paths:
        try:
            known, world = _read(path, scenario)
        except InputError as error:
            faults += [replace(one, where=_where(path, one.where)) for one in error.faults]
            continue
        name = _free_name(_name_of(path), names)
        title = name if len(paths) == 1 or name == _name_of(path) else f"{name} ({path.as_posix()})"
        title, portfolio = title.replace("_", " "), replace(known.portfolio, name=name)
        allowed = world is scenario
        found.append(Entrant(name, title, "given", portfolio, world, path.as_posix(), allowed=allowed))
    if faults:
        raise PortfolioError(tuple(dict.fromkeys(faults)))
    return tuple(found)


def fitting(paths: Iterable[Path], scenario: Scenario) -> list[Path]:
    """Those whose portfolio fits a scenario."""
    return [path for path in paths if not _faults_of(path, scenario)]


def require_portfolios(paths: Iterable[Path], scenarios: Sequence[Scenario]) -> None:
    """Raise PortfolioError with every fault of every portfolio that fits none of some scenarios.

    Of several scenarios the faults are those of the one that it fits best.
    """
    faults = list[Fault]()
    for path in paths:
        by_scenario = sorted((_faults_of(path, one) for one in scenarios), key=len)
        faults += by_scenario[0]
    if faults:
        raise PortfolioError(tuple(dict.fromkeys(faults)))


def _faults_of(path: Path, scenario: Scenario) -> tuple[Fault, ...]:
    try:
        _read(path, scenario)
    except InputError as error:
        return tuple(replace(one, where=_where(path, one.where)) for one in error.faults)
    return ()


def _where(path: Path, where: str) -> str:
    """Where a fault is, with the folder of the file: several may have one name."""
    return where if str(path) in where else where.replace(path.name, str(path), 1) if path.name in where else where


def _read(path: Path, scenario: Scenario) -> tuple[Given, Scenario]:
    """A portfolio, and the scenario that allows it: domestic projects are let in where that alone is amiss."""
    if not (is_file(path) or is_folder(path)):
        raise InputError((Fault(str(path), "must be a CSV file, a workbook or the folder of a run", "nothing there"),))
    try:
        return portfolio_of(path, scenario), scenario
    except PortfolioError:
        freer = _with_domestic(scenario)
        if freer is scenario:
            raise
        return portfolio_of(path, freer), freer


def _with_domestic(scenario: Scenario) -> Scenario:
    required = any(is_partner_required(scenario, name) for name in scenario.programmes)
    return scenario.with_({"domestic": "allowed"}) if required else scenario


def _name_of(path: Path) -> str:
    """Of a run's own file the run's name, for all of them are called alike."""
    whole = path.resolve()
    stem = whole.name if is_folder(path) else whole.parent.name if whole.stem == "portfolio" else whole.stem
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "portfolio"


def _free_name(name: str, names: set[str]) -> str:
    """The name, or with a number behind it if it is taken; it is taken then."""
    taken = {*names, PLANNED, ONE_SHOT, *CHOOSING_RULES}
    found = next(one for one in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if one not in taken)
    names.add(found)
    return found


# --- portfolios that are made --------------------------------------------------------------------------


def require_rules(names: Iterable[str]) -> None:
    """Raise InputError with every name that no rule for choosing has."""
    rule = "must be the name of a rule for choosing"
    unknown = [name for name in names if name not in CHOOSING_RULES]
    if unknown:
        faults = (Fault("--rule", rule, repr(name), did_you_mean(name, CHOOSING_RULES)) for name in unknown)
        raise InputError(tuple(faults))


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen in a scenario: the entrants that were made, and what the others are measured by."""

    entrants: tuple[Entrant, ...]
    one_shot: Proposal
    plan: Proposal
    loop: Loop | None

    @property
    def payment_ratios(self) -> dict[str, float]:
        """By programme, those that the plan was chosen with: equal promises are at these."""
        return dict(self.plan.payment_ratios)


def choose_all(
    posed: Refined, rules: Sequence[str], solving: Solving, progress: Callable[[int, int], None], *, loop: bool
) -> Chosen:
    """The optimiser's portfolios and those of simple rules; without `loop` the plan is the choice without simulation.

    `rules` are names; none: all that the scenario's plans are compared with. Raises InfeasibleError and SolverError as
    `choose`.
    """
    one_shot, taken = _with_time(partial(choose, posed, solving))
    made = [_own(ONE_SHOT, portfolio_title(ONE_SHOT), one_shot.portfolio, posed, taken)]
    found, plan = None, one_shot
    if loop:
        found, taken = _with_time(partial(improve, posed, one_shot, solving, progress=progress))
        plan = found.proposal
        made.append(_own(PLANNED, plan_title(), plan.portfolio, posed, taken))
        made += _beside(Beside(posed, one_shot, plan, found, solving))
    made += _of_rules(posed, one_shot, plan, tuple(rules) or rules_of(posed.scenario))
    return Chosen(tuple(_without_twins(made)), one_shot, plan, found)


def _own(name: str, title: str, portfolio: Portfolio, posed: Instance, seconds: float | None) -> Entrant:
    source = "rdsim's optimiser" if name != PLANNED else "rdsim's loop of optimiser and simulation"
    return Entrant(name, title, "optimiser", replace(portfolio, name=name), posed.scenario, source, seconds)


def _beside(beside: Beside) -> Iterator[Entrant]:
    for name, one in beside.portfolios():
        if one is not None:
            yield _own(name, portfolio_title(name), one.portfolio, beside.posed, None)


def _of_rules(posed: Refined, one_shot: Proposal, plan: Proposal, names: Sequence[str]) -> Iterator[Entrant]:
    """Within the announced money, and with the plan's payment ratios if these are others."""
    announced = dict.fromkeys(posed.scenario.programmes, 1.0)
    freedoms = [("", announced)]
    if any(abs(ratio - 1.0) > 1e-9 for ratio in plan.payment_ratios.values()):
        freedoms.append((AT_PLAN_RATIOS, dict(plan.payment_ratios)))
    for ending, ratios in freedoms:
        make = partial(
            baselines, posed.scenario, one_shot, payment_ratios=ratios, seed=posed.seed, running=posed.running
        )
        for name in names:
            rules, taken = _with_time(partial(make, names=[name]))
            yield _of_rule(f"{name}{ending}", rules[name], posed.scenario, taken)


def _of_rule(name: str, rule: RulePortfolio, scenario: Scenario, seconds: float) -> Entrant:
    named, told = replace(rule.portfolio, name=name), f"the rule {rule_title(rule.name)}"
    return Entrant(name, portfolio_title(name), "rule", named, rule.world, told, seconds, rule.world is scenario)


def _without_twins(made: Iterable[Entrant]) -> Iterator[Entrant]:
    """Each portfolio once, by the first name that it has; a plan that is the choice without simulation says so."""
    found = dict[object, Entrant]()
    for one in made:
        twin = found.setdefault(one.portfolio.choices, one)
        if twin is not one and one.name == PLANNED:
            found[one.portfolio.choices] = replace(twin, title=f"{one.title} ({twin.title})")
    return iter(found.values())


def _with_time(job: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return job(), time.perf_counter() - began
