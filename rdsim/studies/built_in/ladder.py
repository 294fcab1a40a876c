"""What less or more money would do: the best portfolio at each share of the budgets, free and nested."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from rdsim.domain import Portfolio
from rdsim.languages import N_, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.optimiser import Solution, Solving
from rdsim.optimiser.questions.ladder import SHARES, Ladder, Rung
from rdsim.optimiser.questions.ladder import ladder as climb
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.search import Instance, Proposal, solving_of
from rdsim.studies.built_in.parts import listing, money, ranked_portfolio, record_of, speaks_of
from rdsim.study import Study
from rdsim.titles import ONE_SHOT, OWN_TITLES

__all__ = ["ladder"]


def ladder(
    posed: Instance,
    shares: Sequence[float] = SHARES,
    *,
    nested: bool = True,
    best: Proposal | None = None,
    solving: Solving = Solving(),
) -> Study:
    """Portfolios at shares of every yearly budget, each the best at its share, and beside it a nested one.

    The nested ladder keeps the decisions of `best`, a proposal of this very problem (`rdsim.search.in_own_terms`); by
    default of the one-shot optimum. Shares are of the money that the problem's rows let be promised.
    A rung is simulated in the announced world, whose purses hold the announced money: what the simulation shows is how
    a portfolio of that size fares in it, not the other budget. Raises ProblemError and SolverError as the optimiser's
    `ladder` does.
    """
    solving = solving_of(posed.scenario, solving)
    kept = None if best is None else best.solution.chosen
    found = climb(posed.problem, shares, nested=nested, kept=kept, solving=solving)
    table = pd.DataFrame(list(_rows(posed, found)))
    portfolios = dict(_portfolios(posed, found))
    record = {
        **record_of(posed),
        "ladder": {
            "start": found.start,
            "families": list(found.families),
            "seconds": found.seconds,
            "gap": solving.gap,
        },
    }
    page = _page(posed, found, table)
    study = Study("ladder", posed.scenario, posed.seed, page, {"ladder": table}, record, portfolios)
    return speaks_of(study, best, _(_NO_PLAN).format(portfolio=_(OWN_TITLES[ONE_SHOT])))


_NO_PLAN = N_(
    "This speaks of no plan: nesting starts from {portfolio}, solved here (--portfolio names a plan whose decisions "
    "are kept)."
)


def _portfolios(posed: Instance, found: Ladder) -> Iterator[tuple[str, Portfolio]]:
    for rung in found.rungs:
        for way, solution in (("plain", rung.plain), ("nested", rung.nested)):
            if solution is not None and solution.has_portfolio:
                name = f"{way}-{rung.share * 100:g}"
                yield name, ranked_portfolio(posed, solution.chosen, name)


def _rows(posed: Instance, found: Ladder) -> Iterator[dict[str, object]]:
    before: Rung | None = None
    for rung in found.rungs:
        price, dropped = rung.price, _drops(posed, before, rung)
        yield {
            "share": rung.share,
            "plain_value": _value(rung.plain),
            "plain_bound": rung.plain.bound,
            "plain_gap": rung.plain.gap,
            "plain_funded": len(rung.plain.chosen),
            "plain_drops": " ".join(dropped),
            "nested_value": _value(rung.nested),
            "nested_funded": math.nan if rung.nested is None else len(rung.nested.chosen),
            "nested_adds": " ".join(sorted(posed.problem.option_names[o] for o in rung.added)),
            "price": math.nan if price is None else price.amount,
            "price_low": math.nan if price is None else price.low,
            "price_high": math.nan if price is None else price.high,
            "status": str(rung.plain.status),
        }
        before = rung


def _value(solution: Solution | None) -> float:
    return solution.objective if solution is not None and solution.has_portfolio else math.nan


def _drops(posed: Instance, before: Rung | None, rung: Rung) -> list[str]:
    """Technologies that the best portfolio of less money funds and that of more money does not."""
    if before is None or not (before.plain.has_portfolio and rung.plain.has_portfolio):
        return []
    old, new = ({int(posed.problem.group[o]) for o in one.plain.chosen} for one in (before, rung))
    return [posed.problem.group_names[g] for g in sorted(old - new)]


# --- words ----------------------------------------------------------------------------------------


def _page(posed: Instance, found: Ladder, table: pd.DataFrame) -> Page:
    reading = _(
        "Plain: the best portfolio for that much money, whatever is funded at other shares; more money may then drop "
        "a technology that less money funds, because a larger one takes its place. Nested: what is funded with less "
        "money stays funded, with the same partner and year, as money is added. It starts from {share} of the "
        "announced budgets, where it costs nothing. The price of nesting is the difference."
    ).format(share=f"{found.start:.0%}")
    plots, tables = (_plot(posed, table),), (_page_table(posed, table),)
    section = Section(_("Shares of the announced budgets"), (reading,), plots, tables)
    return Page(_("Budget ladder"), posed.scenario.title, tuple(_lead(posed, table)), (section,))


def _lead(posed: Instance, table: pd.DataFrame) -> Iterator[str]:
    known = table.dropna(subset=["plain_value"])
    if known.empty:
        yield _("No portfolio satisfies every row at any of these shares.")
        return
    low, high = known.iloc[0], known.iloc[-1]
    told = _(
        "With {less} of the budgets the options of the best portfolio found, each alone, add up to {low}, with {more} "
        "to {high}."
    )
    yield told.format(
        less=numeral(low["share"], ".0%"),
        low=money(low["plain_value"], posed.scenario),
        more=numeral(high["share"], ".0%"),
        high=money(high["plain_value"], posed.scenario),
    )
    drops = {name for names in table["plain_drops"] for name in str(names).split()}
    if drops:
        told = _(
            "More money drops {number} technologies somewhere on the way up ({names}): each is replaced by something "
            "better that less money could not pay."
        )
        yield told.format(number=len(drops), names=listing(sorted(drops)))
    priced = table.dropna(subset=["price"])
    if len(priced):
        worst = priced.sort_values("price").iloc[-1]
        told = _("Never taking back a decision costs at most {amount}, at {share} (proven: between {low} and {high}).")
        amounts = {"amount": "price", "low": "price_low", "high": "price_high"}
        yield told.format(
            share=numeral(worst["share"], ".0%"),
            **{name: money(float(worst[column]), posed.scenario) for name, column in amounts.items()},
        )


def _plot(posed: Instance, table: pd.DataFrame) -> Plot:
    unit = unit_of_money(posed.scenario.money_unit)
    parts = [
        table[["share", f"{way}_value"]].rename(columns={f"{way}_value": "value"}).assign(way=title)
        for way, title in (("plain", _("plain")), ("nested", _("nested")))
    ]
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["value"])
    return Plot(
        "ladder",
        _("What is the portfolio worth with less or more money?"),
        _("Expected value by share of every yearly budget."),
        _("Expected values are the optimiser's, options alone, each within its gap of the best."),
        frame.assign(order=frame["share"]),
        ("share", _("share of the announced budgets")),
        ("value", _("expected value, {unit}").format(unit=unit)),
        colour="way",
        tips={"way": Column(_("ladder")), "share": Column(_("share"), "share"), "value": Column(_("value"), "money")},
    )


def _page_table(posed: Instance, table: pd.DataFrame) -> Table:
    frame = table.assign(
        drops=[listing(names.split(), none="") for names in table["plain_drops"]],
        adds=[listing(names.split(), most=3, none="") for names in table["nested_adds"]],
    )
    columns = {
        "share": Column(_("Budgets"), "share"),
        "plain_value": Column(_("Best"), "money"),
        "plain_gap": Column(_("Gap"), "share"),
        "plain_funded": Column(_("Funded"), "count"),
        "drops": Column(_("Drops, of those funded with less")),
        "nested_value": Column(_("Nested"), "money"),
        "nested_funded": Column(_("Funded"), "count"),
        "adds": Column(_("Adds")),
        "price": Column(_("Price of nesting"), "money"),
        "price_low": Column(_("at least"), "money"),
        "price_high": Column(_("at most"), "money"),
    }
    caption = _("Expected values in {unit}.").format(unit=unit_of_money(posed.scenario.money_unit))
    return Table(caption, frame, columns)
