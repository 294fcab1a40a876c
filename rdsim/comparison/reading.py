"""A finished run as its folder holds it: manifest, portfolio, tables, and the scenario that ran."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim import portfolio as portfolios
from rdsim.domain import Choice, Scenario
from rdsim.errors import Fault, InputError, RdsimError, RunError
from rdsim.folders.contents import DECISIONS, EXPECTED, OUTCOMES, PAGE_TABLE, PORTFOLIO, PURSES, REPLICATIONS, Held
from rdsim.plans import OPTIMISED
from rdsim.report import kept_table
from rdsim.results import read_manifest
from rdsim.runs import open_run, read_run

__all__ = ["FinishedRun", "finished_run", "read_runs"]

_FEWEST = 2


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What a run's folder says of it. Tables are read when they are asked for, and raise RunError if damaged."""

    label: str
    """How it is called beside the others: the folder's name, or as much of the path as tells them apart."""
    folder: Path
    manifest: Mapping[str, Any]
    choices: Mapping[str, Choice]
    """By technology."""

    @property
    def money_unit(self) -> str:
        """The unit of all its money."""
        return str(self.manifest["money_unit"])

    @property
    def is_simulated(self) -> bool:
        """Whether its folder holds replications, what they were expected to come to, projects and purses."""
        return all(self.holds(one) for one in (REPLICATIONS, EXPECTED, OUTCOMES, PURSES))

    def holds(self, what: Held) -> bool:
        """Whether the run wrote such a file, by its manifest."""
        return what.name in self.manifest["files"]

    @cached_property
    def replications(self) -> pd.DataFrame:
        """A row for each replication, by its number: figures as drawn."""
        return self._by_replication(REPLICATIONS)

    @cached_property
    def expectations(self) -> pd.DataFrame:
        """A row for each replication, by its number: figures with the luck of the market in expectation."""
        return self._by_replication(EXPECTED)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """A row for each replication and project."""
        return self._table(OUTCOMES, "replication", "technology")

    @cached_property
    def purses(self) -> pd.DataFrame:
        """A row for each replication, programme and year."""
        return self._table(PURSES, "replication", "year", "spent_network")

    @cached_property
    def verdicts(self) -> dict[tuple[str, str, str], str]:
        """What re-decisions say, by kind, technology and what is decided; empty where nothing was decided again."""
        if not self.holds(DECISIONS):
            return {}
        table = self._table(DECISIONS, "kind", "technology", "what", "verdict")
        keys = table[["kind", "technology", "what"]].fillna("").astype(str)
        return dict(zip(keys.itertuples(index=False, name=None), table["verdict"].astype(str), strict=True))

    @cached_property
    def scenario(self) -> Scenario | None:
        """The scenario that ran, at its path or as the run holds it; None if neither is that, or with plug-ins."""
        if self.manifest.get("plugins"):
            return None  # code, which runs only if it is named again
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # said by the run that is compared, and nothing to do with this question
                opened = open_run(read_run(self.folder))
                return opened.world if opened.run.fault(opened.world) is None else None
        except (RdsimError, OSError):
            return None

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of technologies, by code: of the scenario, or of what a plan keeps for its page."""
        if self.scenario is not None:
            return {code: one.name for code, one in self.scenario.technologies.items()}
        kept = PAGE_TABLE.path("technologies")
        if kept not in self.manifest["files"]:
            return {}
        table = kept_table(self.folder / kept)
        return dict(zip(table["technology"].astype(str), table["name"].astype(str), strict=True))

    def _by_replication(self, what: Held) -> pd.DataFrame:
        table = self._table(what, "replication", "npv")
        if "policy" in table:  # a plan keeps those of the portfolios beside it, too
            table = table[table["policy"] == OPTIMISED].drop(columns="policy")
        found = table.set_index("replication")
        if found.empty or not found.index.is_unique:
            rule = "must have one row for each replication"
            raise RunError((Fault(str(self.folder / what.name), rule, f"{len(found):,} rows", "Run it again."),))
        return found

    def _table(self, what: Held, *columns: str) -> pd.DataFrame:
        path = self.folder / what.name
        table = kept_table(path)
        if lacking := [one for one in columns if one not in table]:
            rule = "must have the columns that the run wrote"
            raise RunError((Fault(str(path), rule, f"no {', '.join(lacking)}", "Run it again."),))
        return table


def read_runs(folders: Sequence[str | Path]) -> tuple[FinishedRun, ...]:
    """Runs in the order in which they are named.

    Raises RunError with the faults of all: fewer than two, a folder that is no run or has no portfolio, other units of
    money. Raises PortfolioError for portfolios that cannot be read.
    """
    if len(folders) < _FEWEST:
        rule, advice = "needs two runs or more", "Name the folders of finished runs: rdsim compare RUN RUN."
        raise RunError((Fault("compare", rule, str(len(folders)), advice),))
    paths = [Path(one) for one in folders]
    faults, found = list[Fault](), list[FinishedRun]()
    kind: type[InputError] = RunError
    for label, path in zip(_labels(paths), paths, strict=True):
        try:
            found.append(finished_run(label, path))
        except InputError as error:
            kind = type(error) if not faults or isinstance(error, kind) else RunError
            faults += error.faults
    faults += _unit_faults(found)
    if faults:
        raise kind(tuple(dict.fromkeys(faults)))
    return tuple(found)


def finished_run(label: str, path: Path) -> FinishedRun:
    """The run of a folder, called by a label.

    Raises RunError for a folder that is no run or has no portfolio; PortfolioError for one that cannot be read.
    """
    manifest = read_manifest(path)
    if PORTFOLIO.name not in manifest["files"] or not manifest.get("money_unit"):
        rule, advice = "must be a run with one portfolio of a scenario", "Runs of plan, optimise and simulate have one."
        raise RunError((Fault(str(path), rule, f"no {PORTFOLIO.name} of a scenario", advice),))
    chosen = portfolios.read(path / PORTFOLIO.name, None)
    return FinishedRun(label, path, manifest, {one.technology: one for one in chosen.choices})


def _unit_faults(found: Sequence[FinishedRun]) -> list[Fault]:
    if len({one.money_unit for one in found}) < _FEWEST:
        return []
    rule = f"must state money in the unit of {found[0].folder}, {found[0].money_unit}"
    other = [one for one in found if one.money_unit != found[0].money_unit]
    return [Fault(str(one.folder), rule, one.money_unit, "Run it again in one unit of money.") for one in other]


def _labels(paths: Sequence[Path]) -> list[str]:
    """Names of the folders; of those alike the paths as typed, and a number where these are alike too."""
    names = [path.name or path.resolve().name for path in paths]
    texts = [path.as_posix() if names.count(name) > 1 else name for name, path in zip(names, paths, strict=True)]
    return [
        text if texts.count(text) == 1 else f"{text} ({texts[: place + 1].count(text)})"
        for place, text in enumerate(texts)
    ]
