"""A scenario as one workbook, written: it comes back by `rdsim.load`, and its digest with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rdsim.arguments import check_arguments
from rdsim.brief import count
from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError, OutputError, ScenarioError
from rdsim.folders import is_file, require_name, write_whole
from rdsim.scenario import digest
from rdsim.scenario.book import CHECKS, LISTS, SETTINGS_SHEET
from rdsim.scenario.overrides import dotted_segments
from rdsim.spreadsheets import letter, read_sheets
from rdsim.version import VERSION
from rdsim.workbook.excel import LONGEST, cell_text
from rdsim.workbook.excel_forms import Cover, forms_bytes
from rdsim.workbook.forms import Form, Forms, forms_of

__all__ = ["claim_file", "export"]

_SUFFIX = ".xlsx"
_ESCAPED = re.compile(r"\r|_x[0-9A-Fa-f]{4}_")
"""What spreadsheets take for a sign of their own, and give back as another text."""


@check_arguments("scenario")
def export(scenario: Scenario, file: str | Path, *, force: bool = False, settings: Sequence[str] = ()) -> Path:
    """Write a scenario as one Excel workbook, which `rdsim.load` reads: settings, tables, offered names and checks.

    It holds the scenario as it is: with what its optional parts brought, after overrides and draws.

    Args:
        scenario: the scenario.
        file: where to, a name that ends with .xlsx; its folder is made.
        force: whether a workbook of a scenario that is there may be replaced. Another file never is.
        settings: overrides that the scenario was loaded with, to be told on the first sheet.

    Returns:
        Where it is.

    Raises:
        OutputError: if it cannot be written there.
        ScenarioError: for what cannot be a scenario, and for a text that no cell can hold.

    >>> import rdsim
    >>> rdsim.export(rdsim.examples.starter(), "my-scenario.xlsx").name
    'my-scenario.xlsx'
    >>> rdsim.load("my-scenario.xlsx") == rdsim.examples.starter()
    True
    """
    place = claim_file(file, force=force)
    forms = forms_of(scenario)
    if faults := tuple(_unheld(forms)):
        raise ScenarioError(faults)
    content = forms_bytes(forms, _cover(scenario, settings))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, content)
    except OSError as error:
        raise OutputError((Fault(str(place), "must be writable", error.strerror or str(error)),)) from None
    return place


def claim_file(file: str | Path, *, force: bool = False) -> Path:
    """The path of a workbook that may be written. Raises OutputError if its name is another's, or it is there."""
    place = Path(file)
    require_name(place)
    if place.suffix.casefold() != _SUFFIX:
        rule, found = f"a workbook's name must end with {_SUFFIX}", place.suffix or "no ending"
        raise OutputError((Fault(str(place), rule, found, f"Write {place.with_suffix(_SUFFIX).name}."),))
    if place.is_dir():
        raise OutputError((Fault(str(place), "must be a file", "a folder", "Name another."),))
    if not is_file(place):
        return place
    if not _is_ours(place):
        raise OutputError((Fault(str(place), "a file that is no scenario's workbook stays", "", "Name another."),))
    if not force:
        raise OutputError((Fault(str(place), "a workbook is not overwritten", "", "Give --force, or another name."),))
    return place


def _is_ours(place: Path) -> bool:
    """Whether a file is the workbook of a scenario: it has the sheets that every one has."""
    try:
        names = {sheet.name for sheet in read_sheets(place, ())}
    except InputError:
        return False
    return {SETTINGS_SHEET, "technologies"} <= names


def _unheld(forms: Forms) -> Iterator[Fault]:
    """Texts that a cell cannot hold as they are, and paths that cannot be told."""
    for form in (forms.settings, *forms.tables.values()):
        for row, cells in enumerate(form.rows, start=2):
            for place, text in enumerate(cells):
                if isinstance(text, str) and (found := _unholdable(text)):
                    where = f"sheet {form.name}, cell {letter(place)}{row} ({_title(form, row, place)})"
                    yield Fault(where, "a cell of a workbook cannot hold this text", found, "Write a folder instead.")
    for row, cells in enumerate(forms.settings.rows, start=2):
        if not dotted_segments(str(cells[0])):
            rule = "a name with both kinds of quotes has no dotted path"
            yield Fault(f"sheet {SETTINGS_SHEET}, cell A{row}", rule, str(cells[0]))


def _title(form: Form, row: int, place: int) -> str:
    return str(form.rows[row - 2][0]) if form.name == SETTINGS_SHEET else form.heads[place].title


def _unholdable(text: str) -> str:
    """Why a cell cannot hold a text; '' if it can."""
    if len(text.encode("utf-16-le")) > 2 * LONGEST:
        return f"{len(text):,} characters, of at most {LONGEST:,}"
    if match := _ESCAPED.search(text):
        return repr(match[0])
    return "" if cell_text(text) == text else "a character that no workbook has"


def _cover(scenario: Scenario, settings: Sequence[str]) -> Cover:
    drawn = scenario.illustrative
    lines = [
        ("Scenario", scenario.name),
        ("Holds", f"{count(len(scenario.programmes), 'programme')}, {count(len(scenario.technologies), 'technology')}, "
                  f"{count(len(scenario.partners), 'partner')}; money in {scenario.money_unit}"),
        ("Settings that were given", "; ".join(settings) or "none"),
        ("Optional parts in it", ", ".join(scenario.parts) or "none"),
        *([("Illustrative figures", f"draw {drawn.draw} of {drawn.program}")] if drawn.program else []),
        ("Digest", digest(scenario)),
        ("Written by", f"rdsim {VERSION}"),
    ]  # fmt: skip
    return Cover(scenario.title, lines, _SENTENCES)


_SENTENCES = (
    "This is the scenario as it came out: settings given, optional parts and draws are in it, and not chosen again.",
    f"Edit the yellow cells of {SETTINGS_SHEET}, and the rows of the sheets behind it. Empty cells have the default.",
    f"{CHECKS} counts what looks wrong; rdsim check BOOK knows all rules, and names sheet and cell of each fault.",
    "Headings have notes: what a column is, its unit and limits. They may carry other units: cost [million KRW].",
    "A cell may hold several names with | between them, or names with numbers, as chip:0.6|bio:0.4.",
    f"New programmes, fields and the like are lines of {SETTINGS_SHEET}, as programmes.NAME.budget.2030.",
    f"{LISTS} only offers names: add a new one there to have it offered.",
    "Formulas are read by the value that Excel saved. Sheets of your own are left alone, under other names than these.",
    "To go on: rdsim plan BOOK, or rdsim import BOOK FOLDER for files of text.",
)
