"""Why no portfolio keeps the rules of a risk: which of them, the best that can be had, and ways out.

The rows alone can be kept here (else `conflicts` says why they cannot); what cannot are the rules: a floor on CVaR, a
target with a probability, sampled money. Rules without which the others still cannot be kept are left aside; what
remains conflicts together, and of each the best is looked for that the others and the rows leave. Every way out is
verified by a portfolio: a rule moved to what that portfolio has, or the caps of one family of rows raised.

A floor on CVaR has a bound, which is said. For chance constraints there is none that is worth saying: what is told of
them is the best that was found.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rdsim.arrays import Floats
from rdsim.numerals import numeral
from rdsim.optimiser.models.variations import with_caps
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Status
from rdsim.optimiser.questions.conflicts import Change, Repair, relax, rules_of
from rdsim.optimiser.solving.appraisal import Appraisal, Risk, RuleValue, appraise, cap_of
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.optimiser.solving.settings import Solving

__all__ = ["Words", "risk_diagnosis"]

SECONDS = 120.0
"""For the whole diagnosis; ways out that were not found by then are not told."""
EACH, GAP = 30.0, 0.01
LESS = (0.25, 0.5, 0.75)
"""Parts of what caps were raised by that are tried too."""


@dataclass(frozen=True)
class Words:
    """How rules and changes are told."""

    unit: str = ""
    tell_row: Callable[[Hashable], str] = str
    tell_relaxation: Callable[[Repair], str] = str

    def amount(self, number: float) -> str:
        """An amount with its unit."""
        return f"{numeral(number, ',.4g')} {self.unit}".rstrip()


_SETTING = {"cvar": "floor", "target": "probability", "money": "money"}


@dataclass(frozen=True, eq=False)
class _Part:
    """One rule of a risk: what is asked, the risk without it, and what to look for to come nearest to it."""

    kind: str  # cvar, target or money
    place: int  # among the rules of sampled money
    without: Risk
    towards: Risk


def _parts(risk: Risk) -> Iterator[_Part]:
    if risk.floor is not None:
        rest = replace(risk, floor=None)
        yield _Part("cvar", 0, rest, replace(rest, weight=1.0))
    if risk.target is not None and risk.probability is not None:
        rest = replace(risk, probability=None)
        # CVaR at the probability: where its tail reaches the target, so does the share that is asked for.
        level = risk.level if risk.floor is not None else min(max(risk.probability, 1e-3), 1 - 1e-3)
        yield _Part("target", 0, rest, replace(rest, weight=1.0, level=level))
    for place in range(len(risk.money)):
        rest = replace(risk, money=tuple(row for k, row in enumerate(risk.money) if k != place))
        yield _Part("money", place, rest, rest)


def risk_diagnosis(
    problem: PortfolioProblem, risk: Risk, *, solving: Solving = Solving(), words: Words | None = None
) -> str:
    """Which rules of the risk cannot be kept, the best that can be had, and ways out, as a message of some lines.

    Raises: ProblemError for a wrong problem or risk; SolverError if the solver fails.
    """
    return "\n".join(_Diagnosis(problem, risk, solving, words or Words()).lines())


@dataclass(eq=False)
class _Diagnosis:
    problem: PortfolioProblem
    risk: Risk
    solving: Solving
    words: Words

    def __post_init__(self) -> None:
        self.deadline = time.perf_counter() + SECONDS

    def lines(self) -> Iterator[str]:
        """The conflict, then the ways out."""
        parts = self.conflict(list(_parts(self.risk)))
        found = {part: self.nearest(self.problem, part) for part in parts}
        yield "the rows can be kept, but not with what is asked of the samples:"
        for part, (best, bound) in found.items():
            yield f"  {self.rule_words(part)}; {self.had(part, best, bound)}"
        ways = [*self.rule_moves(found), *self.raises(found)]
        ways = ways or [f"leave out {' and '.join(dict.fromkeys(f'risk.{_SETTING[part.kind]}' for part in parts))}"]
        yield "ways out (each verified by a portfolio):"
        yield from (f"  {'or ' if place else ''}{way}" for place, way in enumerate(ways))

    def solve(self, problem: PortfolioProblem, risk: Risk) -> tuple[Appraisal | None, float, Status]:
        """The best portfolio, its bound, and what is known."""
        left = min(EACH, max(0.5, self.deadline - time.perf_counter()))
        found = solve_risk(problem, risk, replace(self.solving, gap=GAP, time_limit=left))
        best = appraise(problem, risk, found.chosen) if found.has_portfolio else None
        return best, found.bound, found.status

    def conflict(self, parts: list[_Part]) -> list[_Part]:
        """The rules of an irreducible conflict: each is dropped for good if the others have no portfolio either."""
        kept = list(parts)
        for part in parts:
            fewer = [one for one in kept if one is not part]
            if fewer and self.solve(self.problem, self.only(fewer))[0] is None:
                kept = fewer
        self.risk = self.only(kept)
        return list(_parts(self.risk))

    def only(self, parts: Sequence[_Part]) -> Risk:
        """The risk with some of its rules."""
        kinds, places = {part.kind for part in parts}, {part.place for part in parts if part.kind == "money"}
        return replace(
            self.risk,
            floor=self.risk.floor if "cvar" in kinds else None,
            probability=self.risk.probability if "target" in kinds else None,
            money=tuple(row for place, row in enumerate(self.risk.money) if place in places),
        )

    def nearest(self, problem: PortfolioProblem, part: _Part) -> tuple[Appraisal | None, float]:
        """The portfolio found that comes nearest to a rule, judged without it, and the bound of what was maximised."""
        best, bound, _ = self.solve(problem, part.towards)
        others = [] if part.kind != "target" else [self.solve(problem, part.without)[0]]
        judged = [appraise(problem, part.without, one.evaluation.chosen) for one in (best, *others) if one is not None]
        return (max(judged, key=lambda one: one.probability) if others else judged[0]) if judged else None, bound

    # ------------------------------------------------------------ words

    def rule_words(self, part: _Part) -> str:
        """What a rule asks for."""
        risk = self.risk
        if part.kind == "cvar":
            worst = f"the mean of the worst {1 - risk.level:.4g} of the samples"
            return f"risk.floor: CVaR, {worst}, of at least {self.words.amount(risk.floor or 0)}"
        if part.kind == "target":
            return f"risk.target: {self.words.amount(risk.target or 0)} in {risk.probability:.4g} of the samples"
        row = risk.money[part.place]
        how = {"expected": "in the mean", "quantile": f"in {row.level:.4g} of the samples", "always": "in every sample"}
        name = self.words.tell_row(self.problem.rows.keys[row.row])
        return f"risk.money: {name}, {self.words.amount(cap_of(self.problem, row))}, to suffice {how[row.holds]}"

    def had(self, part: _Part, best: Appraisal | None, bound: float) -> str:
        """The best that can be had."""
        if best is None:
            return "no portfolio was found without it either in the time there was"
        if part.kind == "cvar":
            limit = f", and none has more than {self.words.amount(bound)}" if math.isfinite(bound) else ""
            missed = (self.risk.floor or 0) - best.cvar
            return f"the best found has {self.words.amount(best.cvar)}{limit}: {self.words.amount(missed)} short"
        if part.kind == "target":
            return f"the best found reaches it in {numeral(best.probability, '.4g')} of them"
        over = self.rule_of(part, best)
        return f"without it the best portfolio needs {self.words.amount(over.value)}"

    def rule_of(self, part: _Part, best: Appraisal) -> RuleValue:
        """The value that a portfolio has where a rule has its limit."""
        judged = appraise(self.problem, replace(self.risk, floor=None, probability=None), best.evaluation.chosen)
        return judged.rules[part.place]

    # ------------------------------------------------------------ ways out

    def rule_moves(self, found: Mapping[_Part, tuple[Appraisal | None, float]]) -> Iterator[str]:
        """Each rule moved to what the best portfolio without it has."""
        for part, (best, _) in found.items():
            if best is None:
                continue
            for risk, told in self.moves(part, best):
                if appraise(self.problem, risk, best.evaluation.chosen).feasible:
                    yield told

    def moves(self, part: _Part, best: Appraisal) -> Iterator[tuple[Risk, str]]:
        """Risks with one rule moved, and their words."""
        risk = self.risk
        if part.kind == "cvar":
            floor = _round_down(best.cvar)
            yield replace(risk, floor=floor), f"lower risk.floor to {self.words.amount(floor)}"
        elif part.kind == "target":
            share, reached = math.floor(best.probability * 1e4) / 1e4, _level_at(best.worth, risk.probability or 1.0)
            if share > 0:
                yield replace(risk, probability=share), f"lower risk.probability to {share:.4g}"
            target = _round_down(reached)
            yield replace(risk, target=target), f"lower risk.target to {self.words.amount(target)}"
        else:
            cap = -_round_down(-self.rule_of(part, best).value)
            row = replace(risk.money[part.place], cap=cap)
            money = tuple(row if place == part.place else one for place, one in enumerate(risk.money))
            name = self.words.tell_row(self.problem.rows.keys[row.row])
            yield replace(risk, money=money), f"have {self.words.amount(cap)} for {name}"

    def raises(self, found: Mapping[_Part, Any]) -> Iterator[str]:
        """The caps of one family of rows raised, where that alone is enough."""
        towards = next((part for part in found if part.kind != "money"), None)
        if towards is None:
            return
        for family in dict.fromkeys(self.problem.rows.family):
            if time.perf_counter() >= self.deadline:
                return
            way = self.enough(towards, family)
            if way is not None:
                yield self.words.tell_relaxation(way)

    def enough(self, towards: _Part, family: str) -> Repair | None:
        """Caps of the family raised until every rule can be kept; a part of that, if it does as well."""
        rows = [row for row, name in enumerate(self.problem.rows.family) if name == family]
        whole = self.way(towards, rows, _endless(self.problem, rows))
        if whole is None:
            return None
        for share in LESS:
            caps = {change.rule.index: _move_cap(self.problem, change, share) for change in whole.changes}
            less = self.way(towards, rows, caps)
            if less is not None:
                return less
        return whole

    def way(self, towards: _Part, rows: Sequence[int], caps: Mapping[int, float]) -> Repair | None:
        """What of these caps the portfolio that comes nearest needs, if it keeps every rule."""
        best, _ = self.nearest(with_caps(self.problem, caps), towards)
        if best is None:
            return None
        excess = evaluate(self.problem, best.evaluation.chosen).excess
        rules = {rule.index: rule for rule in rules_of(self.problem) if rule.kind == "row"}
        changes = tuple(
            Change(rules[row], float(excess[row]) * (1 + 1e-9), 0.0, self.problem.rows.sense[row])
            for row in rows
            if row in rules and excess[row] > 0
        )
        relaxed = relax(self.problem, changes)
        holds = changes and appraise(relaxed, self.risk, best.evaluation.chosen).feasible
        return Repair(changes, 0.0, 0.0, best.evaluation.chosen) if holds else None


def _endless(problem: PortfolioProblem, rows: Sequence[int]) -> dict[int, float]:
    """Caps that nothing can break."""
    used = problem.rows.use
    opened = problem.rows.opening_use
    caps = {}
    for row in rows:
        most, least = (
            float(matrix.sum())
            for matrix in (
                np.append(used[[row]].maximum(0).data, opened[[row]].maximum(0).data),
                np.append(used[[row]].minimum(0).data, opened[[row]].minimum(0).data),
            )
        )
        cap = float(problem.rows.cap[row])
        caps[row] = max(cap, most) if problem.rows.sense[row] == "<=" else min(cap, least)
        if problem.rows.sense[row] == "==":
            caps[row] = cap
    return caps


def _move_cap(problem: PortfolioProblem, change: Change, share: float) -> float:
    """The cap moved by a part of a change."""
    sign = -1.0 if change.sense == ">=" else 1.0
    return float(problem.rows.cap[change.rule.index]) + sign * share * change.amount


def _level_at(worth: Floats, share: float) -> float:
    """The largest value that at least a share of the samples reaches."""
    ordered = np.sort(worth)[::-1]
    return float(ordered[min(ordered.size, max(1, math.ceil(share * ordered.size * (1 - 1e-12)))) - 1])


def _round_down(number: float) -> float:
    """Four significant digits, towards what is easier to reach."""
    if number == 0 or not math.isfinite(number):
        return number
    step = 10.0 ** (math.floor(math.log10(abs(number))) - 3)
    return float(f"{math.floor(number / step + 1e-9) * step:.6g}")
