"""What was found wrong and where it stands: findings by path, and the origin that turns paths into places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rdsim.domain import Technology
from rdsim.errors import Fault
from rdsim.scenario.overrides import Override
from rdsim.scenario.shapes import STAND_IN, Path, covers, dotted_path, own_columns
from rdsim.tables import place_words

__all__ = ["FILES", "Finding", "Origin", "standing"]

FILES = {
    "technologies": "technologies.csv",
    "partners": "partners.csv",
    "levels": "partner_levels.csv",
    "links": "links.csv",
    "facility_needs": "facility_needs.csv",
    "technology_steps": "technology_steps.csv",
    "judgements": "judgements.csv",
}


@dataclass(frozen=True)
class Finding:
    """A rule that is broken at `paths[0]`; the other paths are what the rule also looked at."""

    paths: tuple[Path, ...]
    rule: str
    found: str = ""
    suggestion: str = ""


@dataclass(frozen=True)
class Origin:
    """Where each value came from: the rows of the tables, the overrides, and the files of optional parts.

    `settings` and `tables` are what the files of the scenario itself are called, or what stands in their place, and
    `head` where a table's headings stand, after its name. In a workbook settings have cells, and columns have letters.
    """

    rows: Mapping[Path, int] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    files: Mapping[Path, str] = field(default_factory=dict)
    settings: str = "scenario.toml"
    tables: Mapping[str, str] = field(default_factory=lambda: FILES)
    head: str = ", row 1"
    cells: Mapping[Path, str] = field(default_factory=dict)
    letters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def fault(self, finding: Finding) -> Fault:
        """The finding as a fault, laid at the override that touched it, if one did, and else at the file.

        An override that set a path, or a part of the first one, is to blame, for the files were right without it; if
        it stands elsewhere than the value found, the value's place is shown too.
        """
        place = self.place(finding.paths[0])
        override = self._override(finding.paths)
        if override is None:
            return Fault(place, finding.rule, finding.found, finding.suggestion)
        first = finding.paths[0]
        near = covers(override.path, first) or covers(first, override.path)
        found = finding.found if near else f"{finding.found} ({place})"
        return Fault(f"--set {override.text}", finding.rule, found, finding.suggestion)

    def _override(self, paths: tuple[Path, ...]) -> Override | None:
        """The last override that set one of the paths, or a part of the first."""
        touching = (
            one
            for one in reversed(self.overrides)
            if any(covers(one.path, path) for path in paths) or covers(paths[0], one.path)
        )
        return next(touching, None)

    def place(self, path: Path) -> str:
        """Where a path stands in the files: its row and column, or its dotted path."""
        file = next((self.files[path[:k]] for k in range(len(path), 0, -1) if path[:k] in self.files), "")
        if not path or path[0] not in FILES:
            return self._setting(file or self.settings, path)
        table, row = file or self.tables[str(path[0])], self.rows.get(path[:2])
        column = _column(path)
        if "*" not in path[:2] and row is not None and column:
            return place_words(table, row, column, self.letters.get(str(path[0]), {}))
        texts = [table + (self.head if "*" in path[:2] else "")]
        if "*" not in path[:2]:
            texts.append(f"row {row}" if row is not None else ".".join(str(one) for one in path[1:2]))
        return ", ".join(text for text in (*texts, f"column {column}" if column else "") if text)

    def _setting(self, file: str, path: Path) -> str:
        """Where a setting stands: in a workbook in the cell of its line, or in the first one of its table."""
        told = dotted_path(path)
        known = tuple(map(str, path))
        above = (known[:k] for k in range(len(known), 0, -1))
        below = (place for place in self.cells if place[: len(known)] == known)
        line = next((place for place in (*above, *below) if place in self.cells), None)
        if line is None or not path:
            return f"{file}, {told}" if path else file
        return f"{file}, cell {self.cells[line]} ({told})"


def _column(path: Path) -> str:
    """The heading of what stands at a path in a table; '' of a whole row."""
    prefixes = {table: prefix for prefix, table in own_columns(Technology).items()} if len(path) > 3 else {}
    if len(path) > 2:
        return f"{prefixes[str(path[2])]}{path[3]}" if path[2] in prefixes else str(path[2])
    return ""


def standing(findings: Iterable[Finding], bad: Iterable[Path]) -> list[Finding]:
    """The findings that neither rest on a value already known to be bad nor speak of its stand-in, each once."""
    known = list(bad)
    real = (one for one in findings if STAND_IN not in f"{one.paths} {one.rule} {one.found} {one.suggestion}")
    sound = (one for one in real if not any(covers(place, path) for place in known for path in one.paths))
    return list(dict.fromkeys(sound))
