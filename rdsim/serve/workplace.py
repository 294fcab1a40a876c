"""A run with all that its questions need in hand: scenario, portfolio, samples, history."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from rdsim import portfolio as portfolios
from rdsim.arrays import Floats
from rdsim.brief import count, listing
from rdsim.comparison.choices import FIRM, changes_of_choice
from rdsim.comparison.reading import finished_run
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import Fault, OutputError
from rdsim.figures import column_figures, unit_words
from rdsim.formulation import row_index
from rdsim.languages import ENGLISH, ngettext, speaking
from rdsim.languages import gettext as _
from rdsim.optimiser import evaluate
from rdsim.plugins import Plugin
from rdsim.plugins import load as load_plugins
from rdsim.report.data.aggregates import payments_for_good
from rdsim.runs import Earlier, open_run, portfolio_of, read_run
from rdsim.scenario import digest
from rdsim.search import Given
from rdsim.serve.answers import ChoiceChange, FigureChange, Firmness, LeverAnswer, MoneyYear, Span
from rdsim.serve.decisions import (
    LeverDecision,
    Reserve,
    Stated,
    decide,
    firmness,
    reserve_of,
    state_levers,
    violation_words,
)
from rdsim.serve.history import Entry, History
from rdsim.serve.levers import Levers, lever_faults, lever_world, run_levers
from rdsim.serve.opened import require_run, run_mark
from rdsim.serve.samples import Drawing, SampledOptions, Tell, read_samples, sample_options, samples_key, write_samples
from rdsim.simulation import PurseTables, Running, purse_tables
from rdsim.stats import mean_interval, paired_difference

__all__ = ["BESIDE", "NeedsSamplesError", "Workplace", "open_workplace"]

BESIDE = "what-if"
"""Folder in a run's folder that holds samples and answers."""

REPLICATIONS = 500

_REMEMBERED = 32
"""Worlds that are kept in memory."""

_SAMPLES_AT_HAND = 3
"""Samples of other assumptions that are kept in memory beside those of the run: each may take hundreds of megabytes."""


_FIGURES = ("npv", "commercialised_by_deadline", "commercialised", "target", "paid", "lapsed", "paid_abroad")
"""Figures that an answer tells."""


class NeedsSamplesError(Exception):
    """A question that samples in hand cannot answer: its assumptions are others. Caught in this room."""


@dataclass(eq=False)
class Workplace:
    """A run that is asked. Threads may ask at the same time: what they share is made under a lock, and then stays."""

    run: Earlier
    scenario: Scenario
    given: Given
    verdicts: Mapping[tuple[str, str, str], str]
    replications: int = REPLICATIONS
    running: Running = Running()
    plugins: tuple[Plugin, ...] = ()
    """Files of somebody else's code that the run used, and that were named again."""
    mark: str = ""
    """Of the run's folder when it was opened, see `rdsim.serve.opened`."""
    _held: dict[str, SampledOptions] = field(default_factory=dict)
    _tables: dict[str, PurseTables] = field(default_factory=dict)
    _reserves: dict[str, Reserve] = field(default_factory=dict)
    _worlds: dict[str, tuple[Scenario, str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @cached_property
    def levers(self) -> Levers:
        """Where the run's own levers stand."""
        return run_levers(self.scenario, self.given.payment_ratios)

    @cached_property
    def portfolio(self) -> Portfolio:
        """The run's portfolio, ranked."""
        return portfolios.with_ranks(self.given.portfolio, self.scenario)

    @cached_property
    def history(self) -> History:
        """The answers beside the run."""
        return History(self.run.folder / BESIDE / "answers")

    @cached_property
    def identity(self) -> str:
        """Digest of what was asked: the run's scenario, seed and portfolio."""
        told = [digest(self.scenario), self.run.seed, [_key(one) for one in self.portfolio.choices]]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def require_run(self) -> None:
        """Raise RunError if the folder no longer holds the run that was opened."""
        require_run(self.run.folder, self.mark)

    def is_own(self, answer: LeverAnswer) -> bool:
        """Whether an answer is of this run, and not of one that stood in its folder before."""
        if answer.run != self.identity or not {one.programme for one in answer.money} <= {*self.scenario.programmes}:
            return False
        return not lever_faults(self.scenario, answer.question)

    @property
    def drawing(self) -> Drawing:
        """How its options are sampled: as for the run."""
        samples = self.scenario.optimiser.samples if self.run.samples is None else self.run.samples
        return Drawing(samples, self.run.seed, replace(self.running, engine="compiled"))

    # ------------------------------------------------------------ samples

    def open_world(self, levers: Levers) -> Scenario:
        """The world that options are sampled in: assumptions as asked, everything else open."""
        return self._world(levers.with_levels_only())[0]

    def _sampling_of(self, levers: Levers) -> tuple[Scenario, Drawing, str]:
        world, known = self._world(levers.with_levels_only())
        return world, self.drawing, known

    def _world(self, levers: Levers) -> tuple[Scenario, str]:
        """The world of levers, and its digest; those asked about lately are remembered. Raises ScenarioError."""
        key = json.dumps(levers.record(), sort_keys=True)
        with self._lock:
            known = self._worlds.get(key)
        if known is None:
            world = lever_world(self.scenario, levers)
            known = world, digest(world)
            with self._lock:
                self._worlds[key] = known
                for old in list(self._worlds)[:-_REMEMBERED]:
                    del self._worlds[old]
        return known

    def has_samples(self, levers: Levers) -> bool:
        """Whether the question can be answered from samples in hand, or beside the run. Raises ScenarioError."""
        self._world(levers)  # every fault, before anything else
        return self._find(levers) is not None

    def prepare(self, levers: Levers, tell: Tell = lambda _done, _total: None, *, threads: int | None = None) -> None:
        """Have samples for a question: from the file beside the run if it fits, else made, and kept there.

        `threads` work on them; by default as many as on everything else.

        Raises: ScenarioError; RunError if the run is gone; what `tell` raises, and then nothing is left behind;
        OutputError if the folder cannot be written: samples then serve this process alone.
        """
        self.require_run()
        if self._find(levers) is None:
            running = replace(self.drawing.running, threads=threads or self.running.threads)
            key = samples_key(*self._sampling_of(levers))
            _make_folder(self._path(key).parent)
            found = sample_options(self.open_world(levers), replace(self.drawing, running=running), tell)
            write_samples(self._keep(key, found), found)

    def _find(self, levers: Levers) -> SampledOptions | None:
        world, drawing, known = self._sampling_of(levers)
        key = samples_key(world, drawing, known)
        with self._lock:
            if key not in self._held:
                found = read_samples(self._path(key), world, drawing)
                if found is not None:
                    self._keep(key, found)
            return self._held.get(key)

    def _keep(self, key: str, found: SampledOptions) -> Path:
        """Have samples at hand, ready for questions; of those with other assumptions the latest few."""
        _ = found.problem, found.places
        with self._lock:
            self._held[key] = found
            for old in list(self._held)[1:-_SAMPLES_AT_HAND]:
                del self._held[old]
        return self._path(key)

    def _path(self, key: str) -> Path:
        return self.run.folder / BESIDE / f"samples-{key[:16]}.npz"

    # ------------------------------------------------------------ questions

    def run_figures(self) -> list[FigureChange]:
        """The run's own figures, on the replications that answers are told of."""
        now = self._run_tables(self.levers)
        return self._figures(self.scenario, now, now, None)

    def ask(self, levers: Levers) -> Entry:
        """Answer a question, and keep the answer. Raises as `decide`; RunError if the run is gone; OutputError."""
        self.require_run()
        answer, _ = self.decide(levers)
        return self.history.add(answer)

    def decide(self, levers: Levers) -> tuple[LeverAnswer, LeverDecision]:
        """The answer to a question, which keeps every rule of it.

        Raises: ScenarioError for levers that cannot stand so; NeedsSamplesError if `prepare` must come first;
        InfeasibleError if no portfolio was found that keeps every rule.
        """
        with speaking(ENGLISH):  # files hold it
            return self._decide(levers)

    def _decide(self, levers: Levers) -> tuple[LeverAnswer, LeverDecision]:
        begun = time.perf_counter()
        world, asked = self._world(levers)
        stated = self._statement(world, levers)
        whole = partial(self._statement, world, levers, every=True)
        decided = decide(stated, self.portfolio, self._reserve(levers), self.run.seed, self.running, whole)
        stated = decided.stated
        kept_levers = levers.without_wishes(self.levers)
        kept = self._run_tables(kept_levers)
        same = decided.is_run
        found = kept if same else self._simulate(world, decided.portfolio)
        now = self._run_tables(self.levers)
        judged = evaluate(stated.problem, stated.run)
        answer = LeverAnswer(
            levers.record(),
            asked,
            self.identity,
            self.replications,
            self.run.seed,
            tuple((one.technology, one.mode, one.partner, one.start_year, one.rank) for one in decided.portfolio),
            same,
            tuple(self._figures(world, now, found, None if kept is now else kept)),
            tuple(self._changes(decided.portfolio)),
            tuple(self._money(decided, found)),
            () if stated.keeps else self._against(world, stated, violation_words(world, judged.violations)),
            time.perf_counter() - begun,
        )
        return answer, decided

    def firmness(self, levers: Levers, answer: LeverAnswer, tell: Callable[[int, int], None]) -> tuple[Firmness, ...]:
        """How firm an answer's decisions are; see `rdsim.serve.decisions.firmness`."""
        world = self._world(levers)[0]
        stated = self._statement(world, levers)
        mine = [stated.sampled.places[replace(one, rank=0)] for one in answer.portfolio.choices]
        if not set(mine) <= set(stated.places.tolist()):  # an answer that only all options had
            stated = self._statement(world, levers, every=True)
        number = {int(place): k for k, place in enumerate(stated.places)}
        chosen = tuple(sorted(number[place] for place in mine))
        return firmness(
            LeverDecision(stated, chosen, answer.portfolio, answer.is_run), self._reserve(levers), tell=tell
        )

    def _statement(self, world: Scenario, levers: Levers, *, every: bool = False) -> Stated:
        sampled = self._find(levers)
        if sampled is None:
            raise NeedsSamplesError
        return state_levers(
            world, sampled, self.portfolio, sampled_rows=world.optimiser.risk.needs_samples, every=every
        )

    def _reserve(self, levers: Levers) -> Reserve:
        """The run's reserve, by the samples of the question."""
        key = samples_key(*self._sampling_of(levers))
        with self._lock:
            if key not in self._reserves:
                own = replace(self.levers, levels=levers.levels)
                self._reserves[key] = reserve_of(self._statement(self._world(own)[0], own))
            return self._reserves[key]

    def _simulate(self, world: Scenario, portfolio: Portfolio) -> PurseTables:
        return purse_tables(world, portfolio, replications=self.replications, seed=self.run.seed, running=self.running)

    def _run_tables(self, levers: Levers) -> PurseTables:
        """The run's portfolio simulated under some money and assumptions; each world once."""
        world, key = self._world(replace(levers, payment_ratios={}, risk_weight=self.levers.risk_weight))
        with self._lock:
            known = self._tables.get(key)
        if known is None:
            known = self._simulate(world, self.portfolio)
            with self._lock:
                known = self._tables.setdefault(key, known)
        return known

    # ------------------------------------------------------------ what an answer says

    def _figures(
        self, world: Scenario, run: PurseTables, found: PurseTables, kept: PurseTables | None
    ) -> list[FigureChange]:
        confidence, told = world.simulation.confidence, []
        known = column_figures(self.scenario)
        for name in [one for one in _FIGURES if one in known and one in found.replications]:
            figure = known[name]
            before, after = (_column(one, name) for one in (run, found))
            decided = None if kept is None else Span.of(paired_difference(after, _column(kept, name), confidence))
            told.append(
                FigureChange(
                    name,
                    figure.label,
                    unit_words(figure, world.money_unit),
                    Span.of(mean_interval(before, confidence)),
                    Span.of(mean_interval(after, confidence)),
                    Span.of(paired_difference(after, before, confidence)),
                    decided,
                    float((after > before).mean()),
                )
            )
        return told

    def _changes(self, portfolio: Portfolio) -> list[ChoiceChange]:
        old, new = ({one.technology: one for one in each.choices} for each in (self.portfolio, portfolio))
        return [
            ChoiceChange(change, code, before, after, self._firm(key, old.get(code)))
            for code in sorted({*old, *new})
            for change, before, after, key in changes_of_choice(old.get(code), new.get(code))
        ]

    def _firm(self, key: tuple[str, str, str, str], mine: Choice | None) -> str:
        """How firm the run's own decision was."""
        kind, technology, *_ = key
        if kind == "technology" or mine is None:
            return FIRM.get(self.verdicts.get(("technology", technology, ""), ""), "")
        own = {"start": str(mine.start_year), "partner": mine.partner, "mode": mine.mode}[kind]
        return FIRM.get(self.verdicts.get((kind, technology, own), ""), "")

    def _money(self, decided: LeverDecision, found: PurseTables) -> list[MoneyYear]:
        stated, told = decided.stated, []
        judged = evaluate(stated.problem, decided.chosen)
        run = evaluate(stated.problem, stated.run)
        paid = _mean_payments(found.purses, self.replications)
        for key, row in row_index(stated.problem, "budget").items():
            announced = stated.world.programmes[key.what].budget.get(key.year, 0.0)
            each = float(judged.activity[row]), float(run.activity[row]), paid.get((key.what, key.year), 0.0)
            if announced or any(abs(one) > 1e-9 for one in each):
                told.append(MoneyYear(key.what, key.year, announced, float(judged.room[row]), *each))
        return told

    def _against(self, world: Scenario, stated: Stated, broken: Sequence[str]) -> tuple[str, ...]:
        """What keeps the run's portfolio from standing: choices that are not allowed, limits that it would break."""
        allowed = {stated.options.choices[o] for o in stated.run}
        lost = [one.technology for one in self.portfolio if replace(one, rank=0) not in allowed]
        wanted = [code for code, one in world.technologies.items() if one.status == "must-fund"]
        lacking = [code for code in wanted if code not in self.portfolio]
        told = ngettext(
            "{projects} of it is not allowed: {names}", "{projects} of it are not allowed: {names}", len(lost)
        ).format(projects=count(len(lost), "project"), names=listing(lost))
        wanting = _("it does not fund {names}").format(names=listing(lacking))
        return (*([told] if lost else []), *([wanting] if lacking else []), *broken)


def _make_folder(folder: Path) -> None:
    """Before any long work. Raises OutputError."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError((Fault(str(folder), "must be writable", error.strerror or str(error)),)) from None


def _column(tables: PurseTables, name: str) -> Floats:
    """A figure by replication, the luck of the market in expectation where that is known."""
    table = tables.expected if name in tables.expected else tables.replications
    return table[name].to_numpy(np.float64)


def _mean_payments(purses: pd.DataFrame, replications: int) -> dict[tuple[str, int], float]:
    spent = purses.assign(net=payments_for_good(purses))
    sums = spent.groupby(["programme", "year"], observed=True, as_index=False)["net"].sum()
    lines = zip(sums["programme"].astype(str), sums["year"].tolist(), sums["net"].tolist(), strict=True)
    return {(name, int(year)): float(money) / replications for name, year, money in lines}


def _key(choice: Choice) -> tuple[str, str, str, int, int]:
    return choice.technology, choice.partner, choice.mode, choice.start_year, choice.rank


def open_workplace(
    folder: str | Path,
    *,
    replications: int = REPLICATIONS,
    running: Running = Running(),
    plugins: Sequence[Path] = (),
) -> tuple[Workplace, tuple[Fault, ...]]:
    """The workplace of a run, and what to know of it: that it is the run's own copy of the scenario that is asked.

    `plugins` are files that are run first, for the run used them; none is run that is not named.

    Raises: InputError if the folder holds no run with a portfolio, its scenario is not there, or a plug-in that it used
    was not named; PortfolioError if the portfolio is none of the scenario's options.
    """
    path = Path(folder)
    run = read_run(path)
    mark = run_mark(path)
    run.require_plugins(plugins)
    told_of_packages, plugged = run.require_packages(), load_plugins(plugins)
    opened = open_run(run)
    run, world = opened.run, opened.world
    told = finished_run(path.name, path)
    given = portfolio_of(path, world)
    portfolios.check(given.portfolio, world)
    place = Workplace(run, world, given, told.verdicts, replications, running, plugged, mark)
    return place, (*told_of_packages, *opened.notes)
