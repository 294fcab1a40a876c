"""The face: forms and pages, who may ask and who is refused, work that is stopped, and the command."""

from __future__ import annotations

import html
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rdsim.errors import OutputError, ScenarioError
from rdsim.serve import LeverAnswer, Workplace
from rdsim.serve.answers import ChoiceChange, Firmness, Span
from rdsim.serve.history import Entry
from rdsim.serve.levers import run_levers
from rdsim.serve.web.forms import LeverForm, form_of, levers_of, read_form
from rdsim.serve.web.pages import Pages
from tests.command import run as rdsim
from tests.serve.desks import answer_of, ready, request, served


@pytest.fixture(scope="module")
def port(place: Workplace) -> Iterator[int]:
    with served(place) as number:
        yield number


def fields(place: Workplace, **changes: str) -> dict[str, str]:
    """The form as the run has it, with some fields otherwise (`__` for a dot)."""
    known = dict(form_of(place.scenario, place.levers).fields)
    return {**known, **{name.replace("__", "."): value for name, value in changes.items()}}


# --- who may ask ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", ""]
)
@pytest.mark.parametrize("path", ["/", "/serve.js", "/answers/1", "/nothing"])
def test_other_hosts_are_refused(port: int, host: str, path: str) -> None:
    status, _, text = request(port, path, Host=host.format(port=port))
    assert status in (400, 403)
    assert "What the run recommends" not in text


def test_this_machine_is_served_by_both_of_its_names(port: int) -> None:
    for host in (f"127.0.0.1:{port}", f"LOCALHOST:{port}"):
        assert request(port, "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:{port}"},  # a page under the other name is another origin
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_origins_change_nothing(place: Workplace, port: int, headers: dict[str, str]) -> None:
    before = place.history.numbers()
    sent = {name: value.format(port=port) for name, value in headers.items()}
    status, _, text = request(port, "/answers", fields(place), **sent)
    assert (status, place.history.numbers()) == (403, before)
    assert text.startswith("refused: ")


def test_other_pages_read_nothing_but_a_link_may_be_followed(port: int) -> None:
    assert request(port, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert request(port, "/", Origin="http://evil.example")[0] == 403
    assert request(port, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


def test_every_answer_says_that_nothing_comes_from_elsewhere(port: int) -> None:
    for path in ("/", "/page.css", "/serve.js", "/nothing"):
        _, headers, text = request(port, path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


def test_too_much_is_refused(place: Workplace, port: int) -> None:
    assert request(port, "/answers", {"risk": "0" * 1_100_000})[0] == 403


# --- asking ---------------------------------------------------------------------------------------


def test_the_first_page_shows_the_run_and_its_levers(place: Workplace, port: int) -> None:
    status, _, text = request(port, "/")
    assert status == 200
    assert "What the run recommends" in text
    assert f'name="budget.leap.2024" value="{place.scenario.programmes["leap"].budget[2024]:g}"' in text
    assert "_" not in re.sub(r"<[^>]*>", " ", text.partition("<main")[2])


def test_a_question_gets_an_address_of_its_own_with_its_levers_in_the_form(place: Workplace, port: int) -> None:
    status, headers, _ = request(port, "/answers", fields(place, budget__leap__2025="5.5", partner__JP=""))
    assert status == 303
    number = answer_of(place, headers["location"])
    entry = place.history.entry(number)
    assert entry is not None
    assert (entry.answer.question.budgets["leap"][2025], entry.answer.question.barred) == (5.5, ("JP",))
    _, _, text = request(port, headers["location"])
    assert 'name="budget.leap.2025" value="5.5"' in text
    assert "Leapfrogging 2025: 5.50 instead of 14.0" in text
    assert f"Answer {number}: what changed against the run" in text
    lines = request(port, f"/answers/{number}/settings.txt")[2].splitlines()
    assert "programmes.leap.budget.2025=5.5" in lines


def test_faults_come_back_all_at_once_and_the_form_as_it_was_typed(place: Workplace, port: int) -> None:
    before = place.history.numbers()
    sent = fields(place, budget__leap__2024="much", risk="", status__T1="perhaps")
    status, _, text = request(port, "/answers", sent)
    assert status == 422
    shown = html.unescape(text)
    for part in ("budget of Leapfrogging, 2024", "weight of risk", "technology T1"):
        assert part in shown
    assert 'value="much"' in text
    status, _, text = request(port, "/answers", fields(place, budget__leap__2024="-3", risk="7"))
    assert status == 422
    assert "an amount of money in billion KRW from 0 to" in text
    assert "from 0 to 1" in text
    assert place.history.numbers() == before


def test_all_faults_come_at_once_and_in_words(place: Workplace, port: int) -> None:
    sent = fields(
        place, budget__leap__2024="much", budget__base__2024="1e9", risk="7", ratio__leap="0", level__gain="3"
    )
    status, _, text = request(port, "/answers", sent)
    assert status == 422
    shown = html.unescape(text)
    for part in (
        "Leapfrogging, 2024",
        "Foundational, 2024",
        "weight of risk",
        "payment ratio of Leap",
        "step time saved",
    ):
        assert part in shown.partition("<h2")[0], part
    assert "programmes." not in shown.partition("<h2")[0]


@pytest.mark.parametrize("text", ["1,5", "0,500", "1_000", "٣", "1,0000", "nan", "inf", "1e999", "0x1", ""])
def test_what_might_be_another_number_is_none(place: Workplace, text: str) -> None:
    with pytest.raises(ScenarioError, match="must be a number"):
        levers_of(place.scenario, LeverForm(fields(place, budget__leap__2024=text)))


@pytest.mark.parametrize(("text", "number"), [("1,500", 1500.0), ("1,234.5", 1234.5), (" .5 ", 0.5), ("2e1", 20.0)])
def test_numbers_are_read_as_they_are_written(place: Workplace, text: str, number: float) -> None:
    levers = levers_of(place.scenario, LeverForm(fields(place, budget__leap__2024=text)))
    assert levers.budgets["leap"][2024] == number


def test_what_a_form_does_not_ask_about_stands_as_in_the_run(place: Workplace) -> None:
    world = place.scenario.with_({"technologies.T1.status": "must-fund"})
    sent = {name: one for name, one in fields(place).items() if not name.startswith(("status.", "partner"))}
    levers = levers_of(world, LeverForm(sent))
    assert (levers.must_fund, levers.barred) == (run_levers(world).must_fund, ())
    assert "T1" in levers.must_fund
    assert levers_of(world, LeverForm({**sent, "partners": "shown"})).barred == ("DE", "JP", "US")


# --- another run ----------------------------------------------------------------------------------


def stranger(place: Workplace) -> LeverAnswer:
    """An answer of a plan whose programmes, partners and assumptions this scenario has not."""
    answer = place.decide(replace(place.levers, barred=("DE",)))[0]
    levers = replace(place.levers, budgets={"gone": {2024: 3.0}}, barred=("XX",), levels={"lost": 1.0})
    money = tuple(replace(one, programme="gone") for one in answer.money)
    return replace(answer, levers=levers.record(), money=money, run="another")


def test_an_answer_of_another_run_is_told_from_its_own_record(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    place = ready(tmp_path / "run")
    number = place.history.add(stranger(place)).number
    moved = replace(place.decide(place.levers)[0], digest="of other rules")
    other = place.history.add(moved).number
    with served(place) as port:
        status, _, text = request(port, "/")
        assert status == 200
        assert "of another plan that stood here before" in text
        status, _, text = request(port, f"/answers/{number}")
        assert status == 200
        assert "This answer is of another plan that stood here before" in text
        assert " instead of " not in text.partition('id="history"')[0]
        assert "To take away" not in text
        for one in (number, other):
            assert request(port, f"/answers/{one}/settings.txt")[0] == 422
            for kind in ("folder", "run"):
                status, _, text = request(port, f"/answers/{one}/export", {"as": kind})
                assert status == 422
                assert "is of another plan that stood here before, so nothing" in text


def test_a_run_that_is_gone_or_another_is_asked_nothing_more(run: Path, tmp_path: Path) -> None:
    own = tmp_path / "run"
    shutil.copytree(run, own)
    place = ready(own)
    answer = place.decide(place.levers)[0]
    number = place.history.add(answer).number
    kept = (own / "portfolio.csv").read_text()
    with served(place) as port:
        (own / "portfolio.csv").write_text("\n".join(kept.splitlines()[:-1]))
        for path, sent in (("/answers", fields(place)), (f"/answers/{number}/export", {"as": "run"})):
            status, _, text = request(port, path, sent)
            assert status == 422
            assert "is another now, or gone: start rdsim serve again" in text
        (own / "portfolio.csv").write_text(kept)
        assert request(port, "/answers", fields(place))[0] == 303
        shutil.rmtree(own)
        assert request(port, "/answers", fields(place))[0] == 422
        assert request(port, "/answers", fields(place, level__worth="1.5"))[0] in (303, 422)
        assert request(port, "/")[0] == 200
    with pytest.raises(OutputError):
        place.history.add(answer)
    assert not own.exists()


def test_how_firm_is_told_in_three_ways(place: Workplace) -> None:
    answer = place.decide(place.levers)[0]
    entered = replace(answer, changes=(ChoiceChange("entered", "T1", "", "JP, matching, 2024", ""),))
    later = replace(answer, changes=(ChoiceChange("start", "T1", "2024", "2025", ""),))
    pages = Pages(place)

    def line(one: LeverAnswer, firm: tuple[Firmness, ...] | None, firming: bool) -> str:
        return pages.answer(Entry(1, "", one), firm, firming, "", ())

    assert "the last column says how often" in line(entered, (Firmness("T1", 3, 32, "open"),), False)
    told = line(entered, (), False)
    assert "a risk is weighed" in told
    assert "too few decisions on other samples found a portfolio" in told
    assert "nothing enters or leaves" in line(later, None, False)
    assert 'data-firm="over"' in line(later, None, False)
    assert 'data-firm="open"' in line(entered, None, True)


def test_the_history_tells_no_difference_that_is_not_shown(place: Workplace) -> None:
    answer = place.decide(place.levers)[0]

    def told(low: float, high: float) -> str:
        npv = replace(answer.figure("npv"), difference=Span((low + high) / 2, low, high))
        return Pages(place)._summary(replace(answer, figures=(npv,)))

    assert told(-1.0, 2.0) == "nothing is moved: not shown to differ from the run"
    assert told(-3.0, -1.0) == "nothing is moved: worth 2.00 billion KRW less than the run"
    assert told(0.0, 0.0) == "nothing is moved: worth exactly what the run is"


def test_what_cannot_be_is_said_and_nothing_is_kept(place: Workplace, port: int) -> None:
    nothing = {f"budget__{name}__{year}": "0" for name in place.scenario.programmes for year in range(2024, 2029)}
    musts = {f"status__{code}": "must-fund" for code in place.scenario.technologies}
    before = place.history.numbers()
    status, _, text = request(port, "/answers", fields(place, **nothing, **musts))
    assert (status, place.history.numbers()) == (422, before)
    assert "No portfolio keeps every rule" in text


def test_a_form_says_what_levers_say(place: Workplace) -> None:
    levers = replace(place.levers, barred=("US",), must_fund=("T1",), levels={"gain": 0.25}, risk_weight=0.125)
    form = form_of(place.scenario, levers)
    assert levers_of(place.scenario, form) == replace(levers, budgets=levers_of(place.scenario, form).budgets)
    assert place._world(levers_of(place.scenario, form))[1] == place._world(levers)[1]
    with pytest.raises(ScenarioError):
        read_form(b"\xff\xfe")


def test_what_is_not_there_is_not_there(port: int) -> None:
    for path in ("/answers/999", "/answers/999/state", "/jobs/999", "/jobs/999/state", "/answers/999/settings.txt"):
        assert request(port, path)[0] == 404


def test_exports_from_the_page(place: Workplace, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = place.ask(replace(place.levers, barred=("DE",))).number
    monkeypatch.chdir(tmp_path)
    for kind, name in (("folder", f"run-answer-{number}-scenario"), ("run", f"run-answer-{number}")):
        status, _, text = request(port, f"/answers/{number}/export", {"as": kind})
        assert status == 200
        assert f"results/{name}" in text
        assert (tmp_path / "results" / name / "portfolio.csv").is_file()
    status, _, text = request(port, f"/answers/{number}/export", {"as": "folder"})
    assert status == 200
    assert f"results/run-answer-{number}-scenario-2" in text
    (tmp_path / "elsewhere").write_text("")
    monkeypatch.setattr("rdsim.serve.web.app.Path", lambda _: tmp_path / "elsewhere")
    status, _, text = request(port, f"/answers/{number}/export", {"as": "folder"})
    assert status == 422
    assert "Nothing was written." in text
    assert "This cannot be asked so" not in text
    many = {str(field): "" for field in range(20_001)}
    assert request(port, f"/answers/{number}/export", many)[0] == 422
    assert request(port, f"/answers/{number}/export", {"as": "elsewhere"})[0] == 404


# --- other assumptions ----------------------------------------------------------------------------


def test_new_samples_are_stopped_while_another_tab_asks(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "run"
    shutil.copytree(run, own)
    place = ready(own)
    monkeypatch.setattr("rdsim.serve.samples._PORTION", 1)
    true_sample = __import__("rdsim.serve.samples", fromlist=["sample"]).sample

    def slow(*given: object, **named: object) -> object:
        time.sleep(0.1)
        return true_sample(*given, **named)

    monkeypatch.setattr("rdsim.serve.samples.sample", slow)
    kept = sorted(path.name for path in (own / "what-if").iterdir())
    with served(place) as port:
        status, headers, _ = request(port, "/answers", fields(place, level__worth="1.5"))
        assert status == 303
        job = headers["location"]
        assert job.startswith("/jobs/")
        _, _, text = request(port, job)
        assert "Stop" in text
        other = request(port, "/answers", fields(place, budget__leap__2025="6"))
        assert other[1]["location"].startswith("/answers/"), "another tab is answered meanwhile"
        assert request(port, f"{job}/stop", {})[0] == 303
        state = _wait(port, job)
        assert '"stopped"' in state
        _, _, text = request(port, job)
        assert "nothing was left behind" in text
        assert 'name="level.worth" value="1.5"' in text, "the levers stand as they were"
    assert [path.name for path in sorted((own / "what-if").iterdir()) if path.name != "answers"] == [
        name for name in kept if name != "answers"
    ]


def test_new_samples_come_to_an_answer(run: Path, tmp_path: Path) -> None:
    own = tmp_path / "run"
    shutil.copytree(run, own)
    place = ready(own)
    with served(place) as port:
        _, headers, _ = request(port, "/answers", fields(place, level__worth="1.5"))
        assert '"done"' in _wait(port, headers["location"])
        status, after, _ = request(port, headers["location"])
        assert status == 303
        entry = place.history.entry(answer_of(place, after["location"]))
        assert entry is not None
        assert entry.answer.question.levels == {"worth": 1.5}
        again = request(port, "/answers", fields(place, level__worth="1.5"))[1]["location"]
        assert again.startswith("/answers/"), "these samples are in hand now"


def _wait(port: int, job: str) -> str:
    """The state of a job once it is over."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        _, _, text = request(port, f"{job}/state")
        if not re.search(r'"state":"(waiting|running)"', text):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{job} is not over within a minute: {text}")


# --- the command ----------------------------------------------------------------------------------


def test_a_folder_that_is_no_run_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = rdsim(capsys, monkeypatch, "serve", tmp_path / "nowhere")
    assert ran.code == 2
    assert "nowhere" in ran.err
    assert "Traceback" not in ran.err


def test_without_the_extra_the_command_says_what_to_install(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("rdsim.serve.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("rdsim.serve.web", raising=False)
    monkeypatch.setitem(sys.modules, "starlette", None)
    for name in [name for name in sys.modules if name.startswith("starlette.")]:
        monkeypatch.setitem(sys.modules, name, None)
    ran = rdsim(capsys, monkeypatch, "serve", run)
    assert ran.code == 2
    assert "pip install 'rdsim[serve]'" in ran.err


def test_a_port_that_is_taken_is_told(
    run: Path, port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = rdsim(capsys, monkeypatch, "serve", run, "--port", port, "--no-browser")
    assert ran.code == 2
    assert f"--port {port}" in ran.err


def test_a_server_of_its_own_answers_and_ends_with_ctrl_c(run: Path) -> None:
    words = [sys.executable, "-m", "rdsim", "serve", str(run), "--port", "0", "--no-browser", "--replications", "20"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"open http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
            assert found
            assert request(int(found[1]), "/")[0] == 200
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert "answers are kept in" in out


def test_ctrl_c_ends_the_server_and_answers_stay(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rdsim.serve.web.serve", interrupted)
    ran = rdsim(capsys, monkeypatch, "serve", run, "--port", "0", "--no-browser", "--replications", "20")
    assert ran.code == 0
    assert re.search(r"open http://127\.0\.0\.1:\d+/", ran.out)
    assert "answers are kept in" in ran.out
