"""Decide once or every year: simple rules, the plan, a rolling policy and perfect information, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from rdsim import portfolio as portfolios
from rdsim.arrays import Floats
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault, ProblemError
from rdsim.languages import N_, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.optimiser import Solving
from rdsim.plans import AT_PLAN_RATIOS
from rdsim.report import NOT_ALLOWED, Column, Page, Plot, Section, Table
from rdsim.report.words import amount, capital
from rdsim.rolling import Course, Policy, Rolled, foresee, roll, supply_of
from rdsim.search import (
    Given,
    Instance,
    Loop,
    Proposal,
    RulePortfolio,
    baselines,
    choose,
    find_plan,
    in_own_terms,
    refine,
    solving_of,
)
from rdsim.search.views import payment_ratios
from rdsim.simulation import expected_worths
from rdsim.stats import mean_interval, paired_difference
from rdsim.studies.built_in.parts import listing, money, record_of, speaks_of
from rdsim.study import Study
from rdsim.titles import ONE_SHOT, OWN_TITLES, portfolio_title

__all__ = ["Redeciding", "rolling"]

Progress = Callable[[str, int, int], None]

STATIC, ROLLING, FORESIGHT = "static", "rolling", "perfect information"
_SAID = {
    "one-shot": N_("{portfolio}, decided once"),
    STATIC: N_("static: the plan, decided once"),
    ROLLING: N_("rolling: the plan, decided again each year"),
    FORESIGHT: N_("perfect information: decided once, knowing the luck of R&D"),
}
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Redeciding:
    """How each year is decided anew, and beside what that is shown."""

    foresight: int = 40
    """Replications in which perfect information is had beside it; 0: left out."""
    futures: int = 64
    """Imagined for each decision."""
    stops: bool = True
    """Whether projects may be stopped by decision."""


def rolling(
    posed: Instance,
    *,
    given: Given | None = None,
    replications: int = 200,
    redeciding: Redeciding = Redeciding(),
    solving: Solving = Solving(),
    progress: Progress = lambda _stage, _done, _total: None,
) -> Study:
    """What re-deciding each fiscal year is worth (see `rdsim.rolling`), beside rules, the plan and perfect information.

    The plan is that of the loop, or the portfolio that is `given`. Simple rules are made within the announced money and
    at the plan's payment ratios, if those are others. Worths are those given how R&D went (`rdsim.expectation`), in the
    scenario's first `replications`, which chose nothing; perfect information in the first few of them.

    Raises: ProblemError for numbers that cannot be; PortfolioError for a portfolio that does not fit; InfeasibleError
    and SolverError as `choose`.
    """
    foresight = redeciding.foresight
    _check(replications, foresight, redeciding.futures)
    run = _Run(posed, solving_of(posed.scenario, solving), replications, progress)
    loop = None if given is not None else _find_plan(run)
    one_shot = choose(refine(posed, run.solving), run.solving) if loop is None else loop.one_shot
    plan = one_shot if loop is None else loop.proposal
    if given is not None:
        plan = in_own_terms(posed, given)[1]
    static = portfolios.with_ranks(plan.portfolio, posed.scenario)
    portfolios.check(static, posed.scenario)
    rules = dict(_rules(posed, one_shot, plan))
    worths = {name: run.simulate(rule.portfolio, rule.world) for name, rule in rules.items()}
    for name, one in (("one-shot", one_shot.portfolio), (STATIC, static)):
        worths[name] = run.simulate(one, posed.scenario)
    supply = supply_of(posed, static, means=None if loop is None else loop.means, solving=run.solving)
    policy = Policy(_ratios(posed, plan), redeciding.stops, redeciding.futures)
    rolled = roll(supply, policy, static, range(replications), progress=run.counter("roll", replications))
    worths[ROLLING] = rolled.worths
    if foresight:
        told = run.counter("foresee", foresight)
        worths[FORESIGHT] = foresee(posed, static, range(foresight), solving=run.solving, progress=told)
    barred = frozenset(name for name, rule in rules.items() if rule.world is not posed.scenario)
    study = _study(run, static, (rolled, policy), worths, barred)
    return speaks_of(study, replace(plan, source=plan.source or _("the plan that the loop finds here")))


def _rules(posed: Instance, one_shot: Proposal, plan: Proposal) -> Iterator[tuple[str, RulePortfolio]]:
    """The simple rules within the announced money, and with the plan's freedom if that is another."""
    announced = dict.fromkeys(posed.scenario.programmes, 1.0)
    freedoms = [("", announced)]
    if any(f"{ratio:.3f}" != "1.000" for ratio in plan.payment_ratios.values()):
        freedoms.append((AT_PLAN_RATIOS, dict(plan.payment_ratios)))
    for ending, ratios in freedoms:
        made = baselines(posed.scenario, one_shot, payment_ratios=ratios, seed=posed.seed, running=posed.running)
        for name, rule in made.items():
            yield f"{name}{ending}", rule


def _check(replications: int, foresight: int, futures: int) -> None:
    rules = (
        ("replications", replications >= 2, "must be a whole number of at least 2", replications),
        ("foresight", foresight == 0 or 2 <= foresight <= replications, "must be 0, or 2 to replications", foresight),
        ("futures", 8 <= futures <= 512, "must be a whole number from 8 to 512", futures),
    )
    faults = tuple(Fault(where, rule, repr(found)) for where, holds, rule, found in rules if not holds)
    if faults:
        raise ProblemError(faults)


@dataclass(frozen=True, eq=False)
class _Run:
    """How portfolios are judged."""

    posed: Instance
    solving: Solving
    replications: int
    progress: Progress

    def simulate(self, portfolio: Portfolio, world: Scenario) -> Floats:
        posed, count = self.posed, self.replications
        return expected_worths(world, portfolio, replications=count, seed=posed.seed, running=posed.running)[0]

    def counter(self, stage: str, total: int) -> Callable[[int], None]:
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            self.progress(stage, done, total)

        return more


def _find_plan(run: _Run) -> Loop:
    return find_plan(run.posed, run.solving, progress=lambda done, total: run.progress("search", done, total))


def _ratios(posed: Instance, plan: Proposal) -> Mapping[str, float]:
    """The plan's payment ratios as multiples of the rows that the scenario states."""
    stated = payment_ratios(posed.scenario)
    return {name: ratio / stated[name] for name, ratio in plan.payment_ratios.items()}


# --- what is told ---------------------------------------------------------------------------------


def _study(
    run: _Run,
    static: Portfolio,
    redecided: tuple[Rolled, Policy],
    worths: Mapping[str, Floats],
    barred: frozenset[str],
) -> Study:
    """`barred` policies are those that the call does not allow."""
    scenario, (rolled, policy) = run.posed.scenario, redecided
    table = pd.DataFrame(list(_rows(worths, scenario.simulation.confidence)))
    table["allowed"] = ~table["policy"].isin(barred)
    decisions = pd.DataFrame(
        list(_decisions(static, rolled.courses)),
        columns=["replication", "year", "technology", "decision"],
    )
    allowed = {name: one for name, one in worths.items() if name not in barred}
    order = list(_order(allowed, scenario.simulation.confidence))
    record = {
        **record_of(run.posed),
        "rolling": {
            "replications": run.replications,
            "futures": policy.futures,
            "stops": policy.stops,
            "ratios": dict(policy.ratios),
            "estimates": table.to_dict("records"),
            "expected_order": order,
        },
    }
    page = _page(run, table, decisions, order)
    tables = {"policies": table, "decisions": decisions}
    return Study("rolling", scenario, run.posed.seed, page, tables, record, {"static": static})


def _rows(worths: Mapping[str, Floats], confidence: float) -> Iterator[dict[str, object]]:
    comparisons = len(worths) - 1
    for name, mine in worths.items():
        value, base = mean_interval(mine, confidence), worths[STATIC][: len(mine)]
        against = None if name == STATIC else paired_difference(mine, base, confidence, comparisons)
        yield {
            "policy": name,
            "worth": value.mean,
            "worth_low": value.low,
            "worth_high": value.high,
            "n": value.n,
            "gain": np.nan if against is None else against.mean,
            "gain_low": np.nan if against is None else against.low,
            "gain_high": np.nan if against is None else against.high,
        }


def _order(worths: Mapping[str, Floats], confidence: float) -> Iterator[dict[str, object]]:
    """Whether each policy is at least as good as the one before it, on the replications that both have."""
    rules = [name for name in worths if name not in (STATIC, ROLLING, FORESIGHT)]
    best = max(rules, key=lambda name: float(worths[name].mean()))
    chain = [best, STATIC, ROLLING, *([FORESIGHT] if FORESIGHT in worths else [])]
    for less, more in pairwise(chain):
        count = min(len(worths[less]), len(worths[more]))
        gap = paired_difference(worths[more][:count], worths[less][:count], confidence, len(chain) - 1)
        yield {
            "less": less,
            "more": more,
            "difference": gap.mean,
            "low": gap.low,
            "high": gap.high,
            "n": gap.n,
            "holds": "yes" if gap.low > 0 else "no" if gap.high < 0 else "not told apart",
        }


def _decisions(static: Portfolio, courses: tuple[Course, ...]) -> Iterator[tuple[int, int, str, str]]:
    """What each replication decided otherwise than the plan: (replication, fiscal year, technology, what)."""
    planned = {one.technology: one for one in static.choices}
    for number, course in enumerate(courses):
        for technology, year in sorted(course.stops.items()):
            yield number, year, technology, N_("stopped")
        chosen = {one.technology: one for one in course.choices}
        for technology in sorted(planned.keys() | chosen.keys()):
            before, after = planned.get(technology), chosen.get(technology)
            if before is None and after is not None:
                yield number, after.start_year, technology, N_("begun, unplanned")
            elif after is None and before is not None:
                yield number, before.start_year, technology, N_("not begun")
            elif before is not None and after is not None and before.start_year != after.start_year:
                yield number, after.start_year, technology, N_("begun in another year")
            elif before is not None and after is not None and before.partner != after.partner:
                yield number, after.start_year, technology, N_("begun with another partner")


# --- words ----------------------------------------------------------------------------------------


def _page(run: _Run, table: pd.DataFrame, decisions: pd.DataFrame, order: list[dict[str, object]]) -> Page:
    scenario = run.posed.scenario
    lead = (_flexibility(run, table), *(_order_words(run, one) for one in order if one["more"] != ROLLING))
    named = table.assign(
        said=[_policy_words(str(row.policy), bool(row.allowed)) for row in table.itertuples()], order=range(len(table))
    )
    reading = _(
        "Static decides once. Rolling looks, on the first day of each fiscal year, at what has happened in that "
        "replication and at nothing else, imagines futures, and changes later starts and partners, or stops projects, "
        "where that is clearly better in them. Perfect information is no policy: it tells how much there is to know. "
        "All live through the same replications, none of which chose anything."
    )
    unit = unit_of_money(scenario.money_unit)
    columns = {
        "said": Column(_("Policy")),
        "worth": Column(_("Worth, {unit}").format(unit=unit), "money"),
        "worth_low": Column(_("from"), "money"),
        "worth_high": Column(_("to"), "money"),
        "n": Column(_("replications"), "count"),
        "gain": Column(_("more than static"), "money"),
        "gain_low": Column(_("at least"), "money"),
        "gain_high": Column(_("at most"), "money"),
    }
    shown = Table(_("Means, and paired differences to static whose intervals hold together"), named, columns)
    told = tuple(_decision_words(run, decisions))
    sections = [
        Section(_("Side by side"), (reading,), (_plot(named, unit),), (shown,)),
        Section(_("What is decided on the way"), told, (), _decision_tables(run, decisions)),
    ]
    return Page(_("Decide once, or every year"), scenario.title, lead, sections)


def _policy_words(policy: str, allowed: bool) -> str:
    if policy in _SAID:
        return _(_SAID[policy]).format(portfolio=_(OWN_TITLES[ONE_SHOT]))
    told = _("rule: {rule}") if allowed else _("rule: {rule} ({reason})")
    return told.format(rule=portfolio_title(policy), reason=_(NOT_ALLOWED))


def _gap_words(run: _Run, mean: float, low: float, high: float) -> str:
    told = _("{value} ({low} to {high})")
    return told.format(value=money(mean, run.posed.scenario), low=amount(low), high=amount(high))


def _flexibility(run: _Run, table: pd.DataFrame) -> str:
    row = table[table["policy"] == ROLLING].iloc[0]
    share = float(row["gain"]) / abs(float(table.loc[table["policy"] == STATIC, "worth"].iloc[0]) or 1.0)
    if row["gain_low"] > 0:
        told = _(
            "Deciding again each year is worth more than the plan decided once, by {gain}, {share} of it (paired, n = "
            "{number})."
        )
    elif row["gain_high"] < 0:
        told = _(
            "Deciding again each year is worse than the plan decided once, by {gain}, {share} of it (paired, n = "
            "{number}). The expected order fails here."
        )
    else:
        told = _(
            "Deciding again each year is not told apart from the plan decided once: {gain}, {share} of it (paired, n = "
            "{number})."
        )
    gain = _gap_words(run, float(row["gain"]), row["gain_low"], row["gain_high"])
    return told.format(gain=gain, share=numeral(share, ".1%"), number=row["n"])


_ORDERS = {
    "yes": N_("{more} is better than {less}: {gap}, n = {number}."),
    "no": N_("{more} is worse than {less}: {gap}, n = {number}. The expected order fails here."),
    "not told apart": N_("{more} is not told apart from {less}: {gap}, n = {number}."),
}
"""By whether the expected order holds."""


def _order_words(run: _Run, one: Mapping[str, object]) -> str:
    difference, low, high = (float(str(one[name])) for name in ("difference", "low", "high"))
    more, less = str(one["more"]), str(one["less"])
    return _(_ORDERS[str(one["holds"])]).format(
        more=capital(_short_title(more)),
        less=_short_title(less),
        gap=_gap_words(run, difference, low, high),
        number=one["n"],
    )


def _short_title(policy: str) -> str:
    """What a policy is called within a sentence."""
    own = {STATIC: _("static"), ROLLING: _("rolling"), FORESIGHT: _("perfect information")}
    return own[policy] if policy in own else portfolio_title(policy)


def _plot(named: pd.DataFrame, unit: str) -> Plot:
    return Plot(
        "policies",
        _("How far apart are they?"),
        _("Mean worth and its interval."),
        _("Intervals of means are wider than those of paired differences, which the table gives."),
        named,
        ("worth", _("worth, {unit}").format(unit=unit)),
        ("said", ""),
        kind="bars",
        low="worth_low",
        high="worth_high",
        tips={
            "said": Column(_("policy")),
            "worth": Column(_("worth"), "money"),
            "gain": Column(_("more than static"), "money"),
        },
    )


def _decision_words(run: _Run, decisions: pd.DataFrame) -> Iterator[str]:
    count = run.replications
    if decisions.empty:
        told = _("In none of {replications} replications was anything decided otherwise than planned.")
        yield told.format(replications=count)
        return
    kinds, each = Counter(decisions["decision"]), _("{decision}: {mean}")
    counts = [each.format(decision=_(kind), mean=f"{number / count:.2f}") for kind, number in kinds.most_common()]
    yield _(
        "In {number} of {replications} replications something was decided otherwise than planned. Projects for each "
        "replication: {decisions}."
    ).format(number=decisions["replication"].nunique(), replications=count, decisions=listing(counts))


def _decision_tables(run: _Run, decisions: pd.DataFrame) -> tuple[Table, ...]:
    if decisions.empty:
        return ()
    technologies, count = run.posed.scenario.technologies, run.replications
    decisions = decisions.assign(decision=[_(one) for one in decisions["decision"]])
    by_year = decisions.groupby(["year", "decision"]).size().div(count).rename("each").reset_index()
    most = decisions.groupby(["technology", "decision"]).size().div(count).rename("share").reset_index()
    most = most.sort_values(["share", "technology"], ascending=[False, True]).head(_MOST_SHOWN)
    most["name"] = [technologies[one].name for one in most["technology"]]
    return (
        Table(
            _("By fiscal year, projects for each replication"),
            by_year,
            {
                "year": Column(_("Year"), "year"),
                "decision": Column(_("Decision")),
                "each": Column(_("for each replication"), "money"),
            },
        ),
        Table(
            _("Technologies that are most often decided otherwise"),
            most,
            {
                "technology": Column(_("Technology")),
                "name": Column(_("Name")),
                "decision": Column(_("Decision")),
                "share": Column(_("of replications"), "share"),
            },
        ),
    )
