"""A constraint family from one file outside: it binds, is told in its own words and unit, and holds in later years."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim import extend, plugins
from rdsim.domain import OptimiserSettings, Scenario
from rdsim.errors import ExtensionError, InfeasibleError, ScenarioError
from rdsim.explanation import explain
from rdsim.families import FAMILIES, Past, RowKey, row_words
from rdsim.formulation import row_index, state
from rdsim.optimiser import Solving
from rdsim.rolling import Course, Policy, Worlds, knowledge_at, proposals, supply_of
from rdsim.scenario import Variations, digest, dump
from rdsim.search import Proposal, build_instance, optimise
from rdsim.simulation import Running
from rdsim.sweep.policies import install, own_policies
from tests.command import run

HERE = Path(__file__).parent / "plugins"
NEW = HERE / "new_partners.py"
ONE = {"families.new-partners.most.2024": 1, "families.new-partners.most.2025": 1}
RICH = {
    "calibration": "lenient",
    "technologies.T2.status": "free",
    **{
        f"technologies.{name}.value": value
        for name, value in zip(("T1", "T2", "T3", "T4", "T5", "T6"), (400, 400, 400, 300, 300, 300), strict=True)
    },
    **{f"programmes.{line}.starts.2024": 3 for line in ("leap", "base")},
    **{f"programmes.leap.budget.{year}": 30 for year in (2024, 2025, 2026)},
    **{f"programmes.base.budget.{year}": 40 for year in (2024, 2025, 2026)},
}
"""Money and starts for many: what keeps partners out is what a partner costs, or the family."""


@pytest.fixture(autouse=True)
def _registered(taken_back: None) -> None:
    plugins.load([NEW, HERE / "one_bench.py"])


def rich(tiny: Path, **more: Any) -> Scenario:
    return rdsim.load(tiny, {**RICH, **more})


def opened(proposal: Proposal) -> list[str]:
    """The year in which each partner opens."""
    problem = proposal.problem
    return sorted(problem.stage_names[stage] for stage in proposal.evaluation.opened.values())


def sets(values: dict[str, Any]) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name}={str(value).lower()}")]


def abroad_only(*lines: str) -> dict[str, Any]:
    """Lines that fund nothing without a partner."""
    required: dict[str, Any] = {f"programmes.{line}.foreign_partner_required": True for line in lines}
    return required | {f"programmes.{line}.fallback": "drop" for line in lines}


# --- it binds -------------------------------------------------------------------------------------


def test_it_holds_in_scenarios_that_name_it_and_on_both_engines(tiny: Path) -> None:
    free, bound = optimise(rich(tiny)), optimise(rich(tiny, **ONE))
    assert opened(free) == ["2024", "2024", "2024"]
    assert opened(bound) == ["2024", "2025"]
    assert bound.evaluation.objective < free.evaluation.objective
    assert not row_index(free.problem, "new-partners")
    assert [key.year for key in row_index(bound.problem, "new-partners")] == [2024, 2025]
    found = [
        rdsim.simulate(rich(tiny, **ONE), bound.portfolio, replications=10, running=Running(engine)).projects
        for engine in ("compiled", "simpy")
    ]
    assert found[0].equals(found[1])


def test_what_engines_are_told_is_what_both_obey(tiny: Path) -> None:
    """Two projects of a field that share a bench, at every step, take longer than with a bench for each."""
    portfolio = rdsim.Portfolio(tuple(rdsim.Choice(name, start_year=2024) for name in ("T2", "T6")))

    def lived(benches: int, engine: Any) -> Any:
        scenario = rdsim.load(tiny, {"families.one-bench.benches": benches})
        return rdsim.simulate(scenario, portfolio, replications=20, running=Running(engine)).projects

    one, two = (lived(benches, "compiled") for benches in (1, 2))
    assert one.equals(lived(1, "simpy"))
    assert two.equals(rdsim.simulate(rdsim.load(tiny), portfolio, replications=20).projects)
    assert one["wait_facility"].sum() > two["wait_facility"].sum()


# --- it is told rightly ---------------------------------------------------------------------------


def test_what_more_of_it_is_worth_is_told_in_partners(tiny: Path) -> None:
    scenario = rich(tiny, **ONE)
    proposal = optimise(scenario)
    (told,) = explain(scenario, proposal, ["new-partners 2024"], Solving(gap=0))
    lines = told.text.splitlines()
    assert lines[0] == "the new partners of 2024, now 1 partner:"
    assert lines[1].startswith("  1 partner less costs ")
    assert " billion KRW, " in lines[1]
    assert lines[2].startswith("  1 partner more gains ")
    assert lines[3].startswith("  2 partners more gains ")


def test_what_cannot_be_met_is_told_with_its_words_and_unit(tiny: Path) -> None:
    """A technology that must be funded, in a line that asks for a partner, where none may be new."""
    none = {"families.new-partners.most": {2024: 0, 2025: 0, 2026: 0}}
    with pytest.raises(InfeasibleError) as caught:
        rdsim.optimise(rdsim.load(tiny, {**abroad_only("leap"), **none}))
    told = str(caught.value)
    assert "the new partners of 2025 (at most 0 partners)" in told
    assert "raise the new partners of 2025 by 1 partner" in told


def test_the_command_line_explains_it_and_pages_name_it(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [tiny, "--plugin", NEW, *sets({**RICH, **ONE}), "--samples", 20]
    said = run(capsys, monkeypatch, "explain", asked[0], "new-partners 2024", *asked[1:], "--out", tmp_path / "why")
    assert said.code == 0, said.err
    assert "the new partners of 2024, now 1 partner:" in said.out
    assert "one more partner is worth" in said.out
    page = (tmp_path / "why" / "report.html").read_text(encoding="utf-8")
    assert "the new partners of 2024" in page
    assert "counted in" in page
    caps, prices = (pd.read_csv(tmp_path / "why" / f"{name}.csv") for name in ("caps", "prices"))
    assert set(caps["unit"]) == {"partners"}
    assert set(prices.loc[prices["cap"].str.startswith("budget"), "unit"]) <= {"billion KRW"}
    assert "billion KRW" not in set(prices.loc[~prices["cap"].str.startswith("budget"), "unit"])


def test_a_plans_page_names_it_where_it_keeps_all_out(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    none = {
        "technologies.T2.status": "free",
        "families.new-partners.most": "{2024 = 0, 2025 = 0, 2026 = 0}",
        "limits.fields.bio.floor": 0,
        **abroad_only("leap", "base"),
    }
    words = ["plan", tiny, "--one-shot", "--plugin", NEW, *sets(none), "--replications", 4, "--out", tmp_path / "run"]
    said = run(capsys, monkeypatch, *words)
    assert said.code == 0, said.err
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "against the new partners of 20" in said.out
    assert "against the new partners of 20" in page


# --- when a plan is decided again -----------------------------------------------------------------


def test_partners_that_are_open_are_no_new_ones_in_later_years(tiny: Path) -> None:
    posed = build_instance(rich(tiny, **ONE), samples=20)
    names = posed.problem.partner_names
    stage = posed.problem.stage_names.index("2025")

    def counted(past: Past | None) -> dict[str, float]:
        problem = state(posed.scenario, posed.options, {}, past)
        row = problem.rows.opening_use[[row_index(problem, "new-partners")[RowKey("new-partners", year=2025)]], :]
        return dict(zip(names, row.toarray().reshape(len(names), -1)[:, stage].tolist(), strict=True))

    assert counted(None) == {"DE": 1.0, "JP": 1.0, "US": 1.0}
    assert counted(Past(2025, frozenset({"US"}), ())) == {"DE": 1.0, "JP": 1.0, "US": 0.0}


def test_it_holds_in_every_course_that_is_proposed_later(tiny: Path) -> None:
    """Begun with one partner in 2024; of those proposed on the first day of 2025, none opens two more in that year."""
    posed = build_instance(rich(tiny, **ONE), samples=20)
    plan = optimise(posed.scenario).portfolio
    supply = supply_of(posed, plan)
    course = Course(plan)
    worlds = Worlds(posed.scenario, tuple(replace(one, rank=0) for one in plan.choices), 1, pool=2)
    luck = worlds.actual(0)
    now = knowledge_at(posed.scenario, worlds.play(course, luck, until=2025), luck.budget)
    assert now.opened
    courses = proposals(supply, Policy({"leap": 3.0, "base": 3.0}), course, now)
    assert len(courses) > 1
    for one in courses:
        fresh = {choice.partner for choice in one.portfolio.choices if choice.start_year == 2025} - {"", *now.opened}
        assert len(fresh) <= 1


# --- at the door ----------------------------------------------------------------------------------


def test_its_settings_pass_the_door_and_what_is_wrong_is_told_together(tiny: Path) -> None:
    wrong = {
        "families.new-partner.most.2024": 1,
        "families.new-partners": {"most": {"2024": 1.5, "soon": 1}, "mots": 3},
        "families.one-bench.field": 7,
    }
    with pytest.raises(ScenarioError) as caught:
        rdsim.load(tiny, wrong)
    told = "\n".join(map(str, caught.value.faults))
    assert "must name a constraint family" in told
    assert "Did you mean 'new-partners'?" in told
    assert "must be a whole number at least 0: New partners, by fiscal year. Found: 1.5, for 2024." in told
    assert "must be a fiscal year, 2024 to 2036. Found: 'soon'." in told
    assert "must be a parameter of constraint family 'new-partners': most" in told
    assert "Did you mean 'most'?" in told
    assert "must be a text: Whose projects share the benches" in told


def test_ids_that_the_scenario_does_not_have_are_refused_where_the_family_says_whose_they_are(tiny: Path) -> None:
    most = extend.Numbers("most", of="partners")
    extend.constraint_family("calm", parameters=[most])(lambda most: [extend.Row(None, most["US"])])
    assert rdsim.load(tiny, {"families.calm.most.US": 2}).families["calm"] == {"most": {"US": 2}}
    with pytest.raises(ScenarioError, match=r"must be one of the partners. Found: 'USS'. Did you mean 'US'\?"):
        rdsim.load(tiny, {"families.calm.most.USS": 2})
    with pytest.raises(ExtensionError, match=r"of: must be one of programmes.*Did you mean 'partners'"):
        extend.constraint_family("odd", parameters=[extend.Numbers("most", of="partner")])(list)


def test_an_unknown_name_near_a_known_one_may_be_a_plug_ins_too(tiny: Path) -> None:
    with pytest.raises(ScenarioError, match=r"Did you mean 'lognormal'\?.*give its file with --plugin"):
        rdsim.load(tiny, {"value.distribution": "log-normal-2"})


def test_a_scenario_without_the_plug_in_says_what_is_missing(tiny: Path) -> None:
    scenario = rdsim.load(tiny, ONE)
    for name in FAMILIES.own():
        FAMILIES.unregister(name)
    with pytest.raises(ScenarioError, match=r"must name a constraint family.*give its file with --plugin"):
        rdsim.load(tiny, ONE)
    with pytest.raises(ExtensionError, match="must be registered by a plug-in"):
        build_instance(scenario, samples=2)
    assert row_words(scenario, RowKey("new-partners", year=2024)) == "new-partners 2024"


def test_a_written_scenario_is_read_again_and_a_scenario_without_families_has_its_old_digest(
    tiny: Path, tmp_path: Path
) -> None:
    scenario = rdsim.load(tiny, ONE)
    dump(scenario, tmp_path / "again")
    assert digest(rdsim.load(tmp_path / "again")) == digest(scenario)
    plain = rdsim.load(tiny)
    unasked = replace(plain.optimiser, redecisions=OptimiserSettings().redecisions)  # it is decided again since
    assert (
        digest(replace(plain, optimiser=unasked)) == "a1f2f90193f70d577071f66bbbb79678108782be6673fbddd36873a2d23935a0"
    )
    varied = Variations(plain)
    some = [varied.override(("families", "new-partners", "most", "2024"), value) for value in (1, 2)]
    assert len({varied.digest(overrides) for overrides in ([], some[:1], some[1:])}) == 3
    assert varied.vary(some[:1]).families == {"new-partners": {"most": {"2024": 1}}}


def test_a_sweep_takes_it_along(tiny: Path) -> None:
    """What it does is in the keys of results, and another process builds it anew."""
    before = optimise(rich(tiny, **ONE))
    (own,) = own_policies(["new-partners", "budget"])
    FAMILIES.unregister("new-partners")
    install([own])
    assert optimise(rich(tiny, **ONE)).portfolio == before.portfolio
    assert own_policies(["new-partners"])[0].key == own.key


# --- what cannot be a family ----------------------------------------------------------------------


def test_what_takes_what_nobody_offers_or_makes_no_rows_is_told(tiny: Path) -> None:
    with pytest.raises(ExtensionError, match="may take scenario, options"):
        extend.constraint_family("odd")(lambda scenario, luck: [])
    bad = {
        "short": lambda: [extend.Row(np.zeros(2), 1.0)],
        "twice": lambda: [extend.Row(None, 1.0), extend.Row(None, 2.0)],
        "failing": lambda: 1 / 0,
        "otherwise": lambda: [(1, 2)],
    }
    said = {"short": "one number for each option", "twice": "one row of a name", "failing": "ZeroDivisionError"}
    for name, rows in bad.items():
        extend.constraint_family(name)(rows)
        with pytest.raises(ExtensionError, match=said.get(name, "values of families.Row")):
            build_instance(rdsim.load(tiny, {f"families.{name}": {}}), samples=2)
    assert set(bad) <= set(FAMILIES.own())
