"""What the command line says of itself: groups, an example for each command, completion; and that it does at once."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rdsim import cli, completion, studies
from tests.command import run
from tests.tiny import tiny_folder

HEAVY = ("numba", "pandas", "pulp", "highspy", "altair", "pyarrow", "scipy", "numpy", "pydantic", "openpyxl")
GROUPS = ("Scenarios", "Planning", "Questions about a plan", "Research", "Evidence")


@pytest.fixture(scope="module")
def program() -> Any:
    """The program, with the commands of questions."""
    found = typer.main.get_command(cli.app)
    with found.make_context("rdsim", ["--help"], resilient_parsing=True):
        return found


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that it is typed by, groups among them."""
    for name, one in group.commands.items():
        yield (*path, name), one
        if hasattr(one, "commands"):
            yield from _commands(one, (*path, name))


def _parsed(group: Any, words: list[str]) -> Any:
    """The command that words lead to, which takes the rest of them; parsing ends the test where they are none."""
    command = group.commands[words[0]]
    with command.make_context(words[0], words[1:]) as context:
        return _parsed(command, [*context._protected_args, *context.args]) if hasattr(command, "commands") else command


def test_every_command_shows_an_example_that_parses_as_that_command(program: Any) -> None:
    seen = dict(_commands(program))
    assert {("plan",), ("sweep", "run"), ("sweep", "report"), *((one,) for one in studies.QUESTIONS)} <= set(seen)
    for path, command in seen.items():
        head, _, example = (command.epilog or "").partition("Example: ")
        assert (head, example.startswith("rdsim ")) == ("", True), path
        words = shlex.split(example.partition(" > ")[0])[1:]
        assert _parsed(program, words) in (command, getattr(command, "commands", {}).get("run")), example


def test_an_example_is_seen_in_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (("plan",), ("sweep", "report")):
        said = run(capsys, monkeypatch, *words, "--help")
        assert said.code == 0
        assert f"Example: rdsim {' '.join(words)} " in " ".join(said.out.split())


def test_every_command_is_in_a_group_and_help_shows_the_groups(
    program: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {one.rich_help_panel for one in program.commands.values()} == set(GROUPS)
    said = run(capsys, monkeypatch, "--help").out
    assert all(f" {group} " in said for group in GROUPS)
    assert "─ Commands ─" not in said


def test_a_study_of_a_plug_in_has_an_example_too() -> None:
    command = cli._command_of("mine", studies.Question(lambda scenario: scenario, "What it asks."))
    assert command.epilog == "Example: rdsim mine my-scenario"
    own = studies.Question(lambda scenario: scenario, "What it asks.", example="rdsim mine my-scenario --force")
    assert cli._command_of("mine", own).epilog == "Example: rdsim mine my-scenario --force"


@pytest.mark.parametrize("code", ["import rdsim", "import rdsim.cli", "--help"])
def test_what_is_asked_first_needs_none_of_the_heavy_libraries(code: str) -> None:
    typed = "import rdsim.cli; sys.argv = ['rdsim', '--help']\ntry: rdsim.cli.main()\nexcept SystemExit: pass"
    tail = f"print([one for one in {HEAVY} if one in sys.modules], file=sys.stderr)"
    words = [sys.executable, "-c", f"import sys\n{typed if code == '--help' else code}\n{tail}"]
    said = subprocess.run(words, check=True, capture_output=True, text=True)
    assert said.stderr.strip() == "[]"


# --- completion -----------------------------------------------------------------------------------


@pytest.fixture
def near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two scenarios, a workbook and a run, in which one types."""
    tiny_folder(tmp_path / "tiny")
    tiny_folder(tmp_path / "more" / "other")
    (tmp_path / "book.xlsx").touch()
    (tmp_path / "results" / "tiny").mkdir(parents=True)
    (tmp_path / "results" / "tiny" / "manifest.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_scenarios_and_runs_that_are_near_are_offered(near: Path) -> None:
    assert completion.scenarios("") == ["book.xlsx", "more/other", "tiny"]
    assert completion.scenarios("more/o") == ["more/other"]
    assert completion.scenarios(f"{near}/t") == [f"{near}/tiny"]
    assert completion.runs("") == completion.runs("results/") == ["results/tiny"]
    assert completion.runs("t") == []
    assert completion.scenarios_and_runs("") == ["book.xlsx", "more/other", "tiny", "results/tiny"]
    assert completion.scenarios("nowhere/") == completion.scenarios("\0/") == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("rdsim new mine --from kor", ["korea-2024", "korea-japan-fine-chemicals"]),
        ("rdsim lad", ["ladder"]),
        ("rdsim plan ti", ["tiny"]),
        ("rdsim explain res", ["results/tiny"]),
        ("rdsim compare results/tiny res", ["results/tiny"]),
        ("rdsim plan tiny --brief", ["--brief-page"]),
        ("rdsim sweep rep", ["report"]),
    ],
)
@pytest.mark.usefixtures("near")
def test_a_shell_is_offered_what_can_stand_there(
    typed: str, offered: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_RDSIM_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    assert run(capsys, monkeypatch).out.split() == offered
