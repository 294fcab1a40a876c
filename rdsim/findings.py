"""What a plan found, as the tables and sentences of its report."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rdsim.case import hosts
from rdsim.domain import Choice, Institute, Judgement, Partner, Scenario, Technology
from rdsim.explaining import screen_table
from rdsim.numerals import numeral
from rdsim.optimiser import Solution
from rdsim.planning import ONE_SHOT, Comparison, Plan
from rdsim.promises import promise_table, sentences
from rdsim.report import PlanReport, named
from rdsim.report.words import amount, span
from rdsim.scenario import cost, target
from rdsim.search import LOOP, Loop, Proposal, why_nothing
from rdsim.simulation import Simulation
from rdsim.stats import Interval, mean_interval
from rdsim.wording import ratio_words

__all__ = ["describe_plan", "describe_proposal", "describe_simulation", "gather", "names", "notes"]

_NEXT_TO_NOTHING = 1e-3
"""A proven loss below this share of the loss that was found is as good as none."""


def gather(found: Plan) -> PlanReport:
    """The report's tables. The plan must have its optimised portfolio simulated."""
    simulation = found.simulation
    if simulation is None:
        raise ValueError("a report needs the optimised portfolio simulated")
    scenario, called = found.scenario, names(found.scenario)
    return PlanReport(
        title=scenario.title,
        description=scenario.description,
        money_unit=scenario.money_unit,
        confidence=found.confidence,
        start_year=scenario.start_year,
        horizon_year=scenario.horizon_year,
        technologies=_technologies(found),
        projects=named(simulation.projects, called),
        replications=simulation.replications,
        budget=named(simulation.purses, called),
        plan=_plan(found),
        international=simulation.international,
        targets=_targets(scenario),
        policies=_policies(found),
        sources=_sources(scenario),
    )


def names(scenario: Scenario) -> dict[str, dict[str, str]]:
    """What people call programmes, fields and modes, by the columns of tables that hold their ids."""
    return {
        "programme": {code: line.name for code, line in scenario.programmes.items()},
        "field": {code: field.name for code, field in scenario.fields.items()},
        "mode": {code: mode.name for code, mode in scenario.modes.items()},
    }


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
    lowest = numeral(least, ",.3g")
    if np.isnan(most):
        price = f"cost at least {lowest} {unit} of expected value" if proven else "displace more than one other"
    elif most < _NEXT_TO_NOTHING:
        price = "cost next to nothing"
    else:
        price = f"cost {f'{lowest} to' if proven else 'at most'} {numeral(most, ',.3g')} {unit} of expected value"
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
    table = promise_table(found.scenario, found.proposal)
    names = {"name": "programme", "payments": "planned", "awards": "promised"}
    return table[["name", "year", "announced", "payments", "awards"]].rename(columns=names)


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
    limits = span(interval.low, interval.high)
    return f"{amount(interval.mean)} {unit} ({confidence:.0%} interval {limits})"


def describe_proposal(scenario: Scenario, proposal: Proposal) -> str:
    """A few lines for the terminal."""
    return "\n".join([*_proposed(scenario, proposal), *sentences(scenario, promise_table(scenario, proposal))])


def _proposed(scenario: Scenario, proposal: Proposal) -> Iterator[str]:
    solution, portfolio = proposal.solution, proposal.portfolio
    joint = sum(bool(choice.partner) for choice in portfolio.choices)
    opened = [proposal.problem.partner_names[p] for p in sorted(proposal.evaluation.opened)]
    gap = f"{solution.gap:.2%}" if np.isfinite(solution.gap) else "unknown"
    yield f"{len(proposal.options.choices):,} eligible options, each simulated alone {proposal.samples} times"
    yield f"{_how_solved(solution)}, proven gap {gap}, {solution.seconds.total:.1f} s"
    yield _aim(scenario, proposal)
    yield (
        f"funded {len(portfolio.choices)} of {len(scenario.technologies)} technologies, {joint} with a partner; "
        f"partners opened: {', '.join(opened) or 'none'}"
    )
    if not portfolio.choices:
        yield why_nothing(scenario, proposal.options, proposal.problem)


def _how_solved(solution: Solution) -> str:
    """Who chose the portfolio: the solver, or the loop among the solver's portfolios."""
    if solution.method == LOOP:
        return f"{solution.solver} {solution.version} proposed, simulation chose"
    return f"{solution.solver} {solution.version}: {solution.status} ({solution.termination})"


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
        value = _money(npv, found.scenario.money_unit, found.confidence)
        lines.append(f"simulated net value of the whole portfolio: {value}, n = {npv.n}")
    if found.search is not None:
        lines.append(_searched(found.search))
    lines += [f"  {line}" for line in _leads(found)]
    return "\n".join(lines)


def _leads(found: Plan) -> Iterator[str]:
    """How much more the plan is worth than each other portfolio: with the plan's freedom first."""
    ordered = sorted(found.comparisons.values(), key=lambda one: (one.rule.name != ONE_SHOT, not found.is_equal(one)))
    for comparison in ordered:
        gap = comparison.difference
        broken = "" if comparison.rule.evaluation.feasible else "; breaks a row"
        yield (
            f"more than {comparison.rule.name}{_freedom(found, comparison)}: {amount(gap.mean)} "
            f"({span(gap.low, gap.high)}){broken}"
        )


def _freedom(found: Plan, comparison: Comparison) -> str:
    """At which payment ratios a rule was made, where the plan's are others than the announced money's."""
    if comparison.rule.name == ONE_SHOT or not found.promises_more:
        return ""
    return " at the plan's payment ratios" if found.is_equal(comparison) else " at the announced money"


def _searched(loop: Loop) -> str:
    """What the loop did, for the terminal."""
    kept = "better than the optimiser's own choice" if loop.changed else "none better than the optimiser's own choice"
    stopped = "; stopped before its end" if loop.stopped else ""
    return f"{len(loop.steps)} portfolios judged by simulation ({loop.spent:,} replications): {kept}{stopped}"


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
        simulated, expected = float(found.simulation.replications["npv"].mean()), found.proposal.evaluation.objective
        yield (
            f"The portfolio's options, each alone, add up to {amount(expected)} {scenario.money_unit} on the "
            f"samples that chose them and to {amount(found.fresh.mean)} on {found.fresh.n:,} fresh ones; "
            f"simulated together they come to {amount(simulated)}. The first difference is optimism; the "
            "second is what projects do to one another: waiting and crowding, and payments that are never made, for "
            "partners or for projects that found no money."
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
