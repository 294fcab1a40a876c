"""A scenario as one workbook: it comes back as it was, an edit arrives, and what is wrong is told by sheet and cell."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import rdsim
from rdsim import spreadsheets
from rdsim.domain import Scenario
from rdsim.errors import InputError, OutputError, ScenarioError
from rdsim.scenario import digest, load, part_names
from rdsim.scenario.book import CHECKS, COVER, LISTS, SETTINGS_SHEET, SHEETS
from rdsim.scenario.door import plain_parts
from rdsim.scenario.lines import settings_lines, settings_tree
from rdsim.scenario.overrides import dotted_segments
from rdsim.scenario.shapes import dotted_path
from tests.command import Ran, run
from tests.tiny import tiny_folder

SHIPPED = sorted(path.parent for path in Path("scenarios").glob("*/scenario.toml"))
WITH_PARTS = [(folder, parts) for folder in SHIPPED for parts in ("", *part_names(folder))]

Rdsim = Callable[..., Ran]


@pytest.fixture
def rdsim_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    return lambda *words: run(capsys, monkeypatch, *words)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(tiny_folder(tmp_path_factory.mktemp("tiny") / "tiny"))


@pytest.fixture(scope="module")
def exported(tiny: Scenario, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return rdsim.export(tiny, tmp_path_factory.mktemp("book") / "book.xlsx").read_bytes()


class Book:
    """A workbook that is edited cell by cell, as a planner does."""

    def __init__(self, exported: bytes, folder: Path) -> None:
        self.pages = openpyxl.load_workbook(io.BytesIO(exported))
        self.path = folder / "book.xlsx"

    def line(self, setting: str) -> Any:
        """The cell of a setting's value."""
        page = self.pages[SETTINGS_SHEET]
        return next(row[1] for row in page.iter_rows() if row[0].value == setting)

    def cell(self, sheet: str, row: int, heading: str) -> Any:
        page = self.pages[sheet]
        return page.cell(row, next(cell.column for cell in page[1] if cell.value == heading))

    def add(self, setting: str, value: object) -> None:
        self.pages[SETTINGS_SHEET].append([setting, value])

    def save(self) -> Path:
        self.pages.save(self.path)
        return self.path

    def faults(self) -> list[str]:
        """Everything that is wrong with it, each with its place and rule."""
        with pytest.raises(ScenarioError) as caught:
            load(self.save())
        return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def book(exported: bytes, tmp_path: Path) -> Book:
    return Book(exported, tmp_path)


# --- there and back -------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "parts"), WITH_PARTS, ids=lambda one: one.name if isinstance(one, Path) else one)
def test_what_is_shipped_comes_back_as_it_was(folder: Path, parts: str, tmp_path: Path) -> None:
    before = load(folder, {"parts": parts} if parts else {})
    after = load(rdsim.export(before, tmp_path / "book.xlsx"))
    assert after == before
    assert digest(after) == digest(before)
    assert after.illustrative == before.illustrative
    assert after.parts == ()


def test_a_book_is_imported_as_a_folder_of_the_same_scenario(tiny: Scenario, book: Book, tmp_path: Path) -> None:
    assert rdsim.import_book(book.save(), tmp_path / "out") == tiny
    assert digest(load(tmp_path / "out")) == digest(tiny)


def test_a_plan_of_the_book_has_the_portfolio_of_the_folder(tiny: Scenario, book: Book) -> None:
    of_folder, of_book = (
        rdsim.plan(
            one.with_({"optimiser.samples": 20, "optimiser.assumptions.points": 0}), one_shot=True, replications=6
        )
        for one in (tiny, load(book.save()))
    )
    assert of_book.proposal.portfolio == of_folder.proposal.portfolio


HARD_TEXTS = (
    "=1+1",
    "+82",
    "-",
    "@home",
    "'=quoted",
    '"in quotes"',
    "none",
    "true",
    "2024",
    "[1, 2]",
    "x\ny",
    "한국 <&>",
)


def test_texts_that_look_like_something_else_stay_texts(tiny: Scenario, tmp_path: Path) -> None:
    names = iter(HARD_TEXTS * 2)
    rows = {code: replace(one, name=next(names), note=next(names)) for code, one in tiny.technologies.items()}
    titles = {code: replace(one, name=next(names)) for code, one in tiny.programmes.items()}
    before = replace(tiny, technologies=rows, programmes=titles, title="=SUM(A1)", description="")
    path = rdsim.export(before, tmp_path / "book.xlsx")
    assert load(path) == before
    cells = [cell for page in openpyxl.load_workbook(path) for row in page.iter_rows() for cell in row]
    formulas = {cell.parent.title for cell in cells if cell.data_type == "f"}
    assert formulas <= {CHECKS, COVER}
    marked = [cell for cell in cells if cell.data_type == "s" and str(cell.value)[:1] in "=+-@" and cell.value]
    assert marked
    assert all(cell.quotePrefix for cell in marked)


@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, 1e-17, 12345.678901234567, 5e-324, 0.30000000000000004, 2.0**-40])
def test_numbers_keep_all_their_digits(tiny: Scenario, tmp_path: Path, number: float) -> None:
    before = tiny.with_({"discount_rate": min(number, 0.9), "technologies.T1.value": number})
    assert load(rdsim.export(before, tmp_path / "book.xlsx")) == before


def test_whole_numbers_beyond_a_spreadsheets_come_back(tiny: Scenario, tmp_path: Path) -> None:
    before = tiny.with_({"simulation.seed": 2**63 - 1})
    assert load(rdsim.export(before, tmp_path / "book.xlsx")).simulation.seed == 2**63 - 1


UNTYPED = {
    "whole": 1, "float": 1.0, "half": 0.5, "flag": True, "text": "1.0", "none": "none", "quoted": '"x"', "empty": "",
    "list": [1, 2.0, "a"], "table": {}, "inner": {"a": {"b": [], "c d": 1e300}}, "sum": "=1+1", "big": 2**60,
}  # fmt: skip


def test_settings_without_a_type_keep_theirs() -> None:
    lines = [(f"A{k}", f"B{k}", dotted_path(one.path), one.value) for k, one in
             enumerate(settings_lines({"rules": {"mine": UNTYPED}}))]  # fmt: skip
    tree = settings_tree(lines, "here")
    assert tree.faults == []
    found = tree.settings["rules"]["mine"]
    assert found == UNTYPED
    assert {key: type(one) for key, one in found.items()} == {key: type(one) for key, one in UNTYPED.items()}


def test_every_setting_has_a_line_of_its_own_that_set_takes(tiny: Scenario) -> None:
    lines = list(settings_lines(plain_parts(tiny)[0]))
    paths = [dotted_path(one.path) for one in lines]
    assert len(set(paths)) == len(paths)
    assert [dotted_segments(path) for path in paths] == [one.path for one in lines]
    assert all(one.words for one in lines if one.path[0] not in ("steps", "risks", "queues", "value"))


def test_the_same_scenario_has_the_same_bytes(tiny: Scenario, exported: bytes, tmp_path: Path) -> None:
    assert rdsim.export(tiny, tmp_path / "again.xlsx").read_bytes() == exported


def test_what_no_cell_holds_is_refused(tiny: Scenario, tmp_path: Path) -> None:
    for text in ("x" * 40_000, "a\rb", "_x000D_"):
        rows = {**tiny.technologies, "T1": replace(tiny.technologies["T1"], note=text)}
        with pytest.raises(
            ScenarioError, match=r"sheet technologies, cell [A-Z]+2 \(note\): a cell of a workbook cannot"
        ):
            rdsim.export(replace(tiny, technologies=rows), tmp_path / "book.xlsx")
    assert not (tmp_path / "book.xlsx").exists()


# --- what a planner sees --------------------------------------------------------------------------


def test_sheets_have_frozen_heads_filters_notes_and_offered_names(book: Book) -> None:
    assert book.pages.sheetnames == [COVER, CHECKS, SETTINGS_SHEET, *SHEETS.values(), LISTS]
    for name in (SETTINGS_SHEET, *SHEETS.values()):
        page = book.pages[name]
        assert page.freeze_panes == "B2"
        assert page.auto_filter.ref.startswith("A1:")
        assert all(cell.comment is not None for cell in page[1])
    note = book.cell("technologies", 1, "cost").comment.text
    assert "billion KRW" in note
    assert "Required" in note
    offered = {str(one.sqref): one.formula1 for one in book.pages["technologies"].data_validations.dataValidation}
    programme = book.cell("technologies", 2, "programme")
    ranges = [formula for cells, formula in offered.items() if cells.startswith(programme.coordinate + ":")]
    assert ranges == [f"'{LISTS}'!$A$2:$A$3"]
    assert [cell.value for cell in book.pages[LISTS]["A"] if cell.value] == ["programmes", "base", "leap"]
    assert isinstance(book.cell("technologies", 2, "cost").value, int | float)
    assert book.line("programmes.leap.deliverables.export.optional").value is True


def test_checks_begin_with_nothing_found_and_sums_of_money(exported: bytes) -> None:
    page = openpyxl.load_workbook(io.BytesIO(exported), data_only=True)[CHECKS]
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    end = rows.index([None] * len(rows[0]))
    assert {row[2] for row in rows[1:end]} == {0}
    money = next(row for row in rows if row[0] == "programmes.leap")
    assert money[1:7] == [12, 14, 14, 10, 6, 56]


# --- edits arrive ---------------------------------------------------------------------------------


def test_one_changed_cell_arrives(tiny: Scenario, book: Book) -> None:
    book.cell("technologies", 2, "cost").value = 17.5
    code = book.cell("technologies", 2, "id").value
    assert load(book.save()) == tiny.with_({f"technologies.{code}.cost": 17.5})


EDITS: Mapping[str, tuple[object, object]] = {
    "programmes.leap.budget.2024": (33, 33),
    "programmes.leap.budget.2026": ("500 million KRW", 0.5),
    "programmes.leap.deadline_years": ("18 months", 1.5),
    "discount_rate": ("0.03", 0.03),
    "programmes.leap.gate.tolerance": ("1", 1),
    "programmes.leap.name": (2024, "2024"),
    "programmes.leap.deliverables.export.optional": ("FALSE", False),
    "programmes.leap.award_cap": (44, 44),
    "steps.median_years.0": (0.9, None),
    "programmes.leap.preferred_networks.0": (None, None),
}


@pytest.mark.parametrize("setting", EDITS)
def test_an_edited_setting_arrives(tiny: Scenario, book: Book, setting: str) -> None:
    typed, meant = EDITS[setting]
    book.line(setting).value = typed
    if setting.startswith("steps"):
        expected = tiny.with_({"steps.median_years": [0.9, *tiny.steps.median_years[1:]]})
    elif meant is None:
        expected = tiny.with_({"programmes.leap.preferred_networks": []})
    else:
        expected = tiny.with_({setting: meant})
    assert load(book.save()) == expected


def test_lines_that_are_added_and_emptied_arrive(tiny: Scenario, book: Book) -> None:
    book.add("programmes.leap.starts.2027", 3)
    book.line("optimiser.award_ratio").value = "{ leap = 1.5 }"
    book.line("programmes.base.award_cap").value = None
    changes = {
        "programmes.leap.starts.2027": 3,
        "optimiser.award_ratio": {"leap": 1.5},
        "programmes.base.award_cap": None,
    }
    assert load(book.save()) == tiny.with_(changes)


def test_rows_may_be_added_left_blank_and_carry_units(tiny: Scenario, book: Book) -> None:
    page = book.pages["technologies"]
    for cell in page[2]:
        page.cell(page.max_row + (cell.column == 1) * 3, cell.column, cell.value)
    page.cell(page.max_row, 1, "T99")
    book.cell("technologies", 1, "cost").value = "Cost [million KRW]"
    for row in range(2, page.max_row + 1):
        if page.cell(row, 1).value:
            found = book.cell("technologies", row, "Cost [million KRW]")
            found.value *= 1000
    after = load(book.save())
    assert after.technologies["T99"].cost == after.technologies[page.cell(2, 1).value].cost
    assert {code: one for code, one in after.technologies.items() if code != "T99"} == dict(tiny.technologies)


def test_formulas_are_read_by_their_values(tiny: Scenario, exported: bytes, tmp_path: Path) -> None:
    """As Excel saves a formula: with the value that it came to, here put in by hand."""
    book = Book(exported, tmp_path)
    cell = book.cell("technologies", 2, "cost")
    code = book.cell("technologies", 2, "id").value
    cell.value = "=4*5"
    path = book.save()
    assert [fault.split(". Found")[0] for fault in book.faults()] == [
        f"book.xlsx, sheet technologies, cell {cell.coordinate} (cost): a formula must have a value"
    ]
    with_value = {"<f>4*5</f><v></v>": "<f>4*5</f><v>20</v>", "<f>4*5</f><v />": "<f>4*5</f><v>20</v>"}
    rewrite(path, lambda text: replaced(text, with_value))
    assert load(path) == tiny.with_({f"technologies.{code}.cost": 20})


def replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def rewrite(path: Path, change: Callable[[str], str], sheets: str = "sheet") -> None:
    """Change the XML of every sheet of a book, or of those whose file is called so."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data.decode()) if name.startswith(f"xl/worksheets/{sheets}") else data)


def test_sheets_of_ones_own_are_left_alone(tiny: Scenario, book: Book) -> None:
    for name in ("My sums", "Sheet1"):
        book.pages.create_sheet(name).append(["=1+1", datetime.date(2026, 1, 1)])
    del book.pages[COVER], book.pages[CHECKS], book.pages[LISTS]
    for name in ("judgements",):
        del book.pages[name]
    book.pages["technologies"].title = "x"
    book.pages["x"].title = "Technologies"
    assert load(book.save()) == tiny


# --- what is wrong is told ------------------------------------------------------------------------


def test_all_faults_are_told_at_once_by_sheet_and_cell(book: Book) -> None:
    cells = {
        name: book.cell("technologies", row, name)
        for row, name in enumerate(("field", "trl", "cost", "score"), start=2)
    }
    cells["field"].value, cells["trl"].value, cells["cost"].value = "no-such", 12, "2,4"
    cells["score"].value = datetime.datetime(2026, 3, 5)
    setting = book.line("programmes.leap.carry_over")
    setting.value = "much"
    level = book.pages["partner_levels"]["B2"]
    level.value = "#N/A"
    level.data_type = "e"
    field = book.pages["partner_levels"]["B1"].value
    rate = "programmes.leap.carry_over"
    told = book.faults()
    places = {name: f"book.xlsx, sheet technologies, cell {cell.coordinate} ({name}): " for name, cell in cells.items()}
    wanted = [
        places["field"] + "must name a field",
        places["trl"] + "must be a whole number from 1 to 9. Found: 12",
        places["cost"] + "must be an amount of money",
        places["score"] + "must not be a date",
        f"book.xlsx, sheet Settings, cell {setting.coordinate} ({rate}): must be a number from 0 to 1",
        f"book.xlsx, sheet partner_levels, cell {level.coordinate} ({field}): must be a value. Found: the error #N/A",
    ]
    assert len(told) == len(wanted)
    for one in wanted:
        assert any(fault.startswith(one) for fault in told), (one, told)


def merge(book: Book) -> None:
    book.pages["technologies"].merge_cells("B3:B5")


def hide(book: Book) -> None:
    book.pages["links"].sheet_state = "hidden"


def copy_sheet(book: Book) -> None:
    book.pages.create_sheet("technologies (2)")


def misname(book: Book) -> None:
    book.pages["technologies"].title = "technologie"


def drop(book: Book) -> None:
    del book.pages["technologies"]


def drop_settings(book: Book) -> None:
    del book.pages[SETTINGS_SHEET]


def without_heading(book: Book) -> None:
    book.pages["links"]["H2"] = "note"


def total(book: Book) -> None:
    page = book.pages["technologies"]
    page.cell(page.max_row + 1, 1, "Total")


def stray_setting(book: Book) -> None:
    book.add("programes.leap.carry_over", 0.5)


def table_setting(book: Book) -> None:
    book.add("technologies.T1.cost", 5)


def parts_setting(book: Book) -> None:
    book.add("parts.0", "link")


def no_path(book: Book) -> None:
    book.add("two words", 5)


def second_line(book: Book) -> None:
    book.add("discount_rate", 0.5)


def gap(book: Book) -> None:
    for name in ("months", "share"):
        book.line(f"programmes.leap.tranches.1.{name}").value = None


def beside(book: Book) -> None:
    book.add("programmes.leap.budget", "{ 2024 = 3 }")


def flag_for_number(book: Book) -> None:
    book.cell("technologies", 2, "trl").value = True


def unseen(book: Book) -> None:
    book.cell("technologies", 2, "name").value = "a\u200bb"


WRONG: Mapping[Callable[[Book], None], str] = {
    merge: "sheet technologies, cells B3:B5: cells must not be merged",
    hide: "sheet links: a sheet that is read must not be hidden",
    copy_sheet: "sheet technologies (2): must not stand beside technologies",
    misname: "sheet technologies: the sheet is required. Found: no such sheet. Rename technologie to technologies",
    drop: "sheet technologies: the sheet is required. Found: no such sheet",
    drop_settings: "sheet Settings: the sheet is required",
    without_heading: "sheet links, cell H2: a value must stand under a heading",
    total: "a row must not sum up the others",
    stray_setting: "(programes): unknown key",
    table_setting: "(technologies): belongs in sheet technologies",
    parts_setting: "(parts): a workbook has no optional parts",
    no_path: "must be a dotted path",
    second_line: "(discount_rate): a setting must stand in one line",
    gap: "(programmes.leap.tranches): entries of a list must be numbered 0, 1, 2, ... without a gap. Found: 0, 2",
    beside: "(programmes.leap.budget): must not stand in one cell, as lines",
    flag_for_number: "(trl): must be a whole number from 1 to 9. Found: 'true'",
    unseen: "(name): text must hold nothing that cannot be seen",
}


@pytest.mark.parametrize("spoil", WRONG, ids=lambda one: one.__name__)
def test_a_spoilt_book_is_told_in_one_message(book: Book, spoil: Callable[[Book], None]) -> None:
    spoil(book)
    told = book.faults()
    assert any(WRONG[spoil] in one for one in told), told
    assert all(one.startswith("book.xlsx, sheet ") for one in told)


def test_two_sheets_of_one_name_are_told(exported: bytes, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(io.BytesIO(exported)) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'name="links"', b'name="Partners"') if name == "xl/workbook.xml" else data)
    with pytest.raises(ScenarioError, match=r"sheet Partners: a sheet of this name must be there once"):
        load(path)


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


OLE = bytes.fromhex("d0cf11e0a1b11ae1")
KINDS = {
    "csv": (b"id,name\n", "must be a scenario folder, or a workbook (.xlsx). Found: a file"),
    "empty": (b"", "Found: a file"),
    "zip": (zipped(a=b"x"), "Found: an archive of something else"),
    "ods": (zipped(**{"content.xml": b"x"}), "a file of OpenDocument (.ods). Save it as"),
    "xlsb": (zipped(**{"xl/workbook.bin": b"x"}), "another kind (.xlsb)"),
    "xls": (OLE + b"x" * 600, "a file of old Excel (.xls)"),
    "locked": (OLE + "EncryptedPackage".encode("utf-16-le"), "a workbook with a password"),
    "bomb": (zipped(**{"xl/workbook.xml": b"0" * 200_000_001}), "must come to at most 200 MB, unpacked. Found: 200 MB"),
    "entities": (zipped(**{"xl/workbook.xml": b'<?xml version="1.0"?><!DOCTYPE x []><x/>'}), "entities of XML"),
    "hollow": (zipped(**{"xl/workbook.xml": b"<workbook/>"}), "must be a sound workbook"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_workbook_is_refused_in_one_line(rdsim_command: Rdsim, tmp_path: Path, kind: str) -> None:
    data, says = KINDS[kind]
    (tmp_path / "book.xlsx").write_bytes(data)
    said = rdsim_command("check", tmp_path / "book.xlsx")
    assert said.code == 2
    assert says in said.err
    assert len(said.err.splitlines()) == 2


def test_a_damaged_book_is_refused(exported: bytes, tmp_path: Path) -> None:
    for cut in (len(exported) // 2, len(exported) - 30):
        (tmp_path / "book.xlsx").write_bytes(exported[:cut])
        with pytest.raises(InputError):
            load(tmp_path / "book.xlsx")
    broken = bytearray(exported)
    for place in range(2000, len(broken) - 2000, 997):
        broken[place] ^= 0xFF
    (tmp_path / "book.xlsx").write_bytes(broken)
    with pytest.raises(InputError):
        load(tmp_path / "book.xlsx")


def test_cells_at_the_end_of_the_world_are_refused(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.pages["links"]["XFD2"] = 1
    assert any("and 1,000 columns. Found: a value in cell XFD2" in one for one in book.faults())
    monkeypatch.setattr(spreadsheets, "_MOST_ROWS", 3)
    assert any("must have at most 3 rows" in one for one in book.faults())


def test_merged_cells_and_formats_far_away_cost_nothing(tiny: Scenario, exported: bytes, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(exported)
    rewrite(
        path,
        lambda text: text.replace("</sheetData>", '<row r="1048576"><c r="A1048576" s="1"/></row></sheetData>'),
        sheets="sheet5",
    )
    assert load(path) == tiny
    far = '</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    rewrite(path, lambda text: text.replace("</sheetData>", far))
    with pytest.raises(ScenarioError, match="A1:XFD1048576: cells must not be merged"):
        load(path)


# --- commands -------------------------------------------------------------------------------------


def test_commands_write_read_and_refuse(rdsim_command: Rdsim, tmp_path: Path) -> None:
    folder, book, out = tiny_folder(tmp_path / "tiny"), tmp_path / "book.xlsx", tmp_path / "out"
    said = rdsim_command("export", folder, book, "--set", "discount_rate=0.02")
    assert (said.code, said.err) == (0, "")
    assert load(book) == load(folder, ["discount_rate=0.02"])
    cover = [[cell.value for cell in row] for row in openpyxl.load_workbook(book)[COVER].iter_rows()]
    assert ["Settings that were given", "discount_rate=0.02"] in cover
    assert rdsim_command("check", book).code == 0
    again = rdsim_command("export", folder, book)
    assert (again.code, "Give --force" in again.err) == (2, True)
    assert rdsim_command("export", folder, book, "--force").code == 0
    assert rdsim_command("import", book, out).code == 0
    assert load(out) == load(folder)
    assert "belongs" not in rdsim_command("import", out, tmp_path / "elsewhere.xlsx").err
    assert not (tmp_path / "elsewhere.xlsx").exists()
    said = rdsim_command("check", book, "--set", "parts=more", "--set", "illustrative.draw=2")
    assert said.code == 2
    assert "which has no optional parts" in said.err
    assert "which holds one draw" in said.err


def test_a_folder_is_imported_over_a_scenario_with_force_alone(book: Book, tiny: Scenario, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "mine")
    (folder / "thesis.txt").write_text("years of work")
    (folder / "judgements.csv").write_text("technology,input,expert,p10,p50,p90\n")
    with pytest.raises(OutputError, match="Give --force"):
        rdsim.import_book(book.save(), folder)
    book.line("discount_rate").value = 0.01
    rdsim.import_book(book.save(), folder, force=True)
    assert load(folder) == tiny.with_({"discount_rate": 0.01})
    assert (folder / "thesis.txt").read_text() == "years of work"
    assert not (folder / "judgements.csv").exists()


def test_what_is_not_ours_stays_also_with_force(book: Book, tiny: Scenario, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="a new or an empty folder"):
        rdsim.import_book(book.save(), tmp_path / "mine", force=True)
    other = tmp_path / "accounts.xlsx"
    openpyxl.Workbook().save(other)
    before = other.read_bytes()
    for name in (other, tmp_path / "mine", tmp_path / "book.csv"):
        with pytest.raises(OutputError):
            rdsim.export(tiny, name, force=True)
    assert other.read_bytes() == before


def test_a_run_of_a_book_is_asked_about(rdsim_command: Rdsim, book: Book, tmp_path: Path) -> None:
    path, out = book.save(), tmp_path / "run"
    assert rdsim_command("optimise", path, "--replications", 20, "--out", out).code == 0
    said = rdsim_command("frontier", out, "--points", 2, "--samples", 20, "--replications", 20, "--out", tmp_path / "f")
    assert (said.code, said.err) == (0, "")
