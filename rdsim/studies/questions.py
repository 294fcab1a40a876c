"""Where questions are kept by name: those that came with rdsim, and those that were registered."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.errors import Fault
from rdsim.registry import Registry
from rdsim.studies.built_in.commands import BUILT_IN
from rdsim.studies.question import COMMANDS, Question

__all__ = ["QUESTIONS"]


class _Questions(Registry[Question]):
    """Questions by the names of their commands."""

    def _faults(self, name: str, value: Question, *, replace: bool) -> Iterator[Fault]:
        yield from super()._faults(name, value, replace=replace)
        if name in COMMANDS:
            yield Fault(self._label(name), "must have a name of its own", "a command of rdsim's")


QUESTIONS = _Questions("study", Question, BUILT_IN)
