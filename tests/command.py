"""Runs the command line as a user does, in this process."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import NoReturn

import pytest

from rdsim.cli import main
from rdsim.errors import DrawingError, RdsimError
from rdsim.report.page.child import draw

__all__ = ["Ran", "draw_here", "quietly", "run"]


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> Ran:
    """The exit code and the output of `rdsim WORDS`."""
    code = _type(monkeypatch, *words)
    said = capsys.readouterr()
    return Ran(code, said.out, said.err)


def quietly(*words: object) -> int:
    """The exit code of `rdsim WORDS`, drawn here; for fixtures that several tests share."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        draw_here(patch)
        return _type(patch, *words)


def _type(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["rdsim", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0


def draw_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are drawn in this process: to start another for each takes longer than most tests."""
    monkeypatch.setattr("rdsim.report.page.drawings._ask", _draw)
    monkeypatch.setattr("rdsim.report.page.drawings._start", _refuse)


def _refuse() -> NoReturn:
    raise OSError


def _draw(words: Sequence[str], text: bytes, _ready: object = None) -> str:
    try:
        return draw(words, text)
    except RdsimError as error:
        raise DrawingError(str(error)) from None
