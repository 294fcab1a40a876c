"""What the manifest of a plan, a proposal or a simulation says that it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rdsim.aim import aim_of, figures_in_play
from rdsim.assumptions import survey_record
from rdsim.domain import Portfolio, Scenario
from rdsim.figures import ESTIMATED, SHOWN, figure_description, single_figures
from rdsim.findings.firmness import firmness_record
from rdsim.findings.words import notes
from rdsim.lead import bound_sentences, lead_table
from rdsim.plans import Comparison, Plan
from rdsim.promises import awards_above, promise_table, sentences
from rdsim.search import OWN, Loop, Proposal
from rdsim.simulation import Simulation
from rdsim.stats import Interval, proportion_interval
from rdsim.whatif import (
    changes_record,
    lapse_record,
    nearest_record,
    others_record,
    partners_record,
    unused_money,
    unused_record,
)

__all__ = ["plan_record", "proposal_record", "simulation_record"]


def plan_record(found: Plan) -> dict[str, Any]:
    """Of a plan: how it was found and chosen, and what was simulated of it and of the simple rules."""
    simulation = found.simulation
    return {
        **_aim(found.scenario),
        "solver": _solver(found.proposal),
        "search": _search(found.scenario, found.search),
        "portfolio": _portfolio(found.scenario, found.proposal),
        "redecisions": firmness_record(found),
        "fresh": _interval(found.fresh) if found.fresh is not None else {},
        "estimates": _estimates(simulation) if simulation is not None else {},
        "figures": _descriptions(found.scenario) if simulation is not None else {},
        "market_targets": _market_targets(simulation) if simulation is not None else [],
        "promises": _promises(found.scenario, found.proposal),
        "baselines": _baselines(found),
        "lead": {"parts": lead_table(found).to_dict("records"), "bounds": bound_sentences(found)},
        "assumptions": survey_record(found.survey) if found.survey is not None else {},
        "unused": _account_of_lapse(simulation) if simulation is not None else {},
        "what_if": _what_if(found),
        "notes": list(notes(found)),
    }


def proposal_record(scenario: Scenario, proposal: Proposal, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of a proposal; `asked` is what the solver was told."""
    return {
        **_aim(scenario),
        "solver": {**_solver(proposal), "asked": dict(asked)},
        "portfolio": _portfolio(scenario, proposal),
        "promises": _promises(scenario, proposal),
    }


def simulation_record(simulation: Simulation) -> dict[str, Any]:
    """Of a simulation: what was funded, and estimates."""
    funded = [choice.technology for choice in simulation.portfolio.choices]
    told = {"estimates": _estimates(simulation), "figures": _descriptions(simulation.scenario)}
    return {**_aim(simulation.scenario), "portfolio": {"funded": funded}, **told}


def _aim(scenario: Scenario) -> dict[str, str]:
    """What worth is, in words, where it is not net present value alone."""
    aim = aim_of(scenario)
    return {} if aim.is_default else {"aim": aim.words(scenario.money_unit)}


def _solver(proposal: Proposal) -> dict[str, Any]:
    solution = proposal.solution
    return {
        "name": solution.solver,
        "version": solution.version,
        "method": solution.method,
        "status": str(solution.status),
        "termination": str(solution.termination),
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "seconds": solution.seconds.total,
        "options": len(proposal.options.choices),
        "samples": proposal.samples,
        "expected": proposal.evaluation.objective,
        "risk": _risk(proposal),
    }


def _risk(proposal: Proposal) -> dict[str, Any]:
    """What the samples say of the portfolio, if the scenario asks anything of them."""
    found = proposal.appraisal
    if found is None:
        return {}
    rules = [
        {"name": rule.name, "value": rule.value, "sense": rule.sense, "limit": rule.limit, "holds": rule.holds}
        for rule in found.rules
    ]
    told = {"mean": found.mean, "cvar": found.cvar, "worst": found.worst, "probability": found.probability}
    return {**told, "rules": rules}


def _portfolio(scenario: Scenario, proposal: Proposal) -> dict[str, Any]:
    problem, opened = proposal.problem, proposal.evaluation.opened
    return {
        "funded": [choice.technology for choice in proposal.portfolio.choices],
        "partners_opened": {problem.partner_names[p]: int(problem.stage_names[s]) for p, s in sorted(opened.items())},
        "candidates": len(scenario.technologies),
    }


def _search(scenario: Scenario, loop: Loop | None) -> dict[str, Any]:
    """How the loop went; empty without one."""
    if loop is None:
        return {}
    chosen = loop.selected
    return {
        "winner": loop.winner,
        "changed": loop.is_changed,
        "stopped": loop.stopped,
        "payment_ratio_factors": dict(loop.ratios),
        "programmes": {code: line.name for code, line in scenario.programmes.items()},
        "replications": loop.spent,
        "portfolios": len(loop.steps),
        "selection": {}
        if chosen is None
        else {
            "procedure": "KN (Kim and Nelson 2001)",
            "finalists": list(loop.finalists),
            "means": list(chosen.means),
            "replications": list(chosen.observed),
            "probability": chosen.probability,
            "indifference": chosen.zone,
            "sure": chosen.sure,
            "led": loop.finalists[chosen.best],
            "shared": loop.is_shared,
        },
        "steps": [asdict(step) for step in loop.steps],
    }


def _estimates(simulation: Simulation) -> dict[str, Any]:
    table = simulation.summary()
    yearly = ("international_share_", "market_share_", "sales_")
    shares = [name for name in table.index if str(name).startswith(yearly)]
    return {
        str(name): {
            "mean": row["mean"],
            "low": row["low"],
            "high": row["high"],
            "n": int(row["n"]),
            "market_luck": "in expectation" if name in simulation.expected else "as drawn",
        }
        for name, row in table.loc[[*ESTIMATED, *shares, *_beside(simulation.scenario)]].iterrows()
    }


def _beside(scenario: Scenario) -> list[str]:
    """Figures that the scenario brings up, and that are not estimated anyway."""
    return [figure.name for figure in figures_in_play(scenario) if figure.name not in ESTIMATED]


def _descriptions(scenario: Scenario) -> dict[str, Any]:
    """What the figures are that are estimated; those at the head of a report are `shown`."""
    shown = [*SHOWN, *(figure.name for figure in figures_in_play(scenario))]
    known = {**single_figures(), **{figure.name: figure for figure in figures_in_play(scenario)}}
    names = (*ESTIMATED, *_beside(scenario))
    return {name: {**figure_description(known[name]), "shown": name in shown} for name in names}


def _market_targets(simulation: Simulation) -> list[dict[str, Any]]:
    """Each share of the world market aimed at, and the probability to reach it with its interval."""
    targets, confidence = simulation.scenario.market.target, simulation.scenario.simulation.confidence
    shares = {year: simulation.replications[f"market_share_{year}"] for year in targets}
    return [
        {
            "year": year,
            "target": target,
            **_interval(proportion_interval(int((shares[year] >= target).sum()), len(shares[year]), confidence)),
        }
        for year, target in sorted(targets.items())
    ]


def _baselines(found: Plan) -> dict[str, Any]:
    return {
        name: {
            "rule": comparison.rule.name,
            "kind": "optimised" if name in OWN else "rule",
            "payment_ratios": dict(comparison.rule.payment_ratios),
            "equal_freedom": found.is_equal(comparison),
            "npv": _interval(comparison.npv),
            "difference": _interval(comparison.difference),
            "feasible": comparison.rule.evaluation.feasible and _is_allowed(found, comparison),
            "allowed": _is_allowed(found, comparison),
            "violations": [violation.name for violation in comparison.rule.evaluation.violations],
            "funded": len(comparison.rule.portfolio.choices),
            "awards_above": _awards_above(found.scenario, comparison.rule.portfolio),
        }
        for name, comparison in found.comparisons.items()
    }


def _account_of_lapse(simulation: Simulation) -> dict[str, Any]:
    return unused_record(simulation.scenario, unused_money(simulation))


def _what_if(found: Plan) -> dict[str, Any]:
    """What would change the plan; empty of what was not asked, or not finished."""
    scenario, told = found.scenario, found.what_if
    return {
        **({} if told.lapse is None else {"lapse": lapse_record(scenario, told.lapse)}),
        **({"changes": changes_record(scenario, told.changes)} if told.changes else {}),
        **(
            {"nearest": nearest_record(scenario, told.absences), "others": others_record(scenario, told.absences)}
            if told.absences
            else {}
        ),
        **({} if told.partners is None else {"partners": partners_record(scenario, told.partners)}),
    }


def _awards_above(scenario: Scenario, portfolio: Portfolio) -> list[dict[str, Any]]:
    """Full awards above the announced money, by programme and year."""
    found = awards_above(scenario, portfolio)
    return [{"programme": code, "year": year, "amount": amount} for (code, year), amount in found.items()]


def _is_allowed(found: Plan, comparison: Comparison) -> bool:
    """Whether the call allows what a rule chooses: a comparator may be what nobody could fund."""
    return comparison.rule.world is found.scenario


def _promises(scenario: Scenario, proposal: Proposal) -> dict[str, Any]:
    """Expected payments and full awards beside the announced money, by line and year."""
    table = promise_table(scenario, proposal)
    return {
        "rows_held_to": dict(proposal.payment_ratios),
        "busiest": {code: mine["payment_ratio"].max() for code, mine in table.groupby("programme", sort=False)},
        "years": table.drop(columns="name").to_dict("records"),
        "above": table.loc[table["above"] > 0, ["name", "year", "announced", "awards", "above"]].to_dict("records"),
        "sentences": sentences(scenario, table),
    }


def _interval(interval: Interval) -> dict[str, float | int]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high, "n": interval.n}
