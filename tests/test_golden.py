"""Numbers move when the version of the numbers is raised, and at no other time: see `rdsim.numbers`."""

from __future__ import annotations

import pytest

from rdsim.numbers import NUMBERS
from rdsim.scenario.shapes import dotted_path
from tests.golden.digests import outcomes, stages
from tests.golden.file import GOLDEN, SHIPPED, move_of, of_shipped, rich
from tests.golden.settings import STILL, settings
from tests.golden.walk import LOOP, World
from tests.sizes import FULL

MOVED = (
    "numbers have moved: raise NUMBERS in rdsim/numbers.py, so that sweeps do not take old results for new ones, and "
    "write the digests again with `python -m tests.golden`"
)


@pytest.fixture(scope="module")
def world() -> World:
    return rich()


def test_the_file_is_of_this_version() -> None:
    assert GOLDEN["numbers"] == NUMBERS, "write the digests again with `python -m tests.golden`"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_has_the_numbers_of_this_version(name: str) -> None:
    assert of_shipped(name) == GOLDEN["shipped"][name], MOVED


def test_engines_give_the_same_numbers() -> None:
    for name, digests in GOLDEN["shipped"].items():
        assert digests["compiled"] == digests["simpy"], name


def test_the_world_with_everything_has_the_numbers_of_this_version(world: World) -> None:
    found = {name: digest() for name, digest in stages(world.scenario, world.portfolio) if FULL or name != LOOP}
    assert found == {name: GOLDEN["rich"][name] for name in found}, MOVED


def test_every_setting_of_the_schema_moves_a_golden_number_or_says_why_not() -> None:
    names = {dotted_path(path) for path, _ in settings()}
    assert names == set(GOLDEN["moves"]) | set(STILL), "python -m tests.golden finds what a new setting moves"
    assert not set(GOLDEN["moves"]) & set(STILL)
    assert all(STILL.values())


def test_what_a_setting_moves_has_the_numbers_of_this_version(world: World) -> None:
    """Each setting in turn: with it changed, the number is that of the file and not that without the change."""
    wrong = []
    for name, entry in GOLDEN["moves"].items():
        move = move_of(entry)
        if move.stage == LOOP and not FULL:
            continue
        if world.digest({**move.beside, **move.change}, move.stage) != move.digest:
            wrong.append(name)
        unchanged = world.digest(move.beside, move.stage) if move.beside else GOLDEN["rich"][move.stage]
        assert unchanged != move.digest, f"{name} moves nothing any more"
    assert not wrong, f"{MOVED}; they come from {', '.join(wrong)}"


def test_a_number_that_moves_moves_its_digest(world: World) -> None:
    """The digests see a day or a won in one replication."""
    before = outcomes(world.scenario, world.portfolio, "compiled")
    later = world.varied({"programmes.leap.gate.extension_months": 6.04})
    assert outcomes(world.scenario, world.portfolio, "compiled") == before
    assert outcomes(later, world.portfolio, "compiled") != before
