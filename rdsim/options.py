"""Options: what may be funded, and what each would do alone.

An option is a technology with a partner (or none), a funding mode and a start year. Each is simulated alone
on the same replications, with every calendar shock of its own start year: nothing is shifted from one year to
another. What options do to one another - waiting - is not seen here; simulating the portfolio shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.case import DAYS_PER_YEAR, Case, Outcomes, technologies, unconstrained_case
from rdsim.domain import Choice, Scenario
from rdsim.draws import Draws
from rdsim.errors import ExtensionError, Fault
from rdsim.expectation import expected_figure, expected_projects, with_sure_market
from rdsim.families import Options
from rdsim.figures import ALONE, Figure, answer
from rdsim.luck import comes_to_market, value_factor
from rdsim.markets import takes_luck
from rdsim.metrics import by_year, discount, home_by_year, yearly_sales
from rdsim.scenario import award, eligible, market_probability, money_scale
from rdsim.simulation import Batch, Running, Setup, in_batches
from rdsim.streams import SAMPLING, Stream

__all__ = ["Options", "candidates", "contribution", "expected_figures", "place_shares", "sample", "worth_alone"]

_CHUNK = 500
"""Options simulated together: few technologies at a time, so that each one's luck is laid out once."""


def candidates(scenario: Scenario) -> tuple[Choice, ...]:
    """Every eligible option, by technology, partner, mode and start year."""
    return tuple(
        Choice(technology, mode, partner, year)
        for technology, row in scenario.technologies.items()
        for partner, mode in _pairs(scenario)
        if not eligible(scenario, technology, partner, mode)
        for year, starts in sorted(scenario.programmes[row.programme].starts.items())
        if starts > 0
    )


def _pairs(scenario: Scenario) -> list[tuple[str, str]]:
    joint = [(code, mode) for code, partner in scenario.partners.items() for mode in partner.modes]
    return [("", "domestic"), *joint]


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
    told = {figure.name: figure for figure, _ in aim_of(scenario).weights if _needs_samples(figure)}
    chunks = [choices[start : start + _CHUNK] for start in range(0, len(choices), _CHUNK)]
    each = (*_EACH, "paid") if each_payment else _EACH
    parts = [
        _sample_chunk(Setup(scenario, chunk, unconstrained_case(scenario, chunk)), draws, each, told.values(), running)
        for chunk in chunks
    ]
    columns = {
        name: np.concatenate([part[name] for part in parts], axis=1 if name in {"npv", "gain", "sold", "paid"} else 0)
        for name in (parts[0] if parts else {})
    }
    figures = {name: columns.pop(_FIGURE + name) for name in told if parts}
    return Options(choices=choices, figures=figures, **columns) if parts else _no_options(scenario, samples)


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
    draws, choices, found = Draws(seed, SAMPLING.numbers(samples)), options.choices, list[Floats]()
    for start in range(0, len(choices) if missing else 0, _CHUNK):
        chunk = choices[start : start + _CHUNK]
        reduce = partial(_sums, scenario, chunk, missing)
        sure = with_sure_market(scenario)
        parts = list(in_batches(Setup(sure, chunk, unconstrained_case(scenario, chunk)), draws, reduce, running))
        found.append(np.sum(parts, axis=0) / samples)
    table = np.concatenate(found, axis=1) if found else np.zeros((len(missing), len(choices)))
    told = {figure.name: row for figure, row in zip(missing, table, strict=True)}
    return {name: told[name] if one is None else one for name, one in known.items()}


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
    running: Running = Running(),
) -> Floats:
    """What each option alone is worth given how its R&D went (see `expectation`), shape (samples, options)."""
    draws, sure = Draws(seed, stream.numbers(samples)), with_sure_market(scenario)
    parts = [np.zeros((samples, 0))]
    for start in range(0, len(choices), _CHUNK):
        chunk = choices[start : start + _CHUNK]
        reduce = partial(_worths, scenario, chunk)
        rows = in_batches(Setup(sure, chunk, unconstrained_case(scenario, chunk)), draws, reduce, running)
        parts.append(np.concatenate(list(rows)))
    return np.concatenate(parts, axis=1)


def _worths(scenario: Scenario, choices: tuple[Choice, ...], batch: Batch) -> Floats:
    return expected_projects(scenario, choices, batch.case, batch.outcomes, batch.worth)


def _no_options(scenario: Scenario, samples: int) -> Options:
    years = scenario.horizon_year - scenario.start_year + 1
    nothing, yearly, sampled = np.zeros(0), np.zeros((0, years)), np.zeros((samples, 0))
    whole = np.zeros(0, np.int64)
    return Options(
        (),
        sampled,
        sampled,
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
    )


_EACH = ("npv", "gain", "sold", "freed")
"""Figures kept for each sample; of the others only the mean matters."""


def _sample_chunk(
    setup: Setup, draws: Draws, each: tuple[str, ...], told: Iterable[Figure], running: Running
) -> dict[str, npt.NDArray[np.generic]]:
    scenario, choices, kept = setup.scenario, setup.choices, []
    sums: dict[str, Floats] = {}
    figure = partial(_figures, scenario, choices, tuple(told), "paid" in each)
    for figures in in_batches(setup._replace(scenario=with_sure_market(scenario)), draws, figure, running):
        kept.append({name: figures.pop(name) for name in each})
        sums = {name: sums.get(name, 0.0) + column.sum(axis=0) for name, column in figures.items()}
    whole = {name: np.concatenate([part[name] for part in kept]) for name in each}
    freed = np.sort(whole.pop("freed"), axis=0)
    promised = [award(scenario, choice.technology, choice.partner, choice.mode) for choice in choices]
    means = {name: total / len(freed) for name, total in sums.items()}
    # The lower median: an even number of samples must not invent a year between two years.
    return {**whole, **means, "end_year": freed[(len(freed) - 1) // 2], "award": np.array(promised)}


def _figures(
    scenario: Scenario, choices: tuple[Choice, ...], told: tuple[Figure, ...], each_payment: bool, batch: Batch
) -> dict[str, Any]:
    """Figures of a batch in which the market is sure: its luck is put back where the samples themselves are kept."""
    draws, case, outcomes, sure = batch
    years, scale = case.budget.shape[1], money_scale(scenario)
    names = technologies(choices)
    lucky = comes_to_market(scenario, names, draws)[:, case.technology] & (outcomes.market_day >= 0)
    # A model that took the luck has done so already.
    factor = 1.0 if takes_luck(scenario.value.model) else value_factor(scenario, names, draws)[:, case.technology]
    gain = np.where(lucky, sure.value_pv * factor, 0.0)
    joint = by_year(outcomes.tranche_day, outcomes.paid * outcomes.paid_joint, years)
    payments = home_by_year(case, outcomes) / scale
    chance = np.array([market_probability(scenario, choice.technology) for choice in choices])
    return {
        **({"paid": payments.astype(np.float32)} if each_payment else {}),
        "npv": gain - sure.cost_pv,
        "gain": gain,
        "mean": chance * sure.value_pv - sure.cost_pv,
        "sold": np.where(outcomes.market_day >= 0, discount(scenario, outcomes.market_day), 0.0),
        "p_target": (outcomes.trl >= case.target).astype(np.float64),
        "p_market": chance * (outcomes.market_day >= 0),
        "p_in_time": chance * sure.in_time,
        "payments": payments,
        "abroad": by_year(outcomes.tranche_day, outcomes.paid_abroad, years) / scale,
        "joint": joint / scale,
        "occupancy": place_shares(case, outcomes),
        "freed": np.where(outcomes.place_day < 0, -1, _free_days(case, outcomes) // DAYS_PER_YEAR),
        **{_FIGURE + one.name: expected_figure(one, scenario, choices, case, outcomes, sure) for one in told},
    }


def _free_days(case: Case, outcomes: Outcomes) -> npt.NDArray[np.int64]:
    return np.where(outcomes.freed_day < 0, case.horizon - 1, outcomes.freed_day)


def place_shares(case: Case, outcomes: Outcomes) -> Floats:
    """Share of each fiscal year for which a place is held, shape (R, P, Y)."""
    first = np.arange(case.budget.shape[1]) * DAYS_PER_YEAR
    start = np.where(outcomes.place_day < 0, case.horizon, outcomes.place_day)[..., None]
    days = np.minimum(_free_days(case, outcomes)[..., None], first + DAYS_PER_YEAR) - np.maximum(start, first)
    return np.asarray(np.maximum(days, 0) / DAYS_PER_YEAR)
