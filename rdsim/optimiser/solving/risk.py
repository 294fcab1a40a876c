"""`solve_risk`: the portfolio of largest mean and CVaR that keeps the rules of a risk.

What mean, CVaR and the rules are, and their signs, is fixed in `appraisal`; how cuts state them without a column for
each sample, in `tail`.

Methods:

=======  =====================================================================================================
exact    cuts on the tail, the whole integer model solved again until its best portfolio is worth what the model
         says; a chance constraint has a binary column for each sample. At gap 0 the optimum is proven; of equal
         optima any may come back.
search   cuts in the relaxation give the bound, and their prices weigh the samples: with these weights the tail is one
         linear figure, an upper estimate of CVaR that is tight in the relaxation. RENS begins to maximise it, annealing
         goes on from there with CVaR itself (see `annealing`), several walks beside each other and again from the best;
         after them neighbourhood search found nothing any more, so that is for rules on money, which walks do not see.
         Every portfolio is judged exactly. If the gap is not proven and the model is not large, rounds with the cuts
         follow; on 10,000 options they took minutes and brought nothing. Chance constraints give way to stricter ones
         (see below).
auto     exact if the gap is 0, or if there are at most `SMALL` options and `SMALL_COUNTED` sample columns
=======  =====================================================================================================

**Chance constraints in `search`** - a target to be reached with a probability, money at a quantile - are conservative:
CVaR at that probability, which implies them, picks the samples in which they shall hold; those samples then hold as
plain rows, and are picked again from each better portfolio. What is returned satisfies the true constraint, whose value
is in `rules`; the bound ignores the constraint: it is valid, but not tight. No answer does not mean that there is none.

Sources: Kelley 1960 (J. SIAM 8); Kunzi-Bay & Mayer 2006 (Computational Management Science 3); Berthold 2014 (RENS);
Luedtke & Ahmed 2008 (SIAM J. Optimization 19) for chance constraints on samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from rdsim.arrays import Floats
from rdsim.errors import SolverError
from rdsim.optimiser.adapters import Feature, Relaxation, RunLimits, SolverResult, SolverState
from rdsim.optimiser.models.milp import choice_of, columns_of, lay_out
from rdsim.optimiser.models.model import Model, restrict
from rdsim.optimiser.problem.evaluation import TOLERANCE, evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, check
from rdsim.optimiser.problem.solution import Seconds, Solution, Status, Termination, note_if_unproven, relative_gap
from rdsim.optimiser.solving.annealing import Walking, abreast, anneal
from rdsim.optimiser.solving.appraisal import (
    Appraisal,
    Appraiser,
    Risk,
    RuleValue,
    SampledRow,
    appraise,
    check_risk,
    cvar,
    sampled_worth,
)
from rdsim.optimiser.solving.kelley import KELLEY_ROUNDS, Kelley, sift
from rdsim.optimiser.solving.reach import reachable
from rdsim.optimiser.solving.rens import (
    NEAR,
    PROOF_NODES,
    RENS_NODES,
    ROUND_NODES,
    WIDER,
    Relaxed,
    Stopwatch,
    free_bounds,
    free_groups,
    narrow_options,
    near_bounds,
    target_of,
)
from rdsim.optimiser.solving.repair import cuts_of
from rdsim.optimiser.solving.settings import Solving, SolvingSeries, refuse
from rdsim.optimiser.solving.tail import (
    Cuts,
    SampledFigure,
    Support,
    TailRule,
    least_count,
    lowest,
    no_cuts,
    tail_weights,
    with_cuts,
    with_sample_columns,
)
from rdsim.optimiser.solving.task import RiskModel, state_task

__all__ = [
    "METHODS",
    "Appraisal",
    "Risk",
    "RiskSolution",
    "RuleValue",
    "SampledRow",
    "appraise",
    "cvar",
    "relax",
    "sampled_worth",
    "solve_risk",
]

METHODS = ("auto", "exact", "search")
SMALL = 2000
SMALL_COUNTED = 300
PROVEN = 1e-6
CLOSE, CLOSEST = 1e-3, 1e-5  # of the objective: how near the bounds of a relaxation come, by the gap asked for
LARGE = 6000  # options from which relaxations are sifted
REFINEMENTS = 3  # times that one neighbourhood is solved again with the cuts of its own best portfolio
ROUNDS = 6  # of neighbourhood search, where a rule on money forbids walks
START_NODES = 1  # of the model from whose answer walks start: they lose it anyway
FIRST, AGAIN = 0.03, 0.015  # temperatures at which walks from the start begin, and later ones from the best so far
WAVES = 4
SLIGHT = 0.2  # of what is missing: if walks find less, others would not find it either
NEARLY_TIGHT = 1e-3  # relative slack of the relaxation's cuts that integer models keep


@dataclass(frozen=True, repr=False)
class RiskSolution(Solution):
    """A Solution, its objective and bound those of the risk, and what the samples say of the portfolio.

    A rule `binds` if the portfolio has no room in it, or if a row that states it is tight in the last relaxation
    (a hint: integer programs have no prices).
    """

    mean: float = math.nan
    cvar: float = math.nan
    worst: float = math.nan
    probability: float = math.nan  # share of the samples that reach the target
    rules: tuple[RuleValue, ...] = ()
    cuts: int = 0  # rows made for the tail and for the rules
    rounds: int = 0  # relaxations solved
    solves: int = 0  # integer models solved

    @property
    def binding(self) -> tuple[str, ...]:
        """Names of the rules that bind."""
        return tuple(rule.name for rule in self.rules if rule.binds)


# ---------------------------------------------------------------- what is known so far


@dataclass(eq=False)
class RiskSearch:
    """The best portfolio, the bound and the cuts so far."""

    task: RiskModel
    settings: SolvingSeries
    cuts: Cuts
    rules: tuple[TailRule, ...] = ()  # as the search's models state them
    best: Appraisal | None = None
    start: Floats | None = None  # columns behind `best`
    bound: float = math.inf
    state: SolverState = SolverState.STOPPED
    termination: Termination = Termination.ROUNDS
    seconds: Seconds = field(default_factory=Seconds)
    made: int = 0
    rounds: int = 0
    solves: int = 0
    tight: frozenset[str] = frozenset()
    weighed: Model | None = None  # the objective's tail as one linear figure, by the prices of its cuts

    @property
    def gap(self) -> float:
        """Relative gap, infinite without a portfolio or bound; 0 where a solver could not tell the difference."""
        if self.best is None:
            return math.inf
        close = self.bound - self.best.objective <= self.rounding
        return 0.0 if close else relative_gap(self.best.objective, self.bound)

    @property
    def rounding(self) -> float:
        """What a solver cannot tell apart: 4e-9 of the objective (see `methods`), 1e-6 of a cut's largest number."""
        objective = 0.0 if self.best is None else abs(self.best.objective)
        return 4e-9 * max(objective, self.task.unit) + 1e-6 * self.task.risk.weight * self.task.unit

    @property
    def open(self) -> bool:
        """True while nothing is proven, the gap is too large and there is time."""
        proven = self.state in {SolverState.INFEASIBLE, SolverState.UNBOUNDED}
        return not proven and self.gap > self.settings.gap and not self.settings.late

    def run(self, model: Model, limits: RunLimits, start: Floats | None = None) -> SolverResult:
        """Solve an integer model."""
        watch = Stopwatch.start()
        answer = self.settings.solver.run(model, limits, start=start)
        self.seconds, self.solves = watch.add(self.seconds, answer, "mip"), self.solves + 1
        return answer

    def consider(self, columns: Floats) -> Appraisal:
        """Judge the portfolio of these columns; the best one stays."""
        return self.meet(choice_of(self.task.problem, columns))

    def meet(self, chosen: tuple[int, ...]) -> Appraisal:
        """Judge a portfolio; the best one stays."""
        found, task = self.task.judge.appraise(chosen), self.task
        if found.feasible and (self.best is None or found.objective > self.best.objective):
            self.best, self.start = found, np.zeros(task.model.value.size)
            known = columns_of(task.problem, found.evaluation)
            self.start[: known.size] = known
            if task.tail is not None:
                self.start[task.tail] = task.tail_of(self.start) / task.unit
        return found

    def note_tight(self, relaxed: Relaxed | None) -> None:
        """Remember which rules' cuts are tight in the relaxation."""
        if relaxed is not None:
            rows = np.flatnonzero(self.cuts.slack(relaxed.values) < TOLERANCE)
            self.tight = frozenset(self.cuts.names[row] for row in rows)

    def keep(self, cuts: Cuts) -> None:
        """More cuts for the models to come."""
        self.cuts, self.made = self.cuts.and_(cuts), self.made + len(cuts.names)


# ---------------------------------------------------------------- the relaxation


def relax(
    search: RiskSearch, relaxation: Relaxation, rules: tuple[TailRule, ...], *, valid: bool = True
) -> Relaxed | None:
    """The relaxation with all the cuts it needs; none if it has no optimum or there was no time.

    Of a large problem some options are enough (`kelley.sift`). The bound is the risk's, unless the rules are stricter
    (`valid` is False); their cuts are not kept.
    """
    began, built = time.perf_counter(), search.seconds
    close = min(max(search.settings.gap / 10, CLOSEST), CLOSE)
    whole = Kelley(search.task, rules, relaxation, search.settings, close)
    prices = Feature.ROW_PRICES in search.settings.solver.features
    if len(search.task.problem.option_names) <= LARGE or not prices or not sift(whole):
        while whole.rounds < KELLEY_ROUNDS and whole.solve():
            if not whole.cut():
                break
    search.rounds += whole.rounds + whole.narrow_rounds
    search.seconds = replace(built, lp=built.lp + time.perf_counter() - began)
    if valid:
        search.bound = min(search.bound, whole.upper)
        cuts = search.task.cuts(whole.supports)
        search.keep(cuts)
        search.weighed = _by_prices(search.task, cuts, whole.answer)
    return _last_relaxation(search, whole, valid)


def _by_prices(task: RiskModel, cuts: Cuts, answer: SolverResult | None) -> Model | None:
    """The tail as the mix of its cuts that their prices make; none without prices."""
    if task.tail is None or answer is None or answer.prices is None:
        return None
    first = len(task.model.row_names)
    rows = np.vstack([task.model.matrix[[first - 1], :].toarray(), cuts.coefficients])
    caps = np.append(task.model.rhs[first - 1], cuts.caps)
    priced = np.zeros(len(rows))  # cuts made since the last optimum have no price
    priced[: answer.prices.size - first + 1] = answer.prices[first - 1 :]
    prices = np.where(rows[:, task.tail] > 0, np.maximum(priced, 0.0), 0.0)
    return _mixture_model(task, rows, caps, prices)


def _mixture_model(task: RiskModel, rows: Floats, caps: Floats, shares: Floats) -> Model | None:
    """The objective with a mix of rows ``unit * tail - figure @ x <= cap`` instead of the tail, which is fixed at 0."""
    if task.tail is None or shares.sum() <= 0:
        return None
    shares = task.risk.weight * shares / shares.sum()
    value = task.model.value - shares @ rows
    value[task.tail] = 0.0
    lower, upper = task.model.lower.copy(), task.model.upper.copy()
    lower[task.tail] = upper[task.tail] = 0.0
    model = replace(task.model, value=value, lower=lower, upper=upper, offset=task.model.offset + float(shares @ caps))
    return _without_row(model, len(model.row_names) - 1)


def _without_row(model: Model, row: int) -> Model:
    """The model without the row that keeps the tail below the mean."""
    return model.with_rows(np.delete(np.arange(len(model.row_names)), row))


def _at(task: RiskModel, columns: Floats) -> Model | None:
    """The tail as the samples that are the worst for these columns see it: right there, too high elsewhere."""
    if task.tail is None:
        return None
    worst, weights = tail_weights(task.values.of(columns), task.risk.level)
    cuts = task.cuts([Support(None, worst, weights)])
    return _mixture_model(task, cuts.coefficients, cuts.caps, np.ones(1))


def _last_relaxation(search: RiskSearch, whole: Kelley, valid: bool) -> Relaxed | None:
    """The last relaxation; if it had no optimum, what that proves."""
    stopped, answer = whole.stopped, whole.answer
    if stopped is not None and valid:
        search.termination = stopped.termination
        proven = stopped.state in {SolverState.INFEASIBLE, SolverState.UNBOUNDED}
        search.state = stopped.state if proven else search.state
    if stopped is not None and stopped.state is not SolverState.STOPPED:
        return None
    if answer is None or answer.values is None or answer.reduced_costs is None:
        return None
    return Relaxed(answer.bound, answer.values, answer.reduced_costs)


# ---------------------------------------------------------------- exact


def _exact(task: RiskModel, settings: SolvingSeries) -> RiskSearch:
    """The whole integer model, again and again, until its best portfolio is worth what the model says."""
    for place, rule in enumerate(task.rules):
        if rule.counts:
            task = _with_sample_columns(task, place)
    search = RiskSearch(task, settings, no_cuts(task.model.value.size))
    relaxed = relax(search, settings.solver.relaxation(task.model), task.rules)
    search.note_tight(relaxed)
    gap, seen = settings.gap / 2, set[tuple[int, ...]]()
    while search.open:
        answer = search.run(with_cuts(task.model, search.cuts), settings.limits(gap=gap))
        search.bound = min(search.bound, answer.bound)
        if answer.values is None:
            _conclude(search, answer)
            break
        found = search.consider(answer.values)
        again = found.evaluation.chosen in seen
        if answer.state is not SolverState.OPTIMAL or (again and found.feasible and gap == 0):
            search.state, search.termination = answer.state, answer.termination
            break
        gap = 0.0 if again else gap
        seen.add(found.evaluation.chosen)
        _cut_off(search, found, answer.values, again)
    return search


def _conclude(search: RiskSearch, answer: SolverResult) -> None:
    """No portfolio is left: only infeasible ones were ever excluded, so the best one is the optimum."""
    search.state, search.termination = answer.state, answer.termination
    if answer.state is SolverState.INFEASIBLE and search.best is not None:
        search.state, search.bound = SolverState.OPTIMAL, search.best.objective


def _cut_off(search: RiskSearch, found: Appraisal, columns: Floats, again: bool) -> None:
    """Cuts that the portfolio breaks; one that the judge refuses is excluded by name as well."""
    if not found.feasible and again:
        broken = [violation.name for violation in found.evaluation.violations]
        names = ", ".join([*broken, *(rule.name for rule in found.rules if not rule.holds)][:5])
        raise SolverError(search.settings.solver.name, f"its portfolio breaks {names}, and it comes back when excluded")
    search.keep(search.task.cuts(search.task.violations(columns, search.task.rules, 0.0)))
    if not found.feasible:
        search.keep(_exclusions(search.task, found, search.settings.solver.name))


def _exclusions(task: RiskModel, found: Appraisal, solver: str) -> Cuts:
    """Rows that cut off a portfolio that the judge refuses: for rows that are broken, and else for it alone."""
    options, chosen = len(task.problem.option_names), list(found.evaluation.chosen)
    if found.evaluation.feasible:
        row = np.full((1, options), -1.0)
        row[0, chosen] = 1.0
        coefficients, caps = row, np.array([len(chosen) - 1.0])
    else:
        coefficients, caps = cuts_of(task.problem, found.evaluation, task.model, solver)
    wide = np.zeros((caps.size, task.model.value.size))
    wide[:, :options] = coefficients
    return Cuts(wide, caps, ("excluded",) * caps.size)


def _with_sample_columns(task: RiskModel, place: int) -> RiskModel:
    """The task with a binary column for each sample of one rule."""
    figure = task.rules[place].figure
    floor = lowest(task.problem, figure.sign * figure.samples) + _lowest_fixed_part(task, figure)
    model = with_sample_columns(task.model, task.rules[place], floor)
    rules = tuple(rule.pad(model.value.size) for rule in task.rules)
    return replace(task, model=model, rules=rules, values=task.values.pad(model.value.size))


def _lowest_fixed_part(task: RiskModel, figure: SampledFigure) -> float:
    """The least that a figure's fixed part can be; a soft row's shortfall is no larger than the row can make it."""
    problem, layout = task.problem, lay_out(task.problem)
    upper = np.where(np.isfinite(task.model.upper), task.model.upper, 0.0)
    for columns, sign in ((layout.excess, -1.0), (layout.deficit, 1.0)):
        for row, column in columns.items():
            use = problem.rows.use[[row]].toarray().ravel()
            openings = problem.rows.opening_use[[row]].toarray().reshape(problem.opening_value.shape)
            least = float(lowest(problem, sign * use)) + np.minimum(sign * openings, 0).min(axis=1, initial=0.0).sum()
            upper[column] = max(0.0, sign * float(problem.rows.cap[row]) - least)
    return float(np.minimum(figure.fixed * upper, 0.0).sum())


# ---------------------------------------------------------------- search


def _search(task: RiskModel, settings: SolvingSeries) -> RiskSearch:
    """Relaxation, RENS, neighbourhood search, each on models with cuts, each portfolio judged."""
    search = RiskSearch(task, settings, no_cuts(task.model.value.size))
    relaxation = settings.solver.relaxation(task.model)
    relaxed = relax(search, relaxation, task.rules)
    if relaxed is None:
        return search
    search.note_tight(relaxed)
    if task.counting:
        strict = tuple(rule.as_tail() for rule in task.rules)
        relaxed = relax(search, relaxation, strict, valid=False) or relaxed
    search.rules = tuple(rule.keeping(relaxed.values) for rule in task.rules)
    search.cuts = search.cuts.only(np.flatnonzero(search.cuts.slack(relaxed.values) < NEARLY_TIGHT))
    _find_start(search, relaxed)
    if task.risk.money:
        _search_neighbourhoods(search, relaxed)
    else:
        _walk(search, relaxed)
    if len(task.problem.option_names) <= LARGE:
        _finish_with_cuts(search, relaxed)
    return search


def _find_start(search: RiskSearch, relaxed: Relaxed) -> None:
    """A first portfolio, near the relaxation if there is one; a floor is reached by a walk where that finds none."""
    task = search.task
    nodes = RENS_NODES if task.risk.money else START_NODES
    for near, fix in ((NEAR, True), (WIDER * NEAR, False), (math.inf, False)):
        if search.best is None and search.open:
            _improve(search, near_bounds(task.problem, task.model, relaxed, near, fix), nodes, search.weighed)
        if search.best is None and search.open and fix:
            _reach_floor(search, relaxed)
        nodes = RENS_NODES


def _reach_floor(search: RiskSearch, relaxed: Relaxed) -> None:
    """From a portfolio without regard to the floor, a walk towards more CVaR until the floor is reached."""
    task, settings = search.task, search.settings
    if task.risk.floor is None or task.risk.money:
        return
    lower, upper = near_bounds(task.problem, task.model, relaxed, WIDER * NEAR, fix=False)
    small, kept = restrict(task.model, lower, upper)
    answer = search.run(small, settings.limits(gap=settings.gap, nodes=RENS_NODES))
    if answer.values is None:
        return
    columns = lower.copy()
    columns[kept] = answer.values
    start = choice_of(task.problem, columns)
    if evaluate(task.problem, start).feasible:
        upwards = Risk(level=task.risk.level, weight=1.0)
        for chosen in _anneal(search, upwards, start, relaxed, task.risk.floor):
            search.meet(chosen)


def _anneal(
    search: RiskSearch, risk: Risk, start: tuple[int, ...], relaxed: Relaxed, enough: float, wave: int = 0
) -> list[tuple[int, ...]]:
    """Walks among the options near the relaxation, timed."""
    began, problem, settings = time.perf_counter(), search.task.problem, search.settings
    judge = search.task.judge if risk is search.task.risk else Appraiser(problem, risk)
    open_ = narrow_options(problem, search.task.model, relaxed)

    def one(number: int, ended: Callable[[], bool]) -> tuple[int, ...]:
        return anneal(
            judge,
            start,
            open_,
            walking=Walking(settings.seed, number, enough, ended),
            moves=settings.moves.risk * len(problem.group_names),
            hot=AGAIN if wave else FIRST,
        )

    met = abreast(one, wave, lambda: settings.late)
    search.seconds = replace(search.seconds, mip=search.seconds.mip + time.perf_counter() - began)
    return met


def _walk(search: RiskSearch, relaxed: Relaxed) -> None:
    """Anneal from the best portfolio, again and again while that finds enough."""
    enough = target_of(search.bound, search.settings.gap)
    for wave in range(WAVES):
        if search.best is None or not search.open:
            return
        before = search.gap
        for chosen in _anneal(search, search.task.risk, search.best.evaluation.chosen, relaxed, enough, wave):
            search.meet(chosen)
        if before - search.gap < SLIGHT * (before - search.settings.gap):
            return


def _search_neighbourhoods(search: RiskSearch, relaxed: Relaxed) -> None:
    """The tail by prices and by the best portfolio's own worst samples in turn."""
    task = search.task
    rng = np.random.default_rng([search.settings.seed, len(task.problem.option_names)])
    for number in range(ROUNDS):
        if search.best is None or search.start is None or not search.open:
            return
        search.rules = tuple(rule.keeping(search.start) for rule in task.rules)
        chosen = search.best.evaluation.chosen
        free = free_groups(task.problem, chosen, rng, number)
        tail = _at(task, search.start) if number % 2 else search.weighed
        _improve(search, free_bounds(task.problem, task.model, relaxed, chosen, free), ROUND_NODES, tail)


def _finish_with_cuts(search: RiskSearch, relaxed: Relaxed) -> None:
    """The cuts, near the relaxation and then everywhere."""
    task = search.task
    if search.best is not None and search.weighed is not None and search.open:
        _improve_cut(search, near_bounds(task.problem, task.model, relaxed, NEAR, fix=True), ROUND_NODES)
    if search.best is not None and search.open:
        _improve_cut(search, (task.model.lower, task.model.upper), PROOF_NODES)


def _improve(search: RiskSearch, bounds: tuple[Floats, Floats], nodes: int, linear: Model | None) -> None:
    """Solve within tighter bounds: the linear model if there is one, else that with the objective's cuts."""
    if linear is not None:
        _improve_linear(search, bounds, nodes, linear)
    else:
        _improve_cut(search, bounds, nodes)


def _improve_linear(search: RiskSearch, bounds: tuple[Floats, Floats], nodes: int, linear: Model) -> None:
    """The tail as one linear figure; rules keep their cuts."""
    settings, tail = search.settings, search.task.tail
    lower, upper = (bound.copy() for bound in bounds)
    lower[tail] = upper[tail] = 0.0
    rules = search.cuts.only(np.flatnonzero(np.array(search.cuts.names) != "objective"))
    small, kept = restrict(with_cuts(linear, rules), lower, upper)
    target = target_of(search.bound, settings.gap / 2)
    answer = search.run(small, settings.limits(gap=settings.gap / 4, target=target, nodes=nodes))
    if answer.values is None:
        return
    columns = lower
    columns[kept] = answer.values
    columns[tail] = search.task.tail_of(columns) / search.task.unit
    search.consider(columns)
    search.keep(search.task.cuts(search.task.violations(columns, search.rules, 0.0)))


def _improve_cut(search: RiskSearch, bounds: tuple[Floats, Floats], nodes: int) -> None:
    """Solve within tighter bounds, and again with the cuts of what was found while the model overrates it."""
    (lower, upper), settings, model = bounds, search.settings, search.task.model
    whole = bool((lower == model.lower).all() and (upper == model.upper).all()) and not search.task.counting
    for _ in range(REFINEMENTS):
        small, kept = restrict(with_cuts(model, search.cuts), lower, upper)
        limits = settings.limits(gap=settings.gap / 4, target=target_of(search.bound, settings.gap), nodes=nodes)
        answer = search.run(small, limits, None if search.start is None else search.start[kept])
        if whole:
            search.bound = min(search.bound, answer.bound)
        if answer.values is None:
            if whole and answer.state is SolverState.INFEASIBLE:
                _conclude(search, answer)
            return
        columns = lower.copy()
        columns[kept] = answer.values
        found = search.consider(columns)
        search.keep(search.task.cuts(search.task.violations(columns, search.rules, 0.0)))
        promised = float(model.value @ columns) - found.objective
        if not search.open or (found.feasible and promised <= settings.gap / 4 * abs(found.objective)):
            return


# ---------------------------------------------------------------- solve


def solve_risk(
    problem: PortfolioProblem,
    risk: Risk,
    solving: Solving = Solving(),
    *,
    method: str = "auto",
) -> RiskSolution:
    """Choose the options of largest mean and CVaR under the rules of the risk, to a relative gap.

    Args: as `solve`; `method` is `auto`, `exact` or `search`.

    Returns: a RiskSolution whatever happens to the search. Its bound is valid for the samples that were given: how far
    they are from the truth is another question.

    Raises: ProblemError for a wrong problem, risk or setting; SolverError if the solver is missing or crashes.
    """
    settings = solving.begin()
    refuse(("method", method in METHODS, f"must be one of {', '.join(METHODS)}", method))
    check(problem)
    check_risk(problem, risk)
    began, whole = time.perf_counter(), reachable(problem)
    task = state_task(whole.problem, whole.risk(risk))
    built = time.perf_counter() - began
    chosen_method = _method(task, settings.gap, method)
    find = _none if _hopeless(task) else _exact if chosen_method == "exact" else _search
    search = find(task, settings)
    search.seconds = replace(search.seconds, build=search.seconds.build + built)
    return note_if_unproven(whole.back(_solution(search, chosen_method)), settings.gap)


def _none(task: RiskModel, settings: SolvingSeries) -> RiskSearch:
    """No portfolio, proven."""
    return RiskSearch(task, settings, no_cuts(task.model.value.size), state=SolverState.INFEASIBLE, bound=-math.inf)


def _hopeless(task: RiskModel) -> bool:
    """True if not even the best option of each group, whatever the rows say, reaches what the rules ask for."""
    problem, risk, judge = task.problem, task.risk, task.judge
    better = float(np.maximum(problem.opening_value, 0.0).max(axis=1, initial=0.0).sum())
    better += math.fsum(max(worth, 0.0) for *_, worth in problem.synergies)
    most = -lowest(problem, -np.atleast_2d(problem.values)) + better
    if risk.floor is not None and cvar(most, risk.level) < risk.floor - judge.worth_tolerance(risk.floor):
        return True
    if risk.target is None or risk.probability is None:
        return False
    reached = int((most >= risk.target - judge.worth_tolerance(risk.target)).sum())
    return reached < least_count(risk.probability, most.size)


def _method(task: RiskModel, gap: float, method: str) -> str:
    if method != "auto":
        return method
    counted = sum(rule.figure.count for rule in task.counting)
    small = len(task.problem.option_names) <= SMALL and counted <= SMALL_COUNTED
    return "exact" if gap == 0 or small else "search"


def _solution(search: RiskSearch, method: str) -> RiskSolution:
    """The answer with what follows from it: bound no lower than objective, gap, status, which rules bind."""
    best, settings = search.best, search.settings
    objective = math.nan if best is None else best.objective
    bound = search.bound if best is None else max(search.bound, best.objective)
    if best is not None and bound - best.objective <= search.rounding:
        bound = best.objective
    gap = relative_gap(objective, bound)
    return RiskSolution(
        chosen=() if best is None else best.evaluation.chosen,
        opened={} if best is None else best.evaluation.opened,
        status=_status(search, gap),
        termination=_termination(search, gap),
        objective=objective,
        bound=bound,
        gap=gap,
        solver=settings.solver.name,
        version=settings.solver.version,
        method=method,
        seconds=search.seconds,
        mean=math.nan if best is None else best.mean,
        cvar=math.nan if best is None else best.cvar,
        worst=math.nan if best is None else best.worst,
        probability=math.nan if best is None else best.probability,
        rules=() if best is None else tuple(replace(rule, binds=_binds(search, rule)) for rule in best.rules),
        cuts=search.made,
        rounds=search.rounds,
        solves=search.solves,
    )


def _binds(search: RiskSearch, rule: RuleValue) -> bool:
    return rule.name in search.tight or rule.slack <= rule.tolerance


def _status(search: RiskSearch, gap: float) -> Status:
    if search.best is not None:
        return Status.OPTIMAL if gap <= PROVEN else Status.FEASIBLE
    if search.state is SolverState.INFEASIBLE:
        return Status.INFEASIBLE
    return Status.UNBOUNDED if search.state is SolverState.UNBOUNDED else Status.NO_ANSWER


def _termination(search: RiskSearch, gap: float) -> Termination:
    if gap <= PROVEN or search.state is SolverState.INFEASIBLE:
        return Termination.COMPLETE
    if gap <= search.settings.gap:
        return Termination.TARGET
    return Termination.TIME_LIMIT if search.settings.late else search.termination
