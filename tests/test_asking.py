"""Questions asked of a plan, with it or later: each has a place in its run and a section of its page; none is lost."""

from __future__ import annotations

import html
import itertools
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from rdsim import asking, cli, overview, results, studies
from rdsim.errors import InputError, SolverError
from rdsim.folders import claim, kept_answers, read_manifest
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.report.page.html import visible_text
from rdsim.study import Study
from tests.command import Ran, quietly
from tests.command import run as run_command
from tests.tiny import tiny_folder
from tests.visible import internal_words, internal_words_of_page

Rdsim = Callable[..., Ran]
QUICK = ("--one-shot", "--brief-page", "--replications", "8", "--set", "optimiser.samples=20", "--seed", "3")


class Outline(HTMLParser):
    """Of a page: levels of headings in their order, links, and ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.levels, self.links, self.ids = list[int](), list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "a":
            self.links.append(str(told.get("href")))
        if told.get("id"):
            self.ids.append(str(told["id"]))


TABLE = pd.DataFrame({"x": range(12), "y": [1.5 * one for one in range(12)]})


def quick(scenario: Any, given: Any, seed: int) -> Study:
    """A question that is answered at once, with all that a page may show."""
    whose = f"This speaks of {given.source}."
    plot = Plot("it", "What is it?", "It is so.", "Read it.", TABLE, ("x", "x"), ("y", "y"))
    table = Table("Twelve", TABLE, {"x": Column("X", "count"), "y": Column("Y", "money")})
    section = Section("One", ["One more.", "And one."], [plot, replace(plot, key="other")], [table, table])
    page = Page("Quick question", scenario.title, [whose, *(f"Number {one}." for one in range(4))], [section])
    return Study("quick", scenario, seed, page, {"quick": TABLE}, {"subject": {"words": whose}})


def failing(given: Any) -> Study:
    """One that fails."""
    raise SolverError("highs", "it lost its way")


def stopped(given: Any) -> Study:
    """One that is interrupted."""
    raise KeyboardInterrupt


@pytest.fixture(scope="module", autouse=True)
def questions() -> Iterator[None]:
    """Questions beside rdsim's own; of a plan's page only figures of answers are drawn, for the others take long."""
    made = {"quick": quick, "failing": failing, "stopped": stopped}
    for name, function in made.items():
        studies.QUESTIONS.register(name, studies.Question(function, name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rdsim.report.charts.plan.draw", lambda _report, _section: [])
        yield
    for name in made:
        studies.QUESTIONS.unregister(name)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, questions: None) -> Path:
    """A folder with a scenario and the run of its plan, which was asked two questions as it was made."""
    folder = tmp_path_factory.mktemp("desk")
    tiny_folder(folder / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert quietly("plan", "tiny", *QUICK, "--out", "run", "--with", "explain, quick,explain") == 0
    return folder


@pytest.fixture
def mine(desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the desk, where the command line is typed; its run."""
    shutil.copytree(desk, tmp_path / "desk")
    monkeypatch.chdir(tmp_path / "desk")
    return Path("run")


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def section(page: str, key: str) -> str:
    """What is seen of a section of a page."""
    return visible_text(re.search(rf'<section id="{key}">.*?</section>', page, re.DOTALL)[0])  # type: ignore[index]


# --- with the plan --------------------------------------------------------------------------------


def test_names_are_checked_all_at_once_before_anything_is_computed(rdsim: Rdsim, mine: Path) -> None:
    ran = rdsim("plan", "tiny", "--out", "other", "--with", "explane,ladder,payoff,,no such")
    assert ran.code == 2
    assert "4 faults" in ran.err
    assert "'explane'. Did you mean 'explain'?" in ran.err
    assert "'payoff'" in ran.err
    assert "rdsim payoff SCENARIO" in ran.err
    known = sorted(set(studies.QUESTIONS) - {"payoff"})
    assert f"'no such'. Known: {', '.join(known)}." in ran.err
    assert not Path("other").exists()


def test_the_questions_of_a_plan_are_those_that_are_given_a_portfolio() -> None:
    mine = {name for name in studies.QUESTIONS.built_in if asking.is_of_plans(studies.QUESTIONS[name])}
    assert mine == set(studies.QUESTIONS.built_in) - {"payoff"}
    assert asking.require_questions("ladder, explain,ladder") == ("ladder", "explain")
    with pytest.raises(InputError, match="must name questions about a plan"):
        asking.require_questions("")


def test_an_answer_is_a_run_of_its_own_about_this_plan(mine: Path) -> None:
    plan = manifest_of(mine)
    assert sorted(path.name for path in (mine / "answers").iterdir()) == ["explain", "quick"]
    for name in ("explain", "quick"):
        told = manifest_of(mine / "answers" / name)
        assert (told["study"], told["complete"], told["seed"]) == (name, True, 3)
        assert told["scenario"] == plan["scenario"]
        assert told["asked_of"] == {"portfolio": plan["files"]["portfolio.csv"]}
        assert told["command"] == ["rdsim", name, "run"]  # neither simulates, so replications say nothing
    told = manifest_of(mine / "answers" / "explain")
    assert (told["samples"], told["subject"]["source"]) == (20, "the plan of run")
    assert told["subject"]["rows_held_to"] == plan["promises"]["rows_held_to"]
    assert not any(name.startswith("answers/") for name in plan["files"])
    assert plan["complete"]


def test_a_question_asked_again_by_its_command_says_the_same(rdsim: Rdsim, mine: Path) -> None:
    ran = rdsim(*manifest_of(mine / "answers" / "explain")["command"][1:])
    assert ran.code == 0, ran.err
    assert f"written to {mine / 'answers' / 'explain-2'}; open" in ran.out
    assert f"{mine / 'report.html'} shows 3 answers" in ran.out
    first, second = (mine / "answers" / name for name in ("explain", "explain-2"))
    assert (first / "unfunded.csv").read_bytes() == (second / "unfunded.csv").read_bytes()
    assert {"answer-explain", "answer-explain-2"} <= set(Outline(page_of(mine)).ids)
    assert rdsim("quick", mine, "--force").code == 0
    assert sorted(path.name for path in (mine / "answers").iterdir()) == ["explain", "explain-2", "quick"]


def test_a_plans_page_is_drawn_again_in_the_readers_language(
    rdsim: Rdsim, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a plug-in's answer stays in English; a language that there is not is refused before all else."""
    for spoken in ("ko", "en"):
        monkeypatch.setenv("RDSIM_LANGUAGE", spoken)
        assert rdsim("quick", mine, "--force").code == 0
        assert f'<html lang="{spoken}">' in page_of(mine)
        assert '<html lang="en">' in page_of(mine / "answers" / "quick")
    monkeypatch.setenv("RDSIM_LANGUAGE", "xx")
    assert rdsim("quick", mine, "--force").code == 2


# --- the pages ------------------------------------------------------------------------------------


def test_an_answer_is_a_section_linked_both_ways(mine: Path) -> None:
    page = page_of(mine)
    seen = Outline(page)
    for name in ("explain", "quick"):
        answer = mine / "answers" / name
        assert f"answers/{name}/report.html" in seen.links
        assert f"#answer-{name}" in seen.links
        assert "../../report.html" in Outline(page_of(answer)).links
        assert (answer / "../../report.html").resolve() == (mine / "report.html").resolve()
        assert f"rdsim {name} run" in section(page, f"answer-{name}")
    assert internal_words_of_page(page) == set()


def test_a_section_is_short_and_says_how_much_more_there_is(mine: Path) -> None:
    page = page_of(mine)
    told = section(page, "answer-quick")
    assert told.startswith("Quick question")
    assert "This speaks of" not in told, "the plan's own page need not say that it speaks of the plan"
    assert all(f"Number {number}." in told for number in range(4))
    assert "One more." in told
    assert "And one." not in told
    assert "1 sentence more, 1 figure more and 1 table more" in told
    assert "The first 4 of 12 rows." in told
    assert [one for one in Outline(page).ids if one.startswith("figure-answer")] == ["figure-answer-quick"]


def test_what_was_not_asked_stands_there_with_a_command_that_parses(rdsim: Rdsim, mine: Path) -> None:
    blocks = re.search(r'<section id="ask">.*?</section>', page_of(mine), re.DOTALL)
    assert blocks
    typed = [html.unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r"<dd><code>(.*?)</code>", blocks[0])]
    names = [shlex.split(one)[1] for one in typed]
    assert set(names) == set(studies.QUESTIONS.built_in) - {"payoff", "explain"} | {"compare"}
    every = typer.main.get_command(cli.app)
    for one in typed:
        words = [{"RUN": "run", "OTHER": "run"}.get(word, word) for word in shlex.split(one)[1:]]
        with every.make_context("rdsim", list(words)) as context:
            _, command, rest = every.resolve_command(context, words)  # type: ignore[attr-defined]
            assert command.make_context(words[0], rest)


def test_the_command_of_an_explanation_names_what_there_is(rdsim: Rdsim, mine: Path) -> None:
    shutil.rmtree(mine / "answers")
    assert rdsim("report", mine).code == 0
    page = page_of(mine)
    assert not any(one.startswith("answer-") for one in Outline(page).ids)
    command = re.search(r"<code>(rdsim explain .*?)</code>", page)
    assert command
    words = shlex.split(html.unescape(re.sub("<[^>]+>", "", command[1])))
    ran = rdsim(*(str(mine) if word == "RUN" else word for word in words[1:]))
    assert ran.code == 0, ran.err
    told = section(page_of(mine), "answer-explain")
    assert f"{words[3]} (" in told, "what was asked about it stands among the first sentences"


def test_headings_go_down_one_level_at_a_time(mine: Path) -> None:
    for folder in (mine, mine / "answers" / "explain", mine / "answers" / "quick"):
        levels = Outline(page_of(folder)).levels
        assert levels[0] == 1
        assert [pair for pair in itertools.pairwise(levels) if pair[1] > pair[0] + 1] == []


# --- what goes elsewhere, and what is refused -----------------------------------------------------


def test_what_is_not_of_this_plan_goes_elsewhere(rdsim: Rdsim, mine: Path) -> None:
    for words in (
        ["--set", "calibration=lenient"],
        ["--seed", "4"],
        ["--portfolio", mine / "baselines/value-per-cost.csv"],
    ):
        ran = rdsim("quick", mine, *words)
        assert ran.code == 0, ran.err
    assert sorted(path.name for path in Path("results").iterdir()) == ["tiny-quick", "tiny-quick-2", "tiny-quick-3"]
    assert rdsim("quick", mine, "--out", "there").code == 0
    assert [path.name for path in sorted((mine / "answers").iterdir())] == ["explain", "quick"]
    assert "asked_of" not in manifest_of(Path("there"))
    assert "../../report.html" not in page_of(Path("there"))


def change(settings: Path) -> None:
    """Another scenario from then on."""
    settings.write_text(settings.read_text("utf-8").replace("discount_rate = 0.045", "discount_rate = 0.05"), "utf-8")


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (lambda: change(Path("tiny/scenario.toml")), "the one at its path is another now. Found: tiny."),
        (lambda: Path("tiny/scenario.toml").write_text("name ="), "the one at its path can no longer be read"),
        (lambda: shutil.rmtree("tiny"), "nothing is at its path any more. Found: tiny."),
    ],
)
def test_a_run_is_asked_of_its_own_scenario_whatever_became_of_the_one_at_its_path(
    now: Callable[[], object], words: str, rdsim: Rdsim, mine: Path
) -> None:
    now()
    ran = rdsim("quick", mine)
    assert ran.code == 0, ran.err
    assert f"run: the run's own copy of its scenario, run/scenario/given, is what is asked: {words}" in ran.err
    assert ("name it, and the plan by --portfolio run" in ran.err) == Path("tiny").exists()
    answer, plan = manifest_of(mine / "answers" / "quick-2"), manifest_of(mine)
    assert answer["scenario"]["digest"] == plan["scenario"]["digest"]
    assert [one.fault for one in kept_answers(mine, plan)] == ["", "", ""], "it is an answer of this plan"
    ran = rdsim("quick", mine, "--set", "calibration=lenient", "--out", "there")
    assert ran.code == 0, ran.err
    told = manifest_of(Path("there"))["scenario"]
    assert (told["path"], told["overrides"][-1]) == ("run/scenario/given", "calibration=lenient")
    assert told["digest"] != plan["scenario"]["digest"]


def test_a_run_whose_own_scenario_is_another_too_is_refused(rdsim: Rdsim, mine: Path) -> None:
    shutil.rmtree(mine / "answers")
    change(mine / "scenario" / "given" / "scenario.toml")
    assert "own copy" not in rdsim("quick", mine, "--out", "there").err, "the one at its path is still what ran"
    shutil.rmtree("tiny")
    ran = rdsim("quick", mine)
    assert (ran.code, "rdsim verify run says what is not as it was written" in ran.err) == (2, True)
    assert not (mine / "answers").exists()


def test_of_a_run_that_holds_no_scenario_one_that_changed_is_refused_with_the_way_out(rdsim: Rdsim, mine: Path) -> None:
    for name in ("answers", "scenario"):
        shutil.rmtree(mine / name)
    change(Path("tiny/scenario.toml"))
    ran = rdsim("quick", mine)
    assert ran.code == 2
    assert "no longer the one that the plan was made of" in ran.err
    assert "Plan again; or give --out FOLDER" in ran.err
    assert not (mine / "answers").exists()
    assert rdsim("quick", mine, "--out", "there").code == 0


def test_answers_of_a_plan_that_was_replaced_are_not_its_successors(rdsim: Rdsim, mine: Path) -> None:
    kept = manifest_of(mine / "answers" / "quick")
    ran = rdsim("plan", "tiny", *QUICK[:-1], "5", "--out", mine, "--force")
    assert ran.code == 0, ran.err
    page = page_of(mine)
    assert not any(one.startswith("answer-") for one in Outline(page).ids)
    assert "quick is not shown: it was asked of another plan that stood here before." in section(page, "ask")
    assert manifest_of(mine / "answers" / "quick") == kept
    assert [bool(one.fault) for one in kept_answers(mine, read_manifest(mine))] == [True, True]
    (mine / "answers" / "explain" / "manifest.json").write_text("{}", encoding="utf-8")
    assert rdsim("report", mine).code == 0
    assert "explain is not shown: its manifest cannot be read." in section(page_of(mine), "ask")


# --- when something goes wrong --------------------------------------------------------------------


def test_a_question_that_fails_costs_itself_alone(rdsim: Rdsim, mine: Path) -> None:
    ran = rdsim("plan", "tiny", *QUICK, "--out", "new", "--with", "failing,quick")
    assert ran.code == 4
    assert "failing was not answered: solver highs: it lost its way" in ran.err
    assert "to ask it later: rdsim failing new" in ran.err
    new = Path("new")
    assert manifest_of(new)["complete"]
    assert [path.name for path in (new / "answers").iterdir()] == ["quick"]
    assert "answer-quick" in Outline(page_of(new)).ids


def test_an_interrupt_ends_the_asking_and_keeps_what_was_answered(rdsim: Rdsim, mine: Path) -> None:
    ran = rdsim("plan", "tiny", *QUICK, "--out", "new", "--with", "quick,stopped,explain")
    assert ran.code == 4
    assert "interrupted: the plan and what was answered are kept" in ran.err
    assert [line for line in ran.err.splitlines() if line.startswith("not answered")] == [
        "not answered: stopped; to ask it later: rdsim stopped new",
        "not answered: explain; to ask it later: rdsim explain new",
    ]
    assert [path.name for path in (Path("new") / "answers").iterdir()] == ["quick"]
    assert "answer-quick" in Outline(page_of(Path("new"))).ids


def test_an_incomplete_plan_is_asked_nothing(rdsim: Rdsim, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_folder: Path, _ready: object = None) -> dict[str, str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("rdsim.report.run_files", interrupted)
    ran = rdsim("plan", "tiny", *QUICK, "--out", "new", "--with", "quick")
    assert ran.code == 4
    assert "not answered: quick; to ask it later: rdsim quick new" in ran.err
    assert not (Path("new") / "answers").exists()


def test_an_answer_is_kept_where_the_plans_page_cannot_be_drawn(rdsim: Rdsim, mine: Path) -> None:
    before = (mine / "report.html").read_bytes()
    with_lock = claim(mine, force=True)
    try:
        ran = rdsim("quick", mine)
    finally:
        with_lock.release()
    assert ran.code == 4
    assert "the plan's page does not show it yet" in ran.err
    assert f"rdsim report {mine}" in ran.err
    assert manifest_of(mine / "answers" / "quick-2")["complete"]
    assert (mine / "report.html").read_bytes() == before
    assert rdsim("report", mine).code == 0
    assert "answer-quick-2" in Outline(page_of(mine)).ids


def test_files_of_others_below_answers_stay(rdsim: Rdsim, mine: Path) -> None:
    theirs = mine / "answers" / "quick"
    shutil.rmtree(theirs)
    theirs.mkdir()
    (theirs / "mine.txt").write_text("mine", encoding="utf-8")
    assert rdsim("quick", mine).code == 0
    assert (mine / "answers" / "quick-2" / "report.html").exists()
    assert rdsim("quick", mine, "--force").code == 2
    assert (theirs / "mine.txt").read_text(encoding="utf-8") == "mine"


# --- beside other commands ------------------------------------------------------------------------


def test_an_index_lists_the_answers_of_a_run_and_not_as_runs(rdsim: Rdsim, mine: Path) -> None:
    found = overview.index(".")
    assert [(row["run"], row["answers"]) for row in found.runs.to_dict("records")] == [("run", "explain, quick")]
    assert "run: asked of it: explain and quick." in found.lines
    links = Outline(found.write().read_text("utf-8")).links
    assert {"./run/answers/explain/report.html", "./run/answers/quick/report.html"} <= set(links)
    ran = rdsim("compare", mine, mine, "--out", "compared")
    assert ran.code == 0, ran.err
    assert internal_words(ran.out) == set()


def test_a_run_without_a_page_is_no_plan_to_answer_beside(mine: Path, tmp_path: Path) -> None:
    assert asking.is_plan(mine)
    assert not asking.is_plan(mine / "answers" / "quick")
    assert not asking.is_plan(tmp_path)
    (mine / "page" / "page.json").unlink()
    assert not asking.is_plan(mine)


def test_a_place_for_an_answer_is_the_first_that_is_free(mine: Path) -> None:
    place = results.claim_answer(mine, "quick")
    assert place.folder == mine / "answers" / "quick-2"
    place.release()
    assert not place.folder.exists()
