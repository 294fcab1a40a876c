"""Luck of whole replications, laid out: the one that is played, and futures that could still come of its past.

On the first day of a fiscal year the past has shown some luck: of attempts that ended, stages of talks, reviews,
breaks, budgets. An imagined future keeps all of it and has the luck of another replication for the rest. What is under
way - an attempt, a stage of talks, a deliverable - is known to last longer than it has lasted so far, and is drawn from
the replications in which it does (rejection). Two things are not learned: what the past of a field says about its
common factor, and when work on a deliverable began, which is taken to have been under way for all days worked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rdsim.case import DAYS_PER_YEAR, Case, Outcomes, SamplePaths, build, technologies
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Draws
from rdsim.expectation import expected_total, with_sure_market
from rdsim.luck import lay_out
from rdsim.metrics import worth
from rdsim.rolling.course import Course, Lived
from rdsim.simulation import Engine
from rdsim.streams import FORESEEING, REPORTED

__all__ = ["Worlds"]


@dataclass(frozen=True)
class Worlds:
    """Luck laid out for some options, of any replication; and what courses of those options come to."""

    scenario: Scenario
    options: tuple[Choice, ...]
    seed: int
    pool: int = 512  # replications that futures are made of
    engine: Engine = "compiled"

    @cached_property
    def _sure(self) -> Scenario:
        return with_sure_market(self.scenario)

    @cached_property
    def _names(self) -> dict[str, int]:
        return {name: t for t, name in enumerate(technologies(self.options))}

    @cached_property
    def _columns(self) -> dict[Choice, int]:
        return {choice: column for column, choice in enumerate(self.options)}

    @cached_property
    def _stage(self) -> Case:
        return build(self.scenario, Portfolio(self.options))

    @cached_property
    def others(self) -> SamplePaths:
        """The luck that futures are made of."""
        return self._lay_out(FORESEEING.numbers(self.pool))

    def actual(self, replication: int) -> SamplePaths:
        """The luck of one replication."""
        return self._lay_out(REPORTED.after(replication).numbers(1))

    def _lay_out(self, replications: range) -> SamplePaths:
        return lay_out(self._sure, self._stage, self.options, Draws(self.seed, replications))

    # ------------------------------------------------------------ living

    def play(self, course: Course, luck: SamplePaths, until: int | None = None) -> Lived:
        """Let a course live through luck that was laid out; only the years before `until`, if given."""
        choices = course.choices
        columns = [self._columns[replace(choice, rank=0)] for choice in choices]
        known = (self._stage, columns)  # whose rows are in the order of the options
        case = build(self.scenario, course.portfolio, stops=course.stops, kept=course.kept, known=known)
        if until is not None:
            case = case._replace(horizon=(until - self.scenario.start_year) * DAYS_PER_YEAR)
        mine = luck._replace(
            agreed=np.ascontiguousarray(luck.agreed[:, columns]),
            agreement_days=np.ascontiguousarray(luck.agreement_days[:, columns]),
        )
        numbered = case._replace(technology=np.array([self._names[one.technology] for one in choices], np.int64))
        if self.engine == "simpy":
            from rdsim.engines import process  # noqa: PLC0415

            outcomes = process.run(numbered, mine)
        else:
            from rdsim.engines import compiled  # noqa: PLC0415

            outcomes = compiled.run(numbered, mine)
        factor = np.ones((len(luck.agreed), len(self._names)))
        sure = worth(self._sure, choices, numbered, outcomes, factor)
        return Lived(choices, case, outcomes, expected_total(self.scenario, choices, case, outcomes, sure))

    # ------------------------------------------------------------ imagining

    def futures(self, actual: SamplePaths, past: Lived, rows: npt.NDArray[np.int64]) -> SamplePaths:
        """Futures of a past, which was played up to its case's horizon: those made of some rows of the pool."""
        luck = SamplePaths(**{name: column[rows] for name, column in self.others._asdict().items()})
        today, year = past.case.horizon, past.case.horizon // DAYS_PER_YEAR
        luck.break_day[:, :, :year] = actual.break_day[:, :, :year]
        luck.budget[:, :, : year + 1] = actual.budget[:, :, : year + 1]
        _continue_rates(luck, actual, year)
        for row, choice in enumerate(past.choices):
            if past.outcomes.start_day[0, row] >= 0:
                column, t = self._columns[replace(choice, rank=0)], self._names[choice.technology]
                self._keep_agreement(luck, actual, past, (row, column, today))
                if past.outcomes.end_day[0, row] >= 0:
                    for name in ("step_days", "step", "gate", "review_error", "deliverable_days", "market_days"):
                        getattr(luck, name)[:, t] = getattr(actual, name)[:, t]
                else:
                    self._keep_work(luck, actual, past, row, t)
        return luck

    def _keep_agreement(self, luck: SamplePaths, actual: SamplePaths, past: Lived, place: tuple[int, int, int]) -> None:
        row, column, today = place
        out = past.outcomes
        talking = out.place_day[0, row] >= 0 and out.freed_day[0, row] < 0 and out.agreement_day[0, row] < 0
        if talking and out.tranche_day[0, row, 0] < 0 and out.end_day[0, row] < 0:
            passed = int((out.formed_day[0, row] >= 0).sum())
            begun = out.formed_day[0, row, passed - 1] if passed else out.place_day[0, row]
            least = _least(int(today - begun), _pace(past.case, out, row))
            days = _longer(self.others.agreement_days[:, column, passed], luck.agreement_days[:, column, passed], least)
            luck.agreement_days[:, column, passed] = days
        else:
            passed = luck.agreed.shape[2]
        luck.agreed[:, column, :passed] = actual.agreed[:, column, :passed]
        luck.agreement_days[:, column, :passed] = actual.agreement_days[:, column, :passed]

    def _keep_work(self, luck: SamplePaths, actual: SamplePaths, past: Lived, row: int, t: int) -> None:
        out, case = past.outcomes, past.case
        step, attempt, reviews = int(out.trl[0, row]) - 1, int(out.attempt[0, row]), int(out.reviews[0, row])
        for name in ("step_days", "step"):
            getattr(luck, name)[:, t, :step] = getattr(actual, name)[:, t, :step]
            getattr(luck, name)[:, t, step, :attempt] = getattr(actual, name)[:, t, step, :attempt]
        for name in ("gate", "review_error"):
            getattr(luck, name)[:, t, :reviews] = getattr(actual, name)[:, t, :reviews]
        progress = int(out.progress[0, row])
        if progress > 0:
            factor = float(case.factor[row, step]) if out.joint_at_end[0, row] else 1.0
            if out.lost_partner[0, row]:
                factor = min(1.0, float(case.factor[row, step]))  # the attempt may have begun with the partner
            every, drawn = self.others.step_days[:, t, step, attempt], luck.step_days[:, t, step, attempt]
            enough, short = every * factor > progress, drawn * factor <= progress  # of whole days, rounded up
            longer = every[enough] if enough.any() else np.array([(progress + DAYS_PER_YEAR / 4) / factor])
            drawn[short] = longer[np.arange(int(short.sum())) % len(longer)]
            luck.step_days[:, t, step, attempt] = drawn
        for d in range(int(case.deliverables[case.programme[row]])):
            if out.delivered[0, row] >> d & 1:
                luck.deliverable_days[:, t, d] = actual.deliverable_days[:, t, d]
            else:
                worked = int(out.worked_days[0, row])
                needed = luck.deliverable_days[:, t, d]
                luck.deliverable_days[:, t, d] = _longer(self.others.deliverable_days[:, t, d], needed, worked + 1)


def _pace(case: Case, out: Outcomes, row: int) -> int:
    """Factor on a project's talks, in millionths: agreements came before places were taken on the day they began."""
    agreed = (out.agreement_day[0] >= 0) & (out.agreement_day[0] <= out.place_day[0, row])
    known = min(int((agreed & (case.member == n).any(axis=1)).sum()) for n in case.member[row] if n >= 0)
    return int(case.learning_ppm[min(known, len(case.learning_ppm) - 1)])


def _least(lasted: int, pace: int) -> int:
    """Fewest days of a stage of talks, before anything was learned, that make it last so long."""
    return (lasted - 1) * 1_000_000 // pace + 1


def _longer(every: npt.NDArray[np.int64], drawn: npt.NDArray[np.int64], least: int) -> npt.NDArray[np.int64]:
    """Those drawn, where they are at least so long; else others of that length, in turn."""
    enough = every[every >= least]
    others = enough if enough.size else np.array([least], np.int64)
    short = drawn < least
    found = drawn.copy()
    found[short] = others[np.arange(int(short.sum())) % len(others)]
    return found


def _continue_rates(luck: SamplePaths, actual: SamplePaths, year: int) -> None:
    """Exchange rates go on from where they are, as they go on in the other replications."""
    if year < luck.exchange_ppm.shape[2]:
        now = actual.exchange_ppm[:, :, year : year + 1]
        growth = luck.exchange_ppm[:, :, year:] / luck.exchange_ppm[:, :, year : year + 1]
        luck.exchange_ppm[:, :, year:] = np.round(now * growth).astype(np.int64)
    luck.exchange_ppm[:, :, :year] = actual.exchange_ppm[:, :, :year]
