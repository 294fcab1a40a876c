"""A plan's report made up of plain random tables: the shapes of a real one, nothing simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rdsim.report import PlanReport
from rdsim.report.data.aggregates import CAUSES, END_STATES

START, HORIZON = 2024, 2030
YEARS = range(START, HORIZON + 1)
PROGRAMMES = ("Foundations", "Leaps")
FIELDS = ("Batteries", "Robots", "Nuclear")
RULES = ("value-per-cost", "domestic-only")


@dataclass(frozen=True)
class Shape:
    """How large the made-up plan is."""

    replications: int = 20
    technologies: int = 9
    funded: int = 6
    seed: int = 1


def build(shape: Shape = Shape(), **changes: Any) -> PlanReport:
    """A report of the shape; named fields can be given instead."""
    chance = np.random.default_rng(shape.seed)
    technologies = _technologies(chance, shape)
    projects = _projects(chance, shape, technologies)
    replications = _replications(chance, shape, projects)
    policies = _policies(chance, replications)
    fields: dict[str, Any] = {
        "title": "A made-up plan",
        "description": "Nothing here was simulated.",
        "money_unit": "billion KRW",
        "confidence": 0.95,
        "start_year": START,
        "horizon_year": HORIZON,
        "names": {},
        "manifest": _manifest(shape, technologies, replications, policies),
        "technologies": technologies,
        "projects": projects,
        "replications": replications,
        "budget": _budget(chance, shape),
        "plan": _plan(),
        "international": _international(chance, shape),
        "targets": pd.DataFrame({"year": [2024, 2025], "floor": [0.05, 0.5]}),
        "policies": policies,
        "sources": pd.DataFrame(
            [("technologies", "9 rows", "illustrative", "assumed"), ("partners", "2 rows", "", "published")],
            columns=["table", "item", "source", "grade"],
        ),
    }
    return PlanReport(**(fields | changes))


def told_abroad(plain: PlanReport) -> pd.DataFrame:
    """The projects of a made-up plan with a third of the home money of joint ones paid abroad."""
    joint = plain.projects["partner"] != ""
    sent = {f"abroad_{year}": plain.projects[f"home_{year}"].where(joint, 0.0) / 3 for year in YEARS}
    return plain.projects.assign(**sent)


def without_funding(**changes: Any) -> PlanReport:
    """A plan that funds nothing, so that nothing is simulated but empty purses."""
    return build(Shape(funded=0), **changes)


def _technologies(chance: np.random.Generator, shape: Shape) -> pd.DataFrame:
    n = shape.technologies
    place = np.arange(n)
    funded = place < shape.funded
    joint = funded & (place % 3 > 0)
    chances = np.where(funded, chance.uniform(0.1, 0.9, n).round(3), np.nan)
    return pd.DataFrame(
        {
            "technology": [f"T{i:03}" for i in place],
            "name": [f"Technology number {i}" for i in place],
            "programme": np.array(PROGRAMMES)[place % 2],
            "field": np.array(FIELDS)[place % 3],
            "trl": 3 + place % 3,
            "trl_target": 8,
            "cost": (5.0 + place).astype(float),
            "score": chance.uniform(50, 100, n).round(1),
            "source": "illustrative",
            "funded": funded,
            "partner": np.where(joint, np.where(place % 2, "DE", "US"), ""),
            "partner_name": np.where(joint, np.where(place % 2, "Germany", "United States"), ""),
            "mode": np.where(funded, np.where(joint, "Matching funds", "Domestic"), ""),
            "start_year": np.where(funded, START + place % 2, np.nan),
            "rank": np.where(funded, place + 1.0, np.nan),
            "expected_value": chance.normal(5, 5, n).round(2),
            "note": np.where(funded, "", "others make better use of the money"),
            "p_target": chances,
            "p_market": chances / 2,
        }
    )


def _projects(chance: np.random.Generator, shape: Shape, technologies: pd.DataFrame) -> pd.DataFrame:
    chosen = technologies[technologies["funded"]]
    rows = shape.replications * len(chosen)
    table = pd.DataFrame({"replication": np.repeat(np.arange(shape.replications), len(chosen))})
    for name in ("technology", "programme", "field", "partner", "mode"):
        table[name] = np.tile(chosen[name].to_numpy(), shape.replications)
    table["technology"] = table["technology"].astype("category")
    table["start_year"] = np.tile(chosen["start_year"].to_numpy(), shape.replications)
    states = chance.choice(list(END_STATES), rows)
    table["end_state"] = pd.Categorical(states, categories=list(END_STATES))
    table["trl"] = chance.integers(3, 9, rows)
    table["start_time"] = np.where(states == "blocked", np.nan, table["start_year"] + 0.25)
    table["end_time"] = np.where(states == "running", np.nan, table["start_year"] + chance.uniform(1, 4, rows).round(4))
    sold = (states == "target") & (chance.random(rows) < 0.7)
    table["market_time"] = np.where(sold, table["end_time"] + 0.5, np.nan)
    for name in CAUSES:
        table[name] = np.where(chance.random(rows) < 0.2, chance.integers(1, 300, rows), 0)
    table["wait_facility"] = 0
    table["npv"] = chance.normal(3, 9, rows)
    for year in YEARS:
        table[f"home_{year}"] = chance.uniform(0, 1, rows)
        table[f"foreign_{year}"] = chance.uniform(0, 0.2, rows)
    return table


def _replications(chance: np.random.Generator, shape: Shape, projects: pd.DataFrame) -> pd.DataFrame:
    index = pd.RangeIndex(shape.replications)
    sold = projects["market_time"].notna().groupby(projects["replication"]).sum().reindex(index, fill_value=0)
    npv = chance.normal(50, 30, shape.replications)
    columns = {"npv": npv, "commercialised": sold.to_numpy(), "commercialised_by_deadline": sold.to_numpy() // 2}
    by_year = {f"commercialised_by_{year}": _sold_by(projects, index, year) for year in YEARS}
    return pd.DataFrame({"replication": index, **columns, **by_year})


def _sold_by(projects: pd.DataFrame, index: pd.RangeIndex, year: int) -> np.ndarray[Any, Any]:
    sold = (projects["market_time"] < year + 1).groupby(projects["replication"]).sum()
    return np.asarray(sold.reindex(index, fill_value=0))


def _policies(chance: np.random.Generator, replications: pd.DataFrame) -> pd.DataFrame:
    parts = [replications[["replication", "npv"]].assign(policy="optimised")]
    for worse, name in enumerate(RULES, start=1):
        npv = replications["npv"] - chance.normal(10 * worse, 5, len(replications))
        parts.append(pd.DataFrame({"replication": replications["replication"], "npv": npv, "policy": name}))
    return pd.concat(parts, ignore_index=True)


def _budget(chance: np.random.Generator, shape: Shape) -> pd.DataFrame:
    index = pd.MultiIndex.from_product(
        [range(shape.replications), PROGRAMMES, YEARS], names=["replication", "programme", "year"]
    )
    names = ("new_money", "carried_in", "spent", "spent_network", "refunded", "lapsed", "short")
    scale = 10.0 if shape.funded else 0.0
    return pd.DataFrame({name: scale * chance.random(len(index)) for name in names}, index=index).reset_index()


def _plan() -> pd.DataFrame:
    rows = [(name, year, 20.0 if year < 2027 else 0.0, 8.0, 25.0) for name in PROGRAMMES for year in YEARS]
    return pd.DataFrame(rows, columns=["programme", "year", "announced", "planned", "promised"])


def _international(chance: np.random.Generator, shape: Shape) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([range(shape.replications), (2024, 2025, 2026)], names=["replication", "year"])
    return pd.DataFrame({"share": chance.uniform(0.06, 0.1, len(index))}, index=index).reset_index()


def _interval(values: Sequence[float] | np.ndarray[Any, Any]) -> dict[str, Any]:
    mean, half = float(np.mean(values)), 2 * float(np.std(values)) / len(values) ** 0.5
    known = len(values) > 1
    ends = {"low": mean - half if known else None, "high": mean + half if known else None}
    return {"mean": mean, **ends, "n": len(values)}


def _manifest(
    shape: Shape, technologies: pd.DataFrame, replications: pd.DataFrame, policies: pd.DataFrame
) -> Mapping[str, Any]:
    npv = {name: table["npv"].to_numpy() for name, table in policies.groupby("policy")}
    estimates = {name: _interval(replications[name].to_numpy()) for name in replications if name != "replication"}
    estimates |= {name: _interval(np.linspace(1, 2, shape.replications)) for name in ("target", "paid", "lapsed")}
    return {
        "rdsim": "0.1.0",
        "scenario": {"name": "made-up", "digest": "ab" * 32, "overrides": ["discount_rate=0.03"]},
        "seed": shape.seed,
        "replications": shape.replications,
        "engine": "compiled",
        "complete": True,
        "missing": [],
        "solver": {
            "name": "highs",
            "version": "1.0",
            "method": "rens",
            "status": "feasible",
            "termination": "target",
            "objective": 60.0,
            "bound": 60.6,
            "gap": 0.01,
            "seconds": 1.0,
            "options": 1234,
            "samples": 200,
        },
        "portfolio": {
            "funded": technologies.loc[technologies["funded"], "technology"].tolist(),
            "partners_opened": {"DE": 2024},
            "candidates": shape.technologies,
        },
        "estimates": estimates,
        "baselines": {
            name: {
                "rule": name,
                "equal_freedom": True,
                "npv": _interval(npv[name]),
                "difference": _interval(npv["optimised"] - npv[name]),
                "feasible": place > 0,
                "violations": [] if place else ["field floor robots"],
                "funded": 4,
            }
            for place, name in enumerate(RULES)
        },
        "lead": {
            "parts": [
                {"comparator": RULES[0], "part": part, **_interval(np.linspace(first, first + 1, shape.replications))}
                for part, first in (("promising more", 1.0), ("the loop", 2.0), ("lead", 3.0))
            ],
            "bounds": ["The best portfolio found whose full awards keep within is worth 3.00."],
        },
        "notes": ["What a partner does is assumed."],
        "versions": {"python": "3.11", "numpy": "2.4"},
    }
