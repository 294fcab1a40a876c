"""What a file gets wrong is told as its own: which line, which function, which row - and nothing of it is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rdsim
from rdsim import extend, plugins
from rdsim.errors import ExtensionError, Fault, InputError, PolicyError
from rdsim.families import FAMILIES, Family, Row
from rdsim.families.known import rows_of
from rdsim.gates import GATE_POLICIES, GatePolicy, is_truth
from rdsim.search import build_instance
from rdsim.simulation import Running


def faults_of(tmp_path: Path, text: str) -> list[Fault]:
    file = tmp_path / "mine.py"
    file.write_text(f"from rdsim import extend\n\n{text}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        plugins.load([file])
    return list(caught.value.faults)


def test_the_line_that_fails_is_told(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, "one = 1\nraise ValueError('no luck.')")
    assert fault.where == f"{tmp_path / 'mine.py'}, line 4"
    assert fault.found == "ValueError: no luck"


def test_a_fault_of_what_is_registered_is_told_without_an_error_inside_another(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, "@extend.gate_policy('mine')\ndef judge(mising):\n    return True")
    assert fault.where.startswith(f"{tmp_path / 'mine.py'}, line 3, gate policy 'mine', judge")
    assert (fault.found, fault.suggestion) == ("'mising'", "Did you mean 'missing'?")


def test_a_parameter_that_is_called_as_an_argument_is_told_why(tmp_path: Path) -> None:
    text = "@extend.constraint_family('mine', parameters=[extend.Parameter('cap', 1)])\ndef rows(cap):\n    return []"
    (fault,) = faults_of(tmp_path, text)
    assert fault.found == "an argument that rdsim offers its functions"


def test_a_name_in_use_says_whose_it_is(tmp_path: Path) -> None:
    first = tmp_path / "first.py"
    text = "from rdsim import extend\n\n\n@extend.gate_policy('taken')\ndef judge(lead):\n    return lead > 0\n"
    first.write_text(text, encoding="utf-8")
    plugins.load([first])
    try:
        (fault,) = faults_of(tmp_path, "@extend.gate_policy('taken')\ndef judge(lead):\n    return lead > 0")
    finally:
        GATE_POLICIES.unregister("taken")
    assert fault.found == f"a name in use, by judge of {first}"


def test_words_that_a_decorator_does_not_know_are_faults() -> None:
    with pytest.raises(ExtensionError, match=r"must be one of market, course, portfolio. Found: 'sometimes'"):
        extend.figure("mine", counted="sometimes")  # type: ignore[arg-type]
    with pytest.raises(ExtensionError, match=r"counts: must be a Counted.*Found: 'tonnes'"):
        extend.constraint_family("mine", counts="tonnes")(list)  # type: ignore[arg-type]


BROKEN: list[tuple[Callable[[Any], Row], str]] = [
    (lambda options: Row(options.award, "much"), "cap must be a finite number. Found: 'much'"),  # type: ignore[arg-type]
    (lambda options: Row(options.award, float("nan")), "cap must be a finite number. Found: nan"),
    (lambda options: Row(options.award * float("nan"), 1), "use must be finite. Found: "),
    (lambda options: Row(options.award.astype(str), 1), "use must be numbers. Found: "),
    (lambda options: Row(options.award, 1, year="2025"), "year of a row must be a whole number. Found: '2025'"),  # type: ignore[arg-type]
    (lambda options: Row(options.award, 1, carry=2), "carry must be a share from 0 to 1. Found: 2"),
    (lambda options: Row(options.award, 1, price=-1), "price must be a number of at least 0"),
]


def test_a_row_that_cannot_be_is_told_as_its_familys(tiny: Path) -> None:
    scenario = rdsim.load(tiny)
    posed = build_instance(scenario, samples=2)
    for make, told in BROKEN:
        FAMILIES.register("broken", Family(lambda options, make=make: [make(options)]))
        try:
            with pytest.raises(ExtensionError) as caught:
                rows_of("broken", scenario, posed.options, None, {})  # type: ignore[arg-type]
        finally:
            FAMILIES.unregister("broken")
        assert str(caught.value.faults[0]).startswith("constraint family 'broken', rows")
        assert told in str(caught.value)


def test_yes_and_no_are_truth_values_and_numbers() -> None:
    assert all(map(is_truth, (True, 0, 2.5, np.bool_(False), np.int64(1), None)))
    assert not any(map(is_truth, (float("nan"), np.nan, "yes", [1], (0, 1))))


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
def test_an_answer_that_is_neither_is_refused(tiny: Path, engine: Any) -> None:
    GATE_POLICIES.register("vague", GatePolicy(lambda: float("nan")))
    try:
        policies = {f"programmes.{line}.gate.policy": "vague" for line in ("leap", "base")}
        scenario = rdsim.load(tiny, policies)
        portfolio = rdsim.Portfolio(tuple(rdsim.Choice(one, start_year=2024) for one in ("T1", "T4")))
        with pytest.raises(PolicyError, match=r"gate policy 'vague', judge: must return a truth value. Found: nan"):
            rdsim.simulate(scenario, portfolio, replications=2, running=Running(engine))
    finally:
        GATE_POLICIES.unregister("vague")
