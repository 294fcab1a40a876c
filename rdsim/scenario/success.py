"""Eventual success of TRL steps: as listed, shifted by field and class, calibrated on a mix of projects.

A step's eventual success counts all its attempts, without a partner. `steps.success` lists it by step, or the
calibration's own `success` does, as it may be fitted to records of projects; the field and
the uncertainty class of a technology each add a number to its log-odds. A calibration says which share of a reference
mix of projects reaches its target: the mean, by weight, of the products over the steps that its projects take. One
more number, the same for every step that is graded assumed, makes the mean that figure. Steps graded published, or
derived from records, are what they are, and so are 0 and 1. What is said of single technologies (technology_steps.csv,
judgements) stands in place of all this. It is how the intercept of a logistic regression is calibrated anew (Cox 1958,
Biometrika 45; Steyerberg 2019, Clinical Prediction Models); that one number suits all assumed steps is assumed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from rdsim.domain import Calibration, Grade, ReferenceRow, Scenario, TechnologyStep
from rdsim.languages import gettext as _
from rdsim.languages import join_texts
from rdsim.numerals import numeral
from rdsim.scenario.figures import calibration, own_steps
from rdsim.scenario.judgement import figure

__all__ = [
    "StepSuccess",
    "reach",
    "reference_mix",
    "step_success",
    "success_lines",
    "success_sources",
    "unreachable",
    "with_shift",
]

Course = tuple[tuple[float, bool], ...]
"""Success of the steps that a project takes, before calibration, and whether calibration shifts it."""

Mix = tuple[tuple[float, Course], ...]
"""Courses of the kinds of projects in a mix, each with its weight."""

_HALVINGS = 100
_WIDEST = 750.0
"""Log-odds beyond which a probability in double precision is 0 or 1."""
_EXACT = 1e-9
_STEPS = range(1, 9)
_MARKS: dict[Grade, str] = {"published": "*", "derived": "+", "assumed": ""}


def with_shift(success: float, shift: float) -> float:
    """A probability with `shift` added to its log-odds; 0 and 1 stay, and infinite shifts lead there.

    Model: D11.
    """
    if shift == 0.0 or success in (0.0, 1.0):
        return success
    if shift < 0.0:
        less = success * math.exp(shift)
        return less / (less + (1.0 - success))
    return success / (success + (1.0 - success) * math.exp(-shift))


def reference_mix(scenario: Scenario, one: Calibration) -> Mix:
    """The courses of a calibration's reference mix."""
    return tuple((row.weight, _course(scenario, one, row)) for row in one.reference)


def reach(mix: Mix) -> tuple[float, float]:
    """The least and the largest mean success that a mix comes near to, whatever the shift."""
    return _mean(mix, -math.inf), _mean(mix, math.inf)


def unreachable(wanted: float, mix: Mix) -> bool:
    """Whether no shift gives a mix this mean success; the largest is reached where every shifted step is certain."""
    least, largest = reach(mix)
    if largest - least <= _EXACT:
        return abs(wanted - largest) > _EXACT
    return not least < wanted <= largest


@dataclass(frozen=True)
class StepSuccess:
    """Eventual success of steps without a partner; `shift` is what calibration adds to log-odds."""

    scenario: Scenario
    shift: float
    own: Mapping[tuple[str, int], TechnologyStep]

    def of_kind(self, trl: int, field: str = "", uncertainty: str = "") -> float:
        """Of the step from `trl` of a technology of a field and class; '' for one that shifts nothing.

        Model: D11.
        """
        used = calibration(self.scenario)
        listed = _listed_success(self.scenario, used, trl, ReferenceRow(trl, trl + 1, field, uncertainty))
        return with_shift(listed, self.shift) if _grade(self.scenario, used, trl) == "assumed" else listed

    def of(self, technology: str, trl: int) -> float:
        """Of a technology's step from `trl`: as judged, as listed for it alone, or as of its kind.

        Model: D11.
        """
        judged, own = figure(self.scenario, technology, "success", trl), self.own.get((technology, trl))
        if judged is not None:
            return judged
        if own is not None and own.success is not None:
            return own.success
        one = self.scenario.technologies[technology]
        return self.of_kind(trl, one.field, one.uncertainty)


def step_success(scenario: Scenario) -> StepSuccess:
    """Eventual success of the steps, by the calibration in use."""
    return StepSuccess(scenario, _shift(scenario, calibration(scenario)), own_steps(scenario))


def _shift(scenario: Scenario, one: Calibration) -> float:
    if one.development_success is None:
        return 0.0
    return _calibrating_shift(one.development_success, reference_mix(scenario, one))


@functools.lru_cache(maxsize=256)
def _calibrating_shift(wanted: float, mix: Mix) -> float:
    """The shift that gives a mix its mean success, by bisection; infinite where only certainty does.

    Model: D12.
    """
    least, largest = reach(mix)
    if largest - least <= _EXACT:
        return 0.0
    if wanted >= largest:
        return math.inf
    low, high = -_WIDEST, _WIDEST
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _mean(mix, middle) < wanted else (low, middle)
    return high


def _mean(mix: Mix, shift: float) -> float:
    """Mean success of a mix, from start to target.

    Model: D12.
    """
    reached = math.fsum(weight * math.prod(_shifted_steps(course, shift)) for weight, course in mix)
    return reached / math.fsum(weight for weight, _ in mix)


def _shifted_steps(course: Course, shift: float) -> Iterator[float]:
    return (with_shift(success, shift) if moves else success for success, moves in course)


def _course(scenario: Scenario, one: Calibration, row: ReferenceRow) -> Course:
    return tuple(
        (_listed_success(scenario, one, trl, row), _grade(scenario, one, trl) == "assumed")
        for trl in range(row.trl, row.target)
    )


def _listed_success(scenario: Scenario, one: Calibration, trl: int, kind: ReferenceRow) -> float:
    """Before calibration, of the step from `trl` of such a project."""
    shift = scenario.fields[kind.field].success_shift if kind.field else 0.0
    shift += scenario.uncertainty[kind.uncertainty].success_shift if kind.uncertainty else 0.0
    listed = scenario.steps.success if one.success is None else one.success
    return with_shift(listed[trl - 1], shift)


def _grade(scenario: Scenario, one: Calibration, trl: int) -> Grade:
    """Of the success of the step from `trl`: the calibration's, where it lists success."""
    grades = scenario.steps.success_grade if one.success is None else one.success_grade
    return grades[trl - 1 if len(grades) > 1 else 0]


# --- for people -----------------------------------------------------------------------------------


def success_lines(scenario: Scenario) -> Iterator[str]:
    """Lines for people: each calibration's figure, shift and mix, then the eventual success of the steps in use."""
    for name, rates in scenario.calibrations.items():
        used = " (in use)" if name == scenario.calibration else ""
        yield f"technical success by calibration {name}{used}: {_mix_words(scenario, rates)}"
    found = step_success(scenario)
    yield f"eventual success of the steps from TRL 1 to 8: {_row(found)}"
    shifts = [("field", name, one.success_shift) for name, one in scenario.fields.items()]
    shifts += [("uncertainty", name, one.success_shift) for name, one in scenario.uncertainty.items()]
    for kind, name, shift in shifts:
        if shift:
            yield f"  {kind} {name}, {shift:+.3g} in log-odds: {_row(found, **{kind: name})}"
    yield from _own_lines(scenario)


def success_sources(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Steps and where their success comes from, by grade, as a report's table of sources tells it."""
    found, used = step_success(scenario), calibration(scenario)
    for grade in get_args(Grade):
        trls = [trl for trl in _STEPS if _grade(scenario, used, trl) == grade]
        if trls:
            each = ", ".join(numeral(found.of_kind(trl), ".3f") for trl in trls)
            told = _("{grade}: {each}; {mix}") if grade == "assumed" else _("{grade}: {each}")
            said = told.format(grade=_(grade), each=each, mix=_mix_words(scenario, used))
            yield _("eventual success from TRL {levels}").format(levels=", ".join(map(str, trls))), said


def _mix_words(scenario: Scenario, one: Calibration) -> str:
    if one.development_success is None:
        return _("steps as listed")
    whole = math.fsum(row.weight for row in one.reference)
    shift, mix = _shift(scenario, one), join_texts([_kind(row, whole) for row in one.reference], ", ")
    told = (
        _("{share} of the mix {mix}; steps graded assumed are certain")
        if math.isinf(shift)
        else _("{share} of the mix {mix}; steps graded assumed are shifted by {shift} in log-odds")
    )
    return told.format(share=f"{one.development_success:g}", mix=mix, shift=f"{shift:+.3f}")


def _kind(row: ReferenceRow, whole: float) -> str:
    of = " ".join(one for one in (row.field, row.uncertainty) if one)
    told = _("TRL {low} to {high} {kind} ({share})") if of else _("TRL {low} to {high} ({share})")
    return told.format(low=row.trl, high=row.target, kind=of, share=f"{row.weight / whole:.0%}")


def _row(found: StepSuccess, **kind: str) -> str:
    used = calibration(found.scenario)
    grades = {trl: _grade(found.scenario, used, trl) for trl in _STEPS}
    texts = [f"{numeral(found.of_kind(trl, **kind), '.3f')}{_MARKS[grade]}" for trl, grade in grades.items()]
    notes = [f"{mark} {grade}" for grade, mark in _MARKS.items() if mark and grade in grades.values()]
    return " ".join(texts) + (f" ({', '.join(notes)})" if notes else "")


def _own_lines(scenario: Scenario) -> Iterator[str]:
    own = {(step.technology, step.trl) for step in scenario.technology_steps if step.success is not None}
    own |= {(one.technology, one.trl or 0) for one in scenario.judgements if one.input == "success"}
    if own:
        owners = len({technology for technology, _ in own})
        yield f"{len(own)} steps of {owners} technologies have a success of their own, neither shifted nor calibrated"
