"""Benchmarks: every subject runs, the contenders on the simplified network agree, an unknown subject is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.network import COLUMNS, by_hand, c_program, differences, in_c, in_salabim, make
from rdsim.case import TARGET, empty_outcomes
from rdsim.engines import compiled

SUBJECTS = (
    "build", "confidence", "fronts", "memory", "network", "points",
    "risk", "scaling", "seeds", "serve", "simulate", "solve", "solvers", "sweeps", "tight",
)  # fmt: skip


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_runs_at_a_token_size(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--token", name]) == 0
    machine, _, title, *lines = capfd.readouterr().out.splitlines()
    assert "cores" in machine
    assert title.startswith(f"{name}: ")
    assert any(re.search(r"\d", line) for line in lines), "a subject prints figures"


def test_help_and_page_name_the_subjects_that_are_run_here(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = re.findall(r"^  (\w+) +[\w0-9].*\.$", capsys.readouterr().out, re.MULTILINE)
    assert sorted(told) == sorted(SUBJECTS)
    page = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(SUBJECTS)


def test_both_engines_and_c_agree_on_every_column_of_the_network() -> None:
    case, luck = make(5, seed=7)
    with c_program() as run:
        assert differences(case, luck, run) == []
        if run is None:
            pytest.skip("there is no cc on this machine: the engines alone were compared")


def test_a_difference_is_noticed() -> None:
    """The comparison with C has teeth: another gate, another outcome."""
    case, luck = make(5, seed=7)
    with c_program() as run:
        if run is None:
            pytest.skip("there is no cc on this machine")
        out = empty_outcomes(case, 5)
        in_c(run, case, luck._replace(gate=1.0 - luck.gate), out)
        fast = compiled.run(case, luck)
        assert [name for name in COLUMNS if not np.array_equal(getattr(fast, name), getattr(out, name))]


def test_a_users_own_simpy_model_comes_to_the_same_on_average() -> None:
    case, luck = make(12, seed=3)
    out = compiled.run(case, luck)
    totals = by_hand(luck)
    assert totals.ended == (out.end_day >= 0).sum()
    assert totals.successes == pytest.approx((out.end_state == TARGET).sum(), rel=0.1)
    assert totals.end_days == pytest.approx(out.end_day[out.end_day >= 0].sum(), rel=0.01)


def test_salabim_comes_to_about_the_same() -> None:
    pytest.importorskip("salabim")
    case, luck = make(2, seed=3)
    out = compiled.run(case, luck)
    assert in_salabim(luck).successes == pytest.approx((out.end_state == TARGET).sum(), rel=0.2)


def test_an_unknown_subject_is_refused_with_the_names_of_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", "nonsense"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("no such subject: nonsense; there are ")
    assert all(name in told.err for name in SUBJECTS)
