"""Answers: sentences of an experiment file, in which figures of the sweep stand in place of what is in braces.

==========================================  ==============================================================
``{METRIC}``                                the estimate with its interval; of several points that of their mean
``{METRIC: A over B of FACTOR}``            the difference between two levels, paired
``{best METRIC by FACTOR}``, ``{least ..}`` the level with the highest (lowest) metric, and what is not told apart
``{first FACTOR where METRIC >= 1}``        the first level at which that is clear; also of a difference (Bonferroni)
``{chosen}``                                technologies funded in all points, and in which share of them others are
==========================================  ==============================================================

Each may end with conditions on other factors: ``{npv | policy = one-shot; calibration = strict}``. Differences are
paired by replication where the experiment keeps them (``paired = true``, the first metric), and by world in a sampled
design; without either they cannot be told, and are refused.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rdsim.designs import SAMPLED
from rdsim.errors import Fault
from rdsim.numerals import numeral
from rdsim.report.words import amount
from rdsim.stats import Interval, paired_difference, proportion_interval
from rdsim.sweep.analysis import Analysis
from rdsim.tables import did_you_mean

__all__ = ["Names", "answers", "answers_faults", "between", "metric_words"]

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

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Names:
        """The names of a sweep that ran."""
        levels = {name: tuple(one["levels"]) for name, one in manifest["factors"].items()}
        sampled, chooses = manifest["design"]["kind"] in SAMPLED, manifest["task"] != "simulate"
        return cls(tuple(manifest["metrics"]), levels, manifest["paired"], sampled, chooses)


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
    if not names.sampled and not (names.kept and found == names.metrics[0]):
        rule = "a difference needs replications that are kept: paired = true, and the metric named first"
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
    names = Names.of(manifest)
    return [
        _BRACES.sub(lambda found: _answer(_parse(found[1], names), names, table, manifest), text)
        for text in manifest.get("answers", ())
    ]


def _answer(ask: _Ask, names: Names, table: pd.DataFrame, manifest: Mapping[str, Any]) -> str:
    told = _Points(Analysis(table, manifest, ask.metric), names, ask)
    if told.rows.empty:
        return _UNKNOWN
    if ask.kind == "chosen":
        return _choice_words(told.rows["technologies"])
    if ask.kind == "figure":
        found = told.difference(told.rows, *ask.pair) if ask.pair else told.estimate(told.rows)
        return _UNKNOWN if found is None else told.estimate_words(found)
    return told.first() if ask.kind == "first" else told.best()


def _choice_words(choices: pd.Series) -> str:
    """Technologies by the share of points that fund them; those of fewer than a quarter are counted only."""
    funded = choices.str.split("|").explode()
    shares = funded[funded != ""].value_counts() / len(choices)
    always = [str(name) for name in sorted(shares.index[shares == 1])]
    some = [(share, str(name)) for name, share in shares.items() if _OFTEN <= share < 1]
    parts = [f"{_all(always)} in all"] if always else []
    parts += [f"{name} in {share:.0%}" for share, name in sorted(some, key=lambda one: (-one[0], one[1]))]
    rest = int((shares < _OFTEN).sum())
    parts += [f"{rest} others in fewer than {_OFTEN:.0%}"] if rest else []
    return f"{', '.join(parts) or 'none in any'} ({len(choices):,} points)"


def metric_words(metric: str, kind: str, value: float) -> str:
    """A value of a metric in words: probabilities and shares per hundred."""
    if kind == "probability" or "_share_" in metric:
        return numeral(value, ".1%").replace("-", "\N{MINUS SIGN}")
    return amount(value)


def between(low: float, high: float, said: Callable[[float], str]) -> str:
    """The ends of an interval in words; where there are too few replications for an end, that is said."""
    if math.isfinite(low) and math.isfinite(high):
        return f"{said(low)} to {said(high)}"
    if math.isfinite(low) or math.isfinite(high):
        return f"at least {said(low)}" if math.isfinite(low) else f"at most {said(high)}"
    return "too few replications for an interval"


_CLEAR: dict[str, Callable[[Interval, float], bool]] = {
    ">=": lambda found, limit: operator.ge(found.low, limit),
    ">": lambda found, limit: operator.gt(found.low, limit),
    "<=": lambda found, limit: operator.le(found.high, limit),
    "<": lambda found, limit: operator.lt(found.high, limit),
}


@dataclass(frozen=True, eq=False)
class _Points:
    """One question, and the points that answer it."""

    analysis: Analysis
    names: Names
    ask: _Ask

    @property
    def rows(self) -> pd.DataFrame:
        """The points that meet the conditions."""
        rows = self.analysis.independent(self.analysis.finished_points)
        for factor, level in self.ask.where:
            rows = rows[_is(rows[factor], level)]
        return rows

    def levels(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """The levels that are gone through, in the order of the file, each with its points."""
        rows = self.rows
        for level in self.names.factors[self.ask.factor]:
            some = rows[_is(rows[self.ask.factor], level)]
            if len(some):
                yield level, some

    def estimate(self, rows: pd.DataFrame, comparisons: int = 1) -> Interval:
        """The metric of a point, or its mean over points."""
        if len(rows) > 1 or (comparisons > 1 and self.kind != "probability"):
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
        others = [name for name in self.names.factors if name != factor] or ["status"]
        mine, theirs = (rows[_is(rows[factor], level)] for level in (first, second))
        both = mine.reset_index().merge(theirs.reset_index(), on=others, suffixes=("", " other"))
        if both.empty:
            return None
        mine, theirs = mine.loc[both["index"]], theirs.loc[both["index other"]]
        if self.analysis.has_replications and not self.names.sampled:
            a, b = (self.analysis.samples(some).mean(axis=0) for some in (mine, theirs))
        else:
            a, b = (some[self.ask.metric].to_numpy(np.float64) for some in (mine, theirs))
        return paired_difference(a, b, self.analysis.confidence, comparisons) if len(a) > 1 else None

    def estimate_words(self, found: Interval) -> str:
        """An estimate in words, with its interval and count."""
        metric, kind = self.ask.metric, self.kind
        ends = between(found.low, found.high, lambda one: metric_words(metric, kind, one))
        return f"{metric_words(metric, kind, found.mean)} ({ends}, n = {found.n:,})"

    def first(self) -> str:
        """The first level at which the claim is clear. Each level that is gone through is a chance to be wrong, so the
        intervals of all hold together."""
        levels = list(self.levels())
        for level, rows in levels:
            pair, count = self.ask.pair, len(levels)
            found = self.difference(rows, *pair, count) if pair else self.estimate(rows, count)
            if found is not None and _CLEAR[self.ask.sign](found, self.ask.number):
                return f"{level} ({self.estimate_words(found)})"
        return "no level"

    def best(self) -> str:
        """The level with the highest or lowest metric, and those that are not told apart from it."""
        found = {level: self.estimate(rows) for level, rows in self.levels()}
        if not found:
            return _UNKNOWN
        sign = 1.0 if self.ask.kind == "best" else -1.0
        top = max(found, key=lambda level: sign * found[level].mean)
        near = [level for level in found if level != top and not self._apart(top, level, found, sign)]
        tail = f"; not told apart from it: {_all(near)}" if near else ""
        return f"{top}, {self.estimate_words(found[top])}{tail}"

    def _apart(self, top: str, other: str, found: Mapping[str, Interval], sign: float) -> bool:
        """Whether the best is clearly better: by pairs if they can be told, else by intervals that do not meet."""
        told = None
        if self.analysis.has_replications or self.names.sampled:
            told = self.difference(self.rows, top, other, self.ask.factor, max(1, len(found) - 1))
        if told is not None:
            return told.low > 0 if sign > 0 else told.high < 0
        # The limits of both add up to those of the difference, however their luck hangs together.
        rows = dict(self.levels())
        best, rest = (self.estimate(rows[level], max(1, len(found) - 1)) for level in (top, other))
        return best.low > rest.high if sign > 0 else best.high < rest.low


def _is(column: pd.Series, level: str) -> pd.Series:
    """Which rows have a level."""
    if pd.api.types.is_numeric_dtype(column):
        return pd.Series(np.isclose(column.to_numpy(np.float64), float(level)), column.index)
    return column.astype(str) == level
