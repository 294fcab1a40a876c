"""The texts of code, templates and scripts as a catalogue without translations; and merging it into others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

import rdsim

__all__ = ["extracted", "merged", "po_text"]

_ROOT = Path(rdsim.__file__).parents[1]
_METHODS: dict[str, str | Callable[..., Any]] = {".py": "python", ".j2": babel_extract, ".js": "javascript"}
_KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "N_": None,
    "NP_": ((1, "c"), 2),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "count": (2,),  # of `rdsim.brief`: a number with its noun
    "say": None,  # of scripts
    "sayMany": (1, 2),
}
"""Functions whose texts are translated, and which of their arguments are texts."""


def extracted() -> Catalog:
    """Every text that is to be translated, with the files that it stands in."""
    found = Catalog(project="rdsim", charset="utf-8")
    for path in _files():
        name = path.relative_to(_ROOT).as_posix()
        # Babel writes of texts of faults, which stay English, that are filled in by hand.
        with path.open("rb") as file, redirect_stderr(StringIO()):
            for _, message, _, context in extract(_METHODS[path.suffix], file, _KEYWORDS):
                found.add(message, None, [(name, 1)], context=context)
    return found


def _files() -> Iterator[Path]:
    folder = _ROOT / "rdsim"
    yield from (
        path for path in sorted(folder.rglob("*")) if path.suffix in _METHODS and "__pycache__" not in path.parts
    )


def merged(path: Path) -> Catalog:
    """A catalogue with the texts that stand in the code now: new ones without a translation, dead ones left out."""
    with path.open("rb") as file:
        found = read_po(file, locale=path.stem)
    found.update(extracted(), no_fuzzy_matching=True)
    found.obsolete.clear()
    return found


def po_text(catalog: Catalog) -> bytes:
    """The catalogue as a file, the same of the same texts whenever it is written."""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    written = BytesIO()
    write_po(written, catalog, width=0, include_lineno=False, sort_by_file=True)
    lines = written.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_UNTOLD)).encode()


_UNTOLD = ('"Generated-By:', '"Report-Msgid-Bugs-To:', '"Last-Translator:', '"Language-Team:', '"POT-', '"PO-Revision')
"""Lines of a catalogue's head that say nothing of its texts."""
