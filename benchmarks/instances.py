"""Synthetic portfolio problems of the shape of the Korean scenario, for benchmarks and tests.

Nothing here is data: every number is drawn from a seeded generator. The shape - programmes, partners,
years, modes, the constraint families and a demand of about 1.3 times the budget - is what matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from rdsim.arrays import Floats, Ints
from rdsim.optimiser import Groups, Labels, PartnerNetwork, PortfolioProblem, Rows, Rules, state_problem, state_rows

__all__ = ["Attributes", "Shape", "draw_problem"]


@dataclass(frozen=True)
class Shape:
    """How large an instance is."""

    technologies: int = 180
    partners: int = 18
    starts: int = 5  # start years
    fields: int = 11
    programmes: int = 2
    years: int = 7  # fiscal years with a budget
    duration: int = 3  # years an option is paid over
    demand: float = 1.3  # demand over budget
    carry_over: float = 0.05


@dataclass(frozen=True, eq=False)
class Attributes:
    """What the rules and rows are made of, option by option."""

    cost: Floats  # (O,) money over all years
    score: Floats  # (G,) evaluation score
    money: Floats  # (O, years) home money by year
    abroad: Floats  # (O, years) of that, paid abroad
    technology: Ints
    partner: Ints  # (O,) -1: domestic
    start: Ints
    programme: Ints  # (technologies,)
    field: Ints  # (technologies,)


def draw_problem(seed: int, shape: Shape | None = None) -> tuple[PortfolioProblem, Attributes]:
    """One instance and the attributes of its options."""
    shape = shape or Shape()
    rng = np.random.default_rng(seed)
    of = _options(rng, shape)
    values = _values(rng, shape, of)
    rows = _rows(shape, of, opening_cost := rng.uniform(0.5, 3.0, shape.partners))
    groups = rng.permutation(shape.technologies)
    pairs = groups[: 2 * (shape.technologies // 12)].reshape(-1, 2)
    third = max(1, len(pairs) // 3)
    problem = state_problem(
        values,
        rows=rows,
        groups=Groups(of=of.technology, names=[f"T{index:04d}" for index in range(shape.technologies)]),
        network=PartnerNetwork(
            partners=_membership(of.partner, shape.partners),
            partner_names=[f"P{index:02d}" for index in range(shape.partners)],
            stage=of.start,
            stage_names=[str(2024 + index) for index in range(shape.starts)],
            opening_value=-np.outer(opening_cost, 1.045 ** -np.arange(shape.starts)),
        ),
        rules=Rules(
            prerequisites=pairs[:third],
            exclusions=pairs[third : 2 * third].tolist(),
            synergies=[(int(a), int(b), float(rng.normal(3, 5))) for a, b in pairs[2 * third :]],
        ),
    )
    return problem, of


def _options(rng: np.random.Generator, shape: Shape) -> Attributes:
    """Domestic and, for about six partners in ten, joint options in two modes, in every start year."""
    technologies = np.arange(shape.technologies)
    programme = technologies * shape.programmes // shape.technologies
    field = rng.integers(0, shape.fields, shape.technologies)
    has_field = rng.random((shape.partners, shape.fields)) < 0.6
    total = rng.lognormal(2.3, 0.5, shape.technologies)
    cells = [
        (technology, partner, mode, start)
        for technology in technologies
        for partner in [-1, *np.flatnonzero(has_field[:, field[technology]])]
        for mode in range(1 if partner < 0 else 2)
        for start in range(shape.starts)
    ]
    technology, partner, mode, start = np.array(cells, dtype=np.int64).T
    share = np.where(partner < 0, 1.0, np.where(mode == 0, 0.6, 0.9))
    cost = total[technology] * share * np.where(partner < 0, 1.0, rng.uniform(0.9, 1.15, len(cells)))
    profile = rng.dirichlet(np.full(shape.duration, 8.0), len(cells))
    money = np.zeros((len(cells), max(shape.years, shape.starts + shape.duration)))
    for year in range(shape.duration):
        money[np.arange(len(cells)), start + year] += cost * profile[:, year]
    money = money[:, : shape.years]
    abroad = money * np.where(partner < 0, 0.0, np.where(mode == 0, 0.1, 0.5))[:, np.newaxis]
    score = rng.uniform(40, 100, shape.technologies)
    return Attributes(money.sum(axis=1), score, money, abroad, technology, partner, start, programme, field)


def _values(rng: np.random.Generator, shape: Shape, of: Attributes) -> Floats:
    """Value by technology, a gain from some partners, a loss from starting late."""
    own = rng.lognormal(2.9, 0.7, shape.technologies)
    gain = rng.uniform(0.85, 1.45, (shape.technologies, shape.partners + 1))
    gain[:, -1] = 1.0  # partner -1: domestic
    kept = np.where(of.partner < 0, 1.0, rng.uniform(0.75, 0.95, of.partner.size))
    return np.asarray(own[of.technology] * gain[of.technology, of.partner] * kept * 0.93**of.start)


def _membership(partner: Ints, partners: int) -> csr_array:
    joint = np.flatnonzero(partner >= 0)
    return csr_array((np.ones(joint.size, dtype=bool), (joint, partner[joint])), shape=(partner.size, partners))


@dataclass(frozen=True, eq=False)
class _Block:
    names: list[str]
    family: str
    use: csr_array
    cap: Floats
    sense: str = "<="
    price: float = np.nan


def _by_key(key: Ints, weight: Floats, keys: int) -> csr_array:
    """Rows `key`, one column for each option; a negative key has no row."""
    option = np.flatnonzero((key >= 0) & (weight != 0))
    return csr_array(coo_array((weight[option], (key[option], option)), shape=(keys, key.size)))


def _rows(shape: Shape, of: Attributes, opening_cost: Floats) -> Rows:
    blocks = [
        _budgets(shape, of),
        _starts(shape, of),
        _places(shape, of),
        _abroad(shape, of),
        *_field_shares(shape, of),
        _international(shape, of),
    ]
    names = [name for block in blocks for name in block.names]
    carry = [
        (programme * shape.years + year, programme * shape.years + year + 1, shape.carry_over)
        for programme in range(shape.programmes)
        for year in range(shape.years - 1)
    ]
    openings = np.zeros((len(names), shape.partners, shape.starts))
    for year in range(shape.starts):
        openings[year, :, year] = opening_cost  # the first programme pays in the year of opening
    return state_rows(
        vstack([block.use for block in blocks]),
        np.concatenate([block.cap for block in blocks]),
        labels=Labels(names=names, family=[block.family for block in blocks for _ in block.names]),
        sense=[block.sense for block in blocks for _ in block.names],
        opening_use=openings.reshape(len(names), -1),
        shortfall_price=np.concatenate([np.full(len(block.names), block.price) for block in blocks]),
        carry=carry if shape.carry_over else (),
    )


def _demand(shape: Shape, of: Attributes) -> Floats:
    """Money that every technology together asks for by programme, each by the cheapest option it has."""
    first = of.start == 0
    cheapest = np.full(shape.technologies, np.inf)
    np.minimum.at(cheapest, of.technology[first], of.cost[first])
    return np.bincount(of.programme, cheapest, shape.programmes)


def _budgets(shape: Shape, of: Attributes) -> _Block:
    caps = np.outer(_demand(shape, of) / shape.demand, _ramp(shape.years))
    use = [
        _by_key(np.where(of.programme[of.technology] == programme, 0, -1), of.money[:, year], 1)
        for programme in range(shape.programmes)
        for year in range(shape.years)
    ]
    names = [f"budget {p} {2024 + y}" for p in range(shape.programmes) for y in range(shape.years)]
    return _Block(names, "budget", vstack(use), caps.ravel())


def _ramp(years: int) -> Floats:
    """Shares of the whole budget by year: rising, then level, then falling."""
    shape = np.sin(np.linspace(0.5, 2.9, years)) + 0.25
    return np.asarray(shape / shape.sum())


def _starts(shape: Shape, of: Attributes) -> _Block:
    """Room for 45% of a programme's technologies in the first year, 20% in each later one."""
    key = of.programme[of.technology] * shape.starts + of.start
    share = np.array([0.45, *[0.2] * (shape.starts - 1)])
    sizes = np.bincount(of.programme, minlength=shape.programmes)
    names = [f"starts {p} {2024 + s}" for p in range(shape.programmes) for s in range(shape.starts)]
    use = _by_key(key, np.ones(key.size), len(names))
    return _Block(names, "starts", use, np.floor(np.outer(sizes, share)).ravel() + 1)


def _places(shape: Shape, of: Attributes) -> _Block:
    held = [_by_key(of.partner, (of.money[:, year] > 0).astype(float), shape.partners) for year in range(shape.years)]
    names = [f"places {p} {2024 + y}" for y in range(shape.years) for p in range(shape.partners)]
    room = max(2.0, round(0.8 * shape.technologies / shape.partners))
    return _Block(names, "places", vstack(held), np.full(len(names), room))


def _abroad(shape: Shape, of: Attributes) -> _Block:
    """Money going to each partner in each year."""
    paid = [_by_key(of.partner, of.abroad[:, year], shape.partners) for year in range(shape.years)]
    names = [f"abroad {p} {2024 + y}" for y in range(shape.years) for p in range(shape.partners)]
    cap = 0.25 * _demand(shape, of).sum() / shape.demand / shape.years / shape.partners
    return _Block(names, "abroad", vstack(paid), np.full(len(names), cap))


def _field_shares(shape: Shape, of: Attributes) -> list[_Block]:
    """Floor and ceiling on each field's part of the whole budget."""
    use = _by_key(of.field[of.technology], of.cost, shape.fields)
    budget = _demand(shape, of).sum() / shape.demand
    size = np.bincount(of.field, minlength=shape.fields) / shape.technologies
    names = [f"field {index:02d}" for index in range(shape.fields)]
    floors = _Block([f"{name} floor" for name in names], "field floor", use, 0.4 * size * budget, ">=")
    ceilings = _Block([f"{name} ceiling" for name in names], "field ceiling", use, 1.2 * size * budget)
    return [floors, ceilings]


def _international(shape: Shape, of: Attributes) -> _Block:
    """Soft floor on the money of joint projects by year."""
    joint = np.where(of.partner >= 0, 0, -1)
    use = [_by_key(joint, of.money[:, year], 1) for year in range(shape.years)]
    cap = 0.45 * _demand(shape, of).sum() / shape.demand * _ramp(shape.years)
    names = [f"international {2024 + year}" for year in range(shape.years)]
    return _Block(names, "international", vstack(use), cap, ">=", 0.3)
