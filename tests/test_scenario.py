"""The door: everything that a folder or an override can say wrongly is refused at once, and what is right survives."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rdsim.scenario
from rdsim.domain import Scenario
from rdsim.errors import Fault, OutputError, ScenarioError
from rdsim.numerals import Style, number, quantity_parts
from rdsim.scenario import (
    award,
    calibration,
    check,
    cost,
    digest,
    dump,
    eligible,
    level,
    load,
    market_probability,
    market_value,
    money_scale,
    remarks,
    schema,
    start,
    target,
)
from rdsim.scenario.units import factor, money_unit
from rdsim.stats import paired_difference
from rdsim.tables import did_you_mean, read_table
from tests.broken_inputs import BROKEN, Broken, broken_folder
from tests.tiny import TINY_FILES, tiny_folder


def refusal(folder: Path, *overrides: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(folder, overrides)
    return caught.value


# Broken input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_broken_input_has_its_fault_and_no_other(broken: Broken, tmp_path: Path) -> None:
    error = refusal(broken_folder(broken, tmp_path / "broken"), *broken.overrides)
    fault = error.faults[0]
    assert fault.where.startswith(broken.where)
    assert broken.rule in fault.rule
    assert broken.found in fault.found
    assert broken.suggestion in fault.suggestion
    assert len(error.faults) == broken.count, str(error)
    assert error.exit_code == 2
    assert pickle.loads(pickle.dumps(error)).faults == error.faults  # noqa: S301 - our own bytes
    assert str(fault) in str(error)


def test_there_are_many_kinds_of_broken_input() -> None:
    assert len(BROKEN) >= 100
    assert len({broken.name for broken in BROKEN}) == len(BROKEN)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path / "broken",
        scenario=lambda text: text.replace("seats = 1", "seats = 0").replace("carry_over", "cary_over"),
        technologies=lambda text: text.replace("leap,chip,5,15", "leep,chip,11,-15").replace(",8,90", ",8x,-90"),
        partners=lambda text: text.replace("0.9,0.02", "1.9,0.02"),
        links=lambda text: text.replace("T3,T1", "T3,T10"),
        partner_levels=lambda text: text.replace("DE", "GER"),
    )
    error = refusal(folder, "technologies.T2.trl=0", "programmes.x.name=3", "calibration=none")
    places = [fault.where for fault in error.faults]
    assert places == [
        "--set calibration",
        "--set programmes.x.name",
        "--set technologies.T2.trl",
        "links.csv, row 2, column other",
        "partner_levels.csv, row 4",
        "partners.csv, row 2, column agreement",
        "scenario.toml, panels.experts.seats",
        "scenario.toml, programmes.leap.cary_over",
        "technologies.csv, row 2, column cost",
        "technologies.csv, row 2, column programme",
        "technologies.csv, row 2, column trl",
        "technologies.csv, row 6, column cost",
        "technologies.csv, row 6, column value",
    ]
    assert str(error).startswith("13 faults in the scenario\n  --set calibration: is required")


def test_a_missing_folder_an_empty_one_and_a_file_are_no_scenario(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    (tmp_path / "empty").mkdir()
    for place, found in ((tmp_path / "none", "nothing"), (tmp_path / "empty", "an empty folder"), (file, "a file")):
        (fault,) = refusal(place).faults
        assert fault.where == str(place)
        assert fault.found == found


def test_a_table_under_nearly_its_name_is_not_left_out_in_silence(tiny: Path) -> None:
    (tiny / "links.csv").rename(tiny / "link.csv")
    (fault,) = refusal(tiny).faults
    assert fault.where == "links.csv"
    assert fault.suggestion == "Rename link.csv to links.csv."


def test_every_single_cell_of_nonsense_is_refused_in_its_own_place(tmp_path: Path) -> None:
    header, first, *rest = TINY_FILES["technologies.csv"].splitlines()
    columns = header.split(",")
    for index, column in enumerate(columns):
        if column in ("name", "source", "note"):
            continue
        cells = [*first.split(",")[:index], "#", *first.split(",")[index + 1 :]]
        folder = tiny_folder(tmp_path / str(index), technologies="\n".join([header, ",".join(cells), *rest]) + "\n")
        assert f"row 2, column {column.split()[0]}" in str(refusal(folder)), column


_PLACES = (
    *("name", "start_year", "money_unit", "currency", "calibration", "title", "nothing", "facility_needs.0.units"),
    *("programmes", "programmes.leap", "programmes.leap.budget", "programmes.leap.tranches", "programmes.leap.gate"),
    *("technologies", "technologies.T1", "technologies.T1.cost", "partners.US.modes", "partners.US+JP.members"),
    *(
        "levels",
        "levels.US",
        "links",
        "links.0",
        "modes.domestic",
        "steps.median_years",
        "limits.fields",
        "international",
    ),
)
_ENDS = ("", ".name", ".0", ".2024", ".bio", ".programme", ".floor")
_VALUES = (
    *("1", "-1", "2024", "0.5", "nan", "1e999", "9" * 50, "true", "none", "[]", "[1]", "[[1]]", "{}", "{ a = 1 }"),
    *("text", "''", "5 months", "1e99 million KRW", "'a|b'", "2024-01-01", '"\\u0000"', "[", "leap", "T1", "['US']"),
)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from(_PLACES), st.sampled_from(_ENDS), st.sampled_from(_VALUES)), min_size=1, max_size=3
    )
)
def test_no_override_breaks_the_door(parts: list[tuple[str, str, str]]) -> None:
    overrides = [f"{place}{end}={value}" for place, end, value in parts]
    with tempfile.TemporaryDirectory() as folder:
        try:
            s = load(tiny_folder(Path(folder) / "tiny"), overrides)
        except ScenarioError as error:
            assert error.faults  # noqa: PT017
            assert all(fault.where and fault.rule for fault in error.faults)  # noqa: PT017
        else:
            check(s)
            dump(s, Path(folder) / "dumped")
            assert load(Path(folder) / "dumped") == s


# Right input ----------------------------------------------------------------------------------------------------


def test_quantities_are_read_in_the_scenarios_units(tiny: Path) -> None:
    s = load(tiny)
    assert s.programmes["leap"].budget == {2024: 12, 2025: 14, 2026: 14, 2027: 10, 2028: 6}
    assert s.programmes["leap"].tranches[1].months == 12
    s = load(
        tiny,
        [
            "programmes.leap.deadline_years=30 months",
            "panels.experts.review_months=45 days",
            "discount_rate=4.5 % per year",
            "partners.US.break_rate=0.01 per month",
            "technologies.T1.cost=0.1 million KRW",
        ],
    )
    assert s.programmes["leap"].deadline_years == 2.5
    assert s.panels["experts"].review_months == 1.5
    assert s.discount_rate == 0.045
    assert s.partners["US"].break_rate == 0.12
    assert s.technologies["T1"].cost == 0.0001


def test_a_column_in_another_scale_is_converted(tiny: Path, tmp_path: Path) -> None:
    text = TINY_FILES["technologies.csv"].replace("billion KRW", "million KRW")
    for old, new in ((",5,15,", ",5,15000,"), (",4,18,", ",4,18000,"), (",6,12,", ",6,12000,"), (",3,9,", ",3,9000,")):
        text = text.replace(old, new)
    text = text.replace(",2,8,", ",2,8000,").replace(",4,10,", ",4,10000,")
    assert load(tiny_folder(tmp_path / "millions", technologies=text)) == load(tiny)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spreadsheets_write_tables_in_many_ways(
    separator: str, ending: str, mark: str, tiny: Path, tmp_path: Path
) -> None:
    def as_spreadsheet(text: str) -> bytes:
        text = text.replace('"mRNA, 치료제"', "\0").replace(",", separator).replace("\0", '"mRNA, 치료제"')
        return (mark + text.replace("\n", ending)).encode()

    changes = {name.partition(".")[0]: as_spreadsheet(TINY_FILES[name]) for name in TINY_FILES if name.endswith("csv")}
    settings_text = (mark + TINY_FILES["scenario.toml"].replace("\n", ending if ending != "\r" else "\n")).encode()
    s = load(tiny_folder(tmp_path / "other", scenario=settings_text, **changes))
    assert s == load(tiny)
    assert s.technologies["T2"].name == "mRNA, 치료제"
    assert s.partners["US"].name == "미국"


def test_decimal_commas_are_read_between_semicolons(tiny: Path, tmp_path: Path) -> None:
    text = TINY_FILES["links.csv"].replace(",", ";").replace("0.05", "0,05")
    assert load(tiny_folder(tmp_path / "other", links=text)) == load(tiny)


def test_rows_are_numbered_as_the_spreadsheet_shows_them(tmp_path: Path) -> None:
    text = TINY_FILES["technologies.csv"].replace("AI 반도체", '"AI\n반도체"').replace("T4,", "\n,,,,,,,,,,,,,,,,\nT4,")
    (fault,) = refusal(tiny_folder(tmp_path / "x", technologies=text.replace(",3,9,60", ",3,-9,60"))).faults
    assert fault.where == "technologies.csv, row 7, column cost"


def test_a_country_code_no_is_text(tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path / "norway",
        partners=lambda text: text.replace("DE,Germany", "NO,Norway"),
        partner_levels=lambda text: text.replace("DE,", "NO,"),
    )
    s = load(folder, ["levels.NO.chip=80", "partners.NO.region=NO"])
    assert s.partners["NO"].region == "NO"
    assert s.levels["NO"] == {"bio": 94, "chip": 80}


def test_joint_work_and_links_may_be_absent(tmp_path: Path) -> None:
    def alone(text: str) -> str:
        text = text[: text.index("[modes.matching]")] + text[text.index("[calibrations.strict]") :]
        return text.replace('preferred_networks = ["IMDRF"]\n', "").replace("[limits.partners.US]\nceiling = 0.6\n", "")

    absent = dict.fromkeys(("partners", "partner_levels", "links", "facility_needs", "technology_steps"))
    s = load(tiny_folder(tmp_path / "alone", scenario=alone, **absent))
    assert (s.partners, s.levels, s.links, s.facility_needs, s.technology_steps) == ({}, {}, (), (), ())
    assert list(s.modes) == ["domestic"]


# Overrides ------------------------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[Scenario], object]] = {
    "programmes.leap.budget.2024=100": lambda s: s.programmes["leap"].budget[2024] == 100,
    "programmes.leap.budget.2030=5": lambda s: s.programmes["leap"].budget[2030] == 5,
    "technologies.T1.cost=12": lambda s: s.technologies["T1"].cost == 12,
    "partners.US.setup_cost=3": lambda s: s.partners["US"].setup_cost == 3,
    "levels.US.bio=95": lambda s: s.levels["US"]["bio"] == 95,
    "levels.DE.chip=70.5": lambda s: s.levels["DE"]["chip"] == 70.5,
    "calibration=lenient": lambda s: s.calibration == "lenient",
    "optimiser.gap=0.02": lambda s: s.optimiser.gap == 0.02,
    "programmes.leap.tranches.0.months=9": lambda s: s.programmes["leap"].tranches[0].months == 9,
    "links.2.amount=-5": lambda s: [one.amount for one in s.links if one.kind == "synergy"] == [-5],
    'partners."US+JP".modes=["direct", "matching"]': lambda s: s.partners["US+JP"].modes == ("direct", "matching"),
    "partners.US+JP.agreement=0.5": lambda s: s.partners["US+JP"].agreement == 0.5,
    "programmes.leap.award_cap=16": lambda s: s.programmes["leap"].award_cap == 16,
    "programmes.base.award_cap=none": lambda s: s.programmes["base"].award_cap is None,
    "requests_total=100": lambda s: s.requests_total == 100,
    "uncertainty.low.value_sigma=0.1": lambda s: s.uncertainty["low"].value_sigma == 0.1 and len(s.uncertainty) == 3,
    "uncertainty.wild={ value_sigma = 2 }": lambda s: s.uncertainty["wild"].value_sigma == 2,
    "steps.median_years.7=2 years": lambda s: s.steps.median_years == (0.7, 0.8, 0.8, 0.9, 1.0, 1.2, 1.3, 2.0),
    "limits.fields.chip.floor=0.2": lambda s: s.limits.fields["chip"].floor == 0.2,
    "limits.partners.JP.ceiling=0.5": lambda s: s.limits.partners["JP"].ceiling == 0.5,
    "optimiser.payment_ratio.base=1.5": lambda s: s.optimiser.payment_ratio == {"leap": 1.2, "base": 1.5},
    "risks.budget.lowest=0.7": lambda s: s.risks.budget.lowest == 0.7,
    "technologies.T6.name=  새 이름, =1 ": lambda s: s.technologies["T6"].name == "새 이름, =1",
    'technologies.T6.note="two\\nlines, \\"quoted\\""': lambda s: s.technologies["T6"].note == 'two\nlines, "quoted"',
    "technologies.T6.note=2024-01-01": lambda s: s.technologies["T6"].note == "2024-01-01",
    'title="none"': lambda s: s.title == "none",
    "description=a\nb = 1": lambda s: s.description == "a\nb = 1",
    "technologies.T4.status=must-not-fund": lambda s: s.technologies["T4"].status == "must-not-fund",
    "risks.field_factor={ success_loading = 0.5 }": lambda s: s.risks.field_factor.success_loading == 0.5,
    "international.share_floor={}": lambda s: s.international.share_floor == {},
    "facility_needs=[]": lambda s: s.facility_needs == (),
}


@pytest.mark.parametrize("override", CHANGES)
def test_an_override_changes_its_place(override: str, tiny: Path) -> None:
    before, after = load(tiny), load(tiny, [override])
    assert CHANGES[override](after)
    assert digest(before) != digest(after)


def test_a_confidence_that_is_let_in_can_be_shared_among_many_comparisons(tiny: Path) -> None:
    most = load(tiny, {"simulation.confidence": 0.999999}).simulation.confidence
    assert math.isfinite(paired_difference([1.0, 2.0, 4.0], [0.0, 3.0, 1.0], most, 100_000).half_width)
    for beyond in (0.5, 1 - 2**-53, 1.0):
        with pytest.raises(ScenarioError, match=r"simulation\.confidence: must be a number above 0\.5 and at most"):
            load(tiny, {"simulation.confidence": beyond})


def test_overrides_may_be_a_mapping_and_the_last_one_wins(tiny: Path) -> None:
    s = load(tiny, {"programmes.leap.award_cap": 16, "programmes.base.award_cap": None, "steps.attempts": 2})
    assert s.programmes["leap"].award_cap == 16
    assert s.programmes["base"].award_cap is None
    assert s.steps.attempts == 2
    assert load(tiny, ["steps.attempts=2", "steps.attempts=4"]).steps.attempts == 4


def test_a_star_stands_for_every_entry(tiny: Path) -> None:
    found = load(tiny, ["technologies.*.trl_target=8", "levels.*.*=70", "programmes.*.tranches.*.months=10"])
    assert {row.trl_target for row in found.technologies.values()} == {8}
    before = load(tiny).levels
    assert found.levels == {code: dict.fromkeys(row, 70.0) for code, row in before.items()}
    assert {one.months for line in found.programmes.values() for one in line.tranches} == {10}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("partnrs.*.places=1", "Did you mean 'partners'?"),
        ("limits.fields.*.floor=0", "'limits.fields' holds no entries"),
        ("name.*=1", "'name' is a single value and has no entries"),
        ("partners.*.placs=1", "Did you mean 'places'?"),
        ("technologies.*.trl=12", "from 1 to 9"),
    ],
)
def test_a_star_that_stands_for_nothing_or_brings_faults_is_refused(override: str, told: str, tiny: Path) -> None:
    faults = refusal(tiny, "limits.fields={}", override).faults
    assert all(fault.where == f"--set {override.partition('=')[0]}" for fault in faults)
    assert any(told in f"{fault.rule} {fault.suggestion}" for fault in faults), faults


def test_a_technology_can_be_taken_out(tiny: Path) -> None:
    faults = refusal(tiny, "technologies.T2=none").faults
    assert {fault.where for fault in faults} == {"--set technologies.T2"}
    assert sorted(fault.found for fault in faults) == [
        "'T2' (facility_needs.csv, row 2, column technology)",
        "'T2' (links.csv, row 4, column technology)",
    ]
    s = load(tiny, ["technologies.T2=none", "facility_needs=[]", "links=[]"])
    assert list(s.technologies) == ["T1", "T3", "T4", "T5", "T6"]


def test_a_technologys_market_must_fit_into_the_worlds(tiny: Path) -> None:
    size = {"technologies.T1.market_size": 900.0}
    assert load(tiny, {**size, "market.world.2030": 900.0, "market.world.2026": 5.0}).market.world[2030] == 900
    (fault,) = refusal_of(tiny, {**size, "market.world.2030": 899.0})
    assert "must not be above the world market of 2030, 899" in fault.rule


def refusal_of(folder: Path, overrides: dict[str, float]) -> tuple[Fault, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(folder, overrides)
    return caught.value.faults


def test_an_override_may_mend_what_a_file_has_wrong(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "x", technologies=("chip,5,15", "chip,11,15"))
    assert "row 2, column trl" in str(refusal(folder))
    assert load(folder, ["technologies.T1.trl=5"]).technologies["T1"].trl == 5


# Content --------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(CHANGES)), unique=True, max_size=8))
def test_a_dumped_scenario_loads_to_an_equal_one(overrides: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        s = load(tiny_folder(Path(place) / "tiny"), overrides)
        dump(s, Path(place) / "dumped")
        again = load(Path(place) / "dumped")
    assert again == s
    assert digest(again) == digest(s)


@settings(max_examples=60)
@example(name="0", note="0\r0", amount=0.0, floor=0.0)
@given(name=st.text(min_size=1), note=st.text(), amount=st.floats(-1e6, 1e6), floor=st.floats(0, 1))
def test_any_text_and_number_is_refused_or_survives(name: str, note: str, amount: float, floor: float) -> None:
    overrides = {
        "technologies.T1.name": name,
        "technologies.T1.note": note,
        "title": note,
        "links.2.amount": amount,
        "programmes.base.carry_over": floor,
    }
    with tempfile.TemporaryDirectory() as place:
        folder = tiny_folder(Path(place) / "tiny")
        try:
            s = load(folder, overrides)
        except ScenarioError as error:
            assert all(fault.where.startswith("--set t") for fault in error.faults)  # noqa: PT017
            return
        dump(s, Path(place) / "dumped")
        assert load(Path(place) / "dumped") == s


def test_dump_refuses_a_folder_that_holds_something(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="new or an empty folder"):
        dump(load(tiny), tiny)
    with pytest.raises(OutputError, match="must be writable"):
        dump(load(tiny), tiny / "links.csv" / "x")
    dump(load(tiny), tmp_path / "new" / "deep")
    assert sorted(path.name for path in (tmp_path / "new" / "deep").iterdir()) == sorted(TINY_FILES)


def test_the_digest_is_blind_to_order_and_to_the_way_of_writing(tiny: Path, tmp_path: Path) -> None:
    def reversed_rows(text: str) -> str:
        header, *rows = text.splitlines()
        return "\n".join([header, *reversed(rows)]) + "\n"

    changes = dict.fromkeys(
        ("technologies", "partners", "partner_levels", "links", "facility_needs", "technology_steps"), reversed_rows
    )
    other = load(tiny_folder(tmp_path / "other", scenario=("2028 = 4\n", "2028 = 4.0\n"), **changes))
    assert digest(other) == digest(load(tiny))
    assert len(digest(other)) == 64


def test_every_number_counts_in_the_digest(tiny: Path) -> None:
    digests = {digest(load(tiny, [f"technologies.T1.cost={15 + k * 2**-48}"])) for k in range(4)}
    assert len(digests) == 4


def test_the_digest_is_the_same_in_every_process(tiny: Path) -> None:
    code = f"import rdsim.scenario as s; print(s.digest(s.load({str(tiny)!r})))"
    root = str(Path(__file__).parent.parent)
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {digest(load(tiny))}


def test_loading_imports_nothing_heavy() -> None:
    heavy = {"pandas", "numpy", "numba", "pulp"}
    code = f"import sys, rdsim.scenario, rdsim.portfolio; print(sorted({heavy} & set(sys.modules)))"
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_schema_describes_the_settings_and_the_tables() -> None:
    found = schema()
    names = {one.name for one in dataclasses.fields(Scenario)}
    tables = {"technologies", "partners", "levels", "links", "facility_needs", "technology_steps", "judgements"}
    assert set(found["properties"]) == names - tables
    assert found["additionalProperties"] is False
    assert set(found["tables"]) == {name for name in TINY_FILES if name.endswith(".csv")} | {"judgements.csv"}
    json.dumps(found)
    programme = found["$defs"]["Programme"]["properties"]
    assert programme["deadline_years"]["description"]
    assert {"type": "string"}.items() <= programme["deadline_years"]["anyOf"][-1].items()
    assert programme["budget"]["additionalProperties"]["anyOf"][0]["type"] == "number"
    row = found["$defs"]["Technology"]
    assert row["patternProperties"]["^tag\\."]["type"] == ["string", "number", "null"]
    assert {"type": "string"} in row["properties"]["needs_fields"]["anyOf"]
    described = itertools.chain.from_iterable(one.get("properties", {}).values() for one in found["$defs"].values())
    assert all("description" in one or "$ref" in one for one in described)


# Figures --------------------------------------------------------------------------------------------------------


def test_figures_follow_from_the_scenario(tiny: Path) -> None:
    s = load(tiny)
    assert money_scale(s) == 10**9
    assert money_scale(dataclasses.replace(s, money_unit="KRW")) == 1
    with pytest.raises(ScenarioError, match="as 'billion KRW'"):
        money_scale(dataclasses.replace(s, money_unit="bn"))
    assert cost(s, "T1") == cost(s, s.technologies["T1"]) == 15
    assert (target(s, "T1"), target(s, "T4")) == (9, 7)
    assert market_value(s, "T3") == 400 * 0.15
    assert market_value(s, "T1") == 120
    assert (market_probability(s, "T1"), market_probability(s, "T2")) == (0.228, 0.4)
    assert calibration(s) is s.calibrations["strict"]


def test_costs_are_scaled_to_the_total_of_requests(tiny: Path) -> None:
    s = load(tiny, ["requests_total=144"])
    assert sum(cost(s, code) for code in s.technologies) == pytest.approx(144)
    assert cost(s, "T1") == pytest.approx(30)


def test_a_consortium_has_its_best_members_level_and_none_of_its_own(tiny: Path) -> None:
    s = load(tiny)
    assert (level(s, "US", "bio"), level(s, "DE", "chip"), level(s, "US+JP", "chip")) == (100, 0, 98)
    (fault,) = refusal(tiny, "levels.US+JP.chip=50").faults
    assert fault.rule == "must not be given for a consortium: it has its members' levels, the best one field by field"
    assert fault.suggestion == "Delete the row."


@pytest.mark.parametrize(
    ("technology", "partner", "mode", "reason"),
    [
        ("T1", "", "domestic", ""),
        ("T1", "US", "matching", ""),
        ("T1", "US+JP", "direct", ""),
        ("T1", "DE", "direct", "DE has no level in field chip"),
        ("T1", "JP", "direct", "JP does not offer mode 'direct'"),
        ("T1", "US", "domestic", "mode 'domestic' takes no partner"),
        ("T1", "", "direct", "mode 'direct' needs a partner"),
        ("T1", "XX", "direct", "there is no partner 'XX'"),
        ("T1", "US", "gift", "there is no mode 'gift'"),
        ("T9", "", "domestic", "there is no technology 'T9'"),
    ],
)
def test_eligibility_says_why_not(technology: str, partner: str, mode: str, reason: str, tiny: Path) -> None:
    assert eligible(load(tiny), technology, partner, mode) == reason


def test_eligibility_follows_the_programmes_rules(tiny: Path) -> None:
    s = load(tiny, ["programmes.leap.foreign_partner_required=true", "programmes.leap.fallback=drop"])
    assert eligible(s, "T1", "", "domestic") == "programme leap requires a foreign partner"
    assert eligible(s, "T1", "US", "direct") == ""
    s = load(tiny, ["programmes.leap.award_cap=15.5", "technologies.T3.status=must-not-fund", "partners.JP.places=0"])
    assert eligible(s, "T1", "", "domestic") == ""
    assert eligible(s, "T1", "US", "direct").startswith("its award of 16.2 billion KRW is above")
    assert eligible(s, "T3", "", "domestic") == "the planner has ruled it out (must-not-fund)"
    assert eligible(s, "T1", "US+JP", "direct") == "JP has no places for joint projects"


def test_the_award_is_cost_times_partner_factor_times_home_share(tiny: Path) -> None:
    s = load(tiny)
    assert award(s, "T1", "", "domestic") == 15
    assert award(s, "T1", "US", "matching") == pytest.approx(15 * 1.08 * 0.6)
    assert award(s, "T1", "US+JP", "direct") == pytest.approx(15 * 1.08 * 1.05)


# Feasibility ----------------------------------------------------------------------------------------------------


def test_the_tiny_scenario_passes_the_cheap_bounds(tiny: Path) -> None:
    assert check(load(tiny)) == ()


_LATE = (
    "programmes.leap.budget.2028=0",
    "programmes.leap.starts={ 2025 = 4 }",
    "programmes.leap.tranches.1.months=13",
    "programmes.leap.carry_over=0",
)

INFEASIBLE = {
    "must-funds above the budget": (
        ["programmes.leap.budget={ 2024 = 8, 2028 = 0.5 }", "optimiser.payment_ratio={}"],
        "cheapest awards",
        "11.664 billion KRW",
    ),
    "a prerequisite above the budget": (
        [
            "technologies.T3.status=must-fund",
            "programmes.leap.budget={ 2024 = 20, 2028 = 8 }",
            "optimiser.payment_ratio={}",
        ],
        "cheapest awards",
        "29.16 billion KRW",
    ),
    "more must-funds than starts": (
        [
            "technologies.T1.status=must-fund",
            "technologies.T3.status=must-fund",
            "programmes.leap.starts={ 2024 = 2 }",
        ],
        "must fit the programme's starts, 2",
        "3",
    ),
    "no option": (
        [
            "programmes.leap.foreign_partner_required=true",
            "programmes.leap.fallback=drop",
            "levels={ US = { chip = 98 } }",
        ],
        "at least one eligible option",
        "requires a foreign partner",
    ),
    "both sides of an exclusion": (
        ["technologies.T5.status=must-fund", "technologies.T6.status=must-fund"],
        "both sides of an exclusion",
        "T5: must-fund; T6: must-fund",
    ),
    "a prerequisite ruled out": (
        ["technologies.T3.status=must-fund", "technologies.T1.status=must-not-fund"],
        "must not be needed",
        "prerequisite of T3, must-fund",
    ),
    "a last tranche after the last money": (
        ["programmes.base.starts.2027=1"],
        "asked for while there is money, until 2028",
        "starts in 2027, whose last tranche is 2 fiscal years later",
    ),
    "a call late in the year": (
        [*_LATE, "programmes.leap.call_month=12"],
        "until 2027",
        "starts in 2025, whose last tranche is 3 fiscal years later",
    ),
    "awards above the cap": (
        ["programmes.base.award_cap=5.2"],
        "must not be above 5.2",
        "2 technologies ask for more in every mode and cannot be funded: T4, T6",
    ),
    "a field's floor out of reach": (
        ["limits.fields.bio.ceiling=1", "limits.fields.bio.floor=0.6"],
        "the floor, 55.2 billion KRW",
        "all candidates could use",
    ),
    "a partner's floor out of reach": (["limits.partners.JP.floor=0.95"], "the floor", "all candidates could use"),
    "a field's ceiling below its must-funds": (
        ["limits.fields.bio.floor=0", "limits.fields.bio.ceiling=0.1"],
        "the ceiling, 9.2 billion KRW",
        "must-funds need 11.664",
    ),
}


@pytest.mark.parametrize("name", INFEASIBLE)
def test_cheap_bounds_show_what_cannot_be_done(name: str, tiny: Path) -> None:
    overrides, rule, found = INFEASIBLE[name]
    scenario = load(tiny, overrides)
    faults = (*check(scenario), *remarks(scenario))
    assert any(rule in fault.rule and found in fault.found for fault in faults), faults


def test_a_call_early_in_the_year_leaves_time_for_the_last_tranche(tiny: Path) -> None:
    assert remarks(load(tiny, [*_LATE, "programmes.leap.call_month=1"])) == ()


@pytest.mark.parametrize(("rate", "remarked"), [(0.0, True), (0.04, True), (0.06, False), (1.0, False)])
def test_carried_money_pays_the_last_tranche_if_it_is_enough(rate: float, remarked: bool, tiny: Path) -> None:
    """Due in 2028, without new money, from some 10.6 that 2027 holds at most: 0.4 of a matched award of 1.3."""
    cheap = "technologies.*.cost=2"
    late = [*_LATE[:-1], "programmes.leap.call_month=12", f"programmes.leap.carry_over={rate}", cheap]
    assert bool(remarks(load(tiny, late))) == remarked


def test_what_can_be_done_but_may_not_be_meant_is_a_remark_only(tiny: Path) -> None:
    assert check(load(tiny, ["programmes.base.award_cap=5.2"])) == ()


def test_the_starter_loads_without_a_remark(tmp_path: Path) -> None:
    start(tmp_path / "mine")
    scenario = load(tmp_path / "mine")
    assert (check(scenario), remarks(scenario)) == ((), ())
    with pytest.raises(OutputError, match="new or an empty folder"):
        start(tmp_path / "mine")


# Small parts ----------------------------------------------------------------------------------------------------


def test_units_convert_exactly_or_not_at_all() -> None:
    money = money_unit("billion KRW")
    assert money is not None
    assert str(money) == "billion KRW"
    assert factor("million KRW", "money", money) == pytest.approx(1 / 1000)
    assert float(factor("years", "months", money) or 0) == 12
    assert factor("million USD", "money", money) is None
    assert factor("years", "money", money) is None
    assert factor("KRW", "months", money) is None
    assert money_unit("bn KRW") is None
    assert money_unit("KRW") is not None
    assert quantity_parts("1.5 years") == (1.5, "years")
    assert quantity_parts("years") is None
    assert quantity_parts("1.5") is None


def test_numbers_are_read_strictly() -> None:
    assert number("5") == 5
    assert isinstance(number("5.0"), int)
    assert number("-1e3") == -1000
    assert number("0,5") is None
    assert number("0,5", Style(decimal_comma=True)) == 0.5
    assert [number(text) for text in ("", "nan", "inf", "1 2", "0x1", "1_000", "five", "1" * 70)] == [None] * 8


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "x.csv"
        file.write_bytes(content)
        table = read_table(file)
    assert table.columns or table.faults


def test_did_you_mean_offers_a_close_name_or_what_is_known() -> None:
    assert did_you_mean("T017", ["T016X", "t017"]) == "Did you mean 't017'?"
    assert did_you_mean("zzz", ["a", "b"]) == "Known: a, b."
    assert did_you_mean("co2", ["agreements", "co2_saved_a_year"]) == "Did you mean 'co2_saved_a_year'?"
    assert did_you_mean("co2", ["co2_saved_a_year", "co2_stored_a_year"]).startswith("Known: ")
    assert did_you_mean("zzz", range(10)) == "Known: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more."
    assert did_you_mean("zzz", []) == ""


def test_what_is_public_is_what_is_said() -> None:
    assert set(rdsim.scenario.__all__) <= set(dir(rdsim.scenario))
