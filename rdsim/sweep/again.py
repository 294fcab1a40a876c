"""Answers that were written down, and what another seed says of them: which hold, which are weaker, which turn."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field
from scipy.special import ndtri

from rdsim.domain import Confidence
from rdsim.errors import ExperimentError
from rdsim.folders import Record, read_document
from rdsim.names import NAMES
from rdsim.sweep.answers import statements
from rdsim.sweep.verdicts import Statement

__all__ = ["StatementChange", "WrittenAnswers", "changes", "read_answers", "written_text"]


class _Statement(Record):
    asked: str
    kind: Literal["figure", "difference", "first", "best", "least", "chosen"]
    words: str
    means: dict[str, float]
    halves: dict[str, float | None]
    shown: list[str]
    shown_not: list[str]
    limit: float
    sign: str
    best: str


class _Written(Record):
    experiment: Annotated[str, Field(pattern=NAMES)]
    seed: Annotated[int, Field(ge=0)]
    confidence: Confidence
    difference: dict[str, float]
    statements: list[list[_Statement]]


@dataclass(frozen=True)
class WrittenAnswers:
    """Statements as they were written down, sentence by sentence, with the seed behind them."""

    experiment: str
    seed: int
    confidence: float
    statements: Sequence[Sequence[Statement]]


@dataclass(frozen=True)
class StatementChange:
    """What another seed says of one statement.

    `holds`; `weaker`: what was shown is not shown any more, nor denied; `turned`: what was called sure is on the other
    side of its limit; `moved`: a figure of which nothing was called sure lies further off than both intervals allow;
    `new`: it was not asked before.
    """

    sentence: int  # from 1
    before: Statement
    after: Statement
    outcome: Literal["holds", "weaker", "turned", "moved", "new"]

    def __str__(self) -> str:
        return f"sentence {self.sentence}, {{{self.before.asked}}}: {self.before.words} -> {self.after.words}"


def written_text(table: pd.DataFrame, manifest: Mapping[str, Any]) -> str:
    """The statements of a sweep as they are written down beside a README."""
    told = {
        **{name: manifest[name] for name in ("experiment", "seed", "confidence")},
        "difference": dict(manifest.get("difference", {})),
        "statements": [[_plain(one) for one in sentence] for sentence in statements(table, manifest)],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _plain(one: Statement) -> dict[str, Any]:
    halves = {level: half if math.isfinite(half) else None for level, half in one.halves.items()}
    return {**dataclasses.asdict(one), "halves": halves}


def read_answers(path: str | Path) -> WrittenAnswers:
    """Statements that were written down. Raises ExperimentError with every fault, and if there are none."""
    found = read_document(Path(path), _Written, ExperimentError, "must be answers that were written beside a README")
    told = [[_statement(one) for one in sentence] for sentence in found["statements"]]
    return WrittenAnswers(found["experiment"], found["seed"], found["confidence"], told)


def _statement(one: Mapping[str, Any]) -> Statement:
    halves = {level: math.inf if half is None else half for level, half in one["halves"].items()}
    lists = {name: tuple(one[name]) for name in ("shown", "shown_not")}
    names = [field.name for field in dataclasses.fields(Statement)]
    return Statement(**{**{name: one[name] for name in names}, "halves": halves, **lists})


def changes(before: WrittenAnswers, after: Sequence[Sequence[Statement]]) -> list[StatementChange]:
    """What another run says of each statement that was written down; statements are known by their braces."""
    known = [{one.asked: one for one in sentence} for sentence in before.statements]
    figures = max(1, sum(len(one.means) for sentence in before.statements for one in sentence))
    wider = _wider(before.confidence, figures)
    found = []
    for place, sentence in enumerate(after):
        old = known[place] if place < len(known) else {}
        for one in sentence:
            was = old.get(one.asked)
            outcome: Any = "new" if was is None else _outcome(was, one, wider)
            found.append(StatementChange(place + 1, was or one, one, outcome))
    return found


def _wider(confidence: float, comparisons: int) -> float:
    """By how much intervals are widened, so that all figures of an experiment hold together."""
    return float(ndtri(1 - (1 - confidence) / 2 / comparisons) / ndtri((1 + confidence) / 2))


def _outcome(before: Statement, after: Statement, wider: float) -> str:
    if any(_turns(before, after)):
        return "turned"
    if not set(before.shown) <= set(after.shown) or not set(before.shown_not) <= set(after.shown_not):
        return "weaker"
    return "moved" if any(_moves(before, after, wider)) else "holds"


def _turns(before: Statement, after: Statement) -> Iterator[bool]:
    """Whether something that was called sure is now on the other side."""
    if before.kind == "difference" and after.means:
        yield from (_SIDES[name](after.means[""]) for name in before.shown)
    if before.kind == "first":
        ahead = 1.0 if before.sign.startswith(">") else -1.0
        gaps = {level: ahead * (mean - before.limit) for level, mean in after.means.items()}
        yield from (gaps[level] < 0 for level in before.shown if level in gaps)
        yield from (level in after.shown for level in before.shown_not)
    if before.kind in ("best", "least"):
        yield after.best in before.shown
        yield before.best in after.shown


_SIDES: Mapping[str, Callable[[float], bool]] = {"more": lambda mean: mean <= 0, "less": lambda mean: mean >= 0}


def _moves(before: Statement, after: Statement, wider: float) -> Iterator[bool]:
    """Whether figures lie further apart than both their intervals allow."""
    for level in before.means.keys() & after.means.keys():
        reach = wider * math.hypot(before.halves[level], after.halves[level])
        yield abs(before.means[level] - after.means[level]) > reach
