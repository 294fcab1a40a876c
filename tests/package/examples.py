"""Runs the example of every docstring of the rdsim that is installed; it is run as a script, outside the repository.

Modules that need what an extra brings are left out where that is not installed, and named.
"""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import sys
import tempfile

import rdsim

EXTRAS = {"starlette", "uvicorn", "anyio", "h11", "distributed", "SALib", "xarray"}


def main() -> int:
    """The exit code: 1 if an example says otherwise."""
    tried, wrong, left_out = 0, 0, []
    found = pkgutil.walk_packages(rdsim.__path__, "rdsim.")
    for name in ("rdsim", *sorted(one.name for one in found if not one.name.endswith("__main__"))):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in EXTRAS:
                raise
            left_out.append(name)
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            result = doctest.testmod(module)
            os.chdir("/")
        tried, wrong = tried + result.attempted, wrong + result.failed
    without = f"; not looked at for want of an extra: {', '.join(left_out)}" if left_out else ""
    print(f"{tried} lines of examples, {wrong} of them wrong{without}")
    return 1 if wrong or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
