"""`python -m tests.golden`: writes the golden digests again.

Where a digest has moved, `rdsim.numbers.NUMBERS` must have been raised first: results of sweeps are kept under it.
"""

from __future__ import annotations

import sys

from tests.golden.file import GOLDEN, compared, computed, written

if __name__ == "__main__":
    before, after = GOLDEN, computed()
    moved = compared(before, after)
    if moved and before["numbers"] == after["numbers"]:
        sys.exit(f"{len(moved)} digests moved ({', '.join(moved[:5])} ...): raise NUMBERS in rdsim/numbers.py first")
    written(after)
