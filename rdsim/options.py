"""Options: what may be funded, and what each would do alone.

An option is a technology with a partner (or none), a funding mode and a start year. Each is simulated alone
on the same replications, with every calendar shock of its own start year: nothing is shifted from one year to
another. What options do to one another - waiting - is not seen here; simulating the portfolio shows it.

Means leave out the luck of talks (`rdsim.talks`): every course that an option's talks can take is simulated, and
weighed. What is kept of each sample is of the course that talks take in it: risk is asked of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.case import DAYS_PER_MONTH, DAYS_PER_YEAR, Case, Outcomes, call_day, technologies
from rdsim.domain import Choice, Scenario
from rdsim.draws import Draws
from rdsim.errors import ExtensionError, Fault
from rdsim.expectation import expected_figure, expected_projects, market_chances, with_sure_market
from rdsim.families import Options
from rdsim.figures import ALONE, Figure, answer
from rdsim.luck import comes_to_market, value_factor
from rdsim.markets import takes_luck
from rdsim.metrics import by_year, discount, home_by_year, yearly_sales
from rdsim.native.threads import cores, in_threads
from rdsim.scenario import award, eligible, money_scale
from rdsim.simulation import Batch, Running, Setup, in_batches
from rdsim.streams import SAMPLING, Stream
from rdsim.talks import TalkCourses, courses_of, pick_courses, single_courses

__all__ = [
    "Options",
    "awards_due",
    "candidates",
    "contribution",
    "expected_figures",
    "joined_options",
    "picked_options",
    "place_shares",
    "plain_sample",
    "sample",
    "worth_alone",
]

T = TypeVar("T")

_CHUNK = 500
"""Options simulated together: few technologies at a time, so that each one's luck is laid out once."""


def candidates(scenario: Scenario, *, abroad: bool = True) -> tuple[Choice, ...]:
    """Every eligible option, by technology, partner, mode and start year; of those without a partner alone unless
    `abroad`.

    Model: D20.
    """
    return tuple(
        Choice(technology, mode, partner, year)
        for technology, row in scenario.technologies.items()
        for partner, mode in _pairs(scenario, abroad)
        if not eligible(scenario, technology, partner, mode)
        for year, starts in sorted(scenario.programmes[row.programme].starts.items())
        if starts > 0
    )


def _pairs(scenario: Scenario, abroad: bool) -> list[tuple[str, str]]:
    joint = [(code, mode) for code, partner in scenario.partners.items() for mode in partner.modes if abroad]
    return [("", "domestic"), *joint]


def awards_due(scenario: Scenario, choice: Choice) -> Floats:
    """A project's full award by the fiscal year in which its tranches fall due if it never stops or waits, (Y,).

    Tranches due after the horizon are left out; money is in the scenario's unit.

    Model: F14.
    """
    line = scenario.programmes[scenario.technologies[choice.technology].programme]
    due = np.zeros(scenario.horizon_year - scenario.start_year + 1)
    promised = award(scenario, choice.technology, choice.partner, choice.mode)
    months = call_day(scenario, line) / DAYS_PER_MONTH
    for tranche in line.tranches:
        year = choice.start_year - scenario.start_year + int(months * DAYS_PER_MONTH // DAYS_PER_YEAR)
        if year < len(due):
            due[year] += tranche.share * promised
        months += tranche.months
    return due


# --- sampling -------------------------------------------------------------------------------------


def sample(
    scenario: Scenario,
    choices: tuple[Choice, ...],
    *,
    samples: int,
    seed: int,
    stream: Stream = SAMPLING,
    each_payment: bool = False,
    running: Running = Running(),
) -> Options:
    """Simulate each option alone on `samples` common replications, the first of a stream.

    With `each_payment` the payments of every sample are kept, N x O x Y single-precision numbers.
    """
    draws = Draws(seed, stream.numbers(samples))
    return _sample(scenario, _chunks(choices, partial(courses_of, scenario)), draws, each_payment, running)


def plain_sample(
    scenario: Scenario,
    choices: tuple[Choice, ...],
    *,
    samples: int,
    seed: int,
    stream: Stream = SAMPLING,
    running: Running = Running(),
) -> Options:
    """Like `sample`, but means are over talks as drawn: in one sample, what came of each option in it."""
    draws = Draws(seed, stream.numbers(samples))
    return _sample(scenario, _chunks(choices, single_courses), draws, False, running)


def joined_options(parts: Sequence[Options]) -> Options:
    """Options that were sampled portion by portion on the same replications, as if at once; there must be a part."""

    def along(name: str) -> Any:
        columns = [getattr(part, name) for part in parts]
        return None if columns[0] is None else np.concatenate(columns, axis=1 if name in _EACH else 0)

    figures = {name: np.concatenate([part.figures[name] for part in parts]) for name in parts[0].figures}
    choices = tuple(choice for part in parts for choice in part.choices)
    return Options(choices, figures=figures, **{name: along(name) for name in _COLUMNS})


def picked_options(options: Options, places: npt.NDArray[np.int64]) -> Options:
    """Some of the options, by number, (K,), with their samples."""

    def of(name: str) -> Any:
        column = getattr(options, name)
        return column if column is None else column[:, places] if name in _EACH else column[places]

    figures = {name: column[places] for name, column in options.figures.items()}
    return Options(tuple(options.choices[o] for o in places), figures=figures, **{name: of(name) for name in _COLUMNS})


def _chunks(choices: tuple[Choice, ...], courses: Callable[[tuple[Choice, ...]], TalkCourses]) -> list[TalkCourses]:
    return [courses(choices[start : start + _CHUNK]) for start in range(0, len(choices), _CHUNK)]


def _sample(
    scenario: Scenario, chunks: list[TalkCourses], draws: Draws, each_payment: bool, running: Running
) -> Options:
    told = {figure.name: figure for figure, _ in aim_of(scenario).weights if _needs_samples(figure)}
    asked = tuple(told.values()), each_payment
    parts = _by_chunk(lambda chunk, how: _sample_chunk(scenario, chunk, draws, asked, how), chunks, running)
    columns = {
        name: np.concatenate([part[name] for part in parts], axis=1 if name in _EACH else 0)
        for name in (parts[0] if parts else {})
    }
    figures = {name: columns.pop(_FIGURE + name) for name in told if parts}
    choices = tuple(choice for chunk in chunks for choice in chunk.choices)
    return (
        Options(choices=choices, figures=figures, **columns)
        if parts
        else _no_options(scenario, len(draws.replications))
    )


def _by_chunk(job: Callable[[TalkCourses, Running], T], chunks: Sequence[TalkCourses], running: Running) -> list[T]:
    """A job for each chunk, in order. Threads share chunks, so that one is set up while another is simulated."""
    threads = running.threads or cores()
    workers = min(threads, len(chunks))
    if workers <= 1 or running.engine == "simpy":
        return [job(chunk, running) for chunk in chunks]
    share = replace(running, threads=threads // workers)
    return list(in_threads((partial(job, chunk, share) for chunk in chunks), workers))


_FIGURE = "figure "
"""Begins the names of columns of figures that only samples tell."""


def _needs_samples(figure: Figure) -> bool:
    return figure.alone is None and figure.of_projects


def expected_figures(
    scenario: Scenario,
    options: Options,
    figures: Iterable[Figure],
    *,
    samples: int,
    seed: int,
    running: Running = Running(),
) -> dict[str, Floats]:
    """What each option alone is expected to add to figures, each (O,): as known, or from the same samples once more."""
    listed = list(figures)
    known = {figure.name: _alone(figure, scenario, options) for figure in listed}
    missing = [figure for figure in listed if known[figure.name] is None]
    draws = Draws(seed, SAMPLING.numbers(samples))

    def mean(courses: TalkCourses, how: Running) -> Floats:
        reduce = partial(_sums, scenario, courses.projects, missing)
        parts = list(in_batches(_setup(scenario, courses), draws, reduce, how))
        return np.asarray(courses.mean(np.sum(parts, axis=0), axis=1) / samples)

    chunks = _chunks(options.choices, partial(courses_of, scenario)) if missing else []
    found = _by_chunk(mean, chunks, running)
    table = np.concatenate(found, axis=1) if found else np.zeros((len(missing), len(options.choices)))
    told = {figure.name: row for figure, row in zip(missing, table, strict=True)}
    return {name: told[name] if one is None else one for name, one in known.items()}


def _setup(scenario: Scenario, courses: TalkCourses) -> Setup:
    """Each course by itself, in the scenario in which the market is sure."""
    return Setup(with_sure_market(scenario), courses.projects, courses.case(scenario))


def _sums(scenario: Scenario, choices: tuple[Choice, ...], figures: list[Figure], batch: Batch) -> Floats:
    """What each option is expected to add, summed over a batch, (figures, options)."""
    told = (batch.case, batch.outcomes, batch.worth)
    return np.array([expected_figure(one, scenario, choices, *told).sum(axis=0) for one in figures])


def contribution(figure: Figure, scenario: Scenario, options: Options) -> Floats:
    """What each option alone is expected to add to a figure, (O,).

    Raises: ExtensionError for a figure that only samples tell and that was not sampled.
    """
    found = _alone(figure, scenario, options)
    if found is None:
        raise ExtensionError(
            (Fault(f"figure {figure.name}", "must be told by the samples of the options", "not told"),)
        )
    return found


def _alone(figure: Figure, scenario: Scenario, options: Options) -> Floats | None:
    if figure.name in options.figures:
        return options.figures[figure.name]
    if figure.alone is None:
        return None if figure.of_projects else np.zeros(len(options.choices))
    material = _View(scenario, options)
    found = np.broadcast_to(answer(figure, figure.asks["alone"], material), len(options.choices))
    if figure.each:
        found = found * answer(figure, figure.asks["each"], material)
    return np.asarray(found, np.float64)


class _View(Mapping[str, Any]):
    """What figures ask of options, by the names that `rdsim.figures.ALONE` offers."""

    def __init__(self, scenario: Scenario, options: Options) -> None:
        self._scenario, self._options = scenario, options

    def __getitem__(self, name: str) -> Any:
        choices = self._options.choices
        if name == "technologies":
            return [self._scenario.technologies[choice.technology] for choice in choices]
        if name == "yearly_sales":
            return yearly_sales(self._scenario, choices)
        return self._scenario if name == "scenario" else getattr(self._options, name)

    def __iter__(self) -> Iterator[str]:
        return iter(ALONE.offers)

    def __len__(self) -> int:
        return len(ALONE.offers)


def worth_alone(
    scenario: Scenario,
    choices: tuple[Choice, ...],
    *,
    samples: int,
    seed: int,
    stream: Stream = SAMPLING,
    as_drawn: bool = False,
    running: Running = Running(),
) -> Floats:
    """What each option alone is worth given how its R&D went (see `expectation`), shape (samples, options).

    It is the mean over the courses that its talks may take on the steps of each sample; of talks `as_drawn`, what it is
    worth on the course that they take in that sample.
    """
    draws = Draws(seed, stream.numbers(samples))

    def worths(courses: TalkCourses, how: Running) -> Floats:
        return np.concatenate(
            list(in_batches(_setup(scenario, courses), draws, partial(_worths, scenario, courses), how))
        )

    chunks = _chunks(choices, single_courses if as_drawn else partial(courses_of, scenario))
    return np.concatenate([np.zeros((samples, 0)), *_by_chunk(worths, chunks, running)], axis=1)


def _worths(scenario: Scenario, courses: TalkCourses, batch: Batch) -> Floats:
    worths = expected_projects(scenario, courses.projects, batch.case, batch.outcomes, batch.worth)
    return courses.mean(worths, axis=1)


def _no_options(scenario: Scenario, samples: int) -> Options:
    years = scenario.horizon_year - scenario.start_year + 1
    nothing, yearly, sampled = np.zeros(0), np.zeros((0, years)), np.zeros((samples, 0))
    whole = np.zeros(0, np.int64)
    return Options(
        (),
        sampled,
        sampled,
        nothing,
        nothing,
        sampled,
        nothing,
        nothing,
        nothing,
        yearly,
        yearly,
        yearly,
        yearly,
        whole,
        nothing,
        yearly,
    )


_EACH = ("npv", "gain", "sold", "paid")
"""Figures kept for each sample; of the others only the mean matters."""

_COLUMNS = tuple(one.name for one in fields(Options) if one.name not in ("choices", "figures"))

_Asked = tuple[tuple[Figure, ...], bool]
"""Figures that only samples tell, and whether the payments of each sample are kept."""


def _sample_chunk(
    scenario: Scenario, courses: TalkCourses, draws: Draws, asked: _Asked, running: Running
) -> dict[str, npt.NDArray[np.generic]]:
    """Model: F13."""
    kept, sums = list[dict[str, Any]](), dict[str, Floats]()
    reduce = partial(_figures, scenario, courses, asked)
    for each, total in in_batches(_setup(scenario, courses), draws, reduce, running):
        kept.append(each)
        sums = {name: sums.get(name, 0.0) + column for name, column in total.items()}
    whole = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    means = {name: courses.mean(total) / len(draws.replications) for name, total in sums.items()}
    ended = _lower_median(means.pop("ended"))
    promised = [award(scenario, choice.technology, choice.partner, choice.mode) for choice in courses.choices]
    due = np.array([awards_due(scenario, choice) for choice in courses.choices])
    return {**whole, **means, "end_year": ended, "award": np.array(promised), "due": due}


def _figures(
    scenario: Scenario, courses: TalkCourses, asked: _Asked, batch: Batch
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of a batch, kept for each sample, (R, O, ...), and summed over it, (C, ...).

    The market is sure in it: its luck is put back where the samples themselves are kept.

    Model: F13.
    """
    draws, case, outcomes, sure = batch
    choices, (told, each_payment) = courses.projects, asked
    years, scale, names = case.budget.shape[1], money_scale(scenario), technologies(choices)
    lucky = comes_to_market(scenario, names, draws)[:, case.technology] & (outcomes.market_day >= 0)
    # A model that took the luck has done so already.
    factor = 1.0 if takes_luck(scenario.value.model) else value_factor(scenario, names, draws)[:, case.technology]
    gain = np.where(lucky, sure.value_pv * factor, 0.0)
    payments = home_by_year(case, outcomes) / scale
    each = {
        "npv": gain - sure.cost_pv,
        "gain": gain,
        "sold": np.where(outcomes.market_day >= 0, discount(scenario, outcomes.market_day), 0.0),
        **({"paid": payments.astype(np.float32)} if each_payment else {}),
    }
    chance = market_chances(scenario, choices)
    means = {
        "mean": chance * sure.value_pv - sure.cost_pv,
        "cost": sure.cost_pv,
        "p_target": (outcomes.trl >= case.target).astype(np.float64),
        "p_market": chance * (outcomes.market_day >= 0),
        "p_in_time": chance * sure.in_time,
        "payments": payments,
        "abroad": by_year(outcomes.tranche_day, outcomes.paid_abroad, years) / scale,
        "joint": by_year(outcomes.tranche_day, outcomes.paid * outcomes.paid_joint, years) / scale,
        **{_FIGURE + one.name: expected_figure(one, scenario, choices, case, outcomes, sure) for one in told},
    }
    course = courses.numbers(draws)
    sums = {name: column.sum(axis=0) for name, column in means.items()}
    held = np.stack([days.sum(axis=0) for days in _held_days(case, outcomes)], axis=1) / DAYS_PER_YEAR
    counted = {"occupancy": held, "ended": _end_counts(case, outcomes)}
    return {name: pick_courses(column, course) for name, column in each.items()}, {**sums, **counted}


def _end_counts(case: Case, outcomes: Outcomes) -> npt.NDArray[np.int64]:
    """In how many replications a place is given back in each fiscal year, (P, 1 + Y); first: none was held."""
    year = np.where(outcomes.place_day < 0, 0, _free_days(case, outcomes) // DAYS_PER_YEAR + 1)
    projects, width = year.shape[1], case.budget.shape[1] + 1
    cells = (year + width * np.arange(projects)).ravel()
    return np.bincount(cells, minlength=projects * width).reshape(projects, width)


def _lower_median(shares: Floats) -> npt.NDArray[np.int64]:
    """The median fiscal year by the shares that end in each, (O, 1 + Y): -1 for the first column, 0 for the next.

    The lower one: a year that no course ends in must not be invented between two that some end in.

    Model: F13.
    """
    return np.asarray((shares.cumsum(axis=1) >= 0.5 - 1e-9).argmax(axis=1) - 1)


def _free_days(case: Case, outcomes: Outcomes) -> npt.NDArray[np.int64]:
    return np.where(outcomes.freed_day < 0, case.horizon - 1, outcomes.freed_day)


def place_shares(case: Case, outcomes: Outcomes) -> Floats:
    """Share of each fiscal year for which a place is held, shape (R, P, Y)."""
    return np.stack([days / DAYS_PER_YEAR for days in _held_days(case, outcomes)], axis=2)


def _held_days(case: Case, outcomes: Outcomes) -> Iterator[npt.NDArray[np.int64]]:
    """Days of each fiscal year in turn for which a place is held, (R, P): year by year what is in hand stays small.

    Model: F13.
    """
    start = np.where(outcomes.place_day < 0, case.horizon, outcomes.place_day)
    free = _free_days(case, outcomes)
    for first in range(0, case.budget.shape[1] * DAYS_PER_YEAR, DAYS_PER_YEAR):
        days = np.minimum(free, first + DAYS_PER_YEAR) - np.maximum(start, first)
        yield np.maximum(days, 0, out=days)
