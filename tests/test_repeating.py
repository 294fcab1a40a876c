"""The command in a run, typed as it stands, writes the same bytes; only measured seconds differ."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran
from tests.command import run as run_command
from tests.tiny import tiny_folder

pytestmark = pytest.mark.drawn_apart

Rdsim = Callable[..., Ran]


def alone(*words: object) -> Ran:
    """`rdsim WORDS` as a process of its own, as users run it: drawings are numbered within a process."""
    done = subprocess.run(
        [sys.executable, "-m", "rdsim", *map(str, words)], capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Rdsim:
    """Runs `rdsim WORDS` in this process, in a folder that holds a scenario under scenarios/tiny."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    tiny_folder(tmp_path / "scenarios" / "tiny")
    return lambda *words: run_command(capsys, monkeypatch, *words)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def timeless(value: Any) -> Any:
    """A manifest without measured seconds."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key != "seconds"}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def assert_repeats(rdsim: Rdsim, first: Path, but: tuple[str, ...] = ()) -> list[str]:
    """Run the command of a run again, and compare every byte but those of some files; gives the command."""
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"][0] == "rdsim"
    again = first.with_name(f"{first.name}-again")
    ran = rdsim(*manifest["command"][1:], "--out", again)
    assert ran.code == 0, ran.err
    one, other = files_of(first), files_of(again)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name] and name not in ("manifest.json", *but)] == []
    manifests = [timeless(json.loads(found["manifest.json"])) for found in (one, other)]
    digests = [manifest.pop("files") for manifest in manifests]
    assert manifests[0] == manifests[1]
    assert {name for name in digests[0] if digests[0][name] != digests[1][name]} <= set(but)
    page = one["report.html"].decode()
    assert f"<code>{escaped(shlex.join(manifest['command']))}</code>" in page
    return list(manifest["command"])


def escaped(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;").replace('"', "&#34;")
    )


def test_a_plan_repeats_with_all_that_was_typed(rdsim: Rdsim, tmp_path: Path) -> None:
    (tmp_path / "a gate.py").write_text("# registers nothing\n", encoding="utf-8")
    words = ["scenarios/tiny", "--one-shot", "--seed", 3, "--replications", 8, "--plugin", "a gate.py"]
    words += ["--set", "optimiser.samples=20", "--set", 'title="A b"', "--engine", "simpy", "--threads", 2]
    ran = alone("plan", *words, "--out", "run")
    assert ran.code == 0, ran.err
    command = assert_repeats(alone, tmp_path / "run")
    assert command[:3] == ["rdsim", "plan", "scenarios/tiny"]
    pairs = [["--seed", "3"], ["--plugin", "a gate.py"], ["--set", 'title="A b"'], ["--engine", "simpy"]]
    assert all(pair in [command[place : place + 2] for place in range(len(command))] for pair in pairs)
    assert "--one-shot" in command
    assert not {"--threads", "--out", "--force"} & set(command)


def test_a_question_about_a_run_repeats(rdsim: Rdsim, tmp_path: Path) -> None:
    ran = rdsim("optimise", "scenarios/tiny", "--replications", 20, "--out", "run")
    assert ran.code == 0, ran.err
    ran = rdsim("ladder", "run", "--shares", "0.9,1", "--no-nested", "--gap", 0, "--out", "asked")
    assert ran.code == 0, ran.err
    command = assert_repeats(rdsim, tmp_path / "asked", ("report.html",))
    assert command == ["rdsim", "ladder", "run", "--shares", "0.9,1", "--no-nested", "--gap", "0.0"]


EXPERIMENT = """
scenario = "scenarios/tiny"
task = "optimise"
policy = "value-per-cost"
replications = 30
[factors.discount_rate]
values = [0.0, 0.1]
"""


def test_a_sweep_repeats_and_says_once_where_it_is(rdsim: Rdsim, tmp_path: Path) -> None:
    (tmp_path / "a rate.toml").write_text(f'name = "rate"{EXPERIMENT}', encoding="utf-8")
    ran = rdsim("sweep", "a rate.toml", "--replications", 4, "--jobs", 1, "--out", "out")
    assert ran.code == 0, ran.err
    assert ran.out.count("written") == 1
    assert f"written to out; open {Path('out/report.html')}" in ran.out
    command = json.loads((tmp_path / "out" / "sweep.json").read_text(encoding="utf-8"))["command"]
    assert command == ["rdsim", "sweep", "run", "a rate.toml", "--replications", "4"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"<code>{escaped(shlex.join(command))}</code>" in page
    again = rdsim(*command[1:], "--jobs", 1, "--out", "again")
    assert again.code == 0, again.err
    tables = [(tmp_path / folder / "results.parquet").read_bytes() for folder in ("out", "again")]
    assert tables[0] == tables[1]
