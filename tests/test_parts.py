"""Optional parts of a scenario: what they add and replace, their faults in their own places, and who tells of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rdsim
from rdsim.errors import ExperimentError, Fault, ScenarioError
from rdsim.scenario import Variations, digest, dump, load, part_names
from rdsim.sweep import read, run
from tests.command import run as command
from tests.sweep.files import write

MORE = """\
[programmes.more]
name = "More"
deadline_years = 6
trl_target = 8
tranches = [{ months = 24, share = 1.0 }]
budget = { 2025 = 20 }
starts = { 2025 = 1 }

[programmes.base]
award_cap = 15

[programmes.base.budget]
2028 = 9
"""
MORE_ROWS = "id,name,programme,field,trl,cost,value\nM1,Moonshot,more,bio,6,9,2000\n"
FAR = {
    "partners.csv": "code,name,region,modes,setup_cost,running_cost,places\nLAB,Lab,America,direct,1,0.1,2\n",
    "partner_levels.csv": "partner,bio\nLAB,110\n",
}


def part(folder: Path, name: str, **files: str) -> Path:
    """Write a part; keywords are files, with `_` for the dot of their ending."""
    place = folder / "parts" / name
    place.mkdir(parents=True)
    for file, text in files.items():
        stem, _, ending = file.rpartition("_")
        (place / f"{stem}.{ending}").write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def parted(tiny: Path) -> Path:
    """The tiny scenario with a part of a programme and one of a partner."""
    part(tiny, "more", scenario_toml=MORE, technologies_csv=MORE_ROWS)
    part(tiny, "far", partners_csv=FAR["partners.csv"], partner_levels_csv=FAR["partner_levels.csv"])
    return tiny


def faults(folder: Path, *overrides: str) -> tuple[Fault, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(folder, overrides)
    return caught.value.faults


# --- what parts add ---------------------------------------------------------------------------------


def test_without_a_choice_the_parts_are_not_there(parted: Path, tmp_path: Path) -> None:
    assert part_names(parted) == ["far", "more"]
    plain = load(parted)
    assert plain.parts == ()
    assert "M1" not in plain.technologies
    assert "LAB" not in plain.partners
    dump(plain, tmp_path / "dumped")
    assert load(tmp_path / "dumped") == plain


def test_a_part_adds_rows_and_replaces_settings(parted: Path) -> None:
    plain, more = load(parted), load(parted, ["parts=more"])
    assert more.parts == ("more",)
    assert more.technologies["M1"].value == 2000
    assert more.technologies.keys() - plain.technologies.keys() == {"M1"}
    assert more.programmes["more"].budget == {2025: 20}
    assert more.programmes["base"].award_cap == 15
    assert more.programmes["base"].budget == {**plain.programmes["base"].budget, 2028: 9}
    assert more.programmes["leap"] == plain.programmes["leap"]


@pytest.mark.parametrize("chosen", [["more", "far"], "more,far", "more, far, more", ("more", "far")])
def test_several_parts_by_a_list_or_a_text(parted: Path, chosen: object) -> None:
    both = load(parted, {"parts": chosen})
    assert both.parts == ("more", "far")
    assert both.levels["LAB"] == {"bio": 110}
    assert "M1" in both.technologies


def test_scenario_toml_may_choose_and_an_override_wins(parted: Path) -> None:
    settings = parted / "scenario.toml"
    settings.write_text('parts = ["far"]\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    assert load(parted).parts == ("far",)
    assert load(parted, ["parts=more"]).parts == ("more",)
    assert load(parted, {"parts": []}).parts == ()
    assert load(parted, ["parts=none"]).parts == ()


def test_the_last_part_wins_and_an_override_wins_over_it(parted: Path) -> None:
    part(parted, "last", scenario_toml="[programmes.base.budget]\n2028 = 11\n")
    assert load(parted, ["parts=more,last"]).programmes["base"].budget[2028] == 11
    assert load(parted, ["parts=last,more"]).programmes["base"].budget[2028] == 9
    assert load(parted, ["programmes.base.budget.2028=3", "parts=more,last"]).programmes["base"].budget[2028] == 3
    assert load(parted, ["technologies.M1.cost=7", "parts=more"]).technologies["M1"].cost == 7


def test_links_of_a_part_come_beside_the_others(parted: Path) -> None:
    part(parted, "linked", links_csv="kind,technology,other\nsynergy,T1,T4\n")
    assert len(load(parted, ["parts=linked"]).links) == len(load(parted).links) + 1


def test_a_part_may_bring_the_partners_of_a_folder_without(parted: Path) -> None:
    for file in ("partners.csv", "partner_levels.csv"):
        (parted / file).rename(parted / "parts" / "far" / file)
    (parted / "links.csv").unlink()
    text = (parted / "scenario.toml").read_text(encoding="utf-8").replace("[limits.partners.US]\nceiling = 0.6\n", "")
    text = text.replace('preferred_networks = ["IMDRF"]\n', "")
    (parted / "scenario.toml").write_text(text, encoding="utf-8")
    assert {fault.where for fault in faults(parted)} == {"partners.csv"}
    assert "US" in load(parted, ["parts=far"]).partners


# --- faults -----------------------------------------------------------------------------------------


def test_an_unknown_part_is_refused_with_advice(parted: Path) -> None:
    assert faults(parted, "parts=mroe") == (
        Fault("--set parts", "must name folders under parts", "'mroe'", "Did you mean 'more'?"),
    )
    settings = parted / "scenario.toml"
    settings.write_text("parts = [3]\n" + settings.read_text(encoding="utf-8"), encoding="utf-8")
    (fault,) = faults(parted)
    assert (fault.where, fault.found) == ("scenario.toml, parts", "'3'")


def test_a_folder_without_parts_says_so(tiny: Path) -> None:
    (fault,) = faults(tiny, "parts=more")
    assert fault.suggestion == f"{tiny} has no folder parts."


def test_every_fault_of_a_part_is_laid_at_its_file_and_row(parted: Path) -> None:
    part(
        parted,
        "bad",
        scenario_toml="[programmes.base]\naward_cap = -1\ncary_over = 0.1\n",
        technologies_csv="id,name,programme,field,trl,cost,value\nX1,One,base,bio,3,-4,9\nT1,Two,base,bio,3,4,9\n"
        "X2,Three,base,chap,3,4,9\n",
        partners_csv="code,name,modes,setup_cost [million USD]\nX,X,direct,1\n",
        partner_levels_csv="partner,bio,boi\nX,300,1\nUS,3,\n",
        links_csv="kind,technology,other\nprerequisite,T1,X7\n",
    )
    found = {fault.where: fault for fault in faults(parted, "parts=bad")}
    assert list(found) == [
        "parts/bad/links.csv, row 2, column other",
        "parts/bad/partner_levels.csv, row 1, column boi",
        "parts/bad/partner_levels.csv, row 2, column bio",
        "parts/bad/partner_levels.csv, row 3, column partner",
        "parts/bad/partners.csv, row 1, column setup_cost",
        "parts/bad/scenario.toml, programmes.base.award_cap",
        "parts/bad/scenario.toml, programmes.base.cary_over",
        "parts/bad/technologies.csv, row 2, column cost",
        "parts/bad/technologies.csv, row 3, column id",
        "parts/bad/technologies.csv, row 4, column field",
    ]
    assert found["parts/bad/technologies.csv, row 3, column id"].found == "'T1', as in row 2"
    assert found["parts/bad/partner_levels.csv, row 3, column partner"].found == "'US', as in row 2"


def test_a_row_repeated_between_parts_says_where_it_stood_first(parted: Path) -> None:
    part(parted, "again", technologies_csv=MORE_ROWS)
    (fault,) = faults(parted, "parts=more,again")
    assert fault.where == "parts/again/technologies.csv, row 2, column id"
    assert fault.found == "'M1', as in row 2 of parts/more/technologies.csv"


@pytest.mark.parametrize(
    ("file", "text", "where", "rule"),
    [
        ("scenario_toml", "x = ", "parts/odd/scenario.toml", "must be valid TOML"),
        ("scenario_toml", "\0", "parts/odd/scenario.toml", "must be UTF-8 text"),
        ("scenario_toml", "[[links]]\nkind = 1\n", "parts/odd/scenario.toml, links", "belongs in links.csv"),
        ("scenario_toml", 'parts = ["more"]\n', "parts/odd/scenario.toml, parts", "chooses no other"),
        ("links_csv", "", "parts/odd/links.csv", "must not be empty"),
        ("links_csv", "kind,technology,other\nsynergy,T1\n", "parts/odd/links.csv, row 2", "as many cells"),
        ("link_csv", "kind\n", "parts/odd", "a part holds scenario.toml or tables"),
        ("notes_txt", "", "parts/odd", "a part holds scenario.toml or tables"),
    ],
)
def test_files_of_a_part_that_cannot_be_used(parted: Path, file: str, text: str, where: str, rule: str) -> None:
    part(parted, "odd", **{file: text})
    found = faults(parted, "parts=odd")
    assert [fault for fault in found if fault.where == where and rule in fault.rule], found


def test_a_table_of_a_part_under_nearly_its_name_is_not_left_out(parted: Path) -> None:
    (parted / "parts" / "more" / "link.csv").write_text("kind,technology,other\n", encoding="utf-8")
    (fault,) = faults(parted, "parts=more")
    assert fault.where == "parts/more/links.csv"
    assert fault.suggestion == "Rename link.csv to links.csv."


# --- who tells of them -------------------------------------------------------------------------------


def test_check_lists_the_parts(
    parted: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = command(capsys, monkeypatch, "check", parted)
    assert "optional parts: far, more (--set parts=NAME)\n" in plain.out
    used = command(capsys, monkeypatch, "check", parted, "--set", "parts=more")
    assert "in use: more" in used.out
    assert command(capsys, monkeypatch, "check", parted, "--set", "parts=less").code == 2


def test_a_run_tells_its_parts_and_their_content_counts(
    parted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, words in (("plain", ()), ("more", ("--set", "parts=more"))):
        ran = command(capsys, monkeypatch, "optimise", parted, "--out", tmp_path / place, *words)
        assert ran.code == 0, ran.err
    heads = [json.loads((tmp_path / place / "manifest.json").read_text())["scenario"] for place in ("plain", "more")]
    assert [head["parts"] for head in heads] == [[], ["more"]]
    assert heads[0]["digest"] == digest(load(parted))
    assert heads[1]["digest"] == digest(load(parted, ["parts=more"])) != heads[0]["digest"]


def test_what_a_part_brings_survives_the_archive(parted: Path, tmp_path: Path) -> None:
    both = load(parted, ["parts=more,far"])
    dump(both, tmp_path / "dumped")
    again = load(tmp_path / "dumped")
    assert again == both
    assert digest(again) == digest(both)
    assert again.parts == ()


# --- experiments -------------------------------------------------------------------------------------

SWITCHED = """
scenario = "{scenario}"
task = "optimise"
policy = "value-per-cost"
replications = {replications}
points = {points}

[factors.parts]
values = ["", "more", "more,far"]

[factors.costs]
paths = ["technologies.*.cost"]
change = "multiply"
values = [1.0, 1.1]
"""


def test_a_sweep_switches_parts(parted: Path, tmp_path: Path) -> None:
    experiment = read(write(tmp_path, parted, points=6, replications=10, text=SWITCHED))
    found = run(experiment, tmp_path / "out", jobs=2).table
    assert (found["status"] == "done").all(), found["error"].tolist()
    assert list(found["parts"]) == ["", "", "more", "more", "more,far", "more,far"]
    funds = [("M1" in text.split("|")) for text in found["technologies"]]
    assert funds == [False, False, True, True, True, True]
    assert found["npv"].iloc[0] != found["npv"].iloc[2]


def test_other_factors_reach_what_a_part_brings(parted: Path) -> None:
    plain, more = load(parted), load(parted, ["parts=more"])
    found = Variations(plain, {(("more",), 1): more})
    override = [found.override(("parts",), "more"), found.override(("technologies", "M1", "cost"), 5)]
    assert found.vary(override).technologies["M1"].cost == 5
    assert found.digest(override) != found.digest(override[:1]) != found.digest([])
    assert found.vary(override[:1]) == more
    experiment = rdsim.Experiment(
        str(parted),
        factors={
            "parts": ["", "more"],
            "costs": {"paths": ["technologies.*.cost"], "change": "multiply", "values": [2.0]},
        },
        policy="domestic-only",
        replications=10,
    )
    prepared = rdsim.sweep.prepare(experiment)
    costs = next(one for one in prepared.factors if one.name == "costs")
    assert {one.path[1] for one in costs.overrides(2.0, (("more",), 1))} == set(more.technologies)
    assert {one.path[1] for one in costs.overrides(2.0, ((), 1))} == set(plain.technologies)


def test_settings_and_cases_of_an_experiment_choose_parts(parted: Path, tmp_path: Path) -> None:
    fixed = rdsim.Experiment(str(parted), settings={"parts": ["more"]}, policy="value-per-cost", replications=10)
    ran = run(fixed, tmp_path / "out")
    assert ran.manifest["scenario"]["parts"] == ["more"]
    cases = {"cases": {"without": {}, "with": {"parts": ["more"], "programmes.more.budget.2025": 30}}}
    found = rdsim.Experiment(
        str(parted), task="optimise", factors={"moonshots": cases}, policy="value-per-cost", replications=10
    ).run()
    assert [("M1" in text) for text in found.table["technologies"]] == [False, True]


def test_parts_that_a_sweep_cannot_switch_are_refused_before_it_runs(parted: Path) -> None:
    def refusal(scenario: object, **given: object) -> str:
        with pytest.raises(ExperimentError) as caught:
            rdsim.Experiment(scenario, replications=10, **given).run()  # type: ignore[arg-type]
        return str(caught.value)

    folder = str(parted)
    assert "Did you mean 'more'?" in refusal(folder, factors={"parts": ["", "mroe"]})
    assert "chosen by a list of values or by cases" in refusal(folder, factors={"parts": {"range": [0, 1]}})
    assert "at most one factor chooses optional parts" in refusal(
        folder, factors={"parts": ["more"], "other": {"cases": {"a": {"parts": "far"}}}}
    )
    assert "is chosen when the folder is read" in refusal(load(parted), factors={"parts": ["", "more"]})
    assert "is chosen when the folder is read" in refusal(load(parted), settings={"parts": ["more"]})
