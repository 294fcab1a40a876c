"""`python -m tests.package`: builds wheel and source distribution, installs the wheel in an environment of its own, and
uses it there as somebody does who has no clone.

The wheel is built from the source distribution, so that both are tried. Everything happens in a folder that is removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rdsim.version import VERSION
from tests.documents.blocks import ROOT
from tests.package import examples
from tests.package.contents import sdist_faults, wheel_faults

QUICK = "--one-shot --brief-page --replications 20 --set optimiser.samples=50"
DOCSTRINGS = "python docstrings.py"

Typed = tuple[str, str]
"""A command, and what is read then."""
STAGES: tuple[tuple[tuple[Typed, ...], ...], ...] = (
    ((("rdsim new small", "made small"),),),
    (
        ((f"rdsim plan small {QUICK}", "written to results/small"),),  # compiles the engine, as everybody's first run
        (
            ("rdsim --version", f"rdsim {VERSION}"),
            ("rdsim --help", "Research"),
            ("rdsim scenarios", "korea-2024: Korea 2024"),
            ("rdsim new mine --from korea-2024", "made mine"),
            ("rdsim check mine --set parts=candidates", "mine: valid; 2 programmes"),
            ("rdsim export mine mine.xlsx", "written to mine.xlsx"),
        ),
    ),
    (
        ((DOCSTRINGS, " 0 of them wrong"),),
        (("rdsim verify results/small", "results/small holds"),),
    ),
)
"""What is typed: one stage after another, and in a stage its series side by side."""


class Outside:
    """An environment and a folder outside the repository, where nothing of it is on the path."""

    def __init__(self, base: Path) -> None:
        self.folder = base / "desk"
        self.folder.mkdir()
        self.programs = base / "environment" / "bin"
        own = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
        self.surroundings = {name: value for name, value in os.environ.items() if name not in own}
        self.surroundings["PATH"] = os.pathsep.join((str(self.programs), os.environ.get("PATH", "")))

    def make(self) -> None:
        """Make the environment, with nothing in it but pip."""
        subprocess.run([sys.executable, "-m", "venv", str(self.programs.parent)], check=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A program of the environment, in the folder."""
        where, program = self.folder, str(self.programs / words[0])
        command = [program, *words[1:]]
        return subprocess.run(
            command, cwd=where, env=self.surroundings, capture_output=True, text=True, check=False, timeout=600
        )


def build(place: Path) -> tuple[Path, Path]:
    """The wheel and the source distribution that it is built from."""
    words = [sys.executable, "-m", "build", "--outdir", str(place), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the package cannot be built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    (wheel,), (sdist,) = place.glob("*.whl"), place.glob("*.tar.gz")
    return wheel, sdist


def install(wheel: Path, outside: Outside) -> None:
    """Put the wheel into the environment, with what it says that it needs."""
    done = outside.run("python", "-m", "pip", "install", "--quiet", "--no-compile", str(wheel))
    if done.returncode:
        sys.exit(f"the wheel cannot be installed:\n{done.stderr[-2000:]}")


def faults(outside: Outside) -> Iterator[str]:
    """What does not go there as it should."""
    where = outside.run("python", "-c", "import rdsim; print(rdsim.__file__)").stdout.strip()
    if not Path(where).is_relative_to(outside.programs.parent):
        yield f"what is imported is not what was installed, but {where}"
    shutil.copy(examples.__file__, outside.folder / "docstrings.py")
    with ThreadPoolExecutor() as pool:
        for stage in STAGES:
            for series in pool.map(lambda one: [*map(partial(_type, outside), one)], stage):
                yield from filter(None, series)


def _type(outside: Outside, typed: Typed) -> str:
    """Type a command; what is wrong with its answer, or ''."""
    words, awaited = typed
    done = outside.run(*words.split())
    _tell(words)
    if done.returncode == 0 and awaited in done.stdout:
        return ""
    return f"{words}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


def _tell(what: str) -> None:
    print(f"{time.perf_counter() - START:5.0f} s  {what}", flush=True)


START = time.perf_counter()


def main() -> int:
    """The exit code: 1 if anything is otherwise than it should be."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        outside = Outside(base)
        with ThreadPoolExecutor() as pool:
            environment = pool.submit(outside.make)
            wheel, sdist = build(base / "dist")
            environment.result()
        found = [*wheel_faults(wheel), *sdist_faults(sdist)]
        _tell(f"{wheel.name} and {sdist.name} are built")
        install(wheel, outside)
        _tell("the wheel is installed")
        found += faults(outside)
    for one in found:
        print(f"wrong: {one}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
