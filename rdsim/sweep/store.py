"""The store of a sweep: a folder of Parquet parts, each written whole and then renamed, found by content.

A part's name is the SHA-256 of its bytes, so that a damaged one is known by its name, two sweeps that do the same
work write the same file, and nothing is ever written over by something else.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from rdsim.errors import Fault, OutputError
from rdsim.folders import clear_parts, write_whole
from rdsim.sweep.tasks import DONE, Row

__all__ = ["RowPlace", "Store"]

_PARTS, _DAMAGED = "parts", "damaged"
_NAME = re.compile(r"[0-9a-f]{40}\.parquet")


class RowPlace(NamedTuple):
    """Where a task's row is, and whether it holds numbers."""

    part: Path
    row: int
    done: bool


@dataclass(eq=False)
class Store:
    """What is finished, by key."""

    folder: Path
    entries: dict[bytes, RowPlace] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)

    def open(self) -> None:
        """Read which tasks are finished; parts that cannot be read are set aside, and listed in `damaged`.

        Raises OutputError if the folder cannot be used.
        """
        try:
            (self.folder / _PARTS).mkdir(parents=True, exist_ok=True)
            for place in (self.folder, self.folder / _PARTS):
                clear_parts(place)
            for path in self._files():
                self._take_in(path)
        except OSError as error:
            raise _unusable(self.folder, error) from None

    def look(self) -> None:
        """As `open`, for a folder that is only read: damaged parts are left where they are."""
        for path in self._files():
            table = _readable(path)
            if table is None:
                self.damaged.append(path)
            else:
                self._enter(path, table)

    def append(self, rows: list[Row]) -> None:
        """Keep rows as a new part. Raises OSError if it cannot be written; then nothing of it is kept."""
        data = _bytes_of(rows)
        path = self.folder / _PARTS / f"{hashlib.sha256(data).hexdigest()[:40]}.parquet"
        write_whole(path, data)
        self._enter(path, pa.table({"key": [r["key"] for r in rows], "status": [r["status"] for r in rows]}))

    def has(self, key: str, *, failed: bool = True) -> bool:
        """Whether there is a row of that key; without `failed`, one that holds numbers."""
        entry = self.entries.get(bytes.fromhex(key))
        return entry is not None and (failed or entry.done)

    def rows(self, keys: Iterable[str]) -> Iterator[Row | None]:
        """The rows of some keys, None where there is none; few parts are in memory at a time."""
        loaded: dict[Path, list[Row]] = {}
        for key in keys:
            entry = self.entries.get(bytes.fromhex(key))
            if entry is None:
                yield None
                continue
            if entry.part not in loaded:
                while len(loaded) >= _OPEN:
                    loaded.pop(next(iter(loaded)))
                loaded[entry.part] = pq.read_table(entry.part).to_pylist()
            row = loaded[entry.part][entry.row]
            yield {name: value for name, value in row.items() if value is not None}

    @property
    def parts(self) -> list[Path]:
        """The parts that rows are taken from."""
        return sorted({entry.part for entry in self.entries.values()})

    def _files(self) -> list[Path]:
        """Files that are named as parts are; others are not the sweep's, and stay where they are."""
        return sorted(path for path in (self.folder / _PARTS).glob("*.parquet") if _NAME.fullmatch(path.name))

    def _take_in(self, path: Path) -> None:
        table = _readable(path)
        if table is not None:
            self._enter(path, table)
            return
        (self.folder / _DAMAGED).mkdir(exist_ok=True)
        path.replace(self.folder / _DAMAGED / path.name)
        self.damaged.append(path)

    def _enter(self, path: Path, table: pa.Table) -> None:
        """Numbers go before failures, and else the first part: which part wins depends on contents alone."""
        keys, states = table["key"].to_pylist(), table["status"].to_pylist()
        for row, (key, status) in enumerate(zip(keys, states, strict=True)):
            mine, code = RowPlace(path, row, status == DONE), bytes.fromhex(key)
            other = self.entries.get(code)
            if other is None or (not other.done, other.part) > (not mine.done, mine.part):
                self.entries[code] = mine


_OPEN = 8
"""Parts in memory at a time."""


def _readable(path: Path) -> pa.Table | None:
    """Keys and states of a part whose bytes are those that were written; None of any other."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest()[:40] != path.stem:
        return None
    return pq.read_table(io.BytesIO(data), columns=["key", "status"])


def _bytes_of(rows: list[Row]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    text = io.BytesIO()
    pq.write_table(table, text, compression="zstd")
    return text.getvalue()


def _unusable(folder: Path, error: OSError) -> OutputError:
    return OutputError((Fault(str(folder), "must be a folder that can be written", error.strerror or str(error)),))
