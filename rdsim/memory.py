"""How much memory a simulation's tables take, and whether this machine has it: asked before the work, not after it."""

from __future__ import annotations

import os

from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError

__all__ = ["require_memory", "table_bytes"]

_CELL = 8
_PROJECT, _PURSE, _PARTNER, _FIGURES = 70, 10, 8, 60  # columns, those of years apart
_COPIES = 2  # the parts of a table, and the table that they are put together to


def require_memory(scenario: Scenario, projects: int, replications: int) -> None:
    """Raise InputError if the tables of so many replications cannot be held in this machine's memory."""
    needed, there = table_bytes(scenario, projects, replications), _memory()
    if there and needed > there:
        most = int(replications * there / needed)
        found = f"{replications:,} replications of {projects} projects need about {needed / 1e9:,.0f} GB"
        advice = f"This machine has {there / 1e9:,.1f} GB: at most about {most:,} replications fit."
        raise InputError((Fault("replications", "the tables must fit into memory", found, advice),))


def table_bytes(scenario: Scenario, projects: int, replications: int) -> int:
    """About how many bytes the tables of a simulation take while they are put together."""
    years = scenario.horizon_year - scenario.start_year + 1
    cells = projects * (_PROJECT + 2 * years) + len(scenario.programmes) * years * _PURSE
    cells += len(scenario.partners) * _PARTNER + _FIGURES
    return _COPIES * _CELL * cells * replications


def _memory() -> int:
    """Bytes of this machine's memory, or what this process may have of it; 0 where the system does not say."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return there
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    return there if allowed == resource.RLIM_INFINITY else min(there, allowed)
