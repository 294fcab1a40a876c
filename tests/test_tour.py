"""The README's tour, command by command, on the scenario that `rdsim new` makes: each has something worth seeing."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.command import run

_NO_NUMBER = re.compile(r"\b(nan|NaN|inf|None)\b|\bnan%")
_SMALL = ("--set", "optimiser.samples=60")
_FEW = ("--replications", "40", *_SMALL)

EXPERIMENT = """\
title = "What does the value depend on?"
scenario = "my-scenario"
policy = "value-per-cost"
replications = 40

[factors]
discount_rate = { values = [0.02, 0.08] }
calibration = { values = ["strict", "lenient"] }
"""


def words_of_page(page: Path) -> str:
    """The page's text without the programs and data in it."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_every_command_of_the_tour_tells_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def tell(*words: str) -> str:
        ran = run(capsys, monkeypatch, *words)
        assert ran.code == 0, (words, ran.err)
        assert not _NO_NUMBER.search(ran.out), ran.out
        return ran.out

    tell("new", "my-scenario")
    assert "valid; 1 programmes, 10 technologies, 3 partners" in tell("check", "my-scenario")
    assert "simulated net value" in tell("plan", "my-scenario", "--one-shot", *_FEW)
    chosen = pd.read_csv("results/my-scenario/portfolio.csv", keep_default_na=False)
    assert 3 <= len(chosen) <= 8
    assert "US" in set(chosen["partner"])
    assert "JP" not in set(chosen["partner"])  # does not pay
    left = sorted({"C1", "C2", "C3", "B1", "B2", "B3"} - set(chosen["technology"]))

    assert re.search(r"funded \d of 10 technologies", tell("optimise", "my-scenario", *_SMALL))
    told = tell("explain", "my-scenario", left[0], "budget main 2026", *_SMALL)
    assert f"{left[0]} (" in told
    assert "less costs" in told
    points = re.search(r"(\d+) portfolios, from value", tell("frontier", "my-scenario", "--points", "5", *_FEW))
    assert points is not None
    assert int(points[1]) >= 3
    few = ("--count", "2", "--resamples", "3", *_FEW)
    assert re.search(
        r"Of 10 technologies \d", tell("alternatives", "my-scenario", "--within", "0.05", "--swaps", "2", *few)
    )
    assert "With 80% of the budgets" in tell("ladder", "my-scenario", *_SMALL)
    assert "Joint research" in tell("commitment", "my-scenario", "--ratios", "1,1.5", *_FEW)
    rolled = ("--replications", "8", "--foresight", "2", "--futures", "8", "--portfolio")
    rolled = (*rolled, "results/my-scenario/portfolio.csv")
    assert "Deciding again each year" in tell("rolling", "my-scenario", *rolled, *_SMALL)
    certified = ("--batches", "2", "--evaluation", "200", "--worlds", "2")
    assert "with 95% confidence" in tell("certify", "my-scenario", *certified, *_SMALL)
    simulated = ("--portfolio", "results/my-scenario/portfolio.csv", "--trace", "--replications", "20")
    tell("simulate", "my-scenario", *simulated)
    Path("depends.toml").write_text(EXPERIMENT)
    assert "runs from" in tell("sweep", "depends.toml", "--jobs", "1")

    pages = sorted(Path("results").glob("*/report.html"))
    assert len(pages) >= 8
    for page in pages:
        assert not _NO_NUMBER.search(words_of_page(page)), page
    for table in Path("results").rglob("*.csv"):
        assert not re.search(r"(^|,)-?(nan|inf)(,|$)", table.read_text(encoding="utf-8"), re.M), table
