"""Commands whose time limit left a gap unproven write what they have, say what is missing, and end with exit code 4."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdsim.optimiser.adapters import RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.solution import Termination
from tests.command import Ran, run
from tests.tiny import tiny_folder

Rdsim = Callable[..., Ran]
RUN = Highs.run


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run(capsys, monkeypatch, *words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("limits") / "tiny")


def stopped(
    self: Highs, model: Model, limits: RunLimits, *, relaxed: bool = False, start: object = None
) -> SolverResult:
    """HiGHS as if a limit had bitten when it had its portfolio and half of its proof."""
    answer = RUN(self, model, limits, relaxed=relaxed)
    if relaxed or answer.values is None:
        return answer
    bound = answer.bound + 0.5 * abs(answer.bound) + 0.1
    return replace(answer, state=SolverState.STOPPED, termination=Termination.TIME_LIMIT, bound=bound)


@pytest.mark.parametrize(
    "words",
    [
        ["optimise"],
        ["plan", "--one-shot", "--replications", "5"],
        ["frontier", "--second", "funded", "--points", "2", "--replications", "5"],
        ["ladder", "--shares", "1"],
    ],
    ids=lambda words: words[0],
)
def test_a_gap_that_is_left_open_is_exit_code_4_with_results(
    rdsim: Rdsim, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    command, *rest = words
    whole = rdsim(command, folder, *rest, "--time-limit", "600", "--out", tmp_path / "whole")
    assert whole.code == 0
    monkeypatch.setattr(Highs, "run", stopped)
    ran = rdsim(command, folder, *rest, "--time-limit", "600", "--out", tmp_path / "out")
    assert ran.code == 4
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert "before the gap asked for was proven" in ran.err
    assert "asked 1.00%" in ran.err or "asked 0" in ran.err


def test_a_problem_of_ones_own_too(rdsim: Rdsim, tmp_path: Path) -> None:
    """In a fifth of a second the optimum of 400 options in six rows is found nearly, and never proven."""
    rng, problem = np.random.default_rng(1), tmp_path / "hard"
    problem.mkdir()
    rows = [f"r{row}" for row in range(6)]
    lines = [",".join(["option", "value", *rows])]
    for option in range(400):
        numbers = [rng.lognormal(0, 1), *rng.uniform(1, 9, 6)]
        lines.append(",".join([f"o{option:03d}", *(f"{number:.6f}" for number in numbers)]))
    (problem / "options.csv").write_text("\n".join(lines), encoding="utf-8")
    (problem / "rows.csv").write_text("\n".join(["row,cap", *(f"{row},200" for row in rows)]), encoding="utf-8")
    ran = rdsim("optimise", "--problem", problem, "--time-limit", "1", "--out", tmp_path / "out")
    assert ran.code == 4
    assert "asked 0.00%, proven" in ran.err
    assert json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
