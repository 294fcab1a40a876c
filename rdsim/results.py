"""A run's folder: written whole beside its place and then renamed, with a manifest of what ran."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim import calibrating, findings, portfolio, report
from rdsim.calibrating import Fitted
from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError, OutputError
from rdsim.planning import Comparison, Plan
from rdsim.plugins import Plugin
from rdsim.promises import promise_table, sentences
from rdsim.scenario import digest
from rdsim.search import Loop, Proposal
from rdsim.simulation import Simulation
from rdsim.stats import Interval, proportion_interval
from rdsim.studies import Study

__all__ = [
    "Run",
    "claim",
    "free_folder",
    "read_manifest",
    "write_answer",
    "write_calibration",
    "write_plan",
    "write_proposal",
    "write_simulation",
    "write_study",
]

MANIFEST = "manifest.json"
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
    """

    folder: Path
    overrides: tuple[str, ...] = ()
    force: bool = False
    plugins: tuple[Plugin, ...] = ()
    command: tuple[str, ...] = ()
    scenario: str = ""


# --- the folder -----------------------------------------------------------------------------------


def free_folder(name: str) -> Path:
    """The first of results/NAME, results/NAME-2, ... that does not exist."""
    base = Path("results") / name
    number = 1
    while (path := base if number == 1 else base.with_name(f"{base.name}-{number}")).exists():
        number += 1
    return path


def claim(run: Run) -> None:
    """Refuse, before anything long runs, a folder that cannot be written or that holds something.

    Raises OutputError: a finished run is overwritten with `force` only, and what is not a run never.
    """
    folder = run.folder
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MANIFEST).exists():
            _refuse(folder, "must be new, empty, or hold an earlier run", "files that are not a run's", "Name another.")
        if not run.force:
            _refuse(folder, "a finished run is not overwritten", "manifest.json", "Give --force, or another --out.")
    elif folder.exists() and not folder.is_dir():
        _refuse(folder, "must be a folder", "a file", "Name another.")
    _check_writable(folder)


def _refuse(folder: Path, rule: str, found: str, suggestion: str) -> None:
    raise OutputError((Fault(str(folder), rule, found, suggestion),))


def _check_writable(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}."):
            pass
    except OSError as error:
        raise OutputError((Fault(str(folder), "must be writable", error.strerror or str(error)),)) from None


@contextlib.contextmanager
def _written_whole(run: Run) -> Iterator[Path]:
    """A folder to write into; it takes its place under its name only when all is written."""
    claim(run)
    draft = Path(tempfile.mkdtemp(dir=run.folder.parent, prefix=f".{run.folder.name}."))
    try:
        yield draft
        # mkdtemp makes a private folder; a run is as readable as anything else the user makes.
        draft.chmod(0o777 & ~_umask())
        _put_in_place(draft, run.folder)
    except OSError as error:
        raise OutputError((Fault(str(run.folder), "must be writable", error.strerror or str(error)),)) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put_in_place(draft: Path, folder: Path) -> None:
    if not folder.exists():
        draft.rename(folder)
        return
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
    folder.rename(old / "run")
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


# --- files ----------------------------------------------------------------------------------------


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False, compression="zstd")


def _write_tables(draft: Path, simulation: Simulation) -> None:
    _write_parquet(simulation.projects, draft / "outcomes.parquet")
    _write_parquet(simulation.replications, draft / "replications.parquet")
    _write_parquet(simulation.purses, draft / "purses.parquet")


def _write_policies(draft: Path, simulation: Simulation | None, comparisons: Mapping[str, Comparison]) -> None:
    tables = {} if simulation is None else {"optimised": simulation.replications}
    tables |= {name: comparison.replications for name, comparison in comparisons.items()}
    if tables:
        parts = [table.assign(policy=name) for name, table in tables.items()]
        _write_parquet(pd.concat(parts, ignore_index=True), draft / "policies.parquet")


def _write_baselines(draft: Path, comparisons: Mapping[str, Comparison]) -> None:
    if comparisons:
        (draft / "baselines").mkdir()
    for name, comparison in comparisons.items():
        portfolio.write(comparison.rule.portfolio, draft / "baselines" / f"{name}.csv")


def _write_manifest(draft: Path, manifest: dict[str, Any]) -> None:
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    hashes = {path.relative_to(draft).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    text = json.dumps(_plain({**manifest, "files": hashes}), indent=2, ensure_ascii=False, allow_nan=False)
    (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """What the manifest of a run says. Raises InputError if it cannot be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError((Fault(str(folder / MANIFEST), "must be the manifest of a run", str(error)),)) from None
    return dict(found)


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
        "over_commitment": dict(loop.ratios),
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
        "complete": not found.missing,
        "missing": list(found.missing),
        "solver": _solver(found.proposal),
        "search": _search(found.scenario, found.search),
        "portfolio": _portfolio(found.scenario, found.proposal),
        "fresh": _interval(found.fresh) if found.fresh is not None else {},
        "estimates": _estimates(found.simulation) if found.simulation is not None else {},
        "market_targets": _market_targets(found.simulation) if found.simulation is not None else [],
        "promises": _promises(found.scenario, found.proposal),
        "baselines": _baselines(found),
        "notes": list(findings.notes(found)),
        "versions": _versions(),
    }


# --- runs -----------------------------------------------------------------------------------------


def write_simulation(simulation: Simulation, run: Run, trace: pd.DataFrame | None = None) -> None:
    """The folder of `rdsim simulate`: portfolio, outcomes, replications, purses, a trace if there is one."""
    with _written_whole(run) as draft:
        portfolio.write(simulation.portfolio, draft / "portfolio.csv")
        _write_tables(draft, simulation)
        if trace is not None:
            trace.to_csv(draft / "trace.csv", index=False)
        count = len(simulation.replications)
        head = _head(simulation.scenario, run, simulation.seed, count, simulation.engine)
        funded = [choice.technology for choice in simulation.portfolio.choices]
        body = {"portfolio": {"funded": funded}, "estimates": _estimates(simulation), "versions": _versions()}
        _write_manifest(draft, {**head, "complete": True, **body})


def write_proposal(
    scenario: Scenario, proposal: Proposal, seed: int, run: Run, asked: Mapping[str, Any] | None = None
) -> None:
    """The folder of `rdsim optimise`: the portfolio and the manifest; `asked` is what the solver was told."""
    with _written_whole(run) as draft:
        portfolio.write(proposal.portfolio, draft / "portfolio.csv")
        head = _head(scenario, run, seed, 0, "none")
        solver = {**_solver(proposal), "asked": dict(asked or {})}
        body = {
            "solver": solver,
            "portfolio": _portfolio(scenario, proposal),
            "promises": _promises(scenario, proposal),
            "versions": _versions(),
        }
        _write_manifest(draft, {**head, "complete": True, **body})


def write_answer(chosen: str, body: Mapping[str, Any], run: Run) -> None:
    """The folder of `rdsim optimise --problem`: the text of chosen.csv, and `body` in the manifest."""
    with _written_whole(run) as draft:
        (draft / "chosen.csv").write_text(chosen, encoding="utf-8", newline="")
        head = {"rdsim": version("rdsim"), "command": list(run.command), "complete": True}
        _write_manifest(draft, {**head, **body, "versions": _versions()})


def write_study(study: Study, run: Run) -> None:
    """The folder of a study: its tables as CSV, its portfolios, and the sheet as report.html."""
    with _written_whole(run) as draft:
        for name, table in study.tables.items():
            table.to_csv(draft / f"{name}.csv", index=False)
        if study.portfolios:
            (draft / "portfolios").mkdir()
        for name, one in study.portfolios.items():
            portfolio.write(one, draft / "portfolios" / f"{name}.csv")
        head = _head(study.scenario, run, study.seed, study.scenario.simulation.replications, "none")
        body = {"study": study.name, "complete": True, **study.record, "versions": _versions()}
        manifest = _plain({**head, **body})
        report.write_sheet(study.sheet, manifest, draft / "report.html")
        _write_manifest(draft, manifest)


def write_calibration(found: Fitted, run: Run) -> None:
    """The folder of `rdsim calibrate`: calibration.toml, the fit and its checks as CSV, and report.html."""
    with _written_whole(run) as draft:
        (draft / "calibration.toml").write_text(calibrating.fragment(found), encoding="utf-8")
        found.steps.to_csv(draft / "steps.csv", index=False)
        pd.DataFrame(found.candidates).to_csv(draft / "models.csv", index=False)
        checks = {found.records.name: found.check, **found.tests}
        gains = [one.gains.assign(records=name) for name, one in checks.items()]
        pd.concat(gains, ignore_index=True).to_csv(draft / "gains.csv", index=False)
        manifest = _plain({**_calibration_manifest(found), "command": list(run.command)})
        report.write_sheet(calibrating.sheet(found), manifest, draft / "report.html")
        _write_manifest(draft, manifest)


def _calibration_manifest(found: Fitted) -> dict[str, Any]:
    best = found.best
    return {
        "rdsim": version("rdsim"),
        "study": "calibrate",
        "complete": True,
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
        "versions": _versions(),
    }


def write_plan(found: Plan, run: Run) -> None:
    """The folder of `rdsim plan`: everything, and the report of what was finished."""
    with _written_whole(run) as draft:
        portfolio.write(found.proposal.portfolio, draft / "portfolio.csv")
        if found.simulation is not None:
            _write_tables(draft, found.simulation)
        _write_policies(draft, found.simulation, found.comparisons)
        _write_baselines(draft, found.comparisons)
        manifest = _plain(plan_manifest(found, run))
        if found.simulation is not None:
            report.write(findings.gather(found, manifest), draft / "report.html")
        _write_manifest(draft, manifest)
