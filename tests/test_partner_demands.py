"""Consortia that bring what one member lacks, partners that must or must not take part, and tags."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdsim import portfolio
from rdsim.case import DROPPED, build
from rdsim.domain import Choice, Partner, PartnerEffect, Portfolio, Scenario, TechField, Technology
from rdsim.engines import compiled
from rdsim.errors import PortfolioError, ScenarioError
from rdsim.options import candidates
from rdsim.partnership import absorption
from rdsim.scenario import (
    best_members,
    check,
    digest,
    dump,
    eligible,
    home_level,
    load,
    members,
    needed_fields,
    partner_benefit,
    remarks,
    required_partners,
    tags_of,
)
from rdsim.scenario.variation import Variations
from tests.simple import plain
from tests.tiny import tiny_folder
from tests.worlds import draw_world


def with_columns(**cells: Mapping[str, str]) -> dict[str, object]:
    """A change of the tiny scenario: further columns of technologies.csv, with some cells by id."""
    columns = {name.replace("__", "."): column for name, column in cells.items()}

    def changed(text: str) -> str:
        head, *rows = text.splitlines()
        rows = [",".join([row, *(f'"{column.get(row[:2], "")}"' for column in columns.values())]) for row in rows]
        return "\n".join([",".join([head, *columns]), *rows]) + "\n"

    return {"technologies": changed}


def faults(folder: Path, overrides: Sequence[str] = ()) -> list[tuple[str, str, str, str]]:
    with pytest.raises(ScenarioError) as error:
        load(folder, overrides)
    return [(one.where, one.rule, one.found, one.suggestion) for one in error.value.faults]


# --- what a partner brings ------------------------------------------------------------------------


def needy(tiny: Path, **needs: object) -> Scenario:
    """The tiny scenario with T1 (home level 82) needing chips and biology; US 98 and 100, JP 92 and 86, DE bio 94."""
    changes = {f"technologies.T1.{name}": value for name, value in needs.items()}
    return load(tiny, {"partner_effect.gap_best": 10, "partner_effect.gap_width": 20, **changes})


def test_the_weighted_mean_and_a_consortiums_best_members_by_hand(tiny: Path) -> None:
    s = needy(tiny, needs_fields="chip:3|bio:1", home_levels="bio:78")
    assert needed_fields(s, "T1") == {"chip": 0.75, "bio": 0.25}
    assert (home_level(s, "T1"), home_level(s, "T1", "chip"), home_level(s, "T1", "bio")) == (82, 82, 78)
    # US: chip 98 - 82 = 16, 1 - (6/20)^2 = 0.91; bio 100 - 78 = 22, 1 - (12/20)^2 = 0.64.
    assert partner_benefit(s, "T1", "US") == pytest.approx(0.75 * 0.91 + 0.25 * 0.64)
    # JP: chip 92 - 82 = 10: 1; bio 86 - 78 = 8, 1 - (2/20)^2 = 0.99.
    assert partner_benefit(s, "T1", "JP") == pytest.approx(0.75 * 1.0 + 0.25 * 0.99)
    # DE has no level in chips: 0 there; bio 94 - 78 = 16: 0.91.
    assert partner_benefit(s, "T1", "DE") == pytest.approx(0.25 * 0.91)
    assert partner_benefit(s, "T1", "US+JP") == pytest.approx(0.75 * 1.0 + 0.25 * 0.99)
    assert partner_benefit(s, "T1", "") == 0.0
    s = s.with_({"levels.JP.bio": 60})  # 60 - 78 = -18, beyond the width: nothing. The United States are better there.
    assert partner_benefit(s, "T1", "US+JP") == pytest.approx(0.75 * 1.0 + 0.25 * 0.64)
    assert best_members(s, "T1", "US+JP") == {"chip": ("JP", 1.0), "bio": ("US", pytest.approx(0.64))}
    assert partner_benefit(s, "T1", "US+JP") > max(partner_benefit(s, "T1", one) for one in ("US", "JP"))


def test_the_effect_reaches_the_steps_of_a_project(tiny: Path) -> None:
    s = needy(tiny, needs_fields="chip:3|bio:1", home_levels="bio:78")
    factors = {}
    for partner in ("US", "US+JP"):
        chosen = Portfolio((Choice("T1", "direct", partner, 2024, 1),))
        factors[partner] = build(s, chosen).factor[0, 4]  # TRL 5, from which all is absorbed
    gain, coordination = s.partner_effect.duration_gain, s.partner_effect.coordination_duration
    assert factors["US"] == pytest.approx(1 - gain * (0.75 * 0.91 + 0.25 * 0.64))
    assert factors["US+JP"] == pytest.approx((1 - gain * (0.75 + 0.25 * 0.99)) * coordination)


def test_where_nothing_is_said_a_technology_needs_its_own_field_alone(tiny: Path) -> None:
    s = load(tiny)
    assert needed_fields(s, "T1") == {"chip": 1.0}
    own = needy(tiny, needs_fields="chip")
    assert [partner_benefit(own, "T1", one) for one in ("US", "JP")] == [
        partner_benefit(needy(tiny), "T1", one) for one in ("US", "JP")
    ]


LONE = Technology("T1", "T1", "line", "chip", trl=4, cost=10.0, value=100.0)
BASE = plain(
    {"T1": LONE},
    fields={"chip": TechField("Chips"), "bio": TechField("Biology")},
    partners={
        code: Partner(code, code, members=tuple(code.split("+")) if "+" in code else ())
        for code in ("US", "JP", "DE", "US+JP", "US+JP+DE")
    },
)
levels = st.dictionaries(st.sampled_from(["US", "JP", "DE"]), st.floats(0, 200), max_size=3)


@settings(max_examples=60)
@given(levels, levels, st.floats(0, 200), st.floats(0.01, 100), st.floats(0.01, 100), st.floats(-50, 50))
def test_a_consortium_brings_no_less_than_any_member(
    chip: dict[str, float], bio: dict[str, float], home: float, more: float, less: float, best: float
) -> None:
    both = {code: {"chip": chip.get(code, 0.0), "bio": bio.get(code, 0.0)} for code in ("US", "JP", "DE")}
    needy = replace(LONE, home_level=home, needs_fields={"chip": more, "bio": less})
    s = replace(BASE, levels=both, technologies={"T1": needy}, partner_effect=PartnerEffect(gap_best=best))
    for code in ("US+JP", "US+JP+DE"):
        alone = [partner_benefit(s, needy, one) for one in s.partners[code].members]
        assert max(alone) - 1e-12 <= partner_benefit(s, needy, code) <= 1.0
        by_hand = sum(
            weight
            * max(
                partner_benefit(s, replace(needy, needs_fields={field: 1.0}), one) for one in s.partners[code].members
            )
            for field, weight in needed_fields(s, needy).items()
        )
        assert partner_benefit(s, needy, code) == pytest.approx(by_hand)


# --- who must take part, and who must not ---------------------------------------------------------


def test_required_partners_must_all_take_part(tiny: Path) -> None:
    for written in ("US+JP", "US|JP", "JP|US", ["US", "JP"]):
        s = load(tiny, {"technologies.T1.partners_required": written})
        assert set(required_partners(s, "T1")) == {"US", "JP"}
        assert eligible(s, "T1", "US+JP", "direct") == ""
        assert {choice.partner for choice in candidates(s) if choice.technology == "T1"} == {"US+JP"}
    s = load(tiny, {"technologies.T1.partners_required": "US+JP"})
    assert eligible(s, "T1", "", "domestic") == "it must be done with US and JP"
    assert eligible(s, "T1", "US", "direct") == "it must be done with US and JP, and US is without JP"
    s = load(tiny, {"technologies.T2.partners_required": "US+DE"})
    assert eligible(s, "T2", "US+JP", "direct") == "it must be done with US and DE, and US+JP is without DE"
    one = load(tiny, {"technologies.T2.partners_required": "US"})
    assert {choice.partner for choice in candidates(one) if choice.technology == "T2"} == {"US", "US+JP"}


def test_barred_partners_take_no_part_alone_or_in_a_consortium(tiny: Path) -> None:
    s = load(tiny, {"technologies.T1.partners_barred": "JP"})
    assert eligible(s, "T1", "JP", "matching") == "JP must not take part: the technology bars it"
    assert eligible(s, "T1", "US+JP", "direct") == "JP must not take part: the technology bars it"
    assert {choice.partner for choice in candidates(s) if choice.technology == "T1"} == {"", "US"}
    s = load(tiny, {"technologies.T1.partners_barred": "US+JP"})
    assert eligible(s, "T1", "US+JP", "direct") == "US+JP must not take part: the technology bars it"
    assert eligible(s, "T1", "US", "direct") == eligible(s, "T1", "JP", "matching") == ""


def test_tags_bar_partners_and_networks(tiny: Path, tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path / "tagged",
        scenario=lambda text: text + '\n[tags.export_control]\nlabel = "Export control"\npartners_barred = ["JP"]\n',
        **with_columns(tag__export_control={"T1": "1", "T2": "0"}, tag__ministry={"T1": "MOTIE", "T2": "MSIT"}),
    )
    s = load(folder)
    assert tags_of(s) == ["export_control", "ministry"]
    assert [s.technologies[name].tags["export_control"] for name in ("T1", "T2", "T3")] == ["1", "0", ""]
    reason = "JP must not take part: tag Export control bars it"
    assert [eligible(s, name, "JP", "matching") for name in ("T1", "T2", "T3")] == [reason, "", ""]
    assert eligible(s, "T1", "US+JP", "direct") == reason
    asia = s.with_({"tags.export_control.partners_barred": [], "tags.export_control.networks_barred": "Asia"})
    assert eligible(asia, "T1", "JP", "matching") == "JP must not take part: tag Export control bars network Asia"
    assert eligible(asia, "T1", "US", "matching") == ""
    named = s.with_({"tags.ministry": {"partners_barred": ["US"], "values": ["MSIT"]}})
    assert [eligible(named, name, "US", "direct") for name in ("T1", "T2")] == [
        "",
        "US must not take part: tag ministry bars it",
    ]
    every = s.with_({"technologies.*.tags.export_control": 1})
    assert {row.tags["export_control"] for row in every.technologies.values()} == {"1"}
    assert every.with_({"technologies.*.tags.export_control": True}) == every


def test_what_is_required_or_barred_cannot_be_chosen_by_hand_either(tiny: Path) -> None:
    s = load(tiny, {"technologies.T1.partners_required": "US+JP", "technologies.T2.partners_barred": "DE"})
    for choice, why in (
        (Choice("T1", start_year=2024), "it must be done with US and JP"),
        (Choice("T2", "direct", "DE", 2024), "DE must not take part"),
    ):
        with pytest.raises(PortfolioError) as error:
            portfolio.check(Portfolio((choice,)), s)
        assert why in str(error.value)


def test_required_partners_that_are_lost_end_the_project_and_barred_ones_do_not(tiny: Path) -> None:
    s = load(tiny, {"technologies.T1.partners_required": "US", "technologies.T2.partners_barred": "DE"})
    chosen = Portfolio((Choice("T1", "direct", "US", 2024, 1), Choice("T2", "direct", "US", 2024, 2)))
    assert build(s, chosen).drop_fallback.tolist() == [True, False]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_options_keep_what_technologies_and_tags_ask(seed: int) -> None:
    """Brute force over every combination: an option is one that asks nothing of what is refused here."""
    s = draw_world(seed).scenario
    found = {(one.technology, one.partner, one.mode) for one in candidates(s)}
    for (name, row), (code, partner) in itertools.product(s.technologies.items(), s.partners.items()):
        taking = set(partner.members or (code,))
        for mode in partner.modes:
            asked = {one for names in row.partners_required for one in (s.partners[names].members or (names,))}
            barred = set(row.partners_barred)
            for tag, rule in s.tags.items():
                value = row.tags.get(tag, "")
                if value in rule.values or (not rule.values and value not in ("", "0")):
                    barred |= set(rule.partners_barred)
                    barred |= {
                        one for one, other in s.partners.items() if set(other.networks) & set(rule.networks_barred)
                    }
            fields = set(row.needs_fields) or {row.field}
            brings = all(any(s.levels.get(one, {}).get(field) for field in fields) for one in taking)
            may = asked <= taking and not barred & {code, *taking} and brings
            assert ((name, code, mode) in found) == may, (name, code, mode, eligible(s, name, code, mode))
    required = {name for name, row in s.technologies.items() if row.partners_required}
    assert not [one for one in found if not one[1] and one[0] in required]


# --- the door -------------------------------------------------------------------------------------

TAGS = """
[tags.secret]
partners_barred = ["DEU"]
networks_barred = "IMDR"
values = ["hihg"]

[tags.none_such]
"""
NEEDS = {"T1": "chip:0.6|bio:0.4", "T2": "bio"}


def test_columns_are_read_written_and_framed(tiny: Path, tmp_path: Path) -> None:
    columns = with_columns(
        needs_fields=NEEDS,
        home_levels={"T1": "bio:71.5"},
        partners_required={"T3": "US"},
        partners_barred={"T4": "JP|DE"},
        tag__security={"T1": "secret", "T2": "0"},
    )
    s = load(tiny_folder(tmp_path / "new", **columns))
    row = s.technologies["T1"]
    assert (row.needs_fields, row.home_levels) == ({"chip": 0.6, "bio": 0.4}, {"bio": 71.5})
    assert s.technologies["T2"].needs_fields == {"bio": 1.0}
    assert (s.technologies["T3"].partners_required, s.technologies["T4"].partners_barred) == (("US",), ("JP", "DE"))
    assert [one.tags["security"] for one in s.technologies.values()] == ["secret", "0", "", "", "", ""]
    dump(s, tmp_path / "written")
    assert load(tmp_path / "written") == s == Scenario.from_frames(s.to_frames())
    assert digest(load(tmp_path / "written")) == digest(s) != digest(load(tiny))


def test_settings_that_say_nothing_change_no_digest(tiny: Path, tmp_path: Path) -> None:
    empty = with_columns(needs_fields={}, home_levels={}, partners_required={}, partners_barred={})
    assert digest(load(tiny_folder(tmp_path / "empty", **empty))) == digest(load(tiny))
    variations = Variations(load(tiny))
    same = variations.override(("technologies", "T1", "partners_barred"), [])
    assert variations.digest([same]) == variations.digest([])


def test_every_setting_is_reached_by_set(tiny: Path) -> None:
    s = load(tiny, ["technologies.T1.needs_fields=chip:2|bio:1", "technologies.T1.needs_fields.bio=2"])
    assert needed_fields(s, "T1") == {"chip": 0.5, "bio": 0.5}
    s = load(tiny, ["technologies.T1.needs_fields={chip = 1}", "technologies.T1.home_levels=chip:70"])
    assert home_level(s, "T1", "chip") == 70
    assert load(tiny, ["technologies.T1.needs_fields=none"]) == load(tiny)
    assert load(tiny, ["technologies.T1.partners_required=US+JP"]).technologies["T1"].partners_required == ("US+JP",)


def test_a_cell_is_changed_part_by_part(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "new", **with_columns(needs_fields=NEEDS))
    s = load(folder, ["technologies.T1.needs_fields.bio=0.6"])
    assert s.technologies["T1"].needs_fields == {"chip": 0.6, "bio": 0.6}
    assert load(folder, ["technologies.T1.needs_fields.bio=none"]).technologies["T1"].needs_fields == {"chip": 0.6}


def test_decimal_commas_are_read_in_weights(tmp_path: Path) -> None:
    def with_commas(text: str) -> str:
        changed = with_columns(needs_fields=NEEDS)["technologies"](text)  # type: ignore[operator]
        text = (
            changed.replace('"mRNA, 치료제"', "mRNA")
            .replace(",", ";")
            .replace(":0.", ":0,")
            .replace(";0.15;", ";0,15;")
        )
        return str(text.replace(";0.4;", ";0,4;").replace('"', ""))

    s = load(tiny_folder(tmp_path / "commas", technologies=with_commas))
    assert s.technologies["T1"].needs_fields == {"chip": 0.6, "bio": 0.4}


def test_every_fault_of_the_new_columns_is_told_at_once(tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path / "broken",
        scenario=lambda text: text + TAGS,
        **with_columns(
            needs_fields={"T1": "chip:0.6|boi:0.4", "T2": "bio:0", "T3": "chip:1|bio", "T4": "chip|chip"},
            home_levels={"T1": "bio", "T2": "chip:80", "T5": "bio:900"},
            partners_required={"T1": "US+JPN", "T2": "US", "T3": "US|US"},
            partners_barred={"T2": "US", "T6": "XX"},
            tag__secret={"T1": "high"},
            tag__1st={},
        ),
    )
    said = {where: (rule, found, advice) for where, rule, found, advice in faults(folder)}
    table = {where.removeprefix("technologies.csv, "): told for where, told in said.items()}
    assert table["row 2, column needs_fields"] == ("must name a field of the scenario", "'boi'", "Did you mean 'bio'?")
    assert table["row 3, column needs_fields"][:2] == ("must be a number above 0 and at most 1000000", "0")
    assert table["row 4, column needs_fields"][0].startswith("must give every name its number, as name:number, or none")
    assert table["row 5, column needs_fields"][0] == "must hold each name once, separated by |"
    assert table["row 2, column home_levels"][0].startswith("must give each name its number")
    assert table["row 6, column home_levels"][:2] == ("must be a number from 0 to 200", "900")
    assert table["row 2, column partners_required"] == (
        "must name a partner of the scenario",
        "'JPN'",
        "Did you mean 'JP'?",
    )
    assert table["row 4, column partners_required"][0] == "must be different names, separated by |"
    assert table["row 3, column partners_barred"][:2] == ("must not bar a partner that must take part", "'US'")
    assert table["row 7, column partners_barred"][:2] == ("must name a partner of the scenario", "'XX'")
    assert "must be named tag.NAME" in table["row 1, column tag.1st"][0]
    assert said["scenario.toml, tags.secret.partners_barred"][2] == "Did you mean 'DE'?"
    assert said["scenario.toml, tags.secret.networks_barred"][2] == "Did you mean 'IMDRF'?"
    assert said["scenario.toml, tags.secret.values"] == (
        "must be a value of column tag.secret of technologies.csv",
        "'hihg'",
        "Did you mean 'high'?",
    )
    assert said["scenario.toml, tags.none_such"][0] == "must name a column tag.none_such of technologies.csv"
    assert table["row 3, column home_levels"][:2] == ("must be of a field that it needs: bio", "'chip'")
    assert len(said) == 16


def test_home_levels_are_of_fields_that_are_needed(tiny: Path) -> None:
    (fault,) = faults(tiny, ["technologies.T1.home_levels=bio:70"])
    assert fault[1:3] == ("must be of a field that it needs: chip", "'bio'")


def test_check_tells_of_technologies_that_nobody_may_be_chosen_for(tiny: Path) -> None:
    s = load(tiny, {"technologies.T1.partners_required": "US+DE"})
    assert check(s) == ()
    (fault,) = [one for one in remarks(s) if "T1" in one.where]
    assert fault.rule == "should have a partner with whom it may be done"
    assert "US and DE" in fault.found
    assert "partners.csv" in fault.suggestion
    fixed = load(tiny, {"technologies.T2.partners_required": "US+DE"})
    (fault,) = [one for one in check(fixed) if "T2" in one.where]
    assert "it must be done with US and DE" in fault.found


def test_tags_are_columns_of_portfolios_and_are_read_over(tiny: Path, tmp_path: Path) -> None:
    s = load(tiny_folder(tmp_path / "tagged", **with_columns(tag__ministry={"T1": "MOTIE"})))
    chosen = portfolio.with_ranks(Portfolio((Choice("T1", "direct", "US", 2024), Choice("T2", start_year=2024))), s)
    table = portfolio.frame(chosen, s)
    assert table["tag.ministry"].tolist() == ["MOTIE", ""]
    assert portfolio.from_frame(table, s).choices == chosen.choices


# --- generated worlds -----------------------------------------------------------------------------


def benefit_again(scenario: Scenario, technology: str, codes: Sequence[str]) -> float:
    """The benefit of some partners together, as the page on the model says it."""
    one, effect = scenario.technologies[technology], scenario.partner_effect
    weights = one.needs_fields or {one.field: 1.0}
    total = 0.0
    for field, weight in weights.items():
        away = [scenario.levels[code][field] - one.home_levels.get(field, one.home_level) for code in codes]
        total += weight * max(max(0.0, 1 - ((gap - effect.gap_best) / effect.gap_width) ** 2) for gap in away)
    return total / sum(weights.values())


def test_steps_have_the_effect_of_a_second_reading_and_worlds_have_all_that_there_is() -> None:
    seen: Counter[str] = Counter()
    count = 150
    for seed in range(count):
        world = draw_world(seed)
        scenario, case = world.scenario, world.case()
        rows = scenario.technologies
        effect = scenario.partner_effect
        seen["a tag that bars"] += any(row.tags.get("watched") == "1" for row in rows.values()) and any(
            tag.partners_barred for tag in scenario.tags.values()
        )
        kinds: set[str] = set()
        for p, choice in enumerate(world.choices):
            row, codes = rows[choice.technology], members(scenario, choice.partner)
            assert not eligible(scenario, row, choice.partner, choice.mode)
            if not codes:
                continue
            brings = benefit_again(scenario, row.id, codes)
            for trl in range(int(case.trl[p]), int(case.target[p])):
                takes = effect.coordination_duration ** (len(codes) - 1)
                expected = (1 - effect.duration_gain * brings * absorption(effect, trl)) * takes
                assert case.factor[p, trl - 1] == pytest.approx(expected), (seed, row.id)
            kinds |= {"several fields"} if len(row.needs_fields) > 1 else set()
            kinds |= {"required"} if row.partners_required else set()
            kinds |= {"barred"} if row.partners_barred else set()
            best = max(benefit_again(scenario, row.id, [code]) for code in codes)
            kinds |= {"a consortium that beats its members"} if brings > best + 1e-9 else set()
        out = compiled.run(case, world.luck(case, 3))
        lines = [scenario.programmes[rows[choice.technology].programme] for choice in world.choices]
        lost = np.array([bool(rows[one.technology].partners_required) for one in world.choices])
        lost &= np.array([line.fallback == "domestic" for line in lines])
        kinds |= {"dropped without whom it requires"} if (lost & (out.end_state == DROPPED)).any() else set()
        seen.update(kinds)
    assert len(seen) == 6
    assert min(seen.values()) >= 0.05 * count, seen
