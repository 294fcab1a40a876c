"""What becomes of the announced money that is not paid: an account of what lapses, in parts that add up to it.

Announced money is promised to projects, or to nobody; what is promised is paid, or not, and how a project ended says
why not. So, in each programme and year, and in each replication,

    lapsed = announced - awards due + (awards due - paid, net of refunds) + other money than announced
             - partners' cost + carried in - carried out

where the sum in brackets is taken apart by how projects end. A project that is late leaves money in the year its
tranche was due and takes it from a later one: over all years that cancels out. Causes, of which `lapse_by_cause` tells,
say what would be otherwise; this says where the money is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.domain import END_STATES, Scenario
from rdsim.languages import N_
from rdsim.options import awards_due
from rdsim.simulation import Simulation
from rdsim.stats import Interval, mean_interval

__all__ = ["OVER", "UnusedMoney", "UnusedPart", "unused_money"]

OVER = "promised"
"""Key of the part that awards do not ask for, or ask for above what is announced."""

_ENDINGS = {
    "target": N_("awards of projects that reach their target TRL for less"),
    "running": N_("awards of projects that still run at the horizon"),
    "stopped": N_("awards of projects that are stopped at a gate"),
    "dropped": N_("awards of projects that are dropped for want of a partner"),
    "exhausted": N_("awards of projects that run out of funded time"),
    "failed": N_("awards of projects that fail technically"),
    "unfunded": N_("awards of projects that find no money in time"),
    "blocked": N_("awards of projects whose prerequisite fails"),
}
_OF_NOBODY = N_("announced money that no award asks for")
_TOO_MUCH = N_("awards above the announced money")
_NETWORK = N_("opening and running partners")
_SURPRISES = N_("years whose money is not as announced")
_CARRIED = N_("carried into a year, less what is carried out of it")

_NOTHING = 1e-9
"""Of what lapses: less is rounding."""


@dataclass(frozen=True, eq=False)
class UnusedPart:
    """A part of what lapses; below nothing: it takes from what lapses."""

    key: str
    label: str
    money: Interval
    """In all years, over replications, in the scenario's unit."""
    years: dict[int, float]
    """Means by year."""


@dataclass(frozen=True, eq=False)
class UnusedMoney:
    """What lapses, and its parts, which add up to it in each year."""

    lapsed: Interval
    years: dict[int, float]
    parts: tuple[UnusedPart, ...]


def unused_money(simulation: Simulation) -> UnusedMoney:
    """The account of what lapses of a simulated portfolio; parts that are nothing everywhere are left out.

    What money does that no part tells of (payments of somebody's own extension, say) is a part of its own.
    """
    scenario = simulation.scenario
    table = _Account(simulation)
    lapsed = table.purse("lapsed")
    parts = list(table.parts())
    rest = lapsed - sum((money for _key, _label, money in parts), np.zeros_like(lapsed))
    parts.append(("other", N_("other payments and receipts"), rest))
    level, size = scenario.simulation.confidence, max(float(np.abs(lapsed).max(initial=0.0)), 1.0)
    told = [
        UnusedPart(key, label, mean_interval(_clean(money.sum(axis=1), size), level), table.yearly(_clean(money, size)))
        for key, label, money in parts
        if np.abs(money).max(initial=0.0) > _NOTHING * size
    ]
    return UnusedMoney(mean_interval(lapsed.sum(axis=1), level), table.yearly(lapsed), tuple(told))


def _clean(money: Floats, size: float) -> Floats:
    """Money without what rounding leaves of nothing."""
    return np.where(np.abs(money) > _NOTHING * size, money, 0.0)


class _Account:
    """Money by replication and year, (n, Y)."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.scenario: Scenario = simulation.scenario
        self.years = range(self.scenario.start_year, self.scenario.horizon_year + 1)
        self.replications = simulation.replications["replication"].to_numpy(np.int64)

    def yearly(self, money: Floats) -> dict[int, float]:
        """Means by year."""
        return dict(zip(self.years, money.mean(axis=0).tolist(), strict=True))

    def parts(self) -> Iterator[tuple[str, str, Floats]]:
        """Key, label and money of each part that is told of."""
        scenario = self.scenario
        announced = np.array([sum(one.budget.get(y, 0.0) for one in scenario.programmes.values()) for y in self.years])
        awards = {one.technology: awards_due(scenario, one) for one in self.simulation.portfolio.choices}
        free = announced - sum(awards.values(), np.zeros(len(self.years)))
        each = np.ones((len(self.replications), 1))
        yield OVER, _OF_NOBODY if free.sum() >= 0 else _TOO_MUCH, each * free
        for state in END_STATES:
            yield state, _ENDINGS[state], self._unpaid(state, awards)
        yield "surprises", _SURPRISES, self.purse("new_money") - each * announced
        yield "network", _NETWORK, -self.purse("spent_network")
        carried = self.purse("carried_in")
        yield "carried", _CARRIED, carried - np.hstack([carried[:, 1:], np.zeros_like(each)])

    def purse(self, column: str) -> Floats:
        """A column of the purses."""
        wide = self.simulation.purses.groupby(["replication", "year"])[column].sum().unstack("year")  # noqa: PD010 - pivot_table would average
        return wide.reindex(index=self.replications, columns=list(self.years), fill_value=0.0).to_numpy(np.float64)

    def _unpaid(self, state: str, awards: dict[str, Floats]) -> Floats:
        """Of projects that end so: awards by the year in which they fall due, less what is paid, net of refunds."""
        projects = self.simulation.projects
        mine = projects[projects["end_state"] == state]
        found = np.zeros((len(self.replications), len(self.years)))
        if len(mine):
            due = (
                pd.DataFrame.from_dict(awards, orient="index").loc[mine["technology"].astype(str).to_list()].to_numpy()
            )
            paid = mine[[f"home_{year}" for year in self.years]].to_numpy(np.float64)
            places = np.searchsorted(self.replications, mine["replication"].to_numpy(np.int64))
            np.add.at(found, places, due - paid)
        return found
