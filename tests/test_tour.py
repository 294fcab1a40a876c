"""The README's tour, command by command, on the scenario that `rdsim new` makes: each has something worth seeing."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.command import run
from tests.sizes import FULL

_NO_NUMBER = re.compile(r"\b(nan|NaN|NaT|inf|None(?! of | was ))\b")
"""What Python writes where there is no number; "None of them" and "None was better" are English."""

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


FEW = """\
scenario = "mine"
policy = "value-per-cost"
replications = 2
metrics = ["npv", "cvar npv 0.95", "quantile npv 0.05", "commercialised >= 1"]

[[answers]]
text = "{npv}, {cvar npv 0.95}, {quantile npv 0.05}, {commercialised >= 1}"

[set]
"technologies.*.value" = 0

[factors.discount_rate]
values = [0.02]
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
    assert "valid; 1 programme, 10 technologies, 3 partners" in tell("check", "my-scenario")
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
    asked = ("--points", "10", "--replications", "20", "--samples", "20", "--pairs", "0")
    assert "before deciding" in tell("assumptions", "my-scenario", *asked, *_SMALL)
    certified = ("--batches", "2", "--evaluation", "200", "--worlds", "2")
    assert "with 95% confidence" in tell("certify", "my-scenario", *certified, *_SMALL)
    simulated = ("--portfolio", "results/my-scenario/portfolio.csv", "--trace", "--replications", "20")
    tell("simulate", "my-scenario", *simulated)
    Path("depends.toml").write_text(EXPERIMENT)
    assert "runs from" in tell("sweep", "depends.toml", "--jobs", "1")

    assert len(list(Path("results").glob("*/report.html"))) >= 8
    assert_numbers_everywhere(Path("results"))


NOTHING = ("--set", "technologies.*.value=0", "--set", "optimiser.samples=20")
"""Settings in which no technology is worth anything, so that every portfolio is empty."""

NOTHING_TOLD: list[tuple[str, ...]] = [
    ("plan", "--one-shot", "--replications", "3", *NOTHING),
    ("optimise", *NOTHING),
    ("certify", "--batches", "2", "--evaluation", "50", "--worlds", "2", *NOTHING),
    ("assumptions", "--points", "10", "--replications", "20", "--repeats", "1", "--pairs", "1", *NOTHING),
    ("ladder", *NOTHING),
    ("simulate", "--portfolio", "empty.csv", "--replications", "2", *NOTHING),
]
NOTHING_MORE = [
    ("plan", "--replications", "3", "--set", "optimiser.search.rounds=1", *NOTHING),
    ("explain", "C1", "budget main 2026", *NOTHING),
    ("frontier", "--points", "3", "--replications", "3", *NOTHING),
    ("alternatives", "--within", "0.05", "--swaps", "1", "--count", "2", "--resamples", "3", *NOTHING),
    ("commitment", "--ratios", "1,1.5", "--replications", "3", *NOTHING),
    ("rolling", "--replications", "2", "--foresight", "2", "--futures", "8", *NOTHING),
]


def test_of_an_empty_portfolio_no_figure_is_printed_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, monkeypatch, "new", "mine").code == 0
    Path("empty.csv").write_text("technology,mode,partner,start_year\n", encoding="utf-8")
    for command, *words in [*NOTHING_TOLD, *(NOTHING_MORE if FULL else [])]:
        ran = run(capsys, monkeypatch, command, "mine", *words)
        assert ran.code == 0, (command, ran.err)
        assert not _NO_NUMBER.search(ran.out), ran.out
    # So few replications that tails and quantiles have no ends, in a README as on the page.
    Path("README.md").write_text("<!-- answer none -->\n<!-- end of answer -->\n", encoding="utf-8")
    Path("none.toml").write_text(FEW, encoding="utf-8")
    assert run(capsys, monkeypatch, "sweep", "none.toml", "--jobs", 1).code == 0
    assert run(capsys, monkeypatch, "sweep", "report", "results/none", "--readme", "README.md").code == 0
    said = Path("README.md").read_text(encoding="utf-8")
    assert "too few replications for an interval" in said
    assert not _NO_NUMBER.search(said)
    assert_numbers_everywhere(Path("results"))


def assert_numbers_everywhere(results: Path) -> None:
    """No page and no table below a folder says nan, inf, NaT or None."""
    for page in sorted(results.glob("*/report.html")):
        found = _NO_NUMBER.search(words_of_page(page))
        assert not found, (page, found)
    for table in results.rglob("*.csv"):
        assert not re.search(r"(^|,)-?(nan|inf|NaT|None)(,|$)", table.read_text(encoding="utf-8"), re.M), table
