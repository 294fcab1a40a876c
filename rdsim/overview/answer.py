"""The index of a folder of runs: tables, sentences, and the page that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from rdsim.arguments import check_arguments
from rdsim.brief import count
from rdsim.errors import Fault, OutputError, RunError
from rdsim.folders import is_folder, write_whole
from rdsim.overview.entries import Entry, Stranger, entries_of, is_entry
from rdsim.overview.page import INDEX, is_ours, page
from rdsim.overview.ranking import RANKED, best_table, estimate_of, world_of, worlds_of
from rdsim.overview.words import answer_words, best_words, count_words, missing_words, stranger_words

__all__ = ["RunIndex", "index"]


@dataclass(frozen=True, eq=False)
class RunIndex:
    """What lies in a folder of results: what was tried, what came of it, and what is best of what can be compared."""

    folder: Path
    entries: tuple[Entry, ...]
    strangers: tuple[Stranger, ...]
    """Folders without a run that can be listed."""
    best: pd.DataFrame
    """A row for each world and figure: the best run, and whether it is told apart from the second."""

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row for each run, study and sweep: what was asked of which scenario, when, and what came of it.

        `world` numbers scenarios as they ran, by digest and unit of money (missing where there is none); estimates with
        `_low` and `_high` are in `money_unit`; `when` is when the manifest was last written.
        """
        worlds = worlds_of(self.entries)
        return pd.DataFrame([_row(one, worlds) for one in self.entries])

    @property
    def lines(self) -> list[str]:
        """All of it in plain sentences, as the terminal tells it."""
        return [
            count_words(self.entries, self.strangers),
            *best_words(self.best),
            *(f"{one.label}: {missing_words(one)}." for one in self.entries if one.missing),
            *answer_words(self.entries),
            *(f"{one.label}: {remark}." for one in self.entries for remark in one.remarks),
            *stranger_words(self.strangers),
        ]

    def write(self, *, force: bool = False) -> Path:
        """Write the page, index.html, into the folder; returns its path.

        Raises OutputError if it cannot be written, and if an index.html is there that is not an index of rdsim's, which
        is replaced with `force` only.
        """
        path = self.folder / INDEX
        try:
            if path.is_dir() or (path.exists() and not force and not is_ours(path)):
                advice = "Move it, or name another folder." if path.is_dir() else "Move it, or give --force."
                raise OutputError((Fault(str(path), "must be new, or an index that rdsim wrote", "another's", advice),))
            write_whole(path, page(self.folder, self.entries, self.strangers, self.best))
        except OSError as error:
            raise OutputError((Fault(str(path), "must be writable", error.strerror or str(error)),)) from None
        return path

    def __repr__(self) -> str:
        return f"RunIndex of {self.folder}: {count(len(self.entries), 'run')}"


@check_arguments()
def index(folder: str | Path = "results") -> RunIndex:
    """What runs, studies and sweeps a folder holds, each in a folder of its own; nothing is simulated or solved.

    Raises:
        InputError: for an argument that is no path.
        RunError: if there is no such folder, if it is a run itself, and if there is nothing in it to tell of.

    >>> from pathlib import Path
    >>> import rdsim
    >>> from rdsim import findings, results
    >>> scenario, portfolio = rdsim.examples.starter(), rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),))
    >>> found = rdsim.simulate(scenario, portfolio, replications=20)
    >>> _ = results.write(findings.of_simulation(found), results.Run(Path("shelf/first")))
    >>> rdsim.index("shelf")
    RunIndex of shelf: 1 run
    """
    path = Path(folder)
    advice = "Name the folder that holds runs: rdsim index FOLDER."
    if not is_folder(path):
        raise RunError((Fault(str(path), "must be a folder that holds runs", "no such folder", advice),))
    if is_entry(path):
        raise RunError((Fault(str(path), "must be a folder that holds runs", "a run", advice),))
    try:
        every = tuple(entries_of(path))
    except OSError as error:
        raise RunError((Fault(str(path), "must be readable", error.strerror or str(error)),)) from None
    if not every:
        raise RunError((Fault(str(path), "must be a folder that holds runs", "no folder in it", advice),))
    entries = tuple(one for one in every if isinstance(one, Entry))
    return RunIndex(path, entries, tuple(one for one in every if isinstance(one, Stranger)), best_table(entries))


def _row(entry: Entry, worlds: dict[tuple[str, str], int]) -> dict[str, object]:
    told, world = entry.manifest, entry.scenario
    unit = str(told.get("money_unit") or "")
    return {
        "run": entry.label,
        "command": entry.command,
        "portfolio": entry.portfolio,
        "scenario": world.get("name", ""),
        "title": world.get("title", ""),
        "overrides": " ".join(world.get("overrides") or []),
        "world": pd.NA if (mine := world_of(entry)) is None else worlds.get(mine, pd.NA),
        "money_unit": unit,
        "seed": told.get("seed"),
        "replications": told.get("replications"),
        **dict(_estimates(entry)),
        "funded": None if entry.run is None else len(entry.run.choices),
        "partners": entry.partners,
        "answers": ", ".join(one.label for one in entry.answers if not one.fault),
        "complete": told["complete"],
        "missing": ", ".join(entry.missing),
        "remarks": "; ".join(entry.remarks),
        "when": pd.Timestamp(entry.when),
    }


def _estimates(entry: Entry) -> Iterator[tuple[str, float | None]]:
    for figure in RANKED:
        found = estimate_of(entry, figure)
        yield figure, found.get("mean")
        yield f"{figure}_low", found.get("low")
        yield f"{figure}_high", found.get("high")
