"""Subject `memory`: many replications of the Korean scenario's summary figures, and how much memory they took.

Each number of replications has a process of its own, since the peak of a process never falls.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks import subject
from benchmarks._korea import SCENARIO, SMALL, optimised
from benchmarks._timing import seconds
from rdsim import portfolio
from rdsim.scenario import load
from rdsim.simulation import replicate

__all__ = ["Used", "measure", "memory"]

LIMIT = 2 * 2**30


class Size(NamedTuple):
    """How many replications, of the portfolio of which scenario."""

    counts: tuple[int, ...] = (100_000, 1_000_000)
    scenario: Path = SCENARIO


TOKEN = Size((100, 200), SMALL)


class Used(NamedTuple):
    """What a process used."""

    rows: int
    seconds: float
    peak: int  # bytes


def measure(scenario: Path, chosen: Path, replications: int) -> Used:
    """Replicate a scenario's portfolio, of a file, in a fresh process. Raises CalledProcessError if that fails."""
    words = [sys.executable, "-m", "benchmarks.memory", str(scenario), str(chosen), str(replications)]
    rows, taken, peak = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return Used(int(rows), float(taken), int(peak))


def _replicate(folder: str, chosen: str, replications: str) -> Used:
    scenario = load(folder)
    picked = portfolio.read(chosen, scenario)
    replicate(scenario, picked, replications=10)  # loads what is compiled
    tables: list[int] = []
    taken = seconds(lambda: tables.append(len(replicate(scenario, picked, replications=int(replications)))))
    return Used(tables[0], taken, _peak())


def _peak() -> int:
    """Most memory that this process had resident, in bytes: Linux counts in kibibytes, macOS in bytes."""
    import resource  # noqa: PLC0415 - not on every system; other subjects need not know

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@subject("memory", full=Size(), token=TOKEN)
def memory(size: Size) -> None:
    """Peak memory of 10^5 and 10^6 replications of korea-2024's summary figures; the limit is 2 GiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portfolio.csv"
        portfolio.write(optimised(size.scenario).portfolio, path)
        for count in size.counts:
            used = measure(size.scenario, path, count)
            verdict = "kept" if used.peak < LIMIT else "NOT KEPT"
            rate, most = used.rows / used.seconds, used.peak / 2**20
            print(f"  {count:>9,}: {used.seconds:6.1f} s, {rate:,.0f} replications/s, ", end="")
            print(f"peak {most:,.0f} MiB; limit of 2 GiB {verdict}")


if __name__ == "__main__":
    print(*_replicate(*sys.argv[1:]))
