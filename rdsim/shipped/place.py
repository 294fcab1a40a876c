"""Where the files are that come with rdsim.

In the repository they stand at its top, in `scenarios/` and `experiments/`; the build takes them into this folder of
the package (`setup.py`). Nobody else need know which of the two it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rdsim.errors import Fault, InputError
from rdsim.tables import did_you_mean
from rdsim.texts import read_toml

__all__ = ["EXPERIMENTS", "SETTINGS", "ShippedScenario", "experiments_of", "folder_of", "names", "scenarios"]

SETTINGS = "scenario.toml"
EXPERIMENTS = "experiments"
_SCENARIOS = "scenarios"
_INDEX = "index.toml"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class ShippedScenario:
    """A scenario that comes with rdsim, as a list shows it."""

    name: str
    title: str
    asks: str
    """The questions that its README answers."""
    folder: Path


def _place(name: str) -> Path:
    """A folder of what is shipped: in an installed package beside this file, in a clone at the repository's top."""
    packed = _HERE / name
    return packed if packed.is_dir() else _HERE.parents[1] / name


def names() -> tuple[str, ...]:
    """Names of the scenarios, in alphabetical order; none where an installation was made without them.

    Those of the index: a folder that somebody puts beside them in a clone is that person's, whatever is in it.
    """
    place = _place(_SCENARIOS)
    told = read_toml(place / _INDEX) if (place / _INDEX).is_file() else {}
    return tuple(sorted(name for name in told if (place / name / SETTINGS).is_file()))


def scenarios() -> tuple[ShippedScenario, ...]:
    """All of them, in alphabetical order."""
    asked = read_toml(_place(_SCENARIOS) / _INDEX) if names() else {}
    return tuple(
        ShippedScenario(name, read_toml(folder / SETTINGS)["title"], asked[name]["asks"], folder)
        for name, folder in ((one, folder_of(one)) for one in names())
    )


def folder_of(name: str) -> Path:
    """Where a scenario's files are. Raises InputError if none is called so, with the names there are."""
    known = names()
    if name not in known:
        rule, advice = "must be the name of a scenario that comes with rdsim", did_you_mean(name, known)
        raise InputError((Fault("scenario", rule, repr(name), advice or "This installation has none."),))
    return _place(_SCENARIOS) / name


def experiments_of(name: str) -> tuple[Path, ...]:
    """The files of the experiments that speak of a scenario, in alphabetical order."""
    about = f"../{_SCENARIOS}/{name}"
    files = sorted(_place(EXPERIMENTS).glob("*.toml"))
    return tuple(one for one in files if read_toml(one).get("scenario") == about)
