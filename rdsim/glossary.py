"""What the terms of pages mean, in a sentence or two: the one catalogue, for pages and for docs/glossary.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
        """Whether a text speaks of it."""
        pattern = self.words or f"{re.escape(self.name)}s?"
        return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE) is not None


TERMS = (
    Term(
        "announced money",
        "A programme's budget of a year as the scenario states it, before shocks and before what is carried over.",
        "announced money|announced",
    ),
    Term(
        "assumption",
        "A figure that nobody has measured. Where its bounds are stated, the plan is looked at anywhere within them.",
        "assumptions?|assumed",
    ),
    Term("award", "All that a funded project is promised, in tranches; it gets less if it stops early.", "awards?"),
    Term(
        "award ratio",
        "Full awards promised in a year, as if no project ever stopped, divided by that year's announced money.",
    ),
    Term(
        "break-even",
        "The value of one assumption, the others as they stand, at which a headline turns its sign.",
        "break-evens?|turns? (?:a headline|its sign)|turn a headline",
    ),
    Term(
        "CVaR",
        "Conditional value at risk: the mean worth of the worst futures, of those 5% at a level of 0.95.",
    ),
    Term("consortium", "Several countries that fund a project together, under one agreement.", "consorti(?:um|a)"),
    Term(
        "firm, open, rejected",
        "What re-decisions say of a decision. Firm: nearly all take it; rejected: hardly any does; open: the rest. "
        "It speaks of the luck of samples, not of what is assumed.",
        "firm|rejected",
    ),
    Term(
        "gap",
        "How far the optimiser's solution may at most be from the best possible one of its own model, which adds up "
        "options alone. It bounds no simulated figure.",
        "(?:proven|solver's) gap",
    ),
    Term("gate", "A review at the end of a tranche, at which a project goes on, is extended, or stops.", "gates?"),
    Term(
        "headline", "A figure that an answer is given in: net present value, technologies in time, a lead, a share."
    ),
    Term("horizon", "The last fiscal year that is simulated; what comes later does not count."),
    Term(
        "interchangeable",
        "Partners, ways of funding or starts of one technology that leave the worth of the whole plan the same, within "
        "a stated margin.",
    ),
    Term(
        "interval",
        "A range that holds the true mean of the model with the stated confidence. It says how well a mean is known, "
        "not how far one future may differ from it.",
    ),
    Term("lapse", "Money lapses if it is neither paid in its year nor may be carried over.", "lapses?|lapsed"),
    Term(
        "lead",
        "How much more the plan is worth than another portfolio, in the same replications.",
    ),
    Term(
        "net present value",
        "The worth of technologies that reach the market, less what projects and partners cost home, discounted to the "
        "first day.",
    ),
    Term(
        "optimism",
        "What the samples that chose a portfolio promised of it, less what it comes to on samples that chose nothing.",
    ),
    Term(
        "options alone",
        "What the optimiser adds up: each technology with its partner, way of funding and start, simulated as if no "
        "other were funded. Simulated together they wait for money, places and panels.",
        "options?,? (?:each )?alone|each (?:live )?alone|alone less together|each technology alone",
    ),
    Term(
        "P10, P50, P90",
        "Values that a tenth, half and nine tenths of the replications do not exceed.",
        "P10|P50|P90",
    ),
    Term("paired", "Compared replication by replication, with the same luck, so that only what differs is left."),
    Term(
        "partner effect",
        "What a foreign partner does to the time, success and cost of a project. It is assumed, not measured.",
        "partner effects?|what a partner does",
    ),
    Term(
        "payment ratio",
        "Expected payments of a year, net of refunds, divided by the announced money with what is carried over. Above "
        "1 the plan counts on projects that stop or come late.",
    ),
    Term(
        "re-decision",
        "The plan decided again by the same procedure, on other samples of the same world.",
        "re-decisions?|decided again",
    ),
    Term(
        "replication",
        "One possible future, played through from start to horizon.",
    ),
    Term(
        "shared luck",
        "Luck that several projects have together, as of markets or budgets: the more, the further futures differ.",
        "shared luck|luck that is shared|share luck",
    ),
    Term(
        "simple rule",
        "A way to choose without an optimiser, as by value per cost or by evaluation score, under the same caps.",
    ),
    Term("spillover", "What one technology's success does for another."),
    Term(
        "TRL",
        "Technology readiness level, from 1 (basic principles) to 9 (proven in use).",
    ),
    Term("tranche", "A part of an award, paid when the part of the work before it is done."),
    Term(
        "way of funding: direct",
        "Home's money pays the partner's work abroad, too.",
        mode="direct",
    ),
    Term(
        "way of funding: domestic",
        "A project without a foreign partner.",
        mode="domestic",
    ),
    Term(
        "way of funding: matching",
        "Each side pays for its own work.",
        mode="matching",
    ),
)  # fmt: skip
"""All terms, by name."""


def terms_of(text: str, modes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The terms that a text uses, each with its meaning; `modes` is what ways of funding are called, by code."""
    for one in TERMS:
        name = modes.get(one.mode, "") if one.mode else one.name
        if name and (name.lower() in text.lower() if one.mode else one.is_used(text)):
            yield name, one.meaning


def markdown_text() -> str:
    """The catalogue as a page of the documentation."""
    head = "# Words\n\nWhat the terms of reports mean. A plan's page ends with those that it uses.\n\n"
    return head + "".join(f"- **{one.name}**: {one.meaning}\n" for one in TERMS)
