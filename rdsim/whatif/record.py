"""What a manifest says of what would change a plan, and the tables of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from rdsim.domain import Scenario
from rdsim.stats import Interval
from rdsim.whatif.absences import Absence
from rdsim.whatif.changes import ChangeEffect
from rdsim.whatif.lapse import Lapse, Without
from rdsim.whatif.partners import LEVELS, PartnersWorth
from rdsim.whatif.unused import UnusedMoney
from rdsim.whatif.words import (
    absence_words,
    change_words,
    entering_words,
    lapse_sentences,
    partner_sentences,
    unused_sentences,
    ways_in,
)

__all__ = [
    "absence_table",
    "changes_record",
    "lapse_record",
    "lapse_table",
    "nearest_record",
    "others_record",
    "partners_record",
    "unused_record",
    "unused_table",
]

_LAPSED = "what lapses"


def _limits(one: Interval) -> dict[str, float | int]:
    return {"mean": one.mean, "low": one.low, "high": one.high, "n": one.n}


def changes_record(scenario: Scenario, found: Sequence[ChangeEffect]) -> list[dict[str, Any]]:
    """Of the plan decided anew under changes."""
    return [
        {
            "key": one.key,
            "label": one.label,
            "decided": _limits(one.decided),
            "kept": None if one.kept is None else _limits(one.kept),
            "funded": {"as_things_stand": one.funded[0], "under_the_change": one.funded[1]},
            "leaving": dict(one.leaving),
            "joining": dict(one.joining),
            "partners": [{"codes": list(codes), "share": share} for codes, share in one.partners],
            "repeats": one.repeats,
            "sentence": change_words(scenario, one),
        }
        for one in found
    ]


def partners_record(scenario: Scenario, found: PartnersWorth) -> dict[str, Any]:
    """Of partners that bring a part of what is assumed."""
    turn = found.break_even
    return {
        "kept": _limits(found.kept),
        "decided": _limits(found.decided),
        "leads": [{"part": level, **_limits(one)} for level, one in zip(LEVELS, found.leads, strict=False)],
        "break_even": None
        if turn is None
        else {"value": turn.value, "low": turn.low, "high": turn.high, "repeats": turn.repeats},
        "repeats": found.repeats,
        "sentences": partner_sentences(scenario, found),
    }


def lapse_record(scenario: Scenario, found: Lapse) -> dict[str, Any]:
    """Of lapsing money, by cause and lever."""
    return {
        "lapsed": _limits(found.lapsed),
        "years": _by_year(found.years, "lapsed"),
        "replications": found.replications,
        "without": [_without(one) for one in found.without],
        "sentences": lapse_sentences(scenario, found),
    }


def unused_record(scenario: Scenario, found: UnusedMoney) -> dict[str, Any]:
    """Of what becomes of announced money that is not paid."""
    return {
        "lapsed": _limits(found.lapsed),
        "years": {str(year): money for year, money in found.years.items()},
        "parts": [
            {
                "key": one.key,
                "label": one.label,
                "money": _limits(one.money),
                "years": {str(year): money for year, money in one.years.items()},
            }
            for one in found.parts
        ],
        "sentences": unused_sentences(scenario, found),
    }


def unused_table(found: UnusedMoney) -> pd.DataFrame:
    """What lapses and its parts, which add up to it: columns part, label, year, money (means)."""
    rows = [(one.key, one.label, year, money) for one in found.parts for year, money in one.years.items()]
    rows += [("lapsed", _LAPSED, year, money) for year, money in found.years.items()]
    return pd.DataFrame(rows, columns=["part", "label", "year", "money"])


def _without(one: Without) -> dict[str, Any]:
    return {
        "key": one.otherwise.key,
        "label": one.otherwise.label,
        "kind": one.otherwise.kind,
        "less": _limits(one.less),
        "npv": _limits(one.npv),
        "more": {name: _limits(interval) for name, interval in one.more.items()},
        "years": _by_year(one.years, "less"),
    }


def _by_year(table: pd.DataFrame, column: str) -> dict[str, float]:
    return {str(year): float(money) for year, money in table.groupby("year")[column].sum().items()}


def lapse_table(found: Lapse) -> pd.DataFrame:
    """What lapses by programme and year, and how much less would: columns otherwise, kind, programme, year, money."""
    parts = [found.years.rename(columns={"lapsed": "money"}).assign(otherwise="", kind="lapsed")]
    parts += [
        one.years.rename(columns={"less": "money"}).assign(otherwise=one.otherwise.key, kind=one.otherwise.kind)
        for one in found.without
    ]
    return pd.concat(parts, ignore_index=True)[["otherwise", "kind", "programme", "year", "money"]]


def nearest_record(scenario: Scenario, found: Sequence[Absence]) -> list[dict[str, Any]]:
    """Of those for which the problem was solved again, the nearest first."""
    return [
        {
            "technology": one.technology,
            "at_least": one.at_least,
            "at_most": one.at_most,
            "shared": None if one.shared is None else _limits(one.shared),
            "fall": None if one.fall is None else _limits(one.fall),
            "excluded_by": list(one.excluded_by),
            "joined": entering_words(scenario, one),
            "left": list(one.left),
            "money": {str(year): money for year, money in one.money},
            "ways_in": ways_in(scenario, one),
            "sentence": absence_words(scenario, one),
        }
        for one in found
        if one.solved
    ]


def others_record(scenario: Scenario, found: Sequence[Absence]) -> dict[str, str]:
    """Of the other technologies that are not funded, by id: what they would cost, in sentences."""
    return {one.technology: absence_words(scenario, one) for one in found if not one.solved}


def absence_table(scenario: Scenario, found: Sequence[Absence]) -> pd.DataFrame:
    """All technologies that are not funded, the nearest first.

    Columns: technology, name, alone (worth of its best option), at_least, at_most (cost of bringing it in, by expected
    values), solved, left, joined and excluded_by (separated by blanks), shared (share of re-decisions that fund it)
    with shared_low and shared_high, fall (what the simulated plan is worth less with it) with fall_low and fall_high,
    money (more of it with which it fits beside the plan), cut (part of its cost that is enough), words.
    """
    rows = [
        {
            "technology": one.technology,
            "name": scenario.technologies[one.technology].name,
            "alone": one.alone,
            "at_least": one.at_least,
            "at_most": one.at_most,
            "solved": one.solved,
            "left": " ".join(one.left),
            "joined": " ".join(one.joined),
            "excluded_by": " ".join(one.excluded_by),
            **_ends("shared", one.shared),
            **_ends("fall", one.fall),
            "money": sum(money for _year, money in one.money) if one.fall is not None and not one.barred else math.nan,
            "cut": one.cut,
            "words": absence_words(scenario, one),
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["technology"])


def _ends(name: str, one: Interval | None) -> dict[str, float]:
    """An interval as three columns; nan for none."""
    mean, low, high = (math.nan,) * 3 if one is None else (one.mean, one.low, one.high)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}
