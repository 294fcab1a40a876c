"""Subject `scaling`: how building and solving grow with technologies and with partners; a table and a figure.

Synthetic instances of the Korean shape (see `instances`). The figure is written to benchmarks/scaling.svg.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import altair
import pandas as pd

from benchmarks import subject
from benchmarks._timing import seconds
from benchmarks.instances import Shape, draw_problem
from rdsim.optimiser import Solution, Solving, solve

__all__ = ["scaling"]

USUAL = Shape(partners=17)
GAP = 0.01
LIMIT = 120.0  # seconds for each instance


class Size(NamedTuple):
    """Which instances, and where the figure goes: only one of full size belongs beside this file."""

    technologies: Sequence[int] = (45, 90, 180, 500, 1000)
    partners: Sequence[int] = (8, 17, 40)
    others: int = USUAL.technologies  # while partners vary
    seeds: Sequence[int] = (0, 1, 2)
    gap: float = GAP
    figure: Path | None = Path(__file__).with_name("scaling.svg")


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


@subject("scaling", full=Size(), token=Size((10, 20), (4,), 10, (0,), 0.2, None))
def scaling(size: Size) -> None:
    """Seconds to a proven 1% by number of technologies (45 to 1,000) and of partners (8 to 40), three seeds each."""
    table = pd.DataFrame(list(_runs(size)))
    middle = table.groupby(["vary", "technologies", "partners"], sort=False).median(numeric_only=True).reset_index()
    print("  technologies  partners  options   build s   whole s     gap   (medians over seeds)")
    for row in middle.itertuples():
        print(f"  {row.technologies:>12,}{row.partners:>10}{row.options:>9,.0f}{row.build:>10.2f}", end="")
        print(f"{row.whole:>10.2f}{row.gap:>8.2%}")
    _draw(table, size.figure)


def _shapes(size: Size) -> Iterator[tuple[str, Shape]]:
    for count in size.technologies:
        # About as many technologies in a field at every size: with few of them, fields' floors cannot all be met.
        fields = max(3, count * USUAL.fields // USUAL.technologies)
        yield "technologies", Shape(technologies=count, partners=USUAL.partners, fields=fields)
    for count in size.partners:
        fields = max(3, size.others * USUAL.fields // USUAL.technologies)
        yield "partners", Shape(technologies=size.others, partners=count, fields=fields)


def _runs(size: Size) -> Iterator[Run]:
    for vary, shape in _shapes(size):
        for seed in size.seeds:
            yield _run(vary, shape, seed, size.gap)


def _run(vary: str, shape: Shape, seed: int, gap: float) -> Run:
    problem, _ = draw_problem(seed, shape)
    answers: list[Solution] = []
    whole = seconds(lambda: answers.append(solve(problem, Solving(gap=gap, time_limit=LIMIT))))
    found, options = answers[0], len(problem.option_names)
    done = Run(vary, shape.technologies, shape.partners, seed, options, found.seconds.build, whole, found.gap)
    stopped = "" if found.gap <= gap else " NOT PROVEN"
    print(f"  {done.technologies:>6,} technologies, {done.partners:>3} partners, seed {seed}: ", end="")
    print(f"{whole:7.2f} s, gap {done.gap:.2%}{stopped}", flush=True)
    return done


def _draw(table: pd.DataFrame, path: Path | None) -> None:
    """Each instance a point, each size's median on the line; both axes logarithmic."""
    panels = [_panel(table[table["vary"] == vary], vary) for vary in ("technologies", "partners")]
    figure = io.StringIO()
    altair.hconcat(*panels).save(figure, format="svg")
    if path is not None:
        path.write_text(figure.getvalue(), encoding="utf-8")
        print(f"  drawn in benchmarks/{path.name}")


def _panel(table: pd.DataFrame, vary: str) -> altair.LayerChart:
    sizes = sorted(table[vary].unique().tolist())
    across = altair.X(f"{vary}:Q", title=vary, scale=altair.Scale(type="log"), axis=altair.Axis(values=sizes))
    up = altair.Y("whole:Q", title="seconds to a proven 1%", scale=altair.Scale(type="log"))
    base = altair.Chart(table[[vary, "whole"]])
    points = base.mark_circle(size=45, opacity=0.7).encode(x=across, y=up)
    line = base.mark_line().encode(x=across, y=altair.Y("median(whole):Q"))
    return altair.layer(line, points).properties(width=280, height=220)
