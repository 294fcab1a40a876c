"""The judge of whole portfolios: simulated on numbered replications, the same for all of them.

What a portfolio is worth in a replication is what the scenario's aim says (see `rdsim.aim`): given how R&D went,
without the luck of the market (see `expectation`); or **plainly**, as it came, where a risk is asked about. Beside it
stands what its options would have been worth alone in the same replication: the difference, **crowding** (waiting,
places, partners' cost), varies far less than either (a control variate: Lavenberg & Welch 1981, Management Science 27).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rdsim.arrays import Floats
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.optimiser.solving.appraisal import Risk
from rdsim.options import worth_alone
from rdsim.simulation import Running, expected_worths, plain_worths
from rdsim.stats import quantile
from rdsim.streams import SEARCHING, Stream

__all__ = ["Judge", "risk_adjustment"]


def risk_adjustment(worths: Floats, known: Floats, risk: Risk | None) -> Floats:
    """Worth as a weight on CVaR sees it, replication by replication: its mean is mean and CVaR as weighed.

    CVaR is quantile - E[(quantile - worth)+] / (1 - level), here at the quantile of worths that are `known`.
    """
    if risk is None or risk.weight == 0:
        return worths
    edge = quantile(known, 1 - risk.level)
    tail = edge - np.maximum(edge - worths, 0.0) / (1 - risk.level)
    return np.asarray((1 - risk.weight) * worths + risk.weight * tail)


@dataclass(frozen=True, eq=False)
class Judge:
    """Simulates portfolios on replications of a stream, each portfolio and replication once."""

    scenario: Scenario
    seed: int
    stream: Stream = SEARCHING
    plain: bool = False
    running: Running = Running()
    _worths: dict[tuple[Choice, ...], Floats] = field(default_factory=dict)
    _alone: dict[Choice, Floats] = field(default_factory=dict)

    @property
    def replication_count(self) -> int:
        """Replications of portfolios that were simulated."""
        return sum(known.size for known in self._worths.values())

    def worths(self, portfolio: Portfolio, count: int) -> Floats:
        """Worth in the first `count` replications, shape (count,), in the scenario's unit of money."""
        known = self._worths.get(portfolio.choices, np.zeros(0))
        if known.size < count:
            fresh = self._simulate(portfolio, known.size, count - known.size)
            known = self._worths[portfolio.choices] = np.concatenate([known, fresh])
        return known[:count]

    def _simulate(self, portfolio: Portfolio, after: int, count: int) -> Floats:
        if not self.plain:
            return expected_worths(self.scenario, portfolio, replications=count, **self._from(after))[0]
        return plain_worths(self.scenario, portfolio, replications=count, **self._from(after))

    def alone(self, choices: tuple[Choice, ...], count: int) -> Floats:
        """What each choice would be worth alone in the same replications, market's luck left out, (count, choices)."""
        unranked = tuple(replace(choice, rank=0) for choice in choices)
        missing = tuple(one for one in dict.fromkeys(unranked) if self._alone.get(one, np.zeros(0)).size < count)
        if missing:
            # Talks as drawn: so they are in the portfolio, whose luck is taken out here.
            found = worth_alone(self.scenario, missing, samples=count, as_drawn=True, **self._from(0))
            self._alone.update({one: found[:, place] for place, one in enumerate(missing)})
        return np.array([self._alone[one][:count] for one in unranked]).T.reshape(count, len(unranked))

    def losses(self, portfolio: Portfolio, count: int) -> Floats:
        """What each project loses on average by not being alone, shape (choices,)."""
        _, together = expected_worths(self.scenario, portfolio, replications=count, **self._from(0))
        return np.asarray((self.alone(portfolio.choices, count) - together).mean(axis=0))

    def _from(self, after: int) -> dict[str, Any]:
        return {"seed": self.seed, "stream": self.stream.after(after), "running": self.running}
