"""The numbered statements of the model: what docs/formulation.md and docs/events.md state, and what the code cites.

A statement begins a line, or a line of a table, with its number in bold: ``**R3 Opening.**``. Code cites in the last
line of a module's, a class's or a function's documentation: ``Model: R3, R4.``
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Citation", "citations", "cited_in", "faults", "mentioned", "stated"]

_STATED = re.compile(r"^(?:\| )?\*\*([A-Z][0-9]+)\b", re.MULTILINE)
_CITED = re.compile(r"^\s*Model: (.*)$", re.MULTILINE)
_NUMBERS = re.compile(r"[A-Z][0-9]+(?:, [A-Z][0-9]+)*\.")
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Citation:
    """Where code cites statements, and which."""

    where: str
    """File and qualified name, as ``engines/rules.py fits``; of a module the file alone."""
    numbers: tuple[str, ...]


def stated(pages: Iterable[Path]) -> list[str]:
    """The numbers of all statements, in their order."""
    return [number for page in pages for number in _STATED.findall(page.read_text(encoding="utf-8"))]


def mentioned(page: Path, letters: str) -> set[str]:
    """Numbers that a page's prose speaks of."""
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return set(re.findall(rf"\b[{letters}][1-9][0-9]?\b", prose))


def cited_in(text: str | None) -> tuple[str, ...]:
    """Numbers that documentation cites. Raises ValueError for a line that is none."""
    found = _CITED.search(text or "")
    if found is None:
        return ()
    if not _NUMBERS.fullmatch(found[1]):
        raise ValueError(
            f"{found[0].strip()!r} must be numbers with a comma between and a full stop, as 'Model: R3, R4.'"
        )
    return tuple(found[1][:-1].split(", "))


def citations(package: Path) -> list[Citation]:
    """What a package's code cites."""
    return [one for file in sorted(package.rglob("*.py")) for one in _of_file(package, file)]


def _of_file(package: Path, file: Path) -> Iterator[Citation]:
    name, tree = file.relative_to(package).as_posix(), ast.parse(file.read_text(encoding="utf-8"))
    if numbers := cited_in(ast.get_docstring(tree)):
        yield Citation(name, numbers)
    for where, numbers in _inside(tree.body):
        yield Citation(f"{name} {where}", numbers)


def _inside(body: Iterable[ast.stmt], before: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            if numbers := cited_in(ast.get_docstring(one)):
                yield f"{before}{one.name}", numbers
            if isinstance(one, ast.ClassDef):
                yield from _inside(one.body, f"{before}{one.name}.")


def faults(pages: Mapping[str, Path], cited: Iterable[Citation]) -> list[str]:
    """Numbers stated twice or out of turn, stated and not cited, cited or spoken of and not stated."""
    numbers = stated(pages.values())
    known, used = set(numbers), {number for one in cited for number in one.numbers}
    letters = "".join(sorted({number[0] for number in numbers}))
    found = [
        f"{one.where} cites {number}, which no page states"
        for one in cited
        for number in one.numbers
        if number not in known
    ]
    found += [f"nothing cites {number}" for number in numbers if number not in used]
    for letter in letters:
        mine = [number for number in numbers if number[0] == letter]
        wanted = [f"{letter}{place}" for place in range(1, len(mine) + 1)]
        found += [
            f"{number} stands where {due} is due" for number, due in zip(mine, wanted, strict=True) if number != due
        ]
    for name, page in pages.items():
        found += [
            f"{name} speaks of {number}, which no page states" for number in sorted(mentioned(page, letters) - known)
        ]
    return found
