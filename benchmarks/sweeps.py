"""Subjects `sweeps` and `points`: what a sweep adds to its tasks, how two workers share them, and very many points.

`points` runs in a process of its own, since the peak of a process never falls; it tells the rate, and the memory of
that process and of its largest worker.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import subject
from benchmarks._korea import MEDICAL, SCENARIO, SMALL
from benchmarks._timing import seconds, spread
from rdsim.sweep import Backend, Experiment, Prepared, backend, prepare, run_on
from rdsim.sweep.store import Store
from rdsim.sweep.tasks import Task, Work, pack, perform

__all__ = ["many", "points", "sweeps"]


class Size(NamedTuple):
    """How many points, and of which scenario where it is not medical-ai-2024."""

    points: int = 2000  # of two replications, to see what a sweep adds to them
    shared: int = 1000  # of a hundred replications, to see how two workers share them
    repeats: int = 3
    scenario: Path = SCENARIO


class Many(NamedTuple):
    """Very many points of a scenario."""

    points: int = 100_000
    scenario: Path = SCENARIO


def _experiment(scenario: Path, points: int, replications: int) -> Experiment:
    factors = {
        "partner_effect.duration_gain": {"range": [0.0, 0.3]},
        "partner_effect.success_shift": {"range": [0.0, 1.5]},
        "partner_effect.cost_overhead": {"range": [0.0, 0.3]},
    }
    policy = "value-per-cost"
    return Experiment(
        str(scenario), design="sobol", points=points, factors=factors, replications=replications, policy=policy  # type: ignore[arg-type]
    )  # fmt: skip


def _swept(prepared: Prepared, workers: AbstractContextManager[Backend]) -> float:
    """Seconds of a whole sweep in a new folder; starting the workers is not counted."""
    with tempfile.TemporaryDirectory() as folder, workers as opened:
        # A first sweep starts every worker, loads what is compiled, and decides the portfolio.
        first = prepare(_experiment(Path(prepared.experiment.scenario), min(64, prepared.experiment.points), 3))
        run_on(first, Path(folder) / "first", opened)
        began = time.perf_counter()
        run_on(prepared, Path(folder) / "swept", opened)
        return time.perf_counter() - began


def _plain(prepared: Prepared) -> float:
    """Seconds of the same tasks, one after another, with nothing around them."""
    portfolios = {(name, 0): prepared.decide(name, 1) for name in prepared.undecided_policies}
    work: Work = prepared.work(portfolios, 1)
    tasks: list[Task] = [point.task for point in prepared.points(work)]
    packed = pack(work)
    perform(packed, tasks[:50])
    return seconds(lambda: perform(packed, tasks))


@subject("sweeps", full=Size(), token=Size(8, 8, 1, SMALL))
def sweeps(size: Size) -> None:
    """What a sweep adds to a task (2 ms on processes, 10 ms on Dask at most), and two workers' efficiency (0.85)."""
    _print_added(size)
    _print_efficiency(size)


def _print_added(size: Size) -> None:
    small = prepare(_experiment(MEDICAL, size.points, 2))
    for name, address in (("one process", None), ("Dask, local, one worker", "local")):
        over = []
        for _ in range(size.repeats):
            plain = _plain(small)
            workers = backend(size.points, 1, address) if address else _one_process()
            over.append((_swept(small, workers) - plain) / size.points)
        print(f"  {name}: {1e3 * median(over):.2f} ms around each of {size.points} tasks ({_range(over)})", flush=True)


def _print_efficiency(size: Size) -> None:
    prepared = prepare(_experiment(size.scenario, size.shared, 100))
    gains = []
    for _ in range(size.repeats):
        alone = _swept(prepared, _one_process())
        gains.append(alone / _swept(prepared, backend(size.shared, 2)) / 2)
    print(f"  two processes: efficiency {spread(gains)}, {size.shared} tasks of {size.scenario.name}")


def _one_process() -> AbstractContextManager[Backend]:
    from rdsim.sweep.backends import processes  # noqa: PLC0415

    return processes(1)


def _range(numbers: list[float]) -> str:
    return f"{1e3 * min(numbers):.2f} .. {1e3 * max(numbers):.2f}"


@subject("points", full=Many(), token=Many(1, SMALL))
def points(size: Many) -> None:
    """Very many points at 20 replications each, on two processes: rate, disk and memory."""
    words = [sys.executable, "-m", "benchmarks.sweeps", str(size.scenario), str(size.points)]
    print(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout, end="")


def many(scenario: Path, points: int) -> None:
    """So many points of a scenario at 20 replications each on two processes."""
    prepared = prepare(_experiment(scenario, points, 20))
    with tempfile.TemporaryDirectory() as folder:
        with backend(points, 2) as opened:
            began = time.perf_counter()
            run_on(prepared, Path(folder) / "swept", opened)
            taken = time.perf_counter() - began
            theirs = _largest_worker(opened)
        store = Store(Path(folder) / "swept")
        store.look()
        size = sum(path.stat().st_size for path in store.parts)
    mine = _peak(resource.RUSAGE_SELF)
    print(
        f"  {points:,} points of {scenario.name} at 20 replications: {taken:.0f} s, {points / taken:.0f} points/s, "
        f"10^6 in {1e6 / points * taken / 3600:.1f} h; {size / points:.0f} bytes a point; "
        f"peak {mine:.0f} MiB here, {theirs} in the largest worker"
    )


def _largest_worker(opened: Backend) -> str:
    """Most memory that one of the workers had; the system's own count of children begins with the parent's memory."""
    workers: list[int] = list(getattr(opened.executor, "_processes", None) or {})
    told = [Path(f"/proc/{pid}/status") for pid in workers]
    found = [line.split() for one in told if one.exists() for line in one.read_text().splitlines() if "VmHWM" in line]
    return f"{max(int(line[1]) for line in found) / 2**10:.0f} MiB" if found else "unknown memory"


def _peak(who: int) -> float:
    most = resource.getrusage(who).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


if __name__ == "__main__":
    many(Path(sys.argv[1]), int(sys.argv[2]))
