"""The page of a run: what it is to show in, one self-contained HTML file out (see `html`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rdsim import glossary
from rdsim.folders.contents import BRIEF
from rdsim.languages import N_, keeping, speaking, unit_of_money
from rdsim.languages import gettext as _
from rdsim.report import words
from rdsim.report.data.odds import market_odds
from rdsim.report.data.plan import PlanReport
from rdsim.report.data.sections import Page, Plot
from rdsim.report.data.yearly import ledger
from rdsim.report.page import tables, technologies
from rdsim.report.page.cards import card_block
from rdsim.report.page.html import Content, environment, fill_page, picture, start_drawing, visible_text
from rdsim.tables import FORMULA_SIGNS

__all__ = ["SCRIPTS", "render", "svg", "warm_up"]

SCRIPTS = ("asking.js", "sharing.js", "sorting.js", "table.js", "pivot.js", "odds.js", "cards.js", "figures.js")
"""Scripts of a plan's page, beside the library."""

# The schedule is left out: its hundred labels take seconds to draw, and what it says is in the table as well.
_PICTURED = ("chosen", "money", "results", "rules", "way", "inputs", "answers")


def render(page: PlanReport | Page, manifest: Mapping[str, Any]) -> str:
    """The page, as HTML, of the run that the manifest is of."""
    if not isinstance(page, PlanReport):
        with speaking(page.language), keeping(page.texts):
            return fill_page(_sheet(page.retold()), manifest)
    content = _plan(page, manifest)
    return fill_page(_with_terms(content, visible_text(fill_page(content, manifest)), page), manifest)


def _with_terms(content: Content, text: str, page: PlanReport) -> Content:
    """The page with the terms that its text uses."""
    terms = list(glossary.terms_of(text, page.names.get("mode", {})))
    return replace(content, values={**content.values, "terms": terms})


def svg(plot: Plot) -> str:
    """The figure of a plot as a drawing, for other documents."""
    from rdsim.report.charts import plots  # noqa: PLC0415 - Altair takes most of a second to import

    return str(picture(plots.draw(plot)))


def warm_up() -> None:
    """Load what draws, which takes seconds."""
    from rdsim.report.charts import plan, plots  # noqa: F401, PLC0415 - as above

    start_drawing()
    environment().get_template("plan.html.j2")


def _sheet(sheet: Page) -> Content:
    from rdsim.report.charts import plots  # noqa: PLC0415 - as above

    figures = {plot.key: plots.draw(plot) for section in sheet.sections for plot in section.plots}
    pictures = {key: picture(figure) for key, figure in figures.items()}
    shown = {"sheet": sheet, "cells": words.cells, "figures": figures, "pictures": pictures}
    return Content("sheet.html.j2", tuple(figures.values()), ("sharing.js", "figures.js"), shown)


def _plan(page: PlanReport, manifest: Mapping[str, Any]) -> Content:
    from rdsim.report.charts import plan, plots  # noqa: PLC0415 - as above

    report = replace(page, manifest=manifest, money_unit=unit_of_money(page.money_unit))
    drawn = {section: plan.draw(report, section) for section in plan.SECTIONS}
    drawn["answers"] = [plots.draw(one.plot) for one in report.answers if one.plot is not None]
    figures = tuple(figure for group in drawn.values() for figure in group)
    pictures = {figure.key: picture(figure) for name in _PICTURED for figure in drawn[name]}
    candidates, money, odds = technologies.technology_list(report), ledger(report), market_odds(report)
    shown = {
        "terms": [],
        "brief_file": BRIEF.name,
        "report": report,
        "figures": drawn,
        "answered": {figure.key: figure for figure in drawn["answers"]},
        "pictures": pictures,
        **_words(report),
        "candidates": candidates,
    }
    shown["countries"] = dict(zip(report.technologies["partner"], report.technologies["partner_name"], strict=True))
    shown |= tables.texts(report, money, odds)
    data = {
        "signs": FORMULA_SIGNS,
        "technologies": technologies.block(candidates),
        "ledger": tables.ledger_block(money),
        "odds": tables.odds_block(report, odds),
        **({"cards": found} if (found := card_block(report)) else {}),
    }
    return Content("plan.html.j2", figures, SCRIPTS, shown, data)


def _words(report: PlanReport) -> dict[str, object]:
    """What the page says in words and figures."""
    recommended = words.recommendation(report)
    return {
        "headline": [one for one in words.headline(report) if one not in recommended],
        "promised": words.promise_words(report),
        "above": words.award_rows(report),
        "lead": {
            "parts": words.lead_words(report),
            "rows": words.lead_rows(report),
            "bounds": words.bound_words(report),
        },
        "beside": words.side_by_side(report),
        "firm": words.firmness_words(report),
        "firmness": _firmness(report),
        "searched": words.search_words(report),
        "assumed": words.assumption_words(report),
        "tiles": words.tiles(report),
        "doubts": words.doubts(report),
        "recommended": recommended,
        "most_promised": words.above_words(report),
        "what_if": {
            "changes": words.change_rows(report),
            "partners": words.what_if_words(report, "partners"),
            "lapsed": words.what_if_words(report, "lapse"),
            "lapse": words.lapse_rows(report),
            "unused": words.unused_rows(report),
            "nearest": words.nearest(report),
            "unasked": words.reason_for_none(report),
        },
        "inputs": {
            "sentences": words.input_words(report),
            "headlines": list(words.swing_headlines(report).values()),
            "rows": words.swing_rows(report),
        },
        "answers": words.answer_rows(report),
        "open": words.open_questions(report),
        "strangers": words.stranger_words(report),
    }


_FIRMNESS = {
    "firm": N_("Firm: funded in nearly every re-decision"),
    "open": N_("Open: funded in some and not in others"),
    "rejected": N_("Rejected: funded in hardly any"),
    "disputed": N_("Disputed: nearly all re-decisions agree, and the plan decides otherwise"),
}


def _firmness(report: PlanReport) -> list[dict[str, object]]:
    """Lists of technologies and countries by what re-decisions say of them; none without re-decisions.

    Firm, open and rejected always; disputed if anything is.
    """
    told = report.manifest.get("redecisions") or {}
    if "technologies" not in told:
        return []
    called = dict(zip(report.technologies["technology"], report.technologies["name"], strict=True))
    names = dict(zip(report.technologies["partner"], report.technologies["partner_name"], strict=True))
    funded = set(report.technologies["technology"][report.technologies["funded"].astype(bool)])
    return [
        {
            "title": _(title),
            "tells_plan": key in ("open", "disputed"),
            "countries": ", ".join(names.get(code, code) for code in told["countries"].get(key, ())),
            "technologies": [(one, called[one], one in funded) for one in told["technologies"].get(key, ())],
        }
        for key, title in _FIRMNESS.items()
        if key != "disputed" or told["technologies"].get(key) or told["countries"].get(key)
    ]
