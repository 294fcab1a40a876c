"""The history of a run's questions: each answer in a file of its own, in the order in which they came.

Files are only ever added. One that is there is never written again: whoever comes second - another tab, another process
- takes the next number. So nothing is lost, and nothing has to be locked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from rdsim.errors import Fault, OutputError
from rdsim.languages import kept_texts
from rdsim.serve.answers import Firmness, LeverAnswer

__all__ = ["Entry", "History"]

_NAME = re.compile(r"(\d{6})\.json")
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Entry:
    """An answer in the history."""

    number: int
    when: str
    """UTC, as 2026-11-30 14:05."""
    answer: LeverAnswer
    texts: Mapping[str, Any] = field(default_factory=dict)
    """What its texts say, by their English, see `rdsim.languages.kept_texts`; earlier versions kept none."""


@dataclass(frozen=True)
class History:
    """The answers that a folder holds."""

    folder: Path

    def add(self, answer: LeverAnswer) -> Entry:
        """Keep an answer, under the next number that is free. Raises OutputError if it cannot be written."""
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        texts = kept_texts(answer.record())
        body = {"format": _FORMAT, "when": when, "answer": answer.record(), "texts": texts}
        number = max(self.numbers(), default=0) + 1
        try:
            for folder in (self.folder.parent, self.folder):  # never the run's own folder, should it be gone
                folder.mkdir(exist_ok=True)
            while not _put(self._path(number), json.dumps(body, ensure_ascii=False, allow_nan=False)):
                number += 1
        except OSError as error:
            raise _refusal(self.folder, error) from None
        return Entry(number, when, answer, texts)

    def numbers(self) -> list[int]:
        """Numbers of the answers that are kept, in order."""
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        return sorted(int(found[1]) for found in map(_NAME.fullmatch, names) if found)

    def entry(self, number: int) -> Entry | None:
        """An answer by its number; None if there is none, or its file is none of ours."""
        path = self._path(number)
        try:
            return _read(path, number, path.stat().st_mtime_ns)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def entries(self) -> list[Entry]:
        """All answers, the latest first."""
        return [one for number in reversed(self.numbers()) if (one := self.entry(number)) is not None]

    def add_firmness(self, number: int, found: Sequence[Firmness]) -> None:
        """Keep how firm an answer is, unless that is known. Raises OutputError if it cannot be written."""
        text = json.dumps({"format": _FORMAT, "firmness": [asdict(one) for one in found]}, ensure_ascii=False)
        try:
            _put(self._firmness_path(number), text)
        except OSError as error:
            raise _refusal(self.folder, error) from None

    def firmness(self, number: int) -> tuple[Firmness, ...] | None:
        """How firm an answer is; None where that is not known."""
        try:
            body: Mapping[str, Any] = json.loads(self._firmness_path(number).read_text(encoding="utf-8"))
            return tuple(Firmness(**one) for one in body["firmness"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _firmness_path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.firmness.json"


@lru_cache(maxsize=1000)
def _read(path: Path, number: int, _: int) -> Entry:
    """The answer of a file, which is read once: it is never written again. Raises what reading it raises."""
    body = json.loads(path.read_text(encoding="utf-8"))
    texts = body.get("texts")
    answer = LeverAnswer.from_record(body["answer"])
    return Entry(number, str(body["when"]), answer, texts if isinstance(texts, dict) else {})


def _put(path: Path, text: str) -> bool:
    """Write a new file whole; False if one of that name is there, which stays as it is. Raises OSError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as handle:
            handle.write(text + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        return _claim(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def _claim(part: Path, path: Path) -> bool:
    """Give a file a name that nobody has: a second name for it fails if there is one, on every system that has any."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without second names
        try:
            path.open("x").close()
        except FileExistsError:
            return False
        part.replace(path)
    return True


def _refusal(folder: Path, error: OSError) -> OutputError:
    return OutputError((Fault(str(folder), "must be writable", error.strerror or str(error)),))
