"""The runner: pending = design less store; do it batch by batch on an executor, and keep every batch at once."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim import portfolio
from rdsim.brief import count, html_table
from rdsim.domain import Portfolio
from rdsim.errors import EngineError, ExperimentError, Fault, OutputError, SweepError
from rdsim.figures import figure_description
from rdsim.folders import SWEEP, WORK, hold_signals, is_part, require_name, settle, share, write_whole
from rdsim.scenario import by_new_names, digest, origin_of_draw
from rdsim.sweep.backends import Backend, backend, own_executor
from rdsim.sweep.manifests import differences, essence, is_sweep, manifest_of
from rdsim.sweep.origin import ORIGIN, keep
from rdsim.sweep.pilot import Need, needs, with_pilot
from rdsim.sweep.prepared import Prepared, figures, prepare
from rdsim.sweep.reader import RESULTS, as_table, finished_keys, read_sweep, results_bytes
from rdsim.sweep.repeats import repeats_of
from rdsim.sweep.settings import ExperimentSettings
from rdsim.sweep.store import Store
from rdsim.sweep.tasks import FAILED, Chunk, Task, Work, content_digest, failure, pack, perform, world_of_policy
from rdsim.version import VERSION
from rdsim.words import shared_luck_words

__all__ = ["Estimate", "Progress", "Sweep", "check_same", "estimate", "run", "run_on"]

Progress = Callable[[int, int, int], None]
"""Called with the number of points looked at, of those that failed, and of all."""

_SECONDS = 2.0
"""A batch should take about so long: little is lost with it, and little time is spent around it."""

_LARGEST = 512
_LONG = 5.0

POLICIES = "policies"
_PAGE = "report.html"
_FIRST = frozenset({SWEEP, "parts", "damaged", POLICIES, WORK})
"""What a sweep makes first: without sweep.json a results.parquet or report.html is somebody else's."""

_OURS = _FIRST | {RESULTS, _PAGE, ORIGIN}

_DEATHS = 3
"""Times that a worker may die while a task is under way before the task is suspected; and then, while it is under way
alone, before it is to blame. A pool does not tell which of its tasks killed a worker, or whether any did."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep that was run, or as much of it as was done."""

    folder: Path
    table: pd.DataFrame  # a row for each point, in each repeat
    manifest: dict[str, Any]
    stays: str = ""
    """What stays in the folder instead of this table, in words: results that hold what it lacks."""

    def __repr__(self) -> str:
        rows = self.manifest["points"] * repeats_of(self.manifest)
        points = f"{self.manifest['done']:,} of {count(rows, 'point')} done"
        state = "complete" if self.complete else self.lacks
        return f"Sweep {self.manifest['experiment']}: {points}, {state}; in {self.folder}"

    def _repr_html_(self) -> str:
        """The sweep in a notebook: its first points, by factors and metrics."""
        names = [*self.manifest["factors"], *self.manifest["metrics"]]
        rows = self.table[[name for name in names if name in self.table]]
        return html_table(f"Sweep {self.manifest['experiment']}", list(rows.columns), rows.to_numpy().tolist())

    @property
    def complete(self) -> bool:
        """Whether every point gave its numbers: none failed, none is missing."""
        return bool(self.manifest["complete"])

    @property
    def lacks(self) -> str:
        """What keeps it from being complete, in words; nothing of a complete one."""
        told = [f"{self.manifest['missing']} points are not done"] if self.manifest["missing"] else []
        told += [self.manifest["stopped"]] if self.manifest["stopped"] else []
        if self.manifest["failed"]:
            first = self.table.loc[self.table["status"] == FAILED, "error"].iloc[0]
            told.append(f"{self.manifest['failed']} points failed, the first: {first}")
        told += [self.stays] if self.stays else []
        return "; ".join(told)


@dataclass(frozen=True)
class Estimate:
    """What a sweep would take: points, tasks that are not done yet, and seconds of one worker for each."""

    points: int
    pending: int
    seconds: float
    needs: tuple[Need, ...] = ()
    """For each difference that would matter, how many repeats show it."""


def run(
    experiment: ExperimentSettings,
    folder: str | Path | None = None,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    retry_failed: bool = False,
    force: bool = False,
    partial: bool = False,
) -> Sweep:
    """See `Experiment.run`."""
    prepared = prepare(experiment)
    mine = backend(prepared.count, jobs) if executor is None else own_executor(executor, max(jobs, 2))
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(tempfile.TemporaryDirectory(prefix="rdsim-sweep-")) if folder is None else folder
        opened = stack.enter_context(mine)
        found = run_on(prepared, Path(kept), opened, retry_failed=retry_failed, force=force)
    if not (found.complete or partial):
        raise SweepError(found.lacks, found.manifest["done"], prepared.count)
    return found


def run_on(
    prepared: Prepared,
    folder: Path,
    backend: Backend,
    *,
    retry_failed: bool = False,
    force: bool = False,
    command: Sequence[str] = (),
    progress: Progress = lambda _done, _failed, _total: None,
) -> Sweep:
    """Do what the folder does not hold yet. An interrupt (Ctrl-C) or a full disk ends it with what is done so far.
    The manifest keeps the command that asked for it.

    What another experiment left there is replaced with `force` only, and at the end; results that hold what this sweep
    lacks when it ends early stay. Raises OutputError if the folder cannot be used, holds another experiment, or one is
    being run there; SweepError if its disk is so full that no table can be written.
    """
    _claim(folder)
    check_same(prepared, folder, force=force)
    work = json.dumps(essence(_identity(prepared)), sort_keys=True, default=str)
    with share(folder, hashlib.sha256(work.encode()).hexdigest(), "another experiment is being run there"):
        return _run_alone(prepared, folder, backend, retry_failed, force, command, progress)


def _run_alone(
    prepared: Prepared,
    folder: Path,
    backend: Backend,
    retry_failed: bool,
    force: bool,
    command: Sequence[str],
    progress: Progress,
) -> Sweep:
    """As `run_on`, while no other experiment is run in the folder."""
    store = Store(folder)
    store.open()
    threads = None if prepared.count == 1 else 1
    work = prepared.work(_decisions(prepared, folder), threads)
    started = time.monotonic()
    mill = _Mill(prepared, work, store, backend, retry_failed, progress)
    if not is_sweep(folder):  # an earlier sweep stays as it is until its results are replaced
        _record(_manifest(prepared, work, store, mill, command), folder)
    stopped = mill.run()
    manifest = _manifest(prepared, work, store, mill, command, time.monotonic() - started, stopped)
    results = results_bytes(prepared, work, store)
    check_same(prepared, folder, force=force)
    if manifest["missing"] and (stays := _outlasting(folder, results)):
        return Sweep(folder, as_table(results, manifest), manifest, stays)
    with hold_signals():
        _finish(manifest, results, folder, prepared)
    return Sweep(folder, read_sweep(folder), manifest)


def _outlasting(folder: Path, results: bytes) -> str:
    """The results that are in the folder, in words, if they hold points that these, which are partial, lack."""
    try:
        old, manifest = read_sweep(folder), manifest_of(folder)
    except ExperimentError:
        return ""
    if not finished_keys(old) - finished_keys(pd.read_parquet(io.BytesIO(results), columns=["key", "status"])):
        return ""
    held = f"{manifest['done']:,} points of {manifest['replications']:,} replications of {manifest['experiment']}"
    return f"the results that were there stay ({held}) until these are complete"


def _finish(manifest: dict[str, Any], results: bytes, folder: Path, prepared: Prepared) -> None:
    """Write what the sweep is made of, the results, and the manifest that speaks of them.

    Raises SweepError if the disk is full.
    """
    path = folder / RESULTS
    manifest["results"] = hashlib.sha256(results).hexdigest()
    try:
        manifest[ORIGIN] = keep(prepared, folder)
        if not path.exists() or path.read_bytes() != results:
            write_whole(path, results)
        if _manifest_digest(folder) != manifest["results"]:
            (folder / _PAGE).unlink(missing_ok=True)  # it shows what was there before
    except OSError as error:
        why = manifest["stopped"] or f"the results cannot be written: {error.strerror or error}"
        if not _manifest_digest(folder):  # else the results that were there stay, and what speaks of them
            with contextlib.suppress(OutputError):
                _record(manifest | {"stopped": why, "results": ""}, folder)
        raise SweepError(why, manifest["done"], manifest["points"] * manifest["repeats"]) from None
    _record(manifest, folder)


def _manifest_digest(folder: Path) -> str:
    """The digest of results that the folder's manifest speaks of; nothing without one."""
    try:
        return str(manifest_of(folder).get("results", ""))
    except ExperimentError:
        return ""


def check_same(prepared: Prepared, folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds another experiment, unless it may be replaced. Raises OutputError, or
    ExperimentError if what sweep.json says cannot be read."""
    if force or not is_sweep(folder):
        return
    faults = differences(manifest_of(folder), json.loads(json.dumps(_identity(prepared))))
    if faults:
        rule = "holds another experiment, which is not replaced"
        advice = "Give --force, or another --out; what differs follows."
        raise OutputError((Fault(str(folder), rule, "", advice), *faults))


def estimate(prepared: Prepared, folder: Path) -> Estimate:
    """Count what is pending, and time one point in this process; where the experiment names a difference that matters,
    run a pilot that tells how many repeats show it. Raises OutputError if the folder cannot be used."""
    _check(folder)
    piloted = with_pilot(prepared)
    work = piloted.work(_decisions(piloted, None), 1)
    store = Store(folder)
    store.look()
    told = tuple(needs(piloted, work, store)) if prepared.experiment.difference else ()
    pending = {point.task.key for point in prepared.points(work) if not store.has(point.task.key)}
    if not pending:
        return Estimate(prepared.design.count, 0, 0.0, told)
    number = prepared.design.count // 2
    middle = [prepared.point(work, one).task for one in prepared.pool_of(number) or (number,)]
    packed = pack(work)
    took = _seconds(packed, middle)
    # The first of quick tasks loads what is compiled: it is no measure. A pool is decided once for all its cases.
    if took * len(middle) <= _LONG and len(middle) == 1:
        took = _seconds(packed, middle)
    return Estimate(prepared.design.count, len(pending), took, told)


def _seconds(packed: bytes, tasks: Sequence[Task]) -> float:
    """Seconds of each task."""
    started = time.perf_counter()
    perform(packed, tasks)
    return (time.perf_counter() - started) / len(tasks)


def _claim(folder: Path) -> None:
    """Make the folder, unless it is there. Raises OutputError if it cannot be used."""
    try:
        require_name(folder)
        settle(folder)
        _check(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError((Fault(str(folder), "must be writable", error.strerror or str(error)),)) from None


def _check(folder: Path) -> None:
    """A folder must be new, empty, or a sweep's. Raises OutputError."""
    require_name(folder)
    try:
        if os.path.lexists(folder) and not folder.is_dir():
            raise OutputError((Fault(str(folder), "must be a folder", "something else", "Name another."),))
        names = _OURS if is_sweep(folder) else _FIRST
        if folder.is_dir() and any(_is_foreign(path.name, names) for path in folder.iterdir()):
            rule = "must be new, empty, or hold an earlier sweep"
            raise OutputError((Fault(str(folder), rule, "files that are not a sweep's", "Name another."),))
    except OSError as error:
        raise OutputError((Fault(str(folder), "must be readable", error.strerror or str(error)),)) from None


def _is_foreign(name: str, ours: frozenset[str]) -> bool:
    """Whether a file is none of a sweep's; another sweep may just be beginning in the same folder."""
    return name not in ours and not is_part(name)


def _decisions(prepared: Prepared, folder: Path | None) -> dict[tuple[str, int], Portfolio]:
    """Portfolios of the policies that are decided once in each repeat; kept in the folder, by what they depend on."""
    found = {}
    for repeat in range(prepared.experiment.repeats):
        for name in prepared.undecided_policies:
            key = _decision_key(prepared, name, repeat)
            where = None if folder is None else folder / POLICIES / f"{name}-{key}.csv"
            if where is not None and where.exists():
                found[name, repeat] = portfolio.read(where, world_of_policy(prepared.scenario, name))
                continue
            found[name, repeat] = prepared.decide(name, None, repeat)
            if where is not None:
                where.parent.mkdir(parents=True, exist_ok=True)
                portfolio.write(found[name, repeat], where)
    return found


def _decision_key(prepared: Prepared, name: str, repeat: int) -> str:
    code = prepared.work({}, None).code
    text = f"{content_digest(prepared.scenario)} {name} {prepared.seed_of(repeat)} {prepared.solvers} {code}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# --- the mill -------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Load:
    """A batch under way."""

    tasks: list[Task]
    deaths: int = 0
    alone: bool = False  # a suspect, done with nothing beside it
    since: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class _Mill:
    """Feeds an executor with batches of pending tasks; results are kept as they come, in any order."""

    prepared: Prepared
    work: Work
    store: Store
    backend: Backend
    retry_failed: bool
    progress: Progress
    failed: int = 0
    tasks: int = 0
    seconds: float = 0.0  # of workers, over all batches of this run
    size: int = 1
    looked: int = 0
    why: str = ""

    def run(self) -> str:
        """Do all that is pending; returns why it stopped early, or nothing."""
        self.executor, self.packed = self.backend.executor, pack(self.work)
        self.loads: dict[Future[Chunk], _Load] = {}
        self.again: list[_Load] = []
        self.suspects: list[_Load] = []
        pending = self._pending()
        try:
            while self._feed(pending) or self.loads:
                self._gather()
        except KeyboardInterrupt:
            self.why = "interrupted"
        except OSError as error:
            self.why = f"the folder cannot be written: {error.strerror or error}"
        self._rest()
        return self.why

    def _pending(self) -> Iterator[list[Task]]:
        """Tasks of the design without a row, each once, in the design's order; those that share a pool together."""
        seen: set[bytes] = set()
        for place, point in enumerate(self.prepared.points(self.work)):
            self.looked = place + 1
            together = self.prepared.pool_of(point.number) if point.task.cases else (point.number,)
            near = (self.prepared.point(self.work, one, point.repeat).task for one in together[1:])
            tasks = [point.task, *near] if point.number == together[0] else [point.task]
            fresh = {bytes.fromhex(task.key): task for task in tasks if self._is_pending(task, seen)}
            seen |= fresh.keys()
            if fresh:
                yield list(fresh.values())

    def _is_pending(self, task: Task, seen: set[bytes]) -> bool:
        return bytes.fromhex(task.key) not in seen and not self.store.has(task.key, failed=not self.retry_failed)

    def _feed(self, pending: Iterator[list[Task]]) -> bool:
        """Keep every worker busy, with one batch more in hand; whether anything is under way."""
        most = 1 if self.backend.inline else 2 * self.backend.workers
        while len(self.loads) < most:
            load = self.again.pop() if self.again else _Load(_batch(pending, self.size))
            if not load.tasks:
                break
            self._submit(load)
        if self.suspects and not self.loads:
            self._submit(self.suspects.pop())
        return bool(self.loads)

    def _submit(self, load: _Load) -> None:
        load.since = time.monotonic()
        try:
            self.loads[self.executor.submit(perform, self.packed, load.tasks)] = load
        except BrokenExecutor:
            self._renew()
            self.loads[self.executor.submit(perform, self.packed, load.tasks)] = load

    def _gather(self) -> None:
        done, _ = wait(self.loads, return_when=FIRST_COMPLETED)
        for future in done:
            load = self.loads.pop(future, None)
            if load is not None:
                self._take(future, load)
        self.progress(self.looked, self.failed, self.prepared.count)

    def _take(self, future: Future[Chunk], load: _Load) -> None:
        error = future.exception()
        if error is None:
            self._keep(future.result(), load)
        elif isinstance(error, BrokenExecutor) or type(error).__name__ in _LOST:
            self._lose(load, error)
        else:
            raise EngineError("sweep", f"a worker could not take up its work: {error!r}") from error

    def _keep(self, batch: Chunk, load: _Load) -> None:
        if batch.program != self.work.program:
            rule = "every worker must run the same rdsim, solver, and files of policies, as this process"
            raise ExperimentError((Fault("workers", rule, batch.program[:12], "Install the same versions there."),))
        self.store.append(batch.rows)
        self.failed += sum(row["status"] != "done" for row in batch.rows)
        self.tasks += len(batch.rows)
        took = time.monotonic() - load.since
        self.seconds += took
        each = max(took / len(batch.rows) / (1 if self.backend.inline else 2), 1e-6)
        self.size = max(1, min(_LARGEST, 2 * self.size, round(_SECONDS / each)))

    def _lose(self, load: _Load, error: BaseException) -> None:
        """A worker died: what was under way is taken up again; what often was, at the end, one by one and alone."""
        if isinstance(error, BrokenExecutor):
            self._renew()
        load.deaths += 1
        if load.deaths < _DEATHS:
            (self.suspects if load.alone else self.again).append(load)
        elif not load.alone:
            self.suspects += [_Load([task], alone=True) for task in load.tasks]
        else:
            why = f"workers died over it {_DEATHS} times: {error!r}"
            self.store.append([failure(load.tasks[0].key, why)])
            self.failed, self.tasks = self.failed + 1, self.tasks + 1

    def _renew(self) -> None:
        """A new executor after a death; what the old one had under way comes back as lost."""
        if self.backend.renew is None:
            raise ExperimentError((Fault("executor", "its workers died, and it cannot be renewed from here"),))
        if getattr(self.executor, "_broken", True):
            self.executor = self.backend.renew()

    def _rest(self) -> None:
        """Keep what is finished at the end, and call off the rest."""
        for future, load in self.loads.items():
            if not future.cancel() and future.done() and future.exception() is None:
                with contextlib.suppress(OSError):
                    self._keep(future.result(), load)


def _batch(pending: Iterator[list[Task]], size: int) -> list[Task]:
    """At least so many tasks, if there are, without parting any that share a pool."""
    found: list[Task] = []
    while len(found) < size and (more := next(pending, None)):
        found += more
    return found


_LOST = {"KilledWorker", "CancelledError"}
"""What Dask says of tasks whose workers died."""


# --- the manifest ---------------------------------------------------------------------------------


def _record(manifest: dict[str, Any], folder: Path) -> None:
    """Write the manifest. Raises OutputError if it cannot be written."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
    try:
        write_whole(folder / SWEEP, text)
    except OSError as error:
        raise OutputError((Fault(str(folder), "must be writable", error.strerror or str(error)),)) from None


def _identity(prepared: Prepared) -> dict[str, Any]:
    """What is asked: two sweeps that agree in this are the same."""
    one = prepared.experiment
    return {
        "experiment": one.name,
        "task": one.task,
        "scenario": {
            "name": prepared.scenario.name,
            "title": prepared.scenario.title,
            "digest": digest(prepared.scenario),
            "parts": list(prepared.scenario.parts),
            **origin_of_draw(prepared.scenario),
            "overrides": [f"{by_new_names(key)}={value}" for key, value in one.settings.items()],
        },
        "policies": list(prepared.policies),
        "factors": {bound.name: _description(bound) for bound in prepared.factors},
        "design": {
            "kind": one.design,
            "seed": one.design_seed,
            "base": prepared.design.base,
            "policies": len(prepared.design.policies),
        },
        "metrics": [metric.text for metric in prepared.metrics],
        "paired": one.paired,
        "replications": prepared.replications,
        "repeats": one.repeats,
        "seed": prepared.seed,
        "common_random_numbers": one.common_random_numbers,
        "confidence": prepared.scenario.simulation.confidence,
        "points": prepared.design.count,
    }


def _manifest(
    prepared: Prepared,
    work: Work,
    store: Store,
    mill: _Mill,
    command: Sequence[str],
    seconds: float = 0.0,
    stopped: str = "",
) -> dict[str, Any]:
    """What ran, what is done, and whether that is all."""
    done, failed, missing = _count(prepared, work, store)
    one, scenario = prepared.experiment, prepared.scenario
    known = figures(scenario, one.task, [metric.text for metric in prepared.metrics])
    return {
        "rdsim": VERSION,
        "command": list(command),
        **_identity(prepared),
        "title": one.title,
        "description": one.description,
        "answers": [answer.text for answer in one.answers],
        "date": datetime.now(UTC).date().isoformat(),
        "money_unit": scenario.money_unit,
        "shared_luck": shared_luck_words(scenario),
        "barred": [name for name in prepared.policies if world_of_policy(scenario, name) is not scenario],
        "kinds": [metric.kind for metric in prepared.metrics],
        "difference": dict(one.difference),
        "figures": {metric.figure: figure_description(known[metric.figure]) for metric in prepared.metrics},
        "code": work.code,
        "solvers": prepared.solvers,
        "done": done,
        "failed": failed,
        "missing": missing,
        "complete": missing == failed == 0,
        "stopped": stopped,
        "damaged": [path.name for path in store.damaged],
        "tasks_of_this_run": mill.tasks,
        "seconds_of_this_run": round(seconds, 3),
        "parts": [path.name for path in store.parts],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "pandas")}},
    }


def _description(bound: Any) -> dict[str, Any]:
    factor = bound.factor
    return {
        "label": bound.label,
        "kind": factor.kinds[0],
        "levels": [str(one) for one in factor.level_list],
        "range": None if factor.range is None else list(factor.range),
        "policy": bound.is_policy,
        "own": bound.own if not bound.is_policy and not factor.cases else None,
        **({"pool": True} if factor.pool else {}),
    }


def _count(prepared: Prepared, work: Work, store: Store) -> tuple[int, int, int]:
    """Points with numbers, points that failed, and points without a row."""
    done = failed = missing = 0
    for point in prepared.points(work):
        if not store.has(point.task.key):
            missing += 1
        elif store.has(point.task.key, failed=False):
            done += 1
        else:
            failed += 1
    return done, failed, missing
