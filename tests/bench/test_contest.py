"""A benchmark of a scenario: who takes part, which rows break, ranks, regret, competitors, doubts; interrupts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rdsim.bench import BenchRequest, BenchSettings, Contest, contest, quick, run, stages
from rdsim.bench.feasibility import ANNOUNCED, EQUAL
from rdsim.bench.judging import Measured, measure
from rdsim.bench.page import lead, sections
from rdsim.bench.report import study
from rdsim.bench.rivals import by_year, in_total
from rdsim.bench.worlds import AS_STATED, bench_worlds
from rdsim.domain import Scenario
from rdsim.errors import SolverError
from rdsim.optimiser import evaluate
from rdsim.scenario import load
from rdsim.search import at_ratios
from rdsim.simulation import expected_worths, replicate
from rdsim.streams import MEASURED_AGAINST
from tests.tiny import tiny_folder

Tables = dict[str, pd.DataFrame]


def test_everybody_takes_part(found: Contest) -> None:
    kinds = {name: one.kind for name, one in found.entrants.items()}
    assert kinds["mine"] == kinds["greedy"] == "given"
    assert kinds["one_shot"] == "optimiser"
    assert {"value-per-cost", "evaluation-score", "domestic-only", "random-feasible"} <= kinds.keys()
    choices = [one.portfolio.choices for one in found.entrants.values()]
    assert len(set(choices)) == len(choices), "a portfolio takes part once"


def test_worth_is_of_the_replications_that_are_told_and_choosing_of_others(found: Contest) -> None:
    measured, mine = found.judged.measured, found.entrants["mine"]
    told = expected_worths(found.scenario, mine.portfolio, replications=measured.replications, seed=measured.seed)[0]
    assert np.array_equal(found.judged.told[AS_STATED, "mine"], told)
    chooses = {"replications": measured.elsewhere, "seed": measured.seed, "stream": MEASURED_AGAINST}
    other = expected_worths(found.scenario, mine.portfolio, **chooses)[0]  # type: ignore[arg-type]
    assert np.array_equal(found.judged.choosing[AS_STATED, "mine"], other)
    assert not np.array_equal(told[: len(other)], other)
    plain = replicate(found.scenario, mine.portfolio, replications=measured.replications, seed=measured.seed)["npv"]
    assert np.array_equal(found.judged.plain["mine"], plain.to_numpy())


def test_a_row_that_is_broken_is_told_in_words_with_how_much(found: Contest) -> None:
    broken = [one for one in found.standings["greedy"].broken if one.hard and one.freedom == ANNOUNCED]
    told = "; ".join(one.words for one in broken)
    assert "2024 starts of Leapfrogging" in told or "starts in 2024" in told or "starts" in told
    (starts,) = [one for one in broken if one.row.startswith("starts leap 2024")]
    assert starts.amount == 1.0, "three begin where two may"
    assert not found.standings["greedy"].keeps(ANNOUNCED)
    standing, ones = found.standings["mine"], dict.fromkeys(found.scenario.programmes, 1.0)
    assert standing.keeps(ANNOUNCED)
    assert evaluate(at_ratios(found.scenario, found.posed.problem, ones), standing.chosen).feasible


def test_a_rule_keeps_within_its_freedom(found: Contest) -> None:
    assert found.freedoms == (ANNOUNCED, EQUAL), "the tiny scenario lets payments reach 1.2 of the money"
    for name, one in found.entrants.items():
        if one.kind == "rule":
            assert found.standings[name].keeps(EQUAL)
            assert name.endswith("at-plan-ratios") or found.standings[name].keeps(ANNOUNCED)


def test_ranks_are_of_those_that_keep_every_row(found: Contest, tables: Tables) -> None:
    ranks = tables["ranks"]
    assert "greedy" not in set(ranks["entrant"])
    for freedom, rows in ranks.groupby("freedom"):
        assert set(rows["entrant"]) == set(found.keeping(str(freedom)))
        assert rows["value"].is_monotonic_decreasing
        assert ((rows["rank_low"] <= rows["rank"]) & (rows["rank"] <= rows["rank_high"])).all()
        assert rows["maybe_best"].iloc[0]
        assert (rows["ahead_low"] <= rows["ahead"]).all()
        assert (rows["ahead"] <= rows["ahead_high"]).all()


def test_regret_is_against_the_best_by_other_replications(found: Contest, tables: Tables) -> None:
    whole = tables["regrets"]
    for (freedom, world), rows in whole.groupby(["freedom", "world"]):
        pool = found.pool_in(str(world), str(freedom))
        means = {name: found.judged.choosing[str(world), name].mean() for name in pool}
        best = rows["best"].iloc[0]
        assert means[best] == max(means.values())
        assert best != "greedy"
        count = found.judged.measured.elsewhere
        for row in rows.itertuples():
            lost = found.judged.told[str(world), best] - found.judged.told[str(world), row.entrant]
            assert row.regret == pytest.approx(lost[:count].mean())
            assert row.low <= row.regret <= row.high


def test_regret_in_short_is_the_mean_and_the_largest(found: Contest, tables: Tables) -> None:
    whole, short = tables["regrets"], tables["regrets_in_short"]
    assert len(found.worlds) == 5, "as stated, less and more money, crowded, the lenient calibration"
    for row in short.itertuples():
        mine = whole[(whole["entrant"] == row.entrant) & (whole["freedom"] == row.freedom)]
        assert row.mean == pytest.approx(mine["regret"].mean())
        assert row.most == mine["regret"].max()
        assert row.worlds == 5


def test_competitors_cost_no_more_and_are_told_of_other_replications(found: Contest) -> None:
    (met, _) = found.rivals
    assert met.proposed.name == "mine"
    assert met.found, "a portfolio that loses money has competitors"
    for rival in met.found:
        assert rival.paid <= 1e-6
        assert rival.awards <= 1e-6
        assert rival.entrant.portfolio.choices != met.proposed.portfolio.choices
        lead_ = found.judged.told[AS_STATED, rival.entrant.name] - found.judged.told[AS_STATED, "mine"]
        assert rival.more.mean == pytest.approx(lead_.mean())
    gains = [
        (found.judged.choosing[AS_STATED, one.entrant.name] - found.judged.choosing[AS_STATED, "mine"]).mean()
        for one in met.found
    ]
    assert gains == sorted(gains, reverse=True)
    assert met.regret == met.found[0].more


def test_a_proposed_portfolio_keeps_the_rows_of_its_own_cost(found: Contest) -> None:
    """So the optimiser, asked under that cost, has at least this portfolio to find: the one that breaks rows too."""
    for name in ("mine", "greedy"):
        standing = found.standings[name]
        for problem in (in_total(found.posed, standing), by_year(found.posed, standing)):
            assert evaluate(problem, standing.chosen).violations == ()


def test_a_year_in_which_refunds_exceed_payments_demands_no_refunds_of_competitors(found: Contest) -> None:
    """Rows that no portfolio but its like keeps take a solver minutes where others take it a moment."""
    standing = found.standings["mine"]
    refunding = replace(standing, payments=dict.fromkeys(standing.payments, -1.0))
    problem = by_year(found.posed, refunding)
    budgets = [row for row, key in enumerate(found.posed.problem.rows.keys) if key is not None]
    assert (problem.rows.cap[budgets] >= 0.0).all()
    assert evaluate(problem, ()).violations == evaluate(by_year(found.posed, standing), ()).violations


def test_the_four_doubts_stay_apart(found: Contest, tables: Tables) -> None:
    assert [one.name for one in found.doubts] == ["solver gap", "sampling gap", "optimism", "choice noise"]
    assert tables["doubts"]["amount"].notna().all()
    assert found.again_ahead is not None
    assert found.again_ahead.n == 2


def test_likeness_adds_up(tables: Tables) -> None:
    shared = tables["shared"]
    assert (shared["shared"] + shared["only_here"] == shared["funded"]).all()
    same = shared[shared["entrant"] == shared["best"]]
    assert (same["same_all"] == same["funded"]).all()


def test_crowded_worlds_have_fewer_places_and_other_money(tiny: Path) -> None:
    scenario = load(tiny)
    worlds = {one.name: one for one in bench_worlds(scenario)}
    assert worlds["crowded"].scenario.partners["US"].places == 1
    assert worlds["crowded"].scenario.panels["experts"].seats == 1
    assert worlds["poor"].scenario.programmes["leap"].budget[2024] == pytest.approx(8.4)
    assert worlds["rich"].scenario.programmes["leap"].budget[2024] == pytest.approx(15.6)
    assert worlds["calibration-lenient"].scenario.calibration == "lenient"
    assert worlds[AS_STATED].scenario is scenario


def test_bounds_are_worlds_of_their_own(tmp_path: Path) -> None:
    lines = ("label = 'values'", "paths = ['technologies.*.value']", "change = 'multiply'", "low = 0.5", "high = 1.5")
    bounds = "\n".join(("", "[assumptions.value]", *lines, "why = 'ours'", ""))
    scenario = load(tiny_folder(tmp_path / "bounds", scenario=lambda text: text + bounds))
    worlds = {one.name: one for one in bench_worlds(scenario, ("bounds",))}
    assert set(worlds) == {AS_STATED, "value-low", "value-high"}
    assert worlds["value-low"].scenario.technologies["T1"].value == 60
    assert "lower bound, 0.5" in worlds["value-low"].change


def test_domestic_projects_are_judged_where_the_call_forbids_them(tmp_path: Path, files: tuple[Path, Path]) -> None:
    folder = tiny_folder(
        tmp_path / "called",
        scenario=("trl_entry_min = 3\n", 'trl_entry_min = 3\nforeign_partner_required = true\nfallback = "drop"\n'),
    )
    asked = BenchSettings(worlds=(), replications=6, elsewhere=6, repeats=0, batches=0, rolled=0, loop=False)
    found = contest(load(folder), files, asked)
    mine = found.entrants["mine"]
    assert not mine.allowed
    words = [one.words for one in found.standings["mine"].broken if one.hard]
    assert any("requires a foreign partner" in one for one in words)
    assert "mine" not in found.keeping(ANNOUNCED)
    assert np.isfinite(found.judged.told[AS_STATED, "mine"]).all()


def test_an_interrupt_keeps_what_is_finished(
    small: tuple[Scenario, BenchSettings], files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "choose_again", interrupted)
    asked = replace(small[1], worlds=("money",))
    (found,) = (benchmark := run([small[0]], BenchRequest(asked, files))).contests
    assert found.interrupted
    assert found.missing == ["choices made anew", "competitors", "gaps and optimism", "deciding again each year"]
    assert [one.name for one in found.worlds] == [AS_STATED, "poor", "rich"]
    told = study(benchmark)
    assert told.missing == tuple(found.missing)
    assert {"ranks", "regrets", "rows"} <= told.tables.keys()
    assert "rivals" not in told.tables


def test_a_solver_that_fails_leaves_out_its_own_part(
    small: tuple[Scenario, BenchSettings], files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise SolverError("highs", "gave up")

    monkeypatch.setattr(stages, "doubts_of", fails)
    found = contest(small[0], files[:1], replace(small[1], worlds=()))
    assert found.missing == ["gaps and optimism"]
    assert "gave up" in found.why
    assert [one.name for one in found.doubts] == ["choice noise"]
    assert found.rivals


def test_the_page_says_nothing_in_codes(found: Contest, tables: Tables) -> None:
    said = [*lead(found, tables)]
    for section in sections(found, tables, many=False):
        said += [section.title, *section.sentences, *(one.caption for one in section.tables)]
        said += [column.title for table in section.tables for column in table.columns.values()]
        said += [plot.question + plot.answer + plot.reading for plot in section.plots]
    for sentence in said:
        for code in ("one_shot", "at-plan-ratios", "value-per-cost", "as-stated", "nan"):
            assert code not in sentence, sentence
    assert any(sentence.startswith("Of ") and "cost no more than mine" in sentence for sentence in said)
    assert any("greedy breaks" in sentence for sentence in said)


def test_a_measure_of_choosing_is_no_measure_of_telling(found: Contest) -> None:
    asked = Measured(10, 10, found.judged.measured.seed)
    mine = found.entrants["mine"]
    told, choosing = (measure(mine.world, mine.portfolio, asked, 10, choosing=one) for one in (False, True))
    assert not np.array_equal(told, choosing)


def test_quick_asks_for_no_more_than_was_asked(small: tuple[Scenario, BenchSettings]) -> None:
    """What is left out stays left out at token size."""
    little = BenchSettings(elsewhere=5, repeats=0, batches=0, rolled=0, replications=7)
    found = quick(small[0], little)[1]
    assert (found.elsewhere, found.repeats, found.batches, found.rolled, found.replications) == (5, 0, 0, 0, 7)
    whole = quick(small[0], BenchSettings())[1]
    assert (whole.elsewhere, whole.repeats, whole.batches, whole.rolled, whole.replications) == (20, 2, 2, 2, 40)
