"""What a survey found, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rdsim.assumptions.headlines import Headline
from rdsim.assumptions.survey import Survey
from rdsim.assumptions.turning import BreakEven
from rdsim.assumptions.widths import TwoWidths
from rdsim.assumptions.worlds import OpenWorlds
from rdsim.brief import count
from rdsim.domain import Scenario
from rdsim.numerals import numeral
from rdsim.stats import Interval

__all__ = ["break_even_sentence", "level_words", "sentences", "width_sentence"]

_NAMED = 4

_MINUS = "\N{MINUS SIGN}"


def sentences(found: Survey) -> list[str]:
    """The widths of all headlines, what they are of, and where headlines turn their signs."""
    return list(_sentences(found))


def _sentences(found: Survey) -> Iterator[str]:
    scenario, level = found.worlds.scenario, f"{found.worlds.scenario.simulation.confidence:.0%}"
    yield (
        f"{count(len(found.worlds.names), 'assumption')} within stated bounds, in {found.points} worlds drawn within "
        f"these ({level} intervals: first by luck alone, the portfolios kept; then by luck and assumptions):"
    )
    for one in found.widths:
        yield width_sentence(scenario, one)
    yield from _turn_sentences(found)


def _turn_sentences(found: Survey) -> Iterator[str]:
    worlds = found.worlds
    for one in found.break_evens:
        yield break_even_sentence(worlds, one) if one.is_within else _kept_sentence(worlds, one)
    rest = found.doubts[len(found.break_evens) :]
    if rest:
        named = [f"{headline.label} by {worlds.label(name)}" for headline, name in rest[:_NAMED]]
        more = f"; and {len(rest) - _NAMED} more" if len(rest) > _NAMED else ""
        yield (
            "Whose sign is in doubt at a bound, the portfolios kept, and was not asked about with decisions made anew "
            f"(rdsim assumptions does): {'; '.join(named)}{more}."
        )
    elif not found.doubts:
        yield "No headline changes its sign within the bounds of one assumption, the portfolios kept."


def _kept_sentence(worlds: OpenWorlds, one: BreakEven) -> str:
    """Of a headline that turns its sign nowhere within the bounds."""
    what, name = one.headline.label, worlds.label(one.assumption)
    if not one.repeats:
        return f"Whether {what} turns its sign by {name} is not known: nothing could be decided at a bound."
    ends = [_value(worlds.scenario, one.headline, end) for end in (one.at_low, one.at_high)]
    return (
        f"Decided anew, {what} keeps its sign between the bounds in most of {one.repeats} decisions ({ends[0]} at the "
        f"lower, {ends[1]} at the upper): {name}."
    )


def width_sentence(scenario: Scenario, one: TwoWidths) -> str:
    """A headline with both widths."""
    luck, both = (_span(scenario, one.headline, interval) for interval in (one.luck, one.both))
    return f"{one.headline.label}: {_value(scenario, one.headline, one.luck.mean)} ({luck}; {both})"


def break_even_sentence(worlds: OpenWorlds, one: BreakEven) -> str:
    """From which value of an assumption on a headline is above nothing."""
    what = "the plan is worth something" if not one.headline.rule else f"the plan leads {one.headline.rule}"
    value, low, high = (level_words(worlds, one.assumption, end) for end in (one.value, one.low, one.high))
    where = f"from {value} on" if one.is_rising else f"up to {value}"
    level = f"{worlds.scenario.simulation.confidence:.0%}"
    return (
        f"Decided anew, {what} {where} ({level} interval {low} to {high}, {one.repeats} decisions; bounds "
        f"{_bounds(worlds, one.assumption)}): {worlds.label(one.assumption)}."
    )


def _bounds(worlds: OpenWorlds, name: str) -> str:
    return " to ".join(level_words(worlds, name, worlds.end(name, end)) for end in ("low", "high"))


def level_words(worlds: OpenWorlds, name: str, value: float) -> str:
    """A value of an assumption; what lies beyond its bounds is told so."""
    if math.isinf(value):
        return "beyond the bounds"
    factor = worlds.assumptions[name].change == "multiply"
    return f"{numeral(value, '.3g').replace('-', _MINUS)}{' times' if factor else ''}"


def _span(scenario: Scenario, headline: Headline, one: Interval) -> str:
    ends = [_value(scenario, headline, end, unit=False) for end in (one.low, one.high)]
    return " to ".join(ends)


def _value(scenario: Scenario, headline: Headline, value: float, *, unit: bool = True) -> str:
    if headline.unit == "share":
        return numeral(value, ".1%").replace("-", _MINUS)
    text = numeral(value, ",.0f" if abs(value) >= 200 else ",.1f" if abs(value) >= 10 else ",.2f").replace("-", _MINUS)
    return f"{text} {scenario.money_unit}" if unit and headline.unit == "money" else text
