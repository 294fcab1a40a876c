"""A run's portfolio against every row of the problem that it was chosen in, and what the optimiser said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault
from rdsim.findings import proposal_record
from rdsim.folders import MANIFEST
from rdsim.folders.contents import PORTFOLIO, PROMISES
from rdsim.optimiser import Solving
from rdsim.plans import pose
from rdsim.promises import promise_table
from rdsim.reproduction.differences import csv_faults, document_faults
from rdsim.search import Given, Instance, Proposal, as_stated, build_instance, solution_of, violation_faults
from rdsim.simulation import Running

__all__ = ["baseline_faults", "chosen_again", "posed_again", "proposal_faults", "solved_faults"]

_SAID = ("options", "samples", "expected", "objective", "risk")
"""What the manifest says of the solver's answer that follows from problem and portfolio alone."""


def posed_again(scenario: Scenario, manifest: Mapping[str, Any], running: Running) -> Instance:
    """The problem of a run's scenario, stated again from the samples that chose."""
    seed, settings = int(manifest["seed"]), manifest.get("settings") or {}
    if "search" in manifest:
        return pose(scenario, seed, _solving(settings), running)
    return build_instance(scenario, samples=manifest["solver"]["samples"], seed=seed, running=running)


def chosen_again(posed: Instance, manifest: Mapping[str, Any], chosen: Portfolio) -> tuple[Instance, Proposal]:
    """The problem with budget rows as the run's were held to, and its portfolio in it.

    Raises: PortfolioError with every option that the problem does not know.
    """
    ratios = {str(name): float(ratio) for name, ratio in manifest["promises"]["rows_held_to"].items()}
    return as_stated(posed, Given(chosen, PORTFOLIO.name, ratios))


def _solving(settings: Mapping[str, Any]) -> Solving:
    known = {name: settings[name] for name in ("solver", "gap", "time_limit") if settings.get(name) is not None}
    return Solving(**known)


def proposal_faults(folder: Path, manifest: Mapping[str, Any], own: Instance, made: Proposal) -> Iterator[Fault]:
    """Rows that the portfolio breaks, and what is said of it that the problem does not say."""
    scenario = own.scenario
    for one in violation_faults(scenario, Given(made.portfolio, str(folder / PORTFOLIO.name)), made.evaluation):
        yield replace(one, suggestion="")
    told, place = proposal_record(scenario, made, {}), f"{folder / MANIFEST}"
    for name in ("portfolio", "promises"):
        yield from document_faults(f"{place}, {name}", told[name], manifest[name])
    solver = manifest["solver"]
    expected = {name: told["solver"][name] for name in _SAID}
    yield from document_faults(f"{place}, solver", expected, {name: solver.get(name) for name in _SAID})
    if not solver["objective"] <= _least(solver["bound"]) + _room(solver["objective"]):
        yield Fault(f"{place}, solver, bound", "must be at least the objective", str(solver["bound"]))
    if PROMISES.name in manifest["files"]:
        yield from csv_faults(folder / PROMISES.name, promise_table(scenario, made))


def baseline_faults(
    folder: Path, manifest: Mapping[str, Any], posed: Instance, name: str, chosen: Portfolio
) -> Iterator[Fault]:
    """Of a portfolio beside the plan: what it is said to fund and, of a rule's that the call allows, to break."""
    said = manifest["baselines"][name]
    where = f"{folder / MANIFEST}, baselines, {name}"
    yield from document_faults(f"{where}, funded", len(chosen.choices), said["funded"])
    ratios = said.get("payment_ratios")
    if said["kind"] != "rule" or not said.get("allowed") or not ratios:
        return
    given = Given(chosen, name, {str(line): float(ratio) for line, ratio in ratios.items()})
    judged = as_stated(posed, given)[1].evaluation
    yield from document_faults(f"{where}, violations", [one.name for one in judged.violations], said["violations"])
    yield from document_faults(f"{where}, feasible", judged.feasible, said["feasible"])


def solved_faults(folder: Path, manifest: Mapping[str, Any], own: Instance) -> Iterator[Fault]:
    """The run's bound against the problem solved again: neither answer may be above the other's bound."""
    settings, said = manifest.get("settings") or {}, manifest["solver"]
    found = solution_of(own, _solving(settings))
    where, bound = f"{folder / MANIFEST}, solver", _least(said["bound"])
    if found.objective > bound + _room(bound):
        rule = f"must be at least what a portfolio comes to that was found again, {found.objective!r}"
        yield Fault(f"{where}, bound", rule, repr(said["bound"]))
    if said["objective"] > found.bound + _room(found.bound):
        yield Fault(f"{where}, objective", f"must be at most the bound proven again, {found.bound!r}",
                    repr(said["objective"]))  # fmt: skip


def _least(bound: float | None) -> float:
    """A bound as the manifest says it: nothing is proven where it says none."""
    return math.inf if bound is None else bound


def _room(value: float) -> float:
    return 1e-6 * max(1.0, abs(value)) if math.isfinite(value) else 0.0
