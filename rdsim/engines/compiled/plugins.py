"""Policies that users write: compiled by numba, and called by address from the event loop.

The loop is compiled once and for all; what came with rdsim is part of it. A registered gate policy, purse rule or queue
rule is compiled when a case that uses it is first run, and again if what it takes from globals or from around it has
changed; the values of its own parameters are read when it is called, so that other values compile nothing.
One that numba cannot compile runs on the SimPy engine only; so does one that, compiled, gives another answer
than in plain Python to any of `PROBES` questions (whole numbers beyond 64 bits, powers, `~` of a truth value and the
square root of a negative number are such places).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.behaviour import UnknownBehaviourError, behaviour
from rdsim.case import Case
from rdsim.engines.compiled.contracts import POLICIES, QUEUES, RAISED, RULES
from rdsim.errors import Fault, PolicyError, raised_text
from rdsim.gates import GATE_POLICIES, gives_two_numbers, is_truth, no_truth, not_two_numbers
from rdsim.native.calls import address, call_by_address, compilable, number_at
from rdsim.purses import PURSE_RULES
from rdsim.queues import QUEUE_RULES
from rdsim.registry import Binding, Extension

__all__ = ["CALLED", "addresses", "raising"]

CALLED = ("judge", "drops", "left", "pays", "blocks", "queue_key")
"""Fields of a case's block that hold addresses of functions."""


class _Question(NamedTuple):
    """A function that is not built in: what the loop asks of it, and the parameters of its own."""

    field: str  # of the block
    label: str
    taken: Binding
    kinds: str  # of what is offered, as `native.calls.address` has them
    whole: tuple[bool, ...]  # which of its parameters are whole numbers
    own: tuple[float, ...]  # their values
    place: int  # where they are


def addresses(case: Case) -> dict[str, npt.NDArray[Any]]:
    """Fields of a case's block: for each programme, and each queue, the addresses of its policy's functions, 0 for a
    built-in one, and of their parameters.

    Raises PolicyError with every function that numba cannot compile.
    """
    faults = list[Fault]()
    fields: dict[str, Any] = {name: np.zeros(len(case.policy), np.int64) for name in CALLED}
    fields["queue_key"] = np.zeros(len(case.queue_rule), np.int64)
    fields["rounds"] = np.array([_gate(g)[1].rounds for g in case.policy.tolist()], np.bool_)
    fields["gate_own"], fields["purse_own"] = _places(case.gate_parameters), _places(case.purse_parameters)
    fields["queue_own"] = _places(case.queue_parameters)
    for place, asked in _functions(case):
        try:
            fields[asked.field][place] = found = _compile(asked)
        except Exception as error:
            faults.append(_fault(asked.label, error))
        else:
            faults.extend(_disagreement(asked, found))
    if faults:
        raise PolicyError(tuple(dict.fromkeys(faults)))
    return fields


def _places(table: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Addresses of the rows of a table, which must outlive the run."""
    return table.ctypes.data + table.strides[0] * np.arange(len(table), dtype=np.int64)


def _gate(policy: int) -> tuple[str, Any]:
    name = GATE_POLICIES.name_of(policy)
    return name, GATE_POLICIES[name]


def _functions(case: Case) -> Iterator[tuple[int, _Question]]:
    """Each function that is not built in, with the number of its programme or queue."""
    for g in range(len(case.policy)):
        yield from ((g, one) for one in _of_programme(case, g))
    for k, rule in enumerate(case.queue_rule.tolist()):
        if rule >= len(QUEUES):
            name = QUEUE_RULES.name_of(rule)
            row = case.queue_parameters[k]
            yield k, _question("queue_key", f"queue rule {name!r}", QUEUE_RULES[name], "key", "iiiiiifi", row)


def _of_programme(case: Case, g: int) -> Iterator[_Question]:
    if case.policy[g] >= len(POLICIES):
        name, gate = _gate(int(case.policy[g]))
        row = case.gate_parameters[g]
        yield _question("judge", f"gate policy {name!r}", gate, "judge", "iifffiiii", row)
        if gate.rounds:
            yield _question("drops", f"gate policy {name!r}", gate, "drops", "iii", row)
            yield _question("left", f"gate policy {name!r}", gate, "drops", "iii", row)
    if case.purse_rule[g] >= len(RULES):
        name = PURSE_RULES.name_of(int(case.purse_rule[g]))
        for field in ("pays", "blocks"):
            yield _question(field, f"purse rule {name!r}", PURSE_RULES[name], field, "iiiii", case.purse_parameters[g])


def _question(
    field: str, label: str, extension: Extension, function: str, kinds: str, row: npt.NDArray[np.float64]
) -> _Question:
    label = f"{label}, {function}"
    own = extension.restore(row.tolist())
    return _Question(field, label, extension.bind(label, function), kinds, extension.whole, own, row.ctypes.data)


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


def _compile(asked: _Question) -> int:
    """The function's address. numba freezes what it takes from globals and from around it, so that is part of the key;
    where it cannot be known, the function is compiled for each case."""
    text = _wrapper(asked)
    try:
        key = (behaviour(asked.taken.function).digest, text, asked.kinds)
    except UnknownBehaviourError:
        return _address(asked, text)
    if key not in _COMPILED:
        _COMPILED[key] = _address(asked, text)
    return _COMPILED[key]


def _address(asked: _Question, text: str) -> int:
    return address(_wrap(asked, text), f"{asked.kinds}i", "f" if asked.field == "queue_key" else "i")


# --- compiled and plain agree ---------------------------------------------------------------------

PROBES = 300


def _judge_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    lead, missing, tolerance = (int(rng.integers(low, high)) for low, high in ((-4, 5), (0, 4), (0, 3)))
    luck, alpha, beta = (float(rng.choice([rng.random(), 0.0, 0.05, 0.5, 1.0])) for _ in range(3))
    reviews, trl, target = (int(rng.integers(low, high)) for low, high in ((0, 6), (1, 9), (2, 10)))
    return lead, missing, luck or 1e-9, alpha, beta, tolerance, reviews, trl, target


def _purse_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    """Amounts in won: from one to some 10^13, a purse that often holds just as much."""
    amount, budget = (int(10 ** rng.uniform(0, 13)) for _ in range(2))
    purse = int(rng.choice([amount, int(amount * rng.uniform(1, 3)), amount + budget]))
    return amount, purse, int(rng.choice([budget, 0])), int(rng.integers(-1, 6)), int(rng.integers(0, 360))


def _drop_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    return int(rng.integers(0, 60)), int(rng.choice([0, 100_000, 500_000, 10**6])), int(rng.integers(0, 10**6))


def _queue_arguments(rng: np.random.Generator) -> tuple[float, ...]:
    whole = ((0, 60), (0, 2000), (0, 1500), (1, 9), (2, 10), (-2000, 5000))
    rank, waited, days, trl, target, deadline = (int(rng.integers(*limits)) for limits in whole)
    return rank, waited, days, trl, target, deadline, float(rng.uniform(0, 1000)), int(rng.integers(0, 6))


def _disagreement(asked: _Question, found: int) -> list[Fault]:
    """The first question that the compiled function answers otherwise than plain Python does."""
    for given in _probes(asked):
        plain = _plain(asked, given)
        if isinstance(plain, Fault):
            return [replace(plain, where=asked.label)]
        compiled = call_by_address(found, *given, asked.place)
        if not (plain == compiled or (math.isnan(plain) and math.isnan(compiled))):
            said = f"{_answer_text(compiled)} instead of {_answer_text(plain)} for {(*given, *asked.own)}"
            return [Fault(asked.label, "must answer compiled as it does in Python", said, _ADVICE)]
    return []


def _probes(asked: _Question) -> Iterator[tuple[float, ...]]:
    """What the function is asked."""
    rng = np.random.default_rng(20240101)
    draw = _DRAWS.get(asked.field, _drop_arguments)
    return (draw(rng) for _ in range(PROBES))


def raising(case: Case) -> tuple[Fault, ...]:
    """For each function that raises in plain Python when it is asked, its exception and the first such question.

    Compiled code cannot tell what a function raised, so that this is looked for when one did.
    """
    found = (_exception_of(asked) for _, asked in _functions(case))
    return tuple(dict.fromkeys(fault for fault in found if fault is not None))


def _exception_of(asked: _Question) -> Fault | None:
    for given in _probes(asked):
        try:
            asked.taken(*given, *asked.own)
        except Exception as error:
            known = dict(zip(asked.taken.offered, (*given, *asked.own), strict=True))
            told = ", ".join(f"{name}={known[name]:.6g}" for name in asked.taken.names)
            said = f"{raised_text(error)}; so it does in Python{f' for {told}' if told else ''}"
            return Fault(asked.label, "must not raise an exception", said)
    return None


_DRAWS = {
    "judge": _judge_arguments,
    "pays": _purse_arguments,
    "blocks": _purse_arguments,
    "queue_key": _queue_arguments,
}
_DROPS = ("drops", "left")
_ADVICE = "Run it on the simpy engine (--engine simpy), or keep whole numbers within 64 bits and functions simple."


def _plain(asked: _Question, given: tuple[float, ...]) -> float | Fault:
    """What the function answers in plain Python, as the wrappers tell it."""
    try:
        with np.errstate(all="ignore"):
            answer = asked.taken(*given, *asked.own)
            if asked.field == "queue_key":
                return float(answer)
            if asked.field not in _DROPS:
                return int(bool(answer)) if is_truth(answer) else no_truth("", answer)
    except Exception:
        return math.nan if asked.field == "queue_key" else RAISED
    if not gives_two_numbers(answer):
        return not_two_numbers("", answer)
    return int(answer[0 if asked.field == "drops" else 1])


def _answer_text(answer: float) -> str:
    return "an exception" if answer == RAISED or math.isnan(answer) else str(answer)


# --- wrappers -------------------------------------------------------------------------------------


@compilable
def _yes(answer: Any) -> int:
    if answer != answer:  # noqa: PLR0124 - not a number
        return RAISED
    return 1 if answer else 0


_TELLING = {
    "drops": "function({given})[0]",
    "left": "function({given})[1]",
    "queue_key": "float(function({given}))",
}
_VERDICT = "verdict(function({given}))"
_WRAPPER = """
def wrapper({offered}, own):
    try:
        return {telling}
    except Exception:
        return {raised}
"""


def _wrapper(asked: _Question) -> str:
    """The text of a function that takes all that is offered by position, and where the function's own parameters are,
    and hands on what the function takes.

    numba compiles no `raise` across a call by address, so it answers with a number of its own.
    """
    taken = asked.taken
    own = [f"int(number_at(own, {k}))" if whole else f"number_at(own, {k})" for k, whole in enumerate(asked.whole)]
    known = dict(zip(taken.offered, [*(f"given{k}" for k in range(len(asked.kinds))), *own], strict=True))
    handed = [known[name] if taken.by_position else f"{name}={known[name]}" for name in taken.names]
    telling = _TELLING.get(asked.field, _VERDICT).format(given=", ".join(handed))
    offered = ", ".join(f"given{k}" for k in range(len(asked.kinds)))
    return _WRAPPER.format(offered=offered, telling=telling, raised="nan" if asked.field == "queue_key" else "RAISED")


@compilable
def _verdict(answer: Any) -> int:
    # A function that forgets to return says no, as it does in Python.
    return 0 if answer is None else _yes(answer)


def _wrap(asked: _Question, text: str) -> Callable[..., float]:
    around: dict[str, Any] = {
        "function": compilable(asked.taken.function),
        "verdict": _verdict,
        "number_at": number_at,
        "RAISED": RAISED,
        "nan": math.nan,
    }
    exec(compile(text, asked.label, "exec"), around)  # noqa: S102 - the text above, of names that are identifiers
    wrapper: Callable[..., float] = around["wrapper"]
    return wrapper
