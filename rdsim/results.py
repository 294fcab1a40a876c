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

from rdsim import calibrating, findings, folders, portfolio, report
from rdsim.calibrating import Fitted
from rdsim.domain import Scenario
from rdsim.errors import DrawingError, Fault, OutputError
from rdsim.folders import MANIFEST, Place, read_manifest
from rdsim.planning import Comparison, Plan
from rdsim.plugins import Plugin
from rdsim.promises import promise_table, sentences
from rdsim.report import Sheet
from rdsim.scenario import digest
from rdsim.search import Loop, Proposal
from rdsim.simulation import Simulation
from rdsim.stats import Interval, proportion_interval
from rdsim.studies import Study
from rdsim.tables import neutral

__all__ = [
    "Run",
    "Written",
    "claim",
    "read_manifest",
    "redraw",
    "write_answer",
    "write_calibration",
    "write_plan",
    "write_proposal",
    "write_simulation",
    "write_study",
]

_REPORT = "report.html"
_PLACE = "its place"
_LIBRARIES = ("highspy", "numba", "numpy", "pandas", "PuLP", "pyarrow", "scipy", "simpy")
_ESTIMATES = (
    "npv",
    "value_pv",
    "cost_pv",
    "network_pv",
    "commercialised_by_deadline",
    "commercialised",
    "target",
    "paid",
    "refunded",
    "lapsed",
    "paid_abroad",
    "paid_by_partners",
    "sales",
)


@dataclass(frozen=True)
class Run:
    """Where and from what a run came: the folder for its files, the overrides and plug-ins that were given.

    `command` are the words that run it again, and `scenario` is the scenario's folder, if they are known.
    The place is the folder, claimed; without one it is claimed when the run is written.
    """

    folder: Path
    overrides: tuple[str, ...] = ()
    force: bool = False
    plugins: tuple[Plugin, ...] = ()
    command: tuple[str, ...] = ()
    scenario: str = ""
    place: Place | None = None


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


@contextlib.contextmanager
def _claimed(run: Run) -> Iterator[Place]:
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

    def put(self, name: str, write: Callable[[Path], object]) -> None:
        """Have a file written, whole or not at all."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
        except (OSError, MemoryError, OutputError) as error:
            path.unlink(missing_ok=True)
            self.missing.append(name)
            self.why = self.why or f"{name} could not be written: {_reason(error)}"

    def text(self, name: str, text: str) -> None:
        """Have a text written."""
        self.put(name, lambda path: path.write_text(text, encoding="utf-8", newline=""))

    def parquet(self, name: str, table: pd.DataFrame) -> None:
        """Have a table written as Parquet."""
        self.put(name, lambda path: table.to_parquet(path, index=False, compression="zstd"))

    def csv(self, name: str, table: pd.DataFrame) -> None:
        """Have a table written as CSV; no text in it is taken for a formula by a spreadsheet."""
        self.put(name, lambda path: _neutral(table).to_csv(path, index=False))


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


def _write(run: Run, fill: Callable[[_Draft], dict[str, Any]], absent: tuple[str, ...] = ()) -> Written:
    """Put a run in its place: what `fill` writes, and a manifest of what it returns; then draw its page, if it has one.

    Absent is what was not computed. An interrupt waits until the run is in its place, and then leaves out the page.
    """
    with _claimed(run) as place:
        found = Written(place.folder, absent)
        try:
            with folders.undisturbed():
                found = _published(place, fill, absent)
            return _draw(place, found) if found.drawable else found
        except KeyboardInterrupt:
            if not place.finished:
                raise
            return replace(found, why=found.why or "interrupted")
        except DrawingError as error:
            return replace(found, why=found.why or error.reason)


def _published(place: Place, fill: Callable[[_Draft], dict[str, Any]], absent: tuple[str, ...]) -> Written:
    """Write all but the page, and put it in its place; what could be written is kept if that cannot be done."""
    missing, why = absent, ""
    try:
        draft = _Draft(place.draft())
        body = fill(draft)
        drawable = (draft.folder / report.PAGE).exists()
        missing, why = (*absent, *draft.missing, *((_REPORT,) if drawable else ())), draft.why
        state = {"complete": not missing, "missing": list(missing)}
        _write_manifest(draft.folder, {**body, **state, "versions": _versions()}, _digests(draft.folder))
        place.publish()
    except OSError as error:
        return _kept(place, missing, error)
    return Written(place.folder, missing, why, drawable=drawable)


def _kept(place: Place, missing: tuple[str, ...], error: OSError) -> Written:
    """What is left of a run that could not be put in its place. Raises OutputError if that is nothing."""
    if folders.is_unfinished(place.real):
        why = f"{_reason(error)}; the next run there, or rdsim report {place.folder}, puts it there"
        return Written(place.folder, (*missing, _PLACE), why)
    kept = place.keep()
    if kept is None:
        raise OutputError((Fault(str(place.folder), "must be writable", _reason(error)),)) from None
    lacking = _PLACE if (kept / MANIFEST).exists() else MANIFEST
    return Written(kept, (*missing, lacking), f"{place.folder} could not be written: {_reason(error)}")


def _draw(place: Place, found: Written) -> Written:
    """Draw the page of the run that is in its place, and put it beside the rest. Raises DrawingError."""
    page = report.drawn_run(place.real)
    try:
        with folders.undisturbed():
            manifest = read_manifest(place.real)
            missing = [name for name in manifest["missing"] if name != _REPORT]
            draft = place.draft()
            (draft / _REPORT).write_text(page, encoding="utf-8")
            state = {"complete": not missing, "missing": missing}
            _write_manifest(draft, {**manifest, **state}, {**manifest["files"], **_digests(draft)})
            place.publish(beside=True)
    except (OSError, OutputError) as error:
        raise DrawingError(f"it could not be written: {_reason(error)}") from None
    return replace(found, missing=tuple(missing), drawn=True)


def redraw(folder: str | Path) -> Written:
    """Draw the page of a run again, from what its folder holds; first finish what a killed run left to be done there.

    Raises RunError if there is no run with a page, with every fault of its manifest or of the page's data;
    OutputError if it cannot be written; DrawingError if it cannot be drawn.
    """
    path = Path(folder)
    if not folders.is_unfinished(path):
        read_manifest(path)
        report.read_page(path)
    place = folders.claim(path, force=True)
    try:
        report.read_page(place.real)
        return _draw(place, Written(path, drawable=True, words=tuple(place.words)))
    finally:
        place.release()


# --- files ----------------------------------------------------------------------------------------


def _write_tables(draft: _Draft, simulation: Simulation) -> None:
    draft.parquet("outcomes.parquet", simulation.projects)
    draft.parquet("replications.parquet", simulation.replications)
    draft.parquet("purses.parquet", simulation.purses)


def _write_policies(draft: _Draft, simulation: Simulation | None, comparisons: Mapping[str, Comparison]) -> None:
    tables = {} if simulation is None else {"optimised": simulation.replications}
    tables |= {name: comparison.replications for name, comparison in comparisons.items()}
    if tables:
        draft.put("policies.parquet", partial(_put_policies, tables))


def _put_policies(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    whole = pd.concat([table.assign(policy=name) for name, table in tables.items()], ignore_index=True)
    whole.to_parquet(path, index=False, compression="zstd")


def _write_baselines(draft: _Draft, comparisons: Mapping[str, Comparison]) -> None:
    for name, comparison in comparisons.items():
        draft.put(f"baselines/{name}.csv", partial(portfolio.write, comparison.rule.portfolio))


def _write_plan_page(draft: _Draft, found: Plan) -> None:
    """What the page of a plan shows beyond the tables of its run."""
    page = findings.gather(found)
    for name in report.PLAN_TABLES:
        draft.parquet(f"page/{name}.parquet", getattr(page, name))
    draft.text(report.PAGE, report.page_text(report.plan_page(page, findings.names(found.scenario))))


def _write_sheet(draft: _Draft, sheet: Sheet) -> None:
    draft.text(report.PAGE, report.page_text(report.sheet_page(sheet)))


def _digests(draft: Path) -> dict[str, str]:
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    return {path.relative_to(draft).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _write_manifest(draft: Path, manifest: Mapping[str, Any], files: Mapping[str, str]) -> None:
    whole = {**manifest, "files": dict(sorted(files.items()))}
    text = json.dumps(_plain(whole), indent=2, ensure_ascii=False, allow_nan=False)
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


# --- the manifest ---------------------------------------------------------------------------------


def _interval(interval: Interval) -> dict[str, float | int]:
    return {"mean": interval.mean, "ci_low": interval.low, "ci_high": interval.high, "n": interval.n}


def _head(scenario: Scenario, run: Run, seed: int, replications: int, engine: str) -> dict[str, Any]:
    return {
        "rdsim": version("rdsim"),
        "command": list(run.command),
        "scenario": {
            "name": scenario.name,
            "path": run.scenario,
            "digest": digest(scenario),
            "parts": list(scenario.parts),
            "overrides": list(run.overrides),
        },
        "plugins": [{"file": plugin.path, "sha256": plugin.sha256} for plugin in run.plugins],
        "seed": seed,
        "replications": replications,
        "engine": engine,
        "confidence": scenario.simulation.confidence,
        "money_unit": scenario.money_unit,
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _solver(proposal: Proposal) -> dict[str, Any]:
    solution = proposal.solution
    return {
        "name": solution.solver,
        "version": solution.version,
        "method": solution.method,
        "status": str(solution.status),
        "termination": str(solution.termination),
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "seconds": solution.seconds.total,
        "options": len(proposal.options.choices),
        "samples": proposal.samples,
        "expected": proposal.evaluation.objective,
        "risk": _risk(proposal),
    }


def _risk(proposal: Proposal) -> dict[str, Any]:
    """What the samples say of the portfolio, if the scenario asks anything of them."""
    found = proposal.appraisal
    if found is None:
        return {}
    rules = [
        {"name": rule.name, "value": rule.value, "sense": rule.sense, "limit": rule.limit, "holds": rule.holds}
        for rule in found.rules
    ]
    told = {"mean": found.mean, "cvar": found.cvar, "worst": found.worst, "probability": found.probability}
    return {**told, "rules": rules}


def _portfolio(scenario: Scenario, proposal: Proposal) -> dict[str, Any]:
    problem, opened = proposal.problem, proposal.evaluation.opened
    return {
        "funded": [choice.technology for choice in proposal.portfolio.choices],
        "partners_opened": {problem.partner_names[p]: int(problem.stage_names[s]) for p, s in sorted(opened.items())},
        "candidates": len(scenario.technologies),
    }


def _search(scenario: Scenario, loop: Loop | None) -> dict[str, Any]:
    """How the loop went; empty without one."""
    if loop is None:
        return {}
    chosen = loop.selected
    return {
        "winner": loop.winner,
        "changed": loop.changed,
        "stopped": loop.stopped,
        "payment_ratio_factors": dict(loop.ratios),
        "programmes": {code: line.name for code, line in scenario.programmes.items()},
        "replications": loop.spent,
        "portfolios": len(loop.steps),
        "selection": {}
        if chosen is None
        else {
            "procedure": "KN (Kim and Nelson 2001)",
            "finalists": list(loop.finalists),
            "means": list(chosen.means),
            "replications": list(chosen.observed),
            "probability": chosen.probability,
            "indifference": chosen.zone,
            "sure": chosen.sure,
        },
        "steps": [asdict(step) for step in loop.steps],
    }


def _estimates(simulation: Simulation) -> dict[str, Any]:
    table = simulation.summary()
    yearly = ("international_share_", "market_share_", "sales_")
    shares = [name for name in table.index if str(name).startswith(yearly)]
    return {
        str(name): {"mean": row["mean"], "ci_low": row["ci_low"], "ci_high": row["ci_high"], "n": int(row["n"])}
        for name, row in table.loc[[*_ESTIMATES, *shares]].iterrows()
    }


def _market_targets(simulation: Simulation) -> list[dict[str, Any]]:
    """Each share of the world market aimed at, and the probability to reach it with its interval."""
    targets, confidence = simulation.scenario.market.target, simulation.scenario.simulation.confidence
    shares = {year: simulation.replications[f"market_share_{year}"] for year in targets}
    return [
        {
            "year": year,
            "target": target,
            **_interval(proportion_interval(int((shares[year] >= target).sum()), len(shares[year]), confidence)),
        }
        for year, target in sorted(targets.items())
    ]


def _baselines(found: Plan) -> dict[str, Any]:
    return {
        name: {
            "rule": comparison.rule.name,
            "payment_ratios": dict(comparison.rule.payment_ratios),
            "equal_freedom": found.is_equal(comparison),
            "npv": _interval(comparison.npv),
            "difference": _interval(comparison.difference),
            "feasible": comparison.rule.evaluation.feasible,
            "violations": [violation.name for violation in comparison.rule.evaluation.violations],
            "funded": len(comparison.rule.portfolio.choices),
        }
        for name, comparison in found.comparisons.items()
    }


def _promises(scenario: Scenario, proposal: Proposal) -> dict[str, Any]:
    """Expected payments and full awards beside the announced money, by line and year."""
    table = promise_table(scenario, proposal)
    return {
        "rows_held_to": dict(proposal.payment_ratios),
        "busiest": {code: mine["payment_ratio"].max() for code, mine in table.groupby("programme", sort=False)},
        "years": table.drop(columns="name").to_dict("records"),
        "sentences": sentences(scenario, table),
    }


def plan_manifest(found: Plan, run: Run) -> dict[str, Any]:
    """Everything that says what ran and what it found, but for the files' digests."""
    return {
        **_head(found.scenario, run, found.seed, found.replications, found.engine),
        "solver": _solver(found.proposal),
        "search": _search(found.scenario, found.search),
        "portfolio": _portfolio(found.scenario, found.proposal),
        "fresh": _interval(found.fresh) if found.fresh is not None else {},
        "estimates": _estimates(found.simulation) if found.simulation is not None else {},
        "market_targets": _market_targets(found.simulation) if found.simulation is not None else [],
        "promises": _promises(found.scenario, found.proposal),
        "baselines": _baselines(found),
        "notes": list(findings.notes(found)),
    }


# --- runs -----------------------------------------------------------------------------------------


def write_simulation(simulation: Simulation, run: Run, trace: pd.DataFrame | None = None) -> Written:
    """The folder of `rdsim simulate`: portfolio, outcomes, replications, purses, a trace if there is one."""

    def fill(draft: _Draft) -> dict[str, Any]:
        draft.put("portfolio.csv", partial(portfolio.write, simulation.portfolio))
        _write_tables(draft, simulation)
        if trace is not None:
            draft.csv("trace.csv", trace)
        count = len(simulation.replications)
        head = _head(simulation.scenario, run, simulation.seed, count, simulation.engine)
        funded = [choice.technology for choice in simulation.portfolio.choices]
        return {**head, "portfolio": {"funded": funded}, "estimates": _estimates(simulation)}

    return _write(run, fill)


def write_proposal(
    scenario: Scenario, proposal: Proposal, seed: int, run: Run, asked: Mapping[str, Any] | None = None
) -> Written:
    """The folder of `rdsim optimise`: the portfolio and the manifest; `asked` is what the solver was told."""

    def fill(draft: _Draft) -> dict[str, Any]:
        draft.put("portfolio.csv", partial(portfolio.write, proposal.portfolio))
        head = _head(scenario, run, seed, 0, "none")
        solver = {**_solver(proposal), "asked": dict(asked or {})}
        return {
            **head,
            "solver": solver,
            "portfolio": _portfolio(scenario, proposal),
            "promises": _promises(scenario, proposal),
        }

    return _write(run, fill)


def write_answer(chosen: str, body: Mapping[str, Any], run: Run) -> Written:
    """The folder of `rdsim optimise --problem`: the text of chosen.csv, and `body` in the manifest."""

    def fill(draft: _Draft) -> dict[str, Any]:
        draft.text("chosen.csv", chosen)
        return {"rdsim": version("rdsim"), "command": list(run.command), **body}

    return _write(run, fill)


def write_study(study: Study, run: Run) -> Written:
    """The folder of a study: its tables as CSV, its portfolios, and the sheet as report.html."""

    def fill(draft: _Draft) -> dict[str, Any]:
        for name, one in study.portfolios.items():
            draft.put(f"portfolios/{name}.csv", partial(portfolio.write, one))
        for name, table in study.tables.items():
            draft.csv(f"{name}.csv", table)
        _write_sheet(draft, study.sheet)
        head = _head(study.scenario, run, study.seed, study.scenario.simulation.replications, "none")
        return {**head, "study": study.name, **study.record}

    return _write(run, fill)


def write_calibration(found: Fitted, run: Run) -> Written:
    """The folder of `rdsim calibrate`: calibration.toml, the fit and its checks as CSV, and report.html."""

    def fill(draft: _Draft) -> dict[str, Any]:
        draft.text("calibration.toml", calibrating.fragment(found))
        draft.csv("steps.csv", found.steps)
        draft.csv("models.csv", pd.DataFrame(found.candidates))
        checks = {found.records.name: found.check, **found.tests}
        gains = [one.gains.assign(records=name) for name, one in checks.items()]
        draft.csv("gains.csv", pd.concat(gains, ignore_index=True))
        _write_sheet(draft, calibrating.sheet(found))
        return {**_calibration_manifest(found), "command": list(run.command)}

    return _write(run, fill)


def _calibration_manifest(found: Fitted) -> dict[str, Any]:
    best = found.best
    return {
        "rdsim": version("rdsim"),
        "study": "calibrate",
        "records": [
            {"name": found.records.name, "projects": found.records.count, "sha256": found.records.sha256},
            *({"name": name, "projects": one.projects} for name, one in found.tests.items()),
        ],
        "seed": found.asked.seed,
        "asked": asdict(found.asked),
        "model": asdict(best.model),
        "parameters": best.parameters.tolist(),
        "log_likelihood": best.log_likelihood,
        "identified": list(best.identified),
    }


def write_plan(found: Plan, run: Run) -> Written:
    """The folder of `rdsim plan`: everything, and the report of what was finished."""

    def fill(draft: _Draft) -> dict[str, Any]:
        draft.put("portfolio.csv", partial(portfolio.write, found.proposal.portfolio))
        _write_baselines(draft, found.comparisons)
        if found.simulation is not None:
            _write_tables(draft, found.simulation)
        _write_policies(draft, found.simulation, found.comparisons)
        manifest = plan_manifest(found, run)
        if found.simulation is not None and not draft.missing:
            _write_plan_page(draft, found)
        return manifest

    return _write(run, fill, found.missing)
