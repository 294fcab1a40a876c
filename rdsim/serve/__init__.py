"""Asking a run what if: levers moved, the portfolio decided again, and what that changes, kept and taken away.

Three parts, kept apart:

- the **core** knows no web: `Levers` (a question), `Workplace` (a run with the samples of its options), `LeverAnswer`;
- the **history** (`History`): every answer in a file of its own beside the run, never overwritten;
- the **face** (`rdsim.serve.web`): pages for a browser on this machine. It alone needs the extra `serve`.
"""

from __future__ import annotations

from rdsim.serve.answers import FigureChange, LeverAnswer, MoneyYear
from rdsim.serve.decisions import firmness
from rdsim.serve.exports import export_folder, export_run, setting_lines
from rdsim.serve.history import Entry, History
from rdsim.serve.levers import Levers, lever_world, run_levers
from rdsim.serve.samples import SampledOptions, StoppedError
from rdsim.serve.workplace import NeedsSamplesError, Workplace, open_workplace

__all__ = [
    "Entry",
    "FigureChange",
    "History",
    "LeverAnswer",
    "Levers",
    "MoneyYear",
    "NeedsSamplesError",
    "SampledOptions",
    "StoppedError",
    "Workplace",
    "export_folder",
    "export_run",
    "firmness",
    "lever_world",
    "open_workplace",
    "run_levers",
    "setting_lines",
]
