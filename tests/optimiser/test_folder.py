"""A problem as a folder: what is written reads as it was, what is wrong is named, spreadsheets' habits are accepted."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdsim.errors import OutputError, ProblemError
from rdsim.optimiser import (
    Groups,
    Labels,
    PartnerNetwork,
    PortfolioProblem,
    Rows,
    Rules,
    Solving,
    evaluate,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.problem.folder import describe, digest, read, read_statement, write
from rdsim.texts import invisible, tidy
from tests.optimiser.small import FAMILIES, build, draw

OPTIONS = "option,value,weight\ntent,6,1\nstove,10,2\nboat,12,3\n"
ROWS = "row,cap\nweight,5\n"
Fold = Callable[..., Path]


@pytest.fixture
def fold(tmp_path: Path) -> Fold:
    """Writes files into a folder: name of the table (or of problem.toml) -> text or bytes."""

    def make(name: str = "case", /, **files: str | bytes) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for table, text in files.items():
            file = folder / ("problem.toml" if table == "toml" else f"{table}.csv")
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return make


def facts(problem: PortfolioProblem) -> dict[str, Any]:
    """Everything that a problem is, as values that can be compared; orders without a meaning are sorted."""
    rows = problem.rows
    plain = {
        name: getattr(problem, name).tolist()
        for name in ("group", "exactly_one", "values", "stage", "opening_value", "prerequisites")
    }
    names = {
        name: getattr(problem, name)
        for name in ("option_names", "group_names", "partner_names", "stage_names", "synergies")
    }
    fixed = {name: sorted(getattr(problem, name)) for name in vars(problem) if name.startswith("fixed_")}
    return {
        **plain,
        **names,
        **fixed,
        "exclusions": [groups for groups in problem.exclusions if groups],
        "partners": problem.partners.toarray().tolist(),
        "rows": (rows.names, rows.family, rows.sense, rows.cap.tolist(), repr(rows.shortfall_price.tolist())),
        "uses": (rows.use.toarray().tolist(), rows.opening_use.toarray().tolist()),
        "carry": sorted(rows.carry),
    }


def again(problem: PortfolioProblem, *, minimise: bool = False) -> PortfolioProblem:
    """Written and read."""
    with tempfile.TemporaryDirectory() as base:
        write(problem, Path(base) / "it", minimise=minimise)
        return read(Path(base) / "it")


# ---------------------------------------------------------------- there and back


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), families=st.sets(st.sampled_from(FAMILIES)), minimise=st.booleans())
def test_what_is_written_reads_as_it_was(seed: int, families: set[str], minimise: bool) -> None:
    problem = build(draw(seed), families)
    assert facts(again(problem, minimise=minimise)) == facts(problem)


NAME = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="|"), min_size=1).filter(
    lambda name: name == tidy(name).strip() and not invisible(name) and name != "s0"
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def names(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(NAME, min_size=count, max_size=count, unique=True)


@st.composite
def any_problem(draw: st.DrawFn) -> PortfolioProblem:
    """Any names, any numbers, any shape: empty groups and unused partners, chains, samples."""
    options, groups, partners = draw(st.integers(0, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 3))
    stages, count, samples = draw(st.integers(1, 3)), draw(st.integers(0, 3)), draw(st.integers(0, 2))

    def matrix(rows: int, columns: int, kind: Any = NUMBER) -> np.ndarray:
        flat = draw(st.lists(kind | st.just(0), min_size=rows * columns, max_size=rows * columns))
        return np.array(flat, dtype=float).reshape(rows, columns)

    def several(size: int) -> list[int]:
        return draw(st.lists(st.integers(0, size - 1), unique=True)) if size else []

    soft = [draw(st.none() | st.floats(0, 1e300)) for _ in range(count)]
    hard = [row for row in range(count) if soft[row] is None]
    kinds = [draw(st.sampled_from(["<=", ">=", "=="])) if soft[row] is not None else "<=" for row in range(count)]
    inside, chosen = several(groups), several(options)
    pairs = [(a, b) for a in range(groups) for b in range(groups) if a != b]
    some_pairs = draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []
    allowed = NAME.filter(lambda name: name != "sample" and not set(name) & set("[]")) if samples else NAME
    return state_problem(
        matrix(samples, options) if samples else matrix(1, options)[0],
        option_names=draw(st.lists(allowed, min_size=options, max_size=options, unique=True)),
        groups=Groups(
            of=[draw(st.integers(0, groups - 1)) for _ in range(options)],
            names=draw(names(groups)),
            exactly_one=[draw(st.booleans()) for _ in range(groups)],
        ),
        network=PartnerNetwork(
            partners=matrix(options, partners, st.just(1)).astype(bool),
            partner_names=draw(names(partners)),
            stage=[draw(st.integers(0, stages - 1)) for _ in range(options)],
            stage_names=draw(names(stages)),
            opening_value=matrix(partners, stages),
        ),
        rows=state_rows(
            matrix(count, options),
            [draw(NUMBER) for _ in range(count)],
            sense=kinds,
            labels=Labels(names=draw(names(count)), family=draw(st.lists(NAME, min_size=count, max_size=count))),
            opening_use=matrix(count, partners * stages) if partners else None,
            shortfall_price=[np.nan if price is None else price for price in soft],
            carry=[(a, b, draw(st.floats(0, 1))) for a, b in itertools.pairwise(hard)],
        ),
        rules=Rules(
            prerequisites=some_pairs,
            exclusions=[groups_ for groups_ in (several(groups), several(groups)) if groups_],
            synergies=[(a, b, draw(NUMBER)) for a, b in some_pairs],
            fixed_in_groups=inside,
            fixed_out_groups=[group for group in several(groups) if group not in inside],
            fixed_in_options=chosen,
            fixed_out_options=[option for option in several(options) if option not in chosen],
        ),
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(problem=any_problem(), minimise=st.booleans())
def test_any_names_and_numbers_survive(problem: PortfolioProblem, minimise: bool) -> None:
    assert facts(again(problem, minimise=minimise)) == facts(problem)


def test_a_knapsack_written_by_a_program_is_two_tables(tmp_path: Path) -> None:
    problem = state_problem(
        [6.0, 10, 12],
        option_names=["tent", "stove", "boat"],
        groups=Groups(names=["tent", "stove", "boat"]),
        rows=state_rows([[1, 2, 3]], [5], labels=Labels(names=["weight"])),
    )
    write(problem, tmp_path / "knapsack", name="hike")
    files = {path.name: path.read_text() for path in (tmp_path / "knapsack").iterdir()}
    assert files == {
        "problem.toml": 'name = "hike"\nsense = "maximise"\n',
        "options.csv": OPTIONS,
        "rows.csv": "row,family,sense,cap\nweight,row,at most,5\n",
    }


def test_the_digest_is_blind_to_the_form_and_sees_the_content(fold: Fold) -> None:
    plain = digest(read_statement(fold("a", options=OPTIONS, rows=ROWS)))
    other = fold(
        "b",
        options="option;value\ntent;6\nstove;10\nboat;12\n",
        rows="row;cap\r\nweight;5,0\r\n",
        uses="row,option,amount\nweight,boat,3\nweight,tent,1\nweight,stove,2\n",
    )
    assert digest(read_statement(other)) == plain
    assert digest(read_statement(fold("c", options=OPTIONS, rows=ROWS.replace("5", "6")))) != plain


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"option_names": ("a ", "b", "c")}, "option_names"),
        ({"option_names": ("a\nb", "b", "c")}, "option_names"),
        ({"option_names": ("", "b", "c")}, "option_names"),
        ({"group_names": ("\t", "b", "c")}, "group_names"),
        ({"partner_names": ("US|TW",)}, "names"),
        ({"values": np.ones((2, 3)), "option_names": ("a [x]", "b", "c")}, "option_names"),
        ({"values": np.ones((2, 3)), "option_names": ("sample", "b", "c")}, "option_names"),
    ],
    ids=str,
)
def test_a_name_that_would_not_come_back_is_refused(tmp_path: Path, change: dict[str, Any], where: str) -> None:
    problem = state_problem([1.0, 2, 3], network=PartnerNetwork(partners=[0, -1, -1]))
    with pytest.raises(ProblemError) as caught:
        write(replace(problem, **change), tmp_path / "it")
    assert {fault.where for fault in caught.value.faults} == {where}
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_is_not_written_into(tmp_path: Path) -> None:
    problem = state_problem([1.0])
    write(problem, tmp_path / "it")
    with pytest.raises(OutputError):
        write(problem, tmp_path / "it")
    with pytest.raises(OutputError):
        write(problem, tmp_path / "it" / "options.csv")
    (tmp_path / "empty").mkdir()
    write(problem, tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "it"]


# ---------------------------------------------------------------- what a researcher writes


def test_two_files_are_enough(fold: Fold) -> None:
    problem = read(fold(options=OPTIONS, rows=ROWS))
    assert problem.group_names == problem.option_names == ("tent", "stove", "boat")
    assert [problem.option_names[o] for o in solve(problem, Solving(gap=0)).chosen] == ["stove", "boat"]


def test_options_alone_are_a_problem(fold: Fold) -> None:
    assert solve(read(fold(options="option,value\na,1\nb,-1\n")), solving=Solving(gap=0)).chosen == (0,)


@pytest.mark.parametrize(
    "options",
    [
        b"\xef\xbb\xbf" + OPTIONS.encode(),
        OPTIONS.replace("\n", "\r\n").encode(),
        OPTIONS.replace("\n", "\r").encode(),
        OPTIONS.replace(",", ";").encode(),
        OPTIONS.replace(",", "\t").encode(),
        OPTIONS.replace("value", "value [billion KRW]").replace("weight", "weight [kg]").encode(),
        OPTIONS.replace("6,1", "6.0,1e0").encode(),
        OPTIONS.replace(",", ";").replace("6;1", "6,0;1,0").encode(),
        (OPTIONS + ",,\n\n").encode(),
    ],
    ids=["bom", "crlf", "cr", "semicolons", "tabs", "units", "decimals", "decimal commas", "empty lines"],
)
def test_spreadsheets_habits_are_accepted(fold: Fold, options: bytes) -> None:
    assert facts(read(fold("a", options=options, rows=ROWS))) == facts(read(fold("b", options=OPTIONS, rows=ROWS)))


def test_korean_names(fold: Fold) -> None:
    folder = fold(
        options="option,value,group,partners,예산 2024\n양자컴퓨터,5,양자,대만|미국,3\n"
        "양자통신,4,양자,,2\n로봇,3,로봇,미국,4\n",
        rows="row,cap\n예산 2024,6\n",
        partners="partner,value,capacity\n미국,-1,1\n대만,0,\n",
    )
    problem = read(folder)
    assert problem.partner_names == ("미국", "대만")
    assert problem.rows.names == ("예산 2024", "capacity 미국")
    solution = solve(problem, Solving(gap=0))
    assert [problem.option_names[o] for o in solution.chosen] == ["양자통신", "로봇"]
    assert solution.opened == {0: 0}


def test_a_row_may_be_called_cost(fold: Fold) -> None:
    problem = read(fold(options="option,value,cost\na,3,2\nb,2,2\n", rows="row,cap\ncost,3\n"))
    assert problem.rows.use.toarray().tolist() == [[2.0, 2.0]]
    assert solve(problem, Solving(gap=0)).objective == 3


def test_minimisation_prints_costs(fold: Fold) -> None:
    folder = fold(
        toml='name = "cover"\nsense = "minimise"\nunit = "won"\n',
        options="option,cost,north,south\na,3,1,\nb,4,,1\nc,6,1,1\n",
        rows="row,cap,sense\nnorth,1,at least\nsouth,1,>=\n",
        links="group,link,with,cost\na,synergy,b,-2\n",
    )
    posed = read_statement(folder)
    solution = solve(posed.problem, Solving(gap=0))
    assert solution.objective == -5
    assert solution.chosen == (0, 1)
    assert "objective 5, at least 5 won" in describe(posed, solution)


def test_openings_by_stage_and_use(fold: Fold) -> None:
    """The hand-worked world of test_problem, stated by tables."""
    folder = fold(
        options="option,value,partners,stage,budget 1,budget 2,wanted\n"
        "A,20,p0,1,3,,1\nB,30,p0|p1,2,2,2,1\nC,40,,2,,6,1\n",
        rows="row,cap,sense,shortfall_price,carry_to,carry_rate\n"
        "budget 1,4,,,budget 2,0.5\nbudget 2,5,at most,,,\nwanted,2,at least,10,,\n",
        openings="partner,stage,value,budget 1,budget 2\np0,1,-5,1,\np0,2,-4,,1\np1,1,-3,,\np1,2,-2,,\n",
        links="group,link,with,value\nA,synergy,C,7\nB,synergy,C,-6\nB,needs,A,\n",
    )
    problem = read(folder)
    assert problem.stage_names == ("1", "2")
    judged = evaluate(problem, [0, 1])
    assert (judged.opened, judged.activity.tolist(), judged.objective) == ({0: 0, 1: 1}, [6.0, 2.0, 2.0], 43.0)
    late = evaluate(problem, [2])
    assert (late.room.tolist(), late.objective) == ([4.0, 7.0, 2.0], 30.0)


def test_a_cell_of_uses_without_a_stage_holds_for_every_stage(fold: Fold) -> None:
    folder = fold(
        options="option,value,partners,stage\nA,2,p,2025\nB,3,p,2024\nC,1,q,2024\n",
        rows="row,cap\nmoney,9\n",
        uses="row,partner,stage,amount\nmoney,p,,4\nmoney,q,2025,7\n",
    )
    problem = read(folder)
    assert problem.stage_names == ("2024", "2025")
    assert problem.rows.opening_use.toarray().tolist() == [[4, 4, 0, 7]]


def test_capacity_counts_loads_and_one_where_none_is_given(fold: Fold) -> None:
    problem = read(
        fold(
            options="option,value,partners,load\na,1,US|TW,2.5\nb,1,US,\nc,1,,9\n",
            partners="partner,capacity\nTW,\nUS,3\n",
        )
    )
    assert problem.rows.names == ("capacity US",)
    assert problem.rows.use.toarray().tolist() == [[2.5, 1.0, 0.0]]
    assert problem.partners.toarray().tolist() == [[True, True], [False, True], [False, False]]


def test_samples_take_the_place_of_values(fold: Fold) -> None:
    folder = fold(options="option\na\nb\n", samples="sample,b,a\n1,4,1\n2,0,3\n")
    assert read(folder).values.tolist() == [[1, 4], [3, 0]]


def test_links_groups_and_fixed(fold: Fold) -> None:
    problem = read(
        fold(
            toml='choice = "exactly one"\n',
            options="option,value,group,fixed\na1,1,A,\na2,2,A,out\nb,3,B,\nc,4,C,in\nd,5,D,\n",
            groups="group,choice,fixed\nA,,\nB,at most one,out\nC,,\nD,At Most One,in\n",
            links="group,link,with\nA,needs,B|C\nA,excludes,C|D\nB,at most one,C|D\nD,at most one,\n",
        )
    )
    assert problem.exactly_one.tolist() == [True, False, True, False]
    assert problem.prerequisites.tolist() == [[0, 1], [0, 2]]
    assert problem.exclusions == ((0, 2), (0, 3), (1, 2, 3), (3,))
    assert (problem.fixed_in_groups, problem.fixed_out_groups) == ((3,), (1,))
    assert (problem.fixed_in_options, problem.fixed_out_options) == ((3,), (1,))


def test_stages_in_words_are_listed_in_order_of_time(fold: Fold) -> None:
    options = "option,value,stage\na,1,late\nb,1,early\n"
    with pytest.raises(ProblemError, match="order of time"):
        read(fold("a", options=options))
    assert read(fold("b", options=options, toml='stages = ["early", "late"]')).stage.tolist() == [1, 0]
    numbers = read(fold("c", options="option,value,stage\na,1,10\nb,1,9\n"))
    assert (numbers.stage_names, numbers.stage.tolist()) == (("9", "10"), [1, 0])


# ---------------------------------------------------------------- what is wrong

GOOD = {"options": OPTIONS, "rows": ROWS}
WRONG: dict[str, tuple[dict[str, str], list[str]]] = {
    "no options": ({"options": ""}, ["options.csv: the file must not be empty"]),
    "a value in words": (
        {"options": OPTIONS.replace("10", "ten")},
        ["options.csv, row 3, column value: must be a finite number. Found: 'ten'."],
    ),
    "thousands": ({"rows": 'row,cap\nweight,"1,000"\n'}, ["rows.csv, row 2, column cap", "Write 1000"]),
    "an endless number": ({"rows": "row,cap\nweight,1e999\n"}, ["column cap: must be a finite number"]),
    "no value": ({"options": OPTIONS.replace("6", "")}, ["options.csv, row 2, column value", "an empty cell"]),
    "a cost under maximise": (
        {"options": OPTIONS.replace("value", "cost")},
        ["column cost: unknown column. With sense maximise the column is called value", "column value: the column is"],
    ),
    "a row that is not there": (
        {"options": OPTIONS.replace("weight", "wieght")},
        ["options.csv, row 1, column wieght: unknown column. Did you mean 'weight'?"],
    ),
    "an option twice": (
        {"options": OPTIONS.replace("boat", "tent")},
        ["options.csv, row 4, column option: must be unique. Found: 'tent', as in row 2."],
    ),
    "an option without a name": ({"options": OPTIONS.replace("boat", "")}, ["row 4, column option: must have a name"]),
    "no cap column": ({"rows": "row\nweight\n"}, ["rows.csv, row 1, column cap: the column is required"]),
    "no cap": ({"rows": "row,cap\nweight,\n"}, ["rows.csv, row 2, column cap: must be a number"]),
    "a sense": ({"rows": "row,cap,sense\nweight,5,at moost\n"}, ["column sense", "Did you mean 'at most'?"]),
    "a price below 0": ({"rows": "row,cap,shortfall_price\nweight,5,-1\n"}, ["column shortfall_price: must be 0 or"]),
    "a carry to nowhere": (
        {"rows": "row,cap,carry_to\nweight,5,wait\n"},
        ["column carry_to: must name a row. Found: 'wait'."],
    ),
    "a rate without a carry": ({"rows": "row,cap,carry_rate\nweight,5,1\n"}, ["column carry_rate: needs a carry_to"]),
    "a rate below 0": (
        {"rows": "row,cap,carry_to,carry_rate\nweight,5,b,-1\nb,1,,\n"},
        ["column carry_rate: must be 0 or more"],
    ),
    "a carry in a circle": (
        {"rows": "row,cap,carry_to\nweight,5,b\nb,1,weight\n"},
        ["row 2, column carry_to: money must not be carried in a circle", "row 3, column carry_to"],
    ),
    "a carry of a floor": (
        {"rows": "row,cap,sense,carry_to\nweight,5,at least,b\nb,1,,\n"},
        ["only 'at most' rows without a shortfall_price carry over: weight is not one"],
    ),
    "a carry from two rows": (
        {"rows": "row,cap,carry_to\nweight,5,b\nc,5,b\nb,1,\n"},
        ["row 2, column carry_to: a row may be carried to from one row", "row 3, column carry_to"],
    ),
    "uses that name nothing": (
        {"uses": "row,option,amount\nweigth,tent,1\nweight,tant,1\nweight,,1\n"},
        ["uses.csv, row 2, column row", "Did you mean 'weight'?", "row 3, column option", "row 4, column option"],
    ),
    "a use twice": ({"uses": "row,option,amount\nweight,tent,1\n"}, ["uses.csv, row 2, column option: a use must be"]),
    "a group that is not listed": (
        {
            "options": OPTIONS.replace("tent,6,1", "tent,6,1,T1")
            .replace("weight\n", "weight,group\n")
            .replace("2\n", "2,\n")
            .replace("3\n", "3,\n"),
            "groups": "group\nT01\n",
        },
        ["options.csv, row 2, column group: must be a group that groups.csv lists. Found: 'T1'. Did you mean 'T01'?"],
    ),
    "a group called as a lone option": (
        {"options": "option,value,group\na,1,\nb,1,a\n", "rows": "row,cap\n"},
        ["options.csv, row 3, column group: must not be the name of an option without a group"],
    ),
    "a partner that is not listed": (
        {"options": "option,value,partners\na,1,US|TW\n", "partners": "partner\nUS\n", "rows": "row,cap\n"},
        ["options.csv, row 2, column partners: must name a partner that partners.csv lists. Found: 'TW'."],
    ),
    "a load without a capacity": (
        {"options": "option,value,load\na,1,2\n", "rows": "row,cap\n"},
        ["options.csv, row 1, column load: needs a capacity in partners.csv"],
    ),
    "an opening twice": (
        {
            "options": "option,value,partners\na,1,US\n",
            "rows": "row,cap\n",
            "partners": "partner,value\nUS,-1\n",
            "openings": "partner,stage,value\nUS,,-2\n",
        },
        ["openings.csv, row 2, column partner: what opening it is worth and uses must be stated once"],
    ),
    "an opening of nobody": (
        {"openings": "partner,stage,value\nUS,,-2\n"},
        ["openings.csv, row 2, column partner: must name a partner. Found: 'US'."],
    ),
    "links": (
        {
            "links": "group,link,with,value\ntent,nedes,boat,\ntent,needs,tent,\ntent,excludes,bat,\n"
            "tent,synergy,boat,\n,needs,boat,\ntent,,boat,\ntent,needs,boat,3\n"
        },
        [
            "links.csv, row 2, column link",
            "Did you mean 'needs'?",
            "row 3, column with: must name other groups",
            "row 4, column with: must name a group. Found: 'bat'. Did you mean 'boat'?",
            "row 5, column value: must be a number. Found: an empty cell.",
            "row 6, column group: must name a group. Found: an empty cell.",
            "row 7, column link: must be one of needs",
            "row 8, column value: only a synergy has one",
        ],
    ),
    "a synergy without a column": (
        {"links": "group,link,with\ntent,synergy,boat\n"},
        ["links.csv, row 2, column value: a synergy must have one"],
    ),
    "fixed in words": (
        {"options": "option,value,fixed\na,1,yes\n", "rows": "row,cap\n"},
        ["options.csv, row 2, column fixed: must be one of in, out. Found: 'yes'."],
    ),
    "samples and values": (
        {"samples": "tent,stove,bot\n1,2,3\n1,,3\n"},
        [
            "options.csv, row 1, column value: must be left out",
            "samples.csv, row 1, column bot: unknown column. Did you mean 'boat'?",
            "samples.csv, row 1, column boat: every option must have a column",
            "samples.csv, row 3, column stove: must be a number. Found: an empty cell.",
        ],
    ),
    "no sample": ({"samples": "tent,stove,boat\n"}, ["samples.csv: must hold a sample at least"]),
    "settings": (
        {"toml": 'sense = "up"\nnaem = "x"\nunit = 3\nchoice = "any"\nstages = ["a", "a"]'},
        [
            "problem.toml, sense: must be maximise or minimise. Found: 'up'.",
            "problem.toml, naem: unknown setting. Did you mean 'name'?",
            "problem.toml, unit: must be text in quotes. Found: 3.",
            "problem.toml, choice: must be one of at most one, exactly one",
            "problem.toml, stages: must name each stage once. Found: 'a'.",
        ],
    ),
    "no stages": ({"toml": "stages = []"}, ["problem.toml, stages: must name a stage at least"]),
    "no TOML": ({"toml": "sense = maximise"}, ["problem.toml: must be valid TOML"]),
    "a stage that is not listed": (
        {"toml": 'stages = ["early", "late"]', "options": "option,value,stage\na,1,erly\nb,1,\n", "rows": "row,cap\n"},
        [
            "options.csv, row 2, column stage: must name a stage. Found: 'erly'. Did you mean 'early'?",
            "row 3, column stage",
        ],
    ),
    "a table nearly named": (
        {"group": "group\nA\n"},
        ["groups.csv: a table is read only under its own name"],
    ),
    "a row with the name of a column": (
        {"rows": "row,cap\nweight,5\nstage,2\n", "options": "option,value,weight,stage\na,1,1,1\n"},
        ["rows.csv, row 3, column row: is the name of a column with another meaning in options.csv"],
    ),
    "a capacity and its row": (
        {
            "options": "option,value,partners\na,1,US\n",
            "partners": "partner,capacity\nUS,1\n",
            "rows": "row,cap\ncapacity US,1\n",
        },
        ["partners.csv, row 2, column capacity: its row must not be in rows.csv as well"],
    ),
    "another encoding": ({"options": OPTIONS.encode("utf-16")}, ["options.csv: must be UTF-8 text"]),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", WRONG)
def test_every_fault_is_named_with_file_row_and_column(fold: Fold, name: str) -> None:
    files, expected = WRONG[name]
    with pytest.raises(ProblemError) as caught:
        read(fold(**(GOOD | files)))
    said = str(caught.value)
    for words in expected:
        assert words in said
    named = sum(".csv" in words or ".toml" in words or words.startswith("row ") for words in expected)
    assert len(caught.value.faults) >= named


def test_faults_of_all_files_come_at_once(fold: Fold) -> None:
    with pytest.raises(ProblemError) as caught:
        read(fold(options=OPTIONS.replace("10", "x"), rows="row,cap,sense\nweight,y,z\n", toml="unit = 1\n"))
    assert sorted(fault.where for fault in caught.value.faults) == [
        "options.csv, row 3, column value",
        "problem.toml, unit",
        "rows.csv, row 2, column cap",
        "rows.csv, row 2, column sense",
    ]


def test_a_broken_table_is_not_blamed_twice(fold: Fold) -> None:
    """Without a readable rows.csv nothing is said about columns that may be rows."""
    with pytest.raises(ProblemError) as caught:
        read(fold(options=OPTIONS, rows=b"\xff\xfe\x00"))
    assert [fault.where for fault in caught.value.faults] == ["rows.csv"]


@pytest.mark.parametrize("made", ["nothing", "file"])
def test_no_folder(tmp_path: Path, made: str) -> None:
    if made == "file":
        (tmp_path / "it").write_text("x")
    with pytest.raises(ProblemError, match="must be a folder"):
        read(tmp_path / "it")


def test_an_empty_folder(fold: Fold) -> None:
    with pytest.raises(ProblemError, match=r"options\.csv: the file is required"):
        read(fold())


def test_rows_are_what_they_were(fold: Fold) -> None:
    rows: Rows = read(fold(**GOOD)).rows
    assert (rows.family, rows.sense, rows.cap.tolist(), rows.use.toarray().tolist()) == (
        ("row",),
        ("<=",),
        [5.0],
        [[1, 2, 3]],
    )
