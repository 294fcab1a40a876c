"""Plug-ins: Python files of a user that register what they define before a scenario is read."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rdsim.behaviour import is_local, is_local_file
from rdsim.errors import Fault, InputError
from rdsim.registry import Registry

__all__ = ["Plugin", "load", "texts_of"]


def _registrations() -> frozenset[tuple[str, str]]:
    """Noun of the registry and name of all that was registered, but by installed packages."""
    return frozenset(
        (one.noun, name) for one in Registry.every for name in one.own() if one.loading_package(name) is None
    )


@dataclass(frozen=True)
class Plugin:
    """A file that was run: its path as given, the SHA-256 of what was in it, and that of all its own code."""

    path: str
    sha256: str
    code: str
    """SHA-256 of the file and of every module of the user's that it imports, directly or through another."""


@dataclass(frozen=True)
class _Run:
    """What running a file left behind."""

    plugin: Plugin
    files: Mapping[Path, bytes]  # it, and the user's modules that it imports, as they were when it ran
    modules: frozenset[str]  # that it brought in
    names: frozenset[tuple[str, str]]  # that it registered, as `_registrations` has them


_RUN: dict[Path, _Run] = {}


def load(paths: Sequence[Path]) -> tuple[Plugin, ...]:
    """Run every file, in order. Raises InputError with all files that are missing or that fail.

    Such a file registers what it defines, for instance by `@rdsim.extend.purse_rule("reserve")`.
    A file that was run before is run again only if it, or a module of the user's that it imports, has changed since;
    what it had registered is then taken back.
    """
    faults, plugins = list[Fault](), list[Plugin]()
    for path in paths:
        try:
            if path.is_char_device() or path.is_block_device():
                raise OSError("a device, which may never end")
            text = path.read_bytes()
        except (OSError, ValueError) as error:
            rule = "must be a Python file that can be read"
            faults.append(Fault(str(path), rule, getattr(error, "strerror", "") or str(error)))
            continue
        try:
            plugins.append(_load(path, text))
        except (Exception, SystemExit) as error:  # whatever the user's own code raises
            faults.extend(_faults(path, error))
    if faults:
        raise InputError(tuple(faults))
    return tuple(plugins)


def texts_of(plugin: Plugin) -> dict[str, bytes]:
    """The text of a plug-in that was run, its own file first, and of every module of the user's that it imports: by
    path below the folder that holds them all. Empty of one that another process ran."""
    run = _RUN.get(Path(plugin.path).resolve())
    if run is None or run.plugin != plugin:
        return {}
    first = Path(plugin.path).resolve()
    top = Path(os.path.commonpath([one.parent for one in run.files]))
    return {one.relative_to(top).as_posix(): run.files[one] for one in sorted(run.files, key=lambda one: one != first)}


def _faults(path: Path, error: BaseException) -> Iterator[Fault]:
    """What an error says, with the line of the file that it comes from."""
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)]
    where = f"{path}, line {lines[-1]}" if lines else str(path)
    if isinstance(error, InputError):  # rdsim's own, of what the file asked for
        yield from (replace(fault, where=f"{where}, {fault.where}") for fault in error.faults)
    else:
        yield Fault(where, "must run without an error", f"{type(error).__name__}: {error}".rstrip("."))


def _load(path: Path, text: bytes) -> Plugin:
    place = path.resolve()
    before = _RUN.get(place)
    if before is not None and _is_current(before):
        return before.plugin
    if before is not None:
        _take_back(before)
    known, modules = _registrations(), frozenset(sys.modules)
    try:
        _run(path, text)
    finally:
        # What it had registered before it failed must not keep it from being run again.
        names = _registrations() - known
        brought = frozenset(name for name in frozenset(sys.modules) - modules if is_local(name))
        _RUN[place] = _Run(Plugin(str(path), "", ""), {}, brought, names)
    files = {one: text if one == place else one.read_bytes() for one in _files(place, text, brought)}
    plugin = Plugin(str(path), hashlib.sha256(text).hexdigest(), _digest(tuple(files)))
    _RUN[place] = _Run(plugin, files, brought, names)
    return plugin


def _is_current(run: _Run) -> bool:
    """Whether nothing that was run has changed since, and what it registered is still there."""
    return run.names <= _registrations() and bool(run.files) and _digest(tuple(run.files)) == run.plugin.code


def _take_back(run: _Run) -> None:
    for registry in Registry.every:
        for name in [name for name in registry.own() if (registry.noun, name) in run.names]:
            registry.unregister(name)
    for name in run.modules:
        sys.modules.pop(name, None)


def _run(path: Path, text: bytes) -> None:
    name = f"rdsim_plugin_{path.stem}"
    source = importlib.util.spec_from_loader(name, loader=None)
    assert source is not None  # noqa: S101 - made here
    module = importlib.util.module_from_spec(source)
    module.__file__ = str(path)
    sys.modules[name] = module  # where numba and pickle look for the functions
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        # Bytecode that Python keeps is told from newer text by the second only.
        importlib.invalidate_caches()
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - the user's own file
    finally:
        sys.dont_write_bytecode = kept


# --- what it is made of ---------------------------------------------------------------------------


def _files(path: Path, text: bytes, brought: frozenset[str]) -> tuple[Path, ...]:
    """The file and those of the user's modules that it imports, or brought in when it ran."""
    found = {path: None}
    found |= dict.fromkeys(
        Path(file).resolve() for name in brought if (file := getattr(sys.modules[name], "__file__", None))
    )
    waiting = [(text, ""), *((one.read_bytes(), "") for one in found if one != path)]
    while waiting:
        for module, file in _imports(*waiting.pop()):
            if file not in found:
                found[file] = None
                waiting.append((file.read_bytes(), module.rpartition(".")[0]))
    return tuple(sorted(found))


def _imports(text: bytes, package: str) -> Iterator[tuple[str, Path]]:
    """Modules of the user's that a text imports: their names and files."""
    for name in _import_names(text, package):
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            continue
        if spec is None or not spec.has_location or name.partition(".")[0] == "rdsim":
            continue
        if is_local_file(file := Path(str(spec.origin)).resolve()):
            yield name, file


def _import_names(text: bytes, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(one for one in (above, node.module) if one)
            yield base
            yield from (f"{base}.{one.name}" for one in node.names)


def _digest(files: Sequence[Path]) -> str:
    """SHA-256 of what is in some files; a file that is gone is empty."""
    text = hashlib.sha256()
    for path in files:
        data = path.read_bytes() if path.is_file() else b""
        text.update(f"{path.name} {hashlib.sha256(data).hexdigest()};".encode())
    return text.hexdigest()
