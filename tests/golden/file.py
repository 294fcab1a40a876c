"""The golden file: digests of every shipped scenario and engine, and a move for every setting."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import rdsim
from rdsim.domain import Scenario
from rdsim.errors import InputError
from rdsim.numbers import NUMBERS
from rdsim.options import candidates
from rdsim.scenario.shapes import dotted_path
from tests.golden.digests import options, outcomes, some_portfolio, stages
from tests.golden.settings import STILL, rich_folder, settings
from tests.golden.walk import Move, World

__all__ = ["GOLDEN", "SHIPPED", "compared", "computed", "move_of", "of_shipped", "otherwise", "rich", "written"]

ROOT = Path(__file__).parent.parent.parent
_FILE = Path(__file__).parent / "numbers.json"
GOLDEN: dict[str, Any] = (
    json.loads(_FILE.read_text("utf-8")) if _FILE.exists() else {"numbers": 0, "shipped": {}, "rich": {}, "moves": {}}
)

SHIPPED = sorted(path.parent.name for path in (ROOT / "scenarios").glob("*/scenario.toml"))
_OPTIONS = 40


def rich() -> World:
    """The rich world."""
    with tempfile.TemporaryDirectory() as folder:
        return World(rdsim.load(rich_folder(Path(folder))))


def simpy_of_shipped(name: str) -> str:
    """The digest of a shipped scenario on the engine in plain Python, which needs no compiler."""
    scenario = rdsim.load(ROOT / "scenarios" / name)
    return outcomes(scenario, _few(scenario), "simpy")


def of_shipped(name: str) -> dict[str, str]:
    """Digests of a shipped scenario, on both engines."""
    scenario = rdsim.load(ROOT / "scenarios" / name)
    portfolio, choices = _few(scenario), candidates(scenario)
    some = choices[:: max(1, len(choices) // _OPTIONS)]
    return {
        "compiled": outcomes(scenario, portfolio, "compiled"),
        "simpy": outcomes(scenario, portfolio, "simpy"),
        "options": options(scenario, some),
    }


def _few(scenario: Scenario) -> Any:
    """A portfolio of some of the technologies: the SimPy engine is slow."""
    known = dict(list(scenario.technologies.items())[:60])
    links = tuple(one for one in scenario.links if {one.technology, one.other} <= known.keys())
    rows = {
        name: tuple(one for one in getattr(scenario, name) if one.technology in known)
        for name in ("facility_needs", "technology_steps", "judgements")
    }
    return some_portfolio(dataclasses.replace(scenario, technologies=known, links=links, **rows))


def move_of(entry: dict[str, Any]) -> Move:
    """A move as the file has it."""
    return Move(**entry)


def computed() -> dict[str, Any]:
    """All of the file, calculated anew. Raises ValueError for a setting that moves nothing."""
    world, moves, silent = rich(), {}, []
    for path, shape in settings():
        name = dotted_path(path)
        if name in STILL:
            continue
        before = GOLDEN["moves"].get(name)
        found = _again(world, move_of(before)) if before else None
        found = found or world.moved(path, shape)
        if found is None:
            silent.append(name)
        else:
            moves[name] = dataclasses.asdict(found)
    if silent:
        raise ValueError(f"no number moves with {', '.join(silent)}: give a case in tests/golden/settings.py")
    return {
        "numbers": NUMBERS,
        "shipped": {name: of_shipped(name) for name in SHIPPED},
        "rich": {name: digest() for name, digest in stages(world.scenario, world.portfolio)},
        "moves": moves,
    }


def _again(world: World, move: Move) -> Move | None:
    """The same move with today's digest, if it is still one: what is refused by now moves nothing."""
    try:
        found, base = (world.digest(one, move.stage) for one in ({**move.beside, **move.change}, move.beside))
    except InputError:
        return None
    if base == found:
        return None
    return dataclasses.replace(move, digest=found)


def compared(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of digests that both files have, and that differ."""
    names = [f"{group} {name}" for group in ("shipped", "rich") for name in before[group]]
    found = [one for one in names if _at(before, one) != _at(after, one)]
    same = (name for name, one in before["moves"].items() if _question(one) == _question(after["moves"].get(name)))
    return found + [name for name in same if before["moves"][name]["digest"] != after["moves"][name]["digest"]]


def _at(file: dict[str, Any], name: str) -> Any:
    group, _, rest = name.partition(" ")
    return file[group].get(rest)


def _question(move: dict[str, Any] | None) -> Any:
    return move and [move["beside"], move["change"], move["stage"]]


def otherwise(*, quick: bool) -> list[str]:
    """Names of digests of shipped scenarios, and of the rich world, that are others here; if `quick`, of those alone
    that need no compiler."""
    known = GOLDEN["shipped"]
    if quick:
        return [name for name in SHIPPED if simpy_of_shipped(name) != known[name]["simpy"]]
    shipped, world = {name: of_shipped(name) for name in SHIPPED}, rich()
    found = {name: digest() for name, digest in stages(world.scenario, world.portfolio)}
    wrong = [f"{name} ({kind})" for name, one in shipped.items() for kind in one if one[kind] != known[name][kind]]
    return wrong + [name for name in found if found[name] != GOLDEN["rich"][name]]


def written(file: dict[str, Any]) -> None:
    """Write the file."""
    _FILE.write_text(json.dumps(file, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
