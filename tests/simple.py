"""Plain scenarios, built in memory, in which a test can compute every date and sum by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rdsim.case import Case, Outcomes, SamplePaths, build
from rdsim.domain import (
    Calibration,
    Choice,
    Gate,
    Mode,
    Portfolio,
    Programme,
    Scenario,
    Steps,
    TechField,
    Technology,
    Tranche,
    UncertaintyClass,
    ValueRules,
)
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.luck import lay_out

__all__ = ["each_step", "lived", "plain"]


def each_step(success: float = 1.0, **changes: object) -> Steps:
    """Steps of half a year with one attempt, each of which succeeds with this probability in the end."""
    steps = Steps((0.5,) * 8, setback_probability=0.0, attempts=1, success=(success,) * 8)
    return replace(steps, **changes)  # type: ignore[arg-type]


def plain(
    technologies: dict[str, Technology] | None = None, programme: Programme | None = None, **changes: object
) -> Scenario:
    """One programme, one field, certain step times of half a year, certain success, nothing scarce."""
    line = Programme(
        name="Line",
        budget={2024 + k: 100.0 for k in range(6)},
        starts={2024 + k: 1000 for k in range(6)},
        tranches=(Tranche(12.0, 0.5), Tranche(12.0, 0.5)),
        deadline_years=5.0,
        trl_target=9,
        gate=Gate(policy="always-pass"),
    )
    scenario = Scenario(
        name="plain",
        title="Plain",
        currency="KRW",
        money_unit="billion KRW",
        start_year=2024,
        horizon_year=2040,
        calibration="only",
        programmes={"line": programme or line},
        fields={"f": TechField("Field")},
        modes={"domestic": Mode("Domestic")},
        calibrations={"only": Calibration(1.0)},
        technologies=technologies
        or {"T": Technology("T", "T", "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6)},
        uncertainty={"medium": UncertaintyClass(0.0, 0.0)},
        steps=each_step(),
        value=ValueRules(market_months=12.0, market_sigma=0.0),
        discount_rate=0.0,
    )
    return replace(scenario, **changes)  # type: ignore[arg-type]


def lived(
    scenario: Scenario,
    *choices: Choice,
    replications: int = 1,
    seed: int = 1,
    stops: Mapping[str, int] | None = None,
) -> tuple[Case, SamplePaths, Outcomes]:
    """The choices, ranked in the order given, simulated; both engines must agree."""
    ranked = tuple(replace(choice, rank=rank) for rank, choice in enumerate(choices, start=1))
    case = build(scenario, Portfolio(ranked), stops=stops or {})
    luck = lay_out(scenario, case, ranked, Draws(seed, range(replications)))
    fast = compiled.run(case, luck)
    slow = process.run(case, luck) if replications <= 50 else fast
    for name, column in fast._asdict().items():
        assert (column == getattr(slow, name)).all(), name
    return case, luck, fast
