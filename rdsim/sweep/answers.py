"""Answers: sentences of an experiment file, in which figures of the sweep stand in place of what is in braces.

==========================================  ==============================================================
``{METRIC}``                                the estimate with its interval; of several points that of their mean
``{METRIC: A over B of FACTOR}``            the difference between two levels, paired
``{best METRIC by FACTOR}``, ``{least ..}`` the level with the highest (lowest) metric, what is no worse within the
                                            difference that matters, and what is not told apart
``{first FACTOR where METRIC >= 1}``        the first level at which that is shown, and where it is not known; also of a
                                            difference
``{chosen}``                                technologies funded in all points, and in which share of them others are
==========================================  ==============================================================

Each may end with conditions on other factors: ``{npv | policy = one-shot; calibration = strict}``. Differences are
paired by repeat where deciding is repeated, by replication where the experiment keeps them (``paired = true``, the
first metric), and by world in a sampled design; without any of these they cannot be told, and are refused. All
comparisons of a sentence hold together (Bonferroni).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from rdsim.designs import SAMPLED
from rdsim.errors import Fault
from rdsim.numerals import numeral
from rdsim.report.words import ALIKE, amount, is_point
from rdsim.stats import Interval, paired_difference, proportion_interval
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.repeats import both_errors, repeats_of, units_words
from rdsim.sweep.verdicts import Claim, Statement, claim_of, effort_words
from rdsim.tables import did_you_mean

__all__ = [
    "Names",
    "answers",
    "answers_faults",
    "between",
    "count_words",
    "first_comparison",
    "metric_words",
    "statements",
]

_BRACES = re.compile(r"\{([^{}]*)\}")
_LIMIT = re.compile(r"(.+?)\s*(>=|<=|>|<)\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*$")
_OFTEN = 0.25
_UNKNOWN = "(not known: no such point is done)"


@dataclass(frozen=True)
class Names:
    """What an answer may speak of: metrics in order, and factors with the levels that are listed ('' texts of none)."""

    metrics: tuple[str, ...]
    factors: Mapping[str, tuple[str, ...]]
    kept: bool  # replications of the first metric
    sampled: bool
    chooses: bool = False  # at each point: every task but simulate
    repeats: int = 1

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Names:
        """The names of a sweep that ran."""
        levels = {name: tuple(one["levels"]) for name, one in manifest["factors"].items()}
        sampled, chooses = manifest["design"]["kind"] in SAMPLED, manifest["task"] != "simulate"
        return cls(tuple(manifest["metrics"]), levels, manifest["paired"], sampled, chooses, repeats_of(manifest))

    def pairs(self, metric: str) -> bool:
        """Whether differences of a metric can be told."""
        return self.sampled or self.repeats > 1 or (self.kept and metric == self.metrics[0])


@dataclass(frozen=True)
class _Ask:
    """What stands in braces."""

    kind: Literal["figure", "best", "least", "first", "chosen"]
    metric: str
    factor: str = ""  # whose levels are gone through
    pair: tuple[str, str, str] | None = None  # of a difference: two levels and their factor
    sign: str = ""
    number: float = 0.0
    where: tuple[tuple[str, str], ...] = ()


class _UnfitError(ValueError):
    """Why braces are no question: the rule, what was found, a suggestion."""

    def __init__(self, rule: str, found: str = "", advice: str = "") -> None:
        super().__init__(rule, found, advice)


# --- reading the sentences ------------------------------------------------------------------------


def answers_faults(texts: Sequence[str], names: Names) -> Iterator[Fault]:
    """What is wrong with sentences, before anything runs."""
    for number, text in enumerate(texts, start=1):
        for braces in _BRACES.findall(text):
            try:
                _parse(braces, names)
            except _UnfitError as unfit:
                rule, found, advice = unfit.args
                yield Fault(f"answers, entry {number}, {{{braces}}}", rule, found, advice)


def first_comparison(
    texts: Sequence[str], names: Names, metric: str, rows: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Of a table of levels the rows whose difference in a metric the sentences ask for first: those of one level, and
    those of the other, pair by pair; None if they ask for none."""
    for braces in (one for text in texts for one in _BRACES.findall(text)):
        ask = _parse(braces, names)
        if ask.metric == metric and ask.pair is not None:
            return _pairs(_where(rows, ask.where), *ask.pair, tuple(names.factors))
    return None


def _pairs(
    rows: pd.DataFrame, first: str, second: str, factor: str, factors: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The rows of two levels of a factor that are alike in all others, in the same order; None if there are none."""
    others = [name for name in factors if name != factor]
    mine, theirs = (rows[_is(rows[factor], level)].assign(every=0) for level in (first, second))
    both = mine.reset_index().merge(theirs.reset_index(), on=[*others, "every"], suffixes=("", " other"))
    return None if both.empty else (rows.loc[both["index"]], rows.loc[both["index other"]])


def _parse(text: str, names: Names) -> _Ask:
    body, _, conditions = text.partition("|")
    where = tuple(_condition(one, names) for one in conditions.split(";") if one.strip())
    body = body.strip()
    if body == "chosen":
        if not names.chooses:
            raise _UnfitError("only a task that chooses at each point tells what is chosen")
        return _Ask("chosen", names.metrics[0], where=where)
    for kind in ("best", "least"):
        if body.startswith(f"{kind} "):
            metric, by, factor = body.removeprefix(kind).rpartition(" by ")
            if not by:
                raise _UnfitError(f"must be '{kind} METRIC by FACTOR'")
            return _Ask(kind, _metric(metric, names), _listed_factor(factor, names), where=where)
    if body.startswith("first "):
        return _first(body, where, names)
    metric, pair = _figure(body, names)
    return _Ask("figure", metric, pair=pair, where=where)


def _first(body: str, where: tuple[tuple[str, str], ...], names: Names) -> _Ask:
    factor, _, claim = body.removeprefix("first ").partition(" where ")
    found = _LIMIT.fullmatch(claim.strip())
    if found is None:
        raise _UnfitError("must be 'first FACTOR where METRIC >= NUMBER' (or <=, >, <)")
    metric, pair = _figure(found[1], names)
    return _Ask("first", metric, _listed_factor(factor, names), pair, found[2], float(found[3]), where)


def _figure(text: str, names: Names) -> tuple[str, tuple[str, str, str] | None]:
    """A metric, or the difference of a metric between two levels."""
    metric, colon, rest = text.partition(":")
    if not colon:
        return _metric(text, names), None
    levels, of, factor = rest.rpartition(" of ")
    first, over, second = levels.partition(" over ")
    if not (of and over):
        raise _UnfitError("must be 'METRIC: A over B of FACTOR'")
    factor = _listed_factor(factor, names)
    found = _metric(metric, names)
    if not names.pairs(found):
        rule = "a difference needs repeats, or replications that are kept: paired = true, and the metric named first"
        raise _UnfitError(rule, found)
    return found, (_level(first, factor, names), _level(second, factor, names), factor)


def _condition(text: str, names: Names) -> tuple[str, str]:
    factor, sign, level = text.partition("=")
    if not sign:
        raise _UnfitError("a condition must be 'FACTOR = LEVEL'", text.strip())
    name = _factor(factor, names)
    return name, _level(level, name, names)


def _metric(text: str, names: Names) -> str:
    return _require(text, names.metrics, "metric")


def _factor(text: str, names: Names) -> str:
    return _require(text, names.factors, "factor")


def _listed_factor(text: str, names: Names) -> str:
    name = _factor(text, names)
    if not names.factors[name]:
        raise _UnfitError("must be a factor whose levels are listed", name)
    return name


def _level(text: str, factor: str, names: Names) -> str:
    level, listed = text.strip(), names.factors[factor]
    same = [one for one in listed if one == level or (_number(one) is not None and _number(one) == _number(level))]
    if listed and not same:
        advice = "" if _number(level) is not None else did_you_mean(level, listed)
        raise _UnfitError(f"must be a level of {factor}", level, advice or f"There are {_all(listed)}.")
    return same[0] if same else level


def _require(text: str, known: Iterable[str], what: str) -> str:
    name, listed = text.strip(), list(known)
    if name not in listed:
        raise _UnfitError(f"there is no such {what}", name, did_you_mean(name, listed) or f"There are {_all(listed)}.")
    return name


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


# --- answering ------------------------------------------------------------------------------------


def answers(table: pd.DataFrame, manifest: Mapping[str, Any]) -> list[str]:
    """The sentences of a sweep, with its figures in them."""
    pairs = zip(manifest.get("answers", ()), statements(table, manifest), strict=True)
    return [_with_figures(text, iter(told)) for text, told in pairs]


def _with_figures(text: str, told: Iterator[Statement]) -> str:
    return _BRACES.sub(lambda _: next(told).words, text)


def statements(table: pd.DataFrame, manifest: Mapping[str, Any]) -> list[list[Statement]]:
    """By sentence what its pairs of braces say. The comparisons of a sentence are a family: all hold together."""
    names = Names.of(manifest)
    return [_sentence(text, names, table, manifest) for text in manifest.get("answers", ())]


def _sentence(text: str, names: Names, table: pd.DataFrame, manifest: Mapping[str, Any]) -> list[Statement]:
    asked = _BRACES.findall(text)
    asks = [_parse(braces, names) for braces in asked]
    points = [_Points(Analysis(table, manifest, ask.metric), names, ask) for ask in asks]
    family = max(1, sum(one.comparisons for one in points))
    return [replace(one, family=family).statement(braces) for braces, one in zip(asked, points, strict=True)]


def _choice_words(choices: pd.Series, noun: str) -> str:
    """Technologies by the share of points, or decisions, that fund them; those of less than a quarter are counted."""
    funded = choices.str.split("|").explode()
    shares = funded[funded != ""].value_counts() / len(choices)
    always = [str(name) for name in sorted(shares.index[shares == 1])]
    some = [(share, str(name)) for name, share in shares.items() if _OFTEN <= share < 1]
    parts = [f"{_all(always)} in all"] if always else []
    parts += [f"{name} in {share:.0%}" for share, name in sorted(some, key=lambda one: (-one[0], one[1]))]
    rest = int((shares < _OFTEN).sum())
    parts += [f"{rest} others in fewer than {_OFTEN:.0%}"] if rest else []
    return f"{', '.join(parts) or 'none in any'} ({len(choices):,} {noun})"


def metric_words(metric: str, kind: str, value: float) -> str:
    """A value of a metric in words: probabilities and shares per hundred."""
    if kind == "probability" or "_share_" in metric:
        return numeral(value, ".1%").replace("-", "\N{MINUS SIGN}")
    return amount(value)


def between(low: float, high: float, said: Callable[[float], str]) -> str:
    """The ends of an interval in words; where there are too few replications for an end, or all are alike, that is
    said."""
    if is_point(low, high):
        return ALIKE
    if math.isfinite(low) and math.isfinite(high):
        return f"{said(low)} to {said(high)}"
    if math.isfinite(low) or math.isfinite(high):
        return f"at least {said(low)}" if math.isfinite(low) else f"at most {said(high)}"
    return "too few replications for an interval"


def count_words(n: int, *, repeated: bool) -> str:
    """How many replications or worlds an interval is over, or how many repeats."""
    return f"{n} repeats" if repeated else f"n = {n:,}"


@dataclass(frozen=True, eq=False)
class _Points:
    """One question, and the points that answer it."""

    analysis: Analysis
    names: Names
    ask: _Ask
    family: int = 1  # comparisons that hold together

    @property
    def rows(self) -> pd.DataFrame:
        """The points that meet the conditions."""
        return _where(self.analysis.independent(self.analysis.finished_points), self.ask.where)

    def levels(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """The levels that are gone through, in the order of the file, each with its points."""
        rows = self.rows
        for level in self.names.factors[self.ask.factor]:
            some = rows[_is(rows[self.ask.factor], level)]
            if len(some):
                yield level, some

    def estimate(self, rows: pd.DataFrame, comparisons: int = 1) -> Interval:
        """The metric of a point, or its mean over points."""
        if len(rows) > 1 or (comparisons > 1 and (self.analysis.is_repeated or self.kind != "probability")):
            return self.analysis.estimate(rows, comparisons)
        row, name = rows.iloc[0], self.ask.metric
        mean, n = float(row[name]), int(row["n"])
        if comparisons > 1:
            return proportion_interval(round(mean * n), n, 1 - (1 - self.analysis.confidence) / comparisons)
        return Interval(mean, float(row[f"{name} low"]), float(row[f"{name} high"]), n)

    @property
    def kind(self) -> str:
        """What kind of metric it is."""
        return str(self.analysis.manifest["kinds"][self.names.metrics.index(self.ask.metric)])

    def difference(
        self, rows: pd.DataFrame, first: str, second: str, factor: str, comparisons: int = 1
    ) -> Interval | None:
        """How much more the metric is at one level of a factor than at another, all else being equal."""
        found = _pairs(rows, first, second, factor, tuple(self.names.factors))
        if found is None:
            return None
        mine, theirs = found
        over = self.analysis.confidence, comparisons
        alike = None
        if self.analysis.has_replications:
            a, b = (self.analysis.samples(some).mean(axis=0) for some in (mine, theirs))
            alike = paired_difference(a, b, *over) if len(a) > 1 else None
        if not self.names.sampled:
            return alike
        a, b = (some[self.ask.metric].to_numpy(np.float64) for some in (mine, theirs))
        drawn = paired_difference(a, b, *over) if len(a) > 1 else None
        return drawn if alike is None or drawn is None or not self.analysis.is_repeated else both_errors(drawn, alike)

    # --- statements -------------------------------------------------------------------------------

    @property
    def comparisons(self) -> int:
        """How many comparisons the braces make."""
        if self.ask.kind in ("figure", "chosen"):
            return int(self.ask.pair is not None)
        levels = len(list(self.levels()))
        return levels if self.ask.kind == "first" else max(levels - 1, 0)

    @property
    def margin(self) -> float:
        """The difference in the metric that would matter; 0 if the experiment names none."""
        return float(self.analysis.manifest.get("difference", {}).get(self.ask.metric, 0.0))

    @property
    def units(self) -> str:
        """What intervals of differences are over."""
        return units_words(self.analysis.manifest, sampled=self.names.sampled)

    def statement(self, asked: str) -> Statement:
        """What the braces say."""
        if self.rows.empty:
            return Statement(asked, self.ask.kind, _UNKNOWN, {}, {})
        if self.ask.kind == "chosen":
            return Statement(asked, "chosen", self.choices_words(), {}, {})
        if self.ask.kind == "figure":
            return self.figure(asked)
        return self.first(asked) if self.ask.kind == "first" else self.best(asked)

    def choices_words(self) -> str:
        """What is chosen, by its share of the decisions."""
        rows = _where(self.analysis.independent(self.analysis.decided_rows), self.ask.where)
        return _choice_words(rows["technologies"], "decisions" if self.analysis.is_repeated else "points")

    def estimate_words(self, found: Interval) -> str:
        """An estimate in words, with its interval and count."""
        metric, kind = self.ask.metric, self.kind
        repeated = self.analysis.is_repeated and not self.names.sampled
        if repeated and found.low == found.high:
            return f"{metric_words(metric, kind, found.mean)} (the same in all {found.n} repeats)"
        ends = between(found.low, found.high, lambda one: metric_words(metric, kind, one))
        return f"{metric_words(metric, kind, found.mean)} ({ends}, {count_words(found.n, repeated=repeated)})"

    def figure(self, asked: str) -> Statement:
        """A figure, or a difference of two levels: sure if it is shown to be more or less than nothing."""
        pair = self.ask.pair
        found = self.difference(self.rows, *pair, self.family) if pair else self.estimate(self.rows)
        if found is None:
            return Statement(asked, "figure", _UNKNOWN, {}, {})
        words = self.estimate_words(found)
        if pair and self.analysis.is_blind:
            words = f"{words[:-1]}, luck alone)"
        signs = (("more", ">"), ("less", "<")) if pair else ()
        shown = tuple(name for name, sign in signs if self._claim(found, sign, 0.0).verdict == "shown")
        return Statement(
            asked, "difference" if pair else "figure", words, {"": found.mean}, {"": found.half_width}, shown
        )

    def _claim(self, found: Interval, sign: str, limit: float) -> Claim:
        return claim_of(found, sign, limit, self.margin, blind=self.analysis.is_blind)

    def first(self, asked: str) -> Statement:
        """The first level at which the claim is shown, and what is not known of those before it. Each level that is
        gone through is a chance to be wrong, so the intervals of all hold together."""
        claims: dict[str, Claim] = {}
        for level, rows in self.levels():
            pair, count = self.ask.pair, self.family
            found = self.difference(rows, *pair, count) if pair else self.estimate(rows, count)
            if found is not None:
                claims[level] = self._claim(found, self.ask.sign, self.ask.number)
        return Statement(
            asked,
            "first",
            self._first_words(claims),
            {level: one.found.mean for level, one in claims.items()},
            {level: one.found.half_width for level, one in claims.items()},
            tuple(level for level, one in claims.items() if one.verdict == "shown"),
            tuple(level for level, one in claims.items() if one.verdict == "shown not"),
            self.ask.number,
            self.ask.sign,
        )

    def _first_words(self, claims: Mapping[str, Claim]) -> str:
        first = next((level for level, one in claims.items() if one.verdict == "shown"), None)
        before = list(claims)[: list(claims).index(first)] if first is not None else list(claims)
        open_ = {level: claims[level] for level in before if claims[level].verdict == "not known"}
        told = "no level" if first is None else f"{first} ({self.estimate_words(claims[first].found)})"
        if not open_:
            return told
        unknown = f"not known at {_all(open_)} ({self._effort(list(open_.values()))})"
        if first is None:
            told = "shown at no level"
        return f"{told}; {unknown}"

    def _effort(self, claims: Sequence[Claim]) -> str:
        if self.analysis.is_blind:
            return "decided once; repeats would tell"
        confidence = 1 - (1 - self.analysis.confidence) / self.family
        return effort_words(claims, confidence, self.units)

    def best(self, asked: str) -> Statement:
        """The level with the highest or lowest metric; what is shown not to be, what is no worse, what is not known.

        That a level is not the best is claimed in error with the stated probability at most: the true best is compared
        with each other level (Hsu 1984, Annals of Statistics 12), so those others are the comparisons."""
        found = {level: self.estimate(rows) for level, rows in self.levels()}
        if not found:
            return Statement(asked, self.ask.kind, _UNKNOWN, {}, {})
        sign = 1.0 if self.ask.kind == "best" else -1.0
        top = max(found, key=lambda level: sign * found[level].mean)
        claims = {level: self._behind(top, level) for level in found if level != top}
        return Statement(
            asked,
            self.ask.kind,
            f"{top}, {self.estimate_words(found[top])}{self._best_words(claims)}",
            {level: one.mean for level, one in found.items()},
            {level: one.half_width for level, one in found.items()},
            tuple(level for level, one in claims.items() if one.verdict == "shown" and not one.is_small),
            tuple(level for level, one in claims.items() if one.is_small),
            best=top,
        )

    def _best_words(self, claims: Mapping[str, Claim]) -> str:
        alike = [level for level, one in claims.items() if one.is_small]
        open_ = {level: one for level, one in claims.items() if one.verdict == "not known" and not one.is_small}
        within = (
            f"within {metric_words(self.ask.metric, self.kind, self.margin)} of it" if self.margin else "equal to it"
        )
        tail = f"; {within}: {_all(alike)}" if alike else ""
        if open_:
            tail += f"; not told apart from it: {_all(open_)} ({self._effort(list(open_.values()))})"
        return tail

    def _behind(self, top: str, other: str) -> Claim:
        """Whether the best is clearly better: by pairs if they can be told, else by intervals that do not meet."""
        sign, gap = (">" if self.ask.kind == "best" else "<"), None
        if self.analysis.has_replications or self.names.sampled:
            gap = self.difference(self.rows, top, other, self.ask.factor, self.family)
        if gap is None:
            # The limits of both add up to those of the difference, however their luck hangs together.
            rows = dict(self.levels())
            best, rest = (self.estimate(rows[level], self.family) for level in (top, other))
            gap = Interval(best.mean - rest.mean, best.low - rest.high, best.high - rest.low, min(best.n, rest.n))
        return self._claim(gap, sign, 0.0)


def _where(rows: pd.DataFrame, conditions: Iterable[tuple[str, str]]) -> pd.DataFrame:
    for factor, level in conditions:
        rows = rows[_is(rows[factor], level)]
    return rows


def _is(column: pd.Series, level: str) -> pd.Series:
    """Which rows have a level."""
    if pd.api.types.is_numeric_dtype(column):
        return pd.Series(np.isclose(column.to_numpy(np.float64), float(level)), column.index)
    return column.astype(str) == level
