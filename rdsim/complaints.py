"""How a command ends that cannot go on: one message, its exit code, and what a developer needs kept in a file.

Exit codes: 2 the input, 3 infeasible, 4 work or output missing, 5 a defect of rdsim. No other way out of an error.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import shlex
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rdsim.errors import EngineError, InstalledWarning, RdsimError, RenamedWarning, cut
from rdsim.version import VERSION

__all__ = ["DEBUG", "DEFECT", "INCOMPLETE", "exit_code_of", "notices_in_one_line", "printable_streams"]

INCOMPLETE = 4
DEFECT = 5
DEBUG = "--debug"
_BAD_INPUT = 2
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)  # no file can be called that
_LINES = 60
_WIDEST = 2000
_PIPE_CLOSED = 141  # as the shell says of a program whose reader went away


def exit_code_of(command: Callable[[], object], arguments: Sequence[str], debug: bool) -> int:
    """The exit code of a command, after the message of the error that ended it; what it has written stays.

    SystemExit and KeyboardInterrupt pass through, for they are no errors.
    """
    try:
        command()
        sys.stdout.flush()
    except Exception as error:
        return _tell(error, arguments, debug)
    return 0


def _tell(error: Exception, arguments: Sequence[str], debug: bool) -> int:
    """Tell the error; its exit code."""
    if isinstance(error, RdsimError) and not isinstance(error, EngineError):
        _say(_excerpt(f"error: {error}"))
        return error.exit_code
    if not isinstance(error, MemoryError | OSError):
        return _defect(error, arguments, debug)
    _close_output()
    if isinstance(error, BrokenPipeError):
        return _PIPE_CLOSED
    _say(_excerpt(f"error: {_words(error)}"))
    if debug:
        _say(_trace(error))
    return _BAD_INPUT if getattr(error, "errno", None) in _NO_NAME else INCOMPLETE


def printable_streams() -> None:
    """Letters that the terminal lacks are written as escapes; no result is lost over a name in Hangul."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


_HEADS: dict[type[Warning], str] = {RenamedWarning: "note", InstalledWarning: "warning"}


def notices_in_one_line() -> None:
    """Old names, and installed packages that fail, are told in a line each, without the place in rdsim that says so."""
    usual = warnings.formatwarning

    def note(message: Warning | str, category: type[Warning], *place: Any, **line: Any) -> str:
        head = next((head for kind, head in _HEADS.items() if issubclass(category, kind)), "")
        return f"{head}: {message}\n" if head else usual(message, category, *place, **line)

    warnings.formatwarning = note


def _words(error: MemoryError | OSError) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; try fewer replications"
    place = f": {cut(str(error.filename), 200)}" if error.filename else ""
    said = f"{error.strerror or type(error).__name__}{place}"
    return said if error.errno in _NO_NAME else f"{said}; results that were written before are in place"


def _defect(error: Exception, arguments: Sequence[str], debug: bool) -> int:
    """One message of what happened, for the user to send on."""
    _say(_excerpt(f"error: rdsim failed, and that is a defect of rdsim: {type(error).__name__}: {error}"))
    _say(f"  command: {cut(_command_line(arguments), _WIDEST)}")
    if debug:
        _say(_trace(error))
        return DEFECT
    _keep(error, arguments)
    return DEFECT


def _keep(error: Exception, arguments: Sequence[str]) -> None:
    """The traceback in a file of its own; on standard error if no file can be written."""
    try:
        handle, name = tempfile.mkstemp(prefix="rdsim-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(f"{line}\n" for line in _record(error, arguments))
    except OSError:
        _say(_trace(error))
        return
    _say(f"  details: {name}")
    _say("  please report it with that file where you have rdsim from (Issues of its repository); results that were")
    _say(f"  written before are in place; {DEBUG} shows the details here")


def _record(error: Exception, arguments: Sequence[str]) -> Iterator[str]:
    yield f"rdsim {VERSION}, Python {platform.python_version()}, {platform.platform()}"
    yield f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}, in {Path.cwd()}"
    yield _command_line(arguments)
    yield _trace(error)


def _command_line(arguments: Sequence[str]) -> str:
    return shlex.join(["rdsim", *arguments])


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _excerpt(text: str) -> str:
    """At most so many lines, none of them endless."""
    lines = [cut(line, _WIDEST) for line in text.splitlines()]
    more = [f"  ... and {len(lines) - _LINES:,} more lines"] if len(lines) > _LINES else []
    return "\n".join([*lines[:_LINES], *more])


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def _close_output() -> None:
    """What is left in the buffer has nowhere to go; without this Python complains about it once more at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
