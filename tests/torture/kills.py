"""Kill runs with real signals while they write, again and again: `python -m tests.torture.kills --count 1000`.

What is written is computed once, in a process of its own, so that this one has no threads but idle ones when it forks.
Each run is then a forked process that writes it, and that is killed at a random moment, or when it next moves or writes
a file in its place. After each kill: nothing finished is lost, nothing of the user's is touched, no half run is taken
for a whole one, and the next run leaves no litter.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rdsim.errors import ExperimentError, RdsimError
from rdsim.findings import of_plan
from rdsim.folders import MANIFEST, is_part, is_unfinished, settle, terminate_like_ctrl_c
from rdsim.plans import Plan, plan
from rdsim.report.page import drawings
from rdsim.results import Run, redraw, write
from rdsim.scenario import load, start
from rdsim.search import Given, build_instance
from rdsim.simulation import Running
from rdsim.studies import Study, frontier, rolling
from rdsim.studies.built_in.rolling import Redeciding
from rdsim.sweep import Experiment, manifest_of, read_sweep, run, write_report
from tests.folders.runs import contents, is_whole
from tests.tiny import tiny_folder

__all__ = ["KINDS", "main"]

KINDS = ("plan", "frontier", "rolling", "sweep", "report", "sweep report", "new")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ENDS = {0, 4, 130}
"""Exit codes of a run that was interrupted, or that was quicker."""

Results = Mapping[str, Plan | Study]
Work = Callable[[Path], object]


def computed(world: Path) -> Results:
    """What the runs write, by kind."""
    scenario = load(world)
    posed = build_instance(scenario, samples=20, running=Running(threads=1))
    chosen = plan(scenario, replications=5, one_shot=True, running=Running(threads=1))
    best = Given(chosen.proposal.portfolio, "best", chosen.proposal.payment_ratios)
    return {
        "plan": chosen,
        "frontier": frontier(posed, "value", "commercialised_by_deadline", points=2, replications=5),
        "rolling": rolling(posed, given=best, replications=2, redeciding=Redeciding(foresight=0, futures=8)),
    }


def asked(world: Path) -> Experiment:
    """A sweep of four points."""
    factors = {"discount_rate": [0.0, 0.02, 0.05, 0.1]}
    return Experiment(str(world), factors=factors, policy="value-per-cost", replications=5)


def wrote(result: Plan | Study, folder: Path) -> object:
    """The run of a result, in place of whatever run is there."""
    to = Run(folder, force=True)
    return write(of_plan(result) if isinstance(result, Plan) else result, to)


def in_a_process(work: Callable[[], object]) -> int:
    """The id of a forked process that does the work. Signals reach it only while it can be interrupted."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS[2:])
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS[2:])
        return child
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a shell it is ignored
        terminate_like_ctrl_c()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS[2:])
        work()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS[2:])
        code = 0
    except KeyboardInterrupt:
        code = 130
    except RdsimError as error:
        code = error.exit_code
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def killed(work: Callable[[], object], after: float, sent: signal.Signals, is_now: Callable[[], bool]) -> None:
    """Do the work in a process, and kill it after so many seconds, as soon as it is time. Raises AssertionError if it
    ends in another way."""
    child = in_a_process(work)
    time.sleep(after)
    while not is_now() and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        pass
    os.kill(child, sent)
    end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert end in ENDS or end == -sent, f"exit code {end}"


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes, undisturbed, in a process."""
    begun = time.monotonic()
    end = os.waitstatus_to_exitcode(os.waitpid(in_a_process(work), 0)[1])
    assert end == 0, f"exit code {end}"
    return time.monotonic() - begun


# --- kinds ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of run: what stands in its folder before, what is killed, and what holds after the kill and at the end."""

    before: Work
    work: Work
    after: Callable[[Path, bool], None]
    end: Work


def kinds(results: Results, world: Path) -> dict[str, Kind]:
    """Every kind of run, by name."""
    others = {"plan": "frontier", "frontier": "rolling", "rolling": "plan"}
    found = {
        name: Kind(partial(older, results[others[name]]), partial(wrote, result), run_holds, partial(run_ends, result))
        for name, result in results.items()
    }
    small, more = asked(world), replace(asked(world), replications=10)
    swept = partial(run, small)
    return found | {
        "report": Kind(partial(older, results["frontier"]), redraw, run_holds, report_ends),
        "sweep": Kind(swept, partial(run, more), partial(sweep_holds, small), partial(sweep_ends, more)),
        "sweep report": Kind(swept, write_report, partial(sweep_holds, small), partial(sweep_report_ends, small)),
        "new": Kind(lambda _folder: None, start, lambda _folder, _had: None, new_ends),
    }


def older(result: Plan | Study, folder: Path) -> None:
    """An older run, with files of the user's."""
    wrote(result, folder)
    for name in ("notes.txt", "page/notes.txt"):
        (folder / name).write_text("mine", encoding="utf-8")


def is_mine(folder: Path) -> bool:
    """Whether the user's files are as they were."""
    return all((folder / name).read_text(encoding="utf-8") == "mine" for name in ("notes.txt", "page/notes.txt"))


def run_holds(folder: Path, had: bool) -> None:
    """Right after the kill, and after what the next start finishes."""
    if folder.exists():
        is_whole(folder)
        settle(folder)
    assert not had or is_whole(folder), "a finished run was lost"
    assert not had or is_mine(folder)


def run_ends(result: Plan | Study, folder: Path) -> None:
    """After the next run: it is whole, and nothing is there but what it lists, and what was the user's."""
    had = (folder / "notes.txt").exists()
    wrote(result, folder)
    assert is_whole(folder)
    assert not had or is_mine(folder)
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    mine = {"notes.txt", "page/notes.txt"} if had else set()
    assert {name for name in contents(folder) if not name.endswith("/")} == {*listed, MANIFEST, *mine}


def report_ends(folder: Path) -> None:
    """As `run_ends`, of a page that is drawn again."""
    redraw(folder)
    assert is_whole(folder)
    assert is_mine(folder)
    assert (folder / "report.html").exists()


def sweep_holds(small: Experiment, folder: Path, had: bool) -> None:
    """Of a finished sweep the table is there, or comes from what is kept, without any of its work done again."""
    if not had:
        return
    assert is_there(folder), "a finished sweep was lost"
    if manifest_of(folder)["replications"] == small.replications:
        assert run(small, folder).manifest["tasks_of_this_run"] == 0, "work of a finished sweep was lost"


def is_there(folder: Path) -> bool:
    """Whether a folder holds a finished sweep, or one that was killed between its two last files."""
    try:
        return bool(read_sweep(folder).attrs["complete"])
    except ExperimentError as error:
        return "was killed while it wrote" in str(error)


def sweep_ends(more: Experiment, folder: Path) -> None:
    """After the next run it is whole, and there is no litter."""
    assert run(more, folder).complete
    assert read_sweep(folder).attrs["complete"]
    ours = {"sweep.json", "results.parquet", "report.html", "parts", "policies", "origin"}
    assert {path.name for path in folder.iterdir()} <= ours, list(folder.iterdir())


def sweep_report_ends(small: Experiment, folder: Path) -> None:
    """As `sweep_ends`, of a page."""
    sweep_ends(small, folder)
    write_report(folder)
    assert (folder / "report.html").exists()


def new_ends(folder: Path) -> None:
    """A scenario is there whole, or not at all; what was begun is finished by the same command."""
    settle(folder)
    if not (folder / "scenario.toml").exists():
        start(folder)
    load(folder)


# --- all of them ----------------------------------------------------------------------------------


def state(folder: Path) -> str:
    """How a kill left a folder."""
    if is_unfinished(folder):
        return "while files were moved"
    if (folder / ".rdsim").exists() or (folder / ".rdsim-work").exists() or is_written(folder):
        return "in the middle"
    return "with nothing left to do"


def is_written(folder: Path) -> bool:
    """Whether files are moved in a folder, or one is written there."""
    try:
        return is_unfinished(folder) or any(is_part(name) for name in os.listdir(folder))
    except FileNotFoundError:
        return False


def kill(kind: Kind, place: Path, had: bool, longest: float, chance: random.Random) -> str:
    """One run of a kind, killed: the signal, and how it left that. Raises AssertionError if a promise is broken."""
    folder = place / "run"
    if had:
        kind.before(folder)
    sent = chance.choice(SIGNALS)
    is_now = (lambda: True) if chance.random() < 0.5 else (lambda: is_written(folder))
    killed(lambda: kind.work(folder), chance.random() * longest, sent, is_now)
    left = state(folder)
    kind.after(folder, had)
    kind.end(folder)
    litter = [name for name in contents(place) if ".rdsim" in name or name.endswith(".tmp")]
    assert not litter, litter
    assert [path.name for path in place.iterdir()] == ["run"]
    return f"{sent.name}, {left}"


def lengths(found: Mapping[str, Kind], base: Path) -> dict[str, float]:
    """A little more than each kind takes."""
    taken = {}
    for name, kind in found.items():
        folder = base / "undisturbed"
        kind.before(folder)
        taken[name] = 1.1 * seconds(lambda kind=kind, folder=folder: kind.work(folder))  # type: ignore[misc]
        shutil.rmtree(folder)
    return taken


def rounds(given: argparse.Namespace, base: Path) -> Counter[str]:
    """So many kills, in turn of every kind, with and without an older run; how many of each."""
    world = tiny_folder(base / "tiny")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        results = pool.submit(computed, world).result()
    found = kinds(results, world)
    longest, chance, told = lengths(found, base), random.Random(given.seed), Counter[str]()  # noqa: S311 - no secret
    for number in range(given.count):
        name = KINDS[number % len(KINDS)]
        had = name.endswith("report") or (name != "new" and number // len(KINDS) % 2 == 1)
        place = base / f"place-{number}"
        place.mkdir()
        try:
            how = kill(found[name], place, had, longest[name], chance)
        except BaseException:
            sys.stdout.write(f"seed {given.seed}, kill {number}: {name}, {'over an older run' if had else 'new'}\n")
            raise
        told[f"{name} {'over an older run' if had else 'in a new place'}, {how}"] += 1
        shutil.rmtree(place)
    return told


def main(words: list[str]) -> int:
    """Kill so many runs; the exit code."""
    parser = argparse.ArgumentParser(description="Kill runs while they write.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    drawings._CHILD = ("-c", """print('{"report.html": "<h1>A page</h1>"}')""")  # what is tried is the writing
    with tempfile.TemporaryDirectory(prefix="rdsim-kills-") as base:
        told = rounds(given, Path(base))
    for line, count in sorted(told.items()):
        sys.stdout.write(f"{count:>6}  {line}\n")
    sys.stdout.write(f"{told.total()} kills, every promise kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
