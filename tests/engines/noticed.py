"""Writes which world notices each mutation, for `test_interpreted`: `python -m tests.engines.noticed`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.engines.test_interpreted import HINTS, ask


def main() -> None:
    """Run all mutations, by the hints there are, and keep what noticed them."""
    with tempfile.TemporaryDirectory() as folder:
        found = ask(1, HINTS, Path(folder))
    noticed = {name: answer["by"] for name, answer in found.items() if "by" in answer}
    HINTS.write_text(json.dumps(noticed, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
