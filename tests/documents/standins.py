"""A folder like the repository's as a user sees it, but small: the pages' blocks take seconds there.

The scenarios are the real ones with fewer technologies, samples and replications, the experiments have fewer points.
What pages speak of as the reader's own files is there too.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.documents.blocks import ROOT
from tests.sizes import EFFORT

__all__ = ["desk", "lessen"]

KEPT = {"T001", "T002", "T003", "T047", "F002", "F003"}
"""Technologies of korea-2024 that pages speak of; with them stay those of whom experts have judged, and some others."""

HOSTS = {"US", "JP", "TW", "CA", "DE", "US+TW"}
"""Partners that stay: small problems with many partners who are alike take an exact solver minutes."""

_FEWER = {"points": 4, "replications": 4, "repeats": 2}
"""Of experiments."""

OWN = {
    "knapsack/options.csv": "option,value,weight\ntent,6,1\nstove,10,2\nboat,12,3\n",
    "knapsack/rows.csv": "row,cap\nweight,5\n",
}


def desk(folder: Path) -> Path:
    """The folder, filled."""
    for name in ("scenarios", "experiments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("answers", "*.png"))
    _shrink_korea(folder / "scenarios" / "korea-2024")
    for scenario in (folder / "scenarios").glob("*/scenario.toml"):
        lessen(scenario.parent)
    for experiment in (folder / "experiments").glob("*.toml"):
        fewer = ((rf"^{name} = \d+", f"{name} = {count}") for name, count in _FEWER.items())
        _change(experiment, *fewer)
    for name, text in OWN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    records = folder / "scenarios" / "records" / "techport_projects.csv"
    _keep(records, _rows(records)[::8])
    shutil.copy(records, folder / "mine.csv")
    return folder


_LESS = {
    "optimiser": {"redecisions": 8},
    "optimiser.search": {"replications": 20, "most_replications": 100},
    "optimiser.assumptions": {"points": 10, "replications": 20, "repeats": 2, "samples": 20},
    "optimiser.what_if": {"repeats": 2, "replications": 20},
}
"""By table of a scenario's settings: how little is asked of a plan."""


def lessen(folder: Path) -> None:
    """Few samples, replications and repeats, and little effort, in a scenario's settings."""
    scenario = folder / "scenario.toml"
    _change(
        scenario,
        (r"^samples = \d+", f'samples = 20\neffort = "{EFFORT}"'),
        (r"^replications = \d+", "replications = 20"),
    )
    text = scenario.read_text(encoding="utf-8")
    for table, settings in _LESS.items():
        head = f"\n[{table}]\n"
        before, _, after = text.partition(head)
        mine, *others = re.split(r"(?m)^(?=\[)", after)
        kept = re.sub(rf"(?m)^({'|'.join(settings)}) = .*\n", "", mine)
        lines = "".join(f"{name} = {count}\n" for name, count in settings.items())
        text = "".join((before.rstrip("\n"), "\n", head, lines, kept, *others))
    scenario.write_text(text, encoding="utf-8")


def _shrink_korea(folder: Path) -> None:
    """An eighth of the technologies, a few partners; of money and starts three times that share, for T001 is large."""
    judged = {row["technology"] for row in _rows(folder / "parts" / "judgements" / "judgements.csv")}
    every = _rows(folder / "technologies.csv")
    kept = KEPT | judged | {row["id"] for row in every[::18]}
    share = 3 * len(kept) / len(every)
    _keep(folder / "technologies.csv", [row for row in every if row["id"] in kept])
    _keep(
        folder / "links.csv", [row for row in _rows(folder / "links.csv") if {row["technology"], row["other"]} <= kept]
    )
    steps = folder / "technology_steps.csv"
    _keep(steps, [row for row in _rows(steps) if row["technology"] in kept])
    _scale(folder / "scenario.toml", ("budget", "starts"), share)
    for portfolio in (folder / "portfolios").glob("*.csv"):
        _keep(
            portfolio, [row for row in _rows(portfolio) if row["technology"] in kept and row["partner"] in {"", *HOSTS}]
        )
    for name, column in (("partners.csv", "code"), ("partner_levels.csv", "partner")):
        _keep(folder / name, [row for row in _rows(folder / name) if row[column] in HOSTS])
    _change(
        folder / "scenario.toml", (r"floor = 0\.0", "floor = 0.000"), (r"^partners_barred = .*", "partners_barred = []")
    )


def _scale(path: Path, tables: Iterable[str], share: float) -> None:
    """Multiply every entry of some of the programmes' tables; what is counted stays a whole number."""
    parts = re.split(r"(?m)^(?=\[)", path.read_text(encoding="utf-8"))
    for index, part in enumerate(parts):
        if re.match(rf"\[programmes\.\w+\.({'|'.join(tables)})\]", part):
            parts[index] = re.sub(r"(?m)^(\d{4} = )([\d.]+)", lambda found: found[1] + _times(found[2], share), part)
    path.write_text("".join(parts), encoding="utf-8")


def _times(number: str, share: float) -> str:
    return f"{float(number) * share:.1f}" if "." in number else str(max(1, round(int(number) * share)))


def _change(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, new in changes:
        text = re.sub(pattern, new, text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _keep(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
