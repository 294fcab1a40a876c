"""Kill runs with real signals while they write, again and again: `python -m tests.torture.kills --count 1000`.

What is written is computed once; each run is then a forked process that writes it, and that is killed at a random
moment. After each kill: nothing finished is lost, nothing of the user's is touched, no half run is taken for a whole
one, and the next run leaves no litter.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rdsim.domain import Choice, Portfolio
from rdsim.errors import RdsimError
from rdsim.folders import settle, terminate_like_ctrl_c
from rdsim.planning import plan
from rdsim.report import drawing
from rdsim.results import Run, redraw, write_plan, write_study
from rdsim.scenario import load
from rdsim.search import pose
from rdsim.studies import Study, frontier, rolling
from rdsim.sweep import Experiment, manifest_of, read_sweep, run
from tests.folders.runs import contents, is_whole
from tests.tiny import tiny_folder

__all__ = ["KINDS", "kill", "main"]

KINDS = ("plan", "frontier", "rolling", "sweep", "report")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
NOTES = "notes.txt"

Write = Callable[[Path, bool], object]


def computed(world: Path) -> dict[str, Write]:
    """For each kind of run what writes it."""
    scenario = load(world)
    posed = pose(scenario, samples=20, threads=1)
    found = plan(scenario, replications=5, one_shot=True, threads=1)
    best = Portfolio((Choice("T1", "domestic", "", 2024),), "best")
    studies: dict[str, Study] = {
        "frontier": frontier(posed, "value", "commercialised-in-time", points=2, replications=5),
        "rolling": rolling(posed, portfolio=best, replications=2, foresight=0, futures=8),
    }
    experiment = Experiment(
        str(world), factors={"discount_rate": [0.0, 0.02, 0.05, 0.1]}, policy="value-per-cost", replications=5
    )
    writes: dict[str, Write] = {name: partial(_study, study) for name, study in studies.items()}
    return {
        **writes,
        "plan": lambda folder, force: write_plan(found, Run(folder, force=force)),
        "sweep": lambda folder, force: run(experiment, folder, force=force),
        "report": lambda folder, _force: redraw(folder),
    }


def _study(study: Study, folder: Path, force: bool) -> object:
    return write_study(study, Run(folder, force=force))


def in_a_process(work: Callable[[], object]) -> int:
    """The id of a forked process that does the work."""
    child = os.fork()
    if child:
        return child
    try:
        terminate_like_ctrl_c()
        work()
    except (RdsimError, KeyboardInterrupt):
        os._exit(4)
    finally:
        os._exit(0)
    return 0


def kill(kind: str, writes: dict[str, Write], place: Path, force: bool, chance: random.Random, longest: float) -> str:
    """One run of a kind, killed; what happened. Raises AssertionError if a promise is broken."""
    folder = place / "run"
    had = force or kind == "report"
    if had:
        writes["frontier" if kind == "report" else kind](folder, False)
        if kind != "sweep":
            (folder / NOTES).write_text("mine")
    child = in_a_process(lambda: writes[kind](folder, force))
    time.sleep(chance.random() * longest)
    sent = chance.choice(SIGNALS)
    os.kill(child, sent)
    os.waitpid(child, 0)
    _check(kind, folder, had)
    if kind != "report" or (folder / "manifest.json").exists():
        writes[kind](folder, True)
    _check_clean(kind, folder, had)
    return f"{kind} {'over an older run' if had else 'in a new place'}, {sent.name}"


def _check(kind: str, folder: Path, had: bool) -> None:
    """Right after the kill, and after what the next start finishes."""
    if kind == "sweep":
        assert not had or _is_readable(folder), "a finished sweep was lost"
        return
    if folder.exists():
        is_whole(folder)
        settle(folder)
    if had:
        assert is_whole(folder), "a finished run was lost"
        assert (folder / NOTES).read_text() == "mine"


def _is_readable(folder: Path) -> bool:
    try:
        return manifest_of(folder)["complete"] and not read_sweep(folder).empty
    except RdsimError as error:
        return "was killed while it wrote" in str(error)


def _check_clean(kind: str, folder: Path, had: bool) -> None:
    """After the next run: it is whole, and nothing is there but what it lists."""
    litter = [name for name in contents(folder.parent) if ".rdsim" in name or name.endswith(".tmp")]
    assert not litter, litter
    if kind == "sweep":
        assert read_sweep(folder).attrs["complete"]
        return
    assert is_whole(folder)
    if had:
        assert (folder / NOTES).read_text() == "mine"
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def main(words: list[str]) -> int:
    """Kill so many runs, in turn of every kind; the exit code."""
    parser = argparse.ArgumentParser(description="Kill runs while they write.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    drawing._CHILD = ("-c", "print('<h1>A page</h1>')")  # what is tried is the writing
    chance, told = random.Random(asked.seed), Counter[str]()  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory(prefix="rdsim-kills-") as base:
        writes = computed(tiny_folder(Path(base) / "tiny"))
        for number in range(asked.count):
            place = Path(base) / "place"
            place.mkdir()
            kind, force = KINDS[number % len(KINDS)], number // len(KINDS) % 2 == 1
            longest = 1.0 if kind == "sweep" else 0.3
            told[kill(kind, writes, place, force, chance, longest)] += 1
            shutil.rmtree(place)
    for line, count in sorted(told.items()):
        sys.stdout.write(f"{count:>6}  {line}\n")
    sys.stdout.write(f"{told.total()} kills, every promise kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
