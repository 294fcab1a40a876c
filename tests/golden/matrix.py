"""`python -m tests.golden.matrix`: the golden digests on each supported Python, with oldest and newest libraries.

For each combination a virtual environment is made, or taken as it is, in the folder `.matrix`. The oldest libraries are
the lower bounds of pyproject.toml, on the oldest Python; the newest are what the package index has. With ``--first`` it
is the first combination alone, and quickly had: for continuous integration, whose own environment is the newest.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PLACE = ROOT / ".matrix"
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Combination:
    """A Python, and libraries: the oldest that are supported, or the newest."""

    python: str
    libraries: str

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        return PLACE / f"{self.python}-{self.libraries}"

    @property
    def executable(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"


def interpreter(version: str) -> str | None:
    """The Python of that version which is at hand and runs; None if there is none."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
        return None
    return found


def combinations() -> Iterator[Combination]:
    """Those that are looked at: the oldest libraries have no wheels for later versions of Python."""
    yield Combination(PYTHONS[0], "oldest")
    yield from (Combination(version, "newest") for version in PYTHONS)


def requirements(libraries: str) -> list[str]:
    """What is installed: the dependencies of pyproject.toml, each at its lower bound if the oldest are asked for."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    if libraries == "newest":
        return list(stated)
    return [re.sub(r">=([0-9.]+).*", r"==\1", one) for one in stated]


def make(one: Combination, python: str) -> str:
    """Make the environment, if it is not there; what went wrong, or ''."""
    if one.executable.exists() and (one.folder / "made").exists():
        return ""
    install = [str(one.executable), "-m", "pip", "install", "--quiet", "--no-compile"]
    for words in (
        [python, "-m", "venv", "--clear", str(one.folder)],
        [*install, *requirements(one.libraries)],
        [*install, "--no-deps", "--editable", str(ROOT)],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
    (one.folder / "made").touch()
    return ""


def check(one: Combination, *, quick: bool) -> str:
    """What is otherwise there, in a line; '' if nothing is."""
    words = [str(one.executable), "-m", "tests.golden", "--check", *(["--quick"] if quick else [])]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    return "" if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]


def main() -> int:
    """The exit code: 1 if a digest is otherwise anywhere, or an environment could not be made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--first", action="store_true", help="the first combination alone, and what is quickly had of it"
    )
    asked = parser.parse_args()
    wrong = 0
    for one in list(combinations())[: 1 if asked.first else None]:
        python, name = interpreter(one.python), f"Python {one.python}, {one.libraries} libraries"
        if python is None:
            print(f"{name}: not looked at, for no such Python is at hand")
            continue
        found = make(one, python) or check(one, quick=asked.first)
        wrong += bool(found)
        print(f"{name}: {found or 'the numbers of the golden file'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
