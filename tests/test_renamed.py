"""A setting by its old name works, says what to write, and is no other scenario."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rdsim import extend, report
from rdsim.domain import MarketFactorRisk, OptimiserSettings, Scenario
from rdsim.errors import RenamedWarning, ScenarioError
from rdsim.scenario import Variations, by_new_names, digest, load, parse_overrides
from rdsim.scenario.renamed import RENAMED, modern_path, modern_tree
from rdsim.scenario.shapes import part
from rdsim.sweep.manifests import differences
from tests.tiny import tiny_folder

OLD, NEW = "optimiser.over_commitment", "optimiser.payment_ratio"
SAID = f"{re.escape(OLD)}.* is now called {re.escape(NEW)}.*; write that"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("renamed") / "tiny")


@pytest.fixture(scope="module")
def scenario(tiny: Path) -> Scenario:
    return load(tiny)


def _edited(tmp_path: Path, before: str, after: str) -> Path:
    folder = tiny_folder(tmp_path / "old")
    file = folder / "scenario.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    return folder


def test_new_names_are_those_of_the_schema_and_stand_in_the_old_ones_table() -> None:
    for old, new in RENAMED.items():
        assert part(old) is None
        assert part(new) is not None
        assert (old[:-1], len(old)) == (new[:-1], len(new))


def test_a_file_may_use_the_old_name_and_is_told_the_new_one(tmp_path: Path, scenario: Scenario) -> None:
    with pytest.warns(RenamedWarning, match=f"^scenario.toml: {SAID}$") as told:
        old = load(_edited(tmp_path, "payment_ratio", "over_commitment"))
    assert len(told) == 1
    assert "\n" not in str(told[0].message)
    assert old == scenario
    assert digest(old) == digest(scenario)


def test_the_digest_is_that_of_before_the_renaming(scenario: Scenario) -> None:
    """As rdsim computed it of a world with the setting's first name, when success by step had come.

    Then markets, budgets and breaks shared nothing; where that is stated, it is the same world.
    """
    nothing = MarketFactorRisk(0.0, 0.0, 0.0, 0.0)
    risks = replace(scenario.risks, market_factor=nothing, budget=replace(scenario.risks.budget, common=0.0))
    unasked = replace(scenario.optimiser, redecisions=OptimiserSettings().redecisions)  # it is decided again since
    before = replace(scenario, risks=replace(risks, breaks=replace(risks.breaks, bloc_share=0.0)), optimiser=unasked)
    assert digest(before).startswith("4ddc7eb757d77b03a6dca172377a5c24")
    ratio = parse_overrides({f"{NEW}.base": 1.5})[0]
    assert Variations(before).digest(ratio).startswith("a2ea9b5d660422815a1f2bcae022965e")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([f"{OLD}.base=1.5"], [f"{NEW}.base=1.5"]),
        ({f"{OLD}.*": 2}, {f"{NEW}.*": 2}),
        ({"optimiser": {"over_commitment": {"base": 3}}}, {"optimiser": {"payment_ratio": {"base": 3}}}),
    ],
)
def test_an_override_may_use_the_old_name(tiny: Path, old: Any, new: Any) -> None:
    with pytest.warns(RenamedWarning, match=SAID):
        before = load(tiny, old)
    assert before == load(tiny, new)
    assert before != load(tiny)


def test_both_names_at_once_are_a_fault(tiny: Path, tmp_path: Path) -> None:
    twice = _edited(tmp_path, "payment_ratio =", "over_commitment = { leap = 1.2 }\npayment_ratio =")
    for folder, overrides, where in (
        (twice, {}, f"scenario.toml, {OLD}"),
        (tiny, {f"{OLD}.leap": 2, f"{NEW}.leap": 3}, f"--set {OLD}.leap"),
        (tiny, {"optimiser": {"over_commitment": {}, "payment_ratio": {}}}, f"--set optimiser, {OLD}"),
    ):
        with pytest.warns(RenamedWarning), pytest.raises(ScenarioError) as refused:
            load(folder, overrides)
        (fault,) = refused.value.faults
        assert (fault.where, fault.found) == (where, "both")
        assert "its new name" in fault.rule


def test_a_factors_path_may_use_the_old_name(scenario: Scenario) -> None:
    from rdsim.designs import Factor, bind  # noqa: PLC0415

    variations, factor = Variations(scenario), Factor(values=(1.5,), paths=(f"{OLD}.leap",))
    with pytest.warns(RenamedWarning, match=SAID):
        bound = bind("ratio", factor, variations)
    assert variations.vary(bound.overrides(1.5)).optimiser.payment_ratio == {"leap": 1.5}
    assert bound.own == 1.2


def test_a_sweep_on_disk_is_the_same_by_either_name() -> None:
    assert by_new_names(f"{OLD}.leap=1.5") == f"{NEW}.leap=1.5"
    assert by_new_names('partners."a b".modes=["x"]') == 'partners."a b".modes=["x"]'
    counts = {"points": 1, "replications": 1}
    one, other = ({"scenario": {"overrides": [by_new_names(f"{name}.leap=1.5")]}, **counts} for name in (OLD, NEW))
    assert differences(one, other) == ()


def test_a_star_stands_for_every_entry_and_for_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdsim.scenario.renamed.RENAMED", {("programmes", "*", "purse"): ("programmes", "*", "kitty")})
    tree: Mapping[str, Any] = {"programmes": {"a": {"purse": 1, "x": 2}, "b": {"kitty": 3}}, "other": {"purse": 4}}
    with pytest.warns(RenamedWarning, match=r"programmes.a.purse is now called programmes.a.kitty"):
        found, faults = modern_tree(tree, "here")
    assert found == {"programmes": {"a": {"kitty": 1, "x": 2}, "b": {"kitty": 3}}, "other": {"purse": 4}}
    assert tree["programmes"]["a"]["purse"] == 1
    assert not faults
    assert modern_path(("programmes", "*", "purse")) == ("programmes", "*", "kitty")
    assert modern_path(("*", "a", "purse")) == ("*", "a", "purse")


def test_the_command_line_says_it_in_one_line(tiny: Path) -> None:
    command = [sys.executable, "-m", "rdsim", "check", str(tiny), "--set", f"{OLD}.leap=1.5"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[0] == f"note: --set {OLD}.leap: {OLD} is now called {NEW}; write that"
    assert "FutureWarning" not in done.stderr


@pytest.mark.parametrize(("home", "old", "new"), [(extend, "Table", "Numbers"), (report, "Sheet", "Page")])
def test_a_class_by_its_old_name_is_the_new_one_and_says_so(home: Any, old: str, new: str) -> None:
    with pytest.warns(RenamedWarning, match=f"{home.__name__}.{old} is now called {home.__name__}.{new}; write that"):
        assert getattr(home, old) is getattr(home, new)
