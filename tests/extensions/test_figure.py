"""A figure of one's own: a column of technologies.csv without any code, and one that a plug-in file defines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim import findings, plugins, studies
from rdsim.domain import Choice, FigureColumn, Portfolio, Scenario, Technology
from rdsim.errors import ExtensionError, PolicyError, ProblemError, ScenarioError
from rdsim.figures import Figure, figures_of, register
from rdsim.folders import read_manifest
from rdsim.optimiser import Solving
from rdsim.options import expected_figures
from rdsim.report.words import headline, tiles
from rdsim.scenario import digest, dump, load
from rdsim.search import build_instance, choose
from rdsim.search.judge import Judge
from rdsim.simulation import Engine, Running, expected_worths, plain_worths, replicate, simulate
from rdsim.sweep.measures import parse_metrics
from rdsim.sweep.page import terminal_lines
from tests.command import run
from tests.simple import plain
from tests.tiny import tiny_folder

PLUGIN = Path(__file__).parent / "plugins" / "regional_jobs.py"
LINE = '\n[figures.co2_saved]\nlabel = "CO2 saved"\nunit = "kt"\n'


pytestmark = pytest.mark.usefixtures("taken_back")


def with_column(text: str) -> str:
    """The tiny scenario's technologies with a column: T1 saves most, T2 says nothing."""
    head, *rows = text.splitlines()
    cells = ["40", "", "2.5", "4", "0.5", "1"]
    return "\n".join([f"{head},figure.co2_saved", *(f"{row},{cell}" for row, cell in zip(rows, cells, strict=True))])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("figure") / "tiny"
    return tiny_folder(place, technologies=with_column, scenario=lambda text: text + LINE)


def two(**changes: object) -> Scenario:
    """Two technologies and one start: A is worth more money, B saves more. All is certain but the market of B."""
    shared = {"programme": "line", "field": "f", "trl": 4, "cost": 10.0, "trl_target": 6}
    rows = {
        "A": Technology("A", "A", value=100.0, figures={"co2_saved": 1.0}, **shared),  # type: ignore[arg-type]
        "B": Technology("B", "B", value=80.0, market_probability=0.5, figures={"co2_saved": 50.0}, **shared),  # type: ignore[arg-type]
    }
    scenario = plain(rows)
    line = replace(scenario.programmes["line"], starts={2024: 1})
    return replace(scenario, programmes={"line": line}, **changes)  # type: ignore[arg-type]


# --- a column, without code -----------------------------------------------------------------------


def test_a_column_is_read_told_and_written(folder: Path, tmp_path: Path) -> None:
    scenario = load(folder)
    assert scenario.technologies["T1"].figures == {"co2_saved": 40.0}
    assert scenario.technologies["T2"].figures == {"co2_saved": 0.0}
    assert scenario.figures["co2_saved"] == FigureColumn("CO2 saved", "kt")
    dump(scenario, tmp_path / "again")
    again = load(tmp_path / "again")
    assert again == scenario
    assert digest(again) == digest(scenario) != digest(load(folder, {"technologies.T1.figures.co2_saved": 41}))


def test_a_scenario_without_figures_and_with_the_usual_aim_has_the_digest_that_it_had(folder: Path) -> None:
    usual = load(tiny_folder(folder.parent / "usual"))
    assert digest(replace(usual, aim={}, figures={})) == digest(usual)
    bonus = replace(usual, aim={"commercialised_by_deadline": 2.0})
    with pytest.warns(FutureWarning, match="now called aim.commercialised_by_deadline"):
        assert digest(load(folder.parent / "usual", {"optimiser.commercialisation_value": 2.0})) == digest(bonus)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"aim.co2_savd": 1.0}, "aim.co2_savd: must be a figure that options contribute to.*mean 'co2_saved'"),
        ({"aim.in_time": 1.0}, "mean 'commercialised_by_deadline'"),
        ({"aim.lapsed": 1.0}, "of the portfolio alone"),
        ({"figures.co2_savd.unit": "t"}, "must name a column figure.co2_savd of technologies.csv.*mean 'co2_saved'"),
        ({"technologies.T1.figures.npv": 1.0}, "must not have the name of another figure.*net present value"),
        ({"technologies.T1.figures.co2": 4.0}, "no column figure.co2 in technologies.csv.*mean 'co2_saved'"),
        ({"figures.co2_saved.counted": "always"}, "commercialised"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door(folder: Path, settings: dict[str, object], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load(folder, settings)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("figure.co2_saved", "figure.co2 saved", "column figure.co2 saved: must be named figure.NAME"),
        (",40", ",much", "row 2, column figure.co2_saved: must be a number"),
        ("figure.co2_saved", "figures.co2_saved", "unknown column"),
    ],
)
def test_a_fault_of_a_column_names_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    place = tiny_folder(tmp_path / "tiny", technologies=lambda text: with_column(text).replace(old, new, 1))
    with pytest.raises(ScenarioError, match=words):
        load(place)


@pytest.mark.parametrize(
    ("counted", "sum_of"), [("commercialised", 11.0), ("in_time", 10.0), ("target", 111.0), ("funded", 1111.0)]
)
def test_a_column_is_added_up_over_the_technologies_that_count(counted: str, sum_of: float) -> None:
    """One comes to the market late, one in time, one reaches its target alone, and one not even that."""
    row = Technology("late", "-", "line", "f", trl=4, cost=10.0, value=1.0, trl_target=6, figures={"co2_saved": 1.0})
    rows = (
        row,
        replace(row, id="timely", trl=5, figures={"co2_saved": 10.0}),
        replace(row, id="unsold", market_probability=0.0, figures={"co2_saved": 100.0}),
        replace(row, id="failed", trl=3, trl_target=9, figures={"co2_saved": 1000.0}),
    )
    line = replace(plain().programmes["line"], deadline_years=1.5)
    counts = FigureColumn(counted=counted)  # type: ignore[arg-type]
    scenario = plain({one.id: one for one in rows}, line, figures={"co2_saved": counts})
    every = Portfolio(tuple(Choice(name, start_year=2024) for name in scenario.technologies))
    engines: tuple[Engine, ...] = ("compiled", "simpy")
    fast, slow = (
        simulate(scenario, every, replications=3, running=Running(engine=one)).replications for one in engines
    )
    assert fast["co2_saved"].tolist() == slow["co2_saved"].tolist() == [sum_of] * 3


def test_the_aim_moves_the_portfolio_and_the_objective_is_the_weighted_sum() -> None:
    """Half of 10 is paid until the target is there. A: 100 - 5 + w; B: half of 80, less 5, and half of 50 w."""
    for weight, wanted, objective in ((0.0, "A", 95.0), (2.0, "A", 97.0), (3.0, "B", 35.0 + 75.0)):
        posed = build_instance(two(aim={"co2_saved": weight}), samples=4)
        found = choose(posed, solving=Solving(gap=0.0))
        assert [one.technology for one in found.portfolio.choices] == [wanted]
        assert found.solution.objective == pytest.approx(objective)
        judge = Judge(posed.scenario, 1)
        assert judge.worths(found.portfolio, 5) == pytest.approx([objective] * 5)
        assert judge.alone(found.portfolio.choices, 5)[:, 0] == pytest.approx([objective] * 5)


def test_npv_counts_nothing_where_the_aim_says_so() -> None:
    found = choose(build_instance(two(aim={"npv": 0.0, "co2_saved": 1.0}), samples=4), solving=Solving(gap=0.0))
    assert [one.technology for one in found.portfolio.choices] == ["B"]
    assert found.solution.objective == pytest.approx(25.0)


def test_plain_and_expected_worth_agree_with_the_table(folder: Path) -> None:
    scenario = load(folder, {"aim.co2_saved": 0.3, "aim.agreements": 2.0, "aim.partners_opened": -1.5})
    portfolio = choose(build_instance(scenario, samples=10)).portfolio
    table = replicate(scenario, portfolio, replications=400)
    worths = table["npv"] + 0.3 * table["co2_saved"] + 2 * table["agreements"] - 1.5 * table["partners_opened"]
    assert plain_worths(scenario, portfolio, replications=400) == pytest.approx(worths.to_numpy())
    expected, _ = expected_worths(scenario, portfolio, replications=400)
    error = (worths - expected).std() / 20
    assert abs(worths.mean() - expected.mean()) < 4 * error


def test_what_an_option_alone_adds_is_told_or_sampled_alike(folder: Path) -> None:
    """Known from the samples' own columns, or simulated for the purpose: one number, for each figure that has both."""
    scenario = load(folder)
    posed, known = build_instance(scenario, samples=25), figures_of(scenario)
    names = [name for name, one in known.items() if one.alone and one.of_projects]
    sampled = [replace(known[name], alone=None) for name in names]
    some = {"npv", "sales", "co2_saved", "commercialised", "paid_abroad", "payments", "payments_leap", "funded_bio"}
    assert some <= set(names)
    how = {"samples": posed.samples, "seed": posed.seed}
    told = expected_figures(scenario, posed.options, [known[name] for name in names], **how)  # type: ignore[arg-type]
    again = expected_figures(scenario, posed.options, sampled, **how)  # type: ignore[arg-type]
    for name in names:
        assert told[name] == pytest.approx(again[name], abs=1e-6), name


def test_a_front_trades_it_for_money(folder: Path) -> None:
    posed = build_instance(load(folder), samples=20)
    found = studies.frontier(posed, "npv", "co2_saved", points=3, replications=5)
    table = found.tables["frontier"]
    assert isinstance(table, pd.DataFrame)
    ordered = table.sort_values("second")
    assert ordered["second"].iloc[-1] > ordered["second"].iloc[0]
    assert ordered["first"].iloc[-1] < ordered["first"].iloc[0]
    assert found.record["front"]["first"] == "npv"
    for row in table.itertuples():
        again = replicate(posed.scenario, found.portfolios[row.portfolio], replications=5, seed=posed.seed)
        assert row.first_simulated == pytest.approx(again["npv"].mean())
        assert row.second_simulated == pytest.approx(again["co2_saved"].mean())
        assert row.second_simulated_low <= row.second_simulated <= row.second_simulated_high
    plot = found.page.sections[0].plots[1]
    assert (plot.x, plot.y) == (
        ("second_simulated", "CO2 saved, simulated, kt"),
        ("first_simulated", "net present value, simulated, billion KRW"),
    )
    assert any("net present value" in line and "CO2 saved" in line and " kt" in line for line in found.lines)
    with pytest.raises(ProblemError, match="only one of the two may count synergies"):
        studies.frontier(posed, "npv", "value_pv")


def test_it_is_told_on_the_terminal_in_the_manifest_and_at_the_head_of_the_page(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aim = ["--set", "aim.co2_saved=0.5"]
    out = tmp_path / "chosen"
    told = run(capsys, monkeypatch, "optimise", folder, "--set", "optimiser.samples=10", "--out", out, *aim)
    assert told.code == 0
    assert "worth is net present value and 0.5 billion KRW for each kt of CO2 saved" in told.out
    for engine in ("compiled", "simpy"):
        words = [
            "simulate",
            folder,
            "--portfolio",
            out / "portfolio.csv",
            "--replications",
            8,
            "--engine",
            engine,
            *aim,
        ]
        told = run(capsys, monkeypatch, *words, "--out", tmp_path / engine)
        assert told.code == 0
        assert "CO2 saved, kt" in told.out
        table = pd.read_parquet(tmp_path / engine / "expected.parquet")
        manifest = read_manifest(tmp_path / engine)
        assert manifest["estimates"]["co2_saved"]["mean"] == pytest.approx(table["co2_saved"].mean())
        assert manifest["figures"]["co2_saved"]["unit"] == "kt"
        assert manifest["aim"] == "net present value and 0.5 billion KRW for each kt of CO2 saved"
    same = [pd.read_parquet(tmp_path / one / "replications.parquet")["co2_saved"] for one in ("compiled", "simpy")]
    assert same[0].tolist() == same[1].tolist()


def test_a_report_shows_it_and_explanations_say_what_value_is(folder: Path) -> None:
    scenario = load(folder, {"aim.co2_saved": 0.5})
    found = rdsim.plan(scenario, replications=10, one_shot=True)
    page = replace(findings.gather(found), manifest=json.loads(json.dumps(findings.of_plan(found).record)))
    shown = {tile.label: tile.figure for tile in tiles(page)}
    assert shown["CO2 saved, kt"]
    aim = "net present value and 0.5 billion KRW for each kt of CO2 saved"
    assert headline(page)[1] == f"It was chosen for the scenario's aim: {aim}."
    posed = build_instance(scenario, samples=10)
    best = choose(posed)
    told = studies.explanation(posed, best, [best.portfolio.choices[0].technology])
    assert f"Value is by the scenario's aim: {aim}." in told.lines[0]


def test_a_sweep_measures_it_and_varies_its_weight(folder: Path, tmp_path: Path) -> None:
    experiment = rdsim.Experiment(
        str(folder),
        factors={"aim.co2_saved": [0.0, 50.0]},
        task="optimise",
        settings={"figures.co2_saved.counted": "funded", "optimiser.samples": 10},
        replications=10,
        metrics=("co2_saved", "co2_saved >= 20"),
    )
    found = experiment.run(tmp_path / "sweep")
    assert found.table["co2_saved"].iloc[1] > found.table["co2_saved"].iloc[0]
    assert found.manifest["figures"]["co2_saved"]["label"] == "CO2 saved"
    assert any("CO2 saved (kt)" in line for line in terminal_lines(found))
    wrong = rdsim.Experiment(str(folder), factors={"discount_rate": [0.0]}, metrics=("co2",))
    with pytest.raises(rdsim.ExperimentError, match="no such figure"):
        wrong.run()


def test_a_figure_is_brought_as_a_column_a_line_or_of_every_technology_and_by_no_slip(folder: Path) -> None:
    scenario = load(folder)
    brought: list[dict[str, object]] = [
        {"technologies.*.figures.jobs": 0, "technologies.T1.figures.jobs": 3},
        {"technologies.T1.figures.jobs": 3, "figures.jobs.unit": "jobs"},
        {f"technologies.{name}.figures.jobs": 3 for name in scenario.technologies},
    ]
    for settings in brought:
        assert scenario.with_(settings).technologies["T1"].figures["jobs"] == 3
    assert scenario.with_({"technologies.T1.figures.co2_saved": 4}).technologies["T1"].figures == {"co2_saved": 4}
    with pytest.raises(ScenarioError, match="mean 'co2_saved'"):
        scenario.with_({"technologies.T1.figures.co2_savd": 4, "technologies.T2.figures.co2_savd": 4})


# --- a plug-in ------------------------------------------------------------------------------------


def test_a_plug_in_in_one_file_is_simulated_told_and_aimed_at(folder: Path, tmp_path: Path) -> None:
    plugins.load([PLUGIN])
    scenario = load(folder, {"aim.jobs": 4.0})
    posed = build_instance(scenario, samples=20)
    found = choose(posed, solving=Solving(gap=0.0))
    options, known = posed.options, figures_of(scenario)
    assert options.figures["jobs"].max() > 10
    chosen = list(found.solution.chosen)
    money = choose(build_instance(load(folder), samples=20), solving=Solving(gap=0.0))
    jobs = options.figures["jobs"]
    assert jobs[chosen].sum() >= jobs[list(money.solution.chosen)].sum()
    npv = build_instance(load(folder), samples=20).problem.expected_value
    assert posed.problem.expected_value == pytest.approx(npv + 4 * jobs)
    engines: tuple[Engine, ...] = ("compiled", "simpy")
    fast, slow = (
        simulate(scenario, found.portfolio, replications=6, running=Running(engine=one)).replications for one in engines
    )
    assert fast["jobs"].tolist() == slow["jobs"].tolist()
    assert (fast["jobs"] <= 30 * len(chosen)).all()
    joint = [one for one in found.portfolio.choices if one.partner]
    asian = sum(scenario.partners[one.partner].region == "Asia" for one in joint) / len(chosen)
    assert fast["asian"].tolist() == pytest.approx([asian] * 6)
    assert known["asian"].unit == "share"
    with pytest.raises(ScenarioError, match="of the portfolio alone"):
        load(folder, {"aim.asian": 1.0})
    factors = {"discount_rate": [0.0]}
    experiment = rdsim.Experiment(str(folder), policy="domestic-only", factors=factors, metrics=("jobs",))
    assert experiment.run(tmp_path / "sweep").table["jobs"].iloc[0] >= 0


def test_wrong_figures_are_refused_with_what_is_wrong() -> None:
    with pytest.raises(ExtensionError, match="'money_spent'"):
        Figure("spent", "spent", course=lambda money_spent: money_spent)
    with pytest.raises(ExtensionError, match="a name that came with rdsim"):
        register(Figure("npv", "mine"))
    with pytest.raises(ExtensionError, match="begins with a letter"):
        register(Figure("my-figure", "mine"))
    register(Figure("odd", "odd", course=lambda sold: sold[:, :0]))
    scenario, one = two(), Portfolio((Choice("A", start_year=2024),))
    with pytest.raises(ExtensionError, match=r"figure odd: must answer with numbers of shape \(2, 1\)"):
        replicate(scenario, one, replications=2)
    register(Figure("odd", "odd", course=lambda sold: sold / 0.0), replace=True)
    with np.errstate(all="ignore"), pytest.raises(ExtensionError, match="figure odd: must be finite"):
        replicate(scenario, one, replications=2)
    register(Figure("odd", "odd", course=lambda outcomes: outcomes.no_such_column), replace=True)
    with pytest.raises(ExtensionError, match=r"figure odd: must be computed without an error.*no_such_column"):
        replicate(scenario, one, replications=2)
    assert not issubclass(ExtensionError, PolicyError)


def test_a_figure_that_is_no_column_of_the_replications_is_told_as_one() -> None:
    with pytest.raises(rdsim.InputError, match=r"known of a portfolio before it is simulated\. Found: joint"):
        parse_metrics(["joint", "npv"], ["npv"])
