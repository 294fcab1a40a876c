"""Records of real projects: TRL at the beginning and at the last look, and how long lay between."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Floats, Ints
from rdsim.errors import Fault, RecordsError
from rdsim.numerals import Style, number, number_advice
from rdsim.tables import CsvTable, TableRow, did_you_mean, read_table, shown_value, with_known_headings

__all__ = ["OUTCOMES", "Outcome", "Records", "read"]

_REQUIRED = ("trl_begin", "trl_current")
_KNOWN = (*_REQUIRED, "trl_planned_end", "n_partners", "months", "start", "end", "status", "outcome")

Outcome = Literal["reached", "failed", "stopped", "running"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""How a project stands at its last look: it came to where it was to come; the step that it was at failed for good; it
ended with that step under way, for other reasons; it goes on."""
_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?")
_LONGEST = 600.0
_FEWEST = 20
_TOP = 9

_UNTOLD = -1
_Record = tuple[int, int, float, float, int, int, int]  # begin, gain, months, partners, planned steps, outcome, ended


@dataclass(frozen=True, eq=False)
class Records:
    """Projects with both TRLs and a duration; N of them."""

    name: str
    sha256: str
    begin: Ints  # (N,) TRL at the beginning
    gain: Ints  # (N,) TRL steps done
    months: Floats  # (N,) observed duration
    partners: Floats  # (N,) number of partners, NaN where the record does not say
    planned: Ints  # (N,) TRL steps planned, -1 where the record does not say
    left_out: int  # rows without both TRLs, or begun only after the last look
    cut: int  # projects that had not ended at the last look
    as_of: str  # the month of the last look, empty if no project needed it
    outcome: Ints  # (N,) place in OUTCOMES, -1 where the record does not say
    ended: npt.NDArray[np.bool_]  # (N,) whether it had ended at the last look

    @property
    def count(self) -> int:
        """How many projects."""
        return len(self.begin)

    def at_risk(self) -> Ints:
        """How many projects attempted the step from each TRL 1..8: they began at or below it and reached it."""
        steps = np.arange(1, 9)
        return np.asarray(((self.begin[:, None] <= steps) & (self._end[:, None] >= steps)).sum(axis=0))

    def completions(self) -> Ints:
        """How many projects completed the step from each TRL 1..8."""
        steps = np.arange(1, 9)
        return np.asarray(((self.begin[:, None] <= steps) & (self._end[:, None] > steps)).sum(axis=0))

    @property
    def _end(self) -> Ints:
        return self.begin + self.gain

    @property
    def at_plan(self) -> npt.NDArray[np.bool_]:
        """(N,) whether a project had come as far as it was planned to."""
        return (self.planned >= 0) & (self.gain >= self.planned)

    @property
    def has_outcome(self) -> npt.NDArray[np.bool_]:
        """(N,) whether the record says how the project ended."""
        return np.asarray(self.outcome != _UNTOLD)

    def had(self, outcome: Outcome) -> npt.NDArray[np.bool_]:
        """(N,) whether a project had this outcome."""
        return np.asarray(self.outcome == OUTCOMES.index(outcome))

    def failures(self) -> Ints:
        """How many projects are told to have failed at the step from each TRL 1..8."""
        return self._at(self.had("failed"))

    def open_ends(self) -> Ints:
        """How many projects ended below the step from each TRL 1..8 and nobody says whether it failed: stopped with it
        under way, or without a word and short of their plan, if they had one."""
        return self._at(self.had("stopped") | (~self.has_outcome & self.ended & ~self.at_plan))

    def _at(self, chosen: npt.NDArray[np.bool_]) -> Ints:
        """How many of these projects stand at each TRL 1..8."""
        return np.asarray(np.bincount(self._end[chosen], minlength=10)[1:9])

    def some(self, rows: Ints) -> Records:
        """These rows, in this order; a row may stand more than once."""
        columns = {
            name: getattr(self, name)[rows]
            for name in ("begin", "gain", "months", "partners", "planned", "outcome", "ended")
        }
        return replace(self, **columns)


def read(path: str | Path, as_of: str | None = None) -> Records:
    """The records of a CSV file.

    Columns: `trl_begin`, `trl_current` (TRLs from 1 to 9; a half counts as the whole one below it), and `months`, or
    `start` and `end` as YYYY-MM; `trl_planned_end`, `n_partners`, `status` and `outcome` (one of OUTCOMES) if known;
    others are read over. Rows without both TRLs are left out, and counted.

    A project that ends after the last look is observed until then only (right-censored there). `as_of` is the month
    of that look, YYYY-MM; if it is not given it is the latest end of a project whose status is "Completed" or whose
    outcome is one of an ended project; without such columns every project is taken to have ended. Raises RecordsError
    with every fault.
    """
    file = Path(path)
    table = with_known_headings(read_table(file), _KNOWN)
    faults = list(table.faults) or [*_column_faults(table), *_look_faults(as_of)]
    if faults:
        raise RecordsError(tuple(faults))
    look = _month(as_of) if as_of else _last_look(table)
    reading = _Reading(table.name, look, table.style)
    rows = [found for row in table.rows if (found := reading.record(row)) is not None]
    if not reading.faults and len(rows) < _FEWEST:
        reading.faults.append(
            Fault(table.name, f"needs at least {_FEWEST} projects with both TRLs and a duration", str(len(rows)))
        )
    if reading.faults:
        raise RecordsError(tuple(reading.faults))
    columns = np.array(rows, np.float64).T
    begin, gain, planned, outcome = (columns[k].astype(np.int64) for k in (0, 1, 4, 5))
    ended = columns[6] > 0.0
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    left_out = len(table.rows) - len(rows)
    told = _month_text(look) if reading.cut and look is not None else ""
    return Records(
        table.name, digest, begin, gain, columns[2], columns[3], planned, left_out, reading.cut, told, outcome, ended
    )


def _column_faults(table: CsvTable) -> Iterator[Fault]:
    for name in _REQUIRED:
        if name not in table.columns:
            yield Fault(f"{table.name}, header", f"column {name} is required", "", did_you_mean(name, table.columns))
    if "months" not in table.columns and not {"start", "end"} <= set(table.columns):
        yield Fault(f"{table.name}, header", "needs the column months, or start and end")


def _look_faults(as_of: str | None) -> Iterator[Fault]:
    if as_of and _month(as_of) is None:
        yield Fault("--as-of", "must be a month as 2024-07", as_of)


def _last_look(table: CsvTable) -> int | None:
    """The latest end of a project that is completed: the records were taken then or later."""
    ends = [_month(row.cells.get("end", "")) for row in table.rows if _has_ended(row)]
    return max((end for end in ends if end is not None), default=None)


def _has_ended(row: TableRow) -> bool:
    status, outcome = (row.cells.get(name, "").strip().lower() for name in ("status", "outcome"))
    return outcome in ("reached", "failed", "stopped") or (not outcome and status == "completed")


def _month(text: str) -> int | None:
    """Months since year 0 of a date YYYY-MM or YYYY-MM-DD."""
    match = _MONTH.fullmatch(text.strip())
    return 12 * int(match[1]) + int(match[2]) - 1 if match is not None and 1 <= int(match[2]) <= 12 else None


def _month_text(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


class _Reading:
    """Rows to records, with the faults on the way."""

    def __init__(self, name: str, look: int | None, style: Style) -> None:
        self.name = name
        self.look = look
        self.style = style
        self.faults: list[Fault] = []
        self.cut = 0

    def record(self, row: TableRow) -> _Record | None:
        """The record of a row; None if it has faults, lacks a TRL, or began after the last look."""
        before = len(self.faults)
        begin, reached, planned = (self._level(row, name) for name in (*_REQUIRED, "trl_planned_end"))
        partners = self._partners(row)
        outcome = self._outcome(row)
        cut = self.cut
        months = self._months(row)
        if len(self.faults) > before or begin is None or reached is None or months is None:
            return None
        if reached < begin:
            self._fault(row, "trl_current", f"must not be below trl_begin, {begin}", "Were the columns exchanged?")
            return None
        self._check_outcome(row, outcome, reached, planned)
        if outcome == "reached":
            planned = reached
        plan = -1 if planned is None else max(planned - begin, 0)
        place = _UNTOLD if outcome is None else OUTCOMES.index(outcome)
        ended = self.cut == cut and outcome != "running"
        return begin, reached - begin, months, partners, plan, place, int(ended)

    def _fault(self, row: TableRow, column: str, rule: str, suggestion: str = "") -> None:
        place = f"{self.name}, row {row.number}, column {column}"
        text = row.cells.get(column, "")
        self.faults.append(
            Fault(place, rule, shown_value(text), suggestion or number_advice(text, self.style, share=False))
        )

    def _level(self, row: TableRow, column: str) -> int | None:
        if column not in row.cells:
            return None
        value = number(row.cells[column], self.style)
        if value is None or not 1 <= value <= 9:
            self._fault(row, column, "must be a TRL from 1 to 9")
            return None
        return int(value)

    def _outcome(self, row: TableRow) -> Outcome | None:
        text = row.cells.get("outcome", "").strip().lower()
        found: Outcome | None = next((one for one in OUTCOMES if one == text), None)
        if text and found is None:
            self._fault(row, "outcome", f"must be one of {', '.join(OUTCOMES)}", did_you_mean(text, OUTCOMES))
        return found

    def _check_outcome(self, row: TableRow, outcome: Outcome | None, reached: int, planned: int | None) -> None:
        """An outcome that the other columns speak against is a fault."""
        if outcome == "failed" and reached == _TOP:
            self._fault(row, "outcome", f"must not be failed at TRL {_TOP}: no step is left to fail at")
        if outcome == "reached" and planned is not None and reached < planned:
            advice = "Write stopped or failed, or leave trl_planned_end empty."
            self._fault(row, "outcome", f"must not be reached: trl_current is below trl_planned_end, {planned}", advice)

    def _partners(self, row: TableRow) -> float:
        if "n_partners" not in row.cells:
            return float("nan")
        value = number(row.cells["n_partners"], self.style)
        if value is None or value < 0:
            self._fault(row, "n_partners", "must be a number of partners of 0 or more")
            return float("nan")
        return float(value)

    def _months(self, row: TableRow) -> float | None:
        """How long the project was observed: to its end or to the last look."""
        begun, ended = (self._date(row, name) for name in ("start", "end"))
        told = self._duration(row, begun, ended)
        if told is None or begun is None or ended is None or self.look is None or ended <= self.look:
            return told
        if _has_ended(row) and row.cells.get("outcome", "").strip():
            self._fault(row, "outcome", f"cannot be known at the last look, {_month_text(self.look)}", "Write running.")
            return None
        self.cut += 1
        return min(told, float(self.look - begun)) if self.look > begun else None

    def _date(self, row: TableRow, column: str) -> int | None:
        if column not in row.cells:
            return None
        found = _month(row.cells[column])
        if found is None:
            self._fault(row, column, "must be a month as 2024-07")
        return found

    def _duration(self, row: TableRow, begun: int | None, ended: int | None) -> float | None:
        if "months" in row.cells:
            value = number(row.cells["months"], self.style)
            if value is None or not 0 < value <= _LONGEST:
                self._fault(row, "months", f"must be a number of months above 0, at most {_LONGEST:.0f}")
                return None
            return float(value)
        if begun is None or ended is None:
            self._lacking(row, begun, ended)
            return None
        if not 0 < ended - begun <= _LONGEST:
            self._fault(row, "end", f"must be later than start, by at most {_LONGEST:.0f} months")
            return None
        return float(ended - begun)

    def _lacking(self, row: TableRow, begun: int | None, ended: int | None) -> None:
        for column, found in (("start", begun), ("end", ended)):
            if found is None and column not in row.cells:
                self._fault(row, column, "is needed where months is not given")
