"""Pages, filled from their templates: the house's words for amounts, texts of a scenario always escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from rdsim.brief import count
from rdsim.report.words.amounts import amount, interval, percent
from rdsim.scenario.bounds import own_level
from rdsim.serve.answers import ChoiceChange, FigureChange, Firmness, LeverAnswer, MoneyYear, Span
from rdsim.serve.exports import command_line
from rdsim.serve.history import Entry
from rdsim.serve.jobs import Job
from rdsim.serve.web.forms import LeverForm, budget_years, form_of, single_partners
from rdsim.serve.workplace import Workplace

__all__ = ["Pages"]

_WORDS = {
    "entered": "enters",
    "left": "leaves",
    "start": "starts in another year",
    "partner": "with another partner",
    "mode": "funded in another way",
}
_COUNTED = {
    "entered": ("technology enters", "technologies enter"),
    "left": ("technology leaves", "technologies leave"),
    "start": ("starts in another year", "start in another year"),
    "partner": ("has another partner", "have another partner"),
    "mode": ("is funded in another way", "are funded in another way"),
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
    """The pages of a workplace."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("rdsim.serve.web", ""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["amount"] = amount

    def run(self, form: LeverForm, faults: Sequence[str] = ()) -> str:
        """The run as it is; with what is wrong with a form, and the form as it was typed."""
        figures = [(one.label, amount(one.run.mean), _ends(one.run), one.unit) for one in self._place.run_figures()]
        return self._fill("run.html.j2", form, faults=faults, tiles=figures, funded=len(self._place.portfolio))

    def answer(
        self, entry: Entry, firm: Sequence[Firmness] | None, firming: bool, written: str, faults: Sequence[str]
    ) -> str:
        """An answer beside the run; of another run what it says alone. `firming`: how firm is being worked out."""
        answer, own = entry.answer, self._place.is_own(entry.answer)
        levers = answer.question if own else self._place.levers
        return self._fill(
            "answer.html.j2",
            form_of(self._place.scenario, levers),
            faults=faults,
            written=written,
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
        return self._fill("job.html.j2", form, faults=(), job=job)

    def _fill(self, template: str, form: LeverForm, **values: Any) -> str:
        place, scenario = self._place, self._place.scenario
        return self._environment.get_template(template).render(
            form=form,
            scenario=scenario,
            title=scenario.title,
            folder=place.run.folder.as_posix(),
            unit=scenario.money_unit,
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
        stands = "as it stands" if own is None else f"as it stands: {own:g}"
        how = {"set": "", "multiply": "times what the scenario says; ", "add": "added to what the scenario says; "}
        return {
            "name": name,
            "label": one.label or name.replace("_", " ").replace("-", " "),
            "bounds": f"{how[one.change]}{one.low:g} to {one.high:g}; {stands}",
            "low": f"{one.low!r}",
            "high": f"{one.high!r}",
        }

    def _summary(self, answer: LeverAnswer) -> str:
        unit, npv = self._place.scenario.money_unit, answer.figure("npv")
        if not self._place.is_own(answer):
            return f"of another plan that stood here before: {_worth(npv.difference, npv.unit)}"
        moved = list(self._lever_moves(answer))
        shown = "; ".join(moved[:2]) + (f"; and {len(moved) - 2} more" if len(moved) > 2 else "")
        return f"{shown or 'nothing is moved'}: {_worth(npv.difference, unit)}"

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
                    yield f"{scenario.programmes[code].name} {year}: {amount(money)} instead of {amount(announced)}"
        for code, ratio in levers.payment_ratios.items():
            held = own.payment_ratios.get(code, 1.0)
            if ratio != held:
                yield f"payment ratio of {scenario.programmes[code].name}: {ratio:.3g} instead of {held:.3g}"
        if levers.risk_weight != own.risk_weight:
            yield f"weight of risk: {levers.risk_weight:g} instead of {own.risk_weight:g}"
        if levers.barred:
            yield f"without {', '.join(scenario.partners[code].name for code in levers.barred)}"
        for words, now, before in (
            ("must be funded", levers.must_fund, own.must_fund),
            ("must not be funded", levers.must_not_fund, own.must_not_fund),
        ):
            if fresh := [code for code in now if code not in before]:
                yield f"{', '.join(fresh)} {words}"
            if gone := [code for code in before if code not in now]:
                yield f"{', '.join(gone)} no longer {words}"
        for name, level in levers.levels.items():
            yield f"{self._assumption(name)['label']}: {level:g}"

    def _sentences(self, answer: LeverAnswer) -> Iterator[str]:
        """What changed against the run, in plain words."""
        npv = answer.figure("npv")
        unit = self._place.scenario.money_unit if self._place.is_own(answer) else npv.unit
        yield (
            f"The portfolio is worth {amount(npv.answer.mean)} {unit} ({_ends(npv.answer)}): "
            f"{_against(npv.difference, unit)} than the run, replication by replication."
        )
        if npv.decided is not None and not answer.is_run:
            yield (
                "If the run's portfolio were kept all the same, under this money and these assumptions, it would be "
                f"worth {amount(npv.answer.mean - npv.decided.mean)}; deciding anew is {_against(npv.decided, unit)}."
            )
        if answer.is_run:
            yield "The run's own portfolio stands: it keeps every rule, and nothing that was found is clearly better."
        else:
            yield f"It funds {count(len(answer.choices), 'technology')}. {_count_sentence(answer.changes)}"
        if answer.against:
            yield f"The run's portfolio cannot stand under these levers: {'; '.join(answer.against[:5])}."

    def _change_cells(self, one: ChoiceChange, firm: Sequence[Firmness] | None, own: bool) -> Mapping[str, str]:
        known = {each.technology: each for each in firm or ()}
        found = known.get(one.technology) if one.change in ("entered", "left") else None
        again = "" if found is None else f"funded in {found.count} of {found.of}: {found.verdict}"
        known_here = self._place.scenario.technologies if own else {}
        return {
            "technology": one.technology,
            "name": known_here[one.technology].name if one.technology in known_here else "",
            "change": _WORDS.get(one.change, one.change),
            "before": self._option(one.before) if own else one.before,
            "after": self._option(one.after) if own else one.after,
            "firm": one.firm or "not told",
            "again": again,
        }

    def _option(self, text: str) -> str:
        """A choice with the names of its partner and its way of funding in place of their codes."""
        scenario = self._place.scenario
        parts = text.split(", ")
        names = {code: one.name for code, one in scenario.partners.items()}
        modes = {code: one.name for code, one in scenario.modes.items()}
        if len(parts) == 3:
            return ", ".join([names.get(parts[0], parts[0]), modes.get(parts[1], parts[1]), parts[2]])
        return names.get(text, modes.get(text, text))

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
        return "Only who is funded is decided again on other samples, and here nothing enters or leaves."
    if firm:
        return "Who is funded was decided again on other samples under these levers: the last column says how often."
    if firm is not None:
        return (
            "How firm this is is not told: a risk is weighed, and then nothing is decided again, or too few decisions "
            "on other samples found a portfolio."
        )
    return "How firm this is is being worked out." if firming else "How firm this is is not known."


def _money_cells(one: MoneyYear, names: Mapping[str, str]) -> Mapping[str, str]:
    told = {each: amount(getattr(one, each)) for each in ("announced", "most", "expected", "run", "paid")}
    return {"programme": names[one.programme], "year": str(one.year), **told}


def _worth(difference: Span, unit: str) -> str:
    """What an answer is worth against its run, in few words."""
    low, high = difference.low, difference.high
    if difference.mean == low == high == 0:
        return "worth exactly what the run is"
    if low is None or high is None or low <= 0 <= high:
        return "not shown to differ from the run"
    side = "more" if difference.mean > 0 else "less"
    return f"worth {amount(abs(difference.mean))} {unit} {side} than the run"


def _ends(found: Span) -> str:
    return interval({"low": found.low, "high": found.high})


def _against(found: Span, unit: str) -> str:
    """A difference as an amount with its side: `16.4 billion KRW less (4.0 to 28.4)`."""
    if found.mean == 0:
        return f"no more and no less ({_ends(found)})"
    side = "more" if found.mean > 0 else "less"
    low, high = found.low, found.high
    if found.mean < 0 and low is not None and high is not None:
        low, high = -high, -low
    return f"{amount(abs(found.mean))} {unit} {side} ({_ends(Span(abs(found.mean), low, high))})"


def _figure_cells(one: FigureChange) -> Mapping[str, str]:
    signed = amount(one.difference.mean)
    return {
        "label": one.label + (f", {one.unit}" if one.unit else ""),
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
    parts = [f"{number} {_COUNTED[kind][number > 1]}" for kind in _WORDS if (number := counted[kind])]
    return f"Against the run, {', '.join(parts)}." if parts else "They are the run's, in another order."
