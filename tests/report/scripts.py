"""The page's scripts without a browser: what of them needs no document is run, and what is left of one is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from py_mini_racer import MiniRacer

from rdsim.report.page import render
from rdsim.tables import FORMULA_SIGNS

_FOLDER = Path(render.__file__).parent
_DOCUMENT = """
const document = {
  documentElement: { classList: { add() {} } },
  getElementById(id) { return id in blocks ? { textContent: JSON.stringify(blocks[id]) } : null; },
};
"""


class Scripts:
    """Scripts of the page, by name, over blocks of data; expressions are asked for as JSON."""

    def __init__(self, *names: str, **blocks: Any) -> None:
        self._engine = MiniRacer()
        known = {"data-signs": FORMULA_SIGNS, **{f"data-{name}": block for name, block in blocks.items()}}
        self._engine.eval(f"const blocks = {json.dumps(known)};{_DOCUMENT}")
        for name in ("sharing.js", *names):
            self._engine.eval((_FOLDER / name).read_text(encoding="utf-8"))

    def run(self, text: str) -> None:
        """Run a text beside the scripts."""
        self._engine.eval(text)

    def ask(self, function: str, *given: Any) -> Any:
        """What a function answers."""
        words = ",".join(json.dumps(one) for one in given)
        return json.loads(str(self._engine.eval(f"JSON.stringify({function}({words}) ?? null)")))
