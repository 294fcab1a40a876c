"""PortfolioProblem -> a mixed-integer linear model: one function for each constraint family.

Columns, in this order:

==========  ==========================================================================================
x[o]        1 if option o is chosen
y[p, s]     1 if partner p is open by stage s (only where opening it matters to objective or rows)
z[k]        1 if both groups of synergy pair k are funded
c[r]        unspent amount that row r passes on
d[r], e[r]  how far soft row r is exceeded, and (rows with a floor) how far it is missed
==========  ==========================================================================================

Opening is written tightly: for each (group, partner, stage) the options of the group that use the
partner by that stage sum to at most y[p, s]; a sum over groups, or a big M, has a weaker LP bound.
Cumulative y makes `v[p, s] = y[p, s] - y[p, s-1]` and keeps rows sparse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array

from rdsim.arrays import Floats, Ints
from rdsim.optimiser.models.model import Model, RowBlock
from rdsim.optimiser.problem.evaluation import Evaluation
from rdsim.optimiser.problem.problem import PortfolioProblem, frozen

__all__ = [
    "RESOURCES",
    "Columns",
    "ModelRows",
    "choice_of",
    "columns_of",
    "formulate",
    "lay_out",
    "opening_weights",
    "tighten",
]


RESOURCES = "row"
"""The family of the problem's own `Rows`, each about one of them, in their order."""


@dataclass(frozen=True, eq=False)
class ModelRows:
    """Rows of one constraint family, as triplets (row, column, coefficient)."""

    name: str
    names: tuple[str, ...]
    about: Ints  # as `Block.about`
    row: Ints
    column: Ints
    coefficient: Floats
    sense: tuple[str, ...]
    rhs: Floats


@dataclass(frozen=True, eq=False)
class Columns:
    """Where each kind of column stands."""

    problem: PortfolioProblem
    stages: tuple[tuple[int, int], ...]  # (partner, stage) of every opening column, ascending
    carrying: tuple[int, ...]  # rows that pass something on
    over: tuple[int, ...]  # soft rows with a ceiling
    under: tuple[int, ...]  # soft rows with a floor

    @property
    def options(self) -> int:
        """How many option columns there are; they come first.

        Model: V1.
        """
        return len(self.problem.option_names)

    @cached_property
    def opening(self) -> dict[tuple[int, int], int]:
        """Column of (partner, stage).

        Model: V2.
        """
        return {key: self.options + place for place, key in enumerate(self.stages)}

    @property
    def synergy(self) -> int:
        """First synergy column.

        Model: V3.
        """
        return self.options + len(self.stages)

    @cached_property
    def carry(self) -> dict[int, int]:
        """Column of what a row passes on.

        Model: V4.
        """
        first = self.synergy + len(self.problem.synergies)
        return {row: first + place for place, row in enumerate(self.carrying)}

    @cached_property
    def excess(self) -> dict[int, int]:
        """Column of a soft row's excess over its ceiling.

        Model: V5.
        """
        first = self.synergy + len(self.problem.synergies) + len(self.carrying)
        return {row: first + place for place, row in enumerate(self.over)}

    @cached_property
    def deficit(self) -> dict[int, int]:
        """Column of a soft row's shortfall under its floor.

        Model: V6.
        """
        first = self.synergy + len(self.problem.synergies) + len(self.carrying) + len(self.over)
        return {row: first + place for place, row in enumerate(self.under)}

    @property
    def count(self) -> int:
        """All columns."""
        pairs = len(self.problem.synergies)
        return self.synergy + pairs + len(self.carrying) + len(self.over) + len(self.under)


def lay_out(problem: PortfolioProblem) -> Columns:
    """The columns a problem needs."""
    rows = problem.rows
    soft = [row for row in range(len(rows.names)) if not np.isnan(rows.shortfall_price[row])]
    return Columns(
        problem=problem,
        stages=_opening_stages(problem),
        carrying=tuple(sorted(source for source, _, _ in rows.carry)),
        over=tuple(row for row in soft if rows.sense[row] != ">="),
        under=tuple(row for row in soft if rows.sense[row] != "<="),
    )


def columns_of(problem: PortfolioProblem, judged: Evaluation) -> Floats:
    """What every column of the model is in a portfolio that has been judged, shape (n,)."""
    layout, funded = lay_out(problem), set(problem.group[list(judged.chosen)].tolist())
    values = np.zeros(layout.count)
    values[list(judged.chosen)] = 1.0
    for (partner, stage), column in layout.opening.items():
        values[column] = float(judged.opened.get(partner, stage + 1) <= stage)
    for place, (first, second, _) in enumerate(problem.synergies):
        values[layout.synergy + place] = float(first in funded and second in funded)
    for row, column in layout.carry.items():
        values[column] = judged.carried[row]
    for columns, sign in ((layout.excess, 1.0), (layout.deficit, -1.0)):
        for row, column in columns.items():
            values[column] = max(0.0, sign * float(judged.activity[row] - judged.room[row]))
    return values


def choice_of(problem: PortfolioProblem, values: Floats) -> tuple[int, ...]:
    """The options whose column is 1."""
    return tuple(np.flatnonzero(values[: len(problem.option_names)] > 0.5).tolist())


def formulate(problem: PortfolioProblem) -> Model:
    """The whole model of a checked problem."""
    columns = lay_out(problem)
    families = [family(columns) for family in FAMILIES]
    lower, upper = _bounds(columns)
    integer = np.zeros(columns.count, dtype=bool)
    integer[: columns.synergy] = True
    return Model(
        column_names=_column_names(columns),
        value=frozen(_objective(columns)),
        offset=0.0,
        lower=frozen(lower),
        upper=frozen(upper),
        integer=frozen(integer),
        row_names=tuple(name for family in families for name in family.names),
        matrix=_stack(families, columns.count),
        sense=tuple(sense for family in families for sense in family.sense),
        rhs=frozen(np.concatenate([family.rhs for family in families])),
        blocks=_blocks(families),
    )


def _blocks(families: Sequence[ModelRows]) -> dict[str, RowBlock]:
    firsts = accumulate((len(family.names) for family in families), initial=0)
    return {family.name: RowBlock(first, family.about) for first, family in zip(firsts, families, strict=False)}


def tighten(problem: PortfolioProblem, model: Model) -> Model:
    """The model for these very caps: options that fit under no ceiling are out, and what fills a floor counts as it.

    What only the options of one partner use is there only if that partner is open: of a ceiling, `use @ x <= cap y`. In
    the relaxation a tenth of a partner then holds a tenth of its places.

    No portfolio is lost, and a solver's tolerance is no longer relative to numbers that cannot matter. Not for models
    whose caps move, nor for what compares relaxations at several caps.

    Model: R20.
    """
    rows, options = problem.rows, len(problem.option_names)
    upper, matrix = model.upper.copy(), model.matrix.copy()
    out = np.flatnonzero(rows.misfits)
    upper[out] = model.lower[out]
    first = model.rows_of(RESOURCES).start
    for row in np.flatnonzero(np.isfinite(rows.enough)):
        part = slice(matrix.indptr[first + row], matrix.indptr[first + row + 1])
        high = (matrix.indices[part] < options) & (matrix.data[part] > rows.enough[row])
        matrix.data[part] = np.where(high, rows.enough[row], matrix.data[part])
    held = _ceilings_of_openings(problem)
    places = first + np.array([row for row, _ in held], dtype=np.int64)
    columns, rhs = np.array([column for _, column in held], dtype=np.int64), model.rhs.copy()
    matrix = csr_array(matrix + csr_array((-rhs[places], (places, columns)), shape=matrix.shape))
    rhs[places] = 0.0
    return replace(model, upper=frozen(upper), matrix=matrix, rhs=frozen(rhs))


def _ceilings_of_openings(problem: PortfolioProblem) -> list[tuple[int, int]]:
    """Hard ceilings that only options of one partner use: each row, and the column of its being open by then.

    Model: R20.
    """
    rows, columns = problem.rows, lay_out(problem)
    moving = {end for source, target, _ in rows.carry for end in (source, target)}
    using = csr_array((rows.use.data > 0, rows.use.indices, rows.use.indptr), shape=rows.use.shape)
    users = np.asarray(using.sum(axis=1)).ravel()
    with_partner = (using.astype(np.int64) @ problem.partners.astype(np.int64)).toarray()  # users of each row, (R, P)
    shared = (with_partner == users[:, None]) & (users > 0)[:, None]
    negative = np.asarray(rows.use.minimum(0).sum(axis=1)).ravel() < 0
    opening = np.asarray((rows.opening_use != 0).sum(axis=1)).ravel() > 0
    hard = np.isnan(rows.shortfall_price) & (rows.cap > 0) & (np.array(rows.sense, dtype="U2") == "<=")
    found = []
    for row in np.flatnonzero(hard & ~negative & ~opening & shared.any(axis=1)).tolist():
        if row not in moving:
            part = slice(using.indptr[row], using.indptr[row + 1])
            last = int(problem.stage[using.indices[part][using.data[part]]].max())
            who = int(shared[row].argmax())
            stages = range(last, problem.opening_value.shape[1])
            found += [(row, columns.opening[who, by]) for by in stages if (who, by) in columns.opening][:1]
    return found


# ---------------------------------------------------------------- columns


def opening_weights(problem: PortfolioProblem) -> Floats:
    """Coefficients of y[p, s] in the objective and in every row, shape (R + 1, P, S)."""
    shape = problem.opening_value.shape
    uses = problem.rows.opening_use.toarray().reshape(len(problem.rows.names), *shape)
    stacked = np.concatenate([problem.opening_value[np.newaxis], uses])
    later = np.zeros_like(stacked)
    later[:, :, :-1] = stacked[:, :, 1:]
    return np.asarray(stacked - later)


def _opening_stages(problem: PortfolioProblem) -> tuple[tuple[int, int], ...]:
    """(partner, stage) pairs whose y has a coefficient somewhere; the others need no column.

    Model: V2.
    """
    matters = (opening_weights(problem) != 0).any(axis=0)
    return tuple((int(partner), int(stage)) for partner, stage in np.argwhere(matters))


def _padded_names(letter: str, keys: Iterable[Sequence[int]], sizes: Sequence[int]) -> list[str]:
    """Names with zero-padded indices, so that sorting by name is sorting by index."""
    widths = [len(str(max(size - 1, 0))) for size in sizes]
    return [
        "_".join([letter, *(f"{index:0{width}d}" for index, width in zip(key, widths, strict=True))]) for key in keys
    ]


def _singles(indices: Iterable[int]) -> list[tuple[int]]:
    return [(index,) for index in indices]


def _column_names(columns: Columns) -> tuple[str, ...]:
    problem, rows = columns.problem, (len(columns.problem.rows.names),)
    pairs = len(problem.synergies)
    return (
        *_padded_names("x", _singles(range(columns.options)), (columns.options,)),
        *_padded_names("y", columns.stages, problem.opening_value.shape),
        *_padded_names("z", _singles(range(pairs)), (pairs,)),
        *_padded_names("c", _singles(columns.carrying), rows),
        *_padded_names("d", _singles(columns.over), rows),
        *_padded_names("e", _singles(columns.under), rows),
    )


def _objective(columns: Columns) -> Floats:
    """Model: R1."""
    problem, prices = columns.problem, columns.problem.rows.shortfall_price
    opening = opening_weights(problem)[0]
    return np.array(
        [
            *problem.expected_value,
            *(opening[key] for key in columns.stages),
            *(value for *_, value in problem.synergies),
            *(0.0 for _ in columns.carrying),
            *(-prices[row] for row in columns.over),
            *(-prices[row] for row in columns.under),
        ],
        dtype=np.float64,
    )


def _bounds(columns: Columns) -> tuple[Floats, Floats]:
    """Model: R10."""
    problem = columns.problem
    lower, upper = np.zeros(columns.count), np.ones(columns.count)
    upper[columns.synergy + len(problem.synergies) :] = np.inf
    lower[list(problem.fixed_in_options)] = 1.0
    out = np.isin(problem.group, problem.fixed_out_groups)
    upper[: columns.options][out] = 0.0
    upper[list(problem.fixed_out_options)] = 0.0
    for row, most in _most_unspent(columns).items():
        upper[columns.carry[row]] = most
    # An option that is fixed in and belongs to a group that is fixed out: the choice row says so.
    return lower, np.maximum(lower, upper)


def _most_unspent(columns: Columns) -> dict[int, float]:
    """An upper bound on what each row can pass on: its cap, its refunds, and the most it can be passed itself.

    Model: V4.
    """
    rows, most, received = columns.problem.rows, {}, dict[int, float]()
    refunds = -(rows.use.minimum(0).sum(axis=1) + rows.opening_use.minimum(0).sum(axis=1))
    for source, target, rate in rows.carry_in_order:
        most[source] = max(0.0, float(rows.cap[source] + refunds[source]) + received.get(source, 0.0))
        received[target] = rate * most[source]
    return most


# ---------------------------------------------------------------- families


def _family(
    name: str,
    keys: Sequence[Sequence[int]],
    sizes: Sequence[int],
    triplets: tuple[ArrayLike, ArrayLike, ArrayLike],
    sense: str | Sequence[str],
    rhs: ArrayLike,
) -> ModelRows:
    """A family by the keys of its rows, the first of which says what each is about, and of how many each is one."""
    count = len(keys)
    row, column, coefficient = triplets
    return ModelRows(
        name,
        tuple(_padded_names(name, keys, sizes)),
        np.array([key[0] for key in keys], dtype=np.int64),
        np.asarray(row, dtype=np.int64).ravel(),
        np.asarray(column, dtype=np.int64).ravel(),
        np.broadcast_to(np.asarray(coefficient, dtype=np.float64), np.shape(row)).ravel(),
        (sense,) * count if isinstance(sense, str) else tuple(sense),
        np.broadcast_to(np.asarray(rhs, dtype=np.float64), (count,)),
    )


def _concatenate(parts: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]]) -> tuple[Floats, Floats, Floats]:
    """Triplets one after another."""
    rows, columns, coefficients = [], [], []
    for row, column, coefficient in parts:
        rows.append(np.asarray(row, dtype=np.float64).ravel())
        columns.append(np.asarray(column, dtype=np.float64).ravel())
        coefficients.append(np.broadcast_to(np.asarray(coefficient, dtype=np.float64), rows[-1].shape))
    empty = np.zeros(0)
    return tuple(np.concatenate([empty, *arrays]) for arrays in (rows, columns, coefficients))  # type: ignore[return-value]


def _choice(columns: Columns) -> ModelRows:
    """At most one option of each group; exactly one where that is asked or the group is fixed in.

    Model: R2.
    """
    problem = columns.problem
    groups = len(problem.group_names)
    exact = problem.exactly_one | np.isin(np.arange(groups), problem.fixed_in_groups)
    out = np.isin(np.arange(groups), problem.fixed_out_groups)
    triplets = (problem.group, np.arange(columns.options), 1.0)
    # Asked for and ruled out at once is impossible, which a sum of -1 says whatever the bounds are.
    most = np.where(out, np.where(exact, -1.0, 0.0), 1.0)
    sense = np.where(exact, "==", "<=").tolist()
    return _family("choice", _singles(range(groups)), (groups,), triplets, sense, most)


def _opening(columns: Columns) -> ModelRows:
    """x asks for y: sum of x[o] over a group's options with partner p by stage s <= y[p, s].

    Model: R3.
    """
    problem = columns.problem
    option, partner = problem.partners.tocoo().coords
    cells: list[Ints] = []
    for place, (who, by) in enumerate(columns.stages):
        previous = columns.stages[place - 1][1] if place and columns.stages[place - 1][0] == who else -1
        mine = option[partner == who]
        mine = mine[problem.stage[mine] <= by]
        # A group with nothing new since the last stage is covered by y[p, s-1] <= y[p, s].
        fresh = np.unique(problem.group[mine[problem.stage[mine] > previous]])
        mine = mine[np.isin(problem.group[mine], fresh)]
        cells.append(np.stack([problem.group[mine], np.full(mine.size, place), mine], axis=1))
    table = np.concatenate([np.zeros((0, 3), dtype=np.int64), *cells])
    keys, row = np.unique(table[:, :2], axis=0, return_inverse=True)
    named = [(int(group), *columns.stages[place]) for group, place in keys]
    sizes = (len(problem.group_names), *problem.opening_value.shape)
    opened = (np.arange(len(keys)), columns.options + keys[:, 1], -1.0)
    return _family("opening", named, sizes, _concatenate([(row.ravel(), table[:, 2], 1.0), opened]), "<=", 0.0)


def _openings_stay(columns: Columns) -> ModelRows:
    """A partner that is open stays open: y[p, s-1] <= y[p, s].

    Model: R4.
    """
    pairs = [(a, b) for a, b in zip(columns.stages, columns.stages[1:], strict=False) if a[0] == b[0]]
    keys, sizes = [b for _, b in pairs], columns.problem.opening_value.shape
    row = np.arange(len(pairs))
    before = [columns.opening[a] for a, _ in pairs]
    after = [columns.opening[b] for _, b in pairs]
    return _family("stays", keys, sizes, _concatenate([(row, before, 1.0), (row, after, -1.0)]), "<=", 0.0)


def _openings_need_use(columns: Columns) -> ModelRows:
    """No partner opens without use: y[p, s] - y[p, s-1] <= sum of x with partner p that start in between.

    Model: R5.
    """
    problem = columns.problem
    option, partner = problem.partners.tocoo().coords
    parts: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = []
    for place, (who, by) in enumerate(columns.stages):
        parts.append(([place], [columns.options + place], 1.0))
        previous = -1
        if place and columns.stages[place - 1][0] == who:
            previous = columns.stages[place - 1][1]
            parts.append(([place], [columns.options + place - 1], -1.0))
        mine = option[partner == who]
        mine = mine[(problem.stage[mine] > previous) & (problem.stage[mine] <= by)]
        parts.append((np.full(mine.size, place), mine, -1.0))
    return _family("inuse", columns.stages, problem.opening_value.shape, _concatenate(parts), "<=", 0.0)


def _resources(columns: Columns) -> ModelRows:
    """use @ x + opening use + what is passed on - rate * what was passed in - excess + shortfall (sense) cap.

    Model: R6.
    """
    rows = columns.problem.rows
    parts: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = []
    row, option = rows.use.tocoo().coords
    parts.append((row, option, rows.use.data))
    weights = opening_weights(columns.problem)[1:]
    for (partner, stage), column in columns.opening.items():
        used = np.flatnonzero(weights[:, partner, stage])
        parts.append((used, np.full(used.size, column), weights[used, partner, stage]))
    for source, target, rate in rows.carry:
        parts.append(([source], [columns.carry[source]], 1.0))
        parts.append(([target], [columns.carry[source]], -rate))
    parts.extend(([row], [column], -1.0) for row, column in columns.excess.items())
    parts.extend(([row], [column], 1.0) for row, column in columns.deficit.items())
    keys = _singles(range(len(rows.names)))
    return _family(RESOURCES, keys, (len(keys),), _concatenate(parts), rows.sense, rows.cap)


def _prerequisites(columns: Columns) -> ModelRows:
    """Funded only if the other is, and starts no later: for each stage, started[dependent] <= started[other].

    Model: R7.
    """
    problem = columns.problem
    cells = [
        (pair, dependent, needed, int(stage))
        for pair, (dependent, needed) in enumerate(problem.prerequisites)
        for stage in np.unique(problem.stage[problem.group == dependent])
    ]
    parts: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = []
    for row, (_, dependent, needed, stage) in enumerate(cells):
        for group, sign in ((dependent, 1.0), (needed, -1.0)):
            started = np.flatnonzero((problem.group == group) & (problem.stage <= stage))
            parts.append((np.full(started.size, row), started, sign))
    keys = [(pair, stage) for pair, _, _, stage in cells]
    sizes = (len(problem.prerequisites), len(problem.stage_names))
    return _family("prerequisite", keys, sizes, _concatenate(parts), "<=", 0.0)


def _exclusions(columns: Columns) -> ModelRows:
    """At most one of the groups is funded.

    Model: R8.
    """
    problem = columns.problem
    parts: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = []
    for row, groups in enumerate(problem.exclusions):
        options = np.flatnonzero(np.isin(problem.group, groups))
        parts.append((np.full(options.size, row), options, 1.0))
    keys = _singles(range(len(problem.exclusions)))
    return _family("exclusion", keys, (len(keys),), _concatenate(parts), "<=", 1.0)


def _synergies(columns: Columns) -> ModelRows:
    """z = product of two 0-1 sums: z <= either if it is worth having, z >= both - 1 if it is not.

    Model: R9.
    """
    problem = columns.problem
    parts: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = []
    keys: list[tuple[int, int]] = []
    rhs: list[float] = []
    for pair, (first, second, value) in enumerate(problem.synergies):
        column = columns.synergy + pair
        for part, groups in enumerate(((first,), (second,)) if value > 0 else ((first, second),)):
            options = np.flatnonzero(np.isin(problem.group, groups))
            sign = 1.0 if value > 0 else -1.0
            parts.append(([len(keys)], [column], sign))
            parts.append((np.full(options.size, len(keys)), options, -sign))
            keys.append((pair, part))
            rhs.append(0.0 if value > 0 else 1.0)
    return _family("synergy", keys, (len(problem.synergies), 2), _concatenate(parts), "<=", rhs)


FAMILIES: tuple[Callable[[Columns], ModelRows], ...] = (
    _choice,
    _opening,
    _openings_stay,
    _openings_need_use,
    _resources,
    _prerequisites,
    _exclusions,
    _synergies,
)


def _stack(families: Sequence[ModelRows], columns: int) -> csr_array:
    """All families' triplets as one canonical CSR: a (row, column) named twice is added up here, once."""
    starts = np.cumsum([0, *(len(family.names) for family in families)])
    row = np.concatenate([family.row + start for family, start in zip(families, starts, strict=False)])
    column = np.concatenate([family.column for family in families])
    coefficient = np.concatenate([family.coefficient for family in families])
    matrix = csr_array(coo_array((coefficient, (row, column)), shape=(int(starts[-1]), columns)))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
