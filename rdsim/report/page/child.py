"""The process that draws: what to draw in, a page or figures out. See `rdsim.report.page.drawings`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rdsim.errors import RdsimError
from rdsim.folders import read_manifest
from rdsim.folders.contents import REPORT
from rdsim.report.data.kept import page_from, read_page
from rdsim.report.page.render import render, svg, warm_up

__all__ = ["draw"]


def _run(folder: Path) -> str:
    """The page of a run: it is what was missing, if anything was."""
    manifest = read_manifest(folder)
    missing = [name for name in manifest.get("missing", ()) if name != REPORT.name]
    manifest |= {"missing": missing, "complete": not missing}
    return render(read_page(folder), manifest)


def _input(what: str, text: bytes) -> str:
    """A page, or the plots of one, as they come from the parent."""
    given = json.loads(text)
    page = page_from(given["page"], "page")
    if what == "sheet":
        return render(page, given["manifest"])
    return json.dumps([svg(plot) for section in page.sections for plot in section.plots])


def draw(words: Sequence[str], text: bytes) -> str:
    """What the words ask for, a page or figures, of what stands in the text (nothing for a run). Raises RdsimError."""
    return _run(Path(words[1])) if words[0] == "run" else _input(words[0], text)


def main() -> int:
    """Draw what stdin asks for, words as JSON in its first line; the exit code. stderr's last line tells of errors."""
    warm_up()  # before anything is asked for
    try:
        words = json.loads(sys.stdin.buffer.readline())
        text = draw(words, sys.stdin.buffer.read())
    except RdsimError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
