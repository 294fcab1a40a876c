"""JSON documents that rdsim wrote, read again through a door: any of their fields may have been edited since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rdsim.errors import Fault, InputError

__all__ = ["Digest", "FileName", "Part", "Record", "is_file_name", "read_document", "validate"]

_LARGEST = 256 * 2**20
_DEEPEST = 50
_WIDEST = 80


class Record(BaseModel):
    """A part of a document: its fields are of these types exactly; others may stand beside them."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


def _inside(name: str) -> str:
    """The name of a file in the document's own folder or below it. Raises ValueError of any other."""
    path = PurePosixPath(name)
    if path.is_absolute() or str(path) != name or ".." in path.parts or name == "." or "\0" in name or "\\" in name:
        raise ValueError("must be the name of a file in this folder")
    return name


def is_file_name(name: str) -> bool:
    """Whether a document can name a file of its folder, or below it, so."""
    try:
        return bool(_inside(name))
    except ValueError:
        return False


FileName = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_inside)]
Part = Annotated[str, Field(pattern=r"^[0-9a-f]{40}\.parquet$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def read_document(path: Path, shape: type[BaseModel], error: type[InputError], rule: str) -> dict[str, Any]:
    """The document as it is written, once it has the shape.

    Raises `error` with every fault, each with file and field; with `rule` if there is no such document.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise error((Fault(str(path), f"must not be larger than {_LARGEST // 2**20} MiB"),))
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError, MemoryError) as reason:
        raise error((Fault(str(path), rule, str(reason) or type(reason).__name__),)) from None
    return validate(found, shape, str(path), error)


def validate(found: Any, shape: type[BaseModel], where: str, error: type[InputError]) -> dict[str, Any]:
    """A document that was read, once it has the shape. Raises `error` with every fault."""
    faults = [*_depth_faults(found, where)]
    if not faults:
        try:
            TypeAdapter(shape).validate_python(found)
        except ValidationError as wrong:
            faults = [_fault(one, where) for one in wrong.errors(include_url=False)]
    if faults:
        raise error(tuple(faults))
    assert isinstance(found, dict)  # noqa: S101 - its shape is a record's
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _depth_faults(found: Any, where: str) -> Iterator[Fault]:
    level, depth = [found], 0
    while level:
        level = [below for one in level for below in _below(one)]
        depth += 1
        if depth > _DEEPEST:
            yield Fault(where, f"must not be nested deeper than {_DEEPEST} levels")
            return


def _below(one: Any) -> list[Any]:
    if isinstance(one, dict):
        return list(one.values())
    return one if isinstance(one, list) else []


def _fault(one: Mapping[str, Any], where: str) -> Fault:
    place = ".".join(str(part) for part in one["loc"] if part != "[key]")
    found = "" if one["type"] == "missing" else repr(one["input"])
    rule = one["msg"][:1].lower() + one["msg"][1:].removeprefix("alue error, ")
    return Fault(f"{where}, {place or 'the whole'}"[:500], rule, found[:_WIDEST])
