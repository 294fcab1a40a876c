"""Why no portfolio satisfies a problem, and the cheapest way out, in the names of its rows and groups.

**Rules** are what may conflict: hard rows, groups and options fixed in or out, exclusions, prerequisites and groups of
which exactly one option is asked. At most one option of a group and the opening of partners are what a portfolio is,
and soft rows break for a price: neither conflicts.

`conflicts` finds the smallest set of rules that no portfolio satisfies together. A set conflicts exactly if it hits
every *correction set*, a set of rules without which the others can be satisfied; so the smallest hitting set of the
correction sets known so far is either a conflict, then it is the smallest, or what it leaves satisfiable gives one more
correction set (Ignatiev, Previti, Liffiton & Marques-Silva 2015, CP). After `ROUNDS` of these a conflict is
thinned by deletion (Chinneck & Dravnieks 1991): that one is irreducible, but perhaps not the smallest.

`cheapest_relaxation` makes every rule elastic and pays for it: the change of a cap over its size, or in its own unit,
times the weight of the row's family; or the weight of a rule's kind for dropping it. It is verified apart.

A row that is left out passes on to later rows what it could at most have passed on with its own cap, no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from rdsim.arrays import Floats
from rdsim.errors import Fault, ProblemError, SolverError
from rdsim.optimiser.adapters import RunLimits, Solver, SolverResult, SolverState, solver_of
from rdsim.optimiser.models.milp import RESOURCES, choice_of, formulate, lay_out
from rdsim.optimiser.models.model import Model, RowBlock
from rdsim.optimiser.models.variations import with_slack
from rdsim.optimiser.problem.evaluation import Evaluation, evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, check
from rdsim.optimiser.solving.repair import solve_exactly
from rdsim.optimiser.solving.settings import Solving

__all__ = [
    "KINDS",
    "NOTHING_IN_CONFLICT",
    "Change",
    "Conflict",
    "Repair",
    "Rule",
    "cheapest_relaxation",
    "conflicts",
    "diagnosis",
    "relax",
    "relaxations",
    "rules_of",
    "without_values",
]

KINDS = (
    "row",
    "must-fund",
    "must-not-fund",
    "option fixed in",
    "option fixed out",
    "exactly one",
    "exclusion",
    "prerequisite",
)
ROUNDS = 60
NOTHING = 1e-7
"""Slack below this, over the row's scale, is rounding."""


@dataclass(frozen=True)
class Rule:
    """One named constraint that may conflict with others."""

    kind: str  # one of KINDS
    index: int  # of the row, group, option, exclusion or prerequisite
    name: str
    text: str  # what it demands, in words
    family: str  # the row's family; for other rules their kind
    key: Hashable = None  # of a row, with its sense and cap
    sense: str = ""
    cap: float = 0.0

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Conflict:
    """Rules that no portfolio satisfies together; without any one of them, some portfolio does."""

    rules: tuple[Rule, ...]
    smallest: bool  # proven: no conflict has fewer rules
    at_least: int  # no conflict has fewer rules than this

    def __str__(self) -> str:
        if not self.rules:
            return "nothing conflicts: some portfolio satisfies every rule"
        if len(self.rules) == 1:
            return f"cannot be met, whatever else is dropped: {self.rules[0]}"
        head = "these cannot all be met, but without any one of them they can"
        known = (
            "no smaller set conflicts" if self.smallest else f"a smaller set, of at least {self.at_least}, may conflict"
        )
        return "\n".join([f"{head} ({known}):", *(f"  {rule}" for rule in self.rules)])


@dataclass(frozen=True)
class Change:
    """One rule relaxed: a cap moved by `amount` in the row's unit, or another rule dropped (amount 1)."""

    rule: Rule
    amount: float
    cost: float
    sense: str = ""  # of a row

    def __str__(self) -> str:
        if self.rule.kind != "row":
            return f"drop {self.rule.text}"
        verb = {"<=": "raise", ">=": "lower", "==": "widen"}[self.sense]
        return f"{verb} {self.rule.name} by {_round_up(self.amount)}"


@dataclass(frozen=True)
class Repair:
    """Changes that make the problem feasible, verified by a portfolio of the relaxed problem."""

    changes: tuple[Change, ...]
    cost: float
    at_least: float  # nothing cheaper exists within what was allowed; equals `cost` if it was solved to the end
    chosen: tuple[int, ...]  # a portfolio of the relaxed problem

    def __str__(self) -> str:
        return " and ".join(map(str, self.changes)) or "nothing needs to change"


# ---------------------------------------------------------------- rules


def rules_of(problem: PortfolioProblem) -> tuple[Rule, ...]:
    """Every rule of the problem that may conflict, rows first."""
    return tuple(_rules(problem))


def _rules(problem: PortfolioProblem) -> Iterator[Rule]:
    rows, groups, options = problem.rows, problem.group_names, problem.option_names
    words = {"<=": "at most", ">=": "at least", "==": "exactly"}
    for row in np.flatnonzero(~rows.is_soft).tolist():
        text = f"{rows.names[row]}: {words[rows.sense[row]]} {rows.cap[row]:,.6g}"
        limit = rows.sense[row], float(rows.cap[row])
        yield Rule("row", row, rows.names[row], text, rows.family[row], rows.keys[row], *limit)
    named = (
        ("must-fund", problem.fixed_in_groups, groups),
        ("must-not-fund", problem.fixed_out_groups, groups),
        ("option fixed in", problem.fixed_in_options, options),
        ("option fixed out", problem.fixed_out_options, options),
        ("exactly one", np.flatnonzero(problem.exactly_one).tolist(), groups),
    )
    for kind, members, names in named:
        prefix = "exactly one option of" if kind == "exactly one" else kind
        for member in dict.fromkeys(members):
            yield Rule(kind, member, names[member], f"{prefix} {names[member]}", kind)
    for index, members in enumerate(problem.exclusions):
        name = ", ".join(groups[member] for member in members)
        yield Rule("exclusion", index, name, f"exclusion: at most one of {name}", "exclusion")
    for index, (dependent, needed) in enumerate(problem.prerequisites.tolist()):
        name = f"{groups[dependent]} needs {groups[needed]}"
        yield Rule("prerequisite", index, name, f"prerequisite: {name}, started no later", "prerequisite")


def without_values(problem: PortfolioProblem) -> PortfolioProblem:
    """The same portfolios, all worth nothing: a question of what is possible."""
    rows = replace(problem.rows, shortfall_price=np.where(problem.rows.is_soft, 0.0, np.nan))
    return replace(
        problem,
        values=np.zeros(len(problem.option_names)),
        opening_value=np.zeros_like(problem.opening_value),
        synergies=(),
        rows=rows,
    )


# ---------------------------------------------------------------- the elastic model


@dataclass(frozen=True, eq=False)
class _Elastic:
    """A model in which every rule has a slack; its columns come last, `places[k]` are those of rule k.

    A slack is counted in units: in a row of billions a column of ones would be too small for a solver to see.
    """

    problem: PortfolioProblem
    rules: tuple[Rule, ...]
    model: Model
    places: tuple[tuple[int, ...], ...]
    unit: Floats  # (rules,) what a slack is relative to: the size of a cap, the scale of a cap of 0, else 1
    solver: Solver
    limits: RunLimits = field(default_factory=RunLimits)

    def solve(self, weight: Floats, allowed: Iterable[int]) -> SolverResult:
        """Least sum of weight x slack / unit over the rules in `allowed`; the others hold."""
        value, upper = np.zeros(self.model.value.size), self.model.upper.copy()
        free = set(allowed)
        for rule, columns in enumerate(self.places):
            value[list(columns)] = -weight[rule]
            if rule not in free:
                upper[list(columns)] = 0.0
        answer = self.solver.run(replace(self.model, value=value, upper=upper), self.limits)
        if answer.state is not SolverState.INFEASIBLE and answer.values is None:
            raise SolverError(self.solver.name, f"no answer about the conflict ({answer.termination.value})")
        return answer

    def violations(self, answer: SolverResult) -> tuple[int, ...]:
        """Rules whose slack is more than rounding."""
        values = answer.values if answer.values is not None else np.zeros(self.model.value.size)
        slack = [float(values[list(columns)].sum()) for columns in self.places]
        return tuple(rule for rule, share in enumerate(slack) if share > NOTHING)

    def amount(self, answer: SolverResult, rule: int) -> float:
        """The slack of a rule, in its row's own unit."""
        share = 0.0 if answer.values is None else float(answer.values[list(self.places[rule])].sum())
        return share * float(self.unit[rule])


@dataclass(frozen=True)
class _Slack:
    """A slack column: rows it stands in with their coefficients, and whether it is whole."""

    rule: int
    rows: tuple[int, ...]
    sign: float
    whole: bool


def _elastic(problem: PortfolioProblem, solving: Solving, endless: bool) -> _Elastic:
    """The elastic model; `endless`: what a row passes on grows with its cap."""
    rules = rules_of(problem)
    bare = replace(
        without_values(problem),
        exactly_one=np.zeros_like(problem.exactly_one),
        fixed_in_groups=(),
        fixed_out_groups=(),
        fixed_in_options=(),
        fixed_out_options=(),
    )
    base = formulate(bare)
    if endless:
        upper = base.upper.copy()
        upper[list(lay_out(bare).carry.values())] = np.inf
        base = replace(base, upper=upper)
    whole = _with_fixing_rows(problem, base, rules)
    unit = np.array([_unit(problem, rule) for rule in rules])
    slacks = tuple(replace(one, sign=one.sign * float(unit[one.rule])) for one in _slacks(problem, whole, rules))
    return _Elastic(
        problem=problem,
        rules=rules,
        model=_with_slacks(whole, slacks),
        places=_places(slacks, len(rules), whole.value.size),
        unit=unit,
        solver=solver_of(solving.solver),
        limits=RunLimits(seconds=solving.time_limit),
    )


def _unit(problem: PortfolioProblem, rule: Rule) -> float:
    if rule.kind != "row":
        return 1.0
    size = abs(float(problem.rows.cap[rule.index]))
    return size or float(problem.rows.scale[rule.index]) or 1.0


def _with_fixing_rows(problem: PortfolioProblem, base: Model, rules: Sequence[Rule]) -> Model:
    """Rows `fix_<rule>` for what bounds and senses said: options of a group, or an option, in or out."""
    fixing = [(number, rule) for number, rule in enumerate(rules) if rule.kind in KINDS[1:6]]
    lines, sense = [], []
    for _, rule in fixing:
        one_option = rule.kind.startswith("option")
        lines.append(np.array([rule.index]) if one_option else np.flatnonzero(problem.group == rule.index))
        sense.append("<=" if rule.kind in {"must-not-fund", "option fixed out"} else ">=")
    row = np.repeat(np.arange(len(lines)), np.array([line.size for line in lines], dtype=np.int64))
    column = np.concatenate([np.zeros(0, dtype=np.int64), *lines])
    extra = csr_array(coo_array((np.ones(row.size), (row, column)), shape=(len(lines), base.value.size)))
    about = np.array([number for number, _ in fixing], dtype=np.int64)
    return replace(
        base,
        row_names=(*base.row_names, *(f"fix_{number:06d}" for number, _ in fixing)),
        matrix=csr_array(vstack([base.matrix, extra])),
        sense=(*base.sense, *sense),
        rhs=np.concatenate([base.rhs, [0.0 if one == "<=" else 1.0 for one in sense]]),
        blocks={
            **base.blocks,
            _FIXING: RowBlock(len(base.row_names), about),
        },
    )


_FIXING = "fix"
"""The family of rows that say what bounds said, each about a rule."""


def _slacks(problem: PortfolioProblem, model: Model, rules: Sequence[Rule]) -> Iterator[_Slack]:
    standing: dict[tuple[str, int], list[int]] = {}
    for family, block in model.blocks.items():
        for place, about in enumerate(block.about.tolist(), block.first):
            standing.setdefault((family, about), []).append(place)
    for number, rule in enumerate(rules):
        if rule.kind == "row":
            sense, places = problem.rows.sense[rule.index], tuple(standing[RESOURCES, rule.index])
            yield from (_Slack(number, places, sign, False) for sign, able in _SIDES if sense in {able, "=="})
            continue
        key = (rule.kind, rule.index) if rule.kind in {"exclusion", "prerequisite"} else (_FIXING, number)
        places = tuple(standing.get(key, ()))
        most = len(problem.exclusions[rule.index]) - 1.0 if rule.kind == "exclusion" else 1.0
        falls = any(model.sense[place] == ">=" for place in places)
        yield _Slack(number, places, 1.0 if falls else -most, True)


_SIDES = ((-1.0, "<="), (1.0, ">="))
"""Coefficient of a slack, and the sense of the rows that it relaxes."""


def _with_slacks(model: Model, slacks: Sequence[_Slack]) -> Model:
    row = np.concatenate([np.zeros(0, dtype=np.int64), *(np.array(slack.rows, dtype=np.int64) for slack in slacks)])
    sizes = np.array([len(slack.rows) for slack in slacks], dtype=np.int64)
    column = np.repeat(np.arange(len(slacks)), sizes)
    sign = np.repeat(np.array([slack.sign for slack in slacks], dtype=np.float64), sizes)
    extra = csr_array(coo_array((sign, (row, column)), shape=(len(model.row_names), len(slacks))))
    whole = np.array([slack.whole for slack in slacks], dtype=bool)
    return replace(
        model,
        column_names=(*model.column_names, *(f"s_{place:06d}" for place in range(len(slacks)))),
        value=np.concatenate([model.value, np.zeros(len(slacks))]),
        lower=np.concatenate([model.lower, np.zeros(len(slacks))]),
        upper=np.concatenate([model.upper, np.where(whole, 1.0, np.inf)]),
        integer=np.concatenate([model.integer, whole]),
        matrix=csr_array(hstack([model.matrix, extra])),
    )


def _places(slacks: Sequence[_Slack], rules: int, first: int) -> tuple[tuple[int, ...], ...]:
    columns: list[list[int]] = [[] for _ in range(rules)]
    for place, slack in enumerate(slacks):
        columns[slack.rule].append(first + place)
    return tuple(map(tuple, columns))


# ---------------------------------------------------------------- the smallest conflict


def conflicts(
    problem: PortfolioProblem,
    *,
    solving: Solving = Solving(),
    rounds: int = ROUNDS,
) -> Conflict:
    """The smallest set of rules that no portfolio satisfies together; no rules if the problem is feasible.

    Args:
        problem: checked first.
        solving: the solver, and the seconds for each of the questions that are put to it.
        rounds: correction sets to collect before settling for an irreducible conflict that may not be the smallest.

    Raises: ProblemError for a wrong problem; SolverError if a question stays unanswered.
    """
    check(problem)
    elastic = _elastic(problem, solving, endless=False)
    corrections, spent = _apart(elastic)
    if not spent:
        return Conflict((), True, 0)
    hit: tuple[int, ...] = ()
    for _ in range(rounds):
        hit = _hitting_set(corrections, elastic.solver)
        left = _correction(elastic, hit)
        if left is None:
            return Conflict(tuple(elastic.rules[rule] for rule in hit), True, len(hit))
        corrections.append(left)
    return Conflict(tuple(elastic.rules[rule] for rule in _thin(elastic, spent)), False, len(hit))


def _apart(elastic: _Elastic) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """Correction sets without a common rule, and all their rules, which conflict (Chinneck's elastic filter)."""
    sets: list[tuple[int, ...]] = []
    held: tuple[int, ...] = ()
    while (left := _correction(elastic, held)) is not None:
        if not left:
            return [], ()
        sets.append(left)
        held = (*held, *left)
    return sets, held


def _correction(elastic: _Elastic, held: Iterable[int]) -> tuple[int, ...] | None:
    """Rules to give up so that the others, `held` among them, are met; none if `held` alone cannot be."""
    kept = set(held)
    free = [rule for rule in range(len(elastic.rules)) if rule not in kept]
    answer = elastic.solve(np.ones(len(elastic.rules)), free)
    return None if answer.state is SolverState.INFEASIBLE else elastic.violations(answer)


def _hitting_set(sets: Sequence[tuple[int, ...]], solver: Solver) -> tuple[int, ...]:
    """A smallest set of rules with a member in each of the sets."""
    members = sorted({rule for one in sets for rule in one})
    column = {rule: place for place, rule in enumerate(members)}
    cells = np.array([(row, column[rule]) for row, one in enumerate(sets) for rule in one], dtype=np.int64)
    count, hits = (
        len(members),
        coo_array((np.ones(len(cells)), cells.reshape(-1, 2).T), shape=(len(sets), len(members))),
    )
    answer = solver.run(
        Model(
            column_names=tuple(f"h_{rule:06d}" for rule in members),
            value=-np.ones(count),
            offset=0.0,
            lower=np.zeros(count),
            upper=np.ones(count),
            integer=np.ones(count, dtype=bool),
            row_names=tuple(f"set_{number:06d}" for number in range(len(sets))),
            matrix=csr_array(hits),
            sense=(">=",) * len(sets),
            rhs=np.ones(len(sets)),
        ),
        RunLimits(),
    )
    if answer.values is None:
        raise SolverError(solver.name, "no hitting set of the correction sets")
    return tuple(rule for rule, value in zip(members, answer.values, strict=True) if value > 0.5)


def _thin(elastic: _Elastic, conflict: tuple[int, ...]) -> tuple[int, ...]:
    """An irreducible conflict inside a conflict: each rule is tried without."""
    kept = conflict
    for rule in conflict:
        others = tuple(other for other in kept if other != rule)
        if _correction(elastic, others) is None:
            kept = others
    return tuple(sorted(kept))


# ---------------------------------------------------------------- the cheapest way out


def cheapest_relaxation(
    problem: PortfolioProblem,
    *,
    weights: Mapping[str, float] | None = None,
    relative: bool = True,
    solving: Solving = Solving(),
) -> Repair:
    """The least weighted change of caps, or of rules dropped, after which some portfolio satisfies every rule.

    Args:
        problem: checked first; a feasible one needs no change.
        weights: by family of row or kind of rule, 1 by default; infinite: it must not change. With `relative`, 1 is the
            price of doubling a cap (of one times the row's largest number, for a cap of 0) and of dropping a rule.
        relative: changes count over the size of the cap; else in the row's own unit.
        solving: the solver, and the seconds for each question that is put to it.

    Raises: ProblemError for a wrong problem or a negative weight; InfeasibleError is not raised: where what may change
    is not enough, the cost is infinite and there are no changes. SolverError if a question stays unanswered.
    """
    priced = _prices(problem, weights, relative, solving)
    return _relaxation(priced, _payable(priced))


def relaxations(
    problem: PortfolioProblem,
    *,
    most: int = 5,
    weights: Mapping[str, float] | None = None,
    relative: bool = True,
    solving: Solving = Solving(),
) -> tuple[Repair, ...]:
    """The cheapest relaxation, and others that each do without a change of one found before, cheapest first.

    See `cheapest_relaxation`; at most `most` of them, none if there is none.
    """
    priced = _prices(problem, weights, relative, solving)
    payable = _payable(priced)
    found: dict[frozenset[Rule], Repair] = {}
    asked, waiting = set[frozenset[int]](), [frozenset[int]()]
    while waiting and len(found) < most:
        barred = waiting.pop(0)
        asked.add(barred)
        one = _relaxation(priced, [rule for rule in payable if rule not in barred])
        if math.isinf(one.cost):
            continue
        found.setdefault(frozenset(change.rule for change in one.changes), one)
        more = [barred | {priced[0].rules.index(change.rule)} for change in one.changes]
        waiting.extend(bar for bar in more if bar not in asked and bar not in waiting)
    return tuple(sorted(found.values(), key=lambda one: one.cost))


QUESTION_SECONDS = 60.0
"""For each question of a diagnosis: it is no use to know the conflict tomorrow."""

NOTHING_IN_CONFLICT = "said that no portfolio satisfies every row, and then found one: try another --solver"
"""Of a solver whose word an empty diagnosis refutes."""

DIAGNOSIS_ROUNDS, WAYS_OUT = 20, 3


def diagnosis(
    problem: PortfolioProblem,
    *,
    solving: Solving = Solving(),
    tell_conflict: Callable[[Conflict], str] = str,
    tell_relaxation: Callable[[Repair], str] = str,
) -> str:
    """Why an infeasible problem has no portfolio, and the cheapest ways out, as a message; "" if it has one after all,
    whatever a solver said.

    Raises: SolverError if a question stays unanswered for `QUESTION_SECONDS`.
    """
    timed = replace(solving, time_limit=QUESTION_SECONDS)
    conflict = conflicts(problem, solving=timed, rounds=DIAGNOSIS_ROUNDS)
    ways = relaxations(problem, most=WAYS_OUT, solving=timed)
    if any(not way.changes for way in ways):
        return ""
    lines = [tell_conflict(conflict)] if conflict.rules else []
    if ways:
        lines.append("to make it feasible (each way verified by a portfolio, the least change first):")
    lines += [f"  {'or ' if place else ''}{tell_relaxation(way)}" for place, way in enumerate(ways)]
    return "\n".join(lines)


_Priced = tuple[_Elastic, Floats]


def _prices(
    problem: PortfolioProblem,
    weights: Mapping[str, float] | None,
    relative: bool,
    solving: Solving,
) -> _Priced:
    check(problem)
    given = weights or {}
    known = {*KINDS[1:], *problem.rows.family}
    faults = [
        *(
            Fault(f"weights of {name}", "must be >= 0", str(weight))
            for name, weight in given.items()
            if not weight >= 0
        ),
        *(Fault(f"weights of {name}", "is no family or kind of rule here") for name in given if name not in known),
    ]
    if faults:
        raise ProblemError(tuple(faults))
    elastic = _elastic(problem, solving, endless=True)
    weight = np.array([given.get(rule.family, 1.0) for rule in elastic.rules])
    rows = np.array([rule.kind == "row" for rule in elastic.rules], dtype=bool)
    return elastic, weight if relative else np.where(rows, weight * elastic.unit, weight)


def _payable(priced: _Priced) -> list[int]:
    return np.flatnonzero(np.isfinite(priced[1])).tolist()


def _relaxation(priced: _Priced, allowed: Sequence[int]) -> Repair:
    elastic, weight = priced
    answer = elastic.solve(np.where(np.isfinite(weight), weight, 0.0), allowed)
    if answer.state is SolverState.INFEASIBLE or answer.values is None:
        return Repair((), math.inf, math.inf, ())
    changes = tuple(_change(priced, answer, rule) for rule in elastic.violations(answer))
    changes, chosen = _verify(elastic, changes, answer)
    cost = math.fsum(change.cost for change in changes)
    at_least = cost if answer.state is SolverState.OPTIMAL else max(0.0, min(-answer.bound, cost))
    return Repair(changes, cost, at_least, chosen)


def _change(priced: _Priced, answer: SolverResult, number: int) -> Change:
    elastic, weight = priced
    rule, amount = elastic.rules[number], elastic.amount(answer, number)
    sense = elastic.problem.rows.sense[rule.index] if rule.kind == "row" else ""
    amount = amount if sense else 1.0
    return Change(rule, amount, amount * float(weight[number] / elastic.unit[number]), sense)


_TRIFLES = 3


def _verify(
    elastic: _Elastic, changes: tuple[Change, ...], answer: SolverResult
) -> tuple[tuple[Change, ...], tuple[int, ...]]:
    """The changes and a portfolio of the relaxed problem, judged apart: the solver's own, or one of a second solve.

    Where a solver's tolerance made a change too small by a trifle, it grows by what its portfolio is off.
    """
    own = choice_of(elastic.problem, answer.values) if answer.values is not None else ()
    for _ in range(_TRIFLES):
        judged = evaluate(relax(elastic.problem, changes), own)
        if judged.feasible:
            return changes, own
        changes = tuple(_grow(change, judged) for change in changes)
    relaxed = relax(elastic.problem, changes)
    again = solve_exactly(
        relaxed,
        formulate(without_values(relaxed)),
        lambda model: elastic.solver.run(model, elastic.limits),
        elastic.solver.name,
    )
    if again.values is None:
        raise SolverError(elastic.solver.name, "its relaxation does not make the problem feasible")
    return changes, choice_of(relaxed, again.values)


def _grow(change: Change, judged: Evaluation) -> Change:
    off = float(judged.excess[change.rule.index]) if change.rule.kind == "row" else 0.0
    return replace(change, amount=change.amount + off)


def relax(problem: PortfolioProblem, changes: Iterable[Change]) -> PortfolioProblem:
    """The problem with caps moved and rules dropped as the changes say."""
    listed = tuple(changes)
    dropped = {kind: {change.rule.index for change in listed if change.rule.kind == kind} for kind in KINDS}
    slack = {change.rule.index: change.amount for change in listed if change.rule.kind == "row"}
    exactly = problem.exactly_one & ~np.isin(np.arange(len(problem.group_names)), list(dropped["exactly one"]))
    needs = [pair for k, pair in enumerate(problem.prerequisites.tolist()) if k not in dropped["prerequisite"]]
    return replace(
        with_slack(problem, slack),
        exactly_one=exactly,
        exclusions=tuple(one for k, one in enumerate(problem.exclusions) if k not in dropped["exclusion"]),
        prerequisites=np.array(needs, dtype=np.int64).reshape(-1, 2),
        fixed_in_groups=_others(problem.fixed_in_groups, dropped["must-fund"]),
        fixed_out_groups=_others(problem.fixed_out_groups, dropped["must-not-fund"]),
        fixed_in_options=_others(problem.fixed_in_options, dropped["option fixed in"]),
        fixed_out_options=_others(problem.fixed_out_options, dropped["option fixed out"]),
    )


def _others(members: Iterable[int], dropped: set[int]) -> tuple[int, ...]:
    return tuple(member for member in members if member not in dropped)


def _round_up(amount: float) -> str:
    """Four significant digits, rounded up so that following the words is enough."""
    if not amount > 0:
        return "0"
    digits = 3 - math.floor(math.log10(amount))
    step = 10.0**-digits
    text = f"{math.ceil(amount / step - 1e-9) * step:,.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
