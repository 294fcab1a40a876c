"""`python -m benchmarks [--token] [NAME ...]`: say what machine this is, then run the subjects named, or all."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version

import benchmarks
from benchmarks import SUBJECTS

LIBRARIES = ("highspy", "numba", "numpy", "PuLP", "simpy")


def main(words: Sequence[str]) -> int:
    """Run the subjects; 2 for a name that is not one."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"benchmarks.{module.name}")
    asked = _parser().parse_args(words)
    unknown = [name for name in asked.names if name not in SUBJECTS]
    if unknown:
        print(f"no such subject: {', '.join(unknown)}; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}")
    for name in asked.names or SUBJECTS:
        print(f"\n{name}: {SUBJECTS[name].summary}", flush=True)
        SUBJECTS[name].run(token=asked.token)
    return 0


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {name:<12}{one.summary}" for name, one in SUBJECTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure rdsim, side by side with others where there are any. Subjects:\n\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="subjects to run; all of them if none is named")
    parser.add_argument("--token", action="store_true", help="some seconds each: shows that they work, no figures")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
