"""The judge of whole portfolios: simulated on numbered replications, the same for all of them.

What a portfolio is worth in a replication is its net present value, and the scenario's bonus for what reaches the
market in time. Two portfolios that differ in few options differ little in what those options bring - their luck is
the same -, but their options' own luck is large. So beside a portfolio's worth stands what its options would have
brought alone in the same replication: the difference, **crowding** (waiting, places, partners' cost), varies far less
(a control variate: Lavenberg & Welch 1981, Management Science 27).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.options import sample
from rdsim.simulation import Engine, project_worths, replicate

__all__ = ["SEARCHING", "SELECTING", "Judge"]

Floats = npt.NDArray[np.float64]

SEARCHING, SELECTING = 2**30, 2**30 + 2**29
"""First replications that guide the loop and that select among its portfolios: none of those that tell the result."""


@dataclass(frozen=True, eq=False)
class Judge:
    """Simulates portfolios on replications `first`, first + 1, ..., each portfolio and replication once."""

    scenario: Scenario
    seed: int
    first: int = SEARCHING
    engine: Engine = "compiled"
    threads: int | None = None
    _worths: dict[tuple[Choice, ...], Floats] = field(default_factory=dict)
    _alone: dict[Choice, Floats] = field(default_factory=dict)

    @property
    def spent(self) -> int:
        """Replications of portfolios that were simulated."""
        return sum(known.size for known in self._worths.values())

    def worths(self, portfolio: Portfolio, count: int) -> Floats:
        """Worth in the first `count` replications, shape (count,), in the scenario's unit of money."""
        known = self._worths.get(portfolio.choices, np.zeros(0))
        if known.size < count:
            first, more = self.first + known.size, count - known.size
            table = replicate(self.scenario, portfolio, replications=more, first=first, **self._how)
            bonus = self.scenario.optimiser.commercialisation_value
            fresh = table["npv"].to_numpy(np.float64) + bonus * table["commercialised_by_deadline"].to_numpy(np.float64)
            known = self._worths[portfolio.choices] = np.concatenate([known, fresh])
        return known[:count]

    def alone(self, choices: tuple[Choice, ...], count: int) -> Floats:
        """What each choice would bring alone in the same replications, shape (count, choices)."""
        plain = tuple(replace(choice, rank=0) for choice in choices)
        missing = tuple(one for one in dict.fromkeys(plain) if self._alone.get(one, np.zeros(0)).size < count)
        if missing:
            found = sample(self.scenario, missing, samples=count, first=self.first, **self._how)
            bonus = self.scenario.optimiser.commercialisation_value
            worths = found.npv + bonus * found.p_in_time
            self._alone.update({one: worths[:, place] for place, one in enumerate(missing)})
        return np.array([self._alone[one][:count] for one in plain]).T.reshape(count, len(plain))

    def crowding(self, portfolio: Portfolio, count: int) -> Floats:
        """Worth less what the options would bring alone, shape (count,): mostly a loss."""
        return np.asarray(self.worths(portfolio, count) - self.alone(portfolio.choices, count).sum(axis=1))

    def losses(self, portfolio: Portfolio, count: int) -> Floats:
        """What each project loses on average by not being alone, shape (choices,)."""
        together = project_worths(self.scenario, portfolio, replications=count, first=self.first, **self._how)
        return np.asarray((self.alone(portfolio.choices, count) - together).mean(axis=0))

    @property
    def _how(self) -> dict[str, Any]:
        return {"seed": self.seed, "engine": self.engine, "threads": self.threads}
