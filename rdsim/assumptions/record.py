"""What a manifest says of assumptions: their bounds, the widths of headlines, and where these turn their signs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rdsim.assumptions.survey import Survey
from rdsim.assumptions.swings import Swing
from rdsim.assumptions.turning import BreakEven
from rdsim.assumptions.widths import TwoWidths
from rdsim.assumptions.words import sentences
from rdsim.domain import Assumption

__all__ = ["bounds_record", "survey_record"]


def survey_record(found: Survey) -> dict[str, Any]:
    """Of a survey; limits that lie beyond the bounds are None."""
    return {
        "points": found.points,
        "replications": found.own.shape[1],
        "repeats": found.repeats,
        "bounds": bounds_record(found.worlds.assumptions),
        "widths": [_width(one) for one in found.widths],
        "break_evens": [_turn(one) for one in found.break_evens],
        "swings": [_swing(one) for one in found.swings],
        "doubts": [{"headline": headline.name, "assumption": name} for headline, name in found.doubts],
        "sentences": sentences(found),
    }


def bounds_record(assumptions: Mapping[str, Assumption]) -> dict[str, Any]:
    """What the scenario states, by name."""
    return {
        name: {
            "label": one.label or name,
            "paths": list(one.paths),
            "change": one.change,
            "low": one.low,
            "high": one.high,
            "grade": one.grade,
            "why": one.why,
        }
        for name, one in assumptions.items()
    }


def _width(one: TwoWidths) -> dict[str, Any]:
    return {
        "headline": one.headline.name,
        "label": one.headline.label,
        "unit": one.headline.unit,
        "mean": one.luck.mean,
        "low": _finite(one.luck.low),
        "high": _finite(one.luck.high),
        "n": one.luck.n,
        "with_assumptions": {"low": one.both.low, "high": one.both.high, "n": one.both.n},
    }


def _turn(one: BreakEven) -> dict[str, Any]:
    return {
        "headline": one.headline.name,
        "assumption": one.assumption,
        "value": _finite(one.value),
        "low": _finite(one.low),
        "high": _finite(one.high),
        "above_nothing": "from it on" if one.is_rising else "up to it",
        "at_low": _finite(one.at_low),
        "at_high": _finite(one.at_high),
        "repeats": one.repeats,
    }


def _swing(one: Swing) -> dict[str, Any]:
    gap = one.difference
    return {
        "headline": one.headline.name,
        "label": one.headline.label,
        "assumption": one.assumption,
        "at_low": one.at_low,
        "at_high": one.at_high,
        "difference": {"mean": gap.mean, "low": _finite(gap.low), "high": _finite(gap.high), "n": gap.n},
        "is_shown": one.is_shown,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
