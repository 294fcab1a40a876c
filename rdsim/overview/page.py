"""The page of an index: one file that opens offline, told without scripts and sorted and filtered with them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from rdsim.folders.contents import BRIEF, PORTFOLIO, REPORT, SLIDE, WORKBOOK
from rdsim.languages import N_, unit_of_money
from rdsim.languages import gettext as _
from rdsim.overview.entries import Entry, Stranger
from rdsim.overview.ranking import estimate_of, is_rankable, world_of, worlds_of
from rdsim.overview.words import ORDER, best_words, count_words, limit_words, missing_words, stranger_words
from rdsim.report import Content, fill_page
from rdsim.report.words import amount
from rdsim.version import VERSION

__all__ = ["INDEX", "is_ours", "page"]

INDEX = "index.html"
_MARK = '<meta name="rdsim-page" content="index of runs">'
"""Stands at the head of a page that a later index may replace."""
_HEAD = 4096
_LINKED = {
    REPORT.name: N_("report"), BRIEF.name: N_("brief"), SLIDE.name: N_("slide"), WORKBOOK.name: N_("workbook"),
    PORTFOLIO.name: "CSV",
}  # fmt: skip
_NARROWED = {"command": N_("Command"), "scenario": N_("Scenario"), "world": N_("World"), "state": N_("State")}
"""What the table can be narrowed to."""


class PageLink(NamedTuple):
    """A file beside the page, as it is called there."""

    text: str
    target: str


def is_ours(path: Path) -> bool:
    """Whether a file is an index that rdsim wrote. Raises OSError."""
    with path.open("rb") as file:
        return _MARK.encode() in file.read(_HEAD)


def page(folder: Path, entries: Sequence[Entry], strangers: Sequence[Stranger], best: pd.DataFrame) -> str:
    """The page, as HTML; links are relative to the folder, commands as they are typed where it was asked for."""
    rows = list(_rows(entries))
    shown = {
        "mark": _MARK,
        "folder": folder.as_posix() if folder.name else folder.resolve().name,
        "lead": [count_words(entries, strangers), *([_(ORDER)] if len(best) else [])],
        "best": list(best_words(best)),
        "pairs": list(_pairs(entries, best)),
        "rows": rows,
        "narrowed": {key: (_(title), _values(row[key] for row in rows)) for key, title in _NARROWED.items()},
        "strangers": list(stranger_words(strangers)),
    }
    return fill_page(
        Content("index.html.j2", (), ("sharing.js", "sorting.js", "runs.js", "pairs.js"), shown),
        {"rdsim": VERSION},
    )


def _values(values: Iterable[str]) -> list[str]:
    return sorted({one for one in values if one})


def _rows(entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    worlds, compared = worlds_of(entries), list(_comparisons(entries))
    for one in entries:
        told, scenario = one.manifest, one.scenario
        world = world_of(one)
        number = None if world is None else worlds.get(world)
        links = list(_links(one))
        yield {
            "entry": one,
            "links": links[1:] if links and links[0].text == _("report") else links,
            "target": links[0].target if links and links[0].text == _("report") else "",
            "answers": [_link(kept.label, one, kept.target) for kept in one.answers if kept.target and not kept.fault],
            "compared": [link for link, real in compared if one.folder.resolve() in real],
            "command": one.command,
            "typed": shlex.join(one.words),
            "path": one.folder.as_posix(),
            "is_compared": one.run is not None,
            "scenario": str(scenario.get("name", "")),
            "title": str(scenario.get("title", "")),
            "world": _("World {number}").format(number=number) if number else "",
            "overrides": [str(item) for item in scenario.get("overrides") or []],
            "seed": told.get("seed"),
            "replications": told.get("replications"),
            "unit": unit_of_money(str(told.get("money_unit") or "")),
            "estimates": [_estimate(one, name) for name in ("npv", "commercialised")],
            "funded": None if one.run is None else len(one.run.choices),
            "partners": one.partners,
            "state": _("not complete") if one.missing else _("complete"),
            "missing": missing_words(one) if one.missing else "",
        }


def _estimate(entry: Entry, figure: str) -> tuple[float | None, str, str]:
    """Mean, its text, and its interval's; nothing where the run does not estimate it."""
    found = estimate_of(entry, figure)
    if not found:
        return None, "", ""
    return found["mean"], amount(found["mean"]), limit_words(found["low"], found["high"])


def _links(entry: Entry) -> Iterator[PageLink]:
    for name, text in _LINKED.items():
        if entry.holds(name):
            yield _link(text if name == PORTFOLIO.name else _(text), entry, name)


def _link(text: str, entry: Entry, name: str) -> PageLink:
    return PageLink(text, f"./{quote(f'{entry.folder.name}/{name}', errors='surrogateescape')}")


def _comparisons(entries: Sequence[Entry]) -> Iterator[tuple[PageLink, set[Path]]]:
    """Pages that compare runs, and the folders of those runs, as seen from where rdsim is called."""
    for one in entries:
        told = one.manifest.get("compared")
        if one.command == "compare" and isinstance(told, list) and one.holds(REPORT.name):
            folders = (Path(str(run["folder"])) for run in told if isinstance(run, dict) and run.get("folder"))
            yield _link(one.label, one, REPORT.name), {path.resolve() for path in folders}


def _pairs(entries: Sequence[Entry], best: pd.DataFrame) -> Iterator[str]:
    """The commands that compare the best run of each world with the second."""
    folders = {one.label: one.folder.as_posix() for one in entries if is_rankable(one)}
    told = (sorted((row["best"], row["second"])) for row in best.to_dict("records") if row["second"])
    yield from dict.fromkeys(shlex.join(("rdsim", "compare", *(folders[one] for one in pair))) for pair in told)
