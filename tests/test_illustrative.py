"""Figures that a program draws: asked for by --set or a factor, told in manifests, refused where nobody can draw."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import rdsim
from rdsim.errors import ScenarioError
from rdsim.scenario import digest, dump, load
from rdsim.simulation import replicate
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


def test_allowing_domestic_projects_lets_joint_ones_go_on_at_home(tiny: Path) -> None:
    strict, allowed, never = load(tiny, REQUIRED), load(tiny, {**REQUIRED, "domestic": "allowed"}), load(tiny)
    joint = rdsim.plan(strict, replications=20, one_shot=True).proposal.portfolio
    npv = [replicate(one, joint, replications=200)["npv"] for one in (strict, allowed, never)]
    assert (npv[1] == npv[2]).all()
    assert (npv[0] != npv[1]).any()
