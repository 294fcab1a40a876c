"""A comparison of runs as a study: its page, its tables, its record."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from rdsim.comparison.answer import RunComparison
from rdsim.comparison.figures import HOME
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.study import Study

__all__ = ["study"]

_FIRM = (
    "firm means that nearly all re-decisions on other samples agree; open, that the difference may be between near ties"
)


def study(found: RunComparison) -> Study:
    """The comparison with its page, and a CSV for each table: inputs, choices, money and results."""
    first = found.runs[0]
    return Study(
        "compare",
        None,
        int(first.manifest.get("seed") or 0),
        _page(found),
        {**found.tables},
        {"money_unit": first.money_unit, "compared": [_record(one.label, found) for one in found.runs]},
        said=found.lines,
    )


def _record(label: str, found: RunComparison) -> dict[str, object]:
    run = next(one for one in found.runs if one.label == label)
    named = ("rdsim", "command", "seed", "replications", "manifest_sha256")
    told = {name: run.manifest.get(name) for name in named}
    return {"label": label, "folder": run.folder.as_posix(), **told, "scenario": run.manifest["scenario"]["digest"]}


def _page(found: RunComparison) -> Page:
    first, others = found.runs[0].label, ", ".join(run.label for run in found.runs[1:])
    words = [(pair, found.lines_of(pair)) for pair in found.pairs]
    many = len(words) > 1

    def sentences(topic: str) -> list[str]:
        heads = [(f"{pair.second.label}: " if many else "", lines[topic]) for pair, lines in words]
        return [head + line for head, lines in heads for line in lines if not line.startswith("  ")]

    lead = [
        line.strip()
        for pair, lines in words
        for line in _lead(([f"{pair.second.label}:"] if many else []) + lines["results"][:2] + lines["choices"][:1])
    ]
    return Page(
        "Comparison of runs",
        f"{others} compared with {first}",
        lead,
        [
            Section("Inputs that differ", sentences("inputs"), (), _tables(_inputs(found))),
            Section("Portfolio", [*sentences("choices"), f"By re-decisions: {_FIRM}."], (), _tables(_choices(found))),
            Section("Money", sentences("money"), tuple(_plots(found)), _tables(_money(found))),
            Section("Results", sentences("results"), (), _tables(_results(found))),
        ],
    )


def _lead(sentences: list[str]) -> list[str]:
    return [one.rstrip(":") + "." if one.endswith(":") else one for one in sentences]


def _tables(table: Table) -> tuple[Table, ...]:
    return (table,) if len(table.frame) else ()


def _run_column(found: RunComparison) -> dict[str, Column]:
    """Which run a row speaks of, where there are several."""
    return {"run": Column("Run")} if len(found.runs) > 2 else {}


def _second(found: RunComparison) -> str:
    return found.runs[1].label if len(found.runs) == 2 else "That run"


def _difference_columns(found: RunComparison) -> dict[str, Column]:
    """Both means, and their difference with its limits."""
    titles = (found.runs[0].label, _second(found), "Difference", "at least", "at most")
    names = ("first", "second", "difference", "low", "high")
    return {name: Column(title, "money") for name, title in zip(names, titles, strict=True)}


def _inputs(found: RunComparison) -> Table:
    first, second = found.runs[0].label, _second(found)
    columns = {"kind": Column("Kind"), "path": Column("Path"), "first": Column(first), "second": Column(second)}
    return Table(
        "Inputs by path; 'not there' where the run has no such entry.", found.inputs, _run_column(found) | columns
    )


def _choices(found: RunComparison) -> Table:
    first, second = found.runs[0].label, _second(found)
    columns = {
        "change": Column("Change"),
        "technology": Column("Technology or country"),
        "name": Column("Name"),
        "first": Column(first),
        "second": Column(second),
        "firm_first": Column(f"Re-decisions, {first}"),
        "firm_second": Column(f"Re-decisions, {second}"),
    }
    return Table("Decisions that differ.", found.choices, _run_column(found) | columns)


def _money(found: RunComparison) -> Table:
    columns = {
        "by": Column("By"),
        "name": Column("Which"),
        "what": Column("What"),
        **_difference_columns(found),
    }
    unit = found.runs[0].money_unit
    return Table(f"Means in {unit}; limits are those of the difference.", found.money, _run_column(found) | columns)


def _results(found: RunComparison) -> Table:
    columns = {
        "label": Column("Figure"),
        **_difference_columns(found),
        "interval": Column("Interval"),
        "better": Column("Better in", "share"),
        "better_low": Column("at least", "share"),
        "better_high": Column("at most", "share"),
        "same": Column("The same in", "share"),
    }
    caption = (
        "Means and differences with the luck of the market in expectation where runs keep it; shares of the common "
        "replications with all luck as drawn, and none where draws are not common or less and more are equally good."
    )
    return Table(caption, found.results, _run_column(found) | columns)


def _plots(found: RunComparison) -> Iterator[Plot]:
    table = found.money[(found.money["by"] == "year") & (found.money["what"] == HOME)]
    if table.empty:
        return
    first = found.runs[0].label
    base = table[table["run"] == table["run"].iloc[0]][["key", "first"]].rename(columns={"first": "paid"})
    others = table[["run", "key", "second"]].rename(columns={"second": "paid"})
    frame = pd.concat([base.assign(run=first), others], ignore_index=True)
    frame = frame.assign(year=frame["key"].astype("int64"))[["year", "paid", "run"]]
    unit = found.runs[0].money_unit
    yield Plot(
        "paid",
        "When is how much paid?",
        f"Mean payments of projects by year, {HOME}.",
        "Means over each run's replications; the cost of partners is not in these lines.",
        frame,
        ("year", "year"),
        ("paid", f"paid by home, {unit}"),
        colour="run",
        tips={"run": Column("run"), "year": Column("year", "year"), "paid": Column("paid", "money")},
    )
