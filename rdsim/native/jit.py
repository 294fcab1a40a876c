"""How functions are compiled: by numba, without the interpreter's lock, cached between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import config as _config

from rdsim.native import cache, lowering

__all__ = ["inline", "jit"]

_ = lowering  # imported for what it tells numba about blocks
config: Any = _config  # numba's settings are made at import; type checkers see none of them

cache.forget_older()


def jit(function: Callable[..., Any]) -> Any:
    """The function, compiled at its first call or loaded from the cache (numba's own place if ours is closed).

    Division is numpy's, so that no function can raise; none of ours divides by zero.
    """
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache.FOLDER)
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before


def inline(function: Callable[..., Any]) -> Any:
    """Like `jit`, but its machine code becomes part of every compiled function that calls it, and is kept there.

    Calls between numba's functions pass status and result through memory: in the event loop they cost a quarter.
    """
    return njit(nogil=True, error_model="numpy", forceinline=True, no_cfunc_wrapper=True)(function)
