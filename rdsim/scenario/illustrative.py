"""Illustrative figures that a program in the scenario's folder draws, so that the luck of a list can be drawn again.

The folder's files state one draw (``illustrative.draw``); the program is run only where another is asked for. It is a
Python file with a function ``tables(draw, settings)`` that returns rows, one mapping of headings to cells for each, by
the name of the file that they stand for; ``settings`` are those of scenario.toml, before overrides. It runs in this
process, with all that the user may do: a folder from elsewhere is read before it is asked for another draw.
"""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from rdsim.domain import Scenario
from rdsim.errors import Fault, raised_text
from rdsim.scenario.findings import FILES
from rdsim.tables import CsvTable, shown_value, table_of_frame

__all__ = ["DRAW", "ILLUSTRATIVE", "last_draw", "origin_of_draw", "program_digest", "redraw"]

ILLUSTRATIVE = "illustrative"
DRAW = (ILLUSTRATIVE, "draw")

_FIRST = 1
"""The draw that files state where scenario.toml does not say which."""


def last_draw(overrides: Iterable[Any]) -> object:
    """The draw that overrides ask for, of `rdsim.scenario.overrides.Override`; None if they ask for none."""
    asked = [one.value for one in overrides if one.path == DRAW]
    return asked[-1] if asked else None


def program_digest(folder: FilePath, stated: Mapping[str, Any]) -> str:
    """SHA-256 of the program that is named; what is stated where it is not there."""
    place = folder / str(stated.get("program", ""))
    return hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else str(stated.get("digest", ""))


def origin_of_draw(scenario: Scenario) -> dict[str, Any]:
    """What a manifest says of the draw and the program of a scenario; nothing where there is no program."""
    one = scenario.illustrative
    return {ILLUSTRATIVE: {"program": one.program, "draw": one.draw, "digest": one.digest}} if one.program else {}


def redraw(folder: FilePath, settings: Mapping[str, Any], draw: object) -> tuple[dict[str, CsvTable], list[Fault]]:
    """The tables of a draw by their names in `FILES`, and what is wrong; none where the files state that draw."""
    stated = settings.get(ILLUSTRATIVE)
    table = stated if isinstance(stated, Mapping) else {}
    if draw is None or draw == table.get("draw", _FIRST):
        return {}, []
    where, program = f"--set {'.'.join(DRAW)}", str(table.get("program", ""))
    place = folder / program
    if not program or place.parent != folder or not place.is_file():
        rule, found = "needs a program in the scenario's folder that draws", program or "none"
        return {}, [Fault(where, rule, found, f"The files state draw {table.get('draw', _FIRST)} alone.")]
    if not isinstance(draw, int) or isinstance(draw, bool) or draw < 1:
        return {}, []  # the setting's own bounds tell it
    return _run(place, draw, settings)


def _run(place: FilePath, draw: int, settings: Mapping[str, Any]) -> tuple[dict[str, CsvTable], list[Fault]]:
    """What a program makes of a draw; whatever it raises, and whatever else it returns, is told as its fault."""
    try:
        made = runpy.run_path(str(place), run_name=ILLUSTRATIVE)["tables"](draw, settings)
    except (Exception, SystemExit) as error:
        rule = "must have a function tables(draw, settings) that returns rows by file"
        return {}, [Fault(place.name, rule, raised_text(error))]
    names = {file: name for name, file in FILES.items()}
    if not isinstance(made, Mapping) or not made.keys() <= names.keys():
        found = ", ".join(map(str, made)) if isinstance(made, Mapping) else type(made).__name__
        return {}, [Fault(place.name, f"must return rows of {', '.join(names)}", shown_value(found))]
    if faults := [fault for file, rows in made.items() for fault in _row_faults(f"{place.name}/{file}", rows)]:
        return {}, faults
    return {names[file]: _table(f"{place.name}/{file}", rows) for file, rows in made.items()}, []


def _row_faults(where: str, rows: object) -> Iterator[Fault]:
    """What keeps something from being the rows of a table."""
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        yield Fault(where, "must be a list of rows, of one at least", shown_value(rows))
        return
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            yield Fault(f"{where}, row {number}", "must be a mapping of headings to cells", shown_value(row))


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> CsvTable:
    """Rows as the table that a file with them would be."""
    import pandas as pd  # noqa: PLC0415 - heavy, and needed here alone

    return table_of_frame(pd.DataFrame(list(rows)), name)
