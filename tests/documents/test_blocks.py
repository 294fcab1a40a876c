"""The code blocks of README.md and of every other page do what they show, on stand-ins for the large scenarios."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from rdsim.folders.contents import MAIN
from tests.command import Ran, run
from tests.documents.blocks import ROOT, Block, Command, blocks, commands, pages, skeleton
from tests.documents.standins import desk, lessen
from tests.numbers import NO_NUMBER, assert_numbers_everywhere

SHOWN = {"csv", "json", "r", "svg", "text", "toml"}
"""Languages of blocks that are read and not run."""

OPTIONAL = ("duckdb", "polars", "xarray")
"""Libraries that read tables, and that rdsim does not bring."""

SET_UP = "## Two commands"
"""The section whose blocks build an environment: .ci/run runs them, word for word."""

LESS = {
    "alternatives": ("--resamples", "2"),
    "assumptions": ("--points", "10", "--replications", "20", "--samples", "20", "--repeats", "0"),
    "certify": ("--batches", "2", "--evaluation", "100", "--worlds", "2"),
    "payoff": ("--repeats", "2", "--replications", "8", "--rolled", "2", "--foresight", "1", "--futures", "8"),
    "rolling": ("--replications", "8", "--foresight", "2", "--futures", "8"),
}
"""What is asked for besides, of commands that would take minutes otherwise."""

FEW = {"--points": 8, "--replications": 20}
"""Numbers in commands that are not exceeded here."""

LONG = {
    "calibrate": "200 fits to bootstrap samples; tests/test_calibration.py runs it on the same records",
    "serve": "answers a browser until Ctrl-C; tests/serve and tests/browser/test_serve.py ask it",
}
"""Commands that are not run here, and why."""

PAGES = [page for page in pages() if any(block.language not in SHOWN for block in blocks(page))]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _is_set_up(block: Block) -> bool:
    before = block.page.read_text(encoding="utf-8").splitlines()[: block.line]
    return next((line for line in reversed(before) if line.startswith("#")), "") == SET_UP


# --- running as a user does -----------------------------------------------------------------------


def _spawn(words: list[str], folder: Path) -> Ran:
    """In a process of its own, with this checkout and this environment's commands."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def _type(command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Ran:
    """A command typed: rdsim in this process, which has loaded it, others in a shell.

    What a developer makes takes an hour, and is made in the repository: it is only asked what would run.

    A plug-in runs in a process of its own, and a policy is only checked: for a plan with it the engine is compiled
    anew, as tests/engines/test_policies.py does.
    """
    words = shlex.split(command.words, comments=True)
    if "--plugin" in words:
        policy = words[1] in MAIN and "--solver" not in words
        return _spawn(["rdsim", "check", *words[2:]] if policy else words, folder)
    if words[0] == "make":
        return _spawn([words[0], "--dry-run", *words[1:]], ROOT)
    if words[0] != "rdsim":
        return _spawn(["bash", "-euc", command.words], folder)
    ran = run(capsys, monkeypatch, *map(_lessened, words[1:], words), *LESS.get(words[1], ()))
    if words[1] == "new":
        lessen(folder / words[2])
    return ran


def _lessened(word: str, before: str) -> str:
    """A word of a command; a number of points or replications is no larger than takes seconds."""
    return str(min(int(word), FEW[before])) if before in FEW else word


def _check(block: Block, command: Command, ran: Ran) -> None:
    """The exit code is the one shown; at least two of the lines shown come again, with other figures maybe."""
    said = f"{block}: {command.words}\n{ran.out}\n{ran.err}"
    assert ran.code == command.code, said
    assert "Traceback" not in ran.err, said
    assert not NO_NUMBER.search(ran.out), said
    lines = {skeleton(line) for line in (ran.out + ran.err).splitlines()}
    shown = [skeleton(line) for line in command.shown if line.strip() != "..."]
    assert sum(line in lines for line in shown) >= min(2, len(shown)), said
    assert all(line in lines for line in shown if line.startswith("written to ")), said


def _run_python(block: Block, folder: Path) -> None:
    """Saved as it stands and run as a script; not one of a library of others that is not installed here."""
    if any(f"import {name}" in block.text and find_spec(name) is None for name in OPTIONAL):
        return
    name = block.file or f"block_{block.line}.py"
    (folder / name).write_text(block.text, encoding="utf-8")
    ran = _spawn([sys.executable, name], folder)
    assert ran.code == 0, f"{block}\n{ran.err}"
    assert "Traceback" not in ran.err, f"{block}\n{ran.err}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_block_of_a_page_runs(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = desk(tmp_path)
    monkeypatch.chdir(folder)
    for block in blocks(page):
        if block.language in SHOWN or _is_set_up(block):
            continue
        assert block.language in {"python", "sh", "console"}, f"{block}: say what the block is"
        if block.language == "python":
            _run_python(block, folder)
            continue
        for command in (one for one in commands(block) if one.words.split()[1] not in LONG):
            _check(block, command, _type(command, capsys, monkeypatch, folder))
    assert_numbers_everywhere(folder / "results")


# --- blocks that are not run here -----------------------------------------------------------------


def test_the_commands_that_build_an_environment_are_run_by_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    set_up = [block for page in PAGES for block in blocks(page) if _is_set_up(block)]
    assert [block.page.name for block in set_up] == ["README.md", "README.md"]
    assert f"'{SET_UP}'" in script
    assert [f"set_up {number}" in script for number in (1, 2)] == [True, True]


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_toml_that_is_shown_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "toml":
            tomllib.loads(block.text)


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in _links(page):
        name, _, heading = target.partition("#")
        linked = (page.parent / name) if name else page
        assert linked.exists(), f"{page}: {target}"
        if heading:
            assert heading in _headings(linked), f"{page}: {target}"


def _links(page: Path) -> list[str]:
    return [found for found in re.findall(r"\]\(([^)\s]+)\)", _prose(page)) if "://" not in found]


def _headings(page: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
