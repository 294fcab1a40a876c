"""Takes `scenarios/` and `experiments/`, which stand at the repository's top, into what is built of the package.

They come to lie in `rdsim/shipped`, which finds them there, or at the top of a clone. Everything else that the build
needs to know stands in pyproject.toml.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

SHIPPED = ("scenarios", "experiments")
LEFT_OUT = {".png", ".pyc"}
"""Ends of files that stay in the repository: a picture for its front page, and what Python leaves behind."""


class BuildShipped(Command):
    """Copies them into the package that is built; where that is the clone itself, nothing is copied."""

    def initialize_options(self) -> None:
        """Set what setuptools asks of every step of a build."""
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        """Take the folder of what is built from the whole build."""
        self.set_undefined_options("build", ("build_lib", "build_lib"))

    def get_source_files(self) -> list[str]:
        """The files, from the repository's top: they are part of the source distribution too."""
        found = (path for name in SHIPPED for path in sorted(Path(name).rglob("*")) if path.is_file())
        return [path.as_posix() for path in found if path.suffix not in LEFT_OUT]

    def get_output_mapping(self) -> dict[str, str]:
        """Where each is put, and which it is a copy of."""
        place = Path(self.build_lib or "", "rdsim", "shipped")
        return {(place / one).as_posix(): one for one in self.get_source_files()}

    def get_outputs(self) -> list[str]:
        """What is put there."""
        return list(self.get_output_mapping())

    def run(self) -> None:
        """Copy them."""
        if self.editable_mode:
            return
        for target, source in self.get_output_mapping().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)


build.sub_commands.append(("build_shipped", None))
setup(cmdclass={"build_shipped": BuildShipped})
