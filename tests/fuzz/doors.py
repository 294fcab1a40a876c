"""The doors: how a random input of each is made, and what lets it in."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rdsim import findings, portfolio, results, runs, sweep
from rdsim import scenario as rooms
from rdsim.calibration import records
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import Fault, InputError
from rdsim.optimiser.problem import folder as problems
from rdsim.simulation import simulate
from rdsim.sweep import experiment
from rdsim.sweep.page import page_of
from tests.broken_inputs import OVERRIDES
from tests.fuzz.mutations import ODD_TEXTS, mutated_bytes, mutated_text, mutated_tree, odd_value
from tests.tiny import TINY_FILES, tiny_folder

__all__ = ["DOORS", "Door"]

Enter = Callable[[], object]


@dataclass(frozen=True)
class Door:
    """A door: its name, and what puts a random input into a folder and gives back what lets it in."""

    name: str
    prepare: Callable[[random.Random, Path], Enter]


# Scenario, overrides, mappings ---------------------------------------------------------------------


def _scenario(rng: random.Random, folder: Path) -> Enter:
    """One or two files of a scenario mutated, or a file too much."""
    place = folder / "scenario"
    _fresh(place, TINY_FILES)
    for _ in range(rng.choice((1, 1, 1, 2))):
        name = rng.choice(list(TINY_FILES))
        (place / name).write_bytes(mutated_bytes(TINY_FILES[name], rng))
    if rng.random() < 0.05:
        (place / rng.choice(("technologies (1).csv", "technologie.csv", "judgements.csv"))).write_bytes(b"id\n1\n")
    return lambda: _checked(rooms.load(place))


def _checked(world: Scenario) -> None:
    rooms.check(world)
    rooms.remarks(world)
    rooms.digest(world)


def _overrides(rng: random.Random, folder: Path) -> Enter:
    place = _tiny(folder)
    texts = [_override(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    return lambda: rooms.load(place, texts)


def _override(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return mutated_text(rng.choice([text for one in OVERRIDES for text in one.overrides]), rng)
    path, value = rng.choice(_places())
    if rng.random() < 0.3:
        path = mutated_text(path, rng)
    given = rng.choice(
        (mutated_text(str(value), rng), rng.choice(ODD_TEXTS), str(rng.choice((True, -1, [1, 2], {}, 1e-9))))
    )
    return f"{path}={given}"


def _mapping(rng: random.Random, folder: Path) -> Enter:
    place = _tiny(folder)
    given: dict[Any, Any] = {}
    for _ in range(rng.choice((1, 1, 2))):
        path, value = rng.choice(_places())
        key: Any = path if rng.random() < 0.9 else rng.choice((mutated_text(path, rng), 1, None, (), b"a"))
        given[key] = mutated_tree(value, rng) if rng.random() < 0.5 else odd_value(rng)
    whole: Any = given if rng.random() < 0.95 else odd_value(rng)
    return lambda: rooms.load(place, whole)


@cache
def _places() -> list[tuple[str, Any]]:
    """Dotted paths of the tiny scenario, and of what its tables hold, with their values."""
    found: list[tuple[str, Any]] = []

    def walk(node: Any, path: str) -> None:
        found.append((path, node))
        for key, below in node.items() if isinstance(node, dict) else ():
            walk(below, f"{path}.{key}" if path else key)

    walk(tomllib.loads(TINY_FILES["scenario.toml"]), "")
    columns = ("cost", "value", "trl", "name", "field", "score", "market_share", "status", "uncertainty")
    found += [(f"technologies.{one}.{column}", 1) for one in ("T1", "T3", "*") for column in columns]
    found += [(f"partners.{one}.{column}", 1) for one in ("US", "*") for column in ("modes", "places", "agreement")]
    return [(path or "name", value) for path, value in found] + [("levels.US.bio", 9), ("links.0.kind", "synergy")]


# Portfolio, problem, records, experiment -----------------------------------------------------------

_PORTFOLIO = "technology,partner,mode,start_year,rank\nT1,US,direct,2024,1\nT2,,domestic,2024,2\nT4,,domestic,2025,3\n"
_PROBLEM = {
    "problem.toml": 'name = "p"\nunit = "billion KRW"\nsense = "maximise"\nstages = ["early", "late"]\n',
    "options.csv": "option,group,partners,stage,value,w,load,fixed\nA,g,US,early,3,1,1,\nB,g,US|JP,late,2.5,2,1,\n"
    "C,h,,early,4,3,,in\nD,i,JP,late,1,1,2,out\n",
    "rows.csv": "row,family,sense,cap,shortfall_price,carry_to,carry_rate\nw,money,at most,5,,v,0.5\nv,money,<=,4,,,\n"
    "z,soft,>=,1,2,,\n",
    "uses.csv": "row,option,partner,stage,amount\nv,A,,,1\nv,,US,early,0.5\nz,C,,,1\n",
    "groups.csv": "group,choice,fixed\ng,at most one,\nh,exactly one,in\ni,,\n",
    "partners.csv": "partner,value,capacity\nUS,-1,3\nJP,,\n",
    "links.csv": "group,link,with,value\ng,needs,h,\ng,excludes,i,\ng,synergy,h,1\n",
}
_RECORDS = "trl_begin,trl_current,trl_planned_end,start,end,n_partners,status\n" + "".join(
    f"{2 + k % 4},{3 + k % 4},{4 + k % 4},20{10 + k % 9}-0{1 + k % 9},20{20 + k % 4}-1{k % 3},{k % 4},Completed\n"
    for k in range(30)
)
_EXPERIMENT = """\
title = "What matters?"
scenario = "scenario"
task = "simulate"
policy = "value-per-cost"
design = "grid"
levels = 3
replications = 20
metrics = ["npv", "commercialised"]

[set]
"risks.budget.sd" = 0.2

[factors]
"discount_rate" = { values = [0.02, 0.05] }
"steps.setback_probability" = { range = [0.1, 0.7], label = "setbacks" }
policy = { policies = ["value-per-cost", "one-shot"] }

[[answers]]
text = "The value is {npv}."
"""


def _portfolio(rng: random.Random, folder: Path) -> Enter:
    path = folder / "portfolio.csv"
    path.write_bytes(mutated_bytes(_PORTFOLIO, rng))
    world = _world(_tiny(folder))
    return lambda: portfolio.read(path, world)


def _problem(rng: random.Random, folder: Path) -> Enter:
    place = folder / "problem"
    _fresh(place, _PROBLEM)
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(list(_PROBLEM))
        (place / name).write_bytes(mutated_bytes(_PROBLEM[name], rng))
    for name in rng.sample(sorted(_PROBLEM), rng.choice((0, 0, 0, 1, 2))):
        (place / name).unlink(missing_ok=True)
    return lambda: problems.read_statement(place)


def _records(rng: random.Random, folder: Path) -> Enter:
    path = folder / "records.csv"
    path.write_bytes(mutated_bytes(_RECORDS, rng))
    as_of = rng.choice((None, None, None, "2021-05", rng.choice(ODD_TEXTS)))
    return lambda: records.read(path, as_of)


def _experiment(rng: random.Random, folder: Path) -> Enter:
    path = folder / "experiment.toml"
    path.write_bytes(mutated_bytes(_EXPERIMENT, rng))
    base = _tiny(folder).parent
    (base / "scenario").exists() or tiny_folder(base / "scenario")
    return lambda: sweep.prepare(experiment.read(path))


# Manifests --------------------------------------------------------------------------------------------------


_HERE = "where-the-scenario-is"


@cache
def _finished(kind: str) -> dict[str, bytes]:
    """The files of a small finished sweep, or run, by name."""
    with tempfile.TemporaryDirectory() as base:
        place, out = tiny_folder(Path(base) / "scenario"), Path(base) / "out"
        if kind == "sweep":
            factors: dict[str, Any] = {"discount_rate": {"values": [0.02, 0.05]}}
            sweep.Experiment(str(place), factors=factors, policy="value-per-cost", replications=2).run(out)
        else:
            chosen = Portfolio((Choice("T1", "domestic", "", 2024),))
            found = simulate(rooms.load(place), chosen, replications=2)
            results.write(findings.of_simulation(found), results.Run(out, scenario=_HERE))
        return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def _short(tree: Any) -> Any:
    """The tree with whole numbers that Python's JSON can write."""
    if isinstance(tree, dict):
        return {str(key): _short(one) for key, one in tree.items()}
    if isinstance(tree, list | tuple):
        return [_short(one) for one in tree]
    return 10**400 if isinstance(tree, int) and abs(tree) > 10**400 else tree


def _damaged(kind: str, name: str, rng: random.Random, folder: Path) -> Path:
    """The folder of a finished run whose manifest somebody edited."""
    place = folder / kind
    place.mkdir(exist_ok=True)
    for file, data in _finished(kind).items():
        if not (place / file).exists():
            (place / file).write_bytes(data)
    text = _finished(kind)[name].decode().replace(_HERE, str(_tiny(folder)))
    if rng.random() < 0.6:
        tree = mutated_tree(json.loads(text), rng)
        data = json.dumps(_short(tree), default=repr, ensure_ascii=rng.random() < 0.5).encode("utf-8", "replace")
    else:
        data = mutated_bytes(text, rng)
    (place / name).write_bytes(data)
    return place


def _sweep(rng: random.Random, folder: Path) -> Enter:
    place = _damaged("sweep", "sweep.json", rng, folder)
    return lambda: page_of(sweep.read_sweep(place), sweep.manifest_of(place))


def _earlier(rng: random.Random, folder: Path) -> Enter:
    place, world = _damaged("run", "manifest.json", rng, folder), _world(_tiny(folder))

    def enter() -> None:
        runs.portfolio_of(place, world)
        runs.read_run(place).fault(world)

    return enter


# Words of the command line -------------------------------------------------------------------------

_COMMANDS = ("check", "plan", "optimise", "simulate", "frontier", "alternatives", "ladder", "commitment", "rolling")
_COMMANDS = (
    *_COMMANDS,
    "assumptions",
    "certify",
    "explain",
    "calibrate",
    "sweep",
    "new",
    "schema",
    "report",
    "nonsense",
)
_OPTIONS = ("--seed", "--replications", "--samples", "--gap", "--time-limit", "--threads", "--engine", "--solver")
_OPTIONS = (*_OPTIONS, "--set", "--ratios", "--shares", "--points", "--first", "--second", "--within", "--swaps")
_OPTIONS = (
    *_OPTIONS,
    "--count",
    "--batches",
    "--worlds",
    "--months",
    "--as-of",
    "--plugin",
    "--portfolio",
    "--problem",
)
_FLAGS = ("--force", "--one-shot", "--trace", "--no-stops", "--no-nested", "--dry-run", "--help", "--debug", "--", "-x")


class _ReachedError(Exception):
    """The work would begin: the words were taken."""


def _words(rng: random.Random, folder: Path) -> Enter:
    """A command with options and values; what would begin to work is cut short."""
    _tiny(folder)
    words = [rng.choice(_COMMANDS), rng.choice(("tiny", "tiny", "tiny", "absent", "tiny/scenario.toml", ""))]
    for _ in range(rng.randint(0, 3)):
        value = rng.choice(("1", "0", "2", "0.5", "tiny", "cbc", "simpy", "1,2", *ODD_TEXTS)).replace("\0", "")
        words += [rng.choice(_OPTIONS), value] if rng.random() < 0.8 else [rng.choice(_FLAGS)]
    rng.shuffle(words) if rng.random() < 0.1 else None
    return lambda: _run(words, folder)


def _run(words: list[str], folder: Path) -> None:
    """The command line in this process, in the folder; a traceback in its output is an error."""
    from rdsim import cli, complaints  # noqa: PLC0415

    before, here = sys.argv, Path.cwd()
    defect = complaints._defect

    def reveal(error: Exception, _words: object, _debug: object) -> int:
        if isinstance(error, _ReachedError):
            return 0
        raise error

    complaints._defect = reveal
    sys.argv = ["rdsim", *words]
    os.chdir(folder)
    try:
        with _cut_short(), Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            stdout, stderr = sys.stdout, sys.stderr
            sys.stdout = sys.stderr = nowhere
            try:
                cli.main()
            except SystemExit as stop:
                if stop.code not in (0, 2, 3, 4, None):
                    raise ValueError(f"exit code {stop.code}") from None
                if stop.code:
                    raise InputError((Fault("words", "refused"),)) from None
            finally:
                sys.stdout, sys.stderr = stdout, stderr
    finally:
        os.chdir(here)
        sys.argv, complaints._defect = before, defect


@cache
def _parser() -> Any:
    """The parser of the command line; typer makes it anew at each call, which takes long."""
    import typer.main  # noqa: PLC0415

    from rdsim import cli  # noqa: PLC0415

    return typer.main.get_command(cli.app)


def _cut_short() -> Any:
    """Everything that would take long raises `_ReachedError` instead."""
    from contextlib import ExitStack  # noqa: PLC0415
    from unittest.mock import patch  # noqa: PLC0415

    stack = ExitStack()
    stack.enter_context(patch("rdsim.cli.app", _parser()))
    places = (
        "rdsim.plans.plan",
        "rdsim.studies.answer.build_instance",
        "rdsim.search.optimise",
        "rdsim.simulation.simulate",
    )
    places = (*places, "rdsim.optimiser.solve", "rdsim.calibration.calibrate", "rdsim.sweep.prepare")
    for place in places:
        stack.enter_context(patch(place, side_effect=_ReachedError))
    return stack


# Folders -------------------------------------------------------------------------------------------


def _fresh(place: Path, files: dict[str, str]) -> None:
    """The folder with these files as they are, and no others."""
    place.mkdir(exist_ok=True)
    for path in place.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")


def _tiny(folder: Path) -> Path:
    place = folder / "tiny"
    return place if place.is_dir() else tiny_folder(place)


@cache
def _world(place: Path) -> Scenario:
    return rooms.load(place)


DOORS = {
    door.name: door
    for door in (
        Door("scenario", _scenario),
        Door("set", _overrides),
        Door("mapping", _mapping),
        Door("portfolio", _portfolio),
        Door("problem", _problem),
        Door("records", _records),
        Door("experiment", _experiment),
        Door("sweep", _sweep),
        Door("run", _earlier),
        Door("words", _words),
    )
}
