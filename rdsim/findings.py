"""What a plan found, as the tables and sentences of its report."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rdsim.case import DAYS_PER_MONTH, DAYS_PER_YEAR, call_day, hosts
from rdsim.domain import Choice, Institute, Judgement, Partner, Programme, Scenario, Technology
from rdsim.explaining import screen_table
from rdsim.planning import Plan
from rdsim.report import PlanReport
from rdsim.scenario import cost, target
from rdsim.search import Loop, Proposal
from rdsim.simulation import Simulation
from rdsim.stats import Interval, mean_interval

__all__ = ["describe_plan", "describe_proposal", "describe_simulation", "gather", "notes"]

_NEXT_TO_NOTHING = 1e-3
"""A proven loss below this share of the loss that was found is as good as none."""


def gather(found: Plan, manifest: Mapping[str, object]) -> PlanReport:
    """The report's tables. The plan must have its optimised portfolio simulated."""
    simulation = found.simulation
    if simulation is None:
        raise ValueError("a report needs the optimised portfolio simulated")
    scenario = found.scenario
    return PlanReport(
        title=scenario.title,
        description=scenario.description,
        money_unit=scenario.money_unit,
        confidence=found.confidence,
        start_year=scenario.start_year,
        horizon_year=scenario.horizon_year,
        manifest=dict(manifest),
        technologies=_technologies(found),
        projects=_named(scenario, simulation.projects),
        replications=simulation.replications,
        budget=_named(scenario, simulation.purses),
        plan=_plan(found),
        international=simulation.international,
        targets=_targets(scenario),
        policies=_policies(found),
        sources=_sources(scenario),
    )


def _named(scenario: Scenario, table: pd.DataFrame) -> pd.DataFrame:
    """The table with names for people instead of the ids of programmes, fields and modes."""
    names = {
        "programme": {code: line.name for code, line in scenario.programmes.items()},
        "field": {code: field.name for code, field in scenario.fields.items()},
        "mode": {code: mode.name for code, mode in scenario.modes.items()},
    }
    return table.assign(**{name: table[name].astype(str).map(names[name]) for name in names if name in table})


def _technologies(found: Plan) -> pd.DataFrame:
    """A row for each candidate: what it is, and what became of it in the portfolio and the simulation."""
    scenario, proposal = found.scenario, found.proposal
    funded = {choice.technology: choice for choice in proposal.portfolio.choices}
    expected, why_not = _expected(proposal), _why_not(scenario, proposal)
    rows = [
        _candidate(scenario, name, funded.get(name), expected) | {"note": why_not.get(name, "")}
        for name in scenario.technologies
    ]
    table = pd.DataFrame(rows)
    return table.merge(_simulated(found), on="technology", how="left")


def _expected(proposal: Proposal) -> dict[Choice, float]:
    options = proposal.options
    return dict(zip(options.choices, options.expected.tolist(), strict=True))


def _candidate(
    scenario: Scenario, name: str, choice: Choice | None, expected: Mapping[Choice, float]
) -> dict[str, object]:
    row = scenario.technologies[name]
    partner = scenario.partners.get(choice.partner) if choice else None
    mine = {option: value for option, value in expected.items() if option.technology == name}
    value = _value_of(choice, mine)
    return {
        "technology": name,
        "name": row.name,
        "programme": scenario.programmes[row.programme].name,
        "field": scenario.fields[row.field].name,
        "trl": row.trl,
        "trl_target": target(scenario, row),
        "cost": cost(scenario, row),
        "score": row.score,
        "source": row.source,
        "institute": scenario.institutes[row.institute].name if row.institute else "",
        "funded": choice is not None,
        "partner": choice.partner if choice else "",
        "partner_name": partner.name if partner else "",
        "mode": scenario.modes[choice.mode].name if choice else "",
        "start_year": choice.start_year if choice else None,
        "rank": choice.rank if choice else None,
        "expected_value": value,
    }


def _value_of(choice: Choice | None, mine: Mapping[Choice, float]) -> float:
    """Expected value of the chosen option, or of the best one of a technology that is not funded; nan for none."""
    if choice is None:
        return max(mine.values(), default=float("nan"))
    return next(value for option, value in mine.items() if _same(option, choice))


def _same(option: Choice, choice: Choice) -> bool:
    """Whether they differ in rank at most."""
    return (option.partner, option.mode, option.start_year) == (choice.partner, choice.mode, choice.start_year)


def _why_not(scenario: Scenario, proposal: Proposal) -> dict[str, str]:
    """For each technology that is not funded, what is known without solving again."""
    table = screen_table(scenario, proposal)
    return {row["technology"]: row["reason"] or _price_of(scenario, row) for row in table.to_dict("records")}


def _price_of(scenario: Scenario, row: Mapping[Hashable, Any]) -> str:
    """What funding it would cost in expected value, between what is proven and what a simple exchange would lose."""
    least, most = row["loss_at_least"], row["loss_found"]
    unit, proven = scenario.money_unit, least > _NEXT_TO_NOTHING * max(abs(most), 1.0)
    why = "others make better use of the money, starts or places that it needs"
    if row["value_alone"] <= 0:
        why = "its best option is expected to bring less than it costs"
    if np.isnan(most):
        price = f"cost at least {least:,.3g} {unit} of expected value" if proven else "displace more than one other"
    elif most < _NEXT_TO_NOTHING:
        price = "cost next to nothing"
    else:
        price = f"cost {f'{least:,.3g} to' if proven else 'at most'} {most:,.3g} {unit} of expected value"
    return f"{why}; funding it would {price}"


def _simulated(found: Plan) -> pd.DataFrame:
    """Shares of replications in which each funded technology reached its target and the market."""
    assert found.simulation is not None  # noqa: S101 - `gather` has looked
    projects = found.simulation.projects
    hits = pd.DataFrame(
        {
            "technology": projects["technology"].astype(str),
            "p_target": projects["end_state"] == "target",
            "p_market": projects["market_time"].notna(),
        }
    )
    return hits.groupby("technology", as_index=False).mean()


def _plan(found: Plan) -> pd.DataFrame:
    """Money by programme and year: announced, expected by the optimiser, and promised in full awards."""
    scenario, options = found.scenario, found.proposal.options
    chosen = list(found.proposal.solution.chosen)
    years = range(scenario.start_year, scenario.horizon_year + 1)
    promised = _promised(found)
    rows = []
    for code, line in scenario.programmes.items():
        mine = [o for o in chosen if scenario.technologies[options.choices[o].technology].programme == code]
        planned = options.payments[mine].sum(axis=0) + (_network(found) if code == scenario.network.programme else 0.0)
        for y, year in enumerate(years):
            announced = line.budget.get(year, 0.0)
            rows.append((line.name, year, announced, float(planned[y]), promised.get((code, year), 0.0)))
    return pd.DataFrame(rows, columns=["programme", "year", "announced", "planned", "promised"])


def _promised(found: Plan) -> dict[tuple[str, int], float]:
    """Whole awards by programme and year, as if every tranche were paid on its first possible day."""
    scenario, options = found.scenario, found.proposal.options
    total: dict[tuple[str, int], float] = {}
    for o in found.proposal.solution.chosen:
        choice = options.choices[o]
        code = scenario.technologies[choice.technology].programme
        for year, share in _instalments(scenario, scenario.programmes[code], choice.start_year):
            total[code, year] = total.get((code, year), 0.0) + share * float(options.award[o])
    return total


def _instalments(scenario: Scenario, line: Programme, start_year: int) -> Iterator[tuple[int, float]]:
    months = call_day(scenario, line) / DAYS_PER_MONTH
    for tranche in line.tranches:
        yield start_year + int(months * DAYS_PER_MONTH // DAYS_PER_YEAR), tranche.share
        months += tranche.months


def _network(found: Plan) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Opening and running cost of the opened partners by year, from the rows that the optimiser used."""
    scenario, problem = found.scenario, found.proposal.problem
    years, stages = found.proposal.options.payments.shape[1], len(problem.stage_names)
    columns = [p * stages + s for p, s in found.proposal.evaluation.opened.items()]
    cost = np.zeros(years)
    for r, name in enumerate(problem.rows.names):
        if problem.rows.family[r] == "budget" and name.startswith(f"budget {scenario.network.programme} "):
            use = problem.rows.opening_use[[r], :].toarray().ravel()
            cost[int(name.rsplit(" ", 1)[1]) - scenario.start_year] = use[columns].sum()
    return cost


def _targets(scenario: Scenario) -> pd.DataFrame:
    return pd.DataFrame(sorted(scenario.international.share_floor.items()), columns=["year", "floor"])


def _policies(found: Plan) -> pd.DataFrame:
    assert found.simulation is not None  # noqa: S101 - `gather` has looked
    tables = {"optimised": found.simulation.replications}
    tables |= {name: comparison.replications for name, comparison in found.comparisons.items()}
    return pd.concat(
        [table[["replication", "npv"]].assign(policy=name) for name, table in tables.items()], ignore_index=True
    )


def _sources(scenario: Scenario) -> pd.DataFrame:
    """Where rows and figures come from, as the scenario says it."""
    rows = [("calibration in use", scenario.calibration, scenario.calibrations[scenario.calibration].source)]
    tables: tuple[tuple[str, Iterable[Technology | Partner | Institute | Judgement]], ...] = (
        ("technologies", scenario.technologies.values()),
        ("partners", scenario.partners.values()),
        ("institutes", scenario.institutes.values()),
        ("judgements", scenario.judgements),
    )
    for table, items in tables:
        sources = pd.Series([item.source or "not stated" for item in items], dtype=object).value_counts()
        rows += [(table, f"{count} rows", str(source)) for source, count in sources.items()]
    frame = pd.DataFrame(rows, columns=["table", "item", "source"])
    return frame.assign(grade=[_grade(source) for source in frame["source"]])


def _grade(source: str) -> str:
    """The grade that a source states, or that follows from its kind."""
    for grade in ("published", "derived", "assumed"):
        if grade in source.lower():
            return grade
    return "published" if source.startswith(("seed", "press")) else "assumed"


# --- sentences ------------------------------------------------------------------------------------


def _money(interval: Interval, unit: str, confidence: float) -> str:
    return f"{interval.mean:,.0f} {unit} ({confidence:.0%} interval {interval.low:,.0f} to {interval.high:,.0f})"


def describe_proposal(scenario: Scenario, proposal: Proposal) -> str:
    """A few lines for the terminal."""
    solution, portfolio = proposal.solution, proposal.portfolio
    joint = sum(bool(choice.partner) for choice in portfolio.choices)
    opened = [proposal.problem.partner_names[p] for p in sorted(proposal.evaluation.opened)]
    gap = f"{solution.gap:.2%}" if np.isfinite(solution.gap) else "unknown"
    return "\n".join(
        [
            f"{len(proposal.options.choices):,} eligible options, each simulated alone {proposal.samples} times",
            f"{solution.solver} {solution.version}: {solution.status} ({solution.termination}), proven gap {gap}, "
            f"{solution.seconds.total:.1f} s",
            _aim(scenario, proposal),
            f"funded {len(portfolio.choices)} of {len(scenario.technologies)} technologies, {joint} with a partner; "
            f"partners opened: {', '.join(opened) or 'none'}",
        ]
    )


def _aim(scenario: Scenario, proposal: Proposal) -> str:
    solution, found, unit = proposal.solution, proposal.appraisal, scenario.money_unit
    if found is None:
        return f"expected net value {solution.objective:,.1f}, at most {solution.bound:,.1f} {unit}"
    risk = scenario.optimiser.risk
    held = "".join(f"; {rule.name} {rule.value:,.1f} ({rule.sense} {rule.limit:,.1f})" for rule in found.rules[:3])
    more = f" and {len(found.rules) - 3} more rules" if len(found.rules) > 3 else ""
    return (
        f"aim {solution.objective:,.1f}, at most {solution.bound:,.1f} {unit}: expected value {found.mean:,.1f}, CVaR "
        f"at {risk.level:g} {found.cvar:,.1f} (weight {risk.weight:g}){held}{more}"
    )


def describe_simulation(simulation: Simulation) -> str:
    """A few lines for the terminal."""
    table, unit = simulation.summary(), simulation.scenario.money_unit
    lines = [f"{'figure':<28}{'mean':>12}{'low':>12}{'high':>12}   n = {len(simulation.replications)}"]
    for name, words in _FIGURES.items():
        row = table.loc[name]
        lines.append(
            f"{words.format(unit=unit):<28}{row['mean']:>12,.2f}{row['ci_low']:>12,.2f}{row['ci_high']:>12,.2f}"
        )
    return "\n".join(lines)


_FIGURES = {
    "npv": "net value, {unit}",
    "commercialised": "commercialised",
    "commercialised_by_deadline": "... by their deadline",
    "target": "reached their target TRL",
    "paid": "paid, {unit}",
    "refunded": "refunded, {unit}",
    "lapsed": "lapsed, {unit}",
}


def describe_plan(found: Plan) -> str:
    """A few lines for the terminal."""
    lines = [describe_proposal(found.scenario, found.proposal)]
    if found.simulation is not None:
        npv = mean_interval(found.simulation.replications["npv"].to_numpy(np.float64), found.confidence)
        lines.append(f"simulated net value {_money(npv, found.scenario.money_unit, found.confidence)}, n = {npv.n}")
    if found.search is not None:
        lines.append(_searched(found.search, found.scenario))
    for name, comparison in found.comparisons.items():
        gap = comparison.difference
        feasible = "" if comparison.rule.evaluation.feasible else "; breaks a row"
        lines.append(f"  more than {name}: {gap.mean:,.0f} ({gap.low:,.0f} to {gap.high:,.0f}){feasible}")
    return "\n".join(lines)


def _searched(loop: Loop, scenario: Scenario) -> str:
    """What the loop did, for the terminal."""
    kept = "better than the optimiser's own choice" if loop.changed else "none better than the optimiser's own choice"
    over = ", ".join(
        f"{ratio:.0%} of the money of {scenario.programmes[name].name}"
        for name, ratio in loop.ratios.items()
        if round(ratio, 2) > 1
    )
    promised = f"; it promises up to {over}" if over else "; it promises no more than the money of any line"
    stopped = "; stopped before its end" if loop.stopped else ""
    tried = f"{len(loop.steps)} portfolios judged by simulation ({loop.spent:,} replications)"
    return f"{tried}: {kept}{promised}{stopped}"


def notes(found: Plan) -> tuple[str, ...]:
    """Sentences that a reader of the figures should know."""
    return tuple(_notes(found))


def _notes(found: Plan) -> Iterator[str]:
    scenario, solution = found.scenario, found.proposal.solution
    if str(solution.termination) == "time limit":
        yield "The time limit stopped the solver: running again may give another portfolio."
    if found.simulation is not None and found.fresh is not None:
        simulated, expected = float(found.simulation.replications["npv"].mean()), found.proposal.evaluation.objective
        yield (
            f"The optimiser expected {expected:,.0f} {scenario.money_unit} on the samples that chose the portfolio; "
            f"its options come to {found.fresh.mean:,.0f} on {found.fresh.n:,} fresh ones, and the simulation of "
            f"the whole portfolio gives {simulated:,.0f}. The first difference is optimism, the second is waiting."
        )
    if scenario.partners:
        yield "What a partner does to time, success and cost is assumed, not measured: see the scenario's README."
    unused = [code for code in hosts(scenario) if code not in _opened(found)]
    if unused:
        yield f"Partners not opened: {', '.join(unused)}."
    if found.missing:
        yield f"This run was interrupted; missing: {', '.join(found.missing)}."


def _opened(found: Plan) -> set[str]:
    return {found.proposal.problem.partner_names[p] for p in found.proposal.evaluation.opened}
