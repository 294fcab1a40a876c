"""Blocks: a contract's arrays as compiled functions see them, by address.

numba counts the references of every array, and of every structref, at each call; in an event loop of many small
functions this was measured as six sevenths of the time. A block is one pointer to a table of addresses and
shapes instead: `block.stage[p]` is an address from the table and a load, as in C. The arrays belong to the
`Block` object in Python, which must outlive the call. Indices are not checked, and negative ones do not count
from the end; with NUMBA_DISABLE_JIT=1 the same code runs in Python on the arrays themselves, which checks them.

A field is a scalar, an array, or an array with a row for each replication, of which `select` turns to one: then
the field has a dimension less.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Array

__all__ = ["Block", "Field", "Kind", "blank", "records", "select", "wipe"]


class Field(NamedTuple):
    """Where a field's words are in the table: the address, the shape and, with rows, their base and distance."""

    dtype: np.dtype[Any]
    ndim: int  # dimensions that compiled code sees; -1 for a scalar
    rows: bool
    word: int
    step: int  # bytes from one element to the next
    wiped: int  # what each byte of a row is wiped to

    @property
    def shape_word(self) -> int:
        """The word from which its shape stands."""
        return self.word + (3 if self.rows else 1)

    @property
    def words(self) -> int:
        """How many words it takes."""
        return self.shape_word - self.word + max(self.ndim, 0)


class Kind(NamedTuple):
    """All that compiled code must know of a block before it sees one."""

    name: str
    fields: tuple[tuple[str, Field], ...]


# --- in Python ------------------------------------------------------------------------------------


class Block:
    """A mapping of names to scalars and arrays, for compiled functions to read and write.

    Fields named in `rows` have a row for each replication; one row may serve all of them. Scalars are read only. A
    structured array stands for all its columns, which lie side by side in memory: what is used together is then
    fetched together. `unset` names integer fields whose rows are wiped to -1. Raises ValueError for an array that
    is not contiguous.
    """

    def __init__(
        self,
        name: str,
        fields: Mapping[str, Any],
        rows: frozenset[str] = frozenset(),
        unset: frozenset[str] = frozenset(),
    ) -> None:
        self._arrays = {key: column for name, value in fields.items() for key, column in _columns(name, value)}
        self.rows, self.unset, self._row = rows, unset, 0
        self.kind = _kind(name, self._arrays, rows, unset)
        table = np.zeros(sum(field.words for _, field in self.kind.fields), np.int64)
        for key, field in self.kind.fields:
            _enter(table, field, self._arrays[key])
        self._table, self.address = table, table.ctypes.data

    def __getattr__(self, name: str) -> Any:
        array = self.__dict__.get("_arrays", {}).get(name)
        if array is None:
            raise AttributeError(f"no field {name!r}")  # numba asks for fields of its own
        if name in self.rows:
            return array[self._row if len(array) > 1 else 0]
        return array.item() if array.ndim == 0 else array

    def _select(self, row: int) -> None:
        self._row = row


def _columns(name: str, value: Any) -> list[tuple[str, Array]]:
    array = np.asarray(value)
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} is not contiguous")
    return [(key, array[key]) for key in array.dtype.names] if array.dtype.names else [(name, array)]


def _kind(name: str, arrays: Mapping[str, Array], rows: frozenset[str], unset: frozenset[str]) -> Kind:
    fields: dict[str, Field] = {}
    word = 0
    for key, array in arrays.items():
        ndim = -1 if array.ndim == 0 else array.ndim - (key in rows)
        step = _step(array)
        fields[key] = Field(array.dtype, ndim, key in rows, word, step, 0xFF if key in unset else 0)
        word += fields[key].words
    return Kind(name, tuple(fields.items()))


def _step(array: Array) -> int:
    """Bytes from one element to the next: more than its own for a column of a structured array."""
    whole = array.base if isinstance(array.base, np.ndarray) and array.base.dtype.names else array
    return whole.itemsize


def _enter(table: npt.NDArray[np.int64], field: Field, array: Array) -> None:
    table[field.word] = array.ctypes.data
    shape = array.shape[1:] if field.rows else array.shape
    if field.rows:
        table[field.word + 1] = array.ctypes.data
        table[field.word + 2] = array.strides[0] if len(array) > 1 else 0
    table[field.shape_word : field.shape_word + len(shape)] = shape


def wipe(block: Block) -> None:
    """Fill the present row of every field that has rows: with -1 where the block says `unset`, with 0 elsewhere."""
    for name in block.rows:
        getattr(block, name)[...] = -1 if name in block.unset else 0


def blank(contract: type, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Zeros of the given shapes, each of the type that a NamedTuple declares for the field of that name."""
    columns = _columns_of(contract)
    return {name: np.zeros(shape, columns[name]) for name, shape in shapes.items()}


def records(contract: type, count: int) -> Array:
    """Zeros of a structured type: a NamedTuple's fields side by side."""
    return np.zeros(count, np.dtype(list(_columns_of(contract).items()), align=True))


@functools.cache
def _columns_of(contract: type) -> dict[str, np.dtype[Any]]:
    return {name: _dtype(hint) for name, hint in get_type_hints(contract).items()}


def _dtype(hint: Any) -> np.dtype[Any]:
    """The type of an array's numbers (`NDArray[np.int64]`), or of a scalar (`float`)."""
    # numpy spells the alias out or not, by version: its last argument's last argument, however deep, is the type.
    while arguments := get_args(hint):
        hint = arguments[-1]
    kind: np.dtype[Any] = np.dtype(hint)
    return kind


def select(block: Block, row: int) -> None:
    """Turn the fields of a block that have rows to one of them."""
    block._select(row)
