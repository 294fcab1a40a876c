"""The shipped scenario korea-2024: the figures of S003 are read back, and every number has a source and a grade."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math
import re
import runpy
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from rdsim.domain import Programme, Scenario
from rdsim.options import Options, candidates, sample
from rdsim.scenario import (
    check,
    cost,
    eligible,
    home_level,
    level,
    load,
    market_value,
    merits,
    needed_fields,
    part_names,
    partner_benefit,
    screenings,
)
from rdsim.sweep import prepare, read

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FOLDER = SCENARIOS / "korea-2024"
EXPERIMENTS = SCENARIOS.parent / "experiments"

S000_NAMES = {
    *("Belarus", "Denmark", "France", "Germany", "Hungary", "Italy", "Russia", "Spain"),
    *("India", "Taiwan", "Vietnam", "Canada", "Peru", "United Arab Emirates", "Australia", "New Zealand"),
}
S003_NAMES = {
    "leapfrog": (
        "heterogeneous-integration semiconductor packaging",
        "pixels for XR micro-displays",
        "lithium-sulfur battery electrodes",
        "nucleic-acid therapeutics, including mRNA",
        "carbon steel for small modular reactors",
    ),
    "foundational": (
        "rare-earth-free permanent magnets for electric-vehicle motors",
        "next-generation AI computing semiconductors",
        "cell-rejuvenation drugs",
    ),
}
FIELDS = {
    *("semiconductor", "display", "battery", "mobility", "materials", "robots"),
    *("manufacturing", "aerospace", "nuclear", "bio", "energy"),
}


class Announced(NamedTuple):
    """What S003 says about a line: money of 2024, in all, until when, starts of 2024, technologies, years to market."""

    line: str
    first: float
    total: float
    last: int
    starts: int
    technologies: int
    deadline: float


ANNOUNCED = (
    Announced("leapfrog", 148.7, 1200.0, 2030, 48, 80, 5),
    Announced("foundational", 66.5, 687.0, 2028, 50, 100, 10),
)
GRADES = {"published", "derived", "assumed"}


@pytest.fixture(scope="module")
def korea() -> Scenario:
    return load(FOLDER)


def readme_tables(folder: Path) -> Iterator[list[list[str]]]:
    """The tables of a folder's README, each as rows of cells, header first, without the rule below it.

    What a sweep wrote between the markers of an answer is not the README's own.
    """
    text = (folder / "README.md").read_text(encoding="utf-8")
    lines = re.sub(r"<!-- answer .*?<!-- end of answer -->", "", text, flags=re.DOTALL).splitlines()
    for is_table, group in itertools.groupby(lines, lambda line: line.startswith("|")):
        if is_table:
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in group]
            yield [rows[0], *rows[2:]]


def numbers_of_settings(value: object, key: str = "") -> Iterator[str]:
    """Names of the settings of a scenario.toml that hold numbers; a table by year counts under its own name."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from numbers_of_settings(entry, key if name.isdigit() else name)
    elif isinstance(value, list):
        for entry in value:
            yield from numbers_of_settings(entry, key)
    elif not isinstance(value, str):
        yield key


def columns(folder: Path, table: str) -> list[str]:
    with (folder / table).open(encoding="utf-8", newline="") as handle:
        return next(csv.reader(handle))


def ungraded(folder: Path) -> list[list[str]]:
    """Rows of the README's tables of numbers whose last cell is no grade."""
    graded = [table for table in readme_tables(folder) if table[0][0] != "setting"]
    assert graded
    return [row for table in graded for row in table[1:] if table[0][-1] != "grade" or row[-1] not in GRADES]


def unnamed(folder: Path) -> set[str]:
    """Numbers of scenario.toml and columns of the CSV tables that the README does not name in backticks."""
    spans = re.findall(r"`([^`]+)`", (folder / "README.md").read_text(encoding="utf-8"))
    named = {*spans, *(word for span in spans for word in re.split(r"[^\w]+", span))}
    files = [folder / "scenario.toml", *folder.glob("parts/*/scenario.toml")]
    settings: list[dict[str, Any]] = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    used = {*numbers_of_settings(settings), *columns(folder, "technologies.csv"), *columns(folder, "partners.csv")}
    return used - named - {"source", "note"}


def requests(scenario: Scenario, programme: str) -> list[float]:
    rows = scenario.technologies.values()
    return [cost(scenario, row) for row in rows if row.programme == programme]


def mean_level(scenario: Scenario, partner: str) -> float:
    return float(np.mean(list(scenario.levels[partner].values())))


# --- the figures of S003 -------------------------------------------------------------------------


@pytest.mark.parametrize("announced", ANNOUNCED, ids=lambda announced: announced.line)
def test_lines_are_as_announced(korea: Scenario, announced: Announced) -> None:
    programme = korea.programmes[announced.line]
    assert programme.budget[2024] == announced.first
    assert math.fsum(programme.budget.values()) == pytest.approx(announced.total, abs=1e-9)
    assert sorted(programme.budget) == list(range(2024, announced.last + 1))
    assert programme.starts[2024] == announced.starts
    assert sum(programme.starts.values()) == announced.technologies == len(requests(korea, announced.line))
    assert programme.deadline_years == announced.deadline


def test_both_lines_give_1887_billion_to_180_technologies(korea: Scenario) -> None:
    money = math.fsum(year for line in korea.programmes.values() for year in line.budget.values())
    assert money == pytest.approx(1887.0)
    assert len(korea.technologies) == 180
    assert set(korea.technologies) == {f"T{n:03}" for n in range(1, 81)} | {f"F{n:03}" for n in range(1, 101)}


@pytest.mark.parametrize("line", ["leapfrog", "foundational"])
def test_years_between_follow_the_stated_rule(korea: Scenario, line: str) -> None:
    budget = korea.programmes[line].budget
    first, total, n = budget[2024], math.fsum(budget.values()), len(budget)
    step = (total - n * first) / (2 * n - 3)
    expected = {2024 + k: first + min(k, 2) * step for k in range(n)}
    assert budget == pytest.approx(expected, abs=0.11)
    assert all(budget[year] == round(expected[year], 1) for year in list(budget)[:-1])


@pytest.mark.parametrize("line", ["leapfrog", "foundational"])
def test_late_starts_are_paid_before_the_money_ends(korea: Scenario, line: str) -> None:
    programme = korea.programmes[line]
    until_last_payment = sum(tranche.months for tranche in programme.tranches[:-1]) / 12
    assert max(programme.starts) + int(until_last_payment) == max(programme.budget)


@pytest.mark.parametrize("line", ["leapfrog", "foundational"])
def test_first_payments_of_average_awards_fit_the_first_year(korea: Scenario, line: str) -> None:
    programme = korea.programmes[line]
    award = math.fsum(programme.budget.values()) / sum(programme.starts.values())
    due = programme.starts[2024] * award * programme.tranches[0].share
    assert 0.9 * programme.budget[2024] < due <= programme.budget[2024]


def test_named_technologies_are_listed_and_no_others_claim_to_be(korea: Scenario) -> None:
    marked = {row.name.lower(): row.programme for row in korea.technologies.values() if row.source == "seed S003"}
    assert len(marked) == sum(map(len, S003_NAMES.values()))
    for line, names in S003_NAMES.items():
        for wanted in names:
            assert [name for name in marked if wanted.lower() in name and marked[name] == line], wanted
    others = {row.source for row in korea.technologies.values()} - {"seed S003"}
    assert others == {"seed S004", "illustrative"}


def test_packaging_asks_for_100_billion_and_may_go_with_both_named_partners(korea: Scenario) -> None:
    packaging = korea.technologies["T001"]
    assert packaging.cost == 100
    assert korea.partners["US+TW"].members == ("US", "TW")
    assert packaging.partners_required == ("US+TW",)
    assert not eligible(korea, packaging, "US+TW", "direct")
    assert all(eligible(korea, packaging, code, "direct") for code in ("US", "TW", "US+JP", "JP"))
    allowed = korea.with_({"domestic": "allowed"})
    assert eligible(allowed, packaging, "", "domestic") == "it must be done with US and TW"
    free = korea.with_({"technologies.T001.partners_required": None})
    assert all(not eligible(free, packaging.id, code, "direct") for code in ("US", "TW", "US+TW"))


def test_packaging_needs_semiconductors_and_materials_and_is_best_done_by_a_consortium(korea: Scenario) -> None:
    """The ministry names both, and together they bring more than either alone."""
    assert needed_fields(korea, "T001") == pytest.approx({"semiconductor": 0.6, "materials": 0.4})
    materials = [row.home_level for row in korea.technologies.values() if row.field == "materials"]
    assert home_level(korea, "T001", "materials") == round(np.mean(materials))
    alone = {code: partner_benefit(korea, "T001", code) for code in ("US", "TW")}
    assert partner_benefit(korea, "T001", "US+TW") > max(alone.values())
    options = tuple(one for one in candidates(korea) if one.technology == "T001")
    assert {one.partner for one in options} == {"US+TW"}
    assert sample(korea, options, samples=200, seed=1).expected_value.max() > 0


def test_export_controlled_fields_bar_whom_the_tag_names(korea: Scenario) -> None:
    tagged = {row.id for row in korea.technologies.values() if row.tags["export_control"] == "1"}
    assert tagged == {row.id for row in korea.technologies.values() if row.field in ("aerospace", "nuclear")}
    assert len(tagged) == 21
    barred = {choice.technology for choice in candidates(korea) if choice.partner in ("BY", "RU")}
    assert barred
    assert not barred & tagged
    assert "Export-controlled" in eligible(korea, "T066", "RU", "matching")


def test_game_changers_are_not_among_the_180(korea: Scenario) -> None:
    names = " ".join(row.name.lower() for row in korea.technologies.values())
    assert not re.search(r"artificial organ|spatial computing", names)


def first_options(scenario: Scenario) -> Options:
    """Every option of the first year of its line, and what it comes to."""
    first = {name: min(line.starts) for name, line in scenario.programmes.items()}
    rows = scenario.technologies
    choices = (one for one in candidates(scenario) if one.start_year == first[rows[one.technology].programme])
    return sample(scenario, tuple(choices), samples=100, seed=1)


def best_options(found: Options) -> dict[str, int]:
    """The option of largest expected worth of each technology."""
    best: dict[str, int] = {}
    for option, choice in enumerate(found.choices):
        before = best.setdefault(choice.technology, option)
        if found.mean[option] > found.mean[before]:
            best[choice.technology] = option
    return best


def test_expected_payments_are_1_3_times_the_money_and_most_technologies_are_worth_funding(korea: Scenario) -> None:
    found = first_options(korea)
    best = best_options(found)
    assert len(best) == 180
    money = math.fsum(year for line in korea.programmes.values() for year in line.budget.values())
    paid = math.fsum(found.payments[option].sum() for option in best.values())
    assert paid == pytest.approx(1.3 * money, rel=0.05)
    assert 165 <= sum(found.mean[option] > 0 for option in best.values()) < 180
    merit = [name for name, option in best.items() if "+" in found.choices[option].partner and found.mean[option] > 0]
    assert [
        name for name in merit if not korea.technologies[name].partners_required
    ]  # some consortium is best by merit
    assert len({found.choices[option].partner for option in best.values()}) >= 10


def test_requests_scale_to_the_announced_money() -> None:
    scaled = load(FOLDER, ["requests_total=1887"])
    assert math.fsum(sum(requests(scaled, line)) for line in scaled.programmes) == pytest.approx(1887)


def test_award_limit_is_a_setting_that_is_off_as_announced(korea: Scenario) -> None:
    assert korea.programmes["foundational"].award_cap is None
    korea = korea.with_({"domestic": "allowed"})
    limited = load(FOLDER, ["programmes.foundational.award_cap=10", "domestic=allowed"])
    assert limited.programmes["foundational"].award_cap == 10
    largest = max(
        (row for row in limited.technologies.values() if row.programme == "foundational"), key=lambda r: r.cost
    )
    assert not eligible(korea, largest, "", "domestic")
    assert eligible(limited, largest, "", "domestic")


def test_international_share_goes_from_6_to_15_percent(korea: Scenario) -> None:
    share = korea.international
    assert set(share.rd_budget.values()) == {5700.0}
    assert set(share.outside_spending.values()) == {0.06 * 5700}
    expected = {year: 0.06 + (0.15 - 0.06) * (year - 2023) / 5 for year in range(2024, 2029)}
    assert share.share_floor == pytest.approx(expected)
    announced = {
        year: math.fsum(line.budget.get(year, 0) for line in korea.programmes.values()) for year in share.abroad_cap
    }
    assert share.abroad_cap == pytest.approx({year: 0.2 * money for year, money in announced.items()}, abs=0.05)


# --- the other seeds and published figures ---------------------------------------------------------


def test_all_16_names_of_s000_and_unido_are_partners(korea: Scenario) -> None:
    listed = {row.name for row in korea.partners.values() if row.source == "seed S000"}
    assert len(S000_NAMES) == 16
    assert listed - {korea.partners["UNIDO"].name} == S000_NAMES
    assert {"US", "JP", "BR", "GB"} <= korea.partners.keys()


def test_both_calibrations_are_the_published_ones(korea: Scenario) -> None:
    rates = {name: (one.development_success, one.market_probability) for name, one in korea.calibrations.items()}
    assert rates == {"strict": (0.872, 0.228), "lenient": (0.89, 0.532), "techport": (0.872, 0.228)}
    assert korea.calibration == "strict"
    assert load(FOLDER, ["calibration=lenient"]).calibration == "lenient"


@pytest.mark.parametrize(("partner", "level"), [("US", 100.0), ("JP", 85.2), ("DE", 92.3), ("FR", 92.3)])
def test_levels_average_to_the_published_ones(korea: Scenario, partner: str, level: float) -> None:
    assert mean_level(korea, partner) == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize(("partner", "below"), [("IT", 5), ("ES", 8), ("DK", 4), ("HU", 12)])
def test_levels_of_other_members_of_the_union_follow_its_figure(korea: Scenario, partner: str, below: float) -> None:
    assert mean_level(korea, partner) == pytest.approx(92.3 - below, abs=0.5)


def test_home_levels_average_to_koreas(korea: Scenario) -> None:
    rows = korea.technologies.values()
    assert np.mean([row.home_level for row in rows]) == pytest.approx(81.7, abs=0.2)
    by_field = {field: np.mean([row.home_level for row in rows if row.field == field]) for field in FIELDS}
    assert min(by_field["battery"], by_field["display"], by_field["semiconductor"]) > 88
    assert max(by_field["aerospace"], by_field["bio"]) < 76


def test_consortia_have_their_members_levels(korea: Scenario) -> None:
    consortia = [partner for partner in korea.partners.values() if partner.members]
    assert {partner.code for partner in consortia} >= {"US+TW"}
    for partner in consortia:
        assert partner.code not in korea.levels
        for field in korea.fields:
            assert level(korea, partner.code, field) == max(level(korea, one, field) for one in partner.members)


def test_contract_time_of_matching_is_that_of_eurostars(korea: Scenario) -> None:
    assert korea.modes["matching"].agreement_months == 6.6
    assert korea.modes["matching"].needs_counterpart
    assert not korea.modes["direct"].needs_counterpart


def test_the_three_materials_of_s004_have_the_figures_that_they_have_in_their_own_scenario(korea: Scenario) -> None:
    rows = [row for row in korea.technologies.values() if row.source == "seed S004"]
    assert len(rows) == 3
    own = load(SCENARIOS / "korea-japan-fine-chemicals")
    named = {re.sub(r"\W", "", row.name.lower()): row for row in own.technologies.values()}
    for row in rows:
        other = named[re.sub(r"\W", "", row.name.lower())]
        for figure in ("trl", "cost", "uncertainty", "home_level", "score", "market_size", "market_share"):
            assert getattr(row, figure) == getattr(other, figure), (row.id, figure)
        assert market_value(korea, row) == pytest.approx(market_value(own, other), abs=0.05)


# --- the draw of what no document says ------------------------------------------------------------------


def test_draw_1_gives_the_files_byte_for_byte_and_another_leaves_what_has_a_source() -> None:
    program = runpy.run_path(str(FOLDER / "illustrative.py"))
    for name, text in program["texts"](1):
        assert (FOLDER / name).read_bytes() == text.encode()
    first, second = load(FOLDER), load(FOLDER, ["illustrative.draw=2"])
    assert second.illustrative.draw == 2
    assert second.illustrative.digest == first.illustrative.digest != ""
    moved = [name for name, row in first.technologies.items() if row != second.technologies[name]]
    assert {first.technologies[name].source for name in moved} == {"illustrative"}
    assert len(moved) == 169
    kept = [(one.name, one.programme, one.field, one.trl, one.uncertainty) for one in second.technologies.values()]
    assert kept == [
        (one.name, one.programme, one.field, one.trl, one.uncertainty) for one in first.technologies.values()
    ]
    for code in ("US", "JP", "DE", "FR"):
        assert mean_level(first, code) == mean_level(second, code)
    assert first.levels != second.levels


def test_a_draw_moves_no_other_technologys_figures(tmp_path: Path) -> None:
    """Every number has an address: with a technology left out all others are as they were."""
    shutil.copytree(FOLDER, tmp_path / "less", ignore=shutil.ignore_patterns("answers", "*.png", "README.md"))
    place = tmp_path / "less" / "technologies.csv"
    kept = [line for line in place.read_text(encoding="utf-8").splitlines(True) if not line.startswith("F100,")]
    place.write_text("".join(kept), encoding="utf-8", newline="")
    whole, less = (load(folder, ["illustrative.draw=3"]) for folder in (FOLDER, tmp_path / "less"))
    assert {**whole.technologies, "F100": None} == {**less.technologies, "F100": None}


def test_domestic_projects_are_a_named_setting(korea: Scenario) -> None:
    assert not [one for one in candidates(korea) if not one.partner]
    allowed = load(FOLDER, ["domestic=allowed"])
    assert len({one.technology for one in candidates(allowed) if not one.partner}) == 179  # not T001


# --- a careful planner's table -------------------------------------------------------------------------


def test_the_eleven_fields_have_technologies_in_both_lines_and_partners(korea: Scenario) -> None:
    assert set(korea.fields) == FIELDS
    rows = Counter((row.programme, row.field) for row in korea.technologies.values())
    assert len(rows) == 22
    assert min(rows.values()) >= 4
    offered = Counter(field for code in korea.partners for field in FIELDS if level(korea, code, field) > 0)
    assert min(offered[field] for field in FIELDS) >= 5


def test_technologies_are_distinct_and_not_numbered(korea: Scenario) -> None:
    names = [row.name for row in korea.technologies.values()]
    assert not [name for name in names if re.search(r"(?i)technology \d|[ #]\d+$", name)]
    words = {name: set(re.findall(r"[a-z0-9-]+", name.lower())) for name in names}
    assert len(words) == 180
    pairs = itertools.combinations(words.values(), 2)
    assert max(len(one & other) / len(one | other) for one, other in pairs) < 0.7


def test_costs_are_skewed_and_values_not_proportional_to_them(korea: Scenario) -> None:
    for line in korea.programmes:
        asked = requests(korea, line)
        assert np.mean(asked) > 1.1 * np.median(asked)
    rows = list(korea.technologies.values())
    ratio = np.array([market_value(korea, row) / row.cost for row in rows])
    assert np.quantile(ratio, 0.95) > 4 * np.quantile(ratio, 0.05)
    score = np.array([row.score for row in rows])
    assert 0.1 < np.corrcoef(score, ratio)[0, 1] < 0.6
    assert score.min() >= 40
    assert score.max() <= 98


def test_markets_explain_the_values(korea: Scenario) -> None:
    for row in [one for one in korea.technologies.values() if one.source != "seed S004"]:
        sales = row.market_size * row.market_share * korea.value.margin
        assert market_value(korea, row) == pytest.approx(sales, rel=0.06), row.id


def test_links_are_of_every_kind_and_join_what_belongs_together(korea: Scenario) -> None:
    kinds = Counter(link.kind for link in korea.links)
    assert kinds == {"prerequisite": 8, "exclusion": 6, "synergy": 10, "spillover": 12}
    rows = korea.technologies
    assert all(rows[x.technology].field == rows[x.other].field for x in korea.links if x.kind == "exclusion")
    for link in korea.links:
        if link.kind == "prerequisite":
            other = rows[link.other]
            assert (other.trl_target or _line(korea, link.other).trl_target) - other.trl == 1


def _line(scenario: Scenario, technology: str) -> Programme:
    return scenario.programmes[scenario.technologies[technology].programme]


@pytest.mark.parametrize("overrides", [[], ["calibration=lenient"], ["requests_total=1887"]])
def test_nothing_the_planner_fixed_is_impossible(overrides: list[str]) -> None:
    assert check(load(FOLDER, overrides)) == ()


# --- optional parts --------------------------------------------------------------------------------------


def test_parts_leave_the_announced_figures_alone(korea: Scenario) -> None:
    whole = load(FOLDER, ["parts=candidates,centres,game-changers"])
    assert {"candidates", "centres", "game-changers"} <= set(part_names(FOLDER))
    for code, line in korea.programmes.items():
        assert dataclasses.replace(whole.programmes[code], screening=line.screening) == line
    assert all(whole.technologies[code] == row for code, row in korea.technologies.items())
    assert all(whole.partners[code] == row for code, row in korea.partners.items())
    assert check(whole) == ()


def test_game_changers_are_ten_with_up_to_1000_billion_from_2026() -> None:
    scenario = load(FOLDER, ["parts=game-changers"])
    line = scenario.programmes["game-changers"]
    rows = [row for row in scenario.technologies.values() if row.programme == "game-changers"]
    assert len(rows) == 10 == sum(line.starts.values())
    assert math.fsum(line.budget.values()) == 1000.0 == math.fsum(requests(scenario, "game-changers"))
    assert min(line.budget) == min(line.starts) == 2026
    named = sorted(row.name for row in rows if row.source == "seed S003")
    assert named == ["Immersive spatial computing", "Personalised artificial organs"]
    assert {row.source for row in rows} == {"seed S003", "illustrative"}


def test_game_changers_money_is_what_average_awards_ask_for() -> None:
    line = load(FOLDER, ["parts=game-changers"]).programmes["game-changers"]
    due: dict[int, float] = {}
    for start, count in line.starts.items():
        months = 0.0
        for tranche in line.tranches:
            year = start + int(months // 12)
            due[year] = due.get(year, 0.0) + count * 100 * tranche.share
            months += tranche.months
    assert line.budget == pytest.approx(due)


def test_money_abroad_is_capped_at_a_fifth_with_the_game_changers_too() -> None:
    scenario = load(FOLDER, ["parts=game-changers"])
    announced = {
        year: math.fsum(line.budget.get(year, 0) for line in scenario.programmes.values())
        for year in scenario.international.abroad_cap
    }
    assert set(announced) == set(range(2024, 2033))
    assert scenario.international.abroad_cap == pytest.approx(
        {year: 0.2 * money for year, money in announced.items()}, abs=0.06
    )


def test_centres_are_at_the_named_institutions_and_offer_their_fields_alone(korea: Scenario) -> None:
    scenario = load(FOLDER, ["parts=centres"])
    centres = {code: row for code, row in scenario.partners.items() if code not in korea.partners}
    names = " ".join(row.name for row in centres.values())
    for institution in ("Massachusetts", "Stanford", "Yale", "Purdue", "Johns Hopkins", "Georgia", "Fraunhofer"):
        assert institution in names
    assert len(centres) == 7
    named = {code for code, row in centres.items() if row.source == "seed S003"}
    assert named == {"C-MIT", "C-STANFORD"}
    country = {"United States": "US", "Germany": "DE"}
    for code, row in centres.items():
        assert 2 <= len(scenario.levels[code]) <= 7
        for field, own in scenario.levels[code].items():
            assert own == scenario.levels[country[row.region]][field] + 5
        assert row.setup_cost == pytest.approx(2 * row.running_cost)
        assert row.modes == ("centre",)
        assert row.running_cost > scenario.partners[country[row.region]].running_cost


def test_95_candidates_are_narrowed_to_80_by_two_layers() -> None:
    scenario = load(FOLDER, ["parts=candidates", "domestic=allowed"])
    assert len(requests(scenario, "leapfrog")) == 95
    found = screenings(scenario)["leapfrog"]
    assert (found.candidates, found.kept, found.layers) == (95, 80, 2)
    assert Counter(found.dropped.values()) == {1: 8, 2: 7}
    ways = (("", "domestic"), ("US+TW", "direct"))  # T001 must be done with both
    left = [row for row in scenario.technologies.values() if not all(eligible(scenario, row, *way) for way in ways)]
    assert Counter(row.programme for row in left) == {"leapfrog": 80, "foundational": 100}
    merit = merits(scenario, "leapfrog")
    assert np.mean([merit[f"T{n:03}"] for n in range(81, 96)]) == pytest.approx(-0.5, abs=0.1)


def test_experts_agree_as_little_as_reviewers_do() -> None:
    screening = load(FOLDER, ["parts=candidates"]).programmes["leapfrog"].screening
    seen = 1 + screening.shared_error**2
    assert {round(seen / (seen + layer.error**2), 2) for layer in screening.layers} == {0.34}
    cases = tomllib.loads((EXPERIMENTS / "expert-error.toml").read_text(encoding="utf-8"))["factors"]["errors"]["cases"]
    for name in ("own", "shared", "large-shared"):
        shared = cases[name]["programmes.leapfrog.screening.shared_error"]
        layers = cases[name]["programmes.leapfrog.screening.layers"]
        assert {round((1 + shared**2) / (1 + shared**2 + one["error"] ** 2), 2) for one in layers} == {0.34}, name


def test_the_right_to_implement_is_ensured(korea: Scenario) -> None:
    assert {mode.implementation for mode in korea.modes.values()} == {1.0}


@pytest.mark.parametrize("parts", ["game-changers", "centres", "candidates"])
def test_what_a_part_brings_is_on_the_same_footing(korea: Scenario, parts: str) -> None:
    scenario = load(FOLDER, [f"parts={parts}"])
    added = [row for code, row in scenario.technologies.items() if code not in korea.technologies]
    for row in added:
        sales = row.market_size * row.market_share * scenario.value.margin
        assert market_value(scenario, row) == pytest.approx(sales, rel=0.06), row.id
        assert sum(level(scenario, code, row.field) > 0 for code in scenario.partners) >= 5, row.id
    known = {row.name.lower() for row in korea.technologies.values()}
    assert not known & {row.name.lower() for row in added}


# --- the questions of S003 -------------------------------------------------------------------------------

QUESTIONS = {
    "budget-cut",
    "cooperation-centres",
    "expert-error",
    "expert-layers",
    "game-changers-and-centres",
    "implementation-rights",
    "international-share",
}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_each_question_has_an_experiment_that_can_run_and_a_place_in_the_readme(name: str) -> None:
    experiment = read(EXPERIMENTS / f"{name}.toml")
    prepared = prepare(experiment)
    assert prepared.design.count <= 40
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"<!-- answer {name} -->" in readme


def test_the_cut_is_the_one_that_was_reported(korea: Scenario) -> None:
    cases = read(EXPERIMENTS / "budget-cut.toml").factors["money"].cases
    cut = load(FOLDER, dict(cases["cut-with-later-money"])).programmes["foundational"]
    assert (cut.budget[2024], cut.starts[2024]) == (57.5, 45)
    assert math.fsum(cut.budget.values()) == pytest.approx(684.0)
    announced = korea.programmes["foundational"]
    assert announced.budget[2024] - cut.budget[2024] == pytest.approx(9.0)
    assert load(FOLDER, dict(cases["announced"])) == korea


def test_all_money_joint_would_fall_short_without_the_game_changers_and_just_do_with_them(korea: Scenario) -> None:
    def most(scenario: Scenario) -> float:
        rules = scenario.international
        lines = math.fsum(line.budget.get(2028, 0.0) for line in scenario.programmes.values())
        return (rules.outside_spending[2028] + lines) / rules.rd_budget[2028]

    assert most(korea) == pytest.approx(0.121, abs=0.0005)
    assert most(load(FOLDER, ["parts=game-changers"])) == pytest.approx(0.151, abs=0.0005)


# --- the README of the folder ------------------------------------------------------------------------------


def test_every_row_of_the_readme_has_a_grade() -> None:
    assert ungraded(FOLDER) == []


def test_every_number_is_named_in_the_readme() -> None:
    assert unnamed(FOLDER) == set()


def test_the_readmes_budget_table_is_the_scenarios(korea: Scenario) -> None:
    table = next(table for table in readme_tables(FOLDER) if table[0] == ["year", "leapfrog", "foundational", "grade"])
    for line, column in (("leapfrog", 1), ("foundational", 2)):
        shown = {int(row[0]): float(row[column]) for row in table[1:-1] if row[column] != "none"}
        assert shown == korea.programmes[line].budget
    assert table[-1][1:3] == ["1,200.0", "687.0"]
