"""Figures that a program draws: asked for by --set or a factor, told in manifests, refused where nobody can draw."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

import rdsim
from rdsim.errors import ScenarioError
from rdsim.gates import GATE_POLICIES, GatePolicy
from rdsim.scenario import digest, dump, load
from rdsim.search import Given, build_instance, choose
from rdsim.simulation import Running, replicate
from rdsim.studies.built_in.rolling import Redeciding, rolling
from rdsim.sweep import read, run

PROGRAM = """\
import csv
from pathlib import Path


def tables(draw, settings):
    assert settings["name"] == "tiny"
    text = (Path(__file__).parent / "technologies.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {"technologies.csv": [row | {"score": str(10 * draw)} for row in rows]}
"""
STATED = '\n[illustrative]\nprogram = "draws.py"\ndraw = 1\n'


@pytest.fixture
def drawn(tiny: Path) -> Path:
    """The tiny scenario with a program that draws the scores."""
    (tiny / "draws.py").write_text(PROGRAM, encoding="utf-8")
    settings = tiny / "scenario.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + STATED, encoding="utf-8")
    return tiny


def scores(scenario: rdsim.Scenario) -> set[float]:
    return {row.score for row in scenario.technologies.values()}


def refusal(folder: Path, *overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(folder, overrides)
    return str(caught.value)


def test_the_program_runs_for_another_draw_alone(drawn: Path) -> None:
    plain, other = load(drawn), load(drawn, ["illustrative.draw=3"])
    assert scores(other) == {30.0}
    assert scores(plain) != {10.0}  # the files' own scores: nothing was run
    assert other.illustrative.draw == 3
    assert other.illustrative.digest == hashlib.sha256(PROGRAM.encode()).hexdigest()
    assert load(drawn, ["illustrative.draw=1"]) == plain
    assert digest(other) != digest(plain)


def test_a_program_that_draws_nothing_else_makes_no_other_scenario(drawn: Path, tmp_path: Path) -> None:
    plain = load(drawn)
    bare = plain.to_frames()
    del bare["settings"]["illustrative"]
    assert digest(rdsim.Scenario.from_frames(bare)) == digest(plain)
    dump(load(drawn, ["illustrative.draw=2"]), tmp_path / "kept")
    assert scores(load(tmp_path / "kept")) == {20.0}
    assert load(tmp_path / "kept").illustrative.draw == 2


def test_where_nobody_can_draw_it_is_said(drawn: Path) -> None:
    with pytest.raises(ScenarioError, match="is chosen when the folder is read"):
        load(drawn).with_({"illustrative.draw": 2})
    (drawn / "draws.py").write_text("def tables(draw, settings):\n    return 1 / 0\n", encoding="utf-8")
    assert "ZeroDivisionError" in refusal(drawn, "illustrative.draw=2")
    (drawn / "draws.py").unlink()
    assert "needs a program in the scenario's folder" in refusal(drawn, "illustrative.draw=2")


def test_faults_of_what_is_drawn_name_the_program(drawn: Path) -> None:
    (drawn / "draws.py").write_text(PROGRAM.replace("str(10 * draw)", "'many'"), encoding="utf-8")
    told = refusal(drawn, "illustrative.draw=2")
    assert "score" in told
    assert "many" in told
    assert "draws.py/technologies.csv" in told


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import sys\nsys.exit(3)", r"SystemExit: 3"),
        ("def tables(draw, settings): return {'technologies.csv': 5}", r"must be a list of rows.*Found: 5"),
        ("def tables(draw, settings): return {'technologies.csv': []}", r"must be a list of rows, of one at least"),
        ("def tables(draw, settings): return {'links.csv': [{}, 7]}", r"draws.py/links.csv, row 2: must be a mapping"),
        (
            "def tables(draw, settings): return {'prices.csv': [{}]}",
            r"must return rows of technologies.csv.*prices.csv",
        ),
    ],
)
def test_what_is_no_table_is_told_as_the_programs_fault(drawn: Path, body: str, said: str) -> None:
    (drawn / "draws.py").write_text(body + "\n", encoding="utf-8")
    assert re.search(said, refusal(drawn, "illustrative.draw=2"))


def test_a_sweep_varies_the_draw_beside_other_factors(drawn: Path, tmp_path: Path) -> None:
    file = tmp_path / "draws.toml"
    file.write_text(
        f'scenario = "{drawn}"\nreplications = 10\ntask = "optimise"\npolicy = "evaluation-score"\n'
        '[factors."illustrative.draw"]\nvalues = [1, 2, 3]\n'
        '[factors."costs"]\npaths = ["technologies.*.cost"]\nchange = "multiply"\nvalues = [1.0, 1.2]\n',
        encoding="utf-8",
    )
    ran = run(read(file), tmp_path / "out")
    assert (ran.table["status"] == "done").all(), ran.table["error"].tolist()
    assert list(ran.table["illustrative.draw"]) == [1, 1, 2, 2, 3, 3]
    said = ran.manifest["scenario"]["illustrative"]
    assert said == {"program": "draws.py", "draw": 1, "digest": hashlib.sha256(PROGRAM.encode()).hexdigest()}


REQUIRED = {"programmes.*.foreign_partner_required": True, "programmes.*.fallback": "drop"}


def test_domestic_only_is_compared_in_the_same_world_and_marked(tiny: Path) -> None:
    strict = load(tiny, REQUIRED)
    found = rdsim.plan(strict, replications=50, one_shot=True)
    assert all(choice.partner for choice in found.proposal.portfolio.choices)
    rule = found.comparisons["domestic-only"].rule
    assert rule.portfolio.choices
    assert not any(choice.partner for choice in rule.portfolio.choices)
    free = rdsim.plan(load(tiny), replications=50, one_shot=True)
    same = free.comparisons["domestic-only"]
    assert same.rule.portfolio.choices == rule.portfolio.choices
    assert (same.replications["npv"] == found.comparisons["domestic-only"].replications["npv"]).all()


def _only_in_python(lead: int) -> bool:
    return lead >= 0 or json.dumps(lead) == ""


def test_domestic_only_is_sampled_on_the_engine_that_runs_what_is_the_users(tiny: Path) -> None:
    """Options of the comparator are others than the plan's: a policy that compiles nowhere must judge them too."""
    GATE_POLICIES.register("only-in-python", GatePolicy(judge=_only_in_python))
    try:
        settings = {**REQUIRED, "programmes.*.gate.policy": "only-in-python", "optimiser.samples": 3}
        found = rdsim.plan(load(tiny, settings), replications=3, one_shot=True, running=Running("simpy", threads=1))
    finally:
        GATE_POLICIES.unregister("only-in-python")
    assert found.comparisons["domestic-only"].rule.portfolio.choices


def test_deciding_again_sets_domestic_only_beside_and_marks_it(tiny: Path) -> None:
    posed = build_instance(load(tiny, REQUIRED), samples=20)
    best = Given(choose(posed).portfolio, "best")
    found = rolling(posed, given=best, replications=3, redeciding=Redeciding(foresight=0, futures=8))
    table = found.tables["policies"]
    assert isinstance(table, pd.DataFrame)
    barred = table.loc[~table["allowed"], "policy"].tolist()
    assert barred == [name for name in table["policy"] if name.startswith("domestic-only")] != []
    assert all("domestic-only" not in (one["less"], one["more"]) for one in found.record["rolling"]["expected_order"])


def test_allowing_domestic_projects_lets_joint_ones_go_on_at_home(tiny: Path) -> None:
    strict, allowed, never = load(tiny, REQUIRED), load(tiny, {**REQUIRED, "domestic": "allowed"}), load(tiny)
    joint = rdsim.plan(strict, replications=20, one_shot=True).proposal.portfolio
    npv = [replicate(one, joint, replications=200)["npv"] for one in (strict, allowed, never)]
    assert (npv[1] == npv[2]).all()
    assert (npv[0] != npv[1]).any()
