"""Print the measures of the package; exit code 1 if one is beyond its limit."""

from __future__ import annotations

import sys
from pathlib import Path

import rdsim
from tests.architecture.measures import measure

if __name__ == "__main__":
    found = measure("rdsim", Path(rdsim.__file__).parent)
    print("\n".join(found.report()))  # noqa: T201
    for fault in found.faults():
        print(f"beyond its limit: {fault}", file=sys.stderr)  # noqa: T201
    sys.exit(1 if found.faults() else 0)
