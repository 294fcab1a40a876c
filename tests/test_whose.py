"""Whose portfolio a study speaks of: it says so first, and speaks in that portfolio's own terms."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rdsim import portfolio as portfolios
from rdsim import runs, studies
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import InputError, PortfolioError
from rdsim.optimiser import Solving, evaluate, solve
from rdsim.optimiser.models.variations import with_fixed
from rdsim.scenario import load
from rdsim.search import Given, Instance, build_instance, in_own_terms, subject
from rdsim.search.views import at_ratios, budgets_times
from rdsim.studies.built_in.alternatives import Nearby
from tests.command import Ran
from tests.command import run as run_command
from tests.tiny import tiny_folder

Rdsim = Callable[..., Ran]
SCARCE = (
    "programmes.leap.budget={ 2024 = 3, 2025 = 3, 2026 = 3, 2027 = 2, 2028 = 1 }",
    "programmes.base.budget={ 2024 = 2, 2025 = 2, 2026 = 2, 2027 = 2, 2028 = 1 }",
)
FREE = (
    *SCARCE,
    "technologies.T2.status=free",
    "limits.fields.bio.floor=0",
    "calibration=lenient",
    "aim.commercialised_by_deadline=20",
)
"""Little money, nothing that must be funded, and much that is worth it."""

SET = [word for one in FREE for word in ("--set", one)]
SMALL = ("--samples", "20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("whose") / "tiny")


@pytest.fixture(scope="module")
def scenario(folder: Path) -> Scenario:
    """A scenario of little money, in which nothing must be funded."""
    return load(folder, FREE)


@pytest.fixture(scope="module")
def posed(scenario: Scenario) -> Instance:
    return build_instance(scenario, samples=20)


@pytest.fixture(scope="module")
def bold(posed: Instance) -> Portfolio:
    """The best portfolio of five times the money, which the announced money does not allow."""
    loose = budgets_times(posed.scenario, posed.problem, dict.fromkeys(posed.scenario.programmes, 5.0))
    chosen = solve(loose, Solving(gap=0.0)).chosen
    assert not evaluate(posed.problem, chosen).feasible
    return portfolios.with_ranks(Portfolio(tuple(posed.options.choices[o] for o in chosen), "bold"), posed.scenario)


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


def test_a_portfolio_beyond_the_money_is_put_in_its_own_terms(posed: Instance, bold: Portfolio) -> None:
    """Rows at the least ratios at which it fits: a little less, and it does not."""
    own, best = in_own_terms(posed, Given(bold, "bold"))
    assert best.evaluation.feasible
    assert best.portfolio.choices == bold.choices
    assert max(best.payment_ratios.values()) > 1.2
    for name, ratio in best.payment_ratios.items():
        if ratio > posed.scenario.optimiser.payment_ratio.get(name, 1.0):
            tighter = at_ratios(posed.scenario, posed.problem, best.payment_ratios | {name: ratio * 0.999})
            assert not evaluate(tighter, best.solution.chosen).feasible
    assert (own.problem.rows.cap == best.problem.rows.cap).all()


def test_ratios_that_a_plan_was_chosen_with_are_kept(posed: Instance, bold: Portfolio) -> None:
    stated = dict.fromkeys(posed.scenario.programmes, 5.0)
    _, best = in_own_terms(posed, Given(bold, "bold", stated))
    assert best.payment_ratios == pytest.approx(stated)


def test_what_a_plan_funds_is_explained_as_funded(posed: Instance, bold: Portfolio) -> None:
    """Whether or not the one-shot optimum funds it; and what losing it costs is found by solving again."""
    own, best = subject(posed, Given(bold, "the plan of somewhere"), solving=Solving(gap=0.0))
    funded = [choice.technology for choice in bold.choices]
    found = studies.explanation(own, best, funded, solving=Solving(gap=0.0))
    assert found.lines[0].startswith(f"This speaks of the plan of somewhere ({len(funded)} technologies); ")
    assert found.page.lead[0] == found.lines[0] == found.record["subject"]["words"]
    exact = found.tables["exact"].set_index("technology")
    assert exact.loc[funded, "funded"].all()
    assert not set(found.tables["unfunded"]["technology"]) & set(funded)
    groups = [own.problem.group_names.index(name) for name in funded]
    for name, group in zip(funded, groups, strict=True):
        inside, outside = (
            solve(with_fixed(own.problem, **{side: [group]}), Solving(gap=0.0)).objective
            for side in ("groups_in", "groups_out")
        )
        assert exact.loc[name, "found"] == pytest.approx(max(inside - outside, 0.0), abs=1e-6)


def test_a_worse_portfolio_is_said_to_be_beside_a_better_one(posed: Instance, bold: Portfolio) -> None:
    some = replace(bold, choices=bold.choices[:2])
    own, best = subject(posed, Given(some, "mine.csv"), solving=Solving(gap=0.0))
    found = studies.certificate(own, best, batches=2, evaluation=40, worlds=0, solving=Solving(gap=0.0))
    assert best.best_known > best.solution.objective
    assert best.solution.bound >= best.best_known - 1e-6
    assert "the best portfolio found under these rows" in found.lines[0]
    assert [choice.technology for choice in found.portfolios["certified"].choices] == [
        choice.technology for choice in some.choices
    ]


def test_alternatives_are_alternatives_to_the_given_portfolio(posed: Instance, bold: Portfolio) -> None:
    own, best = subject(posed, Given(bold, "mine"), solving=Solving(gap=0.0))
    found = studies.alternatives(
        own, best, resamples=2, replications=4, nearby=Nearby(count=2, within=0.5, swaps=1), solving=Solving(gap=0.0)
    )
    assert found.portfolios["best"].choices == bold.choices
    assert found.tables["alternatives"]["value"].iloc[0] == pytest.approx(best.evaluation.objective)


def test_a_nested_ladder_keeps_the_decisions_of_the_given_portfolio(posed: Instance, bold: Portfolio) -> None:
    own, best = in_own_terms(posed, Given(bold, "mine"))
    found = studies.ladder(own, (0.5, 1.0, 1.5), best=best, solving=Solving(gap=0.0))
    mine = {(c.technology, c.partner, c.start_year) for c in bold.choices}
    nested = {
        share: {(c.technology, c.partner, c.start_year) for c in found.portfolios[f"nested-{share}"].choices}
        for share in (50, 100, 150)
    }
    assert nested[100] == mine
    assert nested[50] <= mine <= nested[150]
    without = studies.ladder(own, (0.5, 1.5), best=best, solving=Solving(gap=0.0))  # its own share is not among them
    assert {(c.technology, c.partner, c.start_year) for c in without.portfolios["nested-150"].choices} >= mine


def test_a_front_marks_the_given_portfolio(posed: Instance, bold: Portfolio) -> None:
    own, best = in_own_terms(posed, Given(bold, "mine"))
    found = studies.frontier(own, "value", "funded", points=3, best=best, solving=Solving(gap=0.0), replications=4)
    row = found.tables["frontier"].set_index("portfolio").loc["given"]
    assert (row["first"], row["second"]) == pytest.approx((best.evaluation.objective, len(bold.choices)))
    assert found.portfolios["given"].choices == bold.choices
    assert "mine" in found.lines[0]


def test_commitment_sets_the_given_portfolio_beside_its_curves(posed: Instance, bold: Portfolio) -> None:
    _, best = in_own_terms(posed, Given(bold, "mine"))
    found = studies.commitment(posed, (1.0,), best=best, replications=6, solving=Solving(gap=0.0))
    row = found.tables["commitment"].iloc[-1]
    assert (row["programme"], row["funded"]) == ("given portfolio", len(bold.choices))
    assert any(line.startswith("The portfolio that this speaks of gains") for line in found.lines)


def test_portfolios_that_cannot_be_are_refused_with_what_they_break(posed: Instance, bold: Portfolio) -> None:
    must = replace(posed, problem=replace(posed.problem, fixed_out_groups=(0, 1, 2, 3, 4, 5)))
    with pytest.raises(PortfolioError) as caught:
        in_own_terms(must, Given(bold, "mine.csv"))
    assert len(caught.value.faults) == len(bold.choices)
    assert "mine.csv: must fund what must be funded, and nothing that must not be" in str(caught.value)
    fewer = replace(posed, options=replace(posed.options, choices=posed.options.choices[:1]))
    with pytest.raises(PortfolioError, match="options that the optimiser may choose"):
        in_own_terms(fewer, Given(bold, "mine.csv"))


# --- the commands ---------------------------------------------------------------------------------


def test_a_run_named_as_scenario_brings_its_world_and_its_portfolio(rdsim: Rdsim, folder: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "explain"
    ran = rdsim("optimise", folder, "--out", run, "--seed", "7", "--replications", "20", *SET)
    assert ran.code == 0, ran.err
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"]["path"] == folder.as_posix()
    ran = rdsim("explain", run, "--out", out)
    assert ran.code == 0, ran.err
    count = len(manifest["portfolio"]["funded"])
    assert ran.out.startswith(
        f"This speaks of the portfolio of {run.as_posix()} ({count} {'technology' if count == 1 else 'technologies'}); "
    )
    told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (told["seed"], told["samples"], told["scenario"]["overrides"]) == (7, 20, manifest["scenario"]["overrides"])
    assert told["scenario"]["digest"] == manifest["scenario"]["digest"]
    assert told["subject"]["rows_held_to"] == manifest["promises"]["rows_held_to"]
    with (out / "portfolios" / "explained.csv").open(encoding="utf-8") as lines:
        assert [row["technology"] for row in csv.DictReader(lines)] == manifest["portfolio"]["funded"]
    assert told["subject"]["words"].replace("'", "&#39;") in (out / "report.html").read_text(encoding="utf-8")


def test_without_a_portfolio_the_first_line_says_that_it_speaks_of_no_plan(
    rdsim: Rdsim, folder: Path, tmp_path: Path
) -> None:
    for command, words in (("explain", ()), ("ladder", ("--shares", "1", "--no-nested"))):
        ran = rdsim(command, folder, "--out", tmp_path / command, *SMALL, *words)
        assert ran.code == 0, ran.err
        assert ran.out.startswith("This speaks of ")
        assert "plan" in ran.out.splitlines()[0]


def test_a_portfolio_that_is_not_there_is_refused(rdsim: Rdsim, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = rdsim("explain", folder, "--portfolio", tmp_path / "empty", "--out", tmp_path / "a", *SMALL)
    assert ran.code == 2
    assert "must be a CSV file or the folder of a run" in ran.err
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("technology,partner,mode,start_year\nX9,,domestic,2024\n", encoding="utf-8")
    ran = rdsim("explain", folder, "--portfolio", foreign, "--out", tmp_path / "b", *SMALL)
    assert (ran.code, "X9" in ran.err) == (2, True)
    assert not (tmp_path / "a").exists()


def test_a_run_whose_scenario_is_gone_says_where_to_ask(tmp_path: Path) -> None:
    manifest = {"scenario": {"name": "x", "path": "nowhere/x", "digest": "0", "overrides": []}, "seed": 1}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert runs.is_run(tmp_path)
    with pytest.raises(InputError):
        runs.read_run(tmp_path)
