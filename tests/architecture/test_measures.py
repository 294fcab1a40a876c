"""The measures of the house see what they look for."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.architecture.measures import circles, functions, is_bare_participle, measure

TEXT = '''
def few(a, /, b, *, c=1, **rest):
    """Said."""
    x = a
    return x


class One:
    def many(self, a, b, c, d, e, f, g, h):
        return a

    def _own(self, a, b, c, d, e, f, g, h):
        return a
'''


def package(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_parameters_bodies_and_privacy_are_counted():
    found = {one.name: one for one in functions(ast.parse(TEXT), "house.room")}
    assert [(one.parameters, one.lines, one.is_public) for one in found.values()] == [
        (4, 2, True),
        (8, 1, True),
        (8, 1, False),
    ]


def test_a_command_is_told_from_a_function():
    text = "@app.command(name='x')\ndef one(): ...\n@commanded\ndef two(): ...\n"
    assert [one.is_command for one in functions(ast.parse(text), "house.cli")] == [True, False]


def test_circles_crowds_and_names_of_two_meanings_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = {
        "__init__.py": "",
        "a.py": "from crooked import b\nclass Rule: ...\n",
        "b/__init__.py": "",
        "b/inner.py": "from crooked.c import Rule\nclass Alone: ...\n",
        "c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from crooked import a\nclass Rule: ...\n"
        "def f(a, b, c, d, e, f, g, h): ...\n",
        "d.py": "from crooked import a, b, c\n",
    }
    root = package(tmp_path / "crooked", files)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = measure("crooked", root)
    sys.modules.pop("crooked", None)
    assert found.circles == (("crooked.a", "crooked.b", "crooked.c"),)
    assert found.classes == {"Rule": ("crooked.a", "crooked.c")}
    assert [str(one) for one in found.crowded] == ["crooked.c.f"]
    assert len(found.faults()) == 3
    assert "Rule has two meanings: crooked.a, crooked.c" in found.faults()
    assert any("modules: 6" in line for line in found.report())


def test_siblings_without_a_way_back_are_no_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = {"__init__.py": "", "a.py": "from straight import b\n", "b.py": "from straight import c\n", "c.py": ""}
    package(tmp_path / "straight", files)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert circles("straight") == ()


@pytest.mark.parametrize("name", ["_told", "sold_by", "_values_judged", "carried_over", "_looked_up"])
def test_a_participle_without_a_noun_is_found(name: str):
    assert is_bare_participle(name)


@pytest.mark.parametrize("name", ["expected_figures", "is_finished", "_reduced_costs", "with_fixed", "seed", "proceed"])
def test_an_adjective_or_a_predicate_is_no_bare_participle(name: str):
    assert not is_bare_participle(name)
