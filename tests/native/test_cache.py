"""What is compiled says so itself, and compiled code is made again when any of it changes."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

import rdsim
from rdsim.native.cache import compiled_files, digest

PACKAGE = Path(rdsim.__file__).parent
FILES = dict(compiled_files())


def test_a_change_in_what_is_compiled_makes_another_digest_and_no_other_does(tmp_path: Path) -> None:
    (tmp_path / "upper").mkdir()
    kernel, constants, other = (tmp_path / "upper" / name for name in ("kernel.py", "constants.py", "other.py"))
    kernel.write_text("\nfrom rdsim.native.jit import jit\n", encoding="utf-8")
    constants.write_text("\n__compiled__ = True\nDAYS = 365\n", encoding="utf-8")
    other.write_text('"""Says nothing of __compiled__ = True."""\n', encoding="utf-8")
    assert [place for place, _ in compiled_files(tmp_path)] == ["upper/constants.py", "upper/kernel.py"]
    seen = [digest(tmp_path)]
    for path in (kernel, constants):
        path.write_text(path.read_text(encoding="utf-8") + "MORE = 1\n", encoding="utf-8")
        seen.append(digest(tmp_path))
    other.write_text("MORE = 1\n", encoding="utf-8")
    assert len(set(seen)) == 3
    assert digest(tmp_path) == seen[-1]


def test_every_function_and_constant_of_compiled_code_stands_in_a_file_that_says_so() -> None:
    kernels = [importlib.import_module(_dotted(place)) for place, text in FILES.items() if b"rdsim.native.jit" in text]
    assert len(kernels) > 10
    missing = {f"{place}: {name}" for kernel in kernels for name, place in _used(kernel) if place not in FILES}
    assert not missing, "these need the line __compiled__ = True"


def _dotted(place: str) -> str:
    return ".".join(("rdsim", *Path(place).with_suffix("").parts)).removesuffix(".__init__")


def _used(kernel: ModuleType) -> Iterator[tuple[str, str]]:
    """Names that a module's compiled functions use, and the place of the file in which each is stated."""
    for one in vars(kernel).values():
        function = getattr(one, "py_func", None)
        if isinstance(function, FunctionType) and function.__module__.startswith("rdsim."):
            home = importlib.import_module(function.__module__)
            yield function.__name__, _place(home)
            for name in _names(function) & vars(home).keys():
                if (stated := _stated(home, name)) is not None:
                    yield name, _place(stated)


def _names(function: FunctionType) -> set[str]:
    """Names of the function's code, and of functions in it."""
    waiting, found = [function.__code__], set[str]()
    while waiting:
        code = waiting.pop()
        found.update(code.co_names)
        waiting += [one for one in code.co_consts if inspect.iscode(one)]
    return found


def _place(module: ModuleType) -> str:
    return Path(str(module.__file__)).relative_to(PACKAGE).as_posix()


@cache
def _imported(module: ModuleType) -> dict[str, str]:
    """From where a module imports each name."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return {one.asname or one.name: str(node.module) for node in froms for one in node.names}


def _stated(module: ModuleType, name: str) -> ModuleType | None:
    """The module of rdsim in which a name is stated; a module itself has its own say, what is not ours none."""
    if isinstance(value := vars(module)[name], ModuleType):
        return value if value.__name__.startswith("rdsim.") else None
    source = _imported(module).get(name)
    if source is None:
        return module
    return _stated(importlib.import_module(source), name) if source.startswith("rdsim") else None
