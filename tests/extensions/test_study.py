"""A study of one's own in one file: its command, parameters, folder and page; nothing in rdsim knows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from rdsim import plugins, studies
from rdsim.domain import Choice, Portfolio
from rdsim.errors import ExtensionError, InputError
from rdsim.report import Page
from rdsim.results import Run, redraw, write
from rdsim.scenario import load
from rdsim.studies import QUESTIONS, Option, Question
from rdsim.studies.question import COMMANDS
from rdsim.study import Study
from tests.command import Ran
from tests.command import run as run_command
from tests.tiny import tiny_folder

Rdsim = Callable[..., Ran]

FILE = '''
import pandas as pd

from rdsim import extend
from rdsim.report import Column, Plot, Section, Page, Table
from rdsim.simulation import replicate
from rdsim.study import Study

options = (
    extend.Option("months", 24, "How much later, at most.", lowest=12, highest=120),
    extend.Option("only", "", "A field; by default all."),
)


@extend.study("waiting", options=options)
def waiting(scenario, portfolio, replications, seed, months, only):
    """What waiting costs.

    The same projects, each planned so many months later.
    """
    rows = []
    for late in range(0, months + 1, 12):
        value = replicate(scenario, portfolio, replications=replications, seed=seed)["npv"].mean()
        rows.append((late, float(value) / (1 + scenario.discount_rate) ** (late / 12)))
    table = pd.DataFrame(rows, columns=["months", "worth"])
    lost = f"Waiting {months} months for {only or 'everything'} loses {rows[0][1] - rows[-1][1]:.2f}."
    x, y = ("months", "months later"), ("worth", "worth")
    plot = Plot("late", "What does waiting cost?", lost, "Means.", table, x, y)
    shown = Table("By delay", table, {"months": Column("Months", "count"), "worth": Column("Worth", "money")})
    page = Page("Waiting", scenario.title, [lost], [Section("How much?", [], [plot], [shown])])
    return Study(
        "waiting",
        scenario,
        seed,
        page,
        tables={"delays": table},
        record={"waiting": {"months": months}},
        portfolios={"own": portfolio},
        replications=replications,
    )
'''


@pytest.fixture(autouse=True)
def _own_again() -> Iterator[None]:
    """What a test registered is taken back."""
    yield
    for name in set(QUESTIONS) - QUESTIONS.built_in:
        QUESTIONS.unregister(name)


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The plug-in."""
    (tmp_path / "waiting.py").write_text(FILE, encoding="utf-8")
    return tmp_path / "waiting.py"


def chosen(folder: Path) -> Path:
    """A portfolio of one technology, as a file."""
    (folder / "mine.csv").write_text("technology,partner,mode,start_year\nT1,,domestic,2024\n", encoding="utf-8")
    return folder / "mine.csv"


def test_a_study_of_one_s_own_is_a_command_with_a_folder_and_a_page(
    rdsim: Rdsim, tiny: Path, file: Path, tmp_path: Path
) -> None:
    words = ("waiting", tiny, "--plugin", file, "--portfolio", chosen(tmp_path), "--replications", "6")
    said = rdsim(*words, "--months", "36", "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert "Waiting 36 months for everything loses" in said.out
    table = pd.read_csv(tmp_path / "run" / "delays.csv")
    assert table["months"].tolist() == [0, 12, 24, 36]
    assert table["worth"].abs().is_monotonic_decreasing
    assert (tmp_path / "run" / "portfolios" / "own.csv").exists()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["study"], manifest["waiting"], manifest["replications"]) == ("waiting", {"months": 36}, 6)
    assert manifest["plugins"][0]["file"] == str(file)
    assert manifest["command"][:2] == ["rdsim", "waiting"]
    assert "36" in manifest["command"]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert all(text in page for text in ("What does waiting cost?", "By delay", "A tiny scenario for tests"))
    (tmp_path / "run" / "report.html").unlink()
    assert redraw(tmp_path / "run").drawn
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8").count(
        "What does waiting cost?"
    ) == page.count("What does waiting cost?")


@pytest.mark.parametrize(
    ("words", "says"),
    [(("--months", "6"), "equal to 12"), (("--months", "many"), "integer"), (("--month", "24"), "--months")],
)
def test_parameters_that_cannot_be_are_refused(
    words: tuple[str, ...], says: str, rdsim: Rdsim, tiny: Path, file: Path
) -> None:
    said = rdsim("waiting", tiny, "--plugin", file, *words)
    assert said.code == 2
    assert says in said.err


def test_commands_of_plugins_are_listed_once_their_file_is_named(rdsim: Rdsim, file: Path) -> None:
    said = rdsim("--plugin", file, "--help")
    assert (said.code, "What waiting costs." in said.out) == (0, True)
    assert "How much later, at most." in rdsim(f"--plugin={file}", "waiting", "--help").out
    said = rdsim("waitin", "--plugin", file)
    assert (said.code, "Did you mean 'waiting'?" in said.err) == (2, True)
    QUESTIONS.unregister("waiting")
    said = rdsim("waiting", "somewhere")
    assert said.code == 2
    assert "If it is a plug-in's: --plugin FILE." in said.err
    assert "What waiting costs." not in rdsim("--help").out


def test_from_python_it_is_asked_by_its_name(tiny: Path, file: Path, tmp_path: Path) -> None:
    plugins.load([file])
    world = load(tiny)
    mine = Portfolio((Choice("T1", "domestic", "", 2024),))
    study = studies.ask("waiting", world, mine, studies.StudySettings(replications=4, seed=3), months=12, only="chip")
    assert study.tables["delays"]["months"].tolist() == [0, 12]
    assert study.lines[0].startswith("Waiting 12 months for chip")
    assert write(study, Run(tmp_path / "run")).drawn
    with pytest.raises(InputError, match="at least 12 and at most 120"):
        studies.ask("waiting", world, mine, months=6)
    with pytest.raises(InputError, match="must be one of months, only"):
        studies.ask("waiting", world, mine, month=12)
    with pytest.raises(InputError, match="Did you mean 'waiting'"):
        studies.ask("wating", world)


# --- what cannot be registered, or come back --------------------------------------------------------


def answering(found: object) -> Question:
    """A question whose function comes back with this."""
    return Question(lambda: found)


def test_questions_that_cannot_be_are_refused_with_every_fault() -> None:
    def odd(scenario: object, weather: object) -> None: ...

    with pytest.raises(ExtensionError) as caught:
        QUESTIONS.register("plan", Question(odd, "", (Option("x-y", 1), Option("n", 0, lowest=1), Option("n"))))
    told = str(caught.value)
    assert all(part in told for part in ("a command of rdsim's", "'x-y'", "at least 1", "'weather'", "say its kind"))
    with pytest.raises(ExtensionError, match="came with rdsim"):
        QUESTIONS.register("frontier", answering(None))
    QUESTIONS.register("mine", answering(None))
    with pytest.raises(ExtensionError, match="a name in use"):
        QUESTIONS.register("mine", Question(lambda scenario: None))
    QUESTIONS.register("mine", Question(lambda scenario: None), replace=True)


def test_what_no_folder_could_hold_is_refused(tmp_path: Path) -> None:
    world, page = load(tiny_folder(tmp_path / "tiny")), Page("A", "B", ["C."], [])
    table, chosen = pd.DataFrame({"x": [1]}), Portfolio(())
    tables, record = {"a/b": table, "portfolio": table, "fine": table}, {"scenario": 1, "own": 2}
    bad = Study("any", world, 1, page, tables, record, {"../up": chosen}, parquet=frozenset({"none"}))
    QUESTIONS.register("bad", answering(bad))
    QUESTIONS.register("text", answering("a text"))
    QUESTIONS.register("told", answering(Study("any", world, 1, page, record={"solver": "highs"})))
    with pytest.raises(ExtensionError) as caught:
        studies.ask("bad", world)
    assert [part in str(caught.value) for part in ("a/b", "'portfolio'", "../up", "'none'", "'scenario'")] == [True] * 5
    assert "'fine'" not in str(caught.value)
    for name, says in (("text", "Found: str"), ("told", "record, solver")):
        with pytest.raises(ExtensionError, match=says):
            studies.ask(name, world)


def test_a_function_that_fails_is_named_and_no_defect_of_rdsim(rdsim: Rdsim, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "from rdsim import studies\nstudies.QUESTIONS.register('odd', studies.Question(lambda scenario: 1 / 0))",
        encoding="utf-8",
    )
    said = rdsim("odd", tiny, "--plugin", tmp_path / "bad.py", "--out", tmp_path / "run")
    assert said.code == 2
    assert "study 'odd': must run without an error. Found: ZeroDivisionError" in said.err
    assert not (tmp_path / "run").exists()


# --- those that came with rdsim ---------------------------------------------------------------------


def test_commands_of_rdsim_are_reserved_and_questions_show_what_they_use(rdsim: Rdsim) -> None:
    from rdsim.cli import app  # noqa: PLC0415

    named = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    assert {*named, *(one.name for one in app.registered_groups)} == set(COMMANDS)
    assert QUESTIONS["ladder"].shared_options[:4] == ("portfolio", "out", "force", "seed")
    assert "replications" not in QUESTIONS["ladder"].shared_options
    quick = Question(lambda scenario: None)
    assert not {"solver", "samples", "portfolio", "replications"} & set(quick.shared_options)


def test_numbers_with_commas_and_words() -> None:
    ratios = Option("ratios", (1.0, 2.0))
    assert (ratios.default_text, ratios.value("0.5, 1"), ratios.value([2, 3])) == ("1,2", (0.5, 1.0), (2.0, 3.0))
    with pytest.raises(InputError) as caught:
        ratios.value("1,x,2,")
    assert [fault.found for fault in caught.value.faults] == ["'x'", "''"]
    assert Option("names", (), kind="words").value(["a", "b"]) == ("a", "b")
    for option, wrong in ((Option("n", 1), 1.5), (Option("n", 1), True), (Option("f", False), 1), (Option("t", ""), 3)):
        with pytest.raises(InputError):
            option.value(wrong)
