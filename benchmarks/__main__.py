"""`python -m benchmarks [NAME ...]`: say what machine this is, then run the subjects named, or all."""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
import sys
from importlib.metadata import version

import benchmarks

LIBRARIES = ("highspy", "numba", "numpy", "PuLP", "simpy")


def main(names: list[str]) -> int:
    """Run the subjects; 2 for a name that is not one."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"benchmarks.{module.name}")
    unknown = [name for name in names if name not in benchmarks.SUBJECTS]
    if unknown:
        print(f"no such subject: {', '.join(unknown)}; there are {', '.join(benchmarks.SUBJECTS)}", file=sys.stderr)
        return 2
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}")
    for name in names or benchmarks.SUBJECTS:
        print(f"\n{name}: {(benchmarks.SUBJECTS[name].__doc__ or '').splitlines()[0]}")
        benchmarks.SUBJECTS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
