"""What is not known, and what it does to an answer: worlds within the bounds that a scenario states.

A scenario's ``[assumptions]`` name settings that nobody has measured, with bounds. Each value within these is taken to
be as likely as another, and assumptions to be independent of one another. From this room come

- **worlds**: the scenario with its assumptions otherwise (`worlds`);
- **swings**: how far each assumption alone moves a headline between its bounds (`swings`);
- **two widths** of a headline: by the luck of projects alone, and by that and the assumptions (`widths`);
- **break-evens**: the value of one assumption, the others as they stand, at which a headline turns its sign, with the
  decision made anew at each value (`turning`);
- **what it is worth to know** an assumption before deciding (`information`).
"""

from __future__ import annotations

from rdsim.assumptions.headlines import PLAN, Headline, Measuring, headlines_of
from rdsim.assumptions.information import Information, information
from rdsim.assumptions.record import bounds_record, survey_record
from rdsim.assumptions.survey import Survey, survey, turning_points, with_doubts
from rdsim.assumptions.swings import Swing, swings_of
from rdsim.assumptions.turning import BreakEven, Deciding, break_even, near_choices
from rdsim.assumptions.widths import TwoWidths, two_widths
from rdsim.assumptions.words import break_even_sentence, level_words, sentences, width_sentence
from rdsim.assumptions.worlds import ENDS, OpenWorlds, worlds_of

__all__ = [
    "ENDS",
    "PLAN",
    "BreakEven",
    "Deciding",
    "Headline",
    "Information",
    "Measuring",
    "OpenWorlds",
    "Survey",
    "Swing",
    "TwoWidths",
    "bounds_record",
    "break_even",
    "break_even_sentence",
    "headlines_of",
    "information",
    "level_words",
    "near_choices",
    "sentences",
    "survey",
    "survey_record",
    "swings_of",
    "turning_points",
    "two_widths",
    "width_sentence",
    "with_doubts",
    "worlds_of",
]
