"""The loop: the optimiser proposes, the simulator judges, the optimiser's view is corrected, and again.

The one-shot optimiser sees options one by one. What they do to one another - waiting for money, places and partners,
money that lapses because others failed - only a simulation of the whole portfolio shows. So:

1. Options near the relaxation's optimum are sampled again, without the luck of markets and talks (see `expectation`,
   `talks`): the best of thousands owes much to luck. More samples go to where options of a technology are close
   (`estimates`). A plan does so before anything is chosen, so that the loop's lead over the one-shot portfolio is
   of what the loop does, and not of samples.
2. In each round the optimiser solves for several **views**: other payment ratios around the best ones so far,
   all programmes together and each alone, money promised sooner or later, starts spread over the years, risk that
   options share, near alternatives, and the best view corrected for what its portfolio's projects lost by not
   being alone. Every proposal is simulated on the same replications. Steps halve from round to round; the loop ends
   when the best stays the best. Of many options only those nearest to the relaxation may be proposed.
3. The best portfolio is tried in other orders of priority, and decided again many times (`redecisions`).
4. What most re-decisions share, within the indifference zone of the best in the optimiser's view, is improved by
   **exchanges** (an option in, out, or for another of the same technology), each simulated on those replications, or
   on a first part of them where these speak against it: so
   what the search's luck decided is left behind, and what simulation shows to be better is kept.
5. What that comes to, the best few, and the one-shot portfolio are compared on replications of their own
   (`selection`). Of those that are shown to be within the indifference zone of the best the one is taken that most
   re-decisions share, then the one of fewer partners, then the first.

Estimates inside the loop are means of the options plus crowding (simulated, see `judge`). They only
guide: what the plan tells of the winner comes from replications that chose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from rdsim.arrays import Floats
from rdsim.brief import count
from rdsim.domain import Choice, Portfolio
from rdsim.errors import SolverError
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import Evaluation, PortfolioProblem, Solving, Status, evaluate
from rdsim.optimiser.problem.problem import best_per_group
from rdsim.optimiser.problem.solution import relative_gap
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.optimiser.solving.appraisal import appraise
from rdsim.search.contenders import Contender
from rdsim.search.estimates import Refined, refine
from rdsim.search.judge import Judge, risk_adjustment
from rdsim.search.proposals import Instance, Proposal, choose, portfolio_of, risk_of, solving_of
from rdsim.search.quick import soon
from rdsim.search.redecisions import Basis, Redecisions, consensus, redecide
from rdsim.search.selection import Selected, select
from rdsim.search.views import (
    LOOSEST,
    View,
    apply_view,
    budgets_times,
    corrections,
    payment_ratios,
    ratios_of,
    risk_deductions,
)
from rdsim.stats import paired_difference
from rdsim.streams import SEARCHING, SELECTING

__all__ = ["LOOP", "Contender", "Loop", "Step", "as_before", "find_plan", "improve"]

_SHARED = "shared by most re-decisions"
"""Name of the portfolio of largest agreement with re-decisions."""

LOOP = "loop"
"""The method of a solution that simulation chose among the optimiser's portfolios."""

_STEP = 1.25  # first factor between payment ratios
_TILT = 0.15  # more of the first year's money, less of the last year's, or the other way round
_SPREAD = 0.85  # of the first year's starts
_WARY = 0.2  # weight of the standard deviation
_ALTERNATIVES = 2
_SHAKEN = 0.03  # standard deviation of what is added to values for alternatives, of their size
_LEAST_RATIO = 0.5
_MANY = 2000  # options, from which on proposals are made of the best of each group alone
_FOREMOST = 3  # options of a technology and start year
_EXCHANGES = 80  # tried in each pass
_PASSES = 3
_AGAIN = 3  # exchanges of one technology that are tried in a pass, at most
_SCREENS = ((4, -0.5), (2, 0.0))
"""Parts of the replications, and standard errors by which an exchange must be ahead in them to be tried further."""
_LEAST_SCREEN = 50  # replications of a screen
_AHEAD = 2.0  # standard errors by which an exchange that is kept is ahead
_FINALISTS = 4  # besides the one-shot portfolio


@dataclass(frozen=True)
class Step:
    """What one contender came to: estimates in money, the error that of the difference to the one-shot portfolio."""

    round: int
    name: str
    ratios: Mapping[str, float]
    funded: int
    estimate: float
    gain: float  # over the one-shot portfolio
    error: float  # standard error of the gain
    leads: bool  # the best so far


@dataclass(frozen=True, eq=False)
class Loop:
    """How the loop went, and the portfolio it found."""

    proposal: Proposal
    one_shot: Proposal
    winner: str
    ratios: Mapping[str, float]  # multiples of the stated payment ratios that the portfolio needs, by programme
    steps: tuple[Step, ...]
    finalists: tuple[str, ...]
    selected: Selected | None  # none if the loop was stopped before
    spent: int  # replications of whole portfolios
    stopped: bool
    means: Floats  # (O,) what each option is worth on average, as far as it was sampled
    pool: tuple[Contender, ...] = ()  # every portfolio that was judged
    left_out: tuple[int, ...] = ()  # options that were not proposed
    basis: Basis | None = None  # what the plan was decided again from
    redecisions: Redecisions | None = None  # none if there were to be none, a risk is asked about, or it was stopped
    is_shared: bool = False  # another finalist than the one that led was taken, for re-decisions share more of it
    failure: str = ""  # what the solver said, if its failing stopped the loop

    def __repr__(self) -> str:
        work = f"{count(len(self.steps), 'portfolio')} in {self.spent:,} replications"
        return f"Loop: {self.winner} of {work}{', stopped' if self.stopped else ''}; {self.proposal!r}"

    @property
    def is_changed(self) -> bool:
        """True if another portfolio than the one-shot one was selected."""
        return self.proposal.portfolio.choices != self.one_shot.portfolio.choices


Progress = Callable[[int, int], None]
"""Called with the steps that are done and an estimate of how many there are."""


def improve(
    posed: Refined,
    one_shot: Proposal,
    solving: Solving = Solving(),
    *,
    progress: Progress = lambda _done, _total: None,
) -> Loop:
    """Look for a portfolio that is better in simulation than the one-shot proposal of an instance.

    The same scenario, seed and solver give the same portfolio, whatever the number of threads, unless the time limit
    of a solve bites. An interrupt (Ctrl-C), or a solver that fails, ends the loop with its best so far.
    """
    run = _Run(posed, one_shot, solving_of(posed.scenario, solving), progress)
    try:
        run.search()
        progress(run.done, run.done)  # as many as there were, after all
    except KeyboardInterrupt:
        return run.result(stopped=True)
    except SolverError as error:
        return run.result(stopped=True, failure=str(error))
    return run.result(stopped=False)


def find_plan(
    posed: Instance, solving: Solving = Solving(), *, progress: Progress = lambda _done, _total: None
) -> Loop:
    """The plan of an instance: options near the relaxation sampled further, a portfolio chosen, and that improved.

    Raises: as `refine` and `choose`.
    """
    refined = refine(posed, solving)
    return improve(refined, choose(refined, solving), solving, progress=progress)


@dataclass(eq=False)
class _Run:
    """One loop: what is known so far."""

    posed: Refined
    one_shot: Proposal
    solving: Solving
    progress: Progress
    pool: list[Contender] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    finalists: list[Contender] = field(default_factory=list)
    selected: Selected | None = None
    basis: Basis | None = None
    redecisions: Redecisions | None = None
    winner: Contender | None = None
    done: int = 0
    left_out: tuple[int, ...] = ()  # options that are not proposed

    def __post_init__(self) -> None:
        posed = self.posed
        self.means, self.settings = posed.problem.expected_value, posed.scenario.optimiser.search
        self.risk = risk_of(posed)
        self.plain = self.risk is not None and self.risk.weight > 0
        self.judge, self.selecting_judge = (
            Judge(posed.scenario, posed.seed, stream, self.plain, posed.running) for stream in (SEARCHING, SELECTING)
        )

    # ------------------------------------------------------------ what a contender is worth

    def utility(self, worths: Floats) -> Floats:
        """Worth as the scenario's risk sees it, at the one-shot portfolio's quantile."""
        if not self.plain:
            return worths
        return risk_adjustment(
            worths, self.judge.worths(self.one_shot.portfolio, self.settings.replications), self.risk
        )

    def estimate(self, portfolio: Portfolio, chosen: tuple[int, ...], count: int) -> Floats:
        """Means of the options, crowding as simulated in so many replications, and what soft rows cost."""
        weight = 0.0 if self.risk is None else self.risk.weight
        alone = self.judge.alone(portfolio.choices, count).sum(axis=1)
        known = float(self.means[list(chosen)].sum())
        lost = evaluate(self.posed.problem, chosen).shortfall
        return np.asarray(self.utility(self.judge.worths(portfolio, count)) - (1 - weight) * (alone - known) - lost)

    def consider(self, number: int, name: str, chosen: tuple[int, ...], view: View) -> Contender:
        """Judge a portfolio with the usual order of priority, unless it is known."""
        portfolio = portfolio_of(self.posed.scenario, self.posed.options, chosen, "optimised")
        return self.meet(number, name, portfolio, chosen, view)

    def meet(
        self,
        number: int,
        name: str,
        portfolio: Portfolio,
        chosen: tuple[int, ...],
        view: View,
    ) -> Contender:
        """Judge a portfolio, unless it is known; the pool keeps it."""
        known = next((one for one in self.pool if one.portfolio.choices == portfolio.choices), None)
        if known is not None:
            return known
        worth = self.estimate(portfolio, chosen, self.settings.replications)
        fresh = Contender(name, portfolio, chosen, view, worth)
        self.pool.append(fresh)
        gain = fresh.worth - self.pool[0].worth
        error = float(gain.std(ddof=1)) / len(gain) ** 0.5
        leads = self.best is fresh
        figures = (len(chosen), float(fresh.worth.mean()), float(gain.mean()), error, leads)
        self.steps.append(Step(number, name, dict(view.ratios), *figures))
        self.tick()
        return fresh

    @property
    def best(self) -> Contender:
        """The contender of the largest estimate; of equals the first."""
        return max(self.pool, key=lambda one: float(one.worth.mean()))

    def tick(self) -> None:
        self.done += 1
        total = 6 + 12 * self.settings.rounds + _PASSES * _EXCHANGES + self.posed.scenario.optimiser.redecisions + 4
        self.progress(min(self.done, total), total)

    # ------------------------------------------------------------ the search

    def search(self) -> None:
        """Everything, in turn."""
        posed, one_shot = self.posed, self.one_shot
        ratios = dict.fromkeys(posed.scenario.programmes, 1.0)
        self.leave_out()
        self.meet(0, "one-shot", one_shot.portfolio, one_shot.solution.chosen, View(ratios, self.nothing))
        for number in range(1, self.settings.rounds + 1):
            leader = self.best
            self.propose(number, _STEP ** (0.5 ** (number - 1)))
            if self.best is leader and number > 1:
                break
        self.reorder()
        leader = self.decide_again(self.best)
        for number in range(_PASSES):
            after = self.exchange(number, leader)
            if after is leader:
                break
            leader = after
        self.finalists = [leader]
        self.decide()

    @cached_property
    def nothing(self) -> Floats:
        """What is added to each option's value where nothing is, shape (O,)."""
        return np.zeros(len(self.means))

    def leave_out(self) -> None:
        """Of many options, propose those nearest to the relaxation alone."""
        posed = self.posed
        if len(self.means) > _MANY:
            kept = best_per_group(posed.problem, self.means - posed.near.charges, _FOREMOST)
            kept[list(self.one_shot.solution.chosen)] = True
            self.left_out = tuple(np.flatnonzero(~kept).tolist())

    def propose(self, number: int, step: float) -> None:
        """Proposals of the views around the best one's."""
        for name, view, chosen in self.proposals(self.views(number, step)):
            self.consider(number, name, chosen, view)
        plain = replace(self.best.view, added=self.nothing)
        for name, view, chosen in self.proposals(self.variety(plain, number)):
            self.consider(number, name, chosen, replace(view, added=plain.added))

    def proposals(self, views: Iterable[tuple[str, View]]) -> Iterator[tuple[str, View, tuple[int, ...]]]:
        """The optimiser's portfolios for views, in their order: none depends on another, so threads share the work."""
        told = list(views)
        jobs = (partial(self.solve, view) for _, view in told)
        for (name, view), chosen in zip(told, in_threads(jobs, self.posed.running.threads or cores()), strict=True):
            if chosen is not None:
                yield name, view, chosen

    def views(self, number: int, step: float) -> Iterator[tuple[str, View]]:
        """The best ratios and, from the second round on, corrected values; all ratios up, each up and down."""
        leader, scenario = self.best, self.posed.scenario
        ratios = dict(leader.view.ratios)
        if number > 1:
            options, count = self.posed.options, self.settings.replications
            corrected = corrections(scenario, options, self.judge, leader.portfolio, count)
            yield "corrected for crowding", View(ratios, corrected)
        changes = [dict.fromkeys(ratios, step)] if len(ratios) > 1 else []
        changes += [{name: factor} for name in ratios for factor in (step, 1 / step)]
        for change in changes:
            tried = {name: ratio * change.get(name, 1.0) for name, ratio in ratios.items()}
            if all(_LEAST_RATIO <= ratio <= LOOSEST for ratio in tried.values()):
                yield _ratio_words(payment_ratios(self.posed.scenario, tried)), replace(leader.view, ratios=tried)

    def variety(self, plain: View, number: int) -> Iterator[tuple[str, View]]:
        """Money promised sooner or later, starts spread, risk that options share counted, and near alternatives."""
        for tilt in (_TILT, -_TILT):
            yield f"promises {'sooner' if tilt > 0 else 'later'}", replace(plain, tilt=plain.tilt + tilt / number)
        if number == 1:
            yield "starts spread over the years", replace(plain, spread=_SPREAD)
        if number == 1 and self.risk is None:
            shared = risk_deductions(self.posed.problem, self.one_shot.solution.chosen, _WARY)
            yield "wary of shared risk", replace(plain, added=plain.added + shared)
        rng = np.random.default_rng([self.posed.seed, len(self.means), number])
        for alternative in range(1, _ALTERNATIVES + 1):
            shaken = _SHAKEN * np.abs(self.means) * rng.standard_normal(len(self.means))
            yield f"near alternative {alternative}", replace(plain, added=plain.added + shaken)

    def solve(self, view: View) -> tuple[int, ...] | None:
        """The optimiser's portfolio for a view; none if there is none, or no answer in time."""
        problem = apply_view(self.posed.scenario, self.posed.problem, view, sampled=self.risk is not None)
        return soon(problem, self.left_out, self.solving, self.risk)

    def reorder(self) -> None:
        """The best portfolio in other orders of priority."""
        leader, options = self.best, self.posed.options
        cost = np.maximum(options.award[list(leader.chosen)], 1e-9)
        mean = self.means[list(leader.chosen)]
        for name, key in (("by value per cost", mean / cost), ("by value", mean)):
            place = dict(zip([options.choices[o].technology for o in leader.chosen], key.tolist(), strict=True))
            self.meet(0, f"priority {name}", _in_order(leader.portfolio, place), leader.chosen, leader.view)

    # ------------------------------------------------------------ exchanges

    def exchange(self, number: int, leader: Contender) -> Contender:
        """Exchanges from a portfolio, each kept if it is better by more than luck explains; what it comes to."""
        if self.risk is not None and (self.risk.floor is not None or self.risk.target is not None or self.risk.money):
            return leader  # what these demand, only the optimiser's samples tell
        for group, option in self.promising(leader):
            chosen = self.neighbour(leader.chosen, group, option)
            portfolio = self.in_order_of(leader, chosen)
            if not self.is_allowed(chosen) or not self.is_promising(leader, portfolio, chosen):
                self.tick()
                continue
            tried = self.meet(number, self.move_name(leader.chosen, group, option), portfolio, chosen, leader.view)
            if _is_ahead(tried.worth - leader.worth, _AHEAD):
                leader = tried
        return leader

    def in_order_of(self, leader: Contender, chosen: tuple[int, ...]) -> Portfolio:
        """A portfolio of these options, those of the leader in its order of priority."""
        return as_before(portfolio_of(self.posed.scenario, self.posed.options, chosen, "optimised"), leader.portfolio)

    def promising(self, leader: Contender) -> list[tuple[int, int]]:
        """Moves from the leader that its first replications speak for, the best of these first."""
        moves = self.moves(leader)
        for replications, ahead in self.screens:
            moves = self.screen(leader, moves, replications, ahead)
        return moves

    @cached_property
    def screens(self) -> list[tuple[int, float]]:
        """Replications, and standard errors by which an exchange must be ahead in them to be tried further."""
        found = [(self.settings.replications // part, ahead) for part, ahead in _SCREENS]
        return [(count, ahead) for count, ahead in found if count >= _LEAST_SCREEN]

    def is_promising(self, leader: Contender, portfolio: Portfolio, chosen: tuple[int, ...]) -> bool:
        """Whether the first replications speak for a portfolio, beside a leader that may be another one by now."""
        gains = (
            (self.estimate(portfolio, chosen, count) - leader.worth[:count], ahead) for count, ahead in self.screens
        )
        return all(_is_ahead(gain, ahead) for gain, ahead in gains)

    def screen(
        self, leader: Contender, moves: Sequence[tuple[int, int]], count: int, ahead: float
    ) -> list[tuple[int, int]]:
        """Moves that are ahead of the leader by so many standard errors in so many replications, the best first."""
        tried = [self.neighbour(leader.chosen, *move) for move in moves]
        portfolios = [self.in_order_of(leader, chosen) for chosen in tried]
        known = self.estimate(leader.portfolio, leader.chosen, count)
        # Once for all, before threads share the moves.
        self.judge.alone(tuple(choice for one in portfolios for choice in one.choices), count)
        jobs = (partial(self.estimate, *one, count) for one in zip(portfolios, tried, strict=True))
        gains = []
        for move, worth in zip(moves, in_threads(jobs, self.posed.running.threads or cores()), strict=True):
            gain = worth - known
            if _is_ahead(gain, ahead):
                gains.append((-float(gain.mean()), *move))
            else:
                self.tick()
        return [(group, option) for _, group, option in sorted(gains)]

    def moves(self, leader: Contender) -> list[tuple[int, int]]:
        """(group, option or -1 for none), in descending order of the objective by the options' means."""
        problem = replace(self.loose, values=self.means + leader.view.added)
        base = evaluate(problem, leader.chosen).objective
        funded = {int(problem.group[option]): option for option in leader.chosen}
        promising: list[tuple[float, int, int]] = []
        for group in range(len(problem.group_names)):
            mine = np.flatnonzero(problem.group == group)
            mine = mine[np.argsort(-problem.expected_value[mine], kind="stable")[:_AGAIN]]
            for option in [*(int(o) for o in mine if o != funded.get(group)), *([-1] if group in funded else [])]:
                judged = evaluate(problem, self.neighbour(leader.chosen, group, option))
                if judged.feasible:
                    promising.append((base - judged.objective, group, option))
        return [(group, option) for _, group, option in sorted(promising)[:_EXCHANGES]]

    def neighbour(self, chosen: tuple[int, ...], group: int, option: int) -> tuple[int, ...]:
        rest = [one for one in chosen if self.posed.problem.group[one] != group]
        return tuple(sorted([*rest, *([option] if option >= 0 else [])]))

    def is_allowed(self, chosen: tuple[int, ...]) -> bool:
        """Whether every rule but the announced budgets holds."""
        return evaluate(self.loose, chosen).feasible

    @cached_property
    def loose(self) -> PortfolioProblem:
        """The problem with budgets that bind nobody."""
        everywhere = dict.fromkeys(self.posed.scenario.programmes, LOOSEST)
        return budgets_times(self.posed.scenario, self.posed.problem, everywhere)

    def move_name(self, chosen: tuple[int, ...], group: int, option: int) -> str:
        name, funded = self.posed.problem.group_names[group], set(self.posed.problem.group[list(chosen)].tolist())
        if option < 0:
            return f"without {name}"
        return f"{'another option of' if group in funded else 'with'} {name}"

    # ------------------------------------------------------------ the end

    def decide_again(self, leader: Contender) -> Contender:
        """Re-decisions, and what most of them share: the portfolio from which the search goes on.

        Where none are made - a risk is asked about - it goes on from the leader.
        """
        times = self.posed.scenario.optimiser.redecisions
        if self.risk is not None or not times:
            return leader
        self.basis = Basis(self.posed, tuple(self.pool), self.left_out, self.solving)
        self.redecisions = redecide(self.basis, times, self.tick)
        shared = consensus(self.basis, self.redecisions, leader, self.zone)
        if not self.is_allowed(shared):
            return leader
        return self.meet(0, _SHARED, self.in_order_of(leader, shared), shared, leader.view)

    @cached_property
    def zone(self) -> float:
        """The difference in worth that is worth finding."""
        return self.settings.indifference * max(abs(float(self.best.worth.mean())), 1e-9)

    def decide(self) -> None:
        """Compare the best few, the one-shot portfolio and those shared by most on replications of their own."""
        order = sorted(self.pool[1:], key=lambda one: -float(one.worth.mean()))
        shared = [one for one in self.finalists if one not in (self.pool[0], *order[:_FINALISTS])]
        self.finalists = [self.pool[0], *order[:_FINALISTS], *shared]
        self.selected = select(
            len(self.finalists),
            self.observe,
            zone=self.zone,
            probability=self.settings.probability,
            first=min(200, self.settings.most_replications),
            batch=200,
            most=self.settings.most_replications,
        )
        self.winner = self.pick(self.finalists[self.selected.best])

    def observe(self, place: int, count: int) -> Floats:
        """Worths of a finalist in the first replications that select."""
        one = self.finalists[place]
        lost = evaluate(self.posed.problem, one.chosen).shortfall
        return self.utility(self.selecting_judge.worths(one.portfolio, count)) - lost

    def pick(self, best: Contender) -> Contender:
        """Of the finalists within the zone of the best the one that most re-decisions share."""
        if self.redecisions is None:
            return best
        shared, problem = self.redecisions.preference, self.posed.problem
        order = sorted(self.finalists, key=lambda one: -shared.of(problem, one.chosen))
        return next(one for one in order if one is best or self.is_as_good(one, best))

    def is_as_good(self, one: Contender, best: Contender) -> bool:
        """Whether a finalist is shown to be worth less than the best by no more than the zone."""
        places, most = [self.finalists.index(each) for each in (best, one)], self.settings.most_replications
        count = min(200, most)
        while True:
            first, second = (self.observe(place, count) for place in places)
            gap = paired_difference(first, second, self.settings.probability)
            if gap.high <= self.zone or gap.low > self.zone or count >= most:
                return gap.high <= self.zone
            count = min(2 * count, most)

    def result(self, *, stopped: bool, failure: str = "") -> Loop:
        """What was found; the one-shot portfolio if nothing was finished."""
        winner = self.winner or (self.best if self.pool else None)
        chosen = self.one_shot.solution.chosen if winner is None else winner.chosen
        ratios = ratios_of(self.posed.scenario, self.posed.problem, chosen)
        proposal = self.one_shot
        if winner is not None and winner is not self.pool[0]:
            proposal = self.proposal(winner, ratios)
        return Loop(
            proposal=proposal,
            one_shot=self.one_shot,
            winner="one-shot" if winner is None else winner.name,
            ratios=ratios,
            steps=tuple(self.steps),
            finalists=tuple(one.name for one in self.finalists),
            selected=self.selected,
            spent=self.judge.replication_count + self.selecting_judge.replication_count,
            stopped=stopped,
            means=self.means,
            pool=tuple(self.pool),
            left_out=self.left_out,
            basis=self.basis,
            redecisions=self.redecisions,
            is_shared=self.selected is not None and winner is not self.finalists[self.selected.best],
            failure=failure,
        )

    def proposal(self, winner: Contender, ratios: Mapping[str, float]) -> Proposal:
        """The winner as a proposal: in the problem with budgets that it keeps, beside that problem's relaxation.

        Simulation chose it, so that no solve ended with it: all that is proven of it is the relaxation's bound.
        """
        view = View(ratios, self.nothing)
        problem = apply_view(self.posed.scenario, self.posed.problem, view, sampled=self.risk is not None)
        judged: Evaluation = evaluate(problem, winner.chosen)
        appraisal = None if self.risk is None else appraise(problem, self.risk, winner.chosen)
        objective = judged.objective if appraisal is None else appraisal.objective
        bound = max(objective, relaxation_duals(problem).bound)
        solution = replace(
            self.one_shot.solution,
            chosen=winner.chosen,
            opened=judged.opened,
            status=Status.FEASIBLE,
            method=LOOP,
            objective=objective,
            bound=bound,
            gap=relative_gap(objective, bound),
        )
        return replace(
            self.one_shot,
            portfolio=winner.portfolio,
            problem=problem,
            solution=solution,
            evaluation=judged,
            appraisal=appraisal,
            payment_ratios=payment_ratios(self.posed.scenario, ratios),
        )


def _is_ahead(gain: Floats, errors: float) -> bool:
    """Whether a mean gain is above so many of its standard errors."""
    return bool(gain.mean() > errors * gain.std(ddof=1) / len(gain) ** 0.5)


def _ratio_words(ratios: Mapping[str, float]) -> str:
    return "payment ratio " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())


def _in_order(portfolio: Portfolio, key: Mapping[str, float]) -> Portfolio:
    """The portfolio with ranks by start year, then the largest key, then id."""
    order = sorted(portfolio.choices, key=lambda one: (one.start_year, -key[one.technology], one.technology))
    ranks = {choice.technology: rank for rank, choice in enumerate(order, start=1)}
    choices: tuple[Choice, ...] = tuple(replace(one, rank=ranks[one.technology]) for one in portfolio.choices)
    return replace(portfolio, choices=choices)


def as_before(portfolio: Portfolio, before: Portfolio) -> Portfolio:
    """The portfolio in the order of priority of another: what is new comes where its usual rank would put it."""
    old = {choice.technology: choice.rank for choice in before.choices}
    usual = {choice.technology: choice.rank for choice in portfolio.choices}
    order = sorted(
        portfolio.choices,
        key=lambda one: (one.start_year, old.get(one.technology, usual[one.technology]), one.technology),
    )
    ranks = {choice.technology: rank for rank, choice in enumerate(order, start=1)}
    return replace(portfolio, choices=tuple(replace(one, rank=ranks[one.technology]) for one in portfolio.choices))
