"""A portfolio problem stated by plain arrays: no scenario is needed.

Options are grouped (by technology): at most one option, or exactly one, of each group is chosen.
An option has a value, a stage (its start year) and any number of partners (none, one, or the members
of a consortium). A partner *opens* at the smallest stage among the chosen options that use it; that
costs, and may use resources. Everything else is a named row.

The objective is maximised::

    sum of expected values of the chosen options
    + sum of opening_value[p, s] of every opened partner p at its opening stage s
    + sum of synergy values of the pairs of groups that are both funded
    - sum of shortfall_price * violation of the soft rows

Minimisation is value with its sign changed. A knapsack takes three lines:

>>> from rdsim.optimiser import Solving, solve, state_problem, state_rows
>>> problem = state_problem([6.0, 10.0, 12.0], rows=state_rows([[1, 2, 3]], cap=[5]))
>>> solve(problem, Solving(gap=0)).chosen
(1, 2)

Letters used for shapes: O options, G groups, P partners, S stages, R rows, N samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from rdsim.arrays import Bools, Floats, Ints
from rdsim.brief import count
from rdsim.errors import Fault, ProblemError

__all__ = [
    "SENSES",
    "Groups",
    "Labels",
    "PartnerNetwork",
    "PortfolioProblem",
    "Rows",
    "Rules",
    "best_per_group",
    "check",
    "round_off",
    "state_problem",
    "state_rows",
]


SENSES = ("<=", ">=", "==")

ROUNDING = 1e-12
"""Share of the largest number in a row by which it may be off: what sums in floating point leave behind."""

LOOSE = 1e-6
"""Share of the largest number in a row that a solver may not tell from nothing."""

_EXACT = 2.0**53
"""Whole numbers up to here are added exactly in double precision."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Named resource rows: ``use @ x + opening_use @ v  (sense)  cap``.

    x is 1 for a chosen option; v has an entry p * S + s that is 1 if partner p opens at stage s.
    """

    names: tuple[str, ...]
    keys: tuple[Hashable, ...]  # what each row is about, for whoever stated it: nothing here looks into them
    family: tuple[str, ...]  # e.g. budget, starts, places: what a report groups rows by
    use: csr_array  # (R, O)
    opening_use: csr_array  # (R, P * S)
    sense: tuple[str, ...]
    cap: Floats  # (R,)
    shortfall_price: Floats  # (R,); nan: a hard row; else objective lost per unit of violation
    carry: tuple[tuple[int, int, float], ...] = ()
    """(from row, to row, rate): unspent c >= 0 of a hard `<=` row moves on:
    use[t] + c[t] <= cap[t] + rate * c[t-1]."""

    @cached_property
    def has_ceiling(self) -> Bools:
        """True for `<=` and `==` rows, shape (R,)."""
        return frozen(np.array([sense != ">=" for sense in self.sense], dtype=bool))

    @cached_property
    def has_floor(self) -> Bools:
        """True for `>=` and `==` rows, shape (R,)."""
        return frozen(np.array([sense != "<=" for sense in self.sense], dtype=bool))

    @cached_property
    def is_soft(self) -> Bools:
        """True for rows that have a shortfall price, shape (R,)."""
        return frozen(~np.isnan(self.shortfall_price))

    @cached_property
    def scale(self) -> Floats:
        """The largest number in each row, its cap included, shape (R,): what tolerances are relative to."""
        largest = np.abs(self.cap)
        for matrix in (self.use, self.opening_use):
            row = np.repeat(np.arange(largest.size), np.diff(matrix.indptr))
            np.maximum.at(largest, row, np.abs(matrix.data))
        return frozen(largest)

    @cached_property
    def misfits(self) -> Bools:
        """Options that alone ask for more than a hard ceiling can ever allow, shape (O,): nothing can choose them.

        What refunds (negative uses) and money passed in could add to the ceiling is counted in.

        Model: R20.
        """
        bounded = self.has_ceiling & ~self.is_soft
        relief = -self.use.minimum(0).sum(axis=1) - self.opening_use.minimum(0).sum(axis=1)
        room = np.where(bounded, np.maximum(self.cap + relief, 0.0), np.inf)
        for source, target, rate in self.carry_in_order:
            room[target] += rate * room[source]
        entries = self.use.tocoo()
        over = entries.data > room[entries.coords[0]] * (1 + ROUNDING)
        alone = np.zeros(self.use.shape[1], dtype=bool)
        alone[entries.coords[1][over]] = True
        return frozen(alone)

    @cached_property
    def largest(self) -> Floats:
        """The largest number that counts in each row, its cap included, shape (R,).

        What misfits ask for does not count, nor what is beyond a floor that nothing lowers.
        """
        largest, most = np.abs(self.cap), self.enough
        kept = csr_array(self.use * ~self.misfits)
        for matrix in (kept, self.opening_use):
            row = np.repeat(np.arange(largest.size), np.diff(matrix.indptr))
            np.maximum.at(largest, row, np.minimum(np.abs(matrix.data), most[row]))
        return frozen(largest)

    @cached_property
    def tolerance(self) -> Floats:
        """How far each row may be off, shape (R,): `ROUNDING` of the largest number that counts in it.

        Where all numbers are whole, as in many published instances, nothing: an amount that is off at all is off by
        one. The judge goes further (see `exact`): what was stated in decimals may not be off at all.

        Model: R27.
        """
        return frozen(np.where(self._is_whole, np.minimum(self.largest, 1.0) / 4, ROUNDING * self.largest))

    @cached_property
    def precision(self) -> Floats:
        """What a solver may not tell from nothing in each row, shape (R,): it works with tolerances of its own."""
        return frozen(LOOSE * np.where(self._is_whole, np.minimum(self.largest, 1.0), self.largest))

    @cached_property
    def is_summed_exactly(self) -> Bools:
        """Rows of whole numbers whose sums are exact in double precision, whatever is chosen, shape (R,)."""
        total = np.abs(self.use).sum(axis=1) + np.abs(self.opening_use).sum(axis=1) + np.abs(self.cap)
        return frozen(self._is_whole & (np.asarray(total) < _EXACT))

    @cached_property
    def enough(self) -> Floats:
        """What fills a floor that nothing lowers, shape (R,): more of it in one option is no better; else infinite.

        Model: R20.
        """
        return frozen(np.where(~self.has_ceiling & self._only_adds & (self.cap > 0), self.cap, np.inf))

    @cached_property
    def _only_adds(self) -> Bools:
        least = np.minimum(_lowest(self.use), _lowest(self.opening_use))
        return np.asarray(least >= 0)

    @cached_property
    def _is_whole(self) -> Bools:
        """Rows of whole numbers only, and none of them passes money on."""
        whole = self.cap == np.rint(self.cap)
        for matrix in (self.use, self.opening_use):
            row = np.repeat(np.arange(whole.size), np.diff(matrix.indptr))
            whole[row[matrix.data != np.rint(matrix.data)]] = False
        for source, target, _ in self.carry:
            whole[[source, target]] = False
        return np.asarray(whole)

    @cached_property
    def carry_in_order(self) -> tuple[tuple[int, int, float], ...]:
        """The carries of every chain, from its first row on."""
        follows = {source: (source, target, rate) for source, target, rate in self.carry}
        targets = {target for _, target, _ in self.carry}
        ordered: list[tuple[int, int, float]] = []
        for first in follows.keys() - targets:
            row = first
            while row in follows:
                ordered.append(follows[row])
                row = follows[row][1]
        return tuple(ordered)

    def __repr__(self) -> str:
        families = ", ".join(dict.fromkeys(self.family))
        return f"Rows: {count(len(self.names), 'row')}{f' ({families})' if families else ''}"


@dataclass(frozen=True, eq=False)
class PortfolioProblem:
    """The whole problem; build it with `state_problem`, which fills defaults and checks."""

    option_names: tuple[str, ...]
    group: Ints  # (O,) index of the option's group
    group_names: tuple[str, ...]
    exactly_one: Bools  # (G,)
    values: Floats  # (O,), or (N, O) samples, whose mean counts
    partners: csr_array  # (O, P) bool
    partner_names: tuple[str, ...]
    stage: Ints  # (O,) index of the start year
    stage_names: tuple[str, ...]
    opening_value: Floats  # (P, S), normally <= 0
    rows: Rows
    prerequisites: Ints  # (K, 2): dependent group, prerequisite group
    exclusions: tuple[tuple[int, ...], ...] = ()  # at most one group of each is funded
    synergies: tuple[tuple[int, int, float], ...] = ()  # group, group, value (either sign) if both are funded
    fixed_in_groups: tuple[int, ...] = ()
    fixed_out_groups: tuple[int, ...] = ()
    fixed_in_options: tuple[int, ...] = ()
    fixed_out_options: tuple[int, ...] = ()

    @cached_property
    def expected_value(self) -> Floats:
        """Expected value of each option, shape (O,): as stated, or the mean of its samples, `rounded`."""
        return self.values if self.values.ndim == 1 else frozen(round_off(self.values.mean(axis=0)))

    def __repr__(self) -> str:
        sizes = (
            count(len(self.option_names), "option"),
            count(len(self.group_names), "group"),
            count(len(self.rows.names), "row"),
            count(len(self.partner_names), "partner"),
            count(1 if self.values.ndim == 1 else len(self.values), "sample"),
        )
        return f"PortfolioProblem: {', '.join(sizes)}"


_SIGNIFICANT = 10
_NOTHING = 1e-280
_OFF_CENTRE = 0.3765189
"""Fractions below 1 less this are rounded down. Were it a half, decimals that end in 5 would stand on the edge."""


def round_off(numbers: ArrayLike) -> Floats:
    """Computed numbers to ten significant digits, so that no order of summation can be seen in them.

    The last bits of a mean or a product depend on the releases of the libraries that compute it, and a search among
    nearly equal portfolios takes another way for the last bit of one coefficient. What has ten digits stays as it is.

    Model: F16.
    """
    array = np.asarray(numbers, dtype=np.float64)
    size = np.where(np.abs(array) < _NOTHING, 0.0, np.abs(array))
    place = np.floor(np.log10(np.where(size > 0, size, 1.0))).astype(np.int64)
    up, down = 10.0 ** np.maximum(_SIGNIFICANT - 1 - place, 0), 10.0 ** np.maximum(place - _SIGNIFICANT + 1, 0)
    whole = np.floor(size * up / down + _OFF_CENTRE)
    return np.asarray(np.copysign(whole * down / up, array))


def _lowest(matrix: csr_array) -> Floats:
    """The lowest number of each row, 0 where there is none below."""
    lowest = np.zeros(matrix.shape[0])
    np.minimum.at(lowest, np.repeat(np.arange(lowest.size), np.diff(matrix.indptr)), matrix.data)
    return lowest


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array, read-only."""
    array.setflags(write=False)
    return array


def _floats(data: ArrayLike) -> Floats:
    return frozen(np.array(data, dtype=np.float64))


def _integers(data: ArrayLike) -> Ints:
    return frozen(np.array(data, dtype=np.int64))


def _sparse(data: Any, shape: tuple[int, int], dtype: type) -> csr_array:
    """A canonical read-only CSR: no duplicates, sorted indices, no stored zeros."""
    matrix = csr_array(shape, dtype=dtype) if data is None else csr_array(data, dtype=dtype, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    return matrix


def _names(names: Iterable[str] | None, count: int, letter: str) -> tuple[str, ...]:
    if names is not None:
        return tuple(names)
    width = len(str(max(count - 1, 0)))
    return tuple(f"{letter}{index:0{width}d}" for index in range(count))


@dataclass(frozen=True, eq=False)
class Labels:
    """What rows are called: nothing is read out of it."""

    names: Iterable[str] | None = None
    """By default r0, r1, ..."""
    keys: Iterable[Hashable] | None = None
    """What each row is about, for whoever states it; by default its name."""
    family: str | Sequence[str] = "row"
    """Of all rows, or of each."""


def state_rows(
    use: Any,
    cap: ArrayLike,
    *,
    sense: str | Sequence[str] = "<=",
    labels: Labels = Labels(),
    opening_use: Any = None,
    shortfall_price: ArrayLike | None = None,
    carry: Iterable[tuple[int, int, float]] = (),
) -> Rows:
    """Rows from whatever is convenient: nested lists or sparse `use` (R x O), one sense or one for each row.

    `opening_use` may be left out: `state_problem` then gives it its shape. Nothing is checked here.
    """
    caps = _floats(cap)
    count = caps.size
    matrix = _sparse(use, (0, 0), np.float64)
    prices = np.full(count, np.nan) if shortfall_price is None else shortfall_price
    named, family = _names(labels.names, count, "r"), labels.family
    return Rows(
        names=named,
        keys=named if labels.keys is None else tuple(labels.keys),
        family=(family,) * count if isinstance(family, str) else tuple(family),
        use=matrix,
        opening_use=_sparse(opening_use, (count, 0), np.float64),
        sense=(sense,) * count if isinstance(sense, str) else tuple(sense),
        cap=caps,
        shortfall_price=_floats(prices),
        carry=tuple((int(a), int(b), float(rate)) for a, b, rate in carry),
    )


def _rows_of(rows: Rows | None, options: int, openings: int) -> Rows:
    """`rows`, or none; an opening use that was left out gets its width."""
    if rows is None:
        rows = state_rows(csr_array((0, options)), [])
    if rows.opening_use.shape[1] or not openings:
        return rows
    empty = _sparse(None, (rows.cap.size, openings), np.float64)
    return replace(rows, opening_use=empty)


def _membership(partners: Any, options: int) -> csr_array:
    """Options x partners; a list of one index (or -1) per option is accepted as well as a matrix."""
    if isinstance(partners, list | tuple) and partners and np.ndim(partners) == 1:
        index = np.array(partners, dtype=np.int64)
        has = np.flatnonzero(index >= 0)
        shape = (options, int(index.max(initial=-1)) + 1)
        partners = csr_array((np.ones(has.size, dtype=bool), (has, index[has])), shape=shape)
    return _sparse(partners, (options, 0), np.bool_)


def _indices(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of options, of each of which one is chosen at most; by default every option is one."""

    of: ArrayLike | None = None
    """(O,) index of each option's group."""
    names: Iterable[str] | None = None
    exactly_one: ArrayLike = False
    """(G,), or one for all: one option must be chosen."""


@dataclass(frozen=True, eq=False)
class PartnerNetwork:
    """Partners of options and the stages at which these start; by default no partner, and one stage."""

    partners: Any = None
    """O x P matrix, or a list with one partner index (or -1) for each option."""
    partner_names: Iterable[str] | None = None
    stage: ArrayLike | None = None
    """(O,) index of each option's stage."""
    stage_names: Iterable[str] | None = None
    opening_value: ArrayLike = 0.0
    """(P, S), or one for all: what opening a partner at a stage adds to the objective."""


@dataclass(frozen=True, eq=False)
class Rules:
    """Relations between groups, and what is fixed; by default none."""

    prerequisites: ArrayLike = ()
    """(K, 2): dependent group, prerequisite group."""
    exclusions: Iterable[Iterable[int]] = ()
    """At most one group of each is funded."""
    synergies: Iterable[tuple[int, int, float]] = ()
    """Group, group, value (either sign) if both are funded."""
    fixed_in_groups: Iterable[int] = ()
    fixed_out_groups: Iterable[int] = ()
    fixed_in_options: Iterable[int] = ()
    fixed_out_options: Iterable[int] = ()


def state_problem(
    values: ArrayLike,
    *,
    rows: Rows | None = None,
    option_names: Iterable[str] | None = None,
    groups: Groups = Groups(),
    network: PartnerNetwork = PartnerNetwork(),
    rules: Rules = Rules(),
) -> PortfolioProblem:
    """State a problem, defaults filled in and everything checked.

    Left out, every option is a group of its own, has no partner and starts at the one stage there is.

    Raises: ProblemError with every fault.
    """
    worth = _floats(values)
    options = worth.shape[-1] if worth.ndim else 0
    linked = _network(options, network)
    problem = PortfolioProblem(
        option_names=_names(option_names, options, "o"),
        **_group_fields(options, groups),
        values=worth,
        **linked,
        rows=_rows_of(rows, options, linked["opening_value"].size),
        prerequisites=_integers(rules.prerequisites).reshape(-1, 2),
        exclusions=tuple(_indices(one) for one in rules.exclusions),
        synergies=tuple((int(a), int(b), float(value)) for a, b, value in rules.synergies),
        fixed_in_groups=_indices(rules.fixed_in_groups),
        fixed_out_groups=_indices(rules.fixed_out_groups),
        fixed_in_options=_indices(rules.fixed_in_options),
        fixed_out_options=_indices(rules.fixed_out_options),
    )
    check(problem)
    return problem


def _group_fields(options: int, groups: Groups) -> dict[str, Any]:
    """Fields of a problem: by default each option is a group."""
    of_group = _integers(np.arange(options) if groups.of is None else groups.of)
    named = _names(groups.names, int(of_group.max(initial=-1)) + 1, "g")
    exact = frozen(_broadcast(groups.exactly_one, (len(named),), np.bool_))
    return {"group": of_group, "group_names": named, "exactly_one": exact}


def _network(options: int, stated: PartnerNetwork) -> dict[str, Any]:
    """Fields of a problem: by default there is no partner, and one stage."""
    member = _membership(stated.partners, options)
    of_stage = _integers(np.zeros(options) if stated.stage is None else stated.stage)
    who = _names(stated.partner_names, member.shape[1], "p")
    when = _names(stated.stage_names, int(of_stage.max(initial=0)) + 1, "s")
    return {
        "partners": _widen(member, len(who)),
        "partner_names": who,
        "stage": of_stage,
        "stage_names": when,
        "opening_value": frozen(_broadcast(stated.opening_value, (len(who), len(when)), np.float64)),
    }


def _broadcast(data: ArrayLike, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
    """A scalar fills the shape; an array keeps its own, for `check` to judge."""
    array: NDArray[Any] = np.array(data, dtype=dtype)
    return np.full(shape, array) if array.ndim == 0 else array


def _widen(member: csr_array, partners: int) -> csr_array:
    """Partners that no option uses are columns too."""
    if member.shape[1] >= partners:
        return member
    wide = (member.data.copy(), member.indices.copy(), member.indptr.copy())
    return _sparse(csr_array(wide, shape=(member.shape[0], partners)), (0, 0), np.bool_)


def best_per_group(problem: PortfolioProblem, worth: Floats, each: int) -> Bools:
    """The `each` options of largest worth (O,) of every group and stage, shape (O,); of equal ones the first."""
    order = np.lexsort((-worth, problem.stage, problem.group))
    group, stage = problem.group[order], problem.stage[order]
    first = np.flatnonzero(np.append(True, (np.diff(group) != 0) | (np.diff(stage) != 0)))
    rank = np.arange(worth.size) - np.repeat(first, np.diff(np.append(first, worth.size)))
    found = np.zeros(worth.size, dtype=bool)
    found[order[rank < each]] = True
    return found


def check(problem: PortfolioProblem) -> None:
    """Raise ProblemError with every fault of the arrays; return nothing if there is none."""
    faults = tuple(_shape_faults(problem))
    if not faults:
        faults = tuple(fault for find in _FINDERS for fault in find(problem))
    if faults:
        raise ProblemError(faults)


def _shape_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    """Arrays that do not fit one another; nothing else can be asked before they do."""
    options, groups = len(problem.option_names), len(problem.group_names)
    partners, stages = len(problem.partner_names), len(problem.stage_names)
    rows, count = problem.rows, len(problem.rows.names)
    if problem.values.ndim not in (1, 2) or 0 in problem.values.shape[:-1]:
        yield Fault("values", "must have shape (options,) or (samples, options)", str(problem.values.shape))
    expected: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = (
        ("values", problem.values.shape[-1:], (options,)),
        ("group", problem.group.shape, (options,)),
        ("stage", problem.stage.shape, (options,)),
        ("exactly_one", problem.exactly_one.shape, (groups,)),
        ("partners", problem.partners.shape, (options, partners)),
        ("opening_value", problem.opening_value.shape, (partners, stages)),
        ("rows.keys", (len(rows.keys),), (count,)),
        ("rows.family", (len(rows.family),), (count,)),
        ("rows.sense", (len(rows.sense),), (count,)),
        ("rows.cap", rows.cap.shape, (count,)),
        ("rows.shortfall_price", rows.shortfall_price.shape, (count,)),
        ("rows.use", rows.use.shape, (count, options)),
        ("rows.opening_use", rows.opening_use.shape, (count, partners * stages)),
        ("prerequisites", problem.prerequisites.shape[1:], (2,)),
    )
    for where, found, wanted in expected:
        if tuple(found) != wanted:
            yield Fault(where, f"must have shape {wanted}", str(tuple(found)))


def _name_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    named = {
        "option_names": problem.option_names,
        "group_names": problem.group_names,
        "partner_names": problem.partner_names,
        "stage_names": problem.stage_names,
        "rows.names": problem.rows.names,
    }
    for where, names in named.items():
        repeated = [name for name, times in Counter(names).items() if times > 1]
        if repeated:
            yield Fault(where, "names must be unique", ", ".join(map(repr, repeated[:5])))


def _index_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    groups, options = len(problem.group_names), len(problem.option_names)
    excluded = [group for groups_ in problem.exclusions for group in groups_]
    paired = [group for a, b, _ in problem.synergies for group in (a, b)]
    carried = [row for a, b, _ in problem.rows.carry for row in (a, b)]
    indexed: tuple[tuple[str, Any, int], ...] = (
        ("group", problem.group, groups),
        ("stage", problem.stage, len(problem.stage_names)),
        ("prerequisites", problem.prerequisites.ravel(), groups),
        ("exclusions", excluded, groups),
        ("synergies", paired, groups),
        ("rows.carry", carried, len(problem.rows.names)),
        ("fixed_in_groups", problem.fixed_in_groups, groups),
        ("fixed_out_groups", problem.fixed_out_groups, groups),
        ("fixed_in_options", problem.fixed_in_options, options),
        ("fixed_out_options", problem.fixed_out_options, options),
    )
    for where, found, size in indexed:
        index = np.asarray(found, dtype=np.int64)
        wrong = index[(index < 0) | (index >= size)]
        if wrong.size:
            yield Fault(where, f"indices must lie in 0..{size - 1}", str(wrong[:5].tolist()))


def _number_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    numbers: tuple[tuple[str, Any], ...] = (
        ("values", problem.values),
        ("opening_value", problem.opening_value),
        ("rows.use", problem.rows.use.data),
        ("rows.opening_use", problem.rows.opening_use.data),
        ("rows.cap", problem.rows.cap),
        ("synergies", [value for *_, value in problem.synergies]),
        ("rows.carry", [rate for *_, rate in problem.rows.carry]),
    )
    for where, data in numbers:
        wrong = ~np.isfinite(np.asarray(data, dtype=np.float64))
        if wrong.any():
            yield Fault(where, "must be finite", f"{int(wrong.sum())} that are not", "Leave out a row without a cap.")


def _row_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    rows = problem.rows
    for name, sense, price in zip(rows.names, rows.sense, rows.shortfall_price, strict=True):
        if sense not in SENSES:
            yield Fault(f"rows.sense of {name}", "must be one of <=, >=, ==", repr(sense))
        if price < 0 or np.isinf(price):
            rule = "must be a finite number >= 0, or nan for a hard row"
            yield Fault(f"rows.shortfall_price of {name}", rule, str(price))


def _carry_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    rows, size = problem.rows, len(problem.rows.names)
    known = [(a, b, rate) for a, b, rate in rows.carry if 0 <= a < size and 0 <= b < size]
    for a, b, rate in known:
        where = f"rows.carry {rows.names[a]} -> {rows.names[b]}"
        if rate < 0:
            yield Fault(where, "the rate must be >= 0", str(rate))
        for row in (a, b):
            if rows.sense[row] != "<=" or not np.isnan(rows.shortfall_price[row]):
                yield Fault(where, f"{rows.names[row]} must be a hard <= row", rows.sense[row])
    for word, ends in (("from", [a for a, _, _ in known]), ("into", [b for _, b, _ in known])):
        for row, times in Counter(ends).items():
            if times > 1:
                yield Fault(f"rows.carry {word} {rows.names[row]}", "a row may be named once", f"{times} times")
    if _has_cycle({int(a): int(b) for a, b, _ in known}):
        yield Fault("rows.carry", "money must not move in a circle")


def _has_cycle(follows: dict[int, int]) -> bool:
    for first in follows:
        row = first
        for _ in follows:
            row = follows.get(row, -1)
            if row == first:
                return True
    return False


def _relation_faults(problem: PortfolioProblem) -> Iterator[Fault]:
    for dependent, needed in problem.prerequisites:
        if dependent == needed:
            yield Fault("prerequisites", "a group cannot be its own prerequisite", str(int(dependent)))
    for groups in problem.exclusions:
        if len(set(groups)) < len(groups):
            yield Fault("exclusions", "a group may be named once in an exclusion", str(groups))
    for a, b, _ in problem.synergies:
        if a == b:
            yield Fault("synergies", "needs two different groups", str((a, b)))
    for kind, inside, outside in (
        ("groups", problem.fixed_in_groups, problem.fixed_out_groups),
        ("options", problem.fixed_in_options, problem.fixed_out_options),
    ):
        both = sorted(set(inside) & set(outside))
        if both:
            yield Fault(f"fixed_in_{kind}", f"must not be fixed out as well (fixed_out_{kind})", str(both))


_FINDERS = (
    _name_faults,
    _index_faults,
    _number_faults,
    _row_faults,
    _carry_faults,
    _relation_faults,
)
