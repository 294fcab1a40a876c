"""Screening: a list of candidates narrowed by layers of anonymous experts whose scores carry error.

In each layer every expert scores every candidate that is still in. A score is the candidate's merit, an error that all
experts who ever look at the candidate share, and an error of the expert's own; all scores so far count alike. Each
layer keeps as large a share as every other: the candidates of highest mean score. After the last, `keep` are left; with
no layer they are drawn by lot. Merit is in standard deviations over the candidates (`rdsim.scenario.figures.merits`);
where the experts also judge how essential a partner is, it is what both come to (`essentiality`, the weight).

Classical test theory (Lord & Novick 1968): without shared error the scores of two experts correlate with
1 / (1 + error^2); those of journal reviewers do with 0.34 (Bornmann, Mutz & Daniel 2010, PLoS ONE 5(12), e14331).

Errors are found by address (technology, layer, luck): another list of candidates changes none of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

from rdsim.domain import Screening, ScreeningLayer

__all__ = ["Screened", "layers_in_use", "screen"]

_SEED = 0
"""Seed of the experts' errors: `luck` tells one set of experts from another, and a run's seed changes none."""

_LOT, _SHARED, _FIRST_LAYER = range(3)
"""Places of the numbers of a technology."""


@dataclass(frozen=True)
class Screened:
    """What came of a screening: numbers of candidates and of layers, the layer that dropped each, money of fees."""

    candidates: int
    kept: int
    layers: int
    dropped: Mapping[str, int] = field(default_factory=dict)  # technology: layer, counted from 1; 0: by lot
    paid: float = 0.0

    def reason(self, technology: str) -> str:
        """Why a technology is out, or nothing."""
        if technology not in self.dropped:
            return ""
        layer = self.dropped[technology]
        how = f"it fell in layer {layer} of {self.layers}" if layer else "the lot fell on others"
        return f"the screening kept {self.kept} of {self.candidates} candidates, and {how}"


def layers_in_use(screening: Screening) -> tuple[ScreeningLayer, ...]:
    """The layers that meet; none where nothing is screened."""
    return () if screening.keep is None else screening.layers[: screening.depth]


def screen(screening: Screening, merit: Mapping[str, float], fixed: Collection[str] = ()) -> Screened:
    """Narrow candidates by merit down to the number that the screening keeps; `fixed` ones stay, and count.

    Model: D18.
    """
    layers, count = layers_in_use(screening), len(merit)
    keep = count if screening.keep is None else min(screening.keep, count)
    scores = _Scores(merit, screening)
    remaining, paid = list(merit), 0.0
    dropped: dict[str, int] = {}
    for number, layer in enumerate(layers, start=1):
        paid += len(remaining) * layer.experts * layer.fee
        scores.add(number, layer)
        left = round(count * (keep / count) ** (number / len(layers))) if count else 0
        dropped |= dict.fromkeys(_lowest(scores.means(remaining), fixed, len(remaining) - left), number)
        remaining = [one for one in remaining if one not in dropped]
    if not layers:
        dropped = dict.fromkeys(_lowest(_normal(list(merit), _LOT, screening.luck), fixed, count - keep), 0)
    return Screened(count, count - len(dropped), len(layers), dropped, paid)


def _lowest(score: Mapping[str, float], fixed: Collection[str], count: int) -> list[str]:
    """The `count` of lowest score, fixed ones left aside; ties by id."""
    return sorted((one for one in score if one not in fixed), key=lambda one: (score[one], one))[: max(0, count)]


class _Scores:
    """Scores of all layers so far; those of candidates that fell earlier are drawn too, and mean nothing."""

    def __init__(self, merit: Mapping[str, float], screening: Screening) -> None:
        self.names, self.luck = list(merit), screening.luck
        shared = _normal(self.names, _SHARED, self.luck)
        self.seen = {one: merit[one] + screening.shared_error * shared[one] for one in self.names}
        self.sums, self.experts = dict.fromkeys(self.names, 0.0), 0

    def add(self, number: int, layer: ScreeningLayer) -> None:
        """The errors of a layer's experts, summed."""
        error = _normal(self.names, _FIRST_LAYER + number - 1, self.luck)
        self.experts += layer.experts
        for one in self.names:
            self.sums[one] += math.sqrt(layer.experts) * layer.error * error[one]

    def means(self, names: Sequence[str]) -> dict[str, float]:
        """Mean score of all experts so far."""
        return {one: self.seen[one] + self.sums[one] / self.experts for one in names}


def _normal(names: Sequence[str], place: int, luck: int) -> dict[str, float]:
    """A standard normal number of each technology, by address."""
    from rdsim.draws import Draws, Purpose  # noqa: PLC0415 - what it needs takes time to load, and few scenarios screen

    uniform = Draws(_SEED, range(luck, luck + 1)).uniform(Purpose.SCREENING, names, place + 1)[0, :, place, 0]
    return {name: NormalDist().inv_cdf(float(one)) for name, one in zip(names, uniform, strict=True)}
