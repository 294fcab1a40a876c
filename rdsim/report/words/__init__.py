"""What the data say, in words: answers, the head of a plan's page, doubts, and cells of tables."""

from __future__ import annotations

from rdsim.report.words.amounts import ALIKE, UNKNOWN, amount, capital, is_point, sentence_list, span
from rdsim.report.words.answers import (
    best_bets,
    delivery_words,
    durations,
    ending,
    even_odds,
    first_starts,
    formation_words,
    gains,
    largest,
    longest_wait,
    partners,
    path,
    refusals,
    sales_words,
    spread,
    use_of_money,
)
from rdsim.report.words.asked import Asking, answer_rows, open_questions, stranger_words
from rdsim.report.words.cells import cells, verdict_word
from rdsim.report.words.doubts import Doubt, doubts
from rdsim.report.words.head import Tile, assumption_words, firmness_words, headline, promise_words, search_words, tiles
from rdsim.report.words.leads import award_rows, bound_words, lead_rows, lead_words, side_by_side
from rdsim.report.words.money import UPKEEP, YearRow, abroad_words, crossing_rows, partner_rows, spending_rows
from rdsim.report.words.odds import odds_rows
from rdsim.report.words.policy_brief import Brief, above_words, brief, recommendation
from rdsim.report.words.what_if import (
    change_rows,
    lapse_rows,
    nearest,
    reason_for_none,
    unused_rows,
    ways_by_technology,
    what_if_words,
)

__all__ = [
    "ALIKE",
    "UNKNOWN",
    "UPKEEP",
    "Asking",
    "Brief",
    "Doubt",
    "Tile",
    "YearRow",
    "above_words",
    "abroad_words",
    "amount",
    "answer_rows",
    "assumption_words",
    "award_rows",
    "best_bets",
    "bound_words",
    "brief",
    "capital",
    "cells",
    "change_rows",
    "crossing_rows",
    "delivery_words",
    "doubts",
    "durations",
    "ending",
    "even_odds",
    "firmness_words",
    "first_starts",
    "formation_words",
    "gains",
    "headline",
    "is_point",
    "lapse_rows",
    "largest",
    "lead_rows",
    "lead_words",
    "longest_wait",
    "nearest",
    "odds_rows",
    "open_questions",
    "partner_rows",
    "partners",
    "path",
    "promise_words",
    "reason_for_none",
    "recommendation",
    "refusals",
    "sales_words",
    "search_words",
    "sentence_list",
    "side_by_side",
    "span",
    "spending_rows",
    "spread",
    "stranger_words",
    "tiles",
    "unused_rows",
    "use_of_money",
    "verdict_word",
    "ways_by_technology",
    "what_if_words",
]
