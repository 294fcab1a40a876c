"""Reading a sweep: one table, a row for each point in the design's order, the same bytes however it was made."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rdsim.errors import ExperimentError, Fault
from rdsim.sweep.store import Store, write_bytes
from rdsim.sweep.tasks import Row

if TYPE_CHECKING:
    from rdsim.sweep.prepared import Point, Prepared
    from rdsim.sweep.tasks import Work

__all__ = ["COLUMNS", "MANIFEST", "MISSING", "RESULTS", "manifest_of", "read_sweep", "write_results"]

MANIFEST, RESULTS = "sweep.json", "results.parquet"
MISSING = "missing"
"""Status of a point that is not done yet."""

COLUMNS = frozenset(
    {"point", "status", "error", "n", "funded", "joint", "technologies", "partners", "samples", "key", "world"}
)
"""Columns that a table has, or gets when it is read, whatever is varied and measured."""

_CHUNK = 16_384


def manifest_of(folder: str | Path) -> dict[str, Any]:
    """What ran. Raises ExperimentError if the folder holds no sweep."""
    path = Path(folder) / MANIFEST
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        rule = f"must be the folder of a sweep, with a {MANIFEST}"
        raise ExperimentError((Fault(str(folder), rule, str(error)),)) from None
    return found


def read_sweep(folder: str | Path) -> pd.DataFrame:
    """The results of a sweep: a row for each point.

    Columns: `point`, a column for each factor, `status` (done, failed or missing), `error`, `n` (replications), and
    for each metric its estimate and its interval's ends (``npv``, ``npv low``, ``npv high``); of tasks that choose a
    portfolio also what they chose. ``table.attrs["complete"]`` says whether every point has its row. Raises
    ExperimentError if the folder holds no sweep.
    """
    manifest = manifest_of(folder)
    try:
        table = pd.read_parquet(Path(folder) / RESULTS)
    except (OSError, pa.ArrowInvalid):
        rule = "the results are not written yet, or damaged"
        advice = "Run the sweep again: it takes up what is finished."
        raise ExperimentError((Fault(str(Path(folder) / RESULTS), rule, "", advice),)) from None
    table.attrs.update({"complete": manifest["complete"], "missing": manifest["missing"]})
    return table


def write_results(prepared: Prepared, work: Work, store: Store, path: Path) -> None:
    """Write the table of all points, chunk by chunk. Raises OSError if it cannot be written."""
    schema = _schema(prepared)
    # Chunks are gathered in memory compressed; the file appears whole.
    text = io.BytesIO()
    with pq.ParquetWriter(text, schema, compression="zstd") as writer:
        points = prepared.points(work)
        while chunk := list(islice(points, _CHUNK)):
            rows = [_row(prepared, point, found) for point, found in zip(chunk, _found(store, chunk), strict=True)]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    write_bytes(path, text.getvalue())


def _found(store: Store, chunk: list[Point]) -> Iterator[Row | None]:
    return store.rows(point.task.key for point in chunk)


def _row(prepared: Prepared, point: Point, found: Row | None) -> Row:
    levels = {
        bound.name: _shown(own if level is None else level, bound.is_number)
        for bound, level, own in zip(prepared.factors, point.levels, prepared.own_levels, strict=True)
    }
    return {"point": point.number, **levels, **(found or {"status": MISSING, "error": "", "key": point.task.key})}


def _shown(level: Any, number: bool) -> Any:
    if number:
        return None if level is None or isinstance(level, str | bool) else float(level)
    return "as it stands" if level is None else str(level)


def _schema(prepared: Prepared) -> pa.Schema:
    factors = [(one.name, pa.float64() if one.is_number else pa.string()) for one in prepared.factors]
    metrics = [(f"{metric.text}{end}", pa.float64()) for metric in prepared.metrics for end in ("", " low", " high")]
    chosen: list[tuple[str, pa.DataType]] = []
    if prepared.experiment.task != "simulate":
        chosen = [
            ("funded", pa.int64()),
            ("joint", pa.int64()),
            ("technologies", pa.string()),
            ("partners", pa.string()),
        ]
    kept = [("samples", pa.list_(pa.float64()))] if prepared.experiment.paired else []
    fixed = [("status", pa.string()), ("error", pa.string()), ("n", pa.int64())]
    return pa.schema([("point", pa.int64()), *factors, *fixed, *metrics, *chosen, *kept, ("key", pa.string())])
