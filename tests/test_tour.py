"""The scenario that `rdsim new` makes: there is something to decide in it; and where there is none, no figure is none.

The README's tour itself is run by tests/documents, and looked through for such figures too.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.command import run
from tests.numbers import NO_NUMBER, assert_numbers_everywhere
from tests.sizes import FULL

_SMALL = ("--set", "optimiser.samples=60")
_FEW = ("--replications", "40", *_SMALL)

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


def test_the_scenario_to_start_from_has_something_to_decide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = [
        run(capsys, monkeypatch, *words)
        for words in (
            ("new", "my-scenario"),
            ("check", "my-scenario"),
            ("plan", "my-scenario", "--one-shot", "--brief-page", *_FEW),
        )
    ]
    assert [ran.code for ran in told] == [0, 0, 0], told
    assert "valid; 1 programme, 10 technologies, 3 partners" in told[1].out
    assert "simulated net value" in told[2].out
    chosen = pd.read_csv("results/my-scenario/portfolio.csv", keep_default_na=False)
    assert 3 <= len(chosen) <= 8
    assert "US" in set(chosen["partner"])
    assert "JP" not in set(chosen["partner"])  # does not pay
    left = sorted({"C1", "C2", "C3", "B1", "B2", "B3"} - set(chosen["technology"]))
    why = run(capsys, monkeypatch, "explain", "my-scenario", left[0], "budget main 2026", *_SMALL)
    assert f"{left[0]} (" in why.out
    assert "less costs" in why.out


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
        assert not NO_NUMBER.search(ran.out), ran.out
    # So few replications that tails and quantiles have no ends, in a README as on the page.
    Path("README.md").write_text("<!-- answer none -->\n<!-- end of answer -->\n", encoding="utf-8")
    Path("none.toml").write_text(FEW, encoding="utf-8")
    assert run(capsys, monkeypatch, "sweep", "none.toml", "--jobs", 1).code == 0
    assert run(capsys, monkeypatch, "sweep", "report", "results/none", "--readme", "README.md").code == 0
    said = Path("README.md").read_text(encoding="utf-8")
    assert "too few replications for an interval" in said
    assert not NO_NUMBER.search(said)
    assert_numbers_everywhere(Path("results"))
