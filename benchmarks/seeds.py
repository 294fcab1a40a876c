"""Subject `seeds`: what plans by several seeds share, and whether what is called sure is decided so by the others."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import subject
from benchmarks._korea import SCENARIO, SMALL
from rdsim.domain import Choice
from rdsim.optimiser import evaluate
from rdsim.plans import Plan, plan
from rdsim.scenario import load
from rdsim.search import Verdict
from rdsim.search.quick import soon

Choices = Mapping[str, Choice]
"""What is decided, by technology."""

EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
"""Of the shares whose frequency by other seeds is told."""


@dataclass(frozen=True)
class Size:
    """Which scenario, by which seeds, decided again how often."""

    scenario: Path = SCENARIO
    seeds: tuple[int, ...] = (11, 12, 13)  # none that the search was built with
    redecisions: int | None = None  # None: as often as the scenario says
    samples: int | None = None
    replications: int = 500
    paths: int = 4


TOKEN = Size(scenario=SMALL, seeds=(1, 2), redecisions=4, samples=20, replications=10, paths=2)


@subject("seeds", full=Size(), token=TOKEN)
def measure_seeds(size: Size) -> None:
    """Plans by several seeds: what they share, and what re-decisions foretold of it."""
    plans = [_planned(size, seed) for seed in size.seeds]
    pairs = list(itertools.permutations(plans, 2))
    print(f"{'technologies, Jaccard':<50}{_spread(_jaccard(_funded(a), _funded(b)) for a, b in pairs)}")
    print(f"{'countries, Jaccard':<50}{_spread(_jaccard(_opened(a), _opened(b)) for a, b in pairs)}")
    decided = [(_choices(a), _choices(b)) for a, b in pairs]
    for kind in ("partner", "mode", "start_year"):
        print(f"{f'{kind} of what is joint in both':<50}{_spread(_agree(a, b, kind) for a, b in decided)}")
    alike = (_agree(_choices(a), _choices(b), "partner", _swaps(a)) for a, b in pairs)
    print(f"{'partner, or interchangeable':<50}{_spread(alike)}")
    for kind in ("technology", "country", "partner"):
        print(f"{f'sure in ({kind}), decided so by the other':<50}{_spread(_kept(a, b, kind) for a, b in pairs)}")
    _print_shares(pairs)
    _print_paths(plans, size.paths)


def _planned(size: Size, seed: int) -> Plan:
    began = time.perf_counter()
    asked = {"optimiser.redecisions": size.redecisions, "optimiser.samples": size.samples}
    scenario = load(size.scenario).with_({path: value for path, value in asked.items() if value is not None})
    found = plan(scenario, seed=seed, replications=size.replications)
    sure = {kind: len(_sure(found, kind)) for kind in ("technology", "country", "partner")}
    joint = sum(bool(one.partner) for one in _choices(found).values())
    print(
        f"seed {seed}: {len(_funded(found))} funded, {sure['technology']} sure; "
        f"{len(_opened(found))} countries, {sure['country']} sure; "
        f"{joint} joint, {sure['partner']} partners sure, {len({name for name, _ in _swaps(found)})} interchangeable; "
        f"{time.perf_counter() - began:.0f} s",
        flush=True,
    )
    return found


def _choices(found: Plan) -> Choices:
    return {one.technology: one for one in found.proposal.portfolio.choices}


def _funded(found: Plan) -> set[str]:
    return set(_choices(found))


def _opened(found: Plan) -> set[str]:
    return {found.proposal.problem.partner_names[p] for p in found.proposal.evaluation.opened}


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


def _agree(mine: Choices, theirs: Choices, kind: str, same: Iterable[tuple[str, str]] = ()) -> float:
    """Share of what is joint in both that has the same of a kind, or what is known to be as good."""
    known = set(same)
    joint = [name for name in mine.keys() & theirs.keys() if mine[name].partner and theirs[name].partner]
    alike = [
        getattr(mine[name], kind) == getattr(theirs[name], kind) or (name, theirs[name].partner) in known
        for name in joint
    ]
    return float(np.mean(alike)) if joint else float("nan")


def _swaps(found: Plan) -> set[tuple[str, str]]:
    """Technologies of a plan, and other partners that are interchangeable with theirs."""
    told = (one for one in found.swaps if one.is_same and one.other.partner != one.chosen.partner)
    return {(one.other.technology, one.other.partner) for one in told}


def _sure(found: Plan, kind: str) -> set[tuple[str, str]]:
    """What of a plan is sure in."""
    if found.redecisions is None:
        return set()
    sure = {
        (one.technology, one.what)
        for one in found.redecisions.decisions
        if one.kind == kind and one.verdict is Verdict.SURE_IN
    }
    return sure & _decided(found, kind)


def _decided(found: Plan, kind: str) -> set[tuple[str, str]]:
    if kind == "country":
        return {("", code) for code in _opened(found)}
    return {(one.technology, one.partner if kind == "partner" else "") for one in _choices(found).values()}


def _kept(one: Plan, other: Plan, kind: str) -> float:
    """Share of what is sure in that the other plan decides so; of partners, where it funds the technology."""
    sure = {pair for pair in _sure(one, kind) if kind != "partner" or pair[0] in _funded(other)}
    return len(sure & _decided(other, kind)) / len(sure) if sure else float("nan")


def _print_shares(pairs: Sequence[tuple[Plan, Plan]]) -> None:
    """Beside shares of re-decisions, how often other seeds decide so."""
    for kind in ("technology", "country"):
        told = [
            (decision.share, (decision.technology, decision.what) in _decided(other, kind))
            for one, other in pairs
            if one.redecisions is not None
            for decision in one.redecisions.decisions
            if decision.kind == kind
        ]
        shares, taken = (np.array(column, np.float64) for column in zip(*told, strict=True))
        place = np.clip(np.searchsorted(EDGES, shares, side="right") - 1, 0, len(EDGES) - 2)
        for k in np.unique(place):
            mine = place == k
            print(
                f"  {kind}, share {EDGES[k]:.1f} to {EDGES[k + 1]:.1f}: {mine.sum():5d}, taken {taken[mine].mean():.3f}"
            )


def _spread(values: Iterable[float], form: Callable[[float], str] = "{:.3f}".format) -> str:
    """Mean and range."""
    known = np.array([one for one in values if not np.isnan(one)])
    return f"{form(known.mean())} ({form(known.min())} to {form(known.max())})" if known.size else "none"


def _print_paths(plans: Sequence[Plan], paths: int) -> None:
    """The optimiser's portfolios for one problem, of one plan's samples, by other paths of its search alone.

    What differs here no other sample explains: so many portfolios are as good.
    """
    for found in plans:
        basis = None if found.search is None else found.search.basis
        if basis is None:
            continue
        problem = basis.problem(basis.best, np.zeros_like(basis.means))
        solved = [soon(problem, basis.left_out, replace(basis.solving, seed=path)) for path in range(paths)]
        chosen = [one for one in solved if one is not None]
        worths = np.array([evaluate(problem, one).objective for one in chosen])
        told = [
            {choice.technology: choice for choice in (basis.posed.options.choices[o] for o in one)} for one in chosen
        ]
        pairs = list(itertools.combinations(told, 2))
        print(
            f"seed {found.seed}, one problem by {len(chosen)} paths: worth within {np.ptp(worths) / worths.max():.2%}; "
            f"technologies {_spread(_jaccard(set(a), set(b)) for a, b in pairs)}; "
            f"partner {_spread(_agree(a, b, 'partner') for a, b in pairs)}"
        )
