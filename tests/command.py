"""Runs the command line as a user does, in this process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rdsim.cli import main

__all__ = ["Ran", "run"]


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> Ran:
    """The exit code and the output of `rdsim WORDS`."""
    monkeypatch.setattr("sys.argv", ["rdsim", *map(str, words)])
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    said = capsys.readouterr()
    return Ran(code, said.out, said.err)
