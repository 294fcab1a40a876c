"""What a reader sees of a page or of a terminal, and the words in it that are rdsim's own and nobody's language."""

from __future__ import annotations

import re

from rdsim.report.page.html import visible_text

__all__ = ["internal_words", "internal_words_of_page"]

_INTERNAL = re.compile(r"[^\s(]*\w_\w[^\s,;:)]*|[\w-]+-at-[\w-]*ratios?[\w-]*")
_MACHINES = re.compile(r"<(code|pre)\b.*?</\1>", re.DOTALL)


def internal_words(text: str) -> set[str]:
    """Words with an underscore, and ids of portfolios, but for the line that says where files were written."""
    lines = (line for line in text.splitlines() if not line.startswith("written to "))
    return set(_INTERNAL.findall("\n".join(lines)))


def internal_words_of_page(page: str) -> set[str]:
    """Such words that are seen on a page, outside of commands and of what is to be copied."""
    return internal_words(visible_text(_MACHINES.sub(" ", page)))
