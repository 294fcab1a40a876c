"""Drawing, in a process of its own: whatever befalls it - memory, an abort of the library - what was computed stays.

The page comes back through a pipe, so that a process whose parent died has nowhere to write to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rdsim.errors import DrawingError
from rdsim.languages import active
from rdsim.report.data.kept import document
from rdsim.report.data.sections import Page, Plot, Section

__all__ = ["Drawer", "at_hand", "brief_files", "page_html", "plot_svgs", "run_files"]

_CHILD = ("-P", "-m", "rdsim.report.page.child")


Drawer = subprocess.Popen[bytes]
"""A process that draws once."""


def run_files(folder: Path, ready: Drawer | None = None) -> dict[str, str]:
    """What is drawn of a run, by name of file, by a process that is `ready` if there is one. Raises DrawingError.

    That is its page, and of a plan also the plan on one page and as a slide, all in the active language.
    """
    return _files(_ask(("run", str(folder)), b"", ready))


def brief_files(folder: Path) -> dict[str, str]:
    """A plan's run on one page, and as a slide, by name of file. Raises DrawingError."""
    return _files(_ask(("brief", str(folder)), b""))


def _files(said: str) -> dict[str, str]:
    """Texts of files by their names, as the process says them. Raises DrawingError for anything else."""
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise DrawingError("the process that draws said what is no page")
    return found


def page_html(page: Page, manifest: Mapping[str, Any]) -> str:
    """The page of a study, as HTML. Raises DrawingError."""
    return _html(("sheet",), {"page": document(page), "manifest": manifest})


def plot_svgs(plots: Sequence[Plot]) -> list[str]:
    """Plots as SVG. Raises DrawingError."""
    if not plots:
        return []
    page = Page("", "", (), [Section("", plots=plots)])
    found: list[str] = json.loads(_html(("plots",), {"page": document(page)}))
    return found


def _html(words: Sequence[str], given: Mapping[str, Any]) -> str:
    return _ask(words, json.dumps(given, ensure_ascii=True, default=str).encode())


@contextmanager
def at_hand() -> Iterator[Drawer | None]:
    """Meanwhile a process gets ready to draw: its libraries take seconds to load, in which this one may still write."""
    process = None
    with suppress(OSError, MemoryError):  # who asks it to draw starts another, and is told why
        process = _start()
    try:
        yield process
    finally:
        if process is not None:
            _end(process)


def _start() -> Drawer:
    home = str(Path(__file__).parents[3])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *_CHILD], stdin=pipe, stdout=pipe, stderr=pipe, env=environment)  # noqa: S603 - this very program


def _end(process: Drawer) -> None:
    process.kill()
    with process:
        pass  # waits, and closes its pipes


def _ask(words: Sequence[str], text: bytes, process: Drawer | None = None) -> str:
    """What the process that draws answers: the one that is ready, if there is one that still lives."""
    try:
        if process is None or process.poll() is not None:
            process = _start()
        drawn, said = process.communicate(json.dumps([active(), *words]).encode() + b"\n" + text)
    except (OSError, MemoryError) as error:
        raise DrawingError(f"no process could be started for it ({error})") from None
    finally:
        if process is not None:
            _end(process)
    if process.returncode:
        raise DrawingError(_reason(process.returncode, said.decode(errors="replace")))
    return drawn.decode()


def _reason(code: int, said: str) -> str:
    """Why the process ended without a page, in one line."""
    if code < 0:
        name = signal.Signals(-code).name
        return f"the process that draws was ended by {name}; it may have had too little memory"
    lines = said.strip().splitlines()
    return (lines[-1] if lines else f"the process that draws ended with code {code}")[:500]
