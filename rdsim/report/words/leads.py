"""What a plan's lead is made of, and what it and those beside it promise of the announced money: rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rdsim.languages import gettext as _
from rdsim.languages import retold
from rdsim.report.data.aggregates import policy_labels
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import amount, interval, percent
from rdsim.titles import plan_title

__all__ = ["award_rows", "bound_words", "lead_rows", "lead_words", "most_above", "side_by_side"]


def award_rows(report: PlanReport) -> list[dict[str, str]]:
    """Each line and year in which full awards come to more than is announced: line, year, awards, announced, above."""
    return [
        {
            "line": str(one["name"]),
            "year": str(one["year"]),
            "awards": amount(one["awards"]),
            "announced": amount(one["announced"]),
            "above": amount(one["above"]),
            "ratio": percent(one["awards"] / one["announced"]) if one["announced"] > 0 else _("no money announced"),
        }
        for one in _above(report)
    ]


def _above(report: PlanReport) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = report.manifest.get("promises", {}).get("above", ())
    return found


def most_above(report: PlanReport) -> Mapping[str, Any] | None:
    """The line and year of which most is promised above the announced money; None if none is."""
    return max(_above(report), key=lambda one: float(one["above"]), default=None)


def lead_rows(report: PlanReport) -> list[dict[str, object]]:
    """Of each comparator its name and cells: the parts of the lead over it, and the lead last."""
    parts: Sequence[Mapping[str, Any]] = (report.manifest.get("lead") or {}).get("parts", ())
    labels, rows = policy_labels(report), dict[str, list[str]]()
    for one in parts:
        rows.setdefault(str(one["comparator"]), []).append(_cell(one))
    return [{"comparator": labels.get(name, name), "cells": cells} for name, cells in rows.items()]


def _cell(one: Mapping[str, Any]) -> str:
    same = one["mean"] == one["low"] == one["high"] == 0
    return "0" if same else f"{amount(one['mean'])} ({interval(one)})"


def lead_words(report: PlanReport) -> list[str]:
    """The names of the parts, in their order, the lead last."""
    parts: Sequence[Mapping[str, Any]] = (report.manifest.get("lead") or {}).get("parts", ())
    return list(dict.fromkeys(_(str(one["part"])) for one in parts))


def bound_words(report: PlanReport) -> list[str]:
    """What the best portfolios found within the announced money come to."""
    return [retold(one) for one in (report.manifest.get("lead") or {}).get("bounds", ())]


def side_by_side(report: PlanReport) -> list[dict[str, str]]:
    """The plan and every portfolio beside it: what it funds, is worth and promises above the announced money."""
    return list(_rows(report)) if report.manifest.get("baselines") else []


def _rows(report: PlanReport) -> Iterator[dict[str, str]]:
    labels, plan = policy_labels(report), report.manifest.get("estimates", {}).get("npv")
    if plan:
        funded = len(report.manifest.get("portfolio", {}).get("funded", ()))
        yield _row(plan_title(), funded, plan, "", [float(one["above"]) for one in _above(report)])
    for name, one in report.manifest["baselines"].items():
        above = [float(year["amount"]) for year in one.get("awards_above", ())]
        yield _row(labels[name], one["funded"], one["npv"], _cell(one["difference"]), above)


def _row(name: str, funded: int, worth: Mapping[str, Any], behind: str, above: Sequence[float]) -> dict[str, str]:
    return {
        "name": name,
        "funded": f"{funded:,}",
        "worth": f"{amount(worth['mean'])} ({interval(worth)})",
        "behind": behind,
        "above": amount(max(above)) if above else _("nothing"),
    }
