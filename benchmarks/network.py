"""Subject `network`: one simplified network on both engines, in C, by hand in SimPy, and in salabim.

A project starts in its year, seizes a place at its partner, talks, then for each tranche: asks the purse (a year's
money, strictly by rank), works, seizes a seat of the panel, is reviewed, and goes on or stops; at the end it releases
its place. SimPy by hand and salabim are written as a user of those libraries would; their ties on one day may fall
otherwise, so they are compared by what comes out on average. C must give the same outcomes, all of them. Ciw is no
peer: its servers and queues have no purse that is shared by requests of different size.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import shutil
import subprocess
import tempfile
import time
from bisect import insort
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import simpy

from benchmarks import subject
from benchmarks._loops import first, loop
from benchmarks._timing import interleaved, ratios, spread
from rdsim.case import FAILED, STEPS, STOPPED, TARGET, UNFUNDED, Case, Outcomes, SamplePaths, empty_outcomes
from rdsim.engines import compiled, process

__all__ = ["COLUMNS", "by_hand", "c_program", "differences", "in_c", "in_salabim", "make", "network"]

FULL = {"compiled": 2000, "c": 2000, "engine": 20, "hand": 40, "salabim": 10, "repeats": 7}
"""Replications of each contender, and how often their turns are repeated."""
TOKEN = {"compiled": 20, "c": 20, "engine": 2, "hand": 2, "salabim": 1, "repeats": 2}
PROJECTS, PARTNERS, TRANCHES, YEARS, REVIEWS = 180, 12, 3, 12, 3
YEAR_DAYS, TRANCHE_DAYS, REVIEW_DAYS, SEATS, PLACES = 360, 360, 60, 8, 8
SHARE, BUDGET = 1_000_000_000, 40_000_000_000
ALPHA, SUCCESS = 0.1, 0.95


# --- the network, as rdsim's arrays ----------------------------------------------------------------


def make(replications: int, seed: int = 1) -> tuple[Case, SamplePaths]:
    """The network and its luck, drawn once for all contenders."""
    return _case(), _luck(replications, np.random.default_rng(seed))


def _ints(*shape: int, value: int = 0) -> Any:
    return np.full(shape, value, np.int64)


def _case() -> Case:
    p, no_links = PROJECTS, np.zeros(PROJECTS + 1, np.int64)
    return Case(
        horizon=YEARS * YEAR_DAYS,
        closed_days=0,
        setback=0.0,
        attempts=1,
        network=-1,
        alone=False,
        budget=np.array([[BUDGET] * 9 + [0] * (YEARS - 9)]),
        starts=_ints(1, YEARS, value=PROJECTS),
        call_day=_ints(1),
        carry_ppm=_ints(1),
        purse_rule=_ints(1),
        purse_parameters=np.zeros((1, 0)),
        tranches=_ints(1, value=TRANCHES),
        tranche_days=_ints(1, TRANCHES, value=TRANCHE_DAYS),
        policy=_ints(1),
        gate_parameters=np.zeros((1, 0)),
        alpha=np.array([ALPHA]),
        beta=np.zeros(1),
        tolerance=_ints(1, value=9),
        extensions=_ints(1),
        extension_days=_ints(1, value=1),
        drop_ppm=_ints(1),
        panel=_ints(1),
        deliverables=_ints(1),
        due_tranche=_ints(1, 1),
        after_trl=_ints(1, 1, value=1),
        queue_rule=_ints(4),  # by rank: of places, of the panel, of facilities, of starts
        queue_parameters=np.zeros((4, 0)),
        seats=_ints(1, value=SEATS),
        review_days=_ints(1, value=REVIEW_DAYS),
        places=_ints(PARTNERS, value=PLACES),
        setup_days=_ints(PARTNERS),
        setup_cost=_ints(PARTNERS),
        running_cost=_ints(PARTNERS),
        learning_ppm=_ints(1, value=1_000_000),
        kept=_ints(PARTNERS, YEARS, value=-1),
        capacity=_ints(0),
        technology=np.arange(p),
        deadline=_ints(p, value=YEARS * YEAR_DAYS),
        value=np.zeros(p),
        programme=_ints(p),
        start_year=np.arange(p) % 4,
        trl=_ints(p, value=3),
        target=_ints(p, value=6),
        joint=np.ones(p, np.bool_),
        drop_fallback=np.zeros(p, np.bool_),
        member=(np.arange(p) % PARTNERS)[:, None],
        stages=_ints(p, value=1),
        talks=_ints(p, value=-1),
        extra_days=_ints(p),
        asked=np.zeros((p, 1), np.bool_),
        stop_year=_ints(p, value=-1),
        currency=_ints(p),
        home=_ints(p, TRANCHES, value=SHARE),
        abroad=_ints(p, TRANCHES),
        foreign=_ints(p, TRANCHES),
        domestic=_ints(p, TRANCHES, value=SHARE),
        factor=np.ones((p, STEPS)),
        success=np.full((p, STEPS), SUCCESS),
        alone_success=np.full((p, STEPS), SUCCESS),
        median_days=np.cumsum(_ints(p, STEPS, value=300), axis=1),
        needs=_ints(p, STEPS, 0),
        prerequisite_start=no_links,
        prerequisite=_ints(0),
        dependent_start=no_links,
        dependent=_ints(0),
        spillover_start=no_links,
        spillover=_ints(0),
        spillover_gain=np.zeros(0),
    )


def _luck(count: int, rng: np.random.Generator) -> SamplePaths:
    steps = (count, PROJECTS, STEPS, 1)
    return SamplePaths(
        step_days=300.0 * np.exp(0.5 * rng.standard_normal(steps)),
        step=rng.random(steps),
        gate=rng.random((count, PROJECTS, REVIEWS)),
        review_error=np.zeros((count, PROJECTS, REVIEWS)),
        agreed=np.ones((count, PROJECTS, 1), np.bool_),
        agreement_days=rng.integers(30, 270, (count, PROJECTS, 1)),
        deliverable_days=_ints(count, PROJECTS, 1),
        commercial=rng.random((count, PROJECTS)) < 0.5,
        market_days=rng.integers(300, 900, (count, PROJECTS)),
        break_day=_ints(count, PARTNERS, YEARS, value=-1),
        budget=np.broadcast_to(_case().budget, (count, 1, YEARS)).copy(),
        exchange_ppm=_ints(count, 1, YEARS, value=1_000_000),
    )


# --- C --------------------------------------------------------------------------------------------

_NETWORK = ("projects", "partners", "tranches", "years", "steps", "reviews", "horizon", "seats", "review_days")
_TABLES = ("budget", "starts", "places", "start_year", "partner", "trl", "target", "share", "success")
_LUCK = ("step_days", "step", "gate", "agreement_days", "market_days", "commercial")
COLUMNS = (
    *("end_state", "trl", "start_day", "place_day", "agreement_day", "freed_day", "end_day", "market_day", "reviews"),
    *("funded_days", "worked_days", "refund", "refund_day", "wait_start", "wait_place", "wait_money", "wait_panel"),
    *("trl_day", "tranche_day", "paid", "new_money", "spent", "refunded", "lapsed", "short", "peak_seats"),
    "peak_places",
)


class _Network(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in (*_NETWORK, "tranche_days")),
        *((name, ctypes.c_void_p) for name in _TABLES),
        ("alpha", ctypes.c_double),
    )


class _Luck(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in _LUCK)


class _Outcomes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in COLUMNS)


@contextmanager
def c_program() -> Iterator[Any]:
    """The C program's `run`, compiled into a temporary folder; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield None
        return
    source = Path(__file__).with_name("network.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "network.so"
        flags = ("-O3", "-march=native", "-shared", "-fPIC")
        subprocess.run([compiler, *flags, str(source), "-o", str(library), "-lm"], check=True)
        run = ctypes.CDLL(str(library)).run
        run.restype = ctypes.c_int64
        run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        yield run


def in_c(run: Any, case: Case, luck: SamplePaths, out: Outcomes) -> int:
    """Fill in the outcomes that the network has; returns the number of events. Raises MemoryError where C gets none."""
    tables = {
        **{name: getattr(case, name) for name in ("places", "start_year", "trl", "target", "success")},
        "budget": case.budget[0].copy(),
        "starts": case.starts[0].copy(),
        "partner": case.member[:, 0].copy(),
        "share": case.home,
    }
    counts = (PROJECTS, PARTNERS, TRANCHES, YEARS, STEPS, REVIEWS, case.horizon, SEATS, REVIEW_DAYS, TRANCHE_DAYS)
    net = _Network(*counts, *(tables[name].ctypes.data for name in _TABLES), ALPHA)
    chance = _Luck(*(getattr(luck, name).ctypes.data for name in _LUCK))
    columns = _Outcomes(*(getattr(out, name).ctypes.data for name in COLUMNS))
    events = int(run(ctypes.byref(net), ctypes.byref(chance), ctypes.byref(columns), len(luck.agreed)))
    if events < 0:
        raise MemoryError("the C program was given no memory")
    return events


# --- SimPy, by hand -------------------------------------------------------------------------------


@dataclass
class Totals:
    """What came of replications: how many projects reached their target, and the sum of the days of all ends."""

    successes: int = 0
    ended: int = 0
    end_days: int = 0

    def end(self, state: int, day: float) -> None:
        self.successes += state == TARGET
        self.ended += 1
        self.end_days += int(day)


class _Purse:
    """A year's money, paid strictly by rank; who asks for more than will ever come is turned away."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env, self.money = env, 0
        self.queue: list[tuple[int, int, simpy.Event]] = []

    def years(self) -> Generator[simpy.Event, None, None]:
        for y in range(YEARS):
            self.money = BUDGET if y < 9 else 0
            self.serve()
            yield self.env.timeout(YEAR_DAYS)

    def ask(self, rank: int, amount: int) -> simpy.Event:
        event = self.env.event()
        insort(self.queue, (rank, amount, event), key=lambda request: request[0])
        self.serve()
        return event

    def give_back(self, amount: int) -> None:
        self.money += amount
        self.serve()

    def serve(self) -> None:
        to_come = BUDGET * max(0, 8 - int(self.env.now) // YEAR_DAYS)
        while self.queue:
            _, amount, event = self.queue[0]
            if amount > self.money and amount <= self.money + to_come:
                return
            paid = amount <= self.money
            self.money -= amount * paid
            self.queue.pop(0)
            event.succeed(paid)


class _Hand:
    """One replication by hand: a process for each project."""

    def __init__(self, luck: SamplePaths, row: int, totals: Totals) -> None:
        self.env, self.row, self.totals = simpy.Environment(), row, totals
        self.days, self.step = luck.step_days[row, :, :, 0].tolist(), luck.step[row, :, :, 0].tolist()
        self.gate, self.talks = luck.gate[row].tolist(), luck.agreement_days[row, :, 0].tolist()
        self.places = [simpy.PriorityResource(self.env, PLACES) for _ in range(PARTNERS)]
        self.panel = simpy.PriorityResource(self.env, SEATS)
        self.purse = _Purse(self.env)
        self.env.process(self.purse.years())
        for p in range(PROJECTS):
            self.env.process(self.project(p))

    def run(self) -> None:
        self.env.run(until=YEARS * YEAR_DAYS)

    def count(self) -> int:
        """Run, and count SimPy's events."""
        events = 0
        while self.env.peek() < YEARS * YEAR_DAYS:
            self.env.step()
            events += 1
        return events

    def project(self, p: int) -> Generator[simpy.Event, Any, None]:
        env = self.env
        yield env.timeout(p % 4 * YEAR_DAYS)
        with self.places[p % PARTNERS].request(priority=p) as place:
            yield place
            yield env.timeout(self.talks[p])
            state = yield from self.tranches(p)
        self.totals.end(state, env.now)

    def tranches(self, p: int) -> Generator[simpy.Event, Any, int]:
        env, trl, left = self.env, 3, 0
        for k in range(TRANCHES):
            if not (yield self.purse.ask(p, SHARE)):
                return UNFUNDED
            end = env.now + TRANCHE_DAYS
            while env.now < end:
                left = left or max(math.ceil(self.days[p][trl - 1]), 1)
                span = min(left, int(end - env.now))
                yield env.timeout(span)
                left -= span
                if left:
                    continue
                state = TARGET if trl == 5 else -1
                state = FAILED if self.step[p][trl - 1] >= SUCCESS else state
                if state >= 0:
                    self.purse.give_back(SHARE * int(end - env.now) // TRANCHE_DAYS)
                    return state
                trl += 1
            if k + 1 < TRANCHES:
                with self.panel.request(priority=p) as seat:
                    yield seat
                    yield env.timeout(REVIEW_DAYS)
                if self.gate[p][k] < ALPHA:
                    return STOPPED
        return STOPPED


def by_hand(luck: SamplePaths) -> Totals:
    """Totals of every replication of the luck."""
    totals = Totals()
    for row in range(len(luck.agreed)):
        _Hand(luck, row, totals).run()
    return totals


def _events_by_hand(luck: SamplePaths) -> int:
    return sum(_Hand(luck, row, Totals()).count() for row in range(len(luck.agreed)))


# --- salabim --------------------------------------------------------------------------------------


def in_salabim(luck: SamplePaths) -> Totals:
    """Totals of every replication of the luck. Raises ImportError without salabim."""
    import salabim as sim  # noqa: PLC0415

    sim.yieldless(False)
    totals = Totals()
    for row in range(len(luck.agreed)):
        _Salabim(sim, luck, row, totals).run()
    return totals


class _Salabim:
    """One replication in salabim: a component for each project; the purse is a queue that it serves itself."""

    def __init__(self, sim: Any, luck: SamplePaths, row: int, totals: Totals) -> None:
        self.sim, self.totals, self.money = sim, totals, 0
        self.env = sim.Environment(trace=False, random_seed=None)
        self.days, self.step = luck.step_days[row, :, :, 0].tolist(), luck.step[row, :, :, 0].tolist()
        self.gate, self.talks = luck.gate[row].tolist(), luck.agreement_days[row, :, 0].tolist()
        self.places = [sim.Resource(f"partner {n}", capacity=PLACES, monitor=False) for n in range(PARTNERS)]
        self.panel = sim.Resource("panel", capacity=SEATS, monitor=False)
        self.queue: list[tuple[int, Any]] = []
        self.paid: dict[int, bool] = {}

    def run(self) -> None:
        _component(self.sim, self.years)
        for p in range(PROJECTS):
            _component(self.sim, self.project, p)
        self.env.run(till=YEARS * YEAR_DAYS - 1)

    def years(self, me: Any) -> Iterator[Any]:
        for y in range(YEARS):
            self.money = BUDGET if y < 9 else 0
            self.serve()
            yield me.hold(YEAR_DAYS)

    def serve(self) -> None:
        to_come = BUDGET * max(0, 8 - int(self.env.now()) // YEAR_DAYS)
        while self.queue and (self.money >= SHARE or self.money + to_come < SHARE):
            rank, asking = self.queue.pop(0)
            self.paid[rank] = self.money >= SHARE
            self.money -= SHARE * self.paid[rank]
            asking.activate()

    def ask(self, me: Any, rank: int) -> Iterator[Any]:
        insort(self.queue, (rank, me), key=lambda request: request[0])
        if self.queue[0][0] == rank and self.money >= SHARE:
            self.queue.pop(0)
            self.money -= SHARE
            return True
        yield me.passivate()
        return self.paid[rank]

    def project(self, me: Any, p: int) -> Iterator[Any]:
        partner = self.places[p % PARTNERS]
        yield me.hold(p % 4 * YEAR_DAYS)
        yield me.request((partner, 1, p))
        yield me.hold(self.talks[p])
        state = yield from self.tranches(me, p)
        me.release(partner)
        self.totals.end(state, self.env.now())

    def tranches(self, me: Any, p: int) -> Iterator[Any]:
        env, trl, left = self.env, 3, 0
        for k in range(TRANCHES):
            if not (yield from self.ask(me, p)):
                return UNFUNDED
            end = env.now() + TRANCHE_DAYS
            while env.now() < end:
                left = left or max(math.ceil(self.days[p][trl - 1]), 1)
                span = min(left, int(end - env.now()))
                yield me.hold(span)
                left -= span
                if left:
                    continue
                failed = self.step[p][trl - 1] >= SUCCESS
                if failed or trl == 5:
                    self.money += SHARE * int(end - env.now()) // TRANCHE_DAYS
                    self.serve()
                    return FAILED if failed else TARGET
                trl += 1
            if k + 1 < TRANCHES:
                yield me.request((self.panel, 1, p))
                yield me.hold(REVIEW_DAYS)
                me.release(self.panel)
                if self.gate[p][k] < ALPHA:
                    return STOPPED
        return STOPPED


def _component(sim: Any, life: Callable[..., Iterator[Any]], *given: int) -> None:
    """A salabim component that lives the given life."""

    class Alive(sim.Component):  # type: ignore[misc]
        def process(self) -> Iterator[Any]:
            yield from life(self, *given)

    Alive()


# --- the subject ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Contender:
    """Someone who can run the network, and how many events a replication has as it counts them (0: not told)."""

    job: Callable[[], object]
    replications: int
    events: float = 0.0


def _contenders(case: Case, luck: SamplePaths, run: Any, counts: Mapping[str, int]) -> dict[str, _Contender]:
    few = {name: first(luck, counts[name]) for name in ("engine", "hand", "salabim")}
    events = compiled.count_events(case, few["engine"]) / counts["engine"]
    by_simpy = _events_by_hand(few["hand"]) / counts["hand"]
    found = {
        "compiled engine": _Contender(loop(case, luck, counts["compiled"]), counts["compiled"], events),
        "SimPy engine": _Contender(lambda: process.run(case, few["engine"]), counts["engine"], events),
        "SimPy by hand": _Contender(lambda: by_hand(few["hand"]), counts["hand"], by_simpy),
    }
    if run is not None:
        out = empty_outcomes(case, counts["c"])
        per = in_c(run, case, luck, out) / counts["c"]
        found["C, cc -O3"] = _Contender(lambda: in_c(run, case, luck, out), counts["c"], per)
    if importlib.util.find_spec("salabim"):
        found["salabim"] = _Contender(lambda: in_salabim(few["salabim"]), counts["salabim"])
    return found


def differences(case: Case, luck: SamplePaths, run: Any) -> list[str]:
    """Columns in which the SimPy engine, or C where there is a compiler, differs from the compiled engine."""
    fast, slow = compiled.run(case, luck), process.run(case, luck)
    found = [name for name in fast._fields if not np.array_equal(getattr(fast, name), getattr(slow, name))]
    if run is not None:
        out = empty_outcomes(case, len(luck.agreed))
        in_c(run, case, luck, out)
        found += [f"{name} in C" for name in COLUMNS if not np.array_equal(getattr(fast, name), getattr(out, name))]
    return found


def _totals(out: Outcomes) -> Totals:
    ended = out.end_day >= 0
    return Totals(int((out.end_state == TARGET).sum()), int(ended.sum()), int(out.end_day[ended].sum()))


def _print_agreement(case: Case, luck: SamplePaths) -> None:
    """How far the peers, whose ties fall otherwise, agree on what comes out."""
    rows = {"rdsim": _totals(compiled.run(case, luck)), "SimPy by hand": by_hand(luck)}
    if importlib.util.find_spec("salabim"):
        rows["salabim"] = in_salabim(luck)
    count = len(luck.agreed)
    for name, totals in rows.items():
        mean = totals.end_days / max(totals.ended, 1)
        print(f"  {name:<16} {totals.successes / count:6.2f} successes a replication, mean end on day {mean:7.1f}")


@subject("network", full=FULL, token=TOKEN)
def network(counts: Mapping[str, int]) -> None:
    """One simplified network: both engines, C, SimPy by hand and salabim, side by side."""
    case, luck = make(counts["compiled"])
    with c_program() as run:
        wrong = differences(case, first(luck, counts["engine"]), run)
        if wrong:
            raise SystemExit(f"the contenders do not agree: {wrong}")
        print("C is skipped: there is no cc" if run is None else "C and both engines agree on every column")
        if not importlib.util.find_spec("salabim"):
            print("salabim is skipped: it is not installed")
        contenders = _contenders(case, luck, run, counts)
        _print_agreement(case, first(luck, counts["salabim"]))
        jobs = {name: one.job for name, one in contenders.items()}
        found = interleaved(jobs, counts["repeats"], time.thread_time)
    _print_table(contenders, found)


def _print_table(contenders: dict[str, _Contender], found: dict[str, list[float]]) -> None:
    per = {name: [one / contenders[name].replications for one in found[name]] for name in contenders}
    base = per["compiled engine"]
    print(f"{PROJECTS} projects; median of {len(base)} interleaved repeats; ratio to the compiled engine (min .. max)")
    for name, one in contenders.items():
        middle = median(per[name])
        rate = f"{one.events / middle:>12,.0f} events/s" if one.events else " " * 21
        print(f"  {name:<16}{middle * 1e3:>9.3f} ms {1 / middle:>9,.0f} replications/s {rate}", end="")
        print(f" {spread(ratios(per[name], base)):>28}")
    if "C, cc -O3" in contenders:
        print(f"  compiled engine / C: {spread(ratios(base, per['C, cc -O3']))}")
    print("  the luck of this network is drawn once by numpy, apart from all of them")
