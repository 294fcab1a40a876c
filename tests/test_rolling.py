"""Policies in time: the past stays as it was, no decision knows the future, and exact policies stand in their order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from rdsim.case import DAYS_PER_YEAR, UNSET, Outcomes, SamplePaths
from rdsim.domain import (
    Choice,
    Gate,
    Limit,
    Limits,
    Mode,
    Partner,
    PartnerEffect,
    Portfolio,
    Programme,
    Scenario,
    TechField,
    Technology,
    Tranche,
    UncertaintyClass,
    ValueRules,
)
from rdsim.draws import Draws
from rdsim.expectation import with_sure_market
from rdsim.families import RowKey, remaining_cap
from rdsim.luck import lay_out
from rdsim.portfolio import with_ranks
from rdsim.rolling import (
    Course,
    Knowledge,
    Policy,
    Prospects,
    Supply,
    Worlds,
    courses,
    decision_years,
    foresee,
    knowledge_at,
    past_of,
    proposals,
    roll,
    roll_one,
    stopping,
    supply_of,
)
from rdsim.search import Instance, build_instance, choose
from rdsim.simulation import Running, expected_worths
from tests.simple import each_step, plain
from tests.sizes import size
from tests.test_loop import crowded
from tests.worlds import draw_world

Floats = npt.NDArray[np.float64]


def late() -> Scenario:
    """Three technologies, money for one tranche a year; a setback costs a year, and a late value is worth little.

    A step takes most of a year. Who has a setback asks for another tranche, and those who wait for it come late too.
    """
    line = Programme(
        name="Line",
        budget={2024 + k: 5.0 for k in range(5)},
        starts={2024: 1, 2025: 1, 2026: 1},
        tranches=(Tranche(12.0, 0.5), Tranche(12.0, 0.5)),
        deadline_years=2.0,
        trl_target=6,
        gate=Gate(policy="always-pass"),
    )
    technologies = {
        name: Technology(name, name, "line", "f", trl=5, cost=10.0, value=value, trl_target=6)
        for name, value in (("A", 30.0), ("B", 28.0), ("C", 26.0))
    }
    return plain(
        technologies,
        line,
        steps=each_step(0.75, median_years=(0.9,) * 8, setback_probability=1.0, attempts=2),
        value=ValueRules(market_months=12.0, market_sigma=0.0, loss_per_year=1.0),
    )


@pytest.fixture(scope="module")
def slow() -> Instance:
    return build_instance(late(), samples=400, seed=3)


@pytest.fixture(scope="module")
def crowd() -> tuple[Supply, Portfolio]:
    posed = build_instance(crowded(), samples=200, seed=3)
    every = tuple(Choice(f"T{k}", "domestic", "", 2024) for k in range(8))
    plan = with_ranks(Portfolio(every), posed.scenario)
    return supply_of(posed, plan), plan


# --- the past -------------------------------------------------------------------------------------


def bound() -> Scenario:
    """A field and a partner of one name; of 150 at most 16 for the partner. A project asks for 6, and then for 4."""
    line = Programme(
        name="Line",
        budget={2024: 50.0, 2025: 50.0, 2026: 50.0},
        starts={2024: 1, 2025: 1},
        tranches=(Tranche(12.0, 0.6), Tranche(12.0, 0.4)),
        deadline_years=5.0,
        gate=Gate(policy="always-pass"),
    )
    return plain(
        {name: Technology(name, name, "line", "US", trl=4, cost=10.0, value=90.0, trl_target=6) for name in "AB"},
        line,
        fields={"US": TechField("Field")},
        modes={"domestic": Mode("Domestic"), "joint": Mode("Joint")},
        partners={"US": Partner("US", "US", modes=("joint",), places=9, break_rate=0.5)},
        levels={"US": {"US": 92.0}},
        partner_effect=PartnerEffect(cost_overhead=0.0, success_shift=3.0, duration_gain=0.0),
        steps=each_step(0.5, median_years=(1.0,) * 8),
        limits=Limits(fields={"US": Limit(ceiling=0.9)}, partners={"US": Limit(ceiling=16 / 150)}),
    )


def broken(worlds: Worlds, course: Course, until: int) -> Knowledge:
    """What is known of A after a break on day 100: its second tranche is home's alone."""
    luck = worlds.actual(0)
    luck.break_day[0, 0, 0] = 100
    luck.step[...] = 0.0
    return knowledge_at(worlds.scenario, worlds.play(course, luck, until=until), luck.budget)


def test_what_is_spent_is_kept_by_field_and_by_partner_and_a_partner_is_charged_joint_money_only() -> None:
    scenario, choices = bound(), (Choice("A", "joint", "US", 2024),)
    now = broken(Worlds(scenario, choices, 1, pool=2), Course(with_ranks(Portfolio(choices), scenario)), 2026)
    ask = {"left": scenario, "past": past_of(scenario, now), "held": 0.0, "opening": 0.0, "gone": 0.0}
    left = {
        family: remaining_cap(RowKey(family, "US", side="ceiling"), scenario, {**ask, "cap": 100.0, "sense": "<="})
        for family in ("field", "partner")
    }
    assert left == {"field": 100.0 - 10.0, "partner": 100.0 - 6.0}


def test_what_a_partner_may_still_be_given_is_what_was_not_given_to_it() -> None:
    """16 less the 6 of A: just enough for B with the partner, who is worth more than B alone."""
    scenario = bound()
    plan = with_ranks(Portfolio((Choice("A", "joint", "US", 2024),)), scenario)
    supply = supply_of(build_instance(scenario, samples=200, seed=1), plan)
    courses = proposals(supply, Policy({}), Course(plan), broken(supply.worlds, Course(plan), 2025))
    assert Choice("B", "joint", "US", 2025, 2) in {one for course in courses for one in course.choices}


def differing(before: Outcomes, after: Outcomes) -> list[str]:
    return [name for name in Outcomes._fields if not (getattr(before, name) == getattr(after, name)).all()]


def test_imagined_futures_have_the_same_past_and_other_ends() -> None:
    compared = ended_otherwise = 0
    for seed in range(size(40, 400)):
        world = draw_world(seed)
        worlds = Worlds(world.scenario, tuple(replace(one, rank=0) for one in world.choices), seed, pool=32)
        course, luck = Course(world.portfolio, world.stops, world.kept), worlds.actual(seed)
        whole = worlds.play(course, luck).outcomes
        for year in range(world.scenario.start_year + 1, world.scenario.horizon_year + 1):
            past = worlds.play(course, luck, until=year)
            futures = worlds.futures(luck, past, np.arange(6))
            assert differing(past.outcomes, worlds.play(course, futures, until=year).outcomes) == []
            ends = worlds.play(course, futures).outcomes
            compared += 6
            ended_otherwise += int((ends.end_day != whole.end_day).any(axis=1).sum())
    assert ended_otherwise > 0.2 * compared


def test_a_past_is_the_beginning_of_the_whole() -> None:
    for seed in range(size(40, 400)):
        world = draw_world(seed)
        worlds = Worlds(world.scenario, tuple(replace(one, rank=0) for one in world.choices), seed, pool=8)
        course, luck = Course(world.portfolio, world.stops, world.kept), worlds.actual(3)
        whole = worlds.play(course, luck).outcomes
        for year in range(world.scenario.start_year + 1, world.scenario.horizon_year + 1):
            past, today = worlds.play(course, luck, until=year).outcomes, (year - 2024) * DAYS_PER_YEAR
            for name in UNSET - {"market_day"}:  # the market may be known later than R&D
                days = getattr(whole, name)
                assert (np.where(days < today, days, -1) == getattr(past, name)).all(), (seed, year, name)


def test_an_imagined_attempt_lasts_longer_than_it_has_lasted() -> None:
    """Of those under way the days that are drawn are those of other replications, given that they are long enough."""
    scenario = replace(
        plain(uncertainty={"medium": UncertaintyClass(0.6, 0.0)}),
        steps=each_step(median_years=(1.0,) * 8),
    )
    choice = Choice("T", "domestic", "", 2024)
    worlds = Worlds(scenario, (choice,), 5, pool=512)
    course = Course(Portfolio((replace(choice, rank=1),)))
    every = worlds.others.step_days[:, 0, 3, 0]
    checked = 0
    for number in range(40):
        luck = worlds.actual(number)
        past = worlds.play(course, luck, until=2025)
        if past.outcomes.trl[0, 0] > 4:
            continue
        checked += 1
        assert past.outcomes.progress[0, 0] == 360
        drawn = worlds.futures(luck, past, np.arange(512)).step_days[:, 0, 3, 0]
        assert (np.ceil(drawn) >= 360).all()
        longer = every[np.ceil(every) >= 360]
        assert set(drawn) <= set(longer)
        assert abs(drawn.mean() - longer.mean()) < 0.1 * longer.mean()
    assert checked > 10


# --- no decision knows the future -----------------------------------------------------------------


def taken(supply: Supply, plan: Portfolio, luck: SamplePaths) -> dict[int, Course]:
    """The course after each year's decisions."""
    years = [2024, *decision_years(supply.posed.scenario)]
    return dict(zip(years, courses(supply, Policy({}), plan, luck, 0), strict=True))


@pytest.mark.parametrize("number", range(4))
def test_scrambling_the_future_changes_no_past_decision(number: int, slow: Instance) -> None:
    plan = with_ranks(Portfolio(tuple(Choice(name, "domestic", "", 2024 + k) for k, name in enumerate("ABC"))), late())
    supply = supply_of(slow, plan)
    luck = supply.worlds.actual(number)
    before = taken(supply, plan, luck)
    for year in decision_years(late()):
        past = supply.worlds.play(before[year - 1], luck, until=year)
        for row in range(3):
            scrambled = supply.worlds.futures(luck, past, np.array([40 * number + row]))
            after = taken(supply, plan, scrambled)
            for same in range(2025, year + 1):
                assert (after[same].stops, after[same].choices) == (before[same].stops, before[same].choices)


def test_the_future_does_change_later_decisions(slow: Instance) -> None:
    """Else the test above would hold for a policy that decides nothing."""
    plan = with_ranks(Portfolio(tuple(Choice(name, "domestic", "", 2024 + k) for k, name in enumerate("ABC"))), late())
    supply = supply_of(slow, plan)
    found = roll(supply, Policy({}), plan, range(30))
    assert len({tuple(sorted(course.stops.items())) for course in found.courses}) > 2


# --- truth by enumeration -------------------------------------------------------------------------


class Exact:
    """All luck of `late`, with its probabilities; and the best that each kind of policy can do."""

    def __init__(self) -> None:
        self.scenario = late()
        years = (2024, 2025, 2026)
        options = tuple(Choice(name, "domestic", "", year) for name in "ABC" for year in years)
        self.worlds = Worlds(self.scenario, options, 7, pool=64)
        case = self.worlds.play(self.course({"A": 2024}), self.worlds.actual(0)).case
        chance = float(case.alone_success[0, 4])
        plays = list(itertools.product((True, False), repeat=6))  # three technologies, two attempts each
        self.chances = np.array([np.prod([chance if one else 1 - chance for one in play]) for play in plays])
        luck = lay_out(with_sure_market(self.scenario), self.worlds._stage, options, Draws(7, range(len(plays))))
        for row, play in enumerate(plays):
            for t in range(3):
                luck.step[row, t, 4, :2] = [0.0 if one else 0.9999 for one in play[2 * t : 2 * t + 2]]
        luck.step_days[...] = 324.0
        self.luck = luck

    def course(self, starts: dict[str, int]) -> Course:
        chosen = tuple(Choice(name, "domestic", "", year) for name, year in starts.items())
        return Course(with_ranks(Portfolio(chosen), self.scenario))

    def rows(self, some: list[int]) -> SamplePaths:
        return SamplePaths(**{name: np.ascontiguousarray(column[some]) for name, column in self.luck._asdict().items()})

    def static(self) -> tuple[float, dict[str, int], Floats]:
        """Worth of the best portfolio, its starts, and the most in each play of luck."""
        best, found, most = 0.0, {}, np.zeros(64)
        for years in itertools.product((0, 2024, 2025, 2026), repeat=3):
            starts = {name: year for name, year in zip("ABC", years, strict=True) if year}
            if len(set(starts.values())) < len(starts) or not starts:
                continue  # one start a year
            worths = self.worlds.play(self.course(starts), self.luck).worths
            most = np.maximum(most, worths)
            if worths @ self.chances > best:
                best, found = float(worths @ self.chances), starts
        return best, found, most

    def adaptive(
        self,
        year: int = 2024,
        starts: dict[str, int] | None = None,
        stops: dict[str, int] | None = None,
        rows: list[int] | None = None,
    ) -> float:
        """Chance-weighted worth of the best decisions from a year on, for plays that cannot be told apart before it."""
        starts, stops = starts or {}, stops or {}
        rows = list(range(64)) if rows is None else rows
        if year > 2027:
            if not starts:
                return 0.0
            course = replace(self.course(starts), stops=stops)
            return float(self.worlds.play(course, self.rows(rows)).worths @ self.chances[rows])
        idle = [name for name in "ABC" if name not in starts]
        best = -np.inf
        for more in [None, *idle] if year < 2027 else [None]:
            for stopped in subsets([name for name in starts if name not in stops]):
                then = {**starts, **({more: year} if more else {})}
                halted = {**stops, **dict.fromkeys(stopped, year)}
                total = sum(
                    self.adaptive(year + 1, then, halted, same) for same in self.alike(year, then, halted, rows)
                )
                best = max(best, total)
        return best

    def alike(self, year: int, starts: dict[str, int], stops: dict[str, int], rows: list[int]) -> list[list[int]]:
        """Plays by what has been seen at the end of the year."""
        if not starts:
            return [rows]
        course = replace(self.course(starts), stops=stops)
        seen = self.worlds.play(course, self.rows(rows), until=year + 1).outcomes
        groups: dict[bytes, list[int]] = {}
        for place, row in enumerate(rows):
            groups.setdefault(b"".join(getattr(seen, name)[place].tobytes() for name in seen._fields), []).append(row)
        return list(groups.values())


def subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    for count in range(len(names) + 1):
        yield from itertools.combinations(names, count)


@pytest.fixture(scope="module")
def exact() -> Exact:
    return Exact()


def test_exact_policies_stand_in_their_order_and_rolling_comes_near_the_best(exact: Exact, slow: Instance) -> None:
    static, starts, most = exact.static()
    adaptive, foresight = exact.adaptive(), float(most @ exact.chances)
    assert static + 1e-9 < adaptive < foresight - 1e-9
    assert adaptive > 1.05 * static  # there is something to gain
    plan = exact.course(starts).portfolio
    supply = replace(supply_of(slow, plan), worlds=exact.worlds)
    worths = [roll_one(supply, Policy({}), plan, exact.rows([row]), row)[0] for row in range(64)]
    rolled = float(np.array(worths) @ exact.chances)
    assert rolled <= adaptive + 1e-9
    assert rolled > static
    assert rolled >= 0.97 * adaptive


# --- what rolling says ----------------------------------------------------------------------------


def test_with_nothing_to_decide_rolling_is_static(crowd: tuple[Supply, Portfolio]) -> None:
    """All is begun in the first year, and stops are not allowed."""
    supply, plan = crowd
    found = roll(supply, Policy({}, stops=False), plan, range(6))
    static, _ = expected_worths(supply.posed.scenario, plan, replications=6, seed=supply.posed.seed)
    assert found.worths == pytest.approx(static, abs=1e-9)
    assert all(not course.stops and course.choices == Course(plan).choices for course in found.courses)


def test_rolling_repeats_with_any_number_of_threads(slow: Instance) -> None:
    plan = choose(slow).portfolio
    one, two = (
        roll(supply_of(replace(slow, running=Running(threads=threads)), plan), Policy({}), plan, range(12))
        for threads in (1, 2)
    )
    assert (one.worths == two.worths).all()
    assert [course.choices for course in one.courses] == [course.choices for course in two.courses]
    assert [course.stops for course in one.courses] == [course.stops for course in two.courses]


def test_both_engines_roll_alike(slow: Instance) -> None:
    plan = choose(slow).portfolio
    fast = roll(supply_of(slow, plan), Policy({}), plan, range(4))
    plainly = roll(supply_of(replace(slow, running=Running("simpy")), plan), Policy({}), plan, range(4))
    assert (fast.worths == plainly.worths).all()


def test_what_lies_ahead_is_the_mean_of_what_comes(crowd: tuple[Supply, Portfolio]) -> None:
    """Over many replications of a project alone: worth to come as told at the beginning of 2025, and as it came."""
    supply, _ = crowd
    scenario, choice = supply.posed.scenario, Choice("T5", "domestic", "", 2024)
    worlds = Worlds(scenario, (choice,), 11)
    course = Course(Portfolio((replace(choice, rank=1),)))
    prospects = Prospects(scenario, (choice,), samples=4000, seed=3)
    told, came = [], []
    for number in range(400):
        luck = worlds.actual(number)
        past = worlds.play(course, luck, until=2025)
        now = knowledge_at(scenario, past, luck.budget).standings[0]
        if now.alive:
            told.append(prospects.of(now, 2025).worth)
            came.append(worlds.play(course, luck).worths[0] + now.paid)
    gap = np.array(told) - np.array(came)
    assert len(gap) > 200
    assert abs(gap.mean()) < 4 * gap.std(ddof=1) / len(gap) ** 0.5 + 0.02 * abs(np.mean(came))


def test_stops_are_those_worth_least_and_no_must_fund(slow: Instance) -> None:
    plan = with_ranks(Portfolio(tuple(Choice(name, "domestic", "", 2024 + k) for k, name in enumerate("ABC"))), late())
    supply = supply_of(slow, plan)
    scenario = supply.posed.scenario
    must = {**scenario.technologies, "A": replace(scenario.technologies["A"], status="must-fund")}
    bound = replace(supply, posed=replace(slow, scenario=replace(scenario, technologies=must)))
    seen = 0
    for number in range(20):
        luck = supply.worlds.actual(number)
        past = supply.worlds.play(Course(plan), luck, until=2025)
        now = knowledge_at(scenario, past, luck.budget)
        for course in stopping(supply, Course(plan), now):
            seen += 1
            assert set(course.stops) == {"A"}
        assert stopping(bound, Course(plan), now) == []
    assert seen


def test_foresight_is_no_worse_than_static(slow: Instance) -> None:
    plan = choose(slow).portfolio
    static, _ = expected_worths(slow.scenario, plan, replications=12, seed=slow.seed)
    told = foresee(slow, plan, range(12))
    assert (told >= static).all()
    assert told.mean() > static.mean()
