"""What the terms of pages mean, in a sentence or two: the one catalogue, for pages and for docs/glossary.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rdsim.languages import ENGLISH, N_, NP_, active, pgettext
from rdsim.languages import gettext as _

__all__ = ["TERMS", "Term", "markdown_text", "terms_of"]


@dataclass(frozen=True)
class Term:
    """A term, what it means, and by which words a text is known to use it."""

    name: str
    meaning: str
    words: str = ""
    """A pattern; nothing: the name, or its plural."""
    mode: str = ""
    """Of a way of funding its code: pages call it as the scenario does."""

    def is_used(self, text: str) -> bool:
        """Whether a text speaks of it: by its pattern in English, in other languages by what it is called there."""
        if active() != ENGLISH:
            return any(part in text for part in pgettext("term", self.name).split(", "))
        pattern = self.words or f"{re.escape(self.name)}s?"
        return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE) is not None


TERMS = (
    Term(
        NP_("term", "announced money"),
        N_("A programme's budget of a year as the scenario states it, before shocks and before what is carried over."),
        "announced money|announced",
    ),
    Term(
        NP_("term", "assumption"),
        N_(
            "A figure that nobody has measured. Where its bounds are stated, the plan is looked at "
            "anywhere within them."
        ),
        "assumptions?|assumed",
    ),
    Term(NP_("term", "award"), N_(
        "All that a funded project is promised, in tranches; it gets less if it stops "
        "early."
    ), "awards?"),
    Term(
        NP_("term", "award ratio"),
        N_("Full awards promised in a year, as if no project ever stopped, divided by that year's announced money."),
    ),
    Term(
        NP_("term", "break-even"),
        N_("The value of one assumption, the others as they stand, at which a headline turns its sign."),
        "break-evens?|turns? (?:a headline|its sign)|turn a headline",
    ),
    Term(
        NP_("term", "CVaR"),
        N_("Conditional value at risk: the mean worth of the worst futures, of those 5% at a level of 0.95."),
    ),
    Term(NP_("term", "consortium"), N_(
        "Several countries that fund a project together, under one "
        "agreement."
    ), "consorti(?:um|a)"),
    Term(
        NP_("term", "firm, open, rejected"),
        N_("What re-decisions say of a decision. Firm: nearly all take it; rejected: hardly any does; open: the rest. "
        "It speaks of the luck of samples, not of what is assumed."),
        "firm|rejected",
    ),
    Term(
        NP_("term", "gap"),
        N_("How far the optimiser's solution may at most be from the best possible one of its own model, which adds up "
        "options alone. It bounds no simulated figure."),
        "(?:proven|solver's) gap",
    ),
    Term(NP_("term", "gate"), N_(
        "A review at the end of a tranche, at which a project goes on, is extended, or "
        "stops."
    ), "gates?"),
    Term(
        NP_("term", "headline"), N_(
            "A figure that an answer is given in: net present value, technologies in time, a lead, a "
            "share."
        )
    ),
    Term(NP_("term", "horizon"), N_("The last fiscal year that is simulated; what comes later does not count.")),
    Term(
        NP_("term", "interchangeable"),
        N_(
            "Partners, ways of funding or starts of one technology that leave the worth of the whole "
            "plan the same, within "
        "a stated margin."),
    ),
    Term(
        NP_("term", "interval"),
        N_(
            "A range that holds the true mean of the model with the stated confidence. It says how "
            "well a mean is known, "
        "not how far one future may differ from it."),
    ),
    Term(
        NP_("term", "lapse"),
        N_("Money lapses if it is neither paid in its year nor may be carried over."),
        "lapses?|lapsed",
    ),
    Term(
        NP_("term", "lead"),
        N_("How much more the plan is worth than another portfolio, in the same replications."),
    ),
    Term(
        NP_("term", "net present value"),
        N_(
            "The worth of technologies that reach the market, less what projects and partners cost "
            "home, discounted to the "
        "first day."),
    ),
    Term(
        NP_("term", "optimism"),
        N_(
            "What the samples that chose a portfolio promised of it, less what it comes to on samples "
            "that chose nothing."
        ),
    ),
    Term(
        NP_("term", "options alone"),
        N_("What the optimiser adds up: each technology with its partner, way of funding and start, simulated as if no "
        "other were funded. Simulated together they wait for money, places and panels."),
        "options?,? (?:each )?alone|each (?:live )?alone|alone less together|each technology alone",
    ),
    Term(
        NP_("term", "P10, P50, P90"),
        N_("Values that a tenth, half and nine tenths of the replications do not exceed."),
        "P10|P50|P90",
    ),
    Term(NP_("term", "paired"), N_(
        "Compared replication by replication, with the same luck, so that only what differs is "
        "left."
    )),
    Term(
        NP_("term", "partner effect"),
        N_("What a foreign partner does to the time, success and cost of a project. It is assumed, not measured."),
        "partner effects?|what a partner does",
    ),
    Term(
        NP_("term", "payment ratio"),
        N_(
            "Expected payments of a year, net of refunds, divided by the announced money with what is "
            "carried over. Above "
        "1 the plan counts on projects that stop or come late."),
    ),
    Term(
        NP_("term", "re-decision"),
        N_("The plan decided again by the same procedure, on other samples of the same world."),
        "re-decisions?|decided again",
    ),
    Term(
        NP_("term", "replication"),
        N_("One possible future, played through from start to horizon."),
    ),
    Term(
        NP_("term", "shared luck"),
        N_("Luck that several projects have together, as of markets or budgets: the more, the further futures differ."),
        "shared luck|luck that is shared|share luck",
    ),
    Term(
        NP_("term", "simple rule"),
        N_("A way to choose without an optimiser, as by value per cost or by evaluation score, under the same caps."),
    ),
    Term(NP_("term", "spillover"), N_("What one technology's success does for another.")),
    Term(
        NP_("term", "TRL"),
        N_("Technology readiness level, from 1 (basic principles) to 9 (proven in use)."),
    ),
    Term(NP_("term", "tranche"), N_("A part of an award, paid when the part of the work before it is done.")),
    Term(
        NP_("term", "way of funding: direct"),
        N_("Home's money pays the partner's work abroad, too."),
        mode="direct",
    ),
    Term(
        NP_("term", "way of funding: domestic"),
        N_("A project without a foreign partner."),
        mode="domestic",
    ),
    Term(
        NP_("term", "way of funding: matching"),
        N_("Each side pays for its own work."),
        mode="matching",
    ),
)  # fmt: skip
"""All terms, by name."""


def terms_of(text: str, modes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The terms that a text uses, each with its meaning; `modes` is what ways of funding are called, by code."""
    for one in TERMS:
        name = modes.get(one.mode, "") if one.mode else one.name
        if name and (name.lower() in text.lower() if one.mode else one.is_used(text)):
            yield (name if one.mode else pgettext("term", name)), _(one.meaning)


def markdown_text() -> str:
    """The catalogue as a page of the documentation."""
    head = "# Words\n\nWhat the terms of reports mean. A plan's page ends with those that it uses.\n\n"
    return head + "".join(f"- **{one.name}**: {one.meaning}\n" for one in TERMS)
