"""Sweeps: experiments that vary scenarios and policies, resumable, on one machine or a cluster, and their reading."""

from __future__ import annotations

from rdsim.designs import Distribution, Factor
from rdsim.sweep.backends import Backend, backend
from rdsim.sweep.experiment import Experiment, experiment_of_sweep, read
from rdsim.sweep.manifests import differences, is_sweep, manifest_of
from rdsim.sweep.page import terminal_lines, write_report
from rdsim.sweep.prepared import Prepared, prepare
from rdsim.sweep.reader import RESULTS, read_sweep
from rdsim.sweep.readme import write_answer
from rdsim.sweep.runner import Estimate, Sweep, check_same, estimate, run, run_on

__all__ = [
    "RESULTS",
    "Backend",
    "Distribution",
    "Estimate",
    "Experiment",
    "Factor",
    "Prepared",
    "Sweep",
    "backend",
    "check_same",
    "differences",
    "estimate",
    "experiment_of_sweep",
    "is_sweep",
    "manifest_of",
    "prepare",
    "read",
    "read_sweep",
    "run",
    "run_on",
    "terminal_lines",
    "write_answer",
    "write_report",
]
