"""The page that `make bench-report` writes, of a small benchmark."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import main
from tests.command import quietly


def test_the_page_has_the_figures_with_date_and_machine(tiny: Path, files: tuple[Path, Path], tmp_path: Path) -> None:
    run, page = tmp_path / "run", tmp_path / "bench-report.md"
    asked = ("--quick", "--one-shot", "--rolled", "0", "--worlds", "money", "--batches", "0")
    given = ("--portfolio", files[0], "--portfolio", files[1])
    assert quietly("bench", tiny, *asked, *given, "--out", run) == 0
    assert main([str(run), str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    for told in (
        "# A benchmark of tiny",
        "Written on 2",
        "cores",
        "## Who is best, announced money",
        "- greedy, ",
        "| mine |",
    ):
        assert told in text
    assert "nan" not in text
