"""A benchmark of the tiny scenario at token size, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdsim.bench import BenchSettings, Contest, contest, quick
from rdsim.bench.tables import tables_of
from rdsim.domain import Scenario
from rdsim.scenario import load
from tests.tiny import tiny_folder

MINE = (
    "technology,partner,mode,start_year\nT2,US,matching,2024\nT1,,domestic,2024\nT6,,domestic,2024\nT4,US,direct,2024\n"
)
GREEDY = (
    "technology,partner,mode,start_year\nT1,,domestic,2024\nT2,,domestic,2024\nT3,,domestic,2024\nT4,,domestic,2024\n"
)


@pytest.fixture(scope="package")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny scenario."""
    return tiny_folder(tmp_path_factory.mktemp("bench") / "tiny")


@pytest.fixture(scope="package")
def files(tiny: Path) -> tuple[Path, Path]:
    """Two portfolios made by hand: one keeps every row; the other begins three projects where two may."""
    found = tiny.parent / "mine.csv", tiny.parent / "greedy.csv"
    for path, text in zip(found, (MINE, GREEDY), strict=True):
        path.write_text(text, encoding="utf-8")
    return found


@pytest.fixture(scope="package")
def small(tiny: Path) -> tuple[Scenario, BenchSettings]:
    """The scenario and what is asked, at token size, without what takes longest."""
    scenario, asked = quick(load(tiny), BenchSettings(rolled=0))
    return scenario, asked


@pytest.fixture(scope="package")
def found(small: tuple[Scenario, BenchSettings], files: tuple[Path, Path]) -> Contest:
    """The benchmark."""
    return contest(small[0], files, small[1])


@pytest.fixture(scope="package")
def tables(found: Contest) -> dict[str, object]:
    """Its tables."""
    return dict(tables_of([found]))
