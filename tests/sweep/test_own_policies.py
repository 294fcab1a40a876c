"""Policies of a user's in sweeps: results are kept under what they do, they reach every worker, or are refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rdsim
from rdsim import purses
from rdsim.errors import ExperimentError, SweepError
from rdsim.sweep import manifest_of, read, read_sweep, run
from rdsim.sweep.policies import install, own_policies
from tests.sweep.files import bytes_of

ROOT = Path(__file__).parent.parent.parent
SETTINGS = {"programmes.leap.purse_rule": "kept"}


pytestmark = pytest.mark.usefixtures("taken_back")


def register(share: float, rule: Any = None) -> None:
    """A rule that keeps a share of the year's money back from those who begin."""

    def pays(amount: int, purse: int, budget: int, tranche: int, day: int) -> bool:
        return tranche > 0 or purse - amount >= share * budget

    purses.PURSE_RULES.register("kept", purses.PurseRule(pays=rule or pays), replace=True)


def experiment(tiny: Path) -> rdsim.Experiment:
    settings: dict[str, Any] = {"settings": SETTINGS, "policy": "value-per-cost", "replications": 20}
    return rdsim.Experiment(str(tiny), factors={"discount_rate": [0.0, 0.1]}, **settings)


def test_another_closure_is_another_task_and_other_words_are_not(tiny: Path, tmp_path: Path) -> None:
    register(0.0)
    first = run(experiment(tiny), tmp_path / "out")
    register(9.0)
    second = run(experiment(tiny), tmp_path / "out")
    assert second.manifest["tasks_of_this_run"] == 2
    assert list(first.table["npv"]) != list(second.table["npv"])
    register(0.0)  # another function that does the same
    again = run(experiment(tiny), tmp_path / "out")
    assert again.manifest["tasks_of_this_run"] == 0
    assert list(again.table["npv"]) == list(first.table["npv"])


def test_a_policy_that_is_not_named_changes_no_key(tiny: Path) -> None:
    plain = rdsim.Experiment(str(tiny), policy="domestic-only", replications=10)
    before = plain.run().table["key"].tolist()
    register(0.5)
    assert plain.run().table["key"].tolist() == before
    assert [one.name for one in own_policies(["kept", "strict"])] == ["kept"]


def test_what_cannot_be_known_is_refused_before_anything_runs(tiny: Path, tmp_path: Path) -> None:
    class Stateful:
        def __call__(self, amount: int) -> bool:
            return amount > 0

    register(0.0, Stateful())
    with pytest.raises(ExperimentError, match=r"'kept', pays.*Stateful"):
        run(experiment(tiny), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_worker_registers_what_it_is_sent_and_takes_no_other_of_the_name() -> None:
    register(0.25)
    sent = own_policies(["kept"])
    purses.PURSE_RULES.unregister("kept")
    install(sent)
    assert not purses.PURSE_RULES["kept"].pays(8, 10, 10, 0, 0)
    assert purses.PURSE_RULES["kept"].pays(7, 10, 10, 0, 0)
    install(sent)
    purses.PURSE_RULES.unregister("kept")
    register(0.5)
    other = own_policies(["kept"])
    install(sent)  # what came with a work may be replaced by that of another
    assert purses.PURSE_RULES["kept"].pays(7, 10, 10, 0, 0)
    assert [one.key for one in own_policies(["kept"])] == [one.key for one in sent] != [one.key for one in other]


PLUGIN = """
import sys
sys.path.insert(0, {folder!r})
from rdsim import purses
from keeping import inner


def pays(amount, purse, budget, tranche, day):
    return tranche > 0 or purse - amount >= inner.SHARE * budget


purses.PURSE_RULES.register("kept", purses.PurseRule(pays=pays))
"""


def test_a_helper_of_a_plug_in_is_part_of_what_results_depend_on(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    helper = tmp_path / "keeping"
    helper.mkdir()
    (helper / "__init__.py").write_text("", encoding="utf-8")
    (helper / "inner.py").write_text("SHARE = 0.0\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(PLUGIN.format(folder=str(tmp_path)), encoding="utf-8")
    text = f'scenario = "{tiny.as_posix()}"\npolicy = "value-per-cost"\nreplications = 20\nplugins = ["mine.py"]\n'
    (tmp_path / "e.toml").write_text(f'{text}[set]\n"programmes.leap.purse_rule" = "kept"\n', encoding="utf-8")
    first = run(read(tmp_path / "e.toml"), tmp_path / "out")
    assert run(read(tmp_path / "e.toml"), tmp_path / "out").manifest["tasks_of_this_run"] == 0
    (helper / "inner.py").write_text("SHARE = 9.0\n", encoding="utf-8")
    second = run(read(tmp_path / "e.toml"), tmp_path / "out")
    assert second.manifest["tasks_of_this_run"] == 1
    assert first.table["npv"].iloc[0] != second.table["npv"].iloc[0]


# --- scripts --------------------------------------------------------------------------------------


def script(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script as a user saves and runs it."""
    (folder / "mine.py").write_text(text, encoding="utf-8")
    if not (folder / "scenarios").exists():
        (folder / "scenarios").symlink_to(ROOT / "scenarios")
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    words = [sys.executable, "mine.py"]
    return subprocess.run(words, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=600, check=False)


def test_the_readmes_sweep_runs_as_a_script_without_a_guard(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (block,) = [one for one in blocks if "jobs=2" in one]
    ran = script('print("begun")\n' + block, tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "begun\n", "")
    table = read_sweep(tmp_path / "results" / "mine")
    assert table.attrs["complete"]
    assert (list(table["status"]), table["npv"].isna().sum()) == (["done"] * 6, 0)


OWN = """
import rdsim
from rdsim import purses

SHARE = 0.3


def pays(amount, purse, budget, tranche, day):
    return tranche > 0 or purse - amount >= SHARE * budget


purses.PURSE_RULES.register("kept", purses.PurseRule(pays=pays))
experiment = rdsim.Experiment(
    {tiny!r},
    settings={{"programmes.leap.purse_rule": "kept"}},
    factors={{"discount_rate": [0.0, 0.05, 0.1]}},
    policy="value-per-cost",
    replications=20,
)
for jobs in (1, 2):
    assert experiment.run(f"jobs{{jobs}}", jobs=jobs).complete
"""


def test_a_policy_of_a_script_reaches_every_worker(tiny: Path, tmp_path: Path) -> None:
    ran = script(OWN.format(tiny=str(tiny)), tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert bytes_of(tmp_path / "jobs1") == bytes_of(tmp_path / "jobs2")


def test_a_sweep_with_failed_points_is_not_complete_and_says_so(tiny: Path, tmp_path: Path) -> None:
    barred = {"technologies.T2.partners_barred": ["DE"]}  # of the one project that is chosen
    factors = {"rule": {"cases": {"as it is": {}, "without Germany": barred}}}
    one = rdsim.Experiment(str(tiny), factors=factors, policy="value-per-cost", replications=10)  # type: ignore[arg-type]
    with pytest.raises(SweepError, match=r"points failed, the first: .*; 1 of 2 points are kept"):
        one.run(tmp_path / "out")
    found = one.run(tmp_path / "out", partial=True)
    assert not found.complete
    assert not read_sweep(tmp_path / "out").attrs["complete"]
    assert manifest_of(tmp_path / "out")["complete"] is False
    assert (found.table["status"] == "failed").sum() == found.manifest["failed"] > 0
