"""`python -m benchmarks.report [RUN] [PAGE]`: the figures of a finished benchmark as a page, with date and machine.

By default of results/bench-report, to docs/bench-report.md; `make bench-report` runs the benchmark first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim.folders import read_manifest
from rdsim.report.words import amount

ROOT = Path(__file__).parents[1]


def page(run: Path, day: str) -> str:
    """The page of a run of `rdsim bench` of one scenario."""
    manifest = read_manifest(run)
    bench: Mapping[str, Any] = manifest["bench"][0]
    return "\n".join(
        [*_head(manifest, bench, day), *_ranks(run), *_rows(run), *_rivals(run), *_worlds(run), *_doubts(run), ""]
    )


def _head(manifest: Mapping[str, Any], bench: Mapping[str, Any], day: str) -> Iterator[str]:
    here = manifest["machine"]
    libraries = ", ".join(f"{name} {told}" for name, told in here["libraries"].items())
    yield f"# A benchmark of {bench['scenario']}"
    yield ""
    command, python = " ".join(manifest["command"]), f"rdsim {manifest['rdsim']}, Python {here['python']}"
    yield f"Written on {day} by `make bench-report` ([how to read it](bench.md)): `{command}`."
    yield f"Measured on {here['cores']} cores of an {here['processor']} machine, {here['system']}, {python},"
    yield f"{libraries}."
    yield f"Seed {bench['seed']}, {bench['replications']:,} replications,"
    taken = f"{sum(bench['seconds'].values()):,.0f} seconds"
    yield f"{bench['replications_elsewhere']:,} in each other world, {bench['samples']:,} samples behind each option;"
    yield f"{taken}."
    yield f"Money in {manifest['money_unit']}; intervals of {manifest['confidence']:.0%}."
    if manifest["missing"]:
        yield f"**Not finished:** {', '.join(manifest['missing'])}."


def _table(run: Path, name: str) -> pd.DataFrame:
    path = run / f"{name}.csv"
    return pd.read_csv(path) if path.is_file() else pd.DataFrame()


def _span(row: Any, mean: str, low: str, high: str) -> str:
    return f"{amount(getattr(row, mean))} ({amount(getattr(row, low))} to {amount(getattr(row, high))})"


def _ranks(run: Path) -> Iterator[str]:
    for freedom, rows in _table(run, "ranks").groupby("freedom", sort=False):
        yield from ("", f"## Who is best, {freedom}", "")
        yield from (
            "| portfolio | value | rank | ahead of the best other | may be the best |",
            "| --- | --- | --- | --- | --- |",
        )
        for row in rows.itertuples():
            ahead = _span(row, "ahead", "ahead_low", "ahead_high")
            ranks = str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low} to {row.rank_high}"
            value, best = _span(row, "value", "low", "high"), "yes" if row.maybe_best else "no"
            yield f"| {row.title} | {value} | {ranks} | {ahead} | {best} |"


def _rows(run: Path) -> Iterator[str]:
    rows, given = _table(run, "rows"), _given(run)
    yield from ("", "## Rows that the given portfolios break", "")
    hard = rows[rows["hard"] & rows["entrant"].isin(given)] if len(rows) else rows
    if hard.empty:
        yield "None."
    for row in hard.itertuples():
        by = f": {row.by}" if isinstance(row.by, str) else ""
        yield f"- {row.title}, {row.freedom}: {row.words}{by}"


def _given(run: Path) -> set[str]:
    entrants = _table(run, "entrants")
    return set(entrants.loc[entrants["kind"] == "given", "entrant"])


def _rivals(run: Path) -> Iterator[str]:
    rows = _table(run, "rivals")
    if rows.empty:
        return
    yield from ("", "## Who costs no more and brings more", "")
    yield from (
        "| proposed | competitor | brings more | expected payments | full awards |",
        "| --- | --- | --- | --- | --- |",
    )
    for row in rows.itertuples():
        more, cost = _span(row, "more", "low", "high"), f"{amount(row.payments)} | {amount(row.awards)}"
        yield f"| {row.proposed} | {row.title} | {more} | {cost} |"


def _worlds(run: Path) -> Iterator[str]:
    """Of portfolios that keep every row, and of given ones."""
    short = _table(run, "regrets_in_short")
    shown = short[short["keeps"] | short["entrant"].isin(_given(run))] if len(short) else short
    for freedom, rows in shown.groupby("freedom", sort=False) if len(shown) else ():
        yield from ("", f"## Regret over {rows['worlds'].iloc[0]} worlds, {freedom}", "")
        yield from ("| portfolio | mean | largest | in the world |", "| --- | --- | --- | --- |")
        for row in rows.itertuples():
            most = _span(row, "most", "most_low", "most_high")
            yield f"| {row.title} | {_span(row, 'mean', 'mean_low', 'mean_high')} | {most} | {row.most_in_title} |"


def _doubts(run: Path) -> Iterator[str]:
    rows = _table(run, "doubts")
    if rows.empty:
        return
    yield from ("", "## Four doubts of the choice without simulation, each by itself", "")
    yield from ("| doubt | amount | from | to | of |", "| --- | --- | --- | --- | --- |")
    for row in rows.itertuples():
        yield f"| {row.doubt} | {amount(row.amount)} | {amount(row.low)} | {amount(row.high)} | {row.n} |"


def main(words: Sequence[str]) -> int:
    """Write the page."""
    run = Path(words[0]) if words else ROOT / "results" / "bench-report"
    into = Path(words[1]) if len(words) > 1 else ROOT / "docs" / "bench-report.md"
    into.write_text(page(run, datetime.now(UTC).date().isoformat()), encoding="utf-8")
    print(f"written to {into}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
