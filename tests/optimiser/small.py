"""Problems small enough to enumerate, made of parts that can be left out one at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from rdsim.optimiser import (
    Evaluation,
    Groups,
    Labels,
    PartnerNetwork,
    PortfolioProblem,
    Rules,
    evaluate,
    state_problem,
    state_rows,
)

__all__ = ["FAMILIES", "brute_force", "build", "canonical", "choices", "draw", "portfolios"]

STAGES = 3
PARTNERS = 3
GROUPS = 5
FAMILIES = (
    "budget",
    "carry",
    "starts",
    "places",
    "abroad",
    "field floor",
    "field ceiling",
    "partner share",
    "quota",
    "international",
    "opening value",
    "opening use",
    "prerequisites",
    "exclusions",
    "synergies",
    "antagonisms",
    "exactly one",
    "fixed",
)


def draw(seed: int) -> dict[str, Any]:
    """Raw parts of an instance: integers, so that equal means equal."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, GROUPS)
    group = np.repeat(np.arange(GROUPS), sizes)
    count = group.size
    pairs = np.array([rng.permutation(GROUPS)[:2] for _ in range(5)])
    joint = rng.random((count, PARTNERS)) < 0.35  # two at once: a consortium
    return {
        "group": group,
        "values": rng.integers(4, 16, count).astype(float),
        "partners": joint,
        "stage": rng.integers(0, STAGES, count),
        "cost": rng.integers(1, 7, (count, 2)),
        "money abroad": rng.integers(1, 4, count) * joint.any(axis=1),
        "pairs": pairs,
        "triple": rng.permutation(GROUPS)[:3],
        "caps": rng.integers(0, 3, 12),
        "signs": rng.integers(1, 13, 6),
        "opening cost": rng.integers(1, 9, PARTNERS),
        "families": tuple(family for family in FAMILIES if rng.random() < 0.6),
    }


def _money(parts: dict[str, Any]) -> np.ndarray:
    """Money by year: an option is paid in its start year and the next (the last year takes the rest)."""
    money = np.zeros((STAGES, parts["stage"].size))
    for option, stage in enumerate(parts["stage"]):
        money[stage, option] += parts["cost"][option, 0]
        money[min(stage + 1, STAGES - 1), option] += parts["cost"][option, 1]
    return money


def _row_parts(parts: dict[str, Any]) -> Iterator[tuple[str, str, np.ndarray, float, str, float]]:
    """(family, name, use, cap, sense, price) of every row."""
    caps, money, stage = parts["caps"], _money(parts), parts["stage"]
    field = parts["group"] % 2
    total = money.sum(axis=0)
    joint = parts["partners"].any(axis=1)
    for year in range(STAGES):
        yield "budget", f"budget {year}", money[year], 7.0 + 2 * caps[year], "<=", np.nan
        yield "starts", f"starts {year}", (stage == year).astype(float), 1.0 + (caps[3 + year] > 0), "<=", np.nan
    for partner in range(PARTNERS):
        yield "places", f"places {partner}", parts["partners"][:, partner].astype(float), 1.0, "<=", np.nan
        abroad = parts["money abroad"] * parts["partners"][:, partner]
        yield "abroad", f"abroad {partner}", abroad.astype(float), 2.0 + caps[6 + partner % 2], "<=", np.nan
    yield "field floor", "field 0 floor", total * (field == 0), 6.0 + caps[8], ">=", np.nan
    yield "field ceiling", "field 1 ceiling", total * (field == 1), 6.0 + 2 * caps[9], "<=", np.nan
    yield "partner share", "partner 0 share", total * parts["partners"][:, 0], 6.0 + 2 * caps[10], "<=", np.nan
    quota = np.isin(parts["group"], parts["pairs"][0]).astype(float)
    yield "quota", "quota", quota, 1.0, "==", np.nan
    yield "international", "international", total * joint, 14.0 + caps[11], ">=", 1.0
    yield "international", "joint starts", joint.astype(float), 2.0, "==", 3.0


def problem_of_fields(**parts: Any) -> PortfolioProblem:
    """A problem from its fields, flat, each by the name that it has in `PortfolioProblem`."""
    flat = {"of": "group", "names": "group_names"}
    bundles: dict[str, Any] = {}
    for name, kind in (("groups", Groups), ("network", PartnerNetwork), ("rules", Rules)):
        fields = {one: flat.get(one, one) for one in kind.__annotations__}
        bundles[name] = kind(**{one: parts.pop(given) for one, given in fields.items() if given in parts})
    return state_problem(parts.pop("values"), **bundles, **parts)


def build(parts: dict[str, Any], families: Iterable[str]) -> PortfolioProblem:
    """The problem with these families, and no others."""
    on, pairs, sign = set(families), parts["pairs"].tolist(), parts["signs"].tolist()
    listed = [row for row in _row_parts(parts) if row[0] in on]
    names = [row[1] for row in listed]
    openings = np.zeros((len(listed), PARTNERS, STAGES))
    if "opening use" in on:
        for index, row in enumerate(listed):
            if row[0] == "budget":
                openings[index, :, int(row[1][-1])] = parts["opening cost"] % 3 + 1
    carry = [
        (names.index(f"budget {year}"), names.index(f"budget {year + 1}"), 0.5)
        for year in range(STAGES - 1)
        if {"budget", "carry"} <= on
    ]
    cost = (
        parts["opening cost"][:, np.newaxis] - np.arange(STAGES)
        if "opening value" in on
        else np.zeros((PARTNERS, STAGES))
    )
    synergies = [(*pairs[0], float(sign[0])), (*pairs[1], float(sign[1]))] if "synergies" in on else []
    synergies += [(*pairs[2], -float(sign[2])), (*pairs[3], -float(sign[3]))] if "antagonisms" in on else []
    fixed = {"fixed_in_groups": pairs[4][:1], "fixed_out_options": [int(sign[4] % 2)]} if "fixed" in on else {}
    return state_problem(
        parts["values"],
        groups=Groups(of=parts["group"], exactly_one=np.isin(np.arange(GROUPS), pairs[4][1]) & ("exactly one" in on)),
        network=PartnerNetwork(
            partners=parts["partners"],
            stage=parts["stage"],
            stage_names=[str(2024 + year) for year in range(STAGES)],
            opening_value=-cost,
        ),
        rows=state_rows(
            np.array([row[2] for row in listed]).reshape(len(listed), -1)
            if listed
            else np.zeros((0, parts["stage"].size)),
            [row[3] for row in listed],
            labels=Labels(names=names, family=[row[0] for row in listed]),
            sense=[row[4] for row in listed],
            shortfall_price=[row[5] for row in listed],
            opening_use=openings.reshape(len(listed), PARTNERS * STAGES) if listed else None,
            carry=carry,
        ),
        rules=Rules(
            **fixed,
            prerequisites=[pairs[2], pairs[3]] if "prerequisites" in on else (),
            exclusions=[parts["triple"]] if "exclusions" in on else (),
            synergies=synergies,
        ),
    )


def choices(problem: PortfolioProblem) -> Iterator[Evaluation]:
    """Every choice of at most one option of each group, judged."""
    by_group = [np.flatnonzero(problem.group == group).tolist() for group in range(len(problem.group_names))]
    for pick in itertools.product(*([None, *options] for options in by_group)):
        yield evaluate(problem, [option for option in pick if option is not None])


def portfolios(problem: PortfolioProblem) -> Iterator[Evaluation]:
    """Every feasible portfolio."""
    return (judged for judged in choices(problem) if judged.feasible)


def brute_force(problem: PortfolioProblem) -> tuple[float, list[tuple[int, ...]]]:
    """The optimum and every portfolio that reaches it, by trying all; -inf and none if nothing is feasible."""
    best, optima = -math.inf, []
    for judged in portfolios(problem):
        if judged.objective < best - 1e-9:
            continue
        if judged.objective > best + 1e-9:
            best, optima = judged.objective, []
        optima.append(judged.chosen)
    return best, optima


def canonical(optima: list[tuple[int, ...]], options: int) -> tuple[int, ...]:
    """The optimum that `solve` promises at gap 0."""
    square_free = (n for n in itertools.count(2) if all(n % (root * root) for root in range(2, n)))
    weights = [1 + math.sqrt(n) % 1 / options for n in itertools.islice(square_free, options)]
    return min(optima, key=lambda chosen: sum(weights[option] for option in chosen))
