"""What installed packages bring by entry points, and what a notebook's cell that runs twice defines again."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rdsim
from rdsim import extend, plugins, results
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import ExtensionError, InputError, ScenarioError
from rdsim.figures import figures_of
from rdsim.findings import of_simulation
from rdsim.gates import GATE_POLICIES
from rdsim.optimiser.adapters import find_solver
from rdsim.purses import PURSE_RULES
from rdsim.registry import Package, Registry, load_installed_packages
from rdsim.results import read_manifest
from rdsim.runs import Earlier
from rdsim.simulation import simulate
from tests.command import run

PORTFOLIO = Portfolio((Choice("T2", start_year=2024, rank=1),))
MODULE = """
from rdsim import extend

@extend.gate_policy("of-a-package")
def judge(lead):
    return lead >= 0

@extend.figure("of_a_package")
def one():
    return 1.0

def also():
    extend.purse_rule("of-its-function")(lambda tranche: tranche > 0)
"""
ENTRIES = """
[rdsim.plugins]
whole = brought_by_package
called = brought_by_package:also
broken = no_such_module_anywhere
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package as pip would install it."""
    about = tmp_path / "brought-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1.2\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(ENTRIES, encoding="utf-8")
    (tmp_path / "brought_by_package.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brought_by_package", raising=False)
    importlib.invalidate_caches()
    load_installed_packages.cache_clear()
    yield
    load_installed_packages.cache_clear()


@pytest.fixture(autouse=True)
def _taken_back() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for registry in Registry.every:
            for name in registry.own():
                registry.unregister(name)


@pytest.mark.usefixtures("package")
def test_a_name_that_is_not_found_loads_what_is_installed_and_a_broken_one_hides_nothing(tiny: Path) -> None:
    with pytest.warns(RuntimeWarning, match=r"installed plug-in broken of brought 1\.2: must load without an error"):
        scenario = rdsim.load(tiny, {"programmes.leap.gate.policy": "of-a-package"})
    assert scenario.programmes["leap"].gate.policy in GATE_POLICIES
    assert list(PURSE_RULES.own()) == ["of-its-function"]
    assert PURSE_RULES.loading_package("of-its-function") == Package("brought", "1.2", "called")
    with pytest.raises(ScenarioError, match=r"broken of brought 1\.2.*ModuleNotFoundError"):
        rdsim.load(tiny, {"programmes.leap.gate.policy": "of-the-broken-one"})


@pytest.mark.usefixtures("package")
def test_a_run_names_the_packages_that_it_used_and_no_others(tiny: Path, tmp_path: Path) -> None:
    named = {"programmes.leap.purse_rule": "of-its-function", "simulation.replications": 8}
    with pytest.warns(RuntimeWarning, match="installed plug-in broken"):
        used = _plan_of(rdsim.load(tiny, named), tiny, tmp_path / "used")
    assert used["packages"] == [{"name": "brought", "version": "1.2", "entry_point": "called"}]
    plain = _plan_of(rdsim.load(tiny, {"simulation.replications": 8}), tiny, tmp_path / "plain")
    assert plain["packages"] == []  # although it is loaded by now


def _plan_of(scenario: Scenario, source: Path, folder: Path) -> dict[str, Any]:
    found = simulate(scenario, PORTFOLIO, replications=2)
    results.write(of_simulation(found, None), results.Run(folder, scenario=str(source)))
    return read_manifest(folder)


@pytest.mark.usefixtures("package")
def test_who_runs_it_again_is_told_of_a_package_that_is_gone_or_another(tmp_path: Path, tiny: Path) -> None:
    here = Package("brought", "1.2", "called")
    run = Earlier(tmp_path, tiny, "", (), (), (here,), 1, None)
    assert run.require_packages() == ()
    (fault,) = replace(run, packages=(replace(here, version="1.1"),)).require_packages()
    assert "brought 1.1" in str(fault)
    assert "Installed is 1.2." in str(fault)
    for gone in (replace(here, name="other"), replace(here, entry_point="lost")):
        with pytest.raises(InputError, match=f"Install {gone.name}==1.2"):
            replace(run, packages=(gone,)).require_packages()


@pytest.mark.usefixtures("package")
def test_nothing_is_loaded_until_a_name_is_not_found(tiny: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text("from rdsim import extend\n\nextend.purse_rule('mine')(lambda tranche: tranche > 0)\n")
    plugins.load([plugin])
    scenario = rdsim.load(tiny, {"programmes.leap.purse_rule": "mine", "aim.commercialised": 0.5})
    simulate(scenario, PORTFOLIO, replications=2)
    assert find_solver("highs").name == "highs"
    assert load_installed_packages.cache_info().currsize == 0


@pytest.mark.usefixtures("package")
def test_a_figure_of_a_package_counts_only_for_who_asks_for_it(tiny: Path) -> None:
    with pytest.warns(RuntimeWarning, match="installed plug-in broken"):
        load_installed_packages()
    plain = rdsim.load(tiny)
    assert "of_a_package" not in figures_of(plain)
    weighed = rdsim.load(tiny, {"aim.of_a_package": 0.5})
    assert "of_a_package" in figures_of(weighed)
    assert "of_a_package" in simulate(weighed, PORTFOLIO, replications=2).replications


MINE = """
from rdsim.optimiser.adapters import SOLVERS
from rdsim.optimiser.adapters.cbc import Cbc

class Mine(Cbc):
    pass

SOLVERS.register("mine", Mine("mine"))
"""


def test_a_stated_problem_is_solved_by_a_solver_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "options.csv").write_text("option,value,cost\na,3,2\nb,2,2\n", encoding="utf-8")
    (tmp_path / "rows.csv").write_text("row,cap\ncost,3\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    out = tmp_path / "out"
    command = ["optimise", "--problem", tmp_path, "--plugin", tmp_path / "mine.py", "--solver", "mine", "--out", out]
    assert run(capsys, monkeypatch, *command).code == 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["solver"]["name"], [Path(one["file"]).name for one in manifest["plugins"]]) == (
        "mine",
        ["mine.py"],
    )


CELL = """
from rdsim import extend

@extend.gate_policy("mine")
def judge(lead):
    return lead >= {least}
"""


def test_a_cell_may_run_twice_and_nobody_else_takes_its_name() -> None:
    cell: dict[str, object] = {"__name__": "__main__"}
    for least in (0, 1):
        exec(CELL.format(least=least), cell)  # noqa: S102 - as a notebook does
    assert GATE_POLICIES["mine"].judge is cell["judge"]
    with pytest.raises(ExtensionError, match="a name in use"):
        extend.gate_policy("mine")(lambda lead: lead > 0)
    extend.gate_policy("mine", replace=True)(lambda lead: lead > 0)
    assert GATE_POLICIES.unregister("mine").judge is not cell["judge"]
    assert "mine" not in GATE_POLICIES


def test_all_that_is_wrong_with_an_extension_is_told_at_once() -> None:
    some = [extend.Parameter("lead", 1), extend.Parameter("by", 2.5, highest=2, whole=True)]
    with pytest.raises(ExtensionError) as caught:
        extend.gate_policy("no name", parameters=some)(lambda leed, by: leed > by)
    assert [str(fault.where) for fault in caught.value.faults] == [
        "gate policy 'no name', parameter 'lead'",
        "gate policy 'no name', parameter 'by'",
        "gate policy 'no name', judge",
        "gate policy 'no name'",
    ]
