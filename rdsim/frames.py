"""Outcomes as pandas frames: a row for each replication and project, purse, partner or share.

Times are decimal calendar years on the 30/360 calendar (2024.25 is the first of April 2024), NaN where a thing
never happened; money is in the scenario's unit; waits are in days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.case import DAYS_PER_YEAR, END_STATES, Case, Outcomes, hosts
from rdsim.domain import Choice, Scenario
from rdsim.metrics import Worth, by_year, calendar, home_by_year, international_share
from rdsim.scenario import money_scale

__all__ = [
    "international_frame",
    "milestone_frame",
    "partner_frame",
    "payment_frame",
    "project_frame",
    "purse_frame",
    "replication_frame",
    "trace_frame",
]

_TIMES = ("start_day", "place_day", "agreement_day", "freed_day", "end_day", "market_day", "refund_day")
_COUNTS = ("setbacks", "extensions", "reviews", "spillovers", "lost_partner", "fell_back")
_DAYS = ("funded_days", "worked_days")
_WAITS = ("wait_prerequisite", "wait_start", "wait_place", "wait_money", "wait_panel", "wait_facility")

Column: TypeAlias = "npt.NDArray[np.generic] | pd.Categorical[str]"


def replication_frame(replications: range, figures: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """A row for each replication."""
    return pd.DataFrame({"replication": np.array(replications, np.int64), **figures})


def _categories(names: Sequence[str], repeats: int) -> Column:
    categories = sorted(set(names))
    codes = np.array([categories.index(name) for name in names], np.int32)
    return pd.Categorical.from_codes(np.tile(codes, repeats), categories=pd.Index(categories))


def project_frame(
    scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, worths: Worth, replications: range
) -> pd.DataFrame:
    """A row for each replication and funded project, in order of rank."""
    rows = len(replications)
    columns: dict[str, Column] = {"replication": np.repeat(np.array(replications, np.int64), len(choices))}
    columns |= _identity(scenario, choices, rows)
    states = np.array(END_STATES)[outcomes.end_state.ravel()]
    columns |= {"end_state": pd.Categorical(states, categories=END_STATES), "trl": outcomes.trl.ravel()}
    columns |= _times(scenario, outcomes)
    columns |= {name: getattr(outcomes, name).ravel() for name in (*_WAITS, *_DAYS, *_COUNTS)}
    columns |= {"joint_at_end": outcomes.joint_at_end.ravel() == 1, "in_time": worths.in_time.ravel()}
    columns |= {"value": worths.value.ravel(), "value_pv": worths.value_pv.ravel(), "cost_pv": worths.cost_pv.ravel()}
    columns |= {"npv": worths.npv.ravel(), "refund": outcomes.refund.ravel() / money_scale(scenario)}
    columns |= _money(scenario, case, outcomes)
    columns["delivered"] = _deliverables(scenario, choices, outcomes)
    return pd.DataFrame(columns)


def _identity(scenario: Scenario, choices: Sequence[Choice], rows: int) -> dict[str, Column]:
    technologies = [scenario.technologies[choice.technology] for choice in choices]
    names = {
        "technology": [choice.technology for choice in choices],
        "programme": [technology.programme for technology in technologies],
        "field": [technology.field for technology in technologies],
        "partner": [choice.partner for choice in choices],
        "mode": [choice.mode for choice in choices],
    }
    columns: dict[str, Column] = {name: _categories(values, rows) for name, values in names.items()}
    columns["start_year"] = np.tile(np.array([choice.start_year for choice in choices], np.int64), rows)
    columns["rank"] = np.tile(np.array([choice.rank for choice in choices], np.int64), rows)
    return columns


def _times(scenario: Scenario, outcomes: Outcomes) -> dict[str, Column]:
    columns: dict[str, Column] = {
        name.replace("_day", "_time"): calendar(scenario, getattr(outcomes, name)).ravel() for name in _TIMES
    }
    for k in range(outcomes.tranche_day.shape[2]):
        columns[f"tranche_{k + 1}_time"] = calendar(scenario, outcomes.tranche_day[..., k]).ravel()
    for k in range(outcomes.trl_day.shape[2]):
        columns[f"trl_{k + 1}_time"] = calendar(scenario, outcomes.trl_day[..., k]).ravel()
    return columns


def _money(scenario: Scenario, case: Case, outcomes: Outcomes) -> dict[str, Column]:
    """By fiscal year: net home money, partner money, and what of home's payments goes abroad, refunds not taken off."""
    years, scale = case.budget.shape[1], money_scale(scenario)
    tables = {
        "home": home_by_year(case, outcomes),
        "foreign": by_year(outcomes.tranche_day, outcomes.paid_foreign, years),
        "abroad": by_year(outcomes.tranche_day, outcomes.paid_abroad, years),
    }
    return {
        f"{kind}_{scenario.start_year + y}": money[..., y].ravel() / scale
        for kind, money in tables.items()
        for y in range(years)
    }


def _deliverables(scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes) -> Column:
    """Names of the deliverables handed in, joined by |."""
    lines = [scenario.programmes[scenario.technologies[choice.technology].programme] for choice in choices]
    names = [tuple(line.deliverables) for line in lines]
    found: dict[tuple[tuple[str, ...], int], str] = {}
    texts = []
    for p, bits in enumerate(outcomes.delivered.T):
        for code in np.unique(bits).tolist():
            found[names[p], code] = "|".join(name for d, name in enumerate(names[p]) if code >> d & 1)
        texts.append([found[names[p], code] for code in bits.tolist()])
    # Plain texts: categories found in a batch would make the column's type depend on chance and on the batches.
    return np.array([text for row in zip(*texts, strict=True) for text in row], dtype=object)


# --- long beside wide -----------------------------------------------------------------------------

_KINDS = ("home", "foreign", "abroad")
_MILESTONES = ("start", "place", "agreement", "tranche", "trl", "freed", "end", "market", "refund")


def payment_frame(projects: pd.DataFrame) -> pd.DataFrame:
    """Money by year of `project_frame`, long: a row for each replication, project and year with any.

    Columns: replication, technology, year, home, foreign, abroad; of the same meaning as `home_2025` and so on.
    """
    years = sorted({int(name.removeprefix("home_")) for name in map(str, projects) if name.startswith("home_")})
    wide = {kind: projects[[f"{kind}_{year}" for year in years]].to_numpy(np.float64) for kind in _KINDS}
    row, column = np.nonzero(np.logical_or.reduce([money != 0.0 for money in wide.values()]))
    found = projects[["replication", "technology"]].iloc[row].reset_index(drop=True)
    found["year"] = np.array(years, np.int64)[column]
    return found.assign(**{kind: money[row, column] for kind, money in wide.items()})


def milestone_frame(scenario: Scenario, projects: pd.DataFrame) -> pd.DataFrame:
    """What happened when of `project_frame`, long: a row for each replication, project and milestone that came.

    Columns: replication, technology, milestone, number (of the tranche or TRL; 0 for others), day (whole, from the
    first day of the first fiscal year on, which is 0) and time (decimal calendar year).
    """
    names = [name for name in projects if str(name).endswith("_time") and name != "in_time"]
    told = {str(name): _milestone(str(name).removesuffix("_time")) for name in names}
    order = sorted(told, key=lambda name: (_MILESTONES.index(told[name][0]), told[name][1]))
    times = projects[order].to_numpy(np.float64)
    row, column = np.nonzero(~np.isnan(times))
    found = projects[["replication", "technology"]].iloc[row].reset_index(drop=True)
    kinds = np.array([_MILESTONES.index(told[name][0]) for name in order], np.int8)[column]
    found["milestone"] = pd.Categorical.from_codes(kinds, categories=pd.Index(_MILESTONES))
    found["number"] = np.array([told[name][1] for name in order], np.int64)[column]
    time = times[row, column]
    first = scenario.start_year + (scenario.fiscal_year_start_month - 1) / 12
    found["day"] = np.rint((time - first) * DAYS_PER_YEAR).astype(np.int64)
    found["time"] = time
    return found


def _milestone(name: str) -> tuple[str, int]:
    """What a column of times is of: `tranche_2` is the second tranche."""
    kind, _, number = name.partition("_")
    return kind, int(number or 0)


# --- by purse, partner and year -------------------------------------------------------------------


def purse_frame(scenario: Scenario, outcomes: Outcomes, replications: range) -> pd.DataFrame:
    """A row for each replication, programme and fiscal year."""
    names = ("new_money", "carried_in", "spent", "spent_network", "refunded", "lapsed", "short")
    index = pd.MultiIndex.from_product(
        [replications, list(scenario.programmes), range(scenario.start_year, scenario.horizon_year + 1)],
        names=["replication", "programme", "year"],
    )
    scale = money_scale(scenario)
    money = {name: getattr(outcomes, name).ravel() / scale for name in names}
    return pd.DataFrame(money, index=index).reset_index()


def partner_frame(scenario: Scenario, outcomes: Outcomes, replications: range) -> pd.DataFrame:
    """A row for each replication and partner that holds places."""
    index = pd.MultiIndex.from_product([replications, hosts(scenario)], names=["replication", "partner"])
    scale = money_scale(scenario)
    columns = {
        "opened_time": calendar(scenario, outcomes.opened_day).ravel(),
        "peak_places": outcomes.peak_places.ravel(),
        "paid": outcomes.network_paid.sum(axis=2).ravel() / scale,
        "short": outcomes.network_short.ravel() / scale,
    }
    return pd.DataFrame(columns, index=index).reset_index()


def international_frame(scenario: Scenario, case: Case, outcomes: Outcomes, replications: range) -> pd.DataFrame:
    """A row for each replication and year with an R&D budget."""
    shares = international_share(scenario, case, outcomes)
    parts = [
        pd.DataFrame({"replication": replications, "year": year, "share": share}) for year, share in shares.items()
    ]
    if not parts:
        return pd.DataFrame({"replication": pd.Series(dtype="int64"), "year": pd.Series(dtype="int64"), "share": []})
    return pd.concat(parts, ignore_index=True).sort_values(["replication", "year"], ignore_index=True)


def trace_frame(
    scenario: Scenario, choices: Sequence[Choice], rows: Sequence[tuple[int, str, int, str, str]]
) -> pd.DataFrame:
    """A row for each thing that happened, in order: time, subject (project or partner), its id, event, detail."""
    table = pd.DataFrame(rows, columns=["day", "subject", "id", "event", "detail"])
    names = {"project": [choice.technology for choice in choices], "partner": hosts(scenario)}
    table["id"] = [names[subject][index] for subject, index in zip(table["subject"], table["id"], strict=True)]
    table.insert(0, "time", calendar(scenario, table["day"].to_numpy(np.int64)))
    return table
