"""Subject `scaling`: how building and solving grow with technologies and with partners; a table and a figure.

Synthetic instances of the Korean shape (see `instances`). The figure is written to benchmarks/scaling.svg.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import altair
import pandas as pd

from benchmarks import subject
from benchmarks._timing import seconds
from benchmarks.instances import Shape, draw_problem
from rdsim.optimiser import Solution, solve

__all__ = ["scaling"]

TECHNOLOGIES = (45, 90, 180, 500, 1000)
PARTNERS = (8, 17, 40)
USUAL = Shape(partners=17)
GAP = 0.01
SEEDS = (0, 1, 2)
LIMIT = 120.0  # seconds for each instance
FIGURE = Path(__file__).with_name("scaling.svg")


class Run(NamedTuple):
    """One instance solved."""

    vary: str
    technologies: int
    partners: int
    seed: int
    options: int
    build: float  # seconds
    whole: float  # seconds, building included
    gap: float


@subject("scaling")
def scaling() -> None:
    """Seconds to a proven 1% by number of technologies (45 to 1,000) and of partners (8 to 40), three seeds each."""
    table = pd.DataFrame(list(_runs()))
    middle = table.groupby(["vary", "technologies", "partners"], sort=False).median(numeric_only=True).reset_index()
    print("  technologies  partners  options   build s   whole s     gap   (medians of three seeds)")
    for row in middle.itertuples():
        print(f"  {row.technologies:>12,}{row.partners:>10}{row.options:>9,.0f}{row.build:>10.2f}", end="")
        print(f"{row.whole:>10.2f}{row.gap:>8.2%}")
    _draw(table, FIGURE)
    print(f"  drawn in benchmarks/{FIGURE.name}")


def _shapes() -> Iterator[tuple[str, Shape]]:
    for count in TECHNOLOGIES:
        # About as many technologies in a field at every size: with few of them, fields' floors cannot all be met.
        fields = max(3, count * USUAL.fields // USUAL.technologies)
        yield "technologies", Shape(technologies=count, partners=USUAL.partners, fields=fields)
    for count in PARTNERS:
        yield "partners", Shape(technologies=USUAL.technologies, partners=count)


def _runs() -> Iterator[Run]:
    for vary, shape in _shapes():
        for seed in SEEDS:
            yield _run(vary, shape, seed)


def _run(vary: str, shape: Shape, seed: int) -> Run:
    problem, _ = draw_problem(seed, shape)
    answers: list[Solution] = []
    whole = seconds(lambda: answers.append(solve(problem, gap=GAP, time_limit=LIMIT)))
    found, options = answers[0], len(problem.option_names)
    done = Run(vary, shape.technologies, shape.partners, seed, options, found.seconds.build, whole, found.gap)
    stopped = "" if found.gap <= GAP else " NOT PROVEN"
    print(f"  {done.technologies:>6,} technologies, {done.partners:>3} partners, seed {seed}: ", end="")
    print(f"{whole:7.2f} s, gap {done.gap:.2%}{stopped}", flush=True)
    return done


def _draw(table: pd.DataFrame, path: Path) -> None:
    """Each instance a point, each size's median on the line; both axes logarithmic."""
    panels = [_panel(table[table["vary"] == vary], vary) for vary in ("technologies", "partners")]
    altair.hconcat(*panels).save(path)


def _panel(table: pd.DataFrame, vary: str) -> altair.LayerChart:
    sizes = sorted(table[vary].unique().tolist())
    across = altair.X(f"{vary}:Q", title=vary, scale=altair.Scale(type="log"), axis=altair.Axis(values=sizes))
    up = altair.Y("whole:Q", title="seconds to a proven 1%", scale=altair.Scale(type="log"))
    base = altair.Chart(table[[vary, "whole"]])
    points = base.mark_circle(size=45, opacity=0.7).encode(x=across, y=up)
    line = base.mark_line().encode(x=across, y=altair.Y("median(whole):Q"))
    return altair.layer(line, points).properties(width=280, height=220)
