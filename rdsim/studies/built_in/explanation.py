"""Why not this one, what losing that one would cost, and what one more unit of a cap is worth: a page and tables."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import pandas as pd

from rdsim.errors import Fault, ProblemError
from rdsim.explanation import Explained, PartnerStanding, explain
from rdsim.families import row_words
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.explanation import (
    Reason,
    Replacement,
    ScreenedGroup,
    WhyNot,
    WorthOfCap,
    relaxation_duals,
    screen,
)
from rdsim.report import Column, Page, Section, Table
from rdsim.search import Instance, Proposal, solving_of
from rdsim.studies.built_in.parts import record_of, speaks_of
from rdsim.study import Study
from rdsim.tables import did_you_mean
from rdsim.words import amount_words, unit_noun

__all__ = ["explanation"]

Answer = WhyNot | Replacement | WorthOfCap | PartnerStanding

UNFUNDED = "unfunded"
"""Stands for every technology that is not funded."""

HINTED = 10
"""Caps listed by the price that the linear relaxation gives them."""


def explanation(
    posed: Instance,
    best: Proposal,
    names: Sequence[str] = (),
    *,
    solving: Solving = Solving(),
) -> Study:
    """Explain a proposal of the problem: a table of all that is not funded, and exact answers about what is named.

    A portfolio that was given is explained in its own terms (`rdsim.search.subject`): what having or losing one costs
    is the difference of the best portfolios with and without it, under the rows that the given one is held to.

    `names` are technologies, funded (what would it cost to lose it?) or not (what would bring it in?), partners (what
    does a consortium that is not chosen lack?), caps (what is less and more of it worth?), or `unfunded` for every
    technology that is not funded. `solving` is of each solve. Differences are reported with proven limits, which cannot
    be closer than the gap lets them be.

    Raises: ProblemError for unknown names, all at once; SolverError as the optimiser does.
    """
    names = _names(posed, best, names)
    _check(posed, names)
    solving = solving_of(posed.scenario, solving)
    return _study(posed, best, explain(posed.scenario, best, names, solving), solving)


def _names(posed: Instance, best: Proposal, names: Sequence[str]) -> list[str]:
    """The names, each once; `unfunded` stands for all technologies that are not funded."""
    chosen = {choice.technology for choice in best.portfolio.choices}
    unfunded = [name for name in posed.scenario.technologies if name not in chosen]
    every = [one for name in names for one in (unfunded if name == UNFUNDED else [name])]
    return list(dict.fromkeys(every))


def _check(posed: Instance, names: Sequence[str]) -> None:
    known = [*posed.scenario.technologies, *posed.problem.rows.names, *posed.scenario.partners]
    faults = tuple(
        Fault("explain", "must be a technology, a partner, a cap or 'unfunded'", repr(name), did_you_mean(name, known))
        for name in names
        if name not in known
    )
    if faults:
        raise ProblemError(faults)


# --- tables ---------------------------------------------------------------------------------------


def _study(posed: Instance, best: Proposal, answers: Sequence[Explained], solving: Solving) -> Study:
    found = [one.found for one in answers]
    unfunded = screen(posed.problem, best.solution, solving=solving)
    screened = pd.DataFrame(list(_screened_rows(posed, unfunded)), columns=list(_SCREENED))
    prices = _prices(posed, solving)
    exact = pd.DataFrame(list(_exact_rows(posed, found)), columns=list(_EXACT))
    steps = pd.DataFrame(list(_step_rows(posed, found)), columns=list(_STEPS))
    record = {**record_of(posed, best.solution), "explain": {"gap": solving.gap}}
    said = [str(one) for one in answers]
    page = _page(posed, said, screened, prices, steps)
    tables = {"unfunded": screened, "prices": prices, "exact": exact, "caps": steps}
    lines = (page.lead[0], *said, *page.lead[1:])
    portfolios = {"explained": best.portfolio}
    study = Study("explain", posed.scenario, posed.seed, page, tables, record, portfolios, lines)
    return speaks_of(study, best)


_SCREENED = ("technology", "name", "programme", "alone", "loss_low", "loss_high", "why")


def _screened_rows(posed: Instance, found: Sequence[ScreenedGroup]) -> Iterator[dict[str, object]]:
    for one in found:
        row = posed.scenario.technologies[one.name]
        yield {
            "technology": one.name,
            "name": row.name,
            "programme": posed.scenario.programmes[row.programme].name,
            "alone": one.best_alone,
            "loss_low": one.loss.low,
            "loss_high": one.loss.high,
            "why": _screened_words(one),
        }


def _screened_words(one: ScreenedGroup) -> str:
    if one.reason in {Reason.NO_OPTION, Reason.RULED_OUT}:
        return str(one.reason.value)
    if one.reason is Reason.LINKED:
        return "an exclusion or prerequisite keeps it out"
    if math.isinf(one.loss.high):
        return "no simple exchange makes room for it: ask for the exact answer"
    return "others make better use of what it needs"


def _prices(posed: Instance, solving: Solving) -> pd.DataFrame:
    """The caps that the linear relaxation puts the highest price on."""
    problem = posed.problem
    worth = relaxation_duals(problem, solving).worth
    order = [int(r) for r in np.argsort(-worth, kind="stable")[:HINTED] if worth[r] > 0]
    rows = [
        (problem.rows.names[r], *_words_and_unit(posed, problem.rows.keys[r]), problem.rows.cap[r], worth[r])
        for r in order
    ]
    return pd.DataFrame(rows, columns=["cap", "words", "unit", "at", "price"])


def _words_and_unit(posed: Instance, key: Hashable) -> tuple[str, str]:
    """A row in words, and what it counts."""
    return row_words(posed.scenario, key), unit_noun(posed.scenario, key)


_EXACT = ("technology", "funded", "reason", "found", "low", "high", "verified", "cut", "caps")


def _exact_rows(posed: Instance, answers: Sequence[Answer]) -> Iterator[tuple[object, ...]]:
    for one in answers:
        if isinstance(one, WhyNot):
            caps = "; ".join(
                f"{row_words(posed.scenario, rise.key)} {amount_words(posed.scenario, rise.key, rise.amount.found)}"
                for rise in one.caps
            )
            loss, cut = one.loss, one.cut.found
            yield one.name, False, one.reason.name.lower(), loss.found, loss.low, loss.high, one.verified, cut, caps
        elif isinstance(one, Replacement):
            yield one.name, True, "funded", one.cost.found, one.cost.low, one.cost.high, True, math.nan, ""


_STEPS = ("cap", "words", "unit", "moved", "to", "found", "low", "high", "per_unit", "hint")


def _step_rows(posed: Instance, answers: Sequence[Answer]) -> Iterator[tuple[object, ...]]:
    for one in (one for one in answers if isinstance(one, WorthOfCap)):
        for step in one.steps:
            worth = step.worth
            per = worth.found / step.amount if step.amount else math.nan
            yield (
                one.name,
                *_words_and_unit(posed, one.key),
                step.amount,
                step.cap,
                worth.found,
                worth.low,
                worth.high,
                per,
                one.hint,
            )


# --- words ----------------------------------------------------------------------------------------


def _page(
    posed: Instance, answers: Sequence[str], screened: pd.DataFrame, prices: pd.DataFrame, steps: pd.DataFrame
) -> Page:
    first = f"{len(screened)} of {len(posed.scenario.technologies)} technologies are not funded."
    advice = (
        "Name technologies or caps for exact answers (names are in the tables), 'unfunded' for all, or a partner."
        if not answers
        else "Each answer about a technology or a cap was found by solving again, not from prices."
    )
    lines = [line.strip() for answer in answers for line in answer.splitlines()]
    sections = [Section("What was asked", lines)] if answers else []
    if len(steps):
        sections.append(Section("What more or less of a cap is worth", (), (), (_steps_table(posed, steps),)))
    sections += [
        Section("Not funded", (_LIMITS,), (), (_screened_table(posed, screened),)),
        Section("Which caps matter", (_HINT,), (), (_prices_table(posed, prices),)),
    ]
    return Page("Explanation", posed.scenario.title, (first, advice), sections)


_LIMITS = (
    "How much expected value funding it now would cost lies between two proven limits: the lower from the linear "
    "relaxation, the upper from the best simple exchange against one funded technology. The nearest come first."
)
_HINT = (
    "A hint only: prices of the linear relaxation at the present caps. Portfolios move by whole technologies; what "
    "more of a cap is worth is found by solving again: name it."
)


def _screened_table(posed: Instance, screened: pd.DataFrame) -> Table:
    unit = posed.scenario.money_unit
    columns = {
        "technology": Column("Id"),
        "name": Column("Technology"),
        "programme": Column("Programme"),
        "alone": Column(f"Best option alone, {unit}", "money"),
        "loss_low": Column("Costs at least", "money"),
        "loss_high": Column("at most", "money"),
        "why": Column("Why not"),
    }
    return Table(f"What funding each would cost in expected value, {unit}.", screened, columns)


def _prices_table(posed: Instance, prices: pd.DataFrame) -> Table:
    columns = {
        "words": Column("Cap"),
        "cap": Column("Name"),
        "at": Column("at", "money"),
        "unit": Column("counted in"),
        "price": Column(f"Price of one more (hint), {posed.scenario.money_unit}", "money"),
    }
    words = f"Prices in {posed.scenario.money_unit} for one more of what a cap is counted in."
    return Table(words, prices, columns)


def _steps_table(posed: Instance, steps: pd.DataFrame) -> Table:
    unit = posed.scenario.money_unit
    columns = {
        "words": Column("Cap"),
        "moved": Column("moved by", "money"),
        "to": Column("to", "money"),
        "unit": Column("counted in"),
        "found": Column(f"Worth, {unit}", "money"),
        "low": Column("at least", "money"),
        "high": Column("at most", "money"),
        "per_unit": Column(f"for one more, {unit}", "money"),
    }
    return Table(f"Change of the best expected value, {unit}; limits are proven.", steps, columns)
