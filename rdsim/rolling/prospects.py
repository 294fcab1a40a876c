"""What lies ahead of a project, given where it stands: means over samples of its option that stood there too.

Options are simulated alone (as behind the portfolio problem, on replications of their own). At the beginning of each
fiscal year a sample stands somewhere: tranches paid, TRL reached, with its partner or without, bound by what was
signed or not. The mean over the samples that stood where the project stands is drawn towards the mean over those with
as many tranches, and that towards the mean over all that were under way, the more the fewer they are.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.aim import aim_of
from rdsim.arrays import Floats, Floats32
from rdsim.case import DAYS_PER_YEAR, unconstrained_case
from rdsim.domain import Choice, Scenario
from rdsim.draws import Draws
from rdsim.expectation import market_chances, with_sure_market
from rdsim.metrics import Material, by_year, discount, has_joint_work, home_by_year
from rdsim.options import place_shares
from rdsim.rolling.knowledge import Phase, Standing
from rdsim.scenario import money_scale
from rdsim.simulation import Batch, Running, Setup, in_batches
from rdsim.streams import PROSPECTS

__all__ = ["Ahead", "Prospects"]

_FEW = 5.0
"""So many samples count as much as the mean that theirs is drawn towards."""

_CHUNK = 100

_TRANCHE = 64  # places apart: those of each TRL, with its partner or not, bound or not


class Ahead(NamedTuple):
    """Means of what is to come, from a fiscal year on; money by fiscal year has the shape (Y,)."""

    worth: float  # by the scenario's aim, less payments to come; what R&D has settled before is not told apart
    sold: float  # discount factor at the market date, if it comes to the market; 0 if R&D falls short
    payments: Floats  # net of refunds
    joint: Floats  # of these, those while joint
    held: Floats  # share of the year for which a place is held


class Prospects:
    """Samples of some options, and means over those that stand somewhere."""

    def __init__(
        self,
        scenario: Scenario,
        choices: tuple[Choice, ...],
        *,
        samples: int,
        seed: int,
        running: Running = Running(),
    ) -> None:
        self._scenario, self._aim = scenario, aim_of(scenario)
        self._row = {_key(choice): row for row, choice in enumerate(choices)}
        self._years = scenario.horizon_year - scenario.start_year + 1
        draws, sure = Draws(seed, PROSPECTS.numbers(samples)), with_sure_market(scenario)
        self._figures: list[
            Floats32
        ] = []  # for each option (N, 2 + 3 Y): worth but for cost, sold, payments, joint, held
        self._places: list[npt.NDArray[np.int16]] = []  # (N, Y): where each sample stands, -1 if not under way
        for start in range(0, len(choices), _CHUNK):
            some = choices[start : start + _CHUNK]
            setup, reduce = Setup(sure, some, unconstrained_case(scenario, some)), partial(self._reduce, some)
            parts = list(in_batches(setup, draws, reduce, running))
            figures, places = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            self._figures += [np.ascontiguousarray(figures[:, p]) for p in range(len(some))]
            self._places += [np.ascontiguousarray(places[:, p]) for p in range(len(some))]
        self._known: dict[tuple[int, int, int], Floats] = {}

    def _reduce(self, choices: tuple[Choice, ...], batch: Batch) -> tuple[Floats32, npt.NDArray[np.int16]]:
        scenario, case, out = self._scenario, batch.case, batch.outcomes
        chance = market_chances(scenario, choices)
        scale = money_scale(scenario)
        material = Material(scenario, choices, case, out, batch.worth, chance)
        joint = by_year(out.tranche_day, out.paid * out.paid_joint, self._years) / scale
        columns = [
            self._aim.ahead(material, chance)[..., None],
            np.where(out.market_day >= 0, discount(scenario, out.market_day), 0.0)[..., None],
            home_by_year(case, out) / scale,
            joint,
            place_shares(case, out),
        ]
        return np.concatenate(columns, axis=2).astype(np.float32), self._stand(batch)

    def _stand(self, batch: Batch) -> npt.NDArray[np.int16]:
        """Where samples stand at the beginning of each year, shape (N, P, Y)."""
        case, out = batch.case, batch.outcomes
        today = np.arange(self._years) * DAYS_PER_YEAR

        def past(column: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
            return np.asarray((column[..., None] >= 0) & (column[..., None] < today))

        under_way = past(out.start_day) & ~past(out.end_day)
        trl = case.trl[:, None] + np.maximum(past(out.trl_day).sum(axis=2) - 1, 0)
        joint = case.joint[:, None] & ~past(out.freed_day)
        together = has_joint_work(out)[..., None] & past(out.tranche_day[..., 0])
        place = _place(past(out.tranche_day).sum(axis=2), trl, joint, together)
        return np.where(under_way, place, -1).astype(np.int16)

    def of(self, standing: Standing, year: int) -> Ahead:
        """What lies ahead of a project from the beginning of a fiscal year on."""
        row, today = self._row[_key(standing.choice)], year - self._scenario.start_year
        seen = today - standing.delay  # the year in which samples, which never wait, stood there
        place = -1
        if standing.phase is Phase.RUNNING:
            place = int(_place(standing.tranches, standing.trl, standing.joint, standing.together))
        found = self._mean(row, max(seen, 0), place)
        years = self._years
        moved = [np.zeros(years) for _ in range(3)]
        for column, table in enumerate(moved):
            table[standing.delay :] = found[2 + column * years : 2 + (column + 1) * years][: years - standing.delay]
            table[:today] = 0.0
        payments, joint, holding = moved
        middle = (np.arange(years) * DAYS_PER_YEAR + DAYS_PER_YEAR // 2).astype(np.int64)
        cost = float(payments @ discount(self._scenario, middle))
        return Ahead(float(found[0]) + self._aim.cost * cost, float(found[1]), payments, joint, holding)

    def _mean(self, row: int, year: int, place: int) -> Floats:
        """Mean figures of the samples that stand at a place; of all samples for -1."""
        key = (row, year, place)
        if key not in self._known:
            figures, places = self._figures[row], self._places[row][:, year]
            if place < 0:
                mean = figures.mean(axis=0, dtype=np.float64)
            else:
                under_way = places >= 0
                mean = np.zeros(figures.shape[1])
                for some in (under_way, under_way & (places // _TRANCHE == place // _TRANCHE), places == place):
                    weight = _FEW if some is not under_way else 1e-9
                    mean = (figures[some].sum(axis=0, dtype=np.float64) + weight * mean) / (some.sum() + weight)
            self._known[key] = mean
        return self._known[key]


def _place(tranches: Any, trl: Any, joint: Any, together: Any) -> Any:
    return tranches * _TRANCHE + trl * 4 + joint * 2 + together


def _key(choice: Choice) -> tuple[str, str, str, int]:
    return choice.technology, choice.partner, choice.mode, choice.start_year
