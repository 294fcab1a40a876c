"""An experiment made ready: its scenario read, factors bound, policies decided; everything checked before it runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from rdsim import plugins, portfolio
from rdsim.designs import SAMPLED, Bound, Design, bind, read_anew
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import ExperimentError, Fault, InputError
from rdsim.figures import Figure, column_figures
from rdsim.optimiser import Solving
from rdsim.optimiser.adapters import solver_fault, versions_of
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.plans import AT_PLAN_RATIOS
from rdsim.plans import ONE_SHOT as RULE_ONE_SHOT
from rdsim.scenario import Override, Variations, World, eligible, load, named_extensions
from rdsim.scenario.shapes import dotted_path
from rdsim.search import rules_of
from rdsim.simulation import Running
from rdsim.streams import REPEATS
from rdsim.sweep.answers import Names, answers_faults
from rdsim.sweep.decisions import ONE_SHOT, PLAN, POOLED, decide
from rdsim.sweep.measures import OF_ROLLING, Metric, gain_over, parse_metric, parse_metrics
from rdsim.sweep.policies import Own, own_policies
from rdsim.sweep.settings import ExperimentSettings
from rdsim.sweep.tasks import COLUMNS, Task, Work, rule_policies
from rdsim.tables import did_you_mean, shown_value

__all__ = ["DesignPoint", "Prepared", "names_of", "prepare", "variations_of"]

_MAIN = {
    "simulate": ("npv", "commercialised_by_deadline"),
    "optimise": ("npv", "commercialised_by_deadline", "partners_opened"),
    "plan": ("npv", "gain_over_one_shot", "commercialised_by_deadline", "partners_opened"),
    "rolling": tuple(OF_ROLLING),
}
_MOST_POINTS, _MOST_LEVELS, _MOST_FACTORS = 100_000_000, 100_000_000, 1000
"""Of a design; what its levels take is some gigabyte then, and its points take weeks."""


class DesignPoint(NamedTuple):
    """A point of the design in one repeat: its number, the level of each factor, and its task."""

    number: int
    levels: tuple[Any, ...]
    task: Task

    @property
    def repeat(self) -> int:
        """Which repeat it is, from 0."""
        return self.task.repeat


@dataclass(frozen=True, eq=False)
class Prepared:
    """An experiment with all that its tasks need, but for portfolios that are still to be decided."""

    experiment: ExperimentSettings
    scenario: Scenario
    variations: Variations
    factors: tuple[Bound, ...]
    design: Design
    metrics: tuple[Metric, ...]
    replications: int
    seed: int
    given: Mapping[str, Portfolio] = field(default_factory=dict)  # policies that are files
    plugins: tuple[plugins.Plugin, ...] = ()
    own: tuple[Own, ...] = ()  # the user's gate policies and purse rules that the experiment names

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies that the experiment asks for."""
        listed = [name for one in self.factors if one.is_policy for name in one.factor.policies]
        return tuple(listed or [self.experiment.policy])

    @property
    def undecided_policies(self) -> tuple[str, ...]:
        """Policies that are decided once, at the scenario as it stands, before the tasks are done."""
        if self.experiment.task != "simulate":
            return ()
        return tuple(name for name in self.policies if name not in self.given)

    @property
    def solves(self) -> bool:
        """Whether anything is left to choose."""
        return self.experiment.task != "simulate" or bool(self.undecided_policies)

    @cached_property
    def solvers(self) -> str:
        """See `versions_of`; "" if nothing is left to choose."""
        return versions_of(self.experiment.solver) if self.solves else ""

    @property
    def count(self) -> int:
        """How many tasks there are: of every point in every repeat."""
        return self.design.count * self.experiment.repeats

    def seed_of(self, repeat: int) -> int:
        """Seed of a repeat: of the samples it decides on, and of the replications that it is judged on."""
        return self.seed if repeat == 0 else stream_seed(self.seed, REPEATS.number(repeat - 1))

    def decide(self, policy: str, threads: int | None, repeat: int = 0) -> Portfolio:
        """The portfolio of a policy in the scenario as it stands."""
        how = Solving(self.experiment.solver), Running(threads=threads)
        return decide(self.scenario, policy, self.seed_of(repeat), *how)

    def work(self, decided: Mapping[tuple[str, int], Portfolio], threads: int | None) -> Work:
        """What all tasks share, once every policy that is decided in advance is known."""
        one = self.experiment
        return Work(
            self.scenario,
            self.variations.worlds,
            one.task,
            self.replications,
            self.metrics,
            self.given,
            decided,
            one.paired,
            one.solver,
            self.plugins,
            self.own,
            threads,
            # Portfolios that are decided once are in the keys themselves.
            solvers="" if one.task == "simulate" else self.solvers,
        )

    def points(self, work: Work, numbers: Iterable[int] | None = None) -> Iterator[DesignPoint]:
        """Points by number, each with its task, repeat by repeat."""
        every = range(self.design.count) if numbers is None else list(numbers)
        for repeat in range(self.experiment.repeats):
            for number in every:
                yield self.point(work, number, repeat)

    def point(self, work: Work, number: int, repeat: int = 0) -> DesignPoint:
        """A point in a repeat."""
        levels = self.design.at(number)
        overrides, policy = self._settings(levels)
        seed = self.seed_of(repeat)
        seed = seed if self.experiment.common_random_numbers else stream_seed(seed, number)
        pool, cases = self._pool(number) if policy in POOLED else ("", ())
        key = work.key_of(self._content(overrides), policy, seed, repeat, pool)
        return DesignPoint(number, levels, Task(key, overrides, policy, seed, repeat, pool, cases))

    def _content(self, overrides: Sequence[Override]) -> str:
        try:
            return self.variations.digest(overrides)
        except InputError:
            # The worker will say what is wrong; until then the settings themselves stand for the content.
            return repr([(one.text, one.value) for one in overrides])

    def pool_of(self, number: int) -> tuple[int, ...]:
        """The points that share a pool with a point, itself included, in the order of the design: those that differ by
        the levels of pooled factors alone. Of an experiment without such factors none."""
        return self._pools.get(self._apart(number), ()) if self.is_pooled else ()

    @property
    def is_pooled(self) -> bool:
        """Whether any points share a pool."""
        return any(one.factor.pool for one in self.factors)

    @cached_property
    def _pools(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for number in range(self.design.count):
            found.setdefault(self._apart(number), []).append(number)
        return {key: tuple(numbers) for key, numbers in found.items()}

    def _apart(self, number: int) -> str:
        """What keeps a point apart from those of other pools."""
        pairs = zip(self.factors, self.design.at(number), strict=True)
        return repr([level for one, level in pairs if not one.factor.pool])

    def _pool(self, number: int) -> tuple[str, tuple[tuple[Override, ...], ...]]:
        """The digest of the cases that share a pool with a point, and their settings."""
        numbers = self.pool_of(number)
        if len(numbers) < 2:
            return "", ()
        if numbers not in self._cases:
            settings = [self._settings(self.design.at(one))[0] for one in numbers]
            contents = sorted({self._content(one) for one in settings})
            self._cases[numbers] = (hashlib.sha256("".join(contents).encode()).hexdigest(), tuple(settings))
        return self._cases[numbers]

    @cached_property
    def _cases(self) -> dict[tuple[int, ...], tuple[str, tuple[tuple[Override, ...], ...]]]:
        return {}

    def _settings(self, levels: tuple[Any, ...]) -> tuple[tuple[Override, ...], str]:
        overrides: list[Override] = []
        policy = self.experiment.policy
        pairs = [pair for pair in zip(self.factors, levels, strict=True) if pair[1] is not None]
        chosen = [world for one, level in pairs if (world := one.world(level)) is not None]
        for one, level in pairs:
            if one.is_policy:
                policy = level
            overrides += one.overrides(level, chosen[-1] if chosen else None)
        return tuple(overrides), policy

    @cached_property
    def own_levels(self) -> tuple[Any, ...]:
        """The scenario's own level of each factor, where there is one to tell."""
        return tuple(self.experiment.policy if one.is_policy else one.own for one in self.factors)


def variations_of(experiment: ExperimentSettings) -> Variations:
    """The experiment's scenario with its fixed settings. Raises InputError with every fault."""
    given = experiment.scenario
    if isinstance(given, Scenario):
        base = Variations(given)
        places = [one for name in experiment.settings for one in _parse(name)]
        values = list(experiment.settings.values())
        overrides = [base.override(path, value) for path, value in zip(places, values, strict=True)]
        return Variations(base.vary(overrides))
    folder = experiment.path(str(given))
    scenario = load(folder, experiment.settings)
    return Variations(scenario, dict(_worlds(experiment, folder)))


def _worlds(experiment: ExperimentSettings, folder: Path) -> Iterator[tuple[World, Scenario]]:
    """The scenario with each choice of optional parts or of a draw that a level of a factor makes."""
    names = experiment.factors.keys()
    levels = ((name, one, level) for name, one in experiment.factors.items() for level in one.level_list)
    rows = ((name, experiment.factors[name], row[name]) for row in experiment.rows for name in row.keys() & names)
    choices = [read_anew(factor, name, level) for name, factor, level in [*levels, *rows]]
    for chosen in {repr(one): one for one in choices if one}.values():
        found = load(folder, {**experiment.settings, **{dotted_path(path): one for path, one in chosen.items()}})
        yield (found.parts, found.illustrative.draw), found


def _parse(text: str) -> list[tuple[str | int, ...]]:
    from rdsim.scenario import parse_overrides  # noqa: PLC0415

    overrides, faults = parse_overrides({text: 0})
    if faults:
        raise InputError(tuple(faults))
    return [one.path for one in overrides]


def prepare(experiment: ExperimentSettings) -> Prepared:
    """Check all of an experiment. Raises ExperimentError with every fault: nothing is run before."""
    try:
        loaded = plugins.load([experiment.path(one) for one in experiment.plugins])
        variations = variations_of(experiment)
        own = own_policies(_names(experiment, variations))
    except InputError as error:
        raise ExperimentError(error.faults) from None
    checks = _Checks(experiment, variations)
    found = checks.prepare()
    if checks.faults:
        raise ExperimentError(tuple(dict.fromkeys(checks.faults)))
    return replace(found, plugins=loaded, own=own)


def _names(experiment: ExperimentSettings, variations: Variations) -> Iterator[str]:
    """Every text that may name an extension: of the scenario, its aim, policies, metrics, and levels."""
    policies = (name for one in experiment.factors.values() for name in one.policies)
    yield from (name.removesuffix(AT_PLAN_RATIOS) for name in (experiment.policy, *policies))
    for world in variations.worlds.values():
        yield from (one.name for one in named_extensions(world))
        yield from world.aim
    settings = [
        *experiment.settings,
        *experiment.factors,
        *(path for one in experiment.factors.values() for path in one.paths),
    ]
    for text in (*experiment.metrics, *settings):
        yield from re.findall(r"\w+", text)
    levels = (level for one in experiment.factors.values() for level in (*one.values, *one.cases.values()))
    yield from _texts([*levels, *experiment.rows])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def names_of(prepared: Prepared) -> Names:
    """What answers of an experiment may speak of."""
    return _names_of(prepared.experiment, prepared.factors, prepared.metrics)


def _names_of(one: ExperimentSettings, factors: Iterable[Bound], metrics: Iterable[Metric]) -> Names:
    levels = {bound.name: tuple(str(level) for level in bound.factor.level_list) for bound in factors}
    texts = tuple(metric.text for metric in metrics)
    return Names(texts, levels, one.paired, one.design in SAMPLED, one.task != "simulate", one.repeats)


class _Checks:
    """One pass over an experiment, with the faults that it gathers."""

    def __init__(self, experiment: ExperimentSettings, variations: Variations) -> None:
        self.experiment, self.variations = experiment, variations
        self.scenario = variations.scenario
        self.faults: list[Fault] = []

    def prepare(self) -> Prepared:
        one = self.experiment
        self._check_design()
        factors = tuple(bound for name in one.factors for bound in self._bound(name))
        for bound in factors:
            self._check_levels(bound)
        given = {name: chosen for name in self._policies() for chosen in self._portfolio(name)}
        metrics = self._metrics()
        seed = self.scenario.simulation.seed if one.seed is None else one.seed
        count = one.replications or self.scenario.simulation.replications
        design = Design(one.design, one.factors, one.points, one.levels, one.rows, one.design_seed)
        self._check_size(design)
        if not self.faults:
            self._check_answers(factors, metrics)
        found = Prepared(one, self.scenario, self.variations, factors, design, metrics, count, seed, given)
        if self.experiment.repeats > 1 and not found.solves:
            self.fault("repeats", "are of deciding, and nothing is decided here", str(self.experiment.repeats))
        for text in self.experiment.difference:
            if text not in [metric.text for metric in metrics]:
                known = did_you_mean(text, [metric.text for metric in metrics])
                self.fault(f"difference.{text}", "must be a metric of the experiment", text, known)
        if found.solves and (unfit := solver_fault(one.solver)):
            self.faults.append(replace(unfit, where="solver"))
        return found

    def fault(self, where: str, rule: str, found: object = "", suggestion: str = "") -> None:
        self.faults.append(Fault(where, rule, str(found), suggestion))

    def _check_design(self) -> None:
        one = self.experiment
        if one.design in SAMPLED and one.points is None and one.factors:
            self.fault("points", f"the design {one.design} needs a number of points", "nothing")
        if one.design == "list" and not one.rows:
            self.fault("list", "the design list needs a table [[list]] for each point", "none")
        if one.rows and one.design != "list":
            self.fault("list", "only the design list has rows", f"design = '{one.design}'")
        for number, row in enumerate(one.rows, start=1):
            for name in row:
                if name not in one.factors:
                    advice = did_you_mean(name, one.factors) or f"Declare [factors.'{name}'] with its values."
                    self.fault(f"list, row {number}", "there is no such factor", name, advice)
        for name in one.factors.keys() & (COLUMNS | {text.strip() for text in one.metrics}):
            self.fault(f"factors.{name}", "must not have the name of another column of the results", name)
        switches = [name for name, it in one.factors.items() if any(read_anew(it, name, at) for at in it.level_list)]
        if len(switches) > 1:
            self.fault("factors", "at most one factor chooses optional parts or a draw", ", ".join(switches))
        policies = [name for name, factor in one.factors.items() if factor.policies]
        if len(policies) > 1:
            self.fault("factors", "at most one factor has policies", ", ".join(policies))
        self._check_repeats()
        if one.task in ("plan", "rolling") and (policies or one.policy not in (PLAN, ONE_SHOT)):
            self.fault("policy", f"the task {one.task} has one of its own", ", ".join(policies) or one.policy)

    def _check_repeats(self) -> None:
        one = self.experiment
        for name, factor in one.factors.items():
            if factor.pool and (one.task != "optimise" or one.design in SAMPLED):
                rule = "cases share a pool in the task optimise, in a design of chosen points"
                self.fault(f"factors.{name}.pool", rule, f"task = '{one.task}', design = '{one.design}'")

    def _check_size(self, design: Design) -> None:
        """A design must be one that can be counted, and held in memory."""
        worlds, held = design.at_most
        points = worlds * self.experiment.repeats
        if points > _MOST_POINTS:
            found = f"{points:,}" if points < 10**18 else "more than 10^18"
            self.fault("design", f"must have at most {_MOST_POINTS:,} points", found, "Name fewer points.")
        if held > _MOST_LEVELS or len(design.factors) > _MOST_FACTORS:
            found = f"{len(design.factors):,} factors, {held:,} levels"
            rule = f"must have at most {_MOST_FACTORS:,} factors and {_MOST_LEVELS:,} levels"
            self.fault("design", rule, found)

    def _check_answers(self, factors: Iterable[Bound], metrics: Iterable[Metric]) -> None:
        """Answers may speak only of what is varied and measured."""
        names = _names_of(self.experiment, factors, metrics)
        self.faults += answers_faults([answer.text for answer in self.experiment.answers], names)

    def _bound(self, name: str) -> Iterator[Bound]:
        try:
            yield bind(name, self.experiment.factors[name], self.variations)
        except InputError as error:
            self.faults += error.faults

    def _check_levels(self, bound: Bound) -> None:
        """Every listed level, and the ends of every other, must give a valid scenario, all else as it stands."""
        listed = [row[bound.name] for row in self.experiment.rows if bound.name in row]
        for value in {repr(level): level for level in (*listed, *bound.factor.edges())}.values():
            if bound.factor.cases and not (isinstance(value, str) and value in bound.cases):
                self.fault(
                    f"factors.{bound.name}",
                    "there is no such case",
                    shown_value(value),
                    did_you_mean(str(value), bound.cases),
                )
                continue
            try:
                self.variations.vary(bound.overrides(value, bound.world(value)))
            except InputError as error:
                for fault in error.faults:
                    where = f"factors.{bound.name}, level {_level_text(value)}"
                    self.fault(
                        where, f"{fault.where.removeprefix('--set ')} {fault.rule}", fault.found, fault.suggestion
                    )

    def _policies(self) -> Iterator[str]:
        """Policies that are portfolios, by name or file; unknown rules are faults."""
        one = self.experiment
        for name in one.portfolios:
            if name in rule_policies():
                self.fault(f"portfolios.{name}", "must not have the name of a rule", name)
            else:
                yield name
        names = [name for factor in one.factors.values() for name in factor.policies]
        for name in dict.fromkeys(names or [one.policy]):
            if name in one.portfolios:
                continue
            if name.endswith(".csv"):
                yield name
            elif name not in rule_policies():
                rule = f"must be a CSV file or one of {', '.join([*one.portfolios, *rule_policies()])}"
                self.fault("policy", rule, name, did_you_mean(name, [*one.portfolios, *rule_policies()]))

    def _portfolio(self, name: str) -> Iterator[Portfolio]:
        file = self.experiment.path(self.experiment.portfolios.get(name, name))
        try:
            yield portfolio.read(file, self.scenario)
        except InputError as error:
            self.faults += error.faults

    def _metrics(self) -> tuple[Metric, ...]:
        wanted = self.experiment.metrics or _MAIN[self.experiment.task]
        try:
            _require_choice(self.scenario)
            return parse_metrics(wanted, figures(self.scenario, self.experiment.task, wanted))
        except InputError as error:
            self.faults += error.faults
        return ()


def _level_text(level: Any) -> str:
    return level if isinstance(level, str) and len(level) < 60 else shown_value(level)


def figures(scenario: Scenario, task: str, wanted: Sequence[str]) -> Mapping[str, Figure]:
    """The figures that a task gives, by name; `wanted` metrics may ask for those of installed packages."""
    if task == "rolling":
        return OF_ROLLING
    named = (one.figure for text in wanted if (one := parse_metric(text.strip())) is not None)
    columns = column_figures(scenario, named)
    rules = (RULE_ONE_SHOT, *(f"{name}{end}" for name in rules_of(scenario) for end in ("", AT_PLAN_RATIOS)))
    gains = [gain_over(rule) for rule in rules] if task == "plan" else []
    return {**columns, **{one.name: one for one in gains}}


def _require_choice(scenario: Scenario) -> None:
    """Raises InputError if there is nothing that the scenario allows."""
    joint = [(code, mode) for code, partner in scenario.partners.items() for mode in partner.modes]
    for name, technology in scenario.technologies.items():
        starts = scenario.programmes[technology.programme].starts
        years = any(count and year >= scenario.start_year for year, count in starts.items())
        if years and any(not eligible(scenario, name, *pair) for pair in [("", "domestic"), *joint]):
            return
    raise InputError((Fault("scenario", "must have at least one technology that may be funded"),))
