"""What would change a plan, as rows and sentences of its page; nothing of a plan that was not asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rdsim.languages import gettext as _
from rdsim.languages import retold
from rdsim.numerals import numeral
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import amount, interval, percent
from rdsim.titles import WHAT_IF

__all__ = [
    "change_rows",
    "lapse_rows",
    "nearest",
    "reason_for_none",
    "unused_rows",
    "ways_by_technology",
    "what_if_words",
]


def _record(report: PlanReport) -> Mapping[str, Any]:
    found: Mapping[str, Any] = report.manifest.get("what_if") or {}
    return found


def what_if_words(report: PlanReport, part: str) -> list[str]:
    """Sentences about a part: lapse, or partners."""
    return [retold(one) for one in (_record(report).get(part) or {}).get("sentences", ())]


def reason_for_none(report: PlanReport) -> str:
    """Why a plan was not decided anew under changes; '' if it was."""
    if _record(report).get("changes"):
        return ""
    if WHAT_IF in report.manifest.get("missing", ()):
        return _("What would change the plan was not worked out to its end.")
    if _record(report):
        return _(
            "Changes were not decided: that needs what re-decisions are made of, which a plan lacks whose aim looks at "
            "risk, or whose scenario asks for none."
        )
    return _(
        "Not asked: rdsim plan asks, without --one-shot and --brief-page, unless the scenario says that it is not to."
    )


def _cell(found: Mapping[str, Any] | None) -> str:
    """An estimate with its interval; an empty text of none."""
    if found is None or found["mean"] is None:
        return ""
    same = found["mean"] == found["low"] == found["high"]
    return amount(found["mean"]) if same else f"{amount(found['mean'])} ({interval(found)})"


def change_rows(report: PlanReport) -> list[dict[str, str]]:
    """Each change: label, what deciding anew gains, what keeping the plan gains, how many are funded, a sentence."""
    return [
        {
            "label": retold(one["label"]),
            "decided": _cell(one["decided"]) or _("no portfolio found"),
            "kept": _cell(one["kept"]),
            "funded": " \N{RIGHTWARDS ARROW} ".join(numeral(number, ".4g") for number in one["funded"].values()),
            "sentence": retold(one["sentence"]),
        }
        for one in _record(report).get("changes", ())
    ]


def lapse_rows(report: PlanReport) -> dict[str, Any]:
    """What lapses by year, and how much less it is without each cause and with each lever: years, and rows.

    Years are those in which anything lapses, here or there; a row has label, less, worth, and a cell for each year.
    """
    lapse = _record(report).get("lapse")
    if not lapse:
        return {"years": [], "lapsed": [], "rows": []}
    years = _years_to_tell([lapse["years"], *(one["years"] for one in lapse["without"])])
    rows = [
        {
            "label": _lapse_label(one["kind"], _(one["label"])),
            "less": _cell(one["less"]),
            "worth": _cell(one["npv"]),
            "years": [amount(one["years"][year]) for year in years],
        }
        for one in lapse["without"]
    ]
    return {"years": years, "lapsed": [amount(lapse["years"][year]) for year in years], "rows": rows}


def unused_rows(report: PlanReport) -> dict[str, Any]:
    """The account of what lapses: years in which any of it is worth telling, and rows that add up to the last.

    A row has label, all (with its interval) and a cell for each year; there are none of runs that keep no account.
    """
    found = report.manifest.get("unused")
    if not found or found["lapsed"]["mean"] is None:
        return {"sentences": [], "years": [], "rows": []}
    whole = {"label": _("what lapses"), "money": found["lapsed"], "years": found["years"]}
    told = [*({**one, "label": _(one["label"])} for one in found["parts"]), whole]
    years = _years_to_tell([one["years"] for one in told])
    rows = [
        {
            "label": one["label"],
            "all": _cell(one["money"]),
            "years": [amount(one["years"][year]) for year in years],
            "is_sum": one is whole,
        }
        for one in told
    ]
    return {"sentences": [retold(one) for one in found["sentences"]], "years": years, "rows": rows if years else []}


def _years_to_tell(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """Years in which any row comes to a thousandth of the largest figure of all."""
    largest = max((abs(money) for row in rows for money in row.values()), default=0.0)
    return [year for year in rows[0] if max(abs(row[year]) for row in rows) > largest / 1000]


def _lapse_label(kind: str, label: str) -> str:
    told = _("without {cause}") if kind == "cause" else _("if one were to {lever}")
    return told.format(cause=label, lever=label)


def nearest(report: PlanReport) -> list[dict[str, Any]]:
    """The technologies nearest to being funded: id, name, how near each is, what makes room, what would bring it in."""
    called = dict(zip(report.technologies["technology"], report.technologies["name"], strict=True))
    return [
        {
            "technology": one["technology"],
            "name": called[one["technology"]],
            "shared": _share_cell(one.get("shared")),
            "fall": _cell(one.get("fall")),
            "joined": retold(one.get("joined", "")),
            "left": [(name, called[name]) for name in one.get("left", ())],
            "ways": retold(one["ways_in"]) if one.get("ways_in") else retold(one["sentence"]),
        }
        for one in _record(report).get("nearest", ())
    ]


def ways_by_technology(report: PlanReport) -> dict[str, str]:
    """Of technologies that are not funded, by id: how near they are to it, and what would bring them in."""
    asked = {one["technology"]: retold(one["sentence"]) for one in _record(report).get("nearest", ())}
    return asked | {name: retold(one) for name, one in (_record(report).get("others") or {}).items()}


def _share_cell(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    told = _("{share} ({low} to {high})")
    ends = (percent(found[name]) for name in ("mean", "low", "high"))
    return told.format(**dict(zip(("share", "low", "high"), ends, strict=True)))
