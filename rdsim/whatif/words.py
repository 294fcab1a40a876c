"""What would change a plan, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rdsim.aim import aim_of
from rdsim.brief import count
from rdsim.domain import Scenario
from rdsim.families import row_words
from rdsim.languages import N_, join_texts, listing, ngettext, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.stats import Interval
from rdsim.whatif.absences import Absence
from rdsim.whatif.changes import ChangeEffect
from rdsim.whatif.lapse import Lapse, Without
from rdsim.whatif.partners import LEVELS, PartnersWorth
from rdsim.whatif.unused import UnusedMoney, UnusedPart
from rdsim.words import option_words, round_up, technology_words

__all__ = [
    "absence_words",
    "change_words",
    "entering_words",
    "excluded_words",
    "gain_words",
    "lapse_sentences",
    "leaving_words",
    "partner_sentences",
    "unused_sentences",
    "ways_in",
]

_NAMED = 4
"""Technologies, partners and causes that a sentence names."""
_MOST = 0.5
"""Part of the repeats that a technology leaves or joins in to be named."""
_ROUNDING = 1e-9
_WORTH_NAMING = 0.02
"""Of what lapses: parts below are in the table alone."""
_LARGE = 1000


def _figure(value: float) -> str:
    return numeral(value, ",.0f" if abs(value) >= _LARGE else ",.3g").replace("-", "\N{MINUS SIGN}")


def _money(scenario: Scenario, value: float) -> str:
    return _("{amount} {unit}").format(amount=_figure(value), unit=unit_of_money(scenario.money_unit))


def _ends(one: Interval) -> str:
    return _("{low} to {high}").format(low=_figure(one.low), high=_figure(one.high))


def _is_shown(one: Interval) -> bool:
    """Whether an interval lies on one side of nothing."""
    return one.low > 0 or one.high < 0


def _is_nothing(one: Interval) -> bool:
    return abs(one.low) <= _ROUNDING and abs(one.high) <= _ROUNDING


def _gain(scenario: Scenario, one: Interval, of: str) -> str:
    """`worth 3.1 billion KRW less (2.0 to 4.2 billion KRW; 6 pairs of decisions)`; what is not shown is told so."""
    if not one.n or math.isnan(one.mean):
        return _("could not be decided: no portfolio was found that keeps every rule")
    if _is_nothing(one):
        return _("would be worth the same in all {of}").format(of=of)
    if not math.isfinite(one.low):
        return ngettext(
            "is not shown to be worth more or less: {of} has no interval",
            "is not shown to be worth more or less: {of} have no interval",
            one.n,
        ).format(of=of)
    level = {"confidence": f"{scenario.simulation.confidence:.0%}", "of": of}
    if not _is_shown(one):
        told = _("is not shown to be worth more or less ({ends}; {confidence} interval, {of})")
        ends = _("{amount} {unit}").format(amount=_ends(one), unit=unit_of_money(scenario.money_unit))
        return told.format(ends=ends, **level)
    told, shown = (
        (_("would be worth {money} more ({ends}; {confidence} interval, {of})"), one)
        if one.mean > 0
        else (_("would be worth {money} less ({ends}; {confidence} interval, {of})"), _reverse(one))
    )
    return told.format(money=_money(scenario, shown.mean), ends=_ends(shown), **level)


def _name_list(names: Sequence[str]) -> str:
    """The first few names as in a sentence, and how many more there are."""
    shown = list(names[:_NAMED])
    more = len(names) - len(shown)
    return listing([*shown, *([_("{number} more").format(number=more)] if more else [])])


# --- changes --------------------------------------------------------------------------------------


def change_words(scenario: Scenario, one: ChangeEffect) -> str:
    """What the plan would be under a change: decided anew, and kept."""
    return join_texts(list(_change_sentences(scenario, one)), " ")


def _change_sentences(scenario: Scenario, one: ChangeEffect) -> Iterator[str]:
    pairs = ngettext("{number} pair of decisions", "{number} pairs of decisions", one.repeats).format(
        number=one.repeats
    )
    if not aim_of(scenario).is_default:
        yield _("Decided by the scenario's aim; told is net present value.")
    told = _("With {change}, decided anew, the plan {gain}.")
    yield told.format(change=one.label, gain=_gain(scenario, one.decided, pairs))
    if one.kept is not None:
        gain = _gain(scenario, one.kept, count(one.kept.n, "replication"))
        yield _("Kept as it is, it {gain}.").format(gain=gain)
    if one.key == "two-partners" and one.partners and one.partners[0][0]:
        codes, share = one.partners[0]
        names = _name_list([scenario.partners[code].name for code in codes])
        yield ngettext(
            "Most often, in {share} of the decisions, {names} takes part.",
            "Most often, in {share} of the decisions, {names} take part.",
            len(codes),
        ).format(share=f"{share:.0%}", names=names)
    yield from _turnover(scenario, one)


def _turnover(scenario: Scenario, one: ChangeEffect) -> Iterator[str]:
    before, after = one.funded
    if abs(before - after) > _ROUNDING:
        told = _(
            "Decided anew it funds {after} technologies on average, and {before} as things stand; this plan, which was "
            "chosen by simulation among many such decisions, funds {mine}."
        )
        yield told.format(after=numeral(after, ".4g"), before=numeral(before, ".4g"), mine=f"{one.mine:,}")
    if leaving := _moving(scenario, one.leaving):
        yield ngettext("{names} leaves.", "{names} leave.", len(leaving)).format(names=_name_list(leaving))
    if joining := _moving(scenario, one.joining):
        yield ngettext("{names} comes in.", "{names} come in.", len(joining)).format(names=_name_list(joining))
    if one.repeats and not any(share >= _MOST for _, share in (*one.leaving, *one.joining)):
        yield _("No technology leaves or comes in in most of them.")


def _moving(scenario: Scenario, listed: Sequence[tuple[str, float]]) -> list[str]:
    """Technologies that leave, or come in, in most of the repeats."""
    return [technology_words(scenario, name) for name, share in listed if share >= _MOST]


# --- partners -------------------------------------------------------------------------------------


def partner_sentences(scenario: Scenario, found: PartnersWorth) -> list[str]:
    """What partners are worth to the plan, and from which part of what is assumed."""
    return list(_partner_sentences(scenario, found))


def _partner_sentences(scenario: Scenario, found: PartnersWorth) -> Iterator[str]:
    repeats = count(found.repeats, "repeat")
    told = _(
        "If partners did to time and success half of what is assumed, the plan kept as it is {kept}; decided anew, "
        "{decided}."
    )
    kept = _gain(scenario, found.kept, count(found.kept.n, "replication"))
    yield told.format(kept=kept, decided=_gain(scenario, found.decided, repeats))
    if not found.leads:
        return
    leads = [
        _(_PARTS[level]).format(money=_money(scenario, one.mean), ends=_ends(one))
        for level, one in zip(reversed(LEVELS), reversed(found.leads), strict=True)
    ]
    told = _(
        "Decided anew by the optimiser alone, without the loop of simulation that found this plan, the lead over the "
        "same money spent without partners is {leads}. This plan's own lead is another: it stands beside the simple "
        "rules."
    )
    yield told.format(leads=_name_list(leads))
    yield _turn(found)


_PARTS = {
    0.0: N_("{money} ({ends}) where they bring nothing"),
    0.5: N_("{money} ({ends}) where half"),
    1.0: N_("{money} ({ends}) where partners bring what is assumed"),
}


def _turn(found: PartnersWorth) -> str:
    one = found.break_even
    if one is None or not one.repeats:
        return _("From which part of it on partners pay is not known: nothing could be decided.")
    if not one.is_within:
        told = (
            _("From nothing to what is assumed it stays ahead in most of {repeats} decisions.")
            if (one.value < 0) == one.is_rising
            else _("From nothing to what is assumed it stays behind in most of {repeats} decisions.")
        )
        return told.format(repeats=one.repeats)
    told = (
        _("Partners pay from {value} of what is assumed on (interval {low} to {high}, {repeats} decisions).")
        if one.is_rising
        else _("Partners pay up to {value} of what is assumed (interval {low} to {high}, {repeats} decisions).")
    )
    ends = (numeral(end, ".0%") if math.isfinite(end) else _("beyond these bounds") for end in (one.low, one.high))
    low, high = ends
    return told.format(value=numeral(one.value, ".0%"), low=low, high=high, repeats=one.repeats)


# --- lapse ----------------------------------------------------------------------------------------


def unused_sentences(scenario: Scenario, found: UnusedMoney) -> list[str]:
    """What lapses, when, and where it is left."""
    return list(_unused_sentences(scenario, found))


def _unused_sentences(scenario: Scenario, found: UnusedMoney) -> Iterator[str]:
    if found.lapsed.mean <= _ROUNDING:
        yield _("No money lapses.")
        return
    year = max(found.years, key=lambda year: found.years[year])
    told = _("{amount} {unit} lapse on average, most of it at the end of {year} ({most}).")
    unit = unit_of_money(scenario.money_unit)
    yield told.format(amount=_figure(found.lapsed.mean), unit=unit, year=year, most=_figure(found.years[year]))
    least = found.lapsed.mean * _WORTH_NAMING
    left = sorted((one for one in found.parts if one.money.mean > least), key=lambda one: -one.money.mean)
    taken = sorted((one for one in found.parts if one.money.mean < -least), key=lambda one: one.money.mean)
    if left:
        yield _("It is left by {parts}.").format(parts=_part_list(scenario, left))
    if taken:
        yield _("Taken from that is what goes to {parts}.").format(parts=_part_list(scenario, taken))


def _part_list(scenario: Scenario, parts: Sequence[UnusedPart]) -> str:
    told = _("{part} ({money})")
    each = [told.format(part=_(one.label), money=_money(scenario, abs(one.money.mean))) for one in parts]
    return _name_list(each)


def lapse_sentences(scenario: Scenario, found: Lapse) -> list[str]:
    """Without what less would lapse, which levers help, and why the plan may be worth less without a cause."""
    return list(_lapse_sentences(scenario, found))


def _lapse_sentences(scenario: Scenario, found: Lapse) -> Iterator[str]:
    if found.lapsed.mean <= _ROUNDING:
        return
    causes = [one for one in found.without if one.otherwise.kind == "cause"]
    less = sorted((one for one in causes if one.less.low > 0), key=lambda one: -one.less.mean)
    if less:
        each = [_("{cause} ({less})").format(cause=_(one.otherwise.label), less=_less(scenario, one)) for one in less]
        yield _("Less would lapse without {causes}.").format(causes=_name_list(each))
    more = [_(one.otherwise.label) for one in causes if one.less.high < 0]
    if more:
        told = _("More would lapse without {causes}: who goes on working is paid later, or not at all.")
        yield told.format(causes=_name_list(more))
    if causes:
        told = _(
            "Each of these is found by simulating the plan without that one cause, on the first {replications}, in "
            "which {amount} {unit} lapse; intervals hold together. Causes work together, so what they do does not add "
            "up."
        )
        yield told.format(
            replications=count(found.replications, "replication"),
            amount=_figure(found.lapsed.mean),
            unit=unit_of_money(scenario.money_unit),
        )
    yield from (_why_less(scenario, one) for one in causes if one.npv.high < 0 and one.more)
    yield from (_lever(scenario, one) for one in found.without if one.otherwise.kind == "lever" and _does(one))
    idle = [_(one.otherwise.label) for one in found.without if not _does(one)]
    if idle:
        yield _("Not shown to matter here: {causes}.").format(causes=_name_list(idle))


def _why_less(scenario: Scenario, one: Without) -> str:
    """Why the plan, kept as it is, is worth less without something that stops or delays its projects."""
    cost, value = one.more["cost_pv"], one.more["value_pv"]
    first = _("Without {cause} the plan, kept as it is, would be worth less: {reason}, in present values.")
    if cost.mean < 0:
        reason = _("its projects cost {cost} less and bring {value} less")
    elif value.mean < 0:
        reason = _("its projects cost {cost} more and bring {value} less")
    else:
        reason = _("its projects cost {cost} more and bring {value} more")
    amounts = {"cost": _money(scenario, abs(cost.mean)), "value": _money(scenario, abs(value.mean))}
    told = [first.format(cause=_(one.otherwise.label), reason=reason.format(**amounts))]
    if one.more["unfunded"].low > 0:
        crowded = _(
            "More of them go on and ask for money that the plan counts on not being asked for: {number} more find "
            "none in time, some after part of their award is spent."
        )
        told.append(crowded.format(number=_figure(one.more["unfunded"].mean)))
    return join_texts(told, " ")


def _less(scenario: Scenario, one: Without) -> str:
    return _("{money}, {ends}").format(money=_money(scenario, one.less.mean), ends=_ends(one.less))


def _does(one: Without) -> bool:
    return _is_shown(one.less) or (one.otherwise.kind == "lever" and _is_shown(one.npv))


def _lever(scenario: Scenario, one: Without) -> str:
    ends = one.less if one.less.mean >= 0 else _reverse(one.less)
    if not _is_shown(one.less):
        told = _("A lever: to {lever}. Then what lapses is not shown to change ({ends}), and the plan {gain}.")
        ends = one.less
    elif one.less.mean >= 0:
        told = _("A lever: to {lever}. Then {money} less would lapse ({ends}), and the plan {gain}.")
    else:
        told = _("A lever: to {lever}. Then {money} more would lapse ({ends}), and the plan {gain}.")
    return told.format(
        lever=_(one.otherwise.label),
        money=_money(scenario, ends.mean),
        ends=_ends(ends),
        gain=_gain(scenario, one.npv, count(one.npv.n, "replication")),
    )


def _reverse(one: Interval) -> Interval:
    return Interval(-one.mean, -one.high, -one.low, one.n)


# --- absences -------------------------------------------------------------------------------------


def absence_words(scenario: Scenario, one: Absence) -> str:
    """How near a technology is to being funded, what would make room for it, and what would bring it in."""
    return join_texts(list(_absence_sentences(scenario, one)), " ")


def _absence_sentences(scenario: Scenario, one: Absence) -> Iterator[str]:
    if one.excluded_by:
        yield _("{reason}.").format(reason=excluded_words(scenario, one.excluded_by))
    if math.isinf(one.at_least):
        yield _("No portfolio that keeps every rule can hold it.")
        return
    if one.shared is not None and one.solved:
        told = _("{share} of the re-decisions fund it ({low} to {high}).")
        yield told.format(share=_percent(one.shared.mean), low=_percent(one.shared.low), high=_percent(one.shared.high))
    if one.fall is None:
        yield from _expected_cost(scenario, one)
        return
    told = (
        _("With {joined} in the place of {left} the plan {gain}.")
        if one.left
        else _("With {joined}, nobody leaving, the plan {gain}.")
    )
    joined, left = entering_words(scenario, one), leaving_words(scenario, one)
    yield told.format(joined=joined, left=left, gain=gain_words(scenario, one))
    yield ways_in(scenario, one)


def gain_words(scenario: Scenario, one: Absence) -> str:
    """What the plan would be worth more or less with a technology that was simulated in it."""
    return "" if one.fall is None else _gain(scenario, _reverse(one.fall), count(one.fall.n, "replication"))


def excluded_words(scenario: Scenario, others: Sequence[str]) -> str:
    """That funded technologies exclude one that is not."""
    names = _name_list([technology_words(scenario, name) for name in others])
    return ngettext(
        "{names} is funded, and the two exclude one another",
        "{names} are funded, and each of them excludes it",
        len(others),
    ).format(names=names)


def entering_words(scenario: Scenario, one: Absence) -> str:
    """What comes in where a technology does: as what it is funded, and what it needs besides."""
    return _name_list([option_words(scenario, name) for name in one.joined])


def leaving_words(scenario: Scenario, one: Absence) -> str:
    """Who makes room for it; '' for nobody."""
    return _name_list([technology_words(scenario, name) for name in one.left])


def ways_in(scenario: Scenario, one: Absence) -> str:
    """What would bring a technology in that was simulated in the plan."""
    return join_texts(list(_ways_in(scenario, one)), " ")


def _ways_in(scenario: Scenario, one: Absence) -> Iterator[str]:
    if one.fall is None:
        return
    if one.fall.high < 0:
        yield _("Nothing more is needed: the search, which tries some exchanges only, did not find it.")
    elif not one.fall.low > 0:
        yield _("Nothing more is shown to be needed: the plan with it is as good, as far as simulation tells.")
    else:
        told = (
            _("It comes in if its value rises by {rise}, or if it asks for {cut} less.")
            if one.cut < 1
            else _("It comes in if its value rises by {rise}.")
        )
        yield told.format(rise=_money(scenario, round_up(one.fall.mean)), cut=_cut(one))
    if one.barred:
        rows = _name_list([row_words(scenario, key) for key in one.barred])
        yield ngettext(
            "More money alone makes no room for it beside the plan, for the limit on {rows} is reached.",
            "More money alone makes no room for it beside the plan, for the limits on {rows} are reached.",
            len(one.barred),
        ).format(rows=rows)
    elif one.money and not one.excluded_by:
        told = _("Beside the plan, nobody leaving, it would take {money} more of announced money, in {years}.")
        years = listing([str(year) for year, _amount in one.money])
        yield told.format(money=_money(scenario, round_up(sum(money for _year, money in one.money))), years=years)


def _percent(share: float) -> str:
    return numeral(share, ".0%")


def _cut(one: Absence) -> str:
    return _percent(math.ceil(100 * one.cut) / 100) if one.cut < 1 else ""


def _expected_cost(scenario: Scenario, one: Absence) -> Iterator[str]:
    """What it would cost by expected values, where no portfolio with it was simulated."""
    if not math.isfinite(one.at_most):
        told = (
            _("It would cost at least {least} of expected value; how much is not known.")
            if one.at_least > _ROUNDING
            else _("What it would cost is not known: no portfolio with it was found by a simple exchange.")
        )
        yield told.format(least=_money(scenario, one.at_least))
    elif one.at_most <= _ROUNDING:
        yield _("By expected values of options alone one with it is as good; simulation, which sees more, left it out.")
    else:
        told = (
            _("It would cost {least} to {most} of expected value.")
            if one.at_least > _ROUNDING
            else _("It would cost at most {most} of expected value.")
        )
        yield told.format(least=_figure(one.at_least), most=_money(scenario, one.at_most))
        told = _("By expected values of options it comes in if its value rises by {rise}.")
        yield told.format(rise=_money(scenario, round_up(one.at_most)))
