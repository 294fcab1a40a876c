"""Headlines: the figures that an answer is given in, and what they come to in a world.

A headline is a figure of the plan, or its lead in net present value over another portfolio. Worth is measured given how
R&D went, without the luck of the market (`rdsim.expectation`), where worth is net present value alone: with the same
mean and far less noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.domain import Portfolio, Scenario
from rdsim.languages import gettext as _
from rdsim.search import AT_PLAN_RATIOS, world_of_rule
from rdsim.simulation import Running, expected_worths, replicate
from rdsim.titles import portfolio_title

__all__ = ["PLAN", "Headline", "Measuring", "headlines_of", "rule_of"]

PLAN = "plan"
"""The name of the portfolio that headlines are of."""

_NPV, _IN_TIME = "npv", "commercialised_by_deadline"


@dataclass(frozen=True)
class Headline:
    """A figure of the plan's replications, or if a rule is named the plan's lead over its portfolio in it."""

    figure: str
    label: str
    unit: str
    rule: str = ""
    least: float = -math.inf

    @property
    def name(self) -> str:
        """Its name in tables."""
        return f"lead over {self.rule}" if self.rule else self.figure


def headlines_of(scenario: Scenario, rules: Iterable[str] = ()) -> tuple[Headline, ...]:
    """Net present value, technologies in time, the international share of the last year with a target, and leads."""
    found = [
        Headline(_NPV, _("net present value"), "money"),
        Headline(_IN_TIME, _("technologies commercialised in time"), "count", least=0.0),
    ]
    floors = [year for year in scenario.international.share_floor if scenario.international.rd_budget.get(year)]
    if floors:
        label = _("international share in {year}").format(year=max(floors))
        found.append(Headline(f"international_share_{max(floors)}", label, "share", least=0.0))
    leads = (
        Headline(_NPV, _("lead over {portfolio}").format(portfolio=portfolio_title(rule)), "money", rule)
        for rule in rules
    )
    return (*found, *leads)


@dataclass(frozen=True)
class Measuring:
    """How portfolios are measured: on the first `replications` that are reported, the same luck in every world."""

    replications: int
    seed: int
    running: Running = Running()

    def of(self, world: Scenario, portfolios: Mapping[str, Portfolio], headlines: Iterable[Headline]) -> list[Floats]:
        """Each headline in each replication, (n,): `portfolios` holds the plan's and those of the rules."""
        known: dict[tuple[str, str], Floats] = {}
        found = []
        for one in headlines:
            mine = self._figure(world, portfolios, PLAN, one.figure, known)
            other = self._figure(world, portfolios, one.rule, one.figure, known) if one.rule else 0.0
            found.append(np.asarray(mine - other))
        return found

    def worth(self, world: Scenario, portfolio: Portfolio) -> Floats:
        """Net present value in each replication, given how R&D went where worth is that alone, (n,)."""
        told: dict[str, Any] = {"replications": self.replications, "seed": self.seed, "running": self.running}
        if aim_of(world).is_default:
            return expected_worths(world, portfolio, **told)[0]
        return replicate(world, portfolio, **told)[_NPV].to_numpy(np.float64)

    def _figure(
        self,
        world: Scenario,
        portfolios: Mapping[str, Portfolio],
        name: str,
        figure: str,
        known: dict[tuple[str, str], Floats],
    ) -> Floats:
        if (name, figure) not in known:
            lived, portfolio = world_of_rule(world, rule_of(name)), portfolios[name]
            if figure == _NPV:
                known[name, figure] = self.worth(lived, portfolio)
            else:
                table = replicate(
                    lived, portfolio, replications=self.replications, seed=self.seed, running=self.running
                )
                known |= {(name, str(column)): table[column].to_numpy(np.float64) for column in table if column != _NPV}
        return known[name, figure]


def rule_of(name: str) -> str:
    """The rule behind the name of a comparator."""
    return name.removesuffix(AT_PLAN_RATIOS)
