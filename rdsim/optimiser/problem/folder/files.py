"""The files of a folder: its settings, its tables, and those that are nearly named as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdsim.errors import Fault, InputError, ProblemError
from rdsim.optimiser.problem.folder.form import AIMS, CHOICES, COLUMNS, SETTINGS, name_rule
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.optimiser.problem.folder.risk import risk_terms
from rdsim.tables import copies, did_you_mean, read_table, shown_value
from rdsim.texts import read_toml

__all__ = ["GivenProblem", "given_problem", "read_settings", "read_tables"]


@dataclass(frozen=True, eq=False)
class GivenProblem:
    """A problem's folder as it was given: the name of the folder, which may be the problem's, and its files by name."""

    path: str
    name: str
    files: Mapping[str, bytes]


def given_problem(folder: str | Path) -> GivenProblem:
    """The files of a problem's folder, as they are; what is no file of a problem is left where it is.

    Raises ProblemError for one that cannot be read.
    """
    path, files = Path(folder), dict[str, bytes]()
    for name in (SETTINGS, *(f"{table}.csv" for table in COLUMNS)):
        try:
            files[name] = (path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ProblemError((Fault(str(path / name), "must be readable", error.strerror or str(error)),)) from None
    return GivenProblem(path.as_posix(), path.resolve().name, files)


TYPES: dict[str, type] = {"name": str, "unit": str, "sense": str, "choice": str, "stages": list, "risk": dict}
_KINDS = {"stages": "a list of names", "risk": "a table, [risk]"}


def read_settings(reader: Reader) -> None:
    """problem.toml, if there is one."""
    if not (reader.folder / SETTINGS).exists():
        return
    try:
        found = read_toml(reader.folder / SETTINGS)
    except InputError as error:
        reader.faults += error.faults
        return
    for key, value in found.items():
        _keep_setting(reader, key, value)


def _keep_setting(reader: Reader, key: str, value: Any) -> None:
    """A setting that has a meaning, and a value of its kind."""
    fits = isinstance(value, TYPES.get(key, object))
    words: dict[str, Iterable[str]] = {"sense": AIMS, "choice": CHOICES}
    where = f"{SETTINGS}, {key}"
    if key not in TYPES:
        reader.faults.append(Fault(where, "unknown setting", "", did_you_mean(key, TYPES)))
    elif not fits:
        kind = _KINDS.get(key, "text in quotes")
        reader.faults.append(Fault(where, f"must be {kind}", shown_value(value)))
    elif key in words and str(value) not in words[key]:
        rule = "must be maximise or minimise" if key == "sense" else f"must be one of {', '.join(words[key])}"
        reader.faults.append(Fault(where, rule, shown_value(value)))
    elif key == "risk":
        reader.risk = risk_terms(value, reader.faults)
    elif key == "stages":
        reader.settings[key] = [str(stage) for stage in value]
        _check_stages(reader, where, reader.settings[key])
    else:
        reader.settings[key] = value


def _check_stages(reader: Reader, where: str, names: Sequence[str]) -> None:
    """Stages of problem.toml: proper names, each once, at least one."""
    if not names:
        reader.faults.append(Fault(where, "must name a stage at least", "an empty list"))
    for name, times in Counter(names).items():
        rule = name_rule(name) or ("must name each stage once" if times > 1 else "")
        if rule:
            reader.faults.append(Fault(where, rule, shown_value(name)))


def read_tables(reader: Reader) -> None:
    """Every table that is there; options.csv must be, and a file that is nearly named as one is refused."""
    for name in COLUMNS:
        path = reader.folder / f"{name}.csv"
        if path.exists():
            reader.tables[name] = read_table(path)
            reader.faults += reader.tables[name].faults
            for copy in copies(reader.folder, path.name):
                reader.faults.append(
                    Fault(copy, f"must not stand beside {path.name}", "", f"Keep one of the two, as {path.name}.")
                )
            continue
        meant = _near_name(reader.folder, path.name)
        if meant:
            reader.blame((name, 0, ""), "a table is read only under its own name", meant, f"Rename it to {path.name}.")
        elif name == "options":
            reader.blame((name, 0, ""), "the file is required", f"no such file in {reader.folder}")


def _near_name(folder: Path, file: str) -> str:
    """A CSV of the folder whose name is nearly `file`, for a table silently left out would change the problem."""
    known = {f"{name}.csv" for name in COLUMNS}
    others = sorted(path.name for path in folder.glob("*.csv") if path.name not in known)
    return next((other for other in others if did_you_mean(other, [file]).startswith("Did")), "")
