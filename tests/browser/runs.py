"""Small runs of every kind that has a page, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rdsim.report.page.render import render
from tests.command import quietly
from tests.documents.standins import desk, lessen
from tests.report import synthetic
from tests.report.synthetic import Shape
from tests.tiny import tiny_folder

__all__ = ["COMMANDS", "SHIPPED", "Shelf", "large_page"]

SHIPPED = ("korea-2024", "medical-ai-2024", "gri-network", "direct-or-matching", "korea-japan-fine-chemicals")

_FEW = ("--points", "10", "--samples", "20", "--replications", "20", "--repeats", "0")
_QUICK = ("--one-shot", "--set", "optimiser.assumptions.points=0", "--set", "optimiser.gap=0.3")

COMMANDS: Mapping[str, Sequence[str]] = {
    "plan": ("plan", "{tiny}"),
    "answered": ("plan", "{tiny}", "--one-shot", "--brief-page", "--with", "explain,frontier"),
    "simulate": ("simulate", "{tiny}", "--portfolio", "{plan}"),
    "brief": ("brief", "{plan}"),
    "compare": ("compare", "{plan}", "{simulate}"),
    "explain": ("explain", "{tiny}", "T1"),
    "frontier": ("frontier", "{tiny}", "--points", "4"),
    "alternatives": ("alternatives", "{tiny}", "--resamples", "2"),
    "ladder": ("ladder", "{tiny}", "--shares", "0.8,1"),
    "commitment": ("commitment", "{tiny}", "--ratios", "1,1.2"),
    "rolling": ("rolling", "{tiny}", "--replications", "4", "--foresight", "2", "--futures", "8"),
    "payoff": ("payoff", "{tiny}", "--repeats", "2", "--replications", "8", "--rolled", "0", "--foresight", "0"),
    "certify": ("certify", "{tiny}", "--batches", "2", "--evaluation", "100", "--worlds", "2"),
    "bench": (
        *(
            "bench",
            "{tiny}",
            "--quick",
            "--one-shot",
            "--rolled",
            "0",
            "--worlds",
            "money",
            "--portfolio",
            "{simulate}",
        ),
        *("--solver", "highs", "--copies", "1", "--limit", "2"),
    ),
    "assumptions": ("assumptions", "{desk}/scenarios/direct-or-matching", *_FEW),
    "calibrate": ("calibrate", "{desk}/mine.csv", "--bootstrap", "20", "--distribution", "lognormal"),
    "sweep": ("sweep", "run", "{desk}/experiments/direct-or-matching.toml", "--points", "4", "--jobs", "1"),
    **{name: ("plan", f"{{desk}}/scenarios/{name}", *_QUICK) for name in SHIPPED},
}
"""Commands by the kind of page that they write, the quickest that show all its parts; {kind} is another one's run."""

_PAGES = {"brief": "brief.html"}
_BESIDE = {"brief": "plan"}
"""Kinds whose page is put into another kind's run."""


@dataclass
class Shelf:
    """Runs by kind in a folder of their own."""

    folder: Path
    made: dict[str, Path] = field(default_factory=dict)

    def __getitem__(self, kind: str) -> Path:
        """The folder of the run, or of what commands begin from: `tiny`, and `desk` with the shipped scenarios."""
        if kind not in self.made:
            self.made[kind] = self._make(kind)
        return self.made[kind]

    def page(self, kind: str) -> Path:
        """The file of the kind's page."""
        return self[kind] / _PAGES.get(kind, "report.html")

    def _make(self, kind: str) -> Path:
        folder = self.folder / kind
        if kind == "desk":
            return desk(folder)
        if kind == "tiny":
            lessen(tiny_folder(folder))
            return folder
        beside = _BESIDE.get(kind)
        where = () if beside else ("--out", str(folder))
        code = quietly(*(word.format_map(self) for word in COMMANDS[kind]), *where)
        assert code == 0, f"{kind} ended with {code}"
        return self[beside] if beside else folder


def large_page(folder: Path) -> Path:
    """The page of a made-up plan as large as korea-2024's: 180 technologies, 140 of them funded."""
    report = synthetic.build(Shape(replications=200, technologies=180, funded=140))
    path = folder / "large.html"
    path.write_text(render(report, report.manifest), encoding="utf-8")
    return path
