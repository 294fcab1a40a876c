"""A rule for choosing from outside, in one file: compared in plans, a policy of sweeps, with its own parameter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim import extend, plugins
from rdsim.choice_rules import CHOOSING_RULES
from rdsim.errors import ExtensionError, ScenarioError
from rdsim.optimiser.solving.baselines import fill
from rdsim.search import baselines, rules_of
from rdsim.sweep.page import terminal_lines
from tests.command import run

FILE = Path(__file__).parent / "plugins" / "newcomers.py"


@pytest.fixture(autouse=True)
def _registered(taken_back: None) -> None:
    plugins.load([FILE])


def test_it_takes_what_it_says_in_its_order_and_keeps_every_row(tiny: Path) -> None:
    scenario = rdsim.load(tiny, {"rules.newcomers.reach": 9.0})
    proposal = rdsim.optimise(scenario, samples=10)
    found = baselines(scenario, proposal)
    assert list(found) == [*CHOOSING_RULES]
    mine = found["newcomers"]
    assert mine.evaluation.feasible
    options = proposal.options
    trl = [scenario.technologies[choice.technology].trl for choice in options.choices]
    order = sorted(range(len(trl)), key=lambda o: (trl[o], options.award[o], o))
    expected = fill(proposal.problem, np.array(order))
    assert {(one.technology, one.partner, one.start_year) for one in mine.portfolio} == {
        (options.choices[o].technology, options.choices[o].partner, options.choices[o].start_year) for o in expected
    }
    assert mine.portfolio.choices != found["value-per-cost"].portfolio.choices


def test_its_parameter_is_the_scenarios(tiny: Path) -> None:
    asked = []

    @extend.choosing_rule("listening", parameters=[extend.Parameter("by", 1.0, highest=5)])
    def worth(value: np.ndarray, by: float) -> np.ndarray:
        asked.append(by)
        return value

    scenario = rdsim.load(tiny, {"rules.listening.by": 4.0})
    baselines(scenario, rdsim.optimise(scenario, samples=5), names=["listening"])
    assert asked == [4.0]
    with pytest.raises(ScenarioError) as raised:
        rdsim.load(tiny, {"rules.listening.by": 7.0, "rules.newcomer.reach": 1.0, "rules.newcomers.rich": 1.0})
    text = str(raised.value)
    assert "rules.listening" in text
    assert "newcomers" in text  # suggested for the name that nobody knows, and its parameter
    assert len(raised.value.faults) == 3


def test_a_plan_compares_it_where_the_scenario_has_its_table(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, asked = rdsim.load(tiny), rdsim.load(tiny, {"rules.newcomers.reach": 2.0})
    assert "newcomers" not in rules_of(plain)
    assert rules_of(asked)[-1] == "newcomers"
    command = ["plan", str(tiny), "--plugin", str(FILE), "--set", "rules.newcomers.reach=2", "--one-shot"]
    few = ["--replications", 5, "--set", "optimiser.samples=10", "--out", tmp_path / "out"]
    told = run(capsys, monkeypatch, *command, *few)
    assert told.code == 0, told
    table = pd.read_csv(tmp_path / "out" / "baselines" / "newcomers.csv")
    assert len(table) > 0
    assert "newcomers" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_sweep_takes_it_as_a_policy_in_worker_processes(tiny: Path, tmp_path: Path) -> None:
    factor = rdsim.Factor(policies=("newcomers", "value-per-cost"))
    experiment = rdsim.Experiment(
        str(tiny), task="optimise", factors={"policy": factor}, replications=4, settings={"optimiser.samples": 5},
        plugins=(str(FILE),),
    )  # fmt: skip
    found = experiment.run(tmp_path / "sweep", jobs=2)
    table = found.table
    ranking = next(line for line in terminal_lines(found) if line.startswith("Policies by the mean of net present"))
    assert " newcomers " in ranking
    assert " value-per-cost " in ranking
    assert set(table["policy"]) == {"newcomers", "value-per-cost"}
    assert (table["status"] == "done").all()


@pytest.mark.parametrize("answer", [1.0, "much", [[1.0]], ()])
def test_an_answer_that_is_no_number_for_each_option_is_told(tiny: Path, answer: object) -> None:
    extend.choosing_rule("odd")(lambda value: answer)
    scenario = rdsim.load(tiny)
    proposal = rdsim.optimise(scenario, samples=5)
    with pytest.raises(ExtensionError, match="rule for choosing 'odd'"):
        baselines(scenario, proposal, names=["odd"])
