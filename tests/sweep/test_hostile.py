"""The door of experiments: whatever a file holds is understood or refused, soon, and nothing is written elsewhere."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rdsim
from rdsim.errors import ExperimentError
from rdsim.sweep import prepare, read
from tests.sizes import size
from tests.tiny import tiny_folder

CASES = size(150, 20_000)

PLAIN: dict[str, Any] = {
    "title": "asked",
    "task": "simulate",
    "design": "grid",
    "replications": 10,
    "metrics": ["npv", "npv >= 0", "cvar npv 0.9"],
    "policy": "value-per-cost",
    "set": {"discount_rate": 0.05},
    "portfolios": {"mine": "mine.csv"},
    "answers": [{"text": "{npv | rate = 0.1}"}],
    "factors": {
        "rate": {"paths": ["discount_rate"], "values": [0.0, 0.1]},
        "partner_effect.duration_gain": {"range": [0.0, 0.3]},
        "breaks": {
            "paths": ["partners.*.break_rate"],
            "change": "multiply",
            "distribution": {"kind": "lognormal", "median": 1.0, "sigma": 0.5},
        },
        "money": {"cases": {"as it is": {}, "cut": {"programmes.leap.budget.2025": 5}}},
    },
}

WORDS = [
    "",
    "*",
    "..",
    "../../evil",
    "/dev/zero",
    "npv",
    "a\nb",
    "=",
    "{",
    "{}",
    "|",
    "'",
    '"',
    "x" * 5000,
    "\u0000",
    "nan",
]
WORDS += [
    "partners.*.break_rate",
    "programmes.leap.budget.2024",
    "simulate",
    "plan",
    "sobol",
    "saltelli",
    "one-shot",
    "가",
]
NUMBERS = [0, 1, -1, 2, 0.5, 1e308, -1e308, 1e-308, float("inf"), float("nan"), 2**62, 10**8, 10_000, True]


def hostile(rng: random.Random) -> dict[str, Any]:
    """An experiment with some of its values, keys or kinds replaced by what nobody meant."""
    table = json.loads(json.dumps(PLAIN))
    for _ in range(rng.choice([1, 1, 2, 4])):
        spot, key = rng.choice([*spots(table)])
        act = rng.random()
        if act < 0.15:
            del spot[key]
        elif act < 0.3 and isinstance(spot, dict):
            spot[rng.choice([*WORDS, *TEMPTING])] = thing(rng)
        else:
            spot[key] = thing(rng)
    return table


TEMPTING = [
    "points",
    "levels",
    "seed",
    "design_seed",
    "paired",
    "plugins",
    "solver",
    "list",
    "whole",
    "label",
    "scenario",
]
TEMPTING += ["values", "range", "distribution", "cases", "policies", "name", "folder", "kind", "low", "high", "mode"]


def thing(rng: random.Random, depth: int = 0) -> Any:
    """A value of any kind."""
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(NUMBERS)
    if kind < 0.7 or depth > 2:
        return rng.choice([*WORDS, *TEMPTING])
    if kind < 0.85:
        return [thing(rng, depth + 1) for _ in range(rng.choice([0, 1, 2, 2, 3]))]
    return {rng.choice([*WORDS, *TEMPTING]): thing(rng, depth + 1) for _ in range(rng.choice([0, 1, 2]))}


def spots(node: Any) -> list[tuple[Any, Any]]:
    """Every place in a tree."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [pair for key in keys for pair in ((node, key), *spots(node[key]))]


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(repr(value), repr(value))
    return json.dumps(value)


def written(folder: Path, text: str) -> Path:
    file = folder / "asked.toml"
    file.write_text(text, encoding="utf-8")
    return file


def ready(file: Path) -> None:
    """Read and prepare, as `--dry-run` does."""
    prepared = prepare(read(file))
    assert prepared.design.count >= 1


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "deep" / "deeper"
    tiny_folder(folder / "tiny")
    portfolio = "technology,mode,partner,start_year,rank\nT4,domestic,,2024,1\n"
    (folder / "mine.csv").write_text(portfolio, encoding="utf-8")
    return folder


def files(home: Path) -> set[Path]:
    return set(home.parent.parent.rglob("*"))


def test_a_plain_one_passes(home: Path) -> None:
    text = "\n".join(f"{key} = {toml(value)}" for key, value in {"scenario": "tiny", **PLAIN}.items())
    ready(written(home, text))


def test_hostile_experiments_are_refused_or_understood_and_write_nothing(home: Path) -> None:
    rng = random.Random(11)  # noqa: S311 - not for secrets
    written(home, "")
    before, refused, longest = files(home), 0, 0
    for number in range(CASES):
        table = hostile(rng)
        text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in {"scenario": "tiny", **table}.items())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                ready(written(home, text))
        except ExperimentError as error:
            refused, longest = refused + 1, max(longest, *(len(str(fault)) for fault in error.faults))
        except Exception as error:
            raise AssertionError(f"case {number}: {text[:2000]}") from error
    assert files(home) == before
    assert refused > CASES // 2
    assert longest < 3000


TEXTS: dict[str, Callable[[], str]] = {
    "no text": lambda: "\x00\x01\x02",
    "brackets": lambda: "a = " + "[" * 5000,
    "a long number": lambda: "replications = " + "9" * 6000,
    "a long hexadecimal number": lambda: "points = 0x" + "f" * 6000,
    "a long dotted key": lambda: ".".join("a" * 4000) + " = 1",
    "a table under a key": lambda: "scenario = { a = 1 }",
    "a list of lists": lambda: 'scenario = "tiny"\nmetrics = [["npv"]]',
    "a date": lambda: 'scenario = "tiny"\n[set]\ndiscount_rate = 2024-01-01',
    "a date as a level": lambda: 'scenario = "tiny"\n[factors.discount_rate]\nvalues = [2024-01-01]',
    "a device": lambda: 'scenario = "tiny"\npolicy = "m"\n[portfolios]\nm = "/dev/zero"',
    "a device as a plug-in": lambda: 'scenario = "tiny"\nplugins = ["/dev/zero"]',
    "a device as a scenario": lambda: 'scenario = "/dev"',
    "a name that leads elsewhere": lambda: 'scenario = "tiny"\nname = "../../evil"',
    "a policy that leads elsewhere": lambda: 'scenario = "tiny"\npolicy = "../../evil"',
    "a grid that never ends": lambda: 'scenario = "tiny"\nlevels = 10000\n'
    + "".join(f'[factors.f{k}]\nrange = [0.0, 0.1]\npaths = ["discount_rate"]\n' for k in range(9)),
    "more points than memory holds": lambda: 'scenario = "tiny"\ndesign = "sobol"\npoints = 100000000\n'
    + "".join(f'[factors.f{k}]\nrange = [0.0, 0.1]\npaths = ["discount_rate"]\n' for k in range(9)),
    "a range without end": lambda: 'scenario = "tiny"\n[factors.discount_rate]\nrange = [-1e308, 1e308]\nwhole = true',
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_known_to_be_nasty_is_refused_in_words(name: str, home: Path) -> None:
    with pytest.raises(ExperimentError) as caught:
        ready(written(home, TEXTS[name]()))
    assert str(caught.value)


def test_in_python_too(home: Path) -> None:
    given: dict[str, Any] = {"values": float("nan"), "range": (1, 0), "nothing": 1}
    for key, value in given.items():
        with pytest.raises((ExperimentError, TypeError)):
            prepare(rdsim.Experiment(str(home / "tiny"), factors={"discount_rate": {key: value}}))  # type: ignore[dict-item]
