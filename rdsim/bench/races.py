"""Optimisers side by side: how long each takes to prove a gap, problem by problem, in one run on one machine.

A **way** is a solver with a method: the whole model at once (`exact`), or rdsim's own: relaxation and RENS, then walks
and neighbourhoods; and one that proves nothing of its own, the relaxation, RENS and a short walk (`rdsim.search.soon`),
as the loop and decisions made anew use it. Every gap is asked for by itself, the largest first; where a way does not
come to one in time, smaller ones are not asked for. What a solver says is not believed: objective and feasibility are
those of the portfolio (`rdsim.optimiser.evaluate`), and the gap is to the bound that was proven. A way that fails, is
killed or runs out of memory has a row that says so, and is asked no smaller gap of that problem.

Performance profiles: Dolan & More 2002, Mathematical Programming 91. Shifted geometric means: as solvers' benchmarks
have them, exp(mean(log(seconds + shift))) - shift, with a shift of one second; what is not proven counts with the time
limit.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.arrays import Floats
from rdsim.bench.apart import Answer, Apart, Told, Way, ask_here
from rdsim.bench.instances import NamedProblem
from rdsim.errors import InputError
from rdsim.optimiser import PortfolioProblem, Solving, evaluate, solve
from rdsim.optimiser.adapters import SOLVERS, installed_solvers, solver_fault
from rdsim.optimiser.problem.solution import relative_gap
from rdsim.search import soon

__all__ = [
    "GAPS",
    "Racing",
    "geometric_means",
    "performance_profile",
    "profiles",
    "race",
    "require_solvers",
    "shifted_geometric_mean",
    "ways_of",
]

GAPS = (0.05, 0.01, 0.003, 0.001)
SHIFT = 1.0
"""Seconds."""
_LEAST = 0.01
"""Seconds: less counts as that, for it tells more of the clock than of the way."""
_FACTORS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Times the quickest's, at which profiles are told."""
_COLUMNS = ("problem", "group", "options", "way", "asked", "repeat", "seconds", "proven", "gap", "objective", "bound",
            "failure")  # fmt: skip


@dataclass(frozen=True)
class Racing:
    """How optimisers are set side by side."""

    solvers: tuple[str, ...]
    gaps: tuple[float, ...] = GAPS
    limit: float = 60.0
    """Seconds for each question."""
    repeats: int = 1
    """Times that each question is asked, one way after another."""
    copies: int = 5
    """Perturbed copies of each scenario's problem."""


def require_solvers(names: Sequence[str]) -> tuple[str, ...]:
    """Names of solvers; `all` is every one that is installed. Raises InputError with every one that is not."""
    faults = [fault for name in names if name != "all" and (fault := solver_fault(name)) is not None]
    if faults:
        raise InputError(tuple(faults))
    return tuple(dict.fromkeys(one for name in names for one in (installed_solvers() if name == "all" else (name,))))


def ways_of(solvers: Sequence[str]) -> dict[str, Way]:
    """By what readers call it, how a problem is solved to a gap within some seconds."""
    methods = {"exact": "direct", "walks and neighbourhoods": "rens"}
    ways: dict[str, Way] = {
        f"{solver}, {told}": partial(_solve, solver, method) for solver in solvers for told, method in methods.items()
    }
    return ways | {f"{solver}, near the relaxation with a walk": partial(_soon, solver) for solver in solvers}


def _solve(solver: str, method: str, problem: PortfolioProblem, gap: float, limit: float) -> Answer:
    found = solve(problem, Solving(solver=solver, gap=gap, time_limit=limit), method=method)
    judged = evaluate(problem, found.chosen) if found.has_portfolio else None
    return (math.nan, found.bound, False) if judged is None else (judged.objective, found.bound, judged.feasible)


def _soon(solver: str, problem: PortfolioProblem, gap: float, limit: float) -> Answer:
    """Its bound is the relaxation's, as the same method's answer has it."""
    solving = Solving(solver=solver, gap=gap, time_limit=limit)
    chosen = soon(problem, (), solving)
    if chosen is None:
        return math.nan, math.inf, False
    judged, bound = evaluate(problem, chosen), solve(problem, solving, method="near").bound
    return judged.objective, bound, judged.feasible


def race(
    problems: Sequence[NamedProblem],
    asked: Racing,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    into: list[dict[str, object]] | None = None,
    *,
    apart: bool = False,
) -> pd.DataFrame:
    """A row for each question: problem, group, options, way, asked, repeat, seconds, proven, gap, objective, bound,
    failure (why there is no answer, if there is none).

    `apart`: rdsim's and PuLP's solvers are asked in a process of their own, so that what kills one costs its row alone.
    Rows go `into` a list as they come, so that an interrupt leaves those that are there.
    """
    rows: list[dict[str, object]] = [] if into is None else into
    with contextlib.ExitStack() as stack:
        there = stack.enter_context(Apart.open()) if apart else None
        own = ways_of([one for one in asked.solvers if there is None or one in SOLVERS.built_in or one not in SOLVERS])
        ways = {name: Racer(way, ask_here if there is None else there.ask) for name, way in own.items()}
        ways |= {name: Racer(way, ask_here) for name, way in ways_of(asked.solvers).items() if name not in ways}
        _race(problems, asked, ways, rows, progress)
    return pd.DataFrame(rows, columns=list(_COLUMNS))


class Racer(NamedTuple):
    """A way, and where it is asked."""

    way: Way
    ask: Callable[[Way, PortfolioProblem, float, float], Told]


def _race(
    problems: Sequence[NamedProblem],
    asked: Racing,
    ways: Mapping[str, Racer],
    rows: list[dict[str, object]],
    progress: Callable[[int, int], None],
) -> None:
    """Every question, each added to `rows` as it comes."""
    total = len(problems) * asked.repeats
    done = 0
    for one in problems:
        open_ = dict.fromkeys(ways, True)
        for gap in sorted(asked.gaps, reverse=True):
            for repeat in range(asked.repeats):
                for name, way in ways.items():
                    if open_[name] or repeat:
                        rows += [] if not open_[name] else [_ask(one, name, way, gap, asked.limit, repeat)]
            mine = [row for row in rows if row["problem"] == one.name and row["asked"] == gap]
            for name in ways:
                open_[name] = any(row["way"] == name and row["proven"] for row in mine)
        done += asked.repeats
        progress(done, total)


def _ask(
    one: NamedProblem,
    name: str,
    racer: Racer,
    gap: float,
    limit: float,
    repeat: int,
) -> dict[str, object]:
    (objective, bound, keeps), taken, failure = racer.ask(racer.way, one.problem, gap, limit)
    reached = relative_gap(objective, bound)
    values = (one.name, one.group, len(one.problem.option_names), name, gap, repeat, taken)
    proven = keeps and reached <= gap * (1 + 1e-9) and taken <= limit
    return dict(zip(_COLUMNS, (*values, proven, reached, objective, bound, failure), strict=True))


# --- in short ---------------------------------------------------------------------------------------


def shifted_geometric_mean(seconds: npt.ArrayLike, shift: float = SHIFT) -> float:
    """exp(mean(log(seconds + shift))) - shift.

    >>> round(shifted_geometric_mean([1.0, 7.0], 1.0), 6)
    3.0
    """
    times = np.asarray(seconds, np.float64)
    return float(np.exp(np.log(times + shift).mean()) - shift)


def performance_profile(seconds: npt.ArrayLike, factors: Sequence[float] = _FACTORS) -> Floats:
    """By way and factor, the share of problems that it solves within so many times the quickest's time, (S, F).

    `seconds` are by problem and way, (P, S); infinite where one did not solve it. A problem that nobody solves counts
    for nobody.
    """
    times = np.maximum(np.asarray(seconds, np.float64), _LEAST)
    best = times.min(axis=1, keepdims=True)
    ratios = np.full(times.shape, np.inf)
    np.divide(times, best, out=ratios, where=np.isfinite(times))
    return np.array([(ratios <= factor).mean(axis=0) for factor in factors]).T


def geometric_means(runs: pd.DataFrame, limit: float) -> pd.DataFrame:
    """A row for each group, gap and way: group, asked, way, seconds (shifted geometric mean), times_best, proven, of.

    What was not proven, or not asked for any more, counts with the limit.
    """
    rows = []
    for group, asked, times in _by_question(runs):
        capped = times.where(np.isfinite(times), limit)
        means = {way: shifted_geometric_mean(capped[way].to_numpy()) for way in times.columns}
        best = min(means.values())
        for way, mean in means.items():
            ratio = max(mean, _LEAST) / max(best, _LEAST)
            solved = int(np.isfinite(times[way]).sum())
            told = {"group": group, "asked": asked, "way": way, "seconds": mean, "times_best": ratio}
            rows.append(told | {"proven": solved, "of": len(times)})
    return pd.DataFrame(rows)


def profiles(runs: pd.DataFrame) -> pd.DataFrame:
    """Performance profiles over all problems, a row for each gap, way and factor: asked, way, factor, share, of."""
    rows = []
    for _, asked, times in _by_question(runs.assign(group="all")):
        shares = performance_profile(times.to_numpy())
        for way, mine in zip(times.columns, shares, strict=True):
            rows += [
                {"asked": asked, "way": way, "factor": factor, "share": float(share), "of": len(times)}
                for factor, share in zip(_FACTORS, mine, strict=True)
            ]
    return pd.DataFrame(rows)


def _by_question(runs: pd.DataFrame) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """Of each group and gap the median seconds, a row for each problem, a column for each way; infinite: not proven."""
    ways = list(dict.fromkeys(runs["way"]))
    for group, mine in runs.groupby("group", sort=False):
        problems = list(dict.fromkeys(mine["problem"]))
        for asked in sorted(set(mine["asked"]), reverse=True):
            some = mine[mine["asked"] == asked]
            times = pd.DataFrame(np.inf, index=problems, columns=ways)
            for (problem, way), rows in some.groupby(["problem", "way"], sort=False):
                if rows["proven"].all():
                    times.loc[problem, way] = float(rows["seconds"].median())
            yield str(group), float(asked), times
