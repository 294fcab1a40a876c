"""Payment ratios: what promising more, or less, than the announced money comes to in simulation.

Ratios at which the optimiser finds the same portfolio are one choice, and are compared once. A ratio is recommended if
its portfolio is *shown* better than that of ratio 1: picked on replications of its own, and with a paired interval
above nothing on those that are reported, widened (Bonferroni) for all comparisons of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.domain import Portfolio
from rdsim.errors import Fault, ProblemError
from rdsim.languages import N_, join_texts, pgettext, unit_of_money
from rdsim.languages import gettext as _
from rdsim.optimiser import Solving, solve
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.report.words import amount
from rdsim.search import Instance, Proposal, risk_of, solving_of
from rdsim.search.views import LOOSEST, budgets_times
from rdsim.simulation import Simulation, expected_worths, simulate
from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.streams import REPORTED, SEARCHING, Stream
from rdsim.studies.built_in.parts import listing, money, ranked_portfolio, record_of, speaks_of
from rdsim.study import Study

__all__ = ["RATIOS", "commitment"]

RATIOS = (0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
ALL = "all programmes"
_TOGETHER = N_("All programmes together")
GIVEN = "given portfolio"
_GIVEN = N_("The portfolio that this speaks of")
_NO_PLAN = N_(
    "This speaks of no plan: at each ratio the portfolio is the optimiser's own, chosen without simulation "
    "(--portfolio sets a plan beside them)."
)


def commitment(
    posed: Instance,
    ratios: Sequence[float] = RATIOS,
    *,
    best: Proposal | None = None,
    replications: int | None = None,
    solving: Solving = Solving(),
) -> Study:
    """The best portfolio at each payment ratio of each programme, the others at 1, simulated.

    A ratio of 1.5 lets expected payments reach one and a half times the money of every year; purses hold what is
    announced, so who finds them empty waits. A ratio is recommended only if it is shown better than 1 (see the module).
    `best` is a portfolio that is set beside them (`rdsim.search.in_own_terms`); `posed` is the problem as the scenario
    states it. Values are expected worths given how R&D went (`rdsim.expectation`).

    Raises: ProblemError for ratios that are not positive numbers up to 10, or without 1; SolverError from the solver.
    """
    tried = tuple(sorted(dict.fromkeys(float(ratio) for ratio in ratios)))
    _check(tried)
    count = posed.scenario.simulation.replications if replications is None else replications
    ask = _Question(posed, solving_of(posed.scenario, solving), count)
    names = list(posed.scenario.programmes)
    lines = [*names, ALL] if len(names) > 1 else names
    curves = {line: _curve(ask, line, tried) for line in lines}
    beside = [] if best is None else [_point(ask, names, float("nan"), best.portfolio)]
    comparisons = max(sum(len(_distinct(curve)) - 1 for curve in curves.values()) + len(beside), 1)
    parts = [pd.DataFrame(list(_rows(ask, line, curve, comparisons))) for line, curve in curves.items()]
    base = next((point for curve in curves.values() for point in curve if point.ratio == 1.0), None)
    parts += [pd.DataFrame([_row(ask, GIVEN, point, base, comparisons)]) for point in beside]
    table = pd.concat(parts, ignore_index=True)
    portfolios = _portfolios(curves, best)
    record = {
        **record_of(posed),
        "commitment": {
            "ratios": list(tried),
            "replications": count,
            "gap": ask.solving.gap,
            "comparisons": comparisons,
            "recommended": {line: _recommendation(table, line) for line in lines},
        },
    }
    page = _page(ask, table)
    study = Study("commitment", posed.scenario, posed.seed, page, {"commitment": table}, record, portfolios)
    return speaks_of(study, best, _(_NO_PLAN))


def _portfolios(curves: Mapping[str, Sequence[_Point]], best: Proposal | None) -> dict[str, Portfolio]:
    """Every portfolio by the name of its file."""
    found = {
        f"{line.replace(' ', '-')}-{point.ratio:g}": point.portfolio
        for line, curve in curves.items()
        for point in curve
    }
    return found if best is None else found | {"given": best.portfolio}


def _recommendation(table: pd.DataFrame, line: str) -> float | None:
    """The ratio that is shown better than 1, if there is one."""
    mine = table[(table["programme"] == line) & table["recommended"]]
    return float(mine["ratio"].iloc[0]) if len(mine) else None


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

    posed: Instance
    solving: Solving
    replications: int

    def choose(self, ratios: Mapping[str, float]) -> tuple[int, ...] | None:
        """The optimiser's choice at these ratios; none if there is none."""
        problem, risk = budgets_times(self.posed.scenario, self.posed.problem, ratios), risk_of(self.posed)
        found = solve(problem, self.solving) if risk is None else solve_risk(problem, risk, self.solving)
        return found.chosen if found.has_portfolio else None

    def worths(self, portfolio: Portfolio, stream: Stream) -> Floats:
        """Expected worth in each of the first replications of a stream."""
        posed = self.posed
        return expected_worths(
            posed.scenario,
            portfolio,
            replications=self.replications,
            seed=posed.seed,
            stream=stream,
            running=posed.running,
        )[0]

    def simulate(self, portfolio: Portfolio) -> Simulation:
        """The portfolio simulated on the replications that are reported."""
        posed = self.posed
        return simulate(
            posed.scenario,
            portfolio,
            replications=self.replications,
            seed=posed.seed,
            running=posed.running,
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
        chosen = ask.choose(dict.fromkeys(mine, ratio))
        if chosen is not None:
            points.append(_point(ask, mine, ratio, ranked_portfolio(ask.posed, chosen, f"{line} {ratio:g}")))
    return points


def _point(ask: _Question, mine: list[str], ratio: float, portfolio: Portfolio) -> _Point:
    lived, confidence = ask.simulate(portfolio), ask.posed.scenario.simulation.confidence
    purses, projects = lived.purses, lived.projects
    lapsed = purses[purses["programme"].isin(mine)].groupby("replication")["lapsed"].sum()
    waits = projects[projects["programme"].isin(mine)].groupby("replication")["wait_money"].mean()
    nothing = np.zeros(ask.replications)
    return _Point(
        ratio,
        portfolio,
        ask.worths(portfolio, SEARCHING),
        ask.worths(portfolio, REPORTED),
        mean_interval(lapsed.to_numpy(np.float64) if len(lapsed) else nothing, confidence),
        mean_interval(waits.to_numpy(np.float64) if len(waits) else nothing, confidence),
    )


def _distinct(curve: Sequence[_Point]) -> list[_Point]:
    """The points of a curve without those whose portfolio an earlier one has."""
    return list({point.portfolio.choices: point for point in reversed(curve)}.values())[::-1]


def _rows(ask: _Question, line: str, curve: list[_Point], comparisons: int) -> Iterator[dict[str, object]]:
    confidence = ask.posed.scenario.simulation.confidence
    base = next((point for point in curve if point.ratio == 1.0), None)
    lead = max(_distinct(curve), key=lambda point: float(point.picking.mean()), default=None)
    for point in curve:
        same = [other.ratio for other in curve if other.portfolio.choices == point.portfolio.choices]
        row = _row(ask, line, point, base, comparisons)
        behind = paired_difference(point.worths, lead.worths, confidence, comparisons) if lead is not None else None
        yield row | {
            "same_as": same[0],
            "recommended": point is lead and float(str(row["gain_low"])) > 0,
            "as_good": behind is not None and behind.high >= 0,
        }


def _row(ask: _Question, line: str, point: _Point, base: _Point | None, comparisons: int) -> dict[str, object]:
    """What a portfolio came to, and its gain over that of ratio 1."""
    confidence = ask.posed.scenario.simulation.confidence
    value = mean_interval(point.worths, confidence)
    gain = None if base is None else paired_difference(point.worths, base.worths, confidence, comparisons)
    return {
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
        "same_as": point.ratio,
        "recommended": False,
        "as_good": False,
    }


# --- words ----------------------------------------------------------------------------------------


def _name(ask: _Question, line: str) -> str:
    if line == GIVEN:
        return _(_GIVEN)
    return _(_TOGETHER) if line == ALL else ask.posed.scenario.programmes[line].name


def _page(ask: _Question, table: pd.DataFrame) -> Page:
    scenario, unit = ask.posed.scenario, unit_of_money(ask.posed.scenario.money_unit)
    named = table.assign(line=[_name(ask, line) for line in table["programme"]], order=table["ratio"])
    curves = named[named["ratio"].notna()]
    reading = _(
        "At each ratio the optimiser may plan expected payments of that many times every year's money of the "
        "programme, the others keeping to theirs. The purses hold what is announced: who finds them empty waits for "
        "the next year, or goes unfunded. Every portfolio lived through the same {replications} replications."
    ).format(replications=int(table["n"].max()))
    value, lapsed = _("expected net value, {unit}").format(unit=unit), _("lapsed, {unit}").format(unit=unit)
    days = _("days a project waits for money")
    plots = (
        _plot(curves, "value", value, _("What is the portfolio worth?"), _("Net value by ratio.")),
        _plot(curves, "unspent", lapsed, _("How much money lapses?"), _("Money of the programme that lapses.")),
        _plot(curves, "waiting", days, _("How long do projects wait?"), _("Waiting for money.")),
    )
    section = Section(_("Promises as multiples of the money"), (reading,), plots, (_page_table(named, unit),))
    return Page(_("Over-commitment"), scenario.title, tuple(_lead(ask, table)), (section,))


def _lead(ask: _Question, table: pd.DataFrame) -> Iterator[str]:
    for line, mine in table.groupby("programme", sort=False):
        name = _name(ask, str(line))
        if line == GIVEN:
            told = _("{portfolio} gains {gain} over the portfolio at a ratio of 1.")
            yield told.format(portfolio=name, gain=_gain(ask, mine.iloc[0]))
        elif mine["gain"].isna().all():
            told = _("{line}: no portfolio satisfies every rule at a ratio of 1, so there is nothing to compare with.")
            yield told.format(line=name)
        else:
            verdict = _("{line}: {verdict}").format(line=name, verdict=_verdict(ask, mine))
            yield join_texts([verdict, *_difference_words(mine)], " ")
    if table["recommended"].any():
        return
    yield _("Not shown better is not shown worse: more replications may tell.")


def _gain(ask: _Question, row: pd.Series[float]) -> str:
    return _("{value} ({low} to {high})").format(
        value=money(float(row["gain"]), ask.posed.scenario),
        low=amount(float(row["gain_low"])),
        high=amount(float(row["gain_high"])),
    )


def _verdict(ask: _Question, mine: pd.DataFrame) -> str:
    """The ratio that is shown better than 1, or that none is."""
    shown = mine[mine["recommended"]]
    if len(shown):
        row = shown.iloc[0]
        told = _("promising {ratio} times the money is recommended: it is shown better than 1, by {gain}.")
        return told.format(ratio=_alike(mine, row["ratio"]), gain=_gain(ask, row))
    others = mine[mine["same_as"] != 1.0]
    if others.empty:
        return _("every ratio that was tried leads to the portfolio of ratio 1.")
    best = others.sort_values("gain", kind="stable").iloc[-1]
    told = _("no ratio is shown better than 1; the most that any gains is {gain}, at {ratio}.")
    return told.format(gain=_gain(ask, best), ratio=_alike(mine, best["same_as"]))


def _alike(mine: pd.DataFrame, ratio: float) -> str:
    """A ratio with those that lead to the same portfolio: `1.25 (as 1.5, 2)`."""
    same = [f"{one:g}" for one in mine.loc[mine["same_as"] == ratio, "ratio"] if one != ratio]
    told = _("{ratio} (one portfolio with {others})")
    return told.format(ratio=f"{ratio:g}", others=listing(same)) if same else f"{ratio:g}"


def _difference_words(mine: pd.DataFrame) -> Iterator[str]:
    """Which ratios are surely worse than 1."""
    worse = [f"{ratio:g}" for ratio in mine.loc[mine["gain_high"] < 0, "ratio"]]
    if worse:
        yield _("Surely worse than 1: {ratios}.").format(ratios=listing(worse))


def _plot(named: pd.DataFrame, figure: str, title: str, question: str, answer: str) -> Plot:
    return Plot(
        f"commitment-{figure}",
        question,
        answer,
        _("Lines through the means; the bars are their intervals."),
        named,
        ("ratio", _("promises as a multiple of the announced money")),
        (figure, title),
        low=f"{figure}_low",
        high=f"{figure}_high",
        colour="line",
        tips={
            "line": Column(pgettext("axis", "programme")),
            "ratio": Column(_("ratio"), "money"),
            figure: Column(title, "money"),
        },
    )


def _page_table(named: pd.DataFrame, unit: str) -> Table:
    told = _("that of {ratio}")
    alike = [
        told.format(ratio=f"{same:g}") if same < ratio else ""
        for same, ratio in zip(named["same_as"], named["ratio"], strict=True)
    ]
    frame = named.assign(recommended=[_("recommended") if one else "" for one in named["recommended"]], alike=alike)
    columns = {
        "line": Column(_("Programme")),
        "ratio": Column(_("Ratio"), "money"),
        "alike": Column(_("Portfolio")),
        "funded": Column(_("Funded"), "count"),
        "value": Column(_("Net value"), "money"),
        "gain": Column(_("Gain over 1"), "money"),
        "gain_low": Column(_("at least"), "money"),
        "gain_high": Column(_("at most"), "money"),
        "unspent": Column(_("Lapses"), "money"),
        "waiting": Column(_("Days of waiting"), "money"),
        "recommended": Column(""),
    }
    caption = _("Money in {unit}; the intervals of all gains hold together.")
    return Table(caption.format(unit=unit), frame, columns)
