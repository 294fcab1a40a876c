"""The pool of nested cases: whoever may choose from more is worth no less, and no printed sign says otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rdsim
from rdsim.domain import Portfolio, Scenario
from rdsim.optimiser import Solving
from rdsim.search import Judge
from rdsim.simulation import Running
from rdsim.stats import paired_difference
from rdsim.streams import SELECTING
from rdsim.sweep import prepare, read, run
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.decisions import Decided, best_of_pool, decisions_in
from rdsim.sweep.page import page_of
from rdsim.sweep.tasks import pack, perform
from tests.sizes import size
from tests.sweep.test_repeats import choosing

COUNT = 20
"""Replications that select."""

NESTED = ({}, {"programmes.leap.starts.2024": 1}, {"partners.*.places": 0})
"""Cases of one world: the first may choose whatever the others may."""


def _worlds(tiny: Path) -> list[Scenario]:
    return [rdsim.load(tiny, {"optimiser.samples": 3, **settings}) for settings in NESTED]


def _worth(world: Scenario, portfolio: Portfolio, seed: int) -> float:
    return float(Judge(world, seed, SELECTING).worths(portfolio, COUNT).mean())


def test_with_a_pool_a_larger_set_of_choices_is_worth_no_less(tiny: Path) -> None:
    worlds, alone, pooled = _worlds(tiny), [], []
    for seed in range(1, size(6, 40)):
        found = [
            one for one in decisions_in(worlds, "one-shot", seed, Solving(), Running()) if isinstance(one, Decided)
        ]
        best = [
            best_of_pool(one, found, world, seed=seed, count=COUNT, running=Running())
            for one, world in zip(found, worlds, strict=True)
        ]
        alone.append([_worth(world, one.portfolio, seed) for world, one in zip(worlds, found, strict=True)])
        pooled.append([_worth(world, one, seed) for world, one in zip(worlds, best, strict=True)])
    by_itself, together = np.array(alone), np.array(pooled)
    assert (by_itself[:, :1] < by_itself[:, 1:]).any(), "without a pool some smaller set must seem to be worth more"
    assert (together[:, :1] >= together[:, 1:]).all()
    assert (together >= by_itself).all()


def test_a_case_takes_nothing_that_it_does_not_allow(tiny: Path) -> None:
    worlds = _worlds(tiny)
    whole, fewer, nobody = (one for one in decisions_in(worlds, "one-shot", 1, Solving(), Running()))
    assert isinstance(whole, Decided)
    assert isinstance(fewer, Decided)
    assert isinstance(nobody, Decided)
    assert any(choice.partner for choice in whole.portfolio.choices)
    assert nobody.options_of(whole.portfolio) is None
    assert whole.options_of(nobody.portfolio) is not None
    assert whole.options_of(fewer.portfolio) is not None
    starts = [one for one in whole.portfolio.choices if one.start_year == 2024 and one.technology in ("T1", "T2", "T3")]
    assert (fewer.options_of(whole.portfolio) is None) == (len(starts) > 1)


def test_no_printed_difference_of_nested_cases_has_the_impossible_sign(tiny: Path, tmp_path: Path) -> None:
    found = run(read(choosing(tmp_path, tiny, repeats=size(4, 20))), tmp_path / "out")
    assert (found.table["status"] == "done").all(), found.table["error"].tolist()
    samples = Analysis(found.table, found.manifest, "npv").finished_points["samples"]
    for place in (1, 2):
        gap = paired_difference(samples.iloc[0], samples.iloc[place])
        assert gap.high >= 0
    lead = " ".join(page_of(found.table, found.manifest).lead)
    assert "Every portfolio found at one level of starts was tried at all that allow it: " in lead


def test_a_task_of_a_pool_gives_the_same_row_alone_and_in_company(tiny: Path, tmp_path: Path) -> None:
    """As after a worker died, or on other workers: what else a batch holds changes nothing."""
    prepared = prepare(replace(read(choosing(tmp_path, tiny)), repeats=1, answers=()))
    work = prepared.work({}, 1)
    tasks = [point.task for point in prepared.points(work)]
    together = perform(pack(work), tasks).rows
    assert [row["status"] for row in together] == ["done"] * 3
    for task, row in zip(tasks, together, strict=True):
        (alone,) = perform(pack(work), [task]).rows
        assert alone == row
    assert len({task.pool for task in tasks}) == 1
    other = prepare(replace(read(choosing(tmp_path, tiny, pool="false")), repeats=1, answers=()))
    apart = [point.task for point in other.points(other.work({}, 1))]
    assert not any(task.cases for task in apart)
    assert {task.key for task in apart}.isdisjoint(task.key for task in tasks)


@pytest.mark.parametrize("policy", ["value-per-cost", "domestic-only"])
def test_a_simple_rule_has_no_pool(policy: str, tiny: Path, tmp_path: Path) -> None:
    text = (
        choosing(tmp_path, tiny)
        .read_text("utf-8")
        .replace('task = "optimise"', f'task = "optimise"\npolicy = "{policy}"')
    )
    (tmp_path / "rule.toml").write_text(text, "utf-8")
    prepared = prepare(read(tmp_path / "rule.toml"))
    assert not any(point.task.cases for point in prepared.points(prepared.work({}, 1)))
