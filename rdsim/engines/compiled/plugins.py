"""Policies that users write: compiled by numba, and called by address from the event loop.

The loop is compiled once and for all; what came with rdsim is part of it. A registered gate policy or purse rule is
compiled when a case that uses it is first run. One that numba cannot compile runs on the SimPy engine only.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rdsim.case import Case
from rdsim.engines.compiled.contracts import POLICIES, RAISED, RULES
from rdsim.errors import Fault, PolicyError
from rdsim.gates import GATE_POLICIES
from rdsim.native.calls import address, compilable
from rdsim.purses import PURSE_RULES

__all__ = ["addresses"]


def addresses(case: Case) -> dict[str, npt.NDArray[Any]]:
    """Fields of a case's block: for each programme the addresses of its policy's functions, 0 for a built-in one.

    Raises PolicyError with every function that numba cannot compile.
    """
    count, faults = len(case.policy), list[Fault]()
    fields: dict[str, Any] = {name: np.zeros(count, np.int64) for name in ("judge", "drops", "left", "pays", "blocks")}
    fields["rounds"] = np.array([_gate(g)[1].rounds for g in case.policy.tolist()], np.bool_)
    for g in range(count):
        for field, label, function, make, parameters in _functions(int(case.policy[g]), int(case.purse_rule[g])):
            try:
                fields[field][g] = _compiled(function, make, parameters)
            except Exception as error:
                faults.append(_fault(label, error))
    if faults:
        raise PolicyError(tuple(dict.fromkeys(faults)))
    return fields


def _gate(policy: int) -> tuple[str, Any]:
    return list(GATE_POLICIES.items())[policy]


def _functions(policy: int, rule: int) -> list[tuple[str, str, Any, Any, str]]:
    """Field, label, function, wrapper and parameters of each function that is not built in."""
    found: list[tuple[str, str, Any, Any, str]] = []
    if policy >= len(POLICIES):
        name, gate = _gate(policy)
        found.append(("judge", f"gate policy {name!r}, judge", gate.judge, _gate_verdict, "iifffi"))
        if gate.rounds:
            found.append(("drops", f"gate policy {name!r}, drops", gate.drops, _drop_count, "iii"))
            found.append(("left", f"gate policy {name!r}, drops", gate.drops, _drop_left, "iii"))
    if rule >= len(RULES):
        name, purse = list(PURSE_RULES.items())[rule]
        found.append(("pays", f"purse rule {name!r}, pays", purse.pays, _purse_verdict, "iiiii"))
        found.append(("blocks", f"purse rule {name!r}, blocks", purse.blocks, _purse_verdict, "iiiii"))
    return found


def _fault(label: str, error: Exception) -> Fault:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # numba begins with the names of its own stages.
    reason = next((line for line in lines if not line.startswith("Failed in")), type(error).__name__)
    return Fault(
        label,
        "must be plain enough for numba to compile, on the compiled engine",
        reason.rstrip("."),
        "Run it on the simpy engine (--engine simpy), or write it with numbers and simple branches.",
    )


@functools.cache
def _compiled(function: Callable[..., Any], make: Callable[[Any], Any], parameters: str) -> int:
    return address(make(compilable(function)), parameters)


# numba compiles no `raise` across such a call, so the wrappers answer with a number of their own.


@compilable
def _yes(answer: Any) -> int:
    return 1 if answer else 0


def _gate_verdict(judge: Any) -> Any:
    def verdict(lead, missing, luck, alpha, beta, tolerance):
        try:
            answer = judge(lead, missing, luck, alpha, beta, tolerance)
            # A function that forgets to return says no, as it does in Python.
            return 0 if answer is None else _yes(answer)
        except Exception:
            return RAISED

    return verdict


def _purse_verdict(decide: Any) -> Any:
    def verdict(amount, purse, budget, tranche, day):
        try:
            answer = decide(amount, purse, budget, tranche, day)
            return 0 if answer is None else _yes(answer)
        except Exception:
            return RAISED

    return verdict


def _drop_count(drops: Any) -> Any:
    def count(reviews, rate_ppm, fraction):
        try:
            return drops(reviews, rate_ppm, fraction)[0]
        except Exception:
            return RAISED

    return count


def _drop_left(drops: Any) -> Any:
    def left(reviews, rate_ppm, fraction):
        try:
            return drops(reviews, rate_ppm, fraction)[1]
        except Exception:
            return RAISED

    return left
