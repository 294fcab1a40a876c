"""What every figure of a page is: a chart as a specification, its frame, its colours and its legend.

Colours are those of Okabe & Ito (2008, Color Universal Design), and where these are equal in grey, darker and lighter
ones of Tol (2021, SRON/EPS/TN/09-002: indigo, wine, pink). People with colour-blindness tell them apart; so that they
are told apart in print without colours too, those of one legend differ by seven steps of a hundred from black to white.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

__all__ = [
    "BLUE",
    "COLUMN",
    "GREEN",
    "GREY",
    "INDIGO",
    "INK",
    "ORANGE",
    "PALE",
    "PALETTE",
    "RED",
    "ROSE",
    "SKY",
    "WIDE",
    "WINE",
    "YELLOW",
    "Chart",
    "Exhibit",
    "colour_scale",
    "frame_chart",
    "legend",
    "legend_columns",
]

BLUE, ORANGE, GREEN, SKY, RED, YELLOW = "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#D55E00", "#F0E442"
INDIGO, WINE, ROSE = "#332288", "#882255", "#FFAABB"
GREY, PALE, INK = "#8A8F98", "#D9DDE3", "#1B1F24"
PALETTE = [BLUE, ORANGE, WINE, GREEN, INDIGO, YELLOW, INK, ROSE]
"""Of categories; the first few are the furthest apart in grey."""

WIDE = 800  # pixels for a legend in a figure as wide as the page
COLUMN = 330  # ... and in one of two beside each other, as narrow as they are on A4

Chart = alt.Chart | alt.LayerChart


@dataclass(frozen=True)
class Exhibit:
    """A chart with the question that it answers, the answer in a sentence, and how to read it."""

    key: str
    question: str
    answer: str
    reading: str
    spec: Mapping[str, Any]


def frame_chart(key: str, question: str, answer: str, reading: str, chart: Chart) -> Exhibit:
    """A figure of the page: a chart as wide as its place, with what it asks, answers and how it is read."""
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    sized = chart.properties(width="container", autosize=fit, background="transparent")
    spec = {
        **sized.to_dict(validate=False),
        "config": _config(),
    }  # half the time of drawing; tests hold it to the schema
    return Exhibit(key, question, answer, reading, spec)


def _config() -> dict[str, Any]:
    quiet = {"labelColor": "#3A4149", "titleColor": "#3A4149", "labelFontSize": 12, "titleFontSize": 12}
    axis = {"gridColor": "#E8EBEF", "domainColor": "#AEB4BC", "tickColor": "#AEB4BC", "titleFontWeight": "normal"}
    entries: dict[str, Any] = {
        "orient": "top",
        "title": None,
        "labelLimit": 340,
        "symbolStrokeWidth": 2,
        "columnPadding": 14,
    }
    return {
        "font": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK KR', sans-serif",
        "axis": {**quiet, **axis},
        # Labels at the ends stay under their ticks, where they cannot run into their neighbours.
        "axisX": {"labelFlush": False, "labelSeparation": 4},
        "padding": {"left": 4, "top": 4, "bottom": 4, "right": 22},
        "tick": {"opacity": 1},
        "point": {"opacity": 1},
        "legend": {**quiet, **entries},
        "view": {"stroke": None},
    }


def legend_columns(names: Sequence[str], width: int) -> int:
    """How many legend entries fit beside one another; a letter is about 7 pixels wide."""
    return max(1, width // (max(map(len, names), default=1) * 7 + 36))


def colour_scale(field: str, names: Sequence[str], colours: Sequence[str], width: int = COLUMN) -> alt.Color:
    """A column's values by colour, in this order, with a legend that fits the width in pixels."""
    several = [colours[place % len(colours)] for place in range(len(names))]
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=list(names), range=several), legend=legend(names, width))


def legend(names: Sequence[str], width: int = COLUMN) -> alt.Legend | None:
    """A legend as wide as the figure; none for one name alone."""
    return alt.Legend(columns=legend_columns(names, width)) if len(names) > 1 else None
