"""Cards of technologies and partners as their script reads them: what is assumed, what was tried, how firm it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from rdsim.languages import ENGLISH, N_, active
from rdsim.languages import gettext as _
from rdsim.report.data.plan import PlanReport
from rdsim.report.page.html import tell
from rdsim.report.page.technologies import compact
from rdsim.report.words import verdict_word, ways_by_technology

__all__ = ["card_block"]

_KINDS = {"technology": N_("Funded"), "partner": N_("Partner"), "mode": N_("Way of funding"), "start": N_("Start")}


def card_block(report: PlanReport) -> dict[str, object]:
    """Facts by subject and id, options and decisions by technology, partners by code; empty of runs without facts.

    `ways` says by technology that is not funded how near it is to it, and what would bring it in.

    Texts of facts stand once, in `texts`; a fact is five places there: part, item, value, grade, source.
    """
    if report.facts.empty:
        return {}
    columns = ["part", "item", "value", "grade", "source"]
    facts = _with_words_told(report.facts, columns)
    texts = sorted({text for name in columns for text in facts[name]})
    places = {text: place for place, text in enumerate(texts)}
    rows = facts.assign(**{name: facts[name].map(places) for name in columns})
    return {
        "texts": texts,
        "facts": {str(subject): _by(table, "id", columns) for subject, table in rows.groupby("subject")},
        "tried": _by(report.tried, "technology", ["partner", "mode", "start_year", "expected_value", "chosen"]),
        "decisions": _by(
            _decisions(report),
            "technology",
            ["kind", "what", "chosen", "share", "verdict"],
        ),
        "ways": ways_by_technology(report),
        **({} if active() == ENGLISH else {"notes": _notes(report)}),
        "partners": _by(report.partners, "partner", ["name", "opened", "opened_time", "network", "peak_places"]),
    }


def _notes(report: PlanReport) -> dict[str, str]:
    """Why technologies are not funded, in the language of the page, by what the run says of it."""
    return {str(one): tell(str(one)) for one in report.technologies["note"] if one}


def _with_words_told(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The table with words of these columns in the language of the page."""
    return table.assign(**{name: [tell(str(one)) for one in table[name]] for name in columns if name in table})


def _by(table: pd.DataFrame, key: str, columns: list[str]) -> dict[str, list[list[object]]]:
    """Rows of some columns by a key, in their order; of a table that the run lacks, none."""
    found: dict[str, list[list[object]]] = {}
    for name, row in _rows(table, key, columns):
        found.setdefault(name, []).append(row)
    return found


def _rows(table: pd.DataFrame, key: str, columns: list[str]) -> Iterator[tuple[str, list[object]]]:
    if key in table:
        for name, *values in table[[key, *columns]].astype(object).itertuples(index=False):
            yield str(name), [None if pd.isna(value) else compact(value) for value in values]


def _decisions(report: PlanReport) -> pd.DataFrame:
    """Decisions about technologies with names for people, by kind; the plan's first, then by share."""
    table = report.decisions
    if "kind" not in table:
        return pd.DataFrame()
    table = table[table["kind"].isin(list(_KINDS))]
    names = dict(zip(report.partners["partner"], report.partners["name"], strict=True)) if len(report.partners) else {}
    called = {"partner": {**names, "": _("none")}, "mode": report.names.get("mode", {})}
    what = [called.get(kind, {}).get(code, code) for kind, code in _pairs(table)]
    order = table["kind"].map({kind: place for place, kind in enumerate(_KINDS)})
    kinds = table["kind"].map({kind: str(_(title)) for kind, title in _KINDS.items()})
    verdicts = [verdict_word(str(one)) for one in table["verdict"]]
    found = table.assign(what=what, order=order, kind=kinds, verdict=verdicts)
    return found.sort_values(["order", "chosen", "share"], ascending=[True, False, False], kind="stable")


def _pairs(table: pd.DataFrame) -> Iterable[tuple[str, str]]:
    return zip(table["kind"].astype(str), table["what"].astype(str), strict=True)
