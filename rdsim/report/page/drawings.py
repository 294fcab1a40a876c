"""Drawing, in a process of its own: whatever befalls it - memory, an abort of the library - what was computed stays.

The page comes back through a pipe, so that a process whose parent died has nowhere to write to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rdsim.errors import DrawingError
from rdsim.report.data.kept import document
from rdsim.report.data.sections import Page, Plot, Section

__all__ = ["page_html", "plot_svgs", "run_html"]

_CHILD = ("-P", "-m", "rdsim.report.page.child")


def run_html(folder: Path) -> str:
    """The page of a run, as HTML. Raises DrawingError."""
    return _html(("run", str(folder)))


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


def _html(words: Sequence[str], given: Mapping[str, Any] | None = None) -> str:
    text = "" if given is None else json.dumps(given, ensure_ascii=True, default=str)
    return _ask(words, text.encode())


def _ask(words: Sequence[str], text: bytes) -> str:
    """What the process that draws answers."""
    home = str(Path(__file__).parents[3])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, *_CHILD, *words],
            input=text,
            capture_output=True,
            env=environment,
            check=False,
        )
    except (OSError, MemoryError) as error:
        raise DrawingError(f"no process could be started for it ({error})") from None
    if done.returncode:
        raise DrawingError(_reason(done))
    return done.stdout.decode()


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why the process ended without a page, in one line."""
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"the process that draws was ended by {name}; it may have had too little memory"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"the process that draws ended with code {done.returncode}")[:500]
