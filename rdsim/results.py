"""Runs: what a run's folder holds. The tables and the manifest are in their place before the page is drawn."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rdsim import folders, portfolio, report
from rdsim.dictionary import DataColumn, column_of, table_entry
from rdsim.domain import Scenario
from rdsim.errors import DrawingError, Fault, OutputError, RunError
from rdsim.figures import column_figures
from rdsim.folders import MANIFEST, Place, read_manifest
from rdsim.folders.contents import (
    ANSWERS,
    BASELINE,
    GIVEN,
    MAIN,
    OUTCOMES,
    PAGE,
    PAGE_TABLE,
    PLUGIN,
    PORTFOLIO,
    PORTFOLIOS,
    PROBLEM,
    PURSES,
    REPORT,
    SCENARIO_APPLIED,
    SCENARIO_GIVEN,
    TABLE,
    TABLES_BOOK,
    WHOLE_TABLE,
    WORKBOOK,
)
from rdsim.languages import ENGLISH, kept_texts, speaking
from rdsim.numbers import NUMBERS
from rdsim.optimiser.problem.folder import GivenProblem
from rdsim.plugins import Plugin, texts_of
from rdsim.registry import packages_of
from rdsim.scenario import BOOK, digest, origin_of_draw, package_names, source_of
from rdsim.scenario import texts_of as scenario_texts
from rdsim.search import Given
from rdsim.study import Frame, Study
from rdsim.tables import neutral
from rdsim.version import VERSION
from rdsim.words import shared_luck_words
from rdsim.workbook import Contents, sheets_of, table_sheets, workbook_bytes

__all__ = ["Run", "Written", "brief", "claim", "claim_answer", "read_manifest", "redraw", "write"]

_PLACE = "its place"
_LIBRARIES = (
    *("highspy", "llvmlite", "numba", "numpy", "pandas", "PuLP", "pyarrow", "pydantic", "scipy", "simpy"),
    *("altair", "babel", "jinja2", "openpyxl", "vl-convert-python", "XlsxWriter"),
)
"""Libraries on which numbers rest, then those that write files."""


@dataclass(frozen=True)
class Run:
    """Where and from what a run came: the folder for its files, the overrides and plug-ins that were given.

    `command` are the words that run it again, and `scenario` is the scenario's folder, if they are known. `asked_of` is
    the digest of the portfolio of the plan in whose folder it is, of an answer of a plan (`claim_answer`).
    `settings` is what the command was told, by name, with values that JSON has, and `given` the portfolio that it was
    asked about, if it was another's: both are kept, so that the run can be made again.
    The place is the folder, claimed; without one it is claimed when the run is written.
    """

    folder: Path
    overrides: tuple[str, ...] = ()
    force: bool = False
    plugins: tuple[Plugin, ...] = ()
    command: tuple[str, ...] = ()
    scenario: str = ""
    place: Place | None = None
    asked_of: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: Given | None = None
    problem: GivenProblem | None = None
    """The folder of a problem that was stated by tables, of which the run is."""


@dataclass(frozen=True)
class Written:
    """A run in its place: which of its parts are missing, and why."""

    folder: Path
    missing: tuple[str, ...] = ()
    why: str = ""
    drawn: bool = False
    drawable: bool = False  # by `redraw`: what the page shows is there
    words: tuple[str, ...] = ()  # what was done about an earlier run that died there


# --- the folder -----------------------------------------------------------------------------------


def claim(name: str, out: Path | None, *, force: bool = False) -> Place:
    """The place of a run, reserved before the work: `out`, or the first free of results/NAME, results/NAME-2, ...

    Raises OutputError if it cannot be used; see `rdsim.folders.claim`.
    """
    return folders.claim_next(Path("results") / name) if out is None else folders.claim(out, force=force)


def claim_answer(plan: str | Path, name: str, *, force: bool = False) -> Place:
    """The place of an answer of a plan, in the folder of its run: the first free of answers/NAME, answers/NAME-2, ...;
    with `force` the first of them, whatever run it holds. Raises OutputError as `claim`.
    """
    place = Path(plan) / ANSWERS / name
    return folders.claim(place, force=True) if force else folders.claim_next(place)


@contextlib.contextmanager
def _claim(run: Run) -> Iterator[Place]:
    if run.place is not None:
        yield run.place
        return
    place = folders.claim(run.folder, force=run.force)
    try:
        yield place
    finally:
        place.release()


@dataclass(eq=False)
class _Draft:
    """The files of a run as they are written. What a full disk or memory keeps out is missing, the rest is kept."""

    folder: Path
    missing: list[str] = field(default_factory=list)
    why: str = ""
    scenario: str = ""
    """The scenario's digest."""

    def put(self, name: str, write: Callable[[Path], object]) -> None:
        """Have a file written, whole or not at all."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
        except (OSError, MemoryError, OutputError) as error:
            path.unlink(missing_ok=True)
            self.lacks(name, error)

    def lacks(self, name: str, error: Exception) -> None:
        """Say that a file is missing, and why."""
        self.missing.append(name)
        self.why = self.why or f"{name} could not be written: {_reason(error)}"

    def text(self, name: str, text: str) -> None:
        """Have a text written."""
        self.put(name, lambda path: path.write_text(text, encoding="utf-8", newline=""))

    def data(self, name: str, data: bytes) -> None:
        """Have a file written as it is."""
        self.put(name, lambda path: path.write_bytes(data))

    def parquet(self, name: str, table: Frame, study: Study) -> None:
        """Have a table written as Parquet, which says of itself what the data dictionary does."""
        self.put(name, lambda path: _write_parquet(path, _frame(table), Path(name).stem, study, self.scenario))

    def csv(self, name: str, table: Frame) -> None:
        """Have a table written as CSV; no text in it is taken for a formula by a spreadsheet."""
        self.put(name, lambda path: _neutral(_frame(table)).to_csv(path, index=False))


def _write_parquet(path: Path, table: pd.DataFrame, name: str, study: Study, digest: str) -> None:
    """Write a table of a study. In the file's metadata stand what its rows are, the unit of money, the scenario with
    its `digest` and the version of the numbers; in that of each column `unit` and `description`. Raises OSError."""
    scenario, entry = study.scenario, table_entry(study.name, name, stated=study.scenario is None)
    known = {} if scenario is None or entry is None or not entry.figures else column_figures(scenario)
    content = pa.Table.from_pandas(table, preserve_index=False)
    told = {} if entry is None else {one: column_of(entry, one, known) for one in content.column_names}
    fields = [
        field if (one := told.get(field.name)) is None else field.with_metadata(_field_metadata(one, scenario))
        for field in content.schema
    ]
    about = {"rdsim": VERSION, "rdsim.numbers": str(NUMBERS)}
    about |= {} if entry is None else {"description": entry.row}
    if scenario is not None:
        about |= {"money_unit": scenario.money_unit, "scenario": scenario.name, "scenario_sha256": digest}
    schema = pa.schema(fields, {**(content.schema.metadata or {}), **about})
    pq.write_table(content.cast(schema), path, compression="zstd")


def _field_metadata(one: DataColumn, scenario: Scenario | None) -> dict[str, str]:
    unit = one.unit if scenario is None else one.unit.replace("money", scenario.money_unit)
    return {"unit": unit, "description": one.meaning}


def _frame(table: Frame) -> pd.DataFrame:
    return table() if callable(table) else table


def _neutral(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its texts as `rdsim.tables.neutral` has them; numbers as they are."""
    texts = table.select_dtypes(exclude=["number", "bool", "datetime"])
    safe = {str(name): table[name].map(lambda one: neutral(one) if isinstance(one, str) else one) for name in texts}
    return table.assign(**safe).replace([float("inf"), float("-inf")], float("nan"))  # no bound: an empty cell


def _reason(error: Exception) -> str:
    """In few words, what the system said."""
    if isinstance(error, OutputError):
        return error.faults[0].found
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _publish(place: Place, study: Study, run: Run) -> Written:
    """Write all but the page, and put it in its place; what could be written is kept if that cannot be done."""
    missing, why = study.missing, study.why
    try:
        draft = _Draft(place.draft())
        found = {**_head(study, run), **study.record}
        draft.scenario = (found.get("scenario") or {}).get("digest", "")
        _fill_portfolios(draft, study, run)
        _fill_origin(draft, study, run)
        page = _fill(draft, study, kept_texts(found))
        _fill_workbook(draft, study, page, _plain(found))
        drawable = (draft.folder / PAGE.name).exists()
        missing = (*study.missing, *draft.missing, *((REPORT.name,) if drawable else ()))
        why = "; ".join(filter(None, (study.why, draft.why)))
        state = {"complete": not missing, "missing": list(missing)}
        body = {**found, **state, "platform": _platform(), "versions": _versions()}
        _write_manifest(draft.folder, body, _digests(draft.folder))
        place.publish()
    except OSError as error:
        return _keep(place, missing, error)
    return Written(place.folder, missing, why, drawable=drawable)


def _keep(place: Place, missing: tuple[str, ...], error: OSError) -> Written:
    """What is left of a run that could not be put in its place. Raises OutputError if that is nothing."""
    if folders.is_unfinished(place.real):
        why = f"{_reason(error)}; the next run there, or rdsim report {place.folder}, puts it there"
        return Written(place.folder, (*missing, _PLACE), why)
    kept = place.keep()
    if kept is None:
        raise OutputError((Fault(str(place.folder), "must be writable", _reason(error)),)) from None
    lacking = _PLACE if (kept / MANIFEST).exists() else MANIFEST
    return Written(kept, (*missing, lacking), f"{place.folder} could not be written: {_reason(error)}")


def _draw(place: Place, found: Written, ready: report.Drawer | None = None) -> Written:
    """Draw the page of the run that is in its place, of a plan also its brief, and put them beside the rest.

    Raises DrawingError.
    """
    drawn = report.run_files(place.real, ready)
    return replace(found, missing=_put_beside(place, drawn), drawn=True)


def _put_beside(place: Place, drawn: Mapping[str, str]) -> tuple[str, ...]:
    """Put files that were drawn beside the rest of a run; what it lacks then. Raises DrawingError."""
    try:
        with folders.hold_signals():
            manifest = read_manifest(place.real)
            missing = [name for name in manifest["missing"] if name not in drawn]
            draft = place.draft()
            for name, text in drawn.items():
                (draft / name).write_text(text, encoding="utf-8")
            state = {"complete": not missing, "missing": missing}
            is_sound = manifest.get("manifest_sha256") == folders.digest_of_manifest(manifest)
            files = {**manifest["files"], **_digests(draft)}
            _write_manifest(draft, {**manifest, **state}, files, seal=is_sound)
            place.publish(beside=True)
    except (OSError, OutputError) as error:
        raise DrawingError(f"it could not be written: {_reason(error)}") from None
    return tuple(missing)


def redraw(folder: str | Path, held: Place | None = None) -> Written:
    """Draw the page of a run again, from what its folder holds; first finish what a killed run left to be done there.

    `held` is the run's place, if it is claimed already.

    Raises RunError if there is no run with a page, with every fault of its manifest or of the page's data;
    OutputError if it cannot be written; DrawingError if it cannot be drawn.
    """
    path = Path(folder)
    if held is not None:
        return _draw(held, Written(path, drawable=True))
    if not folders.is_unfinished(path):
        read_manifest(path)
        report.read_page(path)
    place = folders.claim(path, force=True)
    try:
        report.read_page(place.real)
        return _draw(place, Written(path, drawable=True, words=tuple(place.words)))
    finally:
        place.release()


def brief(folder: str | Path) -> Written:
    """Put a plan on one page again, beside what its run's folder holds: brief.html, and brief.svg, a slide.

    Raises RunError if there is no plan's run, with every fault of its manifest or of its data; OutputError if it cannot
    be written; DrawingError if it cannot be drawn.
    """
    path = Path(folder)
    read_manifest(path)
    if not isinstance(report.read_page(path), report.PlanReport):
        raise RunError((Fault(str(path), "only the run of a plan has a brief", "the run of a study"),))
    drawn = report.brief_files(path)
    place = folders.claim(path, force=True)
    try:
        _put_beside(place, drawn)
    finally:
        place.release()
    return Written(path, drawn=True)


# --- what is written ------------------------------------------------------------------------------


def write(study: Study, run: Run) -> Written:
    """Put a study into its folder: portfolios, tables, and a manifest of them; then draw its page, if it has one.

    What a full disk or memory keeps out is missing, the rest is kept. An interrupt waits until the run is in its place,
    and then leaves out the page. Raises OutputError if nothing can be written at all.
    """
    with _claim(run) as place, contextlib.ExitStack() as stack:
        found = Written(place.folder, study.missing)
        try:
            with folders.hold_signals():
                ready = None if study.page is None else stack.enter_context(report.at_hand())
                with speaking(ENGLISH):  # no file but the page depends on the language
                    found = _publish(place, study, run)
            return _draw(place, found, ready) if found.drawable else found
        except KeyboardInterrupt:
            if not place.finished:
                raise
            return replace(found, why=found.why or "interrupted")
        except DrawingError as error:
            return replace(found, why=found.why or error.reason)


def _fill_portfolios(draft: _Draft, study: Study, run: Run) -> None:
    """Portfolios, the one that the run comes to first."""
    if study.portfolio is not None:
        draft.put(PORTFOLIO.name, partial(portfolio.write, study.portfolio))
    for family, named in ((BASELINE, study.baselines), (PORTFOLIOS, study.portfolios)):
        for name, one in named.items():
            draft.put(family.path(name), partial(portfolio.write, one))
    if run.given is not None:
        draft.put(GIVEN.name, partial(portfolio.write, run.given.portfolio))


def _fill_origin(draft: _Draft, study: Study, run: Run) -> None:
    """What the run was made from: the scenario as it was read and as it ran, and plug-ins."""
    if study.scenario is not None:
        source = source_of(study.scenario)
        for name, data in source.files.items() if source is not None else ():
            draft.data(SCENARIO_GIVEN.path(name), data)
        for name, text in scenario_texts(study.scenario).items():
            draft.text(SCENARIO_APPLIED.path(name), text)
    if (given := run.problem) is not None:
        for name, data in given.files.items():
            draft.data(PROBLEM.path(f"{given.name}/{name}"), data)
    for number, plugin in enumerate(run.plugins, start=1):
        for name, data in texts_of(plugin).items():
            draft.data(PLUGIN.path(f"{number}/{name}"), data)


def _fill(draft: _Draft, study: Study, texts: Mapping[str, Any]) -> report.Page | report.PlanReport | None:
    """Texts, tables, and what the page shows, if there is one."""
    for name, text in study.texts.items():
        draft.text(name, text)
    for name, table in study.tables.items():
        if name in study.parquet:
            draft.parquet(WHOLE_TABLE.path(name), table, study)
        else:
            draft.csv(TABLE.path(name), table)
    return _fill_page(draft, study, texts)


def _fill_page(draft: _Draft, study: Study, texts: Mapping[str, Any]) -> report.Page | report.PlanReport | None:
    """What the page shows; of one that is drawn from files of the run nothing, if one of them is missing."""
    try:
        page = study.page() if callable(study.page) else study.page
    except MemoryError as error:
        draft.lacks(PAGE.name, error)
        return None
    if page is None or set(report.needs(page)) & set(draft.missing):
        return page
    for name, table in report.page_tables(page).items():
        draft.parquet(PAGE_TABLE.path(name), table, study)
    draft.text(PAGE.name, report.page_text(page, texts))
    return page


def _fill_workbook(
    draft: _Draft, study: Study, page: report.Page | report.PlanReport | None, manifest: Mapping[str, Any]
) -> None:
    """The workbook of a plan, a simulation or a proposal about a scenario, or of a study's tables."""
    if study.workbook:
        note = f"From {REPORT.name} of the same folder, which says how each table is to be read."
        sheets = table_sheets({name: _frame(study.tables[name]) for name in study.workbook}, note)
        draft.put(TABLES_BOOK.name, lambda path: path.write_bytes(workbook_bytes(sheets)))
    if study.name not in MAIN or study.scenario is None or study.portfolio is None:
        return
    projects, purses = (study.tables.get(Path(one.name).stem) for one in (OUTCOMES, PURSES))
    source = Contents(
        study.name,
        study.scenario,
        study.portfolio,
        manifest,
        None if projects is None else _frame(projects),
        None if purses is None else _frame(purses),
        page if isinstance(page, report.PlanReport) else None,
    )
    draft.put(WORKBOOK.name, lambda path: path.write_bytes(workbook_bytes(sheets_of(source))))


def _head(study: Study, run: Run) -> dict[str, Any]:
    """How the run came about."""
    head = {"rdsim": VERSION, "numbers": NUMBERS, "command": list(run.command), "settings": {**run.settings}}
    named = {} if study.name in MAIN else {"study": study.name, "seed": study.seed}
    world = {} if study.scenario is None else _world(study, study.scenario, run)
    asked: dict[str, Any] = {"asked_of": {"portfolio": run.asked_of}} if run.asked_of else {}
    if run.given is not None:
        told, ratios = run.given, run.given.payment_ratios
        whose = {"name": told.portfolio.name, "source": told.source}
        asked["given"] = {**whose, "payment_ratios": None if ratios is None else dict(ratios)}
    if run.problem is not None:
        asked["stated"] = {"path": run.problem.path, "place": PROBLEM.path(run.problem.name)}
    return head | world | _extensions(study, run) | named | asked


def _extensions(study: Study, run: Run) -> dict[str, Any]:
    """Whose code was run beside rdsim's: files that were named, and installed packages of which something was used."""
    return {
        "plugins": [_plugin(number, plugin) for number, plugin in enumerate(run.plugins, start=1)],
        "packages": [asdict(one) for one in packages_of(_names_in_use(study))],
    }


def _plugin(number: int, plugin: Plugin) -> dict[str, Any]:
    kept = next(iter(texts_of(plugin)), "")
    place = {"kept": PLUGIN.path(f"{number}/{kept}")} if kept else {}
    return {"file": plugin.path, "sha256": plugin.sha256, "code": plugin.code or None, **place}


def _world(study: Study, scenario: Scenario, run: Run) -> dict[str, Any]:
    counted = scenario.simulation.replications if study.replications is None else study.replications
    return {
        "scenario": {
            "name": scenario.name,
            "title": scenario.title,
            "path": run.scenario,
            "digest": digest(scenario),
            "parts": list(scenario.parts),
            "overrides": list(run.overrides),
            **_given_scenario(scenario),
            **origin_of_draw(scenario),
        },
        "seed": study.seed,
        "replications": counted,
        "engine": study.engine,
        "confidence": scenario.simulation.confidence,
        "money_unit": scenario.money_unit,
        "shared_luck": shared_luck_words(scenario),
    }


def _given_scenario(scenario: Scenario) -> dict[str, Any]:
    """Where the scenario is as it was read, if it was, and the overrides that it was read with."""
    source = source_of(scenario)
    if source is None:
        return {}
    place = SCENARIO_GIVEN.path(BOOK) if BOOK in source.files else SCENARIO_GIVEN.path("").rstrip("/")
    return {"given": {"place": place, "overrides": list(source.overrides)}}


def _names_in_use(study: Study) -> Iterator[tuple[str, str]]:
    """What was used by its name, be it brought by a package or not."""
    if study.scenario is not None:
        yield from package_names(study.scenario)
    yield "study", study.name
    if solver := (study.record.get("solver") or {}).get("name"):
        yield "solver", solver


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _platform() -> dict[str, str]:
    """The kind of machine: the last bit of a power or a logarithm may depend on it."""
    return {"system": platform.system(), "machine": platform.machine()}


def _digests(draft: Path) -> dict[str, str]:
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    return {path.relative_to(draft).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _write_manifest(draft: Path, manifest: Mapping[str, Any], files: Mapping[str, str], *, seal: bool = True) -> None:
    """Write the manifest, with its own digest unless what it says did not hold before: that must not come to hold."""
    whole = _plain({**manifest, "files": dict(sorted(files.items()))})
    told = {**whole, "manifest_sha256": folders.digest_of_manifest(whole)} if seal else whole
    text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
    folders.write_whole(draft / MANIFEST, text + "\n")


def _plain(value: Any) -> Any:
    """Values that JSON has: what is not a finite number is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
