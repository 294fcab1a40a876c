"""Reading a sweep: one table, a row for each point in the design's order, the same bytes however it was made."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rdsim.arguments import check_arguments
from rdsim.errors import ExperimentError, Fault
from rdsim.folders import SWEEP
from rdsim.sweep.manifests import manifest_of
from rdsim.sweep.prepared import DesignPoint, Prepared
from rdsim.sweep.store import Store
from rdsim.sweep.tasks import COLUMNS, DONE, Row, Work

__all__ = ["MISSING", "RESULTS", "as_table", "finished_keys", "levels_row", "read_sweep", "results_bytes"]

RESULTS = "results.parquet"
MISSING = "missing"
"""Status of a point that is not done yet."""

_CHUNK = 16_384


@check_arguments()
def read_sweep(folder: str | Path) -> pd.DataFrame:
    """The results of a sweep: a row for each point, or, where deciding is repeated, for each point and repeat.

    Columns: `point` (and `repeat`), a column for each factor, `status` (done, failed or missing), `error`, `n`
    (replications), and for each metric its estimate and its interval's ends (``npv``, ``npv low``, ``npv high``); of
    tasks that choose a portfolio also what they chose. ``table.attrs["complete"]`` says whether every point gave its
    numbers. Raises ExperimentError if the folder holds no sweep, and with what is wrong with one.

    >>> import rdsim
    >>> factors = {"discount_rate": [0.02, 0.08]}
    >>> asked = rdsim.Experiment(rdsim.examples.starter(), factors=factors, policy="value-per-cost", replications=20)
    >>> _ = asked.run("results/rates")
    >>> table = rdsim.read_sweep("results/rates")
    >>> list(table["discount_rate"]), table.attrs["complete"]
    ([0.02, 0.08], True)
    """
    manifest = manifest_of(folder)
    path = Path(folder) / RESULTS
    advice = "Run the sweep again: it takes up what is finished."
    try:
        data = path.read_bytes()
        table = as_table(data, manifest)
    except (OSError, pa.ArrowException, ValueError):
        raise ExperimentError((Fault(str(path), "the results are not written yet, or damaged", "", advice),)) from None
    if manifest.get("results") and manifest["results"] != hashlib.sha256(data).hexdigest():
        rule = f"the results are not those that {SWEEP} speaks of: the sweep was killed while it wrote them"
        raise ExperimentError((Fault(str(path), rule, "", advice),))
    for name in sorted(manifest["factors"].keys() & COLUMNS):  # an older rdsim ran such experiments
        rule, advice = "must not have the name of another column of the results", "Name it otherwise, and run it again."
        raise ExperimentError((Fault(f"factors.{name}", rule, name, advice),))
    faults = tuple(Fault(f"{path}, column {name}", rule) for name, rule in _table_faults(table, manifest))
    if faults:
        raise ExperimentError(faults)
    return table


def as_table(data: bytes, manifest: Mapping[str, Any]) -> pd.DataFrame:
    """The bytes of results as their table, with what the manifest says of how much is done. Raises as
    `pandas.read_parquet`."""
    table = pd.read_parquet(io.BytesIO(data))
    table.attrs.update({name: manifest[name] for name in ("complete", "missing", "failed")})
    return table


def finished_keys(table: pd.DataFrame) -> frozenset[str]:
    """Keys of the tasks whose numbers a table of results holds."""
    done = table[table["status"] == DONE]
    return frozenset(done.get("key", ()))


def _table_faults(table: pd.DataFrame, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns that sweep.json names and the table has not, or not of that type."""
    ends = [f"{metric}{end}" for metric in manifest["metrics"] for end in ("", " low", " high")]
    for name in dict.fromkeys(["point", "n", *ends]):
        if name not in table or not pd.api.types.is_numeric_dtype(table[name]):
            yield name, f"must be there, with numbers: {SWEEP} names it"
    chosen = ["technologies", "partners"] if manifest["task"] != "simulate" else []
    kept = ["samples"] if manifest["paired"] else []
    repeat = ["repeat"] if manifest.get("repeats", 1) > 1 else []
    for name in ("status", "error", *repeat, *chosen, *kept, *manifest["factors"]):
        if name not in table:
            yield name, f"must be there: {SWEEP} names it"
    rows = manifest["points"] * manifest.get("repeats", 1)
    if len(table) != rows:
        yield "point", f"must have a row for each of the {rows:,} points of {SWEEP}, times its repeats"


def results_bytes(prepared: Prepared, work: Work, store: Store) -> bytes:
    """The table of all points as a file, made chunk by chunk."""
    schema = _schema(prepared)
    # Chunks are gathered in memory compressed: the file is written whole.
    text = io.BytesIO()
    with pq.ParquetWriter(text, schema, compression="zstd") as writer:
        points = prepared.points(work)
        while chunk := list(islice(points, _CHUNK)):
            rows = [_row(prepared, point, found) for point, found in zip(chunk, _rows(store, chunk), strict=True)]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return text.getvalue()


def _rows(store: Store, chunk: list[DesignPoint]) -> Iterator[Row | None]:
    return store.rows(point.task.key for point in chunk)


def levels_row(prepared: Prepared, levels: Sequence[Any]) -> Row:
    """The levels of a point by factor, as a table of results holds them."""
    return {
        bound.name: _level_text(own if level is None else level, bound.is_number)
        for bound, level, own in zip(prepared.factors, levels, prepared.own_levels, strict=True)
    }


def _row(prepared: Prepared, point: DesignPoint, found: Row | None) -> Row:
    place = {"point": point.number, "repeat": point.repeat, **levels_row(prepared, point.levels)}
    return {**place, **(found or {"status": MISSING, "error": "", "key": point.task.key})}


def _level_text(level: Any, number: bool) -> Any:
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
    chosen += [("pooled", pa.bool_())] if prepared.is_pooled else []
    kept = [("samples", pa.list_(pa.float64()))] if prepared.experiment.paired else []
    repeat = [("repeat", pa.int64())] if prepared.experiment.repeats > 1 else []
    fixed = [("status", pa.string()), ("error", pa.string()), ("n", pa.int64())]
    return pa.schema([("point", pa.int64()), *repeat, *factors, *fixed, *metrics, *chosen, *kept, ("key", pa.string())])
