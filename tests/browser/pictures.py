"""`python -m tests.browser.pictures [--runs results]`: the pictures of pages that the repository's own pages show.

`scenarios/NAME/report.png` is the first screen of the page of `results/NAME`, the run that `rdsim plan scenarios/NAME`
writes there; where there is none, it is planned first. All pictures are of one size, whatever the page. Figures of
answers are not made here but by `rdsim sweep report FOLDER --readme README.md`, with the words that they stand among,
and benchmarks/scaling.svg by `python -m benchmarks scaling`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.chromium import NAMES, executable, opened, running
from tests.documents.blocks import ROOT, pages

__all__ = ["SIZE", "main", "pictures", "take"]

SIZE = 900, 1010
"""Of a picture in pixels: what a page of a repository has room for."""

WINDOW = 1350
"""Width of the window that is shown in it: a desk's, so that no figure is drawn as for a phone."""

_SHOWN = re.compile(r"!\[[^\]]*\]\(([^)\s]+\.png)\)")


def pictures() -> list[Path]:
    """The pictures that are shown, in order of their names."""
    shown = {(page.parent / name).resolve() for page in pages() for name in _SHOWN.findall(page.read_text("utf-8"))}
    return sorted(shown)


def take(browser: Browser, page: Path, picture: Path) -> None:
    """A picture of the first screen of a page."""
    scale = SIZE[0] / WINDOW
    with opened(browser, page, WINDOW, round(SIZE[1] / scale), scale) as seen:
        seen.page.screenshot(path=picture, animations="disabled")


def _run(runs: Path, picture: Path) -> Path:
    """The run that a picture is of."""
    scenario = picture.parent
    run = runs / scenario.name
    if not (run / "manifest.json").is_file():
        print(f"planning {scenario.name}", flush=True)
        subprocess.run(["rdsim", "plan", str(scenario), "--out", str(run)], check=True)
    return run


def main(words: Sequence[str]) -> int:
    """Take them all; 2 without a browser."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.pictures", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--runs", type=Path, default=ROOT / "results", help="folder of runs; by default results")
    runs = parser.parse_args(words).runs
    if executable() is None:
        print(f"there is no browser on this machine (looked for {', '.join(NAMES)})", file=sys.stderr)
        return 2
    with running() as browser:
        for picture in pictures():
            take(browser, _run(runs, picture) / "report.html", picture)
            print(f"written to {picture.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
