"""Figures without their colours: what one legend tells apart, a printer in black and white tells apart too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from rdsim.report.charts import plan as figures
from rdsim.report.charts.figure import GREEN, ORANGE, PALETTE, SKY
from rdsim.report.data.aggregates import END_STATES
from tests.report import synthetic

APART = 7.0
"""Of 100 from black to white, as eyes see it (CIE L*)."""

MODES = tuple(f"Way of funding {number}" for number in range(6))

Legend = tuple[str, Sequence[str], Sequence[str]]
"""Of a figure: its key, the names in the legend, their colours."""


def lightness(colour: str) -> float:
    """What is left of a colour in grey, from 0 (black) to 100 (white): CIE L* of an sRGB colour."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 903.3 * luminance if luminance <= 0.008856 else 116 * luminance ** (1 / 3) - 16


def nearest(colours: Sequence[str]) -> float:
    """How far apart in grey the two are that are the nearest."""
    return min(b - a for a, b in pairwise(sorted(map(lightness, colours))))


def legends(spec: Mapping[str, Any], key: str = "") -> Iterator[Legend]:
    """Every legend of a figure that tells by colour alone: its names have no shapes as well."""
    encoding = spec.get("encoding", {})
    scale = encoding.get("color", {}).get("scale", {})
    if "range" in scale and encoding.get("shape", {}).get("field") != encoding["color"]["field"]:
        yield key, scale["domain"], scale["range"]
    for layer in spec.get("layer", ()):
        yield from legends(layer, key)


def every_legend() -> list[Legend]:
    """Those of a plan with six ways of funding and every end that a project may have."""
    plain = synthetic.build()
    technologies, projects = plain.technologies, plain.projects
    several = [MODES[place % len(MODES)] for place in range(len(technologies))]
    ends = [list(END_STATES)[place % len(END_STATES)] for place in range(len(projects))]
    report = synthetic.build(technologies=technologies.assign(mode=several), projects=projects.assign(end_state=ends))
    drawn = [figure for section in figures.SECTIONS for figure in figures.draw(report, section)]
    return [legend for figure in drawn for legend in legends(figure.spec, figure.key) if len(legend[1]) > 1]


def test_colours_of_one_legend_are_told_apart_in_grey() -> None:
    found = every_legend()
    sizes = {key: len(names) for key, names, _ in found}
    assert {"partners": 6, "ends": len(END_STATES), "budget-0": 5, "requests": 2}.items() <= sizes.items()
    assert {key: nearest(colours) for key, _, colours in found if nearest(colours) < APART} == {}


@pytest.mark.parametrize("count", range(2, len(PALETTE) + 1))
def test_so_are_as_many_series_as_there_are_colours(count: int) -> None:
    assert len(set(PALETTE)) == 8
    assert nearest(PALETTE[:count]) >= APART


def test_the_legend_of_money_by_year_shows_what_its_marks_look_like() -> None:
    """Bars, lines and a diamond: each name has a shape of its own, on paper without colours too."""
    drawn = [one for one in figures.draw(synthetic.build(), "money") if one.key.startswith("budget")]
    assert drawn
    for one in drawn:
        shapes = [layer["encoding"]["shape"] for layer in one.spec["layer"] if "shape" in layer["encoding"]]
        (shape,) = shapes
        colour = one.spec["layer"][0]["encoding"]["color"]
        assert shape["scale"]["domain"] == colour["scale"]["domain"]
        assert len(set(shape["scale"]["range"])) == len(shape["scale"]["domain"])
        assert shape["legend"] == colour["legend"], "one legend for both"
        assert "symbolType" not in shape["legend"]


def test_equal_greys_are_noticed() -> None:
    assert [lightness("#000000"), lightness("#FFFFFF")] == pytest.approx([0, 100], abs=0.01)
    assert nearest([SKY, GREEN, ORANGE]) < 1
