"""Where more effort would pay: what further samples, a smaller gap, the loop, re-deciding and knowing more would add.

A repeat goes through the whole procedure with a seed of its own: options are sampled, portfolios chosen, and judged on
replications that chose nothing. What a step adds is a mean of paired differences in a repeat, and its interval is over
the repeats: the noise of deciding is in it as well as luck. All intervals hold together (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from rdsim.arrays import Floats
from rdsim.domain import Portfolio
from rdsim.errors import Fault, ProblemError
from rdsim.languages import N_, unit_of_money
from rdsim.languages import gettext as _
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.report.words import amount, capital, span
from rdsim.rolling import Policy, Rolled, foresee, roll, supply_of
from rdsim.search import Instance, Loop, Proposal, Refined, build_instance, choose, improve, refine, solving_of
from rdsim.search.views import ratios_of
from rdsim.simulation import expected_worths
from rdsim.stats import mean_interval
from rdsim.streams import EFFORT
from rdsim.studies.built_in.parts import money, record_of, speaks_of
from rdsim.study import Study
from rdsim.titles import ONE_SHOT, OWN_TITLES, PLAN

__all__ = ["Repeating", "payoff"]

Progress = Callable[[str, int, int], None]

_SMALLER = 10.0
"""By so much the smaller gap is smaller."""


@dataclass(frozen=True)
class Repeating:
    """How often everything is decided anew, and how much more effort is tried."""

    repeats: int = 5
    """Seeds, each with samples and replications of its own."""
    more: int = 2
    """Times as many samples behind each option."""
    rolled: int = 24
    """Replications of each repeat in which every year is decided anew; 0: none."""
    foresight: int = 8
    """Of these, so many with the luck of R&D known; 0: none."""
    futures: int = 64
    """Imagined for each decision."""


class _Step(NamedTuple):
    """A step of effort: what it is, and what it is added to."""

    name: str
    added_to: str


_ONE_SHOT, _PLAN, _ROLLING = OWN_TITLES[ONE_SHOT], PLAN, N_("deciding again each year")

_SAMPLES = _Step(N_("more samples"), _ONE_SHOT)
_GAP = _Step(N_("a smaller gap"), _ONE_SHOT)
_LOOP = _Step(N_("the loop"), _ONE_SHOT)
_BOTH = _Step(N_("more samples before the loop"), _PLAN)
_AGAIN = _Step(_ROLLING, _PLAN)
_KNOWING = _Step(N_("knowing the luck of R&D"), _ROLLING)

_NO_PORTFOLIO = N_("This speaks of no one portfolio: in every repeat all of them are chosen anew.")


def payoff(
    posed: Instance,
    *,
    replications: int = 200,
    repeating: Repeating = Repeating(),
    solving: Solving = Solving(),
    progress: Progress = lambda _stage, _done, _total: None,
) -> Study:
    """What each step of effort adds to the simulated worth, with an interval over repeats of the whole procedure.

    The first repeat is the problem as posed; every other has a seed of its own. Worths are those given how R&D went
    (`rdsim.expectation`) in `replications` of each repeat; deciding again and knowing more are tried in the first of
    them. What knowing adds is a limit of what any better information about R&D could.

    Raises: ProblemError for numbers that cannot be; InfeasibleError and SolverError as `choose`.
    """
    _check(replications, repeating)
    how = solving_of(posed.scenario, solving)
    gains, levels, plans = list[Mapping[_Step, float]](), list[float](), dict[str, Portfolio]()
    for number in range(repeating.repeats):
        progress("repeat", number, repeating.repeats)
        repeat = _Repeat(_posed_anew(posed, number), how, replications, repeating)
        gains.append(dict(repeat.gains()))
        levels.append(float(repeat.plan_worths.mean()))
        plans[f"plan-{number + 1}"] = repeat.plan
    progress("repeat", repeating.repeats, repeating.repeats)
    confidence = posed.scenario.simulation.confidence
    margin = posed.scenario.optimiser.search.indifference * abs(float(np.mean(levels)))
    table = pd.DataFrame(list(_rows(gains, confidence, margin)))
    each = pd.DataFrame([{step.name: gain for step, gain in one.items()} for one in gains])
    each.insert(0, "repeat", range(1, repeating.repeats + 1))
    record = {
        **record_of(posed),
        "payoff": {**asdict(repeating), "replications": replications, "gap": how.gap, "margin": margin},
    }
    page = _page(posed, table, repeating, replications, margin)
    study = Study("payoff", posed.scenario, posed.seed, page, {"payoff": table, "repeats": each}, record, plans)
    return speaks_of(study, None, _(_NO_PORTFOLIO))


def _check(replications: int, asked: Repeating) -> None:
    rules = (
        ("replications", replications >= 2, "must be a whole number of at least 2", replications),
        ("repeats", 2 <= asked.repeats <= EFFORT.size, "must be a whole number of at least 2", asked.repeats),
        ("more", asked.more >= 2, "must be a whole number of at least 2", asked.more),
        ("rolled", 0 <= asked.rolled <= replications, "must be from 0 to replications", asked.rolled),
        ("foresight", 0 <= asked.foresight <= asked.rolled, "must be from 0 to rolled", asked.foresight),
        ("futures", 8 <= asked.futures <= 512, "must be a whole number from 8 to 512", asked.futures),
    )
    faults = tuple(Fault(where, rule, repr(found)) for where, holds, rule, found in rules if not holds)
    if faults:
        raise ProblemError(faults)


def _posed_anew(posed: Instance, number: int) -> Instance:
    """The problem of a repeat: as posed, or with all luck another's."""
    if number == 0:
        return posed
    seed = stream_seed(posed.seed, EFFORT.number(number))
    return build_instance(posed.scenario, samples=posed.samples, seed=seed, running=posed.running)


@dataclass(frozen=True, eq=False)
class _Repeat:
    """The procedure gone through once."""

    posed: Instance
    solving: Solving
    replications: int
    asked: Repeating

    def gains(self) -> Iterator[tuple[_Step, float]]:
        """What each step adds here."""
        larger, base = refine(self._larger(), self.solving), self.worths(self._one_shot.portfolio)
        chosen = choose(larger, self.solving)
        yield _SAMPLES, self._gain(chosen.portfolio, base)
        if self.solving.gap:
            closer = choose(self._refined_instance, replace(self.solving, gap=self.solving.gap / _SMALLER))
            yield _GAP, self._gain(closer.portfolio, base)
        yield _LOOP, float((self.plan_worths - base).mean())
        yield _BOTH, self._gain(improve(larger, chosen, self.solving).proposal.portfolio, self.plan_worths)
        yield from self._knowing_more()

    def _knowing_more(self) -> Iterator[tuple[_Step, float]]:
        asked = self.asked
        if not asked.rolled:
            return
        rolled = self._rolling()
        yield _AGAIN, float((rolled.worths - self.plan_worths[: asked.rolled]).mean())
        if asked.foresight:
            known = foresee(self.posed, self.plan, range(asked.foresight), solving=self.solving)
            yield _KNOWING, float((known - rolled.worths[: asked.foresight]).mean())

    def _larger(self) -> Instance:
        """The same luck, and more of it."""
        posed = self.posed
        count = self.asked.more * posed.samples
        return build_instance(posed.scenario, samples=count, seed=posed.seed, running=posed.running)

    @cached_property
    def _refined_instance(self) -> Refined:
        return refine(self.posed, self.solving)

    @cached_property
    def _one_shot(self) -> Proposal:
        return choose(self._refined_instance, self.solving)

    @cached_property
    def _loop(self) -> Loop:
        return improve(self._refined_instance, self._one_shot, self.solving)

    @property
    def plan(self) -> Portfolio:
        """The portfolio that the loop finds."""
        return self._loop.proposal.portfolio

    @cached_property
    def plan_worths(self) -> Floats:
        """What the plan is worth in each replication of the repeat, (R,)."""
        return self.worths(self.plan)

    def _rolling(self) -> Rolled:
        supply = supply_of(self.posed, self.plan, means=self._loop.means, solving=self.solving)
        ratios = ratios_of(self.posed.scenario, self.posed.problem, self._loop.proposal.solution.chosen)
        return roll(supply, Policy(ratios, futures=self.asked.futures), self.plan, range(self.asked.rolled))

    def _gain(self, portfolio: Portfolio, base: Floats) -> float:
        return float((self.worths(portfolio) - base).mean())

    def worths(self, portfolio: Portfolio) -> Floats:
        """Worth in each replication of the repeat, (R,)."""
        posed, count = self.posed, self.replications
        return expected_worths(posed.scenario, portfolio, replications=count, seed=posed.seed, running=posed.running)[0]


# --- what is found --------------------------------------------------------------------------------

ADDS, NOTHING = N_("adds"), N_("adds nothing that matters")
TAKES, UNKNOWN = N_("takes away"), N_("not known")


def _rows(gains: Sequence[Mapping[_Step, float]], confidence: float, margin: float) -> Iterator[dict[str, object]]:
    """What each step adds, with its verdict; a repeat has every step."""
    level = 1 - (1 - confidence) / len(gains[0])
    for step in gains[0]:
        values = np.array([one[step] for one in gains])
        found = mean_interval(values, level)
        told = _verdict(found.low, found.high, margin)
        yield {
            "step": step.name,
            "added_to": step.added_to,
            "adds": found.mean,
            "low": found.low,
            "high": found.high,
            "n": found.n,
            "verdict": told,
            "repeats_needed": _repeat_count(values, level, margin) if told == UNKNOWN else found.n,
        }


def _verdict(low: float, high: float, margin: float) -> str:
    if -margin <= low and high <= margin:
        return NOTHING
    return ADDS if low > 0 else TAKES if high < 0 else UNKNOWN


def _repeat_count(values: Floats, level: float, margin: float) -> int:
    """About how many repeats it takes to know the gain to within the margin, or its sign if it is larger."""
    width = max(margin, abs(float(values.mean())))
    spread = float(values.std(ddof=1)) * float(ndtri((1 + level) / 2))
    return len(values) if width == 0 else max(len(values) + 1, math.ceil((spread / width) ** 2))


# --- words ----------------------------------------------------------------------------------------


def _page(posed: Instance, table: pd.DataFrame, asked: Repeating, replications: int, margin: float) -> Page:
    scenario, unit = posed.scenario, unit_of_money(posed.scenario.money_unit)
    reading = _(
        "Each of {repeats} repeats samples options, chooses portfolios and judges them anew, on {replications} "
        "replications of its own. Intervals are over the repeats, so that they hold the noise of deciding as well as "
        "luck; all hold together with {confidence}. A step adds nothing that matters if its interval lies within "
        "{margin} of none. More samples: {times} times {samples} behind each option. A smaller gap: a tenth of it. "
        "What knowing the luck of R&D adds is a limit of what any better information about it could."
    ).format(
        repeats=asked.repeats,
        replications=f"{replications:,}",
        confidence=f"{scenario.simulation.confidence:.0%}",
        margin=money(margin, scenario),
        times=asked.more,
        samples=f"{posed.samples:,}",
    )
    said = _("{step} (to {portfolio})")
    words = {name: [_(one) for one in table[name]] for name in ("step", "added_to", "verdict")}
    pairs = zip(words["step"], words["added_to"], strict=True)
    named = table.assign(
        order=range(len(table)), **words, said=[said.format(step=step, portfolio=whose) for step, whose in pairs]
    )
    columns = {
        "step": Column(_("Effort")),
        "added_to": Column(_("added to")),
        "adds": Column(_("adds, {unit}").format(unit=unit), "money"),
        "low": Column(_("from"), "money"),
        "high": Column(_("to"), "money"),
        "n": Column(_("repeats"), "count"),
        "verdict": Column(_("Verdict")),
        "repeats_needed": Column(_("repeats to know"), "count"),
    }
    shown = Table(_("What each step of effort adds to the simulated worth"), named, columns)
    lead = tuple(_sentence(row, unit) for row in table.to_dict("records"))
    section = Section(_("Where effort pays"), (reading,), (_plot(named, unit),), (shown,))
    return Page(_("What more effort would add"), scenario.title, lead, (section,))


def _sentence(row: Mapping[object, object], unit: str) -> str:
    mean, low, high = (float(str(row[name])) for name in ("adds", "low", "high"))
    told = (
        _("{step}, added to {portfolio}: {amount} {unit} ({interval}): {verdict}; about {repeats} repeats would tell.")
        if row["verdict"] == UNKNOWN
        else _("{step}, added to {portfolio}: {amount} {unit} ({interval}): {verdict}.")
    )
    return told.format(
        step=capital(_(str(row["step"]))),
        portfolio=_(str(row["added_to"])),
        amount=amount(mean),
        unit=unit,
        interval=span(low, high),
        verdict=_(str(row["verdict"])),
        repeats=f"{row['repeats_needed']:,}",
    )


def _plot(named: pd.DataFrame, unit: str) -> Plot:
    return Plot(
        "payoff",
        _("Where does effort pay?"),
        _("What each step adds, and its interval."),
        _("An interval across nothing does not tell whether the step adds or takes away."),
        named,
        ("adds", _("adds, {unit}").format(unit=unit)),
        ("said", ""),
        kind="bars",
        low="low",
        high="high",
        tips={"said": Column(_("effort")), "adds": Column(_("adds"), "money"), "verdict": Column(_("verdict"))},
    )
