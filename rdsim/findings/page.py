"""What the page of a plan shows: its tables, with names for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rdsim.domain import TAG, Choice, Institute, Judgement, Partner, Scenario, Technology
from rdsim.explanation import screen_table
from rdsim.findings.cards import best_options, facts, grade_of, partner_table, row_source, told_source
from rdsim.findings.firmness import decision_table, verdicts
from rdsim.languages import N_, kept_texts, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.plans import OPTIMISED, Plan
from rdsim.promises import promise_table
from rdsim.report import PlanReport, outcome_shares, with_names
from rdsim.scenario import cost, success_sources, tags_of, target
from rdsim.search import Proposal
from rdsim.whatif import Absence, excluded_words, excluding, gain_words
from rdsim.words import source_words

__all__ = ["gather"]

_NEXT_TO_NOTHING = 1e-3
"""A proven loss below this share of the loss that was found is as good as none."""


def gather(found: Plan) -> PlanReport:
    """The report's tables. The plan must have its optimised portfolio simulated."""
    simulation = found.simulation
    if simulation is None:
        raise ValueError("a report needs the optimised portfolio simulated")
    scenario, called = found.scenario, _names(found.scenario)
    why_not, assumed, sources = _why_not(found), facts(scenario), _sources(scenario)
    return PlanReport(
        title=scenario.title,
        description=scenario.description,
        money_unit=scenario.money_unit,
        confidence=found.confidence,
        start_year=scenario.start_year,
        horizon_year=scenario.horizon_year,
        technologies=_technologies(found, why_not),
        projects=with_names(simulation.projects, called),
        replications=simulation.replications,
        budget=with_names(simulation.purses, called),
        plan=_plan(found),
        international=simulation.international,
        targets=_targets(scenario),
        policies=_policies(found),
        expected=pd.concat([one.assign(policy=name) for name, one in found.expectations.items()], ignore_index=True),
        sources=sources.astype(str),
        names=called,
        facts=assumed.astype(str),
        texts=kept_texts(why_not, *(table.to_numpy().tolist() for table in (assumed, sources))),
        tried=best_options(found),
        partners=partner_table(found),
        decisions=decision_table(found),
    )


def _names(scenario: Scenario) -> dict[str, dict[str, str]]:
    """What people call programmes, fields and modes, by the columns of tables that hold their ids."""
    return {
        "programme": {code: line.name for code, line in scenario.programmes.items()},
        "field": {code: field.name for code, field in scenario.fields.items()},
        "mode": {code: mode.name for code, mode in scenario.modes.items()},
    }


def _technologies(found: Plan, why_not: Mapping[str, str]) -> pd.DataFrame:
    """A row for each candidate: what it is, and what became of it in the portfolio and the simulation."""
    assert found.simulation is not None  # noqa: S101 - `gather` has looked
    scenario, proposal = found.scenario, found.proposal
    funded = {choice.technology: choice for choice in proposal.portfolio.choices}
    expected = _expected_values(proposal)
    rows = [
        _candidate(scenario, name, funded.get(name), expected) | {"note": why_not.get(name, "")}
        for name in scenario.technologies
    ]
    told = verdicts(found)
    table = pd.DataFrame(rows)
    table = table.assign(
        verdict=[told.get(name, ("", 0.0))[0] for name in table["technology"]],
        share=[told.get(name, ("", float("nan")))[1] for name in table["technology"]],
    )
    return table.merge(outcome_shares(found.simulation.projects), on="technology", how="left")


def _expected_values(proposal: Proposal) -> dict[Choice, float]:
    options = proposal.options
    return dict(zip(options.choices, options.expected_value.tolist(), strict=True))


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
        "programme_id": row.programme,
        "programme": scenario.programmes[row.programme].name,
        "field_id": row.field,
        "field": scenario.fields[row.field].name,
        "trl": row.trl,
        "trl_target": target(scenario, row),
        "cost": cost(scenario, row),
        "score": row.score,
        "source": source_words(scenario, row.source),
        "institute": scenario.institutes[row.institute].name if row.institute else "",
        "funded": choice is not None,
        "partner": choice.partner if choice else "",
        "partner_name": partner.name if partner else "",
        "mode_id": choice.mode if choice else "",
        "mode": scenario.modes[choice.mode].name if choice else "",
        "start_year": choice.start_year if choice else None,
        "rank": choice.rank if choice else None,
        "expected_value": value,
        **{f"{TAG}{tag}": row.tags.get(tag, "") for tag in tags_of(scenario)},
    }


def _value_of(choice: Choice | None, mine: Mapping[Choice, float]) -> float:
    """Expected value of the chosen option, or of the best one of a technology that is not funded; nan for none."""
    if choice is None:
        return max(mine.values(), default=float("nan"))
    return next(value for option, value in mine.items() if _same(option, choice))


def _same(option: Choice, choice: Choice) -> bool:
    """Whether they differ in rank at most."""
    return (option.partner, option.mode, option.start_year) == (choice.partner, choice.mode, choice.start_year)


def _why_not(found: Plan) -> dict[str, str]:
    """For each technology that is not funded, why, and what it would cost; by simulation, where that was done."""
    table = screen_table(found.scenario, found.proposal)
    asked = {one.technology: one for one in found.what_if.absences}
    return {
        row["technology"]: row["reason"] or _reason(found, row, asked.get(row["technology"]))
        for row in table.to_dict("records")
    }


def _reason(found: Plan, row: Mapping[Hashable, Any], absence: Absence | None) -> str:
    """What keeps a technology out that has options: a funded one that excludes it, or what others make of the money."""
    if others := excluding(found.proposal, row["technology"]):
        return excluded_words(found.scenario, others)
    if absence is not None and absence.fall is not None:
        told = _("{why}; with it the plan {gain}") if absence.fall.low > 0 else _("with it the plan {gain}")
        return told.format(why=_why(row), gain=gain_words(found.scenario, absence))
    return _price_of(found.scenario, row)


def _why(row: Mapping[Hashable, Any]) -> str:
    if row["value_alone"] <= 0:
        return _("its best option is expected to bring less than it costs")
    return _("others make better use of the money, starts or places that it needs")


def _price_of(scenario: Scenario, row: Mapping[Hashable, Any]) -> str:
    """What funding it would cost in expected value, between what is proven and what a simple exchange would lose."""
    least, most = row["loss_at_least"], row["loss_found"]
    unit, proven = unit_of_money(scenario.money_unit), least > _NEXT_TO_NOTHING * max(abs(most), 1.0)
    lowest = numeral(least, ",.3g")
    if np.isnan(most):
        told = (
            _("{why}; funding it would cost at least {least} {unit} of expected value")
            if proven
            else _("{why}; funding it would displace more than one other")
        )
    elif most < _NEXT_TO_NOTHING:
        told = _("{why}; funding it would cost next to nothing")
    elif proven:
        told = _("{why}; funding it would cost {least} to {most} {unit} of expected value")
    else:
        told = _("{why}; funding it would cost at most {most} {unit} of expected value")
    return told.format(why=_why(row), least=lowest, most=numeral(most, ",.3g"), unit=unit)


def _plan(found: Plan) -> pd.DataFrame:
    """Money by programme and year: announced, expected by the optimiser, and promised in full awards."""
    table = promise_table(found.scenario, found.proposal)
    names = {"name": "programme", "payments": "planned", "awards": "promised"}
    return table[["name", "year", "announced", "payments", "awards"]].rename(columns=names)


def _targets(scenario: Scenario) -> pd.DataFrame:
    return pd.DataFrame(sorted(scenario.international.share_floor.items()), columns=["year", "floor"])


def _policies(found: Plan) -> pd.DataFrame:
    assert found.simulation is not None  # noqa: S101 - `gather` has looked
    tables = {OPTIMISED: found.simulation.replications}
    tables |= {name: comparison.replications for name, comparison in found.comparisons.items()}
    return pd.concat(
        [table[["replication", "npv"]].assign(policy=name) for name, table in tables.items()], ignore_index=True
    )


def _sources(scenario: Scenario) -> pd.DataFrame:
    """Where rows and figures come from, as the scenario says it."""
    rows = [(N_("calibration in use"), scenario.calibration, scenario.calibrations[scenario.calibration].source)]
    rows += [(N_("technical success"), *row) for row in success_sources(scenario)]
    tables: tuple[tuple[str, Iterable[Technology | Partner | Institute | Judgement]], ...] = (
        (N_("technologies"), scenario.technologies.values()),
        (N_("partners"), scenario.partners.values()),
        (N_("institutes"), scenario.institutes.values()),
        (N_("judgements"), scenario.judgements),
    )
    for table, items in tables:
        stated = [row_source(one.source, getattr(one, "note", "")) or N_("not stated") for one in items]
        rows += [(table, _("{number} rows").format(number=count), one) for one, count in Counter(stated).most_common()]
    frame = pd.DataFrame(rows, columns=["table", "item", "source"], dtype=object)
    grades = [grade_of(source) for source in frame["source"]]
    told = [told_source(scenario, source) for source in frame["source"]]
    return frame.assign(grade=grades, source=pd.Series(told, dtype=object))
