"""The code blocks of Markdown pages: where they stand, what they say, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "Command", "blocks", "commands", "pages", "skeleton"]

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"[-+\u2212]?\d[\d,.]*")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its first line there, its language, and its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str | None:
        """The name of the file that a comment in the first line says it is."""
        named = re.match(r"# ([\w./-]+\.\w+)$", self.text.partition("\n")[0])
        return None if named is None else named[1]


@dataclass(frozen=True)
class Command:
    """A command as it is typed, and what the page shows of its answer (nothing: the page shows none)."""

    words: str
    shown: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The exit code that the answer speaks of."""
        if not any(line.startswith("error:") for line in self.shown):
            return 0
        return 3 if any("no portfolio satisfies" in line for line in self.shown) else 2


def pages() -> list[Path]:
    """Every page of the repository; hidden folders and results are no part of it."""
    found = sorted(ROOT.rglob("*.md"))
    return [page for page in found if not any(_is_foreign(part) for part in page.relative_to(ROOT).parts)]


def _is_foreign(part: str) -> bool:
    return part.startswith(".") or part in {"results", "build", "dist"} or part.endswith(".egg-info")


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(page, text.count("\n", 0, found.start()) + 2, found[1], found[2]) for found in _BLOCK.finditer(text)]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block: every line of sh, the lines after a dollar sign of console."""
    if block.language == "sh":
        lines = block.text.replace("\\\n", " ").splitlines()
        yield from (Command(line) for line in lines if line.strip() and not line.startswith("#"))
        return
    _, *typed = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    for one in typed:
        words, _, shown = one.partition("\n")
        yield Command(words, tuple(line for line in shown.splitlines() if line.strip()))


def skeleton(line: str) -> str:
    """A line with its figures blanked."""
    return _NUMBER.sub("#", line).strip()
