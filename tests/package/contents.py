"""What a wheel and a source distribution must hold, and must not."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.documents.blocks import ROOT

__all__ = ["sdist_faults", "shipped_files", "wheel_faults"]

_BESIDE = (
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md", "SECURITY.md",
    "docs/package.md", "pyproject.toml", "rdsim/version.py", "setup.py", "tests/package/__main__.py",
)  # fmt: skip
"""Some of what a source distribution holds besides what is shipped."""


def shipped_files() -> set[str]:
    """Scenarios and experiments, by their paths from the repository's top: what a user gets of them."""
    found = (path for name in ("scenarios", "experiments") for path in (ROOT / name).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if path.suffix not in {".png", ".pyc"}}


def wheel_faults(wheel: Path) -> Iterator[str]:
    """What is missing in a wheel, and what has no place there."""
    with zipfile.ZipFile(wheel) as file:
        names = {one for one in file.namelist() if not one.endswith("/")}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rdsim").rglob("*.py")}
    wanted = {f"rdsim/shipped/{one}" for one in shipped_files()} | modules | {"rdsim/py.typed"}
    yield from (f"the wheel lacks {one}" for one in sorted(wanted - names))
    strange = {one for one in names if not one.startswith(("rdsim/", f"{wheel.name.partition('-py3')[0]}.dist-info/"))}
    yield from (f"the wheel holds {one}" for one in sorted(strange))


def sdist_faults(sdist: Path) -> Iterator[str]:
    """What is missing in a source distribution."""
    with tarfile.open(sdist) as file:
        names = {one.name.partition("/")[2] for one in file.getmembers() if one.isfile()}
    yield from (f"the source distribution lacks {one}" for one in sorted({*_BESIDE, *shipped_files()} - names))
