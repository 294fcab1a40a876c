"""What comes with rdsim: scenarios by name, copies that stand alone, and examples; from a clone and from a package."""

from __future__ import annotations

import dataclasses
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

import rdsim
from rdsim import shipped
from rdsim.errors import InputError
from rdsim.scenario import digest, start
from rdsim.shipped import place
from rdsim.sweep import read
from rdsim.texts import read_toml
from rdsim.version import VERSION
from tests.command import run
from tests.documents.blocks import ROOT

NAMES = sorted(path.parent.name for path in (ROOT / "scenarios").glob("*/scenario.toml"))
EXAMPLES = {
    "direct-or-matching": rdsim.examples.direct_or_matching,
    "gri-network": rdsim.examples.gri_network,
    "korea-2024": rdsim.examples.korea,
    "korea-japan-fine-chemicals": rdsim.examples.fine_chemicals,
    "medical-ai-2024": rdsim.examples.medical_ai,
}


@cache
def original(name: str) -> rdsim.Scenario:
    """A scenario as the repository has it, read once."""
    return rdsim.load(ROOT / "scenarios" / name)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of every scenario that comes with rdsim, `my-NAME`."""
    base = tmp_path_factory.mktemp("copies")
    for name in NAMES:
        start(base / f"my-{name}", name)
    return base


# --- which there are ------------------------------------------------------------------------------


def test_each_scenario_has_a_title_and_a_question_and_the_readme_says_the_same() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = shipped.scenarios()
    assert [one.name for one in found] == NAMES
    for one in found:
        row = re.search(rf"^\| \[`{one.name}`\].*$", readme, re.MULTILINE)
        assert row, one.name
        assert row[0].split(" | ")[-1].removesuffix(" |") == one.asks
        assert one.title


def test_the_list_of_scenarios_tells_what_each_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run(capsys, monkeypatch, "scenarios")
    assert told.code == 0
    assert [line.partition(":")[0] for line in told.out.splitlines() if line.startswith(tuple(NAMES))] == NAMES
    assert "rdsim new my-scenario --from NAME" in told.out


def test_every_experiment_belongs_to_one_scenario() -> None:
    found = [path.name for name in NAMES for path in shipped.experiments_of(name)]
    assert sorted(found) == sorted(path.name for path in (ROOT / "experiments").glob("*.toml"))


def test_a_folder_of_ones_own_beside_them_is_not_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = tmp_path / "clone"
    for name in ("korea-2024", "mine"):
        (clone / "scenarios" / name).mkdir(parents=True)
    for name in ("index.toml", "korea-2024/scenario.toml"):
        shutil.copy(ROOT / "scenarios" / name, clone / "scenarios" / name)
    (clone / "scenarios" / "mine" / "scenario.toml").write_text("title = ", encoding="utf-8")
    monkeypatch.setattr(place, "_HERE", clone / "rdsim" / "shipped")
    ran = run(capsys, monkeypatch, "scenarios")
    assert (ran.code, ran.err) == (0, "")
    assert "korea-2024" in ran.out
    assert "mine" not in ran.out


def test_an_installed_package_has_them_beside_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "somewhere" / "rdsim" / "shipped"
    monkeypatch.setattr(place, "_HERE", package)
    assert shipped.names() == ()
    assert shipped.scenarios() == ()
    with pytest.raises(InputError, match="This installation has none"):
        rdsim.examples.medical_ai()
    for name in ("scenarios/medical-ai-2024", "experiments"):
        shutil.copytree(ROOT / name, package / name)
    shutil.copy(ROOT / "scenarios" / "index.toml", package / "scenarios")
    assert [one.folder for one in shipped.scenarios()] == [package / "scenarios" / "medical-ai-2024"]
    assert {one.parent for one in shipped.experiments_of("medical-ai-2024")} == {package / "experiments"}
    assert rdsim.examples.medical_ai() == original("medical-ai-2024")


# --- examples -------------------------------------------------------------------------------------


def test_every_scenario_is_an_example() -> None:
    assert sorted(EXAMPLES) == NAMES
    assert {one.__name__ for one in EXAMPLES.values()} | {"starter"} == set(rdsim.examples.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_the_scenario_and_takes_overrides(name: str) -> None:
    assert EXAMPLES[name](["discount_rate=0.02"]) == original(name).with_({"discount_rate": 0.02})


# --- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_the_same_scenario_under_another_name(name: str, copies: Path) -> None:
    mine, theirs = rdsim.load(copies / f"my-{name}"), original(name)
    assert mine.name == f"my-{name}"
    assert digest(dataclasses.replace(mine, name=name)) == digest(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_experiments_of_a_copy_speak_of_it(name: str, copies: Path) -> None:
    mine = copies / f"my-{name}"
    files = sorted((mine / "experiments").glob("*.toml"))
    assert [one.name for one in files] == [one.name for one in shipped.experiments_of(name)]
    for file in files:
        asked = read(file)
        home, portfolios = Path(asked.folder), asked.portfolios.values()
        assert (home / asked.scenario).resolve() == mine.resolve()
        assert all((home / one).is_file() and (home / one).resolve().parent == mine.resolve() for one in portfolios)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_stands_alone(name: str, copies: Path) -> None:
    mine = copies / f"my-{name}"
    theirs = {path.relative_to(ROOT / "scenarios" / name) for path in (ROOT / "scenarios" / name).rglob("*")}
    here = {path.relative_to(mine) for path in mine.rglob("*")}
    assert {one for one in theirs - here if one.suffix != ".png" and "__pycache__" not in one.parts} == set()
    for page in mine.rglob("*.md"):
        for target in re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page}: {target}"


def test_a_copy_is_refused_as_a_new_scenario_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    refused = run(capsys, monkeypatch, "new", tmp_path / "mine", "--from", "medical-ai-2024")
    assert (refused.code, [one.name for one in (tmp_path / "mine").iterdir()]) == (2, ["notes.txt"])
    assert "a new or an empty folder" in refused.err
    unknown = run(capsys, monkeypatch, "new", tmp_path / "other", "--from", "korea-2042")
    assert (unknown.code, (tmp_path / "other").exists()) == (2, False)
    assert "Did you mean 'korea-2024'?" in unknown.err


def test_one_who_names_a_scenario_that_is_not_here_is_told_how_to_have_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    told = run(capsys, monkeypatch, "plan", "scenarios/korea-2024")
    assert told.code == 2
    assert "To have a copy of it: rdsim new korea-2024 --from korea-2024." in told.err
    assert "--from" not in run(capsys, monkeypatch, "plan", "scenarios/korea-2042").err


@pytest.mark.parametrize(("folder", "name"), [("a-plan", "a-plan"), ("ein Plan", "my-scenario"), ("_x", "my-scenario")])
def test_a_new_scenario_goes_by_its_folder_where_it_can(folder: str, name: str, tmp_path: Path) -> None:
    start(tmp_path / folder)
    assert rdsim.load(tmp_path / folder).name == name


# --- what is said of the package ------------------------------------------------------------------


def test_every_place_says_the_same_version(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert rdsim.__version__ == VERSION
    assert run(capsys, monkeypatch, "--version").out == f"rdsim {VERSION}\n"
    assert read_toml(ROOT / "pyproject.toml")["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "rdsim.version.VERSION"
    }
    changes = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    cited = dict(re.findall(r"^(\S+): (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    assert (cited["version"], cited["date-released"].strip('"')) == changes[0]
    assert changes[0][0] == VERSION
    assert f"rdsim-{VERSION}-py3-none-any.whl" in (ROOT / "docs" / "package.md").read_text(encoding="utf-8")


def test_those_who_are_cited_are_those_who_hold_the_licence() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    holder = re.search(r"^Copyright \(c\) \d{4} (.+)$", licence, re.MULTILINE)
    assert holder
    assert f'- name: "{holder[1]}"' in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert read_toml(ROOT / "pyproject.toml")["project"]["authors"] == [{"name": holder[1]}]
