"""Experiments for the tests, and the command line as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["SMALL", "bytes_of", "start", "sweep", "write"]

SMALL = """
title = "Does the partner effect matter?"
scenario = "{scenario}"
design = "sobol"
points = {points}
replications = {replications}
metrics = ["npv", "npv >= 0", "cvar npv 0.9"]
paired = true

[factors.policy]
policies = ["value-per-cost", "domestic-only"]

[factors."partner_effect.duration_gain"]
range = [0.0, 0.5]
label = "step time saved"

[factors.breaks]
paths = ["partners.*.break_rate"]
change = "multiply"
range = [0.0, 3.0]

[factors.calibration]
values = ["strict"]
"""


def write(folder: Path, scenario: Path, *, points: int = 8, replications: int = 20, text: str = SMALL) -> Path:
    """An experiment file on a scenario."""
    file = folder / "small.toml"
    file.write_text(text.format(scenario=scenario.as_posix(), points=points, replications=replications), "utf-8")
    return file


def start(*words: object) -> subprocess.Popen[str]:
    """`rdsim sweep WORDS` as a process."""
    command = [sys.executable, "-m", "rdsim", "sweep", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sweep(*words: object) -> subprocess.CompletedProcess[str]:
    """`rdsim sweep WORDS`, waited for."""
    process = start(*words)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def bytes_of(folder: Path) -> bytes:
    """The final table, byte by byte."""
    return (folder / "results.parquet").read_bytes()
