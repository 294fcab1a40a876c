"""What a run's folder holds: the one list of its files, for who writes them, who reads them, and who documents them.

NAME in the name of a file stands for one name, PATH for a path of any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from rdsim.folders.manifests import MANIFEST

__all__ = [
    "ANSWERS",
    "BASELINE",
    "BRIEF",
    "CALIBRATION",
    "CHOSEN",
    "DECISIONS",
    "EXPECTED",
    "GIVEN",
    "HELD",
    "LEAD",
    "MAIN",
    "MILESTONES",
    "OUTCOMES",
    "PAGE",
    "PAGE_TABLE",
    "PAYMENTS",
    "PLUGIN",
    "POLICIES",
    "PORTFOLIO",
    "PORTFOLIOS",
    "PROMISES",
    "PURSES",
    "REPLICATIONS",
    "REPORT",
    "SCENARIO_APPLIED",
    "SCENARIO_GIVEN",
    "SLIDE",
    "TABLE",
    "TABLES_BOOK",
    "TRACE",
    "WHOLE_TABLE",
    "WORKBOOK",
    "WORLDS",
    "Held",
    "content_of",
    "markdown_lines",
]

ANSWERS = "answers"
"""Folder in a plan's run that holds what was asked of the plan: a run of its own for each question."""

MAIN = ("plan", "simulate", "optimise")
"""Commands whose runs are known by what they hold; the manifest of every other names its study."""


@dataclass(frozen=True)
class Held:
    """A file of a run's folder, or with NAME or PATH in it a family of them: what it is, and whose runs have it."""

    name: str
    what: str
    of: tuple[str, ...] = ()
    """Commands whose runs may have it; none: every one."""

    def path(self, name: str = "") -> str:
        """The file's path in the folder, of a family that of the one with this name."""
        return self.name.replace("NAME", name).replace("PATH", name)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.name).replace("NAME", "[^/]+").replace("PATH", ".+"))

    def is_path(self, path: str) -> bool:
        """Whether a path in the folder is this file's."""
        return self._pattern.fullmatch(path) is not None


_SIMULATED = ("plan", "simulate")
_STUDY = ("study",)
"""Stands for every command that is not a main one."""

_MANIFEST = Held(
    MANIFEST,
    "what ran (command, settings, scenario, overrides, plug-ins, seed, platform, versions), what it found, whether it "
    "is `complete`, what is `missing`, a SHA-256 of each of its files, and one of what it says itself. It is written "
    "last.",
)
REPORT = Held("report.html", "the page: one file, opens offline", ("plan", *_STUDY))
BRIEF = Held("brief.html", "the plan on one page, for print", ("plan",))
SLIDE = Held("brief.svg", "the same as a slide", ("plan",))
PAGE = Held(
    "page/page.json", "what the page shows, as data: it is drawn from here, the first time and again", ("plan", *_STUDY)
)
PAGE_TABLE = Held("page/NAME.parquet", "tables of the page that are not among the run's own", ("plan",))
PORTFOLIO = Held("portfolio.csv", "the portfolio that was chosen, or simulated; further questions ask about it")
WORKBOOK = Held(
    "portfolio.xlsx",
    "for Excel: overview, portfolio, money, budget, what is not funded, assumptions and results, a sheet each, with "
    "types, filters and sums; no text of a scenario is a formula there",
    MAIN,
)
TABLES_BOOK = Held(
    "tables.xlsx", "tables of a study that are for Excel too (those of `bench`), a sheet each, with filters", _STUDY
)
BASELINE = Held("baselines/NAME.csv", "the portfolios of the simple rules", ("plan",))
PORTFOLIOS = Held("portfolios/NAME.csv", "the study's portfolios", _STUDY)
OUTCOMES = Held("outcomes.parquet", "a row for each replication and project", _SIMULATED)
REPLICATIONS = Held("replications.parquet", "a row for each replication", _SIMULATED)
PURSES = Held("purses.parquet", "a row for each replication, programme and year", _SIMULATED)
PAYMENTS = Held(
    "payments.parquet", "a row for each replication, project and year with money: `outcomes` long", _SIMULATED
)
MILESTONES = Held(
    "milestones.parquet",
    "a row for each replication, project and milestone that came, with its day and time: `outcomes` long",
    _SIMULATED,
)
EXPECTED = Held(
    "expected.parquet",
    "a row for each replication (of a plan: and `policy`) with the figures that the luck of the market moves, as they "
    "are expected given how R&D went; means rest on it",
    _SIMULATED,
)
POLICIES = Held(
    "policies.parquet", "the replications of the plan and of each portfolio beside it, by `policy`", ("plan",)
)
LEAD = Held("lead.csv", "the plan's lead over each rule, in parts that add up to it, each with its interval", ("plan",))
PROMISES = Held(
    "promises.csv",
    "announced money, expected payments and full awards by programme and year, and awards `above` the announced money",
    ("plan",),
)
WORLDS = Held(
    "worlds.csv",
    "a row for each world drawn within the bounds of assumptions: their values, and the means of the headlines there",
    ("plan",),
)
DECISIONS = Held(
    "decisions.parquet",
    "a row for each decision that the plan takes or might: its share of re-decisions, and what is said of it",
    ("plan",),
)
LAPSE = Held(
    "lapse.csv",
    "money that lapses, by programme and year, and how much less would without each cause and with each lever",
    ("plan",),
)
UNUSED = Held(
    "unused.csv",
    "what becomes of announced money that is not paid, by year, in parts that add up to what lapses",
    ("plan",),
)
UNFUNDED = Held(
    "unfunded.csv",
    "each technology that is not funded: what it would cost, what would make room, what would bring it in",
    ("plan",),
)
TRACE = Held("trace.csv", "what happened in the first replication (`--trace`)", ("simulate",))
CHOSEN = Held("chosen.csv", "the options chosen of a problem that was stated by tables", ("optimise",))
SCENARIO_GIVEN = Held(
    "scenario/given/PATH",
    "the scenario as it was read: its files and those of all its optional parts, or its workbook `scenario.xlsx`",
)
SCENARIO_APPLIED = Held(
    "scenario/applied/NAME", "the scenario as it ran, parts and overrides applied: a folder that every command reads"
)
PROBLEM = Held(
    "problem/PATH", "the problem that was stated by tables, as it was read: a folder of its name", ("optimise", *_STUDY)
)
PLUGIN = Held("plugins/PATH", "the text of plug-ins as they were run, with modules of yours that they import")
GIVEN = Held("given.csv", "the portfolio that was asked about, where it was another's", _STUDY)
CALIBRATION = Held("calibration.toml", "the calibration, ready to be put into a scenario", ("calibrate",))
TABLE = Held("NAME.csv", "the study's tables", _STUDY)
WHOLE_TABLE = Held("NAME.parquet", "tables of a study that are too large, or too typed, for CSV", _STUDY)

HELD = (
    _MANIFEST, REPORT, BRIEF, SLIDE, PAGE, PAGE_TABLE, PORTFOLIO, WORKBOOK, TABLES_BOOK, BASELINE, PORTFOLIOS, OUTCOMES,
    REPLICATIONS, PURSES, PAYMENTS, MILESTONES,
    EXPECTED, POLICIES, LEAD, PROMISES, WORLDS, DECISIONS, UNUSED, LAPSE, UNFUNDED, TRACE, CHOSEN,
    SCENARIO_GIVEN, SCENARIO_APPLIED, PROBLEM, PLUGIN, GIVEN, CALIBRATION, TABLE, WHOLE_TABLE,
)  # fmt: skip
"""All of them; where a path is of several, it is the first."""


def content_of(path: str, command: str) -> Held | None:
    """What a file of a run of the command is, by its path in the folder; None if it is none of the run's."""
    kinds = {command} if command in MAIN else {command, "study"}
    return next((one for one in HELD if one.is_path(path) and (not one.of or kinds & set(one.of))), None)


def markdown_lines() -> Iterator[str]:
    """The list as the lines of a table in Markdown."""
    yield "| file | what | of |"
    yield "| --- | --- | --- |"
    for one in HELD:
        commands = ["studies" if name == "study" else f"`{name}`" for name in one.of]
        yield f"| `{one.name}` | {one.what} | {', '.join(commands) or 'every run'} |"
