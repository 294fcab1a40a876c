"""How compiled functions read and write blocks: types, typing and machine code for numba."""

from __future__ import annotations

import functools
import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_builtin,
    lower_getattr_generic,
    models,
    overload,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.numpy_support import from_dtype

from rdsim.native.blocks import Block, Kind, select, wipe

__all__ = ["BlockType", "ViewType"]


# --- types ----------------------------------------------------------------------------------------


class BlockType(types.Type):
    """The type of a block: its fields."""

    def __init__(self, kind: Kind) -> None:
        self.fields = {key: field._replace(dtype=from_dtype(field.dtype)) for key, field in kind.fields}
        parts = [f"{key}:{'/'.join(map(str, field))}" for key, field in self.fields.items()]
        super().__init__(name=f"Block({kind.name}: {', '.join(parts)})")


class ViewType(types.Type):
    """An array of a block, or a part of one: an address and a shape."""

    def __init__(self, dtype: Any, ndim: int, step: int) -> None:
        self.dtype, self.ndim, self.step = dtype, ndim, step
        super().__init__(name=f"View({dtype}, {ndim}, {step})")


@register_model(BlockType)
class _BlockModel(models.OpaqueModel):
    pass


@register_model(ViewType)
class _ViewModel(models.StructModel):
    def __init__(self, manager: Any, kind: ViewType) -> None:
        members = [("data", types.voidptr), ("shape", types.UniTuple(types.int64, kind.ndim))]
        super().__init__(manager, kind, members)


_type_of_kind = functools.cache(BlockType)


@typeof_impl.register(Block)
def _typeof(value: Block, context: Any) -> BlockType:
    del context
    return _type_of_kind(value.kind)


@unbox(BlockType)
def _unbox(kind: BlockType, value: Any, c: Any) -> NativeValue:
    del kind
    address = c.pyapi.object_getattr_string(value, "address")
    number = c.pyapi.long_as_ulonglong(address)
    c.pyapi.decref(address)
    return NativeValue(c.builder.inttoptr(number, cgutils.voidptr_t))


# --- typing ---------------------------------------------------------------------------------------


@infer_getattr
class _Fields(AttributeTemplate):
    key = BlockType

    def generic_resolve(self, kind: BlockType, name: str) -> Any:
        field = kind.fields.get(name)
        if field is None:
            return None
        return field.dtype if field.ndim < 0 else ViewType(field.dtype, field.ndim, field.step)


def _place(view: ViewType, index: Any) -> tuple[Any, Any] | None:
    """Type of what an index finds, and the index as a tuple."""
    count = index.count if isinstance(index, types.BaseTuple) else 1
    if count > view.ndim:
        return None
    found = view.dtype if count == view.ndim else ViewType(view.dtype, view.ndim - count, view.step)
    whole = types.int64 if count == 1 and not isinstance(index, types.BaseTuple) else types.UniTuple(types.int64, count)
    return found, whole


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        del kws
        view, index = args
        place = _place(view, index) if isinstance(view, ViewType) else None
        return signature(place[0], view, place[1]) if place else None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        del kws
        view, index, _ = args
        place = _place(view, index) if isinstance(view, ViewType) else None
        if place is None or isinstance(place[0], ViewType):
            return None
        return signature(types.none, view, place[1], view.dtype)


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        del kws
        return signature(types.int64, *args) if isinstance(args[0], ViewType) else None


# --- machine code ---------------------------------------------------------------------------------


def _load(builder: Any, table: Any, word: int, *, fixed: bool) -> Any:
    """A word of a table; one that never changes may be read once for many uses."""
    pointer = builder.gep(builder.bitcast(table, ir.IntType(64).as_pointer()), [ir.Constant(ir.IntType(64), word)])
    found = builder.load(pointer)
    if fixed:
        found.set_metadata("invariant.load", builder.module.add_metadata(()))
    return found


@lower_getattr_generic(BlockType)
def _get_field(context: Any, builder: Any, kind: BlockType, table: Any, name: str) -> Any:
    field = kind.fields[name]
    address = builder.inttoptr(_load(builder, table, field.word, fixed=not field.rows), cgutils.voidptr_t)
    if field.ndim < 0:
        data = builder.bitcast(address, context.get_data_type(field.dtype).as_pointer())
        return context.unpack_value(builder, field.dtype, data)
    view = cgutils.create_struct_proxy(ViewType(field.dtype, field.ndim, field.step))(context, builder)
    view.data = address
    shape = [_load(builder, table, field.shape_word + k, fixed=True) for k in range(field.ndim)]
    view.shape = cgutils.pack_array(builder, shape, ir.IntType(64))
    return view._getvalue()


def _find(context: Any, builder: Any, kind: ViewType, value: Any, index: Any) -> tuple[Any, Any]:
    """The address that an index finds, and the shape of what is there."""
    view = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    shape = cgutils.unpack_tuple(builder, view.shape, kind.ndim)
    count = len(index)
    offset = index[0]
    for k in range(1, kind.ndim):
        offset = builder.mul(offset, shape[k])
        if k < count:
            offset = builder.add(offset, index[k])
    here = builder.gep(view.data, [builder.mul(offset, ir.Constant(ir.IntType(64), kind.step))])
    return builder.bitcast(here, context.get_data_type(kind.dtype).as_pointer()), shape[count:]


def _numbers(builder: Any, kind: Any, value: Any) -> list[Any]:
    if isinstance(kind, types.BaseTuple):
        return list(cgutils.unpack_tuple(builder, value, kind.count))
    return [value]


@lower_builtin(operator.getitem, ViewType, types.Any)
def _get_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind, index = sig.args
    address, shape = _find(context, builder, kind, args[0], _numbers(builder, index, args[1]))
    if not isinstance(sig.return_type, ViewType):
        return context.unpack_value(builder, kind.dtype, address)
    part = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    part.data = builder.bitcast(address, cgutils.voidptr_t)
    part.shape = cgutils.pack_array(builder, shape, ir.IntType(64))
    return part._getvalue()


@lower_builtin(operator.setitem, ViewType, types.Any, types.Any)
def _set_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind, index, _ = sig.args
    address, _ = _find(context, builder, kind, args[0], _numbers(builder, index, args[1]))
    context.pack_value(builder, kind.dtype, args[2], address)
    return context.get_dummy_value()


@lower_builtin(len, ViewType)
def _length(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    view = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0])
    return cgutils.unpack_tuple(builder, view.shape, sig.args[0].ndim)[0]


@intrinsic
def _turn(typing_context: Any, block: Any, row: Any) -> Any:
    del typing_context, row

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        table, number = args
        for field in block.fields.values():
            if field.rows:
                base, distance = (_load(builder, table, field.word + k, fixed=True) for k in (1, 2))
                here = builder.add(base, builder.mul(distance, number))
                words = builder.bitcast(table, ir.IntType(64).as_pointer())
                builder.store(here, builder.gep(words, [ir.Constant(ir.IntType(64), field.word)]))
        return context.get_dummy_value()

    return signature(types.none, block, types.int64), generate


@intrinsic
def _wipe_row(typing_context: Any, block: Any) -> Any:
    del typing_context

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del sig
        for field in block.fields.values():
            if field.rows:
                data = builder.inttoptr(_load(builder, args[0], field.word, fixed=False), cgutils.voidptr_t)
                size = ir.Constant(ir.IntType(64), field.step)
                for k in range(field.ndim):
                    size = builder.mul(size, _load(builder, args[0], field.shape_word + k, fixed=True))
                cgutils.memset(builder, data, size, field.wiped)
        return context.get_dummy_value()

    return signature(types.none, block), generate


@overload(wipe)
def _wipe(block):
    return (lambda block: _wipe_row(block)) if isinstance(block, BlockType) else None


@overload(select)
def _select(block, row):
    del row
    if isinstance(block, BlockType):
        return lambda block, row: _turn(block, row)
    return None
