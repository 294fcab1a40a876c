"""The compiled engine run as plain Python, sound or mutated, on generated worlds: a program of its own.

    NUMBA_DISABLE_JIT=1 python -W error -m tests.engines.interpreted WORLDS [LIMIT MUTATIONS.json [HINTS.json]]

With NUMBA_DISABLE_JIT=1 the very functions that numba compiles run in the interpreter, on arrays that here refuse what
compiled code would take silently: an index that is negative or too large. Every world is run on luck that is laid
out, against the SimPy engine; and again with luck drawn when needed, where each number that is asked for is compared
with the one that is laid out; and what is laid out is compared with `luck_oracle`.

A mutation is [module, {old text: new text, ...}] by name. It changes the module's source as it is imported, and worlds
are run, LIMIT of them at most, until one notices. Each answer is a line of JSON: how many worlds were run, and what
was noticed (null for nothing), and by which world. A text that is not found exactly once, or a mutant that is no
working Python, is a fault: never something noticed. Hints say which world noticed a mutation before: it is run first,
and the others only if it no longer notices.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from numba.core import config

from rdsim import gates, purses
from rdsim.case import Case, Outcomes, SamplePaths
from rdsim.draws import Draws
from rdsim.engines import process
from rdsim.errors import EngineError
from rdsim.native import blocks
from tests.engines.luck_oracle import expected_luck, unlike
from tests.engines.test_policies import GATES, PURSES, under
from tests.worlds import World, draw_world

__all__ = ["Mutation", "main"]

REPLICATIONS = range(7, 9)
"""Not from 0: a replication that is miscounted must show."""
NOTICED = (IndexError, OverflowError, RuntimeWarning, EngineError)
"""What a wrong rule may raise; any other exception says that the mutant is no working program."""
COMPILED, LUCK = "rdsim.engines.compiled", "rdsim.luck"


# --- arrays that refuse a wrong index -------------------------------------------------------------

WHOLE = {int, np.int32, np.int64}


def _checked(index: Any) -> Any:
    """The index, if compiled code could take it: whole numbers from 0. Too large ones numpy refuses itself."""
    if index is not Ellipsis:
        for number in index if type(index) is tuple else (index,):
            if type(number) not in WHOLE or number < 0:
                raise IndexError(f"index {index!r} ({type(number).__name__}) must be a whole number from 0")
    return index


class Watched(np.ndarray):  # type: ignore[type-arg]
    """An array that takes what an array of a block takes in compiled code."""

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(_checked(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_checked(index), value)


class WatchedBlock(blocks.Block):
    """A block whose arrays refuse a wrong index."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._arrays = {name: array.view(Watched) for name, array in self._arrays.items()}


# --- the engine, sound or mutated -----------------------------------------------------------------


class Mutation(NamedTuple):
    """A change of a module's source."""

    module: str
    changes: dict[str, str]  # new text by old


class Engine(NamedTuple):
    """The modules of a freshly imported engine."""

    compiled: ModuleType
    draws: ModuleType
    luck: ModuleType


class _Mutant(SourceFileLoader):
    """Loads a module from its source with its text changed."""

    def __init__(self, name: str, path: str, mutation: Mutation) -> None:
        super().__init__(name, path)
        self.mutation = mutation

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = Path(path).read_text(encoding="utf-8")
        for old, new in self.mutation.changes.items():
            if source.count(old) != 1:
                raise LookupError(f"found {source.count(old)} times in {fullname}: {old!r}")
            source = source.replace(old, new)
        return compile(source, path, "exec", dont_inherit=True)


class _Finder:
    """Finds the mutated module before anyone else does."""

    def __init__(self, mutation: Mutation) -> None:
        self.mutation = mutation

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        del target
        spec = PathFinder.find_spec(name, path) if name == self.mutation.module else None
        if spec is not None:
            assert spec.origin is not None
            spec.loader = _Mutant(name, spec.origin, self.mutation)
        return spec


def load(mutation: Mutation | None = None) -> Engine:
    """Import the engine anew, mutated; the luck too if the mutation is not the engine's own.

    Raises LookupError if the mutation's text is not found exactly once.
    """
    if mutation is None or mutation.module.startswith(COMPILED):
        return _import(mutation, sound_luck())
    return _import(mutation, {})


@functools.cache
def sound_luck() -> dict[str, ModuleType]:
    """Modules of the unchanged luck, imported once, with arrays that are watched."""
    _import(None, {})
    return {name: sys.modules[name] for name in _names(LUCK)}


def _import(mutation: Mutation | None, kept: dict[str, ModuleType]) -> Engine:
    for name in (*_names(COMPILED), *_names(LUCK), *(_names(mutation.module) if mutation else ())):
        sys.modules.pop(name, None)
    sys.modules.update(kept)
    finders = [_Finder(mutation)] if mutation else []
    with mock.patch.object(blocks, "Block", WatchedBlock), mock.patch.object(sys, "meta_path", finders + sys.meta_path):
        engine = Engine(*(importlib.import_module(name) for name in (COMPILED, f"{COMPILED}.draws", LUCK)))
    if mutation is not None and mutation.module not in sys.modules:
        raise LookupError(f"the engine does not import {mutation.module}")
    return engine


def _names(prefix: str) -> list[str]:
    return [name for name in sys.modules if name == prefix or name.startswith(prefix + ".")]


# --- what must be equal ---------------------------------------------------------------------------


class Expected(NamedTuple):
    """A world, and what the SimPy engine makes of it; luck laid out as generated worlds lay it out."""

    world: World
    case: Case
    luck: SamplePaths
    outcomes: Outcomes


def governed(seed: int) -> World:
    """A generated world; every third has gate policies or purse rules of a user, in turn."""
    world, turn = draw_world(seed), seed // 3
    if seed % 3 < 2:
        return world
    gate, purse = ("", *GATES), ("", *PURSES)
    return under(world, gate[turn % len(gate)], purse[turn % len(purse)])


@functools.cache
def expected(seed: int) -> Expected:
    """One world; the same for the same seed."""
    world = governed(seed)
    case = world.case()
    luck = world.luck(case, len(REPLICATIONS))
    return Expected(world, case, luck, process.run(case, luck))


@functools.cache
def laid_out(luck: ModuleType, seed: int) -> tuple[SamplePaths, list[str], Outcomes]:
    """What a luck module lays out, in what columns the oracle contradicts, and what the SimPy engine makes of it."""
    world, case, _, _ = expected(seed)
    found = luck.lay_out(world.scenario, case, world.choices, Draws(seed, REPLICATIONS))
    wrong = unlike(found, expected_luck(world.scenario, case, world.choices, seed, REPLICATIONS))
    return found, wrong, process.run(case, found)


def differing(first: Outcomes, second: Outcomes) -> list[str]:
    """Columns that are not equal."""
    return [name for name in first._fields if not np.array_equal(getattr(first, name), getattr(second, name))]


def differences(engine: Engine, seed: int) -> Iterator[str]:
    """All that is wrong with an engine on one world, as it is found."""
    world, case, luck, outcomes = expected(seed)
    yield from (f"laid out: {name}" for name in differing(engine.compiled.run(case, luck), outcomes))
    found, wrong, outcomes = laid_out(engine.luck, seed)
    yield from (f"oracle: {name}" for name in wrong)
    source = engine.luck.chance(world.scenario, case, world.choices, seed)
    rest = engine.luck.lay_out_rest(world.scenario, case, world.choices, Draws(seed, REPLICATIONS))
    with compared(engine.draws, found) as unequal:
        drawn = engine.compiled.Runner(case, source)(REPLICATIONS, rest)
    yield from (f"number: {name}" for name in unequal)
    yield from (f"drawn: {name}" for name in differing(drawn, outcomes))


# --- numbers that are drawn when asked for --------------------------------------------------------

COLUMNS = {
    "step_days": "step_days",
    "step_luck": "step",
    "gate": "gate",
    "review_error": "review_error",
    "stage_succeeds": "agreed",
    "agreement_days": "agreement_days",
    "commercial": "commercial",
    "market_days": "market_days",
    "exchange": "exchange_ppm",
}
"""Functions of `draws`, and the columns that hold what they give."""
asked = {"numbers": 0}


@contextmanager
def compared(draws: ModuleType, luck: SamplePaths) -> Iterator[list[str]]:
    """Meanwhile every number that the engine asks for is compared with the one laid out; lists those that differ."""
    unequal: list[str] = []
    rows = iter(range(len(REPLICATIONS)))
    row = [0]

    def dealing(deal: Callable[..., None]) -> Callable[..., None]:
        def dealt(u: Any, replication: int) -> None:
            deal(u, replication)
            row[0] = next(rows)
            unequal.extend(
                name
                for name in ("break_day", "budget")
                if not np.array_equal(getattr(u, name), getattr(luck, name)[row[0]])
            )

        return dealt

    def comparing(draw: Callable[..., Any], column: str) -> Callable[..., Any]:
        def drawn(u: Any, *index: int) -> Any:
            number = draw(u, *index)
            asked["numbers"] += 1
            if number != getattr(luck, column)[(row[0], *index)]:
                unequal.append(f"{column} {list(map(int, index))}")
            return number

        return drawn

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(draws, "deal", dealing(draws.deal)))
        for name, column in COLUMNS.items():
            stack.enter_context(mock.patch.object(draws, name, comparing(getattr(draws, name), column)))
        yield unequal


# --- the program ----------------------------------------------------------------------------------


def in_order(worlds: int, hint: int | None = None) -> list[int]:
    """All worlds, the hinted one first."""
    return sorted({*range(worlds), *(() if hint is None else (hint,))}, key=lambda seed: (seed != hint, seed))


def notice(mutation: Mutation | None, worlds: int, hint: int | None = None) -> dict[str, Any]:
    """After how many worlds something is wrong, what and in which; or a fault of the mutation itself."""
    try:
        engine = load(mutation)
        for count, seed in enumerate(in_order(worlds, hint), 1):
            found = _look(engine, seed)
            if found:
                return {"worlds": count, "noticed": found, "by": seed}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    return {"worlds": worlds, "noticed": None}


def _look(engine: Engine, seed: int) -> str | None:
    try:
        return next(differences(engine, seed), None)
    except NOTICED as error:
        return f"{type(error).__name__}: {error}"


def _sound(worlds: int) -> dict[str, Any]:
    """The engine as it is: what is wrong, and how much was looked at."""
    answer = notice(None, worlds)
    engine, cases = load(), [expected(seed) for seed in range(worlds)]
    events = sum(engine.compiled.count_events(one.case, one.luck) for one in cases)
    return {"name": "", **answer, "events": events, "numbers": asked["numbers"]}


def main(worlds: int, limit: int = 0, mutations: str = "", hints: str = "") -> None:
    """Answer for the engine as it is, then for each mutation of a file."""
    if not config.DISABLE_JIT:
        raise SystemExit("run with NUMBA_DISABLE_JIT=1")
    for name, policy in GATES.items():
        gates.GATE_POLICIES.register(name, policy)
    for name, rule in PURSES.items():
        purses.PURSE_RULES.register(name, rule)
    _say(_sound(worlds))
    noticed_by = _read(hints)
    for name, parts in _read(mutations).items():
        _say({"name": name, **notice(Mutation(*parts), limit, noticed_by.get(name))})


def _read(path: str) -> dict[str, Any]:
    return dict(json.loads(Path(path).read_text(encoding="utf-8"))) if path else {}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    counts = [int(word) for word in sys.argv[1:3]]
    main(*counts, *sys.argv[3:5])
