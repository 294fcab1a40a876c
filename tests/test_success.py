"""Technical success by step: grades, shifts of fields and classes, calibration on a mix, and what a partner adds."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from rdsim.case import attempt_success, unconstrained_case
from rdsim.domain import (
    Calibration,
    Choice,
    Mode,
    Partner,
    PartnerEffect,
    ReferenceRow,
    Scenario,
    Steps,
    TechField,
    Technology,
    TechnologyStep,
    UncertaintyClass,
)
from rdsim.errors import RenamedWarning, ScenarioError
from rdsim.scenario import load, sound, step_success, success_lines, with_shift
from rdsim.scenario.success import reach, reference_mix, unreachable
from tests.simple import each_step, plain
from tests.tiny import tiny_folder
from tests.worlds import draw_world

SCENARIOS = sorted(path.parent for path in Path("scenarios").glob("*/scenario.toml"))
STEPS = Steps(
    success=(0.99, 0.98, 0.96, 0.95, 0.9, 0.92, 0.906, 0.97),
    success_grade=("assumed",) * 6 + ("published", "assumed"),
)
MIX = (ReferenceRow(4, 7, "g", "high", 2.0), ReferenceRow(5, 8), ReferenceRow(4, 8, uncertainty="low", weight=0.5))


def mixed(figure: float | None = 0.7, **changes: object) -> Scenario:
    """Fields and classes with shifts, a published step, and a mix of three rows."""
    shifts = {"low": 0.5, "medium": 0.0, "high": -0.7}
    return plain(
        steps=STEPS,
        fields={"f": TechField("F"), "g": TechField("G", success_shift=-0.4)},
        uncertainty={name: UncertaintyClass(success_shift=shift) for name, shift in shifts.items()},
        calibrations={"only": Calibration(1.0, development_success=figure, reference=MIX)},
        **changes,
    )


def mean_of_mix(scenario: Scenario, name: str) -> float:
    """By the definition: mean over rows of the product of eventual successes, from the steps that the model uses."""
    found = step_success(replace(scenario, calibration=name))
    rows = scenario.calibrations[name].reference
    products = [math.prod(found.of_kind(k, r.field, r.uncertainty) for k in range(r.trl, r.target)) for r in rows]
    return float(np.average(products, weights=[r.weight for r in rows]))


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda path: path.name)
def test_the_mean_of_each_mix_is_the_published_figure(folder: Path) -> None:
    scenario = load(folder)
    for name, one in scenario.calibrations.items():
        assert one.development_success is not None
        assert mean_of_mix(scenario, name) == pytest.approx(one.development_success, abs=1e-9)


@given(st.floats(1e-6, 0.9), st.integers(0, 300))
def test_the_mean_of_any_mix_is_the_figure_and_no_other_shift_gives_it(figure: float, seed: int) -> None:
    world = draw_world(seed).scenario
    rates = replace(world.calibrations["only"], development_success=figure)
    scenario = replace(world, calibrations={"only": rates})
    assert not unreachable(figure, reference_mix(scenario, rates))
    assert mean_of_mix(scenario, "only") == pytest.approx(figure, abs=1e-9)
    more = replace(scenario, calibrations={"only": replace(rates, development_success=figure * 1.001)})
    assert step_success(more).shift > step_success(scenario).shift


def test_a_worked_example() -> None:
    """Steps of 0.9, published, and of 0.8: for 0.63 of the mix the second must be 0.7, ln(0.7 / 0.3) - ln 4 more."""
    grades = ("assumed",) * 3 + ("published",) + ("assumed",) * 4
    steps = replace(each_step(), success=(0.5, 0.5, 0.5, 0.9, 0.8, 0.6, 1.0, 0.0), success_grade=grades)
    rates = Calibration(1.0, development_success=0.63, reference=(ReferenceRow(4, 6),))
    scenario = plain(steps=steps, calibrations={"only": rates})
    found = step_success(scenario)
    assert found.shift == pytest.approx(math.log(0.7 / 0.3) - math.log(4))
    assert [found.of_kind(k) for k in (4, 5)] == pytest.approx([0.9, 0.7])
    # Another step gets the same: odds 1.5 x (7/3) / 4 = 0.875; what is certain or impossible stays.
    assert found.of_kind(6) == pytest.approx(0.875 / 1.875)
    assert [found.of_kind(k) for k in (7, 8)] == [1.0, 0.0]
    case = unconstrained_case(scenario, (Choice("T", start_year=2024),))
    assert case.alone_success[0, 3:5] == pytest.approx([0.9, 0.7])
    lines = list(success_lines(scenario))
    assert "0.63 of the mix TRL 4 to 6 (100%); steps graded assumed are shifted by -0.539 in log-odds" in lines[0]
    assert lines[1].endswith("0.368 0.368 0.368 0.900* 0.700 0.467 1.000 0.000 (* published)")


def test_fields_and_classes_shift_every_step_and_calibration_the_assumed_ones() -> None:
    scenario = mixed()
    found, listed = step_success(scenario), step_success(mixed(None))
    assert listed.shift == 0.0
    assert [listed.of_kind(k) for k in range(1, 9)] == list(STEPS.success)
    for k in range(1, 9):
        own = logit(found.of_kind(k, "g", "high"))
        assert own == pytest.approx(logit(found.of_kind(k)) - 0.4 - 0.7)
        moved = 0.0 if k == 7 else found.shift
        assert logit(found.of_kind(k)) == pytest.approx(logit(STEPS.success[k - 1]) + moved)


def test_what_is_said_of_one_technology_is_neither_shifted_nor_calibrated() -> None:
    rows = {"T": Technology("T", "T", "line", "g", trl=4, cost=1.0, value=9.0, trl_target=6, uncertainty="high")}
    own = (TechnologyStep("T", 4, success=0.52), TechnologyStep("T", 5, 9.0))
    scenario = mixed(technologies=rows, technology_steps=own)
    found = step_success(scenario)
    assert found.of("T", 4) == 0.52
    assert found.of("T", 5) == found.of_kind(5, "g", "high")


@pytest.mark.parametrize("shift", [0.55, -0.55])
def test_a_partner_takes_a_like_share_of_failures_of_one_step_and_of_four(shift: float) -> None:
    """Within a tenth; points on each attempt took 20% of the failures of one step and 61% of those of four."""
    failing = []
    for steps, success in ((1, 0.872), (4, 0.872**0.25)):
        technology = Technology(
            "T", "T", "line", "f", trl=8 - steps, cost=1.0, value=9.0, trl_target=8, home_level=80.0
        )
        scenario = plain(
            {"T": technology},
            steps=each_step(success, setback_probability=0.5, attempts=3),
            modes={"domestic": Mode("Domestic"), "joint": Mode("Joint")},
            partners={"P": Partner("P", "P", modes=("joint",), places=1)},
            levels={"P": {"f": 92.0}},
            partner_effect=PartnerEffect(trl_low=1.0, trl_high=2.0, success_shift=shift),
        )
        case = unconstrained_case(scenario, (Choice("T", "joint", "P", 2024),))
        taken = slice(7 - steps, 7)
        eventual = [_eventual(one[0, taken], 0.5, 3).prod() for one in (case.alone_success, case.success)]
        failing.append((1 - eventual[1]) / (1 - eventual[0]))
        assert eventual[0] == pytest.approx(0.872)
        assert _eventual(case.success[0, taken], 0.5, 3) == pytest.approx(with_shift(success, shift))
    share_of_one, share_of_four = 1 - failing[0], 1 - failing[1]
    assert share_of_four == pytest.approx(share_of_one, rel=0.1)
    assert (share_of_one > 0.2) == (shift > 0)


def _eventual(once: np.ndarray, setback: float, attempts: int) -> np.ndarray:
    return sum(once * ((1 - once) * setback) ** k for k in range(attempts))  # type: ignore[no-any-return]


def test_no_effect_is_none_and_a_certain_step_stays_certain() -> None:
    for success in (0.0, 0.3, 0.9, 1.0):
        assert with_shift(success, 0.0) == success
    assert [with_shift(p, s) for p in (0.0, 1.0) for s in (-3.0, 3.0, math.inf, -math.inf)] == [0.0] * 4 + [1.0] * 4
    assert with_shift(0.9, 0.55) == pytest.approx(0.94, abs=0.0005)
    assert with_shift(0.3, math.inf) == 1.0
    assert with_shift(0.3, -math.inf) == 0.0
    assert attempt_success(np.array([0.0, 1.0]), 1.0, 3).tolist() == [0.0, 1.0]


def test_medicine_has_medicines_trials() -> None:
    """Nucleic-acid therapies and cell-rejuvenation drugs succeeded with 0.872 like everything else."""
    korea = load("scenarios/korea-2024")
    found = step_success(korea)
    trials = [found.of("T070", k) for k in range(4, 8)]
    assert trials == [0.52, 0.289, 0.578, 0.906]
    assert math.prod(trials) == pytest.approx(0.079, abs=0.0005)  # published for phase 1 to approval, 2011-20
    assert [found.of("F082", k) for k in (4, 5, 6)] == trials[:3]
    assert found.of("F082", 3) == found.of_kind(3, "bio", "high")
    for calibration in korea.calibrations:
        other = step_success(load("scenarios/korea-2024", {"calibration": calibration}))
        assert [other.of("T070", k) for k in range(4, 8)] == trials


def test_risk_depends_on_trl_and_class() -> None:
    found = step_success(load("scenarios/korea-2024"))
    steps = [found.of_kind(k, "battery", "medium") for k in range(1, 9)]
    assert min(steps) == steps[4]
    assert found.of_kind(5, "battery", "low") > steps[4] > found.of_kind(5, "battery", "high")


def test_a_field_may_have_times_of_its_own() -> None:
    years = (0.5,) * 3 + (0.25, 1.0) + (0.5,) * 3
    scenario = plain(fields={"f": TechField("F", median_years=years)})
    case = unconstrained_case(scenario, (Choice("T", start_year=2024),))
    assert case.median_days[0, :2].tolist() == [90, 450]


# --- at the door ----------------------------------------------------------------------------------


def refused(*overrides: str, folder: Path) -> str:
    with pytest.raises(ScenarioError) as error:
        load(folder, overrides)
    return str(error.value)


def test_a_figure_that_no_shift_reaches_is_refused_with_the_range(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    one = "calibrations.strict.reference=[{ trl = 5, target = 8 }]"
    text = refused("calibrations.strict.development_success=0.98", one, folder=folder)
    assert "must be a success that its reference mix can have: above 0 and at most 0.975" in text
    text = refused('steps.success_grade=["published"]', "calibrations.lenient.development_success=none", folder=folder)
    assert "as no step is shifted" in text
    assert "calibrations.strict" in text
    sure = load(folder, ["calibrations.strict.development_success=1.0", 'steps.success_grade=["assumed"]'])
    assert {step_success(sure).of_kind(k) for k in range(1, 9)} == {1.0}


def test_mixes_name_what_there_is_and_take_steps(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    text = refused(
        'calibrations.strict.reference=[{ trl = 5, target = 5 }, { trl = 4, target = 7, field = "chp" }]',
        'calibrations.lenient.reference=[{ trl = 4, target = 7, uncertainty = "hihg" }]',
        folder=folder,
    )
    for said in ("must be above trl, 5", "Did you mean 'chip'?", "Did you mean 'high'?"):
        assert said in text
    assert "must be a number above 0" in refused("calibrations.strict.reference.1.weight=0", folder=folder)
    grades = 'steps.success_grade=["assumed", "published"]'
    assert "must be one grade for all steps, or 8. Found: 2 entries" in refused(grades, folder=folder)


def test_a_calibration_has_a_success_of_its_own_where_it_is_in_use(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    own = [
        "calibrations.lenient.success=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]",
        'calibrations.lenient.success_grade=["derived"]',
        "calibrations.lenient.development_success=none",
    ]
    used, other = (step_success(load(folder, [*own, f"calibration={name}"])) for name in ("lenient", "strict"))
    assert [used.of_kind(k) for k in range(1, 9)] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    listed = step_success(load(folder, ["calibration=strict"]))
    assert [other.of_kind(k) for k in range(1, 9)] == [listed.of_kind(k) for k in range(1, 9)]
    assert "must be one grade for all steps" in refused(own[0], own[1].replace("]", ', "assumed"]'), folder=folder)
    assert "needs success beside it" in refused(own[1], folder=folder)


def test_points_of_success_are_refused_with_what_to_write(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    for points, written in ((0.04, "0.55"), (0.02, "0.25"), (0.2, "4.71")):
        text = refused(f"partner_effect.success_gain={points}", folder=folder)
        assert f"Write success_shift = {written}." in text
        assert "--set partner_effect.success_gain" in text
    assert "Write success_shift = 0.55" in refused("partner_effect={ success_gain = 0.04 }", folder=folder)
    old = tiny_folder(tmp_path / "old", scenario=lambda text: text + "\n[partner_effect]\nsuccess_gain = 0.04\n")
    assert "scenario.toml, partner_effect.success_gain" in refused(folder=old)
    with pytest.warns(RenamedWarning, match="success_shift; write that"):
        none = load(folder, ["partner_effect.success_gain=0"])
    assert none.partner_effect.success_shift == 0.0


def test_the_default_mix_is_told(tmp_path: Path) -> None:
    lines = list(success_lines(load(tiny_folder(tmp_path / "tiny"))))
    assert any("0.89 of the mix TRL 4 to 8 (100%)" in line for line in lines)
    assert any("TRL 3 to 7 high (67%)" in line for line in lines)
    assert any("field bio, -0.3 in log-odds" in line for line in lines)


def test_reach_is_what_shifts_lead_to() -> None:
    scenario = mixed()
    mix = reference_mix(scenario, scenario.calibrations["only"])
    least, largest = reach(mix)
    published = [1.0, 0.906, with_shift(0.906, 0.5)]
    assert least == 0.0
    assert largest == pytest.approx(float(np.average(published, weights=[2.0, 1.0, 0.5])))
    assert sound(mixed(0.93)).calibrations["only"].development_success == 0.93
    with pytest.raises(ScenarioError, match=r"at most 0\.964685"):
        sound(mixed(0.99))


# --- generated worlds -----------------------------------------------------------------------------


def second_reading(scenario: Scenario, technology: str, trl: int, shift: float) -> float:
    """Eventual success as the page on the model says it, for technologies that experts have said nothing of."""
    own = [row.success for row in scenario.technology_steps if (row.technology, row.trl) == (technology, trl)]
    if own and own[0] is not None:
        return own[0]
    one, steps, rates = scenario.technologies[technology], scenario.steps, scenario.calibrations["only"]
    listed, grades = steps.success, steps.success_grade
    if rates.success is not None:
        listed, grades = rates.success, rates.success_grade
    odds = float(logit(listed[trl - 1]))
    odds += scenario.fields[one.field].success_shift + scenario.uncertainty[one.uncertainty].success_shift
    grade = (grades * 8)[trl - 1] if len(grades) == 1 else grades[trl - 1]
    return float(expit(odds + (shift if grade == "assumed" else 0.0)))


def test_cases_have_the_success_of_a_second_reading_and_worlds_have_all_that_there_is() -> None:
    seen: Counter[str] = Counter()
    count = 300
    for seed in range(count):
        world = draw_world(seed)
        scenario, case = world.scenario, world.case()
        rates, steps, shift = scenario.calibrations["only"], scenario.steps, step_success(scenario).shift
        seen["a published step"] += "published" in steps.success_grade and any(0 < p < 1 for p in steps.success)
        seen["success of the calibration"] += rates.success is not None
        seen["no figure"] += rates.development_success is None
        seen["certainty"] += math.isinf(shift)
        seen["a mix of its own"] += len(rates.reference) > 1
        seen["a field's shift"] += any(one.success_shift for one in scenario.fields.values())
        seen["a field's times"] += any(one.median_years for one in scenario.fields.values())
        seen["a class's shift"] += any(one.success_shift for one in scenario.uncertainty.values())
        seen["harm by partners"] += scenario.partner_effect.success_shift < 0 and bool(scenario.partners)
        judged = {(one.technology, one.trl) for one in scenario.judgements if one.input == "success"}
        for row, choice in enumerate(world.choices):
            taken = range(int(case.trl[row]), int(case.target[row]))
            free = [trl for trl in taken if (choice.technology, trl) not in judged]
            wanted = np.array([second_reading(scenario, choice.technology, trl, shift) for trl in free])
            once = case.alone_success[row, [trl - 1 for trl in free]]
            found = _eventual(once, steps.setback_probability, steps.attempts)
            assert found == pytest.approx(wanted, abs=1e-12), (seed, choice.technology)
    assert min(seen.values()) >= 0.05 * count, seen
