"""Random factors of distributions that compiled code does not draw number by number: laid out in numpy.

A factor is the quantile of its distribution at its normal score, and the score is `kernels.score`'s: who shares luck
with whom is said there, in the Gaussian copula of the scores, and is the same whatever the distributions are.

==================  ================================================================================================
``step_days``       `steps.distribution`, or the calibration's: factors on the median
``agreement_days``  `modes.*.distribution`: factors on the median of each stage
``market_days``     `value.market_distribution`: factors on the median
``budget``          `risks.budget.distribution`: factors of mean 1, whose coefficient of variation is `sd`, cut off at
                    the limits
``exchange_ppm``    `risks.exchange.distribution`: the growth of each year, of mean 1, multiplied up
==================  ================================================================================================

The luck of market values (`value.distribution`) is drawn when figures are computed: `rdsim.luck.value_factor`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Floats, Ints
from rdsim.case import MILLION
from rdsim.distributions import LOGNORMAL, NORMAL
from rdsim.domain import Choice, Scenario
from rdsim.luck import kernels
from rdsim.luck.chance import InputModel
from rdsim.luck.factors import factors, unit_mean_factors
from rdsim.native.blocks import Block
from rdsim.native.jit import jit
from rdsim.scenario import step_distribution

__all__ = ["columns", "layout_flags", "others", "scratch"]

_FLAGS = {
    "step_days": "steps_laid_out",
    "agreement_days": "talks_laid_out",
    "market_days": "markets_laid_out",
    "budget": "budgets_laid_out",
    "exchange_ppm": "rates_laid_out",
}
_FURTHEST = 1e6
"""How many times as much, or as little, an exchange rate may come to: beyond that whole won have no room."""


def layout_flags(names: Collection[str]) -> dict[str, bool]:
    """Flags that tell compiled code which of the columns that may be laid out are."""
    return {flag: column in names for column, flag in _FLAGS.items()}


def scratch(source: InputModel, names: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a chance, room for a replication's number and common factors, and which columns are laid out."""
    return {
        **source._asdict(),
        **layout_flags(names),
        "replication": np.zeros(1, np.uint64),
        "factor": np.zeros(len(source.field_address)),
        "market_factor": np.zeros(len(source.market_field_address)),
        "bloc_part": np.zeros(len(source.bloc_address)),
        "bloc_most": np.zeros(len(source.bloc_address)),
    }


def others(scenario: Scenario, choices: tuple[Choice, ...]) -> list[str]:
    """The columns whose distribution compiled code does not draw."""
    modes = {scenario.modes[choice.mode].distribution for choice in choices}
    plain = {
        "step_days": step_distribution(scenario)[0] == LOGNORMAL,
        "agreement_days": modes <= {LOGNORMAL},
        "market_days": scenario.value.market_distribution == LOGNORMAL,
        "budget": scenario.risks.budget.distribution == NORMAL,
        "exchange_ppm": scenario.risks.exchange.distribution == LOGNORMAL,
    }
    return [name for name, drawn in plain.items() if not drawn]


class _World(NamedTuple):
    """What columns are made of."""

    scenario: Scenario
    choices: tuple[Choice, ...]
    attempts: int
    source: InputModel
    numbers: Ints

    def block(self) -> Block:
        """The chance, as compiled functions see it."""
        return Block("InputModel", scratch(self.source))

    def score(self, source: int, *sizes: int) -> Floats:
        """Normal scores of a factor, (R, *sizes)."""
        found = np.empty((len(self.numbers), *sizes, *(1,) * (3 - len(sizes))))
        _lay_out_scores(self.block(), source, self.numbers, found)
        return found.reshape(len(self.numbers), *sizes)


def columns(
    names: Collection[str],
    scenario: Scenario,
    choices: tuple[Choice, ...],
    attempts: int,
    chances: tuple[InputModel, Ints],
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Those of some names; `chances` are the distributions of the case, and the numbers of the replications."""
    world = _World(scenario, choices, attempts, *chances)
    yield from ((name, _MADE[name](world)) for name in names)


@jit
def _lay_out_scores(h, source, numbers, score):  # type: ignore[no-untyped-def]
    for r in range(len(numbers)):
        kernels.enter(h, numbers[r])
        for i in range(score.shape[1]):
            for j in range(score.shape[2]):
                for k in range(score.shape[3]):
                    score[r, i, j, k] = kernels.score(h, source, i, j, k)


def _step_days(world: _World) -> Floats:
    """Model: L4."""
    name, given = step_distribution(world.scenario)
    source = world.source
    score = world.score(kernels.STEP_TIME, *source.time_median.shape, world.attempts)
    days = source.time_median[:, :, None] * factors(name, given, score, source.time_sigma[:, None, None])
    if (source.judged_step >= 0).any():
        _lay_out_judgements(world.block(), world.numbers, days)
    return np.asarray(days)


@jit
def _lay_out_judgements(h, numbers, days):  # type: ignore[no-untyped-def]
    """Put what experts make of a step's time in place of what others take."""
    for r in range(len(numbers)):
        kernels.enter(h, numbers[r])
        for t in range(days.shape[1]):
            for k in range(days.shape[2]):
                if h.judged_step[t, k] >= 0:
                    for attempt in range(days.shape[3]):
                        days[r, t, k, attempt] = kernels.step_days(h, t, k, attempt)


def _whole_days(median: Floats, factor: Floats) -> Ints:
    return np.maximum(np.ceil(np.minimum(median * factor, kernels.LONGEST)), 1.0).astype(np.int64)


def _agreement_days(world: _World) -> Ints:
    """Model: L11."""
    source = world.source
    score = world.score(kernels.TALKS, *source.agreement_median.shape)
    factor = np.ones(score.shape)
    modes = np.array([choice.mode for choice in world.choices])
    for mode in dict.fromkeys(modes.tolist()):
        rows, one = modes == mode, world.scenario.modes[mode]
        given, sigma = one.distribution_parameters, source.agreement_sigma[rows]
        factor[:, rows] = factors(one.distribution, given, score[:, rows], sigma)
    days = _whole_days(source.agreement_median, factor)
    days[:, :, 0] += source.agreement_extra
    return days


def _market_days(world: _World) -> Ints:
    """Model: L13."""
    rules, source = world.scenario.value, world.source
    score = world.score(kernels.MARKET_TIME, len(source.market_chance))
    sigma = np.full((1, 1), source.market_sigma)
    factor = factors(rules.market_distribution, rules.market_distribution_parameters, score, sigma)
    return _whole_days(np.array(source.market_median), factor)


def _budget(world: _World) -> Ints:
    """Model: L16."""
    risk, source = world.scenario.risks.budget, world.source
    score = world.score(kernels.BUDGET, *source.announced.shape)
    sigma = np.full((1, 1, 1), np.sqrt(np.log1p(source.budget_sd**2)))  # of a lognormal of that coefficient
    factor = unit_mean_factors(risk.distribution, risk.distribution_parameters, score, sigma)
    cut = np.clip(factor, source.budget_lowest, source.budget_highest)
    return np.where(source.certain, source.announced, np.floor(source.announced * cut + 0.5)).astype(np.int64)


def _exchange_ppm(world: _World) -> Ints:
    """Model: L17."""
    risk, source = world.scenario.risks.exchange, world.source
    score = world.score(kernels.EXCHANGE, len(source.exchange_address), source.announced.shape[1])
    growth = unit_mean_factors(
        risk.distribution, risk.distribution_parameters, score, source.exchange_volatility[None, :, None]
    )
    growth[:, :, 0] = 1.0
    rates = np.clip(np.cumprod(growth, axis=2), 1.0 / _FURTHEST, _FURTHEST)
    return np.asarray(np.floor(rates * MILLION + 0.5), np.int64)


_MADE: Mapping[str, Callable[[_World], npt.NDArray[Any]]] = {
    "step_days": _step_days,
    "agreement_days": _agreement_days,
    "market_days": _market_days,
    "budget": _budget,
    "exchange_ppm": _exchange_ppm,
}
