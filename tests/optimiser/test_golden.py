"""The LP text of one small model for each constraint family, compared as text.

The text is written from our own matrix, so it is the same on both generations of PuLP, whose own
writers sort and number differently. After a wanted change, run once with RDSIM_REWRITE_GOLDEN=1 and
read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdsim.optimiser import Labels, PortfolioProblem, state_problem, state_rows
from rdsim.optimiser.adapters import RunLimits
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.lptext import lp_text
from rdsim.optimiser.models.milp import FAMILIES, formulate, lay_out
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.solving.appraisal import Risk
from rdsim.optimiser.solving.tail import lowest, with_cuts, with_sample_columns
from rdsim.optimiser.solving.task import state_task
from tests.optimiser.small import problem_of_fields

GOLDEN = Path(__file__).parent / "golden"

# Three technologies: two options, two options, one option; partners 0, 1 and a consortium of both; two start years.
SHAPE: dict[str, Any] = {
    "values": [9.0, 7.5, 6.0, 4.0, 3.0],
    "group": [0, 0, 1, 1, 2],
    "stage": [0, 1, 0, 1, 1],
    "partners": [[1, 0], [1, 0], [0, 0], [1, 1], [0, 1]],
}
MONEY = [[4, 0, 3, 0, 0], [2, 5, 1, 4, 2.5]]
CASES: dict[str, dict[str, Any]] = {
    "choice": {"exactly_one": [False, True, False]},
    "opening": {"opening_value": [[-2.0, -1.5], [-1.0, -1.0]]},
    "opening-use": {"rows": state_rows(MONEY, [6, 7], opening_use=[[1, 0, 2, 0], [0, 1, 0, 2]])},
    "budget": {"rows": state_rows(MONEY, [6, 7], labels=Labels(family="budget"))},
    "carry": {"rows": state_rows(MONEY, [6, 7], labels=Labels(family="budget"), carry=[(0, 1, 0.05)])},
    "starts": {"rows": state_rows([[1, 0, 1, 0, 0], [0, 1, 0, 1, 1]], [1, 2], labels=Labels(family="starts"))},
    "places": {"rows": state_rows([[1, 0.5, 0, 1, 0], [0, 0, 0, 1, 1]], [1, 1], labels=Labels(family="places"))},
    "abroad": {"rows": state_rows([[2, 1, 0, 2, 1.5]], [3], labels=Labels(family="abroad"))},
    "field-share": {
        "rows": state_rows(
            [[6, 5, 0, 0, 2.5]] * 2, [3, 8], sense=[">=", "<="], labels=Labels(family=["field floor", "field ceiling"])
        )
    },
    "partner-share": {"rows": state_rows([[6, 5, 0, 4, 0]], [9], labels=Labels(family="partner share"))},
    "quota": {"rows": state_rows([[1, 1, 1, 1, 0]], [1], sense="==", labels=Labels(family="quota"))},
    "international": {"rows": state_rows([[6, 5, 0, 4, 2.5]], [8], sense=">=", shortfall_price=[0.5])},
    "soft-both-ways": {"rows": state_rows([[1, 1, 0, 1, 1]], [2], sense="==", shortfall_price=[1.5])},
    "prerequisite": {"prerequisites": [(2, 1)]},
    "exclusion": {"exclusions": [(0, 1, 2)]},
    "synergy": {"synergies": [(0, 1, 2.5)]},
    "antagonism": {"synergies": [(0, 2, -2.5)]},
    "fixed": {"fixed_in_groups": [0], "fixed_out_groups": [2], "fixed_in_options": [2], "fixed_out_options": [1]},
}


def case(name: str) -> PortfolioProblem:
    return problem_of_fields(**(SHAPE | CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_the_lp_text_is_the_golden_one(name: str) -> None:
    text = lp_text(formulate(case(name)))
    path = GOLDEN / f"{name}.lp"
    if os.environ.get("RDSIM_REWRITE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over_and_every_family_is_in_one() -> None:
    assert {path.stem for path in GOLDEN.glob("*.lp")} == {*CASES, *RISKS}
    for family in FAMILIES:
        assert any(family(lay_out(case(name))).names for name in CASES), family.__name__


@pytest.mark.parametrize("name", CASES)
def test_a_solver_reads_the_text_as_the_same_model(name: str, tmp_path: Path) -> None:
    """HiGHS, reading the file, finds the optimum that the model has: the text can be handed to others."""
    import highspy  # noqa: PLC0415 - only here

    model = formulate(case(name))
    path = tmp_path / "model.lp"
    path.write_text(lp_text(model), encoding="utf-8")
    reader = highspy.Highs()
    reader.setOptionValue("output_flag", False)
    assert reader.readModel(str(path)) == highspy.HighsStatus.kOk
    reader.run()
    answer = Highs().run(model, RunLimits())
    assert reader.getInfo().objective_function_value == pytest.approx(answer.bound)


def test_long_lines_are_wrapped_and_numbers_kept() -> None:
    problem = state_problem(np.arange(1, 41) / 3, rows=state_rows(np.ones((1, 40)), [2 / 3]))
    lines = lp_text(formulate(problem)).splitlines()
    assert max(map(len, lines)) <= 120
    assert any("0.666666666667" in line for line in lines)


# --- risk -----------------------------------------------------------------------------------------

WORLDS = np.array([[9.0, 7.0, 0.0, 4.0, 3.0], [12.0, 0.0, 6.0, 2.0, 0.0], [6.0, 8.0, 9.0, 6.0, 6.0]])
MOST = np.array([1.0, 0.0, 1.0, 0.0, 1.0])


def _of_risk(risk: Risk) -> Model:
    """The model of a risk, with the cuts that one portfolio breaks, or with a column for each sample."""
    problem = problem_of_fields(**(SHAPE | CASES["budget"] | {"values": WORLDS}))
    task = state_task(problem, risk)
    if risk.probability is not None:
        rule = task.rules[0]
        return with_sample_columns(task.model, rule, lowest(problem, WORLDS))
    columns = np.append(MOST, np.full(task.model.value.size - MOST.size, 100.0))
    return with_cuts(task.model, task.cuts(task.violations(columns, task.rules, 0.0)))


RISKS = {
    "cvar": Risk(level=0.5, weight=0.25),
    "cvar-floor": Risk(level=0.5, floor=20.0),
    "chance": Risk(target=15.0, probability=0.6),
}


@pytest.mark.parametrize("name", RISKS)
def test_the_text_of_a_risk(name: str) -> None:
    text, file = lp_text(_of_risk(RISKS[name])), GOLDEN / f"{name}.lp"
    if os.environ.get("RDSIM_REWRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
