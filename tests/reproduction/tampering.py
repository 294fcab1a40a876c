"""Kinds of tampering with a finished run: by hand in passing, and by one who writes every digest anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim.folders import digest_of_manifest
from rdsim.scenario import digest, load

__all__ = ["BEYOND", "TAMPERINGS", "Tampering", "seal"]

Tampering = tuple[Callable[[Path], None], bool, tuple[str, ...]]
"""What is done to the folder, whether all digests are then written anew, and what verify must say."""


def seal(folder: Path) -> None:
    """Write every digest anew, as who knows how runs are written would."""
    edit(folder, lambda manifest: None)


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what the manifest says, and write every digest anew."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    names = [name for name in manifest["files"] if (folder / name).exists()]
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    change(manifest)
    manifest["manifest_sha256"] = digest_of_manifest(manifest)
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


def said(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Of the manifest alone, its own digest included."""
    return lambda folder: edit(folder, change)


def table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Of one table in Parquet; `change` gives back another, or works in place."""

    def tamper(folder: Path) -> None:
        frame = pd.read_parquet(folder / name)
        found = change(frame)
        (frame if found is None else found).to_parquet(folder / name, index=False, compression="zstd")

    return tamper


def cell(column: str, row: int = 7, more: float = 1.0) -> Callable[[pd.DataFrame], None]:
    """Of one number in a table."""

    def change(frame: pd.DataFrame) -> None:
        frame[column] = frame[column].astype("float64")
        frame.loc[row, column] += more

    return change


def text(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Of a text that must occur in a file."""

    def tamper(folder: Path) -> None:
        content = (folder / name).read_text(encoding="utf-8")
        assert old in content, f"{old!r} does not occur in {name}"
        (folder / name).write_text(content.replace(old, new, 1), encoding="utf-8")

    return tamper


def csv_cell(name: str, column: str, value: object, row: int = 0) -> Callable[[Path], None]:
    """Of one cell in a table of text, by its row from 0."""

    def tamper(folder: Path) -> None:
        frame = pd.read_csv(folder / name, dtype=object, keep_default_na=False)
        assert frame.loc[row, column] != str(value)
        frame.loc[row, column] = str(value)
        (folder / name).write_text(frame.to_csv(index=False), encoding="utf-8")

    return tamper


def portfolio(rows: str) -> Callable[[Path], None]:
    """Another portfolio in place of the run's."""
    head = "technology,partner,mode,start_year,rank\n"
    return lambda folder: (folder / "portfolio.csv").write_text(head + rows, encoding="utf-8") and None


def funded(*names: str) -> Callable[[dict[str, Any]], None]:
    """What the manifest says is funded."""
    return lambda manifest: manifest["portfolio"].update(funded=list(names))


def both(*tamperings: Callable[[Path], None]) -> Callable[[Path], None]:
    """One after another."""

    def tamper(folder: Path) -> None:
        for one in tamperings:
            one(folder)

    return tamper


def other_scenario(folder: Path) -> None:
    """Another value of a technology in both copies of the scenario, and the digest of that scenario."""
    for place in ("given", "applied"):
        path = folder / "scenario" / place / "technologies.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.loc[frame["id"] == "T2", "value"] = "16000"
        path.write_text(frame.to_csv(index=False), encoding="utf-8")
    found = digest(load(folder / "scenario" / "applied"))
    edit(folder, lambda manifest: manifest["scenario"].update(digest=found))


def cut(name: str) -> Callable[[Path], None]:
    """The end of a file is gone."""
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-200]) and None


def estimate(manifest: dict[str, Any]) -> None:
    """A headline that is better than it was."""
    manifest["estimates"]["npv"]["mean"] += 1.0


def lead(manifest: dict[str, Any]) -> None:
    """A lead over a rule that is larger than it was."""
    manifest["baselines"]["value-per-cost"]["difference"]["mean"] += 1.0


TAMPERINGS: dict[str, Tampering] = {
    "a value in a table": (table("outcomes.parquet", cell("value")), False, ("outcomes.parquet", "as it was written")),
    "a value in a table, digests too": (
        table("outcomes.parquet", cell("cost_pv")), True, ("outcomes.parquet, row 8, column cost_pv",)),
    "money of a year": (
        table("purses.parquet", cell("spent")), True, ("purses.parquet, row 8, column spent",)),
    "a day": (
        table("milestones.parquet", cell("day", 3)), True, ("milestones.parquet, row 4, column day",)),
    "a figure of a replication": (
        table("replications.parquet", cell("paid")), True, ("replications.parquet, row 8, column paid",)),
    "an expectation": (
        table("expected.parquet", cell("npv", 3)), True,
        ("expected.parquet, row 4, column npv", "estimates, npv, mean")),
    "a rule beside the plan": (
        table("policies.parquet", cell("npv", 50)), True, ("policies.parquet", "row 51, column npv")),
    "the end of a table": (cut("outcomes.parquet"), False, ("outcomes.parquet", "must be a table that can be read")),
    "replications left out": (
        table("outcomes.parquet", lambda frame: frame[frame["replication"] < 15]), True,
        ("outcomes.parquet: must have", "15 replications")),
    "rows in another order": (
        table("replications.parquet", lambda frame: frame.iloc[::-1]), True, ("replications.parquet",)),
    "a column of one's own": (
        table("replications.parquet", lambda frame: frame.assign(luck=1.0)), True, ("column luck: must not be there",)),
    "another portfolio": (portfolio("T2,US,direct,2024,1\n"), False, ("portfolio.csv", "as it was written")),
    "another portfolio, digests and what is funded too": (
        both(portfolio("T2,US,direct,2024,1\n"), said(funded("T2"))), True, ("outcomes.parquet", "solver, expected")),
    "a portfolio that breaks a rule": (
        both(portfolio("T2,JP,matching,2024,1\nT5,JP,matching,2024,1\nT6,DE,direct,2024,2\n"),
             said(funded("T2", "T5", "T6"))), True, ("exclude one another",)),
    "a portfolio of what cannot be chosen": (
        both(portfolio("T2,JP,direct,2024,1\n"), said(funded("T2"))), True, ("portfolio.csv, row 2",)),
    "the portfolio of a rule": (
        lambda folder: (folder / "baselines" / "random-feasible.csv").write_bytes(
            (folder / "baselines" / "domestic-only.csv").read_bytes()) and None,
        True, ("random-feasible",)),
    "a file of the scenario": (
        text("scenario/given/scenario.toml", "discount_rate = 0.045", "discount_rate = 0.05"), False,
        ("scenario/given/scenario.toml", "scenario/given: must be the scenario that ran")),
    "the scenario as it ran, digests too": (
        text("scenario/applied/scenario.toml", "discount_rate = 0.045", "discount_rate = 0.05"), True,
        ("scenario/applied: must be the scenario that ran",)),
    "the whole scenario, and its digest": (other_scenario, True, ("outcomes.parquet", "solver, expected")),
    "another override": (
        said(lambda manifest: manifest["scenario"]["given"]["overrides"].append("discount_rate=0.05")), True,
        ("scenario/given: must be the scenario that ran",)),
    "a file put among those of the scenario": (
        lambda folder: (folder / "scenario" / "given" / "judgements.csv").write_text("technology\n") and None, False,
        ("judgements.csv: must not be there",)),
    "a headline": (
        text("manifest.json", '"confidence": 0.95', '"confidence": 0.99'), False, ("manifest.json: must be as",)),
    "a headline, digests too": (said(estimate), True, ("estimates, npv, mean",)),
    "a lead over a rule": (said(lead), True, ("value-per-cost, difference, mean",)),
    "the seed": (said(lambda manifest: manifest.update(seed=2)), True, ("outcomes.parquet",)),
    "how many replications": (
        said(lambda manifest: manifest.update(replications=2000)), True, ("must have 2,000 rows",)),
    "the money that was promised": (
        said(lambda manifest: manifest["promises"]["rows_held_to"].update(leap=0.01)), True, ("budget",)),
    "the table of promises": (
        lambda folder: (folder / "promises.csv").write_text(
            pd.read_csv(folder / "promises.csv").assign(payments=0.0).to_csv(index=False)) and None,
        True, ("promises.csv, row 16, column payments",)),
    "the bound": (said(lambda manifest: manifest["solver"].update(bound=manifest["solver"]["objective"] - 1.0)), True,
                  ("solver, bound",)),
    "the page": (lambda folder: (folder / "report.html").write_text("All is well.") and None, False, ("report.html",)),
    "a file that is gone": (lambda folder: (folder / "lead.csv").unlink(), False, ("lead.csv: must be there",)),
    "the manifest's own digest": (
        text("manifest.json", "manifest_sha256", "manifest_sha255"), False, ("manifest_sha256",)),
    "a manifest that is none": (cut("manifest.json"), False, ("manifest.json",)),
    "what an answer found": (
        text("answers/explain/manifest.json", '"seed": 1', '"seed": 7'), False, ("answers/explain/manifest.json",)),
}  # fmt: skip
"""By what is tampered with."""


def _flip(frame: pd.DataFrame) -> None:
    """A decision that the plan takes, and as it says does not."""
    row = int(frame["chosen"].to_numpy().argmax())
    frame.loc[row, "chosen"] = False


def _surer(frame: pd.DataFrame) -> None:
    """What is said to be sure that is open."""
    row = int((frame["verdict"] == "open").to_numpy().argmax())
    frame.loc[row, "verdict"] = "sure in"


BEYOND: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "a part of a lead": (csv_cell("lead.csv", "low", 5.5, 1), ("lead.csv, row 3, column low",)),
    "a lead that is told": (
        said(lambda manifest: manifest["lead"]["parts"][0].update(mean=9.75)), ("lead, parts, 0, mean",)),
    "what becomes of money": (csv_cell("unused.csv", "money", 1.25), ("unused.csv, row 2, column money",)),
    "what lapses, as it is told": (
        said(lambda manifest: manifest["unused"]["lapsed"].update(mean=0.125)), ("unused, lapsed, mean",)),
    "money that lapses": (csv_cell("lapse.csv", "money", 0.0625, 3), ("lapse.csv, row 5, column money",)),
    "a cause of lapsing": (
        said(lambda manifest: manifest["what_if"]["lapse"]["without"][0]["less"].update(mean=4.5)),
        ("what_if, lapse, without, 0, less, mean",)),
    "a world": (csv_cell("worlds.csv", "values", 1.0, 2), ("worlds.csv, row 4, column values",)),
    "what a world comes to": (csv_cell("worlds.csv", "npv", 99.0), ("worlds.csv, row 2, column npv",)),
    "a decision that is taken": (table("decisions.parquet", _flip), ("decisions.parquet", "column chosen")),
    "a decision that is sure": (table("decisions.parquet", _surer), ("decisions.parquet", "column verdict")),
    "what is proven": (csv_cell("unfunded.csv", "at_least", 0.03125), ("unfunded.csv, row 2, column at_least",)),
    "how often it is funded": (csv_cell("unfunded.csv", "shared", 0.99), ("unfunded.csv, row 2, column shared",)),
}  # fmt: skip
"""Of what a plan of the loop tells beside its portfolio and its replications; every digest is then written anew."""
