"""Solvers by name: those that came with rdsim, those that were registered, and what else PuLP finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version

from rdsim.errors import Fault, SolverError
from rdsim.optimiser.adapters.answers import Feature
from rdsim.optimiser.adapters.cbc import Cbc
from rdsim.optimiser.adapters.helped import NEEDED, Helped
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.adapters.pulp_solvers import Other, pulp_names
from rdsim.optimiser.adapters.solver import Solver
from rdsim.registry import Registry

__all__ = ["SOLVERS", "find_solver", "installed_solvers", "solver_fault", "solver_of", "untold", "versions_of"]

_HELPER = Highs()
"""Does for every solver what that does not declare."""

SOLVERS: Registry[Solver] = Registry("solver", Solver, {"highs": _HELPER, "cbc": Cbc()})  # type: ignore[type-abstract]

_ASKED = (Feature.GAP, Feature.TIME_LIMIT, Feature.THREADS, Feature.SEED)
"""Settings of who asks."""


def installed_solvers() -> tuple[str, ...]:
    """Names of the solvers that this machine has: those with an adapter of their own first, then what PuLP finds."""
    return (*(name for name, one in SOLVERS.items() if one.is_installed), *_others(available=True))


def _words(adapters: Mapping[str, Solver]) -> Iterator[tuple[str, str]]:
    """Every name in small letters under which a solver with an adapter of its own goes, and the name it has here."""
    for name, one in adapters.items():
        yield from ((word, name) for word in (name.casefold(), *one.aliases))


def _others(*, available: bool) -> tuple[str, ...]:
    own = dict(_words(SOLVERS))
    return tuple(name for name in pulp_names(available=available) if name.casefold() not in own)


def untold(solver: Solver) -> tuple[str, ...]:
    """Which of gap, time_limit, threads and seed the solver cannot be told."""
    return tuple(feature.value for feature in _ASKED if feature not in solver.features)


def solver_fault(name: str) -> Fault | None:
    """What is wrong with a solver's name, if anything: no such solver, or it is not installed."""
    found = _canonical_name(name)
    here = installed_solvers()
    if found in here:
        return None
    rule = "must be the name of a solver" if found is None else "the solver must be installed"
    source = SOLVERS[found].source if found is not None and found in SOLVERS else ""
    advice = f"{found.upper()}: {source}. " if found and source else ""
    plugged = "" if found else " If a plug-in registers it, give its file with --plugin."
    return Fault("--solver", rule, repr(name), f"{advice}Installed here: {', '.join(here)}.{plugged}")


def _canonical_name(name: str) -> str | None:
    """Our or PuLP's name of a solver, in any case, with or without `_CMD` or `_PY`; an installed one first."""
    folded = name.casefold()
    for adapters in (SOLVERS.at_hand(), SOLVERS):  # those of installed packages are looked for last
        own = dict(_words(adapters))
        if folded in own:
            return own[folded]
    meant = (folded, f"{folded}_cmd", f"{folded}_py")
    known = [*_others(available=True), *_others(available=False)]
    return next((one for word in meant for one in known if one.casefold() == word), None)


def find_solver(name: str) -> Solver:
    """The solver of that name: one that is registered, or one of PuLP's, in any case and with or without `_CMD`.

    Raises: SolverError if there is none, or if it is one of PuLP's that is not installed.
    """
    found = _canonical_name(name)
    if found is None:
        known = f"choose from {', '.join(SOLVERS)}, or another that PuLP finds"
        raise SolverError(name, f"is unknown; {known}. Installed here: {', '.join(installed_solvers())}")
    if found in SOLVERS:
        return _with_help(SOLVERS[found])
    if found not in installed_solvers():
        raise SolverError(name, f"is not installed; installed here: {', '.join(installed_solvers())}")
    return _with_help(Other(found))


def solver_of(solver: str | Solver) -> Solver:
    """The solver, by name or itself, with help in what it does not declare. Raises SolverError as `find_solver`."""
    return find_solver(solver) if isinstance(solver, str) else _with_help(solver)


def _with_help(solver: Solver) -> Solver:
    return solver if solver.features >= NEEDED else Helped(solver, _HELPER)


def versions_of(name: str) -> str:
    """A solver's name with the versions of all that solves with it: of who helps, PuLP's, and its own.

    Raises SolverError if there is no such solver, or it is not installed.
    """
    solver = find_solver(name)
    return " ".join(filter(None, dict.fromkeys([solver.name, _HELPER.version, version("PuLP"), solver.version])))
