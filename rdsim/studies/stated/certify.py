"""How near a portfolio is to the best there is, of which samples are given: by parts of them that have not met.

Nothing is chosen and judged on the same samples, and nobody can draw more of a table. So the samples are dealt, in an
order of their own, into four parts: one chooses the portfolio; one is cut into batches, on each of which the problem is
solved anew; one tells what these batches promised too much; and one judges. The portfolio is therefore that of a
quarter of the samples, and what is certified is what so many samples can do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.brief import count
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser import Solving
from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.confidence import Optimality, Sampling, describe, optimality
from rdsim.optimiser.questions.stated import risk_of_statement
from rdsim.report import Column, Section, Table
from rdsim.streams import BATCHES, EVALUATION, REDECIDED
from rdsim.studies.stated.parts import chosen_rows, has_samples, number, problem_study, worth
from rdsim.study import Study

__all__ = ["certify"]

_PARTS = 4
_LEAST = 10
"""Samples of a batch."""


def certify(statement: StatedProblem, solving: Solving, batches: int) -> Study:
    """Limits on the true optimum, and the parts of the distance from it, of a portfolio chosen on a quarter of the
    samples.

    Raises: ProblemError without samples, or with too few for so many batches; what `optimality` raises.
    """
    problem = statement.problem
    values = problem.values  # noqa: PD011 - of a problem, not of a frame
    if not has_samples(statement):
        rule = "needs samples of the options' values, each an equally likely world"
        raise ProblemError((Fault("samples.csv", rule, "no such table"),))
    least = _PARTS * _LEAST * batches
    if len(values) < least:
        rule = f"must hold at least {least:,} samples for {batches:,} batches of {_LEAST} or more"
        raise ProblemError((Fault("samples.csv", rule, f"{len(values):,}", "Give fewer --batches, or more samples."),))
    risk = risk_of_statement(statement)
    dealt = values[np.random.default_rng(solving.seed).permutation(len(values))]
    quarter, size = len(values) // _PARTS, len(values) // _PARTS // batches
    problem = replace(problem, values=frozen(np.ascontiguousarray(dealt[:quarter])))
    draw = _Dealt(dealt[quarter:], quarter, size)
    sampling = Sampling(batches=batches, samples=size, evaluation=len(dealt) - (_PARTS - 1) * quarter)
    known = optimality(problem, draw, risk, sampling=sampling, solving=solving.to_gap(0.0))
    return _study(statement, solving, known, quarter)


@dataclass(frozen=True, eq=False)
class _Dealt:
    """Samples by what they are for; each is given once."""

    rest: Floats
    quarter: int
    size: int

    def __call__(self, index: int, wanted: int) -> Floats:
        """So many samples for an index of the optimiser's streams, (wanted, O)."""
        for stream, part in ((REDECIDED, 1), (EVALUATION, 2), (BATCHES, 0)):
            if index >= stream.first:
                # What a batch chose is judged under the batch's own index.
                place = index - stream.first - (BATCHES.first if stream is REDECIDED else 0)
                first = part * self.quarter + place * self.size
                return np.asarray(self.rest[first : first + wanted])
        raise ValueError(index)


# --- what is told ---------------------------------------------------------------------------------


def _study(statement: StatedProblem, solving: Solving, known: Optimality, quarter: int) -> Study:
    low, high = sorted(worth(statement, one) for one in known.limits)
    record = {
        "certificate": {
            "batches": len(known.batches),
            "samples": known.samples,
            "evaluation": known.lower.n,
            "confidence": known.confidence,
            "optimum_between": [low, high],
            "seconds": known.seconds,
        }
    }
    parts = _parts(statement, known)
    tables = {
        "certificate": parts,
        "batches": _batches(statement, known),
        "chosen": chosen_rows(statement, {"certified": known.candidate.chosen}),
    }
    columns = {
        "part": Column("Part"),
        "amount": Column("Amount", "money"),
        "low": Column("from", "money"),
        "high": Column("to", "money"),
        "n": Column("Of", "count"),
    }
    words = describe(known, statement.unit, ",.4g")
    section = Section("How far from the best?", words, (), (Table("Parts.", parts, columns),))
    lead = _lead(statement, known, quarter, (low, high))
    return problem_study("certify", statement, solving, ("How sure", lead, (section,)), tables, record)


def _parts(statement: StatedProblem, known: Optimality) -> pd.DataFrame:
    """The parts of the distance from the optimum; gaps are never below nothing, whatever the sign of the objective."""
    here, optimism = known.overpromise, known.optimism
    signed = [("value on fresh samples", known.lower), ("limit of the true optimum", known.upper)]
    rows = [
        (part, worth(statement, one.mean), *sorted((worth(statement, one.low), worth(statement, one.high))), one.n)
        for part, one in signed
    ]
    rows += [
        ("solver gap", known.solver_gap, known.solver_gap, known.solver_gap, 1),
        ("sampling gap", known.sampling_gap.mean, 0.0, known.sampling_gap.high, known.sampling_gap.n),
        ("promised too much here", here.mean, here.low, here.high, here.n),
        ("optimism", optimism.mean, optimism.low, optimism.high, optimism.n),
        ("gap, whole", known.gap.mean, 0.0, known.gap.high, known.gap.n),
    ]
    return pd.DataFrame(rows, columns=["part", "amount", "low", "high", "n"])


def _batches(statement: StatedProblem, known: Optimality) -> pd.DataFrame:
    rows = [
        (number, *(worth(statement, figure) for figure in (one.bound, one.incumbent, one.value)))
        for number, one in enumerate(known.batches, start=1)
    ]
    return pd.DataFrame(rows, columns=["batch", "bound", "incumbent", "portfolio"])


def _lead(statement: StatedProblem, known: Optimality, quarter: int, limits: tuple[float, float]) -> tuple[str, ...]:
    level, (low, high) = f"{known.confidence:.0%} confidence", (number(statement, one) for one in limits)
    mine = number(statement, worth(statement, known.lower.mean))
    return (
        f"With {level} the best portfolio there is would come to between {low} and {high}; the one chosen on "
        f"{count(quarter, 'sample')}, a quarter of those given, comes to {mine} on samples that did not choose it.",
        f"It is at most {number(statement, known.gap.high)} from the best, with {level}.",
        *(("Amounts in sentences below are values: costs with their sign changed.",) if statement.minimise else ()),
    )
