"""Whether a run's folder holds what it says: files, manifest, scenario, portfolio, replications, figures, bound.

Nothing outside the folder is read but the plug-ins that are named. A digest finds what was changed by accident or in
passing. Who changes a file and the digests with it is found by what is computed again: the portfolio against its
rows, replications against tables, figures from tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rdsim import portfolio as portfolios
from rdsim import runs
from rdsim.arguments import check_arguments
from rdsim.brief import count, listing
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault, InputError, RdsimError, RunError
from rdsim.folders import MANIFEST, KeptAnswer, is_file, kept_answers, read_manifest
from rdsim.folders.contents import (
    BASELINE,
    DECISIONS,
    LAPSE,
    LEAD,
    MAIN,
    PORTFOLIO,
    SCENARIO_APPLIED,
    UNFUNDED,
    UNUSED,
    WORLDS,
)
from rdsim.reproduction.consequences import (
    decision_faults,
    lapse_faults,
    lead_faults,
    unfunded_faults,
    unused_faults,
    world_faults,
)
from rdsim.reproduction.files import file_faults, manifest_faults
from rdsim.reproduction.replay import (
    KeptTables,
    blocks_of,
    count_faults,
    headline_faults,
    long_faults,
    policy_faults,
    sample_faults,
)
from rdsim.reproduction.rows import baseline_faults, chosen_again, posed_again, proposal_faults, solved_faults
from rdsim.reproduction.versions import version_lines
from rdsim.scenario import digest, load
from rdsim.search import Proposal
from rdsim.simulation import Running

__all__ = ["SAMPLED", "Verification", "verify"]

SAMPLED = 100
"""Replications that are simulated again, unless others are asked for."""


@dataclass(frozen=True, eq=False)
class Verification:
    """What of a run was looked at and held, what did not hold, and what to know beside it."""

    folder: Path
    held: tuple[str, ...]
    """In words, part by part."""
    faults: tuple[Fault, ...]
    """Each with file, row or field, what it must be and what was found."""
    notes: tuple[str, ...] = ()
    """What was not looked at and why, and versions that are others here."""

    @property
    def holds(self) -> bool:
        """Whether nothing that was looked at is otherwise than it must be."""
        return not self.faults

    def __str__(self) -> str:
        """In one line."""
        if not self.holds:
            return f"{self.folder} does not hold: {count(len(self.faults), 'difference')}"
        return f"{self.folder} holds: {'; '.join(self.held)}"


@dataclass
class _Checks:
    """What is looked at, part by part; what one part finds keeps no other from being looked at."""

    folder: Path
    held: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def look(self, words: str, found: Callable[[], Iterable[Fault]]) -> bool:
        """Look at a part, called so where it holds; whether it does."""
        before = len(self.faults)
        try:
            self.faults += found()
        except InputError as error:
            self.faults += error.faults
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            rule = f"must hold what it takes to look at this: {words}"
            self.faults.append(Fault(str(self.folder / MANIFEST), rule, f"{type(error).__name__}: {error}"))
        if len(self.faults) > before:
            return False
        self.held.append(words)
        return True


@check_arguments()
def verify(
    folder: str | Path,
    *,
    replications: int | None = SAMPLED,
    solve: bool = False,
    plugins: Sequence[Path] = (),
    running: Running = Running(),
) -> Verification:
    """Check a finished run against what its own folder holds.

    Args:
        folder: the run's.
        replications: so many are simulated again and held against the tables bit for bit; None for all.
        solve: solve the problem again too, for the bound.
        plugins: files of the plug-ins that the run used, which are run before its scenario is read.
        running: on how many threads; the engine is the run's.

    Raises: RunError if there is no run in the folder; InputError for plug-ins that the run used and that are not named.

    >>> from pathlib import Path
    >>> import rdsim
    >>> from rdsim import findings, results
    >>> scenario, portfolio = rdsim.examples.starter(), rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),))
    >>> found = rdsim.simulate(scenario, portfolio, replications=20)
    >>> _ = results.write(findings.of_simulation(found), results.Run(Path("results/mine")))
    >>> rdsim.verify("results/mine").holds
    True
    """
    place = Path(folder)
    if not is_file(place / MANIFEST):
        raise RunError((Fault(str(place), f"must be the folder of a run, with its {MANIFEST}", "no such file"),))
    checks = _Checks(place)
    try:
        manifest = read_manifest(place)
    except RunError as error:
        return Verification(place, (), error.faults)
    files = len(manifest["files"])
    checks.look(f"{count(files, 'file')} as written", partial(file_faults, place, manifest))
    checks.look("the manifest as written", partial(manifest_faults, place, manifest))
    _answers(checks, manifest)
    if manifest["missing"]:
        checks.notes.append(f"the run itself lacks {listing(manifest['missing'])}")
    world = _world(checks, manifest, plugins)
    if world is not None and manifest.get("study", "") in ("", *MAIN):
        _look_closer(checks, manifest, world, replications, solve, running)
    elif world is not None:
        checks.notes.append("what a question answered is not computed again here: rdsim rerun does")
    checks.notes += version_lines(manifest)
    return Verification(place, tuple(checks.held), tuple(dict.fromkeys(checks.faults)), tuple(checks.notes))


def _answers(checks: _Checks, manifest: Mapping[str, Any]) -> None:
    """Answers of a plan stand beside it, each with a manifest of its own; that one is of another plan is no fault."""
    for one in kept_answers(checks.folder, manifest):
        checks.look(f"the answer {one.label} as written", partial(_answer_faults, one))
        if one.fault:
            checks.notes.append(f"the answer {one.label}: {one.fault}")


def _answer_faults(answer: KeptAnswer) -> Iterator[Fault]:
    manifest = read_manifest(answer.folder)
    yield from file_faults(answer.folder, manifest)
    yield from manifest_faults(answer.folder, manifest)


def _world(checks: _Checks, manifest: Mapping[str, Any], plugins: Sequence[Path]) -> Scenario | None:
    """The run's scenario, as its folder holds it; None of a run of none, and if neither copy is what ran."""
    if not manifest.get("scenario"):
        checks.notes.append("the run is of no scenario: only its files were looked at")
        return None
    try:
        run = runs.kept_run(checks.folder)
    except InputError as error:
        checks.faults += error.faults
        return None
    run.require_plugins(plugins)
    checks.notes += [str(one) for one in run.require_packages()]
    applied = checks.folder / SCENARIO_APPLIED.path("").rstrip("/")
    copies = {run.scenario: run.overrides, applied: ()}
    found: list[Scenario] = []
    for place, overrides in copies.items():
        checks.look(
            "the scenario as it was read" if place != applied else "the scenario as it ran",
            partial(_scenario_faults, place, overrides, run.digest, found),
        )
    if not found:
        checks.notes.append("neither copy of the scenario is the one that ran: nothing was computed again")
    return found[0] if found else None


def _scenario_faults(place: Path, overrides: Sequence[str], stated: str, sound: list[Scenario]) -> Iterator[Fault]:
    """What is wrong with a copy of the scenario; one that is the run's is added to `sound`."""
    world = load(place, list(overrides))
    if (found := digest(world)) == stated:
        sound.append(world)
    else:
        yield Fault(str(place), f"must be the scenario that ran, with digest {stated}", found)


def _look_closer(
    checks: _Checks,
    manifest: Mapping[str, Any],
    world: Scenario,
    replications: int | None,
    solve: bool,
    running: Running,
) -> None:
    """What is computed again of a plan, a proposal or a simulation."""
    chosen = _portfolio(checks, PORTFOLIO.name, world)
    if chosen is None:
        return
    funded = [one.technology for one in chosen.choices]
    said = (manifest.get("portfolio") or {}).get("funded")
    if sorted(funded) != sorted(said or []):
        rule = f"must fund what the manifest says, {', '.join(said or ['nothing'])}"
        checks.faults.append(Fault(str(checks.folder / PORTFOLIO.name), rule, ", ".join(funded)))
    beside = {name: _portfolio(checks, BASELINE.path(name), world) for name in manifest.get("baselines") or {}}
    others = {name: one for name, one in beside.items() if one is not None}
    made = None
    if manifest.get("solver"):
        made = _look_at_rows(checks, manifest, world, {"": chosen, **others}, solve, running)
    tables = KeptTables(checks.folder, manifest)
    if tables.is_simulated:
        checks.look(f"{count(tables.count, 'replication')} in every table", partial(count_faults, tables, len(funded)))
        _look_at_replications(checks, tables, world, {"": chosen, **others}, replications, running)
        checks.look("long tables as the wide one", partial(long_faults, tables, world))
        headlines = partial(headline_faults, tables, world, chosen)
        checks.look(f"{count(len(manifest['estimates']), 'headline figure')} as the tables say", headlines)
        _look_beyond(checks, tables, world, {"": chosen, **others}, made, running)


def _look_beyond(
    checks: _Checks,
    tables: KeptTables,
    world: Scenario,
    chosen: Mapping[str, Portfolio],
    made: Proposal | None,
    running: Running,
) -> None:
    """What is told beside portfolio and replications: leads, what lapses and why, other worlds, what is firm, what is
    not funded."""
    manifest, plan = tables.manifest, chosen[""]
    asked = Running("simpy" if manifest["engine"] == "simpy" else "compiled", running.threads)
    parts: dict[str, tuple[str, Callable[[], Iterable[Fault]]]] = {
        LEAD.name: ("each lead in its parts", partial(lead_faults, tables, world)),
        UNUSED.name: ("what becomes of money that is not paid", partial(unused_faults, tables, world, plan)),
        LAPSE.name: ("why money lapses", partial(lapse_faults, tables.folder, manifest, world, plan, asked)),
        WORLDS.name: (
            "worlds of assumptions, some of them simulated",
            partial(world_faults, tables.folder, manifest, world, chosen, asked),
        ),
    }
    if made is not None:
        same = not version_lines(manifest)
        parts |= {
            DECISIONS.name: ("what is said of decisions by their shares", partial(decision_faults, tables, made)),
            UNFUNDED.name: (
                "proven limits of what is not funded",
                partial(unfunded_faults, tables, world, made, same=same),
            ),
        }
    for name, (words, found) in parts.items():
        if name in manifest["files"]:
            checks.look(words, found)
    if DECISIONS.name in manifest["files"]:
        checks.notes.append(
            "shares of re-decisions, what their options were compared by, and portfolios with what is not funded came "
            "out of the whole search: digests hold them, and rdsim rerun makes them anew"
        )


def _portfolio(checks: _Checks, name: str, world: Scenario) -> Portfolio | None:
    """A portfolio of the run; None of one that cannot be read, which is told. What a rule may choose and the call
    does not allow is read without the scenario's rules."""
    path = checks.folder / name
    try:
        return portfolios.read(path, world if name == PORTFOLIO.name else None)
    except RdsimError as error:
        checks.faults += getattr(error, "faults", ())
        return None


def _look_at_rows(
    checks: _Checks,
    manifest: Mapping[str, Any],
    world: Scenario,
    chosen: Mapping[str, Portfolio],
    solve: bool,
    running: Running,
) -> Proposal | None:
    """The portfolio, and what is beside it, in the problem that is stated again; with `solve`, its bound too. The
    portfolio there; None of one that does not belong there."""
    posed = posed_again(world, manifest, running)
    try:
        own, made = chosen_again(posed, manifest, chosen[""])
    except InputError as error:
        checks.faults += error.faults
        return None
    rows = len(own.problem.rows.names)
    checks.look(f"the portfolio within {count(rows, 'row')}, worth what it says",
                partial(proposal_faults, checks.folder, manifest, own, made))  # fmt: skip
    if len(chosen) > 1:
        beside = {name: one for name, one in chosen.items() if name}
        checks.look(
            f"{count(len(beside), 'portfolio')} beside it",
            lambda: [
                fault
                for name, one in beside.items()
                for fault in baseline_faults(checks.folder, manifest, posed, name, one)
            ],
        )
    if solve:
        checks.look("the bound, solved again", partial(solved_faults, checks.folder, manifest, own))
    else:
        checks.notes.append("the bound was not proven again: --solve does")
    return made


def _look_at_replications(
    checks: _Checks,
    tables: KeptTables,
    world: Scenario,
    chosen: Mapping[str, Portfolio],
    replications: int | None,
    running: Running,
) -> None:
    """Some replications of the portfolio, and of each beside it, simulated again."""
    blocks = blocks_of(tables.count, replications)
    asked = Running(tables.manifest["engine"], running.threads)

    def found() -> Iterator[Fault]:
        for name, one in chosen.items():
            if name:
                yield from policy_faults(tables, world, name, one, blocks, asked)
            else:
                yield from sample_faults(tables, world, one, blocks, asked)

    again = sum(map(len, blocks))
    whose = f" of {count(len(chosen), 'portfolio')}" if len(chosen) > 1 else ""
    checks.look(f"{again:,} of {count(tables.count, 'replication')}{whose} bit for bit", found)
