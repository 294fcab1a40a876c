"""Gate policies of a third party run on the SimPy engine at once; the compiled engine says that it lacks them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from rdsim import gates
from rdsim.case import EXHAUSTED, STOPPED, Case, Luck, build
from rdsim.domain import Choice, Gate, Portfolio, Scenario, Technology
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.errors import EngineError
from rdsim.luck import lay_out
from tests.simple import plain


@pytest.fixture
def never() -> Iterator[str]:
    """A policy by which nobody is ever on plan."""
    gates.register("never", gates.GatePolicy(judge=lambda *_: False))
    yield "never"
    del gates.GATE_POLICIES["never"]


def laid_out(policy: str, **gate: object) -> tuple[Case, Luck]:
    techs = {"T": Technology("T", "T", "line", "f", trl=4, cost=10.0, value=9.0, trl_target=9)}
    scenario: Scenario = plain(techs)
    line = replace(scenario.programmes["line"], gate=Gate(policy=policy, **gate))  # type: ignore[arg-type]
    choices = (Choice("T", start_year=2024, rank=1),)
    scenario = replace(scenario, programmes={"line": line})
    case = build(scenario, Portfolio(choices))
    return case, lay_out(scenario, case, choices, Draws(1, range(2)))


def test_a_registered_policy_decides_on_the_simpy_engine(never: str) -> None:
    assert (process.run(*laid_out("always-pass")).end_state == EXHAUSTED).all()
    out = process.run(*laid_out(never))
    assert (out.end_state == STOPPED).all()
    assert (out.end_day == 360).all()


def test_the_compiled_engine_refuses_a_policy_that_it_does_not_have(never: str) -> None:
    with pytest.raises(EngineError, match="never"):
        compiled.run(*laid_out(never))
    assert (compiled.run(*laid_out("always-pass")).end_state == EXHAUSTED).all()


LATE = """
from rdsim import gates
gates.register("never", gates.GatePolicy(judge=lambda *_: False))
from rdsim.engines import compiled
from rdsim.errors import EngineError
from tests.engines.test_policies import laid_out
try:
    compiled.run(*laid_out("never"))
except EngineError as error:
    print("refused:", error)
"""


def test_it_is_refused_as_well_if_it_was_registered_before_the_engine_was_imported() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)
    assert "refused:" in done.stdout
    assert "never" in done.stdout


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="threshold"):
        gates.register("threshold", gates.GatePolicy())


def test_the_three_policies_are_the_ones_that_the_compiled_engine_has() -> None:
    assert compiled.POLICIES == ("threshold", "always-pass", "drop-worst") == tuple(gates.GATE_POLICIES)


@pytest.mark.parametrize(
    ("reviews", "rate", "fraction", "found"),
    [
        (14, 100_000, 0, (1, 400_000)),
        (13, 100_000, 400_000, (1, 700_000)),
        (0, 100_000, 999_999, (0, 999_999)),
        (1, 1_000_000, 0, (1, 0)),
        (7, 0, 0, (0, 0)),
    ],
)
def test_the_worst_share_is_dropped_and_its_fraction_carried(
    reviews: int, rate: int, fraction: int, found: tuple[int, int]
) -> None:
    assert gates.dropped(reviews, rate, fraction) == found


def test_over_many_rounds_exactly_the_share_is_dropped() -> None:
    rng, fraction, total, seen = np.random.default_rng(1), 0, 0, 0
    for reviews in rng.integers(0, 9, 500).tolist():
        drops, fraction = gates.dropped(reviews, 100_000, fraction)
        total, seen = total + drops, seen + reviews
    assert total == seen // 10


@pytest.mark.parametrize("lead", [-2, -1, 0, 1])
@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize("tolerance", [0, 1])
def test_the_threshold_judges_lead_deliverables_and_luck(lead: int, missing: int, tolerance: int) -> None:
    on_plan = lead >= -tolerance and missing == 0
    for luck in (0.05, 0.15, 0.25, 0.95):
        expected = luck >= 0.1 if on_plan else luck < 0.2
        assert gates.threshold(lead, missing, luck, 0.1, 0.2, tolerance) == expected
