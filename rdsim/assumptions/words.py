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
from rdsim.languages import N_, join_texts, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.stats import Interval
from rdsim.titles import portfolio_title

__all__ = ["break_even_sentence", "level_words", "sentences", "width_sentence"]

_NAMED = 4

_MINUS = "\N{MINUS SIGN}"


def sentences(found: Survey) -> list[str]:
    """The widths of all headlines, what they are of, and where headlines turn their signs."""
    return list(_sentences(found))


def _sentences(found: Survey) -> Iterator[str]:
    scenario, level = found.worlds.scenario, f"{found.worlds.scenario.simulation.confidence:.0%}"
    yield _(
        "{assumptions} within stated bounds, in {worlds} worlds drawn within these ({confidence} intervals: first by "
        "luck alone, the portfolios kept; then by luck and assumptions):"
    ).format(assumptions=count(len(found.worlds.names), "assumption"), worlds=found.points, confidence=level)
    for one in found.widths:
        yield width_sentence(scenario, one)
    yield from _turn_sentences(found)


def _turn_sentences(found: Survey) -> Iterator[str]:
    worlds = found.worlds
    for one in found.break_evens:
        yield break_even_sentence(worlds, one) if one.is_within else _kept_sentence(worlds, one)
    rest = found.doubts[len(found.break_evens) :]
    if rest:
        by = _("{headline} by {assumption}")
        named = [by.format(headline=headline.label, assumption=worlds.label(name)) for headline, name in rest[:_NAMED]]
        named += [_("and {number} more").format(number=len(rest) - _NAMED)] if len(rest) > _NAMED else []
        told = _(
            "Whose sign is in doubt at a bound, the portfolios kept, and was not asked about with decisions made anew "
            "(rdsim assumptions does): {headlines}."
        )
        yield told.format(headlines=join_texts(named, "; "))
    elif not found.doubts:
        yield _("No headline changes its sign within the bounds of one assumption, the portfolios kept.")


def _kept_sentence(worlds: OpenWorlds, one: BreakEven) -> str:
    """Of a headline that turns its sign nowhere within the bounds."""
    what, name = one.headline.label, worlds.label(one.assumption)
    if not one.repeats:
        told = _("Whether {headline} turns its sign by {assumption} is not known: nothing could be decided at a bound.")
        return told.format(headline=what, assumption=name)
    ends = [_value(worlds.scenario, one.headline, end) for end in (one.at_low, one.at_high)]
    return _(
        "Decided anew, {headline} keeps its sign between the bounds in most of {repeats} decisions ({low} at the "
        "lower, {high} at the upper): {assumption}."
    ).format(headline=what, repeats=one.repeats, low=ends[0], high=ends[1], assumption=name)


def width_sentence(scenario: Scenario, one: TwoWidths) -> str:
    """A headline with both widths."""
    luck, both = (_span(scenario, one.headline, interval) for interval in (one.luck, one.both))
    value = _value(scenario, one.headline, one.luck.mean)
    return _("{headline}: {value} ({luck}; {both})").format(
        headline=one.headline.label, value=value, luck=luck, both=both
    )


def break_even_sentence(worlds: OpenWorlds, one: BreakEven) -> str:
    """From which value of an assumption on a headline is above nothing."""
    told = _SIGNS[bool(one.headline.rule), one.is_rising]
    value, low, high = (level_words(worlds, one.assumption, end) for end in (one.value, one.low, one.high))
    return _(told).format(
        rule=portfolio_title(one.headline.rule),
        value=value,
        confidence=f"{worlds.scenario.simulation.confidence:.0%}",
        low=low,
        high=high,
        repeats=one.repeats,
        bounds=_bounds(worlds, one.assumption),
        assumption=worlds.label(one.assumption),
    )


_SIGNS = {
    (True, True): N_(
        "Decided anew, the plan leads {rule} from {value} on ({confidence} interval {low} to {high}, {repeats} "
        "decisions; bounds {bounds}): {assumption}."
    ),
    (True, False): N_(
        "Decided anew, the plan leads {rule} up to {value} ({confidence} interval {low} to {high}, {repeats} "
        "decisions; bounds {bounds}): {assumption}."
    ),
    (False, True): N_(
        "Decided anew, the plan is worth something from {value} on ({confidence} interval {low} to {high}, {repeats} "
        "decisions; bounds {bounds}): {assumption}."
    ),
    (False, False): N_(
        "Decided anew, the plan is worth something up to {value} ({confidence} interval {low} to {high}, {repeats} "
        "decisions; bounds {bounds}): {assumption}."
    ),
}
"""By whether a headline is a lead, and whether it rises with the assumption."""


def _bounds(worlds: OpenWorlds, name: str) -> str:
    low, high = (level_words(worlds, name, worlds.end(name, end)) for end in ("low", "high"))
    return _("{low} to {high}").format(low=low, high=high)


def level_words(worlds: OpenWorlds, name: str, value: float) -> str:
    """A value of an assumption; what lies beyond its bounds is told so."""
    if math.isinf(value):
        return _("beyond the bounds")
    factor = worlds.assumptions[name].change == "multiply"
    text = numeral(value, ".3g").replace("-", _MINUS)
    return _("{number} times").format(number=text) if factor else text


def _span(scenario: Scenario, headline: Headline, one: Interval) -> str:
    ends = [_value(scenario, headline, end, unit=False) for end in (one.low, one.high)]
    return _("{low} to {high}").format(low=ends[0], high=ends[1])


def _value(scenario: Scenario, headline: Headline, value: float, *, unit: bool = True) -> str:
    if headline.unit == "share":
        return numeral(value, ".1%").replace("-", _MINUS)
    text = numeral(value, ",.0f" if abs(value) >= 200 else ",.1f" if abs(value) >= 10 else ",.2f").replace("-", _MINUS)
    if not unit or headline.unit != "money":
        return text
    return _("{amount} {unit}").format(amount=text, unit=unit_of_money(scenario.money_unit))
