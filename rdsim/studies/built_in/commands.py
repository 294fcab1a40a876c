"""The questions that come with rdsim: their commands' options, and the studies that answer them.

What is heavy is imported where it is asked for: to list commands must take no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rdsim.studies.question import Option, Question

if TYPE_CHECKING:
    from rdsim.optimiser import Solving
    from rdsim.optimiser.problem.folder import StatedProblem
    from rdsim.search import Given, Instance, Proposal
    from rdsim.studies.built_in.rolling import Progress
    from rdsim.study import Study

__all__ = ["BUILT_IN"]


def _in_own_terms(posed: Instance, given: Given | None) -> tuple[Instance, Proposal | None]:
    """The problem in the terms of the portfolio that is given, and that portfolio; nothing is solved."""
    from rdsim.search import in_own_terms  # noqa: PLC0415

    return (posed, None) if given is None else in_own_terms(posed, given)


def _frontier(
    posed: Instance,
    given: Given | None,
    replications: int,
    solving: Solving,
    first: str,
    second: str,
    points: int,
) -> Study:
    from rdsim.studies.built_in.frontier import frontier  # noqa: PLC0415

    own, best = _in_own_terms(posed, given)
    return frontier(
        own,
        first,
        second,
        points=points or None,
        best=best,
        replications=replications,
        solving=solving,
    )


def _alternatives(
    posed: Instance,
    given: Given | None,
    replications: int,
    solving: Solving,
    count: int,
    within: float,
    swaps: int | None,
    resamples: int,
) -> Study:
    from rdsim.search import subject  # noqa: PLC0415
    from rdsim.studies.built_in.alternatives import Nearby, alternatives  # noqa: PLC0415

    own, best = subject(posed, given, solving)
    return alternatives(
        own,
        best,
        nearby=Nearby(count, within, swaps),
        resamples=resamples,
        replications=replications,
        solving=solving,
    )


def _commitment(
    posed: Instance,
    given: Given | None,
    replications: int,
    solving: Solving,
    ratios: tuple[float, ...],
) -> Study:
    from rdsim.studies.built_in.commitment import commitment  # noqa: PLC0415

    best = _in_own_terms(posed, given)[1]
    return commitment(posed, ratios, best=best, replications=replications, solving=solving)


def _rolling(
    posed: Instance,
    given: Given | None,
    solving: Solving,
    progress: Progress,
    replications: int,
    foresight: int,
    futures: int,
    stops: bool,
) -> Study:
    from rdsim.studies.built_in.rolling import Redeciding, rolling  # noqa: PLC0415

    return rolling(
        posed,
        given=given,
        replications=replications,
        redeciding=Redeciding(foresight, futures, stops),
        solving=solving,
        progress=progress,
    )


def _payoff(
    posed: Instance,
    solving: Solving,
    progress: Progress,
    replications: int,
    repeats: int,
    more: int,
    rolled: int,
    foresight: int,
    futures: int,
) -> Study:
    from rdsim.studies.built_in.payoff import Repeating, payoff  # noqa: PLC0415

    return payoff(
        posed,
        replications=replications,
        repeating=Repeating(repeats, more, rolled, foresight, futures),
        solving=solving,
        progress=progress,
    )


def _ladder(
    posed: Instance,
    given: Given | None,
    solving: Solving,
    shares: tuple[float, ...],
    nested: bool,
) -> Study:
    from rdsim.studies.built_in.ladder import ladder  # noqa: PLC0415

    own, best = _in_own_terms(posed, given)
    return ladder(own, shares, nested=nested, best=best, solving=solving)


def _certify(
    posed: Instance,
    given: Given | None,
    solving: Solving,
    batches: int,
    evaluation: int,
    worlds: int,
) -> Study:
    from rdsim.search import subject  # noqa: PLC0415
    from rdsim.studies.built_in.certificate import certificate  # noqa: PLC0415

    own, best = subject(posed, given, solving)
    return certificate(
        own,
        best,
        batches=batches,
        evaluation=evaluation,
        worlds=worlds,
        solving=solving,
    )


def _explain(
    posed: Instance,
    given: Given | None,
    solving: Solving,
    names: tuple[str, ...],
) -> Study:
    from rdsim.search import subject  # noqa: PLC0415
    from rdsim.studies.built_in.explanation import explanation  # noqa: PLC0415

    own, best = subject(posed, given, solving)
    return explanation(own, best, names, solving=solving)


def _assumptions(
    posed: Instance,
    given: Given | None,
    solving: Solving,
    progress: Progress,
    points: int,
    replications: int,
    samples: int,
    repeats: int,
    pairs: int,
) -> Study:
    from rdsim.search import subject  # noqa: PLC0415
    from rdsim.studies.built_in.assumptions import Extent, assumptions  # noqa: PLC0415

    own, best = subject(posed, given, solving)
    extent = Extent(points, replications, samples, repeats, pairs)
    return assumptions(own, best, extent=extent, solving=solving, progress=progress)


# --- the same, of a problem that tables state -----------------------------------------------------


def _frontier_of_problem(
    statement: StatedProblem, solving: Solving, first: str, second: str | None, points: int, level: float | None
) -> Study:
    from rdsim.studies.stated.frontier import frontier  # noqa: PLC0415

    return frontier(statement, solving, first, second, points, level)


def _alternatives_of_problem(
    statement: StatedProblem, solving: Solving, count: int, within: float, swaps: int | None, resamples: int
) -> Study:
    from rdsim.studies.stated.alternatives import alternatives  # noqa: PLC0415

    return alternatives(statement, solving, count, within, swaps, resamples)


def _ladder_of_problem(
    statement: StatedProblem, solving: Solving, shares: tuple[float, ...], nested: bool, families: str | None
) -> Study:
    from rdsim.studies.stated.ladder import ladder  # noqa: PLC0415

    return ladder(statement, solving, shares, nested, families)


def _certify_of_problem(statement: StatedProblem, solving: Solving, batches: int) -> Study:
    from rdsim.studies.stated.certify import certify  # noqa: PLC0415

    return certify(statement, solving, batches)


def _explain_of_problem(statement: StatedProblem, solving: Solving, names: tuple[str, ...]) -> Study:
    from rdsim.studies.stated.explain import explain  # noqa: PLC0415

    return explain(statement, solving, names)


BUILT_IN: Mapping[str, Question] = {
    "frontier": Question(
        _frontier,
        "How much of one figure more of another costs: the efficient frontier, each point simulated.",
        (
            Option("first", "value", "A figure; 'min:NAME' if less is better."),
            Option(
                "second",
                "commercialised_by_deadline",
                "Another: cvar, commercialised_by_deadline, partners_opened, payments, joint, ...",
            ),
            Option("points", 20, "At most so many points; 0: all, each proven.", 0, 1000),
        ),
        stated=_frontier_of_problem,
        stated_options=(
            Option("second", None, "By default cvar where there are samples, else the first row.", kind="text"),
            Option("level", None, "Level of cvar; by default that of [risk], else 0.95.", 0.001, 0.999, "number"),
        ),
        example="rdsim frontier my-scenario --second cvar --points 10",
    ),
    "alternatives": Question(
        _alternatives,
        "Portfolios nearly as good and clearly different, and how firmly each technology is chosen.",
        (
            Option("count", 5, "How many other portfolios.", 1, 1000),
            Option("within", 0.01, "Loss of expected value that is acceptable.", 0.0, 1.0),
            Option(
                "swaps",
                None,
                "Decisions in which two portfolios must differ; by default one for every 25 technologies funded.",
                1,
                10_000,
                "whole",
            ),
            Option("resamples", 20, "Times that values are drawn again.", 1, 10_000),
        ),
        stated=_alternatives_of_problem,
        example="rdsim alternatives my-scenario --within 0.02",
    ),
    "commitment": Question(
        _commitment,
        "What promising more than the announced money comes to: value, money that lapses, waiting; by programme.",
        (
            Option(
                "ratios",
                (0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0),
                "Multiples of every yearly budget, with commas; 1 among them.",
            ),
        ),
        example="rdsim commitment my-scenario --ratios 1,1.25,1.5",
    ),
    "rolling": Question(
        _rolling,
        "What deciding anew each fiscal year is worth, beside simple rules, the plan and perfect information.",
        (
            Option("replications", 200, "Replications in which each year is decided anew.", 2, 100_000),
            Option("foresight", 40, "Replications optimised with their luck known; 0: none.", 0, 100_000),
            Option("futures", 64, "Futures imagined for each decision.", 8, 512),
            Option("stops", True, "Projects may be stopped by decision."),
        ),
        helps={
            "portfolio": "The plan: a CSV file, or a run's folder; by default SCENARIO's, if it is a run, "
            "else the loop's."
        },
        first=("portfolio",),
        example="rdsim rolling results/my-scenario --replications 100",
    ),
    "payoff": Question(
        _payoff,
        "Where more effort pays: what more samples, a smaller gap, the loop, deciding again and knowing more add.",
        (
            Option("repeats", 5, "Times that everything is decided anew, each with luck of its own.", 2, 1000),
            Option("more", 2, "More samples: so many times as many behind each option.", 2, 100),
            Option("replications", 200, "Replications that judge the portfolios of a repeat.", 2, 100_000),
            Option("rolled", 24, "Of these, so many in which each year is decided anew; 0: none.", 0, 100_000),
            Option("foresight", 8, "Of these, so many with the luck of R&D known; 0: none.", 0, 100_000),
            Option("futures", 64, "Futures imagined for each decision.", 8, 512),
        ),
        example="rdsim payoff my-scenario --repeats 3",
    ),
    "ladder": Question(
        _ladder,
        "What less or more money would do: the best portfolio at each share of the budgets, free and nested.",
        (
            Option("shares", (0.8, 0.9, 1.0, 1.1, 1.2), "Shares of every yearly budget, with commas."),
            Option("nested", True, "Also the ladder that takes no decision back."),
        ),
        stated=_ladder_of_problem,
        stated_options=(
            Option(
                "families",
                None,
                "Families of rows whose caps are multiplied, with commas; by default all.",
                kind="text",
            ),
        ),
        example="rdsim ladder my-scenario --shares 0.8,1,1.2",
    ),
    "certify": Question(
        _certify,
        "How near the portfolio is to the true optimum: solver's gap, sampling gap and optimism, each apart.",
        (
            Option("batches", 10, "Problems solved anew on fresh samples.", 2, 1000),
            Option("evaluation", 10_000, "Fresh samples that judge the portfolio.", 2, 10_000_000),
            Option("worlds", 30, "Worlds solved in hindsight; 0 or at least 2.", 2, 100_000, zero=True),
        ),
        stated=_certify_of_problem,
        example="rdsim certify results/my-scenario",
    ),
    "assumptions": Question(
        _assumptions,
        "Which assumption is worth narrowing first: what knowing it is worth, and what would turn a headline.",
        (
            Option("points", 48, "Worlds drawn within the bounds of all assumptions.", 10, 4096),
            Option("replications", 200, "Replications in each world.", 20, 100_000),
            Option("samples", 200, "Samples behind each option where a decision is made anew.", 10, 100_000),
            Option("repeats", 6, "Times that each break-even is sought, on other samples; 0: none is.", 0, 64),
            Option("pairs", 12, "Break-evens that are sought at most, the most doubtful signs first.", 0, 1000),
        ),
        helps={
            "portfolio": "The plan: a CSV file, or a run's folder; by default SCENARIO's, if it is a run, else the "
            "optimiser's choice without simulation."
        },
        example="rdsim assumptions results/my-scenario --points 24",
    ),
    "explain": Question(
        _explain,
        "Why a technology is not funded, what losing one would cost, what more of a cap is worth.",
        (
            Option(
                "names",
                (),
                "Technologies, funded or not; caps, as 'budget leapfrog 2025'; or 'unfunded' for all that are not.",
                kind="words",
                metavar="[NAME]...",
            ),
        ),
        defaults={"gap": 0.005},
        stated=_explain_of_problem,
        example='rdsim explain my-scenario B1 "budget main 2026"',
    ),
}
"""By the names of their commands, in the order in which they are listed."""
