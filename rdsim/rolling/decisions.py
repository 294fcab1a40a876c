"""What may be decided on the first day of a fiscal year: plans by the optimiser, and projects to stop.

Plans solve the portfolio problem of what is left: the options of technologies that were never begun, from this year
on, beside projects under way, whose payments to come, places and starts are taken as `prospects` tells them. Budgets
are the purse of the year and what is announced for later years, times payment ratios.

Stops are those under way whose worth to come, less the refund that they would give, is least for the money that they
will ask. What any of this is worth, simulation of imagined futures tells (`policy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Floats
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.families import Begun, Past, RowKey, counts_running, remaining_cap
from rdsim.formulation import state
from rdsim.optimiser import PortfolioProblem, Solving, evaluate, solve
from rdsim.optimiser.problem.problem import frozen
from rdsim.options import Options, awards_due
from rdsim.portfolio import with_ranks
from rdsim.rolling.course import Course
from rdsim.rolling.futures import Worlds
from rdsim.rolling.knowledge import Knowledge, Phase, Standing
from rdsim.rolling.prospects import Ahead, Prospects
from rdsim.scenario import members
from rdsim.search import Instance
from rdsim.search.views import budgets_times

__all__ = ["Policy", "Supply", "past_of", "proposals", "sooner", "stopping"]

_EXACT = 200
"""Problems of at most so many options are solved to the proven optimum."""

_GAP = 0.005
_FACTORS = (0.9, 1.1, 1.25, 2.0)  # on the policy's ratios
_KEEPING = 0.02  # of an option's worth: what is planned is given up for more than that
_PRICES = (0.0, 0.5, 1.0, 2.0)  # worth for each unit of money below which a project may be stopped


@dataclass(frozen=True)
class Policy:
    """How decisions are taken: promises as multiples of the money left, by programme; whether projects are stopped."""

    ratios: Mapping[str, float]
    stops: bool = True
    futures: int = 64  # imagined for each decision


@dataclass(frozen=True, eq=False)
class Supply:
    """What may be decided on: options by number, what each is worth, and what lies ahead of those under way."""

    posed: Instance
    candidates: npt.NDArray[np.int64]
    means: Floats  # (O,) of every option of the problem
    prospects: Prospects
    worlds: Worlds
    solving: Solving = Solving()


def proposals(supply: Supply, policy: Policy, course: Course, known: Knowledge) -> list[Course]:
    """Courses to choose among, the one that changes nothing first."""
    left = _Left(supply, policy, course, known)
    plans = left.plans() if left.fresh else []
    return [left.course(), *(left.course(plan) for plan in plans)]


def sooner(supply: Supply, policy: Policy, course: Course, known: Knowledge) -> list[Course]:
    """The course with later starts brought forward to this year, as far as money and starts are left over."""
    left = _Left(supply, policy, course, known)
    plan = left.forward() if left.fresh else left.planned
    return [left.course(plan)] if plan != left.planned else []


def stopping(supply: Supply, course: Course, known: Knowledge) -> list[Course]:
    """The course without those under way that are worth least for what they will still ask, fewer and more of them."""
    scenario = supply.posed.scenario
    free = [
        one
        for one in known.standings
        if one.alive
        and one.choice.technology not in course.stops
        and scenario.technologies[one.choice.technology].status != "must-fund"
    ]
    ahead = [supply.prospects.of(one, known.year) for one in free]
    found: list[Course] = []
    before: set[str] = set()
    for price in _PRICES:
        stopped = {
            one.choice.technology
            for one, to_come in zip(free, ahead, strict=True)
            if to_come.worth - one.refund < price * (float(to_come.payments.sum()) + one.refund)
        }
        if stopped - before:
            found.append(replace(course, stops={**course.stops, **dict.fromkeys(sorted(stopped), known.year)}))
        before = stopped
    return found


class _Entry(NamedTuple):
    """An option of the problem of what is left."""

    choice: Choice
    mean: float
    sold: float
    payments: Floats
    abroad: Floats
    joint: Floats
    occupancy: Floats
    end_year: int
    award: float
    due: Floats


class _Left:
    """The problem of what is left."""

    def __init__(self, supply: Supply, policy: Policy, course: Course, known: Knowledge) -> None:
        self.supply, self.policy, self.before, self.known = supply, policy, course, known
        self.scenario = supply.posed.scenario
        self.year = known.year
        self.alive = [one for one in known.standings if one.alive and one.choice.technology not in course.stops]
        begun = {one.choice.technology for one in known.standings if one.phase is not Phase.AHEAD}
        self.planned = [replace(one, rank=0) for one in course.choices if one.technology not in begun]
        self.ahead = [supply.prospects.of(one, self.year) for one in self.alive]
        self.past = past_of(self.scenario, known)
        self.fresh = self._fresh()

    def _fresh(self) -> list[int]:
        """Options that may still be begun."""
        begun = {one.choice.technology for one in self.known.standings if one.phase is not Phase.AHEAD}
        links = [link for link in self.scenario.links if link.kind in ("exclusion", "prerequisite")]
        lost = {one.choice.technology for one in self.known.standings if one.phase is Phase.OVER and not one.reached}
        closed = set(begun)
        for link in links:
            if link.kind == "exclusion":
                closed |= {link.technology} if link.other in begun else set()
                closed |= {link.other} if link.technology in begun else set()
            elif link.other in lost:
                closed.add(link.technology)
        choices = self.supply.posed.options.choices
        planned = set(self.planned)
        numbers = [
            o
            for o in self.supply.candidates.tolist()
            if choices[o].start_year >= self.year and choices[o].technology not in closed
        ]
        known = {choices[o] for o in numbers}
        missing = [one for one in planned if one not in known and one.technology not in closed]
        return numbers + [choices.index(one) for one in missing]

    def _budgets(self) -> dict[str, dict[int, float]]:
        """Money by programme and year from now on."""
        return {
            name: {year: money for year, money in line.budget.items() if year > self.year}
            | {self.year: self.known.purse[name]}
            for name, line in self.scenario.programmes.items()
        }

    def course(self, planned: list[Choice] | None = None) -> Course:
        """The course with another plan, or with the one it has."""
        course, scenario = self.before, self.scenario
        if planned is not None:
            course = replace(course, portfolio=_portfolio(scenario, course.portfolio, self.known, planned))
        return replace(course, kept={**course.kept, **_open_partners(scenario, course, self.known)})

    def forward(self) -> list[Choice]:
        """The plan with starts brought forward, in order of rank, each by its best option of this year."""
        options, index = self.supply.posed.options, self.year - self.scenario.start_year
        number = {options.choices[o]: o for o in self.fresh}
        money, starts = dict(self.known.purse), self._starts()
        for one, ahead in zip(self.alive, self.ahead, strict=True):
            money[self._line(one.choice)] -= float(ahead.payments[index])
        plan = list(self.planned)
        for choice in (one for one in self.planned if one.start_year == self.year and one in number):
            money[self._line(choice)] -= float(options.payments[number[choice], index])
            starts[self._line(choice)] -= 1
        for place, choice in enumerate(plan):
            line = self._line(choice)
            now = [o for o in self.fresh if options.choices[o].technology == choice.technology]
            now = [o for o in now if options.choices[o].start_year == self.year < choice.start_year]
            if now and starts[line] > 0:
                best = max(now, key=lambda o: float(self.supply.means[o]))
                asked = float(options.payments[best, index])
                if asked <= money[line]:
                    plan[place] = options.choices[best]
                    money[line], starts[line] = money[line] - asked, starts[line] - 1
        return plan

    def _line(self, choice: Choice) -> str:
        return self.scenario.technologies[choice.technology].programme

    def _starts(self) -> dict[str, int]:
        """Starts of the year by programme, less those that wait for one."""
        left = {name: line.starts.get(self.year, 0) for name, line in self.scenario.programmes.items()}
        for one in self.alive:
            left[self._line(one.choice)] -= one.phase is Phase.WAITING
        return left

    # ------------------------------------------------------------ the problem

    def plans(self) -> list[list[Choice]]:
        """Plans by the optimiser at several ratios, those that differ from what is planned.

        From the loosest on: a portfolio that also keeps tighter budgets is the answer for these too.
        """
        found: dict[float, tuple[int, ...] | None] = {}
        last: tuple[int, ...] | None = None
        for factor in sorted(_FACTORS, reverse=True):
            problem = self.problem(
                {name: factor * self.policy.ratios.get(name, 1.0) for name in self.scenario.programmes}
            )
            if last is None or not evaluate(problem, last).feasible:
                last = self.solve(problem)
            found[factor] = last
        plans: list[list[Choice]] = []
        for chosen in (found[factor] for factor in _FACTORS):
            plan = self.planned if chosen is None else self._new_ones(chosen)
            if all(set(plan) != set(one) for one in [self.planned, *plans]):
                plans.append(plan)
        return plans

    def solve(self, problem: PortfolioProblem) -> tuple[int, ...] | None:
        """The portfolio of the problem; none if none keeps the rules."""
        exact = len(problem.option_names) <= _EXACT
        found = solve(
            problem,
            replace(self.supply.solving, gap=0.0 if exact else _GAP),
            method="direct" if exact else "near",
        )
        return found.chosen if found.has_portfolio else None

    def _new_ones(self, chosen: tuple[int, ...]) -> list[Choice]:
        """Choices to plan, of a portfolio of the problem."""
        count, choices = len(self.alive), self.supply.posed.options.choices
        there = set(chosen)
        return [choices[index] for o, index in enumerate(self.fresh) if count + o in there]

    def problem(self, ratios: Mapping[str, float]) -> PortfolioProblem:
        """Rows and options as for a plan, with what is held, used and paid already; those under way go on."""
        return self._with_history(budgets_times(self.scenario, self._statement, ratios))

    @cached_property
    def _statement(self) -> PortfolioProblem:
        """The problem at ratios of 1; who is running uses nothing of rows that do not count him."""
        worths = np.array([[entry.mean for entry in self._entries]])
        problem = state(self._scenario, _options(self._entries), {}, self.past, worths=worths)
        running = [row for row, one in enumerate(self.alive) if one.phase is Phase.RUNNING]
        left_out = np.array([not counts_running(key) for key in problem.rows.keys])
        use = problem.rows.use.copy()
        row = np.repeat(np.arange(len(left_out)), np.diff(use.indptr))
        use.data = np.where(left_out[row] & np.isin(use.indices, running), 0.0, use.data)
        use.eliminate_zeros()
        return replace(problem, rows=replace(problem.rows, use=use))

    @cached_property
    def _entries(self) -> list[_Entry]:
        """Projects under way, then the options that may still be begun."""
        return [*map(self._going_on, self.alive, self.ahead), *map(self._new, self.fresh)]

    def _going_on(self, one: Standing, ahead: Ahead) -> _Entry:
        """A project under way. It goes on: its worth would only hide the gap of the others."""
        payments = ahead.payments
        mode = self.scenario.modes[one.choice.mode]
        held_years = np.flatnonzero(ahead.held > 0.5)
        return _Entry(
            choice=replace(one.choice, start_year=self.year, rank=0),
            mean=0.0,
            sold=ahead.sold,
            payments=payments,
            abroad=ahead.joint * mode.abroad_share,
            joint=ahead.joint,
            occupancy=ahead.held,
            end_year=int(held_years[-1]) if held_years.size else -1,
            award=float(payments.sum()),
            due=awards_due(self.scenario, one.choice),
        )

    def _new(self, option: int) -> _Entry:
        options, mean = self.supply.posed.options, float(self.supply.means[option])
        return _Entry(
            choice=options.choices[option],
            mean=mean + (_KEEPING * abs(mean) if options.choices[option] in self.planned else 0.0),
            sold=float(options.sold[:, option].mean()),
            payments=options.payments[option],
            abroad=options.abroad[option],
            joint=options.joint[option],
            occupancy=options.occupancy[option],
            end_year=int(options.end_year[option]),
            award=float(options.award[option]),
            due=options.due[option],
        )

    @cached_property
    def _scenario(self) -> Scenario:
        """The scenario of what is left."""
        scenario, budgets = self.scenario, self._budgets()
        there = {entry.choice.technology for entry in self._entries}
        reached = {one.choice.technology for one in self.known.standings if one.reached}
        alive = {one.choice.technology for one in self.alive}
        technologies = {
            name: row if row.status != "must-fund" or (name in there) else replace(row, status="free")
            for name, row in scenario.technologies.items()
        }
        technologies |= {name: replace(technologies[name], status="must-fund") for name in alive}
        links = tuple(
            link
            for link in scenario.links
            if link.kind not in ("prerequisite", "synergy")
            or (link.technology in there and link.other in there)
            or (link.kind == "prerequisite" and link.technology in there and link.other not in reached)
        )
        first = self.known.year
        rules = scenario.international
        return replace(
            scenario,
            programmes={name: replace(line, budget=budgets[name]) for name, line in scenario.programmes.items()},
            technologies=technologies,
            partners={
                code: replace(partner, setup_cost=0.0) if code in self.known.opened else partner
                for code, partner in scenario.partners.items()
            },
            links=links,
            international=replace(
                rules, share_floor={year: share for year, share in rules.share_floor.items() if year >= first}
            ),
        )

    def _with_history(self, problem: PortfolioProblem) -> PortfolioProblem:
        """Caps of what is left, as each row's family says what of the past counts.

        Model: R26.
        """
        rows, cap = problem.rows, problem.rows.cap.copy()
        held = np.asarray(rows.use[:, : len(self.alive)].sum(axis=1)).ravel().tolist()
        opening = self._to_open(problem).tolist()
        for row, key in enumerate(rows.keys):
            if isinstance(key, RowKey):
                given = {"cap": float(cap[row]), "held": held[row], "opening": opening[row], "sense": rows.sense[row]}
                cap[row] = remaining_cap(key, self.scenario, {**given, **self._offer(key)})
        return replace(problem, rows=replace(rows, cap=frozen(cap)))

    def _offer(self, key: RowKey) -> dict[str, Any]:
        """What a family may ask for besides."""
        gone = 0.0 if key.year else self._past_uses.get(key, 0.0)
        return {"left": self._scenario, "past": self.past, "gone": gone}

    def _to_open(self, problem: PortfolioProblem) -> Floats:
        """What partners of projects under way that are not open yet will use of each row, shape (R,)."""
        needed = {code for one in self.alive for code in members(self.scenario, one.choice.partner)}
        opens = np.zeros(problem.opening_value.shape)
        if self.alive:
            opens[[code in needed - self.known.opened for code in problem.partner_names], 0] = 1.0
        return np.asarray(problem.rows.opening_use @ opens.ravel())

    @cached_property
    def _past_uses(self) -> dict[RowKey, float]:
        """What projects that are over used of each row of the whole horizon, as the first plan counted them."""
        options, rows = self.supply.posed.options, self.supply.posed.problem.rows
        number = {choice: o for o, choice in enumerate(options.choices)}
        over = [number[one] for one in (replace(one.choice, rank=0) for one in self._over()) if one in number]
        used = np.asarray(rows.use[:, over].sum(axis=1)).ravel().tolist()
        return {key: use for key, use in zip(rows.keys, used, strict=True) if isinstance(key, RowKey) and not key.year}

    def _over(self) -> list[Standing]:
        return [one for one in self.known.standings if one.phase is Phase.OVER]


def past_of(scenario: Scenario, known: Knowledge) -> Past:
    """What is known, as constraint families ask for it."""
    projects = tuple(
        Begun(one.choice, members(scenario, one.choice.partner), one.phase is Phase.OVER, one.paid, one.paid_joint)
        for one in known.standings
    )
    return Past(known.year, known.opened, projects)


def _options(entries: list[_Entry]) -> Options:
    mean = np.array([entry.mean for entry in entries])
    nothing = np.zeros(len(entries))
    return Options(
        choices=tuple(entry.choice for entry in entries),
        npv=mean[None, :],
        gain=np.zeros((1, len(entries))),
        mean=mean,
        cost=-mean,
        sold=np.array([[entry.sold for entry in entries]]),
        p_target=nothing,
        p_market=nothing,
        p_in_time=nothing,
        payments=np.array([entry.payments for entry in entries]),
        abroad=np.array([entry.abroad for entry in entries]),
        joint=np.array([entry.joint for entry in entries]),
        occupancy=np.array([entry.occupancy for entry in entries]),
        end_year=np.array([entry.end_year for entry in entries], np.int64),
        award=np.array([entry.award for entry in entries]),
        due=np.array([entry.due for entry in entries]),
    )


# --- the course -----------------------------------------------------------------------------------


def _portfolio(scenario: Scenario, before: Portfolio, known: Knowledge, planned: Iterable[Choice]) -> Portfolio:
    """Those begun in their order; then what is planned, by start year, old rank or else usual rank, and id.

    So no decision changes who came before whom among those that were begun: the past stays as it was.
    """
    begun = [one.choice for one in known.standings if one.phase is not Phase.AHEAD]
    later = list(planned)
    old = {choice.technology: choice.rank for choice in before.choices}
    unranked = tuple(replace(choice, rank=0) for choice in (*begun, *later))
    usual = {choice.technology: choice.rank for choice in with_ranks(Portfolio(unranked), scenario).choices}
    later.sort(key=lambda one: (one.start_year, old.get(one.technology, usual[one.technology]), one.technology))
    choices = tuple(replace(choice, rank=rank) for rank, choice in enumerate((*begun, *later), start=1))
    return replace(before, choices=choices)


def _open_partners(scenario: Scenario, course: Course, known: Knowledge) -> dict[tuple[str, int], bool]:
    """Whether partners that are open stay so this year: for a project with them, begun or planned."""
    standing = {one.choice.technology: one for one in known.standings}
    needed: set[str] = set()
    for choice in course.choices:
        one = standing.get(choice.technology)
        if choice.partner and (one is None or one.phase is Phase.AHEAD or one.joint):
            needed |= set(members(scenario, choice.partner))
    return {(code, known.year): code in needed for code in known.opened}
