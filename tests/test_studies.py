"""Studies: what they say holds when it is judged again, and their commands write what they promise."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim import portfolio, studies
from rdsim.domain import Scenario
from rdsim.errors import ProblemError
from rdsim.optimiser import Solving, evaluate, solve
from rdsim.optimiser.models.variations import with_caps, with_fixed
from rdsim.scenario import load
from rdsim.search import Instance, Proposal, build_instance, choose, fresh_values
from rdsim.simulation import expected_worths, replicate
from rdsim.studies.built_in.alternatives import Nearby, usual_swaps
from tests.command import Ran
from tests.command import run as run_command
from tests.tiny import tiny_folder
from tests.visible import internal_words, internal_words_of_page

Rdsim = Callable[..., Ran]
COMMANDS = {
    "frontier": ["--points", "0", "--second", "funded"],
    "alternatives": ["--count", "2", "--within", "0.3", "--swaps", "1", "--resamples", "3"],
    "ladder": ["--shares", "0.7,1,1.3"],
    "commitment": ["--ratios", "0.7,1,2", "--replications", "15"],
    "certify": ["--batches", "2", "--evaluation", "50", "--worlds", "3"],
    "payoff": ["--repeats", "2", "--replications", "6", "--rolled", "2", "--foresight", "1", "--futures", "8"],
    "rolling": ["--replications", "4", "--foresight", "2", "--futures", "8"],
    "assumptions": ["--points", "10", "--replications", "30", "--samples", "25", "--repeats", "2", "--pairs", "1"],
    "explain": ["unfunded", "T2", "starts leap 2024", "--gap", "0"],
}
TABLES = {
    "frontier": ["frontier"],
    "alternatives": ["alternatives", "selection"],
    "ladder": ["ladder"],
    "commitment": ["commitment"],
    "certify": ["certificate", "batches"],
    "payoff": ["payoff", "repeats"],
    "rolling": ["policies"],
    "assumptions": ["assumptions", "widths", "break_evens", "decided"],
    "explain": ["unfunded", "exact", "caps"],
}


ASSUMED = """
[assumptions.effect]
paths = ["partner_effect.success_shift"]
low = -0.2
high = 1.5
why = "nobody has measured it"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("studies") / "tiny", scenario=lambda old: old + ASSUMED)


@pytest.fixture(scope="module")
def scenario(folder: Path) -> Scenario:
    return load(folder)


@pytest.fixture(scope="module")
def posed(scenario: Scenario) -> Instance:
    return build_instance(scenario, samples=40)


@pytest.fixture(scope="module")
def best(posed: Instance) -> Proposal:
    return choose(posed, solving=Solving(gap=0.0))


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


# --- what they say --------------------------------------------------------------------------------


def test_every_point_of_a_front_is_what_its_portfolio_comes_to(posed: Instance, best: Proposal) -> None:
    found = studies.frontier(posed, "value", "funded", points=None, replications=20)
    table = found.tables["frontier"]
    assert found.record["front"]["complete"]
    assert table["first"].iloc[0] == pytest.approx(best.solution.objective)
    assert all(table["proven"])
    assert len(table) >= 2
    assert table["first_simulated"].tolist() == pytest.approx(table["npv"].tolist())
    assert table["second_simulated"].tolist() == table["second"].tolist()
    assert found.page.sections[0].plots[1].x == ("second_simulated", "technologies funded, not simulated")
    for low, high in itertools.pairwise(table.itertuples()):
        assert low.first > high.first
        assert low.second < high.second
    for row in table.itertuples():
        chosen = found.portfolios[row.portfolio]
        assert len(chosen.choices) == row.second == row.funded
        again = replicate(posed.scenario, chosen, replications=20, seed=posed.seed)["npv"]
        assert row.npv == pytest.approx(float(again.mean()))
        assert row.npv_low <= row.npv <= row.npv_high
        assert row.n == 20
        assert sum(bool(choice.partner) for choice in chosen.choices) == row.joint


def test_moves_along_a_front_are_told(posed: Instance) -> None:
    table = studies.frontier(posed, "value", "funded", points=None, replications=5).tables["frontier"]
    assert table["enters"].iloc[0] == table["leaves"].iloc[0] == ""
    for before, after in itertools.pairwise(table.itertuples()):
        assert after.funded - before.funded == len(after.enters.split()) - len(after.leaves.split())


def test_less_payment_is_better_unless_said_otherwise(posed: Instance) -> None:
    cheap = studies.frontier(posed, "value", "payments", points=4, solving=Solving(gap=0.0), replications=5)
    dear = studies.frontier(posed, "value", "max:payments", points=4, solving=Solving(gap=0.0), replications=5)
    assert cheap.record["front"]["senses"] == ["max", "min"]
    assert cheap.tables["frontier"]["second"].is_monotonic_decreasing
    assert dear.tables["frontier"]["second"].is_monotonic_increasing


def test_unknown_figures_are_named_at_once_with_what_was_meant(posed: Instance) -> None:
    with pytest.raises(ProblemError) as caught:
        studies.frontier(posed, "vallue", "fundet")
    assert "vallue" in str(caught.value)
    assert "funded" in str(caught.value)
    assert len(caught.value.faults) == 2
    with pytest.raises(ProblemError, match="must differ"):
        studies.frontier(posed, "funded", "funded")


def test_alternatives_are_apart_and_near(posed: Instance, best: Proposal) -> None:
    found = studies.alternatives(
        posed, best, resamples=4, replications=10, nearby=Nearby(count=3, within=3.0, swaps=2), solving=Solving(gap=0.0)
    )
    table = found.tables["alternatives"]
    assert table["portfolio"].iloc[0] == "best"
    assert len(table) >= 2
    assert (table["loss"] <= 3.0 * abs(best.solution.objective) + 1e-6).all()
    assert (table["swaps"].iloc[1:] >= 2).all()
    firm = found.tables["selection"].set_index("technology")
    assert set(firm.index) == set(posed.scenario.technologies)
    funded = [{choice.technology for choice in one.choices} for one in found.portfolios.values()]
    for name, row in firm.iterrows():
        share = sum(name in some for some in funded) / len(funded)
        assert row["near"] == pytest.approx(share)
        assert (row["class"] == "core") == (share == 1 and row["resampled"] == 1)
        assert (row["class"] == "exterior") == (share == 0 and row["resampled"] == 0)
        assert row["low"] <= row["resampled"] <= row["high"]
    assert (firm["n"] == 4).all()


def test_without_an_alternative_nothing_is_claimed_of_alternatives(posed: Instance, best: Proposal) -> None:
    found = studies.alternatives(
        posed, best, resamples=6, replications=5, nearby=Nearby(within=0.0, swaps=50), solving=Solving(gap=0.0)
    )
    assert found.record["alternatives"]["found"] == 0
    said = " ".join(found.lines)
    assert "No other portfolio" in said
    assert "by resamples alone" in said
    assert "every one of these portfolios" not in said
    firm = found.tables["selection"]
    assert firm["near"].isna().all()
    assert (firm.loc[firm["class"] == "core", "resampled"] == 1).all()
    assert (firm.loc[firm["class"] == "exterior", "resampled"] == 0).all()


def test_swaps_follow_the_size_of_the_portfolio(posed: Instance, best: Proposal) -> None:
    assert [usual_swaps(funded) for funded in (0, 3, 25, 26, 120)] == [1, 1, 1, 2, 5]
    found = studies.alternatives(
        posed, best, resamples=1, replications=5, nearby=Nearby(count=1, within=1.0), solving=Solving(gap=0.0)
    )
    assert found.record["alternatives"]["swaps"] == usual_swaps(len(best.solution.chosen)) == 1


def test_a_payment_ratio_is_told_by_programme_and_compared_with_none(posed: Instance, best: Proposal) -> None:
    found = studies.commitment(posed, (1.0, 0.5, 3.0), replications=60, solving=Solving(gap=0.0))
    table = found.tables["commitment"]
    lines = [*posed.scenario.programmes, "all programmes"]
    assert list(dict.fromkeys(table["programme"])) == lines
    for _, curve in table.groupby("programme"):
        by_ratio = curve.set_index("ratio")
        assert by_ratio.loc[1.0, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]
        assert by_ratio.loc[1.0, "value"] == table.loc[table["ratio"] == 1.0, "value"].iloc[0]
        assert (by_ratio.index == sorted(by_ratio.index)).all()
        assert curve["recommended"].sum() <= 1
        assert curve.loc[curve["recommended"], "as_good"].all()
        assert (curve.loc[curve["recommended"], "gain_low"] > 0).all()
        assert (curve["unspent"] >= 0).all()
    for row in table.to_dict("records"):
        portfolio = found.portfolios[f"{row['programme'].replace(' ', '-')}-{row['ratio']:g}"]
        assert len(portfolio.choices) == row["funded"]
        worths, _ = expected_worths(posed.scenario, portfolio, replications=60, seed=posed.seed)
        assert worths.mean() == pytest.approx(row["value"])
    neutral = {choice.technology for choice in found.portfolios["leap-1"].choices}
    assert neutral == {choice.technology for choice in best.portfolio.choices}


def test_no_ratio_is_recommended_that_is_not_shown_better(posed: Instance) -> None:
    """Ratios of one portfolio are one choice; a lead that its interval does not carry is no recommendation."""
    found = studies.commitment(posed, (1.0, 1.01, 5.0, 8.0), replications=8, solving=Solving(gap=0.0))
    table = found.tables["commitment"]
    for (_, first), mine in table.groupby(["programme", "same_as"]):
        portfolios = {
            found.portfolios[f"{line.replace(' ', '-')}-{ratio:g}"].choices
            for line, ratio in zip(mine["programme"], mine["ratio"], strict=True)
        }
        assert len(portfolios) == 1
        assert mine["ratio"].min() == first
        assert (mine["value"] == mine["value"].iloc[0]).all()
    distinct = table.groupby("programme")["same_as"].nunique()
    assert found.record["commitment"]["comparisons"] == max(int((distinct - 1).sum()), 1)
    for line, mine in table.groupby("programme", sort=False):
        sure = mine[mine["recommended"]]
        told = next(text for text in found.lines if text.startswith(_line_name(posed, line)))
        if sure.empty:
            assert found.record["commitment"]["recommended"][line] is None
            assert "no ratio is shown better than 1" in told or "every ratio that was tried" in told
            assert "is recommended" not in told
        else:
            assert sure["gain_low"].iloc[0] > 0
    alone = studies.commitment(posed, (1.0,), replications=8, solving=Solving(gap=0.0))
    assert not alone.tables["commitment"]["recommended"].any()


def _line_name(posed: Instance, line: str) -> str:
    programme = posed.scenario.programmes.get(line)
    return programme.name if programme else "All programmes together"


def test_impossible_ratios_are_told_at_once(posed: Instance) -> None:
    with pytest.raises(ProblemError) as caught:
        studies.commitment(posed, (0.0, 2.0))
    assert len(caught.value.faults) == 2


def test_a_ladder_nests_and_prices(posed: Instance, best: Proposal) -> None:
    found = studies.ladder(posed, (0.6, 1.0, 1.5), solving=Solving(gap=0.0))
    table = found.tables["ladder"].set_index("share")
    assert table.loc[1.0, "plain_value"] == pytest.approx(best.solution.objective)
    assert table["plain_value"].is_monotonic_increasing
    priced = table["plain_value"] - table["nested_value"]
    assert np.allclose(priced, table["price"], equal_nan=True)
    nested = [set(found.portfolios[name].choices) for name in ("nested-60", "nested-100", "nested-150")]
    decisions = [{(c.technology, c.partner, c.mode, c.start_year) for c in some} for some in nested]
    assert decisions[0] <= decisions[1] <= decisions[2]


def test_a_certificate_holds_its_parts_apart(posed: Instance, best: Proposal) -> None:
    found = studies.certificate(posed, best, batches=4, evaluation=400, worlds=4, solving=Solving(gap=0.0))
    table = found.tables["certificate"].set_index("part")
    assert table.loc["solver gap", "amount"] == pytest.approx(0, abs=1e-6)
    fresh, promised = table.loc["value on fresh samples", "amount"], best.solution.objective
    assert table.loc["promised too much here", "amount"] == pytest.approx(promised - fresh)
    assert table.loc["promised too much here", "n"] == 400
    assert table.loc["optimism", "n"] == 4
    assert table.loc["optimism", "low"] < table.loc["optimism", "amount"] < table.loc["optimism", "high"]
    assert table.loc["value on fresh samples", "n"] == 400
    low, high = found.record["certificate"]["optimum_between"]
    assert low <= fresh <= high
    batches = found.tables["batches"]
    assert len(batches) == 4
    assert (batches["bound"] >= batches["portfolio"] - 1e-6).all()
    assert table.loc["gap, whole", "amount"] == pytest.approx(
        (batches["bound"] - batches["portfolio"]).mean(), abs=1e-6
    )


def test_fresh_values_are_new_and_repeat(posed: Instance) -> None:
    """The same index gives the same worlds, for all options or some; no index gives those that chose."""
    every, again = fresh_values(posed, 3, 40), fresh_values(posed, 3, 40)
    assert (every == again).all()
    some = fresh_values(posed, 3, 40, [5, 2])
    assert (some == every[:, [5, 2]]).all()
    other = fresh_values(posed, 4, 40)
    assert not (every == other).all(axis=0).any()
    assert not (every == posed.options.npv).all(axis=0).any()
    error = (every.std(axis=0) + other.std(axis=0)) / np.sqrt(40) + 1e-9
    assert (np.abs(every.mean(axis=0) - other.mean(axis=0)) < 6 * error).all()


def test_the_value_of_a_point_is_the_judges(posed: Instance) -> None:
    found = studies.frontier(posed, "value", "partners_opened", points=None, replications=5)
    index = {choice: o for o, choice in enumerate(posed.options.choices)}
    for row in found.tables["frontier"].itertuples():
        chosen = [
            next(o for option, o in index.items() if _decision(option) == _decision(choice))
            for choice in found.portfolios[row.portfolio].choices
        ]
        judged = evaluate(posed.problem, chosen)
        assert judged.feasible
        assert judged.objective == pytest.approx(row.first)
        assert len(judged.opened) == row.second


def _decision(choice: object) -> tuple[object, ...]:
    return tuple(getattr(choice, name) for name in ("technology", "partner", "mode", "start_year"))


def test_explanations_hold_when_solved_again(posed: Instance, best: Proposal) -> None:
    """What a technology costs when forced in or out, and what a cap is worth, by solving those problems here."""
    problem, value = posed.problem, best.solution.objective
    funded = {problem.group_names[problem.group[o]] for o in best.solution.chosen}
    cap = "starts leap 2024"
    found = studies.explanation(posed, best, ["unfunded", *sorted(funded), cap], solving=Solving(gap=0.0))
    exact = found.tables["exact"].set_index("technology")
    assert set(exact.index) == set(problem.group_names)
    for name, row in exact.iterrows():
        group = [problem.group_names.index(str(name))]
        if set(group) & set(problem.fixed_in_groups):
            assert row["found"] == np.inf  # must-fund: it cannot be lost
            continue
        fixed = with_fixed(problem, **({"groups_out": group} if row["funded"] else {"groups_in": group}))
        other = solve(fixed, Solving(gap=0.0))
        if other.has_portfolio:
            assert row["found"] == pytest.approx(value - other.objective, abs=1e-6)
            assert row["low"] - 1e-6 <= row["found"] <= row["high"] + 1e-6
        else:
            assert row["found"] == np.inf
    at = problem.rows.names.index(cap)
    for row in found.tables["caps"].itertuples():
        moved = solve(with_caps(problem, {at: row.to}), Solving(gap=0.0))
        assert row.found == pytest.approx(moved.objective - value, abs=1e-6)
    screened = found.tables["unfunded"].set_index("technology")
    assert set(screened.index) == set(problem.group_names) - funded
    for name, row in screened.iterrows():
        assert row["loss_low"] - 1e-6 <= exact.loc[name, "found"] <= row["loss_high"] + 1e-6


def test_explanations_read_well(posed: Instance, best: Proposal) -> None:
    found = studies.explanation(posed, best, ["unfunded", "starts leap 2024"], solving=Solving(gap=0.0))
    words = " ".join(found.lines)
    for name in found.tables["unfunded"]["technology"]:
        assert f"{name} ({posed.scenario.technologies[name].name})" in words
    assert "the starts of Leapfrogging in 2024, now 2 starts:" in words
    assert "inf" not in words.replace("infeasible", "")
    assert "nan" not in words.lower().split()


def test_unknown_names_of_an_explanation_are_told_at_once(posed: Instance, best: Proposal) -> None:
    with pytest.raises(ProblemError) as caught:
        studies.explanation(posed, best, ["T99", "budget leep 2025"])
    assert len(caught.value.faults) == 2
    assert "budget leap 2025" in str(caught.value)


def test_an_infeasible_scenario_is_told_its_conflict_and_ways_out(rdsim: Rdsim, folder: Path, tmp_path: Path) -> None:
    """What is said is true: after the first way out there is a portfolio, and the conflict stays without it."""
    words = [word for year in (2024, 2025, 2026) for word in ("--set", f"programmes.leap.starts.{year}=0")]
    ran = rdsim("optimise", folder, *words, "--out", tmp_path / "a", "--replications", "20")
    assert ran.code == 3
    assert "drop must-fund T2" in ran.err
    assert not (tmp_path / "a").exists()
    freed = ["--set", "technologies.T2.status=free"]
    assert rdsim("optimise", folder, *words, *freed, "--out", tmp_path / "b", "--replications", "20").code == 0


# --- the commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_study_writes_its_tables_portfolios_page_and_manifest(
    rdsim: Rdsim, folder: Path, tmp_path: Path, command: str
) -> None:
    out = tmp_path / "run"
    words = [command, folder, "--out", out, "--samples", "30", *COMMANDS[command]]
    ran = rdsim(*words)
    assert ran.code == 0, ran.err
    assert str(out) in ran.out
    for name in TABLES[command]:
        assert len(pd.read_csv(out / f"{name}.csv")) > 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"]
    assert manifest["study"] == command
    assert manifest["seed"] == 1
    # Those behind decisions made anew are not those behind the plan.
    assert manifest["samples"] == (20 if command == "assumptions" else 30)
    assert set(manifest["files"]) >= {"report.html", *(f"{name}.csv" for name in TABLES[command])}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>A tiny scenario for tests</h1>" in page
    assert "StrictUndefined" not in page
    assert internal_words_of_page(page) == internal_words(ran.out) == set()
    for file in (out / "portfolios").iterdir():
        assert portfolio.read(file, load(folder)).choices
    again = rdsim(*words)
    assert again.code == 2
    assert "--force" in again.err


def test_bad_words_are_refused_with_code_2(rdsim: Rdsim, folder: Path, tmp_path: Path) -> None:
    ran = rdsim("frontier", folder, "--second", "parners", "--out", tmp_path / "a")
    assert (ran.code, "partners" in ran.err) == (2, True)
    ran = rdsim("ladder", folder, "--shares", "0.8;1,x", "--out", tmp_path / "b")
    assert ran.code == 2
    assert "0.8;1" in ran.err
    assert "'x'" in ran.err
    ran = rdsim("certify", folder, "--worlds", "1", "--out", tmp_path / "c", "--samples", "10")
    assert ran.code == 2
    assert "--worlds: must be 0, or a whole number, at least 2 and at most 100000. Found: 1." in ran.err
    assert not list(tmp_path.iterdir())


def test_risk_asked_by_the_scenario_is_answered(rdsim: Rdsim, folder: Path, tmp_path: Path) -> None:
    """More weight on CVaR never gives less CVaR; a probability without a target is refused."""
    cvars = []
    for weight in (0.01, 0.9):
        world = load(folder, [f"optimiser.risk.weight={weight}", "optimiser.risk.level=0.8"])
        found = choose(build_instance(world, samples=40), solving=Solving(gap=0.0))
        assert found.appraisal is not None
        assert found.appraisal.feasible
        cvars.append(found.appraisal.cvar)
    assert cvars[1] >= cvars[0] - 1e-6
    held = load(folder, ["optimiser.risk.money=always"])
    found = choose(build_instance(held, samples=40), solving=Solving(gap=0.0))
    assert found.appraisal is not None
    assert found.appraisal.rules
    assert all(rule.holds for rule in found.appraisal.rules)
    ran = rdsim("optimise", folder, "--set", "optimiser.risk.probability=0.9", "--out", tmp_path / "a")
    assert ran.code == 2
    assert "target" in ran.err
