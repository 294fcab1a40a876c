"""Figures of sheets: points or bars of a frame, with limits where they are known."""

from __future__ import annotations

import altair as alt
import pandas as pd

from rdsim.report.charts.figure import BLUE, INK, PALETTE, WIDE, Chart, Exhibit, colour_scale, frame_chart
from rdsim.report.data.sections import Column, Plot

__all__ = ["SHAPES", "draw"]

_HEIGHT, _ROW = 320, 24
_FORMS = {"money": ",.4~g", "count": ",.0f", "share": ".1%", "year": "d"}


def draw(plot: Plot) -> Exhibit:
    """The figure of a plot."""
    chart = SHAPES[plot.kind](plot)
    return frame_chart(plot.key, plot.question, plot.answer, plot.reading, chart)


def _points(plot: Plot) -> Chart:
    frame = plot.frame if "order" in plot.frame else plot.frame.assign(order=range(len(plot.frame)))
    base = alt.Chart(frame)
    whole = pd.api.types.is_integer_dtype(plot.frame[plot.x[0]])
    axis = alt.Axis(tickMinStep=1, format="d") if whole else alt.Axis()
    across = alt.X(f"{plot.x[0]}:Q", title=plot.x[1], scale=alt.Scale(zero=False), axis=axis)
    up = alt.Y(f"{plot.y[0]}:Q", title=plot.y[1], scale=alt.Scale(zero=False))
    colour = _colour(plot)
    layers = []
    if plot.joined:
        # The points say all that a line could say to who hears the page.
        line = base.mark_line(strokeWidth=1.5, aria=False)
        layers.append(line.encode(x=across, y=up, color=colour, order="order:Q"))
    if plot.low and plot.high:
        layers.append(
            base.mark_rule(opacity=0.55).encode(x=across, y=alt.Y(f"{plot.low}:Q"), y2=f"{plot.high}:Q", color=colour)
        )
    layers.append(base.mark_point(filled=True, size=60).encode(x=across, y=up, color=colour, tooltip=_tips(plot)))
    return alt.LayerChart(layer=layers).properties(height=_HEIGHT)


def _bars(plot: Plot) -> Chart:
    """Horizontal bars in the order of the frame."""
    base = alt.Chart(plot.frame)
    across = alt.X(f"{plot.x[0]}:Q", title=plot.x[1])
    down = alt.Y(f"{plot.y[0]}:N", title=None, sort=None, axis=alt.Axis(labelLimit=260))
    bars = base.mark_bar(cornerRadiusEnd=2).encode(x=across, y=down, color=_colour(plot), tooltip=_tips(plot))
    layers = [bars]
    if plot.low and plot.high:
        layers.append(base.mark_rule(color=INK).encode(x=alt.X(f"{plot.low}:Q"), x2=f"{plot.high}:Q", y=down))
    return alt.LayerChart(layer=layers).properties(height=_ROW * max(len(plot.frame), 1))


def _cells(plot: Plot) -> Chart:
    """Cells in the order of the frame; a number is shown in its cell, a text by the colour's legend."""
    frame = plot.frame
    across = alt.X(f"{plot.x[0]}:N", title=plot.x[1], sort=None, axis=alt.Axis(labelAngle=0, labelLimit=120))
    down = alt.Y(f"{plot.y[0]}:N", title=plot.y[1], sort=list(dict.fromkeys(frame[plot.y[0]]))[::-1])
    number = pd.api.types.is_numeric_dtype(frame[plot.colour])
    shade = alt.Color(f"{plot.colour}:Q", scale=alt.Scale(scheme="blues"), legend=None) if number else _colour(plot)
    base = alt.Chart(frame)
    layers = [base.mark_rect().encode(x=across, y=down, color=shade, tooltip=_tips(plot))]
    if number:
        middle = float(frame[plot.colour].min() + frame[plot.colour].max()) / 2
        ink = alt.condition(f"datum['{plot.colour}'] > {middle}", alt.value("white"), alt.value(INK))
        layers.append(
            base.mark_text().encode(x=across, y=down, text=alt.Text(f"{plot.colour}:Q", format=",.3~r"), color=ink)
        )
    return alt.LayerChart(layer=layers).properties(height=_HEIGHT)


SHAPES = {"bars": _bars, "points": _points, "cells": _cells}
"""Of a plot, by its kind."""


def _colour(plot: Plot) -> alt.Color | dict[str, str]:
    if not plot.colour:
        return {"value": BLUE}
    return colour_scale(plot.colour, list(dict.fromkeys(plot.frame[plot.colour].astype(str))), PALETTE, WIDE)


def _tips(plot: Plot) -> list[alt.Tooltip]:
    return [_tip(name, column) for name, column in plot.tips.items()]


def _tip(name: str, column: Column) -> alt.Tooltip:
    if column.kind == "text":
        return alt.Tooltip(f"{name}:N", title=column.title)
    return alt.Tooltip(f"{name}:Q", title=column.title, format=_FORMS[column.kind])
