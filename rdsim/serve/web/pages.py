"""Pages, filled from their templates: the house's words for amounts, texts of a scenario always escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from rdsim.brief import count
from rdsim.languages import (
    N_,
    active,
    join_texts,
    keeping,
    ngettext,
    retold,
    script_texts,
    speaking,
    unit_of_money,
)
from rdsim.languages import gettext as _
from rdsim.report.page.html import embed, tell, template_text
from rdsim.report.words.amounts import amount, interval, percent
from rdsim.scenario.bounds import own_level
from rdsim.serve.answers import ChoiceChange, FigureChange, Firmness, LeverAnswer, MoneyYear, Span
from rdsim.serve.exports import command_line
from rdsim.serve.history import Entry
from rdsim.serve.jobs import Job
from rdsim.serve.web.forms import LeverForm, budget_years, form_of, single_partners
from rdsim.serve.workplace import Workplace

__all__ = ["Pages"]

_CHANGES = {
    "entered": N_("enters"),
    "left": N_("leaves"),
    "start": N_("starts in another year"),
    "partner": N_("with another partner"),
    "mode": N_("funded in another way"),
}
_HIGH, _WIDE, _FOOT, _LEFT = 130, 620, 24, 56
"""Of a drawing of money by year, in its own units."""


@dataclass(frozen=True)
class _Bar:
    """A year of a drawing: where its marks stand."""

    year: int
    x: float
    width: float
    announced: float
    most: float
    expected: float
    run: float


class Pages:
    """The pages of a workplace, in the language that is spoken when they are opened."""

    def __init__(self, place: Workplace) -> None:
        self._place, self._language = place, active()
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("rdsim.serve.web", ""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"_": template_text, "ngettext": ngettext}
        self._environment.filters |= {"amount": amount, "told": tell}

    def run(self, form: LeverForm, faults: Sequence[str] = ()) -> str:
        """The run as it is; with what is wrong with a form, and the form as it was typed."""
        figures = self._place.run_figures()
        with speaking(self._language):
            tiles = [(_(one.label), amount(one.run.mean), _ends(one.run), unit_of_money(one.unit)) for one in figures]
            return self._fill("run.html.j2", form, faults=faults, tiles=tiles, funded=len(self._place.portfolio))

    def answer(
        self, entry: Entry, firm: Sequence[Firmness] | None, firming: bool, written: str, faults: Sequence[str]
    ) -> str:
        """An answer beside the run; of another run what it says alone. `firming`: how firm is being worked out."""
        answer, own = entry.answer, self._place.is_own(entry.answer)
        levers = answer.question if own else self._place.levers
        with speaking(self._language), keeping(entry.texts):
            return self._fill(
                "answer.html.j2",
                form_of(self._place.scenario, levers),
                faults=faults,
                written=retold(written),
                entry=entry,
                other=not own,
                sentences=list(self._sentences(answer)),
                moved=list(self._lever_moves(answer)) if own else [],
                figures=[_figure_cells(one) for one in answer.figures],
                changes=[self._change_cells(one, firm, own) for one in answer.changes],
                firming=firming and firm is None,
                firm_line=_firm_line(answer, firm, firming),
                drawings=[self._drawing(answer, *one) for one in self._programmes(answer, own).items()],
                money=[_money_cells(one, self._programmes(answer, own)) for one in answer.money],
                command=command_line(self._place, answer.question) if own else "",
            )

    def job(self, job: Job, form: LeverForm) -> str:
        """How far a job is; with the form that asked for it."""
        with speaking(self._language):
            return self._fill("job.html.j2", form, faults=(), job=job)

    def _fill(self, template: str, form: LeverForm, **values: Any) -> str:
        place, scenario = self._place, self._place.scenario
        return self._environment.get_template(template).render(
            form=form,
            scenario=scenario,
            title=scenario.title,
            folder=place.run.folder.as_posix(),
            language=self._language,
            texts=embed(script_texts()) if script_texts() else "",
            unit=unit_of_money(scenario.money_unit),
            years=budget_years(scenario),
            partners=[(code, scenario.partners[code].name) for code in single_partners(scenario)],
            technologies=[
                (code, one.name, code in place.portfolio, one.status) for code, one in scenario.technologies.items()
            ],
            assumptions=[self._assumption(name) for name in scenario.assumptions],
            assumed=any(form[f"level.{name}"].strip() for name in scenario.assumptions),
            wished=any(form[f"status.{code}"] not in ("", one.status) for code, one in scenario.technologies.items()),
            history=[(one, self._summary(one.answer)) for one in place.history.entries()],
            replications=place.replications,
            confidence=percent(scenario.simulation.confidence),
            **values,
        )

    # ------------------------------------------------------------ words

    def _assumption(self, name: str) -> Mapping[str, str]:
        one, own = self._place.scenario.assumptions[name], own_level(self._place.scenario, name)
        stands = _("as it stands") if own is None else _("as it stands: {level}").format(level=f"{own:g}")
        how = {"multiply": _("times what the scenario says"), "add": _("added to what the scenario says")}
        bounds = _("{low} to {high}").format(low=f"{one.low:g}", high=f"{one.high:g}")
        return {
            "name": name,
            "label": one.label or name.replace("_", " ").replace("-", " "),
            "bounds": "; ".join([*([how[one.change]] if one.change in how else []), bounds, stands]),
            "low": f"{one.low!r}",
            "high": f"{one.high!r}",
        }

    def _summary(self, answer: LeverAnswer) -> str:
        unit, npv = unit_of_money(self._place.scenario.money_unit), answer.figure("npv")
        if not self._place.is_own(answer):
            told = _("of another plan that stood here before: {worth}")
            return told.format(worth=_worth(npv.difference, unit_of_money(npv.unit)))
        moved = list(self._lever_moves(answer))
        more = [_("and {number} more").format(number=len(moved) - 2)] if len(moved) > 2 else []
        shown = "; ".join([*moved[:2], *more]) or _("nothing is moved")
        return f"{shown}: {_worth(npv.difference, unit)}"

    def _programmes(self, answer: LeverAnswer, own: bool) -> Mapping[str, str]:
        """Names of programmes by code; of another run's answer the codes, which are all that it tells."""
        if own:
            return {code: one.name for code, one in self._place.scenario.programmes.items()}
        return {one.programme: one.programme for one in answer.money}

    def _lever_moves(self, answer: LeverAnswer) -> Iterator[str]:
        """Which levers stand elsewhere than in the run."""
        scenario, levers, own = self._place.scenario, answer.question, self._place.levers
        for code, line in levers.budgets.items():
            for year, money in line.items():
                announced = own.budgets.get(code, {}).get(year, 0.0)
                if money != announced:
                    told = _("{name} {year}: {now} instead of {before}")
                    name = scenario.programmes[code].name
                    yield told.format(name=name, year=year, now=amount(money), before=amount(announced))
        for code, ratio in levers.payment_ratios.items():
            held = own.payment_ratios.get(code, 1.0)
            if ratio != held:
                told = _("payment ratio of {name}: {now} instead of {before}")
                yield told.format(name=scenario.programmes[code].name, now=f"{ratio:.3g}", before=f"{held:.3g}")
        if levers.risk_weight != own.risk_weight:
            told = _("weight of risk: {now} instead of {before}")
            yield told.format(now=f"{levers.risk_weight:g}", before=f"{own.risk_weight:g}")
        if levers.barred:
            told = _("without {partners}")
            yield told.format(partners=", ".join(scenario.partners[code].name for code in levers.barred))
        for is_in, is_out, now, before in (
            (_("{names} must be funded"), _("{names} no longer must be funded"), levers.must_fund, own.must_fund),
            (
                _("{names} must not be funded"),
                _("{names} no longer must not be funded"),
                levers.must_not_fund,
                own.must_not_fund,
            ),
        ):
            if fresh := [code for code in now if code not in before]:
                yield is_in.format(names=", ".join(fresh))
            if gone := [code for code in before if code not in now]:
                yield is_out.format(names=", ".join(gone))
        for name, level in levers.levels.items():
            yield _("{assumption}: {level}").format(assumption=self._assumption(name)["label"], level=f"{level:g}")

    def _sentences(self, answer: LeverAnswer) -> Iterator[str]:
        """What changed against the run, in plain words."""
        npv = answer.figure("npv")
        unit = unit_of_money(self._place.scenario.money_unit if self._place.is_own(answer) else npv.unit)
        yield _(
            "The portfolio is worth {amount} {unit} ({interval}): {difference} than the run, replication by "
            "replication."
        ).format(
            amount=amount(npv.answer.mean),
            unit=unit,
            interval=_ends(npv.answer),
            difference=_against(npv.difference, unit),
        )
        if npv.decided is not None and not answer.is_run:
            yield _(
                "If the run's portfolio were kept all the same, under this money and these assumptions, it would be "
                "worth {amount}; deciding anew is {difference}."
            ).format(
                amount=amount(npv.answer.mean - npv.decided.mean), difference=_against(npv.decided, unit), unit=unit
            )
        if answer.is_run:
            yield _(
                "The run's own portfolio stands: it keeps every rule, and nothing that was found is clearly better."
            )
        else:
            funded = _("It funds {technologies}.").format(technologies=count(len(answer.choices), "technology"))
            yield f"{funded} {_count_sentence(answer.changes)}"
        if answer.against:
            told = _("The run's portfolio cannot stand under these levers: {rules}.")
            yield told.format(rules="; ".join(map(retold, answer.against[:5])))

    def _change_cells(self, one: ChoiceChange, firm: Sequence[Firmness] | None, own: bool) -> Mapping[str, str]:
        known = {each.technology: each for each in firm or ()}
        found = known.get(one.technology) if one.change in ("entered", "left") else None
        told = _("funded in {number} of {all}: {verdict}")
        again = "" if found is None else told.format(number=found.count, all=found.of, verdict=_(found.verdict))
        known_here = self._place.scenario.technologies if own else {}
        return {
            "technology": one.technology,
            "name": known_here[one.technology].name if one.technology in known_here else "",
            "change": _(_CHANGES.get(one.change, one.change)),
            "before": self._option(one.before) if own else retold(one.before),
            "after": self._option(one.after) if own else retold(one.after),
            "firm": _(one.firm) if one.firm else _("not told"),
            "again": again,
        }

    def _option(self, text: str) -> str:
        """A choice with the names of its partner and its way of funding in place of their codes."""
        scenario = self._place.scenario
        parts = retold(text).split(", ")
        names = {code: one.name for code, one in scenario.partners.items()}
        modes = {code: one.name for code, one in scenario.modes.items()}
        if len(parts) == 3:
            return ", ".join([names.get(parts[0], parts[0]), modes.get(parts[1], parts[1]), parts[2]])
        return names.get(text, modes.get(text, retold(text)))

    def _drawing(self, answer: LeverAnswer, programme: str, name: str) -> Mapping[str, Any]:
        """Money by year of a programme: bars of expected payments, marks of what is announced and may be promised."""
        lines = [one for one in answer.money if one.programme == programme]
        top = max((max(one.announced, one.most, one.expected, one.run) for one in lines), default=0.0) or 1.0
        step = (_WIDE - _LEFT) / max(len(lines), 1)

        def y(money: float) -> float:
            return round(_HIGH - max(money, 0.0) / top * (_HIGH - 12), 1)  # more may come back than is paid

        bars = [
            _Bar(
                one.year,
                round(_LEFT + k * step + 4, 1),
                round(step - 8, 1),
                y(one.announced),
                y(one.most),
                y(one.expected),
                y(one.run),
            )
            for k, one in enumerate(lines)
        ]
        ticks = [(y(top * part), amount(top * part)) for part in (0.0, 0.5, 1.0)]
        return {"name": name, "bars": bars, "ticks": ticks, "high": _HIGH, "wide": _WIDE, "tall": _HIGH + _FOOT}


def _firm_line(answer: LeverAnswer, firm: Sequence[Firmness] | None, firming: bool) -> str:
    """What the page says of how firm the changes are."""
    if not answer.changes_membership:
        return _("Only who is funded is decided again on other samples, and here nothing enters or leaves.")
    if firm:
        return _("Who is funded was decided again on other samples under these levers: the last column says how often.")
    if firm is not None:
        return _(
            "How firm this is is not told: a risk is weighed, and then nothing is decided again, or too few decisions "
            "on other samples found a portfolio."
        )
    return _("How firm this is is being worked out.") if firming else _("How firm this is is not known.")


def _money_cells(one: MoneyYear, names: Mapping[str, str]) -> Mapping[str, str]:
    told = {each: amount(getattr(one, each)) for each in ("announced", "most", "expected", "run", "paid")}
    return {"programme": names[one.programme], "year": str(one.year), **told}


def _worth(difference: Span, unit: str) -> str:
    """What an answer is worth against its run, in few words."""
    low, high = difference.low, difference.high
    if difference.mean == low == high == 0:
        return _("worth exactly what the run is")
    if low is None or high is None or low <= 0 <= high:
        return _("not shown to differ from the run")
    told = (
        _("worth {amount} {unit} more than the run")
        if difference.mean > 0
        else _("worth {amount} {unit} less than the run")
    )
    return told.format(amount=amount(abs(difference.mean)), unit=unit)


def _ends(found: Span) -> str:
    return interval({"low": found.low, "high": found.high})


def _against(found: Span, unit: str) -> str:
    """A difference as an amount with its side: `16.4 billion KRW less (4.0 to 28.4)`."""
    if found.mean == 0:
        return _("no more and no less ({interval})").format(interval=_ends(found))
    told = _("{amount} {unit} more ({interval})") if found.mean > 0 else _("{amount} {unit} less ({interval})")
    low, high = found.low, found.high
    if found.mean < 0 and low is not None and high is not None:
        low, high = -high, -low
    ends = _ends(Span(abs(found.mean), low, high))
    return told.format(amount=amount(abs(found.mean)), unit=unit, interval=ends)


def _label_with_unit(one: FigureChange) -> str:
    label, unit = _(one.label), unit_of_money(one.unit)
    return _("{label}, {unit}").format(label=label, unit=unit) if unit else label


def _figure_cells(one: FigureChange) -> Mapping[str, str]:
    signed = amount(one.difference.mean)
    return {
        "label": _("{label}, {unit}").format(label=_(one.label), unit=unit_of_money(one.unit))
        if one.unit
        else _(one.label),
        "run": amount(one.run.mean),
        "run_ends": _ends(one.run),
        "answer": amount(one.answer.mean),
        "answer_ends": _ends(one.answer),
        "difference": f"+{signed}" if one.difference.mean > 0 else signed,
        "difference_ends": _ends(one.difference),
        "ahead": percent(one.ahead),
    }


def _count_sentence(changes: Sequence[ChoiceChange]) -> str:
    counted = Counter(one.change for one in changes)
    parts = [_change_count(kind, number) for kind in _CHANGES if (number := counted[kind])]
    if not parts:
        return _("They are the run's, in another order.")
    return _("Against the run, {changes}.").format(changes=join_texts(parts, ", "))


def _change_count(kind: str, number: int) -> str:
    return {
        "entered": ngettext("{number} technology enters", "{number} technologies enter", number),
        "left": ngettext("{number} technology leaves", "{number} technologies leave", number),
        "start": ngettext("{number} starts in another year", "{number} start in another year", number),
        "partner": ngettext("{number} has another partner", "{number} have another partner", number),
        "mode": ngettext("{number} is funded in another way", "{number} are funded in another way", number),
    }[kind].format(number=number)
