"""Why not this one, what losing that one would cost, and what one more unit of a cap is worth: a page and tables."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import pandas as pd

from rdsim.errors import Fault, ProblemError
from rdsim.explanation import Explained, PartnerStanding, explain
from rdsim.families import row_words
from rdsim.languages import N_, pgettext, unit_of_money
from rdsim.languages import gettext as _
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
    said = [one.text for one in answers]
    page = _page(posed, [line for one in answers for line in one.lines], screened, prices, steps)
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
        return _(one.reason.value)
    if one.reason is Reason.LINKED:
        return _("an exclusion or prerequisite keeps it out")
    if math.isinf(one.loss.high):
        return _("no simple exchange makes room for it: ask for the exact answer")
    return _("others make better use of what it needs")


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
    first = _("{number} of {all} technologies are not funded.")
    first = first.format(number=len(screened), all=len(posed.scenario.technologies))
    advice = (
        _("Name technologies or caps for exact answers (names are in the tables), 'unfunded' for all, or a partner.")
        if not answers
        else _("Each answer about a technology or a cap was found by solving again, not from prices.")
    )
    sections = [Section(_("What was asked"), answers)] if answers else []
    if len(steps):
        sections.append(Section(_("What more or less of a cap is worth"), (), (), (_steps_table(posed, steps),)))
    sections += [
        Section(_("Not funded"), (_(_LIMITS),), (), (_screened_table(posed, screened),)),
        Section(_("Which caps matter"), (_(_HINT),), (), (_prices_table(posed, prices),)),
    ]
    return Page(_("Explanation"), posed.scenario.title, (first, advice), sections)


_LIMITS = N_(
    "How much expected value funding it now would cost lies between two proven limits: the lower from the linear "
    "relaxation, the upper from the best simple exchange against one funded technology. The nearest come first."
)
_HINT = N_(
    "A hint only: prices of the linear relaxation at the present caps. Portfolios move by whole technologies; what "
    "more of a cap is worth is found by solving again: name it."
)


def _screened_table(posed: Instance, screened: pd.DataFrame) -> Table:
    unit = unit_of_money(posed.scenario.money_unit)
    columns = {
        "technology": Column(_("Id")),
        "name": Column(_("Technology")),
        "programme": Column(_("Programme")),
        "alone": Column(_("Best option alone, {unit}").format(unit=unit), "money"),
        "loss_low": Column(_("Costs at least"), "money"),
        "loss_high": Column(_("at most"), "money"),
        "why": Column(_("Why not")),
    }
    caption = _("What funding each would cost in expected value, {unit}.")
    return Table(caption.format(unit=unit), screened, columns)


def _prices_table(posed: Instance, prices: pd.DataFrame) -> Table:
    unit = unit_of_money(posed.scenario.money_unit)
    columns = {
        "words": Column(_("Cap")),
        "cap": Column(_("Name")),
        "at": Column(_("at"), "money"),
        "unit": Column(_("counted in")),
        "price": Column(_("Price of one more (hint), {unit}").format(unit=unit), "money"),
    }
    words = _("Prices in {unit} for one more of what a cap is counted in.")
    return Table(words.format(unit=unit), prices, columns)


def _steps_table(posed: Instance, steps: pd.DataFrame) -> Table:
    unit = unit_of_money(posed.scenario.money_unit)
    columns = {
        "words": Column(_("Cap")),
        "moved": Column(_("moved by"), "money"),
        "to": Column(pgettext("cap", "to"), "money"),
        "unit": Column(_("counted in")),
        "found": Column(_("Worth, {unit}").format(unit=unit), "money"),
        "low": Column(_("at least"), "money"),
        "high": Column(_("at most"), "money"),
        "per_unit": Column(_("for one more, {unit}").format(unit=unit), "money"),
    }
    caption = _("Change of the best expected value, {unit}; limits are proven.")
    return Table(caption.format(unit=unit), steps, columns)
