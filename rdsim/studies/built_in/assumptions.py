"""Which assumption is worth narrowing first: swing, chance that the decision changes, what knowing it is worth.

The plan lives through worlds drawn within the bounds; in each of them the decision is also made anew. Those portfolios
that gained most in their own worlds, on replications of their own, are the plan's rivals: what knowing an assumption is
worth is told among these (`rdsim.assumptions.information`), and so is at least so much, as far as is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from rdsim.arrays import Floats
from rdsim.assumptions import (
    PLAN,
    Deciding,
    Headline,
    Information,
    Measuring,
    OpenWorlds,
    Survey,
    break_even_sentence,
    headlines_of,
    information,
    level_words,
    near_choices,
    sentences,
    survey,
    survey_record,
    swings_of,
    turning_points,
    with_doubts,
    worlds_of,
)
from rdsim.brief import count
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault, ScenarioError
from rdsim.languages import N_, listing, pgettext, unit_of_money
from rdsim.languages import gettext as _
from rdsim.native.threads import cores, in_threads
from rdsim.numerals import numeral
from rdsim.optimiser import Solving
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.report.words import amount, span
from rdsim.search import AT_PLAN_RATIOS, Instance, Proposal, baselines, solving_of
from rdsim.stats import Interval, mean_interval
from rdsim.studies.built_in.parts import money, record_of, speaks_of
from rdsim.study import Study
from rdsim.words import source_words

__all__ = ["Extent", "assumptions"]

Progress = Callable[[str, int, int], None]

_RIVALS = 7
"""Portfolios beside the plan among which information is worth something."""

_FIRST = 64
"""Of the streams of decisions: those before are of break-evens."""

_FIRM = 0.90
_ONE_SIDED = 0.05
_QUICK_GAP = 0.02


@dataclass(frozen=True)
class Extent:
    """How far it is looked."""

    points: int = 48
    """Worlds drawn within the bounds."""
    replications: int = 200
    samples: int = 200
    """Of each option, behind decisions that are made anew."""
    repeats: int = 6
    """Times that each break-even is sought; 0: none is."""
    pairs: int = 12
    """Break-evens that are sought at most, the most doubtful signs first."""


def assumptions(
    posed: Instance,
    best: Proposal,
    *,
    extent: Extent = Extent(),
    solving: Solving = Solving(),
    progress: Progress = lambda _stage, _done, _total: None,
) -> Study:
    """Rank a scenario's assumptions, for a portfolio in its own terms.

    Raises: ScenarioError if the scenario states none, and with every bound at which it would be no scenario.
    """
    worlds = worlds_of(posed.scenario)
    if not worlds.names:
        rule = "must state what is assumed: no table of it has bounds"
        raise ScenarioError((Fault("assumptions", rule, "none", "Add [assumptions.NAME] to scenario.toml."),))
    return _study(_Run(posed, best, worlds, extent, _quick(posed, solving), progress))


def _quick(posed: Instance, solving: Solving) -> Solving:
    """How decisions that are made again and again are solved."""
    known = solving_of(posed.scenario, solving)
    return replace(known, gap=max(known.gap or 0.0, _QUICK_GAP), effort="quick")


@dataclass(frozen=True, eq=False)
class _Run:
    """What is known, each part once."""

    posed: Instance
    best: Proposal
    worlds: OpenWorlds
    extent: Extent
    solving: Solving
    progress: Progress

    @property
    def scenario(self) -> Scenario:
        return self.posed.scenario

    @property
    def confidence(self) -> float:
        return self.scenario.simulation.confidence

    @cached_property
    def measuring(self) -> Measuring:
        return Measuring(self.extent.replications, self.posed.seed, self.posed.running)

    @cached_property
    def rules(self) -> dict[str, Portfolio]:
        """The simple rules with the plan's freedom."""
        ratios = self.best.payment_ratios
        how = self.posed
        made = baselines(self.scenario, self.best, payment_ratios=ratios, seed=how.seed, running=how.running)
        ending = "" if all(f"{ratio:.3f}" == "1.000" for ratio in ratios.values()) else AT_PLAN_RATIOS
        return {f"{name}{ending}": rule.portfolio for name, rule in made.items()}

    @cached_property
    def deciding(self) -> Deciding:
        one = self.extent
        return Deciding(self.measuring, one.samples, dict(self.best.payment_ratios), solving=self.solving)

    @cached_property
    def survey(self) -> Survey:
        """Headlines in the worlds, and break-evens of those that have a sign."""
        portfolios, headlines = {PLAN: self.best.portfolio, **self.rules}, headlines_of(self.scenario, self.rules)
        own = self.measuring.of(self.scenario, portfolios, headlines)
        luck = {one: self._interval(one, samples) for one, samples in zip(headlines, own, strict=True)}
        found = survey(self.worlds, portfolios, luck, self.measuring, self.extent.points, self.progress)
        doubted = with_doubts(found, [one for one in headlines if one.figure == "npv"])
        return turning_points(doubted, self.deciding, self.extent.repeats, self.extent.pairs, self.progress)

    def _interval(self, headline: Headline, samples: Floats) -> Interval:
        """A mean with its interval; leads hold together."""
        together = len(self.rules) if headline.rule else 1
        return mean_interval(samples, 1 - (1 - self.confidence) / together)

    # ------------------------------------------------------------ decisions made anew

    @cached_property
    def decisions(self) -> list[dict[str, Portfolio]]:
        """The portfolios of each world, decided there on samples of their own; {} where none keeps every rule."""
        running = self.posed.running
        alone = replace(self.deciding, measuring=replace(self.measuring, running=replace(running, threads=1)))
        worlds = [self.worlds.point(row) for row in self.survey.levels]
        jobs = (partial(_decision_in, alone, number, world) for number, world in enumerate(worlds))
        found = []
        for each in in_threads(jobs, 1 if running.engine == "simpy" else running.threads or cores()):
            found.append(each)
            self.progress("decide", len(found), len(worlds))
        return found

    @cached_property
    def rivals(self) -> list[Portfolio]:
        """Other portfolios than the plan: those that gained most over it in their worlds, on replications of theirs."""
        gains: dict[object, tuple[float, Portfolio]] = {}
        for number, each in enumerate(self.decisions):
            if PLAN in each and each[PLAN].choices != self.best.portfolio.choices:
                gain = self._gain(number, each[PLAN])
                key = each[PLAN].choices
                if gain > gains.get(key, (0.0, None))[0]:
                    gains[key] = (gain, each[PLAN])
        ordered = sorted(gains.values(), key=lambda one: -one[0])
        return [portfolio for _, portfolio in ordered[:_RIVALS]]

    def _gain(self, number: int, other: Portfolio) -> float:
        """What a portfolio is worth more than the plan where it was decided, on replications that tell nothing else."""
        world = self.worlds.point(self.survey.levels[number])
        judge = self.deciding.judge(_FIRST + number)
        return float((judge.worth(world, other) - judge.worth(world, self.best.portfolio)).mean())

    @cached_property
    def worths(self) -> Floats:
        """(M, D, n) what the plan and its rivals are worth in each world, in replications that all share."""
        told = replace(self.measuring, running=replace(self.posed.running, threads=1))
        jobs = (partial(_worths, told, self.worlds, row, self.rivals) for row in self.survey.levels)
        workers = 1 if self.posed.running.engine == "simpy" else self.posed.running.threads or cores()
        others = np.array(list(in_threads(jobs, workers)))
        return np.concatenate([self.survey.found[:, :1], others], axis=1)  # net value is the first headline

    @cached_property
    def information(self) -> dict[str, Information]:
        """What it is worth to know each assumption."""
        zone = self.scenario.optimiser.search.indifference * abs(float(self.survey.own[0].mean()))
        return {
            name: information(
                self.survey.shares, k, self.worths, zone=zone, confidence=self.confidence, seed=self.posed.seed % 2**32
            )
            for k, name in enumerate(self.worlds.names)
        }

    @cached_property
    def swings(self) -> dict[str, tuple[float, float, Interval]]:
        """By assumption: the plan's mean net value at the lower and at the upper bound, and the paired difference."""
        worth = headlines_of(self.scenario)[:1]
        found = swings_of(self.worlds, {PLAN: self.best.portfolio}, worth, self.measuring)
        return {one.assumption: (one.at_low, one.at_high, one.difference) for one in found}


def _decision_in(deciding: Deciding, number: int, world: Scenario) -> dict[str, Portfolio]:
    """What is chosen in a world, of the options that are near its relaxation's optimum."""
    near = replace(deciding, choices=near_choices([world], deciding))
    return near.portfolios(number, world, _FIRST + number)


def _worths(measuring: Measuring, worlds: OpenWorlds, row: Floats, portfolios: Sequence[Portfolio]) -> Floats:
    world = worlds.point(row)
    worths = [measuring.worth(world, one) for one in portfolios]
    return np.array(worths).reshape(len(portfolios), measuring.replications)


# --- what is told ---------------------------------------------------------------------------------


def _study(run: _Run) -> Study:
    ranked, decisions = _ranking(run), _decisions(run)
    widths = pd.DataFrame([_width_row(one) for one in survey_record(run.survey)["widths"]])
    turns = pd.DataFrame(survey_record(run.survey)["break_evens"], columns=list(_TURN_COLUMNS))
    record = {
        **record_of(run.posed),
        "assumptions": {
            **survey_record(run.survey),
            "rivals": len(run.rivals),
            "samples": run.extent.samples,
            "ranking": ranked.to_dict("records"),
        },
    }
    page = _page(run, ranked, decisions)
    known = {"widths": widths, "break_evens": turns, "worlds": run.survey.table()}
    tables = {"assumptions": ranked, "decided": decisions, **known}
    portfolios = {f"rival-{number}": one for number, one in enumerate(run.rivals, start=1)}
    study = Study("assumptions", run.scenario, run.posed.seed, page, tables, record, portfolios)
    return speaks_of(replace(study, replications=run.extent.replications), run.best)


_TURN_COLUMNS = (
    "headline", "assumption", "value", "low", "high", "above_nothing", "at_low", "at_high", "repeats",
)  # fmt: skip


def _width_row(one: Mapping[str, object]) -> dict[str, object]:
    wider = one["with_assumptions"]
    assert isinstance(wider, dict)  # noqa: S101 - a record of widths has both
    rest = {name: value for name, value in one.items() if name != "with_assumptions"}
    return {**rest, "worlds_low": wider["low"], "worlds_high": wider["high"], "worlds": wider["n"]}


def _ranking(run: _Run) -> pd.DataFrame:
    """A row for each assumption, that which is worth most to know first."""
    rows = []
    for name, one in run.worlds.assumptions.items():
        (at_low, at_high, swing), known = run.swings[name], run.information[name]
        rows.append(
            {
                "assumption": name,
                "label": run.worlds.label(name),
                "grade": one.grade,
                "low": one.low,
                "high": one.high,
                "own": math.nan if (own := run.worlds.own(name)) is None else own,
                "value_at_low": at_low,
                "value_at_high": at_high,
                **_limits("swing", swing),
                **_limits("change", known.change),
                **_limits("information", known.value),
                "why": source_words(run.scenario, one.why),
            }
        )
    table = pd.DataFrame(rows)
    order = table.assign(size=table["swing"].abs()).sort_values(["information", "size"], ascending=False, kind="stable")
    return order.drop(columns="size").reset_index(drop=True)


def _limits(name: str, one: Interval) -> dict[str, float]:
    return {name: one.mean, f"{name}_low": one.low, f"{name}_high": one.high}


def _decisions(run: _Run) -> pd.DataFrame:
    """How often technologies and partners are chosen where assumptions are otherwise, with a one-sided lower limit."""
    made = [each[PLAN] for each in run.decisions if PLAN in each]
    rows = []
    for kind, chosen in (("technology", _technologies), ("partner", _partners)):
        mine = chosen(run.best.portfolio)
        every = sorted(mine.union(*(chosen(one) for one in made)))
        for name in every:
            times = sum(name in chosen(one) for one in made)
            rows.append((kind, name, name in mine, times / max(len(made), 1), _least(times, len(made)), len(made)))
    return pd.DataFrame(rows, columns=["kind", "name", "in_plan", "share", "share_low", "n"])


def _technologies(one: Portfolio) -> set[str]:
    return {choice.technology for choice in one}


def _partners(one: Portfolio) -> set[str]:
    return {choice.partner for choice in one if choice.partner}


def _least(times: int, every: int) -> float:
    """One-sided 95% lower limit of a share (Clopper & Pearson 1934)."""
    return 0.0 if times == 0 else float(betaincinv(times, every - times + 1, _ONE_SIDED))


# --- words ----------------------------------------------------------------------------------------


def _page(run: _Run, ranked: pd.DataFrame, decisions: pd.DataFrame) -> Page:
    head, *rest = sentences(run.survey)
    lead = (_worth_words(run, ranked), *_turn_words(run), _firm_words(run, decisions))
    sections = (
        Section(
            _("Which is worth narrowing first?"),
            (_reading(run),),
            (_plot(run, ranked),),
            (_ranking_table(run, ranked),),
        ),
        Section(_("How wide are the headlines, and what turns them?"), (head, *rest)),
        Section(
            _("What is chosen where assumptions are otherwise?"), _decision_words(run), (), _decision_tables(decisions)
        ),
    )
    return Page(_("What is not known"), run.scenario.title, lead, sections)


def _worth_words(run: _Run, ranked: pd.DataFrame) -> str:
    first = ranked.iloc[0]
    where = {"portfolios": count(len(run.rivals) + 1, "portfolio"), "number": run.extent.points}
    if first["information_high"] <= 0:
        told = _(
            "Nothing is shown to be worth knowing before deciding: no other portfolio was found better (among "
            "{portfolios}, over {number} worlds)."
        )
        return told.format(**where)
    told = (
        _(
            "To know before deciding, worth most: {assumption}, {value} ({interval}) (among {portfolios}, over "
            "{number} worlds)."
        )
        if first["information_low"] > 0
        else _(
            "To know before deciding, worth most: {assumption}, {value} ({interval}), which is not shown to be more "
            "than nothing (among {portfolios}, over {number} worlds)."
        )
    )
    return told.format(
        assumption=first["label"],
        value=money(float(first["information"]), run.scenario),
        interval=span(first["information_low"], first["information_high"]),
        **where,
    )


def _turn_words(run: _Run) -> Iterator[str]:
    for one in run.survey.break_evens:
        if one.is_within:
            yield break_even_sentence(run.worlds, one)


def _firm_words(run: _Run, decisions: pd.DataFrame) -> str:
    mine = decisions[decisions["in_plan"].astype(bool)]
    parts = []
    nouns = {"technology": N_("{number} of its {all} technologies"), "partner": N_("{number} of its {all} partners")}
    for kind, told in nouns.items():
        some = mine[mine["kind"] == kind]
        if len(some):
            parts.append(_(told).format(number=int((some["share_low"] >= _FIRM).sum()), all=len(some)))
    made = sum(PLAN in each for each in run.decisions)
    return _(
        "Decided anew in {worlds} within the bounds, {parts} of the plan are chosen in at least {share} of such worlds "
        "(one-sided 95% limit)."
    ).format(worlds=count(made, "world"), parts=listing(parts) or _("nothing"), share=f"{_FIRM:.0%}")


def _reading(run: _Run) -> str:
    return _(
        "Each assumption is taken to lie anywhere within its bounds, independent of others. Swing: net value of the "
        "plan at the upper bound less that at the lower, all else as it stands (paired; intervals hold together). "
        "Decision changes: how likely another portfolio is better than the plan by more than the indifference zone, "
        "the one assumption known. Worth knowing: what is gained on average by choosing among the plan and its rivals "
        "once it is known (n = {number} worlds; the interval is rather too wide than too narrow)."
    ).format(number=run.extent.points)


def _plot(run: _Run, ranked: pd.DataFrame) -> Plot:
    return Plot(
        "worth-knowing",
        _("What is it worth to know each assumption before deciding?"),
        _("Expected gain and its interval."),
        _("Where the interval begins at nothing, no gain is shown."),
        ranked,
        ("information", _("worth, {unit}").format(unit=unit_of_money(run.scenario.money_unit))),
        ("label", ""),
        kind="bars",
        low="information_low",
        high="information_high",
        tips={
            "label": Column(pgettext("axis", "assumption")),
            "information": Column(_("worth"), "money"),
            "swing": Column(_("swing"), "money"),
        },
    )


def _ranking_table(run: _Run, ranked: pd.DataFrame) -> Table:
    unit, told = unit_of_money(run.scenario.money_unit), _("{share} ({low} to {high})")
    shown = ranked.assign(
        grade=[_(one) for one in ranked["grade"]],
        bounds=[_bounds(run.worlds, name) for name in ranked["assumption"]],
        swings=_spans(ranked, "swing"),
        worth=_spans(ranked, "information"),
        changes=[
            told.format(share=numeral(mean, ".0%"), low=numeral(low, ".0%"), high=numeral(high, ".0%"))
            for mean, low, high in ranked[["change", "change_low", "change_high"]].itertuples(index=False)
        ],
    )
    columns = {
        "label": Column(_("Assumption")),
        "bounds": Column(_("Bounds")),
        "worth": Column(_("Worth knowing, {unit}").format(unit=unit)),
        "changes": Column(_("Decision changes")),
        "swings": Column(_("Swing of the plan's value, {unit}").format(unit=unit)),
        "grade": Column(_("Grade")),
        "why": Column(_("Why these bounds")),
    }
    return Table(_("By what it is worth to know them, then by swing"), shown, columns)


def _bounds(worlds: OpenWorlds, name: str) -> str:
    low, high = (level_words(worlds, name, worlds.end(name, end)) for end in ("low", "high"))
    return _("{low} to {high}").format(low=low, high=high)


def _spans(table: pd.DataFrame, name: str) -> list[str]:
    rows = table[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
    told = _("{amount} ({interval})")
    return [told.format(amount=amount(mean), interval=span(low, high)) for mean, low, high in rows]


def _decision_words(run: _Run) -> tuple[str, ...]:
    none = sum(not each for each in run.decisions)
    told = _(
        "In each world drawn within the bounds the decision is made anew, on samples of its own: near the optimum of "
        "the options alone, at the plan's payment ratios, without the loop."
    )
    if not none:
        return (told,)
    return (told, _("In {worlds} no portfolio keeps every rule.").format(worlds=count(none, "world")))


def _decision_tables(decisions: pd.DataFrame) -> tuple[Table, ...]:
    columns = {
        "name": Column(_("Name")),
        "chosen": Column(_("In the plan")),
        "share": Column(_("of worlds"), "share"),
        "share_low": Column(_("at least"), "share"),
    }
    shown = decisions.assign(chosen=[_("yes") if one else _("no") for one in decisions["in_plan"]])
    captions = {
        "technology": N_("Technologies, by how often they are chosen"),
        "partner": N_("Partners, by how often they are chosen"),
    }
    return tuple(
        Table(_(caption), some.sort_values("share", ascending=False), columns)
        for kind, caption in captions.items()
        if len(some := shown[shown["kind"] == kind])
    )
