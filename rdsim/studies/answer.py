"""Asking a question by its name: what its function is offered, and what it must come back with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rdsim.domain import Portfolio, Scenario
from rdsim.errors import ExtensionError, Fault, InputError, RdsimError, raised_text
from rdsim.folders import Manifest, is_file_name, validate
from rdsim.folders.contents import HELD, TABLE, WHOLE_TABLE, content_of
from rdsim.languages import ENGLISH, noting, speaking
from rdsim.languages import gettext as _
from rdsim.optimiser import Solving
from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.registry import Binding
from rdsim.report import PLOT_KINDS, Page
from rdsim.search import Given, Instance, build_instance, choose
from rdsim.simulation import Running
from rdsim.studies.questions import QUESTIONS
from rdsim.study import Study
from rdsim.tables import did_you_mean
from rdsim.titles import GIVEN_PORTFOLIO

__all__ = ["Progress", "StudySettings", "ask", "ask_of_problem", "settings_of"]

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""

_NO_ENGINE = "none"
"""What a study says that does not say on which engine it ran."""
_OURS = ("rdsim", "command", "scenario", "plugins", "packages", "complete", "missing", "files", "versions", "study",
         "asked_of", "given", "stated", "settings", "numbers", "platform", "manifest_sha256")  # fmt: skip
"""Fields of a manifest that a study's record does not say."""


with speaking(ENGLISH):  # files hold it
    _PORTFOLIO_GIVEN = _(GIVEN_PORTFOLIO)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class StudySettings:
    """How a question is asked; None: as the scenario says."""

    samples: int | None = None
    """Replications behind each option of the portfolio problem."""
    replications: int | None = None
    seed: int | None = None
    solving: Solving = Solving()
    running: Running = Running()


def settings_of(name: str, asked: StudySettings) -> dict[str, Any]:
    """How a question is asked, with its own options at their defaults: by name, as the manifest of its run says it."""
    question = QUESTIONS[name]
    known = {
        **{one: getattr(asked, one) for one in ("samples", "replications", "seed")},
        **{one: getattr(asked.solving, one) for one in ("solver", "gap", "time_limit")},
        "engine": asked.running.engine,
    }
    own = {one.name: one.default_text for one in question.own}
    return {one: value for one, value in known.items() if one in question.shared_options} | own


def ask(
    name: str,
    scenario: Scenario,
    given: Portfolio | Given | None = None,
    asked: StudySettings | None = None,
    progress: Progress = _silent,
    posed: Callable[[], Instance] | None = None,
    **options: Any,
) -> Study:
    """The study that answers a question, by the name of its command: `ask("frontier", scenario, points=5)`.

    `given` is the portfolio that it is to speak of; `options` are those of the question's own; `posed` gives its
    portfolio problem, stated with what is `asked`, where several questions share it. Raises InputError for a
    question that nobody registered and for every option that cannot be, ExtensionError if a plug-in's function fails or
    answers with what is no study, and what the study raises.
    """
    if name not in QUESTIONS:
        raise InputError((Fault("study", "must be registered", repr(name), did_you_mean(name, QUESTIONS)),))
    question = QUESTIONS[name]
    values, taken = question.option_values(options), question.bind(f"study {name!r}")
    offer = _Offer(scenario, Given(given, _PORTFOLIO_GIVEN) if isinstance(given, Portfolio) else given, asked, posed)
    found = {one: values[one] if one in values else offer(one, progress) for one in taken.names}
    return _check(name, _answer_of(name, taken, found), found.get("running"))


def ask_of_problem(name: str, statement: StatedProblem, solving: Solving = Solving(), **options: Any) -> Study:
    """The study that answers a question of a problem that tables state:
    `ask_of_problem("frontier", rdsim.optimiser.problem.folder.read_statement("knapsack"), second="weight")`.

    Raises: as `ask`; InputError also for a question that has no meaning there.
    """
    known = [one for one in QUESTIONS if QUESTIONS[one].stated is not None]
    if name not in known:
        rule = f"must be one that has a meaning of a stated problem: {', '.join(known)}"
        raise InputError((Fault("study", rule, repr(name), did_you_mean(name, known, shown_at_most=0)),))
    question = QUESTIONS[name]
    values, taken = question.problem_values(options), question.bind_problem(f"study {name!r}")
    offer = {"statement": statement, "solving": solving}
    return _check(name, _answer_of(name, taken, {**offer, **values}))


def _answer_of(name: str, taken: Binding, given: Mapping[str, Any]) -> Any:
    """What a question's function answers. Raises ExtensionError if a plug-in's fails."""
    try:
        with speaking(ENGLISH), noting() as noted:  # files hold English, and what its texts say
            study = taken.of(given)
            return study.with_noted(noted) if isinstance(study, Study) else study
    except RdsimError:
        raise
    except Exception as error:
        if name in QUESTIONS.built_in:
            raise
        rule = "must run without an error"
        raise ExtensionError((Fault(f"study {name!r}", rule, raised_text(error)),)) from error


class _Offer:
    """What a question's function may take; what is not taken is not computed."""

    def __init__(
        self,
        scenario: Scenario,
        given: Given | None,
        asked: StudySettings | None,
        state: Callable[[], Instance] | None,
    ) -> None:
        self.scenario, self.given, self.asked = scenario, given, asked or StudySettings()
        self._state = state or self._build
        self._posed: Instance | None = None

    def __call__(self, name: str, progress: Progress) -> Any:
        known: Mapping[str, Callable[[], Any]] = {
            "scenario": lambda: self.scenario,
            "given": lambda: self.given,
            "posed": self.instance,
            "portfolio": self.portfolio,
            "replications": lambda: self.asked.replications or self.scenario.simulation.replications,
            "seed": lambda: self.scenario.simulation.seed if self.asked.seed is None else self.asked.seed,
            "progress": lambda: progress,
        }
        return known[name]() if name in known else getattr(self.asked, name)

    def instance(self) -> Instance:
        """The portfolio problem, stated once."""
        if self._posed is None:
            self._posed = self._state()
        return self._posed

    def _build(self) -> Instance:
        one = self.asked
        return build_instance(self.scenario, samples=one.samples, seed=one.seed, running=one.running)

    def portfolio(self) -> Portfolio:
        """The portfolio that was named, or else the optimiser's choice."""
        if self.given is not None:
            return self.given.portfolio
        return choose(self.instance(), self.asked.solving).portfolio


# --- what comes back ------------------------------------------------------------------------------


def _check(name: str, study: Any, running: Running | None = None) -> Study:
    """The study, under its question's name. Raises ExtensionError with everything that no folder could hold."""
    label = f"study {name!r}"
    if not isinstance(study, Study):
        raise ExtensionError((Fault(label, "must answer with a rdsim.study.Study", type(study).__name__),))
    engine = running.engine if running is not None and study.engine == _NO_ENGINE else study.engine
    found = replace(study, name=name, engine=engine)
    faults = tuple(_faults(label, found))
    if faults:
        raise ExtensionError(faults)
    validate(
        {"rdsim": "0", "complete": True, "files": {}, "versions": {}, **found.record},
        Manifest,
        f"{label}, record",
        ExtensionError,
    )
    return found


def _plot_faults(label: str, study: Study) -> Iterator[Fault]:
    """What no page could draw: told before anything is written, not when it is drawn."""
    plots = [plot for one in study.page.sections for plot in one.plots] if isinstance(study.page, Page) else []
    for plot in plots:
        if plot.kind not in PLOT_KINDS:
            rule = f"the kind must be one of {', '.join(PLOT_KINDS)}"
            yield Fault(f"{label}, plot {plot.key!r}", rule, repr(plot.kind))
        for column in (plot.x[0], plot.y[0], plot.low, plot.high, plot.colour):
            if column and column not in plot.frame.columns:
                rule = f"must name columns of its frame: {', '.join(map(str, plot.frame.columns))}"
                yield Fault(f"{label}, plot {plot.key!r}", rule, repr(column))


def _faults(label: str, study: Study) -> Iterator[Fault]:
    yield from _plot_faults(label, study)
    for name in study.tables:
        family = WHOLE_TABLE if name in study.parquet else TABLE
        if content_of(family.path(name), study.name) is not family:
            yield Fault(f"{label}, table", "must have a name that is none of a run's other files'", repr(name))
    for name in study.portfolios:
        if "/" in name or not is_file_name(f"{name}.csv"):
            yield Fault(f"{label}, portfolio", "must have a name that a file can have", repr(name))
    for name in study.texts:
        if not any(one.name == name and one.of for one in HELD):
            yield Fault(f"{label}, text", "must be a file that a run's folder holds", repr(name))
    for name in study.parquet - study.tables.keys():
        yield Fault(f"{label}, parquet", "must name tables of the study", repr(name))
    for name in set(_OURS) & study.record.keys():
        yield Fault(f"{label}, record", "must leave to rdsim what it says itself", repr(name))
