"""The aim: weights on figures, and what a portfolio is worth by them.

The weight of a figure is what one more of it is worth, in the scenario's unit of money. Net present value has weight 1
unless `aim.npv` says otherwise. Here alone stands what worth is; whoever chooses, judges or compares asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rdsim.arrays import Floats
from rdsim.domain import Scenario
from rdsim.figures import Figure, columns_of, find_figure, is_own, single_figures, unit_words
from rdsim.languages import gettext, listing, unit_of_money
from rdsim.metrics import Material, beside, shares, total

__all__ = ["Aim", "aim_of", "figures_in_play"]

_DEFAULT = {"npv": 1.0}


@dataclass(frozen=True, eq=False)
class Aim:
    """Figures with their weights, none of which is 0; net present value first, if it counts."""

    weights: tuple[tuple[Figure, float], ...]

    @property
    def cost(self) -> float:
        """Worth of a unit of projects' present cost: -1 if net present value counts once."""
        return float(sum(weight * figure.cost for figure, weight in self.weights))

    @property
    def synergies(self) -> float:
        """Worth of a unit of synergies' present value."""
        return float(sum(weight * figure.synergies for figure, weight in self.weights))

    @property
    def is_default(self) -> bool:
        """Whether it is net present value alone."""
        return {figure.name: weight for figure, weight in self.weights} == _DEFAULT

    def projects(self, material: Material, chances: Floats) -> Floats:
        """Worth of each project, (R, P), where what comes with the market comes with its chance, (P,).

        Model: F12.
        """
        return self._projects(material, chances, cost=True)

    def ahead(self, material: Material, chances: Floats) -> Floats:
        """As `projects`, but for cost."""
        return self._projects(material, chances, cost=False)

    def _projects(self, material: Material, chances: Floats, *, cost: bool) -> Floats:
        market, rest = np.zeros(material.shape), np.zeros(material.shape)
        for figure, weight in self.weights:
            found = shares(figure, material, cost=cost)
            market = market if found.market is None else market + weight * found.market
            rest = rest if found.rest is None else rest + weight * found.rest
        return np.asarray(chances * market + rest)

    def portfolio(self, material: Material, chances: Floats) -> Floats:
        """Worth of the portfolio, (R,), where what comes with the market comes with its chance.

        Model: F12.
        """
        worth = self.projects(material, chances).sum(axis=1)
        for figure, weight in self.weights:
            for term in beside(figure, material):
                worth = worth + weight * term
        return np.asarray(worth)

    def plain(self, material: Material) -> Floats:
        """Worth of the portfolio as it came, (R,)."""
        worth = np.zeros(material.shape[0])
        for figure, weight in self.weights:
            worth = worth + weight * total(figure, material)
        return worth

    def words(self, money_unit: str) -> str:
        """What it is, in words."""
        return listing(list(self._terms(money_unit)))

    def _terms(self, money_unit: str) -> Iterator[str]:
        for figure, weight in self.weights:
            if figure.unit == "money":
                label = gettext(figure.label)
                yield (
                    label if weight == 1 else gettext("{weight} x {figure}").format(weight=f"{weight:g}", figure=label)
                )
            else:
                unit = unit_words(figure, money_unit)
                told = (
                    gettext("{weight} {money} for each {unit} of {figure}")
                    if unit
                    else gettext("{weight} {money} for each of the {figure}")
                )
                yield told.format(
                    weight=f"{weight:g}", money=unit_of_money(money_unit), unit=unit, figure=gettext(figure.label)
                )


def aim_of(scenario: Scenario) -> Aim:
    """The scenario's aim."""
    weights = {**_DEFAULT, **scenario.aim}
    found = ((find_figure(scenario, name), weight) for name, weight in weights.items() if weight)
    return Aim(tuple((figure, weight) for figure, weight in found if figure is not None))


def figures_in_play(scenario: Scenario) -> list[Figure]:
    """Figures that a scenario brings up: those that its aim weighs, its columns, and the user's own."""
    own = (one for one in single_figures().values() if is_own(one))
    columns = (one for name in columns_of(scenario) if (one := find_figure(scenario, name)) is not None)
    weighed = (figure for figure, _ in aim_of(scenario).weights)
    return list({one.name: one for one in (*weighed, *columns, *own) if one.column}.values())
