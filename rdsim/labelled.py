"""A simulation as a labelled array, for whoever works with xarray; it is an extra that is not installed with rdsim."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rdsim.dictionary import column_of, table_entry
from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError
from rdsim.figures import column_figures

__all__ = ["SimulatedTables", "dataset_of"]

_MONEY = ("home", "foreign", "abroad")
_KEYS = ("replication", "technology", "programme", "year", "policy")


@dataclass(frozen=True, eq=False)
class SimulatedTables:
    """Tables of a simulation, as `rdsim.simulation.Simulation` has them."""

    scenario: Scenario
    seed: int
    projects: pd.DataFrame
    replications: pd.DataFrame
    expected: pd.DataFrame
    purses: pd.DataFrame


def dataset_of(simulation: SimulatedTables) -> Any:
    """See `rdsim.simulation.Simulation.to_xarray`. Raises InputError if xarray is not installed."""
    try:
        xarray = importlib.import_module("xarray")
    except ModuleNotFoundError as error:
        rule, advice = "needs what the extra `xarray` installs", "Install it: pip install 'rdsim[xarray]'"
        raise InputError((Fault("to_xarray", rule, f"no {error.name}", advice),)) from None
    scenario = simulation.scenario
    years = list(range(scenario.start_year, scenario.horizon_year + 1))
    names = list(dict.fromkeys(map(str, simulation.projects["technology"])))
    replications = simulation.replications["replication"].to_numpy()
    coordinates = {"replication": replications, "technology": names, "programme": list(scenario.programmes),
                   "year": years}  # fmt: skip
    variables = {**_of_projects(simulation, years, len(names)), **_of_replications(simulation)}
    variables |= _of_purses(simulation, len(years))
    about = {"scenario": scenario.name, "money_unit": scenario.money_unit, "seed": simulation.seed}
    return xarray.Dataset(variables, coordinates, about)


def _of_projects(simulation: SimulatedTables, years: list[int], projects: int) -> dict[str, Any]:
    table, count = simulation.projects, len(simulation.replications)
    shape, dims = (count, projects), ("replication", "technology")
    by_year = {f"{kind}_{year}" for kind in _MONEY for year in years}
    plain = [str(name) for name in table if str(name) not in by_year and name not in _KEYS[:2]]
    found: dict[str, Any] = {}
    for name in plain:
        values = _values(table[name]).reshape(shape)
        found[f"of_{name}" if name in _KEYS else name] = (dims, values, _about("outcomes", name, simulation))
    for kind in _MONEY:
        money = np.stack([table[f"{kind}_{year}"].to_numpy(np.float64) for year in years], axis=-1)
        about = _about("outcomes", f"{kind}_{years[0]}", simulation)
        found[kind] = ((*dims, "year"), money.reshape(*shape, len(years)), about)
    return found


def _of_replications(simulation: SimulatedTables) -> dict[str, Any]:
    own, expected = simulation.replications, simulation.expected
    both = (("replications", "total_", own), ("expected", "expected_", expected))
    return {
        f"{prefix}{name}": (("replication",), table[name].to_numpy(), _about(kind, str(name), simulation))
        for kind, prefix, table in both
        for name in table
        if name not in _KEYS
    }


def _of_purses(simulation: SimulatedTables, years: int) -> dict[str, Any]:
    table, count = simulation.purses, len(simulation.replications)
    shape = (count, len(simulation.scenario.programmes), years)
    return {
        f"purse_{name}": (("replication", "programme", "year"), table[name].to_numpy(np.float64).reshape(shape),
                          _about("purses", str(name), simulation))
        for name in table
        if name not in _KEYS
    }  # fmt: skip


def _values(column: pd.Series[Any]) -> Any:
    """Its values; of texts and categories the texts."""
    return column.to_numpy() if pd.api.types.is_numeric_dtype(column) else column.astype(str).to_numpy(object)


def _about(table: str, name: str, simulation: SimulatedTables) -> dict[str, str]:
    entry = table_entry("simulate", table)
    assert entry is not None  # noqa: S101 - a table of rdsim's own
    one = column_of(entry, name, column_figures(simulation.scenario))
    unit = "" if one is None else one.unit.replace("money", simulation.scenario.money_unit)
    return {"units": unit, "long_name": "" if one is None else one.meaning}
