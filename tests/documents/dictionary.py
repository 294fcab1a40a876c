"""`python -m tests.documents.dictionary`: writes the data dictionary into docs/data.md again."""

from __future__ import annotations

from rdsim.dictionary import markdown_lines
from tests.documents.blocks import ROOT

__all__ = ["PAGE", "written"]

PAGE = ROOT / "docs" / "data.md"
_MARK = "<!-- dictionary: written by `make dictionary` -->"


def written(text: str) -> str:
    """The page with the dictionary of today behind its mark."""
    before, _, _ = text.partition(_MARK)
    return "\n".join([before + _MARK, "", *markdown_lines(), ""])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
