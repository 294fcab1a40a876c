"""Ctrl-C and SIGTERM: both end a command the same way, and neither cuts off what must be written whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["hold_signals", "terminate_like_ctrl_c"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def terminate_like_ctrl_c() -> None:
    """Let SIGTERM, and the end of the terminal, raise KeyboardInterrupt in the main thread as Ctrl-C does."""
    for one in _SIGNALS[1:]:
        if signal.getsignal(one) is signal.SIG_DFL:
            signal.signal(one, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def hold_signals() -> Iterator[None]:
    """Hold these signals back until the end of the block, and let them come then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    ours = [one for one in _SIGNALS if signal.getsignal(one) is not None]
    before = {one: signal.signal(one, lambda number, _frame: held.append(number)) for one in ours}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        if held:
            signal.raise_signal(held[0])
