"""Small inputs that were once answered wrongly (tests/cases): each has its right answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rdsim
from rdsim.optimiser import Solving, solve
from rdsim.optimiser.problem import folder
from tests.command import run
from tests.sizes import size

CASES = Path(__file__).parent / "cases"
SCENARIOS, PROBLEMS, EXPERIMENTS = CASES / "scenarios", CASES / "problems", CASES / "experiments"
FUNDED = 100 / 1.1**3 - 5 - 5 / 1.1
"""What the one technology of these scenarios is worth, by hand: paid on two days, in the market three years on."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results go to a folder of the test."""
    monkeypatch.chdir(tmp_path)


# --- scenarios ------------------------------------------------------------------------------------


def test_the_plain_one_is_worth_what_it_is_by_hand() -> None:
    scenario = rdsim.load(SCENARIOS / "deterministic")
    chosen = rdsim.read_portfolio(SCENARIOS / "deterministic-portfolio.csv", scenario)
    assert rdsim.simulate(scenario, chosen).replications["npv"].tolist() == pytest.approx([FUNDED] * 20)


def test_money_carried_into_a_year_without_money_pays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SCENARIOS / "carried-into-a-year-without-money"
    scenario = rdsim.load(given)
    chosen = rdsim.optimise(scenario).portfolio
    assert [choice.technology for choice in chosen.choices] == ["A"]
    assert rdsim.simulate(scenario, chosen).replications["npv"].tolist() == pytest.approx([FUNDED] * 20)
    checked = run(capsys, monkeypatch, "check", given)
    assert "warning" not in checked.out + checked.err
    certified = run(capsys, monkeypatch, "certify", given, "--batches", 2)
    assert certified.code == 0
    assert "nan" not in certified.out
    assert "65.6" in certified.out


def test_home_currency_has_no_exchange_rate() -> None:
    scenario = rdsim.load(SCENARIOS / "paid-in-home-currency")
    chosen = rdsim.read_portfolio(SCENARIOS / "paid-in-home-currency-portfolio.csv", scenario)
    outcomes = rdsim.simulate(scenario, chosen, replications=50)
    assert outcomes.replications["npv"].nunique() == 1
    paid = outcomes.purses[outcomes.purses["year"] == 2026]
    assert paid.drop(columns="replication").drop_duplicates().shape[0] == 1


def test_a_market_after_the_horizon_is_warned_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = run(capsys, monkeypatch, "check", SCENARIOS / "market-after-the-horizon")
    warnings = [line for line in (checked.out + checked.err).splitlines() if line.startswith("warning")]
    assert checked.code == 0
    assert len(warnings) == 1
    assert "horizon" in warnings[0]


def test_a_technology_that_nobody_can_afford_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SCENARIOS / "unaffordable-technology"
    for file in given.iterdir():
        text = file.read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.startswith("X,")]
        (tmp_path / file.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    chosen = rdsim.optimise(rdsim.load(given)).portfolio
    assert [choice.technology for choice in chosen.choices] == ["A"]
    assert chosen.choices == rdsim.optimise(rdsim.load(tmp_path)).portfolio.choices
    planned = run(capsys, monkeypatch, "plan", given, "--replications", 20, "--out", "planned")
    assert planned.code == 0
    assert "funded 1 of 3 technologies" in planned.out


@pytest.mark.parametrize("door", [("check", SCENARIOS), ("optimise --problem", PROBLEMS)])
def test_a_dot_for_thousands_is_refused_with_advice(
    door: tuple[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run(capsys, monkeypatch, *door[0].split(), door[1] / "dot-for-thousands")
    assert refused.code == 2
    assert "1.234" in refused.err
    assert "1234" in refused.err


# --- problems -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["unaffordable-option", "large-whole-numbers", "two-spellings-of-a-group"])
@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_problems_are_worth_3(name: str, solver: str) -> None:
    found = solve(folder.read(PROBLEMS / name), Solving(solver=solver))
    assert found.objective == pytest.approx(3)
    assert len(found.chosen) == 1


# --- experiments ----------------------------------------------------------------------------------


def test_factors_without_effect_move_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = EXPERIMENTS / "one-factor-matters.toml"
    done = run(capsys, monkeypatch, "sweep", asked, "--points", size(28, 256), "--jobs", 1, "--out", "swept")
    assert done.code == 0
    assert re.search(r"depends on discount_rate|, discount_rate's, is", done.out)


def test_points_that_somebody_chose_have_no_interval(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(capsys, monkeypatch, "sweep", EXPERIMENTS / "two-chosen-points.toml", "--jobs", 1, "--out", "swept")
    assert done.code == 0
    assert "from 65.6 to 90.0" in done.out
    assert not re.search(r"\([^()]* to [^()]*points\)", done.out)
    table = rdsim.read_sweep("swept").set_index("discount_rate")
    assert table["npv"].to_dict() == pytest.approx({0.0: 90.0, 0.1: FUNDED})
    for end in ("npv low", "npv high"):
        assert table[end].to_list() == pytest.approx(table["npv"].to_list())
