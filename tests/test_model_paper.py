"""The model as a paper and the code say the same: every rule has a number, every number has code, and examples hold."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import rdsim
from rdsim import partnership
from rdsim.domain import Choice, Scenario, Technology
from rdsim.draws import Draws, Purpose
from rdsim.engines import rules
from rdsim.optimiser import Groups, PartnerNetwork, PortfolioProblem, Solving, solve, state_problem, state_rows
from rdsim.optimiser.models import milp
from rdsim.registry import Extension, Registry
from tests.documents.blocks import ROOT, blocks
from tests.simple import lived, plain
from tests.statements import Citation, citations, cited_in, faults, stated

PACKAGE = Path(rdsim.__file__).parent
FORMULATION, EVENTS, MEANING = (ROOT / "docs" / name for name in ("formulation.md", "events.md", "model.md"))
PAGES = {page.name: page for page in (FORMULATION, EVENTS)}
CITED = citations(PACKAGE)

ENGINES = ("process", "compiled")
NO_RULES = {"study"}
"""Registries whose entries are no part of the model: what is asked of it."""


def _numbers(file: str) -> dict[str, tuple[str, ...]]:
    """What is cited in a file, or in the files of a folder, by place."""
    return {one.where: one.numbers for one in CITED if one.where.startswith(file)}


# --- pages and code -------------------------------------------------------------------------------


def test_every_number_is_in_turn_and_cited_and_nothing_cites_what_is_not_there() -> None:
    assert faults({**PAGES, MEANING.name: MEANING}, CITED) == []


def test_faults_are_found(tmp_path: Path) -> None:
    page, code = tmp_path / "page.md", tmp_path / "code"
    code.mkdir()
    page.write_text("**R1 One.** See R2.\n\n**R3 Three.**\n\n| **V1** | x |\n\n```text\nR9\n```\n", encoding="utf-8")
    first = 'def f():\n    """Said.\n\n    Model: R1, E7.\n    """\n'
    second = 'class A:\n    def g(self):\n        """Model: V1."""\n'
    (code / "a.py").write_text(f"{first}\n\n{second}", encoding="utf-8")
    cited = citations(code)
    assert cited == [Citation("a.py f", ("R1", "E7")), Citation("a.py A.g", ("V1",))]
    assert faults({"page": page}, cited) == [
        "a.py f cites E7, which no page states",
        "nothing cites R3",
        "R3 stands where R2 is due",
        "page speaks of R2, which no page states",
    ]
    with pytest.raises(ValueError, match="must be numbers"):
        cited_in("Model: R1 and R2.")


# --- every rule has a number ----------------------------------------------------------------------


def _rules_of_registries() -> Iterator[tuple[str, Any]]:
    """Name and function of each rule that came with rdsim; of a family without its words, which state nothing."""
    for registry in Registry.every:
        if issubclass(registry.kind, Extension) and registry.noun not in NO_RULES:
            for name in sorted(registry.built_in):
                for field, function in registry[name].functions.items():
                    if field != "words":
                        yield f"{registry.noun} {name}, {field}", function


def uncited(named: Iterator[tuple[str, Any]]) -> list[str]:
    """Functions whose documentation cites nothing."""
    return [name for name, function in named if not cited_in(inspect.getdoc(function))]


def test_every_registered_rule_cites_its_number() -> None:
    nouns = {name.partition(",")[0].rsplit(" ", 1)[0] for name, _ in _rules_of_registries()}
    assert nouns >= {"gate policy", "purse rule", "queue rule", "constraint family", "distribution"}
    assert nouns >= {"market value model", "rule for choosing"}
    assert uncited(_rules_of_registries()) == []


def test_every_rule_that_both_engines_take_and_every_effect_of_a_partner_cites_its_number() -> None:
    shared = ((name, getattr(rules, name)) for name in rules.__all__ if callable(getattr(rules, name)))
    effects = ((name, getattr(partnership, name)) for name in partnership.__all__ if name != "StepEffect")
    assert uncited(shared) == uncited(effects) == []


def test_a_rule_without_a_number_is_found() -> None:
    def judge(lead: int) -> bool:
        """On plan."""
        return lead >= 0

    assert uncited(iter([("judge", judge), ("fits", rules.fits)])) == ["judge"]


def test_each_engine_has_every_event_rule() -> None:
    wanted = {number for number in stated(PAGES.values()) if number[0] == "E"}
    for engine in ENGINES:
        found = {number for numbers in _numbers(f"engines/{engine}/").values() for number in numbers}
        assert sorted(wanted - found) == [], engine


def _functions(file: Path) -> Iterator[ast.FunctionDef]:
    return (one for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(one, ast.FunctionDef))


def _names(function: ast.FunctionDef) -> set[str]:
    return {one.id for one in ast.walk(function) if isinstance(one, ast.Name)}


def test_whatever_enters_a_phase_or_handles_an_entry_or_a_grant_cites_an_event_rule() -> None:
    phases = {"YEAR", "WORK", "BREAK", "PANEL", "AGREEMENT", "RELEASE", "REQUEST", "GRANT"}
    for engine in ENGINES:
        files = sorted((PACKAGE / "engines" / engine).glob("*.py"))
        named = {one.name: one for file in files for one in _functions(file)}
        entering = {name for name, one in named.items() if _names(one) & phases}
        assert len(entering) > 5
        handled = {name for one in ("handle", "grant") if one in named for name in _names(named[one]) & named.keys()}
        told = {name for name in entering | handled if "E" in "".join(cited_in(ast.get_docstring(named[name])))}
        helpers = {"places", "facilities", "panel_of"}
        assert sorted((entering | handled) - told - helpers) == [], engine


def test_the_phases_of_a_day_are_those_of_the_rules() -> None:
    rows = re.findall(r"^\| ([1-8]) \| ([A-Z]+) \|", EVENTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(number) for number, name in rows} == {name: getattr(rules, name) for _, name in rows}
    assert len(rows) == rules.GRANT


def test_every_kind_of_row_and_every_number_that_is_drawn_cites_its_statement() -> None:
    assert [one.__name__ for one in milp.FAMILIES if cited_in(one.__doc__)[0][0] != "R"] == []
    kernels = list(_functions(PACKAGE / "luck" / "kernels.py"))
    drawing = [one for one in kernels if _names(one) & {"_uniform", "_score", "uniform_at"} and one.name != "_uniform"]
    assert len(drawing) > 10
    assert [one.name for one in drawing if "L" not in "".join(cited_in(ast.get_docstring(one)))] == []


def test_the_table_of_addresses_has_every_purpose_and_no_other() -> None:
    _, _, table = EVENTS.read_text(encoding="utf-8").partition("| purpose | owner |")
    cells = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert sorted(name for cell in cells for name in re.findall(r"`(.*?)`", cell)) == sorted(map(str, Purpose))


def _philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 in plain Python: Salmon, Moraes, Dror & Shaw 2011."""
    low = 2**32 - 1
    for _ in range(10):
        one, two = counter[0] * 0xD2511F53, counter[2] * 0xCD9E8D57
        counter = [(two >> 32) ^ counter[1] ^ key[0], two & low, (one >> 32) ^ counter[3] ^ key[1], one & low]
        key = [(key[0] + 0x9E3779B9) & low, (key[1] + 0xBB67AE85) & low]
    return counter


def test_a_number_is_found_as_the_statement_on_addresses_says() -> None:
    seed, replication, step, attempt = 2**40 + 7, 2**31 + 5, 3, 1
    digest = hashlib.blake2b("step luck\0기술".encode(), digest_size=8).digest()
    who = int.from_bytes(digest, "little")
    counter = [who % 2**32, who // 2**32, replication, step * 2**16 + attempt]
    first, second, *_ = _philox(counter, [seed % 2**32, seed // 2**32])
    drawn = Draws(seed, range(replication, replication + 1)).uniform(Purpose.STEP_LUCK, ["기술"], step + 1, attempt + 1)
    assert drawn[0, 0, step, attempt] == (2**20 * first + second // 2**12 + 0.5) / 2**52


# --- every setting has its place ------------------------------------------------------------------


def _record(hint: Any) -> Any:
    """The record that a field holds, alone or as entries, or None."""
    if get_origin(hint) is Annotated:
        return _record(get_args(hint)[0])
    inner = (found for one in get_args(hint) if (found := _record(one)))
    return hint if dataclasses.is_dataclass(hint) else next(inner, None)


def _settings(record: Any, before: str = "") -> Iterator[str]:
    """Paths of all settings, `*` for any entry of a table or list."""
    for name, hint in get_type_hints(record, include_extras=False).items():
        if name.startswith("_"):
            continue
        inner = _record(hint)
        many = get_origin(hint) in (dict, tuple)
        yield from _settings(inner, f"{before}{name}{'.*.' if many else '.'}") if inner else [before + name]


def test_every_setting_of_a_scenario_stands_in_the_tables_once() -> None:
    page = FORMULATION.read_text(encoding="utf-8")
    _, _, tables = page.partition("\n## Parameters\n")
    rows = [line.split("|") for line in tables.partition("\n## ")[0].splitlines() if line.startswith("|")]
    cells = [cell for row in rows for cell in row[1:-2]]
    told = [path for cell in cells for path in re.findall(r"`([a-z0-9_.*]+)`", cell)]
    assert sorted(told) == sorted(_settings(Scenario))


# --- the examples by hand -------------------------------------------------------------------------


def _by_hand(opening: float) -> PortfolioProblem:
    return state_problem(
        [8.0, 11.0, 6.0, 7.0],
        rows=state_rows([[5, 4, 3, 4]], cap=[8]),
        groups=Groups(of=[0, 0, 1, 2]),
        network=PartnerNetwork(partners=[-1, 0, -1, 0], opening_value=-opening),
    )


def _sum(coefficients: Any, names: list[str]) -> str:
    terms = [
        (number, f"{abs(number):g} {name}" if abs(number) != 1 else name)
        for number, name in zip(coefficients.tolist(), names, strict=True)
        if number
    ]
    return " ".join(f"{'- ' if number < 0 else '+ '}{text}" for number, text in terms).removeprefix("+ ")


def _model_lines(problem: PortfolioProblem) -> Iterator[str]:
    """The model as the page writes it, each row with the number that its family cites."""
    model, names = milp.formulate(problem), ["x0", "x1", "x2", "x3", "y0"]
    yield f"maximise {_sum(model.value, names)}"
    layout = milp.lay_out(problem)
    numbers = {family(layout).name: cited_in(family.__doc__)[0] for family in milp.FAMILIES}
    for row, name in enumerate(model.row_names):
        left = _sum(model.matrix[[row]].toarray().ravel(), names)
        yield f"{numbers[name.partition('_')[0]]:<4} {left} {model.sense[row]} {model.rhs[row]:g}"


def test_the_program_by_hand_is_the_model_and_its_optimum_is_the_one_told() -> None:
    (block,) = blocks(FORMULATION)
    assert sorted(block.text.splitlines()) == sorted(_model_lines(_by_hand(2.0)))
    for opening, chosen, worth in ((2.0, (1, 3), 16.0), (5.0, (0, 2), 14.0)):
        found = solve(_by_hand(opening), Solving(gap=0))
        assert (found.chosen, found.objective) == (chosen, worth)


def test_the_projects_by_hand_live_as_told() -> None:
    names = ("A", "B")
    rows = {name: Technology(name, name, "line", "f", trl=4, cost=10.0, value=100.0, trl_target=7) for name in names}
    scenario = plain(rows)
    line = dataclasses.replace(
        scenario.programmes["line"], budget=dict.fromkeys(range(2024, 2027), 8.0), carry_over=0.5
    )
    scenario = dataclasses.replace(scenario, programmes={"line": line})
    _, _, out = lived(scenario, *(Choice(name, start_year=2024) for name in names))
    before = np.append(0, out.lapsed[0, 0, :-1])  # what lapses at the end of a year is gone when the next begins
    moves = [(360 * year, money) for year, money in enumerate(out.new_money[0, 0] - before) if year < 4]
    moves += [(day, -paid) for day, paid in zip(out.tranche_day.ravel(), out.paid.ravel(), strict=True) if day >= 0]
    moves += list(zip(out.refund_day.ravel(), out.refund.ravel(), strict=True))
    days = {*(day for day, _ in moves), *out.trl_day[..., 4:].ravel(), *out.market_day.ravel()} - {-1}
    purse = {int(day): sum(money for when, money in moves if when <= day) / 1e9 for day in days}
    told = re.findall(r"^\| (\d+) \| [A-Z]* ?\| .* \| ([\d.]*) ?\|$", EVENTS.read_text(encoding="utf-8"), re.MULTILINE)
    last = {int(day): money for day, money in told}  # of several rows of a day the last
    assert last.keys() == purse.keys()
    shown = {day: float(money) for day, money in last.items() if money}
    assert shown == {day: purse[day] for day in shown}
    assert out.wait_money[0].tolist() == [0, 540]
    assert out.lapsed[0, 0, :3].tolist() == [1_500_000_000, 1_000_000_000, 2_000_000_000]
