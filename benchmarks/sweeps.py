"""Subject `sweeps`: what a sweep adds to its tasks, how two workers share them, and many points of the Korean scenario.

`python -m benchmarks.sweeps 100000` runs that many points of korea-2024 at 20 replications each, and tells the rate,
and the memory of this process and of the largest worker.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

from benchmarks import subject
from benchmarks._korea import SCENARIO
from benchmarks._timing import seconds
from rdsim.sweep import Backend, Experiment, Prepared, backend, prepare, run_on
from rdsim.sweep.store import Store
from rdsim.sweep.tasks import Task, Work, pack, perform

__all__ = ["many", "sweeps"]

MEDICAL = SCENARIO.with_name("medical-ai-2024")
POINTS, FEW, MANY = 2000, 1000, 100_000
REPEATS = 3


def _experiment(scenario: Path, points: int, replications: int) -> Experiment:
    factors = {
        "partner_effect.duration_gain": {"range": [0.0, 0.3]},
        "partner_effect.success_gain": {"range": [0.0, 0.1]},
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
        first = prepare(_experiment(Path(prepared.experiment.scenario), 64, 3))
        run_on(first, Path(folder), opened)
        began = time.perf_counter()
        run_on(prepared, Path(folder), opened)
        return time.perf_counter() - began


def _plain(prepared: Prepared) -> float:
    """Seconds of the same tasks, one after another, with nothing around them."""
    portfolios = {name: prepared.decided(name, 1) for name in prepared.undecided}
    work: Work = prepared.work(portfolios, 1)
    tasks: list[Task] = [point.task for point in prepared.points(work)]
    packed = pack(work)
    perform(packed, tasks[:50])
    return seconds(lambda: perform(packed, tasks))


@subject("sweeps")
def sweeps() -> None:
    """What a sweep adds to a task (2 ms on processes, 10 ms on Dask at most), and two workers' efficiency (0.85)."""
    small = prepare(_experiment(MEDICAL, POINTS, 2))
    for name, address in (("one process", None), ("Dask, local, one worker", "local")):
        over = []
        for _ in range(REPEATS):
            plain = _plain(small)
            workers = backend(POINTS, 1, address) if address else _one_process()
            over.append((_swept(small, workers) - plain) / POINTS)
        print(f"  {name}: {1e3 * median(over):.2f} ms around each of {POINTS} tasks ({_range(over)})")
    korea = prepare(_experiment(SCENARIO, FEW, 100))
    gains = []
    for _ in range(REPEATS):
        alone = _swept(korea, _one_process())
        gains.append(alone / _swept(korea, backend(FEW, 2)) / 2)
    print(
        f"  two processes: efficiency {median(gains):.2f} ({min(gains):.2f} .. {max(gains):.2f}),"
        f" {FEW} tasks of korea-2024"
    )
    print(f"  for memory and rate run python -m benchmarks.sweeps {MANY}")


def _one_process() -> AbstractContextManager[Backend]:
    from rdsim.sweep.backends import processes  # noqa: PLC0415

    return processes(1)


def _range(numbers: list[float]) -> str:
    return f"{1e3 * min(numbers):.2f} .. {1e3 * max(numbers):.2f}"


def many(points: int) -> None:
    """Points of korea-2024 at 20 replications each on two processes."""
    prepared = prepare(_experiment(SCENARIO, points, 20))
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
        f"  {points:,} points of korea-2024 at 20 replications: {taken:.0f} s, {points / taken:.0f} points/s, "
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
    many(int(sys.argv[1]))
