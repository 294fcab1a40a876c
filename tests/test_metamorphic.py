"""What cannot matter changes nothing: outcomes, options' samples and the portfolio chosen in a changed scenario."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim import draws
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Purpose
from rdsim.optimiser import Solving
from rdsim.scenario import load
from rdsim.search import Proposal, optimise
from rdsim.simulation import Engine, Running, simulate
from tests.sizes import FULL
from tests.tiny import Change, tiny_folder

REPLICATIONS = 20
ENGINES: tuple[Engine, ...] = ("compiled", "simpy")

Options = dict[tuple[str, str, str, int], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Told:
    """What a scenario comes to: options' samples, what is chosen of them, and a fixed portfolio simulated."""

    options: Options
    chosen: frozenset[Choice]
    bound: float
    projects: pd.DataFrame
    npv: np.ndarray


def samples(found: Proposal) -> Options:
    """Figures of each option."""
    o = found.options
    tables = (o.npv.T, o.gain.T, o.mean, o.payments, o.abroad, o.joint, o.occupancy, o.end_year)
    keys = [(one.technology, one.partner, one.mode, one.start_year) for one in o.choices]
    return {key: tuple(table[row] for table in tables) for row, key in enumerate(keys)}


def world(path: Path, overrides: tuple[str, ...] = (), **changes: Change) -> Scenario:
    """The tiny scenario where most of what reaches its target comes to the market, changed."""
    settings = ("calibration=lenient", "calibrations.lenient.market_probability=0.9")
    return load(tiny_folder(path / "tiny", **changes), [*settings, *overrides])


def told(scenario: Scenario, portfolio: Portfolio | None = None, engine: Engine = "compiled") -> Told:
    """The portfolio that is simulated is the chosen one, if none is given."""
    found = optimise(scenario, seed=1, solving=Solving(gap=0.0))
    lived = simulate(
        scenario, portfolio or found.portfolio, replications=REPLICATIONS, seed=1, running=Running(engine=engine)
    )
    frame = lived.projects.astype(dict.fromkeys(("technology", "programme", "field", "partner", "mode"), str))
    table = frame.sort_values(["replication", "rank"], ignore_index=True)
    chosen = frozenset(replace(one, rank=0) for one in found.portfolio.choices)
    npv = lived.replications["npv"].to_numpy()
    return Told(samples(found), chosen, found.solution.objective, table, npv)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Portfolio]:
    scenario = world(tmp_path_factory.mktemp("before"))
    found = told(scenario)
    assert len(found.chosen) >= 2
    assert any(one.partner for one in found.chosen)
    return found, optimise(scenario, seed=1, solving=Solving(gap=0.0)).portfolio


def assert_same(found: Told, before: Told) -> None:
    """Equal to the last bit, for all options and projects of before; their sums to rounding."""
    for key, figures in before.options.items():
        assert all(np.array_equal(one, other) for one, other in zip(figures, found.options[key], strict=True)), key
    assert found.chosen == before.chosen
    assert found.bound == pytest.approx(before.bound, rel=1e-9)
    pd.testing.assert_frame_equal(found.projects, before.projects, check_exact=True)
    # Sums over partners and projects may be taken in another order when there are more of them.
    np.testing.assert_allclose(found.npv, before.npv, rtol=1e-12)


def added(row: str) -> Callable[[str], str]:
    return lambda text: f"{text}{row}\n"


NOTHING: dict[str, dict[str, Change]] = {
    "a technology that fits nowhere": {
        "technologies": added("T9,Dear,leap,chip,6,500,9000,,low,85,99,,,,free,illustrative,")
    },
    "a technology that is worth nothing": {
        "technologies": added("T9,Idle,leap,chip,6,5,0,,low,85,99,,,,free,illustrative,")
    },
    "a technology that must not be funded": {
        "technologies": added("T9,Barred,leap,chip,6,5,900,,low,85,99,,,,must-not-fund,illustrative,")
    },
    "things that nobody needs": {
        "scenario": added(
            '[fields.idle]\nname = "Idle"\n[panels.idle]\nseats = 1\nreview_months = 1\n'
            '[facilities.idle]\nname = "Idle"\ncapacity = 1\n[institutes.idle]\nname = "Idle"\nteams = 1\n'
            '[modes.idle]\nname = "Idle"\n[programmes.idle]\nname = "Idle"\ndeadline_years = 5\n'
            "tranches = [{ months = 12, share = 1.0 }]\nbudget = { 2024 = 0 }\nstarts = { 2024 = 0 }\n"
        )
    },
    "a partner with whom nobody can work": {
        "partners": added("AA,Nobody,Asia,,,matching,0,0,0,0,0,0.5,AAA,illustrative"),
    },
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_cannot_matter_changes_nothing(name: str, before: tuple[Told, Portfolio], tmp_path: Path) -> None:
    scenario = world(tmp_path, **NOTHING[name])
    for engine in ENGINES if FULL else ENGINES[:1]:
        found = told(scenario, before[1], engine)
        assert_same(found, before[0])


def test_a_billionth_of_money_changes_no_project(before: tuple[Told, Portfolio], tmp_path: Path) -> None:
    """One won more in each year: options, choice and every project stay; what lapses may be a won more a year."""
    scenario = world(tmp_path)
    richer = {
        name: replace(line, budget={year: money + 1e-9 for year, money in line.budget.items()})
        for name, line in scenario.programmes.items()
    }
    more = replace(scenario, programmes=richer)
    assert_same(told(more, before[1]), before[0])
    lapsed = [simulate(one, before[1], replications=5).replications["lapsed"].to_numpy() for one in (scenario, more)]
    assert np.abs(lapsed[1] - lapsed[0]).max() < 2e-8


def test_a_partner_in_home_currency_has_no_exchange_rate(tmp_path: Path) -> None:
    home = "partners.*.currency=KRW"
    calm, wild = (world(tmp_path, (home, f"risks.exchange.volatility={v}")) for v in (0.0, 0.9))
    joint = Portfolio((Choice("T1", "direct", "US", 2024), Choice("T2", "direct", "DE", 2024)))
    quiet = told(calm, joint)
    assert quiet.projects["partner"].nunique() == 2
    assert_same(told(wild, joint), quiet)
    dollars = world(tmp_path, ("risks.exchange.volatility=0.9",))
    assert not np.array_equal(told(dollars, joint).npv, quiet.npv)


def test_permuted_rows_change_nothing(before: tuple[Told, Portfolio], tmp_path: Path) -> None:
    def turned(text: str) -> str:
        head, *rows = text.strip().splitlines()
        return "\n".join([head, *reversed(rows)]) + "\n"

    tables = ("technologies", "partners", "partner_levels", "links", "facility_needs", "technology_steps")
    scenario = world(tmp_path, **dict.fromkeys(tables, turned))
    assert_same(told(scenario, before[1]), before[0])


OTHERS = {"T1": "M6", "T2": "M1", "T3": "M5", "T4": "M3", "T5": "M2", "T6": "M4"}


def renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\b[TM]\d\b", lambda found: names.get(found[0], found[0]), text)


def test_other_ids_with_the_luck_of_the_old_ones_change_nothing(
    before: tuple[Told, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back, address = {new: old for old, new in OTHERS.items()}, draws._address
    monkeypatch.setattr(draws, "_address", lambda purpose, name: address(Purpose(purpose), renamed(name, back)))

    def other(text: str) -> str:
        return renamed(text, OTHERS)

    tables = ("technologies", "links", "facility_needs", "technology_steps")
    scenario = world(tmp_path, **dict.fromkeys(tables, other))
    chosen = tuple(replace(one, technology=OTHERS[one.technology]) for one in before[1].choices)
    found = told(scenario, replace(before[1], choices=chosen))
    options = {(back[name], *rest): figures for (name, *rest), figures in found.options.items()}
    picked = frozenset(replace(one, technology=back[one.technology]) for one in found.chosen)
    projects = found.projects.assign(technology=found.projects["technology"].map(back))
    assert_same(Told(options, picked, found.bound, projects, found.npv), before[0])  # type: ignore[arg-type]


def test_luck_goes_by_id(tmp_path: Path, before: tuple[Told, Portfolio]) -> None:
    """The same with the new ids' own luck is another world: the test above would notice."""
    tables = ("technologies", "links", "facility_needs", "technology_steps")
    scenario = world(tmp_path, **dict.fromkeys(tables, lambda text: renamed(text, OTHERS)))
    chosen = tuple(replace(one, technology=OTHERS[one.technology]) for one in before[1].choices)
    assert not np.array_equal(told(scenario, replace(before[1], choices=chosen)).npv, before[0].npv)
