"""Policies that users write: compiled by numba, and called by address from the event loop.

The loop is compiled once and for all; what came with rdsim is part of it. A registered gate policy or purse rule is
compiled when a case that uses it is first run, and again if what it takes from globals or from around it has changed.
One that numba cannot compile runs on the SimPy engine only; so does one that, compiled, gives another answer
than in plain Python to any of `PROBES` questions (whole numbers beyond 64 bits, powers, `~` of a truth value and the
square root of a negative number are such places).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rdsim.behaviour import UnknownBehaviourError, behaviour
from rdsim.case import Case
from rdsim.engines.compiled.contracts import POLICIES, RAISED, RULES
from rdsim.errors import Fault, PolicyError
from rdsim.gates import GATE_POLICIES, gives_two_numbers, not_two_numbers
from rdsim.native.calls import address, compilable, tried
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
                fields[field][g] = found = _compiled(function, make, parameters)
            except Exception as error:
                faults.append(_fault(label, error))
            else:
                faults.extend(_disagreement(label, field, function, found))
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
        "Run it on the simpy engine (--engine simpy), or write it with numbers and simple branches, in one function.",
    )


_COMPILED: dict[tuple[object, ...], int] = {}


def _compiled(function: Callable[..., Any], make: Callable[[Any], Any], parameters: str) -> int:
    """The function's address. numba freezes what it takes from globals and from around it, so that is part of the key;
    where it cannot be known, the function is compiled for each case."""
    try:
        key = (behaviour(function).digest, make, parameters)
    except UnknownBehaviourError:
        return address(make(compilable(function)), parameters)
    if key not in _COMPILED:
        _COMPILED[key] = address(make(compilable(function)), parameters)
    return _COMPILED[key]


# --- compiled and plain agree ---------------------------------------------------------------------

PROBES = 300


def _judge_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    lead, missing, tolerance = (int(rng.integers(low, high)) for low, high in ((-4, 5), (0, 4), (0, 3)))
    luck, alpha, beta = (float(rng.choice([rng.random(), 0.0, 0.05, 0.5, 1.0])) for _ in range(3))
    return lead, missing, luck or 1e-9, alpha, beta, tolerance


def _purse_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    """Amounts in won: from one to some 10^13, a purse that often holds just as much."""
    amount, budget = (int(10 ** rng.uniform(0, 13)) for _ in range(2))
    purse = int(rng.choice([amount, int(amount * rng.uniform(1, 3)), amount + budget]))
    return amount, purse, int(rng.choice([budget, 0])), int(rng.integers(-1, 6)), int(rng.integers(0, 360))


def _drop_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    return int(rng.integers(0, 60)), int(rng.choice([0, 100_000, 500_000, 10**6])), int(rng.integers(0, 10**6))


def _disagreement(label: str, field: str, function: Callable[..., Any], found: int) -> list[Fault]:
    """The first question that the compiled function answers otherwise than plain Python does."""
    rng = np.random.default_rng(20240101)
    draw = {"judge": _judge_arguments, "pays": _purse_arguments, "blocks": _purse_arguments}.get(field, _drop_arguments)
    for _ in range(PROBES):
        given = draw(rng)
        plain = _plain(field, function, given)
        if isinstance(plain, Fault):
            return [replace(plain, where=label)]
        compiled = tried(found, *given)
        if plain != compiled:
            said = f"{_shown(compiled)} instead of {_shown(plain)} for {given}"
            return [Fault(label, "must answer compiled as it does in Python", said, _ADVICE)]
    return []


_ADVICE = "Run it on the simpy engine (--engine simpy), or keep whole numbers within 64 bits and functions simple."


def _plain(field: str, function: Callable[..., Any], given: tuple[float, ...]) -> int | Fault:
    """What the function answers in plain Python, as the wrappers tell it."""
    try:
        with np.errstate(all="ignore"):
            answer = function(*given)
            if field in {"judge", "pays", "blocks"}:
                return int(bool(answer))
    except Exception:
        return RAISED
    if not gives_two_numbers(answer):
        return not_two_numbers("", answer)
    return int(answer[0 if field == "drops" else 1])


def _shown(answer: int) -> str:
    return "an exception" if answer == RAISED else str(answer)


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
