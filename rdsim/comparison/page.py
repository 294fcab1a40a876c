"""A comparison of runs as a study: its page, its tables, its record."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from rdsim.comparison.answer import RunComparison
from rdsim.comparison.choices import change_title
from rdsim.comparison.figures import HOME
from rdsim.comparison.inputs import kind_title
from rdsim.languages import ENGLISH, N_, join_texts, noting, pgettext, speaking, unit_of_money
from rdsim.languages import gettext as _
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.study import Study

__all__ = ["study"]

_FIRM = N_(
    "By re-decisions: firm means that nearly all re-decisions on other samples agree; open, that the difference may be "
    "between near ties."
)


def study(found: RunComparison) -> Study:
    """The comparison with its page, and a CSV for each table: inputs, choices, money and results."""
    first = found.runs[0]
    with speaking(ENGLISH), noting(found.noted) as noted:  # files hold English, and what its texts say
        return Study(
            "compare",
            None,
            int(first.manifest.get("seed") or 0),
            _page(found),
            {**found.tables},
            {"money_unit": first.money_unit, "compared": [_record(one.label, found) for one in found.runs]},
            said=found.lines,
        ).with_noted(noted)


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
        heads = [([pair.second.label] if many else [], lines[topic]) for pair, lines in words]
        return [join_texts([*head, one.above], ": ") for head, lines in heads for one in lines if not one.is_below]

    lead = [
        line
        for pair, lines in words
        for line in [
            *([f"{pair.second.label}."] if many else []),
            *(one.alone for one in (*lines["results"][:2], *lines["choices"][:1])),
        ]
    ]
    return Page(
        _("Comparison of runs"),
        _("{runs} compared with {base}").format(runs=others, base=first),
        lead,
        [
            Section(_("Inputs that differ"), sentences("inputs"), (), _tables(_inputs(found))),
            Section(_("Portfolio"), [*sentences("choices"), _(_FIRM)], (), _tables(_choices(found))),
            Section(_("Money"), sentences("money"), tuple(_plots(found)), _tables(_money(found))),
            Section(pgettext("comparison", "Results"), sentences("results"), (), _tables(_results(found))),
        ],
    )


def _tables(table: Table) -> tuple[Table, ...]:
    return (table,) if len(table.frame) else ()


def _run_column(found: RunComparison) -> dict[str, Column]:
    """Which run a row speaks of, where there are several."""
    return {"run": Column(_("Run"))} if len(found.runs) > 2 else {}


def _second(found: RunComparison) -> str:
    return found.runs[1].label if len(found.runs) == 2 else _("That run")


def _difference_columns(found: RunComparison) -> dict[str, Column]:
    """Both means, and their difference with its limits."""
    titles = (found.runs[0].label, _second(found), _("Difference"), _("at least"), _("at most"))
    names = ("first", "second", "difference", "low", "high")
    return {name: Column(title, "money") for name, title in zip(names, titles, strict=True)}


def _inputs(found: RunComparison) -> Table:
    first, second = found.runs[0].label, _second(found)
    columns = {"kind": Column(_("Kind")), "path": Column(_("Path")), "first": Column(first), "second": Column(second)}
    frame = found.inputs.assign(kind=[kind_title(one) for one in found.inputs["kind"]])
    caption = _("Inputs by path; 'not there' where the run has no such entry.")
    return Table(caption, frame, _run_column(found) | columns)


def _choices(found: RunComparison) -> Table:
    first, second = found.runs[0].label, _second(found)
    columns = {
        "change": Column(_("Change")),
        "technology": Column(_("Technology or country")),
        "name": Column(_("Name")),
        "first": Column(first),
        "second": Column(second),
        "firm_first": Column(_("Re-decisions, {run}").format(run=first)),
        "firm_second": Column(_("Re-decisions, {run}").format(run=second)),
    }
    frame = found.choices.assign(
        change=[change_title(one) for one in found.choices["change"]],
        **{name: _table_words(found.choices[name]) for name in ("firm_first", "firm_second")},
    )
    return Table(_("Decisions that differ."), frame, _run_column(found) | columns)


def _table_words(words: pd.Series) -> list[str]:
    """Words of a table in the language that is spoken."""
    return [_(one) if one else "" for one in words]


def _money(found: RunComparison) -> Table:
    columns = {
        "by": Column(_("By")),
        "name": Column(_("Which")),
        "what": Column(_("What")),
        **_difference_columns(found),
    }
    of = {"year": pgettext("by", "year"), "field": pgettext("by", "field"), "partner": pgettext("by", "partner")}
    frame = found.money.assign(by=[of[one] for one in found.money["by"]], what=_table_words(found.money["what"]))
    caption = _("Means in {unit}; limits are those of the difference.")
    unit = unit_of_money(found.runs[0].money_unit)
    return Table(caption.format(unit=unit), frame, _run_column(found) | columns)


def _results(found: RunComparison) -> Table:
    columns = {
        "label": Column(_("Figure")),
        **_difference_columns(found),
        "interval": Column(_("Interval")),
        "better": Column(_("Better in"), "share"),
        "better_low": Column(_("at least"), "share"),
        "better_high": Column(_("at most"), "share"),
        "same": Column(_("The same in"), "share"),
    }
    caption = _(
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
    unit = unit_of_money(found.runs[0].money_unit)
    yield Plot(
        "paid",
        _("When is how much paid?"),
        _("Mean payments of projects by year, {what}.").format(what=_(HOME)),
        _("Means over each run's replications; the cost of partners is not in these lines."),
        frame,
        ("year", pgettext("axis", "year")),
        ("paid", _("paid by home, {unit}").format(unit=unit)),
        colour="run",
        tips={
            "run": Column(pgettext("axis", "run")),
            "year": Column(pgettext("axis", "year"), "year"),
            "paid": Column(_("paid"), "money"),
        },
    )
