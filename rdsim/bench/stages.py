"""The benchmark of a scenario, stage by stage: what is finished stays, whatever becomes of the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rdsim import portfolio as portfolios
from rdsim.arrays import Floats
from rdsim.bench.doubts import ChoiceDoubt, choice_noise, choose_again, doubts_of
from rdsim.bench.entrants import (
    Chosen,
    Entrant,
    choose_all,
    given_entrants,
)
from rdsim.bench.feasibility import ANNOUNCED, EQUAL, FREEDOMS, RowStanding, stand
from rdsim.bench.judging import Judged, Measured
from rdsim.bench.rivals import Rivals, find_rivals
from rdsim.bench.worlds import AS_STATED, KINDS, BenchWorld, bench_worlds
from rdsim.domain import Scenario
from rdsim.errors import RdsimError
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.rolling import Policy, roll, supply_of
from rdsim.search import (
    Refined,
    at_ratios,
    build_instance,
    portfolio_of,
    refine,
    risk_of,
    solving_of,
    soon,
)
from rdsim.search.views import payment_ratios
from rdsim.simulation import Running
from rdsim.stats import Interval
from rdsim.streams import RECHOSEN

__all__ = ["BenchSettings", "Contest", "Progress", "contest", "quick"]

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""

_KNOWING_SAMPLES = 100
"""Samples behind each option, at most, of choices that know their world."""
_FIRST_KNOWING = 2**19
"""In the stream of decisions made anew, from which on they know their world."""


@dataclass(frozen=True)
class BenchSettings:
    """How much is asked of a benchmark; None: as the scenario says."""

    rules: tuple[str, ...] = ()
    """Names of rules for choosing; none: those that plans of the scenario are compared with."""
    worlds: tuple[str, ...] = KINDS
    replications: int | None = None
    elsewhere: int = 400
    """Replications in other worlds, and to choose by."""
    repeats: int = 6
    """Times that the choice without simulation is made anew; 0 or 1: choice noise is not told."""
    batches: int = 6
    """Fresh samples of all options that are solved anew; 0 or 1: sampling gap and optimism are not told."""
    evaluation: int = 5000
    """Samples that judge the choice there."""
    rolled: int = 24
    """Replications in which each year is decided anew; 0 or 1: none is."""
    futures: int = 64
    """Imagined for each decision there."""
    loop: bool = True
    """Whether a plan is made, with simulation in the loop."""
    seed: int | None = None
    solving: Solving = Solving()
    running: Running = Running()


_QUICK: Mapping[str, object] = {
    "optimiser.redecisions": 0,
    "optimiser.search.replications": 20,
    "optimiser.search.most_replications": 100,
    "optimiser.search.rounds": 1,
    "optimiser.effort": "quick",
}


def quick(scenario: Scenario, asked: BenchSettings) -> tuple[Scenario, BenchSettings]:
    """The same at a size of some seconds for small scenarios: figures show that all works, and no more.

    What is asked less of, or not at all, stays so.
    """
    settings = {**_QUICK, "optimiser.samples": min(20, scenario.optimiser.samples)}
    kinds = tuple(kind for kind in asked.worlds if kind != "bounds")
    most = {"elsewhere": 20, "repeats": 2, "batches": 2, "evaluation": 100, "rolled": 2, "futures": 8}
    fewer = {name: min(count, getattr(asked, name)) for name, count in most.items()}
    return scenario.with_(settings), replace(asked, worlds=kinds, replications=asked.replications or 40, **fewer)


@dataclass(eq=False)
class Contest:
    """What a benchmark of a scenario found; what was not asked, or not finished, is empty."""

    scenario: Scenario
    asked: BenchSettings
    posed: Refined
    chosen: Chosen
    judged: Judged
    entrants: dict[str, Entrant]
    standings: dict[str, RowStanding]
    worlds: tuple[BenchWorld, ...] = ()
    """Those in which all portfolios were judged."""
    knowing: dict[str, dict[str, Entrant]] = field(default_factory=dict)
    """By world and freedom, the optimiser's choice that knows the world."""
    again: tuple[Entrant, ...] = ()
    """Choices made anew."""
    doubts: tuple[ChoiceDoubt, ...] = ()
    again_ahead: Interval | None = None
    """How much choices made anew are ahead of the first, simulated."""
    rivals: tuple[Rivals, ...] = ()
    rolled: Floats | None = None
    """Worth of the plan decided again each year, in the first replications, (n,)."""
    seconds: dict[str, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    why: str = ""
    interrupted: bool = False

    @property
    def freedoms(self) -> tuple[str, ...]:
        """The freedoms that are told apart: one, if the plan keeps its payments within the announced money."""
        apart = any(abs(ratio - 1.0) > 1e-9 for ratio in self.chosen.payment_ratios.values())
        return FREEDOMS if apart else (ANNOUNCED,)

    def keeping(self, freedom: str) -> list[str]:
        """Names of the entrants that break no hard row at a freedom."""
        return [name for name in self.entrants if self.standings[name].keeps(freedom)]

    def pool_in(self, world: str, freedom: str) -> list[str]:
        """Names of all portfolios of which the best of a world is chosen, at a freedom."""
        knowing = self.knowing.get(world, {})
        return [*self.keeping(freedom), *([knowing[freedom].name] if freedom in knowing else [])]

    @property
    def titles(self) -> dict[str, str]:
        """What every portfolio is called on pages, those that know their world too."""
        more = [one for known in self.knowing.values() for one in known.values()]
        found = [rival.entrant for one in self.rivals for rival in one.found]
        return {one.name: one.title for one in (*self.entrants.values(), *self.again, *more, *found)}


def contest(
    scenario: Scenario,
    paths: Sequence[Path] = (),
    asked: BenchSettings = BenchSettings(),
    progress: Progress = lambda _stage, _done, _total: None,
) -> Contest:
    """Benchmark the portfolios of files and runs, of rules and of the optimiser in a scenario.

    An interrupt (Ctrl-C) ends it with what is finished; a solver that fails leaves out its own part.

    Raises: InputError with every fault of what is given; InfeasibleError and SolverError where nothing can be chosen at
    all; KeyboardInterrupt before the portfolios were judged in the scenario as it stands.
    """
    given = given_entrants(paths, scenario)
    worlds = bench_worlds(scenario, asked.worlds)
    found = _begin(scenario, given, asked, progress)
    stages: Mapping[str, Callable[[], None]] = {
        "other worlds": partial(_judge_worlds, found, worlds, progress),
        "choices made anew": partial(_choose_again, found, progress),
        "competitors": partial(_meet_rivals, found, progress),
        "gaps and optimism": partial(_doubt, found),
        "deciding again each year": partial(_roll, found, progress),
    }
    left = list(stages)
    for name, stage in stages.items():
        try:
            _with_clock(found, name, stage)
            left.remove(name)
        except KeyboardInterrupt:
            found.missing += left
            found.interrupted, found.why = True, found.why or "interrupted"
            break
        except RdsimError as error:
            left.remove(name)
            found.missing.append(name)
            found.why = found.why or str(error)
    return found


def _with_clock(found: Contest, name: str, job: Callable[[], None]) -> None:
    began = time.perf_counter()
    try:
        job()
    finally:
        found.seconds[name] = time.perf_counter() - began


def _begin(scenario: Scenario, given: Sequence[Entrant], asked: BenchSettings, progress: Progress) -> Contest:
    """The problem, who takes part, how they stand to the rows, and what they are worth in the scenario as it stands."""
    began = time.perf_counter()
    progress("optimise", 0, 1)
    seed = scenario.simulation.seed if asked.seed is None else asked.seed
    posed = refine(build_instance(scenario, seed=seed, running=asked.running), asked.solving)
    progress("optimise", 1, 1)
    stated = time.perf_counter()
    chosen = choose_all(posed, asked.rules, asked.solving, partial(progress, "search"), loop=asked.loop)
    ready = time.perf_counter()
    ratios = chosen.payment_ratios
    entrants = {one.name: one for one in (*given, *chosen.entrants)}
    standings = {name: stand(one, posed, ratios) for name, one in entrants.items()}
    count = scenario.simulation.replications if asked.replications is None else asked.replications
    judged = Judged(Measured(count, min(count, asked.elsewhere), seed, asked.running))
    found = Contest(scenario, asked, posed, chosen, judged, entrants, standings)
    world = BenchWorld(AS_STATED, "as stated", "nothing: the scenario as it stands", scenario)
    for number, one in enumerate(entrants.values()):
        progress("simulate", number, len(entrants))
        judged.judge(one, world)
    progress("simulate", len(entrants), len(entrants))
    found.worlds = (world,)
    found.seconds |= {"stating the problem": stated - began, "choosing": ready - stated}
    found.seconds["simulation as stated"] = time.perf_counter() - ready
    return found


# --- stages -----------------------------------------------------------------------------------------


def _judge_worlds(found: Contest, worlds: Sequence[BenchWorld], progress: Progress) -> None:
    """Everybody in every other world, beside what would be chosen if one knew it; a world is kept once it is whole."""
    others = worlds[1:]
    for number, world in enumerate(others):
        progress("worlds", number, len(others))
        for one in found.entrants.values():
            found.judged.judge(one, world)
        known = dict(_knowing(found, world, number))
        for one in known.values():
            found.judged.judge(one, world)
        found.knowing[world.name] = known
        found.worlds = (*found.worlds, world)
    progress("worlds", len(others), len(others))


def _knowing(found: Contest, world: BenchWorld, number: int) -> Iterator[tuple[str, Entrant]]:
    """The optimiser's choices that know a world, on samples of their own; none where it finds none."""
    seed = stream_seed(found.posed.seed, RECHOSEN.number(_FIRST_KNOWING + number))
    samples, solving = min(found.posed.samples, _KNOWING_SAMPLES), solving_of(found.scenario, found.asked.solving)
    posed = build_instance(world.scenario, samples=samples, seed=seed, running=found.asked.running)
    wanted = {ANNOUNCED: dict.fromkeys(world.scenario.programmes, 1.0), EQUAL: found.chosen.payment_ratios}
    for freedom in found.freedoms:
        problem = at_ratios(world.scenario, posed.problem, wanted[freedom])
        chosen = soon(problem, (), solving, risk_of(posed))
        if chosen is None:
            continue
        name = f"knowing-{world.name}-at-{freedom.replace(' ', '-')}"
        portfolio = portfolio_of(world.scenario, posed.options, chosen, name)
        title = f"the optimiser's choice, knowing this world ({freedom})"
        yield freedom, Entrant(name, title, "optimiser", portfolio, world.scenario, "rdsim's optimiser, in that world")


def _choose_again(found: Contest, progress: Progress) -> None:
    count = found.asked.repeats if found.asked.repeats > 1 else 0
    for number in range(count):
        progress("again", number, count)
        one = choose_again(found.posed, number, found.asked.solving, found.asked.running)
        found.again = (*found.again, one)
    if count:
        progress("again", count, count)
        first = found.entrants["one_shot"]
        noise, ahead = choice_noise(first, found.again, found.judged, found.scenario.simulation.confidence)
        found.doubts, found.again_ahead = (*found.doubts, noise), ahead


def _meet_rivals(found: Contest, progress: Progress) -> None:
    """Competitors of every portfolio that was given."""
    ratios = found.chosen.payment_ratios
    more = {one.name: (one, stand(one, found.posed, ratios)) for one in found.again}
    known = {name: (one, found.standings[name]) for name, one in found.entrants.items()} | more
    given = [one for one in found.entrants.values() if one.kind == "given"]
    for number, one in enumerate(given):
        progress("competitors", number, len(given))
        met = find_rivals(one, found.posed, known, found.judged, found.asked.solving)
        found.rivals = (*found.rivals, met)
    if given:
        progress("competitors", len(given), len(given))


def _doubt(found: Contest) -> None:
    asked = found.asked
    known = doubts_of(found.posed, found.chosen.one_shot, asked.batches, asked.evaluation, asked.solving)
    found.doubts = (*known, *found.doubts)


def _roll(found: Contest, progress: Progress) -> None:
    """The plan, decided again each year."""
    asked, posed, plan = found.asked, found.posed, found.chosen.plan
    count = min(asked.rolled, found.judged.measured.replications)
    if count < 2:
        return
    stated = payment_ratios(found.scenario)
    ratios = {name: ratio / stated[name] for name, ratio in plan.payment_ratios.items()}
    static = portfolios.with_ranks(plan.portfolio, found.scenario)
    means, solving = (
        None if found.chosen.loop is None else found.chosen.loop.means,
        solving_of(found.scenario, asked.solving),
    )
    supply = supply_of(posed, static, means=means, solving=solving)
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        progress("roll", done, count)

    found.rolled = roll(supply, Policy(ratios, True, asked.futures), static, range(count), progress=tell).worths
