"""What the house asks of every function: short enough to read at once, and what is public says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rdsim
from tests.conftest import SLOW

PACKAGE = Path(rdsim.__file__).parent
LONGEST = 50
"""Lines of a function, with its signature and documentation."""

INNER = ("engines/process/", "engines/compiled/")
"""Rooms whose functions are steps of one loop, told in their modules."""

FILES = sorted(PACKAGE.rglob("*.py"))
Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name_of(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def long_functions(tree: ast.AST) -> Iterator[str]:
    """Functions of more lines, whoever they belong to."""
    for one in ast.walk(tree):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (one.end_lineno or one.lineno) - one.lineno + 1
            if lines > LONGEST:
                yield f"{one.name}: {lines} lines"


def silent(body: list[ast.stmt], inside: str = "") -> Iterator[str]:
    """Public functions, classes and methods without documentation."""
    for one in body:
        if not isinstance(one, Defined) or one.name.startswith("_"):
            continue
        if ast.get_docstring(one) is None:
            yield f"{inside}{one.name}"
        if isinstance(one, ast.ClassDef):
            yield from silent(one.body, f"{inside}{one.name}.")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_functions_are_short_and_what_is_public_is_documented(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert list(long_functions(tree)) == []
    if not name_of(file).startswith(INNER):
        assert list(silent(tree.body)) == []


def test_the_check_sees_what_it_looks_for() -> None:
    lines = "\n".join(f"    x = {number}" for number in range(LONGEST))
    text = f"def f():\n{lines}\n\n\nclass A:\n    '''Said.'''\n\n    def g(self): ...\n    def _h(self): ...\n"
    tree = ast.parse(text)
    assert list(long_functions(tree)) == [f"f: {LONGEST + 1} lines"]
    assert list(silent(tree.body)) == ["f", "A.g"]


def test_the_slow_files_that_go_first_are_there() -> None:
    assert not [name for name in SLOW if not (Path(__file__).parent / name).is_file()]
