"""A problem changed a little: more rows, other caps, other values, options fixed in or out.

Fronts, risk and explanations ask many questions of one problem; each question is a variation of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, vstack

from rdsim.arrays import Floats
from rdsim.optimiser.models.milp import RESOURCES, formulate
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.evaluation import Evaluation
from rdsim.optimiser.problem.problem import Labels, PortfolioProblem, Rows, frozen, state_rows

__all__ = [
    "Measure",
    "count_of_options",
    "opposite",
    "with_caps",
    "with_fixed",
    "with_floor",
    "with_objective",
    "with_row",
    "with_rows",
    "with_slack",
    "with_use",
    "with_values",
    "worth_at_least",
]


@dataclass(frozen=True, eq=False)
class Measure:
    """A linear figure of a portfolio: what each chosen option, and each opening of a partner, adds to it."""

    name: str
    use: Floats  # (O,)
    opening_use: Floats  # (P * S,), or empty: openings add nothing
    integer: bool = False  # only whole values occur

    def of(self, problem: PortfolioProblem, portfolio: Evaluation) -> float:
        """The figure of a portfolio."""
        total = float(self.use[list(portfolio.chosen)].sum())
        if self.opening_use.size:
            stages = len(problem.stage_names)
            places = [partner * stages + stage for partner, stage in portfolio.opened.items()]
            total += float(self.opening_use[places].sum())
        return total


def count_of_options(name: str, counted: ArrayLike) -> Measure:
    """The number of chosen options among those that are counted, shape (O,) bool."""
    use = np.asarray(counted, dtype=np.float64)
    return Measure(name, frozen(use.copy()), frozen(np.zeros(0)), integer=True)


def opposite(measure: Measure) -> Measure:
    """The measure with its sign changed: to have little of it is to have much of its opposite."""
    return replace(measure, use=frozen(-measure.use), opening_use=frozen(-measure.opening_use))


def with_rows(problem: PortfolioProblem, extra: Rows) -> PortfolioProblem:
    """The problem with more rows behind its own; their carries count from the first of them."""
    rows, openings = problem.rows, problem.rows.opening_use.shape[1]
    opening = extra.opening_use if extra.opening_use.shape[1] else csr_array((len(extra.names), openings))
    first = len(rows.names)
    carry = tuple((a + first, b + first, rate) for a, b, rate in extra.carry)
    whole = state_rows(
        vstack([rows.use, extra.use]),
        np.concatenate([rows.cap, extra.cap]),
        sense=(*rows.sense, *extra.sense),
        labels=Labels(
            names=(*rows.names, *extra.names), keys=(*rows.keys, *extra.keys), family=(*rows.family, *extra.family)
        ),
        opening_use=vstack([rows.opening_use, opening]) if openings else None,
        shortfall_price=np.concatenate([rows.shortfall_price, extra.shortfall_price]),
        carry=(*rows.carry, *carry),
    )
    if not openings:
        whole = replace(whole, opening_use=csr_array((len(whole.names), openings)))
    return replace(problem, rows=whole)


def with_row(
    problem: PortfolioProblem,
    measure: Measure,
    sense: str,
    cap: float,
    *,
    family: str = "extra",
    price: float = float("nan"),
) -> PortfolioProblem:
    """The problem with one more row: a measure at most, at least or exactly `cap`; soft if it has a price."""
    opening = csr_array(measure.opening_use[np.newaxis]) if measure.opening_use.size else None
    row = state_rows(
        csr_array(measure.use[np.newaxis]),
        [cap],
        sense=sense,
        labels=Labels(names=[measure.name], family=family),
        opening_use=opening,
        shortfall_price=[price],
    )
    return with_rows(problem, row)


def with_floor(
    problem: PortfolioProblem, measure: Measure, level: float, price: float = float("nan")
) -> PortfolioProblem:
    """The problem with at least `level` of a measure; with a price, falling short costs so much a unit."""
    floor = replace(measure, name=f"at least: {measure.name}")
    return with_row(problem, floor, ">=", level, family="epsilon", price=price)


def with_caps(problem: PortfolioProblem, caps: Mapping[int, float]) -> PortfolioProblem:
    """The problem with other caps for some rows, by index."""
    cap = problem.rows.cap.copy()
    for row, value in caps.items():
        cap[row] = value
    return replace(problem, rows=replace(problem.rows, cap=frozen(cap)))


def with_slack(problem: PortfolioProblem, slack: Mapping[int, float]) -> PortfolioProblem:
    """The problem with some rows relaxed by an amount >= 0: a ceiling rises, a floor falls, `==` becomes a band.

    More slack never shuts a portfolio out. The floor of a band stands behind the other rows, in ascending order.
    """
    rows = problem.rows
    floors = [row for row in sorted(slack) if rows.sense[row] == "=="]
    below = [row for row in slack if rows.sense[row] == ">="]
    caps = {row: float(rows.cap[row]) + (-amount if row in below else amount) for row, amount in slack.items()}
    sense = tuple("<=" if row in floors else known for row, known in enumerate(rows.sense))
    wider = with_caps(replace(problem, rows=replace(rows, sense=sense)), caps)
    if not floors:
        return wider
    band = Rows(
        names=tuple(f"{rows.names[row]} (floor)" for row in floors),
        keys=tuple(rows.keys[row] for row in floors),
        family=tuple(rows.family[row] for row in floors),
        use=rows.use[floors],
        opening_use=rows.opening_use[floors],
        sense=(">=",) * len(floors),
        cap=np.array([rows.cap[row] - slack[row] for row in floors]),
        shortfall_price=rows.shortfall_price[floors],
    )
    return with_rows(wider, band)


def with_use(problem: PortfolioProblem, use: csr_array) -> PortfolioProblem:
    """The problem with another use of its rows by its options, shape (R, O)."""
    canonical = csr_array(use, copy=True)
    canonical.sum_duplicates()
    canonical.eliminate_zeros()
    return replace(problem, rows=replace(problem.rows, use=canonical))


def with_values(problem: PortfolioProblem, values: ArrayLike) -> PortfolioProblem:
    """The problem with other values, shape (O,) or (N, O)."""
    return replace(problem, values=frozen(np.array(values, dtype=np.float64)))


def with_objective(problem: PortfolioProblem, measure: Measure) -> PortfolioProblem:
    """The problem that maximises a measure: hard rows and rules stay, synergies and the prices of soft rows go."""
    rows, shape = problem.rows, problem.opening_value.shape
    openings = measure.opening_use.reshape(shape).copy() if measure.opening_use.size else np.zeros(shape)
    free = np.where(rows.is_soft, 0.0, rows.shortfall_price)
    return replace(
        problem,
        values=frozen(measure.use.copy()),
        opening_value=frozen(openings),
        rows=replace(rows, shortfall_price=frozen(free)),
        synergies=(),
    )


def worth_at_least(problem: PortfolioProblem, measure: Measure, worth: float) -> Model:
    """The model that maximises a measure among the portfolios whose objective is at least `worth`.

    The objective is a row of the model, so synergies, openings and shortfalls count in it.
    """
    lowest = float(np.minimum(measure.use, 0.0).sum() + np.minimum(measure.opening_use, 0.0).sum())
    model = formulate(with_row(problem, measure, ">=", lowest - 1.0))  # never binds; gives the measure its columns
    place = model.rows_of(RESOURCES).stop - 1
    return replace(
        model,
        value=frozen(model.matrix[[place]].toarray().ravel()),
        row_names=(*model.row_names, "worth"),
        matrix=csr_array(vstack([model.matrix, csr_array(model.value[np.newaxis])])),
        sense=(*model.sense, ">="),
        rhs=frozen(np.append(model.rhs, worth - model.offset)),
    )


def with_fixed(
    problem: PortfolioProblem,
    *,
    groups_in: Iterable[int] = (),
    groups_out: Iterable[int] = (),
    options_in: Iterable[int] = (),
    options_out: Iterable[int] = (),
) -> PortfolioProblem:
    """The problem with more groups and options fixed in or out."""
    return replace(
        problem,
        fixed_in_groups=_more(problem.fixed_in_groups, groups_in),
        fixed_out_groups=_more(problem.fixed_out_groups, groups_out),
        fixed_in_options=_more(problem.fixed_in_options, options_in),
        fixed_out_options=_more(problem.fixed_out_options, options_out),
    )


def _more(known: tuple[int, ...], more: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*known, *(int(index) for index in more))))
