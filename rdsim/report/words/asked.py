"""What was asked of a plan and what can be, in words: headings, the first lines of answers, commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from rdsim.brief import count
from rdsim.languages import N_, listing
from rdsim.languages import gettext as _
from rdsim.report.data.asked import ROWS, ROWS_BESIDE, SENTENCES, PlanAnswer
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.cells import cells

__all__ = ["Asking", "answer_rows", "open_questions", "stranger_words"]


class Asking(NamedTuple):
    """A question about a plan as its page puts it: whole, short for the list of sections, and its command's words."""

    title: str
    short: str
    words: tuple[str, ...]
    """Words behind `rdsim`; RUN stands for the folder of the run."""


_RUN = "RUN"

_TITLES = {
    "explain": (N_("Why not this technology, what would losing that one cost, what is a budget worth?"), N_("Why not")),
    "ladder": (N_("Best with more or less money"), N_("Other money")),
    "frontier": (N_("What must be given up for more of another aim"), N_("Another aim")),
    "alternatives": (N_("Other portfolios that are as good"), N_("Alternatives")),
    "commitment": (N_("How far payments may be promised beyond the money"), N_("Promising more")),
    "rolling": (N_("Decide once, or every year"), N_("Every year")),
    "certify": (N_("How far from the best there is"), N_("How near the best")),
    "assumptions": (N_("Which assumption to narrow first"), N_("Assumptions")),
}
"""Of the questions that come with rdsim, in this order."""


def answer_rows(report: PlanReport) -> list[dict[str, Any]]:
    """What was asked: headings, sentences, how many more there are, figure, table, its page, and the command."""
    known = list(_TITLES)
    rank = {name: place for place, name in enumerate(known)}
    order = sorted(report.answers, key=lambda one: (rank.get(one.kept.question, len(known)), one.kept.label))
    return [_answer(one) for one in order]


def _answer(one: PlanAnswer) -> dict[str, Any]:
    title, short = map(_, _TITLES.get(one.kept.question, (one.shown_page.kind, one.shown_page.kind)))
    return {
        "title": title,
        "short": short,
        "label": one.kept.label,
        "key": one.key,
        "sentences": one.sentences[:SENTENCES],
        "more": _more_words(one),
        "plot": one.plot,
        **_table(one),
        "target": one.kept.target,
        "command": shlex.join(map(str, one.kept.manifest.get("command") or ())),
        "missing": list(map(str, one.kept.manifest.get("missing") or ())),
    }


def _more_words(one: PlanAnswer) -> str:
    """What the answer's own page has beside what is shown here; '' if that is all."""
    sections = one.page.sections
    sentences = max(len(one.sentences) - SENTENCES, 0)
    figures = max(sum(len(section.plots) for section in sections) - 1, 0)
    tables = max(sum(len(section.tables) for section in sections) - 1, 0)
    left = [
        *([count(sentences, "sentence")] if sentences else []),
        *([count(figures, "figure")] if figures else []),
        *([count(tables, "table")] if tables else []),
    ]
    return listing([_("{parts} more").format(parts=told) for told in left])


def _table(one: PlanAnswer) -> dict[str, Any]:
    """The first rows of the first table, and which they are."""
    if one.table is None:
        return {"table": None, "rows": [], "cut": ""}
    table, number = one.table, len(one.table.frame)
    most = ROWS if one.plot is None else ROWS_BESIDE
    rows = cells(replace(table, frame=table.frame.head(most)))
    cut = _("The first {shown} of {all} rows.").format(shown=most, all=f"{number:,}") if number > most else ""
    return {"table": table, "rows": rows, "cut": cut}


def open_questions(report: PlanReport) -> list[Asking]:
    """What has not been asked, with its command; then what else a command makes of a plan."""
    asked = {one.kept.question for one in report.answers}
    found = [
        Asking(_needing(report, name, _(title)), _(short), (name, _RUN, *(_names(report) if name == "explain" else ())))
        for name, (title, short) in _TITLES.items()
        if name not in asked
    ]
    return [*found, Asking(_("Beside another run"), "", ("compare", _RUN, "OTHER"))]


def _needing(report: PlanReport, name: str, title: str) -> str:
    """A question, with what it needs of the scenario where the plan does not show that it is there."""
    if name != "assumptions" or report.manifest.get("assumptions"):
        return title
    return _("{question}, if the scenario states bounds of what is assumed").format(question=title)


def _names(report: PlanReport) -> Iterator[str]:
    """A technology, one that is not funded if there is one, and a budget, as `rdsim explain` is asked about them."""
    table = report.technologies
    if len(table):
        lost = table[~table["funded"].astype(bool)]
        yield str((lost if len(lost) else table)["technology"].iloc[0])
    ids = {name: code for code, name in report.names.get("programme", {}).items()}
    for row in report.plan.to_dict("records"):
        if row["announced"] and row["programme"] in ids:
            yield f"budget {ids[row['programme']]} {row['year']:.0f}"
            return


def stranger_words(report: PlanReport) -> list[str]:
    """What lies beside the answers and is none of this plan, a sentence each."""
    told = _("{name} is not shown: {fault}.")
    return [told.format(name=name, fault=_(why)) for name, why in report.strangers.items()]
