"""Text as it comes through every door: one spelling of each word, and nothing in it that cannot be seen.

Composed and decomposed letters are one word (NFC), every kind of space is a plain one. Characters that show nothing
(zero-width spaces, marks of direction, fillers) would make two names of what looks like one, so they are refused.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from rdsim.errors import Fault, InputError

__all__ = [
    "DEEPEST",
    "TreeError",
    "invisible",
    "parsed_toml",
    "read_text",
    "read_tidy",
    "read_toml",
    "tidy",
    "tidy_tree",
    "toml_key",
    "toml_value",
]

DEEPEST = 32
"""Tables in tables: no door takes more."""

_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_NAMELESS = {"\u180f": "MONGOLIAN FREE VARIATION SELECTOR FOUR"}
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){DEEPEST}""".replace("DEEPEST", str(DEEPEST))
)
_WHOLE = 2**63


class TreeError(ValueError):
    """What is wrong with a tree of plain data as a whole: too deep, or a number that nothing can hold."""


def tidy(text: str) -> str:
    """The text in one spelling: letters composed (NFC), spaces plain."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text))


def invisible(text: str) -> str:
    """The first character that shows nothing, by its name and what it stands behind; empty if there is none."""
    match = _INVISIBLE.search(text)
    if match is None:
        return ""
    letter, before = match[0], text[: match.start()].rpartition("\n")[2][-12:]
    name = unicodedata.name(letter, _NAMELESS.get(letter, "a character without a name"))
    return f"{name} (U+{ord(letter):04X})" + (f" behind {before!r}" if before else " at the beginning")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file as it stands there, without its byte-order mark.

    Raises InputError if the file is missing, empty, not readable, or not UTF-8 text.
    """
    try:
        if path.is_char_device() or path.is_block_device():
            raise _refusal(path, "must be a file", "a device, which may never end")
        data = path.read_bytes()
    except FileNotFoundError:
        raise _refusal(path, "the file is required", f"no such file in {path.parent}") from None
    except (OSError, ValueError) as error:
        raise _refusal(path, "the file must be readable", getattr(error, "strerror", "") or str(error)) from None
    return _decode(path, data)


def read_tidy(path: Path) -> str:
    """The tidy text of a UTF-8 file. Raises InputError as `read_text`, and where it holds what cannot be seen."""
    text = tidy(read_text(path))
    _require_visible(path, text)
    return text


def read_toml(path: Path) -> dict[str, Any]:
    """The settings of a TOML file, every text in them tidy. Raises InputError as `read_tidy`, and if it is no TOML."""
    text = read_tidy(path)
    try:
        return parsed_toml(text)
    except (ValueError, RecursionError) as error:
        reason = "too many brackets in one another" if isinstance(error, RecursionError) else str(error)
        raise _refusal(path, "must be valid TOML", reason) from None


def parsed_toml(text: str) -> dict[str, Any]:
    """The tidy tree of a TOML text. Raises ValueError or RecursionError if there is none."""
    if _LONG_KEY.search(text):
        raise TreeError(f"a key of more than {DEEPEST} parts")  # reading one takes the square of its length
    tree: dict[str, Any] = tidy_tree(tomllib.loads(text))
    return tree


def toml_key(key: object) -> str:
    """A key as TOML writes it."""
    text = str(key)
    bare = text and text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    return text if bare else toml_value(text)


def toml_value(value: Any) -> str:
    """Plain data as TOML writes a value, on one line."""
    if isinstance(value, dict):
        pairs = (f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items() if item is not None)
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)


def tidy_tree(value: Any, depth: int = 0) -> Any:
    """Plain data with tidy texts and keys. Raises TreeError where it is too deep, or a number too large to hold."""
    if depth > DEEPEST:
        raise TreeError(f"more than {DEEPEST} tables or lists in one another")
    if isinstance(value, dict):
        return {tidy(str(key)): tidy_tree(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy_tree(item, depth + 1) for item in value]
    if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        raise TreeError("a whole number of 2^63 or more")
    return tidy(value) if isinstance(value, str) else value


def _refusal(path: Path, rule: str, found: str, suggestion: str = "") -> InputError:
    return InputError((Fault(path.name, rule, found, suggestion),))


def _require_visible(path: Path, text: str) -> None:
    """Raise InputError for the first characters that show nothing, each with its line and place."""
    faults = []
    for match in _INVISIBLE.finditer(text):
        start = text.rfind("\n", 0, match.start()) + 1
        where = f"{path.name}, line {text.count(chr(10), 0, match.start()) + 1}, character {match.start() - start + 1}"
        found = invisible(text[start : match.end()])
        faults.append(Fault(where, "text must hold nothing that cannot be seen", found, "Delete it, or type it again."))
        if len(faults) == 5:
            break
    if faults:
        raise InputError(tuple(faults))


def _decode(path: Path, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refusal(path, "must be UTF-8 text", "UTF-16 text", "Save it as 'CSV UTF-8'.")
    if b"\0" in data:
        raise _refusal(path, "must be UTF-8 text", "a binary file", "Save a spreadsheet as 'CSV UTF-8'.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at position {error.start}"
        advice = "Save it as 'CSV UTF-8' (older spreadsheets write EUC-KR, CP949 or Latin-1)."
        raise _refusal(path, "must be UTF-8 text", found, advice) from None
    if not text.strip():
        raise _refusal(path, "the file must not be empty", f"{len(data)} bytes")
    return text
