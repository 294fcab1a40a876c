"""Assumptions in a scenario: what their bounds may say, and that they move nothing by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

import rdsim
from rdsim.assumptions import worlds_of
from rdsim.errors import ScenarioError
from rdsim.scenario import Variations, digest, remarks
from tests.command import run
from tests.tiny import tiny_folder

SHIPPED = ("direct-or-matching", "gri-network", "korea-2024", "korea-japan-fine-chemicals", "medical-ai-2024")

GAIN = """
[assumptions.gain]
paths = ["partner_effect.duration_gain", "partner_effect.success_shift"]
change = "multiply"
low = -0.5
high = 1.5
why = "nobody has measured it"
"""


def _tiny(folder: Path, text: str) -> Path:
    return tiny_folder(folder, scenario=lambda old: old + text)


def test_bounds_are_read_and_move_nothing(tmp_path: Path) -> None:
    plain, assumed = rdsim.load(tiny_folder(tmp_path / "a")), rdsim.load(_tiny(tmp_path / "b", GAIN))
    one = assumed.assumptions["gain"]
    assert (one.low, one.high, one.change, one.grade) == (-0.5, 1.5, "multiply", "assumed")
    assert digest(assumed) == digest(plain)
    assert Variations(assumed).digest(()) == Variations(plain).digest(())
    assert assumed != plain


def test_other_settings_beside_them_are_no_fault(tmp_path: Path) -> None:
    folder = _tiny(tmp_path, GAIN)
    assert rdsim.load(folder, {"partner_effect.duration_gain": 0.9}).assumptions
    assert rdsim.load(folder, {"assumptions.gain.high": 3.0}).assumptions["gain"].high == 3.0
    assert not rdsim.load(folder, {"assumptions.gain": None}).assumptions


def test_they_are_written_and_read_again(tmp_path: Path) -> None:
    scenario = rdsim.load(_tiny(tmp_path / "a", GAIN))
    scenario.write(tmp_path / "b")
    assert rdsim.load(tmp_path / "b").assumptions == scenario.assumptions
    assert rdsim.Scenario.from_frames(scenario.to_frames()) == scenario


def test_every_fault_of_them_at_once(tmp_path: Path) -> None:
    text = """
[assumptions.order]
paths = ["value.loss_per_year"]
low = 3.0
high = 0.1
why = "x"

[assumptions.nowhere]
paths = ["partner_effect.duration_gainn", "technologies.*.name", "partners.ZZ.places"]
low = 0.0
high = 0.1
why = "x"

[assumptions.beyond]
paths = ["technologies.*.cost", "technologies.T1.cost"]
change = "multiply"
low = -1.0
high = 2.0
why = "x"

[assumptions.ours]
paths = ["optimiser.gap", "steps.attempts", "steps.median_years", "market_factor"]
low = 0.1
high = 0.2
why = "x"

[assumptions.again]
paths = ["technologies.T2.cost"]
low = 5.0
high = 6.0
why = "x"
"""
    with pytest.raises(ScenarioError) as error:
        rdsim.load(_tiny(tmp_path, text))
    told = [str(fault) for fault in error.value.faults]
    for place, words in (
        ("order.high", "must be above low, 3"),
        ("nowhere.paths.0", "Did you mean 'duration_gain'?"),
        ("nowhere.paths.1", "must lead to numbers"),
        ("nowhere.paths.2", "has no 'ZZ'"),
        ("order.low", "must leave value.loss_per_year what it may be"),
        ("beyond.paths.1", "must not move what is moved already"),
        ("ours.paths.0", "must be a setting of the world"),
        ("ours.paths.1", "must be a single number, and no count"),
        ("ours.paths.2", "must be a single number, and no count"),
        ("ours.paths.3", "the scenario has no 'market_factor'"),
        ("again.paths.0", "technologies.T2.cost, as in beyond"),
    ):
        assert any(f"assumptions.{place}" in one and words in one for one in told), (place, told)


def test_a_setting_stops_at_its_limit_and_that_is_remarked(tmp_path: Path) -> None:
    text = GAIN.replace('"partner_effect.duration_gain", "partner_effect.success_shift"', '"partners.*.agreement"')
    scenario = rdsim.load(_tiny(tmp_path, text))
    assert any("it stops at its limit" in fault.rule for fault in remarks(scenario))
    worlds = worlds_of(scenario)
    high = worlds.at({"gain": 1.5}).partners
    for code, partner in scenario.partners.items():
        assert high[code].agreement == min(1.5 * partner.agreement, 1.0)


def test_a_value_outside_of_its_bounds_is_remarked(tmp_path: Path) -> None:
    scenario = rdsim.load(_tiny(tmp_path, GAIN.replace("low = -0.5", "low = 1.1")))
    assert any(fault.where == "assumptions.gain" and "do not hold" in fault.rule for fault in remarks(scenario))
    assert not [fault for fault in remarks(rdsim.load(_tiny(tmp_path / "in", GAIN))) if "gain" in fault.where]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_say_what_is_assumed(name: str) -> None:
    scenario = rdsim.load(f"scenarios/{name}")
    effect = scenario.assumptions["partner-effect"]
    assert effect.low < 0  # harm is within, and so is none
    assert effect.high > 1
    assert set(effect.paths) == {"partner_effect.duration_gain", "partner_effect.success_shift"}
    assert len(scenario.assumptions) >= 8
    assert not [fault for fault in remarks(scenario) if fault.where.startswith("assumptions")]


def test_check_tells_bounds_at_which_there_is_no_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        GAIN
        + """
[assumptions.tranche]
paths = ["programmes.leap.tranches.0.share"]
low = 0.1
high = 0.5
why = "x"
"""
    )
    ran = run(capsys, monkeypatch, "check", _tiny(tmp_path, text))
    assert ran.code == 2
    assert "assumptions.tranche.low" in ran.err
    assert "assumptions.tranche.high" in ran.err
    assert "assumptions.gain" not in ran.err
