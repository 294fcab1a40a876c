"""A scenario as content: its digest, a folder that loads to an equal scenario, and the JSON schema of such folders."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from rdsim.arguments import check_arguments
from rdsim.domain import FacilityNeed, Judgement, Link, Partner, Scenario, Technology, TechnologyStep
from rdsim.errors import Fault, OutputError, ScenarioError
from rdsim.folders import is_file, is_folder, new_folder
from rdsim.scenario.cells import together
from rdsim.scenario.findings import FILES
from rdsim.scenario.folder import PARTS, SETTINGS
from rdsim.scenario.illustrative import ILLUSTRATIVE
from rdsim.scenario.loader import load, sound
from rdsim.scenario.renamed import with_first_names
from rdsim.scenario.shapes import ROOT, Shape, cell_names, own_columns, parts
from rdsim.scenario.units import SCALES
from rdsim.scenario.validation import adapter
from rdsim.tables import neutral
from rdsim.texts import toml_key, toml_value

__all__ = ["digest", "dump", "import_book", "schema", "texts_of"]


def digest(scenario: Scenario) -> str:
    """SHA-256 of the resolved content, in hexadecimal: blind to the order of tables and rows, and to the platform.

    What a part brings counts; that it came from a part does not, nor do the bounds of assumptions, which move no
    outcome. Settings that came with later releases count where they are not at their defaults.
    Raises ScenarioError for what cannot be a scenario.
    """
    content = _canonical(with_first_names(dataclasses.asdict(sound(scenario))))
    del content[PARTS]
    content.pop(ILLUSTRATIVE, None)  # as with parts: what a program draws counts, not that it drew it
    for name in ("links", "facility_needs", "technology_steps", "judgements"):
        content[name].sort(key=_json)
    return hashlib.sha256(_json(content).encode()).hexdigest()


def dump(scenario: Scenario, folder: str | FilePath, *, force: bool = False) -> None:
    """Write a folder that loads to an equal scenario. Raises OutputError if it is not new or empty, or not writable,
    ScenarioError for what cannot be a scenario.

    With `force` the settings and tables of a scenario that is there are replaced; other files stay, parts among them.
    """
    texts = texts_of(scenario)
    rule, there = "a scenario is written to a new or an empty folder", is_file(FilePath(folder) / SETTINGS)
    if there and not force:
        raise OutputError((Fault(str(folder), rule, "a scenario", "Give --force, or name another."),))
    with new_folder(folder, rule, (SETTINGS, *FILES.values()) if there else ()) as draft:
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8", newline="")


def texts_of(scenario: Scenario) -> dict[str, str]:
    """The files, by name, of a folder that loads to an equal scenario. Raises ScenarioError for what cannot be one."""
    return _files(sound(scenario))


@check_arguments()
def import_book(book: str | FilePath, folder: str | FilePath, *, force: bool = False) -> Scenario:
    """Write the scenario of a workbook (`rdsim.export`) as a folder, and return it.

    With `force` the settings and tables of a scenario that is in the folder are replaced; other files stay.

    Raises:
        ScenarioError: with every fault of the workbook, by sheet and cell.
        OutputError: if the folder holds something else, or a scenario without `force`, or cannot be written.

    >>> import rdsim
    >>> book = rdsim.export(rdsim.examples.starter(), "to-edit.xlsx")
    >>> rdsim.import_book(book, "edited") == rdsim.load("edited")
    True
    """
    if is_folder(book):
        raise ScenarioError((Fault(str(book), "must be a workbook (.xlsx)", "a folder", "rdsim export makes one."),))
    scenario = load(book)
    dump(scenario, folder, force=force)
    return scenario


def schema() -> dict[str, Any]:
    """The JSON schema of scenario.toml, for editors; ``tables`` holds the schema of a row of each CSV."""
    whole = adapter().json_schema()
    definitions = whole["$defs"]
    _allow_quantities(whole, ROOT, definitions)
    tables = {file: _row_schema(name) for name, file in FILES.items()}
    row = definitions["Technology"]
    row["patternProperties"] = {
        rf"^{re.escape(prefix)}": _own_schema(row["properties"].pop(name), parts(Technology)[name])
        for prefix, name in own_columns(Technology).items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SETTINGS,
        "description": "Settings of an rdsim scenario; its tables are CSV files beside it.",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: value for name, value in whole["properties"].items() if name not in FILES},
        "required": [name for name in whole["required"] if name not in FILES],
        "$defs": definitions,
        "tables": tables,
    }


def _own_schema(schema: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """The schema of a cell in a column of one's own: text may be a number there."""
    text = ["string"] if shape.item and shape.item.kind == "text" else []
    return {"type": [*text, "number", "null"], "description": schema["description"]}


def _canonical(value: Any) -> Any:
    """Plain data with text keys, lists, and no negative zero."""
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value + 0.0 if isinstance(value, float) else value


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _files(scenario: Scenario) -> dict[str, str]:
    texts = {SETTINGS: _settings(scenario), FILES["technologies"]: _rows(Technology, scenario.technologies.values())}
    if scenario.partners:
        texts[FILES["partners"]] = _rows(Partner, scenario.partners.values())
        texts[FILES["levels"]] = _levels(scenario)
    if scenario.links:
        texts[FILES["links"]] = _rows(Link, scenario.links)
    if scenario.facility_needs:
        texts[FILES["facility_needs"]] = _rows(FacilityNeed, scenario.facility_needs)
    if scenario.technology_steps:
        texts[FILES["technology_steps"]] = _rows(TechnologyStep, scenario.technology_steps)
    if scenario.judgements:
        texts[FILES["judgements"]] = _rows(Judgement, scenario.judgements)
    return texts


def _settings(scenario: Scenario) -> str:
    plain = dataclasses.asdict(scenario)
    kept = {name: value for name, value in plain.items() if name not in (*FILES, PARTS)}  # a part's content is in it
    return "\n".join(_table("", kept)) + "\n"


def _table(path: str, table: Mapping[Any, Any]) -> list[str]:
    """Lines of a TOML table: its own keys, then its sub-tables, each under its full name."""
    below = {key: value for key, value in table.items() if isinstance(value, dict)}
    own = [
        f"{toml_key(key)} = {toml_value(value)}"
        for key, value in table.items()
        if key not in below and value is not None
    ]
    lines = [f"\n[{path}]", *own] if path and (own or not below) else own
    for key, value in below.items():
        lines += _table(f"{path}.{toml_key(key)}" if path else toml_key(key), value)
    return lines


def _rows(record: type, entries: Iterable[Any]) -> str:
    listed, names = list(entries), cell_names(record)
    own = [
        (prefix, table, name)
        for prefix, table in own_columns(record).items()
        for name in sorted({name for entry in listed for name in getattr(entry, table)})
    ]
    head = [*names, *(f"{prefix}{name}" for prefix, _, name in own)]
    return _csv([head, *([*_cells(entry, names), *_own_cells(entry, own)] for entry in listed)])


def _cells(entry: Any, names: Iterable[str]) -> list[str]:
    return [_cell(getattr(entry, name)) for name in names]


def _own_cells(entry: Any, own: Iterable[tuple[str, str, str]]) -> list[str]:
    """Cells of columns of one's own; an empty one is what a record without an entry has."""
    return [_cell(getattr(entry, table).get(name)) for _, table, name in own]


def _levels(scenario: Scenario) -> str:
    fields = list(scenario.fields)
    rows = ([code, *(_cell(row.get(field)) for field in fields)] for code, row in scenario.levels.items())
    return _csv([["partner", *fields], *rows])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return together(value) if isinstance(value, tuple | dict) else str(value)


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    # The plain writer quotes only its own line break; a reader takes a carriage return for one as well.
    plain, quoted = (csv.writer(text, lineterminator="\n", quoting=kind) for kind in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    for row in rows:
        cells = [neutral(cell) for cell in row]
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)
    return text.getvalue()


def _row_schema(name: str) -> dict[str, Any]:
    shape = parts(Scenario)[name]
    if name == "levels":
        cells = {"type": ["number", "null"], "minimum": 0, "maximum": 200}
        return {"type": "object", "description": shape.description, "additionalProperties": cells}
    record = shape.item.record if shape.item else None
    return {"$ref": f"#/$defs/{record.__name__}"} if record else {}


def _allow_quantities(schema: dict[str, Any], shape: Shape, definitions: dict[str, Any]) -> None:
    """Let every number with a unit be a text with that unit too, and what a cell may hold whole be a text, in this
    schema and all below it."""
    pending: list[tuple[dict[str, Any], Shape]] = [(schema, shape)]
    seen: set[type] = set()
    while pending:
        node, one = pending.pop()
        if one.record and one.record not in seen:
            seen.add(one.record)
            properties = definitions.get(one.record.__name__, schema)["properties"]
            pending += [(properties[name], below) for name, below in parts(one.record).items()]
        elif one.joined:
            _allow_text(node, {})
        elif one.item:
            pending.append((node.get("additionalProperties") or node.get("items") or {}, one.item))
        elif one.unit:
            _allow_quantity(node, one.unit)


def _allow_quantity(node: dict[str, Any], unit: str) -> None:
    money, time = f"^[0-9.]+ ({'|'.join(SCALES)})? ?[A-Z]{{3}}$", "^[0-9.]+ (day|month|year)s?$"
    texts = {"money": money, "per year": "^[0-9.]+ ?%? (per (year|month))$", "as its input": f"{money}|{time}"}
    _allow_text(node, {"pattern": texts.get(unit, time)})


def _allow_text(node: dict[str, Any], limits: Mapping[str, Any]) -> None:
    kept = {key: node.pop(key) for key in list(node) if key not in ("title", "description", "default")}
    node["anyOf"] = [*kept.pop("anyOf", [kept]), {"type": "string", **limits}]
