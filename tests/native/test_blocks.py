"""Blocks: what compiled functions read and write is what is in the arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from rdsim.native.blocks import Block, blank, records, select, wipe
from rdsim.native.jit import jit


class Thing(NamedTuple):
    """Columns of several types that lie side by side."""

    day: int
    open: bool
    share: float


class Table(NamedTuple):
    """Fields of every kind."""

    factor: float
    many: npt.NDArray[np.int64]
    flags: npt.NDArray[np.bool_]
    small: npt.NDArray[np.int32]
    cube: npt.NDArray[np.float64]


@jit
def _fill(b, factor):  # type: ignore[no-untyped-def]
    for k in range(len(b.many)):
        b.many[k] = k * k
        b.small[k] = -k
        b.flags[k] = b.many[k] > 4
        b.day[k] += b.many[k]
        b.open[k] = not b.flags[k]
        b.share[k] = b.factor * k + factor
    plane = b.cube[1]
    for j in range(len(plane)):
        row = plane[j]
        for k in range(len(row)):
            row[k] = 10.0 * j + k
            b.cube[0, j, k] = b.cube[1, j, k] + 0.5


def _block() -> tuple[Block, dict[str, Any], Any]:
    shapes = {"factor": (), "many": (5,), "flags": (5,), "small": (5,), "cube": (2, 3, 4)}
    fields: dict[str, Any] = blank(Table, shapes) | {"factor": 2.5}
    things = records(Thing, 5)
    return Block("Test", fields | {"thing": things}), fields, things


@pytest.mark.parametrize("function", [_fill, _fill.py_func], ids=["compiled", "interpreted"])
def test_compiled_and_interpreted_code_do_the_same_to_the_arrays(function: Any) -> None:
    block, fields, things = _block()
    things["day"] = 100
    function(block, 1.0)
    k = np.arange(5)
    assert (fields["many"] == k * k).all()
    assert (fields["small"] == -k).all()
    assert fields["small"].dtype == np.int32
    assert (fields["flags"] == (k * k > 4)).all()
    assert (things["day"] == 100 + k * k).all()
    assert (things["open"] == ~(k * k > 4)).all()
    assert (things["share"] == 2.5 * k + 1.0).all()
    plane = 10.0 * np.arange(3)[:, None] + np.arange(4)
    assert (fields["cube"][1] == plane).all()
    assert (fields["cube"][0] == plane + 0.5).all()


@jit
def _stamp(b, rows):  # type: ignore[no-untyped-def]
    for r in range(rows):
        select(b, r)
        wipe(b)
        b.hits[1] = r + 1
        b.days[0, 1] = b.seen[r]
        b.shared[0] += 1


@pytest.mark.parametrize("function", [_stamp, _stamp.py_func], ids=["compiled", "interpreted"])
def test_rows_are_selected_and_wiped_one_at_a_time(function: Any) -> None:
    fields = {
        "hits": np.full((4, 3), 7, np.int64),
        "days": np.full((4, 2, 2), 7, np.int64),
        "shared": np.full((1, 1), 7, np.int64),
        "seen": np.array([10, 20, 30, 40]),
    }
    block = Block("Rows", fields, rows=frozenset({"hits", "days", "shared"}), unset=frozenset({"days"}))
    function(block, 3)
    assert fields["hits"].tolist() == [[0, 1, 0], [0, 2, 0], [0, 3, 0], [7, 7, 7]]
    assert fields["days"][:3].tolist() == [[[-1, day], [-1, -1]] for day in (10, 20, 30)]
    assert (fields["days"][3] == 7).all()
    assert fields["shared"].tolist() == [[1]]  # one row serves all, and was wiped before each


def test_blocks_of_one_layout_share_compiled_code_whatever_their_sizes() -> None:
    before = len(_fill.signatures)
    for size in (0, 1, 9):
        shapes = {"factor": (), "many": (size,), "flags": (size,), "small": (size,), "cube": (2, size, 1)}
        _fill(Block("Test", blank(Table, shapes) | {"thing": records(Thing, size)}), 0.0)
    assert len(_fill.signatures) == max(before, 1)


def test_an_array_that_is_not_contiguous_is_refused() -> None:
    with pytest.raises(ValueError, match="many"):
        Block("Test", {"many": np.zeros((4, 4))[:, 1]})


def test_a_name_that_no_field_has_is_an_error() -> None:
    block, _, _ = _block()
    with pytest.raises(AttributeError, match="nothing"):
        _ = block.nothing
