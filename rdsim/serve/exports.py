"""What is taken away from an answer: its `--set` lines, a scenario folder with its portfolio, or a run."""

from __future__ import annotations

import os
import shlex
from itertools import count
from pathlib import Path

from rdsim import findings, folders, portfolio, results
from rdsim.domain import Scenario
from rdsim.errors import Fault, OutputError, RunError, ScenarioError
from rdsim.scenario import digest, dump
from rdsim.serve.answers import LeverAnswer
from rdsim.serve.levers import Levers, lever_world, settings_of
from rdsim.serve.workplace import Workplace
from rdsim.simulation import simulate
from rdsim.texts import toml_value

__all__ = ["command_line", "export_folder", "export_run", "require_own", "setting_lines"]

PORTFOLIO = "portfolio.csv"


def setting_lines(scenario: Scenario, levers: Levers) -> tuple[str, ...]:
    """The settings, ``path=value`` as ``--set`` takes them, by which the run's scenario becomes the question's."""
    return tuple(f"{path}={_text(value)}" for path, value in settings_of(scenario, levers).items())


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else value if isinstance(value, str) else str(toml_value(value))


def command_line(place: Workplace, levers: Levers) -> str:
    """The command that plans anew, with the loop, what the levers ask."""
    lines = [*place.run.overrides, *setting_lines(place.scenario, levers)]
    words = ["rdsim", "plan", place.run.scenario.as_posix(), *(word for one in lines for word in ("--set", one))]
    return shlex.join(words)


def export_folder(place: Workplace, answer: LeverAnswer, folder: Path) -> Path:
    """Write the question's scenario, in the first new folder of that name, with the answer's portfolio beside it.

    Raises: RunError as `require_own`; OutputError if nothing can be written.
    """
    world = require_own(place, answer)
    for number in count(1):
        mine = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        if not os.path.lexists(mine):
            try:
                dump(world, mine)
            except OutputError:
                if not os.path.lexists(mine):
                    raise
            else:  # else somebody was quicker
                portfolio.write(answer.portfolio, mine / PORTFOLIO)
                return mine
    raise AssertionError  # pragma: no cover - numbers do not end


def require_own(place: Workplace, answer: LeverAnswer) -> Scenario:
    """The world of an answer. Raises RunError if the run is gone, or if the answer is not of it: then its levers would
    say something else of this run than what was answered."""
    place.require_run()
    try:
        if place.is_own(answer) and digest(world := lever_world(place.scenario, answer.question)) == answer.digest:
            return world
    except ScenarioError:  # such a world was possible once
        pass
    rule = "this answer is of another plan that stood here before, so nothing can be made of it any more"
    raise RunError((Fault(place.run.folder.as_posix(), rule),))


def export_run(place: Workplace, answer: LeverAnswer, base: Path) -> results.Written:
    """Write the answer as a run, in the first new folder of that name: simulated as often as the run was.

    Raises: RunError as `require_own`; OutputError if nothing can be written.
    """
    levers = answer.question
    world = require_own(place, answer)
    claimed = folders.claim_next(base)
    try:
        found = simulate(world, answer.portfolio, replications=_count(place), seed=answer.seed, running=place.running)
        lines = (*place.run.overrides, *setting_lines(place.scenario, levers))
        scenario, own = place.run.scenario.as_posix(), (claimed.folder / PORTFOLIO).as_posix()
        words = ["rdsim", "simulate", scenario, "--portfolio", own]
        words += ["--seed", str(answer.seed), "--replications", str(_count(place))]
        words += [word for one in lines for word in ("--set", one)]
        words += [word for one in place.plugins for word in ("--plugin", str(one.path))]
        asked = {"seed": answer.seed, "replications": _count(place), "engine": place.running.engine, "trace": False}
        run = results.Run(claimed.folder, lines, False, place.plugins, tuple(words), scenario, claimed, settings=asked)
        return results.write(findings.of_simulation(found), run)
    finally:
        claimed.release()


def _count(place: Workplace) -> int:
    manifest = folders.read_manifest(place.run.folder)
    return int(manifest.get("replications") or place.scenario.simulation.replications)
