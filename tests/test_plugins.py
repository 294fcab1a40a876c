"""Plug-in files: run before the scenario is read, named in the manifest, refused with all faults at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rdsim import purses
from rdsim.errors import InputError
from rdsim.plugins import load
from tests.command import run

RULES = """
from rdsim import gates, purses

def keeps_half(amount, purse, budget, tranche, day):
    return tranche > 0 or purse - amount >= budget // 2

purses.PURSE_RULES.register("half-kept", purses.PurseRule(pays=keeps_half))
gates.GATE_POLICIES.register("hard", gates.GatePolicy(judge=lambda lead, luck: lead >= 0 and luck > 0.5))
"""
SETTINGS = ("--set", "programmes.leap.purse_rule=half-kept", "--set", "programmes.base.gate.policy=hard")


pytestmark = pytest.mark.usefixtures("taken_back")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "my rules.py"
    path.write_text(RULES, encoding="utf-8")
    return path


def test_a_plugin_registers_what_scenarios_then_name(rules: Path) -> None:
    (plugin,) = load([rules])
    assert plugin.sha256 == hashlib.sha256(RULES.encode()).hexdigest()
    assert not purses.PURSE_RULES["half-kept"].pays(1, 1, 2, 0, 0)


def test_all_files_that_fail_are_named_at_once(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def f(:\n", encoding="utf-8")
    raising = tmp_path / "raising.py"
    raising.write_text(
        "from rdsim import gates\ngates.GATE_POLICIES.register('threshold', gates.GatePolicy())\n", encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        load([broken, raising, tmp_path / "absent.py", tmp_path])
    assert [Path(fault.where).name for fault in caught.value.faults] == [
        "broken.py",
        "raising.py, line 2, gate policy 'threshold'",
        "absent.py",
        tmp_path.name,
    ]
    assert "SyntaxError" in str(caught.value)
    assert "a name that came with rdsim" in str(caught.value)


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
def test_the_command_line_runs_it_and_the_manifest_names_it(
    tiny: Path,
    rules: Path,
    tmp_path: Path,
    engine: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("plan", tiny, "--plugin", rules, *SETTINGS, "--replications", 8, "--engine", engine)
    said = run(capsys, monkeypatch, *words, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    (told,) = manifest["plugins"]
    assert (told["file"], told["sha256"]) == (str(rules), hashlib.sha256(RULES.encode()).hexdigest())
    assert (tmp_path / "run" / told["kept"]).read_text(encoding="utf-8") == RULES


def test_without_the_plugin_its_names_are_unknown(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run(capsys, monkeypatch, "check", tiny, *SETTINGS)
    assert said.code == 2
    assert "must name a purse rule: strict, first-fit" in said.err
    assert "must name a gate policy" in said.err
    assert run(capsys, monkeypatch, "check", tiny, "--plugin", "nowhere.py").code == 2


def test_a_file_that_the_plugin_itself_misses_is_the_plugins_fault(tmp_path: Path) -> None:
    (tmp_path / "reads.py").write_text("open('nowhere.csv')\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load([tmp_path / "reads.py", tmp_path / "gone.py"])
    first, second = caught.value.faults
    assert "FileNotFoundError" in str(first.found)
    assert "nowhere.csv" in str(first.found)
    assert "must run without an error" in first.rule
    assert "can be read" in second.rule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n1 / 0\n", "mine.py, line 3: must run without an error. Found: ZeroDivisionError: division by zero"),
        ("def f(strange): ...\nextend.queue_rule('q')(f)\n", "mine.py, line 3, queue rule 'q', key: may take rank"),
        ("@extend.choosing_rule\ndef f(value): ...\n", "a decorator without brackets"),
        ("extend.queue_rule('q', parameters=['k'])(lambda rank: rank)\n", "each must be a Parameter. Found: str"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.py").write_text("from rdsim import extend\n" + text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load([tmp_path / "mine.py"])
    assert said in str(caught.value)
