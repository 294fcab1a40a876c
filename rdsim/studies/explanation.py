"""Why not this one, what losing that one would cost, and what one more unit of a cap is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rdsim.case import DAYS_PER_YEAR
from rdsim.errors import Fault, ProblemError
from rdsim.metrics import discount
from rdsim.optimiser import Solution
from rdsim.optimiser.explanation import (
    Exchange,
    Figure,
    Reason,
    Replacement,
    Screened,
    WhyNot,
    WorthOfCap,
    cost_of_losing,
    hints,
    screen,
    why_not,
    worth_of_cap,
)
from rdsim.optimiser.problem import FloatArray
from rdsim.report import Column, Section, Sheet, Table
from rdsim.report.words import amount
from rdsim.search import Posed, Proposal
from rdsim.studies.study import Study, listing, money, record_of
from rdsim.tables import did_you_mean
from rdsim.wording import amount_words, option_words, row_words, rule_words, technology_words

__all__ = ["explanation"]

UNFUNDED = "unfunded"
"""Stands for every technology that is not funded."""

HINTED = 10
"""Caps listed by the price that the linear relaxation gives them."""


def explanation(
    posed: Posed,
    best: Proposal,
    technologies: Sequence[str] = (),
    caps: Sequence[str] = (),
    *,
    change: float = 0.1,
    gap: float | None = None,
    solver: str = "highs",
    time_limit: float | None = None,
) -> Study:
    """Explain a proposal: a table of all that is not funded, and exact answers about what is named.

    `technologies` are ids, funded (what would it cost to lose it?) or not (what would bring it in?); `caps` are names
    of rows, whose worth is found by solving again with `change` (relative) less and more. `gap` and `time_limit` are
    of each solve. Differences are reported with proven limits, which cannot be closer than the gap lets them be.

    Raises: ProblemError for unknown names, all at once; SolverError as the optimiser does.
    """
    technologies = _named(posed, best, technologies)
    _check(posed, technologies, caps)
    settings: dict[str, Any] = {
        "solver": solver,
        "gap": posed.scenario.optimiser.gap if gap is None else gap,
        "time_limit": time_limit,
    }
    asked = _Asked(posed, best.solution, settings)
    chosen = {posed.problem.group_names[posed.problem.group[o]] for o in best.solution.chosen}
    unfunded = [asked.why_not(name) for name in technologies if name not in chosen]
    funded = [asked.losing(name) for name in technologies if name in chosen]
    worths = [asked.worth(name, change) for name in caps]
    return _study(posed, best, unfunded, funded, worths, settings)


def _named(posed: Posed, best: Proposal, technologies: Sequence[str]) -> list[str]:
    """The technologies, each once; `unfunded` stands for all that are not funded."""
    chosen = {choice.technology for choice in best.portfolio.choices}
    unfunded = [name for name in posed.scenario.technologies if name not in chosen]
    every = [one for name in technologies for one in (unfunded if name == UNFUNDED else [name])]
    return list(dict.fromkeys(every))


@dataclass(frozen=True, eq=False)
class _Asked:
    """Puts the questions."""

    posed: Posed
    solution: Solution
    settings: dict[str, Any]

    def why_not(self, name: str) -> WhyNot:
        """Why a technology is not funded; a cut of its cost frees money, and saves what that is worth today."""
        return why_not(self.posed.problem, self.solution, name, saving=self.savings, **self.settings)

    @property
    def savings(self) -> FloatArray:
        """Present value of what each option is paid, from the start of each fiscal year, shape (O,)."""
        payments = self.posed.options.payments
        starts = np.arange(payments.shape[1], dtype=np.int64) * DAYS_PER_YEAR
        return np.asarray(payments @ discount(self.posed.scenario, starts))

    def losing(self, name: str) -> Replacement:
        """What losing a funded technology costs."""
        return cost_of_losing(self.posed.problem, self.solution, name, **self.settings)

    def worth(self, name: str, change: float) -> WorthOfCap:
        """What less and more of a cap is worth; a cap that is counted moves by at least one."""
        problem = self.posed.problem
        row = problem.rows.names.index(name)
        cap = float(problem.rows.cap[row])
        counted = problem.rows.family[row] == "starts"
        step = max(1.0, round(abs(cap) * change)) if counted else (abs(cap) or 1.0) * change
        return worth_of_cap(problem, self.solution, name, [-step, step], **self.settings)


def _check(posed: Posed, technologies: Sequence[str], caps: Sequence[str]) -> None:
    known = {"technology": list(posed.scenario.technologies), "cap": list(posed.problem.rows.names)}
    faults = [
        Fault(kind, f"must name a {kind} of the scenario", repr(name), did_you_mean(name, known[kind]))
        for kind, names in (("technology", technologies), ("cap", caps))
        for name in names
        if name not in known[kind]
    ]
    if faults:
        raise ProblemError(tuple(faults))


# --- tables ---------------------------------------------------------------------------------------


def _study(
    posed: Posed,
    best: Proposal,
    unfunded: Sequence[WhyNot],
    funded: Sequence[Replacement],
    worths: Sequence[WorthOfCap],
    settings: dict[str, Any],
) -> Study:
    screened = pd.DataFrame(
        list(_screened_rows(posed, screen(posed.problem, best.solution, solver=settings["solver"])))
    )
    prices = _prices(posed, settings["solver"])
    exact = pd.DataFrame(list(_exact_rows(posed, unfunded, funded)), columns=list(_EXACT))
    steps = pd.DataFrame(list(_step_rows(posed, worths)), columns=list(_STEPS))
    record = {**record_of(posed, best.solution), "explain": {"gap": settings["gap"]}}
    answers = tuple(_answers(posed, unfunded, funded, worths))
    sheet = _sheet(posed, answers, screened, prices, steps)
    tables = {"unfunded": screened, "prices": prices, "exact": exact, "caps": steps}
    said = (sheet.lead[0], *answers, *sheet.lead[1:])
    return Study("explain", posed.scenario, posed.seed, sheet, tables, record, {"optimised": best.portfolio}, said)


def _screened_rows(posed: Posed, found: Sequence[Screened]) -> Iterator[dict[str, object]]:
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


def _screened_words(one: Screened) -> str:
    if one.reason is not None:
        return str(one.reason.value)
    if one.best_alone <= 0:
        return "its best option is expected to cost more than it brings"
    if math.isinf(one.loss.high):
        return "no simple exchange makes room for it: ask for the exact answer"
    return "others make better use of what it needs"


def _prices(posed: Posed, solver: str) -> pd.DataFrame:
    """The caps that the linear relaxation puts the highest price on."""
    problem = posed.problem
    worth = hints(problem, solver=solver).worth
    order = [int(r) for r in np.argsort(-worth, kind="stable")[:HINTED] if worth[r] > 0]
    rows = [
        (problem.rows.names[r], row_words(posed.scenario, problem.rows.names[r]), problem.rows.cap[r], worth[r])
        for r in order
    ]
    return pd.DataFrame(rows, columns=["cap", "words", "at", "price"])


_EXACT = ("technology", "funded", "reason", "found", "low", "high", "verified", "cut", "caps")


def _exact_rows(
    posed: Posed, unfunded: Sequence[WhyNot], funded: Sequence[Replacement]
) -> Iterator[tuple[object, ...]]:
    for one in unfunded:
        caps = "; ".join(f"{row_words(posed.scenario, rise.name)} {rise.amount.found:g}" for rise in one.caps)
        loss, cut = one.loss, one.cut.found
        yield one.name, False, one.reason.name.lower(), loss.found, loss.low, loss.high, one.verified, cut, caps
    for lost in funded:
        cost = lost.cost
        yield lost.name, True, "funded", cost.found, cost.low, cost.high, True, math.nan, ""


_STEPS = ("cap", "words", "moved", "to", "found", "low", "high", "per_unit", "hint")


def _step_rows(posed: Posed, worths: Sequence[WorthOfCap]) -> Iterator[tuple[object, ...]]:
    for one in worths:
        for step in one.steps:
            words, worth = row_words(posed.scenario, one.name), step.worth
            per = worth.found / step.amount if step.amount else math.nan
            yield one.name, words, step.amount, step.cap, worth.found, worth.low, worth.high, per, one.hint


# --- words ----------------------------------------------------------------------------------------


def _answers(
    posed: Posed, unfunded: Sequence[WhyNot], funded: Sequence[Replacement], worths: Sequence[WorthOfCap]
) -> Iterator[str]:
    for one in unfunded:
        yield from _why_not_words(posed, one)
    for lost in funded:
        yield _losing_words(posed, lost)
    for worth in worths:
        yield _worth_words(posed, worth)


def _sheet(
    posed: Posed, answers: Sequence[str], screened: pd.DataFrame, prices: pd.DataFrame, steps: pd.DataFrame
) -> Sheet:
    first = f"{len(screened)} of {len(posed.scenario.technologies)} technologies are not funded."
    advice = (
        "Name technologies or caps for exact answers: --technology ID, --cap 'NAME' (names are in the tables)."
        if not answers
        else "Each answer about a technology or a cap was found by solving again, not from prices."
    )
    sections = [Section("What was asked", answers)] if answers else []
    if len(steps):
        sections.append(Section("What more or less of a cap is worth", (), (), (_steps_table(posed, steps),)))
    sections += [
        Section("Not funded", (_LIMITS,), (), (_screened_table(posed, screened),)),
        Section("Which caps matter", (_HINT,), (), (_prices_table(posed, prices),)),
    ]
    return Sheet("Explanation", posed.scenario.title, (first, advice), sections)


_LIMITS = (
    "How much expected value funding it now would cost lies between two proven limits: the lower from the linear "
    "relaxation, the upper from the best simple exchange against one funded technology. The nearest come first."
)
_HINT = (
    "A hint only: prices of the linear relaxation at the present caps. Portfolios move by whole technologies; what "
    "more of a cap is worth is found by solving again (--cap)."
)


def _why_not_words(posed: Posed, one: WhyNot) -> Iterator[str]:
    scenario, name = posed.scenario, technology_words(posed.scenario, one.name)
    if one.conflict is not None:
        barred = [rule for rule in one.conflict.rules if (rule.kind, rule.name) != ("must-fund", one.name)]
        yield f"{name} cannot be funded. In its way: {'; '.join(rule_words(scenario, rule) for rule in barred)}."
        return
    if one.reason in {Reason.NO_OPTION, Reason.RULED_OUT}:
        yield f"{name} is not funded: {one.reason.value}."
        return
    verified = " (verified by solving again)" if one.verified else ""
    yield (
        f"{name} is not funded: {_reason_words(one)}. Funding it now would cost {_difference(posed, one.loss)} of "
        f"expected value; its value would have to rise by as much{verified}."
    )
    yield " ".join(_changes(posed, one))
    if one.exchange is not None:
        yield f"The best portfolio found with {one.name}: {_exchange_words(posed, one.exchange)}."


def _reason_words(one: WhyNot) -> str:
    if one.reason is Reason.WORTHLESS and one.links:
        return "what it excludes or needs costs more than it brings"
    return str(one.reason.value)


def _changes(posed: Posed, one: WhyNot) -> Iterator[str]:
    """The least change of cost, and of one cap alone, that brings it in."""
    if math.isfinite(one.cut.found) and one.cut.found > 0:
        yield f"It comes in if its cost falls by {one.cut.found:.0%}."
    elif math.isinf(one.cut.found):
        yield "No cut of its cost was found to bring it in."
    scenario = posed.scenario
    rises = [
        f"{row_words(scenario, rise.name)} is {_MOVED[rise.sense]} by "
        f"{amount_words(scenario, rise.family.split(' ')[0], rise.amount.found)}"
        for rise in one.caps
    ]
    if rises:
        yield f"It comes in if {', or if '.join(rises)}."
    elif one.open_caps:
        yield f"No single cap was found that brings it in; not settled: {_rows(posed, one.open_caps)}."
    elif one.no_cap:
        yield f"No single cap keeps it out: relaxing {_rows(posed, one.no_cap)} alone does not bring it in."
    if one.links:
        yield f"It comes in without {'; or without '.join(rule_words(scenario, rule) for rule in one.links)}."


_MOVED = {"<=": "raised", ">=": "lowered", "==": "widened"}


def _rows(posed: Posed, names: Sequence[str]) -> str:
    return listing((row_words(posed.scenario, name) for name in names), most=3)


def _losing_words(posed: Posed, one: Replacement) -> str:
    name = technology_words(posed.scenario, one.name)
    if one.conflict is not None:
        rules = "; ".join(rule_words(posed.scenario, rule) for rule in one.conflict.rules)
        return f"{name} cannot be lost: {rules}."
    more = f" Best without it: {_exchange_words(posed, one.exchange)}." if one.exchange is not None else ""
    return f"Losing {name} would cost {_difference(posed, one.cost)} of expected value.{more}"


def _worth_words(posed: Posed, one: WorthOfCap) -> str:
    family = posed.problem.rows.family[one.row].split(" ")[0]
    parts = [
        f"{amount_words(posed.scenario, family, abs(step.amount))} {'more' if step.amount > 0 else 'less'} is worth "
        f"{_difference(posed, step.worth)}"
        for step in one.steps
        if step.amount
    ]
    return f"{_upper(row_words(posed.scenario, one.name))}: {'; '.join(parts)}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _difference(posed: Posed, figure: Figure) -> str:
    if figure.exact:
        return money(figure.found, posed.scenario)
    if math.isinf(figure.found):
        return f"at least {money(figure.low, posed.scenario)}"
    low, high = amount(figure.low), amount(figure.high)
    return f"{money(figure.found, posed.scenario)} (proven: between {low} and {high})"


def _exchange_words(posed: Posed, exchange: Exchange) -> str:
    scenario = posed.scenario
    parts = [
        ("in", listing((option_words(scenario, name) for name in exchange.joined), most=4, none="")),
        ("out", listing((technology_words(scenario, name) for name in exchange.left), most=4, none="")),
        ("changed", f"{len(exchange.moved)} others in partner, mode or year" if exchange.moved else ""),
    ]
    return "; ".join(f"{word} {names}" for word, names in parts if names) or "no other change"


def _screened_table(posed: Posed, screened: pd.DataFrame) -> Table:
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


def _prices_table(posed: Posed, prices: pd.DataFrame) -> Table:
    columns = {
        "words": Column("Cap"),
        "cap": Column("Name for --cap"),
        "at": Column("at", "money"),
        "price": Column("Price of one more unit (hint)", "money"),
    }
    return Table(f"Prices in {posed.scenario.money_unit} for one unit more.", prices, columns)


def _steps_table(posed: Posed, steps: pd.DataFrame) -> Table:
    columns = {
        "words": Column("Cap"),
        "moved": Column("moved by", "money"),
        "to": Column("to", "money"),
        "found": Column("Worth", "money"),
        "low": Column("at least", "money"),
        "high": Column("at most", "money"),
        "per_unit": Column("per unit", "money"),
    }
    return Table(f"Change of the best expected value, {posed.scenario.money_unit}; limits are proven.", steps, columns)
