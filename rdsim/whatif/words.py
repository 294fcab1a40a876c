"""What would change a plan, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rdsim.aim import aim_of
from rdsim.brief import count
from rdsim.domain import Scenario
from rdsim.numerals import numeral
from rdsim.stats import Interval
from rdsim.whatif.absences import Absence
from rdsim.whatif.changes import ChangeEffect
from rdsim.whatif.lapse import Lapse, Without
from rdsim.whatif.partners import LEVELS, PartnersWorth
from rdsim.words import option_words, round_up, technology_words

__all__ = ["absence_words", "change_words", "lapse_sentences", "partner_sentences"]

_NAMED = 4
"""Technologies, partners and causes that a sentence names."""
_MOST = 0.5
"""Part of the repeats that a technology leaves or joins in to be named."""
_ROUNDING = 1e-9
_LARGE = 1000


def _figure(value: float) -> str:
    return numeral(value, ",.0f" if abs(value) >= _LARGE else ",.3g").replace("-", "\N{MINUS SIGN}")


def _money(scenario: Scenario, value: float) -> str:
    return f"{_figure(value)} {scenario.money_unit}"


def _ends(one: Interval) -> str:
    return f"{_figure(one.low)} to {_figure(one.high)}"


def _is_shown(one: Interval) -> bool:
    """Whether an interval lies on one side of nothing."""
    return one.low > 0 or one.high < 0


def _is_nothing(one: Interval) -> bool:
    return abs(one.low) <= _ROUNDING and abs(one.high) <= _ROUNDING


def _gain(scenario: Scenario, one: Interval, of: str) -> str:
    """`worth 3.1 billion KRW less (2.0 to 4.2 billion KRW; 6 pairs of decisions)`; what is not shown is told so."""
    if not one.n or math.isnan(one.mean):
        return "could not be decided: no portfolio was found that keeps every rule"
    if _is_nothing(one):
        return f"would be worth the same in all {of}"
    if not math.isfinite(one.low):
        return f"is not shown to be worth more or less: {of} {'has' if one.n == 1 else 'have'} no interval"
    level = f"; {scenario.simulation.confidence:.0%} interval, {of}"
    if not _is_shown(one):
        return f"is not shown to be worth more or less ({_ends(one)}{level})"
    way, ends = ("more", one) if one.mean > 0 else ("less", Interval(-one.mean, -one.high, -one.low, one.n))
    return f"would be worth {_money(scenario, ends.mean)} {way} ({_ends(ends)}{level})"


def _name_list(names: Sequence[str]) -> str:
    """The first few names as in a sentence, and how many more there are."""
    shown = list(names[:_NAMED])
    more = len(names) - len(shown)
    parts = [*shown, *([f"{more} more"] if more else [])]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


# --- changes --------------------------------------------------------------------------------------


def change_words(scenario: Scenario, one: ChangeEffect) -> str:
    """What the plan would be under a change: decided anew, and kept."""
    return " ".join(_change_sentences(scenario, one))


def _change_sentences(scenario: Scenario, one: ChangeEffect) -> Iterator[str]:
    pairs = count(one.repeats, "pair") + " of decisions"
    if not aim_of(scenario).is_default:
        yield "Decided by the scenario's aim; told is net present value."
    yield f"With {one.label}, decided anew, the plan {_gain(scenario, one.decided, pairs)}."
    if one.kept is not None:
        yield f"Kept as it is, it {_gain(scenario, one.kept, count(one.kept.n, 'replication'))}."
    if one.key == "two-partners" and one.partners and one.partners[0][0]:
        codes, share = one.partners[0]
        names = _name_list([scenario.partners[code].name for code in codes])
        yield f"Most often, in {share:.0%} of the decisions, {names} {'take' if len(codes) > 1 else 'takes'} part."
    yield from _turnover(scenario, one)


def _turnover(scenario: Scenario, one: ChangeEffect) -> Iterator[str]:
    before, after = one.funded
    if abs(before - after) > _ROUNDING:
        yield f"It funds {numeral(after, '.4g')} on average, and {numeral(before, '.4g')} as things stand."
    for verb, listed in (("leave", one.leaving), ("come in", one.joining)):
        names = [technology_words(scenario, name) for name, share in listed if share >= _MOST]
        if names:
            yield f"{_name_list(names)} {verb if len(names) > 1 else {'leave': 'leaves', 'come in': 'comes in'}[verb]}."
    if one.repeats and not any(share >= _MOST for _, share in (*one.leaving, *one.joining)):
        yield "No technology leaves or comes in in most of them."


# --- partners -------------------------------------------------------------------------------------


def partner_sentences(scenario: Scenario, found: PartnersWorth) -> list[str]:
    """What partners are worth to the plan, and from which part of what is assumed."""
    return list(_partner_sentences(scenario, found))


def _partner_sentences(scenario: Scenario, found: PartnersWorth) -> Iterator[str]:
    repeats = count(found.repeats, "repeat")
    yield (
        "If partners did to time and success half of what is assumed, the plan kept as it is "
        f"{_gain(scenario, found.kept, count(found.kept.n, 'replication'))}; decided anew, "
        f"{_gain(scenario, found.decided, repeats)}."
    )
    if not found.leads:
        return
    told = zip(reversed(LEVELS), reversed(found.leads), strict=True)
    yield (
        "Decided anew, the plan's lead over the same money spent without partners is "
        f"{_name_list([f'{_money(scenario, one.mean)} ({_ends(one)}) {_PARTS[level]}' for level, one in told])}."
    )
    yield _turn(found)


_PARTS = {0.0: "where they bring nothing", 0.5: "where half", 1.0: "where partners bring what is assumed"}


def _turn(found: PartnersWorth) -> str:
    one = found.break_even
    if one is None or not one.repeats:
        return "From which part of it on partners pay is not known: nothing could be decided."
    if not one.is_within:
        way = "ahead" if (one.value < 0) == one.is_rising else "behind"
        return f"From nothing to what is assumed it stays {way} in most of {one.repeats} decisions."
    low, high = (numeral(end, ".0%") if math.isfinite(end) else "beyond these bounds" for end in (one.low, one.high))
    value = numeral(one.value, ".0%")
    where = f"from {value} of what is assumed on" if one.is_rising else f"up to {value} of what is assumed"
    return f"Partners pay {where} (interval {low} to {high}, {one.repeats} decisions)."


# --- lapse ----------------------------------------------------------------------------------------


def lapse_sentences(scenario: Scenario, found: Lapse) -> list[str]:
    """What lapses when, without what it would be less, and which levers help."""
    return list(_lapse_sentences(scenario, found))


def _lapse_sentences(scenario: Scenario, found: Lapse) -> Iterator[str]:
    unit, yearly = scenario.money_unit, found.years.groupby("year")["lapsed"].sum()
    if found.lapsed.mean <= _ROUNDING:
        yield "No money lapses."
        return
    most = f", most of it at the end of {yearly.idxmax()} ({_figure(yearly.max())})" if len(yearly) else ""
    yield f"{_figure(found.lapsed.mean)} {unit} lapse on average{most}."
    causes = [one for one in found.without if one.otherwise.kind == "cause"]
    less = sorted((one for one in causes if one.less.low > 0), key=lambda one: -one.less.mean)
    if less:
        each = [f"{one.otherwise.label} ({_less(one)})" for one in less]
        yield f"Less would lapse without {_name_list(each)}."
    more = [one.otherwise.label for one in causes if one.less.high < 0]
    if more:
        yield f"More would lapse without {_name_list(more)}: who goes on working is paid later, or not at all."
    if causes:
        yield (
            "Each of these is found by simulating the plan without that one cause, on the same draws; intervals hold "
            "together. Causes work together, so what they do does not add up."
        )
    yield from (_lever(scenario, one) for one in found.without if one.otherwise.kind == "lever" and _does(one))
    idle = [one.otherwise.label for one in found.without if not _does(one)]
    if idle:
        yield f"Not shown to matter here: {_name_list(idle)}."


def _less(one: Without) -> str:
    return f"{_figure(one.less.mean)}, {_ends(one.less)}"


def _does(one: Without) -> bool:
    return _is_shown(one.less) or (one.otherwise.kind == "lever" and _is_shown(one.npv))


def _lever(scenario: Scenario, one: Without) -> str:
    way, ends = ("less", one.less) if one.less.mean >= 0 else ("more", _reverse(one.less))
    money = f"{_money(scenario, ends.mean)} {way} would lapse ({_ends(ends)})"
    if not _is_shown(one.less):
        money = f"what lapses is not shown to change ({_ends(one.less)})"
    gain = _gain(scenario, one.npv, count(one.npv.n, "replication"))
    return f"A lever: to {one.otherwise.label}. Then {money}, and the plan {gain}."


def _reverse(one: Interval) -> Interval:
    return Interval(-one.mean, -one.high, -one.low, one.n)


# --- absences -------------------------------------------------------------------------------------


def absence_words(scenario: Scenario, one: Absence) -> str:
    """What a technology that is not funded would cost, what would make room, and what would bring it in."""
    return " ".join(_absence_sentences(scenario, one))


def _absence_sentences(scenario: Scenario, one: Absence) -> Iterator[str]:
    if math.isinf(one.at_least):
        yield "No portfolio that keeps every rule can hold it."
        return
    if not math.isfinite(one.at_most):
        least = f"at least {_money(scenario, one.at_least)} of expected value; " if one.at_least > _ROUNDING else ""
        yield f"It would cost {least}how much is not known."
        return
    if one.at_most <= _ROUNDING:
        yield "By expected values of options alone one with it is as good; simulation, which sees more, left it out."
    else:
        least = f"{_figure(one.at_least)} to " if one.at_least > _ROUNDING else "at most "
        yield f"It would cost {least}{_money(scenario, one.at_most)} of expected value."
    if one.left and one.joined:
        names = _name_list([technology_words(scenario, name) for name in one.left])
        joined = _name_list([option_words(scenario, name) for name in one.joined])
        yield f"{names} would make room for {joined}."
    if one.at_most > _ROUNDING:
        cut = f", or if it asks for {numeral(math.ceil(100 * one.cut) / 100, '.0%')} less" if one.cut < 1 else ""
        rise = _money(scenario, round_up(one.at_most))
        yield f"By expected values of options it comes in if its value rises by {rise}{cut}."
