"""`python -m tests.fuzz --count N [--door NAME] [--seed S]`: random inputs through the doors, in one process.

Every input follows from its door, seed and number; what goes wrong is shown with these, once for each place it goes
wrong in, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz.doors import DOORS, Door
from tests.fuzz.watch import Trouble, outcome

__all__ = ["main", "tried"]

_MEMORY = Path("/dev/shm")  # noqa: S108 - files of a million inputs need no disk


def tried(door: Door, seed: int, number: int, folder: Path) -> str:
    """How one input of a door was taken; raises what it must not raise."""
    enter = door.prepare(random.Random(f"{door.name} {seed} {number}"), folder)  # noqa: S311 - nothing secret
    return outcome(enter, folder)


def run(door: Door, seed: int, first: int, count: int) -> int:
    """So many inputs through a door; how many places went wrong."""
    taken: Counter[str] = Counter()
    seen: set[str] = set()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as base:
        for number in range(first, first + count):
            try:
                taken[tried(door, seed, number, Path(base))] += 1
            except (Exception, Trouble) as error:
                taken["WRONG"] += 1
                last = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{type(error).__name__} {last.filename}:{last.lineno}"
                if place not in seen:
                    seen.add(place)
                    print(f"\n--- {door.name}, seed {seed}, number {number}: {place}")
                    print("".join(traceback.format_exception(error))[-3000:], flush=True)
    seconds = time.monotonic() - begun
    print(f"{door.name}: {count:,} inputs in {seconds:.0f} s: {dict(taken.most_common())}", flush=True)
    return len(seen)


def main() -> int:
    """The exit code: 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Random inputs through the doors.")
    parser.add_argument("--count", type=int, default=1000, help="inputs for each door")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--door", choices=sorted(DOORS), action="append", help="by default all")
    given = parser.parse_args()
    doors = [DOORS[name] for name in given.door or DOORS]
    wrong = sum(run(door, given.seed, given.first, given.count) for door in doors)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
