"""What the data say, in words: answers, the head of a plan's page, doubts, and cells of tables."""

from __future__ import annotations

from rdsim.report.words.amounts import amount, listed, span
from rdsim.report.words.answers import (
    best_bets,
    delivered,
    durations,
    ending,
    even_odds,
    first_starts,
    formed,
    gains,
    largest,
    longest_wait,
    partners,
    path,
    sold,
    spread,
    turned_down,
    use_of_money,
)
from rdsim.report.words.cells import cells
from rdsim.report.words.doubts import Doubt, doubts
from rdsim.report.words.head import Tile, headline, promised, searched, tiles

__all__ = [
    "Doubt",
    "Tile",
    "amount",
    "best_bets",
    "cells",
    "delivered",
    "doubts",
    "durations",
    "ending",
    "even_odds",
    "first_starts",
    "formed",
    "gains",
    "headline",
    "largest",
    "listed",
    "longest_wait",
    "partners",
    "path",
    "promised",
    "searched",
    "sold",
    "span",
    "spread",
    "tiles",
    "turned_down",
    "use_of_money",
]
