"""Records of real projects: TRL at the beginning and at the latest look, and how long lay between."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rdsim.errors import Fault, RecordsError
from rdsim.tables import Row, Table, did_you_mean, number, read_table

__all__ = ["Records", "read"]

_REQUIRED = ("trl_begin", "trl_current")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?")
_LONGEST = 600.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Records:
    """Projects with both TRLs and a duration; N of them."""

    name: str
    sha256: str
    begin: Ints  # (N,) TRL at the beginning
    gain: Ints  # (N,) TRL steps done
    months: Floats  # (N,) observed duration
    partners: Floats  # (N,) number of partners, NaN where the record does not say
    left_out: int  # rows without both TRLs

    @property
    def count(self) -> int:
        """How many projects."""
        return len(self.begin)

    def at_risk(self) -> Ints:
        """How many projects attempted the step from each TRL 1..8: they began at or below it and reached it."""
        steps = np.arange(1, 9)
        reached = self.begin + self.gain
        return np.asarray(((self.begin[:, None] <= steps) & (reached[:, None] >= steps)).sum(axis=0))

    def some(self, rows: Ints) -> Records:
        """These rows, in this order; a row may stand more than once."""
        columns = (self.begin[rows], self.gain[rows], self.months[rows], self.partners[rows])
        return Records(self.name, self.sha256, *columns, self.left_out)


def read(path: str | Path) -> Records:
    """The records of a CSV file.

    Columns: `trl_begin`, `trl_current` (whole TRLs; a half counts as the whole one below it), and `months`, or
    `start` and `end` as YYYY-MM; `n_partners` if known; others are read over. Rows without both TRLs are left out, and
    counted. Raises RecordsError with every fault.
    """
    file = Path(path)
    table = read_table(file)
    if table.faults:
        raise RecordsError(table.faults)
    faults = list(_column_faults(table))
    if faults:
        raise RecordsError(tuple(faults))
    rows: list[tuple[int, int, float, float]] = []
    missing = 0
    for row in table.rows:
        found, wrong = _record(table, row)
        faults += wrong
        missing += found is None and not wrong
        rows += [found] if found is not None else []
    if not faults and len(rows) < 20:
        faults.append(Fault(table.name, "needs at least 20 projects with both TRLs", str(len(rows))))
    if faults:
        raise RecordsError(tuple(faults))
    columns = np.array(rows, np.float64).T
    whole = columns[:2].astype(np.int64)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Records(table.name, digest, whole[0], whole[1], columns[2], columns[3], missing)


def _column_faults(table: Table) -> Iterator[Fault]:
    for name in _REQUIRED:
        if name not in table.columns:
            yield Fault(f"{table.name}, header", f"column {name} is required", "", did_you_mean(name, table.columns))
    if "months" not in table.columns and not {"start", "end"} <= set(table.columns):
        yield Fault(f"{table.name}, header", "needs the column months, or start and end")


def _record(table: Table, row: Row) -> tuple[tuple[int, int, float, float] | None, list[Fault]]:
    """Begin, gain, months and partners of a row; None without faults where a TRL is not given."""
    cells, faults = row.cells, list[Fault]()

    def fault(column: str, rule: str, suggestion: str = "") -> None:
        place = f"{table.name}, row {row.number}, column {column}"
        faults.append(Fault(place, rule, repr(cells.get(column, "")), suggestion))

    levels = {}
    for name in _REQUIRED:
        value = number(cells.get(name, "")) if name in cells else None
        if name in cells and (value is None or not 1 <= value <= 9):
            fault(name, "must be a TRL from 1 to 9")
        elif value is not None:
            levels[name] = int(value)
    months = _months(cells, fault)
    partners = number(cells.get("n_partners", ""))
    if "n_partners" in cells and (partners is None or partners < 0):
        fault("n_partners", "must be a number of partners of 0 or more")
    if faults or len(levels) < 2 or months is None:
        return None, faults
    begin, reached = levels["trl_begin"], levels["trl_current"]
    if reached < begin:
        fault("trl_current", f"must not be below trl_begin, {begin}", "Were the columns exchanged?")
        return None, faults
    return (begin, reached - begin, months, float("nan") if partners is None else float(partners)), faults


def _months(cells: object, fault: object) -> float | None:
    """The duration, from `months` or else from the dates."""
    assert isinstance(cells, dict)  # noqa: S101 - a row's cells
    assert callable(fault)  # noqa: S101 - the row's own
    if "months" in cells:
        value = number(cells["months"])
        if value is None or not 0 < value <= _LONGEST:
            fault("months", f"must be a number of months above 0, at most {_LONGEST:.0f}")
            return None
        return float(value)
    dates = []
    for name in ("start", "end"):
        match = _MONTH.fullmatch(cells.get(name, ""))
        if match is None or not 1 <= int(match[2]) <= 12:
            fault(name, "must be a month as 2024-07, where there is no column months")
            return None
        dates.append(12 * int(match[1]) + int(match[2]))
    if dates[1] <= dates[0]:
        fault("end", "must be later than start")
        return None
    return float(dates[1] - dates[0])
