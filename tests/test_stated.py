"""Problems that tables state: copies, weighted samples, risk, and every question that has a meaning there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim.errors import InputError, ProblemError
from rdsim.optimiser import Solving, evaluate
from rdsim.optimiser.problem.folder import digest, read_statement
from rdsim.optimiser.questions.chances import likeliest
from rdsim.optimiser.questions.stated import solve_statement
from rdsim.stats import cvar
from rdsim.studies import ask_of_problem
from tests.command import Ran
from tests.command import run as run_command
from tests.visible import internal_words_of_page

EXACT = Solving(gap=0.0)
KNAPSACK = {
    "options.csv": "option,value,weight\ntent,6,1\nstove,10,2\nboat,12,3\n",
    "rows.csv": "row,cap\nweight,5\n",
}
LINES = [(9, 1, 2), (2, 6, 3), (4, 4, 4), (8, 2, 1), (1, 7, 3), (5, 5, 2)]
SAMPLES = "\n".join(["a,b,c", *(",".join(map(str, line)) for line in LINES)]) + "\n"
SAMPLED = {"options.csv": "option,room\na,2\nb,2\nc,1\n", "rows.csv": "row,cap\nroom,3\n", "samples.csv": SAMPLES}

Rdsim = Callable[..., Ran]


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


def stated(folder: Path, files: dict[str, str], **more: str) -> Path:
    """A problem's folder; of `more` files the names' underscores stand for dots."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (files | {name.replace("_", "."): text for name, text in more.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def portfolios(values: np.ndarray, use: np.ndarray, cap: float) -> list[tuple[int, ...]]:
    """Every portfolio that keeps one cap."""
    count = values.shape[-1]
    every = itertools.chain.from_iterable(itertools.combinations(range(count), k) for k in range(count + 1))
    return [one for one in every if use[list(one)].sum() <= cap]


# --- copies ---------------------------------------------------------------------------------------


def test_an_option_may_be_chosen_several_times(tmp_path: Path) -> None:
    text = "option,value,weight,most\ntent,6,1,\nstove,10,2,3\nboat,12,3,2\n"
    posed = read_statement(stated(tmp_path / "k", KNAPSACK | {"options.csv": text, "rows.csv": "row,cap\nweight,9\n"}))
    assert posed.problem.option_names == ("tent", "stove", "stove #2", "stove #3", "boat", "boat #2")
    found, _ = solve_statement(posed, EXACT)
    counts = itertools.product(range(2), range(4), range(3))
    best = max(6 * t + 10 * s + 12 * b for t, s, b in counts if t + 2 * s + 3 * b <= 9)
    assert found.objective == best


def test_what_tables_say_of_an_option_holds_for_its_copies(tmp_path: Path) -> None:
    files = SAMPLED | {
        "options.csv": "option,most\na,1\nb,2\nc,\n",
        "uses.csv": "row,option,amount\nroom,b,2\nroom,c,1\n",
    }
    posed = read_statement(stated(tmp_path / "k", files)).problem
    assert posed.option_names == ("a", "b", "b #2", "c")
    assert posed.rows.use.toarray().tolist() == [[0, 2, 2, 1]]
    samples = posed.values  # noqa: PD011 - of a problem, not of a frame
    np.testing.assert_array_equal(samples[:, 1], samples[:, 2])


def test_faults_of_copies_are_told_once_and_where_they_stand(tmp_path: Path) -> None:
    text = "option,value,group,fixed,most\ntent,x,,,3\nstove,10,heat,,2\nboat,12,,in,2\nraft,3,,,0\nsail,3,,,1.5\n"
    folder = stated(tmp_path / "k", {"options.csv": text, "links.csv": "group,link,with\nraft,needs,tent\n"})
    with pytest.raises(ProblemError) as caught:
        read_statement(folder)
    places = [fault.where for fault in caught.value.faults]
    assert places == [
        "options.csv, row 3, column group",
        "options.csv, row 4, column fixed",
        "options.csv, row 5, column most",
        "options.csv, row 6, column most",
        "links.csv, row 2, column with",
        "options.csv, row 2, column value",
    ]


# --- samples, risk --------------------------------------------------------------------------------


def test_weights_are_samples_that_stand_several_times(tmp_path: Path) -> None:
    weights = ("0.2", "0.1", "0", "0.3", "0.15", "0.25")
    lines = [",".join([*map(str, line), weight]) for line, weight in zip(LINES, weights, strict=True)]
    weighed = read_statement(stated(tmp_path / "w", SAMPLED, samples_csv="\n".join(["a,b,c,weight", *lines]))).problem
    assert len(weighed.values) == 20
    expected = np.average(np.array(LINES, float), axis=0, weights=[float(one) for one in weights])
    np.testing.assert_allclose(weighed.expected_value, expected, rtol=1e-12)


@pytest.mark.parametrize(("weight", "rule"), [("x", "number of at least 0"), ("-1", "number of at least 0")])
def test_weights_that_are_none_are_refused(tmp_path: Path, weight: str, rule: str) -> None:
    lines = f"a,b,c,weight\n1,2,3,{weight}\n1,2,3,1\n"
    with pytest.raises(ProblemError, match=rule):
        read_statement(stated(tmp_path / "w", SAMPLED, samples_csv=lines))


def test_weights_for_which_no_few_samples_stand_are_refused(tmp_path: Path) -> None:
    lines = "a,b,c,weight\n1,2,3,0.123456789\n1,2,3,0.876543211\n"
    with pytest.raises(ProblemError, match="at most 20,000 equally likely samples"):
        read_statement(stated(tmp_path / "w", SAMPLED, samples_csv=lines))


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("minimise", [False, True])
def test_mean_and_cvar_are_those_of_the_best_of_all_portfolios(tmp_path: Path, weight: float, minimise: bool) -> None:
    settings = f"[risk]\nlevel = 0.6\nweight = {weight}\n"
    files = SAMPLED | ({"rows.csv": "row,cap,sense\nroom,3,>=\n"} if minimise else {})
    head = 'sense = "minimise"\n' if minimise else ""
    posed = read_statement(stated(tmp_path / "r", files, problem_toml=head + settings))
    found, _ = solve_statement(posed, EXACT)
    values, use = np.array(LINES, float), np.array([2.0, 2.0, 1.0])
    allowed = portfolios(values, -use, -3.0) if minimise else portfolios(values, use, 3.0)
    worths = [posed.sign * values[:, list(one)].sum(axis=1) for one in allowed]
    best = max((1 - weight) * one.mean() + weight * cvar(one, 0.6) for one in worths)
    assert found.objective == pytest.approx(best)


def test_a_target_is_reached_as_often_as_any_portfolio_reaches_it(tmp_path: Path) -> None:
    values, use = np.array(LINES, float), np.array([2.0, 2.0, 1.0])
    for target in (3.0, 5.0, 8.0, 40.0):
        text = f'[risk]\ntarget = {target}\naim = "probability"\n'
        posed = read_statement(stated(tmp_path / f"t{target}", SAMPLED, problem_toml=text))
        found, most = solve_statement(posed, EXACT)
        worths = [values[:, list(one)].sum(axis=1) for one in portfolios(values, use, 3.0)]
        shares = [float((one >= target - 1e-9).mean()) for one in worths]
        assert most == pytest.approx(max(shares))
        mine = values[:, list(found.chosen)].sum(axis=1)
        assert float((mine >= target - 1e-9).mean()) == pytest.approx(max(shares))
        # Of those that reach it as often, the one of largest mean.
        alike = [one.mean() for one, share in zip(worths, shares, strict=True) if share >= max(shares) - 1e-9]
        assert mine.mean() == pytest.approx(max(alike))


def test_a_target_in_a_problem_without_a_portfolio_has_none(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "n", SAMPLED, rows_csv="row,cap,sense\nroom,30,>=\n")).problem
    found = likeliest(posed, 1.0, EXACT)
    assert not found.solution.has_portfolio
    assert np.isnan(found.most)


def test_faults_of_risk_are_told_at_once(tmp_path: Path) -> None:
    text = '[risk]\nlevel = 1.5\nweight = "x"\nprobability = 0.5\nlevle = 1\naim = "luck"\n'
    with pytest.raises(ProblemError) as caught:
        read_statement(stated(tmp_path / "f", KNAPSACK, problem_toml=text))
    assert [fault.where.removeprefix("problem.toml, risk.") for fault in caught.value.faults] == [
        "level",
        "weight",
        "levle",
        "aim",
        "probability",
    ]
    with pytest.raises(ProblemError, match=r"needs samples of the options' values"):
        read_statement(stated(tmp_path / "g", KNAPSACK, problem_toml="[risk]\nweight = 0.5\n"))


def test_risk_is_another_problem(tmp_path: Path) -> None:
    plain = read_statement(stated(tmp_path / "p", SAMPLED))
    wary = read_statement(stated(tmp_path / "q", SAMPLED, problem_toml="[risk]\nweight = 0.5\n"))
    assert digest(plain) != digest(wary)


# --- questions ------------------------------------------------------------------------------------


def test_a_front_of_value_and_weight_is_the_whole_front(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "k", KNAPSACK))
    found = ask_of_problem("frontier", posed, EXACT, points=0)
    pairs = list(zip(found.tables["frontier"]["first"], found.tables["frontier"]["second"], strict=True))
    assert pairs == [(22, 5), (18, 4), (16, 3), (10, 2), (6, 1), (0, 0)]
    assert found.record["front"]["complete"]
    assert found.record["front"]["senses"] == ["max", "min"]


def test_a_front_of_cost_has_costs(tmp_path: Path) -> None:
    files = {"options.csv": "option,cost,good\na,3,2\nb,4,3\nc,1,1\n", "rows.csv": "row,cap,sense\ngood,1,>=\n"}
    posed = read_statement(stated(tmp_path / "c", files, problem_toml='sense = "minimise"\n'))
    table = ask_of_problem("frontier", posed, EXACT, second="good", points=0).tables["frontier"]
    pairs = sorted(zip(table["first"], table["second"], strict=True))
    assert pairs == [(1, 1), (3, 2), (4, 3), (5, 4), (7, 5), (8, 6)]


def test_a_front_of_mean_and_tail_is_that_of_all_portfolios(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "s", SAMPLED))
    table = ask_of_problem("frontier", posed, EXACT, points=0, level=0.5).tables["frontier"]
    values, use = np.array(LINES, float), np.array([2.0, 2.0, 1.0])
    worths = [values[:, list(one)].sum(axis=1) for one in portfolios(values, use, 3.0)]
    every = {(round(one.mean(), 6), round(float(cvar(one, 0.5)), 6)) for one in worths}
    best = {
        one for one in every if not any(other != one and other[0] >= one[0] and other[1] >= one[1] for other in every)
    }
    assert {(round(a, 6), round(b, 6)) for a, b in zip(table["first"], table["second"], strict=True)} == best


def test_figures_that_are_none_are_named_at_once(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "k", KNAPSACK))
    with pytest.raises(ProblemError) as caught:
        ask_of_problem("frontier", posed, first="valeu", second="wieght")
    assert [fault.found for fault in caught.value.faults] == ["'valeu'", "'wieght'"]
    with pytest.raises(ProblemError, match="can only be made large"):
        ask_of_problem("frontier", posed, first="min:value")
    with pytest.raises(ProblemError, match="must differ"):
        ask_of_problem("frontier", posed, first="weight", second="weight")


def test_a_ladder_climbs_the_caps_of_its_families(tmp_path: Path) -> None:
    files = KNAPSACK | {"rows.csv": "row,cap,family\nweight,5,load\n"}
    posed = read_statement(stated(tmp_path / "k", files))
    found = ask_of_problem("ladder", posed, EXACT, shares="0.6,1,1.2")
    assert found.tables["ladder"]["plain"].tolist() == [16, 22, 28]
    assert found.record["ladder"]["families"] == ["load"]
    # What is decided at 100% is kept: stove and boat, of which only stove, or only boat, fits within 60%.
    assert found.tables["ladder"]["nested"].tolist() == [12, 22, 28]
    with pytest.raises(ProblemError, match="must be among load"):
        ask_of_problem("ladder", posed, families="money")


def test_alternatives_and_firmness(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "s", SAMPLED))
    found = ask_of_problem("alternatives", posed, EXACT, count=10, within=0.9, resamples=15)
    chosen = found.tables["chosen"].groupby("portfolio")["option"].apply(frozenset)
    assert chosen.is_unique
    for options in chosen:
        judged = evaluate(posed.problem, [posed.problem.option_names.index(one) for one in options])
        assert judged.feasible
    assert found.record["alternatives"]["resamples"] == 15
    assert found.tables["selection"]["in_resamples"].between(0, 1).all()


def test_why_and_why_not(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "k", KNAPSACK))
    found = ask_of_problem("explain", posed, EXACT, names=("tent", "boat", "weight"))
    exact = found.tables["exact"].set_index("name")
    assert exact.loc["tent", "cost"] == 4  # tent and stove instead: 22 - 18
    assert exact.loc["boat", "cost"] == 6  # tent and stove remain
    caps = found.tables["caps"].set_index("cap")["worth"]
    assert caps[2.5] == 22 * 0 + 10 - 22
    assert caps[6.25] == 28 - 22
    assert ask_of_problem("explain", posed, EXACT).tables["unfunded"]["group"].tolist() == ["tent"]
    with pytest.raises(ProblemError, match="Did you mean 'tent'"):
        ask_of_problem("explain", posed, names=("tnet",))


def test_limits_hold_the_true_optimum_as_often_as_they_claim(tmp_path: Path) -> None:
    means, deviations = np.array([5.0, 4.8, 4.0]), np.array([2.0, 2.0, 1.0])
    best = max(means[0] + means[2], means[1] + means[2])
    held = 0
    times = 60
    for number in range(times):
        lines = np.random.default_rng([7, number]).normal(means, deviations, (400, 3))
        text = "a,b,c\n" + "\n".join(",".join(f"{cell:.6f}" for cell in line) for line in lines)
        posed = read_statement(stated(tmp_path / "c", SAMPLED, samples_csv=text))
        found = ask_of_problem("certify", posed, EXACT, batches=5).record["certificate"]
        held += found["optimum_between"][0] <= best <= found["optimum_between"][1]
        assert (found["samples"], found["evaluation"]) == (20, 100)
    assert held / times >= 0.93  # 95% at least, and three standard errors of so few


def test_too_few_samples_are_refused(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "s", SAMPLED))
    with pytest.raises(ProblemError, match="must hold at least 400 samples"):
        ask_of_problem("certify", posed)


def test_questions_of_plans_have_no_meaning_there(tmp_path: Path) -> None:
    posed = read_statement(stated(tmp_path / "k", KNAPSACK))
    with pytest.raises(InputError, match="alternatives, ladder, certify, explain"):
        ask_of_problem("rolling", posed)


# --- as typed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("frontier", "--points", "4"),
        ("alternatives", "--count", "2", "--within", "0.9", "--resamples", "3"),
        ("ladder", "--shares", "0.5,1"),
        ("explain", "a", "room"),
        ("certify", "--batches", "2"),
    ],
    ids=lambda words: words[0],
)
def test_the_command_writes_tables_and_a_page(rdsim: Rdsim, tmp_path: Path, words: tuple[str, ...]) -> None:
    lines = np.random.default_rng(1).normal([5, 4, 3], 2, (100, 3))
    text = "a,b,c\n" + "\n".join(",".join(f"{cell:.3f}" for cell in line) for line in lines)
    folder, out = stated(tmp_path / "s", SAMPLED, samples_csv=text), tmp_path / "out"
    ran = rdsim(*words, "--problem", folder, "--out", out)
    assert ran.code == 0, ran.err
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["study"], manifest["problem"]["options"]) == (words[0], 3)
    assert len(pd.read_csv(out / "chosen.csv")) > 0 if words[0] != "explain" else True
    page = (out / "report.html").read_text(encoding="utf-8")
    assert internal_words_of_page(page) == set()


def test_what_has_no_meaning_is_refused_with_code_2(rdsim: Rdsim, tmp_path: Path, tiny: Path) -> None:
    folder = stated(tmp_path / "k", KNAPSACK)
    ran = rdsim("frontier", "--problem", folder, "--replications", "5", "--set", "a=1", "--out", tmp_path / "a")
    assert (ran.code, ran.err.count("has no meaning for a problem")) == (2, 2)
    ran = rdsim("ladder", tiny, "--families", "budget")
    assert (ran.code, "has a meaning of a stated problem alone" in ran.err) == (2, True)
    ran = rdsim("ladder", tiny, "--problem", folder)
    assert (ran.code, "either a scenario or a problem" in ran.err) == (2, True)
    assert rdsim("frontier").code == 2


def test_the_terminal_tells_what_the_samples_say(rdsim: Rdsim, tmp_path: Path) -> None:
    folder = stated(tmp_path / "t", SAMPLED, problem_toml='[risk]\ntarget = 8.0\naim = "probability"\n')
    ran = rdsim("optimise", "--problem", folder, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "the target is reached in 50.00% of them, which is the most there can be" in ran.out
    record = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["risk"]
    assert record["probability"] == record["probability_at_most"] == pytest.approx(3 / 6)


def test_what_is_asked_of_the_samples_and_cannot_be_is_told(rdsim: Rdsim, tmp_path: Path) -> None:
    folder = stated(tmp_path / "n", SAMPLED, problem_toml="[risk]\nfloor = 100.0\n")
    ran = rdsim("optimise", "--problem", folder, "--out", tmp_path / "out")
    assert ran.code == 3
    assert "what is asked of the samples" in ran.err


# --- rows by sample -------------------------------------------------------------------------------

USES = "row,a,b,c\n" + "".join(
    f"room,{a},{b},{c}\n" for a, b, c in [(2, 2, 1), (3, 2, 1), (2, 1, 0), (1, 2, 2), (2, 4, 1), (2, 2, 1)]
)


@pytest.mark.parametrize(("holds", "level"), [("always", ""), ("quantile", "0.8"), ("expected", "")])
def test_a_row_may_hold_sample_by_sample(tmp_path: Path, holds: str, level: str) -> None:
    rows = f"row,cap,holds,level\nroom,3,{holds},{level}\n"
    files = {"options.csv": "option\na\nb\nc\n", "rows.csv": rows, "samples.csv": SAMPLES, "sampled_uses.csv": USES}
    found, _ = solve_statement(read_statement(stated(tmp_path / "u", files)), EXACT)
    uses = np.array([[float(cell) for cell in line.split(",")[1:]] for line in USES.splitlines()[1:]])
    values = np.array(LINES, float)

    def fits(one: tuple[int, ...]) -> bool:
        used = uses[:, list(one)].sum(axis=1)
        if holds == "expected":
            return bool(used.mean() <= 3 + 1e-9)
        return bool((used <= 3 + 1e-9).mean() >= (float(level) if level else 1.0))

    every = portfolios(values, np.zeros(3), 0.0)
    assert found.objective == pytest.approx(max(values[:, list(one)].sum(axis=1).mean() for one in every if fits(one)))


def test_faults_of_rows_by_sample_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "options.csv": "option,other\na,1\nb,1\nc,1\n",
        "rows.csv": "row,cap,sense,holds,level\nroom,3,>=,always,0.5\nother,1,,always,\n",
        "samples.csv": SAMPLES,
        "sampled_uses.csv": "row,a,b,c\nroom,1,1,x\nrom,1,1,1\n",
    }
    with pytest.raises(ProblemError) as caught:
        read_statement(stated(tmp_path / "u", files))
    assert [fault.where for fault in caught.value.faults] == [
        "sampled_uses.csv, row 2, column c",
        "sampled_uses.csv, row 3, column row",
        "rows.csv, row 2, column level",
        "rows.csv, row 2, column sense",
        "sampled_uses.csv, column row",
        "rows.csv, row 3, column holds",
    ]
