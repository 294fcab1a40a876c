"""Over-commitment: what promising more, or less, than the announced money comes to in simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.domain import Portfolio
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser import solve
from rdsim.optimiser.risk import solve_risk
from rdsim.report import Column, Plot, Section, Sheet, Table
from rdsim.search import Posed, risk_of
from rdsim.search.judging import SEARCHING
from rdsim.search.views import LOOSEST, over_committed
from rdsim.simulation import Simulation, expected_worths, simulate
from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.studies.study import Study, listing, money, picked, record_of

__all__ = ["RATIOS", "commitment"]

Floats = npt.NDArray[np.float64]

RATIOS = (0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
ALL = "all programmes"
_TOGETHER = "All programmes together"


def commitment(
    posed: Posed,
    ratios: Sequence[float] = RATIOS,
    *,
    replications: int | None = None,
    gap: float | None = None,
    solver: str = "highs",
    time_limit: float | None = None,
) -> Study:
    """The best portfolio at each over-commitment ratio of each programme, the others at 1, simulated.

    A ratio of 1.5 lets expected payments reach one and a half times the money of every year; purses hold what is
    announced, so who finds them empty waits. The ratio that is recommended is picked on replications of its own; those
    that are reported picked nothing. Values are expected worths given how R&D went (`rdsim.expectation`).

    Raises: ProblemError for ratios that are not positive numbers up to 10, or without 1; SolverError from the solver.
    """
    tried = tuple(sorted(dict.fromkeys(float(ratio) for ratio in ratios)))
    _check(tried)
    count = posed.scenario.simulation.replications if replications is None else replications
    ask = _Question(posed, posed.scenario.optimiser.gap if gap is None else gap, solver, time_limit, count)
    names = list(posed.scenario.programmes)
    lines = [*names, ALL] if len(names) > 1 else names
    curves = {line: _curve(ask, line, tried) for line in lines}
    table = pd.concat([pd.DataFrame(list(_rows(ask, line, curve))) for line, curve in curves.items()])
    portfolios = {
        f"{line.replace(' ', '-')}-{point.ratio:g}": point.portfolio
        for line, curve in curves.items()
        for point in curve
    }
    record = {**record_of(posed), "commitment": {"ratios": list(tried), "replications": count, "gap": ask.gap}}
    table = table.reset_index(drop=True)
    return Study(
        "commitment", posed.scenario, posed.seed, _sheet(ask, table), {"commitment": table}, record, portfolios
    )


def _check(ratios: Sequence[float]) -> None:
    rules = (
        ("must be numbers above 0 and up to 10", all(0 < ratio <= LOOSEST for ratio in ratios)),
        ("must have 1 among them, which the others are compared with", 1.0 in ratios),
    )
    faults = tuple(Fault("ratios", rule, repr(list(ratios))) for rule, holds in rules if not holds)
    if faults:
        raise ProblemError(faults)


@dataclass(frozen=True, eq=False)
class _Question:
    """How portfolios are found and simulated."""

    posed: Posed
    gap: float
    solver: str
    time_limit: float | None
    replications: int

    def chosen(self, ratios: Mapping[str, float]) -> tuple[int, ...] | None:
        """The optimiser's choice at these ratios; none if there is none."""
        problem, risk = over_committed(self.posed.scenario, self.posed.problem, ratios), risk_of(self.posed)
        if risk is None:
            found = solve(problem, solver=self.solver, gap=self.gap, time_limit=self.time_limit)
        else:
            found = solve_risk(problem, risk, solver=self.solver, gap=self.gap, time_limit=self.time_limit)
        return found.chosen if found.has_portfolio else None

    def worths(self, portfolio: Portfolio, first: int) -> Floats:
        """Expected worth in each replication from `first` on."""
        posed = self.posed
        return expected_worths(
            posed.scenario,
            portfolio,
            replications=self.replications,
            seed=posed.seed,
            first=first,
            engine=posed.engine,
            threads=posed.threads,
        )[0]

    def lived(self, portfolio: Portfolio) -> Simulation:
        """The portfolio simulated on the replications that are reported."""
        posed = self.posed
        return simulate(
            posed.scenario,
            portfolio,
            replications=self.replications,
            seed=posed.seed,
            engine=posed.engine,
            threads=posed.threads,
        )


@dataclass(frozen=True, eq=False)
class _Point:
    """The portfolio of one ratio, and what it came to."""

    ratio: float
    portfolio: Portfolio
    picking: Floats  # worths that pick the recommended ratio
    worths: Floats  # worths that are reported
    unspent: Interval  # money of the programme that lapses
    waiting: Interval  # days a project of the programme waits for money


def _curve(ask: _Question, line: str, ratios: Sequence[float]) -> list[_Point]:
    points = []
    every = list(ask.posed.scenario.programmes)
    mine = every if line == ALL else [line]
    for ratio in ratios:
        chosen = ask.chosen(dict.fromkeys(mine, ratio))
        if chosen is not None:
            points.append(_point(ask, mine, ratio, picked(ask.posed, chosen, f"{line} {ratio:g}")))
    return points


def _point(ask: _Question, mine: list[str], ratio: float, portfolio: Portfolio) -> _Point:
    lived, confidence = ask.lived(portfolio), ask.posed.scenario.simulation.confidence
    purses, projects = lived.purses, lived.projects
    lapsed = purses[purses["programme"].isin(mine)].groupby("replication")["lapsed"].sum()
    waits = projects[projects["programme"].isin(mine)].groupby("replication")["wait_money"].mean()
    nothing = np.zeros(ask.replications)
    return _Point(
        ratio,
        portfolio,
        ask.worths(portfolio, SEARCHING),
        ask.worths(portfolio, 0),
        mean_interval(lapsed.to_numpy(np.float64) if len(lapsed) else nothing, confidence),
        mean_interval(waits.to_numpy(np.float64) if len(waits) else nothing, confidence),
    )


def _rows(ask: _Question, line: str, curve: list[_Point]) -> Iterator[dict[str, object]]:
    confidence = ask.posed.scenario.simulation.confidence
    base = next((point for point in curve if point.ratio == 1.0), None)
    best = max(curve, key=lambda point: float(point.picking.mean()), default=None)
    for point in curve:
        value = mean_interval(point.worths, confidence)
        others = max(len(curve) - 1, 1)
        gain = None if base is None else paired_difference(point.worths, base.worths, confidence, others)
        behind = paired_difference(point.worths, best.worths, confidence, others) if best is not None else None
        yield {
            "programme": line,
            "ratio": point.ratio,
            "funded": len(point.portfolio.choices),
            "value": value.mean,
            "value_low": value.low,
            "value_high": value.high,
            "gain": np.nan if gain is None else gain.mean,
            "gain_low": np.nan if gain is None else gain.low,
            "gain_high": np.nan if gain is None else gain.high,
            "unspent": point.unspent.mean,
            "unspent_low": point.unspent.low,
            "unspent_high": point.unspent.high,
            "waiting": point.waiting.mean,
            "waiting_low": point.waiting.low,
            "waiting_high": point.waiting.high,
            "n": value.n,
            "recommended": point is best,
            "as_good": behind is not None and behind.high >= 0,
        }


# --- words ----------------------------------------------------------------------------------------


def _name(ask: _Question, line: str) -> str:
    return _TOGETHER if line == ALL else ask.posed.scenario.programmes[line].name


def _sheet(ask: _Question, table: pd.DataFrame) -> Sheet:
    scenario, unit = ask.posed.scenario, ask.posed.scenario.money_unit
    named = table.assign(line=[_name(ask, line) for line in table["programme"]], order=table["ratio"])
    reading = (
        "At each ratio the optimiser may plan expected payments of that many times every year's money of the "
        "programme, the others keeping to theirs. The purses hold what is announced: who finds them empty waits for "
        f"the next year, or goes unfunded. Every portfolio lived through the same {int(table['n'].max())} replications."
    )
    plots = (
        _plot(named, "value", f"expected net value, {unit}", "What is the portfolio worth?", "Net value by ratio."),
        _plot(named, "unspent", f"lapsed, {unit}", "How much money lapses?", "Money of the programme that lapses."),
        _plot(named, "waiting", "days a project waits for money", "How long do projects wait?", "Waiting for money."),
    )
    section = Section("Promises as multiples of the money", (reading,), plots, (_shown(named, unit),))
    return Sheet("Over-commitment", scenario.title, tuple(_lead(ask, table)), (section,))


def _lead(ask: _Question, table: pd.DataFrame) -> Iterator[str]:
    for line, mine in table.groupby("programme", sort=False):
        name = _name(ask, str(line))
        picked_rows = mine[mine["recommended"]]
        if picked_rows.empty:
            yield f"{name}: no portfolio satisfies every rule at any of these ratios."
            continue
        best = picked_rows.iloc[0]
        others = [f"{ratio:g}" for ratio in mine.loc[mine["as_good"] & ~mine["recommended"], "ratio"]]
        rest = f"{listing(others)} not surely worse" if others else "no other that was tried is as good"
        gained = (
            f"Beside a ratio of 1 it gains {money(float(best['gain']), ask.posed.scenario)} "
            f"({best['gain_low']:,.1f} to {best['gain_high']:,.1f})."
            if best["ratio"] != 1
            else "That is what is announced."
        )
        yield f"{name}: promising {best['ratio']:g} times the money is recommended; {rest}. {gained}"


def _plot(named: pd.DataFrame, figure: str, title: str, question: str, answer: str) -> Plot:
    return Plot(
        f"commitment-{figure}",
        question,
        answer,
        "Lines through the means; the bars are their intervals.",
        named,
        ("ratio", "promises as a multiple of the announced money"),
        (figure, title),
        low=f"{figure}_low",
        high=f"{figure}_high",
        colour="line",
        tips={"line": Column("programme"), "ratio": Column("ratio", "money"), figure: Column(title, "money")},
    )


def _shown(named: pd.DataFrame, unit: str) -> Table:
    frame = named.assign(recommended=np.where(named["recommended"], "recommended", ""))
    columns = {
        "line": Column("Programme"),
        "ratio": Column("Ratio", "money"),
        "funded": Column("Funded", "count"),
        "value": Column("Net value", "money"),
        "gain": Column("Gain over 1", "money"),
        "gain_low": Column("at least", "money"),
        "gain_high": Column("at most", "money"),
        "unspent": Column("Lapses", "money"),
        "waiting": Column("Days of waiting", "money"),
        "recommended": Column(""),
    }
    return Table(f"Money in {unit}; intervals of the gains of one programme hold together.", frame, columns)
