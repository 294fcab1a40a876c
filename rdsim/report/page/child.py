"""The process that draws: what to draw in, a page or figures out. See `rdsim.report.page.drawings`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rdsim.errors import RdsimError
from rdsim.folders import read_manifest
from rdsim.folders.contents import BRIEF, REPORT, SLIDE
from rdsim.languages import keeping, speaking
from rdsim.report.data.kept import page_from, read_page, read_texts, with_answers
from rdsim.report.data.plan import PlanReport
from rdsim.report.page.policy_brief import one_page
from rdsim.report.page.render import render, svg, warm_up

__all__ = ["draw"]


def _run(folder: Path) -> str:
    """What is drawn of a run, by the names of its files, in JSON.

    Of a plan its page with what was asked of it, and the plan on one page and as a slide; of a study its page.
    """
    page, manifest = read_page(folder), _manifest(folder)
    if not isinstance(page, PlanReport):
        return json.dumps({REPORT.name: render(page, manifest)})
    with keeping(read_texts(folder)):
        brief = _on_one_page(page, manifest)  # first: marks of drawings are counted, and it is the same drawn alone
        return json.dumps({**brief, REPORT.name: render(with_answers(page, folder, manifest), manifest)})


def _brief(folder: Path) -> str:
    """A plan on one page, and as a slide, by the names of their files, in JSON."""
    page = read_page(folder)
    assert isinstance(page, PlanReport)  # noqa: S101 - `rdsim.results.brief` has looked
    with keeping(read_texts(folder)):
        return json.dumps(_on_one_page(page, _manifest(folder)))


def _on_one_page(page: PlanReport, manifest: Mapping[str, Any]) -> dict[str, str]:
    drawn = one_page(page, manifest)
    return {BRIEF.name: drawn["html"], SLIDE.name: drawn["svg"]}


def _manifest(folder: Path) -> dict[str, Any]:
    """The run's manifest as it will be: the page is what was missing, if anything was."""
    manifest = read_manifest(folder)
    missing = [name for name in manifest.get("missing", ()) if name != REPORT.name]
    return {**manifest, "missing": missing, "complete": not missing}


def _input(what: str, text: bytes) -> str:
    """A page, or the plots of one, as they come from the parent."""
    given = json.loads(text)
    page = page_from(given["page"], "page")
    if what == "sheet":
        return render(page, given["manifest"])
    return json.dumps([svg(plot) for section in page.retold().sections for plot in section.plots])


def draw(words: Sequence[str], text: bytes) -> str:
    """What the words ask for, a page or figures, of what stands in the text (nothing for a run). Raises RdsimError."""
    of_runs = {"run": _run, "brief": _brief}
    return of_runs[words[0]](Path(words[1])) if words[0] in of_runs else _input(words[0], text)


def main() -> int:
    """Draw what stdin asks for, a language and words as JSON in its first line; the exit code.

    stderr's last line tells of errors.
    """
    warm_up()  # before anything is asked for
    try:
        language, *words = json.loads(sys.stdin.buffer.readline())
        with speaking(language):
            text = draw(words, sys.stdin.buffer.read())
    except RdsimError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
