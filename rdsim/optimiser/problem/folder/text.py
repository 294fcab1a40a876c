"""Numbers and lines of cells as text that reads as the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from rdsim.tables import neutral

__all__ = ["csv_text", "number_text"]


def number_text(value: float) -> str:
    """The shortest text that reads as the same number, whole numbers without a point."""
    plain = float(value) + 0.0
    return str(int(plain)) if plain.is_integer() and abs(plain) < 2**53 else repr(plain)


def csv_text(lines: Iterable[Sequence[str]]) -> str:
    """CSV text; the header is quoted where a semicolon in a name could be taken for a separator."""
    head, *body = lines
    return _records([head], every=any(";" in name for name in head)) + _records(body)


def _records(lines: Iterable[Sequence[str]], *, every: bool = False) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL)
    writer.writerows([neutral(cell) for cell in line] for line in lines)
    return text.getvalue()
