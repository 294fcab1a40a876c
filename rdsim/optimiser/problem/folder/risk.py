"""The table ``[risk]`` of problem.toml."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rdsim.errors import Fault
from rdsim.optimiser.problem.folder.form import RISK, SETTINGS, RiskTerms
from rdsim.tables import did_you_mean, shown_value

__all__ = ["risk_terms"]

_AIMS = ("worth", "probability")

_Rule = tuple[Callable[[float], bool], str]
_RULES: Mapping[str, _Rule] = {
    "level": (lambda x: 0 < x < 1, "must be a number above 0 and below 1"),
    "weight": (lambda x: 0 <= x <= 1, "must be a number from 0 to 1"),
    "floor": (math.isfinite, "must be a finite number"),
    "target": (math.isfinite, "must be a finite number"),
    "probability": (lambda x: 0 < x <= 1, "must be a number above 0, at most 1"),
}


def risk_terms(table: Mapping[str, Any], faults: list[Fault]) -> RiskTerms | None:
    """What the table asks; None, and every fault told, if it is not to be understood."""
    found = [*_faults(table)]
    faults += found
    return None if found else RiskTerms(**table)


def _faults(table: Mapping[str, Any]) -> list[Fault]:
    found = []
    for name, value in table.items():
        where = f"{SETTINGS}, risk.{name}"
        if name not in RISK:
            found.append(Fault(where, "unknown setting", "", did_you_mean(name, RISK)))
        elif name == "aim" and value not in _AIMS:
            found.append(Fault(where, f"must be one of {', '.join(_AIMS)}", shown_value(value)))
        elif name in _RULES and not _fits(value, *_RULES[name]):
            found.append(Fault(where, _RULES[name][1], shown_value(value)))
    aims_at_target = table.get("aim") == "probability"
    if "target" not in table:
        needing = ["probability", *(["aim"] if aims_at_target else [])]
        rule = "needs a target to be reached"
        found += [Fault(f"{SETTINGS}, risk.{name}", rule, "no risk.target") for name in needing if name in table]
    elif aims_at_target:
        rule, idle = 'has no meaning where aim = "probability"', ("weight", "floor", "probability")
        found += [Fault(f"{SETTINGS}, risk.{name}", rule, shown_value(table[name])) for name in idle if name in table]
    return found


def _fits(value: Any, holds: Callable[[float], bool], _rule: str) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and holds(float(value))
