"""`python -m tests.golden`: writes the golden digests again; with ``--check`` it says which are otherwise here.

``--quick`` looks at what needs no compiler: the SimPy engine on the small shipped scenarios.

Where a digest has moved, `rdsim.numbers.NUMBERS` must have been raised first: results of sweeps are kept under it.
"""

from __future__ import annotations

import sys

from tests.golden.file import GOLDEN, compared, computed, otherwise, written

if __name__ == "__main__":
    if "--check" in sys.argv:
        wrong = otherwise(quick="--quick" in sys.argv)
        sys.exit(f"otherwise: {', '.join(wrong)}" if wrong else 0)
    before, after = GOLDEN, computed()
    moved = compared(before, after)
    if moved and before["numbers"] == after["numbers"]:
        sys.exit(f"{len(moved)} digests moved ({', '.join(moved[:5])} ...): raise NUMBERS in rdsim/numbers.py first")
    written(after)
