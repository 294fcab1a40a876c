"""A dozen or two of kills; `make torture` does a thousand."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.sizes import size
from tests.torture.kills import KINDS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and sends signals")
def test_nothing_is_lost_whenever_runs_are_killed() -> None:
    """Every kind twice: in a new place, and over an older run. In a process of its own: this one has
    threads, which a fork does not take along."""
    count = size(2, 150) * len(KINDS)
    words = ["-m", "tests.torture.kills", "--count", str(count), "--seed", str(os.getpid())]
    ran = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=3600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{count} kills, every promise kept" in ran.stdout
