"""How portfolios differ: technologies and partners that entered, left or changed, and how firm each decision was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from rdsim.comparison.reading import FinishedRun
from rdsim.domain import Choice
from rdsim.languages import N_, pgettext
from rdsim.languages import gettext as _
from rdsim.search import Verdict

__all__ = ["COLUMNS", "FIRM", "change_title", "changes_of_choice", "choice_table", "is_order_changed"]

COLUMNS = ("run", "change", "technology", "name", "first", "second", "firm_first", "firm_second")

FIRM = {str(Verdict.SURE_IN): N_("firm"), str(Verdict.SURE_OUT): N_("rejected"), str(Verdict.OPEN): N_("open")}
"""What nearly all re-decisions agree on, either way, is no near tie; the rest is."""


def change_title(change: str) -> str:
    """What readers call a change, as `choice_table` names them."""
    return {
        "entered": pgettext("change", "entered"),
        "left": pgettext("change", "left"),
        "start": pgettext("change", "start"),
        "partner": pgettext("change", "partner"),
        "mode": pgettext("change", "mode"),
        "opened": pgettext("change", "opened"),
        "closed": pgettext("change", "closed"),
        "opening": pgettext("change", "opening"),
    }[change]


def choice_table(first: FinishedRun, second: FinishedRun) -> pd.DataFrame:
    """A row for each decision that differs between the portfolios of two runs.

    `change` is one of entered, left, start, partner, mode (of a technology), opened, closed, opening (of a country or
    consortium, which then stands under `first` and `second`). `firm_first` and `firm_second` are what
    that run's re-decisions say of its own decision: firm, rejected or open; empty where it did not decide again.
    """
    rows = [*_technology_rows(first, second), *_partner_rows(first, second)]
    return pd.DataFrame([(second.label, *row) for row in rows], columns=list(COLUMNS))


def is_order_changed(first: FinishedRun, second: FinishedRun) -> bool:
    """Whether technologies that both fund stand in another order of priority."""
    both = [name for name in first.choices if name in second.choices]
    return _by_rank(first, both) != _by_rank(second, both)


def _by_rank(run: FinishedRun, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (run.choices[name].rank, name))


def _technology_rows(first: FinishedRun, second: FinishedRun) -> Iterator[tuple[str, ...]]:
    names = {**first.names, **second.names}
    for code in sorted({*first.choices, *second.choices}):
        old, new = first.choices.get(code), second.choices.get(code)
        for change, before, after, key in changes_of_choice(old, new):
            firm = [_firmness(run, key) for run in (first, second)]
            yield change, code, names.get(code, ""), before, after, *firm


def changes_of_choice(
    old: Choice | None, new: Choice | None
) -> Iterator[tuple[str, str, str, tuple[str, str, str, str]]]:
    """How two portfolios' choices for one technology differ; None is not funded, and one of them is a choice.

    Change, before, after, and under which keys the two runs decided it: kind, technology, what of each."""
    if old is None or new is None:
        one = old or new
        assert one is not None  # noqa: S101 - a technology is in one of the two
        change = "entered" if old is None else "left"
        yield change, _option(old), _option(new), ("technology", one.technology, "", "")
        return
    told = {
        "start": (str(old.start_year), str(new.start_year)),
        "partner": (old.partner, new.partner),
        "mode": (old.mode, new.mode),
    }
    for kind, (before, after) in told.items():
        if before != after:
            shown = [one or _("alone") for one in (before, after)]
            yield kind, shown[0], shown[1], (kind, old.technology, before, after)


def _option(one: Choice | None) -> str:
    if one is None:
        return _("not funded")
    told = _("{partner}, {mode}, from {year}")
    return told.format(partner=one.partner or _("alone"), mode=one.mode, year=one.start_year)


def _firmness(run: FinishedRun, key: tuple[str, str, str, str]) -> str:
    """How firm the run's own decision is: of what it chose, where a funded technology has something else elsewhere."""
    kind, technology, before, after = key
    if kind == "technology":
        return FIRM.get(run.verdicts.get((kind, technology, ""), ""), "")
    mine = run.choices[technology]
    own = {"start": str(mine.start_year), "partner": mine.partner, "mode": mine.mode}[kind]
    return FIRM.get(run.verdicts.get((kind, technology, own), ""), "") if own in (before, after) else ""


def _partner_rows(first: FinishedRun, second: FinishedRun) -> Iterator[tuple[str, ...]]:
    old, new = _partner_years(first, second)
    names = _partner_names(first) | _partner_names(second)
    for code in sorted({*old, *new}):
        before, after = old.get(code, ""), new.get(code, "")
        if before == after:
            continue
        change = "opened" if code not in old else "closed" if code not in new else "opening"
        firm = [FIRM.get(run.verdicts.get(("country", "", code), ""), "") for run in (first, second)]
        yield change, code, names.get(code, ""), before or _("not opened"), after or _("not opened"), *firm


def _partner_years(first: FinishedRun, second: FinishedRun) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Partners with the year of opening where both runs say it; else those that technologies are done with."""
    told = [(run.manifest.get("portfolio") or {}).get("partners_opened") for run in (first, second)]
    if all(one is not None for one in told):
        years = [
            {str(code): _("from {year}").format(year=year) for code, year in one.items()}
            for one in told
            if one is not None
        ]
        return years[0], years[1]
    plain = [
        {one.partner: _("with projects") for one in run.choices.values() if one.partner} for run in (first, second)
    ]
    return plain[0], plain[1]


def _partner_names(run: FinishedRun) -> dict[str, str]:
    return {} if run.scenario is None else {code: one.name for code, one in run.scenario.partners.items()}
