"""Questions asked of a plan whose run is finished: each is answered in a folder of its own inside the run's.

The plan is whole on disk before anything is asked of it, and each answer is before the next is sought: what fails, or
is interrupted, costs that answer alone. The plan's page is then drawn again, from what the run keeps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from shlex import join
from typing import Protocol

from rdsim import results, runs, studies
from rdsim.brief import count
from rdsim.domain import Scenario
from rdsim.errors import DrawingError, Fault, InputError, RdsimError
from rdsim.folders import MANIFEST, Place, is_file, kept_answers, read_manifest
from rdsim.folders.contents import ANSWERS, PAGE, PORTFOLIO, REPORT
from rdsim.languages import gettext as _
from rdsim.languages import retold
from rdsim.registry import Registry
from rdsim.report import PlanReport, read_page
from rdsim.results import Run
from rdsim.search import Given, Instance, build_instance
from rdsim.studies import QUESTIONS, Question, StudySettings
from rdsim.studies.answer import Progress, settings_of
from rdsim.study import Study
from rdsim.tables import did_you_mean

__all__ = [
    "FinishedPlan",
    "Tell",
    "Watched",
    "ask_all",
    "clear",
    "is_of_plans",
    "is_plan",
    "of_written",
    "portfolio_digest",
    "require_questions",
    "say_how_later",
    "show",
]

INTERRUPTED = "interrupted"
"""Why a run lacks its page, in the words of `rdsim.results`."""


Watched = Callable[[], contextlib.AbstractContextManager[Progress]]
"""Shows how far one question is, while it is asked."""


class Tell(Protocol):
    """Says a line to who waits: an answer, or with `err` what went wrong."""

    def __call__(self, line: str, *, err: bool = False) -> None: ...


def is_of_plans(question: Question) -> bool:
    """Whether a question speaks of a portfolio that is given to it, as a plan's."""
    return "portfolio" in question.shared_options


def require_questions(typed: str, known: Registry[Question] = QUESTIONS) -> tuple[str, ...]:
    """Questions by name, as typed with commas between them, each once. Raises InputError with every fault."""
    names = list(dict.fromkeys(one.strip() for one in typed.split(",")))
    mine = [name for name in known if is_of_plans(known[name])]
    faults = list[Fault]()
    for name in names:
        if name not in known:
            advice = did_you_mean(name, mine, shown_at_most=len(mine))
            faults.append(Fault("--with", "must name questions about a plan, with commas", repr(name), advice))
        elif name not in mine:
            rule = "must name questions about a plan, and this one speaks of no portfolio that is given"
            faults.append(Fault("--with", rule, repr(name), f"Ask it of the scenario: rdsim {name} SCENARIO."))
    if faults:
        raise InputError(tuple(faults))
    return tuple(names)


def is_plan(folder: Path) -> bool:
    """Whether a folder holds the run of a plan with a page and a portfolio, which answers can stand beside."""
    if not is_file(folder / MANIFEST) or not all(is_file(folder / one.name) for one in (PAGE, PORTFOLIO)):
        return False
    try:
        return "search" in read_manifest(folder) and isinstance(read_page(folder), PlanReport)
    except InputError:
        return False


def portfolio_digest(folder: Path) -> str:
    """The SHA-256 of the portfolio of a plan's run, by which an answer knows its plan. Raises RunError."""
    return str(read_manifest(folder)["files"][PORTFOLIO.name])


@dataclass(frozen=True, eq=False)
class FinishedPlan:
    """A plan whose run is in its place, with the scenario that it was made of, as it was read.

    `run` is how the plan's run came about, and `settings` what was typed for the plan: what they leave open is as each
    question has it.
    """

    run: Run
    scenario: Scenario
    settings: StudySettings
    options: Sequence[tuple[str, ...]] = ()
    """Shared options that were typed for the plan: the name of each, then the words that give it again."""

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.run.folder

    @cached_property
    def portfolio(self) -> Given:
        """The plan's portfolio, as its run holds it. Raises InputError."""
        return runs.portfolio_of(self.folder, self.scenario)

    def command(self, name: str) -> tuple[str, ...]:
        """The words that ask the question again."""
        taken = QUESTIONS[name].shared_options
        words = [word for option, *given in self.options if option in taken for word in given]
        place = self.folder.as_posix()
        return ("rdsim", name, *words, "--", place) if place.startswith("-") else ("rdsim", name, place, *words)

    def ask(self, name: str, progress: Progress) -> Study:
        """The study that answers the question; the portfolio problem is stated once for all. Raises RdsimError."""
        wanted = self._settings_of(name)
        problem = partial(self._problem, wanted.samples)
        return studies.ask(name, self.scenario, self.portfolio, wanted, progress, posed=problem)

    def _settings_of(self, name: str) -> StudySettings:
        """How the question is asked: as the plan was made, where the question itself says nothing else."""
        question, asked = QUESTIONS[name], self.settings
        return replace(
            asked,
            samples=question.defaults.get("samples", asked.samples),
            replications=asked.replications or question.defaults.get("replications"),
            solving=replace(asked.solving, gap=question.defaults.get("gap")),
        )

    def claim(self, name: str) -> Run:
        """The place of the answer, and how it came about. Raises OutputError."""
        place = results.claim_answer(self.folder, name, force=self.run.force)
        command, of = self.command(name), portfolio_digest(self.folder)
        told, given = settings_of(name, self._settings_of(name)), self.portfolio
        return replace(
            self.run, folder=place.folder, place=place, command=command, asked_of=of, settings=told, given=given
        )

    def _problem(self, samples: int | None) -> Instance:
        """The portfolio problem, stated once for each number of samples."""
        if samples not in self._instances:
            one = self.settings
            self._instances[samples] = build_instance(
                self.scenario, samples=samples, seed=one.seed, running=one.running
            )
        return self._instances[samples]

    @cached_property
    def _instances(self) -> dict[int | None, Instance]:
        return {}


def of_written(
    run: Run, scenario: Scenario, settings: StudySettings, options: Sequence[tuple[str, ...]] = ()
) -> FinishedPlan:
    """The plan that was just written: its options have as many samples as its run says. Raises RunError."""
    samples = (read_manifest(run.folder).get("solver") or {}).get("samples")
    return FinishedPlan(run, scenario, replace(settings, samples=samples), options)


# --- answers --------------------------------------------------------------------------------------


def ask_all(plan: FinishedPlan, names: Sequence[str], watched: Watched, tell: Tell) -> bool:
    """Ask the plan questions one after another, write each answer, and draw the plan's page again; is all of it whole?

    All of it is told, and the pages are drawn, in the language that is spoken. A question that fails is told, and the
    next is asked; an interrupt ends the asking. What was not asked is told with the commands that ask it later.
    """
    left, whole = list(names), True
    try:
        while left:
            whole = _answer(plan, left[0], watched, tell) and whole
            left.pop(0)
    except KeyboardInterrupt:
        whole = False
        tell(_("interrupted: the plan and what was answered are kept"), err=True)
    finally:
        clear(plan.folder)
        whole = show(plan.folder, tell, plan.run.place) and whole
    if left:
        say_how_later(plan, left, tell)
    return whole


def say_how_later(plan: FinishedPlan, names: Sequence[str], tell: Tell) -> None:
    """Say what was not asked, with the commands that ask it."""
    for name in names:
        told = _("not answered: {question}; to ask it later: {command}")
        tell(told.format(question=name, command=join(plan.command(name))), err=True)


def _answer(plan: FinishedPlan, name: str, watched: Watched, tell: Tell) -> bool:
    """Ask one question, write and tell the answer; whether it is whole. A KeyboardInterrupt passes."""
    try:
        run = plan.claim(name)
    except RdsimError as error:
        return _tell_failure(name, error, plan, tell)
    assert run.place is not None  # noqa: S101 - it was claimed
    try:
        with watched() as progress:
            study = plan.ask(name, progress)
        found = results.write(study, run)
    except RdsimError as error:
        return _tell_failure(name, error, plan, tell)
    finally:
        run.place.release()
    for line in (*run.place.words, *found.words):
        tell(line, err=True)
    tell("\n".join(map(retold, study.lines)))
    written = _("written to {folder}; open {page}") if found.drawn else _("written to {folder}")
    tell(written.format(folder=found.folder, page=found.folder / REPORT.name))
    if found.missing:
        told = (
            _("incomplete: of {folder} is still missing {parts} ({reason})")
            if found.why
            else _("incomplete: of {folder} is still missing {parts}")
        )
        tell(told.format(folder=found.folder, parts=", ".join(found.missing), reason=found.why), err=True)
        if found.why == INTERRUPTED:
            raise KeyboardInterrupt
    return not found.missing


def _tell_failure(name: str, error: RdsimError, plan: FinishedPlan, tell: Tell) -> bool:
    tell(_("{question} was not answered: {reason}").format(question=name, reason=error), err=True)
    say_how_later(plan, [name], tell)
    return False


def clear(folder: Path) -> None:
    """Take away the folder of answers that was made and is empty."""
    with contextlib.suppress(OSError):
        (folder / ANSWERS).rmdir()


def show(folder: Path, tell: Tell, held: Place | None = None) -> bool:
    """Draw a plan's page again, with what was asked of it, and say so; whether it was drawn. `held` is its place, if it
    is claimed already."""
    try:
        found = results.redraw(folder, held)
    except (KeyboardInterrupt, RdsimError) as error:
        why = error.reason if isinstance(error, DrawingError) else str(error) or INTERRUPTED
        told = _("the plan's page does not show it yet ({reason}); to draw it: rdsim report {folder}")
        tell(told.format(reason=why, folder=folder), err=True)
        return False
    for line in found.words:
        tell(line, err=True)
    shown = sum(not one.fault for one in kept_answers(folder, read_manifest(folder)))
    told = _("{page} shows {answers}, each in a section of its own")
    tell(told.format(page=folder / REPORT.name, answers=count(shown, "answer")))
    return True
