"""What installed packages bring by entry points, and what a notebook's cell that runs twice defines again."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import rdsim
from rdsim import extend
from rdsim.errors import ExtensionError, ScenarioError
from rdsim.gates import GATE_POLICIES
from rdsim.purses import PURSE_RULES
from rdsim.registry import Registry, load_installed

MODULE = """
from rdsim import extend

@extend.gate_policy("of-a-package")
def judge(lead):
    return lead >= 0

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
    importlib.invalidate_caches()
    load_installed.cache_clear()
    yield
    load_installed.cache_clear()


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
    with pytest.raises(ScenarioError, match=r"broken of brought 1\.2.*ModuleNotFoundError"):
        rdsim.load(tiny, {"programmes.leap.gate.policy": "of-the-broken-one"})


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
